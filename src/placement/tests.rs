//! What is said of clusters made by hand, word for word, and how long it takes for great ones.
//!
//! In: units and machines in few words. Out: whether exactly what is expected is said. Knows nothing
//! of how it is found out.

use std::collections::BTreeMap;

use crate::manifest::port::Protocol;
use crate::placement::{Candidate, HostPort, Occupant, unplaceable};
use crate::state::{Machine, MachineId, RegistryName};
use crate::unit::fleet::constraints::Constraints;

pub(super) type Machines = BTreeMap<MachineId, Machine>;

fn id(number: usize) -> MachineId {
    MachineId::seen(format!("aaaa{number:04}{number:024}"))
}

pub(super) fn machines(metadata: &[&str]) -> Machines {
    let machines = metadata.iter().zip(1..).map(|(metadata, number)| {
        let pairs = metadata.split_whitespace();
        let pairs = pairs.filter_map(|pair| pair.split_once('='));
        let machine = Machine {
            id: id(number),
            primary_ip: String::new(),
            metadata: pairs
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        };
        (id(number), machine)
    });
    machines.collect()
}

fn port(number: u16) -> HostPort {
    let protocol = Protocol::Tcp;
    HostPort { number, protocol }
}

/// Makes a candidate of a line such as `web@1 conflicts:web@* port:80 on:1`.
pub(super) fn candidate(line: &str) -> Candidate {
    let full = |name: &str| format!("{name}.service");
    let mut words = line.split_whitespace();
    let mut candidate = Candidate {
        unit: RegistryName::seen(full(words.next().unwrap())),
        constraints: Constraints::default(),
        ports: Vec::new(),
        machine: None,
    };
    let constraints = &mut candidate.constraints;
    for word in words {
        let (key, value) = word.split_once(':').unwrap_or((word, ""));
        match key {
            "conflicts" => constraints.conflicts.push(full(value)),
            "global" => constraints.global = true,
            "has" => {
                let (key, value) = value.split_once('=').unwrap();
                let values = constraints.metadata.entry(key.to_owned()).or_default();
                values.insert(value.to_owned());
            }
            "id" => constraints.machine_id = Some(value.to_owned()),
            "on" => candidate.machine = Some(id(value.parse().unwrap())),
            "port" => candidate.ports.push(port(value.parse().unwrap())),
            "with" => constraints.peers.push(full(value)),
            _ => panic!("{word}"),
        }
    }
    candidate
}

pub(super) fn occupant(line: &str) -> Occupant {
    let candidate = candidate(line);
    Occupant {
        unit: candidate.unit,
        constraints: candidate.constraints,
        machine: candidate.machine.unwrap(),
    }
}

fn told(candidates: &[Candidate], occupants: &[Occupant], machines: &Machines) -> Vec<String> {
    let unplaceable = unplaceable(candidates, occupants, machines);
    let lines = unplaceable.iter().map(|one| {
        let unit = one.unit.as_str().trim_end_matches(".service");
        format!("{unit}: {}", one.reason)
    });
    lines.collect()
}

/// Asserts what is said of candidates beside occupants, which are the lines with `stays`.
#[track_caller]
fn case(metadata: &[&str], lines: &[&str], expected: &[&str]) {
    let stays = |line: &&str| line.starts_with("stays ");
    let (occupants, candidates): (Vec<&str>, Vec<&str>) = lines.iter().copied().partition(stays);
    let occupants: Vec<_> = occupants.iter().map(|line| occupant(&line[6..])).collect();
    let mut candidates: Vec<_> = candidates.iter().map(|line| candidate(line)).collect();
    let machines = machines(metadata);
    assert_eq!(told(&candidates, &occupants, &machines), expected);
    candidates.reverse();
    assert_eq!(told(&candidates, &occupants, &machines), expected);
}

#[test]
fn what_has_a_place() {
    case(&[], &[], &[]);
    case(&[""], &["a", "b", "c@1 conflicts:c@*"], &[]);
    case(&["", ""], &["c@1 conflicts:c@*", "c@2 conflicts:c@*"], &[]);
    case(&["role=a", "role=b"], &["a has:role=c has:role=b"], &[]);
    case(
        &["", ""],
        &["a id:aaaa0002", "b with:a", "c conflicts:a"],
        &[],
    );
    case(&[""], &["a conflicts:a[", "a["], &[]);
    // A running unit is there before a global one.
    case(&[""], &["g global conflicts:a", "a on:1"], &[]);
}

