//! Changing an app's configuration: all of it or nothing, and never over what somebody else wrote
//! meanwhile.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use crate::clock::{Deadline, pause};
use crate::config::variable::{Name, TOTAL_LENGTH_MAXIMUM, Variables};
use crate::configuration::folder::Folder;
use crate::configuration::history::{self, first_kept};
use crate::configuration::record::{Record, written};
use crate::configuration::{Configuration, read};
use crate::error::CommandError;
use crate::interruption::Interruption;
use crate::store::Store;
use crate::store::transaction::{Condition, OPERATIONS_MAXIMUM, Operation, Outcome, Transaction};

/// How many keys a change holds to be as they were read, one by one.
const HELD_MAXIMUM: usize = 56;

/// For how long a change is tried again that meets other writers.
const PATIENCE: Duration = Duration::from_secs(30);

/// The greatest pause before that.
const PAUSE_MAXIMUM: u64 = 250;

/// The greatest length of a request in bytes: etcd takes 1.5 MiB, and what stands around keys and values
/// counts too.
const REQUEST_MAXIMUM: usize = 1_536_000;

/// The length of a part of a long record, in bytes.
const PART: usize = 1 << 20;

/// For how long the parts of a record wait for it, in seconds; those that nobody claims are gone then.
const PARTS_LEASE: i64 = 300;

/// What is to be changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// What is to be set.
    pub set: Variables,
    /// What is to be unset.
    pub unset: Vec<Name>,
    /// Whether the app is to be known even if it has no variables.
    pub founds: bool,
}

/// Who changes something, and how.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// When, in seconds since 1970.
    pub time: u64,
    /// Who.
    pub author: &'a str,
    /// By which command.
    pub action: &'a str,
}

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The number of the change; nothing where all was as wanted.
    pub number: Option<u64>,
    /// What was there before.
    pub before: Variables,
    /// What was done: only what really differed.
    pub change: Change,
}

impl Change {
    /// Returns what makes one set of variables of another.
    #[must_use]
    pub fn between(before: &Variables, after: &Variables) -> Self {
        let unset = before.iter().map(|(name, _)| name);
        let unset = unset.filter(|name| after.get(name).is_none());
        let set = after.iter();
        let set = set.filter(|(name, value)| before.get(name) != Some(value));
        Self {
            set: set
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            unset: unset.cloned().collect(),
            founds: false,
        }
    }

    /// Tells whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty()
    }

    /// Returns what remains to be done where there are these variables already.
    fn remaining(&self, before: &Variables) -> (Self, Variables) {
        let mut after = before.clone();
        for name in &self.unset {
            after.remove(name);
        }
        for (name, value) in self.set.iter() {
            after.insert(name.clone(), value.clone());
        }
        let mut change = Self::between(before, &after);
        change.founds = self.founds;
        (change, after)
    }
}

/// Makes a change that is worked out from what is there, and again from the beginning where somebody
/// else was faster.
///
/// # Errors
/// Says why nothing was changed, or that it is not known.
pub fn change(
    store: &Store,
    folder: &Folder,
    deed: Deed<'_>,
    interruption: &Interruption,
    mut decide: impl FnMut(&Configuration) -> Result<Change, CommandError>,
) -> Result<Changed, CommandError> {
    store.check_version()?;
    let id = unique();
    let deadline = Deadline::after(PATIENCE);
    let mut attempts = 0;
    // What may have been made, as its answer did not come, and under which number.
    let mut unknown: Option<(u64, Changed)> = None;
    loop {
        let number = unknown.as_ref().map(|(number, _)| *number);
        let fail = |error| doubtful(error, number);
        // In this order: a change that is made between the two is in the way of the new record.
        let last = history::last(store, folder).map_err(fail)?;
        let found = read(store, folder).map_err(fail)?;
        // Behind the reading, which would otherwise show what this very change did. Whatever is tried
        // again goes under a number that only one of the two can have.
        if let Some((number, changed)) = &unknown
            && history::id(store, folder, *number).map_err(fail)?.as_ref() == Some(&id)
        {
            return Ok(changed.clone());
        }
        let before = found.variables.clone();
        let (change, after) = decide(&found).map_err(fail)?.remaining(&before);
        let founds = change.founds && last == 0 && found.is_empty();
        let mut changed = Changed {
            number: None,
            before,
            change,
        };
        if changed.change.is_empty() && !founds {
            return Ok(changed);
        }
        let attempt = Attempt {
            store,
            folder,
            number: last + 1,
            found: &found,
        };
        changed.number = Some(attempt.number);
        let record = record(&id, deed, &changed.change);
        let transaction = attempt
            .transaction(&changed.change, &after, record)
            .map_err(fail)?;
        match store.commit(&transaction).map_err(fail)? {
            Outcome::Committed(_) => {
                attempt.check(&changed.change)?;
                return Ok(changed);
            }
            Outcome::Conflict => {}
            Outcome::Unknown => unknown = Some((attempt.number, changed)),
        }
        let number = unknown.as_ref().map(|(number, _)| *number);
        if interruption.is_asked() {
            let error = CommandError::trouble("interrupted before the change was made");
            return Err(doubtful(error, number));
        }
        if deadline.is_over() {
            let error = CommandError::remote("others change the configuration all the time");
            return Err(doubtful(error.help("try again"), number));
        }
        attempts += 1;
        pause(hesitation(attempts), interruption);
    }
}

