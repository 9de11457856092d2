//! Whether a cluster can hold the units that should run in it.
//!
//! In: the units to be placed, those that stay where they are, and the machines. Out: the units that
//! have no place, each with the reason; nothing is said of a unit unless it is proven. Knows nothing
//! of a cluster's protocol, of time, nor of how units come to be where they are.

use std::collections::BTreeMap;
use std::fmt;

use crate::manifest::port::Protocol;
use crate::placement::choice::Choice;
use crate::placement::homes::Homes;
use crate::placement::peers::Peers;
use crate::placement::reason::Reason;
use crate::placement::rules::Rules;
use crate::placement::world::World;
use crate::state::{Machine, MachineId, RegistryName};
use crate::unit::fleet::constraints::Constraints;

mod board;
mod choice;
mod explain;
mod homes;
mod machine_set;
mod matching;
mod natural;
mod peers;
pub mod reason;
mod rules;
mod search;
mod solve;
mod world;

#[cfg(test)]
mod brute;
#[cfg(test)]
mod chance;
#[cfg(test)]
mod tests;

/// A unit that should run: on one machine, or on all where it is global.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name. A name that comes twice counts once.
    pub unit: RegistryName,
    /// Where it may run, with specifiers expanded.
    pub constraints: Constraints,
    /// The ports of the machine that it takes.
    pub ports: Vec<HostPort>,
    /// The machine that it is on now.
    pub machine: Option<MachineId>,
}

/// A unit that stays where it is; a global one is given once for each of its machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupant {
    /// Its name. It stands for nothing where a candidate has the same.
    pub unit: RegistryName,
    /// What it may not meet, with specifiers expanded.
    pub constraints: Constraints,
    /// The machine that it is on.
    pub machine: MachineId,
}

/// A port of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    /// Its number.
    pub number: u16,
    /// Its protocol.
    pub protocol: Protocol,
}

impl fmt::Display for HostPort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.number, self.protocol.as_str())
    }
}

/// A unit that has no place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplaceable {
    /// Its name.
    pub unit: RegistryName,
    /// Why.
    pub reason: Reason,
}

/// Returns the units that have to stay out for the others to have a place each, sorted by name in
/// the order in which people count. Units without a machine stay out rather than others, and later
/// ones rather than earlier ones.
///
/// A global unit has a place where any machine has its metadata. It is held to be on all of these,
/// but for those where a unit already is that it may not meet; it keeps off units that come later.
///
/// Where it takes too long to find out whether all have a place, they are held to have one.
#[must_use]
pub fn unplaceable(
    candidates: &[Candidate],
    occupants: &[Occupant],
    machines: &BTreeMap<MachineId, Machine>,
) -> Vec<Unplaceable> {
    let world = World::new(candidates, occupants, machines);
    let rules = Rules::read(&world);
    let peers = Peers::read(&world);
    let homes = Homes::find(&world, &rules);
    let reasons = Choice::new(&world, &rules, &peers, &homes).reasons();
    let named = world.candidates.iter().zip(reasons);
    let unplaceable = named.filter_map(|(candidate, reason)| {
        Some(Unplaceable {
            unit: candidate.unit.clone(),
            reason: reason?,
        })
    });
    unplaceable.collect()
}
