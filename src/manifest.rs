//! The manifest as it is written: every value in its own type, with its place, and no defaults.
//!
//! In: the trees of the `-f` files. Out: a `Manifest` in which the layers have been laid over each
//! other, and a report of every text that is no value of its type. Knows nothing of what values mean
//! together: that is `resolve`'s.

pub mod command;
pub mod environment;
pub mod forms;
pub mod health;
pub mod image;
pub mod instances;
pub mod port;
pub mod resources;
pub mod section;
pub mod settings;
pub mod volume;

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::layers::{lay_files, lay_settings};
use crate::manifest::settings::{REFUSALS, Settings};
use crate::name::{AppName, ProcessName};
use crate::parallel::in_parts;
use crate::span::{Span, Spanned};
use crate::yaml::field::{Entries, Field};
use crate::yaml::reader::{Context, Refusal, read};
use crate::yaml::{Entry, Node, Value};

/// The newest format of manifests that this program reads.
pub const FORMAT: u32 = 1;

/// Everything that the files say.
#[derive(Debug, Default)]
pub struct Manifest {
    /// The folder of the user's own templates, relative to the manifest.
    pub templates: Field<String>,
    /// Where the values of the defaults stand.
    pub defaults: BTreeSet<Span>,
    /// The apps, sorted by name.
    pub apps: Vec<App>,
}

/// One app.
#[derive(Debug)]
pub struct App {
    /// Its name, and where that stands.
    pub name: Spanned<AppName>,
    /// What it says itself or inherits from the defaults.
    pub settings: Settings,
    /// The name of the only process of an app without `processes`.
    pub process: Field<ProcessName>,
    /// It says `processes`, right or wrong.
    pub has_processes: bool,
    /// Its processes, each with all that it inherits; empty without `processes`.
    pub processes: Vec<Process>,
}

/// One process.
#[derive(Debug)]
pub struct Process {
    /// Its name, and where that stands.
    pub name: Spanned<ProcessName>,
    /// What it says itself or inherits.
    pub settings: Settings,
    /// The process says `versions` itself, rather than inheriting them.
    pub own_counts: bool,
}

/// The outermost map of a manifest.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "Manifest")]
pub struct Root {
    /// The manifest's format: 1, which is also taken where it is left out.
    pub version: Field<u32>,
    /// A folder with templates of your own, relative to this file; `templates` by default. A file
    /// there replaces the built-in template of the same name.
    pub templates: Field<String>,
    /// What every app inherits unless it says otherwise.
    #[schemars(with = "Field<Settings>")]
    pub defaults: Field<serde::de::IgnoredAny>,
    /// The apps by name.
    #[schemars(with = "Entries<AppName, AppOnly>")]
    pub apps: Field<serde::de::IgnoredAny>,
}

/// An app: what its processes share, and the processes.
// Only the schema is made of this: an app's processes are read after the layers are laid.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(rename = "App")]
pub struct AppOnly {
    /// The name of the app's only process, where it has no `processes`: by default `http` if it
    /// publishes a port, else `worker`.
    pub process: Field<ProcessName>,
    /// The app's processes by name. Each becomes a unit of its own and inherits what the app says.
    #[schemars(with = "Field<Entries<ProcessName, Settings>>")]
    pub processes: Field<serde::de::IgnoredAny>,
}

/// Reads the trees of all files, the first one first.
pub fn from_trees(trees: &[Arc<Node>], report: &mut Report) -> Manifest {
    match lay_files(trees, report) {
        Some(root) => from_tree(&root, report),
        None => Manifest::default(),
    }
}

/// Reads the tree that all layers above the apps give together.
pub fn from_tree(root: &Arc<Node>, report: &mut Report) -> Manifest {
    if !is_map(root, "a manifest", report) {
        return Manifest::default();
    }
    let written: Root = part(root, &[], &[], report);
    check_format(&written.version, report);
    let defaults = root.entry("defaults").filter(|entry| !entry.node.is_null());
    let defaults = defaults.map(|entry| lay_settings(None, &entry.node, report));
    if let Some(defaults) = &defaults {
        // Read for its own sake: what no app inherits is checked all the same.
        settings(defaults, &[], report);
    }
    let mut apps: Vec<App> = match root.entry("apps").map(|entry| &entry.node) {
        Some(node) if matches!(node.value, Value::Mapping(_)) => {
            read_apps(node.entries(), defaults.as_ref(), report)
        }
        Some(node) => {
            report.push(Diagnostic::error(
                node.span,
                format!("expected a map of apps, found {}", node.kind()),
            ));
            Vec::new()
        }
        None => {
            report.push(
                Diagnostic::error(root.span, "there are no `apps` in this manifest")
                    .help("`unitgen init` writes a first manifest"),
            );
            Vec::new()
        }
    };
    apps.sort_by(|a, b| a.name.value.cmp(&b.name.value));
    let values = defaults.iter().flat_map(|defaults| defaults.entries());
    // An app's bounds are merged with the defaults', one by one.
    let bounds = defaults
        .iter()
        .filter_map(|defaults| defaults.entry("deploy"));
    let values = values.chain(bounds.flat_map(|bounds| bounds.node.entries()));
    Manifest {
        templates: written.templates,
        defaults: values.map(|entry| entry.node.span).collect(),
        apps,
    }
}

