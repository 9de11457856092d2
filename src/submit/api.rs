//! Tasks through fleet's API, several at a time.
//!
//! Each connection takes the next task that nobody has begun: reads the unit, changes it, reads it again.
//! What the answer to a change says is believed in nothing: one that never came may have been done, and
//! a release before 0.13 says that all is well when it has kept the old text.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use crate::clock::{Deadline, pause};
use crate::cluster::fleet::{Fleet, Put};
use crate::error::CommandError;
use crate::interruption::Interruption;
use crate::plan::{Action, Text};
use crate::state::{Release, SeenState};
use crate::submit::guard::{Found, Verdict, judge, left};
use crate::submit::reader::retried;
use crate::submit::{ATTEMPTS, Left, Outcome, Rules, Task, Witness, backoff};
use crate::unit::fleet::FleetUnit;

/// How often it is looked whether a deleted unit is gone from its machine.
const LOOK: Duration = Duration::from_millis(250);

/// How often a unit is read again that is not what fleet said it had become.
const READINGS: usize = 3;

/// Does the tasks, those of a rank only after all of a smaller one.
pub(super) fn carry_out(
    tasks: &[Task],
    fleets: Vec<Fleet>,
    rules: &Rules,
    witness: &mut dyn Witness,
) -> Vec<Outcome> {
    let mut outcomes: Vec<Outcome> = tasks.iter().map(|_| Outcome::NotTried).collect();
    let mut workers: Vec<Worker<'_>> = fleets
        .into_iter()
        .map(|fleet| Worker { fleet, rules })
        .collect();
    let mut first = 0;
    for part in tasks.chunk_by(|one, next| one.rank() == next.rank()) {
        let is_well = together(part, &mut workers, &mut |at, outcome| {
            witness.ended(first + at, &outcome);
            outcomes[first + at] = outcome;
        });
        if !is_well {
            break;
        }
        first += part.len();
    }
    outcomes
}

/// Does tasks in any order. Tells whether all came to a good end.
fn together(
    tasks: &[Task],
    workers: &mut [Worker<'_>],
    ended: &mut dyn FnMut(usize, Outcome),
) -> bool {
    let next = AtomicUsize::new(0);
    let has_failed = AtomicBool::new(false);
    let (sender, receiver) = channel();
    let work = |worker: &mut Worker<'_>, sender: &Sender<(usize, Outcome)>| {
        while !has_failed.load(Ordering::SeqCst) && !worker.rules.interruption.is_asked() {
            let at = next.fetch_add(1, Ordering::SeqCst);
            let Some(task) = tasks.get(at) else { return };
            let outcome = worker.carry_out(task);
            if !outcome.is_good() {
                has_failed.store(true, Ordering::SeqCst);
            }
            // Nobody hears it only where this process is about to end.
            let _ = sender.send((at, outcome));
        }
    };
    let work = &work;
    let mut good = 0;
    thread::scope(|scope| {
        // What runs is taken down one after the other.
        let runs = tasks.iter().any(Task::runs);
        let count = if runs { 1 } else { tasks.len() };
        for worker in workers.iter_mut().take(count) {
            let sender = sender.clone();
            scope.spawn(move || work(worker, &sender));
        }
        drop(sender);
        for (at, outcome) in receiver {
            good += usize::from(outcome.is_good());
            ended(at, outcome);
        }
    });
    good == tasks.len()
}

/// A connection, and what does tasks over it.
struct Worker<'a> {
    fleet: Fleet,
    rules: &'a Rules,
}

/// What came of sending a change.
enum Sent {
    /// fleet says that it was done.
    Taken,
    /// fleet says that it kept the text that it had.
    Kept,
    /// fleet refused it, or nobody knows.
    Failed(CommandError),
}

