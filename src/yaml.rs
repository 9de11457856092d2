//! A YAML text as a tree in which every value knows its place.
//!
//! In: one source text. Out: its tree of `Node`s, with aliases resolved (shared, never copied) and
//! merge keys carried out, and a report of what is no good YAML. Scalars keep their text as
//! written: `1.10` and `0755` are decided by whoever reads them. Knows nothing of manifests.

pub mod field;
pub mod reader;

use std::collections::HashMap;
use std::sync::Arc;

use serde_yaml::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span as YamlSpan, Tag};

use crate::diagnostic::{Diagnostic, Report};
use crate::span::{SourceId, Sources, Span, narrow};

/// The greatest number of values that a text may hold once its aliases are followed. An alias bomb
/// passes it with a few lines; a manifest of 10,000 apps has a twentieth of it.
pub const VALUES_MAXIMUM: u64 = 4_000_000;

/// The greatest depth of values within values. A manifest needs seven.
pub const DEPTH_MAXIMUM: usize = 64;

/// A value and its place.
#[derive(Debug)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Debug)]
pub enum Value {
    /// `null`, `~` or nothing at all.
    Null,
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
            Value::Null => "nothing",
            Value::Scalar { .. } => "a single value",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a map",
        }
    }

    /// Tells whether the value is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }
}

/// Reads a source's text. An empty text gives `None`.
pub fn parse(sources: &Sources, source: SourceId, report: &mut Report) -> Option<Arc<Node>> {
    let text = &sources.get(source).text;
    let mut builder = Builder {
        source,
        length: text.len(),
        report,
        anchors: HashMap::new(),
        open: Vec::new(),
        root: None,
        documents: 0,
    };
    for event in Parser::new_from_str(text) {
        let result = match event {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => Err(builder.scan_error(&error)),
        };
        if let Err(diagnostic) = result {
            builder.report.push(diagnostic);
            return None;
        }
    }
    builder.root
}

/// A value with the number of values that following its aliases would visit.
type Weighed = (Arc<Node>, u64);

/// A collection that has begun and not yet ended.
struct Open {
    start: Span,
    anchor: usize,
    weight: u64,
    content: Content,
}

enum Content {
    Sequence(Vec<Arc<Node>>),
    Mapping {
        entries: Vec<Entry>,
        /// Which entry a key has; only built where a linear search would cost.
        index: HashMap<String, usize>,
        key: Option<Arc<Node>>,
        /// What `<<` named, earliest first.
        merged: Vec<(Arc<Node>, Span)>,
    },
}

struct Builder<'a> {
    source: SourceId,
    length: usize,
    report: &'a mut Report,
    anchors: HashMap<usize, Weighed>,
    open: Vec<Open>,
    root: Option<Arc<Node>>,
    documents: usize,
}

