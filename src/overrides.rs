//! What is laid over single keys of the manifest, above all files: `--set PATH=VALUE`.
//!
//! In: texts `PATH=VALUE`, each a source of its own, and the tree that the files give. Out: the tree with
//! each value in the place of what stood at its path, and what was laid where. Knows nothing of what keys
//! mean but that apps and processes have names, so that a wrong one is no new one.

mod path;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::layers::put;
use crate::overrides::path::{Key, split, written};
use crate::secrecy::{masked, names_secret};
use crate::span::{SourceId, Sources, Span, narrow};
use crate::suggestion::did_you_mean;
use crate::yaml::{Entry, Node, Value, parse_part};

/// What a source of this kind is called in messages.
const SOURCE: &str = "--set";

/// The outermost keys of a manifest.
pub const ROOT_KEYS: [&str; 4] = ["apps", "defaults", "templates", "version"];

/// A key whose name looks like a secret's, and is none.
const NO_SECRET: &str = "config_keys";

const QUOTE: &str = "put quotes around a text that is to be taken as it stands";

/// A value for a key of the manifest, as it was typed: `PATH=VALUE`, right or wrong.
#[derive(Clone, PartialEq, Eq)]
pub struct Override(String);

/// What was laid over the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The app that it is for; `None` for what is of no app's, such as the defaults.
    pub app: Option<String>,
    /// The path in its shortest form, in which an app's begins with its name.
    pub path: String,
    /// The value's text.
    pub value: String,
}

/// A value that could be read, and its path.
pub struct Overlay {
    source: SourceId,
    keys: Vec<Arc<Node>>,
    node: Option<Arc<Node>>,
    value: String,
    is_secret: bool,
}

impl Override {
    /// Takes a text, which is looked at when it is laid over a manifest.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the path of what looks like a secret.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        let (keys, value) = split(&self.0).ok()?;
        let path = &self.0[..value - 1];
        matches!(hidden(&keys, &self.0[value..]), Cow::Owned(_)).then_some(path)
    }

    /// Returns the text as it can be shown.
    fn shown(&self) -> Cow<'_, str> {
        match split(&self.0) {
            Ok((keys, value)) => match hidden(&keys, &self.0[value..]) {
                Cow::Owned(hidden) => Cow::Owned(format!("{}{hidden}", &self.0[..value])),
                Cow::Borrowed(_) => Cow::Borrowed(&self.0),
            },
            Err(_) => masked(&self.0),
        }
    }
}

impl fmt::Debug for Override {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Override")
            .field(&self.shown())
            .finish()
    }
}

impl fmt::Display for Override {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown())
    }
}

impl Applied {
    /// Returns what lays it over a manifest again.
    #[must_use]
    pub fn again(&self) -> Override {
        Override(format!("{}={}", self.path, self.value))
    }
}

/// Reads texts, each as a source of its own.
pub fn read(overrides: &[Override], sources: &mut Sources, report: &mut Report) -> Vec<Overlay> {
    let read = |written: &Override| {
        let source = sources.add(SOURCE, written.shown());
        read_one(&written.0, source, report)
    };
    overrides.iter().filter_map(read).collect()
}

fn read_one(text: &str, source: SourceId, report: &mut Report) -> Option<Overlay> {
    let span = |start, end| Span {
        source,
        start: narrow(start),
        end: narrow(end),
    };
    let (keys, at) = match split(text) {
        Ok(parts) => parts,
        Err(error) => {
            let diagnostic = Diagnostic::error(span(error.start, error.end), error.message);
            report.push(diagnostic.help(error.help));
            return None;
        }
    };
    let value = &text[at..];
    let is_secret = matches!(hidden(&keys, value), Cow::Owned(_));
    let node = if value.trim().is_empty() {
        Some(key("", span(at, text.len())))
    } else {
        read_value(value, span(at, text.len()), report)
    };
    let keys = keys.into_iter();
    let keys = keys.map(|written| key(&written.name, span(written.start, written.end)));
    Some(Overlay {
        source,
        keys: keys.collect(),
        node,
        value: value.to_owned(),
        is_secret,
    })
}

/// Reads a value, which is all that its text may hold: what a comment would swallow is a mistake, and so
/// is a map that nobody may have meant.
fn read_value(text: &str, whole: Span, report: &mut Report) -> Option<Arc<Node>> {
    let before = report.count(Severity::Error);
    let node = parse_part(text, whole.source, whole.start as usize, report);
    let Some(node) = node else {
        if report.count(Severity::Error) == before {
            report.push(Diagnostic::error(whole, "there is no value here").help(QUOTE));
        }
        return None;
    };
    let offset = |at: u32| (at - whole.start) as usize;
    let (before, own) = text.split_at(offset(node.span.start));
    let is_collection = matches!(node.value, Value::Mapping(_) | Value::Sequence(_));
    // Of a block only the beginning is marked.
    let is_block = is_collection && !own.starts_with(['{', '[']);
    let end = offset(node.span.end);
    let rest = if is_block { "" } else { text[end..].trim() };
    if !rest.is_empty() {
        let start = text.trim_end().len() - rest.len();
        let diagnostic = Diagnostic::error(
            whole.part(start, rest.len()),
            "this is no part of the value",
        );
        report.push(diagnostic.help(QUOTE));
        return None;
    }
    let before = before.trim();
    if is_block || !(before.is_empty() || before.starts_with(['&', '!'])) {
        let message = "a value has YAML's flow form here: `text`, `[1, 2]` or `{a: 1}`";
        report.push(Diagnostic::error(whole, message).help(QUOTE));
        return None;
    }
    Some(node)
}

