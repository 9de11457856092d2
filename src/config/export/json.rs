//! An object with a string for each variable.

use std::collections::BTreeMap;

use crate::config::export::{NOT_UTF8, Refusal, Text};
use crate::config::variable::Variables;

/// Writes an object.
pub(super) fn write(variables: &Variables) -> Result<Text, Vec<Refusal>> {
    let mut object = BTreeMap::new();
    let mut refusals = Vec::new();
    for (name, value) in variables.iter() {
        match value.as_text() {
            Some(text) => {
                object.insert(name.as_str(), text);
            }
            None => refusals.push(Refusal {
                name: name.clone(),
                reason: NOT_UTF8,
            }),
        }
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    // Strings by strings are JSON, whatever they hold.
    let text = serde_json::to_string_pretty(&object).unwrap_or_default();
    Ok(Text((text + "\n").into_bytes()))
}
