//! Options of `docker run` as a shell takes them from `$(unitgen env docker)`: words between blanks.
//!
//! In: variables. Out: one line, or each variable whose value a shell would tear or replace. A shell
//! splits what a substitution gives at blanks, tabs and line feeds, and takes each part that has a `*`,
//! `?` or `[` for the names of files; some shells lose a backslash at that. There is no way to quote.

use crate::config::export::Refusal;
use crate::config::steering::reader;
use crate::config::variable::{Name, Value, Variables};
use crate::env::limit;

/// Writes `-e NAME=value` for each variable.
///
/// # Errors
/// Returns all variables that a shell would not hand on as they are.
pub fn values(variables: &Variables) -> Result<Vec<u8>, Vec<Refusal>> {
    let refused = |(name, value): (&Name, &Value)| {
        let reason = refusal(name, value)?;
        let name = name.clone();
        Some(Refusal { name, reason })
    };
    let refusals: Vec<Refusal> = variables.iter().filter_map(refused).collect();
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let words = variables.iter().map(|(name, value)| {
        let mut word = format!("-e {name}=").into_bytes();
        word.extend(value.as_bytes());
        word
    });
    Ok(line(&words.collect::<Vec<_>>()))
}

/// Writes `-e NAME` for each variable. docker takes the values from its own environment: a name that stands
/// there for docker's own sake would hand the machine's value to the container.
///
/// # Errors
/// Returns all variables of such names.
pub fn names(variables: &Variables) -> Result<Vec<u8>, Vec<Refusal>> {
    let steering = variables
        .iter()
        .filter(|(name, _)| reader(name.as_str()).is_some());
    let refusals: Vec<Refusal> = steering
        .map(|(name, _)| Refusal {
            name: name.clone(),
            reason: "docker itself may have a variable of that name",
        })
        .collect();
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let words = variables.iter().map(|(name, _)| format!("-e {name}"));
    Ok(line(&words.map(String::into_bytes).collect::<Vec<_>>()))
}

fn line(words: &[Vec<u8>]) -> Vec<u8> {
    let mut line = words.join(&b' ');
    if !line.is_empty() {
        line.push(b'\n');
    }
    line
}

fn refusal(name: &Name, value: &Value) -> Option<&'static str> {
    let has = |wanted: fn(u8) -> bool| value.as_bytes().iter().any(|byte| wanted(*byte));
    if has(|byte| matches!(byte, b' ' | b'\t'..=b'\r')) {
        Some("the value has white space, at which a shell splits it")
    } else if has(|byte| matches!(byte, b'*' | b'?' | b'[')) {
        Some("the value has a `*`, `?` or `[`, which a shell takes for names of files")
    } else if has(|byte| byte == b'\\') {
        Some("the value has a backslash, which some shells take away")
    } else if limit::is_too_long(name, value) {
        Some("the value has more than the 128 KiB that a word can have")
    } else {
        None
    }
}
