//! What is read so far: variables, and what was found wrong.
//!
//! In: names and values where a reader found them, by offsets into its text. Out: all that was read, or
//! all mistakes, with offsets turned into lines and columns in one walk over the text. Decides what is a
//! name and a value, and that the last of several values counts. Knows no format.

use crate::config::import::{Imported, Mistake};
use crate::config::variable::{NAME_LENGTH_MAXIMUM, Name, Value, Variables};
use crate::diagnostic::Severity;

/// So many mistakes are told one by one; a text of another format has one in each line.
const MISTAKES_MAXIMUM: usize = 1_000;

/// What a text begins with that says that it is UTF-8, and which is no part of it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What is read so far.
#[derive(Default)]
pub(super) struct Draft {
    variables: Variables,
    found: Vec<(usize, Severity, String)>,
    untold: usize,
    has_errors: bool,
}

/// Returns where a text begins: behind its byte order mark, if it has one.
pub(super) fn beginning(text: &[u8]) -> usize {
    if text.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    }
}

/// Returns where the line ends that has the offset: at its line feed, or at the text's end.
pub(super) fn line_end(text: &[u8], at: usize) -> usize {
    let length = text[at..].iter().position(|byte| *byte == b'\n');
    length.map_or(text.len(), |length| at + length)
}

/// Returns the lines from an offset on: where each begins, and its bytes without the line end.
pub(super) fn lines(text: &[u8], from: usize) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = from;
    text[from..].split(|byte| *byte == b'\n').map(move |line| {
        let start = at;
        at += line.len() + 1;
        (start, line.strip_suffix(b"\r").unwrap_or(line))
    })
}

/// Tells whether a byte is a blank within a line.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Tells whether what follows a `$` makes it the reference to a variable or a command.
pub(super) fn is_reference(rest: &[u8]) -> bool {
    rest.first()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'{' | b'('))
}

impl Draft {
    /// Notes a mistake.
    pub(super) fn error(&mut self, at: usize, reason: String) {
        self.has_errors = true;
        self.push(at, Severity::Error, reason);
    }

    /// Notes what the user should look at.
    pub(super) fn warning(&mut self, at: usize, reason: String) {
        self.push(at, Severity::Warning, reason);
    }

    fn push(&mut self, at: usize, severity: Severity, reason: String) {
        if self.found.len() < MISTAKES_MAXIMUM {
            self.found.push((at, severity, reason));
        } else {
            self.untold += 1;
        }
    }

    /// Checks a name that begins at an offset. What is no name is not shown, since it may be a part of a
    /// value that has more lines than its reader knows.
    pub(super) fn name(&mut self, at: usize, text: &[u8]) -> Option<Name> {
        let fits = |(place, byte): (usize, &u8)| {
            *byte == b'_' || byte.is_ascii_alphabetic() || place > 0 && byte.is_ascii_digit()
        };
        let stray = text.iter().enumerate().position(|place| !fits(place));
        if let Some(stray) = stray.or_else(|| text.is_empty().then_some(0)) {
            let rule =
                "a variable's name has A-Z, a-z, 0-9 and `_`, and does not begin with a digit";
            self.error(at + stray, rule.to_owned());
            return None;
        }
        let name = str::from_utf8(text)
            .ok()
            .and_then(|text| Name::new(text).ok());
        if name.is_none() {
            self.error(
                at,
                format!("a variable's name has at most {NAME_LENGTH_MAXIMUM} bytes"),
            );
        }
        name
    }

    /// Sets a variable whose name stands at an offset.
    pub(super) fn set(&mut self, at: usize, name: Name, value: Vec<u8>) {
        match Value::new(value) {
            Err(error) => self.error(at, format!("`{name}`: {error}")),
            Ok(value) => {
                let shown = name.as_str().to_owned();
                if self.variables.insert(name, value).is_some() {
                    self.warning(at, format!("`{shown}` is set again; the last one counts"));
                }
            }
        }
    }

    /// Warns of a reference, which is taken as it stands.
    pub(super) fn reference(&mut self, at: usize, name: &Name) {
        self.warning(
            at,
            format!("`{name}` refers to something with `$`, which is taken as it stands"),
        );
    }

    /// Ends the reading of `text`.
    pub(super) fn finish(mut self, text: &[u8]) -> Result<Imported, Vec<Mistake>> {
        if let Err(error) = self.variables.check_length() {
            self.error(0, error.to_string());
        }
        let mistakes = placed(text, self.found, self.untold);
        if self.has_errors {
            return Err(mistakes);
        }
        Ok(Imported {
            variables: self.variables,
            warnings: mistakes,
        })
    }
}

/// Puts mistakes in the text's order, with their lines and columns.
fn placed(text: &[u8], mut found: Vec<(usize, Severity, String)>, untold: usize) -> Vec<Mistake> {
    found.sort_by_key(|(at, ..)| *at);
    let (mut line, mut column, mut done) = (1, 1, beginning(text));
    let mut mistakes = Vec::new();
    for (at, severity, reason) in found {
        let end = at.clamp(done, text.len().max(done));
        for byte in &text[done..end] {
            match byte {
                b'\n' => (line, column) = (line + 1, 1),
                // What continues a character is no further one.
                0x80..=0xbf => {}
                _ => column += 1,
            }
        }
        done = end;
        mistakes.push(Mistake {
            line,
            column,
            severity,
            reason,
        });
    }
    if let (Some(last), 1..) = (mistakes.last_mut(), untold) {
        last.reason += &format!("; {untold} more are not listed");
    }
    mistakes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_lines_and_characters() {
        let text = "\u{feff}ä=1\r\nöB=2\n";
        let mut draft = Draft::default();
        draft.warning(9, "second".to_owned());
        draft.error(3, "first".to_owned());
        draft.warning(100, "behind".to_owned());
        let mistakes = draft.finish(text.as_bytes()).unwrap_err();
        let places: Vec<_> = mistakes
            .iter()
            .map(|m| (m.line, m.column, m.reason.as_str()))
            .collect();
        assert_eq!(
            places,
            [(1, 1, "first"), (2, 1, "second"), (3, 1, "behind")]
        );
    }

    #[test]
    fn a_name_that_is_none_is_not_shown() {
        for (text, column) in [("hunter-2", 7), ("", 1), ("2a", 1), ("ä", 1)] {
            let mut draft = Draft::default();
            assert_eq!(draft.name(0, text.as_bytes()), None);
            let mistakes = draft.finish(text.as_bytes()).unwrap_err();
            assert_eq!(mistakes[0].column, column);
            assert!(!mistakes[0].reason.contains("hunter"));
        }
        let mut draft = Draft::default();
        assert_eq!(draft.name(0, &[b'A'; 256]), None);
        assert_eq!(
            draft.finish(&[]).unwrap_err()[0].reason,
            "a variable's name has at most 255 bytes"
        );
    }

    #[test]
    fn what_is_wrong_everywhere_is_not_told_everywhere() {
        let mut draft = Draft::default();
        for at in 0..5_000 {
            draft.error(at, "wrong".to_owned());
        }
        let mistakes = draft.finish(&[b'\n'; 5_000]).unwrap_err();
        assert_eq!(mistakes.len(), 1_000);
        assert_eq!(mistakes[999].reason, "wrong; 4000 more are not listed");
    }

    #[test]
    fn lines_lose_their_ends_and_nothing_else() {
        let all: Vec<_> = lines(b"_a\r\n\nb\r\rc", 1).collect();
        let expected: [(usize, &[u8]); 3] = [(1, b"a"), (4, b""), (5, b"b\r\rc")];
        assert_eq!(all, expected);
    }
}
