//! Looks at what is rendered by the rules of `lint`.
//!
//! In: the lines of a unit, and its text. Out: a report that points into the manifest, at whatever gave
//! the line. Knows nothing of how a rule finds its fault.

use std::ops::Range;

use crate::diagnostic::{Report, Severity};
use crate::line::Line;
use crate::lint::finding::Findings;
use crate::lint::{self, Unit, fleet, keys};
use crate::name::UnitName;
use crate::span::Span;
use crate::target;
use crate::unit::{Content, UnitFile};

/// Looks at a finished unit as at one that nobody rendered: by the rules of `lint`. Needed only where
/// text comes from outside: the built-in templates have no findings.
pub(super) fn unit(lines: &[Line], text: &str, name: &UnitName, place: Span, report: &mut Report) {
    let subject = Unit {
        name: name.as_str(),
        text,
        is_lossy: false,
    };
    let mut found = lint::lint(&subject, &lint::Options::default());
    let parsed = UnitFile::parse(text);
    let mut start = 0;
    let mut starts = Vec::with_capacity(lines.len());
    for item in parsed.items() {
        if matches!(item.content, Content::Assignment { .. }) {
            starts.push(start);
        }
        start += item.source.len();
    }
    let line = |range: &Range<usize>| {
        let index = starts.partition_point(|start| *start <= range.start);
        index.checked_sub(1).and_then(|index| lines.get(index))
    };
    let origin = |range: &Range<usize>| line(range).and_then(|line| line.origin.span());
    // What the manifest gives is looked at where it is laid over the template, with its own place.
    found.list.retain(|finding| {
        let is_given = origin(&finding.range).is_some_and(|span| span != place);
        !(fleet::is_rule(finding.rule) || is_given && keys::is_rule(finding.rule))
    });
    for finding in &mut found.list {
        finding.message.insert_str(0, &format!("`{name}`: "));
        // A unit that systemd loads is rendered: who took it over as it was may want it so.
        if found.is_loaded {
            finding.severity = Severity::Warning;
        }
        // The text that a replacement is for is not one that the user wrote.
        finding.fix.clear();
    }
    report.extend(found.report(|range| origin(range).unwrap_or(place)));
}

/// Checks what fleet reads of some lines.
pub(super) fn options(lines: &[Line], place: Span, report: &mut Report) {
    let mut found = Findings::default();
    let mut options = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        if line.section != target::SECTION {
            continue;
        }
        // The names that the manifest gives are looked at where they stand.
        if line.origin.span().is_none_or(|span| span == place) {
            fleet::check_name(&line.name, index..index, &mut found);
        }
        options.extend(fleet::option(&line.name, &line.value, index..index));
    }
    fleet::check(&options, &mut found);
    report.extend(found.report(|range| lines[range.start].origin.span().unwrap_or(place)));
}

/// Refuses a text of which fleet would keep something else than systemd reads in it: what is lost would
/// be lost without a word.
pub(super) fn lost(text: &str, name: &UnitName, place: Span, report: &mut Report) {
    let subject = Unit {
        name: name.as_str(),
        text,
        is_lossy: false,
    };
    let mut found = lint::lint(&subject, &lint::Options::default());
    found.list.retain(|finding| {
        // A text of the manifest has no carriage returns, and a file's name is not at fault here.
        finding.severity == Severity::Error && finding.rule.code < "U122"
    });
    for finding in &mut found.list {
        let line = text[..finding.range.start].matches('\n').count() + 1;
        finding
            .message
            .insert_str(0, &format!("`{name}`, line {line}: "));
        finding.related.clear();
        finding.fix.clear();
    }
    report.extend(found.report(|_| place));
}
