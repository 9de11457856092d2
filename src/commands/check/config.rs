//! What the manifest says of the apps' variables, beside what etcd has of them.
//!
//! In: a model, and the names that etcd has. Out: a report. No value is asked for, so none can be shown.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::variable::stray;
use crate::diagnostic::{Diagnostic, Report};
use crate::error::CommandError;
use crate::model::{ConfigRequest, Model, Process, Work};
use crate::name::VariableName;
use crate::resolve::client::is_reserved;
use crate::span::Span;
use crate::store::Store;

/// The greatest number of names in one message.
const NAMES_MAXIMUM: usize = 20;

/// What is said of a value that a unit has and its program does not get.
const OVERRIDDEN: &str = "the app's config wins over this";

/// What etcd has, as far as the manifest is about it.
#[derive(Debug, Default)]
pub(super) struct Stored {
    /// The keys in each folder that a process asks for, without the folder's own.
    folders: BTreeMap<String, BTreeSet<String>>,
    /// The keys of `{etcd: KEY}` that there are.
    keys: BTreeSet<String>,
}

/// A folder, and who asks for it.
struct Folder<'a> {
    path: String,
    /// Where the manifest names it first: the app where it does so by its name only.
    place: Span,
    requests: Vec<(&'a Process, &'a ConfigRequest)>,
}

/// Asks etcd which keys there are: once for each folder, and once for each key elsewhere.
///
/// # Errors
/// Says what etcd answered, or that it did not.
pub(super) fn ask(model: &Model, store: &Store) -> Result<Stored, CommandError> {
    let mut stored = Stored::default();
    for folder in folders(model).into_values() {
        let prefix = format!("{}/", folder.path);
        let keys = store.keys(&prefix)?.into_iter();
        let names = keys.filter_map(|key| key.strip_prefix(&prefix).map(str::to_owned));
        stored.folders.insert(folder.path, names.collect());
    }
    for key in keys(model) {
        if store.has(key)? {
            stored.keys.insert(key.to_owned());
        }
    }
    Ok(stored)
}

/// Finds what the units ask for and etcd does not have, what etcd has and the manifest does not know,
/// and what stands in two places.
#[must_use]
pub(super) fn compare(model: &Model, stored: &Stored) -> Report {
    let mut report = Report::default();
    for (_, process, request) in requests(model) {
        for (name, key) in &request.from {
            if !stored.keys.contains(key) {
                let help = format!("`{}` takes its value from there", name.value);
                let diagnostic = Diagnostic::error(name.span, format!("etcd has no `{key}`"));
                report.push(diagnostic.help(help));
            }
        }
        if let Some(path) = path(process, request) {
            let names = stored.folders.get(&path);
            check_process(process, request, &path, names, &mut report);
        }
    }
    let folders = folders(model);
    let asked = keys(model);
    for folder in folders.values() {
        if let Some(names) = stored.folders.get(&folder.path) {
            let is_elsewhere = |name: &&String| {
                let key = format!("{}/{name}", folder.path);
                let mut ends = key.match_indices('/').skip(1).map(|(end, _)| &key[..end]);
                asked.contains(key.as_str())
                    || ends.any(|path| path.len() > folder.path.len() && folders.contains_key(path))
            };
            let names = names.iter().filter(|name| !is_elsewhere(name));
            check_folder(folder, names, &mut report);
        }
    }
    report
}

/// Finds what a process requires in vain, and what it has from two places.
fn check_process(
    process: &Process,
    request: &ConfigRequest,
    path: &str,
    names: Option<&BTreeSet<String>>,
    report: &mut Report,
) {
    let has = |name: &VariableName| names.is_some_and(|names| names.contains(name.as_str()));
    for name in request.required.iter().filter(|name| !has(&name.value)) {
        let message = format!("etcd has no `{path}/{}`", name.value);
        let help = "the unit would refuse to start: set the variable first";
        report.push(Diagnostic::error(name.span, message).help(help));
    }
    let mut twice = |name: &VariableName, span: Span, label: &str| {
        if has(name) {
            let message = format!("`{name}` is set in etcd's `{path}` as well");
            let help = "leave it out here, or take it out of the app's config";
            let diagnostic = Diagnostic::warning(span, message);
            report.push(diagnostic.label(label).help(help));
        }
    };
    for variable in &process.environment {
        twice(&variable.name, variable.span, OVERRIDDEN);
    }
    for (name, key) in &request.from {
        // The same key is the same value.
        if *key != format!("{path}/{}", name.value) {
            twice(&name.value, name.span, OVERRIDDEN);
        }
    }
    if let Work::Container(container) = &process.work {
        // docker takes the last of several values, and that template puts the config's last.
        let is_shell = process.template.value.as_str() == "docker-shell";
        let label = if is_shell {
            OVERRIDDEN
        } else {
            "this wins over the app's config"
        };
        for name in &container.arguments {
            twice(&name.value, name.span, label);
        }
    }
}

