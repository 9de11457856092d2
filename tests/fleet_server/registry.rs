//! What fleet keeps in etcd: units, contents and machines with what runs on them.

use std::collections::BTreeMap;

use unitgen::unit::fleet::constraints::Constraints;
use unitgen::unit::fleet::{FleetUnit, hash};

use crate::fleet_server::engine::Clock;

/// Which fleet this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// fleet 1.0.
    Current,
    /// fleet 0.11.8, which never replaces a content.
    Old,
}

/// How etcd does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Etcd {
    /// Well.
    Fine,
    /// It has not answered for a moment.
    Silent,
    /// It has been away for longer.
    Lost,
}

/// A unit of the registry.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    /// The text, as its content is stored.
    pub(crate) raw: String,
    /// The target-state, whatever its word.
    pub(crate) target: String,
    /// The machine that it was given to.
    pub(crate) machine: Option<String>,
}

impl Stored {
    /// Returns the text as it is read out of the registry.
    pub(crate) fn unit(&self) -> FleetUnit {
        FleetUnit::parse(&self.raw).unwrap_or_default()
    }

    /// Returns the hash of the text as it is read.
    pub(crate) fn hash(&self) -> String {
        self.unit().hash()
    }

    /// Tells whether a machine should have it.
    pub(crate) fn is_wanted(&self) -> bool {
        ["loaded", "launched"].contains(&self.target.as_str())
    }

    /// Tells whether fleet can read the target-state.
    pub(crate) fn is_readable(&self) -> bool {
        ["inactive", "loaded", "launched"].contains(&self.target.as_str())
    }
}

/// What a machine says of a unit.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) hash: String,
    /// Whether the machine says that it launched it.
    pub(crate) launched: bool,
    pub(crate) active: String,
    pub(crate) sub: String,
    /// It was stopped; its state is still to be seen.
    pub(crate) stopping: bool,
}

/// A machine.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub(crate) id: String,
    pub(crate) ip: String,
    pub(crate) metadata: BTreeMap<String, String>,
    /// Its agent met a launched template, and does nothing any more.
    pub(crate) wedged: bool,
    pub(crate) units: BTreeMap<String, Running>,
}

/// All that there is.
pub(crate) struct World {
    pub(crate) kind: Kind,
    pub(crate) etcd: Etcd,
    /// `token_limit` of fleetd's configuration.
    pub(crate) page: u16,
    pub(crate) units: BTreeMap<String, Stored>,
    /// Every content that ever was, by its hash.
    pub(crate) contents: BTreeMap<String, String>,
    pub(crate) hosts: Vec<Host>,
    /// What becomes of units that are started, by name: active and sub state.
    pub(crate) fates: BTreeMap<String, (String, String)>,
    pub(crate) clock: Clock,
}

impl World {
    pub(crate) fn new(kind: Kind) -> Self {
        let host = |number: u32, region: &str, role: &str| Host {
            id: format!("aaaa{number:04}{number:024}"),
            ip: format!("127.0.0.{}", 10 + number),
            metadata: [("region", region), ("role", role)]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
            wedged: false,
            units: BTreeMap::new(),
        };
        Self {
            kind,
            etcd: Etcd::Fine,
            page: 100,
            units: BTreeMap::new(),
            contents: BTreeMap::new(),
            hosts: vec![
                host(1, "eu-west", "http"),
                host(2, "eu-west", "worker"),
                host(3, "us-east", "http"),
            ],
            fates: BTreeMap::new(),
            clock: Clock::default(),
        }
    }

    /// Stores a content and gives it to a unit, new or not.
    pub(crate) fn create(&mut self, name: &str, raw: String, target: &str) {
        let machine = self.units.get(name).and_then(|unit| unit.machine.clone());
        self.contents.insert(hash(&raw), raw.clone());
        let stored = Stored {
            raw,
            target: target.to_owned(),
            machine,
        };
        self.units.insert(name.to_owned(), stored);
    }

    /// Stores a unit with one option.
    pub(crate) fn add(&mut self, name: &str, command: &str, target: &str) {
        let raw = format!("[Service]\nExecStart={command}\n");
        self.create(name, raw, target);
    }

    /// Takes a unit away, with all but its content and what still runs.
    pub(crate) fn destroy(&mut self, name: &str) {
        self.units.remove(name);
        for host in &mut self.hosts {
            if let Some(running) = host.units.get_mut(name) {
                running.launched = false;
            }
        }
    }

    /// Returns what a unit asks of its machine.
    pub(crate) fn constraints(&self, name: &str) -> Constraints {
        let unit = self.units.get(name).map(Stored::unit).unwrap_or_default();
        Constraints::read(&unit, name)
    }

    /// Returns what fleet shows as a unit's state; nothing of a global one.
    pub(crate) fn current(&self, name: &str, stored: &Stored) -> Option<&'static str> {
        if self.constraints(name).global {
            return None;
        }
        let host = self
            .hosts
            .iter()
            .find(|host| Some(&host.id) == stored.machine.as_ref());
        Some(match host.and_then(|host| host.units.get(name)) {
            None => "inactive",
            Some(running) if running.launched => "launched",
            Some(_) => "loaded",
        })
    }
}
