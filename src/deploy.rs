//! Carries out a rollout, step by step, and believes only what it sees.
//!
//! In: a plan, a way to fleet, and time. Out: what became of each step. Before a step, the registry must
//! have what the step counts on, and enough other instances must serve; behind it, the instance was seen
//! to be up for long enough, or gone. The first failure is the last thing that is done, unless more are
//! allowed. Knows nothing of locks, of journals, nor of how anything is told.

mod failure;
mod health;
mod registry;
mod step;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::clock::Time;
use crate::cluster::fleet::Fleet;
use crate::deploy::health::Health;
use crate::error::CommandError;
use crate::http::address::Tunnel;
use crate::interruption::Interruption;
use crate::rollout::watch::Sight;
use crate::rollout::{Action, ProcessPlan, Step};
use crate::state::RegistryName;

pub use crate::deploy::failure::{Failure, Why};

/// How long it is waited for others to serve again, before an instance is taken down.
const RECOVERY: Duration = Duration::from_secs(60);

/// The bounds of the time between two looks.
const LOOK_MINIMUM: Duration = Duration::from_millis(100);
const LOOK_MAXIMUM: Duration = Duration::from_secs(1);

/// More units than this are not asked for one by one.
const ASKED_SINGLY: usize = 50;

/// What holds for all steps.
pub struct Rules<'a> {
    /// The time.
    pub time: &'a dyn Time,
    /// Whether somebody wants an end.
    pub interruption: &'a Interruption,
    /// Tells before each step why it may not be done any more.
    pub may_go_on: &'a dyn Fn() -> Result<(), CommandError>,
    /// For how long a request is sent again that may succeed later.
    pub patience: Duration,
    /// The host on the way to the machines.
    pub tunnel: Option<Tunnel>,
}

/// Sees what happens, while it does.
pub trait Witness {
    /// A step of a process begins, by its place.
    fn began(&mut self, process: &ProcessPlan, at: usize);
    /// A unit of a step was looked at: what it does, and for how long it is waited for already.
    fn seen(&mut self, unit: &RegistryName, sight: &Sight, waited: Duration);
    /// A step ended, by its place.
    fn ended(&mut self, process: &ProcessPlan, at: usize, outcome: &Outcome);
}

/// What became of a step.
#[derive(Debug)]
pub enum Outcome {
    /// It was done, and seen; it took so long.
    Done(Duration),
    /// It was tried in vain.
    Failed(Box<Failure>),
    /// It was begun, and nobody waited for its end.
    Unfinished,
    /// It was never begun.
    NotTried,
}

/// Why a rollout ended before its end.
#[derive(Debug)]
pub enum Stop {
    /// Too many instances failed.
    Failures,
    /// Somebody wanted an end.
    Interrupted,
    /// It may not go on.
    Barred(CommandError),
}

/// What became of the steps of a process, in their order.
#[derive(Debug)]
pub struct Report {
    /// The outcomes.
    pub outcomes: Vec<Outcome>,
    /// Whether anything was sent to fleet that may have changed anything.
    pub has_changed: bool,
    /// Why it ended early, where it did.
    pub stop: Option<Stop>,
}

impl Report {
    /// Tells whether all came to a good end.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let mut outcomes = self.outcomes.iter();
        self.stop.is_none() && outcomes.all(|outcome| matches!(outcome, Outcome::Done(_)))
    }
}

/// Carries out plans.
pub struct Rollout<'a> {
    fleet: &'a mut Fleet,
    rules: Rules<'a>,
    health: Health,
    /// Whether anything was sent that may have changed anything.
    has_sent: bool,
}

impl fmt::Debug for Rollout<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Rollout")
    }
}

impl<'a> Rollout<'a> {
    /// Makes one that has done nothing yet.
    #[must_use]
    pub fn new(fleet: &'a mut Fleet, rules: Rules<'a>) -> Self {
        let health = Health::new(rules.tunnel.clone());
        Self {
            fleet,
            rules,
            health,
            has_sent: false,
        }
    }

