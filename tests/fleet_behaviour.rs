//! What a fleet of the test's own does as recorded: what would poison a live one, or needs a
//! configuration, an old release or a clock of its own.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::fleet_server::{Etcd, Fate, FleetServer, Kind, Pace};
use crate::fleet_site::{Reply, exchange, put};

#[track_caller]
fn is(reply: Option<Reply>, status: u16, body: &str) {
    let reply = reply.expect("an answer");
    assert_eq!((reply.status, reply.body.as_str()), (status, body));
}

fn get(server: &FleetServer, path: &str) -> Option<Reply> {
    exchange(
        server.endpoint(),
        "GET",
        &format!("/fleet/v1/{path}"),
        None,
        "",
    )
}

fn delete(server: &FleetServer, name: &str) -> Option<Reply> {
    let path = format!("/fleet/v1/units/{name}");
    exchange(server.endpoint(), "DELETE", &path, None, "")
}

/// Puts a unit with a state and lines such as `X-Fleet|Global|true`.
fn unit(server: &FleetServer, name: &str, state: &str, lines: &[&str]) -> Option<Reply> {
    let start = ["Service|ExecStart|/bin/sleep 1000"];
    let lines = start.iter().chain(lines).map(|line| {
        let mut parts = line.splitn(3, '|');
        let mut next = || parts.next().unwrap();
        serde_json::json!({"section": next(), "name": next(), "value": next()})
    });
    let options: Value = lines.collect();
    let body = serde_json::json!({"desiredState": state, "options": options});
    put(server.endpoint(), name, &body.to_string())
}

/// Shows a unit as `desired current machine | machine:active/sub`.
fn shown(server: &FleetServer, name: &str) -> String {
    let parse =
        |reply: Option<Reply>| -> Value { serde_json::from_str(&reply.unwrap().body).unwrap() };
    let unit = parse(get(server, &format!("units/{name}")));
    let states = parse(get(server, &format!("state?unitName={name}")));
    let text = |value: &Value| {
        value
            .as_str()
            .unwrap_or("-")
            .chars()
            .take(8)
            .collect::<String>()
    };
    let mut shown = format!(
        "{} {} {} |",
        text(&unit["desiredState"]),
        text(&unit["currentState"]),
        text(&unit["machineID"])
    );
    for state in states["states"].as_array().into_iter().flatten() {
        let sub = state["systemdSubState"].as_str().unwrap();
        let active = state["systemdActiveState"].as_str().unwrap();
        shown.push_str(&format!(" {}:{active}/{sub}", text(&state["machineID"])));
    }
    shown
}

#[test]
fn a_word_that_is_no_state_poisons_a_unit() {
    let server = FleetServer::start();
    is(unit(&server, "v14.service", "inactive", &[]), 201, "");
    is(
        put(
            server.endpoint(),
            "v14.service",
            r#"{"desiredState":"bogus"}"#,
        ),
        204,
        "",
    );
    let empty = r#"{"error":{"code":500,"message":""}}"#;
    is(get(&server, "units/v14.service"), 500, empty);
    is(get(&server, "units"), 200, "{}");
    is(
        put(
            server.endpoint(),
            "v14.service",
            r#"{"desiredState":"inactive"}"#,
        ),
        500,
        empty,
    );
    is(delete(&server, "v14.service"), 500, empty);
    // Only etcd itself repairs it.
    server.world(|world| world.destroy("v14.service"));
    is(unit(&server, "v14.service", "inactive", &[]), 201, "");
}

#[test]
fn a_launched_template_wedges_its_machine() {
    let server = FleetServer::start();
    is(unit(&server, "tl@.service", "launched", &[]), 201, "");
    assert_eq!(
        shown(&server, "tl@.service"),
        "launched inactive aaaa0001 |"
    );
    for (name, expected) in [
        (
            "victim2.service",
            "launched launched aaaa0002 | aaaa0002:active/running",
        ),
        (
            "victim3.service",
            "launched launched aaaa0003 | aaaa0003:active/running",
        ),
        ("victim1.service", "launched inactive aaaa0001 |"),
    ] {
        is(unit(&server, name, "launched", &[]), 201, "");
        assert_eq!(shown(&server, name), expected);
    }
    is(delete(&server, "tl@.service"), 204, "");
    assert_eq!(
        shown(&server, "victim1.service"),
        "launched inactive aaaa0001 |"
    );
}

