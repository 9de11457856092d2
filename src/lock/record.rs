//! A lock as it is written: who has it, since when, what for. It is JSON.

use serde::{Deserialize, Serialize};

/// The version of the format.
const FORMAT: u32 = 1;

/// A lock as it is written. Of another version what can be read is read.
#[derive(Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    pub(super) format_version: u32,
    pub(super) author: String,
    /// In seconds since 1970.
    pub(super) since: u64,
    pub(super) action: String,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            format_version: FORMAT,
            author: "somebody".to_owned(),
            since: 0,
            action: "unknown".to_owned(),
        }
    }
}

impl Record {
    /// Reads one, whatever stands there.
    pub(super) fn read(text: &[u8]) -> Self {
        serde_json::from_slice(text).unwrap_or_default()
    }

    /// Returns one as it is written.
    pub(super) fn text(author: &str, since: u64, action: &str) -> Vec<u8> {
        let record = Self {
            format_version: FORMAT,
            author: author.to_owned(),
            since,
            action: action.to_owned(),
        };
        serde_json::to_vec(&record).unwrap_or_default()
    }
}
