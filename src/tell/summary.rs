//! The last line of a diff, which counts.
//!
//! In: a diff. Out: a line.

use std::collections::BTreeMap;

use crate::diff::instances::Condition;
use crate::diff::{Change, Diff};
use crate::state::Coverage;
use crate::tell::count;

/// Returns the line, without its end.
#[must_use]
pub fn summary(diff: &Diff) -> String {
    let wanted = diff.units.iter().filter(|unit| unit.span.is_some()).count() + diff.equal;
    let instances = odd_instances(diff);
    let with_instances = diff.coverage != Coverage::Files;
    let mut text = if diff.is_empty() {
        let mut text = format!("nothing differs: {}", count(wanted, "unit"));
        if with_instances {
            text.push_str(&format!(", {}", count(diff.equal_instances, "instance")));
        }
        text
    } else {
        let files = [
            (diff.count(Change::Changed), "changed"),
            (diff.count(Change::Reordered), "reordered"),
            (diff.count(Change::New), "new"),
            (diff.count(Change::Unwanted), "unwanted"),
            (diff.equal + diff.count(Change::Equal), "equal"),
        ];
        let mut text = format!("units: {}", parts(&files));
        if !instances.is_empty() {
            let mut numbers = instances;
            numbers.push((diff.equal_instances, "equal"));
            text.push_str(&format!("; instances: {}", parts(&numbers)));
        }
        text
    };
    if !diff.unplaced.is_empty() {
        text.push_str(&format!(
            "; {} can't be placed",
            count(diff.unplaced.len(), "instance")
        ));
    }
    if !diff.foreign.is_empty() {
        text.push_str(&format!("; {} not unitgen's", diff.foreign.len()));
    }
    text
}

fn parts(numbers: &[(usize, &str)]) -> String {
    let parts = numbers.iter().filter(|(number, _)| *number > 0);
    let parts: Vec<String> = parts
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    parts.join(", ")
}

/// Counts instances by what is first to be said of them.
fn odd_instances(diff: &Diff) -> Vec<(usize, &'static str)> {
    // Of several conditions the one that weighs most counts.
    const WORDS: [(&str, &str); 9] = [
        ("missing", "missing"),
        ("surplus", "unwanted"),
        ("failed", "failed"),
        ("down", "down"),
        ("unplaced", "without a machine"),
        ("silent", "silent"),
        ("state", "in another state"),
        ("stale", "stale"),
        ("behind", "behind"),
    ];
    let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
    for instance in diff.units.iter().flat_map(|unit| &unit.instances) {
        let words = instance.conditions.iter().map(Condition::word);
        let first = words
            .filter_map(|word| WORDS.iter().position(|(other, _)| *other == word))
            .min();
        *numbers.entry(first.unwrap_or_default()).or_default() += 1;
    }
    numbers
        .into_iter()
        .map(|(at, number)| (number, WORDS[at].1))
        .collect()
}
