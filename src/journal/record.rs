//! A release as it is written. It is JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::journal::goal::GoalRecord;
use crate::journal::{Entry, Outcome, Release};

/// The version of the format.
const FORMAT: u32 = 1;

/// A release as it is written.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    format_version: u32,
    /// What tells this release from any other one.
    id: String,
    /// When it began, in seconds since 1970.
    time: u64,
    author: String,
    action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revision: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    set: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    config: Option<u64>,
    outcome: OutcomeRecord,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    undone: Option<u64>,
    goal: GoalRecord,
}

/// How a release ended, as it is written.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutcomeRecord {
    Begun,
    Complete,
    Failed,
}

/// What every version of the format has.
#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

/// Why a record can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is of a later version of the format.
    Newer(u32),
    /// It is no record; why. What stands in it is not repeated: it may be a secret.
    Damaged(String),
}

impl Record {
    /// Returns the record of a release that begins.
    pub(super) fn begun(id: &str, entry: Entry) -> Self {
        let Entry {
            time,
            author,
            action,
            revision,
            set,
            config,
            undone,
            goal,
        } = entry;
        Self {
            format_version: FORMAT,
            id: id.to_owned(),
            time,
            author,
            action,
            revision,
            set,
            config,
            outcome: OutcomeRecord::Begun,
            undone,
            goal: goal.into(),
        }
    }

    /// Reads one.
    pub(super) fn read(text: &[u8]) -> Result<Self, Unreadable> {
        let damaged = |error: &serde_json::Error| {
            let (line, column) = (error.line(), error.column());
            Unreadable::Damaged(format!(
                "what stands there is cut off or strange at {line}:{column}"
            ))
        };
        let version: Version = serde_json::from_slice(text).map_err(|error| damaged(&error))?;
        if version.format_version > FORMAT {
            return Err(Unreadable::Newer(version.format_version));
        }
        serde_json::from_slice(text).map_err(|error| damaged(&error))
    }

    /// Writes it.
    pub(super) fn text(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Returns what tells this release from any other one.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Returns how it ended.
    pub(super) fn outcome(&self) -> Outcome {
        match self.outcome {
            OutcomeRecord::Begun => Outcome::Begun,
            OutcomeRecord::Complete => Outcome::Complete,
            OutcomeRecord::Failed => Outcome::Failed,
        }
    }

    /// Says how it ended.
    pub(super) fn end(&mut self, outcome: Outcome) {
        self.outcome = match outcome {
            Outcome::Begun => OutcomeRecord::Begun,
            Outcome::Complete => OutcomeRecord::Complete,
            Outcome::Failed => OutcomeRecord::Failed,
        };
    }

    /// Returns the release that stands under a number.
    pub(super) fn release(self, number: u64) -> Result<Release, Unreadable> {
        let outcome = self.outcome();
        let Self {
            format_version: _,
            id: _,
            time,
            author,
            action,
            revision,
            set,
            config,
            outcome: _,
            undone,
            goal,
        } = self;
        Ok(Release {
            number,
            time,
            author,
            action,
            revision,
            set,
            config,
            outcome,
            undone,
            goal: goal.goal().map_err(Unreadable::Damaged)?,
        })
    }
}
