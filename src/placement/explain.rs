//! Why a unit finds no place beside others.
//!
//! In: what was placed where. Out: the reason for one that was not. Knows nothing of how the places
//! were found.

use crate::placement::board::common;
use crate::placement::homes::Homes;
use crate::placement::reason::{Held, Holder, Reason};
use crate::placement::rules::Rules;
use crate::placement::world::{Unit, World};
use crate::state::RegistryName;

/// For each machine the first unit of a rule's side.
type Seats = Vec<Option<Unit>>;

pub(super) struct Explanation<'a> {
    world: &'a World<'a>,
    rules: &'a Rules,
    homes: &'a Homes,
    /// Where candidates are placed.
    places: Vec<Option<usize>>,
    /// The seats of each rule's sides, once they were asked for.
    seats: Vec<[Option<Seats>; 2]>,
}

impl<'a> Explanation<'a> {
    pub(super) fn new(
        world: &'a World<'a>,
        rules: &'a Rules,
        homes: &'a Homes,
        places: Vec<Option<usize>>,
    ) -> Self {
        Self {
            world,
            rules,
            homes,
            places,
            seats: rules.all.iter().map(|_| [None, None]).collect(),
        }
    }

    /// Returns why a candidate can't be with the others of its group, wherever all others are.
    pub(super) fn within_group(
        &self,
        candidate: usize,
        group: &[usize],
        needs: &[usize],
    ) -> Reason {
        let others = || {
            let rest = group.iter().filter(|member| !needs.contains(member));
            let all = needs.iter().filter(|need| group.contains(need)).chain(rest);
            all.copied().filter(|member| *member != candidate)
        };
        for other in others() {
            if let Some(rule) = self.rules.between(candidate, Unit::Single(other)) {
                return Reason::MayNotMeetPeer {
                    peer: self.name(other),
                    port: rule.port,
                };
            }
        }
        let free = &self.homes.free;
        match others().find(|other| free[*other].is_disjoint(&free[candidate])) {
            Some(other) => Reason::ElsewhereThanPeer {
                peer: self.name(other),
                machines: Vec::new(),
            },
            None => Reason::NoMachineForAll {
                peers: others().map(|other| self.name(other)).collect(),
            },
        }
    }

    /// Returns who keeps a candidate, which stands for a group or is alone, from all its machines.
    pub(super) fn among_all(&mut self, members: &[usize]) -> Reason {
        if let [candidate] = members
            && let Some(reason) = self.settled_peer(*candidate)
        {
            return reason;
        }
        let machines = common(members, &self.homes.allowed, self.world.machines.len());
        let machines: Vec<usize> = machines.iter().collect();
        let rules = members
            .iter()
            .flat_map(|member| self.rules.against(*member));
        let mut rules: Vec<(usize, usize)> = rules.copied().collect();
        rules.sort_unstable();
        rules.dedup();
        let (ports, patterns): (Vec<_>, Vec<_>) = rules
            .iter()
            .partition(|(rule, _)| self.rules.all[*rule].port.is_some());
        if let Some(held) = self.held(&machines, &patterns, members) {
            return Reason::Taken { held };
        }
        for rule in ports {
            if let Some(port) = self.rules.all[rule.0].port
                && let Some(held) = self.held(&machines, &[rule], members)
            {
                return Reason::PortTaken { port, held };
            }
        }
        match self.held(&machines, &rules, members) {
            Some(held) => Reason::Taken { held },
            None => Reason::Crowded {
                machines: machines.len(),
            },
        }
    }

    /// Returns that a candidate may not meet an occupant or a global unit that it must be with.
    fn settled_peer(&self, candidate: usize) -> Option<Reason> {
        let peers = &self.world.candidates[candidate].constraints.peers;
        if peers.is_empty() {
            return None;
        }
        let sides = self.rules.against(candidate).iter();
        let mut found = sides.flat_map(|(rule, side)| {
            let rule = &self.rules.all[*rule];
            rule.sides[*side].iter().map(|unit| (*unit, rule.port))
        });
        found.find_map(|(unit, port)| {
            let is_settled = !matches!(unit, Unit::Single(_));
            let peer = self.world.name(unit);
            let is_peer = peers.iter().any(|name| name == peer.as_str());
            let peer = peer.clone();
            (is_settled && is_peer).then_some(Reason::MayNotMeetPeer { peer, port })
        })
    }

    /// Returns who is on the machines by some rules, where there is somebody on each.
    fn held(
        &mut self,
        machines: &[usize],
        rules: &[(usize, usize)],
        members: &[usize],
    ) -> Option<Held> {
        let mut holders = Vec::new();
        for machine in machines {
            let mut rules = rules.iter();
            let unit = rules.find_map(|(rule, side)| self.seat(*rule, *side, *machine, members))?;
            if holders.len() < Held::NAMED {
                holders.push(Holder {
                    unit: self.world.name(unit).clone(),
                    machine: self.world.machines[*machine].0.clone(),
                });
            }
        }
        Some(Held {
            machines: machines.len(),
            holders,
        })
    }

    fn seat(&mut self, rule: usize, side: usize, machine: usize, but: &[usize]) -> Option<Unit> {
        let is_other = |unit: &Unit| !matches!(unit, Unit::Single(at) if but.contains(at));
        if self.seats[rule][side].is_none() {
            let mut seats = vec![None; self.world.machines.len()];
            for unit in &self.rules.all[rule].sides[side] {
                for machine in self.machines(*unit) {
                    seats[machine] = seats[machine].or(Some(*unit));
                }
            }
            self.seats[rule][side] = Some(seats);
        }
        let first = self.seats[rule][side].as_ref()?[machine]?;
        if is_other(&first) {
            return Some(first);
        }
        let mut units = self.rules.all[rule].sides[side].iter();
        let other = units.find(|unit| is_other(unit) && self.machines(**unit).contains(&machine));
        other.copied()
    }

    /// Returns where a unit is.
    fn machines(&self, unit: Unit) -> Vec<usize> {
        match unit {
            Unit::Single(position) => self.places[position].into_iter().collect(),
            Unit::Global(position) => self.homes.held[&position].iter().collect(),
            Unit::Occupant(position) => self.world.seats[position].into_iter().collect(),
        }
    }

    fn name(&self, candidate: usize) -> RegistryName {
        self.world.name(Unit::Single(candidate)).clone()
    }
}
