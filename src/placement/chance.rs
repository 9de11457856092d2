//! Worlds by chance, and what is said of them.
//!
//! In: nothing. Out: whether it is true. Knows nothing of how the answer is found.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::placement::brute::World;
use crate::placement::tests::{candidate, machines, occupant};
use crate::placement::unplaceable;

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
