//! What differs between two texts of a unit, directive by directive.
//!
//! In: the options that fleet has and those that it should have. Out: rows by section, in the order
//! of the new text. A directive that is there in both, with another value, is one row. Knows nothing
//! of manifests, nor of how a row is shown.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;

use similar::DiffOp;
use similar::algorithms::{Capture, Compact, Replace, myers};

use crate::span::Span;
use crate::unit::fleet::FleetUnit;

/// The differences of one section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The section's name.
    pub name: String,
    /// Its directives in their order; those that are gone stand where they stood.
    pub rows: Vec<Row>,
}

/// One directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The directive's name.
    pub name: String,
    /// What became of it.
    pub change: RowChange,
    /// The manifest's place that gives the new value, where one is known.
    pub cause: Option<Span>,
}

/// What became of a directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowChange {
    /// It is as it was.
    Same(String),
    /// Only its place among the others is another one.
    Moved(String),
    /// It is gone.
    Removed(String),
    /// It is new.
    Added(String),
    /// It has another value.
    Changed {
        /// The value that it had.
        before: String,
        /// The value that it gets.
        after: String,
    },
}

impl Row {
    /// Tells whether there is anything to say of it.
    #[must_use]
    pub fn differs(&self) -> bool {
        !matches!(self.change, RowChange::Same(_))
    }

    /// Returns the value that it had.
    #[must_use]
    pub fn before(&self) -> Option<&str> {
        match &self.change {
            RowChange::Same(value) | RowChange::Moved(value) | RowChange::Removed(value) => {
                Some(value)
            }
            RowChange::Added(_) => None,
            RowChange::Changed { before, .. } => Some(before),
        }
    }

    /// Returns the value that it gets.
    #[must_use]
    pub fn after(&self) -> Option<&str> {
        match &self.change {
            RowChange::Same(value) | RowChange::Moved(value) | RowChange::Added(value) => {
                Some(value)
            }
            RowChange::Removed(_) => None,
            RowChange::Changed { after, .. } => Some(after),
        }
    }
}

/// Compares two texts of a unit.
#[must_use]
pub fn compare(before: &FleetUnit, after: &FleetUnit) -> Vec<Section> {
    let (old, new) = (by_section(before), by_section(after));
    let mut gone: HashMap<&str, &Vec<Pair>> = HashMap::new();
    gone.extend(old.iter().map(|(name, pairs)| (*name, pairs)));
    let mut sections = Vec::with_capacity(new.len());
    for (name, after) in &new {
        let before = gone.remove(name).map_or(&[][..], Vec::as_slice);
        sections.push(Section {
            name: (*name).to_owned(),
            rows: rows(before, after),
        });
    }
    // What is gone as a whole comes last.
    for (name, before) in old.iter().filter(|(name, _)| gone.contains_key(name)) {
        sections.push(Section {
            name: (*name).to_owned(),
            rows: rows(before, &[]),
        });
    }
    sections
}

/// Tells whether two texts hold the same directives, in whatever order.
#[must_use]
pub fn is_same_but_for_order(before: &FleetUnit, after: &FleetUnit) -> bool {
    let sorted = |unit: &FleetUnit| {
        let mut options: Vec<_> = unit.options.clone();
        options
            .sort_by(|a, b| (&a.section, &a.name, &a.value).cmp(&(&b.section, &b.name, &b.value)));
        options
    };
    before.options.len() == after.options.len() && sorted(before) == sorted(after)
}

type Pair = (String, String);