/// One attempt at a change.
struct Attempt<'a> {
    store: &'a Store,
    folder: &'a Folder,
    /// The number of its record.
    number: u64,
    /// What was read.
    found: &'a Configuration,
}

impl Attempt<'_> {
    fn transaction(
        &self,
        change: &Change,
        after: &Variables,
        mut record: Record,
    ) -> Result<Transaction, CommandError> {
        let set = change.set.iter().map(|(name, value)| Operation::Put {
            key: self.folder.key(name),
            value: value.as_bytes().to_vec(),
            lease: 0,
        });
        let unset = change.unset.iter().map(|name| Operation::Delete {
            key: self.folder.key(name),
        });
        let mut operations: Vec<Operation> = set.chain(unset).collect();
        // Beside them stand the record, its parts and what goes.
        if operations.len() > OPERATIONS_MAXIMUM - 20 {
            let message = format!(
                "{} variables would change at once, and etcd changes at most {} together",
                operations.len(),
                OPERATIONS_MAXIMUM - 20
            );
            return Err(CommandError::trouble(message).help("change them in several steps"));
        }
        let (total, before) = (after.length(), self.found.variables.length());
        if total > TOTAL_LENGTH_MAXIMUM && total > before {
            let message = format!(
                "all names and values together would have {total} bytes, and an app has at most \
                 {TOTAL_LENGTH_MAXIMUM}"
            );
            let error = CommandError::trouble(message);
            return Err(error.help("no program could be started with so much"));
        }
        let length: usize = operations.iter().map(Operation::length).sum();
        if length > REQUEST_MAXIMUM {
            return Err(too_long(length));
        }
        record.variables = Some(written(after));
        let mut text = record.text();
        let stored = text.len();
        if length + stored > REQUEST_MAXIMUM {
            let variables = record.variables.take();
            let whole = serde_json::to_vec(&variables).unwrap_or_default();
            record.parts = self.store_parts(&whole, &record.id)?;
            let parts = record.parts.iter();
            operations.extend(parts.map(|key| Operation::Keep { key: key.clone() }));
            text = record.text();
            let length = length + text.len();
            if length > REQUEST_MAXIMUM {
                return Err(too_long(length));
            }
        }
        operations.push(Operation::Put {
            key: history::key(self.folder, self.number),
            value: text,
            lease: 0,
        });
        let first = first_kept(self.number, stored);
        if first > 1 {
            for prefix in [self.folder.history(), self.folder.parts()] {
                operations.push(Operation::DeleteRange {
                    from: format!("{prefix}{:010}", 0),
                    to: format!("{prefix}{first:010}"),
                });
            }
        }
        Ok(Transaction {
            conditions: self.conditions(change),
            operations,
        })
    }

    /// Returns what must not have changed. That a key was deleted shows only where that key is held; with
    /// more of them than can be held, those that are to be changed go first.
    fn conditions(&self, change: &Change) -> Vec<Condition> {
        let mut conditions = vec![
            Condition::NothingNewer {
                prefix: self.folder.prefix(),
                revision: self.found.revision,
            },
            Condition::Unchanged {
                key: history::key(self.folder, self.number),
                revision: 0,
            },
        ];
        let revisions = &self.found.revisions;
        let is_touched = |name: &Name| {
            change.set.get(name).is_some() || change.unset.binary_search(name).is_ok()
        };
        let (touched, others): (Vec<_>, Vec<_>) =
            revisions.iter().partition(|(name, _)| is_touched(name));
        let held = touched.into_iter().chain(others).take(HELD_MAXIMUM);
        conditions.extend(held.map(|(name, revision)| Condition::Unchanged {
            key: self.folder.key(name),
            revision: *revision,
        }));
        conditions
    }

    /// Stores the variables of a long record on a lease, which the record itself takes them off.
    fn store_parts(&self, text: &[u8], id: &str) -> Result<Vec<String>, CommandError> {
        let lease = self.store.grant(PARTS_LEASE)?;
        let mut keys = Vec::new();
        for (at, part) in text.chunks(PART).enumerate() {
            let key = format!("{}{:010}/{id}/{at}", self.folder.parts(), self.number);
            let put = Operation::Put {
                key: key.clone(),
                value: part.to_vec(),
                lease,
            };
            let transaction = Transaction {
                conditions: Vec::new(),
                operations: vec![put],
            };
            if self.store.commit(&transaction)? == Outcome::Unknown {
                let mut error = CommandError::remote("can't write to etcd");
                error.may_pass = true;
                return Err(error.because("no answer came; nothing was changed"));
            }
            keys.push(key);
        }
        Ok(keys)
    }

    /// Reads back what was written: it is there, or somebody else has written after it.
    fn check(&self, change: &Change) -> Result<(), CommandError> {
        let number = self.number;
        let unread = |error: CommandError| {
            error.under(format!(
                "change {number} was made, and could not be read back"
            ))
        };
        let found = self.store.read(&self.folder.prefix()).map_err(unread)?;
        let record = self
            .store
            .get(&history::key(self.folder, number))
            .map_err(unread)?;
        let revision = record.map_or(0, |record| record.revision);
        for (name, value) in change.set.iter() {
            let key = self.folder.key(name);
            let mut entries = found.entries.iter();
            let entry = entries.find(|entry| entry.key == key);
            // A later revision is somebody else's, and so is one that is gone.
            if entry
                .is_some_and(|entry| entry.revision == revision && entry.value != value.as_bytes())
            {
                let message = format!("`{key}` does not hold what was written");
                return Err(CommandError::trouble(message));
            }
        }
        Ok(())
    }
}