#[test]
fn machines_that_do_not_fit() {
    case(&[], &["a"], &["a: the cluster has no machines"]);
    case(&[], &["a global"], &["a: the cluster has no machines"]);
    case(
        &["role=http", ""],
        &["a has:role=worker", "g global has:role=a has:role=b"],
        &[
            "a: no machine has the metadata `role=worker`",
            "g: no machine has the metadata `role=a` or `role=b`",
        ],
    );
    case(
        &["role=a", "zone=b"],
        &["a has:role=a has:zone=b", "b has:role=a has:zone=c"],
        &[
            "a: no machine has the metadata `role=a` and `zone=b`",
            "b: no machine has the metadata `zone=c`",
        ],
    );
    case(
        &["role=a", ""],
        &["a id:aaaa0003", "b id:aaaa0002 has:role=a", "c id:aaaa00"],
        &[
            "a: no machine has the id `aaaa0003`",
            "b: the machine aaaa0002 does not have the metadata `role=a`",
            "c: no machine has the id `aaaa00`",
        ],
    );
}

#[test]
fn machines_that_others_have() {
    case(
        &["", "", ""],
        &[
            "web@10 conflicts:web@*",
            "web@2 conflicts:web@*",
            "web@9 conflicts:web@*",
            "web@1 conflicts:web@*",
        ],
        &[
            "web@10: all 3 eligible machines are taken by units that it conflicts with: \
             `web@1.service` on aaaa0001, `web@2.service` on aaaa0002, `web@9.service` on aaaa0003",
        ],
    );
    case(
        &["", "", "", "", ""],
        &[
            "w@1 conflicts:w@* on:2",
            "w@2 conflicts:w@*",
            "w@3 conflicts:w@* on:3",
            "w@4 conflicts:w@* on:4",
            "w@5 conflicts:w@* on:5",
            "w@6 conflicts:w@* on:1",
        ],
        &[
            "w@2: all 5 eligible machines are taken by units that it conflicts with: \
             `w@6.service` on aaaa0001, `w@1.service` on aaaa0002, `w@3.service` on aaaa0003 \
             and 2 more",
        ],
    );
    case(
        &["", "role=a"],
        &["stays x on:2", "a conflicts:x has:role=a", "b conflicts:x"],
        &[
            "a: the only eligible machine is taken by a unit that it conflicts with: `x.service` on aaaa0002",
        ],
    );
    case(
        &["", ""],
        &["a port:80", "b port:80 on:2", "c port:80"],
        &[
            "c: port 80/tcp is taken on both eligible machines: by `a.service` on aaaa0001, `b.service` on aaaa0002",
        ],
    );
    case(
        &["role=a", "role=b"],
        &["a port:80 has:role=a", "b port:80 has:role=a"],
        &["b: port 80/tcp is taken on the only eligible machine: by `a.service` on aaaa0001"],
    );
    case(
        &["", ""],
        &[
            "stays a on:1 conflicts:c",
            "b port:80 id:aaaa0002",
            "c port:80",
        ],
        &[
            "c: both eligible machines are taken by units that it conflicts with: \
             `a.service` on aaaa0001, `b.service` on aaaa0002",
        ],
    );
}

#[test]
fn global_units_come_first() {
    case(
        &["role=a", "role=a"],
        &["g global has:role=a conflicts:x", "x"],
        &[
            "x: both eligible machines are taken by units that it conflicts with: `g.service` on aaaa0001, `g.service` on aaaa0002",
        ],
    );
    case(
        &["role=a", ""],
        &["g global has:role=a conflicts:x", "x"],
        &[],
    );
    case(
        &["", ""],
        &["g global port:80", "x port:80 on:1"],
        &[
            "x: port 80/tcp is taken on both eligible machines: by `g.service` on aaaa0001, `g.service` on aaaa0002",
        ],
    );
}

