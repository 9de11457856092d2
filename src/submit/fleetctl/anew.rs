//! Units that are deleted to be stored anew, for a fleet that never replaces a text.

use crate::clock::{Deadline, pause};
use crate::error::CommandError;
use crate::interruption::Interruption;
use crate::plan::script::Existing;
use crate::state::RegistryName;
use crate::submit::fleetctl::said::may_pass;
use crate::submit::fleetctl::{Batch, Verb};
use crate::submit::guard::{Verdict, judge};
use crate::submit::{ATTEMPTS, Left, Outcome, backoff};

impl Batch<'_> {
    /// Deletes units, waits until no machine has them, and stores them anew: for a fleet that never
    /// replaces a text. What is deleted is stored again, whatever else happens: where it can't be read
    /// whether a unit is gone, storing it does no harm to one that is not.
    pub(super) fn recreate(&mut self, numbers: &[usize]) -> bool {
        let Some(pending) = self.guarded(numbers) else {
            return false;
        };
        if let Some(&first) = pending.first()
            && let Err(error) = self.fleetctl.check_room(&self.texts(&pending))
        {
            let left = Left::Untouched;
            self.end(first, Outcome::Failed { error, left });
            return false;
        }
        let (gone, is_well) = self.delete(pending);
        self.wait_until_quiet(&gone);
        self.store_again(gone) && is_well
    }

    /// Deletes units. Returns those that are gone, or may be, and whether all are.
    fn delete(&mut self, mut pending: Vec<usize>) -> (Vec<usize>, bool) {
        let deadline = Deadline::after(self.rules.patience);
        let mut gone = Vec::new();
        for attempt in 1.. {
            let Some(&first) = pending.first() else {
                break;
            };
            let said = match self.call(Verb::Destroy, &pending) {
                Ok(said) => said,
                Err(error) => {
                    let left = Left::Untouched;
                    self.end(first, Outcome::Failed { error, left });
                    return (gone, false);
                }
            };
            let Ok(read) = self.read(&pending, &Interruption::default()) else {
                self.witness.heard(&said);
                gone.extend(pending);
                break;
            };
            let is_there = |at: &usize| read.contains_key(self.name(*at));
            let (rest, done): (Vec<usize>, Vec<usize>) =
                pending.iter().partition(|at| is_there(at));
            gone.extend(done);
            if rest.is_empty() {
                break;
            }
            self.witness.heard(&said);
            if deadline.is_over() || !self.has_hope(attempt, &said, &rest, &read) {
                self.give_up(Verb::Destroy, &rest, &said, &read);
                return (gone, false);
            }
            pause(backoff(attempt), &self.rules.interruption);
            pending = rest;
        }
        (gone, true)
    }

    fn wait_until_quiet(&mut self, numbers: &[usize]) {
        let deadline = Deadline::after(self.rules.patience);
        let tasks = self.tasks;
        let names: Vec<&RegistryName> = numbers.iter().map(|at| tasks[*at].name()).collect();
        // Where this can't be asked, what follows says why.
        while !self.reader.is_quiet(&names).unwrap_or(true) {
            if deadline.is_over() || self.rules.interruption.is_asked() {
                return;
            }
            pause(backoff(1), &self.rules.interruption);
        }
    }

    /// Stores what was deleted, for as long as there is patience. What turns out to be there is not
    /// replaced.
    fn store_again(&mut self, mut pending: Vec<usize>) -> bool {
        let calm = Interruption::default();
        let deadline = Deadline::after(self.rules.patience);
        let mut is_well = true;
        for attempt in 1.. {
            if pending.is_empty() {
                return is_well;
            }
            let said = match self.call(Verb::Submit(Existing::Keep), &pending) {
                Ok(said) => said,
                Err(error) => {
                    self.fail_all(&pending, &error);
                    return false;
                }
            };
            let Ok(read) = self.read(&pending, &calm) else {
                if deadline.is_over() {
                    // Read once more, so that each has its reason.
                    return self
                        .undone(&pending, Some(&said))
                        .is_some_and(|(rest, _)| rest.is_empty());
                }
                pause(backoff(ATTEMPTS), &calm);
                continue;
            };
            let has_hope = !deadline.is_over() && (may_pass(&said) || attempt < ATTEMPTS);
            let mut rest = Vec::new();
            for at in pending {
                match judge(&self.tasks[at], read.get(self.name(at))) {
                    Verdict::Already => self.end(at, Outcome::Done),
                    _ if has_hope && !read.contains_key(self.name(at)) => rest.push(at),
                    _ => {
                        is_well = false;
                        self.fail(at, &said, &read);
                    }
                }
            }
            if !rest.is_empty() || !is_well {
                self.witness.heard(&said);
            }
            if !rest.is_empty() {
                pause(backoff(attempt.min(ATTEMPTS)), &calm);
            }
            pending = rest;
        }
        false
    }

    fn fail_all(&mut self, numbers: &[usize], error: &CommandError) {
        for &at in numbers {
            let name = self.name(at);
            let message = format!("can't store `{name}` again, which was deleted for it");
            let mut own = CommandError::trouble(message).because(error.text());
            own.status = error.status;
            let left = Left::Absent;
            self.end(at, Outcome::Failed { error: own, left });
        }
    }
}
