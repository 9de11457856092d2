//! Reads what other tools say of an app's configuration.
//!
//! In: bytes, and the name of their format: nothing is guessed. Out: variables and warnings, or all
//! mistakes of the text with their places. Each format is a file of its own; what they share is
//! `draft`, which collects, `shell`, which takes a shell's words apart, and `tree`, which knows where
//! each part of a JSON text stands. Knows nothing of files.

mod docker;
mod dokku;
mod dokku_alt;
mod dotenv;
mod draft;
mod etcd2;
mod heroku;
mod json;
mod shell;
mod tree;

use std::fmt;
use std::str::FromStr;

use crate::config::import::draft::Draft;
use crate::config::variable::Variables;
use crate::diagnostic::Severity;
use crate::suggestion::nearest;

/// The greatest length of a text in bytes. All values together have 1.4 MiB at most, and no format makes
/// more than six bytes of one (`\u0026`).
pub const TEXT_LENGTH_MAXIMUM: usize = 16 * 1024 * 1024;

/// What wrote the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A `.env` file, as the libraries called dotenv read it.
    Dotenv,
    /// A file for docker's `--env-file`.
    Docker,
    /// An object of strings, as `heroku config --json` and `dokku config:export --format json` write it.
    Json,
    /// `heroku config --shell`.
    Heroku,
    /// `dokku config:export`, with the format `exports` or `shell`.
    Dokku,
    /// dokku-alt's `ENV` file, `dokku config --shell` or `dokku config`.
    DokkuAlt,
    /// The answer of etcd's API of version 2 about a directory.
    Etcd2,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 7] = [
        Self::Dotenv,
        Self::Docker,
        Self::Json,
        Self::Heroku,
        Self::Dokku,
        Self::DokkuAlt,
        Self::Etcd2,
    ];

    /// Returns the format's name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Dotenv => "dotenv",
            Self::Docker => "docker",
            Self::Json => "json",
            Self::Heroku => "heroku",
            Self::Dokku => "dokku",
            Self::DokkuAlt => "dokku-alt",
            Self::Etcd2 => "etcd2",
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

/// Says that a word names no format.
pub(in crate::config) fn unknown(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(meant) => format!("there is no format `{word}`; did you mean `{meant}`?"),
        None => format!("there is no format `{word}`, but: {}", known.join(", ")),
    }
}

/// What is wrong in a text, and where. It names the variable, if it is one's, and never shows a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// A warning keeps nothing from being taken.
    pub severity: Severity,
    /// What is wrong: a lowercase fragment with names in backticks.
    pub reason: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column, reason) = (self.line, self.column, &self.reason);
        write!(formatter, "line {line}, column {column}: {reason}")
    }
}

/// What a text holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The variables.
    pub variables: Variables,
    /// What the user should look at, in the text's order.
    pub warnings: Vec<Mistake>,
}

/// Reads a text.
///
/// # Errors
/// Returns all mistakes and warnings in the text's order, if one of them is a mistake.
pub fn read(format: Format, text: &[u8]) -> Result<Imported, Vec<Mistake>> {
    let mut draft = Draft::default();
    if text.len() > TEXT_LENGTH_MAXIMUM {
        draft.error(0, "the text has more than 16 MiB".to_owned());
        return draft.finish(&[]);
    }
    match format {
        Format::Dotenv => dotenv::read(text, &mut draft),
        Format::Docker => docker::read(text, &mut draft),
        Format::Json => json::read(text, &mut draft),
        Format::Heroku => heroku::read(text, &mut draft),
        Format::Dokku => dokku::read(text, &mut draft),
        Format::DokkuAlt => dokku_alt::read(text, &mut draft),
        Format::Etcd2 => etcd2::read(text, &mut draft),
    }
    draft.finish(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_their_words() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "doker".parse::<Format>().unwrap_err();
        assert_eq!(error, "there is no format `doker`; did you mean `docker`?");
        let error = "toml-file".parse::<Format>().unwrap_err();
        assert_eq!(
            error,
            "there is no format `toml-file`, but: dotenv, docker, json, heroku, dokku, dokku-alt, etcd2"
        );
    }

    #[test]
    fn a_text_that_can_not_be_one_is_not_read() {
        let text = vec![b'\n'; TEXT_LENGTH_MAXIMUM + 1];
        let mistakes = read(Format::Dotenv, &text).unwrap_err();
        let shown: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
        assert_eq!(shown, ["line 1, column 1: the text has more than 16 MiB"]);
    }
}
