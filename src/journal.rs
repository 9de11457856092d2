//! The journal of an app's releases, in etcd: what was rolled out, by whom, and how it ended.
//!
//! In: a store, an app, what a release is. Out: releases as they were, each with all that rolls it out
//! again. A release stands under a number of its own, from 1. The oldest are dropped: there are at most
//! 100, fewer where they are long, and the last one that was complete always stays. Knows
//! nothing of how anything is rolled out.

mod goal;
mod record;
mod room;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::{Deadline, pause};
use crate::configuration::change::{hesitation, unique};
use crate::error::CommandError;
use crate::goal::Goal;
use crate::interruption::Interruption;
use crate::journal::record::{Record, Unreadable};
use crate::journal::room::dropped;
use crate::store::transaction::{self, Condition, Operation, Transaction};
use crate::store::{Entry as Key, Store};

/// What all journals stand in.
const JOURNALS: &str = "/unitgen/releases/";

/// The greatest length of a record in bytes: etcd takes 1.5 MiB in a request.
pub const RECORD_MAXIMUM: usize = 1_400_000;

/// For how long a record is tried to be written again that meets other writers.
const PATIENCE: Duration = Duration::from_secs(30);

/// For how long the end of a release is tried to be written, whatever etcd does.
const END_PATIENCE: Duration = Duration::from_secs(10);

/// The pause before that.
const AGAIN: Duration = Duration::from_millis(250);

/// How a release ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It did not yet, or whoever rolled it out is gone.
    Begun,
    /// All was as wanted.
    Complete,
    /// It was not.
    Failed,
}

/// A release that is about to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When, in seconds since 1970.
    pub time: u64,
    /// Who.
    pub author: String,
    /// By which command: `deploy`, `rollback to 3`.
    pub action: String,
    /// The revision of git that the manifest is of.
    pub revision: Option<String>,
    /// The values that were set over the manifest's: paths, and YAML texts.
    pub set: BTreeMap<String, String>,
    /// The number of the last change of the app's configuration.
    pub config: Option<u64>,
    /// The release that a rollback left.
    pub undone: Option<u64>,
    /// What is to run.
    pub goal: Goal,
}

/// A release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its number.
    pub number: u64,
    /// When it began, in seconds since 1970.
    pub time: u64,
    /// Who made it.
    pub author: String,
    /// By which command: `deploy`, `rollback to 3`.
    pub action: String,
    /// The revision of git that the manifest was of.
    pub revision: Option<String>,
    /// The values that were set over the manifest's: paths, and YAML texts.
    pub set: BTreeMap<String, String>,
    /// The number of the last change of the app's configuration.
    pub config: Option<u64>,
    /// How it ended.
    pub outcome: Outcome,
    /// The release that a rollback left.
    pub undone: Option<u64>,
    /// What was to run.
    pub goal: Goal,
}

/// All releases of an app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Journal {
    /// Those that can be read, the last one first.
    pub releases: Vec<Release>,
    /// The numbers of the others, the last one first.
    pub unreadable: Vec<u64>,
}

/// Returns the releases of an app that can be read, the last one first.
///
/// # Errors
/// Says what etcd answered, or that it did not.
pub fn list(store: &Store, app: &str) -> Result<Vec<Release>, CommandError> {
    Ok(read(store, app)?.releases)
}

/// Returns all releases of an app. One that can't be read hides no other one.
///
/// # Errors
/// Says what etcd answered, or that it did not.
pub fn read(store: &Store, app: &str) -> Result<Journal, CommandError> {
    let mut journal = Journal::default();
    for entry in store.read(&prefix(app))?.entries.into_iter().rev() {
        let Some(number) = number(app, &entry.key) else {
            continue;
        };
        match Record::read(&entry.value).and_then(|record| record.release(number)) {
            Ok(release) => journal.releases.push(release),
            Err(_) => journal.unreadable.push(number),
        }
    }
    Ok(journal)
}

/// Returns the last release of an app, however it ended; nothing where there is none.
///
/// # Errors
/// Says what etcd answered, or that it did not, or that the record can't be read.
pub fn last(store: &Store, app: &str) -> Result<Option<Release>, CommandError> {
    match numbers(store, app)?.last() {
        Some(number) => get(store, app, *number),
        None => Ok(None),
    }
}

/// Returns a release of an app; nothing where there is no such one.
///
/// # Errors
/// Says what etcd answered, or that it did not, or that the record can't be read.
pub fn get(store: &Store, app: &str, number: u64) -> Result<Option<Release>, CommandError> {
    let key = key(app, number);
    let Some(entry) = store.get(&key)? else {
        return Ok(None);
    };
    let release = Record::read(&entry.value).and_then(|record| record.release(number));
    release
        .map(Some)
        .map_err(|reason| unreadable(&key, &reason))
}

