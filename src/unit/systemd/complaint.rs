//! What systemd says of a line, and why it refuses a whole file.
//!
//! In: a line and what is wrong with it. Out: systemd's words.
//!
//! It must not know how the fault is found.

use std::borrow::Cow;
use std::fmt;

use crate::unit::parse::strip;
use crate::unit::unescape::is_noncharacter;
use crate::unit::{Content, Item};

/// Tells what a complaint is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// A line that spoils the whole file.
    File,
    /// The unit as a whole.
    Unit,
    /// A line before the first header.
    Outside,
    /// A line without `=`, or without a key before it.
    NoAssignment,
    /// A section that is not known.
    Section,
    /// A key that its section does not have.
    Key,
    /// A quote that is not closed, or an escape where none is tolerated.
    Quoting,
    /// A backslash that starts no escape and is kept.
    Escape,
    /// A specifier.
    Specifier,
    /// A word of `Environment=` that is no assignment.
    Assignment,
    /// What an Exec line would run.
    Command,
    /// The name of another unit.
    Dependency,
    /// A value that is not taken.
    Value,
    /// A value that is taken, against systemd's advice.
    Advice,
}

/// Holds one complaint, in words close to systemd's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What it is about.
    pub complaint: Complaint,
    /// Whether the unit is refused for it.
    pub is_fatal: bool,
    /// The line systemd names; 0 for the unit as a whole.
    pub line: usize,
    /// What is wrong.
    pub text: String,
}

/// Tells why a whole file is refused, and at which line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The line systemd names.
    pub line: usize,
    /// What is wrong with it.
    pub reason: RejectionReason,
}

/// Tells what is wrong with a line that spoils its whole file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionReason {
    /// A physical line of 1 MiB, or more than that joined.
    LineTooLong,
    /// Not UTF-8, or a noncharacter.
    NotText,
    /// A `[` at the start and no `]` at the end.
    UnclosedHeader,
    /// A quote, backslash or control character in a header.
    HeaderCharacter,
}

impl fmt::Display for RejectionReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::LineTooLong => "Line too long",
            Self::NotText => "String is not UTF-8 clean",
            Self::UnclosedHeader => "Invalid section header",
            Self::HeaderCharacter => "Bad characters in section header",
        })
    }
}

impl RejectionReason {
    /// Returns what systemd says of the line, if it says anything.
    pub(super) fn complaint(self, item: &Item<'_>) -> Option<String> {
        let text = match &item.content {
            Content::Blank | Content::Comment => Cow::default(),
            Content::Section(name) => bracketed(name),
            Content::Malformed(text) => Cow::Borrowed(text.as_ref()),
            Content::Assignment { name, value } => assignment(item, name, value),
        };
        match self {
            Self::LineTooLong => None,
            Self::NotText => Some(format!(
                "{self}, ignoring assignment: {}",
                without_noncharacters(&text)
            )),
            Self::UnclosedHeader | Self::HeaderCharacter => {
                Some(format!("{self} '{}'", String::from_utf8_lossy(&text)))
            }
        }
    }
}

fn bracketed(name: &[u8]) -> Cow<'_, [u8]> {
    Cow::Owned([b"[", name, b"]"].concat())
}

/// The line as it stands, unless it is made of several.
fn assignment<'a>(item: &'a Item<'_>, name: &[u8], value: &[u8]) -> Cow<'a, [u8]> {
    if item.line == item.last_line {
        Cow::Borrowed(strip(item.source))
    } else {
        Cow::Owned([name, b"=", value].concat())
    }
}

/// Replaces each byte of what systemd takes for no text.
fn without_noncharacters(text: &[u8]) -> String {
    let mut shown = String::new();
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_noncharacter(character) {
                let marks = (0..character.len_utf8()).map(|_| char::REPLACEMENT_CHARACTER);
                shown.extend(marks);
            } else {
                shown.push(character);
            }
        }
        shown.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    shown
}
