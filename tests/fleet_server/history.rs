//! What ran on the machines, and when: what is, not what fleet says of it.

use std::collections::BTreeMap;
use std::time::Duration;

/// A unit of a machine became this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) at: Duration,
    pub(crate) unit: String,
    pub(crate) machine: String,
    /// The text that runs.
    pub(crate) hash: String,
    pub(crate) load: String,
    /// Nothing where the machine has it no more.
    pub(crate) active: String,
    pub(crate) sub: String,
}

impl Change {
    /// Tells whether it does its work.
    pub(crate) fn serves(&self) -> bool {
        self.active == "active"
    }

    /// Tells whether anything of it is at work: it takes its ports.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(
            self.active.as_str(),
            "active" | "activating" | "deactivating"
        ) && self.sub != "auto-restart"
    }
}

/// All that ever became of anything.
#[derive(Debug, Default)]
pub(crate) struct History {
    changes: Vec<Change>,
    last: BTreeMap<(String, String), Change>,
}

/// What there was at a time, after all that happened at it: by unit and machine.
pub(crate) type Moment<'a> = BTreeMap<(&'a str, &'a str), &'a Change>;

impl History {
    pub(super) fn add(&mut self, change: Change) {
        let key = (change.unit.clone(), change.machine.clone());
        let is_equal = |last: &Change| {
            let last = last.clone();
            Change {
                at: change.at,
                ..last
            } == change
        };
        let known = self.last.get(&key);
        if known.is_some_and(is_equal) || known.is_none() && change.active.is_empty() {
            return;
        }
        self.last.insert(key, change.clone());
        self.changes.push(change);
    }

    /// Returns all changes, in their order.
    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Returns what became of a unit, such as `15 aaaa0001 active/running 6384608`; only the last of
    /// several things that happened at once on a machine.
    pub(crate) fn told(&self, unit: &str) -> Vec<String> {
        let mut told: Vec<((Duration, &str), String)> = Vec::new();
        for change in self.changes.iter().filter(|change| change.unit == unit) {
            let (at, machine) = (change.at.as_secs_f64(), &change.machine[..8]);
            let line = match change.active.as_str() {
                "" => format!("{at} {machine} gone"),
                active => format!(
                    "{at} {machine} {active}/{} {}",
                    change.sub,
                    &change.hash[..7]
                ),
            };
            let key = (change.at, machine);
            told.pop_if(|(last, _)| *last == key);
            told.push((key, line));
        }
        told.into_iter().map(|(_, line)| line).collect()
    }

    /// Shows what there was at each time from one on at which it changed, and at that one.
    pub(crate) fn each_moment(&self, from: Duration, mut look: impl FnMut(Duration, &Moment<'_>)) {
        let mut moment = Moment::new();
        let mut at = from;
        for change in &self.changes {
            if change.at > at {
                look(at, &moment);
                at = change.at;
            }
            let key = (change.unit.as_str(), change.machine.as_str());
            if change.active.is_empty() {
                moment.remove(&key);
            } else {
                moment.insert(key, change);
            }
        }
        look(at, &moment);
    }

    /// Returns how few and how many there were at any time from one on, of what is to be counted.
    pub(crate) fn range(&self, from: Duration, counts: impl Fn(&Change) -> bool) -> (usize, usize) {
        let mut range = (usize::MAX, 0);
        self.each_moment(from, |_, moment| {
            let count = moment.values().filter(|change| counts(change)).count();
            range = (range.0.min(count), range.1.max(count));
        });
        range
    }
}
