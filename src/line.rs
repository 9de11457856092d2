//! One directive on its way into a unit's text.
//!
//! Carries who gave it, so that a fault in the text points back to the manifest. Knows nothing of how
//! the text is written.

use std::ops::Deref;
use std::sync::Arc;

use crate::span::Span;

/// Begins and ends a token that stands for a value in a `Meaning`'s pattern: letters that may stand
/// anywhere, in a variable's name too, and that no template holds.
pub const TOKEN: &str = "u7Token7u";

/// One directive of a unit on its way to the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it says. Lines that a template gives alike to all units share it.
    pub content: Arc<Content>,
    /// Who gave it.
    pub origin: Origin,
}

/// What a directive says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// The section.
    pub section: String,
    /// The directive's name.
    pub name: String,
    /// The value, in one line. An `Exec` line's words are separated by single blanks.
    pub value: String,
    /// The words between which the line may be wrapped.
    pub words: Option<Vec<String>>,
    /// What its values are to be read as, where there are any that needed care.
    pub meaning: Option<Meaning>,
    /// Its words have been read back already and are as they are meant.
    pub proven: bool,
}

impl Line {
    /// Returns a line whose text stands as it is.
    #[must_use]
    pub fn new(section: &str, name: &str, value: &str, origin: Origin) -> Self {
        let content = Content {
            section: section.to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
            ..Content::default()
        };
        Self {
            content: Arc::new(content),
            origin,
        }
    }
}

impl Deref for Line {
    type Target = Content;

    fn deref(&self) -> &Content {
        &self.content
    }
}

/// Who gave a directive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The template.
    Template,
    /// The manifest, at this place.
    Manifest(Span),
    /// unitgen itself.
    Engine,
}

impl Origin {
    /// Returns the manifest's place that gave the directive.
    #[must_use]
    pub fn span(self) -> Option<Span> {
        match self {
            Self::Manifest(span) => Some(span),
            Self::Template | Self::Engine => None,
        }
    }
}

/// What a line with values is to be read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// The line with a token in place of each value.
    pub pattern: String,
    /// The values.
    pub values: Vec<String>,
}
