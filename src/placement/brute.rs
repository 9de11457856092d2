//! Placement against a search through everything, on small clusters.
//!
//! In: worlds by chance. Out: whether what is said of them is true. It takes the rules from fleet's
//! behaviour anew, pair by pair, and knows nothing of how the answer is found.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::glob::matches;
use crate::placement::reason::Reason;
use crate::placement::tests::{Machines, candidate, machines, occupant};
use crate::placement::{Candidate, Occupant, unplaceable};
use crate::state::MachineId;
use crate::unit::fleet::constraints::Constraints;

#[derive(Debug)]
struct World {
    candidates: Vec<Candidate>,
    occupants: Vec<Occupant>,
    machines: Machines,
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

    fn check(&self, is_exact: bool) -> Result<(), TestCaseError> {
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

const NAMES: [&str; 6] = ["a@1", "a@2", "a@10", "b@1", "b@2", "c"];

fn words(pool: &'static [&'static str], chance: u32) -> impl Strategy<Value = String> + Clone {
    let some = vec(select(pool), 1..=2).prop_map(|words| words.join(" "));
    prop_oneof![10 - chance => Just(String::new()), chance => some]
}

const PATTERNS: &[&str] = &[
    "conflicts:a@*",
    "conflicts:b@*",
    "conflicts:*",
    "conflicts:?@2",
    "conflicts:c",
    "conflicts:a@1",
    "conflicts:[ab]@1",
    "conflicts:a[",
    "conflicts:o",
];

/// Patterns that make all kinds of graphs, few of them whole.
const PAIRS: &[&str] = &[
    "conflicts:a@1",
    "conflicts:a@2",
    "conflicts:a@10",
    "conflicts:b@1",
    "conflicts:b@2",
    "conflicts:c",
];

fn worlds(
    patterns: &'static [&'static str],
    has_peers: bool,
    has_globals: bool,
) -> impl Strategy<Value = World> {
    let places = &[
        "has:role=x",
        "has:role=y",
        "has:zone=z",
        "id:aaaa0001",
        "id:aaaa0002",
        "id:aaaa0009",
    ];
    let peer_words = &[
        "with:a@1", "with:a@2", "with:b@1", "with:c", "with:o", "with:p", "with:q",
    ];
    let options = (
        words(patterns, 6),
        words(&["port:80", "port:81"], 2),
        words(places, 2),
        words(peer_words, if has_peers { 4 } else { 0 }),
        words(&["global"], if has_globals { 2 } else { 0 }),
        words(&["on:1", "on:2", "on:3", "on:9"], 4),
    );
    let options = options.prop_map(|(patterns, ports, places, peers, global, on)| {
        // A global unit with peers is refused, and a unit is on one machine at a time.
        let on = on.split(' ').next().unwrap_or_default();
        let (peers, on) = if global.is_empty() {
            (peers.as_str(), on)
        } else {
            ("", "")
        };
        format!("{patterns} {ports} {places} {peers} {global} {on}")
    });
    let candidates = (subsequence(NAMES.to_vec(), 0..=6), vec(options, 6));
    let settled = (
        select(&["o", "p", "a@2"][..]),
        words(patterns, 4),
        1..=4_usize,
    );
    let settled = settled.prop_map(|(name, patterns, on)| format!("{name} {patterns} on:{on}"));
    let machine = words(&["role=x", "role=y", "zone=z"], 7);
    let machines_of = prop_oneof![1 => vec(machine.clone(), 0..=1), 9 => vec(machine, 2..=4)];
    (candidates, vec(settled, 0..3), machines_of).prop_map(
        |((names, options), settled, metadata)| {
            let metadata: Vec<&str> = metadata.iter().map(String::as_str).collect();
            let lines = names
                .iter()
                .zip(options)
                .map(|(name, options)| format!("{name} {options}"));
            World {
                candidates: lines.map(|line| candidate(&line)).collect(),
                occupants: settled.iter().map(|line| occupant(line)).collect(),
                machines: machines(&metadata),
            }
        },
    )
}

/// A cluster of which it is known that all have a place, too great to try everything.
fn full_worlds() -> impl Strategy<Value = World> {
    let unit = (0..12_usize, vec(0..150_usize, 0..9), 0..6_u16, 0..20_usize);
    vec(unit, 1..150).prop_map(|units| {
        let place = |at: usize| units.get(at).map(|unit| unit.0);
        let lines = units
            .iter()
            .enumerate()
            .map(|(at, (machine, others, port, more))| {
                let others = others
                    .iter()
                    .filter(|other| place(**other) != Some(*machine));
                let others = others.map(|other| format!("conflicts:u@{other}"));
                let mut words: Vec<String> = others.collect();
                let mut before = units[..at].iter();
                let is_taken = before.any(|other| other.0 == *machine && other.2 == *port);
                if *port > 0 && !is_taken {
                    words.push(format!("port:{port}"));
                }
                match more {
                    0 => words.push(format!("id:aaaa{:04}", machine + 1)),
                    1..=4 => words.push(format!("has:kind={}", machine % 3)),
                    5..=9 => words.push(format!("on:{}", machine + 1)),
                    10 => {
                        let peer = (0..at).find(|peer| place(*peer) == Some(*machine));
                        words.extend(peer.map(|peer| format!("with:u@{peer}")));
                    }
                    _ => {}
                }
                format!("u@{at} {}", words.join(" "))
            });
        let kinds: Vec<String> = (0..12).map(|at| format!("kind={}", at % 3)).collect();
        let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
        World {
            candidates: lines.map(|line| candidate(&line)).collect(),
            occupants: Vec::new(),
            machines: machines(&kinds),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn units_by_themselves(world in worlds(PATTERNS, false, false)) {
        world.check(true)?;
    }

    #[test]
    fn units_in_any_graph(world in worlds(PAIRS, false, false)) {
        world.check(true)?;
    }

    #[test]
    fn units_and_global_ones(world in worlds(PATTERNS, false, true)) {
        world.check(true)?;
    }

    #[test]
    fn groups(world in worlds(PATTERNS, true, false)) {
        world.check(false)?;
    }

    #[test]
    fn groups_in_any_graph(world in worlds(PAIRS, true, true)) {
        world.check(false)?;
    }

    #[test]
    fn nothing_is_said_where_all_have_a_place(world in full_worlds()) {
        let out = unplaceable(&world.candidates, &world.occupants, &world.machines);
        prop_assert_eq!(out, []);
    }
}
