//! A shell's assignments, taken apart: `NAME=word`, with `export` before it or not.
//!
//! In: a text that a tool wrote for a shell to read. Out: names and values in a draft. Nothing is
//! expanded and nothing is run: a reference is taken as it stands, and what a shell would take for the
//! end of a command is a mistake. Knows no tool but by the choices in `Dialect`.

use crate::config::import::draft::{Draft, is_blank, is_reference, line_end};

/// What the tools that quote for a shell do not have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    /// Whether a line may have several assignments.
    pub(super) several_in_a_line: bool,
    /// Whether double quotes turn `\n` into a line feed and `\!` into `!`, which no shell does.
    pub(super) line_feeds: bool,
}

/// A word.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// What it says.
    pub(super) value: Vec<u8>,
    /// Where it ends.
    pub(super) end: usize,
    /// Where it first refers to something.
    pub(super) reference: Option<usize>,
}

/// Why there is no word: where, and what is wrong.
pub(super) type Fault = (usize, &'static str);

/// Reads all assignments of a text from an offset on.
pub(super) fn assignments(text: &[u8], from: usize, dialect: Dialect, draft: &mut Draft) {
    let mut at = from;
    let mut line_is_taken = false;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\n' => line_is_taken = false,
            b'#' => {
                at = line_end(text, at);
                continue;
            }
            _ if is_blank(*byte) || is_return(text, at) => {}
            _ if line_is_taken && !dialect.several_in_a_line => {
                draft.error(at, "there is more text behind a value".to_owned());
                at = line_end(text, at);
                continue;
            }
            _ => {
                at = assignment(text, at, dialect, draft);
                line_is_taken = true;
                continue;
            }
        }
        at += 1;
    }
}

/// Reads one assignment and returns where it ends: where its line does, if it is none.
fn assignment(text: &[u8], at: usize, dialect: Dialect, draft: &mut Draft) -> usize {
    let start = behind_export(text, at);
    let ends = |byte: &u8| *byte == b'=' || is_blank(*byte) || matches!(byte, b'\n' | b'\'' | b'"');
    let length = text[start..].iter().position(ends);
    let end = start + length.unwrap_or(text.len() - start);
    if text.get(end) != Some(&b'=') {
        let reason = "this is not `NAME=value`; is a blank in a value that has no quotes?";
        draft.error(start, reason.to_owned());
        return line_end(text, start);
    }
    let name = draft.name(start, &text[start..end]);
    match (word(text, end + 1, dialect), name) {
        (Ok(word), Some(name)) => {
            if let Some(place) = word.reference {
                draft.reference(place, &name);
            }
            draft.set(start, name, word.value);
            word.end
        }
        (Ok(word), None) => word.end,
        (Err((place, reason)), name) => {
            let of = name.map_or_else(String::new, |name| format!("`{name}`: "));
            draft.error(place, format!("{of}{reason}"));
            line_end(text, place)
        }
    }
}

/// Returns the offset behind `export` and its blanks, if they stand at an offset.
pub(super) fn behind_export(text: &[u8], at: usize) -> usize {
    let rest = &text[at..];
    let Some(behind) = rest.strip_prefix(b"export") else {
        return at;
    };
    let blanks = behind.iter().take_while(|byte| is_blank(**byte)).count();
    if blanks == 0 {
        return at;
    }
    at + rest.len() - behind.len() + blanks
}

/// Tells whether an offset has the carriage return of a line end.
fn is_return(text: &[u8], at: usize) -> bool {
    text[at] == b'\r' && matches!(text.get(at + 1), None | Some(b'\n'))
}

/// Reads the word at an offset, which is empty where a blank stands.
pub(super) fn word(text: &[u8], from: usize, dialect: Dialect) -> Result<Word, Fault> {
    let mut word = Word {
        value: Vec::new(),
        end: from,
        reference: None,
    };
    while let Some(byte) = text.get(word.end) {
        let at = word.end;
        word.end = at + 1;
        match byte {
            b' ' | b'\t' | b'\n' => {
                word.end = at;
                break;
            }
            b'\r' if is_return(text, at) => {
                word.end = at;
                break;
            }
            b'\'' => single(text, &mut word)?,
            b'"' => double(text, dialect, &mut word)?,
            b'$' if text.get(word.end) == Some(&b'\'') => escaped(text, &mut word)?,
            b'\\' => {
                // A line that is continued has neither the backslash nor the line end.
                let next = text.get(word.end);
                word.value.extend(next.filter(|byte| **byte != b'\n'));
                word.end += usize::from(next.is_some());
            }
            b';' | b'&' | b'|' | b'<' | b'>' | b'(' | b')' | b'`' => {
                return Err((at, "a shell would take this for its own: it needs quotes"));
            }
            _ => plain(text, at, &mut word),
        }
    }
    Ok(word)
}

/// Takes the byte at an offset as it stands.
fn plain(text: &[u8], at: usize, word: &mut Word) {
    if text[at] == b'$' && is_reference(&text[at + 1..]) {
        word.reference.get_or_insert(at);
    }
    word.value.push(text[at]);
}

