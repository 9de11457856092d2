//! A place for as many nodes of a component as can be.
//!
//! In: a component. Out: places, and the nodes that have to stay out, which are none as long as
//! nothing is proven. Knows nothing of units.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::placement::board::{Board, Component, Node};
use crate::placement::matching::assign;
use crate::placement::search::{Answer, Part};

/// What one component, and all of them, may cost: nodes that are looked at. The first is some tens
/// of milliseconds; what can be solved at all is solved within a fraction of it.
const BUDGET: usize = 2_000_000;
const BUDGET_OF_ALL: usize = 10_000_000;

/// What it may cost to find a place for one more node where it can't be known who has to stay out.
const BUDGET_OF_ONE: usize = 50_000;

/// The greatest component of which the pairs are listed.
const LISTED_MAXIMUM: usize = 2_048;

/// Where nodes are.
#[derive(Debug, Default)]
pub(super) struct Solution {
    /// The machines of nodes. None of a node that is not out means that nothing is known.
    pub(super) places: BTreeMap<usize, usize>,
    /// The nodes that stay out.
    pub(super) out: Vec<usize>,
}

impl Solution {
    fn take(&mut self, nodes: &[usize], places: &[Option<usize>]) {
        for (node, place) in nodes.iter().zip(places) {
            match place {
                Some(machine) => {
                    self.places.insert(*node, *machine);
                }
                None => self.out.push(*node),
            }
        }
    }
}

/// Solves all components.
pub(super) fn solve(board: &Board, machines: usize) -> Solution {
    let mut solution = Solution::default();
    let mut budget_of_all = BUDGET_OF_ALL;
    for component in &board.components {
        let given = BUDGET.min(budget_of_all);
        let mut solver = Solver {
            nodes: &board.nodes,
            component,
            machines,
            budget: given,
        };
        solver.component(&mut solution);
        budget_of_all -= given - solver.budget;
    }
    solution.out.sort_unstable();
    solution
}

struct Solver<'a> {
    nodes: &'a [Node],
    component: &'a Component,
    machines: usize,
    budget: usize,
}