fn read_apps(entries: &[Entry], defaults: Option<&Arc<Node>>, report: &mut Report) -> Vec<App> {
    let mut apps = Vec::with_capacity(entries.len());
    let parts = in_parts(entries, |entries| {
        let mut report = Report::default();
        let app = |entry| app(entry, defaults, &mut report);
        let apps: Vec<App> = entries.iter().filter_map(app).collect();
        (apps, report)
    });
    for (read, found) in parts {
        apps.extend(read);
        report.extend(found);
    }
    apps
}

/// The keys of an app that its processes don't inherit.
const APP_ONLY: &[&str] = &["process", "processes"];

fn app(entry: &Entry, defaults: Option<&Arc<Node>>, report: &mut Report) -> Option<App> {
    let name = name::<AppName>(&entry.key, report);
    if !is_map(&entry.node, &format!("app `{}`", entry.name()), report) {
        return None;
    }
    let shared = lay_settings(defaults, &without(&entry.node, APP_ONLY), report);
    let settings = settings(&shared, APP_ONLY, report);
    let process_name = entry
        .node
        .entry("process")
        .filter(|entry| !entry.node.is_null());
    let written = entry
        .node
        .entry("processes")
        .filter(|entry| !entry.node.is_null());
    let has_processes = written.is_some_and(|entry| !entry.node.entries().is_empty());
    let processes = match written {
        Some(entry) if is_map(&entry.node, "`processes`", report) => entry
            .node
            .entries()
            .iter()
            .filter_map(|entry| process(entry, &shared, report))
            .collect(),
        _ => Vec::new(),
    };
    Some(App {
        name: name?,
        settings,
        has_processes,
        process: process_name.map_or(Field::Absent, |entry| read_field(&entry.node, report)),
        processes,
    })
}

fn process(entry: &Entry, shared: &Arc<Node>, report: &mut Report) -> Option<Process> {
    let name = name::<ProcessName>(&entry.key, report);
    let nothing = Node {
        span: entry.key.span,
        value: Value::Mapping(Vec::new()),
    };
    // `http:` alone is a process that inherits everything.
    let own = if entry.node.is_null() {
        Arc::new(nothing)
    } else {
        Arc::clone(&entry.node)
    };
    if !is_map(&own, &format!("process `{}`", entry.name()), report) {
        return None;
    }
    let merged = lay_settings(Some(shared), &own, report);
    Some(Process {
        name: name?,
        settings: settings(&merged, &[], report),
        own_counts: own.entry("versions").is_some(),
    })
}

fn name<T: for<'a> Deserialize<'a>>(key: &Node, report: &mut Report) -> Option<Spanned<T>> {
    match read_field(key, report) {
        Field::Present(name) => Some(name),
        Field::Absent | Field::Invalid(_) => None,
    }
}

fn is_map(node: &Node, what: &str, report: &mut Report) -> bool {
    let is_map = matches!(node.value, Value::Mapping(_));
    if !is_map {
        let message = format!("{what} must be a map, and this is {}", node.kind());
        report.push(Diagnostic::error(node.span, message));
    }
    is_map
}

/// Returns a map without some of its keys.
fn without(node: &Arc<Node>, keys: &[&str]) -> Arc<Node> {
    if !keys.iter().any(|key| node.entry(key).is_some()) {
        return Arc::clone(node);
    }
    let entries = node.entries().iter();
    let kept = entries
        .filter(|entry| !keys.contains(&entry.name()))
        .cloned();
    Arc::new(Node {
        span: node.span,
        value: Value::Mapping(kept.collect()),
    })
}

fn read_field<T: for<'a> Deserialize<'a>>(node: &Node, report: &mut Report) -> Field<T> {
    let context = Context::default();
    let field = read(node, &context);
    report.extend(context.report.into_inner());
    field
}

/// Reads what an app, a process or the defaults say.
fn settings(node: &Node, also: &[&str], report: &mut Report) -> Settings {
    let before = report.count(Severity::Error);
    let mut settings: Settings = part(node, also, REFUSALS, report);
    settings.is_faulty = report.count(Severity::Error) > before;
    settings
}

/// Reads a map whose mistakes go into the report one by one.
fn part<T>(node: &Node, also: &[&str], refusals: &[Refusal], report: &mut Report) -> T
where
    T: for<'a> Deserialize<'a> + Default,
{
    let context = Context {
        also,
        refusals,
        ..Context::default()
    };
    let field = read(node, &context);
    report.extend(context.report.into_inner());
    match field {
        Field::Present(spanned) => spanned.value,
        Field::Absent | Field::Invalid(_) => T::default(),
    }
}

fn check_format(version: &Field<u32>, report: &mut Report) {
    if let Some(version) = version.spanned()
        && version.value != FORMAT
    {
        report.push(
            Diagnostic::error(
                version.span,
                format!("format {} is not known", version.value),
            )
            .label(format!("this program reads format {FORMAT}"))
            .help("a newer unitgen may read it"),
        );
    }
}
