//! Lists that are long, odd, or change while they are read. On a server of the test's own.

use std::collections::BTreeMap;

use unitgen::state::{MachineId, RegistryName, SeenState, State};

use crate::fleet_server::{Fault, FleetServer};
use crate::fleet_site::fleet;

fn with_units(count: usize) -> FleetServer {
    let server = FleetServer::start();
    server.world(|world| {
        for number in 0..count {
            world.add(&format!("u{number:05}.service"), "/bin/true", "inactive");
        }
    });
    server
}

#[test]
fn a_list_is_read_to_its_end() {
    for (count, pages) in [
        (0, 1),
        (1, 1),
        (99, 1),
        (100, 2),
        (101, 2),
        (200, 3),
        (1_000, 11),
    ] {
        let server = with_units(count);
        assert_eq!(fleet(server.endpoint()).units().unwrap().len(), count);
        assert_eq!(
            (server.requests().len(), server.connections()),
            (pages, 1),
            "{count}"
        );
    }
}

#[test]
fn states_and_machines_have_pages_too() {
    let server = with_units(0);
    server.world(|world| {
        world.page = 2;
        for number in 0..5 {
            world.add(&format!("u{number}.service"), "/bin/true", "launched");
        }
        let global = "[Service]\nExecStart=/bin/true\n\n[X-Fleet]\nGlobal=true\n";
        world.create("g.service", global.to_owned(), "launched");
    });
    let mut fleet = fleet(server.endpoint());
    let observed = fleet.observe().unwrap();
    assert_eq!(observed.machines.len(), 3);
    assert_eq!(
        observed.states.values().map(BTreeMap::len).sum::<usize>(),
        8
    );
    let global = RegistryName::seen("g.service");
    assert_eq!(observed.units[&global].current, None);
    let states = fleet.states_of(&global).unwrap();
    assert_eq!(states, observed.states[&global]);
    assert_eq!(states.len(), 3);
    let first = &states[&MachineId::seen("aaaa0001000000000000000000000001")];
    assert_eq!(first.hash, observed.units[&global].hash);
    assert_eq!(
        (first.load.as_str(), first.active.as_str()),
        ("loaded", "active")
    );
    let requests = server.requests();
    assert_eq!(
        requests[requests.len() - 2..],
        [
            "GET /fleet/v1/state?unitName=g.service",
            "GET /fleet/v1/state?unitName=g.service&nextPageToken=AgACAA%3D%3D"
        ]
    );
}

#[test]
fn a_list_may_change_between_its_pages() {
    let server = with_units(250);
    // One more in front: the last of the first page is seen again.
    server.fault(
        2,
        Fault::Change(Box::new(|world| {
            world.add("a.service", "/bin/true", "loaded");
        })),
    );
    let units = fleet(server.endpoint()).units().unwrap();
    assert_eq!((units.len(), server.requests().len()), (250, 3));
    // All but a few gone: the next page is behind the end.
    server.fault(
        2,
        Fault::Change(Box::new(|world| {
            drop(world.units.split_off("u00005.service"));
        })),
    );
    let units = fleet(server.endpoint()).units().unwrap();
    assert_eq!((units.len(), server.requests().len()), (100, 2));
}

#[test]
fn whatever_fleet_leaves_out_is_taken_as_empty() {
    let server = FleetServer::start();
    let odd = r#"{"kind":"x","units":[{"name":"a.service","options":[{"name":"A"},{"section":"S","name":"B"}],"desiredState":"Launched","currentState":"sleeping"},{"name":"b.service"},{"name":"c.service","options":null,"desiredState":"loaded"}]}"#;
    server.fault(1, Fault::Body(odd.to_owned()));
    server.fault(
        2,
        Fault::Body(r#"{"units":null,"nextPageToken":""}"#.to_owned()),
    );
    let mut fleet = fleet(server.endpoint());
    let units = fleet.units().unwrap();
    let unit = |name: &str| &units[&RegistryName::seen(name)];
    let odd = unit("a.service");
    assert_eq!(odd.unit.canonical(), "[]\nA=\n\n[S]\nB=\n");
    assert_eq!(odd.desired, SeenState::Unknown("Launched".to_owned()));
    assert_eq!(odd.current, Some(SeenState::Unknown("sleeping".to_owned())));
    assert_eq!(unit("b.service").desired, SeenState::Unknown(String::new()));
    assert_eq!(unit("c.service").desired, SeenState::Known(State::Loaded));
    assert!(fleet.units().unwrap().is_empty());
}

#[track_caller]
fn fails(server: &FleetServer, reason: &str) {
    let error = fleet(server.endpoint()).units().unwrap_err();
    let cause = error.source.unwrap().to_string();
    assert!(cause.ends_with(reason), "{cause}");
    assert_eq!(
        (error.message.as_str(), error.status.code()),
        ("can't list the units", 3)
    );
}

#[test]
fn a_list_without_end_is_an_error() {
    let server = FleetServer::start();
    let page = |token: &str| {
        let units = r#""units":[{"name":"a.service"}]"#;
        Fault::Body(format!(r#"{{{units},"nextPageToken":"{token}"}}"#))
    };
    for (at, token) in ["a", "b", "a"].into_iter().enumerate() {
        server.fault(at + 1, page(token));
    }
    fails(
        &server,
        "its list names a page as the next that was read before",
    );
    server.requests();
    for (at, token) in ["a", "b", "c", "d"].into_iter().enumerate() {
        server.fault(at + 1, page(token));
    }
    fails(&server, "its list shows the same entries over and over");
}

#[test]
fn more_than_fleet_can_count_is_an_error() {
    // fleet itself stumbles where a page's end is past sixteen bits: with its usual limit at page 656,
    // with this one at the second.
    let server = with_units(32_769);
    server.world(|world| world.page = 1 << 15);
    fails(&server, "the connection was closed without an answer");
    assert_eq!(server.requests().len(), 3, "with one attempt more");
    let page = |token: usize| {
        let units: Vec<_> = (0..40_000)
            .map(|n| format!(r#"{{"name":"{token}-{n}"}}"#))
            .collect();
        Fault::Body(format!(
            r#"{{"units":[{}],"nextPageToken":"{token}"}}"#,
            units.join(",")
        ))
    };
    server.fault(1, page(1));
    server.fault(2, page(2));
    fails(&server, "its list has more entries than fleet can count");
}

#[test]
fn half_a_list_is_none() {
    let server = with_units(250);
    server.fault(2, Fault::Status(500));
    fails(&server, "fleet answered 500 without a word");
    server.requests();
    server.fault(3, Fault::CutOff(400));
    let error = fleet(server.endpoint()).units().unwrap_err();
    let cause = error.source.unwrap().to_string();
    assert!(cause.contains("the answer was cut off after "), "{cause}");
    server.requests();
    server.fault(2, Fault::Body(r#"{"units":[{"na"#.to_owned()));
    fails(&server, "EOF while parsing a string at line 1 column 14");
}
