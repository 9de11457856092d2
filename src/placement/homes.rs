//! Which machines each unit may be on, before any other finds its place.
//!
//! In: the units, the rules and the machines. Out: for each unit the machines that its own
//! constraints and its settled peers allow, and those of them that no settled unit keeps it from; the
//! reason, where there are none. Knows nothing of how candidates get on with each other.

use std::collections::{BTreeMap, HashMap};

use crate::placement::machine_set::MachineSet;
use crate::placement::reason::{Metadata, Reason};
use crate::placement::rules::Rules;
use crate::placement::world::{Unit, World};
use crate::state::{Machine, MachineId, RegistryName};
use crate::unit::fleet::constraints::Constraints;

pub(super) struct Homes {
    /// For each candidate, the machines of its constraints and of its settled peers.
    pub(super) allowed: Vec<MachineSet>,
    /// Those of them where no settled unit is that it may not meet.
    pub(super) free: Vec<MachineSet>,
    /// For each global candidate, the machines that it is on whatever else is placed.
    pub(super) held: BTreeMap<usize, MachineSet>,
    /// For each candidate that has no machine by its constraints and peers, why.
    pub(super) reasons: Vec<Option<Reason>>,
}

impl Homes {
    pub(super) fn find(world: &World<'_>, rules: &Rules) -> Self {
        let (mut allowed, mut reasons) = own_machines(world);
        settle(world, &mut allowed, &mut reasons);
        let held = held(world, rules, &allowed);
        let mut free = allowed.clone();
        for rule in &rules.all {
            for side in 0..2 {
                let mut blocked = MachineSet::empty(world.machines.len());
                for unit in &rule.sides[side] {
                    match unit {
                        Unit::Single(_) => {}
                        Unit::Global(position) => blocked.add(&held[position]),
                        Unit::Occupant(position) => {
                            if let Some(seat) = world.seats[*position] {
                                blocked.insert(seat);
                            }
                        }
                    }
                }
                if blocked.is_empty() {
                    continue;
                }
                for unit in &rule.sides[1 - side] {
                    if let Unit::Single(position) = unit {
                        free[*position].subtract(&blocked);
                    }
                }
            }
        }
        Self {
            allowed,
            free,
            held,
            reasons,
        }
    }
}

/// Returns the machines that each candidate's own constraints allow, and why there are none.
fn own_machines(world: &World<'_>) -> (Vec<MachineSet>, Vec<Option<Reason>>) {
    // Instances of one template ask for the same, and many units for nothing.
    let mut known: HashMap<_, (MachineSet, Option<Reason>)> = HashMap::new();
    let found = world.candidates.iter().map(|candidate| {
        let constraints = &candidate.constraints;
        let Constraints {
            metadata,
            machine_id,
            global,
            conflicts: _,
            replaces: _,
            peers: _,
            unknown: _,
        } = constraints;
        // fleet never asks a global unit for its machine's id.
        let id = machine_id.as_ref().filter(|_| !global);
        let machines = known.entry((metadata, id)).or_insert_with(|| {
            let set = MachineSet::of(world.machines.len(), |position| {
                let (machine_id, machine) = world.machines[position];
                id.is_none_or(|id| has_id(machine_id, id)) && missing(metadata, machine).is_empty()
            });
            let reason = set.is_empty().then(|| no_machine(world, metadata, id));
            (set, reason)
        });
        machines.clone()
    });
    found.unzip()
}

fn has_id(machine: &MachineId, id: &str) -> bool {
    machine.as_str() == id || machine.short() == id
}

/// Returns the keys of metadata for which a machine has none of the values.
fn missing(metadata: &Metadata, machine: &Machine) -> Metadata {
    let missing = metadata.iter().filter(|(key, values)| {
        let value = machine.metadata.get(*key);
        !value.is_some_and(|value| values.contains(value))
    });
    missing
        .map(|(key, values)| (key.clone(), values.clone()))
        .collect()
}

fn no_machine(world: &World<'_>, metadata: &Metadata, id: Option<&String>) -> Reason {
    if world.machines.is_empty() {
        return Reason::NoMachines;
    }
    if let Some(id) = id {
        let mut machines = world.machines.iter();
        let Some((machine_id, machine)) = machines.find(|(machine, _)| has_id(machine, id)) else {
            return Reason::NoMachineWithId { id: id.clone() };
        };
        return Reason::MetadataOfMachine {
            machine: (*machine_id).clone(),
            metadata: missing(metadata, machine),
        };
    }
    let decisive = metadata.iter().find(|(key, _)| {
        let mut machines = world.machines.iter();
        machines.all(|(_, machine)| missing(metadata, machine).contains_key(*key))
    });
    let decisive = decisive.map(|(key, values)| [(key.clone(), values.clone())].into());
    Reason::NoMachineWithMetadata {
        metadata: decisive.unwrap_or_else(|| metadata.clone()),
    }
}

