//! What has to be placed at once, in parts that have nothing to do with each other.
//!
//! In: the candidates that are kept, their groups and the rules. Out: nodes, each of which takes one
//! machine, and the components of nodes that may not all meet. Knows nothing of how they are placed.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::placement::homes::Homes;
use crate::placement::machine_set::MachineSet;
use crate::placement::peers::Peers;
use crate::placement::rules::Rules;
use crate::placement::world::{Unit, World};

/// The greatest group of which single members are left out; of a greater one, all are.
pub(super) const DIVIDED_MAXIMUM: usize = 64;

/// What it is held to cost to leave out a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    /// All of it.
    Group,
    /// The member that others may not meet, with those that leave with it.
    Member,
}

/// A candidate, or a group that must be on one machine.
pub(super) struct Node {
    /// The candidates, sorted.
    pub(super) members: Vec<usize>,
    /// The machines that all of them may be on.
    pub(super) free: MachineSet,
    /// The one of those that the first of them is on.
    pub(super) current: Option<usize>,
    /// How many candidates stay out when this node does.
    pub(super) weight: usize,
}

impl Node {
    pub(super) fn new(members: Vec<usize>, world: &World<'_>, homes: &Homes) -> Self {
        let free = common(&members, &homes.free, world.machines.len());
        let current = members.iter().find_map(|member| {
            let machine = world.current[*member];
            machine.filter(|machine| free.contains(*machine))
        });
        Self {
            weight: members.len(),
            members,
            free,
            current,
        }
    }

    /// The order in which nodes are to be kept rather than left out.
    pub(super) fn keep_order(&self) -> impl Ord + use<> {
        (
            Reverse(self.weight),
            self.current.is_none(),
            self.members[0],
        )
    }
}

/// Returns how many candidates leave with the one member of a group that costs least, of those that
/// others may not meet: the others of the group can stay.
fn least_loss(node: &Node, rules: &Rules, peers: &Peers, is_kept: &[bool]) -> usize {
    let members = node.members.iter().copied();
    let contended = members.filter(|member| !rules.against(*member).is_empty());
    let losses = contended.map(|member| {
        let dependents = peers.dependents(member);
        dependents.into_iter().filter(|at| is_kept[*at]).count()
    });
    losses.min().unwrap_or(node.weight)
}

/// Returns the machines that all members have in their sets.
pub(super) fn common(members: &[usize], sets: &[MachineSet], machines: usize) -> MachineSet {
    let mut common = MachineSet::of(machines, |_| true);
    for member in members {
        common.keep(&sets[*member]);
    }
    common
}

/// Nodes that rules bind together, and the sides of those rules.
#[derive(Default)]
pub(super) struct Component {
    /// The nodes, sorted.
    pub(super) nodes: Vec<usize>,
    /// The nodes of each rule's sides, sorted.
    pub(super) rules: Vec<[Vec<usize>; 2]>,
}

pub(super) struct Board {
    pub(super) nodes: Vec<Node>,
    pub(super) components: Vec<Component>,
}

impl Board {
    pub(super) fn new(
        world: &World<'_>,
        rules: &Rules,
        peers: &Peers,
        homes: &Homes,
        is_kept: &[bool],
        cost: Cost,
    ) -> Self {
        let mut node_of = vec![None; is_kept.len()];
        let mut nodes = Vec::new();
        let mut is_grouped = vec![false; is_kept.len()];
        let mut groups = peers.groups(is_kept);
        for member in groups.iter().flatten() {
            is_grouped[*member] = true;
        }
        // What no rule binds needs no place of its own.
        let alone = world.singles().filter(|candidate| {
            let is_bound = !rules.against(*candidate).is_empty();
            is_kept[*candidate] && !is_grouped[*candidate] && is_bound
        });
        groups.extend(alone.map(|candidate| vec![candidate]));
        groups.sort_unstable();
        for members in groups {
            for member in &members {
                node_of[*member] = Some(nodes.len());
            }
            let mut node = Node::new(members, world, homes);
            if cost == Cost::Member && (2..=DIVIDED_MAXIMUM).contains(&node.members.len()) {
                node.weight = least_loss(&node, rules, peers, is_kept);
            }
            nodes.push(node);
        }
        let sides = |units: &[Unit]| {
            let nodes = units.iter().filter_map(|unit| match unit {
                Unit::Single(position) => node_of[*position],
                Unit::Global(_) | Unit::Occupant(_) => None,
            });
            let mut nodes: Vec<usize> = nodes.collect();
            nodes.sort_unstable();
            nodes.dedup();
            nodes
        };
        let pairs = rules.all.iter().map(|rule| {
            if rule.port.is_some() {
                let side = sides(&rule.sides[0]);
                return [side.clone(), side];
            }
            rule.sides.each_ref().map(|units| sides(units))
        });
        let is_binding = |[one, other]: &[Vec<usize>; 2]| {
            !one.is_empty() && !other.is_empty() && (one.len() > 1 || one != other)
        };
        let pairs: Vec<_> = pairs.filter(is_binding).collect();
        Self {
            components: components(nodes.len(), pairs),
            nodes,
        }
    }
}

pub(super) fn components(nodes: usize, rules: Vec<[Vec<usize>; 2]>) -> Vec<Component> {
    let mut parents: Vec<usize> = (0..nodes).collect();
    for rule in &rules {
        let first = root(&mut parents, rule[0][0]);
        for node in rule.iter().flatten() {
            let other = root(&mut parents, *node);
            parents[other] = first;
        }
    }
    let mut components: BTreeMap<usize, Component> = BTreeMap::new();
    for node in 0..nodes {
        let root = root(&mut parents, node);
        components.entry(root).or_default().nodes.push(node);
    }
    for rule in rules {
        let root = root(&mut parents, rule[0][0]);
        components.entry(root).or_default().rules.push(rule);
    }
    components.into_values().collect()
}

fn root(parents: &mut [usize], mut node: usize) -> usize {
    while parents[node] != node {
        parents[node] = parents[parents[node]];
        node = parents[node];
    }
    node
}