impl Solver<'_> {
    fn component(&mut self, solution: &mut Solution) {
        let nodes = &self.component.nodes;
        let is_whole = |sides: &[Vec<usize>; 2]| sides.iter().all(|side| side.len() == nodes.len());
        if nodes.len() == 1 || self.component.rules.iter().any(is_whole) {
            solution.take(nodes, &assign(self.nodes, nodes, self.machines));
        } else if nodes.len() > LISTED_MAXIMUM {
            self.cliques_alone(nodes, solution);
        } else {
            let neighbours = self.neighbours(nodes);
            self.graph(nodes, &neighbours, solution);
        }
    }

    /// Lists, for each of the nodes, the positions of those that it may not meet.
    fn neighbours(&self, nodes: &[usize]) -> Vec<Vec<usize>> {
        let positions: BTreeMap<usize, usize> = nodes.iter().copied().zip(0..).collect();
        let mut may_not_meet = vec![vec![false; nodes.len()]; nodes.len()];
        for sides in &self.component.rules {
            let sides = sides.each_ref().map(|side| {
                let known = side.iter().filter_map(|node| positions.get(node).copied());
                known.collect::<Vec<usize>>()
            });
            for one in &sides[0] {
                for other in &sides[1] {
                    may_not_meet[*one][*other] = true;
                    may_not_meet[*other][*one] = true;
                }
            }
        }
        let lists = may_not_meet.iter().enumerate().map(|(position, row)| {
            let others = (0..row.len()).filter(|other| row[*other] && *other != position);
            others.collect()
        });
        lists.collect()
    }

    /// Places nodes that have fewer neighbours than machines last, where they fit in any case; what
    /// is left falls into parts.
    fn graph(&mut self, nodes: &[usize], neighbours: &[Vec<usize>], solution: &mut Solution) {
        let mut is_left = vec![true; nodes.len()];
        let mut degrees: Vec<usize> = neighbours.iter().map(Vec::len).collect();
        let choices: Vec<usize> = nodes.iter().map(|n| self.nodes[*n].free.count()).collect();
        let mut easy: Vec<usize> = Vec::new();
        let mut open: Vec<usize> = (0..nodes.len()).collect();
        while let Some(position) = open.pop() {
            if !is_left[position] || choices[position] <= degrees[position] {
                continue;
            }
            is_left[position] = false;
            easy.push(position);
            for other in &neighbours[position] {
                degrees[*other] -= 1;
                open.push(*other);
            }
        }
        let mut places: Vec<Option<usize>> = vec![None; nodes.len()];
        let mut is_known = true;
        for members in parts(neighbours, &mut is_left) {
            let mut of_part = Solution::default();
            let global: Vec<usize> = members.iter().map(|position| nodes[*position]).collect();
            self.part(&global, &mut of_part);
            for position in members {
                places[position] = of_part.places.get(&nodes[position]).copied();
                is_known &= places[position].is_some() || of_part.out.contains(&nodes[position]);
            }
            solution.places.extend(of_part.places);
            solution.out.extend(of_part.out);
        }
        if !is_known {
            return;
        }
        for position in easy.into_iter().rev() {
            let taken = neighbours[position].iter().filter_map(|n| places[*n]);
            places[position] = place_beside(&self.nodes[nodes[position]], taken);
            if let Some(machine) = places[position] {
                solution.places.insert(nodes[position], machine);
            }
        }
    }

    /// Solves nodes of which each has as many neighbours as machines, or more.
    fn part(&mut self, nodes: &[usize], solution: &mut Solution) {
        let neighbours = self.neighbours(nodes);
        if neighbours.iter().all(|list| list.len() == nodes.len() - 1) {
            solution.take(nodes, &assign(self.nodes, nodes, self.machines));
            return;
        }
        let part = Part {
            nodes: nodes.iter().map(|node| &self.nodes[*node]).collect(),
            neighbours,
            machines: self.machines,
        };
        let lost = self.cliques(nodes).into_iter().map(|clique| clique.lost);
        let proven = lost.max().unwrap_or(0);
        let nobody = vec![false; nodes.len()];
        let mut allowance = proven;
        loop {
            match part.search(allowance, &nobody, &mut self.budget) {
                Answer::Found(places) => {
                    let places = self.prefer(&part, allowance, places);
                    solution.take(nodes, &places);
                    return;
                }
                Answer::Impossible => allowance += 1,
                Answer::Open => break,
            }
        }
        if proven > 0 {
            self.cliques_alone(nodes, solution);
        } else if allowance > 0 {
            solution.take(nodes, &one_by_one(&part));
        }
    }

    /// Exchanges, among places that leave out the least, the nodes that stay out for those that
    /// rather should.
    fn prefer(
        &mut self,
        part: &Part<'_>,
        allowance: usize,
        mut places: Vec<Option<usize>>,
    ) -> Vec<Option<usize>> {
        if places.iter().all(Option::is_some) {
            return places;
        }
        let mut order: Vec<usize> = (0..places.len()).collect();
        order.sort_by_key(|position| part.nodes[*position].keep_order());
        let mut must = vec![false; places.len()];
        for position in order {
            must[position] = true;
            if places[position].is_some() {
                continue;
            }
            match part.search(allowance, &must, &mut self.budget) {
                Answer::Found(better) => places = better,
                Answer::Impossible | Answer::Open => must[position] = false,
            }
        }
        places
    }

    /// Leaves out what cliques prove to have no place, and says nothing of the others.
    fn cliques_alone(&self, nodes: &[usize], solution: &mut Solution) {
        let mut cliques = self.cliques(nodes);
        cliques.sort_by_key(|clique| Reverse(clique.lost));
        let mut out = BTreeSet::new();
        for clique in cliques {
            let rest = clique.nodes.into_iter().filter(|node| !out.contains(node));
            let rest: Vec<usize> = rest.collect();
            let places = assign(self.nodes, &rest, self.machines);
            for (node, place) in rest.into_iter().zip(places) {
                if let Some(machine) = place {
                    solution.places.entry(node).or_insert(machine);
                } else {
                    out.insert(node);
                    solution.places.remove(&node);
                }
            }
        }
        solution.out.extend(out);
    }

    /// Returns the cliques that are too great for their machines: the nodes on both sides of a rule.
    fn cliques(&self, nodes: &[usize]) -> Vec<Clique> {
        let cliques = self.component.rules.iter().filter_map(|[one, other]| {
            let both = one.iter().filter(|node| {
                other.binary_search(node).is_ok() && nodes.binary_search(node).is_ok()
            });
            let both: Vec<usize> = both.copied().collect();
            let places = assign(self.nodes, &both, self.machines);
            let lost = both
                .iter()
                .zip(&places)
                .filter(|(_, place)| place.is_none());
            let lost = lost.map(|(node, _)| self.nodes[*node].weight).sum();
            (lost > 0).then_some(Clique { nodes: both, lost })
        });
        cliques.collect()
    }
}

struct Clique {
    nodes: Vec<usize>,
    lost: usize,
}