impl Operation {
    /// Returns how many bytes it has in a request, about.
    fn length(&self) -> usize {
        match self {
            Self::Put { key, value, .. } => key.len() + value.len() + 32,
            Self::Keep { key } | Self::Delete { key } => key.len() + 32,
            Self::DeleteRange { from, to } => from.len() + to.len() + 32,
        }
    }
}

fn record(id: &str, deed: Deed<'_>, change: &Change) -> Record {
    let names = change.set.iter().map(|(name, _)| name.to_string());
    Record {
        format_version: Record::format(),
        id: id.to_owned(),
        time: deed.time,
        author: deed.author.to_owned(),
        action: deed.action.to_owned(),
        set: names.collect(),
        unset: change.unset.iter().map(Name::to_string).collect(),
        variables: None,
        parts: Vec::new(),
    }
}

fn too_long(length: usize) -> CommandError {
    let message = format!(
        "what would be changed at once has {length} bytes with its keys, and etcd takes at most \
         {REQUEST_MAXIMUM} together"
    );
    CommandError::trouble(message).help("change it in several steps")
}

/// Adds to an error that a change may have been made nevertheless.
fn doubtful(error: CommandError, unknown: Option<u64>) -> CommandError {
    match unknown {
        None => error,
        Some(number) => error
            .under("it is not known whether the change was made: etcd did not answer")
            .help(format!(
                "when etcd is back, `unitgen config history` shows it as number {number} if it was"
            )),
    }
}

/// Returns a text that nobody else has.
fn unique() -> String {
    // The standard library seeds each of these from the system.
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}

/// Returns how long to wait before another attempt, so that two that met do not meet again.
fn hesitation(attempts: u64) -> Duration {
    let most = (attempts * 10).min(PAUSE_MAXIMUM);
    let random = RandomState::new().build_hasher().finish();
    Duration::from_millis(random % (most + 1))
}
