//! One machine for each node, where no two nodes may share one.
//!
//! In: for each node the machines that do. Out: an assignment of as many nodes as can be; which ones
//! stay out follows the given order. Knows nothing of why nodes may not share.

use crate::placement::board::Node;
use crate::placement::machine_set::MachineSet;

/// Returns a machine for each of the chosen nodes, in their order, or `None` where it stays out.
/// Nodes of more weight go first, then those that have a machine, then the earlier ones.
///
/// What can be assigned at once is a matroid: to add nodes one by one, and never to take one out
/// again, leaves out the least weight.
pub(super) fn assign(nodes: &[Node], chosen: &[usize], machines: usize) -> Vec<Option<usize>> {
    let mut order: Vec<usize> = (0..chosen.len()).collect();
    order.sort_by_key(|position| nodes[chosen[*position]].keep_order());
    let mut matching = Matching {
        nodes,
        chosen,
        owners: vec![None; machines],
        dead: MachineSet::empty(machines),
    };
    let mut is_in = vec![false; chosen.len()];
    let weight = |position: &usize| nodes[chosen[*position]].weight;
    for class in order.chunk_by(|one, other| weight(one) == weight(other)) {
        // What has a machine keeps it, unless another has to have it.
        for position in class {
            if let Some(machine) = nodes[chosen[*position]].current
                && matching.owners[machine].is_none()
            {
                matching.owners[machine] = Some(*position);
                is_in[*position] = true;
            }
        }
        for position in class {
            if !is_in[*position] {
                matching.add(*position);
            }
        }
    }
    let mut places = vec![None; chosen.len()];
    for (machine, owner) in matching.owners.iter().enumerate() {
        if let Some(owner) = owner {
            places[*owner] = Some(machine);
        }
    }
    places
}

struct Matching<'a> {
    nodes: &'a [Node],
    chosen: &'a [usize],
    owners: Vec<Option<usize>>,
    /// Machines from which no free one is reached, now and for ever.
    dead: MachineSet,
}

impl Matching<'_> {
    fn add(&mut self, position: usize) {
        let mut seen = self.dead.clone();
        if !self.augment(position, &mut seen) {
            self.dead = seen;
        }
    }

    fn augment(&mut self, position: usize, seen: &mut MachineSet) -> bool {
        let mut rest = self.nodes[self.chosen[position]].free.clone();
        rest.subtract(seen);
        let mut free = rest
            .iter()
            .filter(|machine| self.owners[*machine].is_none());
        if let Some(machine) = free.next() {
            self.owners[machine] = Some(position);
            return true;
        }
        for machine in rest.iter() {
            if seen.contains(machine) {
                continue;
            }
            seen.insert(machine);
            if let Some(owner) = self.owners[machine]
                && self.augment(owner, seen)
            {
                self.owners[machine] = Some(position);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const MACHINES: usize = 4;

    fn node(at: usize, free: u8, current: usize) -> Node {
        let free = MachineSet::of(MACHINES, |machine| free & (1 << machine) != 0);
        Node {
            members: vec![at],
            current: Some(current).filter(|at| *at < MACHINES && free.contains(*at)),
            free,
            weight: 1,
        }
    }

    /// Returns how many of the nodes can have a machine, by trying everything.
    fn most(nodes: &[Node], taken: &mut Vec<usize>) -> usize {
        let Some((first, rest)) = nodes.split_first() else {
            return 0;
        };
        let mut found = most(rest, taken);
        for machine in first.free.iter() {
            if !taken.contains(&machine) {
                taken.push(machine);
                found = found.max(1 + most(rest, taken));
                taken.pop();
            }
        }
        found
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_000, ..ProptestConfig::default() })]

        #[test]
        fn as_many_as_can_be(given in vec((1..16_u8, 0..12_usize), 0..7)) {
            let nodes = given.iter().enumerate().map(|(at, (free, current))| node(at, *free, *current));
            let nodes: Vec<Node> = nodes.collect();
            let chosen: Vec<usize> = (0..nodes.len()).collect();
            let places = assign(&nodes, &chosen, MACHINES);
            let mut taken: Vec<usize> = places.iter().copied().flatten().collect();
            prop_assert_eq!(taken.len(), most(&nodes, &mut Vec::new()));
            taken.sort_unstable();
            taken.dedup();
            prop_assert_eq!(taken.len(), places.iter().flatten().count());
            for (node, place) in nodes.iter().zip(&places) {
                prop_assert!(place.is_none_or(|machine| node.free.contains(machine)));
            }
        }
    }
}