/// Returns the connected parts of what is left.
fn parts(neighbours: &[Vec<usize>], is_left: &mut [bool]) -> Vec<Vec<usize>> {
    let mut parts = Vec::new();
    for start in 0..neighbours.len() {
        if !is_left[start] {
            continue;
        }
        is_left[start] = false;
        let mut part = vec![start];
        let mut at = 0;
        while at < part.len() {
            for other in &neighbours[part[at]] {
                if std::mem::take(&mut is_left[*other]) {
                    part.push(*other);
                }
            }
            at += 1;
        }
        part.sort_unstable();
        parts.push(part);
    }
    parts
}

/// Places nodes one by one where it is proven that some stay out, and not how few. Those that find
/// no place are tried again with all others moved, each for a small budget.
fn one_by_one(part: &Part<'_>) -> Vec<Option<usize>> {
    let mut order: Vec<usize> = (0..part.nodes.len()).collect();
    order.sort_by_key(|position| part.nodes[*position].keep_order());
    let mut places = vec![None; part.nodes.len()];
    fill(part, &order, &mut places);
    for position in &order {
        if places[*position].is_some() {
            continue;
        }
        let is_chosen = |at: &usize| places[*at].is_some() || at == position;
        let chosen: Vec<usize> = (0..places.len()).filter(is_chosen).collect();
        let smaller = part.of(&chosen);
        let nobody = vec![false; chosen.len()];
        if let Answer::Found(found) = smaller.search(0, &nobody, &mut { BUDGET_OF_ONE }) {
            for (position, place) in chosen.into_iter().zip(found) {
                places[position] = place;
            }
        }
    }
    // Where the others moved, there may be room now.
    fill(part, &order, &mut places);
    places
}

/// Places the nodes that have no place where nobody is in their way.
fn fill(part: &Part<'_>, order: &[usize], places: &mut [Option<usize>]) {
    for position in order {
        if places[*position].is_none() {
            places[*position] = place_beside(
                part.nodes[*position],
                part.neighbours[*position].iter().filter_map(|n| places[*n]),
            );
        }
    }
}

/// Returns a machine for a node where no neighbour is, the one that it is on if possible.
fn place_beside(node: &Node, taken: impl Iterator<Item = usize>) -> Option<usize> {
    let mut free = node.free.clone();
    for machine in taken {
        free.remove(machine);
    }
    let current = node.current.filter(|machine| free.contains(*machine));
    current.or_else(|| free.iter().next())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::placement::board::components;
    use crate::placement::machine_set::MachineSet;

    const MACHINES: usize = 5;

    fn node(at: usize, free: u8) -> Node {
        let free = MachineSet::of(MACHINES, |machine| free == 0 || free & (1 << machine) != 0);
        let current = free.iter().next().filter(|_| at.is_multiple_of(3));
        Node {
            members: vec![at],
            current,
            free,
            weight: 1,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

        /// Whatever the budget, places are right, and who is out finds none beside them.
        #[test]
        fn places_are_right(
            free in vec(0..32_u8, 1..30),
            pairs in vec((0..30_usize, 0..30_usize), 0..250),
            budget in prop_oneof![Just(0_usize), 0..3_000_usize, Just(100_000)],
        ) {
            let pairs = pairs.into_iter().filter(|(one, other)| one != other);
            let pairs: Vec<_> = pairs.filter(|(one, other)| *one.max(other) < free.len()).collect();
            let rules = pairs.iter().map(|(one, other)| [vec![*one], vec![*other]]);
            let nodes: Vec<Node> = free.iter().enumerate().map(|(at, free)| node(at, *free)).collect();
            for component in components(nodes.len(), rules.collect()) {
                let mut solver = Solver { nodes: &nodes, component: &component, machines: MACHINES, budget };
                let mut solution = Solution::default();
                solver.component(&mut solution);
                let Solution { places, out } = solution;
                for (one, other) in &pairs {
                    let together = places.get(one).is_some_and(|place| places.get(other) == Some(place));
                    prop_assert!(!together, "{one} and {other}");
                }
                for (node, machine) in &places {
                    prop_assert!(nodes[*node].free.contains(*machine) && !out.contains(node));
                }
                for node in &out {
                    let neighbours = pairs.iter().filter_map(|(one, other)| match () {
                        () if one == node => places.get(other),
                        () if other == node => places.get(one),
                        () => None,
                    });
                    let taken: BTreeSet<usize> = neighbours.copied().collect();
                    prop_assert!(nodes[*node].free.iter().all(|machine| taken.contains(&machine)));
                }
                if budget == 100_000 && component.nodes.len() < 12 {
                    prop_assert_eq!(places.len() + out.len(), component.nodes.len());
                }
            }
        }
    }
}
