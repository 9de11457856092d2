//! The commands of a unit, and where their words stand.
//!
//! Words are unquoted; specifiers and variables in them are as they are written. Knows no rule.

use std::borrow::Cow;
use std::ops::Range;

use crate::directive::is_command;
use crate::lint::subject::Directive;
use crate::unit::placed::{PlacedWord, place_commands};
use crate::unit::words::Prefix;

/// One command of an `Exec…=` line.
pub(in crate::lint) struct Command<'a> {
    /// The directive that it stands in.
    pub(in crate::lint) directive: Directive<'a>,
    /// What stands before the path.
    pub(in crate::lint) prefix: Prefix,
    /// The words, the path first.
    pub(in crate::lint) words: Vec<PlacedWord<'a>>,
}

/// The shells that people write into units.
const SHELLS: [&str; 6] = ["sh", "bash", "dash", "ash", "zsh", "ksh"];

/// Tells whether a program of this name is a shell.
pub(in crate::lint) fn is_shell(name: &str) -> bool {
    SHELLS.contains(&name)
}

/// Returns the commands that are left when all directives are read: an empty one forgets those
/// before.
pub(in crate::lint) fn commands<'a>(directives: &[Directive<'a>]) -> Vec<Command<'a>> {
    let mut commands: Vec<Command<'a>> = Vec::new();
    for &directive in directives {
        if !is_command(directive.section, directive.name) {
            continue;
        }
        if directive.value.is_empty() {
            commands.retain(|command| command.directive.name != directive.name);
            continue;
        }
        let (placed, _) = place_commands(directive.value.as_bytes());
        commands.extend(placed.into_iter().map(|command| Command {
            directive,
            prefix: command.prefix,
            words: command.words,
        }));
    }
    commands
}

impl Command<'_> {
    /// Returns a word's text.
    pub(in crate::lint) fn word(&self, index: usize) -> Cow<'_, str> {
        self.words.get(index).map_or(Cow::Borrowed(""), |word| {
            String::from_utf8_lossy(&word.text)
        })
    }

    /// Returns the name of the program's file.
    pub(in crate::lint) fn program(&self) -> Cow<'_, str> {
        match self.word(0) {
            Cow::Borrowed(path) => Cow::Borrowed(path.rsplit('/').next().unwrap_or(path)),
            Cow::Owned(path) => Cow::Owned(path.rsplit('/').next().unwrap_or(&path).to_owned()),
        }
    }

    /// Returns the index of the word that holds a shell's script: that behind `-c`.
    pub(in crate::lint) fn script(&self) -> Option<usize> {
        is_shell(&self.program()).then(|| self.script_of(0))?
    }

    /// Returns the index of the word that holds the script of the shell at another index.
    pub(in crate::lint) fn script_of(&self, shell: usize) -> Option<usize> {
        let is_option = |index: &usize| {
            let word = self.word(*index);
            word.starts_with('-') && !word.starts_with("--") && word.ends_with('c')
        };
        let option = (shell + 1..self.words.len()).take_while(|index| {
            // Options and their arguments come before the script; anything else is a file to run.
            let word = self.word(*index);
            word.starts_with(['-', '+']) || word == "pipefail"
        });
        let option = option.into_iter().find(is_option)?;
        (option + 1 < self.words.len()).then_some(option + 1)
    }

    /// Returns the bytes of the unit's text that a word is written in.
    pub(in crate::lint) fn range(&self, index: usize) -> Range<usize> {
        match self.words.get(index) {
            Some(word) => self.directive.range(word.range.clone()),
            None => self.directive.value_range(),
        }
    }

    /// Returns the bytes of the unit's text that a part of a word is written in; those of the word
    /// where an escape keeps the two apart.
    pub(in crate::lint) fn within(&self, index: usize, part: Range<usize>) -> Range<usize> {
        let Some(word) = self.words.get(index) else {
            return self.directive.value_range();
        };
        let raw = &self.directive.value.as_bytes()[word.range.clone()];
        match written(raw, &word.text, &part) {
            Some(part) => {
                let start = word.range.start;
                self.directive.range(start + part.start..start + part.end)
            }
            None => self.range(index),
        }
    }

    /// Returns the bytes of the unit's text that the whole command is written in.
    pub(in crate::lint) fn whole(&self) -> Range<usize> {
        let last = self.words.len().saturating_sub(1);
        self.range(0).start..self.range(last).end
    }
}

/// Returns the bytes of a written word that say a part of its text, as long as they say it one by
/// one: escapes of a number are not followed.
fn written(raw: &[u8], text: &[u8], part: &Range<usize>) -> Option<Range<usize>> {
    let mut quote = None;
    let mut at = 0;
    let mut start = None;
    for (index, &byte) in text.iter().enumerate() {
        while matches!(raw.get(at)?, b'"' | b'\'') && quote.is_none_or(|open| open == raw[at]) {
            quote = if quote.is_some() { None } else { Some(raw[at]) };
            at += 1;
        }
        let is_escape = raw[at] == b'\\' && matches!(raw.get(at + 1), Some(b'\\' | b'"' | b'\''));
        let said = at + usize::from(is_escape);
        if raw.get(said) != Some(&byte) {
            return None;
        }
        if index == part.start {
            start = Some(at);
        }
        at = said + 1;
        if index + 1 == part.end {
            return Some(start?..at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_word_is_found_where_it_is_written() {
        #[track_caller]
        fn case(raw: &str, text: &str, part: &str, expected: Option<&str>) {
            let start = text.rfind(part).unwrap();
            let found = written(
                raw.as_bytes(),
                text.as_bytes(),
                &(start..start + part.len()),
            );
            assert_eq!(found.map(|range| &raw[range]), expected, "{raw}");
        }
        case("echo", "echo", "ch", Some("ch"));
        case("\"a b\"", "a b", "b", Some("b"));
        case("'it\"s'", "it\"s", "s", Some("s"));
        case(
            "\"e=\\\"$x $y\\\"; $x\"",
            "e=\"$x $y\"; $x",
            "$x",
            Some("$x"),
        );
        case(
            "\"-e \\\"$x\\\" b\"",
            "-e \"$x\" b",
            "\"$x\"",
            Some("\\\"$x\\\""),
        );
        case("\"a\\d b\"", "a\\d b", "b", Some("b"));
        case("\"a\\x20b\"", "a b", "b", None);
    }
}
