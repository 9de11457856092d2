//! What an app's configuration was, change by change.
//!
//! A record stands under a number of its own, from 1. The oldest are dropped: there are at most
//! [`RECORDS_MAXIMUM`], and fewer where they are long.

use crate::config::variable::Variables;
use crate::configuration::folder::Folder;
use crate::configuration::record::{Record, Unreadable, unwritten};
use crate::error::CommandError;
use crate::store::Store;

/// How many changes are kept at most.
pub const RECORDS_MAXIMUM: u64 = 100;

/// How many changes are kept at least, however long they are.
pub const RECORDS_MINIMUM: u64 = 10;

/// How many bytes they may have together before the oldest go.
pub const LENGTH_MAXIMUM: usize = 8 << 20;

/// A change that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Its number.
    pub number: u64,
    /// When, in seconds since 1970.
    pub time: u64,
    /// Who made it.
    pub author: String,
    /// By which command.
    pub action: String,
    /// The names that were set.
    pub set: Vec<String>,
    /// The names that were unset.
    pub unset: Vec<String>,
}

/// Returns the key of a record.
pub(super) fn key(folder: &Folder, number: u64) -> String {
    format!("{}{number:010}", folder.history())
}

/// Returns the number of the last change; 0 where there is none.
///
/// # Errors
/// Says what etcd answered, or that it did not.
pub fn last(store: &Store, folder: &Folder) -> Result<u64, CommandError> {
    let prefix = folder.history();
    let keys = store.keys(&prefix)?;
    let numbers = keys
        .iter()
        .filter_map(|key| key.strip_prefix(&prefix)?.parse().ok());
    Ok(numbers.max().unwrap_or(0))
}

/// Tells whether there ever was a configuration that unitgen wrote.
///
/// # Errors
/// Says what etcd answered, or that it did not.
pub fn exists(store: &Store, folder: &Folder) -> Result<bool, CommandError> {
    Ok(last(store, folder)? > 0)
}

/// Returns the changes that are kept, the last one first.
///
/// # Errors
/// Says what etcd answered, or that it did not, or which record can't be read.
pub fn list(store: &Store, folder: &Folder) -> Result<Vec<Past>, CommandError> {
    let prefix = folder.history();
    let mut list = Vec::new();
    for entry in store.read(&prefix)?.entries {
        let number = entry
            .key
            .strip_prefix(&prefix)
            .and_then(|rest| rest.parse().ok());
        let Some(number) = number else {
            continue;
        };
        let record = Record::read(&entry.value).map_err(|error| unreadable(&entry.key, &error))?;
        list.push(Past {
            number,
            time: record.time,
            author: record.author,
            action: record.action,
            set: record.set,
            unset: record.unset,
        });
    }
    list.reverse();
    Ok(list)
}

/// Returns the variables as they were after a change; nothing where there is no such change.
///
/// # Errors
/// Says what etcd answered, or that it did not, or that the record can't be read.
pub fn variables(
    store: &Store,
    folder: &Folder,
    number: u64,
) -> Result<Option<Variables>, CommandError> {
    let key = key(folder, number);
    let Some(entry) = store.get(&key)? else {
        return Ok(None);
    };
    let wrong = |error: Unreadable| unreadable(&key, &error);
    let record = Record::read(&entry.value).map_err(wrong)?;
    let written = if let Some(written) = record.variables {
        written
    } else {
        let mut text = Vec::new();
        for part in &record.parts {
            let entry = store
                .get(part)?
                .ok_or_else(|| unreadable(part, &Unreadable))?;
            text.extend(entry.value);
        }
        serde_json::from_slice(&text).map_err(|_| unreadable(&key, &Unreadable))?
    };
    unwritten(written).map(Some).map_err(wrong)
}

/// Returns the id of a change; nothing where there is no such change.
pub(super) fn id(
    store: &Store,
    folder: &Folder,
    number: u64,
) -> Result<Option<String>, CommandError> {
    let entry = store.get(&key(folder, number))?;
    Ok(entry
        .and_then(|entry| Record::read(&entry.value).ok())
        .map(|record| record.id))
}

fn unreadable(key: &str, _: &Unreadable) -> CommandError {
    CommandError::trouble(format!(
        "`{key}` in etcd is no record of a change that unitgen reads"
    ))
    .help("a newer unitgen may have written it; what is set now is not touched by it")
}

/// Returns the number of the first change that is kept beside a new one of so many bytes.
pub(crate) fn first_kept(number: u64, length: usize) -> u64 {
    let fitting = (LENGTH_MAXIMUM / length.max(1)) as u64;
    let kept = fitting.clamp(RECORDS_MINIMUM, RECORDS_MAXIMUM);
    (number + 1).saturating_sub(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_the_fewer_are_kept() {
        assert_eq!(first_kept(1, 100), 0);
        assert_eq!(first_kept(100, 100), 1);
        assert_eq!(first_kept(101, 100), 2);
        assert_eq!(first_kept(1_000, 400_000), 981);
        assert_eq!(first_kept(1_000, 4 << 20), 991);
    }
}