#[test]
fn units_that_must_be_together() {
    case(
        &["", ""],
        &["a with:x", "b with:a"],
        &[
            "a: waits for `x.service`, which is not there",
            "b: must be with `a.service`, which can't be placed either",
        ],
    );
    case(
        &["", ""],
        &[
            "stays x on:1",
            "stays y on:2",
            "a with:x with:y",
            "b with:x conflicts:x",
        ],
        &[
            "a: waits for `x.service` and `y.service`, which are on different machines",
            "b: must be with `x.service`, which it may not meet",
        ],
    );
    case(
        &["", ""],
        &[
            "stays x on:1",
            "a with:x id:aaaa0002",
            "b with:x",
            "c with:b id:aaaa0002",
        ],
        &[
            "a: must be with `x.service`, which is on aaaa0001, where it can't be",
            "c: must be with `b.service`, which can't be on the same machine",
        ],
    );
    case(
        &["", ""],
        &["stays x on:9", "a with:x"],
        &["a: must be with `x.service`, which is on aaaa0009, where it can't be"],
    );
    case(
        &["", ""],
        &["a", "b with:a conflicts:a", "c port:80", "d with:c port:80"],
        &[
            "b: must be with `a.service`, which it may not meet",
            "d: must be with `c.service`, which takes port 80/tcp as well",
        ],
    );
    case(
        &["", "", ""],
        &["a with:b", "b with:c", "c with:a", "d with:c"],
        &[
            "a: waits for `b.service`, which waits for it in turn",
            "b: waits for `c.service`, which waits for it in turn",
            "c: waits for `a.service`, which waits for it in turn",
            "d: must be with `c.service`, which can't be placed either",
        ],
    );
    case(
        &["a=1 b=1", "b=1 c=1", "a=1 c=1"],
        &["x has:a=1", "y has:b=1 with:x", "z has:c=1 with:x with:y"],
        &["z: must be with `x.service` and `y.service`, and no machine does for all of them"],
    );
    case(
        &[""],
        &[
            "a on:1",
            "b with:a conflicts:c",
            "c on:1",
            "d with:b",
            "e with:a",
            "f with:c",
            "g with:c",
        ],
        &[
            "b: the only eligible machine is taken by a unit that it conflicts with: \
             `c.service` on aaaa0001",
            "d: must be with `b.service`, which can't be placed either",
        ],
    );
}

#[test]
fn a_group_or_another() {
    // To leave out `b@2` would not do: `c` would still have no machine.
    case(
        &["", ""],
        &[
            "a@1",
            "a@2",
            "a@3 conflicts:a@1 conflicts:a@2",
            "b@2 with:a@1 with:a@2",
            "c conflicts:*",
        ],
        &[
            "c: both eligible machines are taken by units that it conflicts with: \
             `a@1.service` on aaaa0001, `a@3.service` on aaaa0002",
        ],
    );
}

#[test]
fn others_than_cliques() {
    // A ring of five takes three machines.
    let ring = ["a", "b", "c", "d", "e"];
    let lines: Vec<String> = (0..5)
        .map(|at| format!("{} conflicts:{}", ring[at], ring[(at + 1) % 5]))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    case(&["", "", ""], &lines, &[]);
    case(
        &["", ""],
        &lines,
        &[
            "e: both eligible machines are taken by units that it conflicts with: \
             `a.service` on aaaa0001, `d.service` on aaaa0002",
        ],
    );
    // Two apps that keep from each other by patterns on one side only.
    case(
        &["", "", ""],
        &[
            "a@1 conflicts:a@* conflicts:b@*",
            "a@2 conflicts:a@* conflicts:b@*",
            "b@1 conflicts:b@* on:1",
            "b@2 conflicts:b@* on:2",
        ],
        &[
            "a@2: all 3 eligible machines are taken by units that it conflicts with: \
             `b@1.service` on aaaa0001, `b@2.service` on aaaa0002, `a@1.service` on aaaa0003",
        ],
    );
}

/// Returns instances of apps that keep from their own kind and share ports by threes.
fn instances(apps: usize, each: usize) -> Vec<Candidate> {
    let apps = (0..apps).flat_map(|app| (0..each).map(move |slot| (app, slot)));
    let instances =
        apps.map(|(app, slot)| candidate(&format!("x{app}@{slot} conflicts:x{app}@* has:role=a")));
    instances.collect()
}

#[test]
fn ten_thousand_units() {
    let machines = machines(&["role=a"; 100]);
    let count = |candidates: &[Candidate]| unplaceable(candidates, &[], &machines).len();
    assert_eq!(count(&instances(100, 100)), 0);
    assert_eq!(count(&instances(1_000, 10)), 0);
    assert_eq!(count(&instances(1, 10_000)), 9_900);
    let free: Vec<_> = (0..10_000).map(|at| candidate(&format!("y{at}"))).collect();
    assert_eq!(count(&free), 0);
    // Each app keeps from its neighbours as well: one component that is no clique.
    let mut chained = instances(500, 20);
    for (at, one) in chained.iter_mut().enumerate() {
        let next = at / 20 + 1;
        one.constraints.conflicts.push(format!("x{next}@*.service"));
    }
    assert_eq!(count(&chained), 0);
    let mut bound = instances(1, 100);
    bound.extend((0..9_900).map(|at| candidate(&format!("z{at} with:x0@{}", at % 100))));
    assert_eq!(count(&bound), 0);
}
