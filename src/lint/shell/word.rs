//! One word of a shell's script: what it says without its quotes, and what the shell replaces in it.
//!
//! In: the word as it is written. Knows nothing of commands.

use std::borrow::Cow;
use std::ops::Range;

use crate::unit::words::is_variable_name;

/// One word as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lint) struct Word<'a> {
    /// Quotes, backslashes and substitutions included.
    pub(in crate::lint) raw: &'a str,
    /// Where it begins in the script.
    pub(in crate::lint) start: usize,
}

/// What a shell puts in the place of a part of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lint) enum Expansion<'a> {
    /// What a command writes: the command.
    Command(&'a str),
    /// What a variable holds: its name.
    Variable(&'a str),
}

impl<'a> Word<'a> {
    /// Returns the bytes of the script that it is written in.
    pub(in crate::lint) fn range(self) -> Range<usize> {
        self.start..self.start + self.raw.len()
    }

    /// Returns the name and the value of an assignment.
    pub(in crate::lint) fn assignment(self) -> Option<(&'a str, Self)> {
        let at = self.raw.find('=')?;
        let name = self.raw[..at].strip_suffix('+').unwrap_or(&self.raw[..at]);
        is_variable_name(name).then_some((
            name,
            Self {
                raw: &self.raw[at + 1..],
                start: self.start + at + 1,
            },
        ))
    }

    /// Returns the word without quotes and backslashes; what the shell replaces stays as it is, with
    /// `$` for `$$`.
    pub(in crate::lint) fn text(self) -> Cow<'a, str> {
        if !self.raw.contains(['\\', '\'', '"', '$']) {
            return Cow::Borrowed(self.raw);
        }
        let mut text = String::with_capacity(self.raw.len());
        walk(self.raw, |part, range, _| match part {
            Walked::Text | Walked::Expansion => {
                text.push_str(&self.raw[range].replace("$$", "$"));
            }
            Walked::Escaped => text.push_str(self.raw[range].trim_start_matches('\n')),
        });
        Cow::Owned(text)
    }

    /// Returns what the shell replaces in it, and whether that is within double quotes.
    pub(in crate::lint) fn expansions(self) -> Vec<(Expansion<'a>, bool)> {
        let mut found = Vec::new();
        if self.raw.contains(['$', '`']) {
            walk(self.raw, |part, range, is_quoted| {
                if part == Walked::Expansion
                    && let Some(expansion) = expansion(&self.raw[range])
                {
                    found.push((expansion, is_quoted));
                }
            });
        }
        found
    }
}

/// Returns the commands whose output a shell puts into a text, each with where it begins. The text may
/// be a whole script.
pub(in crate::lint) fn substitutions(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    if text.contains(['$', '`']) {
        walk(text, |part, range, _| {
            let raw = &text[range.clone()];
            if part == Walked::Expansion
                && let Some(Expansion::Command(command)) = expansion(raw)
            {
                // Either a backquote stands before it, or dollars and a bracket.
                let dollars = raw.len() - raw.trim_start_matches('$').len();
                found.push((range.start + dollars + 1, command));
            }
        });
    }
    found
}

/// Reads one substitution; an arithmetic one is none.
fn expansion(raw: &str) -> Option<Expansion<'_>> {
    if let Some(command) = raw.strip_prefix('`') {
        return Some(Expansion::Command(
            command.strip_suffix('`').unwrap_or(command),
        ));
    }
    let rest = raw.trim_start_matches('$');
    if let Some(command) = rest.strip_prefix('(') {
        let command = command.strip_suffix(')').unwrap_or(command);
        return (!command.starts_with('(')).then_some(Expansion::Command(command));
    }
    let rest = rest.strip_prefix('{').unwrap_or(rest);
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    Some(Expansion::Variable(&rest[..end.unwrap_or(rest.len())]))
}

/// What a part of a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Walked {
    Text,
    /// The character behind a backslash.
    Escaped,
    Expansion,
}

/// Shows each part of a word, and whether it is quoted; quotes and backslashes are left out.
fn walk(raw: &str, mut show: impl FnMut(Walked, Range<usize>, bool)) {
    let bytes = raw.as_bytes();
    let mut quote = None;
    let mut at = 0;
    let mut text = 0;
    while at < bytes.len() {
        let is_quoted = quote.is_some();
        let Some((end, part)) = special(raw, at, quote) else {
            at += 1;
            continue;
        };
        if text < at {
            show(Walked::Text, text..at, is_quoted);
        }
        match part {
            None => quote = if is_quoted { None } else { Some(bytes[at]) },
            Some(Walked::Escaped) => show(Walked::Escaped, at + 1..end, is_quoted),
            Some(part) => show(part, at..end, is_quoted),
        }
        at = end;
        text = end;
    }
    if text < bytes.len() {
        show(Walked::Text, text..bytes.len(), quote.is_some());
    }
}

/// Returns where something ends that is no plain text, and what it is: nothing for a quote.
fn special(raw: &str, at: usize, quote: Option<u8>) -> Option<(usize, Option<Walked>)> {
    let bytes = raw.as_bytes();
    match (bytes[at], quote) {
        (b'\'', None | Some(b'\'')) | (b'"', None | Some(b'"')) => Some((at + 1, None)),
        (b'\\', None) => Some((char_end(raw, at + 1), Some(Walked::Escaped))),
        (b'\\', Some(b'"')) => {
            let is_escape = matches!(bytes.get(at + 1), Some(b'$' | b'`' | b'"' | b'\\'));
            is_escape.then_some((at + 2, Some(Walked::Escaped)))
        }
        (b'$' | b'`', None | Some(b'"')) => {
            Some((expansion_end(raw, at, 0)?, Some(Walked::Expansion)))
        }
        _ => None,
    }
}

