//! Who stays out.
//!
//! In: the rules, the peers and the machines of each candidate. Out: for each candidate the reason
//! why it has no place, or none. First those leave that have no place by themselves, then those that
//! can't be with their group, then those that others leave no place to. Knows nothing of how nodes
//! are placed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::placement::board::{Board, Cost, DIVIDED_MAXIMUM, Node};
use crate::placement::explain::Explanation;
use crate::placement::homes::Homes;
use crate::placement::peers::Peers;
use crate::placement::reason::Reason;
use crate::placement::rules::Rules;
use crate::placement::solve::{Solution, solve};
use crate::placement::world::{Unit, World};

/// How often all is placed anew after members of groups were left out.
const ROUNDS: usize = 8;

/// How many members of groups are tried again at the end.
const RETRIES: usize = 16;

pub(super) struct Choice<'a> {
    world: &'a World<'a>,
    rules: &'a Rules,
    peers: &'a Peers,
    homes: &'a Homes,
    is_kept: Vec<bool>,
    reasons: Vec<Option<Reason>>,
}

impl<'a> Choice<'a> {
    pub(super) fn new(
        world: &'a World<'a>,
        rules: &'a Rules,
        peers: &'a Peers,
        homes: &'a Homes,
    ) -> Self {
        let count = world.candidates.len();
        Self {
            world,
            rules,
            peers,
            homes,
            is_kept: vec![true; count],
            reasons: vec![None; count],
        }
    }

    /// Returns the reason of each candidate that has no place.
    pub(super) fn reasons(mut self) -> Vec<Option<Reason>> {
        self.by_themselves();
        self.in_groups();
        self.among_all();
        self.reasons
    }

    fn by_themselves(&mut self) {
        let mut found: BTreeMap<usize, Reason> = BTreeMap::new();
        for (candidate, reason) in self.homes.reasons.iter().enumerate() {
            if let Some(reason) = reason {
                found.insert(candidate, reason.clone());
            }
        }
        for (candidate, peer) in self.peers.circles(self.world) {
            let peer = self.world.name(Unit::Single(peer)).clone();
            found.entry(candidate).or_insert(Reason::InCircle { peer });
        }
        let places = vec![None; self.is_kept.len()];
        let mut explanation = Explanation::new(self.world, self.rules, self.homes, places);
        for candidate in self.world.singles() {
            if self.homes.free[candidate].is_empty() {
                let reason = || explanation.among_all(&[candidate]);
                found.entry(candidate).or_insert_with(reason);
            }
        }
        for (candidate, reason) in found {
            self.is_kept[candidate] = false;
            self.reasons[candidate] = Some(reason);
        }
        self.leave_out_dependents();
    }

    /// Leaves out all that must be with one that is out.
    fn leave_out_dependents(&mut self) {
        let bound = self.peers.bound.iter().copied();
        let mut open: Vec<usize> = bound.filter(|at| !self.is_kept[*at]).collect();
        while let Some(at) = open.pop() {
            for next in &self.peers.needed_by[at] {
                if std::mem::take(&mut self.is_kept[*next]) {
                    let peer = self.world.name(Unit::Single(at)).clone();
                    self.reasons[*next] = Some(Reason::PeerUnplaceable { peer });
                    open.push(*next);
                }
            }
        }
    }

    fn leave_out(&mut self, candidate: usize, reason: Reason) {
        self.is_kept[candidate] = false;
        self.reasons[candidate] = Some(reason);
        self.leave_out_dependents();
    }

