//! Which units may not meet.
//!
//! In: the patterns and ports of all units. Out: rules of two sides, where no unit of one side may
//! meet another unit of the other side. Ten thousand instances of one app make one rule, not the
//! fifty million pairs of it. Knows nothing of machines.

use std::collections::BTreeMap;

use crate::glob::matches;
use crate::placement::HostPort;
use crate::placement::world::{Unit, World};

/// Two sides that may not meet. A unit on both sides may not meet any other of either.
#[derive(Debug)]
pub(super) struct Rule {
    /// The port that all of them take; `None` for a pattern.
    pub(super) port: Option<HostPort>,
    /// The units of each side, sorted.
    pub(super) sides: [Vec<Unit>; 2],
}

pub(super) struct Rules {
    /// The rules, those of patterns first.
    pub(super) all: Vec<Rule>,
    /// For each candidate, its rules and the side of those that it may not meet.
    against: Vec<Vec<(usize, usize)>>,
}

impl Rules {
    pub(super) fn read(world: &World<'_>) -> Self {
        let mut all = patterns(world);
        all.extend(ports(world));
        let mut against = vec![Vec::new(); world.candidates.len()];
        for (index, rule) in all.iter().enumerate() {
            for (side, units) in rule.sides.iter().enumerate() {
                for unit in units {
                    if let Unit::Single(position) | Unit::Global(position) = unit {
                        against[*position].push((index, 1 - side));
                    }
                }
            }
        }
        Self { all, against }
    }

    /// Returns the sides of rules that a candidate may not meet.
    pub(super) fn against(&self, candidate: usize) -> &[(usize, usize)] {
        &self.against[candidate]
    }

    /// Returns the rule by which a candidate may not meet a unit, one of a pattern if there is one.
    pub(super) fn between(&self, candidate: usize, other: Unit) -> Option<&Rule> {
        if other == Unit::Single(candidate) {
            return None;
        }
        let rules = self.against[candidate].iter();
        let mut rules = rules.map(|(rule, side)| (&self.all[*rule], *side));
        let found = rules.find(|(rule, side)| rule.sides[*side].binary_search(&other).is_ok());
        found.map(|(rule, _)| rule)
    }
}

fn patterns(world: &World<'_>) -> Vec<Rule> {
    let mut names: Vec<(&str, Unit)> = world
        .units()
        .map(|unit| (world.name(unit).as_str(), unit))
        .collect();
    names.sort_unstable();
    let mut declared: BTreeMap<&str, Vec<Unit>> = BTreeMap::new();
    for unit in world.units() {
        for pattern in world.conflicts(unit) {
            let units = declared.entry(pattern).or_default();
            if units.last() != Some(&unit) {
                units.push(unit);
            }
        }
    }
    let rules = declared.into_iter().filter_map(|(pattern, declared)| {
        let mut matched = matched(pattern, &names);
        matched.sort_unstable();
        let is_alone = declared.len() == 1 && matched == declared;
        let rule = Rule {
            port: None,
            sides: [declared, matched],
        };
        (!is_alone && !rule.sides[1].is_empty()).then_some(rule)
    });
    rules.collect()
}

/// Returns the units that a pattern matches: of the sorted names, only those are tried that begin as
/// the pattern does.
fn matched(pattern: &str, names: &[(&str, Unit)]) -> Vec<Unit> {
    let literal = pattern.find(['*', '?', '[', '\\']);
    let prefix = &pattern[..literal.unwrap_or(pattern.len())];
    let start = names.partition_point(|(name, _)| *name < prefix);
    let likely = names[start..].iter().take_while(|(name, _)| {
        let is_exact = literal.is_none();
        name.starts_with(prefix) && (!is_exact || name.len() == prefix.len())
    });
    let found = likely.filter(|(name, _)| matches(pattern, name));
    found.map(|(_, unit)| *unit).collect()
}

fn ports(world: &World<'_>) -> Vec<Rule> {
    let mut takers: BTreeMap<HostPort, Vec<Unit>> = BTreeMap::new();
    for unit in world.units() {
        if let Unit::Single(position) | Unit::Global(position) = unit {
            for port in &world.candidates[position].ports {
                let units = takers.entry(*port).or_default();
                if units.last() != Some(&unit) {
                    units.push(unit);
                }
            }
        }
    }
    let shared = takers.into_iter().filter(|(_, units)| units.len() > 1);
    let rules = shared.map(|(port, units)| Rule {
        port: Some(port),
        sides: [units.clone(), units],
    });
    rules.collect()
}
