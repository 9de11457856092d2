//! Whether fleet's copy of a unit reads as the unit does.
//!
//! Other checks know the traps one by one. This one knows none of them: it compares what systemd reads
//! in the file with what it reads in the text that fleet would write.

use crate::diagnostic::Severity;
use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::lint::subject::{Subject, line_range};
use crate::lint::values::shorten;
use crate::reading::{Readings, Rewrite};
use crate::unit::name::{UnitName, check_fleet_name};

pub(in crate::lint) static RULES: [&Rule; 2] = [&DISAGREEMENT, &NAME];

static DISAGREEMENT: Rule = Rule::error("U121", "a text that fleet does not keep")
    .because(
        "fleet would refuse the file, or would write another unit to the machines than the one that \
         is in the file. Rules of their own tell of the usual causes; this one compares the \
         outcomes, and so finds the rest.",
    )
    .example(
        "[Unit]\nDescription\\\n  =a shop\n[Service]\nExecStart=/bin/true\n",
        "[Unit]\nDescription=a shop\n[Service]\nExecStart=/bin/true\n",
    );

static NAME: Rule = Rule::error("U122", "a name that systemd or fleet refuses").because(
    "A unit's name consists of letters, digits and `:-_.\\@`, has at most 255 bytes and ends in \
         its type. fleet runs services, sockets, timers and paths; templates can be services, \
         sockets, timers and paths, too. Other types it takes and never stops again.",
);

/// Types that fleet runs and stops again, whichever client made the unit.
const TYPES: [&str; 4] = ["service", "socket", "timer", "path"];

/// Checks a unit's name, the text's only part that is not in it.
pub(in crate::lint) fn check_name(name: &str, found: &mut Findings) {
    let mut push = |message: String, label: &str| {
        found.push(Finding::new(&NAME, 0..0, message).label(label));
    };
    match UnitName::new(name) {
        Err(error) => push(format!("systemd refuses the name `{name}`: {error}"), ""),
        Ok(unit) if !TYPES.contains(&unit.kind_of_unit()) => {
            let kind = unit.kind_of_unit();
            let message = format!("fleet can't run a unit of the type `{kind}`");
            push(message, "it runs services, sockets, timers and paths");
        }
        Ok(_) => {
            if let Err(error) = check_fleet_name(name) {
                push(format!("fleet refuses the name `{name}`: {error}"), "");
            }
        }
    }
}

/// Compares the two readings where nothing else is known to be wrong with the lines.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Findings) {
    let is_explained = found
        .list
        .iter()
        .any(|finding| finding.severity == Severity::Error && finding.rule.code < "U200");
    if is_explained || is_plain(subject.text) {
        return;
    }
    let readings = Readings::new(subject.text.as_bytes(), subject.unit.clone());
    let mut push = |range, message| found.push(Finding::new(&DISAGREEMENT, range, message));
    let stored = match readings.fleet {
        Ok(stored) => stored,
        Err(error) => return push(0..0, format!("fleet refuses the file: {error}")),
    };
    match stored.rewrite {
        Rewrite::Same | Rewrite::Readable => {}
        Rewrite::Refused(rejection) => {
            let reason = rejection.reason;
            push(
                0..0,
                format!("systemd refuses what fleet would write: {reason}"),
            );
        }
        Rewrite::Changed(changes) => {
            let lost = changes.lost.first();
            let line = lost.and_then(|lost| {
                let mut items = subject.items.iter();
                items.find(|(_, item)| item.line == lost.line)
            });
            let range = line.map_or(0..0, |(start, item)| line_range(*start, item));
            let message = match (lost, changes.gained.first()) {
                (_, Some(gained)) => {
                    let value = shorten(&gained.value);
                    format!("fleet would write `{}={value}`", gained.name)
                }
                (Some(lost), None) => format!("fleet would leave out this `{}`", lost.name),
                (None, None) => "fleet would write these lines in another order".to_owned(),
            };
            push(range, message);
        }
    }
}

/// Tells whether a text has nothing that the two could read differently, but for what the checks of
/// lines and sections find in any text.
fn is_plain(text: &str) -> bool {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t') && byte != b'\\';
    text.bytes().fold(true, |all, byte| all & is_plain(byte))
}
