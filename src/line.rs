//! One directive on its way into a unit's text.
//!
//! Carries who gave it, so that a fault in the text points back to the manifest. Knows nothing of how
//! the text is written.

use crate::span::Span;

/// Begins and ends a token that stands for a value in a `Meaning`'s pattern: letters that may stand
/// anywhere, in a variable's name too, and that no template holds.
pub const TOKEN: &str = "u7Token7u";

/// One directive of a unit on its way to the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The section.
    pub section: String,
    /// The directive's name.
    pub name: String,
    /// The value, in one line.
    pub value: String,
    /// The words between which the line may be wrapped.
    pub words: Option<Vec<String>>,
    /// What its values are to be read as.
    pub meaning: Option<Meaning>,
    /// Who gave it.
    pub origin: Origin,
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
