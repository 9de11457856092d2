//! `PUT /units/NAME`, decision by decision as fleet takes them.

use serde::Deserialize;
use unitgen::state::RegistryName;
use unitgen::unit::canonical;
use unitgen::unit::fleet::constraints::Constraints;
use unitgen::unit::fleet::{FleetUnit, hash};
use unitgen::unit::name::{NameError, check_fleet_name};

use crate::fleet_server::answers::{Answer, Asked, error, status};
use crate::fleet_server::registry::{Kind, World};

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    name: String,
    #[serde(default)]
    options: Option<Vec<Option<Entry>>>,
    #[serde(default, rename = "desiredState")]
    desired: String,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    section: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: String,
}

pub(super) fn put(world: &mut World, name: &str, asked: &Asked) -> Answer {
    match asked.content_types.as_slice() {
        [only] if only.split(';').next().unwrap().trim() == "application/json" => {}
        [_] => return error(415, "only acceptable Content-Type is application/json"),
        several => {
            let count = several.len();
            return error(415, &format!("expected 1 Content-Type, got {count}"));
        }
    }
    let mut bodies = serde_json::Deserializer::from_slice(&asked.body).into_iter::<Body>();
    let body = match bodies.next() {
        Some(Ok(body)) => body,
        None => return error(400, "unable to decode body: EOF"),
        Some(Err(fault)) if fault.is_eof() => {
            return error(400, "unable to decode body: unexpected EOF");
        }
        Some(Err(fault)) => return error(400, &format!("unable to decode body: json: {fault}")),
    };
    if !body.name.is_empty() && body.name != name {
        let given = &body.name;
        return error(
            400,
            &format!("name in URL {name:?} differs from unit name in request body {given:?}"),
        );
    }
    match check_fleet_name(name) {
        // The old one asks nothing of a template's type.
        Err(NameError::TemplateType(_)) if world.kind == Kind::Old => {}
        Err(fault) => return error(400, &fault.to_string()),
        Ok(()) => {}
    }
    let stored = world.units.get(name);
    if stored.is_some_and(|stored| !stored.is_readable()) {
        return error(500, "");
    }
    let options = body.options.unwrap_or_default();
    let read_options = stored.is_none() || world.kind == Kind::Current;
    if read_options && options.iter().any(Option::is_none) {
        return Answer::HangUp;
    }
    let options = options.into_iter().flatten();
    let options: Vec<_> = options
        .map(|option| (option.section, option.name, option.value))
        .collect();
    let raw = canonical(&options);
    let is_new = match stored {
        None if options.is_empty() => {
            return error(409, "unit does not exist and options field empty");
        }
        None => match complaint(&raw, world.kind) {
            Some(complaint) => return error(400, &complaint),
            None => true,
        },
        Some(_) if world.kind == Kind::Old || options.is_empty() => false,
        Some(stored) => hash(&raw) != stored.hash(),
    };
    if is_new {
        let desired = match body.desired.as_str() {
            "" => "inactive",
            known @ ("inactive" | "loaded" | "launched") => known,
            _ => return error(500, ""),
        };
        world.create(name, raw, desired);
        return status(201);
    }
    if body.desired.is_empty() {
        return error(409, "must provide DesiredState to update existing unit");
    }
    if RegistryName::seen(name).is_template() && body.desired != "inactive" {
        return error(400, &format!("cannot activate template {name:?}"));
    }
    if let Some(stored) = world.units.get_mut(name) {
        stored.target = body.desired;
    }
    status(204)
}

/// Returns why the options are refused, in fleet's words.
fn complaint(raw: &str, kind: Kind) -> Option<String> {
    let unit = match FleetUnit::parse(raw) {
        Ok(unit) => unit,
        Err(_) if kind == Kind::Old => return None,
        Err(fault) => return Some(fault.to_string()),
    };
    let mut constraints = Constraints::read(&unit, "");
    if kind == Kind::Old {
        constraints.replaces.clear();
        if constraints.global && !constraints.conflicts.is_empty() {
            return Some("Global cannot be used with Conflicts".to_owned());
        }
    }
    constraints.refusal()
}
