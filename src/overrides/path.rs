//! The path of a value that is laid over the manifest: keys joined by dots.
//!
//! In: `PATH=VALUE`. Out: the keys, and where the value begins. Knows nothing of what keys there are.

use crate::visible::is_unseen;
use crate::yaml::DEPTH_MAXIMUM;

/// A key of a path, and which bytes of the text it takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What is wrong with a path, and with which bytes of the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PathError {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) message: &'static str,
    pub(super) help: &'static str,
}

/// Splits a text into the keys of its path and where its value begins.
///
/// # Errors
/// Says what is no path.
pub(super) fn split(text: &str) -> Result<(Vec<Key>, usize), PathError> {
    let error = |start, end, message, help| PathError {
        start,
        end,
        message,
        help,
    };
    let form = "say `--set PATH=VALUE`, as in `--set hub.versions=v42`";
    let quotes = "put double quotes around a key that has dots, blanks or quotes";
    if !text.contains('=') {
        return Err(error(
            0,
            text.len(),
            "there is no `=` and so no value",
            form,
        ));
    }
    let mut keys = Vec::new();
    let mut at = 0;
    loop {
        let key = match text[at..].strip_prefix('"') {
            Some(rest) => quoted(rest, at),
            None => Some(plain(&text[at..], at)),
        };
        let Some(key) = key else {
            let message = "this key's quotes have no end";
            return Err(error(at, text.len(), message, form));
        };
        let end = key.end;
        if key.name.is_empty() {
            return Err(error(
                at,
                (at + 1).min(text.len()),
                "there is no key here",
                form,
            ));
        }
        keys.push(key);
        if keys.len() > DEPTH_MAXIMUM {
            return Err(error(at, end, "there are too many keys", form));
        }
        match text[end..].chars().next() {
            Some('.') => at = end + 1,
            Some('=') => return Ok((keys, end + 1)),
            Some(other) => {
                let message = "a `.` or a `=` should stand here";
                return Err(error(end, end + other.len_utf8(), message, quotes));
            }
            None => {
                return Err(error(
                    0,
                    text.len(),
                    "there is no `=` and so no value",
                    form,
                ));
            }
        }
    }
}

/// Reads a key as it stands.
fn plain(text: &str, start: usize) -> Key {
    let length = text.find(is_odd).unwrap_or(text.len());
    Key {
        name: text[..length].to_owned(),
        start,
        end: start + length,
    }
}

/// Tells whether a key with this character stands in quotes.
fn is_odd(c: char) -> bool {
    matches!(c, '.' | '=' | '"' | '\\') || c.is_whitespace() || is_unseen(c)
}

/// Reads a key whose quotes begin at `start`; a backslash takes the next character as it stands.
fn quoted(text: &str, start: usize) -> Option<Key> {
    let mut name = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => {
                let end = start + at + 2;
                return Some(Key { name, start, end });
            }
            '\\' => name.push(characters.next()?.1),
            _ => name.push(character),
        }
    }
    None
}

/// Writes a path.
pub(super) fn written(names: &[String]) -> String {
    let key = |name: &String| {
        if name.contains(is_odd) {
            format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
        } else {
            name.clone()
        }
    };
    names.iter().map(key).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn good(text: &str, keys: &[&str], value: &str) {
        let (found, at) = split(text).unwrap();
        let names: Vec<String> = found.iter().map(|key| key.name.clone()).collect();
        assert_eq!(
            (names.as_slice(), &text[at..]),
            (
                &keys.iter().map(ToString::to_string).collect::<Vec<_>>()[..],
                value
            )
        );
        let again = format!("{}={value}", written(&names));
        let (found, at) = split(&again).unwrap();
        let again_names: Vec<String> = found.into_iter().map(|key| key.name).collect();
        assert_eq!((again_names, &again[at..]), (names, value));
    }

    #[track_caller]
    fn bad(text: &str, place: &str, message: &str) {
        let error = split(text).unwrap_err();
        assert_eq!(
            (&text[error.start..error.end], error.message),
            (place, message)
        );
    }

    #[test]
    fn paths_are_split() {
        good("a=", &["a"], "");
        good("hub.versions=v42", &["hub", "versions"], "v42");
        good("a.b=c=d.e\n", &["a", "b"], "c=d.e\n");
        good("a.\"b.c=\".d=1", &["a", "b.c=", "d"], "1");
        good("\"a\\\"\\\\ b\".ä=\"", &["a\"\\ b", "ä"], "\"");
        good("a.<<=x", &["a", "<<"], "x");
    }

    #[test]
    fn what_is_no_path_is_refused_with_its_place() {
        let (no_value, no_key) = ("there is no `=` and so no value", "there is no key here");
        bad("", "", no_value);
        bad("a", "a", no_value);
        bad("\"a=b\"", "\"a=b\"", no_value);
        bad("=x", "=", no_key);
        bad("a..b=1", ".", no_key);
        bad(".a=1", ".", no_key);
        bad("a.=1", "=", no_key);
        bad("a.\"\"=1", "\"", no_key);
        bad("a.\"b=1", "\"b=1", "this key's quotes have no end");
        bad("a.\"b\\=1", "\"b\\=1", "this key's quotes have no end");
        let other = "a `.` or a `=` should stand here";
        bad("a b=1", " ", other);
        bad("a\u{a0}=1", "\u{a0}", other);
        bad("a.\"b\"c=1", "c", other);
        bad("a\"b\"=1", "\"", other);
        bad(
            &format!("{}a=1", "a.".repeat(64)),
            "a",
            "there are too many keys",
        );
    }
}
