//! What fleet keeps in etcd: units, contents and machines with what runs on them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use unitgen::unit::fleet::{FleetUnit, hash};

use crate::fleet_server::clock::{Clock, Rounds};
use crate::fleet_server::fate::{Fate, Fates};
use crate::fleet_server::history::History;
use crate::fleet_server::systemd::Process;
use crate::fleet_server::text::Text;

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
    /// What the text says.
    pub(super) text: Arc<Text>,
}

impl Stored {
    /// Returns the text as it is read out of the registry.
    pub(crate) fn unit(&self) -> FleetUnit {
        FleetUnit::parse(&self.raw).unwrap_or_default()
    }

    /// Returns the hash of the text as it is read.
    pub(crate) fn hash(&self) -> String {
        self.text.hash.clone()
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Running {
    pub(crate) hash: String,
    pub(crate) load: String,
    pub(crate) active: String,
    pub(crate) sub: String,
}

/// A machine.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub(crate) id: String,
    pub(crate) ip: String,
    pub(crate) metadata: BTreeMap<String, String>,
    /// Its agent met a launched template, and does nothing any more.
    pub(crate) wedged: bool,
    /// What it says of its units. It may be old.
    pub(crate) units: BTreeMap<String, Running>,
    /// The units that it says that it launched.
    pub(super) launched: BTreeSet<String>,
    /// What its systemd has.
    pub(super) processes: BTreeMap<String, Process>,
    /// The units of which it is still to say that it has them no more.
    pub(super) dropped: BTreeSet<String>,
    pub(super) rounds: Rounds,
    /// It is without power.
    pub(super) is_dead: bool,
    /// The registry has it no more.
    pub(super) is_gone: bool,
}

impl Host {
    /// Makes one on which nothing runs.
    pub(crate) fn new(number: u32, metadata: &[(&str, &str)]) -> Self {
        Self {
            id: format!("aaaa{number:04}{number:024}"),
            ip: format!("127.0.0.{}", 10 + number),
            metadata: metadata
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            wedged: false,
            units: BTreeMap::new(),
            launched: BTreeSet::new(),
            processes: BTreeMap::new(),
            dropped: BTreeSet::new(),
            rounds: Rounds::default(),
            is_dead: false,
            is_gone: false,
        }
    }
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
    /// What becomes of units that are started.
    pub(super) fates: Fates,
    pub(super) clock: Clock,
    /// What ran, where and when.
    pub(crate) history: History,
}

impl World {
    pub(crate) fn new(kind: Kind) -> Self {
        let host = |number: u32, region: &str, role: &str| {
            Host::new(number, &[("region", region), ("role", role)])
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
            fates: Fates::default(),
            clock: Clock::default(),
            history: History::default(),
        }
    }

    /// Stores a content and gives it to a unit, new or not.
    pub(crate) fn create(&mut self, name: &str, raw: String, target: &str) {
        let machine = self.units.get(name).and_then(|unit| unit.machine.clone());
        self.contents.insert(hash(&raw), raw.clone());
        let stored = Stored {
            text: Arc::new(Text::read(name, &raw)),
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
            host.launched.remove(name);
        }
    }

    /// Says what becomes of units that are started, by a pattern of their names and by what stands in
    /// their text, anything at all where that is empty. The last that fits holds.
    pub(crate) fn fate(&mut self, units: &str, text: &str, fate: Fate) {
        self.fates.add(units, text, fate);
    }

    /// Returns what fleet shows as a unit's state; nothing of a global one.
    pub(crate) fn current(&self, name: &str, stored: &Stored) -> Option<&'static str> {
        if stored.text.constraints.global {
            return None;
        }
        let mut hosts = self.hosts.iter();
        let host = hosts.find(|host| Some(&host.id) == stored.machine.as_ref());
        Some(match host {
            Some(host) if host.units.contains_key(name) => {
                if host.launched.contains(name) {
                    "launched"
                } else {
                    "loaded"
                }
            }
            _ => "inactive",
        })
    }
}
