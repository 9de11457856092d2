//! Tasks through fleetctl, in as few calls as possible.
//!
//! Before a call all its units are read, and after it again: fleetctl ends well where it did nothing.
//! What it stores it stores in the order of its arguments, up to the first that fails, so that those
//! behind it were not tried.

mod anew;
mod said;

use crate::clock::{Deadline, pause};
use crate::cluster::fleetctl::{Fleetctl, Outcome as Said};
use crate::error::CommandError;
use crate::interruption::Interruption;
use crate::plan::script::Existing;
use crate::plan::script::shell::UNITS_MAXIMUM;
use crate::state::RegistryName;
use crate::submit::fleetctl::said::{error, is_too_old, may_go_on, may_pass};
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
        has_called: false,
    };
    let (destroyed, stored): (Vec<usize>, Vec<usize>) =
        (0..tasks.len()).partition(|at| tasks[*at].destroys());
    if batch.store(&stored) {
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
    /// Whether fleetctl was called since all units were read.
    has_called: bool,
}

impl Batch<'_> {
    /// Stores units: first those that are new, by a call that replaces nothing, whatever has come about
    /// meanwhile. Tells whether all came to a good end.
    fn store(&mut self, numbers: &[usize]) -> bool {
        let Some(pending) = self.guarded(numbers) else {
            return false;
        };
        let (replaced, created): (Vec<usize>, Vec<usize>) =
            pending.iter().partition(|at| self.replaces(**at));
        let release = self.reader.release();
        let is_old = release.and_then(|release| release.replaces_content()) == Some(false);
        if !self.run(Verb::Submit(Existing::Keep), &created) {
            return false;
        }
        if is_old {
            return self.recreate(&replaced);
        }
        self.run(Verb::Submit(Existing::Replace), &replaced)
    }

    fn destroy(&mut self, numbers: &[usize]) -> bool {
        let Some(pending) = self.guarded(numbers) else {
            return false;
        };
        self.has_called = false;
        self.run(Verb::Destroy, &pending)
    }

    /// Returns what is left to be done; `None` where anything stands in the way of any of it.
    fn guarded(&mut self, numbers: &[usize]) -> Option<Vec<usize>> {
        let Some(&first) = numbers.first() else {
            return Some(Vec::new());
        };
        let interruption = self.rules.interruption.clone();
        let read = match self.read(numbers, &interruption) {
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

    /// Does units, as many at a time as one call takes. Tells whether all came to a good end.
    fn run(&mut self, verb: Verb, numbers: &[usize]) -> bool {
        numbers.chunks(UNITS_MAXIMUM).all(|part| {
            // What was read before an earlier call may have changed since.
            let pending = if self.has_called {
                self.guarded(part)
            } else {
                Some(part.to_vec())
            };
            let is_asked = self.rules.interruption.is_asked();
            pending.is_some_and(|pending| {
                pending.is_empty() || !is_asked && self.run_part(verb, pending)
            })
        })
    }

    /// Calls fleetctl until all is done or there is no hope. Tells whether all is.
    fn run_part(&mut self, verb: Verb, mut pending: Vec<usize>) -> bool {
        let deadline = Deadline::after(self.rules.patience);
        for attempt in 1.. {
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
                return self.recreate(&rest);
            }
            self.witness.heard(&said);
            if deadline.is_over() || !self.has_hope(attempt, &said, &rest, &read) {
                self.give_up(verb, &rest, &said, &read);
                return false;
            }
            pause(backoff(attempt), &self.rules.interruption);
            pending = rest;
        }
        false
    }

    /// Ends what a call did not do. `submit` ends at the first unit that fails, so that those behind it
    /// were not tried, unless it says that all is well, or goes on where nobody sees it; `destroy` goes
    /// on with the others.
    fn give_up(&mut self, verb: Verb, rest: &[usize], said: &Said, read: &Read) {
        let first = rest.first();
        for at in rest {
            let is_tried = verb == Verb::Destroy || said.claims_success() || Some(at) == first;
            let is_tried = is_tried || may_go_on(self.fleetctl, said);
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

    fn call(&mut self, verb: Verb, numbers: &[usize]) -> Result<Said, CommandError> {
        let tasks = self.tasks;
        let names: Vec<&RegistryName> = numbers.iter().map(|at| tasks[*at].name()).collect();
        let word = match verb {
            Verb::Submit(_) => "submit",
            Verb::Destroy => "destroy",
        };
        self.witness.calls(word, names.len());
        self.has_called = true;
        match verb {
            Verb::Destroy => self.fleetctl.destroy(&names),
            Verb::Submit(existing) => self.fleetctl.submit(&self.texts(numbers), existing),
        }
    }

    /// Returns the texts that units are to have.
    fn texts(&self, numbers: &[usize]) -> Vec<(&RegistryName, &str)> {
        let tasks = self.tasks;
        let texts = numbers.iter().filter_map(|at| {
            let text = tasks[*at].step.action.text()?;
            Some((tasks[*at].name(), text.text.as_str()))
        });
        texts.collect()
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
        // This belongs to the call, which a wish for an end does not cut off either.
        match self.read(numbers, &Interruption::default()) {
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

    fn read(
        &mut self,
        numbers: &[usize],
        interruption: &Interruption,
    ) -> Result<Read, CommandError> {
        let tasks = self.tasks;
        let names: Vec<&RegistryName> = numbers.iter().map(|at| tasks[*at].name()).collect();
        self.reader.read(&names, interruption)
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
        self.tasks[at].step.action.is_replace()
    }

    fn name(&self, at: usize) -> &RegistryName {
        self.tasks[at].name()
    }
}
