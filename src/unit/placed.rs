//! The words within a value, and where each stands in it.
//!
//! In: the value of an `Exec…=` or `Environment=` directive. Out: its words in order, as
//! `unit::words` reads them, each with the bytes that it is written in. What reports mistakes points
//! with it.
//!
//! It must not know sections, units or hosts, nor what a command does.

use std::borrow::Cow;
use std::ops::Range;

use crate::unit::parse::strip;
use crate::unit::unescape::unescape_one;
use crate::unit::words::{ExecLine, ExecWord, Prefix, Rules, WordError, extract_word};

/// Holds one word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedWord<'a> {
    /// The bytes of the value that it is written in, quotes included.
    pub range: Range<usize>,
    /// The word without quotes and escapes.
    pub text: Cow<'a, [u8]>,
    /// Whether it has a backslash that starts no escape and is kept.
    pub unknown_escape: bool,
}

/// Holds one command of an `Exec…=` line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlacedCommand<'a> {
    /// What stands before the path.
    pub prefix: Prefix,
    /// The words; the first is the path, without its prefix.
    pub words: Vec<PlacedWord<'a>>,
}

/// Splits the value of an `Exec…=` directive into its commands, as far as it can be read.
#[must_use]
pub fn place_commands(value: &[u8]) -> (Vec<PlacedCommand<'_>>, Option<WordError>) {
    let mut line = ExecLine::new(value);
    let mut commands = Vec::new();
    loop {
        let before = line.rest();
        let first = match line.first_word() {
            Ok(Some(word)) => word,
            Ok(None) => return (commands, None),
            Err(error) => return (commands, Some(error)),
        };
        if first.text.as_ref() == b";" {
            continue;
        }
        let (prefix, path) = Prefix::split(&first.text);
        let skipped = first.text.len() - path.len();
        let mut words = vec![PlacedWord {
            range: range(value, before, line.rest()),
            text: match first.text {
                Cow::Borrowed(text) => Cow::Borrowed(&text[skipped..]),
                Cow::Owned(text) => Cow::Owned(text[skipped..].to_vec()),
            },
            unknown_escape: first.unknown_escape,
        }];
        let separated = loop {
            let before = line.rest();
            match line.next_word() {
                Ok(None) => break false,
                Ok(Some(ExecWord::Separator)) => break true,
                Ok(Some(ExecWord::Argument(word))) => words.push(PlacedWord {
                    range: range(value, before, line.rest()),
                    text: word.text,
                    unknown_escape: word.unknown_escape,
                }),
                Err(error) => {
                    commands.push(PlacedCommand { prefix, words });
                    return (commands, Some(error));
                }
            }
        };
        commands.push(PlacedCommand { prefix, words });
        if !separated {
            return (commands, None);
        }
    }
}

/// Splits the value of an `Environment=` directive into words, as far as systemd reads it.
#[must_use]
pub fn place_assignments(value: &[u8]) -> (Vec<PlacedWord<'_>>, Option<WordError>) {
    let mut rest = value;
    let mut words = Vec::new();
    loop {
        let before = rest;
        match extract_word(&mut rest, Rules::STRICT) {
            Ok(Some(text)) => words.push(PlacedWord {
                range: range(value, before, rest),
                text,
                unknown_escape: false,
            }),
            Ok(None) => return (words, None),
            Err(error) => return (words, Some(error)),
        }
    }
}

/// Returns where backslashes stand in a written word that start no escape.
#[must_use]
pub fn unknown_escapes(written: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(length) = written[at..].iter().position(|&byte| byte == b'\\') {
        at += length;
        if let Some((_, length)) = unescape_one(&written[at + 1..]) {
            at += 1 + length;
        } else {
            found.push(at);
            at = (at + 2).min(written.len());
        }
    }
    found
}

/// Returns the bytes that were taken between two rests of a value, without blanks around them.
fn range(value: &[u8], before: &[u8], after: &[u8]) -> Range<usize> {
    let taken = &before[..before.len() - after.len()];
    let word = strip(taken);
    let blanks = taken.len() - word.len();
    let leading = taken.iter().position(|byte| word.first() == Some(byte));
    let start = value.len() - before.len() + leading.unwrap_or(blanks);
    start..start + word.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes each command's words as they stand in the value.
    #[track_caller]
    fn case(value: &str, expected: &str, error: Option<WordError>) {
        let (commands, found) = place_commands(value.as_bytes());
        let commands: Vec<String> = commands
            .iter()
            .map(|command| {
                let words = command.words.iter();
                let words: Vec<_> = words.map(|word| &value[word.range.clone()]).collect();
                words.join("|")
            })
            .collect();
        assert_eq!((commands.join(" then ").as_str(), found), (expected, error));
    }

    #[test]
    fn words_stand_where_they_are_written() {
        case(
            "-/bin/a  \"b c\"\td\\x20e ",
            "-/bin/a|\"b c\"|d\\x20e",
            None,
        );
        case(
            "/bin/a ; ; @/bin/b \\; c",
            "/bin/a then @/bin/b|\\;|c",
            None,
        );
        case("/bin/a b 'c", "/bin/a|b", Some(WordError::Unbalanced));
        case("", "", None);
    }

    #[test]
    fn unknown_escapes_are_found_one_by_one() {
        assert_eq!(unknown_escapes(b"\\n\\d\\\\d\\x2\\"), [2, 7, 10]);
    }

    #[test]
    fn assignments_stand_where_they_are_written() {
        let (words, error) = place_assignments(b"A=1  \"B=2 3\" C=\\d D=4");
        let ranges: Vec<_> = words.into_iter().map(|word| word.range).collect();
        assert_eq!(ranges, [0..3, 5..12]);
        assert_eq!(error, Some(WordError::UnknownEscape));
    }
}
