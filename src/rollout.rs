//! How instances come to be what they should: step by step, so that enough of them serve at any time.
//!
//! In: what should run, what was seen, and the bounds. Out: a `Plan`, which says of each step what it does,
//! why, and what it counts on, so that carrying it out decides nothing; or why the bounds can't be met. It
//! is a function from values to a value. Knows nothing of how a step is done, nor of time.

pub mod bounds;
pub mod member;
mod planner;
pub mod process;
mod room;
pub mod watch;

#[cfg(test)]
mod case;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::diff::instances::Condition;
use crate::plan::Text;
use crate::rollout::bounds::Bounds;
use crate::rollout::watch::Kind;
use crate::state::{RegistryName, SeenState, State, UnitHash};

pub use crate::rollout::planner::plan;

/// Steps for each process, in the order in which they are to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The processes that have any step.
    pub processes: Vec<ProcessPlan>,
}

/// The steps of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessPlan {
    /// The app.
    pub app: String,
    /// The process.
    pub process: String,
    /// The bounds.
    pub bounds: Bounds,
    /// Whether it runs on every machine, so that all of it is replaced at once.
    pub is_global: bool,
    /// How many instances are to serve in the end; none of a process that serves nobody.
    pub wanted: usize,
    /// All units of the process that serve, or may.
    pub serving: Vec<RegistryName>,
    /// The steps.
    pub steps: Vec<Step>,
    /// How many serve at least while it goes on, and how many there are at most.
    pub range: (usize, usize),
}

/// One change of one instance, with the units beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// The instance: the unit that does its work.
    pub instance: RegistryName,
    /// Why.
    pub reason: Reason,
    /// The units that it is done to, in their order.
    pub parts: Vec<Part>,
    /// Whether an instance that serves, or may, is taken down by it.
    pub lowers: bool,
    /// How many others must serve then.
    pub floor: usize,
    /// The first port of the machine that the instance takes.
    pub port: Option<u16>,
    /// Whether nothing else may begin with it: fleet gives what comes at once to machines in any order, and
    /// knows nothing of ports.
    pub is_alone: bool,
    /// The instance that needs the place.
    pub makes_room_for: Option<RegistryName>,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// It is stored if need be, told to run, and waited for.
    Start,
    /// It gets another text, and is waited for.
    Replace,
    /// It is stopped, started again, and waited for.
    Restart,
    /// It is waited for.
    Wait,
    /// It is stopped, until no machine has it.
    Stop,
    /// It is deleted.
    Destroy,
}

impl Action {
    /// Returns the word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Replace => "replace",
            Self::Restart => "restart",
            Self::Wait => "wait",
            Self::Stop => "stop",
            Self::Destroy => "destroy",
        }
    }

    /// Returns the word for it once it is done.
    #[must_use]
    pub fn done(self) -> &'static str {
        match self {
            Self::Start => "started",
            Self::Replace => "replaced",
            Self::Restart => "restarted",
            Self::Wait => "up",
            Self::Stop => "stopped",
            Self::Destroy => "destroyed",
        }
    }
}

/// A unit of an instance, and what is done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What is done to it.
    pub action: Action,
    /// Its name.
    pub unit: RegistryName,
    /// What the registry has of it; nothing where it has none.
    pub before: Option<Before>,
    /// What it is to be; nothing where it is to go.
    pub after: Option<After>,
}

/// What the registry has of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// The hash of its text.
    pub hash: UnitHash,
    /// What fleet was told to do with it.
    pub told: SeenState,
}

/// What a unit is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct After {
    /// Its text.
    pub text: Text,
    /// What fleet is to do with it.
    pub state: State,
    /// When it is up.
    pub kind: Kind,
}

/// Why a step is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It is not as it should be.
    Condition(Condition),
    /// Somebody asked for it.
    Asked,
    /// It is as it should be, but nobody knows for how long.
    Unproven,
}

impl Reason {
    /// Returns the word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Condition(condition) => condition.word(),
            Self::Asked => "asked",
            Self::Unproven => "unproven",
        }
    }
}

/// Why instances can't come to be what they should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impossible {
    /// The app.
    pub app: String,
    /// The process.
    pub process: String,
    /// Why.
    pub reason: String,
    /// What would make it possible.
    pub help: String,
}

impl fmt::Display for Impossible {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}: {}", self.app, self.process, self.reason)
    }
}

impl Plan {
    /// Tells whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.processes.is_empty()
    }

    /// Counts the steps that do something.
    #[must_use]
    pub fn count(&self, action: Action) -> usize {
        let steps = self.processes.iter().flat_map(|process| &process.steps);
        steps.filter(|step| step.action == action).count()
    }
}