    fn in_groups(&mut self) {
        let mut open = self.peers.groups(&self.is_kept);
        let mut left_out = BTreeSet::new();
        while let Some(group) = open.pop() {
            if self.fits(&group) {
                continue;
            }
            let places = vec![None; self.is_kept.len()];
            let explanation = Explanation::new(self.world, self.rules, self.homes, places);
            let why = |at: usize| explanation.within_group(at, &group, &self.peers.needs[at]);
            let chosen = match self.least_loss(&group, &group) {
                Some(chosen) => vec![(chosen, why(chosen))],
                None => group.iter().map(|member| (*member, why(*member))).collect(),
            };
            for (member, reason) in chosen {
                self.leave_out(member, reason);
            }
            open.extend(self.regrouped(&group, &self.is_kept));
            left_out.extend(group.into_iter().filter(|member| !self.is_kept[*member]));
        }
        // A member may have been left out for one that left as well later.
        let mut is_changed = true;
        while std::mem::take(&mut is_changed) {
            for candidate in &left_out {
                let mut needs = self.peers.needs[*candidate].iter();
                let is_possible = !self.is_kept[*candidate] && needs.all(|n| self.is_kept[*n]);
                if is_possible && self.fits(&self.peers.group(*candidate, &self.is_kept)) {
                    self.is_kept[*candidate] = true;
                    self.reasons[*candidate] = None;
                    is_changed = true;
                }
            }
        }
    }

    /// Tells whether a group could be on one machine, were it not for others.
    fn fits(&self, group: &[usize]) -> bool {
        let node = Node::new(group.to_vec(), self.world, self.homes);
        if node.free.is_empty() {
            return false;
        }
        let mut sides: BTreeMap<usize, [Vec<usize>; 2]> = BTreeMap::new();
        for member in group {
            for (rule, against) in self.rules.against(*member) {
                sides.entry(*rule).or_default()[1 - against].push(*member);
            }
        }
        sides.values().all(|[one, other]| {
            one.is_empty() || other.is_empty() || (one.len() == 1 && one == other)
        })
    }

    /// Returns the groups that members form which are kept.
    fn regrouped(&self, members: &[usize], is_kept: &[bool]) -> Vec<Vec<usize>> {
        let mut seen = BTreeSet::new();
        let mut groups = Vec::new();
        for member in members {
            if is_kept[*member] && !seen.contains(member) {
                let group = self.peers.group(*member, is_kept);
                seen.extend(group.iter().copied());
                groups.push(group);
            }
        }
        groups
    }

    /// Returns which of some members is to leave a group, so that with all that leave with it the
    /// least are lost; `None` for a group that is too great to try.
    fn least_loss(&self, group: &[usize], members: &[usize]) -> Option<usize> {
        if group.len() > DIVIDED_MAXIMUM {
            return None;
        }
        members.iter().copied().min_by_key(|member| {
            let lost = self.peers.dependents(*member);
            let lost: Vec<usize> = lost.into_iter().filter(|at| self.is_kept[*at]).collect();
            let mut is_kept = self.is_kept.clone();
            for at in &lost {
                is_kept[*at] = false;
            }
            let rest = self.regrouped(group, &is_kept);
            let misfits = rest.iter().filter(|group| !self.fits(group)).count();
            let has_machine = lost.iter().any(|at| self.world.current[*at].is_some());
            (lost.len() + misfits, has_machine, Reverse(*member))
        })
    }

    fn among_all(&mut self) {
        let is_kept = self.is_kept.clone();
        let mut best = self.arrange(Cost::Member);
        if !best.divided.is_empty() {
            // What looks like the least loss is not always, as another may have to leave as well.
            let kept_by_best = std::mem::replace(&mut self.is_kept, is_kept);
            let other = self.arrange(Cost::Group);
            if other.lost() < best.lost() {
                best = other;
            } else {
                self.is_kept = kept_by_best;
            }
        }
        self.explain(&best);
    }

