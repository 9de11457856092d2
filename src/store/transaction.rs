//! What is to be changed at once, and what must not have changed before.

use std::fmt;

/// The most operations that one transaction can have.
pub const OPERATIONS_MAXIMUM: usize = 3_600;

/// What must hold, lest nothing be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// A key was last written at this revision; 0 means that there is none.
    Unchanged {
        /// The key.
        key: String,
        /// The revision.
        revision: i64,
    },
    /// No key that begins with a prefix was written after this revision. A key that was deleted meanwhile
    /// does not show.
    NothingNewer {
        /// The prefix.
        prefix: String,
        /// The revision.
        revision: i64,
    },
}

/// A change. No two of a transaction are about the same key.
#[derive(Clone, PartialEq, Eq)]
pub enum Operation {
    /// Writes a value.
    Put {
        /// The key.
        key: String,
        /// The value.
        value: Vec<u8>,
        /// The lease that the key hangs on; 0 for none.
        lease: i64,
    },
    /// Takes a key off its lease; fails where there is no such key.
    Keep {
        /// The key.
        key: String,
    },
    /// Deletes a key.
    Delete {
        /// The key.
        key: String,
    },
    /// Deletes the keys from one up to before another.
    DeleteRange {
        /// The first.
        from: String,
        /// The first that stays.
        to: String,
    },
}

impl fmt::Debug for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put { key, .. } => write!(formatter, "put {key} ***"),
            Self::Keep { key } => write!(formatter, "keep {key}"),
            Self::Delete { key } => write!(formatter, "delete {key}"),
            Self::DeleteRange { from, to } => write!(formatter, "delete {from} to {to}"),
        }
    }
}

/// Changes that are made all at once or not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transaction {
    /// What must hold, lest nothing be done; at most 60.
    pub conditions: Vec<Condition>,
    /// The changes, at most [`OPERATIONS_MAXIMUM`].
    pub operations: Vec<Operation>,
}

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out, at this revision.
    Committed(i64),
    /// A condition did not hold, and nothing was done.
    Conflict,
    /// There was no answer: it may have been carried out, or may still be.
    Unknown,
}
