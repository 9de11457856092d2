//! Places in source texts: which file, which bytes, and the line and column a person would name.
//!
//! In: the texts that a run has read. Out: `Span` values that every later stage carries along, and
//! `Place` for showing one. Knows nothing of what the texts mean and never reads a file.

use std::sync::OnceLock;

/// A source text: what the user calls it, and what it holds.
#[derive(Debug, Clone)]
pub struct Source {
    /// The name as the user gave it, for messages.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Where each line begins; found when the first place is asked for.
    lines: OnceLock<Vec<u32>>,
}

/// Identifies a source within its `Sources`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub(crate) u32);

/// A range of bytes in one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The source that holds the range.
    pub source: SourceId,
    /// The first byte's offset.
    pub start: u32,
    /// The offset after the last byte.
    pub end: u32,
}

/// A position as people and editors write it: both numbers start at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place<'a> {
    /// The source's name.
    pub file: &'a str,
    /// The line.
    pub line: usize,
    /// The column in characters.
    pub column: usize,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spanned<T> {
    /// Where the value stands.
    pub span: Span,
    /// The value.
    pub value: T,
}

/// All source texts of a run, in the order in which they were read.
#[derive(Debug, Clone, Default)]
pub struct Sources(Vec<Source>);

impl Span {
    /// Returns the span of `length` bytes that begins `offset` bytes into this one.
    #[must_use]
    pub fn part(self, offset: usize, length: usize) -> Self {
        let start = self.start + narrow(offset);
        Self {
            start,
            end: start + narrow(length),
            ..self
        }
    }
}

impl Sources {
    /// Adds a source and returns its id.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        self.0.push(Source {
            name: name.into(),
            text: text.into(),
            lines: OnceLock::new(),
        });
        SourceId(narrow(self.0.len() - 1))
    }

    /// Returns the source that `id` names.
    #[must_use]
    pub fn get(&self, id: SourceId) -> &Source {
        &self.0[id.0 as usize]
    }

    /// Returns the text that `span` covers.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        let text = &self.get(span.source).text;
        text.get(span.start as usize..span.end as usize)
            .unwrap_or_default()
    }

    /// Returns the line and column at which `span` begins.
    #[must_use]
    pub fn place(&self, span: Span) -> Place<'_> {
        let source = self.get(span.source);
        let mut start = (span.start as usize).min(source.text.len());
        while !source.text.is_char_boundary(start) {
            start -= 1;
        }
        let lines = source.lines.get_or_init(|| {
            let ends = source.text.match_indices('\n');
            std::iter::once(0)
                .chain(ends.map(|(at, _)| narrow(at + 1)))
                .collect()
        });
        let line = lines.partition_point(|line_start| *line_start as usize <= start);
        let line_start = lines[line - 1] as usize;
        Place {
            file: &source.name,
            line,
            column: source.text[line_start..start].chars().count() + 1,
        }
    }
}

/// Returns an offset as a span holds it. Sources are limited to far less than 4 GiB where they are
/// read, so nothing is ever cut off here.
#[must_use]
pub fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_from_one() {
        let mut sources = Sources::default();
        let source = sources.add("a.yaml", "x: 1\nä: yes\n");
        let span = Span {
            source,
            start: 9,
            end: 12,
        };
        assert_eq!(sources.slice(span), "yes");
        let place = sources.place(span);
        assert_eq!((place.file, place.line, place.column), ("a.yaml", 2, 4));
    }
}
