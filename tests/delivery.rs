//! Puts onto a cluster what a manifest gives, by plain requests, so that a test has something to
//! compare with.

use serde_json::{Value, json};
use unitgen::unit::fleet::FleetUnit;

use crate::fleet_site::put;
use crate::test::{Folder, Test};

/// What a unit consists of, as fleet's JSON has it.
pub(crate) fn options(text: &str) -> Value {
    let unit = FleetUnit::parse(text).unwrap();
    let options = unit.options.iter().map(
        |option| json!({"section": &*option.section, "name": option.name, "value": option.value}),
    );
    options.collect()
}

/// Puts one unit.
#[track_caller]
pub(crate) fn put_unit(endpoint: &str, name: &str, text: &str, state: &str) {
    let body = json!({"desiredState": state, "options": options(text)}).to_string();
    let reply = put(endpoint, name, &body).unwrap();
    assert!(matches!(reply.status, 201 | 204), "{name}: {reply:?}");
}

/// Puts all units of the manifest in a folder, and its instances in the state that they should have.
#[track_caller]
pub(crate) fn deliver(endpoint: &str, folder: Folder) -> Folder {
    let render = Test::within(folder).args("render -o - --format json");
    let output = render.output();
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    for unit in value["units"].as_array().unwrap() {
        let (name, text) = (
            unit["name"].as_str().unwrap(),
            unit["text"].as_str().unwrap(),
        );
        let state = unit["state"].as_str().unwrap();
        if name.contains('@') {
            put_unit(endpoint, name, text, "inactive");
        }
        for instance in unit["instances"].as_array().unwrap() {
            put_unit(endpoint, instance.as_str().unwrap(), text, state);
        }
    }
    render.into_folder()
}