fn by_section(unit: &FleetUnit) -> Vec<(&str, Vec<Pair>)> {
    let mut sections: Vec<(&str, Vec<Pair>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for option in &unit.options {
        let at = *places.entry(&option.section).or_insert_with(|| {
            sections.push((&option.section, Vec::new()));
            sections.len() - 1
        });
        sections[at]
            .1
            .push((option.name.clone(), option.value.clone()));
    }
    sections
}

fn rows(before: &[Pair], after: &[Pair]) -> Vec<Row> {
    let row = |(name, value): &Pair, change: fn(String) -> RowChange| Row {
        name: name.clone(),
        change: change(value.clone()),
        cause: None,
    };
    let mut rows = Vec::with_capacity(after.len());
    for op in operations(before, after) {
        if matches!(op, DiffOp::Equal { .. }) {
            let same = after[op.new_range()].iter();
            rows.extend(same.map(|pair| row(pair, RowChange::Same)));
            continue;
        }
        let (gone, come) = (&before[op.old_range()], &after[op.new_range()]);
        rows.extend(gone.iter().map(|pair| row(pair, RowChange::Removed)));
        rows.extend(come.iter().map(|pair| row(pair, RowChange::Added)));
    }
    paired(rows)
}

/// Beyond this product of two lists' lengths the search for what they share would take too long.
const PRODUCT_MAXIMUM: usize = 4_000_000;

/// Returns how one list becomes another one. Of very long lists only what they share at both ends is
/// the same.
#[must_use]
pub fn operations<T: Eq + Hash>(before: &[T], after: &[T]) -> Vec<DiffOp> {
    if before.len().saturating_mul(after.len()) <= PRODUCT_MAXIMUM {
        // By its name, so that those that nobody asks for stay out of the program: a megabyte.
        let mut kept = Compact::new(Replace::new(Capture::new()), before, after);
        let (old, new) = (0..before.len(), 0..after.len());
        let Ok(()) = myers::diff(&mut kept, before, old, after, new);
        return kept.into_inner().into_inner().into_ops();
    }
    let pairs = before.iter().zip(after);
    let head = pairs.take_while(|(old, new)| old == new).count();
    let (old, new) = (&before[head..], &after[head..]);
    let pairs = old.iter().rev().zip(new.iter().rev());
    let tail = pairs.take_while(|(old, new)| old == new).count();
    let (old_len, new_len) = (old.len() - tail, new.len() - tail);
    let equal = |old_index, new_index, len| DiffOp::Equal {
        old_index,
        new_index,
        len,
    };
    let mut operations = vec![
        equal(0, 0, head),
        DiffOp::Replace {
            old_index: head,
            old_len,
            new_index: head,
            new_len,
        },
        equal(head + old_len, head + new_len, tail),
    ];
    operations.retain(|op| !(op.old_range().is_empty() && op.new_range().is_empty()));
    operations
}

/// Joins a directive that is gone with one that is new where they are the same directive.
fn paired(mut rows: Vec<Row>) -> Vec<Row> {
    let mut joined = vec![false; rows.len()];
    // What is equal but for its place belongs together before what is only alike.
    let mut gone: HashMap<(String, String), VecDeque<usize>> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        if let RowChange::Removed(value) = &row.change {
            let key = (row.name.clone(), value.clone());
            gone.entry(key).or_default().push_back(at);
        }
    }
    for row in &mut rows {
        let RowChange::Added(value) = &row.change else {
            continue;
        };
        let same = gone.get_mut(&(row.name.clone(), value.clone()));
        if let Some(old) = same.and_then(VecDeque::pop_front) {
            joined[old] = true;
            row.change = RowChange::Moved(value.clone());
        }
    }
    let mut alike: HashMap<String, VecDeque<usize>> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        if let (RowChange::Removed(value), false) = (&row.change, joined[at]) {
            alike
                .entry(key(&row.name, value))
                .or_default()
                .push_back(at);
        }
    }
    for at in 0..rows.len() {
        let RowChange::Added(after) = &rows[at].change else {
            continue;
        };
        let Some(candidates) = alike.get_mut(&key(&rows[at].name, after)) else {
            continue;
        };
        let values = candidates.iter().take(CANDIDATES_MAXIMUM);
        let values = values.map(|old| rows[*old].before().unwrap_or_default());
        let Some(found) = most_alike(&rows[at].name, after, values) else {
            continue;
        };
        let Some(old) = candidates.remove(found) else {
            continue;
        };
        let before = rows[old].before().unwrap_or_default().to_owned();
        let after = after.clone();
        joined[old] = true;
        rows[at].change = RowChange::Changed { before, after };
    }
    let mut joined = joined.into_iter();
    rows.retain(|_| !joined.next().unwrap_or_default());
    rows
}

/// Returns what tells directives of one name apart: of `Environment`, the variable.
fn key(name: &str, value: &str) -> String {
    let variable = value.split_once('=').filter(|_| name == "Environment");
    variable.map_or_else(
        || name.to_owned(),
        |(variable, _)| format!("{name}={variable}"),
    )
}

/// The least part of words that two commands must share to be the same one, in percent.
const LIKENESS_MINIMUM: usize = 30;

