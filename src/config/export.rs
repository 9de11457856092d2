//! Writes an app's configuration for other tools.
//!
//! In: variables, and the name of a format. Out: the whole text, or each variable that the format can't
//! hold, with the reason; never a part. Each format is a file of its own. Knows nothing of files.

mod docker;
mod dotenv;
mod json;
mod shell;
mod systemd;

use std::fmt;
use std::str::FromStr;

use crate::config::import::unknown;
use crate::config::variable::{Name, Value, Variables};

/// What reads the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// docker's `--env-file`.
    Docker,
    /// The libraries called dotenv.
    Dotenv,
    /// What reads an object of strings.
    Json,
    /// A POSIX shell.
    Shell,
    /// systemd's `EnvironmentFile=`.
    Systemd,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 5] = [
        Self::Docker,
        Self::Dotenv,
        Self::Json,
        Self::Shell,
        Self::Systemd,
    ];

    /// Returns the format's name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Dotenv => "dotenv",
            Self::Json => "json",
            Self::Shell => "shell",
            Self::Systemd => "systemd",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.word())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|format| format.word() == word);
        found.ok_or_else(|| unknown(word, &Self::ALL.map(Self::word)))
    }
}

/// A text full of values, which nothing shows but who asks for its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(Vec<u8>);

impl Text {
    /// Returns the bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// Why a format can't hold a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The variable.
    pub name: Name,
    /// Why not: a lowercase fragment.
    pub reason: &'static str,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`: {}", self.name, self.reason)
    }
}

/// Why a value is refused that is no UTF-8.
const NOT_UTF8: &str = "the value is not UTF-8";

/// Writes variables, sorted by name.
///
/// # Errors
/// Returns all variables that the format can't hold.
pub fn write(format: Format, variables: &Variables) -> Result<Text, Vec<Refusal>> {
    match format {
        Format::Docker => lines(variables, docker::line),
        Format::Dotenv => lines(variables, dotenv::line),
        Format::Json => json::write(variables),
        Format::Shell => lines(variables, shell::line),
        Format::Systemd => lines(variables, systemd::line),
    }
}

/// Writes what `line` makes of each variable.
fn lines(
    variables: &Variables,
    line: fn(&Name, &Value) -> Result<Vec<u8>, &'static str>,
) -> Result<Text, Vec<Refusal>> {
    let mut text = Vec::new();
    let mut refusals = Vec::new();
    for (name, value) in variables.iter() {
        match line(name, value) {
            Ok(line) => text.extend(line),
            Err(reason) => refusals.push(Refusal {
                name: name.clone(),
                reason,
            }),
        }
    }
    if refusals.is_empty() {
        Ok(Text(text))
    } else {
        Err(refusals)
    }
}

/// Returns a value with a backslash before each of some characters.
fn escaped(value: &[u8], special: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(value.len());
    for byte in value {
        if special.contains(byte) {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_their_words() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "jsn".parse::<Format>().unwrap_err();
        assert_eq!(error, "there is no format `jsn`; did you mean `json`?");
    }

    #[test]
    fn a_text_is_not_shown() {
        let variable = (Name::new("A").unwrap(), Value::new("hunter2").unwrap());
        let text = write(Format::Shell, &[variable].into_iter().collect());
        assert_eq!(format!("{text:?}"), "Ok(***)");
        assert_eq!(text.unwrap().as_bytes(), b"export A='hunter2'\n");
    }
}
