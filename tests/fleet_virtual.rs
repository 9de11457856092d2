//! What a fleet of the test's own does as time passes, second by second as recorded: the engine's rounds
//! fall on even seconds, those of the agents on each fifth, and what machines say comes half a second
//! later.

use std::time::Duration;

use serde_json::{Value, json};

use crate::delivery::put_unit;
use crate::fleet_server::{Fate, Fault, FleetServer, Host, Pace};
use crate::fleet_site::{exchange, put};

/// The hashes of what `service` gives with `old` and `new`, as `told` shows them.
pub(crate) const OLD: &str = "eaa8d59";
pub(crate) const NEW: &str = "6384608";

pub(crate) fn start() -> FleetServer {
    let server = FleetServer::start();
    server.pace(Pace::virtually(0));
    server
}

pub(crate) fn service(command: &str) -> String {
    format!("[Service]\nExecStart=/bin/{command}\n")
}

pub(crate) fn get(server: &FleetServer, path: &str) -> Value {
    let path = format!("/fleet/v1/{path}");
    let reply = exchange(server.endpoint(), "GET", &path, None, "").unwrap();
    serde_json::from_str(&reply.body).unwrap()
}

fn delete(server: &FleetServer, name: &str) {
    let path = format!("/fleet/v1/units/{name}");
    exchange(server.endpoint(), "DELETE", &path, None, "").unwrap();
}

pub(crate) fn tell(server: &FleetServer, name: &str, state: &str) {
    let body = json!({"desiredState": state}).to_string();
    assert_eq!(put(server.endpoint(), name, &body).unwrap().status, 204);
}

/// Shows a unit as `desired current machine | machine:active/sub hash`.
pub(crate) fn shown(server: &FleetServer, name: &str) -> String {
    let unit = get(server, &format!("units/{name}"));
    let states = get(server, &format!("state?unitName={name}"));
    let word = |value: &Value, key: &str, length: usize| {
        let text = value[key].as_str().unwrap_or("-");
        text.chars().take(length).collect::<String>()
    };
    let words = [("desiredState", 8), ("currentState", 8), ("machineID", 8)];
    let words = words.map(|(key, length)| word(&unit, key, length));
    let mut shown = format!("{} |", words.join(" "));
    for state in states["states"].as_array().into_iter().flatten() {
        let load = match state["systemdLoadState"].as_str() {
            Some("loaded") => "",
            load => load.unwrap(),
        };
        shown.push_str(&format!(
            " {}:{load}{}/{} {}",
            word(state, "machineID", 8),
            word(state, "systemdActiveState", 20),
            word(state, "systemdSubState", 20),
            word(state, "hash", 7)
        ));
    }
    shown
}

/// Lets time pass, and returns all that was shown of a unit, with the second at which it was first.
fn timeline(server: &FleetServer, name: &str, seconds: u64) -> Vec<String> {
    let begin = server.world(|world| world.now());
    let mut lines = Vec::new();
    let mut last = String::new();
    loop {
        let now = shown(server, name);
        let time = server.world(|world| world.now()).saturating_sub(begin);
        if now != last {
            lines.push(format!("{} {now}", time.as_secs_f64()));
        }
        last = now;
        if time >= Duration::from_secs(seconds) {
            return lines;
        }
        server.pass(Duration::from_millis(500));
    }
}

#[track_caller]
pub(crate) fn becomes(server: &FleetServer, name: &str, seconds: u64, expected: &[&str]) {
    let lines = timeline(server, name, seconds);
    let replace = |line: &&str| line.replace("OLD", OLD).replace("NEW", NEW);
    assert_eq!(lines, expected.iter().map(replace).collect::<Vec<_>>());
}

pub(crate) fn told(server: &FleetServer, name: &str) -> Vec<String> {
    let told = server.world(|world| world.history.told(name));
    let replace = |line: &String| line.replace(OLD, "OLD").replace(NEW, "NEW");
    told.iter().map(replace).collect()
}

pub(crate) fn seconds(server: &FleetServer, seconds: u64) {
    server.pass(Duration::from_secs(seconds));
}

#[test]
fn a_unit_comes_is_replaced_and_goes() {
    let server = start();
    let name = "tl0.service";
    put_unit(server.endpoint(), name, &service("old"), "launched");
    // Recorded: a machine after 0.8 s, running after 3.8 s.
    let up = "launched launched aaaa0001 | aaaa0001:active/running";
    becomes(
        &server,
        name,
        6,
        &[
            "0 launched inactive - |",
            "2 launched inactive aaaa0001 |",
            "5.5 launched launched aaaa0001 | aaaa0001:active/running OLD",
        ],
    );
    put_unit(server.endpoint(), name, &service("new"), "launched");
    // Recorded: the old state up to 4.8 s, none after 5.8 s, the new one in the round after that.
    becomes(
        &server,
        name,
        10,
        &[
            &format!("0 {up} OLD"),
            "4 launched loaded aaaa0001 | aaaa0001:active/running OLD",
            "4.5 launched inactive aaaa0001 |",
            &format!("9.5 {up} NEW"),
        ],
    );
    tell(&server, name, "inactive");
    becomes(
        &server,
        name,
        8,
        &[
            "0 inactive launched aaaa0001 | aaaa0001:active/running NEW",
            "2 inactive inactive - | aaaa0001:active/running NEW",
            "4.5 inactive inactive - |",
        ],
    );
    tell(&server, name, "launched");
    becomes(
        &server,
        name,
        4,
        &["0 launched inactive - |", "2 launched inactive aaaa0001 |"],
    );
    seconds(&server, 4);
    // Recorded: no state any more after 3.6 s.
    delete(&server, name);
    assert!(get(&server, "state")["states"].is_array());
    seconds(&server, 4);
    assert_eq!(get(&server, "state"), json!({}));
    assert_eq!(
        told(&server, name),
        [
            "5 aaaa0001 active/running OLD",
            "10 aaaa0001 gone",
            "15 aaaa0001 active/running NEW",
            "20 aaaa0001 gone",
            "30 aaaa0001 active/running NEW",
            "35 aaaa0001 gone"
        ]
    );
}