    /// Carries out the steps of a process.
    pub fn process(&mut self, process: &ProcessPlan, witness: &mut dyn Witness) -> Report {
        self.has_sent = false;
        let mut report = Report {
            outcomes: process.steps.iter().map(|_| Outcome::NotTried).collect(),
            has_changed: false,
            stop: None,
        };
        let mut failures = 0;
        let mut first = 0;
        // What depends on a step that failed.
        let mut barred: BTreeSet<&RegistryName> = BTreeSet::new();
        // What only begins to run, or is on its way, is waited for together.
        let is_gentle =
            |step: &Step| matches!(step.action, Action::Start | Action::Wait) && !step.is_alone;
        for steps in process
            .steps
            .chunk_by(|one, next| is_gentle(one) && is_gentle(next))
        {
            report.stop = self.bar();
            if report.stop.is_some() {
                break;
            }
            let places = first..first + steps.len();
            first = places.end;
            let allowed = process.bounds.max_failures.saturating_sub(failures);
            let outcomes = if steps.iter().any(|step| barred.contains(&step.instance)) {
                steps.iter().map(|_| Outcome::NotTried).collect()
            } else {
                self.steps(process, steps, places.start, allowed, witness)
            };
            for (at, outcome) in places.zip(outcomes) {
                if matches!(outcome, Outcome::Failed(_)) {
                    failures += 1;
                    let step = &process.steps[at];
                    barred.insert(&step.instance);
                    barred.extend(&step.makes_room_for);
                }
                witness.ended(process, at, &outcome);
                report.outcomes[at] = outcome;
            }
            if failures > process.bounds.max_failures {
                report.stop = Some(Stop::Failures);
                break;
            }
        }
        let is_tried = |outcome: &Outcome| !matches!(outcome, Outcome::NotTried);
        if report.stop.is_none() && !report.outcomes.iter().all(is_tried) {
            report.stop = self.bar();
        }
        report.has_changed = self.has_sent;
        report
    }

    /// Tells why nothing more may be begun.
    fn bar(&self) -> Option<Stop> {
        if self.rules.interruption.is_asked() {
            return Some(Stop::Interrupted);
        }
        (self.rules.may_go_on)().err().map(Stop::Barred)
    }

    /// Waits until one instance less may serve. Where nobody said how many must, those that were allowed to
    /// fail, and did, need not.
    fn wait_for_others(
        &mut self,
        process: &ProcessPlan,
        step: &Step,
        failures: usize,
    ) -> Result<(), Box<Failure>> {
        let floor = match process.bounds.min_alive {
            Some(_) => step.floor,
            None => step.floor.saturating_sub(failures),
        };
        let fail = |error| Failure::new(&step.instance, Why::Remote(error));
        let began = self.rules.time.now();
        loop {
            let own = self.sight(&step.instance).map_err(fail)?;
            if !own.may_serve() {
                return Ok(());
            }
            let serving = self.serving(process).map_err(fail)?;
            let others = serving.iter().filter(|name| **name != step.instance);
            if others.count() >= floor {
                return Ok(());
            }
            if self.waited(began) >= RECOVERY.min(process.bounds.timeout) {
                let why = Why::TooFew {
                    serving: serving.len(),
                    floor,
                    missing: missing(process, &serving),
                };
                return Err(Failure::new(&step.instance, why));
            }
            self.rules.time.pause(LOOK_MAXIMUM);
        }
    }

    /// Returns the units of a process that serve right now.
    fn serving(&mut self, process: &ProcessPlan) -> Result<Vec<RegistryName>, CommandError> {
        let mut serving = Vec::new();
        if process.serving.len() > ASKED_SINGLY {
            let mut units = self.patiently(Fleet::units)?;
            let mut states = self.patiently(Fleet::states)?;
            for name in &process.serving {
                let states = states.remove(name).unwrap_or_default();
                let sight = Sight::new(units.remove(name), states);
                serving.extend(sight.serves().then(|| name.clone()));
            }
            return Ok(serving);
        }
        for name in &process.serving {
            let sight = self.sight(name)?;
            serving.extend(sight.serves().then(|| name.clone()));
        }
        Ok(serving)
    }

    fn waited(&self, began: Duration) -> Duration {
        self.rules.time.now().saturating_sub(began)
    }
}

fn missing(process: &ProcessPlan, serving: &[RegistryName]) -> Vec<RegistryName> {
    let names = process.serving.iter();
    names
        .filter(|name| !serving.contains(name))
        .cloned()
        .collect()
}
