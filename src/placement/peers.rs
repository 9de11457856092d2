//! Units that must be on one machine.
//!
//! In: the peers that candidates name. Out: who needs whom, the groups that this makes, and who
//! stays out when one does. Knows nothing of machines, but whether a unit is on one.

use std::collections::BTreeSet;

use crate::placement::world::{Unit, World};

pub(super) struct Peers {
    /// For each candidate, the candidates of one machine that it must be with.
    pub(super) needs: Vec<Vec<usize>>,
    /// For each candidate, those that must be with it.
    pub(super) needed_by: Vec<Vec<usize>>,
    /// The candidates that need one, or are needed.
    pub(super) bound: Vec<usize>,
}

impl Peers {
    pub(super) fn read(world: &World<'_>) -> Self {
        let count = world.candidates.len();
        let mut needs = vec![Vec::new(); count];
        let mut needed_by = vec![Vec::new(); count];
        let mut bound = BTreeSet::new();
        for candidate in world.singles() {
            for name in &world.candidates[candidate].constraints.peers {
                if let Some(Unit::Single(peer)) = world.candidate(name)
                    && !needs[candidate].contains(&peer)
                {
                    needs[candidate].push(peer);
                    needed_by[peer].push(candidate);
                    bound.extend([candidate, peer]);
                }
            }
        }
        Self {
            needs,
            needed_by,
            bound: bound.into_iter().collect(),
        }
    }

    /// Returns a candidate and all that can't be without it.
    pub(super) fn dependents(&self, candidate: usize) -> BTreeSet<usize> {
        reach(candidate, |at| &self.needed_by[at])
    }

    /// Returns, of the candidates that are kept, those that stand in a group, group by group.
    pub(super) fn groups(&self, is_kept: &[bool]) -> Vec<Vec<usize>> {
        let mut seen = vec![false; is_kept.len()];
        let mut groups = Vec::new();
        for start in &self.bound {
            if !is_kept[*start] || seen[*start] {
                continue;
            }
            let mut members = self.group(*start, is_kept);
            members.sort_unstable();
            for member in &members {
                seen[*member] = true;
            }
            groups.push(members);
        }
        groups
    }

    /// Returns the group of one candidate among those that are kept; the candidate itself is taken
    /// for kept.
    pub(super) fn group(&self, start: usize, is_kept: &[bool]) -> Vec<usize> {
        let mut found = BTreeSet::from([start]);
        let mut open = vec![start];
        while let Some(at) = open.pop() {
            for next in self.needs[at].iter().chain(&self.needed_by[at]) {
                if is_kept[*next] && found.insert(*next) {
                    open.push(*next);
                }
            }
        }
        found.into_iter().collect()
    }

    /// Returns the candidates that wait for each other, each with one of its circle that it waits
    /// for. fleet would start none of them first; those that have a machine are held to be started.
    pub(super) fn circles(&self, world: &World<'_>) -> Vec<(usize, usize)> {
        let mut waits: Vec<usize> = self.needs.iter().map(Vec::len).collect();
        let is_started = |at: &usize| world.current[*at].is_some() || self.needs[*at].is_empty();
        let mut open: Vec<usize> = self.bound.iter().copied().filter(is_started).collect();
        let mut started = vec![false; self.needs.len()];
        for at in &open {
            started[*at] = true;
        }
        while let Some(at) = open.pop() {
            for next in &self.needed_by[at] {
                waits[*next] -= 1;
                if waits[*next] == 0 && !started[*next] {
                    started[*next] = true;
                    open.push(*next);
                }
            }
        }
        let waiting = self.bound.iter().copied().filter(|at| !started[*at]);
        let in_circle = waiting.filter_map(|at| {
            let mut needs = self.needs[at].iter();
            let peer = needs.find(|need| self.requirements(**need).contains(&at))?;
            Some((at, *peer))
        });
        in_circle.collect()
    }

    /// Returns a candidate and all that it can't be without.
    fn requirements(&self, candidate: usize) -> BTreeSet<usize> {
        reach(candidate, |at| &self.needs[at])
    }
}

fn reach<'a>(start: usize, next: impl Fn(usize) -> &'a Vec<usize>) -> BTreeSet<usize> {
    let mut found = BTreeSet::from([start]);
    let mut open = vec![start];
    while let Some(at) = open.pop() {
        open.extend(next(at).iter().copied().filter(|next| found.insert(*next)));
    }
    found
}