/// Narrows each candidate's machines to those of its peers that are settled.
fn settle(world: &World<'_>, allowed: &mut [MachineSet], reasons: &mut [Option<Reason>]) {
    let mut occupants: HashMap<&str, Vec<usize>> = HashMap::new();
    for (position, occupant) in world.occupants.iter().enumerate() {
        let name = occupant.unit.as_str();
        occupants.entry(name).or_default().push(position);
    }
    let machines = world.machines.len();
    for candidate in world.singles() {
        let names = &world.candidates[candidate].constraints.peers;
        if names.is_empty() || reasons[candidate].is_some() {
            continue;
        }
        let mut settled = Vec::new();
        let mut lacks = None;
        for name in names {
            match (world.candidate(name), occupants.get(name.as_str())) {
                (Some(Unit::Global(position)), _) => {
                    settled.push((Unit::Global(position), allowed[position].clone()));
                }
                (Some(_), _) => {}
                (None, Some(positions)) => {
                    let seats = |machine| {
                        let mut positions = positions.iter();
                        positions.any(|position| world.seats[*position] == Some(machine))
                    };
                    let set = MachineSet::of(machines, seats);
                    settled.push((Unit::Occupant(positions[0]), set));
                }
                (None, None) => lacks = lacks.or(Some(name)),
            }
        }
        let own = &mut allowed[candidate];
        reasons[candidate] = match lacks {
            Some(name) => Some(Reason::PeerIsMissing {
                peer: RegistryName::seen(name),
            }),
            None => unsettled(world, own, &settled),
        };
        for (_, set) in &settled {
            own.keep(set);
        }
    }
}

/// Returns why no machine is left to a unit beside its settled peers.
fn unsettled(
    world: &World<'_>,
    own: &MachineSet,
    settled: &[(Unit, MachineSet)],
) -> Option<Reason> {
    for (unit, set) in settled {
        if let Unit::Global(_) = unit
            && set.is_empty()
        {
            let peer = world.name(*unit).clone();
            return Some(Reason::PeerUnplaceable { peer });
        }
    }
    let apart = settled.iter().enumerate().find_map(|(index, one)| {
        let mut later = settled[index + 1..].iter();
        let other = later.find(|other| other.1.is_disjoint(&one.1))?;
        Some([one.0, other.0])
    });
    if let Some(peers) = apart {
        let peers = peers.map(|unit| world.name(unit).clone());
        return Some(Reason::PeersApart { peers });
    }
    if let Some((unit, set)) = settled.iter().find(|(_, set)| set.is_disjoint(own)) {
        let peer = world.name(*unit).clone();
        let machines: Vec<MachineId> = match unit {
            // An occupant may be on a machine that is not there any more.
            Unit::Occupant(_) => {
                let occupants = world.occupants.iter();
                let same = occupants.filter(|occupant| occupant.unit == peer);
                same.map(|occupant| occupant.machine.clone()).collect()
            }
            Unit::Single(_) | Unit::Global(_) => {
                let machines = set.iter();
                machines
                    .map(|machine| world.machines[machine].0.clone())
                    .collect()
            }
        };
        return Some(Reason::ElsewhereThanPeer { peer, machines });
    }
    let mut rest = own.clone();
    for (_, set) in settled {
        rest.keep(set);
    }
    let peers = || settled.iter().map(|(unit, _)| world.name(*unit).clone());
    let reason = || Reason::NoMachineForAll {
        peers: peers().collect(),
    };
    rest.is_empty().then(reason)
}

/// Returns the machines that each global candidate is on whatever else is placed: it stays off those
/// where a unit already is that it may not meet, while it is there before any unit without a place.
fn held(world: &World<'_>, rules: &Rules, allowed: &[MachineSet]) -> BTreeMap<usize, MachineSet> {
    let globals = (0..world.candidates.len()).filter(|p| world.candidates[*p].constraints.global);
    let held = globals.map(|position| {
        let mut set = allowed[position].clone();
        for (rule, side) in rules.against(position) {
            let rule = &rules.all[*rule];
            if rule.port.is_some() {
                continue;
            }
            for unit in &rule.sides[*side] {
                match unit {
                    Unit::Global(other) if *other == position => {}
                    // Which of two global units is first is open.
                    Unit::Global(other) => set.subtract(&allowed[*other]),
                    Unit::Single(other) => remove(&mut set, world.current[*other]),
                    Unit::Occupant(other) => remove(&mut set, world.seats[*other]),
                }
            }
        }
        (position, set)
    });
    held.collect()
}

fn remove(set: &mut MachineSet, machine: Option<usize>) {
    if let Some(machine) = machine {
        set.remove(machine);
    }
}
