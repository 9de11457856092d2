//! A diff as annotations of a GitHub workflow, each at the line of the manifest that causes it.
//!
//! In: a diff and the manifest's texts. Out: one line each: a notice of what changes, a warning of what
//! fails, has no machine or is not wanted. Directives are named, their values never shown. GitHub shows
//! the first ten of each kind of a step. Knows nothing of where it is written.

use std::collections::{BTreeMap, BTreeSet};

use crate::diff::instances::{Condition, InstanceDiff};
use crate::diff::{Change, Diff, UnitDiff, Unplaced};
use crate::report::{data, property};
use crate::span::{Sources, Span};
use crate::state::Coverage;
use crate::tell::fold::{Group, groups};
use crate::tell::text::{effect, unwanted as told_unwanted};
use crate::tell::{count, instance};

/// How many units, directives or instances one annotation names.
const NAMED: usize = 20;

/// One annotation.
struct Annotation {
    word: &'static str,
    span: Option<Span>,
    title: String,
    lines: Vec<String>,
}

/// Writes all annotations; nothing where nothing differs.
#[must_use]
pub fn diff(diff: &Diff, sources: &Sources) -> String {
    let mut found = Vec::new();
    for group in groups(&diff.units) {
        let unit = group.first();
        match unit.change {
            Change::Unwanted => found.push(unwanted(unit, diff.coverage)),
            Change::Equal => found.extend(instances(unit, "notice")),
            Change::New | Change::Changed | Change::Reordered => {
                changes(&group, diff.coverage, &mut found);
            }
        }
        let wanted = group.units.iter().filter(|unit| unit.span.is_some());
        found.extend(wanted.flat_map(|unit| instances(unit, "warning")));
    }
    for Unplaced { name, span, reason } in &diff.unplaced {
        found.push(Annotation {
            word: "warning",
            span: Some(*span),
            title: format!("{name} can't be placed"),
            lines: vec![reason.clone()],
        });
    }
    found.iter().map(|one| one.text(sources)).collect()
}

impl Annotation {
    fn text(&self, sources: &Sources) -> String {
        let Self {
            word,
            span,
            title,
            lines,
        } = self;
        let place = span.map(|span| {
            let place = sources.place(span);
            let file = property(place.file);
            format!("file={file},line={},col={},", place.line, place.column)
        });
        let (place, title) = (place.unwrap_or_default(), property(title));
        format!(
            "::{word} {place}title={title}::{}\n",
            data(&lines.join("\n"))
        )
    }
}

/// What one place of the manifest causes.
#[derive(Default)]
struct Caused<'a> {
    units: Vec<&'a UnitDiff>,
    directives: BTreeSet<&'a str>,
}

/// Notes a group's change once for each place that causes it.
fn changes(group: &Group<'_>, coverage: Coverage, found: &mut Vec<Annotation>) {
    let mut places: BTreeMap<Span, Caused<'_>> = BTreeMap::new();
    for unit in &group.units {
        let causes = unit.causes();
        for span in &causes {
            places.entry(*span).or_default().units.push(unit);
        }
        let Some(first) = causes.first() else {
            continue;
        };
        let rows = unit.sections.iter().flat_map(|section| &section.rows);
        for row in rows.filter(|row| row.differs()) {
            // What has no place of its own comes along with the first.
            let span = row
                .cause
                .filter(|cause| places.contains_key(cause))
                .unwrap_or(*first);
            places.entry(span).or_default().directives.insert(&row.name);
        }
    }
    let change = group.first().change;
    for (span, Caused { units, directives }) in places {
        let title = match units.as_slice() {
            [only] => format!("{} {}", only.name, change.word()),
            units => format!("{} {}", count(units.len(), "unit"), change.word()),
        };
        let told = match change {
            Change::New => "it is not there yet".to_owned(),
            Change::Reordered => "the same directives in another order".to_owned(),
            _ => format!("changes {}", first(directives.into_iter())),
        };
        let effect = effect(&units, coverage).map(|effect| format!("; {effect}"));
        let mut lines = vec![told + &effect.unwrap_or_default()];
        if units.len() > 1 {
            let names = units.iter().map(|unit| unit.name.as_str());
            lines.push(format!("in {}", first(names)));
        }
        found.push(Annotation {
            word: "notice",
            span: Some(span),
            title,
            lines,
        });
    }
}

fn unwanted(unit: &UnitDiff, coverage: Coverage) -> Annotation {
    let told = told_unwanted(unit);
    let effect = effect(&[unit], coverage).map(|effect| format!("; {effect}"));
    Annotation {
        word: "warning",
        span: None,
        title: format!("{} unwanted", unit.name),
        lines: vec![told + &effect.unwrap_or_default()],
    }
}

/// Notes the instances of a unit that are of one kind, once for each place that asks for them.
fn instances(unit: &UnitDiff, word: &'static str) -> Vec<Annotation> {
    let mut places: BTreeMap<Option<Span>, Vec<&InstanceDiff>> = BTreeMap::new();
    for one in unit.instances.iter().filter(|one| kind(one) == word) {
        places.entry(one.span.or(unit.span)).or_default().push(one);
    }
    let annotation = |(span, instances): (Option<Span>, Vec<&InstanceDiff>)| {
        if let [only] = instances.as_slice() {
            return Annotation {
                word,
                span,
                title: only.name.to_string(),
                lines: vec![instance::words(only)],
            };
        }
        let number = count(instances.len(), "instance");
        let title = format!("{number} of {}", unit.name);
        let shown = instances.iter().take(NAMED);
        let mut lines: Vec<String> = shown
            .map(|one| format!("{}: {}", one.name, instance::words(one)))
            .collect();
        if instances.len() > NAMED {
            lines.push(format!("and {} more", instances.len() - NAMED));
        }
        Annotation {
            word,
            span,
            title,
            lines,
        }
    };
    places.into_iter().map(annotation).collect()
}

/// Returns what kind of annotation tells of an instance.
fn kind(instance: &InstanceDiff) -> &'static str {
    let warns = |condition: &Condition| match condition {
        Condition::Failed { .. }
        | Condition::Down { .. }
        | Condition::Silent { .. }
        | Condition::Unplaced
        | Condition::Surplus { .. } => true,
        Condition::Missing { .. }
        | Condition::Stale
        | Condition::State { .. }
        | Condition::Behind { .. } => false,
    };
    if instance.conditions.iter().any(warns) {
        "warning"
    } else {
        "notice"
    }
}

/// Names the first of many.
fn first<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = names.len().saturating_sub(NAMED);
    let names: Vec<&str> = names.take(NAMED).collect();
    let names = names.join(", ");
    if more == 0 {
        return names;
    }
    format!("{names} and {more} more")
}