/// Writes that a release begins, and returns its number, which no other one has.
///
/// # Errors
/// Says why nothing was written, or that it is not known.
pub fn begin(
    store: &Store,
    app: &str,
    entry: Entry,
    interruption: &Interruption,
) -> Result<u64, CommandError> {
    let id = unique();
    let text = Record::begun(&id, entry).text();
    if text.len() > RECORD_MAXIMUM {
        let message = format!(
            "the release of `{app}` has {} bytes with all texts of its units, and the journal takes at \
             most {RECORD_MAXIMUM}",
            text.len()
        );
        let error = CommandError::trouble(message);
        return Err(error.help("make several apps of it"));
    }
    let deadline = Deadline::after(PATIENCE);
    let mut attempts = 0;
    // The number under which it may have been written, as the answer did not come.
    let mut unknown: Option<u64> = None;
    loop {
        let fail = |error| doubtful(error, app, unknown);
        let numbers = numbers(store, app).map_err(fail)?;
        // Whatever is tried again goes under a number that only one of the two can have.
        if let Some(number) = unknown
            && is_of(store, app, number, &id).map_err(fail)?
        {
            return Ok(number);
        }
        let number = numbers.last().map_or(1, |last| last + 1);
        let key = key(app, number);
        let mut operations = dropped(store, app, &numbers, text.len()).map_err(fail)?;
        operations.push(Operation::Put {
            key: key.clone(),
            value: text.clone(),
            lease: 0,
        });
        let conditions = vec![Condition::Unchanged { key, revision: 0 }];
        let transaction = Transaction {
            conditions,
            operations,
        };
        match store.commit(&transaction).map_err(fail)? {
            transaction::Outcome::Committed(_) => return Ok(number),
            transaction::Outcome::Conflict => {}
            transaction::Outcome::Unknown => unknown = Some(number),
        }
        let fail = |error| doubtful(error, app, unknown);
        if interruption.is_asked() || deadline.is_over() {
            if let Some(number) = unknown
                && is_of(store, app, number, &id).map_err(fail)?
            {
                return Ok(number);
            }
            return Err(fail(if interruption.is_asked() {
                CommandError::trouble("interrupted")
            } else if unknown.is_some() {
                CommandError::remote("no answer came")
            } else {
                let message = format!("others begin releases of `{app}` all the time");
                CommandError::remote(message).help("try again")
            }));
        }
        attempts += 1;
        pause(hesitation(attempts), interruption);
    }
}

/// Writes how a release ended. It is tried for a while where etcd is away.
///
/// # Errors
/// Says that there is no such release, that its record can't be read, what etcd answered, or that it did
/// not.
pub fn finish(store: &Store, app: &str, number: u64, outcome: Outcome) -> Result<(), CommandError> {
    let deadline = Deadline::after(END_PATIENCE);
    let calm = Interruption::default();
    loop {
        let error = match try_to_finish(store, app, number, outcome) {
            Ok(true) => return Ok(()),
            Ok(false) => {
                let mut error = CommandError::remote("can't write to etcd");
                error.may_pass = true;
                error.because("no answer came, or others wrote meanwhile")
            }
            Err(error) => error,
        };
        if !error.may_pass || deadline.is_over() {
            let message = format!("can't write how release {number} of `{app}` ended");
            return Err(error.under(message));
        }
        pause(AGAIN, &calm);
    }
}

/// Tells whether it is known that the end of a release stands there.
fn try_to_finish(
    store: &Store,
    app: &str,
    number: u64,
    outcome: Outcome,
) -> Result<bool, CommandError> {
    let key = key(app, number);
    let Some(Key {
        value, revision, ..
    }) = store.get(&key)?
    else {
        return Err(CommandError::trouble(format!(
            "there is no `{key}` in etcd"
        )));
    };
    let mut record = Record::read(&value).map_err(|reason| unreadable(&key, &reason))?;
    if record.outcome() == outcome {
        return Ok(true);
    }
    record.end(outcome);
    let conditions = vec![Condition::Unchanged {
        key: key.clone(),
        revision,
    }];
    let operations = vec![Operation::Put {
        key,
        value: record.text(),
        lease: 0,
    }];
    let outcome = store.commit(&Transaction {
        conditions,
        operations,
    })?;
    Ok(matches!(outcome, transaction::Outcome::Committed(_)))
}

/// Returns what the keys of an app's releases begin with.
fn prefix(app: &str) -> String {
    format!("{JOURNALS}{app}/")
}

/// Returns the key of a release.
fn key(app: &str, number: u64) -> String {
    format!("{}{number:010}", prefix(app))
}

/// Returns the number of a release by its key.
fn number(app: &str, key: &str) -> Option<u64> {
    let number = key.strip_prefix(&prefix(app))?.parse().ok()?;
    (self::key(app, number) == key).then_some(number)
}

/// Returns the numbers of all releases, the last one last.
fn numbers(store: &Store, app: &str) -> Result<Vec<u64>, CommandError> {
    let keys = store.keys(&prefix(app))?;
    Ok(keys.iter().filter_map(|key| number(app, key)).collect())
}

/// Tells whether a release is the one with an id.
fn is_of(store: &Store, app: &str, number: u64, id: &str) -> Result<bool, CommandError> {
    let entry = store.get(&key(app, number))?;
    let record = entry.and_then(|entry| Record::read(&entry.value).ok());
    Ok(record.is_some_and(|record| record.id() == id))
}

fn unreadable(key: &str, reason: &Unreadable) -> CommandError {
    let error = CommandError::trouble(format!(
        "`{key}` in etcd is no release that this unitgen reads"
    ));
    match reason {
        Unreadable::Newer(version) => error
            .because(format!("its format is of version {version}"))
            .help("a newer unitgen wrote it, and reads it"),
        Unreadable::Damaged(reason) => error.because(reason.clone()).help(format!(
            "`etcdctl del {key}` forgets it; nothing that runs is touched by that"
        )),
    }
}

/// Adds to an error that a release may have been written nevertheless.
fn doubtful(error: CommandError, app: &str, unknown: Option<u64>) -> CommandError {
    match unknown {
        None => error,
        Some(number) => {
            let key = key(app, number);
            error
                .under("it is not known whether the release was written: etcd did not answer")
                .help(format!("when etcd is back, it is `{key}` if it was"))
        }
    }
}
