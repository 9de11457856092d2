//! fleet's engine, which gives units to machines.
//!
//! It sees what is to run where, not what runs: a unit that nobody wants any more is no obstacle for
//! another one, though its machine may still have it for seconds.

use std::collections::BTreeMap;

use unitgen::glob::matches;
use unitgen::unit::fleet::constraints::Constraints;

use crate::fleet_server::registry::{Host, Stored, World};
use crate::fleet_server::text::Text;

/// Units that are to share a machine, with what their texts say.
#[derive(Default)]
pub(super) struct Company<'a> {
    units: Vec<(&'a String, &'a Text)>,
}

impl<'a> Company<'a> {
    pub(super) fn add(&mut self, name: &'a String, text: &'a Text) {
        self.units.push((name, text));
    }

    /// Tells whether a unit can't be with the others; either side can say so.
    pub(super) fn conflicts(&self, name: &str, text: &Text) -> bool {
        let own = &text.constraints.conflicts;
        self.units.iter().any(|(other, others)| {
            let others = &others.constraints.conflicts;
            (!own.is_empty() || !others.is_empty())
                && *other != name
                && (own.iter().any(|pattern| matches(pattern, other))
                    || others.iter().any(|pattern| matches(pattern, name)))
        })
    }

    fn has(&self, name: &str) -> bool {
        self.units.iter().any(|(other, _)| *other == name)
    }
}

impl World {
    /// One round of the engine.
    pub(crate) fn engine(&mut self) {
        // fleet goes through them in the arbitrary order of a map.
        let mut names: Vec<String> = self.units.keys().cloned().collect();
        self.clock.shuffle(&mut names);
        let mut next = 0;
        while let Some(lost) = self.lost(&names[next..]) {
            next += lost + 1;
            self.units.get_mut(&names[next - 1]).unwrap().machine = None;
        }
        for name in &names {
            let unit = &self.units[name];
            if unit.is_wanted() && unit.machine.is_none() {
                let machine = self.place(name);
                self.units.get_mut(name).unwrap().machine = machine;
            }
        }
    }

    /// Returns the first of some units that can't keep its machine.
    fn lost(&self, names: &[String]) -> Option<usize> {
        let hosts = self.hosts.iter().filter(|host| !host.is_gone);
        let hosts = hosts.map(|host| (&host.id, (host, self.units_of(host))));
        let hosts: BTreeMap<_, _> = hosts.collect();
        names.iter().position(|name| {
            let unit = &self.units[name];
            let Some(machine) = &unit.machine else {
                return false;
            };
            let fits = |(host, here): &(&Host, Company<'_>)| fits(name, unit, host, here);
            let keeps = unit.is_wanted() && hosts.get(machine).is_some_and(fits);
            unit.is_readable() && !keeps
        })
    }

    /// Chooses a machine: the one with the least units, the first by id of several.
    fn place(&self, name: &str) -> Option<String> {
        let hosts = self.hosts.iter().filter(|host| !host.is_gone);
        let hosts = hosts.map(|host| (host, self.units_of(host)));
        let fitting = hosts.filter(|(host, here)| fits(name, &self.units[name], host, here));
        let least = fitting.min_by_key(|(host, here)| (here.units.len(), &host.id));
        least.map(|(host, _)| host.id.clone())
    }

    /// Returns all units that a machine is to have, and the global ones that it could.
    fn units_of(&self, host: &Host) -> Company<'_> {
        let mut here = Company::default();
        for (name, unit) in &self.units {
            let is_given = unit.machine.as_ref() == Some(&host.id);
            if is_given && unit.is_wanted() && !unit.text.constraints.global {
                here.add(name, &unit.text);
            }
        }
        for (name, unit) in &self.units {
            let constraints = &unit.text.constraints;
            let is_free = || has_metadata(host, constraints) && !here.conflicts(name, &unit.text);
            if constraints.global && unit.is_readable() && is_free() {
                here.add(name, &unit.text);
            }
        }
        here
    }
}

/// Tells whether a machine can have a unit.
fn fits(name: &str, unit: &Stored, host: &Host, here: &Company<'_>) -> bool {
    let constraints = &unit.text.constraints;
    let id = constraints.machine_id.as_ref();
    !constraints.global
        && id.is_none_or(|id| *id == host.id || host.id.get(..8) == Some(id))
        && has_metadata(host, constraints)
        && constraints.peers.iter().all(|peer| here.has(peer))
        && !here.conflicts(name, &unit.text)
}

pub(super) fn has_metadata(host: &Host, constraints: &Constraints) -> bool {
    let mut wanted = constraints.metadata.iter();
    wanted.all(|(key, values)| {
        host.metadata
            .get(key)
            .is_some_and(|value| values.contains(value))
    })
}
