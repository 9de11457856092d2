//! A diff as text for people.
//!
//! In: a diff and the manifest's texts. Out: lines. A colour never carries a meaning alone. Knows
//! nothing of where it is written.

use crate::diff::directives::{Row, Section};
use crate::diff::instances::{Effect, InstanceDiff};
use crate::diff::{Change, Diff, UnitDiff, Unplaced};
use crate::span::Sources;
use crate::state::Coverage;
use crate::tell::fold::{Group, groups, listed};
use crate::tell::paint::{BOLD, END, GREEN, RED, REVERSED, YELLOW, painted};
use crate::tell::pieces::{Kind, Line, lines};
use crate::tell::summary::summary;
use crate::tell::{count, instance, place};
use crate::visible::{line, line_start};

/// How a diff is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// With colours.
    pub colored: bool,
    /// How many directives that are the same stand around one that is not.
    pub context: usize,
}

/// How many units of a group, places, or instances of a unit are named.
const NAMED: usize = 20;

/// How many places of the manifest a headline names.
const PLACES: usize = 3;

/// Writes a whole diff.
#[must_use]
pub fn diff(diff: &Diff, sources: &Sources, layout: Layout) -> String {
    let mut text = String::new();
    for group in groups(&diff.units) {
        layout.group(&group, diff.coverage, sources, &mut text);
        text.push('\n');
    }
    unplaced(diff, sources, layout, &mut text);
    for foreign in &diff.foreign {
        let (name, app) = (line(foreign.name.as_str()), line(&foreign.app));
        text.push_str(&format!(
            "foreign    {name}\n  of app `{app}`, without unitgen's mark: left alone\n\n"
        ));
    }
    text + &summary(diff) + "\n"
}

/// Writes the instances that have no place, those with the same reason together.
fn unplaced(diff: &Diff, sources: &Sources, layout: Layout, text: &mut String) {
    let mut reasons: Vec<(&str, Vec<&Unplaced>)> = Vec::new();
    for one in &diff.unplaced {
        match reasons.iter_mut().find(|(reason, _)| *reason == one.reason) {
            Some((_, same)) => same.push(one),
            None => reasons.push((&one.reason, vec![one])),
        }
    }
    for (reason, same) in reasons {
        let name = match same.as_slice() {
            [only] => line(only.name.as_str()),
            several => count(several.len(), "instance"),
        };
        let mut places: Vec<String> = same.iter().map(|one| place(one.span, sources)).collect();
        places.dedup();
        let places = some(&places);
        let name = layout.painted(BOLD, &name);
        text.push_str(&format!(
            "unplaced   {name}  {places}\n  {}\n",
            line(reason)
        ));
        if same.len() > 1 {
            text.push_str(&named(same.iter().map(|one| line(one.name.as_str()))));
        }
        text.push('\n');
    }
}

/// Says whose a unit is that nobody wants.
pub(super) fn unwanted(unit: &UnitDiff) -> String {
    let app = line(&unit.owner.app);
    if unit.has_app {
        format!("of app `{app}`, to which the manifest gives no such unit")
    } else {
        format!("of app `{app}`, which the manifest does not have")
    }
}