    /// Places all that is kept, and leaves out what has no place.
    fn arrange(&mut self, cost: Cost) -> Arrangement {
        let mut divided = BTreeSet::new();
        let (mut board, mut solution) = self.solve(cost);
        for round in 0..=ROUNDS {
            let groups = solution.out.iter().map(|node| &board.nodes[*node].members);
            let groups: Vec<Vec<usize>> = groups.filter(|m| m.len() > 1).cloned().collect();
            if groups.is_empty() {
                break;
            }
            for group in groups {
                let members = group.iter().copied();
                let is_contended = |member: &usize| !self.rules.against(*member).is_empty();
                let contended: Vec<usize> = members.filter(is_contended).collect();
                let chosen = self.least_loss(&group, &contended);
                let chosen = chosen.filter(|_| round < ROUNDS);
                for member in chosen.map_or(group, |member| vec![member]) {
                    let lost = self.peers.dependents(member);
                    divided.extend(lost.into_iter().filter(|at| self.is_kept[*at]));
                    self.is_kept[member] = false;
                    self.leave_out_dependents();
                }
            }
            (board, solution) = self.solve(cost);
        }
        let alone = solution
            .out
            .iter()
            .map(|node| board.nodes[*node].members[0]);
        let alone: Vec<usize> = alone.collect();
        for candidate in &alone {
            self.is_kept[*candidate] = false;
        }
        let mut arrangement = Arrangement {
            alone,
            divided,
            board,
            solution,
        };
        self.try_again(&mut arrangement);
        arrangement
    }

    fn solve(&self, cost: Cost) -> (Board, Solution) {
        let board = Board::new(
            self.world,
            self.rules,
            self.peers,
            self.homes,
            &self.is_kept,
            cost,
        );
        let solution = solve(&board, self.world.machines.len());
        (board, solution)
    }

    /// Takes members of groups in again that were left out for others in vain.
    fn try_again(&mut self, arrangement: &mut Arrangement) {
        let mut in_vain = BTreeSet::new();
        for _ in 0..RETRIES {
            let mut possible = arrangement.divided.difference(&in_vain).copied();
            let is_possible = |candidate: &usize| {
                let mut needs = self.peers.needs[*candidate].iter();
                needs.all(|need| self.is_kept[*need])
            };
            let Some(candidate) = possible.find(is_possible) else {
                return;
            };
            self.is_kept[candidate] = true;
            if self.fits(&self.peers.group(candidate, &self.is_kept)) {
                let (board, solution) = self.solve(Cost::Group);
                if solution.out.is_empty() {
                    arrangement.divided.remove(&candidate);
                    (arrangement.board, arrangement.solution) = (board, solution);
                    continue;
                }
            }
            self.is_kept[candidate] = false;
            in_vain.insert(candidate);
        }
    }

    /// Gives reasons to those whom others leave no place.
    fn explain(&mut self, arrangement: &Arrangement) {
        let Arrangement {
            alone,
            divided,
            board,
            solution,
        } = arrangement;
        let mut places = vec![None; self.is_kept.len()];
        for (node, machine) in &solution.places {
            for member in &board.nodes[*node].members {
                places[*member] = Some(*machine);
            }
        }
        let mut explanation = Explanation::new(self.world, self.rules, self.homes, places);
        // Some were out only for a while.
        for (reason, is_kept) in self.reasons.iter_mut().zip(&self.is_kept) {
            reason.take_if(|_| *is_kept);
        }
        for candidate in alone {
            self.reasons[*candidate] = Some(explanation.among_all(&[*candidate]));
        }
        for member in divided {
            let mut needs = self.peers.needs[*member].iter();
            let reason = match needs.find(|need| !self.is_kept[**need]) {
                Some(need) => Reason::PeerUnplaceable {
                    peer: self.world.name(Unit::Single(*need)).clone(),
                },
                None => explanation.among_all(&self.peers.group(*member, &self.is_kept)),
            };
            self.reasons[*member] = Some(reason);
        }
    }
}

/// Where all are, and who stays out for others.
struct Arrangement {
    /// Those out that are in no group.
    alone: Vec<usize>,
    /// Those out that others of their group are without.
    divided: BTreeSet<usize>,
    board: Board,
    solution: Solution,
}

impl Arrangement {
    fn lost(&self) -> usize {
        self.alone.len() + self.divided.len()
    }
}
