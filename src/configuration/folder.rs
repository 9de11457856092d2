//! Where an app's variables and their history stand in etcd.

use std::fmt;

use crate::name::AppName;

/// What all apps' folders stand in.
const APPS: &str = "/environment/";

/// What all histories stand in.
const HISTORIES: &str = "/unitgen/config/";

/// What the parts of long records stand in.
const PARTS: &str = "/unitgen/config-parts/";

/// The folder of an app's variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(String);

impl Folder {
    /// Returns an app's usual folder.
    #[must_use]
    pub fn of_app(app: &AppName) -> Self {
        Self(format!("{APPS}{app}"))
    }

    /// Takes a path: `/a/b`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn at(path: &str) -> Result<Self, String> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let is_path = path
            .strip_prefix('/')
            .is_some_and(|rest| rest.split('/').all(|part| !part.is_empty()));
        if !is_path {
            return Err(format!("`{path}` is no folder in etcd: write `/a/b`"));
        }
        if format!("{path}/").starts_with("/unitgen/") {
            return Err(format!("`{path}` is where unitgen keeps its own"));
        }
        Ok(Self(path.to_owned()))
    }

    /// Returns what all its keys begin with.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("{}/", self.0)
    }

    /// Returns the key of a variable.
    #[must_use]
    pub fn key(&self, name: impl fmt::Display) -> String {
        format!("{}/{name}", self.0)
    }

    /// Returns what the keys of its history begin with. That of `/environment/hub` is
    /// `/unitgen/config/hub/`; of any other folder `/a/b` it is `/unitgen/config//a/b/`, which no app's is.
    #[must_use]
    pub fn history(&self) -> String {
        format!("{HISTORIES}{}", self.rest())
    }

    /// Returns what the keys of its long records' parts begin with.
    #[must_use]
    pub(super) fn parts(&self) -> String {
        format!("{PARTS}{}", self.rest())
    }

    fn rest(&self) -> String {
        let app = self.0.strip_prefix(APPS).filter(|app| !app.contains('/'));
        format!("{}/", app.unwrap_or(&self.0))
    }
}

impl fmt::Display for Folder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_folder_has_a_history_of_its_own() {
        let hub = Folder::of_app(&AppName::new("hub").unwrap());
        assert_eq!(hub, Folder::at("/environment/hub/").unwrap());
        assert_eq!(hub.prefix(), "/environment/hub/");
        assert_eq!(hub.history(), "/unitgen/config/hub/");
        assert_eq!(hub.key("A"), "/environment/hub/A");
        let other = Folder::at("/environment/hub/web").unwrap();
        assert_eq!(other.history(), "/unitgen/config//environment/hub/web/");
    }

    #[test]
    fn what_is_no_folder() {
        for path in ["", "/", "a", "/a//b", "/unitgen/config/hub", "/unitgen"] {
            assert!(Folder::at(path).is_err(), "{path}");
        }
    }
}
