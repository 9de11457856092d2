//! Which machines have room for a unit, as units come and go.
//!
//! In: what was seen, and then each unit that comes or goes. Out: the machine that fleet would give a unit
//! to: of those that do, the one with the least units, and the first by its id of several. fleet knows
//! nothing of ports; where it would choose a machine on which one is taken, there is no room.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::glob::matches;
use crate::placement::{Candidate, HostPort, Occupant, unplaceable};
use crate::state::{Machine, MachineId, Observed, RegistryName};
use crate::unit::fleet::constraints::Constraints;

/// What is in the way of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// No machine takes it.
    Machine,
    /// A port that it needs is taken on the machine that fleet would choose.
    Port,
}

/// What the machines hold.
#[derive(Debug, Clone)]
pub(super) struct Room {
    machines: BTreeMap<MachineId, Machine>,
    units: HashMap<RegistryName, Resident>,
    on: BTreeMap<MachineId, BTreeSet<RegistryName>>,
}

#[derive(Debug, Clone)]
struct Resident {
    constraints: Constraints,
    ports: Vec<HostPort>,
    machines: Vec<MachineId>,
}

impl Room {
    /// Returns what was seen; no ports are known yet.
    pub(super) fn new(observed: &Observed) -> Self {
        let mut room = Self {
            machines: observed.machines.clone(),
            units: HashMap::new(),
            on: BTreeMap::new(),
        };
        let asked = observed.units.values();
        for unit in asked.filter(|unit| unit.desired.asks_something()) {
            let constraints = Constraints::read(&unit.unit, unit.name.as_str());
            let machines = observed.machines_of(&unit.name).into_iter().cloned();
            room.settle(
                unit.name.clone(),
                constraints,
                Vec::new(),
                machines.collect(),
            );
        }
        room
    }

    /// Says which ports a unit takes, where it is on any machine.
    pub(super) fn takes(&mut self, name: &RegistryName, ports: &[HostPort]) {
        if let Some(resident) = self.units.get_mut(name) {
            resident.ports = ports.to_vec();
        }
    }

    /// Gives a unit to a machine.
    ///
    /// # Errors
    /// Says what is in the way.
    pub(super) fn place(
        &mut self,
        name: &RegistryName,
        constraints: &Constraints,
        ports: &[HostPort],
    ) -> Result<(), Obstacle> {
        // Of machines that nobody knows nothing is said.
        if self.machines.is_empty() {
            return Ok(());
        }
        let fitting: Vec<&MachineId> = self
            .machines
            .iter()
            .filter(|(id, machine)| self.fits(name, constraints, id, machine))
            .map(|(id, _)| id)
            .collect();
        let machines: Vec<MachineId> = if constraints.global {
            fitting.into_iter().cloned().collect()
        } else {
            let load = |id: &&&MachineId| self.on.get(**id).map_or(0, BTreeSet::len);
            fitting
                .iter()
                .min_by_key(load)
                .map(|id| (*id).clone())
                .into_iter()
                .collect()
        };
        if machines.is_empty() {
            return Err(Obstacle::Machine);
        }
        if machines.iter().any(|id| self.is_taken(name, id, ports)) {
            return Err(Obstacle::Port);
        }
        self.settle(name.clone(), constraints.clone(), ports.to_vec(), machines);
        Ok(())
    }

    /// Takes a unit away.
    pub(super) fn remove(&mut self, name: &RegistryName) {
        let Some(resident) = self.units.remove(name) else {
            return;
        };
        for machine in &resident.machines {
            if let Some(units) = self.on.get_mut(machine) {
                units.remove(name);
            }
        }
    }

    /// Counts the machines that a unit may be on, whoever else is there.
    pub(super) fn eligible(&self, constraints: &Constraints) -> usize {
        let machines = self.machines.iter();
        machines
            .filter(|(id, machine)| is_eligible(constraints, id, machine))
            .count()
    }

    /// Says why no machine has room for a unit, where that can be proven. Those that are stopped are left
    /// out.
    pub(super) fn obstacle(
        &self,
        name: &RegistryName,
        constraints: &Constraints,
        ports: &[HostPort],
        stopped: &[&RegistryName],
    ) -> Option<String> {
        let mut candidates = vec![Candidate {
            unit: name.clone(),
            constraints: constraints.clone(),
            ports: ports.to_vec(),
            machine: None,
        }];
        let mut occupants = Vec::new();
        let is_there = |other: &RegistryName| other != name && !stopped.contains(&other);
        for (unit, resident) in self.units.iter().filter(|(unit, _)| is_there(unit)) {
            for machine in &resident.machines {
                // Only of a candidate it is known which ports it takes; on its machine it stays.
                if resident.ports.is_empty() {
                    occupants.push(Occupant {
                        unit: unit.clone(),
                        constraints: resident.constraints.clone(),
                        machine: machine.clone(),
                    });
                } else {
                    candidates.push(Candidate {
                        unit: unit.clone(),
                        constraints: Constraints {
                            machine_id: Some(machine.as_str().to_owned()),
                            ..resident.constraints.clone()
                        },
                        ports: resident.ports.clone(),
                        machine: Some(machine.clone()),
                    });
                }
            }
        }
        let found = unplaceable(&candidates, &occupants, &self.machines);
        let own = found.into_iter().find(|one| one.unit == *name)?;
        Some(own.reason.to_string())
    }

    fn settle(
        &mut self,
        name: RegistryName,
        constraints: Constraints,
        ports: Vec<HostPort>,
        machines: Vec<MachineId>,
    ) {
        self.remove(&name);
        for machine in &machines {
            self.on
                .entry(machine.clone())
                .or_default()
                .insert(name.clone());
        }
        let resident = Resident {
            constraints,
            ports,
            machines,
        };
        self.units.insert(name, resident);
    }

    fn fits(
        &self,
        name: &RegistryName,
        constraints: &Constraints,
        id: &MachineId,
        machine: &Machine,
    ) -> bool {
        let here = || {
            self.on
                .get(id)
                .into_iter()
                .flatten()
                .filter(|other| *other != name)
        };
        let mut peers = constraints.peers.iter();
        is_eligible(constraints, id, machine)
            && peers.all(|peer| here().any(|other| other.as_str() == peer))
            && !here().any(|other| self.may_not_meet(name, constraints, other))
    }

    fn may_not_meet(
        &self,
        name: &RegistryName,
        constraints: &Constraints,
        other: &RegistryName,
    ) -> bool {
        let matching = |patterns: &[String], name: &RegistryName| {
            patterns
                .iter()
                .any(|pattern| matches(pattern, name.as_str()))
        };
        let others = self.units.get(other);
        matching(&constraints.conflicts, other)
            || others.is_some_and(|others| matching(&others.constraints.conflicts, name))
    }

    fn is_taken(&self, name: &RegistryName, id: &MachineId, ports: &[HostPort]) -> bool {
        let here = self.on.get(id).into_iter().flatten();
        here.filter(|other| *other != name)
            .filter_map(|other| self.units.get(other))
            .any(|other| other.ports.iter().any(|port| ports.contains(port)))
    }
}

fn is_eligible(constraints: &Constraints, id: &MachineId, machine: &Machine) -> bool {
    let is_named = |named: &String| named == id.as_str() || named == id.short();
    let has = |key: &String, values: &BTreeSet<String>| {
        machine
            .metadata
            .get(key)
            .is_some_and(|value| values.contains(value))
    };
    constraints.machine_id.as_ref().is_none_or(is_named)
        && constraints
            .metadata
            .iter()
            .all(|(key, values)| has(key, values))
}
