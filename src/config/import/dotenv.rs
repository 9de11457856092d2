//! A `.env` file: lines `NAME=value`, with a shell's quotes or what looks like them.
//!
//! There is no one grammar. This is what the readers of it have in common (bkeepers/dotenv for Ruby,
//! motdotla/dotenv for Node.js, python-dotenv, joho/godotenv, compose-go); where they differ, the value
//! is the one stated here, and a warning names it:
//!
//! - `export` before a name, blanks around `=`, blank lines, `#` comments and CRLF are allowed by all.
//! - Single quotes hold everything but a single quote as it stands, over several lines too. (Python
//!   takes a backslash from `\\` and `\'`.)
//! - Double quotes have the escapes `\n`, `\r`, `\t`, `\"`, `\\`, `\$`; also `\!` and `` \` ``, which
//!   godotenv writes, and with it `dokku config:export --format envfile`. A backslash before a line end
//!   continues the line. Any other escape keeps its backslash (Node.js, Python, compose-go; Ruby and
//!   godotenv drop it), with a warning.
//! - What has no quotes goes to the line's end, or to a `#` behind a blank; blanks around it are
//!   dropped, and a backslash is itself. `a#b` is one value (Python, godotenv, compose-go; Ruby and
//!   Node.js see a comment), and backticks are no quotes (they are in Node.js): both with a warning.
//! - `$B`, `${B}` and `$(b)` are taken as they stand, as in Node.js, with a warning: Ruby, Python,
//!   godotenv and compose-go put something in their place, but what a variable is when a configuration
//!   is imported is not what it is where the app runs.
//! - `NAME: value`, which three of them allow, and a name without a value are mistakes.

use crate::config::import::draft::{Draft, beginning, is_blank, is_reference, line_end};
use crate::config::import::shell::behind_export;
use crate::config::variable::Name;

/// Reads a text.
pub(super) fn read(text: &[u8], draft: &mut Draft) {
    let mut at = beginning(text);
    while at < text.len() {
        at += text[at..]
            .iter()
            .take_while(|byte| is_space(**byte))
            .count();
        match text.get(at) {
            None => {}
            Some(b'#') => at = line_end(text, at),
            Some(_) => at = entry(text, at, draft),
        }
    }
}

/// Tells whether a byte is a blank or ends a line.
fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace()
}

/// Reads an entry that begins at an offset, and returns where it ends: where its first line does, if
/// it has a mistake.
fn entry(text: &[u8], at: usize, draft: &mut Draft) -> usize {
    let end = line_end(text, at);
    let start = behind_export(text, at);
    let Some(length) = text[start..end].iter().position(|byte| *byte == b'=') else {
        draft.error(start, "this is not `NAME=value`".to_owned());
        return end;
    };
    let value = start + length + 1;
    let name = draft.name(start, text[start..start + length].trim_ascii_end());
    let blanks = text[value..end]
        .iter()
        .take_while(|byte| is_blank(**byte))
        .count();
    let quote = value + blanks;
    let quoted = match text[quote..end].first() {
        Some(b'\'') => single(text, quote),
        Some(b'"') => double(text, quote),
        _ => {
            if let Some(name) = name {
                let value = bare(text, value, end, &name, draft);
                draft.set(start, name, value);
            }
            return end;
        }
    };
    let of = |name: &Option<Name>| {
        name.as_ref()
            .map_or(String::new(), |name| format!("`{name}`: "))
    };
    let Some(quoted) = quoted else {
        draft.error(quote, format!("{}this quote is not closed", of(&name)));
        return end;
    };
    let end = line_end(text, quoted.end);
    let behind = text[quoted.end..end].trim_ascii_start();
    if !behind.is_empty() && !behind.starts_with(b"#") {
        let reason = format!("{}there is more text behind the closing quote", of(&name));
        draft.error(end - behind.len(), reason);
    } else if let Some(name) = name {
        if let Some(place) = quoted.reference {
            draft.reference(place, &name);
        }
        if let Some(place) = quoted.unknown {
            let reason =
                format!("`{name}` has a backslash that begins no known escape; it is kept");
            draft.warning(place, reason);
        }
        draft.set(start, name, quoted.value);
    }
    end
}

