//! Carries out a plan: each step is guarded by what the registry has, and believed when it was read
//! back.
//!
//! In: tasks in their order, and a way to the registry. Out: what became of each. The first that fails
//! is the last that is begun. What the registry has already is left as it is, so that a second run
//! finishes the work of a first. Knows nothing of manifests, nor of how outcomes are told.

mod api;
mod fleetctl;
pub mod guard;
pub mod reader;

use std::time::Duration;

use crate::cluster::fleet::Fleet;
use crate::cluster::fleetctl::{Fleetctl, Outcome as Said};
use crate::error::{CommandError, Status};
use crate::interruption::Interruption;
use crate::plan::{Plan, Step};
use crate::state::{RegistryName, SeenState, State, UnitHash};
use crate::submit::guard::Conflict;
use crate::submit::reader::Reader;

/// One step, and what fleet is told of its unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// The step.
    pub step: Step,
    /// What fleet is told to do with the unit: nothing, but for one that runs and is to run again.
    pub state: State,
}

/// By which way the registry is changed.
pub enum Way<'a> {
    /// fleet's API, over these connections.
    Api(Vec<Fleet>),
    /// A fleetctl, and something that reads back what it did.
    Fleetctl(&'a Fleetctl, &'a mut dyn Reader),
}

/// What holds for all tasks.
#[derive(Debug, Clone)]
pub struct Rules {
    /// How long a task may be tried again and waited for, from its beginning.
    pub patience: Duration,
    /// Whether somebody wants an end.
    pub interruption: Interruption,
}

/// What became of a task.
#[derive(Debug)]
pub enum Outcome {
    /// It was done, and read back.
    Done,
    /// There was nothing to do any more.
    Already,
    /// The registry does not have what the step counts on. Nothing was done.
    Refused(Conflict),
    /// It was tried in vain.
    Failed {
        /// Why.
        error: CommandError,
        /// What it left behind.
        left: Left,
    },
    /// It was never begun.
    NotTried,
}

/// What the registry has of a unit after a task failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// What it had before.
    Untouched,
    /// Nothing.
    Absent,
    /// A text with this hash, which is neither the old nor the new one.
    Another(UnitHash),
    /// The new text, but fleet was told this in place of what the unit is to do.
    Told(SeenState),
    /// Nobody knows: it could not be read.
    Unknown,
}

/// Sees what happens, while it does.
pub trait Witness {
    /// fleetctl is about to be called: its command, and for how many units.
    fn calls(&mut self, command: &str, units: usize);
    /// A fleetctl did not do what it was called for, and said this.
    fn heard(&mut self, said: &Said);
    /// A task ended, by its place in the list.
    fn ended(&mut self, number: usize, outcome: &Outcome);
}

/// What became of all tasks, in their order.
#[derive(Debug)]
pub struct Report {
    /// The outcomes.
    pub outcomes: Vec<Outcome>,
    /// Whether somebody wanted an end before there was one.
    pub is_interrupted: bool,
}

impl Report {
    /// Counts the outcomes of a kind.
    #[must_use]
    pub fn count(&self, is_meant: impl Fn(&Outcome) -> bool) -> usize {
        self.outcomes
            .iter()
            .filter(|outcome| is_meant(outcome))
            .count()
    }

    /// Returns how a command ends that did this.
    #[must_use]
    pub fn status(&self) -> Status {
        if self.outcomes.iter().all(Outcome::is_good) {
            return Status::Done;
        }
        let has_changed = |outcome: &Outcome| match outcome {
            Outcome::Done => true,
            Outcome::Failed { left, .. } => *left != Left::Untouched,
            Outcome::Already | Outcome::Refused(_) | Outcome::NotTried => false,
        };
        if self.outcomes.iter().any(has_changed) {
            return Status::Partial;
        }
        let mut statuses = self.outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Failed { error, .. } => Some(error.status),
            Outcome::Refused(_) => Some(Status::Refused),
            Outcome::Done | Outcome::Already | Outcome::NotTried => None,
        });
        statuses.next().unwrap_or(Status::Trouble)
    }
}

impl Outcome {
    /// Tells whether the registry has what it should.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self, Self::Done | Self::Already)
    }
}

impl Task {
    /// Returns the tasks of a plan.
    #[must_use]
    pub fn of_plan(mut plan: Plan) -> Vec<Self> {
        // One that somebody wrote may be in any order.
        plan.sort();
        let steps = plan.steps.into_iter();
        let task = |step| Self {
            step,
            state: State::Inactive,
        };
        steps.map(task).collect()
    }

    fn name(&self) -> &RegistryName {
        &self.step.unit
    }

    /// Tells whether it takes a unit away.
    #[must_use]
    pub fn destroys(&self) -> bool {
        self.step.action.is_destroy()
    }

    /// Tells whether the unit runs, and is to run again.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.state != State::Inactive
    }

    /// Tells which tasks must have ended before this one begins: those of a smaller rank.
    fn rank(&self) -> ((bool, bool), bool) {
        (self.step.rank(), self.runs())
    }
}

/// Does the tasks.
#[must_use]
pub fn submit(tasks: &[Task], way: Way<'_>, rules: &Rules, witness: &mut dyn Witness) -> Report {
    let outcomes = match way {
        Way::Api(fleets) => api::carry_out(tasks, fleets, rules, witness),
        Way::Fleetctl(fleetctl, reader) => {
            fleetctl::carry_out(tasks, fleetctl, reader, rules, witness)
        }
    };
    Report {
        is_interrupted: rules.interruption.is_asked(),
        outcomes,
    }
}

/// How often something is tried that may pass by itself.
const ATTEMPTS: usize = 4;

/// Returns how long to wait before the next attempt after so many.
fn backoff(attempts: usize) -> Duration {
    Duration::from_millis(100)
        * 3_u32.saturating_pow(u32::try_from(attempts).unwrap_or(8).saturating_sub(1))
}
