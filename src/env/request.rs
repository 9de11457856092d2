//! What is asked of etcd for a process: a folder, and single keys.
//!
//! Knows nothing of the answer.

use std::collections::BTreeMap;

use crate::config::variable::Name;

/// The folder that holds the folders of all apps' variables.
const FOLDERS: &str = "/environment/";

/// What is asked of etcd.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The folder of the app's variables, without a `/` at its end; `None` where none is asked for.
    pub folder: Option<String>,
    /// The keys of variables that have their values elsewhere.
    pub keys: BTreeMap<Name, String>,
}

impl Request {
    /// Returns the folder in which an app has its variables, unless it is told otherwise.
    #[must_use]
    pub fn folder_of(app: &str) -> String {
        format!("{FOLDERS}{app}")
    }

    /// Returns what all keys in the folder begin with.
    #[must_use]
    pub fn prefix(&self) -> Option<String> {
        self.folder.as_ref().map(|folder| format!("{folder}/"))
    }

    /// Returns the app whose usual folder it is.
    #[must_use]
    pub fn app(&self) -> Option<&str> {
        let app = self.folder.as_deref()?.strip_prefix(FOLDERS)?;
        Some(app).filter(|app| !app.contains('/'))
    }

    /// Returns the prefix of the keys that hold the history of the app's configuration.
    #[must_use]
    pub fn history(&self) -> Option<String> {
        self.app().map(|app| format!("/unitgen/config/{app}/"))
    }

    /// Tells whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.folder.is_none() && self.keys.is_empty()
    }

    /// Returns what the configuration is called in messages.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.app().or(self.folder.as_deref()).unwrap_or_default()
    }

    /// Tells whether a key that is named for a variable is the very one that it has in the folder.
    #[must_use]
    pub fn is_meant(&self, name: &Name) -> bool {
        let own = self.prefix().map(|prefix| format!("{prefix}{name}"));
        own.is_some() && self.keys.get(name) == own.as_ref()
    }
}
