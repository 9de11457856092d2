//! A change as the history keeps it: who, when, what, and all variables as they were afterwards.
//!
//! It is JSON. A value that is UTF-8 is a string in it, any other a list of bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::variable::{Name, Value, Variables};

/// The version of the format.
const FORMAT: u32 = 1;

/// A record as it is written.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) format_version: u32,
    /// What tells this change from any other one.
    pub(super) id: String,
    /// When, in seconds since 1970.
    pub(super) time: u64,
    pub(super) author: String,
    pub(super) action: String,
    /// The names that were set and unset.
    pub(super) set: Vec<String>,
    pub(super) unset: Vec<String>,
    /// The variables after the change, where they are not in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) variables: Option<BTreeMap<String, Written>>,
    /// The keys that hold the variables in their order, as text that is to be put together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) parts: Vec<String>,
}

/// A value as it is written.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Written {
    Text(String),
    Bytes(Vec<u8>),
}

/// Says nothing but that a record can't be read: what stands in it may be a secret.
#[derive(Debug)]
pub(super) struct Unreadable;

impl Record {
    /// Reads one.
    pub(super) fn read(text: &[u8]) -> Result<Self, Unreadable> {
        let record: Self = serde_json::from_slice(text).map_err(|_| Unreadable)?;
        if record.format_version == FORMAT {
            Ok(record)
        } else {
            Err(Unreadable)
        }
    }

    /// Writes it.
    pub(super) fn text(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Returns the version of the format that is written.
    pub(super) const fn format() -> u32 {
        FORMAT
    }
}

/// Returns variables as they are written.
pub(super) fn written(variables: &Variables) -> BTreeMap<String, Written> {
    let one = |(name, value): (&Name, &Value)| {
        let written = match value.as_text() {
            Some(text) => Written::Text(text.to_owned()),
            None => Written::Bytes(value.as_bytes().to_vec()),
        };
        (name.to_string(), written)
    };
    variables.iter().map(one).collect()
}

/// Returns variables that were written.
pub(super) fn unwritten(written: BTreeMap<String, Written>) -> Result<Variables, Unreadable> {
    let one = |(name, written): (String, Written)| {
        let value = match written {
            Written::Text(text) => Value::new(text),
            Written::Bytes(bytes) => Value::new(bytes),
        };
        match (Name::new(name), value) {
            (Ok(name), Ok(value)) => Ok((name, value)),
            _ => Err(Unreadable),
        }
    };
    written.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_variables_are_read_as_they_were_written() {
        let name = |text: &str| Name::new(text).unwrap();
        let variables: Variables = [
            (name("EMPTY"), Value::new("").unwrap()),
            (name("BYTES"), Value::new([0xff, 1, b'\n', b'"']).unwrap()),
            (name("TEXT"), Value::new("a \"b\"\nä\u{1}").unwrap()),
        ]
        .into_iter()
        .collect();
        let text = serde_json::to_vec(&written(&variables)).unwrap();
        let read = unwritten(serde_json::from_slice(&text).unwrap()).unwrap();
        assert_eq!(read, variables);
    }
}
