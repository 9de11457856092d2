//! Mends what can be mended without a change of what systemd makes of the text, or of where fleet runs
//! the unit.
//!
//! In: a text. Out: the mended text, which is checked: systemd reads it as it read the first one, and
//! fleet its own section, unless that could not be read as it stood. Knows nothing of files.

use std::ops::Range;

use crate::lint::finding::Finding;
use crate::lint::subject::loaded_name;
use crate::lint::{Options, Unit, lint};
use crate::target::SECTION;
use crate::unit::UnitFile;
use crate::unit::fleet::FleetUnit;
use crate::unit::fleet::constraints::Constraints;
use crate::unit::name::UnitName;
use crate::unit::specifier::Host;
use crate::unit::systemd::{self, Reading};

/// One fix may uncover the next, but none puts back what another took away.
const ROUNDS_MAXIMUM: usize = 1_000;

/// What became of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// The mended text.
    pub text: String,
    /// How many findings were mended.
    pub count: usize,
}

/// Mends a text; `None` where there is nothing to mend. A text that is not UTF-8 is left alone, since
/// its other bytes are not known.
#[must_use]
pub fn fix(
    unit: &Unit<'_>,
    options: &Options,
    is_allowed: impl Fn(&Finding) -> bool,
) -> Option<Fixed> {
    if unit.is_lossy {
        return None;
    }
    let mut fixed = Fixed {
        text: unit.text.to_owned(),
        count: 0,
    };
    for _ in 0..ROUNDS_MAXIMUM {
        let found = lint(
            &Unit {
                text: &fixed.text,
                ..*unit
            },
            options,
        );
        let mut findings = found.list;
        findings.retain(|finding| {
            // Up to 239 these lines were read by systemd as fleet still reads them.
            let is_old = options.systemd < 240 && ["U105", "U106"].contains(&finding.rule.code);
            !finding.fix.is_empty() && !is_old && is_allowed(finding)
        });
        let Some((text, count)) = round(&fixed.text, &findings, unit.name) else {
            break;
        };
        fixed.text = text;
        fixed.count += count;
    }
    (fixed.count > 0).then_some(fixed)
}

/// Applies each fix that keeps the reading; all at once if that does, which it nearly always does.
fn round(text: &str, findings: &[Finding], name: &str) -> Option<(String, usize)> {
    let before = reading(text, name)?;
    let scheduled = constraints(text, name);
    let keeps = |text: &str| {
        let is_scheduled_alike = scheduled.is_none() || constraints(text, name) == scheduled;
        is_scheduled_alike && reading(text, name).is_some_and(|after| is_same(&before, &after))
    };
    let (all, count) = apply(text, findings.iter());
    if count > 0 && keeps(&all) {
        return Some((all, count));
    }
    findings.iter().find_map(|finding| {
        let (text, count) = apply(text, std::iter::once(finding));
        (count > 0 && keeps(&text)).then_some((text, count))
    })
}

/// Applies the fixes that do not touch those before them.
fn apply<'a>(text: &str, findings: impl Iterator<Item = &'a Finding>) -> (String, usize) {
    let mut edits: Vec<(Range<usize>, &str)> = Vec::new();
    let mut count = 0;
    for finding in findings {
        let touches = |edit: &(Range<usize>, String)| {
            let mut others = edits.iter();
            others.any(|(other, _)| edit.0.start <= other.end && other.start <= edit.0.end)
        };
        let is_whole = |(range, _): &(Range<usize>, String)| text.get(range.clone()).is_some();
        if finding.fix.iter().any(touches) || !finding.fix.iter().all(is_whole) {
            continue;
        }
        let own = finding.fix.iter();
        edits.extend(own.map(|(range, text)| (range.clone(), text.as_str())));
        count += 1;
    }
    edits.sort_by_key(|(range, _)| range.start);
    let mut fixed = String::with_capacity(text.len());
    let mut done = 0;
    for (range, replacement) in edits {
        // Fixes of one finding may meet, but never overlap.
        fixed.push_str(text.get(done..range.start).unwrap_or_default());
        fixed.push_str(replacement);
        done = range.end;
    }
    fixed.push_str(text.get(done..).unwrap_or_default());
    (fixed, count)
}

fn reading(text: &str, name: &str) -> Option<Reading> {
    let name = loaded_name(name).or_else(|| UnitName::new("unit.service").ok())?;
    let file = UnitFile::parse(text);
    Some(systemd::read(&file, &name, &Host::unknown()))
}

/// Returns where fleet would run the unit, if it can read the text, and reads it as systemd does.
fn constraints(text: &str, name: &str) -> Option<Constraints> {
    let unit = FleetUnit::parse(text).ok()?;
    let misses = FleetUnit::parse(&unit.canonical()).ok()? != unit;
    let file = UnitFile::parse(text);
    let seen = unit
        .options
        .iter()
        .filter(|one| &*one.section == SECTION)
        .count();
    let written = file
        .assignments()
        .filter(|one| one.section == Some(SECTION.as_bytes()));
    // Where a trap hides some options from fleet, mending it shows them again.
    (!misses && seen == written.count()).then(|| Constraints::read(&unit, name))
}

/// Compares what comes of two texts. Warnings may become fewer.
fn is_same(before: &Reading, after: &Reading) -> bool {
    let Reading {
        verdict,
        rejection: _,
        warnings,
        commands,
        environment,
        environment_files,
        values,
    } = before;
    *verdict == after.verdict
        && warnings.len() >= after.warnings.len()
        && *commands == after.commands
        && *environment == after.environment
        && *environment_files == after.environment_files
        && *values == after.values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(before: &str, after: &str, count: usize) {
        let unit = Unit {
            name: "app@.service",
            text: before,
            is_lossy: false,
        };
        let fixed = fix(&unit, &Options::default(), |_| true);
        let fixed = fixed.map_or((before.to_owned(), 0), |fixed| (fixed.text, fixed.count));
        assert_eq!((fixed.0.as_str(), fixed.1), (after, count));
    }

    const START: &str = "[Service]\nExecStart=/bin/true\n";

    #[test]
    fn what_can_be_mended_is() {
        let with = |rest: &str| format!("{START}{rest}");
        case(&with("# a \\\nUser=a\n"), &with("# a\nUser=a\n"), 1);
        case(
            &with("ExecStop=/bin/a \\\n  # b\n  c\n"),
            &with("# b\nExecStop=/bin/a \\\n  c\n"),
            1,
        );
        case(
            &with("ExecStop=/bin/a \\d\\w 5% \n"),
            &with("ExecStop=/bin/a \\\\d\\\\w 5%% \n"),
            2,
        );
        case(&with("ExecStop=/bin/a\\"), &with("ExecStop=/bin/a"), 1);
        case("[Service]\r\nExecStart=/bin/true\r\n", START, 1);
        case(
            &with("[X-Fleet]\nX-Conflicts=a.service\n"),
            &with("[X-Fleet]\nConflicts=a.service\n"),
            1,
        );
    }

    #[test]
    fn what_would_change_the_reading_is_left() {
        let text = format!("{START}Restart=maybe\nEnvironment=A=1 B\n");
        case(&text, &text, 0);
    }
}