impl Builder<'_> {
    fn span(&self, span: &YamlSpan) -> Span {
        let range = span.byte_range().unwrap_or(0..0);
        Span {
            source: self.source,
            start: narrow(range.start.min(self.length)),
            end: narrow(range.end.min(self.length)),
        }
    }

    fn scan_error(&self, error: &ScanError) -> Diagnostic {
        let at = error.marker().byte_offset().unwrap_or(0).min(self.length);
        let span = Span {
            source: self.source,
            start: narrow(at),
            end: narrow((at + 1).min(self.length)),
        };
        Diagnostic::error(span, "this is no valid YAML").label(error.info())
    }

    fn take(&mut self, event: Event<'_>, span: &YamlSpan) -> Result<(), Diagnostic> {
        let span = self.span(span);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(Diagnostic::error(span, "there is a second document here")
                        .label("a manifest is one document")
                        .help("give several files with several `-f`"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = plain(style, tag.as_deref(), span)?;
                self.scalar(text.into_owned(), plain, anchor, span)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                refuse_tag(tag.as_deref(), "seq", span)?;
                self.begin(Content::Sequence(Vec::new()), anchor, span)?;
            }
            Event::MappingStart(_, anchor, tag) => {
                refuse_tag(tag.as_deref(), "map", span)?;
                let content = Content::Mapping {
                    entries: Vec::new(),
                    index: HashMap::new(),
                    key: None,
                    merged: Vec::new(),
                };
                self.begin(content, anchor, span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
            Event::Alias(anchor) => {
                let Some((node, weight)) = self.anchors.get(&anchor).cloned() else {
                    return Err(Diagnostic::error(
                        span,
                        "this alias stands within its own anchor",
                    ));
                };
                self.value(node, weight, span)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn scalar(
        &mut self,
        text: String,
        plain: bool,
        anchor: usize,
        span: Span,
    ) -> Result<(), Diagnostic> {
        if let Some(Open {
            content: Content::Mapping { key, .. },
            ..
        }) = self.open.last_mut()
            && key.is_none()
        {
            let value = Value::Scalar { text, plain };
            *key = Some(Arc::new(Node { span, value }));
            return Ok(());
        }
        let value = if plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL") {
            Value::Null
        } else {
            Value::Scalar { text, plain }
        };
        let node = Arc::new(Node { span, value });
        if anchor > 0 {
            self.anchors.insert(anchor, (Arc::clone(&node), 1));
        }
        self.value(node, 1, span)
    }

    fn begin(&mut self, content: Content, anchor: usize, start: Span) -> Result<(), Diagnostic> {
        if let Some(Open {
            content: Content::Mapping { key: None, .. },
            ..
        }) = self.open.last()
        {
            return Err(Diagnostic::error(start, "a key must be a single value"));
        }
        if self.open.len() >= DEPTH_MAXIMUM {
            return Err(Diagnostic::error(
                start,
                format!("values are nested more than {DEPTH_MAXIMUM} deep"),
            ));
        }
        self.open.push(Open {
            start,
            anchor,
            weight: 1,
            content,
        });
        Ok(())
    }

    fn end(&mut self, end: Span) -> Result<(), Diagnostic> {
        let Some(Open {
            start,
            anchor,
            weight,
            content,
        }) = self.open.pop()
        else {
            return Ok(());
        };
        let value = match content {
            Content::Sequence(items) => Value::Sequence(items),
            Content::Mapping {
                mut entries,
                mut index,
                merged,
                ..
            } => {
                for (node, at) in merged {
                    merge_into(&mut entries, &mut index, &node, at)?;
                }
                Value::Mapping(entries)
            }
        };
        // A flow collection is marked whole. A block one is marked at its first line: its end
        // stands wherever the next thing begins.
        let span = Span {
            end: if end.end > end.start {
                end.end
            } else {
                start.end.max(start.start + 1)
            },
            ..start
        };
        let node = Arc::new(Node { span, value });
        if anchor > 0 {
            self.anchors.insert(anchor, (Arc::clone(&node), weight));
        }
        self.value(node, weight, span)
    }

    /// Puts a finished value where it belongs.
    fn value(&mut self, node: Arc<Node>, weight: u64, span: Span) -> Result<(), Diagnostic> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        open.weight = open.weight.saturating_add(weight);
        if open.weight > VALUES_MAXIMUM {
            return Err(Diagnostic::error(
                span,
                format!("there are more than {VALUES_MAXIMUM} values once aliases are followed"),
            )
            .help("split the manifest, or use fewer aliases of aliases"));
        }
        match &mut open.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping {
                entries,
                index,
                key,
                merged,
            } => {
                let Some(key) = key.take() else {
                    return Err(Diagnostic::error(span, "a key must be a single value"));
                };
                let entry = Entry { key, node };
                if matches!(&entry.key.value, Value::Scalar { text, plain: true } if text == "<<") {
                    let node = entry.node;
                    match &node.value {
                        Value::Sequence(items) => {
                            merged.extend(items.iter().map(|item| (Arc::clone(item), span)));
                        }
                        _ => merged.push((node, span)),
                    }
                    return Ok(());
                }
                if let Some(earlier) = find(entries, index, entry.name()) {
                    let message = format!("`{}` stands here twice", entry.name());
                    self.report.push(
                        Diagnostic::error(entry.key.span, message)
                            .label("again here")
                            .related(entries[earlier].key.span, "first here"),
                    );
                    return Ok(());
                }
                push(entries, index, entry);
            }
        }
        Ok(())
    }
}

/// Up to this many keys a linear search is faster than a hash.
const LINEAR_MAXIMUM: usize = 16;

fn find(entries: &[Entry], index: &HashMap<String, usize>, key: &str) -> Option<usize> {
    if entries.len() <= LINEAR_MAXIMUM {
        entries.iter().position(|entry| entry.name() == key)
    } else {
        index.get(key).copied()
    }
}

fn push(entries: &mut Vec<Entry>, index: &mut HashMap<String, usize>, entry: Entry) {
    if entries.len() == LINEAR_MAXIMUM {
        *index = (0..)
            .zip(entries.iter())
            .map(|(at, e)| (e.name().to_owned(), at))
            .collect();
    }
    if entries.len() >= LINEAR_MAXIMUM {
        index.insert(entry.name().to_owned(), entries.len());
    }
    entries.push(entry);
}

/// Carries out a merge key: what the map does not say itself comes from `node`.
fn merge_into(
    entries: &mut Vec<Entry>,
    index: &mut HashMap<String, usize>,
    node: &Node,
    at: Span,
) -> Result<(), Diagnostic> {
    let Value::Mapping(inherited) = &node.value else {
        return Err(
            Diagnostic::error(at, "`<<` takes a map or a list of maps, as in `<<: *name`")
                .label(format!("this is {}", node.kind())),
        );
    };
    for entry in inherited {
        if find(entries, index, entry.name()).is_none() {
            push(entries, index, entry.clone());
        }
    }
    Ok(())
}

fn plain(style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Result<bool, Diagnostic> {
    match tag.map(|tag| (tag, tag.core_suffix())) {
        None => Ok(style == ScalarStyle::Plain),
        Some((_, Some("str"))) => Ok(false),
        Some((_, Some("int" | "float" | "bool" | "null"))) => Ok(true),
        Some((tag, _)) => Err(unknown_tag(tag, span)),
    }
}

fn refuse_tag(tag: Option<&Tag>, allowed: &str, span: Span) -> Result<(), Diagnostic> {
    match tag {
        Some(tag) if tag.core_suffix() != Some(allowed) => Err(unknown_tag(tag, span)),
        _ => Ok(()),
    }
}

fn unknown_tag(tag: &Tag, span: Span) -> Diagnostic {
    Diagnostic::error(
        span,
        format!("the tag `{}` means nothing here", tag.original()),
    )
    .help("leave it out")
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
            Value::Null => "null".to_owned(),
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