/// Reads what stands between single quotes: itself.
fn single(text: &[u8], word: &mut Word) -> Result<(), Fault> {
    let rest = &text[word.end..];
    let length = rest.iter().position(|byte| *byte == b'\'');
    let length = length.ok_or((word.end - 1, UNCLOSED))?;
    word.value.extend(&rest[..length]);
    word.end += length + 1;
    Ok(())
}

/// Why a word with a quote is none.
const UNCLOSED: &str = "this quote is not closed";

/// Reads what stands between double quotes.
fn double(text: &[u8], dialect: Dialect, word: &mut Word) -> Result<(), Fault> {
    let start = word.end - 1;
    loop {
        let at = word.end;
        let byte = text.get(at).ok_or((start, UNCLOSED))?;
        word.end = at + 1;
        match (byte, text.get(word.end)) {
            (b'"', _) => return Ok(()),
            (b'\\', Some(b'\n')) => word.end += 1,
            (b'\\', Some(b'n')) if dialect.line_feeds => {
                word.value.push(b'\n');
                word.end += 1;
            }
            (b'\\', Some(next))
                if b"$`\"\\".contains(next) || dialect.line_feeds && *next == b'!' =>
            {
                word.value.push(*next);
                word.end += 1;
            }
            (b'`', _) => {
                word.reference.get_or_insert(at);
                word.value.push(b'`');
            }
            _ => plain(text, at, word),
        }
    }
}

/// Reads what stands in `$'…'`, as bash's `printf %q` writes what has control characters.
fn escaped(text: &[u8], word: &mut Word) -> Result<(), Fault> {
    let start = word.end - 1;
    word.end += 1;
    loop {
        let byte = text.get(word.end).ok_or((start, UNCLOSED))?;
        word.end += 1;
        match byte {
            b'\'' => return Ok(()),
            b'\\' => {}
            _ => {
                word.value.push(*byte);
                continue;
            }
        }
        let at = word.end;
        let next = text.get(at).ok_or((start, UNCLOSED))?;
        word.end += 1;
        word.value.push(match next {
            b'a' => 0x07,
            b'b' => 0x08,
            b'e' | b'E' => 0x1b,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 0x0b,
            b'\\' | b'\'' | b'"' | b'?' => *next,
            b'0'..=b'7' => {
                let digits = text[at..].iter().take(3);
                let digits = digits.take_while(|digit| matches!(digit, b'0'..=b'7'));
                word.end = at + digits.clone().count();
                digits.fold(0_u8, |code, digit| {
                    code.wrapping_mul(8).wrapping_add(digit - b'0')
                })
            }
            _ => return Err((at - 1, "there is an escape that is not known here")),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSIX: Dialect = Dialect {
        several_in_a_line: true,
        line_feeds: false,
    };

    #[track_caller]
    fn case(text: &str, value: &[u8], rest: &str) {
        let word = word(text.as_bytes(), 0, POSIX).unwrap();
        assert_eq!(word.value, value);
        assert_eq!(&text[word.end..], rest);
    }

    #[test]
    fn words_end_at_blanks_that_are_not_quoted() {
        case("", b"", "");
        case("a b", b"a", " b");
        case("a\r\nb", b"a", "\r\nb");
        case("a\rb", b"a\rb", "");
        case("''", b"", "");
        case("'a b'\"c d\"e f", b"a bc de", " f");
        case("'it'\\''s'", b"it's", "");
        case("'va'\"'\"'lue'", b"va'lue", "");
        case("a\\ b\\\nc", b"a bc", "");
        case("a\\", b"a", "");
        case(
            "\"\\$ \\` \\\" \\\\ \\n \\! \\\nx\"",
            b"$ ` \" \\ \\n \\! x",
            "",
        );
        case("$'a\\nb\\'\\303\\244\\0\\e'", b"a\nb'\xc3\xa4\0\x1b", "");
        case("a$", b"a$", "");
    }

    #[test]
    fn double_quotes_may_have_line_feeds() {
        let dialect = Dialect {
            line_feeds: true,
            ..POSIX
        };
        let word = word(br#""a\nb\\n\!""#, 0, dialect).unwrap();
        assert_eq!(word.value, b"a\nb\\n!");
    }

    #[test]
    fn references_are_seen_and_kept() {
        for (text, place) in [
            ("a$B", Some(1)),
            ("\"${B}\"", Some(1)),
            ("\"`b`\"", Some(1)),
            ("'$B'", None),
            ("\\$B", None),
            ("$1$$", None),
        ] {
            assert_eq!(word(text.as_bytes(), 0, POSIX).unwrap().reference, place);
        }
    }

    #[test]
    fn what_a_shell_would_not_take_for_a_word_is_a_fault() {
        for (text, place) in [
            ("a;b", 1),
            ("a'b", 1),
            ("\"a\\\"", 0),
            ("$'a\\'", 0),
            ("$'\\x41'", 2),
            ("a`b`", 1),
        ] {
            let fault = word(text.as_bytes(), 0, POSIX).unwrap_err();
            assert_eq!(fault.0, place, "{text}");
        }
    }
}