/// Finds what a folder has that no process gets or knows.
fn check_folder<'n>(
    folder: &Folder<'_>,
    names: impl Iterator<Item = &'n String>,
    report: &mut Report,
) {
    let known = folder.requests.iter().flat_map(|(process, request)| {
        let required = request.required.iter().map(|name| &name.value);
        let known = request.known.iter().flat_map(|known| &known.value);
        // What is set in two places is a finding of its own.
        let fixed = process.environment.iter().map(|variable| &variable.name);
        let from = request.from.iter().map(|(name, _)| &name.value);
        let arguments = match &process.work {
            Work::Container(container) => container.arguments.as_slice(),
            _ => &[],
        };
        let arguments = arguments.iter().map(|name| &name.value);
        let all = required.chain(known).chain(fixed).chain(from);
        all.chain(arguments).map(VariableName::as_str)
    });
    let known: BTreeSet<&str> = known.collect();
    let (mut strays, mut reserved, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for name in names {
        if VariableName::new(name.as_str()).is_err() {
            strays.push(stray(name));
        } else if is_reserved(name) {
            reserved.push(name.clone());
        } else if !known.contains(name.as_str()) {
            unknown.push(name.clone());
        }
    }
    let path = &folder.path;
    let mut push = |span: Span, names: &[String], what: &str, help: &str| {
        if !names.is_empty() {
            let message = format!("etcd's `{path}` has {}, {what}", listed(names));
            report.push(Diagnostic::warning(span, message).help(help));
        }
    };
    push(
        folder.place,
        &strays,
        "which can't name a variable",
        "a variable's name has A-Z, a-z, 0-9 and `_`, and does not begin with a digit",
    );
    push(
        folder.place,
        &reserved,
        "which the units set themselves",
        "`unitgen env` leaves such names out: choose another",
    );
    let lists = folder.requests.iter();
    let mut lists = lists.filter_map(|(_, request)| request.known.as_ref());
    if let Some(list) = lists.next() {
        push(
            list.span,
            &unknown,
            "which the manifest does not know",
            "add it here, or take it out of the app's config",
        );
    }
}

/// Returns every process that asks for variables, with its app's place.
fn requests(model: &Model) -> impl Iterator<Item = (Span, &Process, &ConfigRequest)> {
    model.apps.iter().flat_map(|app| {
        let processes = app.processes.iter();
        processes.filter_map(|process| Some((app.name.span, process, process.config.as_ref()?)))
    })
}

/// Returns all folders that are asked for, by their paths.
fn folders(model: &Model) -> BTreeMap<String, Folder<'_>> {
    let mut folders = BTreeMap::new();
    for (app, process, request) in requests(model) {
        let Some(path) = path(process, request) else {
            continue;
        };
        let folder = folders.entry(path.clone()).or_insert_with(|| Folder {
            path,
            place: request.folder_span.unwrap_or(app),
            requests: Vec::new(),
        });
        folder.requests.push((process, request));
    }
    folders
}

/// Returns the folder that a process asks for.
fn path(process: &Process, request: &ConfigRequest) -> Option<String> {
    match &request.folder {
        None => Some(format!("/environment/{}", process.app)),
        Some(folder) => folder.clone(),
    }
}

/// Returns the keys that are asked for by themselves.
fn keys(model: &Model) -> BTreeSet<&str> {
    let requests = requests(model).flat_map(|(_, _, request)| &request.from);
    requests.map(|(_, key)| key.as_str()).collect()
}