/// With how many others a command is compared, so that time stays in proportion.
const CANDIDATES_MAXIMUM: usize = 64;

/// Returns which value is most like another one; any is enough where the directive has one value.
fn most_alike<'a>(
    name: &str,
    value: &str,
    candidates: impl ExactSizeIterator<Item = &'a str>,
) -> Option<usize> {
    let words: HashSet<&str> = value.split_whitespace().collect();
    let likeness = |candidate: &str| {
        let others: Vec<&str> = candidate.split_whitespace().collect();
        let shared = others.iter().filter(|word| words.contains(*word)).count();
        200 * shared / (words.len() + others.len()).max(1)
    };
    let is_only = candidates.len() == 1 && !name.starts_with("Exec");
    let ranked = candidates
        .enumerate()
        .map(|(at, candidate)| (likeness(candidate), at));
    // Of equals the first.
    let (likeness, at) = ranked.max_by_key(|(likeness, at)| (*likeness, usize::MAX - at))?;
    (is_only || likeness >= LIKENESS_MINIMUM).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(text: &str) -> FleetUnit {
        FleetUnit::parse(text).unwrap()
    }

    /// Writes rows as `[section] mark name=value`, those that are the same left out.
    fn shown(before: &str, after: &str) -> String {
        let mut text = String::new();
        for section in compare(&unit(before), &unit(after)) {
            for row in section.rows.iter().filter(|row| row.differs()) {
                let Row { name, change, .. } = row;
                let row = match change {
                    RowChange::Same(_) => continue,
                    RowChange::Moved(value) => format!("> {name}={value}"),
                    RowChange::Removed(value) => format!("- {name}={value}"),
                    RowChange::Added(value) => format!("+ {name}={value}"),
                    RowChange::Changed { before, after } => format!("~ {name}={before} -> {after}"),
                };
                text.push_str(&format!("[{}] {row}\n", section.name));
            }
        }
        text
    }

    #[track_caller]
    fn case(before: &str, after: &str, expected: &str) {
        assert_eq!(shown(before, after), expected);
    }

    #[test]
    fn a_directive_with_another_value_is_one_row() {
        case(
            "[Service]\nRestart=always\nRestartSec=1\n",
            "[Service]\nRestart=no\nRestartSec=1\n",
            "[Service] ~ Restart=always -> no\n",
        );
        case(
            "[Service]\nEnvironment=A=1\nEnvironment=B=2\n",
            "[Service]\nEnvironment=B=3\nEnvironment=C=4\n",
            "[Service] - Environment=A=1\n[Service] ~ Environment=B=2 -> B=3\n[Service] + Environment=C=4\n",
        );
    }

    #[test]
    fn commands_are_paired_by_their_words() {
        case(
            "[Service]\nExecStartPre=/bin/rm -f a\nExecStartPre=/bin/docker pull x\n",
            "[Service]\nExecStartPre=/bin/docker pull y\n",
            "[Service] - ExecStartPre=/bin/rm -f a\n[Service] ~ ExecStartPre=/bin/docker pull x -> /bin/docker pull y\n",
        );
        case(
            "[Service]\nExecStart=/bin/a b c\n",
            "[Service]\nExecStart=/opt/x y z\n",
            "[Service] - ExecStart=/bin/a b c\n[Service] + ExecStart=/opt/x y z\n",
        );
    }

    #[test]
    fn what_only_moved_is_said_to_have_moved() {
        let (before, after) = ("[A]\nx=1\ny=2\n[B]\nz=3\n", "[B]\nz=3\n[A]\ny=2\nx=1\n");
        case(before, after, "[A] > y=2\n");
        assert!(is_same_but_for_order(&unit(before), &unit(after)));
        assert!(!is_same_but_for_order(
            &unit("[A]\nx=1\nx=1\ny=2\n"),
            &unit("[A]\nx=1\ny=2\ny=2\n")
        ));
    }

    #[test]
    fn sections_come_and_go() {
        case(
            "[Unit]\nA=1\n[Install]\nB=2\n",
            "[Unit]\nA=1\n[X-Fleet]\nC=\n",
            "[X-Fleet] + C=\n[Install] - B=2\n",
        );
        case("[A]\nx=1\n", "[A]\nx=1\n", "");
    }
}