/// Writes a line for each unit: what becomes of it, how many directives, and the effect.
#[must_use]
pub fn stat(diff: &Diff) -> String {
    let width = diff
        .units
        .iter()
        .map(|unit| unit.name.as_str().chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for unit in &diff.units {
        let (mut added, mut removed) = (0, 0);
        let rows = unit.sections.iter().flat_map(|section| &section.rows);
        for line in rows.filter(|row| row.differs()).flat_map(lines) {
            added += usize::from(matches!(line.mark, '+' | '~'));
            removed += usize::from(matches!(line.mark, '-' | '~'));
        }
        let rows = match (added, removed) {
            (0, 0) => String::new(),
            _ => format!("+{added} -{removed}"),
        };
        let effect = effect(&[unit], diff.coverage).unwrap_or_default();
        let name = line(unit.name.as_str());
        let line = format!("{:<10} {name:<width$}  {rows:<8} {effect}", word(unit));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text + &summary(diff) + "\n"
}

/// Writes the names of all units and instances that differ, one a line.
#[must_use]
pub fn names(diff: &Diff) -> String {
    let mut text = String::new();
    for unit in &diff.units {
        if unit.change != Change::Equal && (unit.after.is_some() || unit.before.is_some()) {
            text.push_str(&format!("{}\n", line_start(unit.name.as_str())));
        }
        for instance in unit
            .instances
            .iter()
            .filter(|instance| unit.change == Change::Equal || instance.name != unit.name)
        {
            text.push_str(&format!("{}\n", line_start(instance.name.as_str())));
        }
    }
    text
}

/// Says what putting units right does to what runs.
#[must_use]
pub fn effect(units: &[&UnitDiff], coverage: Coverage) -> Option<String> {
    if coverage == Coverage::Files {
        return None;
    }
    let mut sum = Effect::default();
    for unit in units {
        sum.add(unit.effect());
    }
    let changes = units.iter().any(|unit| unit.change != Change::Equal);
    instance::effect(sum).or_else(|| changes.then(|| "no running instance is touched".to_owned()))
}

impl Layout {
    fn group(self, group: &Group<'_>, coverage: Coverage, sources: &Sources, text: &mut String) {
        let unit = group.first();
        let word = word(unit);
        let name = match group.units.as_slice() {
            [only] => line(only.name.as_str()),
            units => format!("the same change in {}", count(units.len(), "unit")),
        };
        let places = places(group, sources);
        let headline = format!("{word:<10} {}{places}", self.painted(BOLD, &name));
        text.push_str(&format!("{headline}\n"));
        if group.units.len() > 1 {
            text.push_str(&named(
                group.units.iter().map(|unit| line(unit.name.as_str())),
            ));
        }
        if unit.change == Change::Unwanted {
            text.push_str(&format!("  {}\n", unwanted(unit)));
        }
        if let Some(effect) = effect(&group.units, coverage) {
            text.push_str(&format!("  {effect}\n"));
        }
        if unit.change == Change::Reordered {
            text.push_str(
                "  the same directives in another order, which to fleet is another unit\n",
            );
        }
        if group.units.len() > 1 {
            for (section, lines) in group.lines() {
                text.push_str(&format!("  [{}]\n", line(section)));
                text.extend(lines.iter().map(|line| self.line(line)));
            }
        } else {
            for section in &unit.sections {
                self.section(section, text);
            }
        }
        self.instances(unit, text);
    }

    fn section(self, section: &Section, text: &mut String) {
        let rows = &section.rows;
        let is_near = |at: usize| {
            let near = at.saturating_sub(self.context)..(at + self.context + 1).min(rows.len());
            rows[near].iter().any(Row::differs)
        };
        let shown: Vec<usize> = (0..rows.len()).filter(|at| is_near(*at)).collect();
        if shown.is_empty() {
            return;
        }
        text.push_str(&format!("  [{}]\n", line(&section.name)));
        let mut next = shown[0];
        for at in shown {
            if at > next && self.context > 0 {
                text.push_str("    …\n");
            }
            next = at + 1;
            for line in lines(&rows[at]) {
                text.push_str(&self.line(&line));
            }
        }
    }

    fn line(self, line: &Line) -> String {
        let color = color(line.mark);
        let mut text = format!("{} ", line.mark);
        if !self.colored || color.is_empty() {
            return format!("  {text}{}\n", line.text());
        }
        let marked = line.mark == '~';
        for piece in &line.pieces {
            let (open, close) = match piece.kind {
                Kind::Gone if marked => ("[-", "-]"),
                Kind::New if marked => ("{+", "+}"),
                _ => ("", ""),
            };
            let emphasis = match (piece.kind, marked) {
                (Kind::Gone, true) => RED,
                (Kind::New, true) => GREEN,
                // Of a line that is gone or new as a whole nothing stands out.
                (Kind::Gone | Kind::New, false) if line.pieces.len() > 1 => REVERSED,
                _ => "",
            };
            let piece = format!("{open}{}{close}", piece.text);
            if emphasis.is_empty() {
                text.push_str(&piece);
            } else {
                let again = if marked { "" } else { color };
                text.push_str(&format!("{emphasis}{piece}{END}{again}"));
            }
        }
        let color = if marked { "" } else { color };
        format!("  {color}{text}{END}\n")
    }

    fn instances(self, unit: &UnitDiff, text: &mut String) {
        let all: Vec<&InstanceDiff> = listed(unit).collect();
        let width = all
            .iter()
            .take(NAMED)
            .map(|one| one.name.as_str().chars().count())
            .max();
        for one in all.iter().take(NAMED) {
            let mark = instance::mark(one);
            let width = width.unwrap_or_default();
            let line = format!(
                "{mark} {:<width$}  {}",
                line(one.name.as_str()),
                instance::words(one)
            );
            text.push_str(&format!("  {}\n", self.painted(color(mark), &line)));
        }
        if all.len() > NAMED {
            text.push_str(&format!("    and {} more\n", all.len() - NAMED));
        }
    }

    fn painted(self, color: &str, text: &str) -> String {
        painted(self.colored, color, text)
    }
}

fn word(unit: &UnitDiff) -> &'static str {
    match unit.change {
        // Only its instances differ.
        Change::Equal => "instances",
        change => change.word(),
    }
}

fn color(mark: char) -> &'static str {
    match mark {
        '-' | '!' => RED,
        '+' => GREEN,
        '~' | '>' => YELLOW,
        _ => "",
    }
}

/// Names the manifest's places that cause a change.
fn places(group: &Group<'_>, sources: &Sources) -> String {
    let mut spans: Vec<_> = group.units.iter().flat_map(|unit| unit.causes()).collect();
    spans.sort();
    spans.dedup();
    let places: Vec<String> = spans.iter().map(|span| place(*span, sources)).collect();
    if places.is_empty() {
        return String::new();
    }
    format!("  {}", some(&places))
}

/// Writes the first of many places.
fn some(places: &[String]) -> String {
    let mut shown: Vec<String> = places.iter().take(PLACES).cloned().collect();
    if places.len() > PLACES {
        shown.push(format!(
            "and {}",
            count(places.len() - PLACES, "other place")
        ));
    }
    shown.join(", ")
}

/// Writes names in lines, the first of many.
fn named(names: impl ExactSizeIterator<Item = String>) -> String {
    let number = names.len();
    let mut text = String::new();
    for name in names.take(NAMED) {
        text.push_str(&format!("    {name}\n"));
    }
    if number > NAMED {
        text.push_str(&format!(
            "    and {} more; `--name-only` names all\n",
            number - NAMED
        ));
    }
    text
}