/// Reads what has no quotes, from the `=` to the line's end.
fn bare(text: &[u8], start: usize, end: usize, name: &Name, draft: &mut Draft) -> Vec<u8> {
    let line = &text[start..end];
    let is_comment = |pair: &[u8]| is_blank(pair[0]) && pair[1] == b'#';
    let length = line.windows(2).position(is_comment).unwrap_or(line.len());
    let blanks = line[..length].len() - line[..length].trim_ascii_start().len();
    let (value, start) = (line[..length].trim_ascii(), start + blanks);
    let dollar = |at: &usize| value[*at] == b'$' && is_reference(&value[at + 1..]);
    if let Some(place) = (0..value.len()).find(dollar) {
        draft.reference(start + place, name);
    }
    if let Some(place) = value.iter().position(|byte| *byte == b'#') {
        let reason =
            format!("`{name}` has a `#` that some readers take for a comment; it needs quotes");
        draft.warning(start + place, reason);
    }
    if let Some(place) = value.iter().position(|byte| *byte == b'\r') {
        // Ruby and Node.js see a line end.
        let reason = format!("`{name}` has a carriage return that ends no line; it needs quotes");
        draft.error(start + place, reason);
    }
    if value.starts_with(b"`") {
        let reason = format!("`{name}` begins with a backtick, which is taken as it stands");
        draft.warning(start, reason);
    }
    value.to_vec()
}

/// What stood between quotes.
#[derive(Default)]
struct Quoted {
    value: Vec<u8>,
    /// Where the text goes on.
    end: usize,
    /// Where it first refers to something.
    reference: Option<usize>,
    /// Where the first escape stands that is not known.
    unknown: Option<usize>,
}

/// Tells whether a line end of two bytes stands at an offset. Within quotes it is a line feed, as it
/// would be in the same file with line ends of one byte.
fn is_crlf(text: &[u8], at: usize) -> bool {
    text[at..].starts_with(b"\r\n")
}

/// Reads from the single quote at an offset to the next one, if there is one.
fn single(text: &[u8], quote: usize) -> Option<Quoted> {
    let start = quote + 1;
    let length = text[start..].iter().position(|byte| *byte == b'\'')?;
    let end = start + length;
    let kept = (start..end).filter(|at| !is_crlf(text, *at));
    Some(Quoted {
        value: kept.map(|at| text[at]).collect(),
        end: end + 1,
        ..Quoted::default()
    })
}

/// Reads from the double quote at an offset to the next one that is not escaped, if there is one.
fn double(text: &[u8], quote: usize) -> Option<Quoted> {
    let mut quoted = Quoted::default();
    let mut at = quote + 1;
    loop {
        match *text.get(at)? {
            b'"' => break,
            b'\\' => at += escape(text, at, &mut quoted)?,
            b'\r' if is_crlf(text, at) => {}
            byte => {
                if byte == b'$' && is_reference(&text[at + 1..]) {
                    quoted.reference.get_or_insert(at);
                }
                quoted.value.push(byte);
            }
        }
        at += 1;
    }
    quoted.end = at + 1;
    Some(quoted)
}

/// Reads the escape at an offset, and returns how many bytes follow its backslash.
fn escape(text: &[u8], at: usize, quoted: &mut Quoted) -> Option<usize> {
    if is_crlf(text, at + 1) {
        return Some(2);
    }
    let next = *text.get(at + 1)?;
    quoted.value.push(match next {
        b'\n' => return Some(1),
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'"' | b'\\' | b'$' | b'!' | b'`' => next,
        _ => {
            quoted.unknown.get_or_insert(at);
            quoted.value.push(b'\\');
            return Some(0);
        }
    });
    Some(1)
}
