//! `unitgen deploy --format json`: an event a line.

use serde_json::Value;

use crate::deploy::app;
use crate::deploy_run::{Scene, same};
use crate::etcd::shared;
use crate::fleet_server::Fate;

/// Returns the exit status and the events of a run, with `T` in the place of seconds and `CLUSTER` in that of
/// the cluster's address, without what was seen on the way, and what stands on stderr.
fn events(scene: &Scene, arguments: &str) -> Vec<String> {
    let told = scene.run(&format!("{arguments} --format json"));
    let lines = told.stdout.lines().map(|line| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        if event["seconds"].is_number() {
            event["seconds"] = "T".into();
        }
        let text = event.to_string();
        text.replace(scene.server.endpoint(), "CLUSTER")
    });
    let mut all = vec![told.status.unwrap().to_string()];
    all.extend(lines);
    all.extend(told.stderr.lines().map(str::to_owned));
    all
}

#[test]
fn all_that_is_to_happen_and_happens_is_an_event() {
    let manifest = app(1, "instances: 1").replace("hub", "events-a");
    let scene = Scene::recorded(shared(), &manifest);
    same(
        &events(&scene, "deploy --dry-run"),
        &[
            "0",
            r#"{"action":"deploy","cluster":"CLUSTER","dry_run":true,"etcd":true,"event":"begin","format_version":1,"processes":[{"app":"events-a","health":null,"least":0,"max_failures":0,"max_growth":1,"min_alive":null,"most":1,"process":"worker","ready_secs":0,"steps":1,"timeout_secs":1500,"wanted":1}]}"#,
            r#"{"action":"create","after":"03fedb7e7190893033f5e518bd488f9453355188","before":null,"conflict":null,"error":null,"event":"step","left":null,"outcome":"planned","place":{"column":3,"file":"services.yaml","line":2},"reason":"new","state":"inactive","unit":"events-a-worker@.service"}"#,
            r#"{"action":"start","app":"events-a","event":"instance","failure":null,"instance":"events-a-worker@1.service","makes_room_for":null,"number":1,"outcome":"planned","process":"worker","reason":"missing","seconds":null,"units":["events-a-worker@1.service"]}"#,
            r#"{"code":0,"done":0,"event":"end","failed":0,"message":null,"not_tried":0,"stop":null,"unfinished":0}"#,
        ],
    );
    same(
        &events(&scene, "deploy"),
        &[
            "0",
            r#"{"action":"deploy","cluster":"CLUSTER","dry_run":false,"etcd":true,"event":"begin","format_version":1,"processes":[{"app":"events-a","health":null,"least":0,"max_failures":0,"max_growth":1,"min_alive":null,"most":1,"process":"worker","ready_secs":0,"steps":1,"timeout_secs":1500,"wanted":1}]}"#,
            r#"{"app":"events-a","event":"release","number":1,"outcome":"begun"}"#,
            r#"{"action":"create","after":"03fedb7e7190893033f5e518bd488f9453355188","before":null,"conflict":null,"error":null,"event":"step","left":null,"outcome":"done","place":{"column":3,"file":"services.yaml","line":2},"reason":"new","state":"inactive","unit":"events-a-worker@.service"}"#,
            r#"{"action":"start","app":"events-a","event":"instance","failure":null,"instance":"events-a-worker@1.service","makes_room_for":null,"number":1,"outcome":"began","process":"worker","reason":"missing","seconds":null,"units":["events-a-worker@1.service"]}"#,
            r#"{"action":"start","app":"events-a","event":"instance","failure":null,"instance":"events-a-worker@1.service","makes_room_for":null,"number":1,"outcome":"done","process":"worker","reason":"missing","seconds":"T","units":["events-a-worker@1.service"]}"#,
            r#"{"app":"events-a","event":"release","number":1,"outcome":"complete"}"#,
            r#"{"code":0,"done":1,"event":"end","failed":0,"message":null,"not_tried":0,"stop":null,"unfinished":0}"#,
        ],
    );
    same(
        &events(&scene, "deploy"),
        &[
            "0",
            r#"{"action":"deploy","cluster":"CLUSTER","dry_run":false,"etcd":true,"event":"begin","format_version":1,"processes":[]}"#,
            r#"{"code":0,"done":0,"event":"end","failed":0,"message":null,"not_tried":0,"stop":null,"unfinished":0}"#,
        ],
    );
    same(
        &events(&scene, "restart events-a"),
        &[
            "0",
            r#"{"action":"restart","cluster":"CLUSTER","dry_run":false,"etcd":true,"event":"begin","format_version":1,"processes":[{"app":"events-a","health":null,"least":0,"max_failures":0,"max_growth":1,"min_alive":null,"most":1,"process":"worker","ready_secs":0,"steps":1,"timeout_secs":1500,"wanted":1}]}"#,
            r#"{"action":"restart","app":"events-a","event":"instance","failure":null,"instance":"events-a-worker@1.service","makes_room_for":null,"number":1,"outcome":"began","process":"worker","reason":"asked","seconds":null,"units":["events-a-worker@1.service"]}"#,
            r#"{"action":"restart","app":"events-a","event":"instance","failure":null,"instance":"events-a-worker@1.service","makes_room_for":null,"number":1,"outcome":"done","process":"worker","reason":"asked","seconds":"T","units":["events-a-worker@1.service"]}"#,
            r#"{"code":0,"done":1,"event":"end","failed":0,"message":null,"not_tried":0,"stop":null,"unfinished":0}"#,
        ],
    );
}

