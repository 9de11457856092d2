//! One attempt at a change: the transaction that it is, and whether it came about.

use crate::config::variable::{Name, TOTAL_LENGTH_MAXIMUM, Variables};
use crate::configuration::Configuration;
use crate::configuration::change::{Change, Deed, unique};
use crate::configuration::folder::Folder;
use crate::configuration::history::{self, first_kept};
use crate::configuration::record::{Record, written};
use crate::error::{CommandError, Status};
use crate::store::Store;
use crate::store::transaction::{Condition, OPERATIONS_MAXIMUM, Operation, Outcome, Transaction};

/// How many keys a change holds to be as they were read, one by one.
const HELD_MAXIMUM: usize = 56;

/// The greatest length of a request in bytes: etcd takes 1.5 MiB, and what stands around keys and values
/// counts too.
const REQUEST_MAXIMUM: usize = 1_536_000;

/// The length of a part of a long record, in bytes.
const PART: usize = 1 << 20;

/// For how long the parts of a record wait for it, in seconds; those that nobody claims are gone then.
const PARTS_LEASE: i64 = 300;

/// One attempt at a change.
pub(super) struct Attempt<'a> {
    pub(super) store: &'a Store,
    pub(super) folder: &'a Folder,
    /// The number of its record.
    pub(super) number: u64,
    /// What was read.
    pub(super) found: &'a Configuration,
}

impl Attempt<'_> {
    /// Keeps what was read as a change of its own where it is not what the last change left: others wrote
    /// it, and only here is it known. Returns how that ended, or nothing where there was nothing to keep.
    ///
    /// # Errors
    /// Says what etcd answered, or that it did not.
    pub(super) fn keep_found(&self, time: u64) -> Result<Option<Outcome>, CommandError> {
        let variables = &self.found.variables;
        let kept = match self.number - 1 {
            0 => Some(Variables::default()),
            last => match history::variables(self.store, self.folder, last) {
                Err(error) if error.status != Status::Trouble => return Err(error),
                kept => kept.unwrap_or(None),
            },
        };
        // A record that can't be read says nothing of what others did.
        let Some(kept) = kept.filter(|kept| kept != variables) else {
            return Ok(None);
        };
        let deed = Deed {
            time,
            author: "others",
            action: "found",
        };
        let record = record(&unique(), deed, &Change::between(&kept, variables));
        match self.transaction(&Change::default(), variables, record) {
            Ok(transaction) => self.store.commit(&transaction).map(Some),
            // What is too long to be kept keeps nobody from changing it.
            Err(error) if error.status == Status::Trouble => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the transaction that makes a change, with its record and what goes from the history.
    ///
    /// # Errors
    /// Says which limit the change breaks, or that a long record's parts can't be stored.
    pub(super) fn transaction(
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
    pub(super) fn check(&self, change: &Change) -> Result<(), CommandError> {
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

/// Returns the record of a change, without the variables.
pub(super) fn record(id: &str, deed: Deed<'_>, change: &Change) -> Record {
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
