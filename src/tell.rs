//! Words for what was found out.
//!
//! In: values such as a diff, and the texts that they point into. Out: text for people, Markdown,
//! annotations, JSON. What looks like a secret is hidden in all of them. Knows nothing of where any of
//! it is written.

pub mod announce;
pub mod config;
pub mod deploy;
pub mod fold;
pub mod github;
pub mod instance;
pub mod json;
pub mod lock;
pub mod markdown;
mod paint;
pub mod pieces;
pub mod status;
pub mod submit;
pub mod summary;
pub mod text;

use crate::span::{Sources, Span};

/// Writes a number and a noun: `1 unit`, `2 units`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        return format!("1 {noun}");
    }
    format!("{number} {noun}s")
}

/// Writes a place as `file:line:column`.
#[must_use]
pub fn place(span: Span, sources: &Sources) -> String {
    let place = sources.place(span);
    format!("{}:{}:{}", place.file, place.line, place.column)
}
