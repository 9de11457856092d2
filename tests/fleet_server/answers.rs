//! What fleet answers: paths, methods, statuses and JSON.

use serde_json::{Map, Value, json};

use crate::fleet_server::paging::{Page, Token};
use crate::fleet_server::registry::{Etcd, Kind, Stored, World};
use crate::fleet_server::units;

/// A request.
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) content_types: Vec<String>,
    /// Whether this is the last request of its connection.
    pub(super) closes: bool,
    pub(super) body: Vec<u8>,
}

/// An answer.
pub(super) enum Answer {
    /// A status, and a body of this type, if any.
    Status(u16, Option<(&'static str, String)>),
    /// The handler panicked: the connection is closed.
    HangUp,
}

pub(super) fn status(status: u16) -> Answer {
    Answer::Status(status, None)
}

pub(super) fn error(status: u16, message: &str) -> Answer {
    answer(
        status,
        &json!({"error": {"code": status, "message": message}}),
    )
}

fn answer(status: u16, value: &Value) -> Answer {
    // As Go escapes them; none of the three can stand outside of a string.
    let text = value.to_string();
    let text = text.replace('&', "\\u0026").replace('<', "\\u003c");
    let text = text.replace('>', "\\u003e");
    Answer::Status(status, Some(("application/json", text)))
}

/// Answers a request.
pub(super) fn respond(world: &mut World, asked: &Asked) -> Answer {
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    let path = unescape(path);
    let bases = ["/fleet/v1", "/v1-alpha"];
    let within = bases.iter().find_map(|base| path.strip_prefix(base));
    match within {
        None if path == "/" => return error(405, ""),
        Some("") => return error(405, ""),
        None if path == "/metrics" && world.kind == Kind::Current => {
            let text = "fleet_engine_reconcile_count_total 2\n".to_owned();
            return Answer::Status(200, Some(("text/plain; version=0.0.4", text)));
        }
        _ => {}
    }
    match world.etcd {
        Etcd::Fine => {}
        Etcd::Silent => return error(500, ""),
        Etcd::Lost => return error(503, "fleet server unable to communicate with etcd"),
    }
    let method = asked.method.as_str();
    let mut parts = within.unwrap_or_default().split('/').skip(1);
    match (parts.next(), parts.next(), parts.next()) {
        (Some("units"), None, _) => match method {
            "GET" => list(query, "units", &units_of(world), world),
            _ => error(405, "only GET supported against this resource"),
        },
        (Some("units"), Some(name), None) if !name.is_empty() => match method {
            "GET" => match world.units.get(name) {
                None => error(404, "unit does not exist"),
                Some(stored) if !stored.is_readable() => error(500, ""),
                Some(stored) => answer(200, &unit(world, name, stored)),
            },
            "PUT" => units::put(world, name, asked),
            "DELETE" => match world.units.get(name) {
                None => error(404, "unit does not exist"),
                Some(stored) if !stored.is_readable() => error(500, ""),
                Some(_) => {
                    world.destroy(name);
                    status(204)
                }
            },
            _ => error(
                405,
                "only GET, PUT and DELETE supported against this resource",
            ),
        },
        (Some("state"), None, _) => match method {
            "GET" => list(query, "states", &states_of(world, query), world),
            _ => error(405, "only GET supported against this resource"),
        },
        (Some("state"), Some(name), None) if !name.is_empty() && world.kind == Kind::Current => {
            match method {
                "GET" => {
                    let all = states_of(world, "");
                    let found = all.iter().find(|state| state["name"] == name);
                    found.map_or(Answer::HangUp, |state| answer(200, state))
                }
                _ => error(405, "only GET supported against this resource"),
            }
        }
        (Some("machines"), None, _) => match method {
            "GET" => list(query, "machines", &machines_of(world), world),
            _ => error(405, "only GET and PATCH supported against this resource"),
        },
        _ => error(404, ""),
    }
}

fn list(query: &str, key: &str, all: &[Value], world: &World) -> Answer {
    let tokens = values(query, "nextPageToken");
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let token = match Token::read(&tokens, world.page) {
        Ok(token) => token,
        Err(message) => return error(400, &message),
    };
    let Page::Entries(entries, next) = token.take(all) else {
        return Answer::HangUp;
    };
    let mut page = Map::new();
    if !entries.is_empty() {
        page.insert(key.to_owned(), entries.into());
    }
    if let Some(next) = next {
        page.insert("nextPageToken".to_owned(), next.into());
    }
    answer(200, &page.into())
}

fn units_of(world: &World) -> Vec<Value> {
    let readable = world
        .units
        .iter()
        .filter(|(_, stored)| stored.is_readable());
    readable
        .map(|(name, stored)| unit(world, name, stored))
        .collect()
}

fn unit(world: &World, name: &str, stored: &Stored) -> Value {
    let option = |option: &unitgen::unit::fleet::FleetOption| {
        object(&[
            ("name", &option.name),
            ("section", &option.section),
            ("value", &option.value),
        ])
    };
    let options: Vec<Value> = stored.unit().options.iter().map(option).collect();
    let mut unit = object(&[
        (
            "currentState",
            world.current(name, stored).unwrap_or_default(),
        ),
        ("desiredState", &stored.target),
        ("machineID", stored.machine.as_deref().unwrap_or_default()),
        ("name", name),
    ]);
    if !options.is_empty() {
        unit["options"] = options.into();
    }
    unit
}

fn states_of(world: &World, query: &str) -> Vec<Value> {
    let wanted = |key: &str| values(query, key).into_iter().next().unwrap_or_default();
    let (name, machine) = (wanted("unitName"), wanted("machineID"));
    let mut found = Vec::new();
    for host in &world.hosts {
        for (unit, running) in &host.units {
            let fits = |wanted: &String, text: &String| wanted.is_empty() || wanted == text;
            if fits(&name, unit) && fits(&machine, &host.id) {
                found.push((
                    (unit, &host.id),
                    object(&[
                        ("hash", &running.hash),
                        ("machineID", &host.id),
                        ("name", unit),
                        ("systemdActiveState", &running.active),
                        ("systemdLoadState", &running.load),
                        ("systemdSubState", &running.sub),
                    ]),
                ));
            }
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found.into_iter().map(|(_, state)| state).collect()
}

fn machines_of(world: &World) -> Vec<Value> {
    let machine = |host: &crate::fleet_server::registry::Host| {
        let mut machine = object(&[("id", &host.id), ("primaryIP", &host.ip)]);
        if !host.metadata.is_empty() {
            machine["metadata"] = json!(host.metadata);
        }
        machine
    };
    let hosts = world.hosts.iter().filter(|host| !host.is_gone);
    hosts.map(machine).collect()
}

/// Returns an object without what is empty, as fleet does.
fn object(entries: &[(&str, &str)]) -> Value {
    let entries = entries.iter().filter(|(_, value)| !value.is_empty());
    entries
        .map(|(key, value)| ((*key).to_owned(), Value::from(*value)))
        .collect::<Map<_, _>>()
        .into()
}

fn values(query: &str, key: &str) -> Vec<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(name, _)| *name == key)
        .map(|(_, value)| unescape(value))
        .collect()
}

fn unescape(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        let escaped = tail.get(..2).and_then(code).filter(|_| *first == b'%');
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
