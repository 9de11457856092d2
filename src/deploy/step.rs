//! How one step is done, or several that only begin to run.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cluster::fleet::Fleet;
use crate::deploy::failure::{Awaited, Failure, Why};
use crate::deploy::{LOOK_MAXIMUM, LOOK_MINIMUM, Outcome, Rollout, Witness};
use crate::rollout::watch::{Fault, Kind, Sight, Verdict, Watch, is_busy};
use crate::rollout::{Action, Before, Part, ProcessPlan, Step};
use crate::state::{MachineId, RegistryName, SeenState, State, UnitState};

/// A unit that is waited for.
struct Awaiting {
    /// The place of its step.
    at: usize,
    unit: RegistryName,
    watch: Watch,
    is_main: bool,
    port: Option<u16>,
    /// What the instance itself answered last.
    health: Option<String>,
    is_ready: bool,
}

/// Two rounds of fleet's agents.
const ROUNDS: Duration = Duration::from_secs(10);

/// What machines say of a unit.
type States = BTreeMap<MachineId, UnitState>;

impl Rollout<'_> {
    /// Does steps that begin together. So many of them may fail before the others are left alone.
    pub(super) fn steps(
        &mut self,
        process: &ProcessPlan,
        steps: &[Step],
        allowed: usize,
        witness: &mut dyn Witness,
    ) -> Vec<Outcome> {
        let began = self.rules.time.now();
        let mut outcomes: Vec<Option<Outcome>> = steps.iter().map(|_| None).collect();
        let mut awaiting = Vec::new();
        let count = |outcomes: &[Option<Outcome>]| {
            let failed = outcomes.iter().flatten();
            failed
                .filter(|outcome| matches!(outcome, Outcome::Failed(_)))
                .count()
        };
        for (at, step) in steps.iter().enumerate() {
            if count(&outcomes) > allowed {
                outcomes[at] = Some(Outcome::NotTried);
                continue;
            }
            match self.begin(process, step, at, witness) {
                Ok(watched) if watched.is_empty() => {
                    outcomes[at] = Some(Outcome::Done(self.waited(began)));
                }
                Ok(watched) => awaiting.extend(watched),
                Err(failure) => outcomes[at] = Some(Outcome::Failed(failure)),
            }
        }
        let mut pause = LOOK_MINIMUM;
        while count(&outcomes) <= allowed && outcomes.iter().any(Option::is_none) {
            for one in &mut awaiting {
                if outcomes[one.at].is_some() {
                    continue;
                }
                if let Err(failure) = self.look(process, one, began, witness) {
                    outcomes[one.at] = Some(Outcome::Failed(failure));
                }
            }
            for (at, outcome) in outcomes.iter_mut().enumerate() {
                let mut units = awaiting.iter().filter(|one| one.at == at);
                if outcome.is_none() && units.all(|one| one.is_ready) {
                    *outcome = Some(Outcome::Done(self.waited(began)));
                }
            }
            if outcomes.iter().any(Option::is_none) {
                self.rules.time.pause(pause);
                pause = (pause * 2).min(LOOK_MAXIMUM);
            }
        }
        let outcomes = outcomes.into_iter();
        outcomes
            .map(|outcome| outcome.unwrap_or(Outcome::Unfinished))
            .collect()
    }

    /// Does what a step does, and returns what is to be waited for.
    fn begin(
        &mut self,
        process: &ProcessPlan,
        step: &Step,
        at: usize,
        witness: &mut dyn Witness,
    ) -> Result<Vec<Awaiting>, Box<Failure>> {
        let limit = process.bounds.timeout;
        if step.lowers {
            self.wait_for_others(process, step)?;
        }
        let mut firsts = BTreeMap::new();
        match step.action {
            Action::Start | Action::Replace => {
                for part in &step.parts {
                    let first = self.first(part)?;
                    self.wait_for_job(part, &first, limit)?;
                    if let Some(after) = &part.after {
                        self.ensure(part, after, limit)?;
                    }
                    firsts.insert(&part.unit, first);
                }
            }
            Action::Restart => {
                for part in step.parts.iter().rev() {
                    let states = self.rest(part, limit, witness)?;
                    firsts.insert(&part.unit, states);
                }
                for part in &step.parts {
                    let Some(after) = &part.after else { continue };
                    let before = part.before.as_ref();
                    let rested = Part {
                        before: before.map(|before| Before {
                            told: SeenState::Known(State::Loaded),
                            ..before.clone()
                        }),
                        ..part.clone()
                    };
                    self.ensure(&rested, after, limit)?;
                }
            }
            Action::Wait => {}
            Action::Stop => {
                for part in &step.parts {
                    self.turn(part, State::Inactive)?;
                }
                for part in &step.parts {
                    self.wait_until(&part.unit, Awaited::Gone, limit, |sight| {
                        sight.states.is_empty()
                    })?;
                }
            }
            Action::Destroy => {
                for part in &step.parts {
                    self.destroy(part)?;
                }
            }
        }
        let now = self.rules.time.now();
        let watched = step.parts.iter().filter_map(|part| {
            let after = part.after.clone()?;
            let first = firsts.remove(&part.unit).unwrap_or_default();
            Some(Awaiting {
                at,
                unit: part.unit.clone(),
                is_main: part.unit == step.instance,
                watch: Watch::new(after, process.bounds.ready, first, now),
                port: step.port,
                health: None,
                is_ready: false,
            })
        });
        Ok(watched.collect())
    }

    /// Returns what machines say of a unit before anything is done to it.
    fn first(&mut self, part: &Part) -> Result<States, Box<Failure>> {
        let states = self.patiently(|fleet| fleet.states_of(&part.unit));
        states.map_err(|error| Failure::new(&part.unit, Why::Remote(error)))
    }

    /// Waits until a job that is at work has come to its end.
    fn wait_for_job(
        &mut self,
        part: &Part,
        first: &States,
        limit: Duration,
    ) -> Result<(), Box<Failure>> {
        let is_at_work = |states: &States| {
            states
                .values()
                .any(|state| state.active == "activating" && state.sub == "start")
        };
        let kind = part.after.as_ref().map(|after| after.kind);
        if !matches!(kind, Some(Kind::Job | Kind::Idle)) || !is_at_work(first) {
            return Ok(());
        }
        self.wait_until(&part.unit, Awaited::Idle, limit, |sight| {
            !is_at_work(&sight.states)
        })?;
        Ok(())
    }

    /// Stops a unit that is to be started again, and returns what machines say of it then. Where it does not
    /// stop in time it is told to run on.
    fn rest(
        &mut self,
        part: &Part,
        limit: Duration,
        witness: &mut dyn Witness,
    ) -> Result<States, Box<Failure>> {
        self.turn(part, State::Loaded)?;
        let began = self.rules.time.now();
        let launched = SeenState::Known(State::Launched);
        // One that failed does not run: that it was seen to is said by fleet alone.
        let is_down = |sight: &Sight| {
            let current = sight.unit.as_ref().and_then(|unit| unit.current.as_ref());
            current != Some(&launched) && !sight.states.values().any(is_busy)
        };
        let result = self.wait_until(&part.unit, Awaited::Down, limit, is_down);
        match result {
            Ok(sight) => {
                // Of what is on every machine fleet says nothing.
                let is_global = sight
                    .unit
                    .as_ref()
                    .is_some_and(|unit| unit.current.is_none());
                if is_global && self.waited(began) < LOOK_MAXIMUM {
                    self.rules.time.pause(ROUNDS);
                }
                witness.seen(&part.unit, &sight, self.waited(began));
                Ok(sight.states)
            }
            Err(failure) => {
                // Whether that helps is for whoever reads why it failed.
                let _ = self.tell(&part.unit, State::Launched);
                Err(failure)
            }
        }
    }

    /// Looks at a unit that is waited for.
    fn look(
        &mut self,
        process: &ProcessPlan,
        one: &mut Awaiting,
        began: Duration,
        witness: &mut dyn Witness,
    ) -> Result<(), Box<Failure>> {
        let sight = self.sight(&one.unit);
        let sight = sight.map_err(|error| Failure::new(&one.unit, Why::Remote(error)))?;
        let now = self.rules.time.now();
        let waited = self.waited(began);
        witness.seen(&one.unit, &sight, waited);
        let health = process.bounds.health.as_deref().filter(|_| one.is_main);
        if health.is_some() {
            self.know_machines(&sight);
        }
        let mut answer = None;
        let ask = |machine: &MachineId| {
            let form = health.unwrap_or_default();
            self.health.ask(form, machine, one.port)
        };
        let is_well = || {
            let mut machines = sight.states.keys().filter(|_| health.is_some());
            answer = machines.find_map(|machine| ask(machine).err());
            answer.is_none()
        };
        let verdict = one.watch.look(now, &sight, is_well);
        one.health = answer;
        let why = match verdict {
            Verdict::Ready => {
                one.is_ready = true;
                return Ok(());
            }
            Verdict::Pending | Verdict::Settling if waited < process.bounds.timeout => {
                one.is_ready = false;
                return Ok(());
            }
            Verdict::Pending | Verdict::Settling => Why::TimedOut {
                what: Awaited::Up,
                time: waited,
                health: one.health.take(),
            },
            Verdict::Faulty(Fault::Unplaced) => Why::Unplaced(self.why_unplaced(&one.unit)),
            Verdict::Faulty(fault) => Why::Fault(fault),
        };
        Err(Failure::new(&one.unit, why).with(sight))
    }

    /// Makes sure that the machines of a unit are known.
    fn know_machines(&mut self, sight: &Sight) {
        let known = &self.health.machines;
        if sight
            .states
            .keys()
            .all(|machine| known.contains_key(machine))
        {
            return;
        }
        // A machine that stays unknown is told of as that.
        if let Ok(machines) = self.patiently(Fleet::machines) {
            self.health.machines = machines;
        }
    }
}
