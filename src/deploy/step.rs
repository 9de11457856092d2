//! How one step is done, or several that only begin to run.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::cluster::fleet::Fleet;
use crate::deploy::failure::{Awaited, Failure, Why};
use crate::deploy::{LOOK_MAXIMUM, LOOK_MINIMUM, Outcome, Rollout, Witness};
use crate::rollout::watch::{Fault, Sight, Standing, Verdict, Watch, is_busy, standing};
use crate::rollout::{Action, Before, Part, ProcessPlan, Step};
use crate::state::{MachineId, RegistryName, SeenState, State, UnitState};

/// A unit that is waited for.
struct Awaiting {
    /// The place of its step.
    at: usize,
    /// Since when.
    began: Duration,
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
    /// Does steps that begin together, the first of which has this place. So many of them may fail before the
    /// others are left alone.
    pub(super) fn steps(
        &mut self,
        process: &ProcessPlan,
        steps: &[Step],
        first: usize,
        allowed: usize,
        witness: &mut dyn Witness,
    ) -> Vec<Outcome> {
        let began = self.rules.time.now();
        let mut outcomes: Vec<Option<Outcome>> = steps.iter().map(|_| None).collect();
        let mut awaiting = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            if failed(&outcomes) > allowed || at > 0 && self.bar().is_some() {
                outcomes[at] = Some(Outcome::NotTried);
                continue;
            }
            witness.began(process, first + at);
            let failures = process.bounds.max_failures.saturating_sub(allowed);
            match self.begin(process, step, at, failures, witness) {
                Ok(watched) if watched.is_empty() => {
                    outcomes[at] = Some(Outcome::Done(self.waited(began)));
                }
                Ok(watched) => awaiting.extend(watched),
                Err(failure) => outcomes[at] = Some(Outcome::Failed(failure)),
            }
        }
        let mut pause = LOOK_MINIMUM;
        while failed(&outcomes) <= allowed && outcomes.iter().any(Option::is_none) {
            for one in &mut awaiting {
                if outcomes[one.at].is_some() {
                    continue;
                }
                if let Err(failure) = self.look(process, one, witness) {
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
        failures: usize,
        witness: &mut dyn Witness,
    ) -> Result<Vec<Awaiting>, Box<Failure>> {
        let limit = process.bounds.timeout;
        if process.wanted > 0
            && matches!(
                step.action,
                Action::Replace | Action::Restart | Action::Stop
            )
        {
            self.wait_for_others(process, step, failures)?;
        }
        let mut firsts = BTreeMap::new();
        match step.action {
            Action::Start | Action::Replace | Action::Restart => {
                for part in &step.parts {
                    let sight = self.job_done(part, limit)?;
                    firsts.insert(&part.unit, sight.states);
                }
                let result = self.bring_up(step, limit, &mut firsts, witness);
                if result.is_err() && step.action == Action::Restart {
                    // Whether that helps is for whoever reads why it failed.
                    for part in step.parts.iter().filter(|it| it.action == Action::Restart) {
                        let after = part.after.as_ref();
                        let part = told(part, State::Loaded);
                        let _ = after.map(|after| self.turn(&part, after.state));
                    }
                }
                result?;
            }
            Action::Wait => {}
            Action::Stop => {
                // What is taken from a machine shows nothing any more, though it may still be stopping: so it
                // is only loaded first.
                for part in &step.parts {
                    self.job_done(part, limit)?;
                    self.come_down(part, limit, witness)?;
                }
                for part in &step.parts {
                    self.turn(&told(part, State::Loaded), State::Inactive)?;
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
        // What is told to rest for a while is not waited for to be up.
        if matches!(step.action, Action::Stop | Action::Destroy) {
            return Ok(Vec::new());
        }
        let now = self.rules.time.now();
        let watched = step.parts.iter().filter_map(|part| {
            let after = part.after.clone()?;
            let first = firsts.remove(&part.unit).unwrap_or_default();
            Some(Awaiting {
                at,
                began: now,
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

    /// Does to the units of an instance what brings it up.
    fn bring_up<'b>(
        &mut self,
        step: &'b Step,
        limit: Duration,
        firsts: &mut BTreeMap<&'b RegistryName, States>,
        witness: &mut dyn Witness,
    ) -> Result<(), Box<Failure>> {
        for part in step.parts.iter().rev() {
            if part.action == Action::Restart {
                let states = self.come_down(part, limit, witness)?;
                firsts.insert(&part.unit, states);
            }
        }
        for part in &step.parts {
            let Some(after) = &part.after else { continue };
            match part.action {
                Action::Restart => self.ensure(&told(part, State::Loaded), after, limit)?,
                Action::Start | Action::Replace => self.ensure(part, after, limit)?,
                Action::Wait | Action::Stop | Action::Destroy => {}
            }
        }
        Ok(())
    }

    /// Waits until a job that is at work has come to its end, and returns what there is then.
    fn job_done(&mut self, part: &Part, limit: Duration) -> Result<Sight, Box<Failure>> {
        self.wait_until(&part.unit, Awaited::Idle, limit, |sight| {
            !sight.is_job_at_work()
        })
    }

    /// Stops a unit, which stays loaded on its machine, and returns what machines say of it then.
    fn come_down(
        &mut self,
        part: &Part,
        limit: Duration,
        witness: &mut dyn Witness,
    ) -> Result<States, Box<Failure>> {
        let before = part.before.as_ref().and_then(|before| before.told.known());
        if before == Some(State::Launched) {
            self.turn(part, State::Loaded)?;
        }
        let began = self.rules.time.now();
        let launched = SeenState::Known(State::Launched);
        // One that failed does not run: that it was seen to is said by fleet alone.
        let were_up = Cell::new(None);
        let is_down = |sight: &Sight| {
            were_up.set(were_up.get().or(Some(sight.states.values().all(is_busy))));
            let unit = sight.unit.as_ref();
            let current = unit.and_then(|unit| unit.current.as_ref());
            // Nor does a machine's silence say that it does not run.
            let is_silent = sight.states.is_empty() && unit.is_some_and(|it| it.machine.is_some());
            current != Some(&launched) && !is_silent && !sight.states.values().any(is_busy)
        };
        let sight = self.wait_until(&part.unit, Awaited::Down, limit, is_down)?;
        // Of what is on every machine fleet says nothing, and what did not run was not seen to stop.
        let unit = sight.unit.as_ref();
        let is_global = unit.is_some_and(|unit| unit.current.is_none());
        if is_global && were_up.get() != Some(true) {
            self.rules.time.pause(ROUNDS);
        }
        witness.seen(&part.unit, &sight, self.waited(began));
        Ok(sight.states)
    }

    /// Looks at a unit that is waited for.
    fn look(
        &mut self,
        process: &ProcessPlan,
        one: &mut Awaiting,
        witness: &mut dyn Witness,
    ) -> Result<(), Box<Failure>> {
        let sight = self.sight(&one.unit);
        let sight = sight.map_err(|error| Failure::new(&one.unit, Why::Remote(error)))?;
        let now = self.rules.time.now();
        let waited = self.waited(one.began);
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
            Verdict::Pending if standing(one.watch.after(), &sight) == Standing::Unplaced => {
                Why::Unplaced(self.why_unplaced(&one.unit))
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

/// Counts what failed.
fn failed(outcomes: &[Option<Outcome>]) -> usize {
    let outcomes = outcomes.iter().flatten();
    outcomes
        .filter(|outcome| matches!(outcome, Outcome::Failed(_)))
        .count()
}

/// Returns a part of which fleet was told something else since it was planned.
fn told(part: &Part, state: State) -> Part {
    let before = part.before.as_ref();
    Part {
        before: before.map(|before| Before {
            told: SeenState::Known(state),
            ..before.clone()
        }),
        ..part.clone()
    }
}
