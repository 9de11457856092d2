//! What etcd said at some time, as a file: what a machine starts from while etcd is out of reach.
//!
//! In: a request and its answer. Out: a JSON text with a `format_version`; and, of such a text, the answer
//! again, if it is to the same request. A value is written as text, or as numbers where it is none, so
//! that any bytes come back. Knows nothing of files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::env::answer::Answer;
use crate::env::request::Request;

/// The format that is written, and the only one that is read.
const FORMAT: u32 = 1;

/// What etcd said, and when.
pub struct Kept {
    /// When, in seconds since 1970.
    pub time: u64,
    /// What it said.
    pub answer: Answer,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format_version: u32,
    time: u64,
    folder: Option<String>,
    keys: BTreeMap<String, String>,
    entries: BTreeMap<String, Bytes>,
    values: BTreeMap<String, Bytes>,
    has_history: bool,
}

/// Any bytes.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Bytes {
    Text(String),
    Numbers(Vec<u8>),
}

impl Bytes {
    fn new(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Numbers(bytes.to_vec()),
        }
    }

    fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.into_bytes(),
            Self::Numbers(bytes) => bytes,
        }
    }
}

/// Returns what was asked for, as it is written.
fn keys(request: &Request) -> BTreeMap<String, String> {
    let keys = request.keys.iter();
    keys.map(|(name, key)| (name.as_str().to_owned(), key.clone()))
        .collect()
}

/// Writes an answer. The text is full of secrets.
#[must_use]
pub fn text(request: &Request, answer: &Answer, time: u64) -> String {
    let written = |map: &BTreeMap<String, Vec<u8>>| {
        let entries = map.iter();
        entries
            .map(|(key, bytes)| (key.clone(), Bytes::new(bytes)))
            .collect()
    };
    let file = File {
        format_version: FORMAT,
        time,
        folder: request.folder.clone(),
        keys: keys(request),
        entries: written(&answer.entries),
        values: written(&answer.values),
        has_history: answer.has_history,
    };
    // Strings, numbers and maps by strings are JSON, whatever they hold.
    serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
}

/// Reads an answer to a request.
///
/// # Errors
/// Says why the text is of no use. No error quotes it.
pub fn parse(request: &Request, text: &[u8]) -> Result<Kept, String> {
    #[derive(Deserialize)]
    struct Version {
        format_version: u32,
    }
    let version: Result<Version, _> = serde_json::from_slice(text);
    if let Ok(Version { format_version }) = version
        && format_version != FORMAT
    {
        return Err(format!(
            "it has format {format_version}, and {FORMAT} is known"
        ));
    }
    // An error of the parser's may quote a value.
    let file: File = serde_json::from_slice(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("it is no whole file of this kind (line {line}, column {column})")
    })?;
    if file.folder != request.folder || file.keys != keys(request) {
        return Err("it holds the answer to another request".to_owned());
    }
    let read = |map: BTreeMap<String, Bytes>| {
        let entries = map.into_iter();
        entries
            .map(|(key, bytes)| (key, bytes.into_bytes()))
            .collect()
    };
    Ok(Kept {
        time: file.time,
        answer: Answer {
            entries: read(file.entries),
            values: read(file.values),
            has_history: file.has_history,
        },
    })
}

/// Tells whether a text holds the answer to another request than this one.
#[must_use]
pub fn is_another_s(request: &Request, text: &[u8]) -> bool {
    let file: Result<File, _> = serde_json::from_slice(text);
    file.is_ok_and(|file| file.folder != request.folder || file.keys != keys(request))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_come_back_and_nothing_else_is_read() {
        let request = Request {
            folder: Some("/environment/hub".to_owned()),
            ..Request::default()
        };
        let mut answer = Answer::default();
        answer.entries.insert("A".to_owned(), (1..=255).collect());
        answer
            .entries
            .insert("B".to_owned(), b"\xc3\xa4\n\"".to_vec());
        answer.entries.insert("C".to_owned(), Vec::new());
        let text = text(&request, &answer, 7);
        let kept = parse(&request, text.as_bytes());
        let kept = kept.unwrap_or_else(|error| panic!("{error}"));
        assert!(kept.time == 7 && kept.answer == answer);
        for length in 0..text.len() - 2 {
            let torn = &text.as_bytes()[..length];
            assert!(parse(&request, torn).is_err(), "{length}");
        }
        let other = Request::default();
        let error = parse(&other, text.as_bytes()).err().unwrap();
        assert_eq!(error, "it holds the answer to another request");
        let newer = text.replace("\"format_version\": 1", "\"format_version\": 2");
        let error = parse(&request, newer.as_bytes()).err().unwrap();
        assert_eq!(error, "it has format 2, and 1 is known");
    }
}
