//! What is to run of one app: units with their texts, the instances of each, and the bounds within which
//! they are replaced.
//!
//! In: the manifest's units, or what a release remembers of them. Out: `Goal`, which says all that a
//! rollout needs, so that an old release is rolled out as a new one is. Knows nothing of what there is.

use crate::model::{App, Deploy, Instance, MachinePort, Process};
use crate::name::{AppName, NameError, ProcessName, Slot, UnitName, Version};
use crate::placement::HostPort;
use crate::render::desired::{Desired, DesiredUnit};
use crate::span::{SourceId, Span};
use crate::state::{RegistryName, State, UnitHash};
use crate::unit::fleet::hash;

/// Where stands what no manifest gives.
const NOWHERE: Span = Span {
    source: SourceId(u32::MAX),
    start: 0,
    end: 0,
};

/// All that is to run of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// The app.
    pub app: String,
    /// Where its configuration is in etcd, where that is not the usual place.
    pub folder: Option<String>,
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

impl Goal {
    /// Tells whether another goal has the same units and instances, whatever the bounds.
    #[must_use]
    pub fn is_same_work(&self, other: &Self) -> bool {
        let bare = |goal: &Self| {
            let mut goal = goal.clone();
            for process in &mut goal.processes {
                process.deploy = Deploy::default();
            }
            goal
        };
        bare(self) == bare(other)
    }

    /// Returns its units as a manifest would give them, though at no place.
    ///
    /// # Errors
    /// Says which name is none.
    pub fn desired(&self) -> Result<Desired, NameError> {
        let app = AppName::new(self.app.as_str())?;
        let mut units = Vec::new();
        for process in &self.processes {
            let process_name = ProcessName::new(process.process.as_str())?;
            for unit in &process.units {
                let instances: Result<Vec<Instance>, NameError> =
                    unit.instances.iter().map(InstanceGoal::instance).collect();
                units.push(DesiredUnit {
                    name: UnitName::new(unit.name.as_str())?,
                    text: unit.text.clone(),
                    app: app.clone(),
                    process: process_name.clone(),
                    span: NOWHERE,
                    instances: instances?.into(),
                    state: unit.state,
                });
            }
        }
        units.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Desired { units })
    }
}

impl InstanceGoal {
    fn instance(&self) -> Result<Instance, NameError> {
        let (version, slot) = (self.version.as_deref(), self.slot.as_deref());
        Ok(Instance {
            unit: UnitName::new(self.name.as_str())?,
            version: version.map(Version::new).transpose()?,
            slot: slot.map(Slot::new).transpose()?,
            span: NOWHERE,
            version_span: None,
        })
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
        folder: folder(app),
        processes: app
            .processes
            .iter()
            .map(|process| process_goal(process, desired))
            .collect(),
    };
    apps.iter().map(goal).collect()
}

/// Returns the folder of an app's configuration that the manifest names.
fn folder(app: &App) -> Option<String> {
    let processes = app.processes.iter();
    let mut requests = processes.filter_map(|process| process.config.as_ref());
    requests.find_map(|request| request.folder.clone().flatten())
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