fn listed(names: &[String]) -> String {
    let quoted = |name: &String| format!("`{name}`");
    let (shown, rest) = names.split_at(names.len().min(NAMES_MAXIMUM));
    let mut shown: Vec<String> = shown.iter().map(quoted).collect();
    let last = match rest.len() {
        0 => shown.pop().unwrap_or_default(),
        more => format!("{more} more"),
    };
    if shown.is_empty() {
        return last;
    }
    format!("{} and {last}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Severity;
    use crate::resolve::resolve;
    use crate::span::Sources;
    use crate::{manifest, yaml};

    /// Asserts what is found where etcd has some keys, a line for each finding.
    #[track_caller]
    fn case(apps: &str, keys: &[&str], expected: &[&str]) {
        let mut report = Report::default();
        let mut sources = Sources::default();
        let source = sources.add("m", format!("apps:\n{apps}"));
        let node = yaml::parse(&sources, source, &mut report).unwrap();
        let manifest = manifest::from_trees(&[node], &mut report);
        let model = resolve(&manifest, &mut report);
        assert!(!report.has_errors(), "{:?}", report.diagnostics());
        let mut stored = Stored::default();
        for path in folders(&model).into_keys() {
            let prefix = format!("{path}/");
            let names = keys.iter().filter_map(|key| key.strip_prefix(&prefix));
            let names = names.map(str::to_owned).collect();
            stored.folders.insert(path, names);
        }
        stored.keys.extend(keys.iter().map(|key| (*key).to_owned()));
        let mut report = compare(&model, &stored);
        report.finish();
        let found: Vec<String> = report
            .diagnostics()
            .iter()
            .map(|found| {
                let span = found.span.unwrap();
                let place = sources.place(span);
                let severity = match found.severity {
                    Severity::Error => "E",
                    Severity::Warning => "W",
                };
                let (line, text) = (place.line, sources.slice(span));
                let (message, label) = (&found.message, &found.label);
                format!("{severity} {line} {text}: {message}; {label}")
            })
            .collect();
        assert_eq!(found, expected, "{apps}");
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        case(
            "  a: {image: x, required: [B, C], environment: {D: {etcd: /s/d}, E: {etcd: /s/e}}}\n",
            &["/environment/a/B", "/s/e"],
            &[
                "E 2 C: etcd has no `/environment/a/C`; ",
                "E 2 D: etcd has no `/s/d`; ",
            ],
        );
        case(
            "  a: {image: x, config: false}\n",
            &["/environment/a/1"],
            &[],
        );
        case("  a: {exec: [/bin/a]}\n", &["/environment/a/1"], &[]);
    }

    #[test]
    fn what_is_not_known_is_found_once_in_a_folder() {
        let apps = "  a:\n    image: x\n    processes:\n\
                    \x20     http: {config_keys: [A], required: B}\n      worker: {required: C}\n\
                    \x20     other: {config: /o, config_keys: []}\n";
        let folder = ["/environment/a/A", "/environment/a/B", "/environment/a/C"];
        case(apps, &folder, &[]);
        case(
            apps,
            &[
                &folder[..],
                &["/environment/a/D", "/environment/a/E", "/o/A"],
            ]
            .concat(),
            &[
                "W 5 [A]: etcd's `/environment/a` has `D` and `E`, which the manifest does not know; ",
                "W 7 []: etcd's `/o` has `A`, which the manifest does not know; ",
            ],
        );
        case(
            "  a: {image: x, required: A}\n",
            &["/environment/a/A", "/environment/a/B"],
            &[],
        );
    }

    #[test]
    fn what_stands_in_two_places_says_which_wins() {
        let keys = [
            "/environment/a/A",
            "/environment/a/PATH",
            "/environment/a/B",
            "/s",
        ];
        let environment = "environment: {A: x, PATH: y, B: {etcd: /s}, C: z}";
        let message =
            |name: &str| format!("{name}: `{name}` is set in etcd's `/environment/a` as well");
        let config = "the app's config wins over this";
        let all = |line: usize, path: &str| {
            [
                format!("W {line} {}; {config}", message("A")),
                format!("W {line} {}; {path}", message("PATH")),
                format!("W {line} {}; {config}", message("B")),
            ]
        };
        for (work, path) in [
            ("image: x", "this wins over the app's config"),
            ("image: x, template: docker-shell", config),
            ("exec: [/bin/a], config: /environment/a", config),
        ] {
            let expected = all(2, path);
            let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
            case(
                &format!("  a: {{{work}, config_keys: [], {environment}}}\n"),
                &keys,
                &expected,
            );
        }
        let own = "  a: {image: x, environment: {A: {etcd: /environment/a/A}}}\n";
        case(own, &["/environment/a/A"], &[]);
    }

    #[test]
    fn what_no_program_gets_is_found() {
        case(
            "  a: {image: x}\n  b: {image: x, config: /environment/a/b, environment: {S: {etcd: /environment/a/s/t}}}\n",
            &[
                "/environment/a/1A",
                "/environment/a/SECRET=hunter2",
                "/environment/a/VERSION",
                "/environment/a/\u{1b}[0m",
                "/environment/a/b/C",
                "/environment/a/b/c/d",
                "/environment/a/s/t",
            ],
            &[
                "W 2 a: etcd's `/environment/a` has `VERSION`, which the units set themselves; ",
                "W 2 a: etcd's `/environment/a` has `\u{fffd}[0m`, `1A` and `SECRET=…`, which can't name a variable; ",
                "W 3 /environment/a/b: etcd's `/environment/a/b` has `c/d`, which can't name a variable; ",
            ],
        );
    }

    #[test]
    fn many_names_are_counted() {
        let names: Vec<String> = (0..25).map(|number| format!("N{number}")).collect();
        assert_eq!(listed(&names[..1]), "`N0`");
        assert_eq!(listed(&names[..3]), "`N0`, `N1` and `N2`");
        assert!(listed(&names).ends_with(", `N19` and 5 more"));
    }
}
