//! An app's configuration as etcd has it: read, changed, and its history.
//!
//! In: a store, the folder of an app, what is to be changed. Out: variables, and how a change ended. A
//! change is one transaction that holds what was read to be unchanged, and that writes a record of itself
//! into the history; one that meets another writer is worked out anew. Knows nothing of commands.

mod attempt;
pub mod change;
pub mod folder;
pub mod history;
mod record;

use std::collections::BTreeMap;

use crate::config::variable::{Name, Value, ValueError, Variables, stray};
use crate::configuration::folder::Folder;
use crate::error::CommandError;
use crate::store::{Reading, Store};

/// What an app's folder holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Configuration {
    /// The variables.
    pub variables: Variables,
    /// The keys that are no variables, and why: the rest of the key behind the folder.
    pub odd: Vec<Odd>,
    /// The revision of etcd that all of it is of.
    pub revision: i64,
    /// At which revision each variable was last written.
    revisions: BTreeMap<Name, i64>,
}

/// A key in an app's folder that is no variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Odd {
    /// The key, without the folder.
    pub key: String,
    /// Why it is no variable.
    pub reason: OddReason,
}

/// Why a key is no variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OddReason {
    /// It is no variable's name.
    Name,
    /// Its value is none that an environment can hold.
    Value(ValueError),
}

impl std::fmt::Display for Odd {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.reason {
            OddReason::Name => write!(formatter, "`{}` is no variable's name", stray(&self.key)),
            OddReason::Value(error) => write!(formatter, "`{}`: {error}", self.key),
        }
    }
}

impl Configuration {
    /// Sorts out what was read under a folder.
    #[must_use]
    pub fn of(reading: Reading, folder: &Folder) -> Self {
        let prefix = folder.prefix();
        let mut configuration = Self {
            revision: reading.revision,
            ..Self::default()
        };
        for entry in reading.entries {
            let key = entry.key.strip_prefix(&prefix).unwrap_or(&entry.key);
            let mut odd = |reason| {
                let key = key.to_owned();
                configuration.odd.push(Odd { key, reason });
            };
            match (Name::new(key), Value::new(entry.value)) {
                (Ok(name), Ok(value)) => {
                    configuration.revisions.insert(name.clone(), entry.revision);
                    configuration.variables.insert(name, value);
                }
                (Err(_), _) => odd(OddReason::Name),
                (_, Err(error)) => odd(OddReason::Value(error)),
            }
        }
        configuration
    }

    /// Tells whether there is nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.variables.is_empty() && self.odd.is_empty()
    }
}

/// Reads an app's folder.
///
/// # Errors
/// Says what etcd answered, or that it did not.
pub fn read(store: &Store, folder: &Folder) -> Result<Configuration, CommandError> {
    Ok(Configuration::of(store.read(&folder.prefix())?, folder))
}
