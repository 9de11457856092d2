//! What is given, under numbers.
//!
//! In: candidates, occupants and machines. Out: each under its position in a fixed order, and found
//! by its name. Knows nothing of what their constraints mean.

use std::collections::{BTreeMap, HashMap};

use crate::placement::{Candidate, Occupant, natural};
use crate::state::{Machine, MachineId, RegistryName};

/// A unit by its kind and position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    /// A candidate that takes one machine.
    Single(usize),
    /// A candidate that takes all machines.
    Global(usize),
    /// An occupant.
    Occupant(usize),
}

pub(super) struct World<'a> {
    /// In the natural order of names, each name once.
    pub(super) candidates: Vec<&'a Candidate>,
    /// Without those that are candidates.
    pub(super) occupants: Vec<&'a Occupant>,
    /// In the order of ids.
    pub(super) machines: Vec<(&'a MachineId, &'a Machine)>,
    /// Where each candidate is.
    pub(super) current: Vec<Option<usize>>,
    /// Where each occupant is; `None` for a machine that is not there.
    pub(super) seats: Vec<Option<usize>>,
    by_name: HashMap<&'a str, Unit>,
}

impl<'a> World<'a> {
    pub(super) fn new(
        candidates: &'a [Candidate],
        occupants: &'a [Occupant],
        machines: &'a BTreeMap<MachineId, Machine>,
    ) -> Self {
        let mut sorted: Vec<&Candidate> = candidates.iter().collect();
        sorted.sort_by(|one, other| natural::compare(one.unit.as_str(), other.unit.as_str()));
        sorted.dedup_by(|later, earlier| later.unit == earlier.unit);
        let mut by_name = HashMap::with_capacity(sorted.len());
        for (position, candidate) in sorted.iter().enumerate() {
            let unit = if candidate.constraints.global {
                Unit::Global(position)
            } else {
                Unit::Single(position)
            };
            by_name.insert(candidate.unit.as_str(), unit);
        }
        let machines: Vec<_> = machines.iter().collect();
        let position = |id: &MachineId| machines.binary_search_by_key(&id, |(id, _)| id).ok();
        let is_free = |occupant: &&Occupant| !by_name.contains_key(occupant.unit.as_str());
        let occupants: Vec<&Occupant> = occupants.iter().filter(is_free).collect();
        let current = sorted.iter().map(|candidate| {
            let machine = candidate.machine.as_ref();
            machine.and_then(position)
        });
        Self {
            current: current.collect(),
            seats: occupants.iter().map(|o| position(&o.machine)).collect(),
            candidates: sorted,
            occupants,
            machines,
            by_name,
        }
    }

    pub(super) fn candidate(&self, name: &str) -> Option<Unit> {
        self.by_name.get(name).copied()
    }

    /// Returns all candidates that take one machine.
    pub(super) fn singles(&self) -> impl Iterator<Item = usize> + '_ {
        let is_single = |position: &usize| !self.candidates[*position].constraints.global;
        (0..self.candidates.len()).filter(is_single)
    }

    pub(super) fn name(&self, unit: Unit) -> &'a RegistryName {
        match unit {
            Unit::Single(position) | Unit::Global(position) => &self.candidates[position].unit,
            Unit::Occupant(position) => &self.occupants[position].unit,
        }
    }

    /// Returns all units in the order of `Unit`.
    pub(super) fn units(&self) -> impl Iterator<Item = Unit> + '_ {
        let kind = |is_global: bool, unit: fn(usize) -> Unit| {
            let positions = 0..self.candidates.len();
            let of_kind = positions
                .filter(move |position| self.candidates[*position].constraints.global == is_global);
            of_kind.map(unit)
        };
        kind(false, Unit::Single)
            .chain(kind(true, Unit::Global))
            .chain((0..self.occupants.len()).map(Unit::Occupant))
    }

    pub(super) fn conflicts(&self, unit: Unit) -> &'a [String] {
        match unit {
            Unit::Single(position) | Unit::Global(position) => {
                &self.candidates[position].constraints.conflicts
            }
            Unit::Occupant(position) => &self.occupants[position].constraints.conflicts,
        }
    }
}
