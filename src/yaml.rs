//! A YAML text as a tree in which every value knows its place.
//!
//! In: one source text. Out: its tree of `Node`s, with aliases resolved (shared, never copied) and
//! merge keys carried out, and a report of what is no good YAML. Scalars keep their text as
//! written: `1.10` and `0755` are decided by whoever reads them. Knows nothing of manifests.

pub mod builder;
pub mod field;
pub mod read_error;
pub mod reader;

use std::sync::Arc;

use serde_yaml::granit_parser::Parser;

use crate::diagnostic::Report;
use crate::span::{SourceId, Sources, Span};
use crate::yaml::builder::Builder;

/// The greatest number of values that a text may hold once its aliases are followed. An alias bomb
/// passes it with a few lines; a manifest of 10,000 apps has a twentieth of it.
pub const VALUES_MAXIMUM: u64 = 4_000_000;

/// The greatest depth of values within values. A manifest needs seven.
pub const DEPTH_MAXIMUM: usize = 64;

/// A value and its place.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum Value {
    /// `null`, `~` or nothing at all.
    Null,
    /// A `null` that has taken a lower layer's value away.
    Removed,
    /// A text.
    Scalar {
        /// The text after YAML's own quoting.
        text: String,
        /// Written without quotes, so that it may stand for a number or a boolean.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Arc<Node>>),
    /// A map; its keys are distinct and in their written order.
    Mapping(Vec<Entry>),
}

/// A key of a map with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key: always a scalar.
    pub key: Arc<Node>,
    /// The value.
    pub node: Arc<Node>,
}

impl Entry {
    /// Returns the key's text.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.key.value {
            Value::Scalar { text, .. } => text,
            _ => "",
        }
    }
}

impl Node {
    /// Returns the entries of a map, and none for anything else.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// Returns a map's entry of that key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.name() == key)
    }

    /// Says what kind of value this is, with its article.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null | Value::Removed => "nothing",
            Value::Scalar { .. } => "a single value",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a map",
        }
    }

    /// Tells whether the value is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null | Value::Removed)
    }
}

/// Reads a source's text. An empty text gives `None`.
pub fn parse(sources: &Sources, source: SourceId, report: &mut Report) -> Option<Arc<Node>> {
    parse_part(&sources.get(source).text, source, 0, report)
}

/// Reads a text that stands in a source behind so many bytes of something else. An empty text gives
/// `None`.
pub fn parse_part(
    text: &str,
    source: SourceId,
    offset: usize,
    report: &mut Report,
) -> Option<Arc<Node>> {
    let mut builder = Builder::new(source, offset, text.len(), report);
    for event in Parser::new_from_str(text) {
        let result = match event {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => Err(builder.scan_error(&error)),
        };
        if let Err(diagnostic) = result {
            builder.report(diagnostic);
            return None;
        }
    }
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<String>, Vec<String>) {
        let mut sources = Sources::default();
        let source = sources.add("t", text);
        let mut report = Report::default();
        let node = parse(&sources, source, &mut report);
        let messages = report
            .diagnostics()
            .iter()
            .map(|d| {
                let place = d.span.map(|span| {
                    let place = sources.place(span);
                    format!("{}:{} ", place.line, place.column)
                });
                let label = if d.label.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", d.label)
                };
                format!("{}{}{label}", place.unwrap_or_default(), d.message)
            })
            .collect();
        (node.map(|node| show(&node)), messages)
    }

    fn show(node: &Node) -> String {
        match &node.value {
            Value::Null | Value::Removed => "null".to_owned(),
            Value::Scalar { text, plain: true } => text.clone(),
            Value::Scalar { text, plain: false } => format!("{text:?}"),
            Value::Sequence(items) => {
                let items: Vec<_> = items.iter().map(|item| show(item)).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Mapping(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|entry| format!("{}: {}", entry.name(), show(&entry.node)))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    #[track_caller]
    fn good(text: &str, expected: &str) {
        assert_eq!(read(text), (Some(expected.to_owned()), Vec::new()));
    }

    #[track_caller]
    fn bad(text: &str, expected: &str) {
        assert_eq!(read(text).1, [expected]);
    }

    #[test]
    fn scalars_keep_their_text() {
        good(
            "a: 1.10\nb: no\nc: '0755'\nd:\ne: ~\nf: \"\"",
            "{a: 1.10, b: no, c: \"0755\", d: null, e: null, f: \"\"}",
        );
        good("!!str 1", "\"1\"");
    }

    #[test]
    fn aliases_and_merge_keys() {
        good(
            "x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: *x",
            "{x: {a: 1, b: 2}, y: {b: 3, a: 1}, z: {a: 1, b: 2}}",
        );
        good(
            "p: &p {a: 1}\nq: &q {a: 2, b: 2}\nr: {<<: [*p, *q]}",
            "{p: {a: 1}, q: {a: 2, b: 2}, r: {a: 1, b: 2}}",
        );
        bad(
            "<<: 3",
            "1:5 `<<` takes a map or a list of maps, as in `<<: *name` (this is a single value)",
        );
    }

    #[test]
    fn what_is_no_manifest_is_refused_with_its_place() {
        bad("a: 1\na: 2", "2:1 `a` stands here twice (again here)");
        bad(
            "a: 1\n---\nb: 2",
            "2:1 there is a second document here (a manifest is one document)",
        );
        bad("a: !secret x", "1:12 the tag `!secret` means nothing here");
        bad("a: &x [*x]", "1:8 this alias stands within its own anchor");
        bad("[a]: 1", "1:1 a key must be a single value");
        bad(
            &format!("{}{}", "[".repeat(65), "]".repeat(65)),
            "1:65 values are nested more than 64 deep",
        );
        assert_eq!(read("").0, None);
    }

    #[test]
    fn a_duplicate_among_many_keys_is_found() {
        let mut text = String::new();
        for number in 0..40 {
            text.push_str(&format!("k{number}: 1\n"));
        }
        text.push_str("k3: 2\n");
        bad(&text, "41:1 `k3` stands here twice (again here)");
    }

    #[test]
    fn an_alias_bomb_is_refused_before_it_grows() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..30 {
            let below = level - 1;
            let list = vec![format!("*a{below}"); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{list}]\n"));
        }
        let (node, messages) = read(&text);
        assert_eq!(node, None);
        assert_eq!(
            messages,
            ["7:25 there are more than 4000000 values once aliases are followed"]
        );
    }
}