#[test]
fn an_option_that_is_null_is_no_answer() {
    let server = FleetServer::start();
    assert_eq!(
        put(server.endpoint(), "v19.service", r#"{"options":[null]}"#),
        None
    );
}

#[test]
fn pages_are_offsets() {
    let server = FleetServer::start();
    server.world(|world| world.page = 3);
    for number in 1..=3 {
        server.world(|world| world.add(&format!("p{number}.service"), "/bin/sleep 1", "inactive"));
    }
    let entry = |number: u32| {
        format!(
            r#"{{"currentState":"inactive","desiredState":"inactive","name":"p{number}.service","options":[{{"name":"ExecStart","section":"Service","value":"/bin/sleep 1"}}]}}"#
        )
    };
    let first = format!(
        r#"{{"nextPageToken":"AwACAA==","units":[{},{},{}]}}"#,
        entry(1),
        entry(2),
        entry(3)
    );
    is(get(&server, "units"), 200, &first);
    is(get(&server, "units?nextPageToken=AwACAA=="), 200, "{}");
    server.world(|world| world.add("p4.service", "/bin/sleep 1", "inactive"));
    let second = format!(r#"{{"units":[{}]}}"#, entry(4));
    is(get(&server, "units?nextPageToken=AwACAA=="), 200, &second);
    let limit = r#"{"error":{"code":400,"message":"token limit must be 3"}}"#;
    is(get(&server, "units?nextPageToken=ZAACAA=="), 400, limit);
    let machines = get(&server, "machines").unwrap().body;
    assert_eq!(
        machines,
        r#"{"machines":[{"id":"aaaa0001000000000000000000000001","metadata":{"region":"eu-west","role":"http"},"primaryIP":"127.0.0.11"},{"id":"aaaa0002000000000000000000000002","metadata":{"region":"eu-west","role":"worker"},"primaryIP":"127.0.0.12"},{"id":"aaaa0003000000000000000000000003","metadata":{"region":"us-east","role":"http"},"primaryIP":"127.0.0.13"}],"nextPageToken":"AwACAA=="}"#
    );
}

#[test]
fn sixteen_bits_overflow() {
    let server = FleetServer::start();
    for number in 0..70 {
        server.world(|world| world.add(&format!("p{number:02}.service"), "/bin/true", "inactive"));
    }
    let count = |token: &str| {
        let page = get(&server, &format!("units?nextPageToken={token}")).unwrap();
        let page: Value = serde_json::from_str(&page.body).unwrap();
        (
            page["units"].as_array().map_or(0, Vec::len),
            page["nextPageToken"].is_null(),
        )
    };
    assert_eq!(count("ZAABAA=="), (70, true));
    assert_eq!(count("ZAACAA=="), (0, true));
    assert_eq!(count("ZACQAg=="), (0, true));
    // Page 657 begins at the 65th entry again.
    assert_eq!(count("ZACRAg=="), (6, true));
}

#[test]
fn the_old_one_keeps_what_it_has() {
    let server = FleetServer::start_kind(Kind::Old);
    is(unit(&server, "a@1.service", "launched", &[]), 201, "");
    let other = r#"{"desiredState":"launched","options":[{"section":"Service","name":"ExecStart","value":"/bin/sleep 2000"}]}"#;
    is(put(server.endpoint(), "a@1.service", other), 204, "");
    let reply = get(&server, "units/a@1.service").unwrap();
    assert!(reply.body.contains("/bin/sleep 1000"), "{}", reply.body);
    assert!(
        reply.headers.contains("\r\nServer: fleetd/0.11.8\r\n"),
        "{}",
        reply.headers
    );
    let must =
        r#"{"error":{"code":409,"message":"must provide DesiredState to update existing unit"}}"#;
    let without = other.replace(r#""desiredState":"launched","#, "");
    is(put(server.endpoint(), "a@1.service", &without), 409, must);
    let none = r#"{"error":{"code":404,"message":""}}"#;
    is(get(&server, "state/a@1.service"), 404, none);
    is(delete(&server, "a@1.service"), 204, "");
    is(put(server.endpoint(), "a@1.service", other), 201, "");
    let refused = r#"{"error":{"code":400,"message":"Global cannot be used with Conflicts"}}"#;
    let global = ["X-Fleet|Global|true", "X-Fleet|Conflicts|a*"];
    is(
        unit(&server, "g1.service", "inactive", &global),
        400,
        refused,
    );
    is(
        unit(
            &server,
            "g2.service",
            "inactive",
            &["X-Fleet|Conflicts|a.service b.service"],
        ),
        201,
        "",
    );
    is(unit(&server, "m@.mount", "inactive", &[]), 201, "");
    is(unit(&server, "tl@.service", "inactive", &[]), 201, "");
    let both = ["X-Fleet|Replaces|x", "X-Fleet|Conflicts|x"];
    is(unit(&server, "r2.service", "inactive", &both), 201, "");
}

#[test]
fn etcd_is_away() {
    let server = FleetServer::start();
    server.world(|world| world.etcd = Etcd::Silent);
    is(
        get(&server, "units"),
        500,
        r#"{"error":{"code":500,"message":""}}"#,
    );
    is(
        unit(&server, "x.service", "inactive", &[]),
        500,
        r#"{"error":{"code":500,"message":""}}"#,
    );
    server.world(|world| world.etcd = Etcd::Lost);
    let lost = r#"{"error":{"code":503,"message":"fleet server unable to communicate with etcd"}}"#;
    is(get(&server, "units"), 503, lost);
    server.world(|world| world.etcd = Etcd::Fine);
    is(get(&server, "units"), 200, "{}");
}

#[test]
fn units_are_placed() {
    let server = FleetServer::start();
    let launch = |name: &str, lines: &[&str]| {
        is(unit(&server, name, "launched", lines), 201, "");
        shown(&server, name)
    };
    let on = |machine: u32| {
        format!("launched launched aaaa000{machine} | aaaa000{machine}:active/running")
    };
    let conflict = ["X-Fleet|Conflicts|%p@*.service"];
    for machine in 1..=3 {
        assert_eq!(
            launch(&format!("ca@{machine}.service"), &conflict),
            on(machine)
        );
    }
    assert_eq!(launch("ca@4.service", &conflict), "launched inactive - |");
    let metadata =
        |name: &str, value: &str| launch(name, &[&format!("X-Fleet|MachineMetadata|{value}")]);
    assert_eq!(metadata("m-ok.service", "region=us-east"), on(3));
    assert_eq!(
        metadata("m-quoted.service", "\"region=eu-west\" \"role=worker\""),
        on(2)
    );
    // fleet drops what it can't read, and the unit runs anywhere.
    assert_eq!(
        metadata("m-unq.service", "region=us-east role=worker"),
        on(1)
    );
    assert_eq!(
        metadata("m-none.service", "region=mars"),
        "launched inactive - |"
    );
    assert_eq!(
        metadata("m-sp.service", "region = us-east"),
        "launched inactive - |"
    );
    assert_eq!(metadata("k@us-east.service", "region=%i"), on(3));
    assert_eq!(
        launch("m-short.service", &["X-Fleet|MachineID|aaaa0003"]),
        on(3)
    );
    let peer = ["X-Fleet|MachineOf|m-short.service"];
    assert_eq!(launch("peer.service", &peer), on(3));
    let nobody = ["X-Fleet|MachineOf|nosuch.service"];
    assert_eq!(launch("orphan.service", &nobody), "launched inactive - |");
    assert_eq!(
        launch(
            "g2.service",
            &["X-Fleet|Global|yes", "X-Fleet|MachineMetadata|role=http"]
        ),
        "launched - - | aaaa0001:active/running aaaa0003:active/running"
    );
    server.world(|world| world.fate("fail.service", "", Fate::fails()));
    let failed = launch("fail.service", &[]);
    assert!(failed.ends_with(":failed/failed") && failed.starts_with("launched launched"));
}

#[test]
fn a_replaced_unit_is_stopped_in_one_round_and_started_in_the_next() {
    let server = FleetServer::start();
    server.pace(Pace::ByHand);
    let name = "tl0.service";
    let engine = || server.world(crate::fleet_server::World::engine);
    let agents = || server.world(crate::fleet_server::World::agents);
    let states = || server.world(crate::fleet_server::World::show_states);
    let now = || shown(&server, name);
    let up = "launched launched aaaa0001 | aaaa0001:active/running";
    is(unit(&server, name, "launched", &[]), 201, "");
    assert_eq!(now(), "launched inactive - |");
    engine();
    assert_eq!(now(), "launched inactive aaaa0001 |");
    agents();
    assert_eq!(now(), up);
    is(
        unit(&server, name, "launched", &["Service|User|root"]),
        201,
        "",
    );
    assert_eq!(now(), up);
    agents();
    assert_eq!(now(), "launched loaded aaaa0001 | aaaa0001:active/running");
    states();
    assert_eq!(now(), "launched inactive aaaa0001 |");
    agents();
    assert_eq!(now(), up);
    // Deleted and put at once: the old state is shown for a while.
    is(delete(&server, name), 204, "");
    is(unit(&server, name, "launched", &[]), 201, "");
    assert_eq!(now(), "launched inactive - | aaaa0001:active/running");
    engine();
    assert_eq!(now(), "launched loaded aaaa0001 | aaaa0001:active/running");
    agents();
    states();
    assert_eq!(now(), "launched inactive aaaa0001 |");
    agents();
    assert_eq!(now(), up);
    is(
        put(server.endpoint(), name, r#"{"desiredState":"inactive"}"#),
        204,
        "",
    );
    assert_eq!(
        now(),
        "inactive launched aaaa0001 | aaaa0001:active/running"
    );
    engine();
    agents();
    states();
    assert_eq!(now(), "inactive inactive - |");
}

#[test]
fn the_pace_can_be_set() {
    let server = FleetServer::start();
    server.pace(Pace::Every {
        engine: Duration::from_millis(20),
        agents: Duration::from_millis(50),
    });
    is(unit(&server, "a.service", "launched", &[]), 201, "");
    let up = "launched launched aaaa0001 | aaaa0001:active/running";
    let patience = Instant::now() + Duration::from_secs(20);
    while shown(&server, "a.service") != up {
        assert!(Instant::now() < patience, "{}", shown(&server, "a.service"));
        sleep(Duration::from_millis(5));
    }
}
