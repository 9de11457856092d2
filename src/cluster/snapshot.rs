//! What a cluster held at some time, as a file.
//!
//! In: what was observed. Out: a JSON text, and what was observed again. Each unit is written with its
//! options and its hash, and is refused where the two don't belong together. Knows nothing of how a
//! cluster is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::state::{
    Coverage, Machine, MachineId, Observed, ObservedUnit, RegistryName, Release, SeenState, States,
    UnitHash, UnitState,
};
use crate::unit::fleet::{FleetOption, FleetUnit};

/// The format that is written, and the newest that is read.
const FORMAT: u32 = 1;

/// What a cluster held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// When, in seconds since 1970.
    pub taken: u64,
    /// Where the cluster is, as the user of then reads it.
    pub server: String,
    /// What there was.
    pub observed: Observed,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format_version: u32,
    taken: u64,
    server: String,
    release: Option<String>,
    machines: Vec<MachineEntry>,
    units: Vec<UnitEntry>,
    states: Vec<StateEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MachineEntry {
    id: String,
    primary_ip: String,
    metadata: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitEntry {
    name: String,
    hash: String,
    desired: String,
    current: Option<String>,
    machine: Option<String>,
    /// Section, name and value of each.
    options: Vec<(String, String, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StateEntry {
    name: String,
    machine: String,
    hash: String,
    load: String,
    active: String,
    sub: String,
}

/// Only this is read of a file of another format.
#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

impl Snapshot {
    /// Writes a snapshot. The same one gives the same text.
    #[must_use]
    pub fn text(&self) -> String {
        let Observed {
            coverage: _,
            units,
            states,
            machines,
            release,
            owners: _,
        } = &self.observed;
        let states = states.iter().flat_map(|(name, states)| {
            states
                .iter()
                .map(move |(machine, state)| (name, machine, state))
        });
        let file = File {
            format_version: FORMAT,
            taken: self.taken,
            server: self.server.clone(),
            release: release.as_ref().map(ToString::to_string),
            machines: machines.values().map(machine_entry).collect(),
            units: units.values().map(unit_entry).collect(),
            states: states.map(state_entry).collect(),
        };
        format!("{:#}\n", serde_json::json!(file))
    }

    /// Reads a snapshot.
    ///
    /// # Errors
    /// Says what is wrong with the file.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let version: Version =
            serde_json::from_slice(bytes).map_err(|error| format!("it is no snapshot: {error}"))?;
        if version.format_version != FORMAT {
            let found = version.format_version;
            return Err(format!(
                "it has format {found}, and this unitgen reads format {FORMAT}"
            ));
        }
        let file: File = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let mut units = BTreeMap::new();
        for entry in file.units {
            let unit = observed_unit(entry)?;
            if let Some(twice) = units.insert(unit.name.clone(), unit) {
                return Err(format!("`{}` stands in it twice", twice.name));
            }
        }
        let mut states = States::new();
        for entry in file.states {
            let state = UnitState {
                hash: UnitHash::seen(entry.hash),
                load: entry.load,
                active: entry.active,
                sub: entry.sub,
            };
            let of_unit = states.entry(RegistryName::seen(entry.name)).or_default();
            of_unit.insert(MachineId::seen(entry.machine), state);
        }
        let machines = file.machines.into_iter().map(|entry| {
            let machine = Machine {
                id: MachineId::seen(entry.id),
                primary_ip: entry.primary_ip,
                metadata: entry.metadata,
            };
            (machine.id.clone(), machine)
        });
        let server = file.release.map(|release| format!("fleetd/{release}"));
        Ok(Self {
            taken: file.taken,
            server: file.server,
            observed: Observed {
                coverage: Coverage::Cluster,
                units,
                states,
                machines: machines.collect(),
                release: server.as_deref().and_then(Release::from_server),
                owners: BTreeMap::new(),
            },
        })
    }
}

fn machine_entry(machine: &Machine) -> MachineEntry {
    let Machine {
        id,
        primary_ip,
        metadata,
    } = machine;
    MachineEntry {
        id: id.to_string(),
        primary_ip: primary_ip.clone(),
        metadata: metadata.clone(),
    }
}

fn unit_entry(unit: &ObservedUnit) -> UnitEntry {
    let ObservedUnit {
        name,
        unit,
        hash,
        desired,
        current,
        machine,
    } = unit;
    let option = |option: &FleetOption| {
        let FleetOption {
            section,
            name,
            value,
        } = option;
        (section.to_string(), name.clone(), value.clone())
    };
    UnitEntry {
        name: name.to_string(),
        hash: hash.to_string(),
        desired: desired.to_string(),
        current: current.as_ref().map(ToString::to_string),
        machine: machine.as_ref().map(ToString::to_string),
        options: unit.options.iter().map(option).collect(),
    }
}

fn state_entry((name, machine, state): (&RegistryName, &MachineId, &UnitState)) -> StateEntry {
    let UnitState {
        hash,
        load,
        active,
        sub,
    } = state;
    StateEntry {
        name: name.to_string(),
        machine: machine.to_string(),
        hash: hash.to_string(),
        load: load.clone(),
        active: active.clone(),
        sub: sub.clone(),
    }
}

fn observed_unit(entry: UnitEntry) -> Result<ObservedUnit, String> {
    let mut section: Arc<str> = "".into();
    let options = entry.options.into_iter().map(|(of, name, value)| {
        if *section != *of {
            section = of.into();
        }
        FleetOption {
            section: Arc::clone(&section),
            name,
            value,
        }
    });
    let unit = FleetUnit {
        options: options.collect(),
    };
    if unit.hash() != entry.hash {
        return Err(format!(
            "the text of `{}` does not have the hash that is written with it",
            entry.name
        ));
    }
    Ok(ObservedUnit {
        name: RegistryName::seen(entry.name),
        hash: UnitHash::seen(entry.hash),
        unit: unit.into(),
        desired: SeenState::seen(&entry.desired),
        current: entry.current.map(|word| SeenState::seen(&word)),
        machine: entry.machine.map(MachineId::seen),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot() -> Snapshot {
        let unit =
            FleetUnit::parse("[Service]\nExecStart=\nExecStart=/bin/sh -c \"a > b\"\n").unwrap();
        let name = RegistryName::seen("a@1.service");
        let machine = MachineId::seen("aaaa");
        let state = UnitState {
            hash: UnitHash::seen("1"),
            load: "loaded".to_owned(),
            active: "active".to_owned(),
            sub: "running".to_owned(),
        };
        let observed = ObservedUnit {
            name: name.clone(),
            hash: UnitHash::seen(unit.hash()),
            unit: unit.into(),
            desired: SeenState::seen("launched"),
            current: Some(SeenState::seen("odd")),
            machine: Some(machine.clone()),
        };
        Snapshot {
            taken: 1_700_000_000,
            server: "`http://one`".to_owned(),
            observed: Observed {
                coverage: Coverage::Cluster,
                units: [(name.clone(), observed)].into(),
                states: [(name, [(machine.clone(), state)].into())].into(),
                machines: [(
                    machine.clone(),
                    Machine {
                        id: machine,
                        primary_ip: "10.0.0.1".to_owned(),
                        metadata: [("role".to_owned(), "http".to_owned())].into(),
                    },
                )]
                .into(),
                release: Release::from_server("fleetd/v1.0.0-15-g45224983"),
                owners: BTreeMap::new(),
            },
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let snapshot = snapshot();
        assert_eq!(
            Snapshot::parse(snapshot.text().as_bytes()).unwrap(),
            snapshot
        );
    }

    #[test]
    fn what_is_no_snapshot_is_refused() {
        #[track_caller]
        fn case(text: &str, expected: &str) {
            assert_eq!(Snapshot::parse(text.as_bytes()).unwrap_err(), expected);
        }
        case(
            "",
            "it is no snapshot: EOF while parsing a value at line 1 column 0",
        );
        case(
            "{\"format_version\": 2}",
            "it has format 2, and this unitgen reads format 1",
        );
        case(
            "{\"format_version\": 1}",
            "missing field `taken` at line 1 column 21",
        );
        let text = snapshot().text().replace("a > b", "a > c");
        case(
            &text,
            "the text of `a@1.service` does not have the hash that is written with it",
        );
    }
}