/// Lays values over a tree, the later over the earlier, and tells what was laid where. What a later one
/// replaced is not told.
pub fn lay(root: &mut Arc<Node>, overlays: &[Overlay], report: &mut Report) -> Vec<Applied> {
    let mut applied: Vec<(Vec<String>, Applied)> = Vec::new();
    // What is no map is no manifest, which is said of it.
    if !matches!(root.value, Value::Mapping(_)) {
        return Vec::new();
    }
    for overlay in overlays {
        let (path, app) = match path_in(root, overlay) {
            Ok(found) => found,
            Err(diagnostic) => {
                report.push(diagnostic);
                continue;
            }
        };
        let Some(node) = &overlay.node else {
            continue;
        };
        put(root, &path, node, report);
        let names: Vec<String> = path.iter().map(|key| name(key).to_owned()).collect();
        applied.retain(|(earlier, _)| !earlier.starts_with(&names));
        let shortest = match app {
            App::Known => &names[1..],
            App::New | App::None => &names[..],
        };
        let made = Applied {
            app: names.get(1).filter(|_| app != App::None).cloned(),
            path: written(shortest),
            value: overlay.value.clone(),
        };
        applied.push((names, made));
    }
    applied.into_iter().map(|(_, made)| made).collect()
}

/// Keeps secrets out of what is said of values.
pub fn censor(overlays: &[Overlay], report: &mut Report) {
    for overlay in overlays.iter().filter(|overlay| overlay.is_secret) {
        report.reword(overlay.source, |text| overlay.without_value(text));
    }
}

impl Overlay {
    /// Returns a message without what it quotes of the value: keys of the path may be quoted.
    fn without_value(&self, text: &str) -> String {
        let (text, end) = match text.split_once("found `") {
            Some((text, _)) => (text, "found something else"),
            None => (text, ""),
        };
        let is_key = |word: &str| self.keys.iter().any(|key| name(key) == word);
        let mut words = text.split('`').skip(1).step_by(2);
        if words.all(is_key) {
            format!("{text}{end}")
        } else {
            "this is wrong".to_owned()
        }
    }
}

/// Whether a path leads into an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum App {
    /// Into one that is there.
    Known,
    /// To one that is not.
    New,
    /// Elsewhere.
    None,
}

/// Returns the keys that lead from the top of a manifest to what a path means there.
fn path_in(root: &Node, overlay: &Overlay) -> Result<(Vec<Arc<Node>>, App), Diagnostic> {
    let apps = root
        .entry("apps")
        .map_or(&[][..], |apps| apps.node.entries());
    let mut path = overlay.keys.clone();
    let Some(first) = overlay.keys.first() else {
        return Err(Diagnostic::error(root.span, "there is no path"));
    };
    if apps.iter().any(|app| app.name() == name(first)) {
        path.insert(0, key("apps", first.span));
    } else if !ROOT_KEYS.contains(&name(first)) {
        let known = names(apps).chain(ROOT_KEYS);
        let help = did_you_mean(name(first), known).unwrap_or_else(|| {
            "a path begins with the name of an app, or with `apps`, `defaults` or `templates`"
                .to_owned()
        });
        let message = format!("there is no app `{}`", name(first));
        return Err(Diagnostic::error(first.span, message).help(help));
    }
    if name(&path[0]) != "apps" || path.len() == 1 {
        return Ok((path, App::None));
    }
    let is_null = overlay.node.as_ref().is_some_and(|node| node.is_null());
    let Some(app) = apps.iter().find(|app| app.name() == name(&path[1])) else {
        // Whoever gives all of an app means a new one.
        if path.len() == 2 && !is_null {
            return Ok((path, App::New));
        }
        let message = format!("there is no app `{}`", name(&path[1]));
        let help = did_you_mean(name(&path[1]), names(apps));
        return Err(Diagnostic::error(path[1].span, message).maybe_help(help));
    };
    if let Some(process) = path.get(3).filter(|_| name(&path[2]) == "processes") {
        let processes = app.node.entry("processes");
        let processes = processes.map_or(&[][..], |processes| processes.node.entries());
        let is_there = processes.iter().any(|known| known.name() == name(process));
        if !is_there && (path.len() > 4 || is_null) {
            let message = format!("app `{}` has no process `{}`", app.name(), name(process));
            let help = did_you_mean(name(process), names(processes));
            return Err(Diagnostic::error(process.span, message).maybe_help(help));
        }
    }
    Ok((path, App::Known))
}

/// Returns a text that is no number and no `null`.
fn key(text: &str, span: Span) -> Arc<Node> {
    let value = Value::Scalar {
        text: text.to_owned(),
        plain: false,
    };
    Arc::new(Node { span, value })
}

fn names(entries: &[Entry]) -> impl Iterator<Item = &str> {
    entries.iter().map(Entry::name)
}

fn name(key: &Node) -> &str {
    match &key.value {
        Value::Scalar { text, .. } => text,
        _ => "",
    }
}

/// Returns a value with stars in place of what looks like a secret: all of it behind a secret's name.
fn hidden<'a>(keys: &[Key], value: &'a str) -> Cow<'a, str> {
    let has_secret = |key: &Key| key.name != NO_SECRET && names_secret(&key.name);
    let is_nothing = matches!(value.trim(), "" | "~" | "null" | "Null" | "NULL");
    let from_store = value.trim_start().strip_prefix('{');
    let from_store = from_store.is_some_and(|map| map.trim_start().starts_with("etcd:"));
    if !is_nothing && !from_store && keys.last().is_some_and(has_secret) {
        return Cow::Owned("*".repeat(value.len()));
    }
    masked(value)
}
