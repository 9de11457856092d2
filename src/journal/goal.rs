//! What was to run, as a release keeps it: all of `Goal`, so that it can be rolled out again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::goal::{Goal, InstanceGoal, ProcessGoal, UnitGoal};
use crate::manifest::forms::Span;
use crate::manifest::port::Protocol;
use crate::model::{Deploy, MachinePort};
use crate::state::{RegistryName, State};

/// What is to run of an app.
#[derive(Serialize, Deserialize)]
pub(super) struct GoalRecord {
    app: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
    processes: Vec<ProcessRecord>,
}

#[derive(Serialize, Deserialize)]
struct ProcessRecord {
    process: String,
    versioned: bool,
    global: bool,
    ports: Vec<PortRecord>,
    deploy: DeployRecord,
    units: Vec<UnitRecord>,
}

/// A port; without a number it is that of the slot.
#[derive(Serialize, Deserialize)]
struct PortRecord {
    number: Option<u16>,
    protocol: String,
}

#[derive(Serialize, Deserialize)]
struct DeployRecord {
    min_alive: Option<u32>,
    max_growth: Option<u32>,
    ready_secs: Option<u32>,
    timeout: Option<Duration>,
    max_failures: Option<u32>,
    health: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct UnitRecord {
    name: String,
    text: String,
    state: String,
    instances: Vec<InstanceRecord>,
}

#[derive(Serialize, Deserialize)]
struct InstanceRecord {
    name: String,
    version: Option<String>,
    slot: Option<String>,
}

impl From<Goal> for GoalRecord {
    fn from(goal: Goal) -> Self {
        let Goal {
            app,
            folder,
            processes,
        } = goal;
        Self {
            app,
            folder,
            processes: processes.into_iter().map(ProcessRecord::from).collect(),
        }
    }
}

impl From<ProcessGoal> for ProcessRecord {
    fn from(goal: ProcessGoal) -> Self {
        let ProcessGoal {
            process,
            units,
            versioned,
            global,
            ports,
            deploy,
        } = goal;
        let Deploy {
            min_alive,
            max_growth,
            ready_secs,
            timeout,
            max_failures,
            health,
        } = deploy;
        let port = |MachinePort { number, protocol }| PortRecord {
            number,
            protocol: protocol.as_str().to_owned(),
        };
        Self {
            process,
            versioned,
            global,
            ports: ports.into_iter().map(port).collect(),
            deploy: DeployRecord {
                min_alive,
                max_growth,
                ready_secs,
                timeout: timeout.map(|Span(time)| time),
                max_failures,
                health,
            },
            units: units.into_iter().map(UnitRecord::from).collect(),
        }
    }
}

impl From<UnitGoal> for UnitRecord {
    fn from(goal: UnitGoal) -> Self {
        let UnitGoal {
            name,
            text,
            state,
            instances,
        } = goal;
        let instance = |InstanceGoal {
                            name,
                            version,
                            slot,
                        }| InstanceRecord {
            name: name.to_string(),
            version,
            slot,
        };
        Self {
            name: name.to_string(),
            text,
            state: state.to_string(),
            instances: instances.into_iter().map(instance).collect(),
        }
    }
}

impl GoalRecord {
    /// Returns what was written.
    ///
    /// # Errors
    /// Says which word is strange.
    pub(super) fn goal(self) -> Result<Goal, String> {
        let processes = self.processes.into_iter().map(ProcessRecord::goal);
        Ok(Goal {
            app: self.app,
            folder: self.folder,
            processes: processes.collect::<Result<_, _>>()?,
        })
    }
}

impl ProcessRecord {
    fn goal(self) -> Result<ProcessGoal, String> {
        let DeployRecord {
            min_alive,
            max_growth,
            ready_secs,
            timeout,
            max_failures,
            health,
        } = self.deploy;
        let ports = self.ports.into_iter().map(PortRecord::port);
        let units = self.units.into_iter().map(UnitRecord::goal);
        Ok(ProcessGoal {
            process: self.process,
            units: units.collect::<Result<_, _>>()?,
            versioned: self.versioned,
            global: self.global,
            ports: ports.collect::<Result<_, _>>()?,
            deploy: Deploy {
                min_alive,
                max_growth,
                ready_secs,
                timeout: timeout.map(Span),
                max_failures,
                health,
            },
        })
    }
}

impl PortRecord {
    fn port(self) -> Result<MachinePort, String> {
        let mut protocols = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp].into_iter();
        let protocol = protocols.find(|protocol| protocol.as_str() == self.protocol);
        Ok(MachinePort {
            number: self.number,
            protocol: protocol.ok_or("a port's protocol is strange")?,
        })
    }
}

impl UnitRecord {
    fn goal(self) -> Result<UnitGoal, String> {
        let mut states = State::ALL.into_iter();
        let state = states.find(|state| state.as_str() == self.state);
        let instances = self.instances.into_iter().map(|instance| InstanceGoal {
            name: RegistryName::seen(instance.name),
            version: instance.version,
            slot: instance.slot,
        });
        Ok(UnitGoal {
            name: RegistryName::seen(self.name),
            text: self.text,
            state: state.ok_or("a unit's state is strange")?,
            instances: instances.collect(),
        })
    }
}
