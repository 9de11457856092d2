//! What is to run of one app: units with their texts, the instances of each, and the bounds within which
//! they are replaced.
//!
//! In: the manifest's units, or what a release remembers of them. Out: `Goal`, which says all that a
//! rollout needs, so that an old release is rolled out as a new one is. Knows nothing of what there is.

use crate::model::{App, Deploy, MachinePort, Process};
use crate::placement::HostPort;
use crate::render::desired::{Desired, DesiredUnit};
use crate::state::{RegistryName, State, UnitHash};
use crate::unit::fleet::hash;

/// All that is to run of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// The app.
    pub app: String,
    /// Its processes, in the manifest's order.
    pub processes: Vec<ProcessGoal>,
}

/// All that is to run of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessGoal {
    /// Its name.
    pub process: String,
    /// Its units: its own first, then those beside it, in the order in which they start.
    pub units: Vec<UnitGoal>,
    /// Whether instances are named `VERSION-SLOT`.
    pub versioned: bool,
    /// Whether it runs on every machine.
    pub global: bool,
    /// The ports of the machine that its own unit takes.
    pub ports: Vec<MachinePort>,
    /// The bounds, as far as they are given.
    pub deploy: Deploy,
}

/// A unit that is to be in the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitGoal {
    /// Its name: a template's or a plain unit's.
    pub name: RegistryName,
    /// Its canonical text.
    pub text: String,
    /// What fleet is to do with its instances.
    pub state: State,
    /// The instances; of a plain unit itself alone.
    pub instances: Vec<InstanceGoal>,
}

/// An instance that is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceGoal {
    /// Its unit's name.
    pub name: RegistryName,
    /// The version that it runs.
    pub version: Option<String>,
    /// What tells it apart; a plain unit has none.
    pub slot: Option<String>,
}

impl UnitGoal {
    /// Returns the hash that fleet gives the text.
    #[must_use]
    pub fn hash(&self) -> UnitHash {
        UnitHash::seen(hash(&self.text))
    }
}

impl ProcessGoal {
    /// Returns the unit that does the process's work.
    #[must_use]
    pub fn main(&self) -> Option<&UnitGoal> {
        self.units.first()
    }

    /// Returns the ports of the machine that an instance of the process takes, by what stands between `@`
    /// and the suffix of its name.
    #[must_use]
    pub fn ports_of(&self, instance: &str) -> Vec<HostPort> {
        let slot = match instance.rsplit_once('-') {
            Some((_, slot)) if self.versioned => slot,
            _ => instance,
        };
        let ports = self.ports.iter().filter_map(|port| {
            Some(HostPort {
                number: port.number.or_else(|| slot.parse().ok())?,
                protocol: port.protocol,
            })
        });
        ports.collect()
    }
}

/// Returns what is to run of each app, as the manifest says.
#[must_use]
pub fn goals(apps: &[&App], desired: &Desired) -> Vec<Goal> {
    let goal = |app: &&App| Goal {
        app: app.name.value.to_string(),
        processes: app
            .processes
            .iter()
            .map(|process| process_goal(process, desired))
            .collect(),
    };
    apps.iter().map(goal).collect()
}

fn process_goal(process: &Process, desired: &Desired) -> ProcessGoal {
    let companions = process.companions.iter().map(|companion| &companion.unit);
    let names = [&process.unit].into_iter().chain(companions);
    let units = names.filter_map(|name| {
        let at = desired
            .units
            .binary_search_by(|unit| unit.name.as_str().cmp(name.as_str()));
        Some(unit_goal(&desired.units[at.ok()?]))
    });
    ProcessGoal {
        process: process.name.value.to_string(),
        units: units.collect(),
        versioned: process.versioned,
        global: process.global,
        ports: process
            .machine_ports
            .iter()
            .map(|port| port.value)
            .collect(),
        deploy: process.deploy.clone(),
    }
}

fn unit_goal(unit: &DesiredUnit) -> UnitGoal {
    let instances = unit.instances.iter().map(|instance| InstanceGoal {
        name: RegistryName::from(&instance.unit),
        version: instance.version.as_ref().map(ToString::to_string),
        slot: instance.slot.as_ref().map(ToString::to_string),
    });
    UnitGoal {
        name: RegistryName::from(&unit.name),
        text: unit.text.clone(),
        state: unit.state,
        instances: instances.collect(),
    }
}
