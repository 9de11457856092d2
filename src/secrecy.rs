//! Keeps what looks like a secret out of what is shown.
//!
//! In: a text that is about to be shown. Out: the same, as long, with stars in place of the values that
//! stand behind a secret's name. It knows no grammar: a value that is hidden needlessly costs less than
//! one that is shown.

use std::borrow::Cow;

/// Parts of names whose values nobody should see, in lower case.
const NAMES: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "private_key",
    "credential",
    "_pass",
];

/// Returns the text with stars in place of values behind the name of a secret: `NAME=value`,
/// `NAME: value`, `--name value`.
#[must_use]
pub fn masked(text: &str) -> Cow<'_, str> {
    let lower = text.to_ascii_lowercase();
    let mut shown = Vec::new();
    let mut done = 0;
    while let Some((at, name)) = next_name(&lower, done) {
        let Some((start, end)) = value(text, at, at + name) else {
            shown.extend_from_slice(&text.as_bytes()[done..at + name]);
            done = at + name;
            continue;
        };
        shown.extend_from_slice(&text.as_bytes()[done..start]);
        shown.resize(shown.len() + (end - start), b'*');
        done = end;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    shown.extend_from_slice(&text.as_bytes()[done..]);
    Cow::Owned(String::from_utf8_lossy(&shown).into_owned())
}

/// Returns the next name at or behind a place, and its length.
fn next_name(lower: &str, from: usize) -> Option<(usize, usize)> {
    let bytes = lower.as_bytes();
    (from..bytes.len()).find_map(|at| {
        if !matches!(bytes[at], b'p' | b's' | b't' | b'a' | b'c' | b'_') {
            return None;
        }
        let name = NAMES
            .iter()
            .find(|name| bytes[at..].starts_with(name.as_bytes()))?;
        Some((at, name.len()))
    })
}

/// Returns where the value behind a name begins and ends, if there is one.
fn value(text: &str, start: usize, end: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let mut at = end;
    at += bytes[at..].iter().take_while(|byte| is_name(byte)).count();
    let before = bytes[..start].iter().rposition(|byte| !is_name(byte));
    let is_option = bytes[before.map_or(0, |at| at + 1)..start].starts_with(b"--");
    let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'' | b'\\' | b'`');
    at += bytes[at..].iter().take_while(|byte| is_quote(byte)).count();
    let blanks = bytes[at..].iter().take_while(|byte| **byte == b' ').count();
    at += blanks;
    match bytes.get(at) {
        Some(b'=' | b':') if bytes.get(at + 1) != Some(&b'/') => at += 1,
        // An option whose value is the next word.
        Some(byte) if blanks > 0 && is_option && *byte != b'-' => {}
        _ => return None,
    }
    at += bytes[at..].iter().take_while(|byte| **byte == b' ').count();
    let opening = bytes[at..].iter().take_while(|byte| is_quote(byte)).count();
    at += opening;
    // What only refers to a value shows none.
    if matches!(
        bytes.get(at),
        None | Some(b'$' | b'{' | b'[' | b'%' | b'\n' | b'=' | b'*')
    ) {
        return None;
    }
    let is_quoted = opening > 0 || before.is_some_and(|at| is_quote(&bytes[at]));
    let ends = |byte: &u8| {
        matches!(byte, b'"' | b'\'' | b'\n' | b'`')
            || (!is_quoted && matches!(byte, b' ' | b'\t' | b'\r' | b',' | b'}'))
    };
    let length = bytes[at..].iter().position(ends);
    let end = length.map_or(text.len(), |length| at + length);
    (end > at).then_some((at, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str, expected: &str) {
        assert_eq!(masked(text), expected);
        assert_eq!(masked(text).len(), text.len());
    }

    #[test]
    fn values_behind_the_names_of_secrets_are_hidden() {
        case(
            "Environment=DB_PASSWORD=hunter2 B",
            "Environment=DB_PASSWORD=******* B",
        );
        case("\"API_TOKEN=two words\" C=1", "\"API_TOKEN=*********\" C=1");
        case(
            "# mysql_password = hunter2\nnext",
            "# mysql_password = *******\nnext",
        );
        case(
            "{DB_PASSWORD: hunter2, B: 1}",
            "{DB_PASSWORD: *******, B: 1}",
        );
        case("run --password hunter2 -x", "run --password ******* -x");
        case("Secret=ä b", "Secret=** b");
        case("A_TOKEN=a B_TOKEN=b", "A_TOKEN=* B_TOKEN=*");
    }

    #[test]
    fn any_text_can_be_looked_at() {
        case("ä\u{a0}token=ß\u{a0}c", "ä\u{a0}token=*****");
        case("token=", "token=");
        case("\u{a0}secret", "\u{a0}secret");
    }

    #[test]
    fn what_is_no_value_stays() {
        for text in [
            "",
            "`DB_PASSWORD` stands in the unit",
            "-e API_TOKEN image",
            "PASSWORD=${FROM_ELSEWHERE}",
            "TOKEN=%i",
            "required: [DB_PASSWORD]",
            "token",
        ] {
            case(text, text);
        }
    }
}
