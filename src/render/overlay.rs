//! Lays a manifest's directives over those of a template, as systemd reads a drop-in.
//!
//! In: a template's directives and the manifest's. Out: both in one list. Lists append, single
//! values replace, a leading empty value drops what was there, `null` removes. Knows nothing of
//! where the list is written.

use crate::diagnostic::{Diagnostic, Report};
use crate::directive::{self, Kind};
use crate::line::{Line, Origin};
use crate::lint::finding::Findings;
use crate::lint::{fleet, keys};
use crate::model::Overlay;
use crate::span::Spanned;
use crate::target;
use crate::unit::quote;

/// Lays overlays over lines, those of the sections that this unit takes.
pub fn lay(lines: &mut Vec<Line>, overlays: &[Overlay], sections: &[&str], report: &mut Report) {
    for overlay in overlays.iter().filter(|o| sections.contains(&o.section)) {
        check_known(overlay, report);
        let name = overlay.name.value.as_str();
        let same = |line: &Line| line.section == overlay.section && line.name == name;
        let Some(values) = &overlay.values else {
            lines.retain(|line| !same(line));
            continue;
        };
        let kind = directive::kind(overlay.section, name);
        let mut values = values.as_slice();
        let mut place = None;
        let resets = values.first().is_some_and(|first| first.value.is_empty());
        if resets {
            values = &values[1..];
            let group = directive::reset_group(overlay.section, name);
            place = lines.iter().position(same);
            lines.retain(|line| {
                line.section != overlay.section
                    || directive::reset_group(&line.section, &line.name) != group
            });
        }
        let is_fleet = overlay.section == target::SECTION;
        if let (Kind::Scalar, false, [first, second, ..]) = (kind, is_fleet, values) {
            report.push(
                Diagnostic::error(second.span, format!("`{name}` takes one value"))
                    .label("systemd would take the last one only")
                    .related(first.span, "the first one"),
            );
            continue;
        }
        for value in values {
            check_value(value, report);
        }
        let new = values.iter().map(|value| line(overlay, value));
        let last = lines.iter().rposition(same);
        match (kind, last) {
            (Kind::List { .. }, Some(last)) => {
                lines.splice((last + 1)..=last, new);
            }
            (Kind::Scalar | Kind::Unknown, Some(_)) => {
                let first = lines.iter().position(same).unwrap_or_default();
                lines.retain(|line| !same(line));
                lines.splice(first..first, new);
            }
            (_, None) => {
                let place = place.unwrap_or(lines.len());
                lines.splice(place..place, new);
            }
        }
    }
}

fn line(overlay: &Overlay, value: &Spanned<String>) -> Line {
    let origin = Origin::Manifest(value.span);
    Line::new(overlay.section, &overlay.name.value, &value.value, origin)
}

fn check_value(value: &Spanned<String>, report: &mut Report) {
    if value.value.is_empty() {
        report.push(
            Diagnostic::error(value.span, "an empty value resets, and so stands first")
                .help("`null` removes the directive"),
        );
    } else if let Err(reason) = quote::check_value(&value.value) {
        report.push(Diagnostic::error(value.span, reason));
    }
}

/// Warns of a directive that systemd or fleet would ignore.
fn check_known(overlay: &Overlay, report: &mut Report) {
    let name = overlay.name.value.as_str();
    let mut found = Findings::default();
    if overlay.section == target::SECTION {
        fleet::check_name(name, 0..0, &mut found);
    } else {
        found
            .list
            .extend(keys::unknown(overlay.section, name, 0..0));
    }
    report.extend(found.report(|_| overlay.name.span));
}
