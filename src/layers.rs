//! The one rule by which layers of a manifest are laid over each other.
//!
//! Maps merge, anything else replaces, `null` removes. A list of `NAME=value` under `environment`
//! or `labels` is read as its map first. In: trees. Out: a tree whose values still know the file and
//! the line that they came from. Knows nothing of what the keys mean, but for two things: within a
//! unit's section a `null` stays, because it also removes what a template gives; and what stands
//! under `apps` and `processes` belongs to no lower layer.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Report};
use crate::span::Span;
use crate::yaml::{Entry, Node, Value};

/// The keys that name a section of a unit.
pub const SECTIONS: [&str; 7] = [
    "Unit", "Service", "Socket", "Timer", "Path", "Install", "X-Fleet",
];

/// Keys whose list form `[NAME=value]` is a map in disguise.
const MAPS_AS_LISTS: [&str; 2] = ["environment", "labels"];

/// What a `null` does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Null {
    /// It takes the lower layer's value away and is gone.
    Removes,
    /// It replaces the lower layer's value and stays, for there are layers below this one.
    Stays,
    /// It removes in this map and stays in the maps within: so do apps and processes, which no
    /// lower layer has.
    RemovesHere,
}

/// Lays the trees of all files over each other, the first one lowest.
#[must_use]
pub fn lay_files(trees: &[Arc<Node>], report: &mut Report) -> Option<Arc<Node>> {
    let (first, above) = trees.split_first()?;
    let lay = |below: Arc<Node>, above| lay(&below, above, Null::Stays, report);
    Some(above.iter().fold(Arc::clone(first), lay))
}

/// Puts a value in the place of what stands at a path of keys below a map, in all files together. Maps
/// on the way that are not there are made.
pub fn put(tree: &mut Arc<Node>, path: &[Arc<Node>], value: &Arc<Node>, report: &mut Report) {
    put_below(tree, path, value, Null::Stays, report);
}

fn put_below(
    tree: &mut Arc<Node>,
    path: &[Arc<Node>],
    value: &Arc<Node>,
    null: Null,
    report: &mut Report,
) {
    let (Some((key, rest)), Value::Mapping(entries)) =
        (path.split_first(), &mut Arc::make_mut(tree).value)
    else {
        return;
    };
    let mut entry = Entry {
        key: Arc::clone(key),
        node: Arc::clone(value),
    };
    let found = entries
        .iter()
        .position(|found| found.name() == entry.name());
    let Some(next) = rest.first() else {
        match found {
            Some(at) if value.is_null() && null == Null::RemovesHere => {
                entries.remove(at);
            }
            Some(at) => {
                if value.is_null() {
                    entry.node = removed(value.span);
                }
                entries[at] = entry;
            }
            None => entries.push(entry),
        }
        return;
    };
    let nothing = Arc::new(Node {
        span: key.span,
        value: Value::Mapping(Vec::new()),
    });
    let rule = rule_within(entry.name(), null);
    let at = found.unwrap_or(entries.len());
    if found.is_none() {
        entry.node = nothing;
        entries.push(entry);
    } else if entries[at].node.is_null() {
        entries[at].node = nothing;
    } else {
        entries[at].node = unlist(&entries[at], report);
    }
    let below = &mut entries[at];
    if !matches!(below.node.value, Value::Mapping(_)) {
        let message = format!(
            "`{}` is {}, and has no keys",
            below.name(),
            below.node.kind()
        );
        report.push(
            Diagnostic::error(next.span, message)
                .related(below.node.span, "this is it")
                .help("set it as a whole"),
        );
        return;
    }
    put_below(&mut below.node, rest, value, rule, report);
}

/// Returns a `null` that takes away what stood there, and what lower layers say.
fn removed(span: Span) -> Arc<Node> {
    Arc::new(Node {
        span,
        value: Value::Removed,
    })
}

/// Lays an app over the defaults, or a process over its app.
#[must_use]
pub fn lay_settings(
    below: Option<&Arc<Node>>,
    above: &Arc<Node>,
    report: &mut Report,
) -> Arc<Node> {
    match below {
        Some(below) => lay(below, above, Null::Removes, report),
        None => settle(above, Null::Removes, report),
    }
}