#[test]
fn what_fails_and_what_was_not_tried_are_events() {
    let scene = Scene::new(&app(1, "instances: 3"));
    scene.does("deploy");
    scene.manifest(&app(2, "instances: 2"));
    scene
        .server
        .world(|world| world.fate("hub-*", "sleep 2", Fate::fails()));
    same(
        &events(&scene, "deploy"),
        &[
            "4",
            r#"{"action":"deploy","cluster":"CLUSTER","dry_run":false,"etcd":false,"event":"begin","format_version":1,"processes":[{"app":"hub","health":null,"least":2,"max_failures":0,"max_growth":1,"min_alive":null,"most":3,"process":"worker","ready_secs":0,"steps":4,"timeout_secs":1500,"wanted":2}]}"#,
            r#"{"action":"replace","after":"7e46d0ad5a743a92f558bd225fb165d8c8694888","before":"16e7861c42645c30dd992f1659feef6c75526a40","conflict":null,"error":null,"event":"step","left":null,"outcome":"done","place":{"column":3,"file":"services.yaml","line":2},"reason":"changed","state":"inactive","unit":"hub-worker@.service"}"#,
            r#"{"action":"replace","app":"hub","event":"instance","failure":null,"instance":"hub-worker@1.service","makes_room_for":null,"number":1,"outcome":"began","process":"worker","reason":"stale","seconds":null,"units":["hub-worker@1.service"]}"#,
            r#"{"action":"replace","app":"hub","event":"instance","failure":{"causes":[],"kind":"failed","message":"it failed on aaaa0001: failed/failed","unit":"hub-worker@1.service"},"instance":"hub-worker@1.service","makes_room_for":null,"number":1,"outcome":"failed","process":"worker","reason":"stale","seconds":null,"units":["hub-worker@1.service"]}"#,
            r#"{"code":4,"done":0,"event":"end","failed":1,"message":null,"not_tried":3,"stop":"failures","unfinished":0}"#,
            "stopped: the rest is left as it is",
        ],
    );
}

#[test]
fn what_is_seen_is_an_event() {
    let scene = Scene::new(&app(1, "instances: 1"));
    let output = scene.begin("deploy --format json").output();
    let events = output
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let seen: Vec<Value> = events
        .filter(|event: &Value| event["event"] == "seen")
        .collect();
    let last = seen.last().unwrap();
    let hash = scene
        .server
        .world(|world| world.units["hub-worker@1.service"].hash());
    let wanted = serde_json::json!({
        "event": "seen", "unit": "hub-worker@1.service", "told": "launched", "current": "launched",
        "machine": "aaaa0001000000000000000000000001", "seconds": 0,
        "states": [{
            "machine": "aaaa0001000000000000000000000001", "hash": hash, "load": "loaded",
            "active": "active", "sub": "running",
        }],
    });
    assert_eq!(*last, wanted);
}

#[test]
fn releases_are_listed_for_programs() {
    let manifest = app(1, "instances: 2").replace("hub", "events-b");
    let scene = Scene::recorded(shared(), &manifest);
    scene.does("deploy");
    let output = scene
        .begin("rollback events-b --list --format json")
        .output();
    let mut value: Value = serde_json::from_str(&output).unwrap();
    assert!(value["releases"][0]["time"].take().as_u64().unwrap() > 1_700_000_000);
    let wanted = serde_json::json!({
        "format_version": 1, "app": "events-b", "unreadable": [],
        "releases": [{
            "number": 1, "time": null, "author": "ann", "action": "deploy", "revision": null,
            "set": [], "config": null, "outcome": "complete", "undone": null,
            "processes": [{
                "process": "worker", "units": ["events-b-worker@.service"],
                "instances": ["events-b-worker@1.service", "events-b-worker@2.service"],
            }],
        }],
    });
    assert_eq!(value, wanted);
}