#[test]
fn what_is_deleted_and_put_at_once_restarts_only_with_another_text() {
    let server = start();
    let name = "tl0.service";
    put_unit(server.endpoint(), name, &service("old"), "launched");
    seconds(&server, 6);
    delete(&server, name);
    put_unit(server.endpoint(), name, &service("new"), "launched");
    becomes(
        &server,
        name,
        10,
        &[
            "0 launched inactive - | aaaa0001:active/running OLD",
            "2 launched loaded aaaa0001 | aaaa0001:active/running OLD",
            "4.5 launched inactive aaaa0001 |",
            "9.5 launched launched aaaa0001 | aaaa0001:active/running NEW",
        ],
    );
    delete(&server, name);
    put_unit(server.endpoint(), name, &service("new"), "launched");
    // The agent saw nothing of it; what it launched it says but once in 24 s.
    becomes(
        &server,
        name,
        12,
        &[
            "0 launched inactive - | aaaa0001:active/running NEW",
            "2 launched loaded aaaa0001 | aaaa0001:active/running NEW",
            "8 launched launched aaaa0001 | aaaa0001:active/running NEW",
        ],
    );
}

#[test]
fn a_unit_that_is_only_to_be_loaded_keeps_its_machine() {
    let server = start();
    let name = "a.service";
    put_unit(server.endpoint(), name, &service("old"), "launched");
    server.world(|world| world.fate("a.service", "", Fate::runs().stops_in(7)));
    seconds(&server, 6);
    tell(&server, name, "loaded");
    becomes(
        &server,
        name,
        14,
        &[
            "0 loaded launched aaaa0001 | aaaa0001:active/running OLD",
            "4 loaded loaded aaaa0001 | aaaa0001:active/running OLD",
            "4.5 loaded loaded aaaa0001 | aaaa0001:deactivating/stop-sigterm OLD",
            "11.5 loaded loaded aaaa0001 | aaaa0001:inactive/dead OLD",
        ],
    );
    tell(&server, name, "launched");
    becomes(
        &server,
        name,
        6,
        &[
            "0 launched loaded aaaa0001 | aaaa0001:inactive/dead OLD",
            "5 launched launched aaaa0001 | aaaa0001:inactive/dead OLD",
            "5.5 launched launched aaaa0001 | aaaa0001:active/running OLD",
        ],
    );
}

#[test]
fn fleet_says_nothing_of_what_it_unloads_while_that_still_stops() {
    let server = start();
    let name = "a.service";
    put_unit(server.endpoint(), name, &service("old"), "launched");
    server.world(|world| world.fate("a.service", "old", Fate::runs().stops_in(8)));
    seconds(&server, 6);
    put_unit(server.endpoint(), name, &service("new"), "launched");
    becomes(
        &server,
        name,
        14,
        &[
            "0 launched launched aaaa0001 | aaaa0001:active/running OLD",
            "4 launched loaded aaaa0001 | aaaa0001:active/running OLD",
            "4.5 launched inactive aaaa0001 |",
            // Of the new text, though it is the old one that still stops.
            "9.5 launched launched aaaa0001 | aaaa0001:deactivating/stop-sigterm NEW",
            "12.5 launched launched aaaa0001 | aaaa0001:active/running NEW",
        ],
    );
    assert_eq!(
        told(&server, name),
        [
            "5 aaaa0001 active/running OLD",
            "10 aaaa0001 deactivating/stop-sigterm OLD",
            "18 aaaa0001 active/running NEW"
        ]
    );
}

#[test]
fn chance_is_the_same_each_time_and_differs_by_its_seed() {
    let run = |seed: u64| {
        let server = FleetServer::start();
        server.world(|world| {
            let metadata = [("region", "eu-west")];
            world.hosts = (1..=4).map(|number| Host::new(number, &metadata)).collect();
        });
        server.pace(Pace::virtually(seed));
        for slot in 1..=4 {
            let name = format!("a@{slot}.service");
            put_unit(server.endpoint(), &name, &service("old"), "launched");
        }
        seconds(&server, 20);
        server.world(|world| world.history.changes().to_vec())
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
    assert!(
        run(7)
            .iter()
            .all(|change| change.at < Duration::from_secs(8))
    );
}

#[test]
fn an_answer_takes_time_of_the_same_kind() {
    let server = start();
    put_unit(server.endpoint(), "a.service", &service("old"), "launched");
    server.fault(1, Fault::Slow(Duration::from_secs(100)));
    assert!(get(&server, "state")["states"].is_null());
    assert_eq!(server.world(|world| world.now()), Duration::from_secs(100));
    assert!(get(&server, "state")["states"].is_array());
}