fn lay(below: &Arc<Node>, above: &Arc<Node>, null: Null, report: &mut Report) -> Arc<Node> {
    let (Value::Mapping(low), Value::Mapping(high)) = (&below.value, &above.value) else {
        return settle(above, null, report);
    };
    let mut places: HashMap<&str, usize> = (0..).zip(low).map(|(at, e)| (e.name(), at)).collect();
    let mut entries: Vec<Option<Entry>> = low.iter().cloned().map(Some).collect();
    for entry in high {
        let found = places.remove(entry.name());
        let rule = rule_within(entry.name(), null);
        if entry.node.is_null() && null != Null::Stays {
            match found {
                Some(at) => entries[at] = None,
                None if matches!(entry.node.value, Value::Removed) => {}
                // Whoever reads it says that there is nothing to remove, if the key is known at all.
                None => entries.push(Some(entry.clone())),
            }
            continue;
        }
        if let (true, Some(at)) = (entry.node.is_null(), found) {
            entries[at] = Some(Entry {
                key: Arc::clone(&entry.key),
                node: removed(entry.node.span),
            });
            continue;
        }
        let above = unlist(entry, report);
        match found {
            Some(at) => {
                let below = unlist(&low[at], report);
                entries[at] = Some(Entry {
                    key: Arc::clone(&entry.key),
                    node: lay(&below, &above, rule, report),
                });
            }
            None => entries.push(Some(Entry {
                key: Arc::clone(&entry.key),
                node: settle(&above, rule, report),
            })),
        }
    }
    Arc::new(Node {
        span: above.span,
        value: Value::Mapping(entries.into_iter().flatten().collect()),
    })
}

/// Brings a tree that nothing lies below into the shape that laying it over something gives.
fn settle(node: &Arc<Node>, null: Null, report: &mut Report) -> Arc<Node> {
    let Value::Mapping(entries) = &node.value else {
        return Arc::clone(node);
    };
    let mut settled = Vec::with_capacity(entries.len());
    let mut changed = false;
    for entry in entries {
        // What it removed is gone.
        if null == Null::Removes && matches!(entry.node.value, Value::Removed) {
            changed = true;
            continue;
        }
        let unlisted = unlist(entry, report);
        let node = settle(&unlisted, rule_within(entry.name(), null), report);
        changed |= !Arc::ptr_eq(&node, &entry.node);
        settled.push(Entry {
            key: Arc::clone(&entry.key),
            node,
        });
    }
    if !changed {
        return Arc::clone(node);
    }
    Arc::new(Node {
        span: node.span,
        value: Value::Mapping(settled),
    })
}

fn rule_within(key: &str, outside: Null) -> Null {
    match outside {
        Null::RemovesHere => Null::Stays,
        Null::Stays if matches!(key, "apps" | "processes") => Null::RemovesHere,
        _ if SECTIONS.contains(&key) => Null::Stays,
        _ => outside,
    }
}

/// Reads a list of `NAME=value` as its map.
fn unlist(entry: &Entry, report: &mut Report) -> Arc<Node> {
    let Value::Sequence(items) = &entry.node.value else {
        return Arc::clone(&entry.node);
    };
    if !MAPS_AS_LISTS.contains(&entry.name()) {
        return Arc::clone(&entry.node);
    }
    let mut entries: Vec<Entry> = Vec::with_capacity(items.len());
    let mut places: HashMap<&str, usize> = HashMap::new();
    for item in items {
        let Value::Scalar { text, plain } = &item.value else {
            report.push(
                Diagnostic::error(
                    item.span,
                    format!("expected `NAME=value`, found {}", item.kind()),
                )
                .help("a map says the same with `NAME: value`"),
            );
            continue;
        };
        let Some((name, value)) = text.split_once('=') else {
            report.push(
                Diagnostic::error(item.span, format!("`{text}` has no `=`"))
                    .label("nothing on the machine would give it a value")
                    .help("what is set per machine goes into `config` or an `env_file`"),
            );
            continue;
        };
        // Only an unquoted text stands in the source just as it reads.
        let (name_span, value_span) = if *plain {
            let value_at = name.len() + 1;
            (
                item.span.part(0, name.len()),
                item.span.part(value_at, value.len()),
            )
        } else {
            (item.span, item.span)
        };
        if let Some(earlier) = places.get(name).and_then(|at| entries.get(*at)) {
            report.push(
                Diagnostic::error(name_span, format!("`{name}` stands here twice"))
                    .label("again here")
                    .related(earlier.key.span, "first here"),
            );
            continue;
        }
        let scalar = |span, text: &str| {
            let text = text.to_owned();
            let value = Value::Scalar { text, plain: false };
            Arc::new(Node { span, value })
        };
        places.insert(name, entries.len());
        entries.push(Entry {
            key: scalar(name_span, name),
            node: scalar(value_span, value),
        });
    }
    Arc::new(Node {
        span: entry.node.span,
        value: Value::Mapping(entries),
    })
}
