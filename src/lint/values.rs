//! Values that systemd does not take, and units that it refuses.
//!
//! What systemd says of them is known from reading the unit as it does; here it gets a code, a place
//! and a way out.

use crate::diagnostic::Severity;
use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::lint::subject::{Directive, Subject};
use crate::unit::systemd::complaint::{Complaint, Warning};

pub(in crate::lint) static RULES: [&Rule; 5] = [
    &REFUSED_UNIT,
    &REFUSED_VALUE,
    &BAD_DEPENDENCY,
    &OBSOLETE,
    &BAD_COMMAND,
];

static REFUSED_UNIT: Rule = Rule::error("U211", "a unit that systemd refuses")
    .because(
        "Each line is fine, but they do not make a unit: a service without a command, several \
         `ExecStart=` without `Type=oneshot`, a timer without a time. systemd loads such a unit as \
         `bad-setting`; it can't be started. fleet takes it, and schedules it in vain.",
    )
    .example(
        "[Service]\nExecStart=/bin/one\nExecStart=/bin/two\n",
        "[Service]\nType=oneshot\nExecStart=/bin/one\nExecStart=/bin/two\n",
    );

static REFUSED_VALUE: Rule = Rule::warning("U212", "a value that systemd does not take")
    .because(
        "systemd drops a value that it can't read with a warning in the journal and keeps the \
         default; `systemd-analyze verify` still ends with 0. For a few directives, such as `User=`, \
         it refuses the unit. There are no comments behind a value: everything up to the end of \
         the line belongs to it.",
    )
    .example(
        "[Service]\nExecStart=/bin/true\nRestart=allways\n",
        "[Service]\nExecStart=/bin/true\nRestart=on-failure\nRestartSec=10\n",
    );

static BAD_DEPENDENCY: Rule = Rule::warning("U213", "a dependency that is no unit's name")
    .because(
        "systemd drops what is no unit's name from a list of units with a warning in the journal; \
         the rest of the list stands. Names are separated by blanks only, are not quoted, and need \
         their type: `docker.service`, not `docker`.",
    )
    .example(
        "[Unit]\nAfter=network.target,etcd.service\n[Service]\nExecStart=/bin/true\n",
        "[Unit]\nAfter=network.target etcd.service\n[Service]\nExecStart=/bin/true\n",
    );

static OBSOLETE: Rule = Rule::warning("U214", "a value that systemd advises against")
    .because(
        "systemd takes the value and warns of it in the journal at each start: the setting is out \
         of date or unsafe, and a later version may drop it.",
    )
    .example(
        "[Service]\nExecStart=/bin/true\nStandardOutput=syslog\n",
        "[Service]\nExecStart=/bin/true\nStandardOutput=journal\n",
    );

static BAD_COMMAND: Rule = Rule::error("U215", "a command that systemd can't run")
    .because(
        "A command begins with an absolute path, or (since systemd 239) with a file's bare name. A \
         relative path, a path that ends in `/`, or a quote or backslash in it make systemd refuse \
         the unit; with the prefix `-` the command is dropped instead. Variables are never replaced \
         in it.",
    )
    .example(
        "[Service]\nExecStart=./serve\n",
        "[Service]\nExecStart=/opt/bin/serve\n",
    );

/// Finds what systemd warns of and refuses.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Findings) {
    let reading = &subject.reading;
    for warning in &reading.warnings {
        if found.is_full() {
            return;
        }
        let finding = match warning.complaint {
            // A line that is read in another way explains what is missing.
            Complaint::Unit if !found.list.iter().any(|found| found.rule.code < "U200") => {
                refused(subject, warning, found)
            }
            Complaint::Value => value(subject, warning),
            Complaint::Dependency => dependency(subject, warning),
            Complaint::Advice => advice(subject, warning),
            Complaint::Command => command(subject, warning),
            // These have checks of their own, which know the place better.
            Complaint::Unit
            | Complaint::File
            | Complaint::Outside
            | Complaint::NoAssignment
            | Complaint::Section
            | Complaint::Key
            | Complaint::Quoting
            | Complaint::Escape
            | Complaint::Specifier
            | Complaint::Assignment => None,
        };
        let Some(finding) = finding else { continue };
        found.push(if warning.is_fatal {
            finding.fatal().label("systemd refuses the unit")
        } else {
            finding
        });
    }
}

