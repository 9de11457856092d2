//! Directives that systemd does not know, does not know here, or forgets again.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::directive::{self, Fate, Kind};
use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::lint::subject::{Directive, Subject};
use crate::suggestion::did_you_mean;
use crate::unit::systemd::is_section;

pub(in crate::lint) static RULES: [&Rule; 6] = [
    &UNKNOWN_KEY,
    &MISPLACED_KEY,
    &TOO_NEW,
    &WITHOUT_EFFECT,
    &LOST_VALUE,
    &NO_RESET,
];

static UNKNOWN_KEY: Rule = Rule::warning("U201", "a directive that systemd does not know")
    .because(
        "systemd drops a directive that it does not know with a warning in the journal; the unit \
         runs without it, and `systemd-analyze verify` still ends with 0. Names are case-sensitive. \
         A name of your own has to begin with `X-`.",
    )
    .example(
        "[Service]\nExecStart=/bin/true\nRestartSecs=10\n",
        "[Service]\nExecStart=/bin/true\nRestartSec=10\n",
    );

static MISPLACED_KEY: Rule = Rule::warning(
    "U202",
    "a directive in a section that does not take it",
)
.because(
    "systemd knows this directive, but not in this section, and drops it with a warning in the \
         journal: `Restart=` in `[Unit]` restarts nothing. Move it to the section named.",
)
.example(
    "[Unit]\nRestart=on-failure\nRestartSec=10\n[Service]\nExecStart=/bin/true\n",
    "[Service]\nExecStart=/bin/true\nRestart=on-failure\nRestartSec=10\n",
);

static TOO_NEW: Rule = Rule::warning("U203", "a directive newer than the machines' systemd")
    .because(
        "The systemd of the machines (`--systemd`, 252 if nothing is said) does not know this \
         directive yet, and drops it with a warning in the journal. fleet takes it all the same.",
    )
    .example(
        "[Service]\nExecStart=/bin/true\nRestartSteps=5\n",
        "[Service]\nExecStart=/bin/true\n",
    );

static WITHOUT_EFFECT: Rule = Rule::warning("U204", "a directive without effect")
    .because(
        "The systemd of the machines (`--systemd`, 252 if nothing is said) reads this directive for \
         compatibility only, or knows it no more: it does nothing.",
    )
    .example(
        "[Service]\nExecStart=/bin/true\nPermissionsStartOnly=yes\nCapabilities=cap_net_bind_service=ep\n",
        "[Service]\nExecStart=/bin/true\nPermissionsStartOnly=yes\n",
    );

static LOST_VALUE: Rule = Rule::warning("U205", "a value that a later line replaces")
    .because(
        "This directive takes one value: of several the last one counts, and the others are lost \
         without a word. Leave one.",
    )
    .example(
        "[Service]\nUser=web\nExecStart=/bin/true\nUser=root\n",
        "[Service]\nUser=web\nExecStart=/bin/true\n",
    );

static NO_RESET: Rule = Rule::warning("U206", "an empty directive that empties nothing")
    .because(
        "For most lists an empty assignment forgets what was listed before. Dependencies such as \
         `After=` and `Requires=` only grow: the line does nothing. Take it out.",
    )
    .example(
        "[Unit]\nAfter=\nAfter=network.target\n[Service]\nExecStart=/bin/true\n",
        "[Unit]\nAfter=network.target\n[Service]\nExecStart=/bin/true\n",
    );

/// Finds directives that do nothing.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Findings) {
    let mut single: HashMap<(&str, &str), &Directive<'_>> = HashMap::new();
    let kind = subject.unit.kind_of_unit();
    let warnings = subject.reading.warnings.iter();
    let untaken: HashSet<usize> = warnings.map(|warning| warning.line).collect();
    // Most directives stand in the section of the one before.
    let mut section = ("", false);
    for directive in &subject.directives {
        if found.is_full() {
            return;
        }
        if section.0 != directive.section {
            section = (directive.section, is_section(directive.section, kind));
        }
        if !section.1 {
            continue;
        }
        if let Some(finding) = out_of_date(subject.options.systemd, directive) {
            found.push(finding);
            continue;
        }
        match directive::kind(directive.section, directive.name) {
            Kind::Unknown => found.list.extend(unknown(
                directive.section,
                directive.name,
                directive.key_range(),
            )),
            Kind::Scalar => {
                let key = (directive.section, directive.name);
                // What is not taken, or resets, leaves nothing that could be lost.
                if untaken.contains(&directive.item.last_line) {
                    continue;
                }
                if directive.value.is_empty() {
                    single.remove(&key);
                } else if let Some(before) = single.insert(key, directive) {
                    lost(before, directive, found);
                }
            }
            Kind::List { resets: false } if directive.value.is_empty() => found.push(
                Finding::new(
                    &NO_RESET,
                    directive.key_range(),
                    format!("an empty `{}` empties nothing", directive.name),
                )
                .label("this list only grows"),
            ),
            Kind::List { .. } => {}
        }
    }
}

/// Tells whether a rule is about a directive's name or its repetition.
#[must_use]
pub fn is_rule(rule: &Rule) -> bool {
    RULES.contains(&rule)
}

/// Says what systemd makes of a directive that its section does not have; nothing where it has.
#[must_use]
pub fn unknown(section: &str, name: &str, range: Range<usize>) -> Option<Finding> {
    if name.starts_with("X-") || directive::kind(section, name) != Kind::Unknown {
        return None;
    }
    let home = directive::sections().find(|home| directive::form(home, name).is_some());
    let Some(home) = home else {
        let message = format!("systemd knows no `{name}` in `[{section}]`");
        let finding = Finding::new(&UNKNOWN_KEY, range, message).label("it is dropped");
        return Some(finding.maybe_help(did_you_mean(name, directive::names(section))));
    };
    let message = format!("`{name}` does not belong into `[{section}]`");
    let finding = Finding::new(&MISPLACED_KEY, range, message).label("it is dropped");
    Some(finding.help(format!("it belongs into `[{home}]`")))
}

/// A directive that the machines' systemd does not know yet, or no more.
fn out_of_date(version: u16, directive: &Directive<'_>) -> Option<Finding> {
    let Directive { section, name, .. } = *directive;
    let range = || directive.key_range();
    if let Some(since) = directive::since(section, name)
        && since > version
    {
        let message = format!("`{name}` came with systemd {since}");
        let label = format!("systemd {version} drops it");
        return Some(Finding::new(&TOO_NEW, range(), message).label(label));
    }
    let obsolete = directive::obsolete(section, name, version)?;
    let message = match obsolete.fate {
        Fate::Ignored => format!("`{name}` does nothing since systemd {}", obsolete.since),
        Fate::Removed => format!("systemd {} dropped `{name}`", obsolete.since),
        // These still do their work, and older machines know no other name.
        Fate::Renamed | Fate::Replaced => return None,
    };
    let help = obsolete
        .instead
        .map(|place| format!("write `{}` in `[{}]`", place.name, place.section));
    Some(Finding::new(&WITHOUT_EFFECT, range(), message).maybe_help(help))
}

fn lost(before: &Directive<'_>, after: &Directive<'_>, found: &mut Findings) {
    let name = before.name;
    let message = if before.value == after.value {
        format!("`{name}` is given twice")
    } else {
        format!("this `{name}` is lost")
    };
    found.push(
        Finding::new(&LOST_VALUE, before.key_range(), message)
            .related(after.key_range(), "this one counts"),
    );
}
