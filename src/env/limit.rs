//! What the kernel lets a program have: `MAX_ARG_STRLEN` for each word and variable, and a limit for all
//! of them together.
//!
//! In: lengths. Out: what does not fit. Knows nothing of where limits are asked for.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use crate::config::variable::{Name, Value};

/// The greatest length in bytes of a word or of `NAME=value`, with the NUL at its end: 32 pages.
const STRING_LENGTH_MAXIMUM: usize = 128 * 1024;

/// Room for what the kernel adds: the program's path, an interpreter's words, the auxiliary vector.
const RESERVE: usize = 8 * 1024;

/// Tells whether a variable is too long for any environment or word.
#[must_use]
pub fn is_too_long(name: &Name, value: &Value) -> bool {
    name.as_str().len() + "=".len() + value.as_bytes().len() + 1 > STRING_LENGTH_MAXIMUM
}

/// Returns how many bytes words and an environment take, as the kernel counts them.
#[must_use]
pub fn total(words: &[OsString], environment: &[(OsString, OsString)]) -> usize {
    let pointer = size_of::<usize>();
    let words: usize = words.iter().map(|word| word.len() + 1 + pointer).sum();
    let variable =
        |(name, value): &(OsString, OsString)| name.len() + "=".len() + value.len() + 1 + pointer;
    RESERVE + words + environment.iter().map(variable).sum::<usize>()
}

/// Returns the names of the longest variables, the longest first.
#[must_use]
pub fn longest(environment: &[(OsString, OsString)]) -> Vec<String> {
    let mut sorted: Vec<_> = environment.iter().collect();
    sorted.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    let names = sorted.iter().take(3).map(|(name, _)| name.as_bytes());
    names
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect()
}