/// A unit that is refused for want of a value has the fault where that value was not taken.
fn refused(subject: &Subject<'_>, warning: &Warning, found: &mut Findings) -> Option<Finding> {
    let text = warning.text.trim_end_matches("Refusing.").trim_end();
    let text = text.trim_end_matches('.');
    let text = text.split_once(": ").map_or(text, |(_, text)| text);
    let untaken = found
        .list
        .iter_mut()
        .find(|finding| finding.rule == &REFUSED_VALUE && text.contains("lacks"));
    if let Some(untaken) = untaken {
        untaken.severity = Severity::Error;
        "without it systemd refuses the unit".clone_into(&mut untaken.label);
        return None;
    }
    // The directive that the words name last is the one that is too much, if it is there at all.
    let mut place = header(subject);
    for (name, _) in text
        .split_whitespace()
        .filter_map(|word| word.split_once('='))
    {
        let mut directives = subject.directives.iter().rev();
        if let Some(named) = directives.find(|directive| directive.name == name) {
            place = named.key_range();
        }
    }
    Some(Finding::new(&REFUSED_UNIT, place, lowercase_first(text)))
}

fn lowercase_first(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    text
}

/// The header of the type's own section, or the beginning of the file.
fn header(subject: &Subject<'_>) -> std::ops::Range<usize> {
    let kind = subject.unit.kind_of_unit();
    let own = subject
        .directives
        .iter()
        .find(|directive| directive.section.eq_ignore_ascii_case(kind));
    own.map_or(0..0, Directive::key_range)
}

fn value(subject: &Subject<'_>, warning: &Warning) -> Option<Finding> {
    let directive = subject.directive(warning.line)?;
    let shown = shorten(directive.value);
    let message = format!("systemd does not take `{}={shown}`", directive.name);
    let finding = Finding::new(&REFUSED_VALUE, directive.value_range(), message);
    let finding = finding.label("it is dropped, and what was set before or by default stays");
    Some(if directive.value.contains(" #") {
        finding.help("a comment needs a line of its own")
    } else if directive.value.starts_with(['"', '\'']) {
        finding.help("this directive takes no quotes")
    } else {
        finding
    })
}

fn dependency(subject: &Subject<'_>, warning: &Warning) -> Option<Finding> {
    let directive = subject.directive(warning.line)?;
    let word = warning
        .text
        .strip_prefix("Failed to add dependency on ")
        .and_then(|rest| rest.strip_suffix(", ignoring"))
        .or_else(|| warning.text.rsplit(": ").next())?;
    // Specifiers may be replaced in it; then the whole list is the place.
    let range = match directive.value.find(word) {
        Some(at) => directive.range(at..at + word.len()),
        None => directive.value_range(),
    };
    let message = format!("`{}` is no unit's name", shorten(word));
    let finding = Finding::new(&BAD_DEPENDENCY, range, message).label("it is left out");
    Some(if word.contains(',') {
        finding.help("separate names by blanks")
    } else if word.starts_with(['"', '\'']) {
        finding.help("names are not quoted")
    } else if !word.contains('.') && directive.value.contains(word) {
        finding.help(format!("did you mean `{word}.service`?"))
    } else {
        finding
    })
}

fn advice(subject: &Subject<'_>, warning: &Warning) -> Option<Finding> {
    let directive = subject.directive(warning.line)?;
    // This one has a rule of its own.
    // Before 246 none of them was advised against.
    if directive.name == "KillMode" || subject.options.systemd < 246 {
        return None;
    }
    let text = warning.text.trim_end_matches('.');
    let shown = shorten(directive.value);
    let message = format!("systemd warns of `{}={shown}`", directive.name);
    Some(Finding::new(&OBSOLETE, directive.value_range(), message).label(text))
}

fn command(subject: &Subject<'_>, warning: &Warning) -> Option<Finding> {
    let directive = subject.directive(warning.line)?;
    let message = format!("systemd can't run this `{}`", directive.name);
    let text = warning.text.split(": ").next().unwrap_or_default();
    let label = lowercase_first(text);
    Some(
        Finding::new(&BAD_COMMAND, directive.value_range(), message)
            .label(label)
            .help("a command begins with an absolute path"),
    )
}

/// Values in messages are for finding the line again.
pub(in crate::lint) fn shorten(value: &str) -> String {
    const LENGTH: usize = 60;
    if value.chars().count() <= LENGTH {
        return value.to_owned();
    }
    let short: String = value.chars().take(LENGTH).collect();
    format!("{short}…")
}
