//! Tasks through fleetctl, in as few calls as possible.
//!
//! Before a call all its units are read, and after it again: fleetctl ends well where it did nothing.
//! It works through its units in their order and stops at the first that fails, so that those behind it
//! were not tried.

mod said;

use crate::clock::{Deadline, pause};
use crate::cluster::fleetctl::{Fleetctl, Outcome as Said};
use crate::error::CommandError;
use crate::interruption::Interruption;
use crate::plan::Action;
use crate::plan::script::Existing;
use crate::state::RegistryName;
use crate::submit::fleetctl::said::{error, is_too_old, may_pass};
use crate::submit::guard::{Found, Verdict, judge, left};
use crate::submit::reader::{Read, Reader};
use crate::submit::{ATTEMPTS, Left, Outcome, Rules, Task, Witness, backoff};

/// What one call of fleetctl does with its units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Submit(Existing),
    Destroy,
}

/// Does the tasks: first those that store, then those that destroy.
pub(super) fn carry_out(
    tasks: &[Task],
    fleetctl: &Fleetctl,
    reader: &mut dyn Reader,
    rules: &Rules,
    witness: &mut dyn Witness,
) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = tasks.iter().map(|_| Outcome::NotTried).collect();
    let mut batch = Batch {
        tasks,
        fleetctl,
        reader,
        rules,
        witness,
        outcomes: &mut outcomes,
    };
    let first = tasks.iter().position(Task::destroys);
    let first = first.unwrap_or(tasks.len());
    let stored: Vec<usize> = (0..first).collect();
    if batch.store(&stored) {
        let destroyed: Vec<usize> = (first..tasks.len()).collect();
        batch.destroy(&destroyed);
    }
    outcomes
}

struct Batch<'a> {
    tasks: &'a [Task],
    fleetctl: &'a Fleetctl,
    reader: &'a mut dyn Reader,
    rules: &'a Rules,
    witness: &'a mut dyn Witness,
    outcomes: &'a mut Vec<Outcome>,
}

