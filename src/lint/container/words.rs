//! The words of one call: those of the command itself, or those of a command in a shell's script.
//!
//! Knows no option.

use std::borrow::Cow;
use std::ops::Range;

use crate::lint::command::Command;
use crate::lint::shell::word::Word;

/// The words of a call, the client first.
pub(in crate::lint) enum Words<'a> {
    /// Words of the command.
    Own {
        /// The command.
        command: &'a Command<'a>,
        /// The client's word.
        first: usize,
        /// How many words behind it are none of its own.
        skipped: usize,
    },
    /// Words of a script.
    Script {
        /// The command.
        command: &'a Command<'a>,
        /// The word that holds the script.
        script: usize,
        /// The words as they are written, and their texts.
        words: Vec<(Word<'a>, Cow<'a, str>)>,
    },
}

impl<'a> Words<'a> {
    /// Returns how many there are.
    pub(in crate::lint) fn len(&self) -> usize {
        match self {
            Self::Own {
                command,
                first,
                skipped,
            } => command.words.len().saturating_sub(first + skipped),
            Self::Script { words, .. } => words.len(),
        }
    }

    /// Returns a word without quotes, empty behind the last.
    pub(in crate::lint) fn text(&self, at: usize) -> &str {
        match self {
            Self::Own { command, .. } => text(command, self.own(at)),
            Self::Script { words, .. } => words.get(at).map_or("", |(_, text)| text),
        }
    }

    /// Returns a word as it is written in a script.
    pub(in crate::lint) fn script(&self, at: usize) -> Option<Word<'a>> {
        match self {
            Self::Own { .. } => None,
            Self::Script { words, .. } => words.get(at).map(|(word, _)| *word),
        }
    }

    /// Returns the bytes of the unit's text that a word is written in; behind the last those of the
    /// whole command.
    pub(in crate::lint) fn range(&self, at: usize) -> Range<usize> {
        match self {
            Self::Own { command, .. } if at < self.len() => command.range(self.own(at)),
            Self::Own { command, .. } => command.whole(),
            Self::Script {
                command,
                script,
                words,
            } => match words.get(at) {
                Some((word, _)) => command.within(*script, word.range()),
                None => command.whole(),
            },
        }
    }

    /// Leaves out the words before one.
    pub(in crate::lint) fn from(mut self, at: usize) -> Self {
        match &mut self {
            Self::Own { first, .. } => *first += at,
            Self::Script { words, .. } => {
                words.drain(..at);
            }
        }
        self
    }

    /// Returns the index of a word among those of the command.
    fn own(&self, at: usize) -> usize {
        match self {
            Self::Own { first, skipped, .. } => first + at + if at > 0 { *skipped } else { 0 },
            Self::Script { script, .. } => *script,
        }
    }
}

/// Returns the text of a command's word, empty behind the last or where it is no text.
pub(in crate::lint) fn text<'a>(command: &'a Command<'_>, at: usize) -> &'a str {
    let word = command.words.get(at).map_or(&[][..], |word| &word.text);
    std::str::from_utf8(word).unwrap_or_default()
}
