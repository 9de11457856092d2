//! Placement against a search through everything.
//!
//! In: a small world. Out: whether what is said of it is true. It takes the rules from fleet's
//! behaviour anew, pair by pair, and knows nothing of how the answer is found.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::glob::matches;
use crate::placement::reason::Reason;
use crate::placement::tests::Machines;
use crate::placement::{Candidate, Occupant, unplaceable};
use crate::state::MachineId;
use crate::unit::fleet::constraints::Constraints;

#[derive(Debug)]
pub(super) struct World {
    pub(super) candidates: Vec<Candidate>,
    pub(super) occupants: Vec<Occupant>,
    pub(super) machines: Machines,
}

fn fits(constraints: &Constraints, id: &MachineId, machines: &Machines) -> bool {
    let own = constraints
        .machine_id
        .as_ref()
        .filter(|_| !constraints.global);
    let has_id = own.is_none_or(|own| own == id.as_str() || id.as_str().get(..8) == Some(own));
    let metadata = &machines[id].metadata;
    let mut keys = constraints.metadata.iter();
    has_id && keys.all(|(key, any)| metadata.get(key).is_some_and(|value| any.contains(value)))
}

fn may_not_meet(one: (&str, &Constraints), other: (&str, &Constraints)) -> bool {
    let declares = |by: &Constraints, of: &str| by.conflicts.iter().any(|p| matches(p, of));
    one.0 != other.0 && (declares(one.1, other.0) || declares(other.1, one.0))
}

fn named(candidate: &Candidate) -> (&str, &Constraints) {
    (candidate.unit.as_str(), &candidate.constraints)
}

fn share_a_port(one: &Candidate, other: &Candidate) -> bool {
    one.ports.iter().any(|port| other.ports.contains(port))
}

impl World {
    fn is_on(&self, global: &Candidate, id: &MachineId) -> bool {
        let keeps_off = |other: &Candidate| {
            may_not_meet(named(global), named(other))
                && if other.constraints.global {
                    fits(&other.constraints, id, &self.machines)
                } else {
                    other.machine.as_ref() == Some(id)
                }
        };
        fits(&global.constraints, id, &self.machines)
            && !self.candidates.iter().any(keeps_off)
            && !self.occupants().any(|occupant| {
                let other = (occupant.unit.as_str(), &occupant.constraints);
                occupant.machine == *id && may_not_meet(named(global), other)
            })
    }

    fn occupants(&self) -> impl Iterator<Item = &Occupant> {
        let is_candidate = |name| {
            self.candidates
                .iter()
                .any(|candidate| candidate.unit == name)
        };
        let occupants = self.occupants.iter();
        occupants.filter(move |occupant| !is_candidate(occupant.unit.clone()))
    }

    /// Tells whether one candidate could be on a machine, were there no other of one machine.
    fn could_be_on(&self, candidate: &Candidate, id: &MachineId) -> bool {
        let own = &candidate.constraints;
        let mut globals = self
            .candidates
            .iter()
            .filter(|other| other.constraints.global);
        fits(own, id, &self.machines)
            && !self.occupants().any(|occupant| {
                let other = (occupant.unit.as_str(), &occupant.constraints);
                occupant.machine == *id && may_not_meet(named(candidate), other)
            })
            && !globals.any(|other| {
                let apart = may_not_meet(named(candidate), named(other));
                self.is_on(other, id) && (apart || share_a_port(candidate, other))
            })
    }

    /// Tells whether a candidate's peers are on its machine.
    fn is_with_peers(&self, at: usize, places: &[Option<&MachineId>]) -> bool {
        self.candidates[at].constraints.peers.iter().all(|peer| {
            let peers = self.candidates.iter().zip(places);
            let mut peers = peers.filter(|(other, _)| other.unit.as_str() == peer);
            let id = places[at].unwrap();
            match peers.next() {
                Some((other, _)) if other.constraints.global => {
                    fits(&other.constraints, id, &self.machines)
                }
                Some((_, place)) => *place == Some(id),
                None => {
                    let mut occupants = self.occupants();
                    occupants.any(|o| o.unit.as_str() == peer && o.machine == *id)
                }
            }
        })
    }

    /// Tells whether all that is in can be started one after the other.
    fn is_startable(&self, is_in: &[bool]) -> bool {
        let mut started: BTreeSet<&str> = BTreeSet::new();
        for _ in &self.candidates {
            for (candidate, _) in self
                .candidates
                .iter()
                .zip(is_in)
                .filter(|(_, is_in)| **is_in)
            {
                let is_single = |name: &str| {
                    let mut all = self.candidates.iter();
                    all.any(|other| other.unit.as_str() == name && !other.constraints.global)
                };
                let mut peers = candidate.constraints.peers.iter();
                let has_machine = candidate
                    .machine
                    .as_ref()
                    .is_some_and(|id| self.machines.contains_key(id));
                if has_machine
                    || peers.all(|peer| !is_single(peer) || started.contains(peer.as_str()))
                {
                    started.insert(candidate.unit.as_str());
                }
            }
        }
        started.len() == is_in.iter().filter(|is_in| **is_in).count()
    }

