//! The replacement of variables when a command is started.
//!
//! In: the words of a command as systemd has loaded them, and the environment
//! of the process. Out: the words the process receives.
//!
//! It must not know unit files; the words are already unquoted and their
//! specifiers expanded.

use std::collections::BTreeMap;

use crate::unit::words::{Rules, extract_word};

/// Replaces the variables in a command's words. A command with the prefix `:`
/// is not to be passed through this. The environment consists of `NAME=value`;
/// of a name that is there twice the last one counts.
#[must_use]
pub fn substitute<W: AsRef<[u8]>, E: AsRef<[u8]>>(words: &[W], environment: &[E]) -> Vec<Vec<u8>> {
    let mut variables = Variables::new();
    for assignment in environment {
        let assignment = assignment.as_ref();
        if let Some(equals) = assignment.iter().position(|&byte| byte == b'=') {
            variables.insert(&assignment[..equals], &assignment[equals + 1..]);
        }
    }
    let mut result = Vec::with_capacity(words.len());
    for word in words {
        match word.as_ref() {
            // A variable that is a word of its own, or what looks like one: its
            // value is split, and what is not set leaves nothing.
            [b'$', name @ ..] if !matches!(name.first(), Some(b'{' | b'$')) => {
                let mut value = variables.get(name).copied().unwrap_or_default();
                while let Ok(Some(part)) = extract_word(&mut value, Rules::VARIABLE) {
                    result.push(part.into_owned());
                }
            }
            word => result.push(substitute_within(word, &variables)),
        }
    }
    result
}

type Variables<'a> = BTreeMap<&'a [u8], &'a [u8]>;

/// Replaces `${NAME}` by the variable's value and `$$` by `$`.
fn substitute_within(word: &[u8], variables: &Variables<'_>) -> Vec<u8> {
    let mut result = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some(dollar) = rest.iter().position(|&byte| byte == b'$') {
        result.extend_from_slice(&rest[..dollar]);
        rest = &rest[dollar..];
        match rest.get(1) {
            Some(b'$') => {
                result.push(b'$');
                rest = &rest[2..];
            }
            Some(b'{') => {
                let end = rest.iter().position(|byte| matches!(byte, b'}' | b':'));
                match end {
                    Some(end) if rest[end] == b'}' => {
                        let value = variables.get(&rest[2..end]).copied().unwrap_or_default();
                        result.extend_from_slice(value);
                        rest = &rest[end + 1..];
                    }
                    Some(end) => {
                        // `${NAME:` is left alone, and so is what follows it.
                        result.extend_from_slice(&rest[..=end]);
                        rest = &rest[end + 1..];
                    }
                    None => break,
                }
            }
            Some(_) => {
                // This character is passed over even if it is the next one to
                // mean something.
                result.extend_from_slice(&rest[..2]);
                rest = &rest[2..];
            }
            None => break,
        }
    }
    result.extend_from_slice(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the words a process gets, each in brackets.
    fn received(words: &str) -> String {
        const ENVIRONMENT: [&str; 7] = [
            "TWO=one two",
            "X=x",
            "EMPTY=",
            "QUOTED=a 'b c' d\\ e",
            "NEST=${X}",
            "X=y",
            "nothing",
        ];
        let words: Vec<_> = words.split('|').collect();
        let mut shown = String::new();
        for word in substitute(&words, &ENVIRONMENT) {
            shown.extend(["[", &String::from_utf8_lossy(&word), "]"]);
        }
        shown
    }

    #[track_caller]
    fn case(words: &str, expected: &str) {
        assert_eq!(received(words), expected, "{words}");
    }

    #[test]
    fn a_variable_alone_is_split() {
        case("$TWO|$X", "[one][two][y]");
        case("$QUOTED", "[a][b c][d e]");
        case("$UNSET|$EMPTY|end", "[end]");
    }

    #[test]
    fn braces_never_split() {
        case("${TWO}|a${X}b${X}", "[one two][ayby]");
        case("${UNSET}|a${EMPTY}b", "[][ab]");
        case("${NEST}|$NEST", "[${X}][${X}]");
        case("${1}|${a-b}", "[][]");
    }

    #[test]
    fn a_word_that_only_starts_like_one_vanishes() {
        case("$X/y|$X:80|$(cmd)|$|end", "[end]");
    }

    #[test]
    fn the_rest_is_literal() {
        case("a$X|--b=$X|a$", "[a$X][--b=$X][a$]");
        case("${X:-z}|${X|a${", "[${X:-z}][${X][a${]");
        case("$$X|a$$b|$${X}|$$", "[$X][a$b][${X}][$]");
        case("a$b${X}", "[a$by]");
        case("", "[]");
    }
}
