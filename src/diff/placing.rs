//! Whether the cluster can hold the instances that should be.
//!
//! In: what should be, the model that gives it, and what was seen, machines included. Out: the
//! instances that have no place, with the reason. What the registry has beside them stays where it is,
//! but for what nobody wants.

use std::collections::{HashMap, HashSet};

use crate::diff::{Comparison, Diff, Unplaced};
use crate::model::{Instance, Process};
use crate::placement::{Candidate, HostPort, Occupant, unplaceable};
use crate::render::desired::DesiredUnit;
use crate::span::Span;
use crate::state::{MachineId, Observed, ObservedUnit, RegistryName};
use crate::unit::fleet::FleetUnit;
use crate::unit::fleet::constraints::Constraints;

/// Returns the wanted instances that no machine can take.
#[must_use]
pub fn unplaced(comparison: &Comparison<'_>, diff: &Diff) -> Vec<Unplaced> {
    // Those of other apps are not spoken of.
    let mut places: HashMap<RegistryName, Option<Span>> = HashMap::new();
    let mut coming: HashSet<RegistryName> = HashSet::new();
    let mut candidates = Vec::new();
    let mut add = |unit: &DesiredUnit, is_selected: bool| {
        let text = FleetUnit::parse(&unit.text).unwrap_or_default();
        let process = comparison.process(unit);
        for instance in unit.instances.iter() {
            let name = RegistryName::from(&instance.unit);
            let machine = machine(&name, comparison.observed);
            // What is still to come of other apps takes no place from these.
            if !is_selected && machine.is_none() {
                coming.insert(name);
                continue;
            }
            places.insert(name.clone(), is_selected.then_some(instance.span));
            candidates.push(Candidate {
                constraints: Constraints::read(&text, name.as_str()),
                ports: ports(unit, process, instance),
                machine,
                unit: name,
            });
        }
    };
    for unit in &comparison.desired.units {
        add(unit, true);
    }
    for unit in comparison.others {
        add(unit, false);
    }
    // Of a peer that is known and on no machine yet nothing can be said.
    candidates.retain(|candidate| {
        let mut peers = candidate.constraints.peers.iter().map(RegistryName::seen);
        !peers.any(|peer| {
            let is_known = comparison.observed.units.contains_key(&peer) || coming.contains(&peer);
            let is_wanted = places.contains_key(&peer);
            is_known && !is_wanted && machine(&peer, comparison.observed).is_none()
        })
    });
    let occupants = occupants(comparison.observed, &places, diff);
    let machines = &comparison.observed.machines;
    let found = unplaceable(&candidates, &occupants, machines).into_iter();
    let named = found.filter_map(|unplaceable| {
        Some(Unplaced {
            span: places.get(&unplaceable.unit).copied().flatten()?,
            reason: unplaceable.reason.to_string(),
            name: unplaceable.unit,
        })
    });
    named.collect()
}

/// Returns the ports of the machine that an instance takes. Units beside a process take none.
fn ports(unit: &DesiredUnit, process: Option<&Process>, instance: &Instance) -> Vec<HostPort> {
    let Some(process) = process.filter(|process| process.unit == unit.name) else {
        return Vec::new();
    };
    let slot = || instance.slot.as_ref()?.as_str().parse().ok();
    let ports = process.machine_ports.iter().filter_map(|port| {
        Some(HostPort {
            number: port.value.number.or_else(slot)?,
            protocol: port.value.protocol,
        })
    });
    ports.collect()
}

fn machine(name: &RegistryName, observed: &Observed) -> Option<MachineId> {
    observed.machines_of(name).first().copied().cloned()
}

/// Returns what stays where it is.
fn occupants(
    observed: &Observed,
    wanted: &HashMap<RegistryName, Option<Span>>,
    diff: &Diff,
) -> Vec<Occupant> {
    let instances = diff.units.iter().flat_map(|unit| &unit.instances);
    let leaving: HashSet<&RegistryName> = instances
        .filter(|one| one.span.is_none())
        .map(|one| &one.name)
        .collect();
    let stays = |unit: &&ObservedUnit| {
        unit.desired.asks_something()
            && !wanted.contains_key(&unit.name)
            && !leaving.contains(&unit.name)
    };
    let mut found = Vec::new();
    for unit in observed.units.values().filter(stays) {
        let constraints = Constraints::read(&unit.unit, unit.name.as_str());
        let machines = observed.machines_of(&unit.name);
        found.extend(machines.into_iter().map(|machine| Occupant {
            unit: unit.name.clone(),
            constraints: constraints.clone(),
            machine: machine.clone(),
        }));
    }
    found
}