    fn can_place(&self, is_in: &[bool]) -> bool {
        let in_globals = self.candidates.iter().zip(is_in);
        let mut in_globals = in_globals.filter(|(one, is_in)| **is_in && one.constraints.global);
        let is_somewhere = |one: &Candidate| {
            let mut ids = self.machines.keys();
            ids.any(|id| fits(&one.constraints, id, &self.machines))
        };
        in_globals.all(|(one, _)| is_somewhere(one))
            && self.is_startable(is_in)
            && self.place(0, is_in, &mut vec![None; self.candidates.len()])
    }

    fn place<'a>(
        &'a self,
        at: usize,
        is_in: &[bool],
        places: &mut Vec<Option<&'a MachineId>>,
    ) -> bool {
        let Some(candidate) = self.candidates.get(at) else {
            let mut singles =
                (0..at).filter(|at| is_in[*at] && !self.candidates[*at].constraints.global);
            return singles.all(|at| self.is_with_peers(at, places));
        };
        if !is_in[at] || candidate.constraints.global {
            return self.place(at + 1, is_in, places);
        }
        for id in self.machines.keys() {
            let meets = (0..at).any(|other| {
                let other_candidate = &self.candidates[other];
                places[other] == Some(id)
                    && (share_a_port(candidate, other_candidate)
                        || may_not_meet(named(candidate), named(other_candidate)))
            });
            if !meets && self.could_be_on(candidate, id) {
                places[at] = Some(id);
                if self.place(at + 1, is_in, places) {
                    return true;
                }
                places[at] = None;
            }
        }
        false
    }

    /// Returns how few have to stay out.
    fn least(&self) -> usize {
        let count = self.candidates.len();
        let sets = (0..1_usize << count).map(|set| {
            let is_in: Vec<bool> = (0..count).map(|at| set & (1 << at) == 0).collect();
            (set.count_ones() as usize, is_in)
        });
        let mut sets: Vec<_> = sets.collect();
        sets.sort();
        let found = sets.into_iter().find(|(_, is_in)| self.can_place(is_in));
        found.unwrap().0
    }

    /// Checks what is said: that as few stay out as have to, or at least none for nothing.
    pub(super) fn check(&self, is_exact: bool) -> Result<(), TestCaseError> {
        let out = unplaceable(&self.candidates, &self.occupants, &self.machines);
        let mut is_in: Vec<bool> = self
            .candidates
            .iter()
            .map(|candidate| !out.iter().any(|one| one.unit == candidate.unit))
            .collect();
        let least = self.least();
        prop_assert_eq!(out.is_empty(), least == 0, "{:#?}", out);
        prop_assert!(out.len() >= least, "{:#?}", out);
        prop_assert!(self.can_place(&is_in), "{:#?}", out);
        if is_exact {
            prop_assert_eq!(out.len(), least, "{:#?}", out);
        }
        for one in &out {
            let at = self
                .candidates
                .iter()
                .position(|c| c.unit == one.unit)
                .unwrap();
            is_in[at] = true;
            prop_assert!(
                !self.can_place(&is_in),
                "{} for nothing: {:#?}",
                one.unit,
                out
            );
            is_in[at] = false;
            self.check_reason(at, &one.reason)?;
        }
        Ok(())
    }

    fn check_reason(&self, at: usize, reason: &Reason) -> Result<(), TestCaseError> {
        let fitting = |at: usize| {
            let ids = self.machines.keys();
            ids.filter(|id| fits(&self.candidates[at].constraints, id, &self.machines))
                .count()
        };
        match reason {
            Reason::NoMachines => prop_assert!(self.machines.is_empty()),
            Reason::NoMachineWithId { .. }
            | Reason::NoMachineWithMetadata { .. }
            | Reason::MetadataOfMachine { .. } => prop_assert_eq!(fitting(at), 0),
            Reason::Taken { held } | Reason::PortTaken { held, .. } => {
                prop_assert!(held.machines <= fitting(at));
                prop_assert_eq!(held.holders.len(), held.machines.min(3));
                for holder in &held.holders {
                    prop_assert!(self.machines.contains_key(&holder.machine));
                    prop_assert_ne!(&holder.unit, &self.candidates[at].unit);
                }
            }
            Reason::Crowded { .. } => return Err(TestCaseError::fail("no one is named")),
            Reason::ElsewhereThanPeer { .. }
            | Reason::InCircle { .. }
            | Reason::MayNotMeetPeer { .. }
            | Reason::NoMachineForAll { .. }
            | Reason::PeerIsMissing { .. }
            | Reason::PeersApart { .. }
            | Reason::PeerUnplaceable { .. } => {
                let needs = &self.candidates[at].constraints.peers;
                prop_assert!(!needs.is_empty() || self.is_peer(at));
            }
        }
        Ok(())
    }

    fn is_peer(&self, at: usize) -> bool {
        let name = self.candidates[at].unit.as_str().to_owned();
        let mut candidates = self.candidates.iter();
        candidates.any(|other| other.constraints.peers.contains(&name))
    }
}
