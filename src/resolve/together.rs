//! What only shows when all processes are seen together: conflicts, names and ports that meet.
//!
//! In: a model. Out: its conflicts as fleet's patterns, and a report. Knows nothing of which machines
//! there are.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::diagnostic::{Diagnostic, Report};
use crate::glob;
use crate::model::{App, Model, Overlay, Process, Work};
use crate::span::{Span, Spanned};
use crate::suggestion::did_you_mean;

/// Turns the words of `conflicts` into fleet's patterns of unit names.
pub fn expand_conflicts(model: &mut Model, report: &mut Report) {
    let processes = model.apps.iter().flat_map(|app| &app.processes);
    let expanded: Vec<Vec<Spanned<String>>> = processes
        .map(|process| {
            let mut found: Vec<Spanned<String>> = Vec::with_capacity(process.conflicts.len());
            for word in &process.conflicts {
                let span = word.span;
                for value in expand(word, process, &model.apps, report) {
                    if !found.iter().any(|earlier| earlier.value == value) {
                        found.push(Spanned { span, value });
                    }
                }
            }
            found
        })
        .collect();
    let processes = model.apps.iter_mut().flat_map(|app| &mut app.processes);
    for (process, conflicts) in processes.zip(expanded) {
        process.conflicts = conflicts;
    }
}

/// Returns the pattern of all instances of a process, or the name of its plain unit.
fn pattern(process: &Process) -> String {
    let unit = &process.unit;
    if unit.is_template() {
        return format!("{}@*.{}", unit.prefix(), unit.unit_type().suffix());
    }
    unit.as_str().to_owned()
}

fn expand(
    word: &Spanned<String>,
    process: &Process,
    apps: &[App],
    report: &mut Report,
) -> Vec<String> {
    let text = word.value.as_str();
    if text == "self" {
        if !process.unit.is_template() {
            let message = format!(
                "`{}` is a plain unit: there is only one of it",
                process.unit
            );
            report.push(Diagnostic::error(word.span, message).help("leave `conflicts: self` out"));
            return Vec::new();
        }
        return vec![format!("%p@*.{}", process.unit.unit_type().suffix())];
    }
    if glob::is_pattern(text) || text.contains(['.', '@', '%']) {
        if text.contains(char::is_whitespace) {
            let message = "fleet would read two patterns here";
            report.push(Diagnostic::error(word.span, message).help("write them as a list"));
        }
        return vec![text.to_owned()];
    }
    let (app, wanted) = match text.split_once('/') {
        Some((app, process)) => (app, Some(process)),
        None => (text, None),
    };
    let Ok(found) = apps.binary_search_by(|other| other.name.value.as_str().cmp(app)) else {
        let names = apps.iter().map(|app| app.name.value.as_str());
        let message = format!("there is no app `{app}` to conflict with");
        report.push(
            Diagnostic::error(word.span, message)
                .maybe_help(did_you_mean(app, names.chain(["self"]))),
        );
        return Vec::new();
    };
    let processes = &apps[found].processes;
    let is_wanted =
        |process: &&Process| wanted.is_none_or(|name| name == process.name.value.as_str());
    let matching: Vec<String> = processes.iter().filter(is_wanted).map(pattern).collect();
    if matching.is_empty() {
        let wanted = wanted.unwrap_or_default();
        let names = processes.iter().map(|process| process.name.value.as_str());
        report.push(
            Diagnostic::error(word.span, format!("app `{app}` has no process `{wanted}`"))
                .maybe_help(did_you_mean(wanted, names)),
        );
    }
    matching
}

/// Finds units, instances and containers whose names come out equal.
pub fn check_names(model: &Model, report: &mut Report) {
    let mut units: HashMap<&str, Span> = HashMap::new();
    let mut containers: HashMap<String, (Span, &str)> = HashMap::new();
    for process in model.apps.iter().flat_map(|app| &app.processes) {
        let own = (process.unit.as_str(), process.name.span);
        let beside = process.companions.iter();
        let beside = beside.map(|companion| (companion.unit.as_str(), companion.span));
        // Where the templates are one, so are the instances: said once.
        let is_new = !units.contains_key(own.0);
        let instances = process
            .instances
            .iter()
            .filter(|i| is_new && i.unit != process.unit);
        let instances = instances.map(|instance| (instance.unit.as_str(), instance.span));
        let all: Vec<_> = std::iter::once(own)
            .chain(beside)
            .chain(instances)
            .collect();
        for (name, span) in all {
            match units.get(name) {
                None => {
                    units.insert(name, span);
                }
                Some(earlier) => report.push(
                    Diagnostic::error(span, format!("two units are named `{name}`"))
                        .label("this one")
                        .related(*earlier, "and this one")
                        .help("`unit: NAME` names one of them otherwise"),
                ),
            }
        }
        if !matches!(process.work, Work::Container(_)) {
            continue;
        }
        for instance in process.instances.iter() {
            let name = container_name(process, instance.unit.instance());
            if !is_container_name(&name) {
                let message = format!("docker takes no container named `{name}`");
                report.push(
                    Diagnostic::error(process.name.span, message)
                        .label("a container is named after its unit")
                        .help("two letters at least: A-Z, a-z, 0-9, `_`, `.` and `-`, not beginning with the last three"),
                );
                break;
            }
            let unit = instance.unit.as_str();
            if let Some((earlier, other)) = containers.get(&name)
                && *other != unit
            {
                report.push(
                    Diagnostic::error(instance.span, format!("two containers are named `{name}`"))
                        .label(format!("that of `{unit}`"))
                        .related(*earlier, format!("and that of `{other}`"))
                        .help("on one machine each would remove the other: rename an app or a process"),
                );
                continue;
            }
            containers.insert(name, (instance.span, unit));
        }
    }
}

