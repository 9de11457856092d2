//! A place for each node of a part, by trial.
//!
//! In: nodes, the machines that do for each, and who may not meet whom. Out: places, or the proof
//! that there are none, or neither when the budget ends. Knows nothing of rules and units.

use std::collections::HashMap;

use crate::placement::board::Node;
use crate::placement::machine_set::MachineSet;

/// Nodes and who of them may not meet.
pub(super) struct Part<'a> {
    pub(super) nodes: Vec<&'a Node>,
    /// For each node the positions of those that it may not meet.
    pub(super) neighbours: Vec<Vec<usize>>,
    pub(super) machines: usize,
}

pub(super) enum Answer {
    /// A machine for each node, but for those that stay out.
    Found(Vec<Option<usize>>),
    /// No places were found, and all were tried.
    Impossible,
    /// The budget ended.
    Open,
}

impl Part<'_> {
    /// Returns the part that some of the nodes make.
    pub(super) fn of(&self, chosen: &[usize]) -> Self {
        let neighbours = chosen.iter().map(|position| {
            let others = self.neighbours[*position].iter();
            let others = others.filter_map(|other| chosen.binary_search(other).ok());
            others.collect()
        });
        Self {
            nodes: chosen
                .iter()
                .map(|position| self.nodes[*position])
                .collect(),
            neighbours: neighbours.collect(),
            machines: self.machines,
        }
    }

    /// Looks for places where nodes up to this weight stay out, but none of those that must be in.
    pub(super) fn search(&self, allowance: usize, must: &[bool], budget: &mut usize) -> Answer {
        let free = self.nodes.iter().map(|node| node.free.clone());
        let mut search = Search {
            part: self,
            counts: self.nodes.iter().map(|node| node.free.count()).collect(),
            free: free.collect(),
            places: vec![None; self.nodes.len()],
            is_done: vec![false; self.nodes.len()],
            used: vec![0; self.machines],
            kinds: self.kinds(),
            must,
            budget,
        };
        match search.run(allowance) {
            Some(true) => Answer::Found(search.places),
            Some(false) => Answer::Impossible,
            None => Answer::Open,
        }
    }

    /// Returns a number for each machine, the same for those that do for the same nodes: of these,
    /// as long as they are empty, to try one is to try all.
    fn kinds(&self) -> Vec<usize> {
        let mut known = HashMap::new();
        let kinds = (0..self.machines).map(|machine| {
            let column: Vec<bool> = self
                .nodes
                .iter()
                .map(|n| n.free.contains(machine))
                .collect();
            let next = known.len();
            *known.entry(column).or_insert(next)
        });
        kinds.collect()
    }
}

struct Search<'a> {
    part: &'a Part<'a>,
    /// What is left of each node's machines.
    free: Vec<MachineSet>,
    counts: Vec<usize>,
    places: Vec<Option<usize>>,
    is_done: Vec<bool>,
    used: Vec<usize>,
    kinds: Vec<usize>,
    must: &'a [bool],
    budget: &'a mut usize,
}

impl Search<'_> {
    /// Places what is left; `None` when the budget ends.
    fn run(&mut self, allowance: usize) -> Option<bool> {
        let cost = self.part.nodes.len();
        *self.budget = self.budget.checked_sub(cost)?;
        let mut lost = 0;
        let mut next: Option<usize> = None;
        for position in 0..self.part.nodes.len() {
            if self.is_done[position] {
                continue;
            }
            if self.counts[position] == 0 {
                lost += self.part.nodes[position].weight;
                if lost > allowance || self.must[position] {
                    return Some(false);
                }
            } else if next.is_none_or(|next| self.counts[position] < self.counts[next]) {
                next = Some(position);
            }
        }
        let Some(position) = next else {
            return Some(true);
        };
        self.is_done[position] = true;
        for machine in self.machines(position) {
            let changed = self.place(position, machine);
            if self.run(allowance)? {
                return Some(true);
            }
            self.take_back(position, machine, &changed);
        }
        let weight = self.part.nodes[position].weight;
        if weight <= allowance && !self.must[position] && self.run(allowance - weight)? {
            return Some(true);
        }
        self.is_done[position] = false;
        Some(false)
    }

    /// Returns the machines to try: the one that the node is on, then those with the least nodes.
    fn machines(&self, position: usize) -> Vec<usize> {
        let mut machines: Vec<usize> = self.free[position].iter().collect();
        let current = self.part.nodes[position].current;
        machines.sort_by_key(|machine| (Some(*machine) != current, self.used[*machine], *machine));
        let mut tried = Vec::new();
        machines.retain(|machine| {
            let kind = self.kinds[*machine];
            let is_new = self.used[*machine] > 0 || !tried.contains(&kind);
            if self.used[*machine] == 0 {
                tried.push(kind);
            }
            is_new
        });
        machines
    }

    /// Puts a node on a machine; returns the nodes that can't be there any more.
    fn place(&mut self, position: usize, machine: usize) -> Vec<usize> {
        self.places[position] = Some(machine);
        self.used[machine] += 1;
        let neighbours = self.part.neighbours[position].iter().copied();
        let changed = neighbours.filter(|other| {
            let is_changed = !self.is_done[*other] && self.free[*other].contains(machine);
            if is_changed {
                self.free[*other].remove(machine);
                self.counts[*other] -= 1;
            }
            is_changed
        });
        changed.collect()
    }

    fn take_back(&mut self, position: usize, machine: usize, changed: &[usize]) {
        self.places[position] = None;
        self.used[machine] -= 1;
        for other in changed {
            self.free[*other].insert(machine);
            self.counts[*other] += 1;
        }
    }
}
