//! Builds the tree from the parser's events.
//!
//! In: events with their places. Out: nodes; duplicates, alias bombs, foreign tags and second
//! documents are mistakes. Knows nothing of what the values are for.

use std::collections::HashMap;
use std::sync::Arc;

use serde_yaml::granit_parser::{Event, ScalarStyle, ScanError, Span as YamlSpan, Tag};

use crate::diagnostic::{Diagnostic, Report};
use crate::span::{SourceId, Span, narrow};
use crate::yaml::{DEPTH_MAXIMUM, Entry, Node, VALUES_MAXIMUM, Value};

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

/// Builds the tree of one text.
pub struct Builder<'a> {
    source: SourceId,
    offset: usize,
    length: usize,
    report: &'a mut Report,
    anchors: HashMap<usize, Weighed>,
    open: Vec<Open>,
    root: Option<Arc<Node>>,
    documents: usize,
}

impl<'a> Builder<'a> {
    /// Returns a builder that has seen nothing yet of a text of this length, which begins so many bytes
    /// into its source.
    #[must_use]
    pub fn new(source: SourceId, offset: usize, length: usize, report: &'a mut Report) -> Self {
        Self {
            source,
            offset,
            length,
            report,
            anchors: HashMap::new(),
            open: Vec::new(),
            root: None,
            documents: 0,
        }
    }

    /// Reports a mistake.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.report.push(diagnostic);
    }

    /// Returns the tree, where there is one.
    #[must_use]
    pub fn finish(self) -> Option<Arc<Node>> {
        self.root
    }

    fn span(&self, span: &YamlSpan) -> Span {
        let range = span.byte_range().unwrap_or(0..0);
        self.range(range.start, range.end)
    }

    fn range(&self, start: usize, end: usize) -> Span {
        Span {
            source: self.source,
            start: narrow(self.offset + start.min(self.length)),
            end: narrow(self.offset + end.min(self.length)),
        }
    }

    /// Returns what the parser complains of.
    #[must_use]
    pub fn scan_error(&self, error: &ScanError) -> Diagnostic {
        let at = error.marker().byte_offset().unwrap_or(0);
        let span = self.range(at, at.saturating_add(1));
        Diagnostic::error(span, "this is no valid YAML").label(error.info())
    }

    /// Takes the parser's next event.
    ///
    /// # Errors
    /// Says why the text can't be a tree.
    pub fn take(&mut self, event: Event<'_>, span: &YamlSpan) -> Result<(), Diagnostic> {
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
            let node = Arc::new(Node { span, value });
            if anchor > 0 {
                self.anchors.insert(anchor, (Arc::clone(&node), 1));
            }
            *key = Some(node);
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
