//! What fleet reads of a unit, and what it refuses or ignores.
//!
//! In: the lines of one unit. Out: a report. fleet itself checks a unit's options only when the unit
//! is new, and ignores much in silence; here all of it is said before. Knows nothing of which
//! machines there are.

use crate::diagnostic::{Diagnostic, Report};
use crate::glob;
use crate::line::Line;
use crate::span::Span;
use crate::suggestion::did_you_mean;
use crate::unit::fleet::constraints::is_true;

/// fleet's section.
pub const SECTION: &str = "X-Fleet";

/// The section that marks a unit as rendered. fleet keeps it, and systemd ignores it.
pub const MARK: &str = "X-Unitgen";

/// What fleet replaces in a value; it has no escape.
pub const SPECIFIERS: [&str; 4] = ["%n", "%N", "%p", "%i"];

const OPTIONS: [&str; 6] = [
    "Conflicts",
    "Global",
    "MachineID",
    "MachineMetadata",
    "MachineOf",
    "Replaces",
];

/// Names that fleet still reads, with what they are called now.
const LEGACY: [(&str, &str); 5] = [
    ("X-ConditionMachineBootID", "MachineID"),
    ("X-ConditionMachineID", "MachineID"),
    ("X-ConditionMachineMetadata", "MachineMetadata"),
    ("X-ConditionMachineOf", "MachineOf"),
    ("X-Conflicts", "Conflicts"),
];

/// Checks the options of one unit; `place` is where to point for lines that a template gave.
pub fn check(lines: &[Line], place: Span, report: &mut Report) {
    let options: Vec<FleetOption<'_>> = lines
        .iter()
        .filter(|line| line.section == SECTION)
        .filter_map(|line| option(line, place, report))
        .collect();
    for option in &options {
        check_value(option, report);
    }
    check_combinations(&options, report);
}

/// One of fleet's options by its present name.
struct FleetOption<'a> {
    name: &'static str,
    value: &'a str,
    span: Span,
}

fn option<'a>(line: &'a Line, place: Span, report: &mut Report) -> Option<FleetOption<'a>> {
    let span = line.origin.span().unwrap_or(place);
    let name = line.name.as_str();
    if line.origin.span().is_none() {
        check_name(name, place, report);
    }
    let legacy = LEGACY.iter().find(|(old, _)| *old == name);
    let modern = OPTIONS.iter().find(|option| **option == name);
    let name = modern.copied().or(legacy.map(|(_, new)| *new))?;
    Some(FleetOption {
        name,
        value: &line.value,
        span,
    })
}

/// Checks an option's name, at the place where it is given.
pub fn check_name(name: &str, span: Span, report: &mut Report) {
    if let Some((old, new)) = LEGACY.iter().find(|(old, _)| *old == name) {
        report.push(
            Diagnostic::warning(span, format!("`{old}` is an old name"))
                .help(format!("write `{new}`")),
        );
    } else if !OPTIONS.contains(&name) {
        report.push(
            Diagnostic::error(span, format!("fleet has no option `{name}`"))
                .label("it would be ignored, and the unit would run anywhere")
                .maybe_help(did_you_mean(name, OPTIONS)),
        );
    }
}

fn check_value(option: &FleetOption<'_>, report: &mut Report) {
    let FleetOption { name, value, span } = *option;
    let mut error = |message: String, help: &str| {
        report.push(Diagnostic::error(span, message).help(help));
    };
    if value.is_empty() {
        error(
            format!("`{name}` is empty, and fleet has no reset"),
            "leave it out",
        );
        return;
    }
    let expanded = SPECIFIERS
        .iter()
        .fold(value.to_owned(), |v, s| v.replace(s, "x"));
    if expanded.contains('%') {
        error(
            format!("fleet replaces only `%n`, `%N`, `%p` and `%i`, so `{value}` stays as it is"),
            "write out what it stands for",
        );
    }
    match name {
        "MachineMetadata" if !quoted_items(value).iter().all(|item| is_pair(item)) => {
            error(
                format!("fleet would ignore `{value}`, and the unit would run anywhere"),
                "write one `key=value` a line, as a list",
            );
        }
        "Global" => {
            let word = value.trim_matches('"').to_ascii_lowercase();
            if ![
                "true", "yes", "1", "on", "t", "false", "no", "0", "off", "f",
            ]
            .contains(&word.as_str())
            {
                error(
                    format!("fleet takes `{value}` for false"),
                    "write `true` or `false`",
                );
            }
        }
        "Conflicts" | "Replaces" => {
            if let Some(bad) = value.split_whitespace().find(|glob| !glob::is_valid(glob)) {
                error(
                    format!("`{bad}` is no pattern, so it would match nothing"),
                    "`*`, `?`, `[a-z]`; a `\\` before one of them takes its meaning away",
                );
            }
        }
        "MachineOf" if value.contains(char::is_whitespace) && !value.starts_with('"') => {
            error(
                format!("fleet would look for one unit named `{value}`"),
                "write one name a line, as a list",
            );
        }
        _ => {}
    }
}

/// Splits a value as fleet does: only one that begins and ends with a quote has several items.
fn quoted_items(value: &str) -> Vec<&str> {
    match value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(inner) => inner.split("\" \"").collect(),
        None => vec![value],
    }
}

fn is_pair(item: &str) -> bool {
    item.split_once('=').is_some_and(|(key, value)| {
        let whole = |text: &str| !text.is_empty() && text.trim() == text;
        whole(key) && whole(value) && !item.contains(['"', ',']) && !value.contains('=')
    })
}

/// Refuses what fleet refuses, which it does only for a unit that it does not have yet.
fn check_combinations(options: &[FleetOption<'_>], report: &mut Report) {
    let find = |name: &str| options.iter().find(|option| option.name == name);
    let global = options
        .iter()
        .rfind(|option| option.name == "Global")
        .filter(|option| is_true(option.value.trim_matches('"')));
    let pairs = [
        (find("MachineID"), find("MachineOf")),
        (find("MachineID"), find("Conflicts")),
        (find("MachineID"), global),
        (find("MachineID"), find("Replaces")),
        (global, find("MachineOf")),
        (global, find("Replaces")),
        (find("Conflicts"), find("Replaces")),
    ];
    for (one, other) in pairs {
        if let (Some(one), Some(other)) = (one, other) {
            report.push(
                Diagnostic::error(
                    other.span,
                    format!("fleet refuses `{}` with `{}`", one.name, other.name),
                )
                .label("this one")
                .related(one.span, "with this one"),
            );
        }
    }
    let ids: Vec<_> = options
        .iter()
        .filter(|option| option.name == "MachineID")
        .collect();
    if let [first, second, ..] = ids.as_slice() {
        report.push(
            Diagnostic::error(second.span, "fleet takes the first `MachineID` only")
                .related(first.span, "the first one"),
        );
    }
    for of in options.iter().filter(|option| option.name == "MachineOf") {
        for name in quoted_items(of.value) {
            let against = options
                .iter()
                .filter(|o| matches!(o.name, "Conflicts" | "Replaces"));
            let against =
                against.flat_map(|o| o.value.split_whitespace().map(move |glob| (o, glob)));
            for (option, glob) in against {
                if glob::matches(glob, name) {
                    report.push(
                        Diagnostic::error(
                            of.span,
                            format!("the unit must run beside `{name}` and must not"),
                        )
                        .label("fleet refuses it")
                        .related(option.span, format!("`{}` holds it off", option.name)),
                    );
                }
            }
        }
    }
}
