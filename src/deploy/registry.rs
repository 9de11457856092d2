//! What a rollout changes in the registry: each change is read back.

use std::time::Duration;

use crate::cluster::fleet::{Fleet, Put};
use crate::deploy::failure::{Awaited, Failure, Why};
use crate::deploy::{LOOK_MAXIMUM, LOOK_MINIMUM, Rollout};
use crate::error::CommandError;
use crate::placement::{Candidate, Occupant, unplaceable};
use crate::rollout::watch::Sight;
use crate::rollout::{After, Part};
use crate::state::{ObservedUnit, RegistryName, Release, SeenState, State};
use crate::unit::fleet::FleetUnit;
use crate::unit::fleet::constraints::Constraints;

/// How often what was written is read before fleet is held not to have done it.
const READINGS: usize = 8;

/// What came of writing.
enum Written {
    /// The registry has it.
    Done,
    /// fleet kept the text that it has.
    Kept,
}

impl Rollout<'_> {
    /// Asks fleet something, again and again for a while where that may help.
    pub(super) fn patiently<T>(
        &mut self,
        mut ask: impl FnMut(&mut Fleet) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        let began = self.rules.time.now();
        let mut pause = LOOK_MINIMUM;
        loop {
            match ask(self.fleet) {
                Err(error) if error.may_pass && self.waited(began) < self.rules.patience => {
                    self.rules.time.pause(pause);
                    pause = (pause * 2).min(LOOK_MAXIMUM);
                }
                answer => return answer,
            }
        }
    }

    /// Returns what there is of a unit right now.
    pub(super) fn sight(&mut self, name: &RegistryName) -> Result<Sight, CommandError> {
        // In this order: a state that is newer than what the registry has is of no harm.
        let unit = self.patiently(|fleet| fleet.unit(name))?;
        let states = self.patiently(|fleet| fleet.states_of(name))?;
        Ok(Sight::new(unit, states))
    }

    /// Gives a unit the text and the state that it is to have.
    pub(super) fn ensure(
        &mut self,
        part: &Part,
        after: &After,
        limit: Duration,
    ) -> Result<(), Box<Failure>> {
        let name = &part.unit;
        let fail = |why| Failure::new(name, why);
        let remote = |error| fail(Why::Remote(error));
        let found = self.patiently(|fleet| fleet.unit(name)).map_err(remote)?;
        if is_done(found.as_ref(), after) {
            return Ok(());
        }
        if !is_expected(part, found.as_ref()) {
            return Err(fail(Why::Changed));
        }
        let has_text = |found: &ObservedUnit| found.hash == after.text.hash;
        if found.as_ref().is_some_and(has_text) {
            self.tell(name, after.state).map_err(remote)?;
            return self.check(name, after);
        }
        let unit = FleetUnit::parse(&after.text.text).map_err(|complaint| {
            let error = CommandError::trouble(format!("fleet could not read `{name}`"));
            remote(error.because(complaint.to_string()))
        })?;
        // A release before 0.13 never replaces a text, but would begin to run the one that it has.
        let replaces = self.fleet.release().and_then(Release::replaces_content);
        if found.is_some() && replaces == Some(false) {
            return self.recreate(part, &unit, after, limit);
        }
        let written = self.write(part, &unit, after)?;
        match (written, replaces) {
            (Written::Kept, None) => self.recreate(part, &unit, after, limit),
            (Written::Kept | Written::Done, _) => self.check(name, after),
        }
    }

    /// Deletes a unit, and stores it anew when no machine has it any more.
    fn recreate(
        &mut self,
        part: &Part,
        unit: &FleetUnit,
        after: &After,
        limit: Duration,
    ) -> Result<(), Box<Failure>> {
        let name = &part.unit;
        self.has_sent = true;
        self.patiently(|fleet| fleet.delete(name))
            .map_err(|error| Failure::new(name, Why::Remote(error)))?;
        self.wait_until(name, Awaited::Gone, limit, |sight| sight.states.is_empty())?;
        let gone = Part {
            before: None,
            ..part.clone()
        };
        self.write(&gone, unit, after)?;
        self.check(name, after)
    }

    /// Stores a text. Where the answer did not come, what the registry has decides.
    fn write(
        &mut self,
        part: &Part,
        unit: &FleetUnit,
        after: &After,
    ) -> Result<Written, Box<Failure>> {
        let name = &part.unit;
        let remote = |error| Failure::new(name, Why::Remote(error));
        let began = self.rules.time.now();
        let mut pause = LOOK_MINIMUM;
        self.has_sent = true;
        loop {
            let sent = self.fleet.put(name, unit, after.state);
            let found = self.patiently(|fleet| fleet.unit(name)).map_err(remote)?;
            match sent {
                Ok(Put::Stored) => return Ok(Written::Done),
                _ if is_done(found.as_ref(), after) => return Ok(Written::Done),
                Ok(Put::Kept) => return Ok(Written::Kept),
                Err(error) if !error.may_pass || self.waited(began) >= self.rules.patience => {
                    return Err(remote(error));
                }
                Err(_) if !is_expected(part, found.as_ref()) => {
                    return Err(Failure::new(name, Why::Changed));
                }
                Err(_) => {
                    self.rules.time.pause(pause);
                    pause = (pause * 2).min(LOOK_MAXIMUM);
                }
            }
        }
    }

    /// Tells fleet what to do with a unit that it has.
    pub(super) fn tell(&mut self, name: &RegistryName, state: State) -> Result<(), CommandError> {
        self.has_sent = true;
        self.patiently(|fleet| fleet.set_state(name, state))
    }

    /// Makes sure that the registry has what it was given. What fleet wrote may take a moment until it reads
    /// it.
    fn check(&mut self, name: &RegistryName, after: &After) -> Result<(), Box<Failure>> {
        let fail = |error| Failure::new(name, Why::Remote(error));
        for _ in 0..READINGS {
            let found = self.patiently(|fleet| fleet.unit(name)).map_err(fail)?;
            if is_done(found.as_ref(), after) {
                return Ok(());
            }
            self.rules.time.pause(LOOK_MINIMUM);
        }
        let error = CommandError::remote(format!("can't make `{name}` {}", after.state));
        Err(fail(
            error.because("fleet said that it was done, and it was not"),
        ))
    }

    /// Tells a unit to do something else, unless it is not what it was.
    pub(super) fn turn(&mut self, part: &Part, state: State) -> Result<(), Box<Failure>> {
        let name = &part.unit;
        let fail = |why| Failure::new(name, why);
        let remote = |error| fail(Why::Remote(error));
        let found = self.patiently(|fleet| fleet.unit(name)).map_err(remote)?;
        let Some(found) = found else {
            return Ok(());
        };
        if found.desired == SeenState::Known(state) {
            return Ok(());
        }
        if !is_expected(part, Some(&found)) {
            return Err(fail(Why::Changed));
        }
        self.tell(name, state).map_err(remote)
    }

    /// Deletes a unit that runs nowhere, and makes sure of it.
    pub(super) fn destroy(&mut self, part: &Part) -> Result<(), Box<Failure>> {
        let name = &part.unit;
        let fail = |why| Failure::new(name, why);
        let remote = |error| fail(Why::Remote(error));
        for _ in 0..READINGS {
            let found = self.patiently(|fleet| fleet.unit(name)).map_err(remote)?;
            let Some(found) = found else {
                return Ok(());
            };
            let has_text = part
                .before
                .as_ref()
                .is_some_and(|before| before.hash == found.hash);
            if !has_text || found.desired.asks_something() {
                return Err(fail(Why::Changed));
            }
            self.has_sent = true;
            self.patiently(|fleet| fleet.delete(name)).map_err(remote)?;
            self.rules.time.pause(LOOK_MINIMUM);
        }
        let error = CommandError::remote(format!("can't delete `{name}`"));
        Err(remote(
            error.because("fleet said that it was done, and it was not"),
        ))
    }

    /// Waits until a unit is as it is to be.
    pub(super) fn wait_until(
        &mut self,
        name: &RegistryName,
        what: Awaited,
        limit: Duration,
        is_so: impl Fn(&Sight) -> bool,
    ) -> Result<Sight, Box<Failure>> {
        let began = self.rules.time.now();
        let mut pause = LOOK_MINIMUM;
        loop {
            let sight = self.sight(name);
            let sight = sight.map_err(|error| Failure::new(name, Why::Remote(error)))?;
            if is_so(&sight) {
                return Ok(sight);
            }
            let time = self.waited(began);
            if time >= limit {
                let why = Why::TimedOut {
                    what,
                    time,
                    health: None,
                };
                return Err(Failure::new(name, why).with(sight));
            }
            self.rules.time.pause(pause);
            pause = (pause * 2).min(LOOK_MAXIMUM);
        }
    }

    /// Finds out why no machine has a unit, as far as that can be known.
    pub(super) fn why_unplaced(&mut self, name: &RegistryName) -> Option<String> {
        let observed = self.patiently(Fleet::observe).ok()?;
        let unit = observed.units.get(name)?;
        let candidate = Candidate {
            unit: name.clone(),
            constraints: Constraints::read(&unit.unit, name.as_str()),
            ports: Vec::new(),
            machine: None,
        };
        let others = observed.units.values();
        let others = others.filter(|one| one.desired.asks_something() && one.name != *name);
        let mut occupants = Vec::new();
        for one in others {
            let constraints = Constraints::read(&one.unit, one.name.as_str());
            let machines = observed.machines_of(&one.name).into_iter();
            occupants.extend(machines.map(|machine| Occupant {
                unit: one.name.clone(),
                constraints: constraints.clone(),
                machine: machine.clone(),
            }));
        }
        let found = unplaceable(&[candidate], &occupants, &observed.machines);
        found.first().map(|found| found.reason.to_string())
    }
}

fn is_done(found: Option<&ObservedUnit>, after: &After) -> bool {
    found.is_some_and(|found| {
        found.hash == after.text.hash && found.desired == SeenState::Known(after.state)
    })
}

/// Tells whether the registry has of a unit what a step counts on. What was not there, and has been stored
/// since without being told anything, is as good.
fn is_expected(part: &Part, found: Option<&ObservedUnit>) -> bool {
    match (&part.before, found) {
        (None, None) => true,
        (Some(_), None) => false,
        (None, Some(found)) => {
            let after = part.after.as_ref();
            let has_text = after.is_some_and(|after| after.text.hash == found.hash);
            has_text && !found.desired.asks_something()
        }
        (Some(before), Some(found)) => {
            // A file that nothing was asked of may have been stored anew by this very run.
            let after = part.after.as_ref().map(|after| &after.text.hash);
            let is_idle = !before.told.asks_something() && !found.desired.asks_something();
            let has_text = before.hash == found.hash || is_idle && after == Some(&found.hash);
            has_text && before.told == found.desired
        }
    }
}