impl Batch<'_> {
    /// Stores units. Tells whether all came to a good end.
    fn store(&mut self, numbers: &[usize]) -> bool {
        let Some(pending) = self.guarded(numbers) else {
            return false;
        };
        let release = self.reader.release();
        let is_old = release.and_then(|release| release.replaces_content()) == Some(false);
        if is_old {
            let (replaced, created): (Vec<usize>, Vec<usize>) =
                pending.iter().partition(|at| self.replaces(**at));
            return self.run(Verb::Submit(Existing::Keep), created) && self.recreate(&replaced);
        }
        let existing = if pending.iter().any(|at| self.replaces(*at)) {
            Existing::Replace
        } else {
            Existing::Keep
        };
        self.run(Verb::Submit(existing), pending)
    }

    fn destroy(&mut self, numbers: &[usize]) -> bool {
        let pending = self.guarded(numbers);
        pending.is_some_and(|pending| self.run(Verb::Destroy, pending))
    }

    /// Returns what is left to be done; `None` where anything stands in the way of any of it.
    fn guarded(&mut self, numbers: &[usize]) -> Option<Vec<usize>> {
        let Some(&first) = numbers.first() else {
            return Some(Vec::new());
        };
        let read = match self.read(numbers) {
            Ok(read) => read,
            Err(error) => {
                let left = Left::Untouched;
                self.end(first, Outcome::Failed { error, left });
                return None;
            }
        };
        let mut pending = Vec::new();
        let mut is_refused = false;
        for &at in numbers {
            match judge(&self.tasks[at], read.get(self.name(at))) {
                Verdict::Proceed => pending.push(at),
                Verdict::Already => self.end(at, Outcome::Already),
                Verdict::Conflict(conflict) => {
                    is_refused = true;
                    self.end(at, Outcome::Refused(conflict));
                }
            }
        }
        let goes_on = !is_refused && (pending.is_empty() || !self.rules.interruption.is_asked());
        goes_on.then_some(pending)
    }

    /// Calls fleetctl until all is done or there is no hope. Tells whether all is.
    fn run(&mut self, verb: Verb, mut pending: Vec<usize>) -> bool {
        let deadline = Deadline::after(self.rules.patience);
        for attempt in 1.. {
            if pending.is_empty() {
                return true;
            }
            let said = match self.call(verb, &pending) {
                Ok(said) => said,
                Err(error) => return self.not_started(&pending, error),
            };
            let Some((rest, read)) = self.undone(&pending, Some(&said)) else {
                return false;
            };
            if rest.is_empty() {
                return true;
            }
            if verb == Verb::Submit(Existing::Replace) && is_too_old(&said) {
                let (replaced, created): (Vec<usize>, Vec<usize>) =
                    rest.iter().partition(|at| self.replaces(**at));
                return self.run(Verb::Submit(Existing::Keep), created) && self.recreate(&replaced);
            }
            self.witness.heard(&said);
            if deadline.is_over() || !self.has_hope(attempt, &said, &rest, &read) {
                self.give_up(&rest, &said, &read);
                return false;
            }
            pause(backoff(attempt), &self.rules.interruption);
            pending = rest;
        }
        false
    }

    /// Ends what a call did not do: where it says that all is well it came to each unit, and else to the
    /// first.
    fn give_up(&mut self, rest: &[usize], said: &Said, read: &Read) {
        let first = rest.first();
        for at in rest {
            let is_tried = said.claims_success() || Some(at) == first;
            if is_tried || !self.is_untouched(*at, read) {
                self.fail(*at, said, read);
            }
        }
    }

    /// Tells whether the same call may do the rest a little later.
    fn has_hope(&self, attempt: usize, said: &Said, rest: &[usize], read: &Read) -> bool {
        attempt < ATTEMPTS
            && may_pass(said)
            && rest.iter().all(|at| self.is_untouched(*at, read))
            && !self.rules.interruption.is_asked()
    }

    fn is_untouched(&self, at: usize, read: &Read) -> bool {
        judge(&self.tasks[at], read.get(self.name(at))) == Verdict::Proceed
    }

    /// Deletes units, waits until no machine has them, and stores them anew: for a fleet that never
    /// replaces a text. What is deleted is stored again, whatever else happens.
    fn recreate(&mut self, numbers: &[usize]) -> bool {
        let Some(pending) = self.guarded(numbers) else {
            return false;
        };
        let (gone, is_well) = self.delete(pending);
        self.wait_until_quiet(&gone);
        self.store_again(gone) && is_well
    }

    /// Deletes units. Returns those that are gone, and whether all are.
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
            let Some(read) = self.read_back(&pending, Some(&said)) else {
                return (gone, false);
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
                self.give_up(&rest, &said, &read);
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

    fn store_again(&mut self, mut pending: Vec<usize>) -> bool {
        for attempt in 1.. {
            if pending.is_empty() {
                return true;
            }
            let said = match self.call(Verb::Submit(Existing::Keep), &pending) {
                Ok(said) => said,
                Err(error) => return self.not_started(&pending, error),
            };
            let Some((rest, read)) = self.undone(&pending, Some(&said)) else {
                return false;
            };
            if rest.is_empty() {
                return true;
            }
            self.witness.heard(&said);
            let is_absent = |at: &usize| !read.contains_key(self.name(*at));
            if attempt == ATTEMPTS || said.claims_success() || !rest.iter().all(is_absent) {
                for at in rest {
                    self.fail(at, &said, &read);
                }
                return false;
            }
            pause(backoff(attempt), &Interruption::default());
            pending = rest;
        }
        false
    }

    fn call(&mut self, verb: Verb, numbers: &[usize]) -> Result<Said, CommandError> {
        let tasks = self.tasks;
        let names: Vec<&RegistryName> = numbers.iter().map(|at| tasks[*at].name()).collect();
        let word = match verb {
            Verb::Submit(_) => "submit",
            Verb::Destroy => "destroy",
        };
        self.witness.calls(word, names.len());
        match verb {
            Verb::Destroy => self.fleetctl.destroy(&names),
            Verb::Submit(existing) => {
                let texts = numbers.iter().filter_map(|at| {
                    let text = tasks[*at].step.action.text()?;
                    Some((tasks[*at].name(), text.text.as_str()))
                });
                let units: Vec<(&RegistryName, &str)> = texts.collect();
                self.fleetctl.submit(&units, existing)
            }
        }
    }

    /// Ends what was done before a call that could not even be started, and the first that was not.
    fn not_started(&mut self, pending: &[usize], error: CommandError) -> bool {
        if let Some((rest, read)) = self.undone(pending, None)
            && let Some(&first) = rest.first()
        {
            let task = &self.tasks[first];
            let left = left(task, read.get(task.name()));
            self.end(first, Outcome::Failed { error, left });
        }
        false
    }

    /// Reads units back and ends those that are done. Returns the others with what was read; `None`
    /// where it can't be read.
    fn undone(&mut self, numbers: &[usize], said: Option<&Said>) -> Option<(Vec<usize>, Read)> {
        let read = self.read_back(numbers, said)?;
        let mut rest = Vec::new();
        for &at in numbers {
            match judge(&self.tasks[at], read.get(self.name(at))) {
                Verdict::Already => self.end(at, Outcome::Done),
                Verdict::Proceed | Verdict::Conflict(_) => rest.push(at),
            }
        }
        Some((rest, read))
    }

    /// Reads units after a call. Where that fails nobody knows what became of any of them.
    fn read_back(&mut self, numbers: &[usize], said: Option<&Said>) -> Option<Read> {
        match self.read(numbers) {
            Ok(read) => Some(read),
            Err(error) => {
                if let Some(said) = said.filter(|said| !said.claims_success()) {
                    self.witness.heard(said);
                }
                let causes = error.causes().join(": ");
                let why = if causes.is_empty() {
                    error.message
                } else {
                    causes
                };
                for &at in numbers {
                    let name = self.name(at);
                    let error = CommandError::remote(format!("can't read `{name}` back"));
                    let error = error.because(why.clone());
                    let left = Left::Unknown;
                    self.end(at, Outcome::Failed { error, left });
                }
                None
            }
        }
    }

    fn read(&mut self, numbers: &[usize]) -> Result<Read, CommandError> {
        let tasks = self.tasks;
        let names: Vec<&RegistryName> = numbers.iter().map(|at| tasks[*at].name()).collect();
        self.reader.read(&names)
    }

    fn fail(&mut self, at: usize, said: &Said, read: &Read) {
        let task = &self.tasks[at];
        let found: Option<&Found> = read.get(task.name());
        let outcome = Outcome::Failed {
            error: error(task, said),
            left: left(task, found),
        };
        self.end(at, outcome);
    }

    fn end(&mut self, at: usize, outcome: Outcome) {
        self.witness.ended(at, &outcome);
        self.outcomes[at] = outcome;
    }

    fn replaces(&self, at: usize) -> bool {
        matches!(self.tasks[at].step.action, Action::Replace { .. })
    }

    fn name(&self, at: usize) -> &RegistryName {
        self.tasks[at].name()
    }
}
