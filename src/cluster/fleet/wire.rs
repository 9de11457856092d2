//! fleet's JSON.
//!
//! In: the bodies of its answers. Out: values of `state`. fleet leaves out what is empty, so that any
//! key may be absent; keys and words that nobody knows are let through.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::state::{
    Machine, MachineId, ObservedUnit, RegistryName, SeenState, State, UnitHash, UnitState,
};
use crate::unit::fleet::{FleetOption, FleetUnit};

/// A page of a list.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

/// What a list consists of.
pub(super) trait Item: Sized {
    /// Reads a page.
    fn page(body: &[u8]) -> serde_json::Result<Page<Self>>;
}

macro_rules! item {
    ($item:ident, $key:literal) => {
        impl Item for $item {
            fn page(body: &[u8]) -> serde_json::Result<Page<Self>> {
                #[derive(Deserialize)]
                struct Body {
                    #[serde(rename = $key)]
                    items: Option<Vec<$item>>,
                    #[serde(rename = "nextPageToken")]
                    next: Option<String>,
                }
                let Body { items, next } = serde_json::from_slice(body)?;
                Ok(Page {
                    items: items.unwrap_or_default(),
                    next: next.filter(|token| !token.is_empty()),
                })
            }
        }
    };
}

item!(UnitEntry, "units");
item!(StateEntry, "states");
item!(MachineEntry, "machines");

/// A unit.
#[derive(Deserialize)]
pub(super) struct UnitEntry {
    name: String,
    #[serde(default)]
    options: Option<Vec<OptionEntry>>,
    #[serde(default, rename = "desiredState")]
    desired: String,
    #[serde(default, rename = "currentState")]
    current: String,
    #[serde(default, rename = "machineID")]
    machine: String,
}

#[derive(Deserialize)]
struct OptionEntry {
    #[serde(default)]
    section: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: String,
}

/// A unit's state on a machine.
#[derive(Deserialize)]
pub(super) struct StateEntry {
    name: String,
    #[serde(default)]
    hash: String,
    #[serde(default, rename = "machineID")]
    machine: String,
    #[serde(default, rename = "systemdLoadState")]
    load: String,
    #[serde(default, rename = "systemdActiveState")]
    active: String,
    #[serde(default, rename = "systemdSubState")]
    sub: String,
}

/// A machine.
#[derive(Deserialize)]
pub(super) struct MachineEntry {
    id: String,
    #[serde(default, rename = "primaryIP")]
    primary_ip: String,
    #[serde(default)]
    metadata: Option<BTreeMap<String, String>>,
}

impl From<UnitEntry> for ObservedUnit {
    fn from(entry: UnitEntry) -> Self {
        let UnitEntry {
            name,
            options,
            desired,
            current,
            machine,
        } = entry;
        let mut section: Arc<str> = "".into();
        let options = options.unwrap_or_default().into_iter().map(|option| {
            if *section != *option.section {
                section = option.section.into();
            }
            FleetOption {
                section: Arc::clone(&section),
                name: option.name,
                value: option.value,
            }
        });
        let unit = FleetUnit {
            options: options.collect(),
        };
        Self {
            name: RegistryName::seen(name),
            hash: UnitHash::seen(unit.hash()),
            unit: unit.into(),
            desired: SeenState::seen(&desired),
            current: Some(current)
                .filter(|word| !word.is_empty())
                .map(|word| SeenState::seen(&word)),
            machine: Some(machine)
                .filter(|id| !id.is_empty())
                .map(MachineId::seen),
        }
    }
}

impl StateEntry {
    /// Returns what the entry says, and of what.
    pub(super) fn parts(self) -> (RegistryName, MachineId, UnitState) {
        let Self {
            name,
            hash,
            machine,
            load,
            active,
            sub,
        } = self;
        let state = UnitState {
            hash: UnitHash::seen(hash),
            load,
            active,
            sub,
        };
        (RegistryName::seen(name), MachineId::seen(machine), state)
    }
}

impl From<MachineEntry> for Machine {
    fn from(entry: MachineEntry) -> Self {
        let MachineEntry {
            id,
            primary_ip,
            metadata,
        } = entry;
        Self {
            id: MachineId::seen(id),
            primary_ip,
            metadata: metadata.unwrap_or_default(),
        }
    }
}

/// Returns the body of a request that sets a unit's state, and its text where one is given.
pub(super) fn body(unit: Option<&FleetUnit>, desired: State) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "desiredState")]
        desired: &'static str,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        options: Vec<Entry<'a>>,
    }
    #[derive(Serialize)]
    struct Entry<'a> {
        section: &'a str,
        name: &'a str,
        value: &'a str,
    }
    let options = unit.map_or(&[][..], |unit| &unit.options);
    let body = Body {
        desired: desired.as_str(),
        options: options
            .iter()
            .map(|option| Entry {
                section: &option.section,
                name: &option.name,
                value: &option.value,
            })
            .collect(),
    };
    serde_json::json!(body).to_string()
}