/// Returns the end of the character at a place, or of the text.
fn char_end(text: &str, at: usize) -> usize {
    let length = text.get(at..).and_then(|rest| rest.chars().next());
    at.min(text.len()) + length.map_or(0, char::len_utf8)
}

/// Nobody nests substitutions deeper; what does is one word to its end.
const DEPTH_MAXIMUM: usize = 50;

/// Returns where a substitution or variable ends that begins with `$`, `$$` or a backquote.
fn expansion_end(text: &str, at: usize, depth: usize) -> Option<usize> {
    if depth > DEPTH_MAXIMUM {
        return Some(text.len());
    }
    let bytes = text.as_bytes();
    if bytes[at] == b'`' {
        let mut end = at + 1;
        while end < bytes.len() && bytes[end] != b'`' {
            end += 1 + usize::from(bytes[end] == b'\\');
        }
        return Some((end + 1).min(bytes.len()));
    }
    // systemd makes one `$` of two.
    let name = at + 1 + usize::from(bytes.get(at + 1) == Some(&b'$'));
    match bytes.get(name) {
        Some(b'(') => Some(nested_end(text, name + 1, depth + 1)),
        Some(b'{') => Some((find(text, name, b'}') + 1).min(bytes.len())),
        Some(byte) if byte.is_ascii_alphabetic() || *byte == b'_' => {
            let rest = &bytes[name..];
            let is_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
            Some(name + rest.iter().take_while(is_name).count())
        }
        _ => None,
    }
}

/// Returns where the first such byte stands from a place on, or the end.
pub(super) fn find(text: &str, from: usize, byte: u8) -> usize {
    let found = text.as_bytes()[from..].iter().position(|one| *one == byte);
    found.map_or(text.len(), |at| from + at)
}

/// Returns where a word ends.
pub(super) fn word_end(script: &str, start: usize) -> usize {
    let bytes = script.as_bytes();
    let mut at = start;
    while at < bytes.len() {
        at = match bytes[at] {
            b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' => break,
            _ => piece_end(script, at, 0),
        };
    }
    at.min(bytes.len())
}

/// Returns where a character, an escape, a quoted text or a substitution ends.
fn piece_end(script: &str, at: usize, depth: usize) -> usize {
    let bytes = script.as_bytes();
    match bytes[at] {
        b'\\' => at + 2,
        b'\'' => find(script, at + 1, b'\'') + 1,
        b'"' => {
            let mut end = at + 1;
            while end < bytes.len() && bytes[end] != b'"' {
                end = match bytes[end] {
                    b'\'' => end + 1,
                    _ => piece_end(script, end, depth),
                };
            }
            end + 1
        }
        b'$' | b'`' => expansion_end(script, at, depth).unwrap_or(at + 1),
        _ => at + 1,
    }
}

/// Returns where the substitution ends whose command begins at a place.
pub(super) fn substitution_end(script: &str, start: usize) -> usize {
    nested_end(script, start, 0)
}

fn nested_end(script: &str, start: usize, nesting: usize) -> usize {
    let bytes = script.as_bytes();
    let mut depth = 1;
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
        at = piece_end(script, at, nesting);
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(raw: &str) -> Word<'_> {
        Word { raw, start: 0 }
    }

    #[test]
    fn quotes_and_backslashes_vanish() {
        for (raw, text) in [
            ("a", "a"),
            ("a'b c'\"d e\"", "ab cd e"),
            ("a\\ b\\\\", "a b\\"),
            ("\"a\\\"b\\c\"", "a\"b\\c"),
            ("'a\\b'", "a\\b"),
            ("$$A-$${B}-$C", "$A-${B}-$C"),
            ("\"$$(a \"b\")\"", "$(a \"b\")"),
            ("é'ü", "éü"),
            ("a\\", "a"),
        ] {
            assert_eq!(word(raw).text(), text, "{raw}");
        }
    }

    #[test]
    fn what_is_replaced_is_found() {
        use Expansion::{Command, Variable};
        for (raw, expected) in [
            ("A=$$(get a)", vec![(Command("get a"), false)]),
            (
                "\"$(get a)\"`b`",
                vec![(Command("get a"), true), (Command("b"), false)],
            ),
            (
                "$a${b}$$c",
                vec![
                    (Variable("a"), false),
                    (Variable("b"), false),
                    (Variable("c"), false),
                ],
            ),
            ("${a##*/}", vec![(Variable("a"), false)]),
            ("'$a' \\$b $((1 + 2)) $ $1", vec![]),
        ] {
            assert_eq!(word(raw).expansions(), expected, "{raw}");
        }
    }

    #[test]
    fn commands_are_found_in_a_whole_script() {
        let script = "for k in $$(ls a); do b \"`c 'd'`\" 'e $(f)' ${g} $((1)); done; $(h $(i))";
        let found = substitutions(script);
        let commands: Vec<&str> = found.iter().map(|(_, command)| *command).collect();
        assert_eq!(commands, ["ls a", "c 'd'", "h $(i)"]);
        for (start, command) in found {
            assert_eq!(&script[start..start + command.len()], command);
        }
    }

    #[test]
    fn assignments_have_a_name() {
        assert_eq!(
            word("A=b=c").assignment(),
            Some((
                "A",
                Word {
                    raw: "b=c",
                    start: 2
                }
            ))
        );
        assert_eq!(word("--a=b").assignment(), None);
        assert_eq!(word("\"A=b\"").assignment(), None);
    }
}