impl Worker<'_> {
    fn carry_out(&mut self, task: &Task) -> Outcome {
        let deadline = Deadline::after(self.rules.patience);
        let mut attempts = 0;
        let mut readings = 0;
        let mut last = None;
        loop {
            let found = match self.read(task) {
                Ok(found) => found,
                Err(error) => return unread(error, last),
            };
            match (judge(task, found.as_ref()), &last) {
                (Verdict::Already, None) => return Outcome::Already,
                (Verdict::Already, Some(_)) => return Outcome::Done,
                (Verdict::Conflict(conflict), None) => return Outcome::Refused(conflict),
                (Verdict::Conflict(_), Some(_)) => {
                    return failed(
                        task,
                        found.as_ref(),
                        last,
                        || "somebody else changed it meanwhile",
                    );
                }
                (Verdict::Proceed, None) => {}
                (Verdict::Proceed, Some(Sent::Kept)) => {
                    return match &task.step.action {
                        Action::Replace { text, .. } => self.recreate(task, text),
                        Action::Create(_) | Action::Destroy { .. } => {
                            failed(task, found.as_ref(), last, || "fleet did not store it")
                        }
                    };
                }
                (Verdict::Proceed, Some(Sent::Taken)) => {
                    // What fleet wrote may take a moment until it reads it.
                    readings += 1;
                    if readings == READINGS {
                        return failed(
                            task,
                            found.as_ref(),
                            last,
                            || "fleet said that it was done, and it was not",
                        );
                    }
                    pause(backoff(readings), &self.rules.interruption);
                    continue;
                }
                (Verdict::Proceed, Some(Sent::Failed(error))) => {
                    let is_hopeless = !error.may_pass
                        || attempts == ATTEMPTS
                        || deadline.is_over()
                        || self.rules.interruption.is_asked();
                    if is_hopeless {
                        return failed(task, found.as_ref(), last, || "");
                    }
                    pause(backoff(attempts), &self.rules.interruption);
                }
            }
            attempts += 1;
            if let Action::Replace { text, .. } = &task.step.action
                && self.must_recreate(task)
            {
                return self.recreate(task, text);
            }
            last = Some(self.send(task));
        }
    }

    /// Tells whether there is no other way: fleet never replaces a text, or the unit runs.
    fn must_recreate(&self, task: &Task) -> bool {
        let release = self.fleet.release();
        let replaces = release.and_then(Release::replaces_content);
        replaces == Some(false) || task.runs()
    }

    fn read(&mut self, task: &Task) -> Result<Option<Found>, CommandError> {
        self.read_unless(task, &self.rules.interruption)
    }

    fn read_unless(
        &mut self,
        task: &Task,
        interruption: &Interruption,
    ) -> Result<Option<Found>, CommandError> {
        let patience = self.rules.patience;
        let unit = retried(patience, interruption, || self.fleet.unit(task.name()))?;
        Ok(unit.as_ref().map(Found::from))
    }

    fn send(&mut self, task: &Task) -> Sent {
        match &task.step.action {
            Action::Create(text) | Action::Replace { text, .. } => self.put(task, text),
            Action::Destroy { .. } => match self.fleet.delete(task.name()) {
                Ok(_) => Sent::Taken,
                Err(error) => Sent::Failed(error),
            },
        }
    }

    fn put(&mut self, task: &Task, text: &Text) -> Sent {
        let unit = match FleetUnit::parse(&text.text) {
            Ok(unit) => unit,
            Err(complaint) => {
                let name = task.name();
                let error = CommandError::trouble(format!("fleet could not read `{name}`"));
                return Sent::Failed(error.because(complaint.to_string()));
            }
        };
        match self.fleet.put(task.name(), &unit, task.state) {
            Ok(Put::Stored) => Sent::Taken,
            Ok(Put::Kept) => Sent::Kept,
            Err(error) => Sent::Failed(error),
        }
    }

    /// Deletes a unit, waits until no machine has it, and stores it anew. Once it is deleted, nothing
    /// but an error of fleet's keeps it from being stored again.
    fn recreate(&mut self, task: &Task, text: &Text) -> Outcome {
        if let Err(outcome) = self.delete(task) {
            return outcome;
        }
        self.wait_until_gone(task);
        // From here on nobody's wish for an end is heard.
        let calm = Interruption::default();
        let deadline = Deadline::after(self.rules.patience);
        let mut attempts = 0;
        let mut last = Sent::Taken;
        loop {
            let found = match self.read_unless(task, &calm) {
                Ok(found) => found,
                Err(error) if error.may_pass && !deadline.is_over() => {
                    pause(LOOK, &calm);
                    continue;
                }
                Err(error) => return unread(error, Some(last)),
            };
            let is_told = |found: &Found| found.desired == SeenState::Known(task.state);
            let is_stored = |found: &Found| found.hash == text.hash;
            // Who starts a unit meanwhile that was not to run may do so.
            let is_wanted = |found: &Found| is_stored(found) && (is_told(found) || !task.runs());
            if found.as_ref().is_some_and(is_wanted) {
                return Outcome::Done;
            }
            let may_pass = match &last {
                Sent::Taken | Sent::Kept => attempts < ATTEMPTS,
                Sent::Failed(error) => error.may_pass,
            };
            // fleet writes text and state one after the other, and may have come no further.
            let is_free = found.as_ref().is_none_or(is_stored);
            if !is_free || !may_pass || deadline.is_over() {
                return failed(
                    task,
                    found.as_ref(),
                    Some(last),
                    || "fleet said that it was done, and it was not",
                );
            }
            if attempts > 0 {
                pause(backoff(attempts.min(ATTEMPTS)), &calm);
            }
            attempts += 1;
            last = self.put(task, text);
        }
    }

    /// Deletes a unit, and makes sure of it.
    fn delete(&mut self, task: &Task) -> Result<(), Outcome> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let Err(error) = self.fleet.delete(task.name()) else {
                return Ok(());
            };
            let found = match self.read(task) {
                Ok(found) => found,
                Err(second) => return Err(unread(second, Some(Sent::Failed(error)))),
            };
            if found.is_none() {
                return Ok(());
            }
            let still = judge(task, found.as_ref()) == Verdict::Proceed;
            if !still || !error.may_pass || attempts == ATTEMPTS {
                let last = Some(Sent::Failed(error));
                return Err(failed(task, found.as_ref(), last, || ""));
            }
            pause(backoff(attempts), &self.rules.interruption);
        }
    }

    /// Waits until no machine says anything of a unit, but not for ever: one that is away may say what
    /// it last knew.
    fn wait_until_gone(&mut self, task: &Task) {
        let deadline = Deadline::after(self.rules.patience);
        loop {
            let is_gone = match self.fleet.states_of(task.name()) {
                Ok(states) => states.is_empty(),
                // Where this can't be asked, what follows says why.
                Err(error) => !error.may_pass,
            };
            if is_gone || deadline.is_over() || self.rules.interruption.is_asked() {
                return;
            }
            pause(LOOK, &self.rules.interruption);
        }
    }
}

/// Returns the outcome where a unit can't be read: before anything was sent nothing was changed.
fn unread(error: CommandError, last: Option<Sent>) -> Outcome {
    match last {
        None => Outcome::Failed {
            error,
            left: Left::Untouched,
        },
        // Why it could not be done says more than why it can't be read.
        Some(Sent::Failed(first)) => Outcome::Failed {
            error: first,
            left: Left::Unknown,
        },
        Some(Sent::Taken | Sent::Kept) => Outcome::Failed {
            error,
            left: Left::Unknown,
        },
    }
}

/// Returns the outcome of a task by what was read at its end.
fn failed(
    task: &Task,
    found: Option<&Found>,
    last: Option<Sent>,
    otherwise: impl Fn() -> &'static str,
) -> Outcome {
    let error = match last {
        Some(Sent::Failed(error)) => error,
        Some(Sent::Taken | Sent::Kept) | None => {
            let (verb, name) = (task.step.action.word(), task.name());
            CommandError::remote(format!("can't {verb} `{name}`")).because(otherwise())
        }
    };
    Outcome::Failed {
        error,
        left: left(task, found),
    }
}
