//! Units whose texts change alike, shown as one.
//!
//! In: the units of a diff. Out: groups in the order of their first units. Two changes are alike where
//! the same directives change in the same way; of a long value only the words that differ count. Knows
//! nothing of how a group is shown.

use std::collections::HashMap;

use crate::diff::directives::RowChange;
use crate::diff::instances::{Condition, InstanceDiff};
use crate::diff::{Change, UnitDiff};
use crate::tell::pieces::{Kind, Line, Piece, lines};

/// Units that change alike, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'a> {
    /// The units, by name.
    pub units: Vec<&'a UnitDiff>,
}

impl<'a> Group<'a> {
    /// Returns the unit that stands for all.
    #[must_use]
    pub fn first(&self) -> &'a UnitDiff {
        self.units[0]
    }

    /// Returns the lines of what differs, by section. Of several units only what they share is shown
    /// around it.
    #[must_use]
    pub fn lines(&self) -> Vec<(&'a str, Vec<Line>)> {
        let all: Vec<Vec<Vec<Line>>> = self.units.iter().map(|unit| differing(unit)).collect();
        let mut rows = 0..;
        let sections = self.first().sections.iter().filter_map(|section| {
            let number = section.rows.iter().filter(|row| row.differs()).count();
            let mut shown = Vec::new();
            for row in rows.by_ref().take(number) {
                let first = &all[0][row];
                if all.iter().all(|unit| unit[row] == *first) {
                    shown.extend_from_slice(first);
                } else {
                    shown.extend(first.iter().map(Line::bare));
                }
            }
            (number > 0).then_some((section.name.as_str(), shown))
        });
        sections.collect()
    }
}

/// What units that change alike have in common.
type Key = (Change, Vec<(String, String, RowKey)>);

#[derive(PartialEq, Eq, Hash)]
enum RowKey {
    /// The whole values: before and after.
    Whole(Option<String>, Option<String>),
    /// The words that differ, hidden ones not among them.
    Words(Vec<Piece>),
}

/// Groups units.
#[must_use]
pub fn groups(units: &[UnitDiff]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut places: HashMap<Key, usize> = HashMap::new();
    for unit in units {
        let Some(key) = key(unit) else {
            groups.push(Group { units: vec![unit] });
            continue;
        };
        if let Some(at) = places.get(&key) {
            groups[*at].units.push(unit);
            continue;
        }
        places.insert(key, groups.len());
        groups.push(Group { units: vec![unit] });
    }
    groups
}

/// Returns the instances that a unit's lines name: of a unit that changes the stale ones go without
/// saying, for its effect counts them.
pub fn listed(unit: &UnitDiff) -> impl Iterator<Item = &InstanceDiff> {
    let is_changing = matches!(unit.change, Change::Changed | Change::Reordered);
    let goes_without_saying =
        move |instance: &InstanceDiff| is_changing && instance.conditions == [Condition::Stale];
    unit.instances
        .iter()
        .filter(move |instance| !goes_without_saying(instance))
}

/// Returns the lines of each row that differs.
fn differing(unit: &UnitDiff) -> Vec<Vec<Line>> {
    let rows = unit.sections.iter().flat_map(|section| &section.rows);
    rows.filter(|row| row.differs()).map(lines).collect()
}

fn key(unit: &UnitDiff) -> Option<Key> {
    let folds = matches!(unit.change, Change::Changed | Change::Reordered);
    if !folds || listed(unit).next().is_some() || !unit.has_rows() {
        return None;
    }
    let mut rows = Vec::new();
    for section in &unit.sections {
        for row in section.rows.iter().filter(|row| row.differs()) {
            rows.push((
                section.name.clone(),
                row.name.clone(),
                row_key(&row.change, &lines(row)),
            ));
        }
    }
    Some((unit.change, rows))
}

fn row_key(change: &RowChange, lines: &[Line]) -> RowKey {
    let whole = |before: Option<&String>, after: Option<&String>| {
        RowKey::Whole(before.cloned(), after.cloned())
    };
    match change {
        RowChange::Same(value) | RowChange::Moved(value) => whole(Some(value), Some(value)),
        RowChange::Removed(value) => whole(Some(value), None),
        RowChange::Added(value) => whole(None, Some(value)),
        RowChange::Changed { before, after } => {
            let [line] = lines else {
                return whole(Some(before), Some(after));
            };
            let differs = |piece: &&Piece| matches!(piece.kind, Kind::Gone | Kind::New);
            let words: Vec<Piece> = line.pieces.iter().filter(differs).cloned().collect();
            // Hidden words look alike and may not be.
            if words.is_empty() || words.iter().any(|piece| piece.text.contains("***")) {
                return whole(Some(before), Some(after));
            }
            RowKey::Words(words)
        }
    }
}