/// Returns the name of an instance's container: systemd's `%p-%i`.
fn container_name(process: &Process, instance: Option<&str>) -> String {
    match instance {
        Some(instance) => format!("{}-{instance}", process.unit.prefix()),
        None => process.unit.prefix().to_owned(),
    }
}

/// Tells whether docker takes a container's name.
fn is_container_name(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    name.len() > 1
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(letters)
}

/// Warns of processes that could meet on one port of one machine.
pub fn check_ports(model: &Model, report: &mut Report) {
    let mut takers: BTreeMap<_, Vec<(&Process, Span)>> = BTreeMap::new();
    for process in model.apps.iter().flat_map(|app| &app.processes) {
        for port in &process.machine_ports {
            let slots = process
                .instances
                .iter()
                .filter_map(|i| i.slot.as_ref()?.as_str().parse().ok());
            let numbers: Vec<u16> = match port.value.number {
                Some(number) => vec![number],
                None => slots.collect(),
            };
            let twice = match port.value.number {
                Some(number) => (process.instances.len() > 1).then_some(number),
                None => repeated(&numbers),
            };
            if let Some(number) = twice.filter(|_| !may_not_meet(process, process)) {
                report.push(
                    Diagnostic::warning(port.span, format!("several instances take port {number}"))
                        .label("two of them can't run on one machine")
                        .help("say `conflicts: self`, or `port: slot` to give each its own"),
                );
            }
            for number in numbers {
                let key = (number, port.value.protocol);
                takers.entry(key).or_default().push((process, port.span));
            }
        }
    }
    // Two ranges meet on many ports, and are told of once.
    let mut told: HashSet<(*const Process, *const Process)> = HashSet::new();
    for ((number, _), takers) in takers {
        for (at, (process, span)) in takers.iter().enumerate() {
            let meets = |(other, _): &&(&Process, Span)| {
                !std::ptr::eq(*other, *process) && !may_not_meet(process, other)
            };
            let Some((other, earlier)) = takers[..at].iter().find(meets) else {
                continue;
            };
            if !told.insert((*process, *other)) {
                continue;
            }
            let (mine, theirs) = (&process.app, &other.app);
            report.push(
                Diagnostic::warning(*span, format!("port {number} is also taken by `{theirs}`"))
                    .label(format!(
                        "on one machine `{mine}` and `{theirs}` can't both run"
                    ))
                    .related(*earlier, "taken here")
                    .help(format!("say `conflicts: {theirs}`, or take another port")),
            );
        }
    }
}

/// Returns a number that stands in a list more than once.
fn repeated(numbers: &[u16]) -> Option<u16> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted
        .windows(2)
        .find(|pair| pair[0] == pair[1])
        .map(|pair| pair[0])
}

/// Tells whether fleet keeps two processes off each other's machines.
fn may_not_meet(one: &Process, other: &Process) -> bool {
    let keeps_off = |from: &Process, of: &Process| {
        let is_conflicts = |o: &&Overlay| o.section == "X-Fleet" && o.name.value == "Conflicts";
        let overlaid = from.overlays.iter().filter(is_conflicts);
        let overlaid = overlaid.flat_map(|o| o.values.iter().flatten());
        let values = from.conflicts.iter().chain(overlaid);
        // fleet splits a value at blanks.
        let mut patterns = values.flat_map(|value| value.value.split_whitespace());
        patterns.any(|pattern| {
            let pattern = pattern.replace("%p", from.unit.prefix());
            let mut instances = of.instances.iter();
            instances.all(|instance| glob::matches(&pattern, instance.unit.as_str()))
        })
    };
    keeps_off(one, other) || keeps_off(other, one)
}
