//! The systemd of each machine: what runs there, and what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use crate::fleet_server::fate::{Fate, Phase};
use crate::fleet_server::history::Change;
use crate::fleet_server::registry::{Running, World};
use crate::fleet_server::text::Text;

/// A unit of a machine.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    /// The text that the agent wrote.
    pub(super) text: Arc<Text>,
    /// The text that runs, which is an older one while it stops.
    running: Arc<Text>,
    /// Whether the agent has it. Else it is only about to stop.
    pub(super) is_kept: bool,
    /// Whether the agent started it, whatever became of it.
    pub(super) is_launched: bool,
    pub(super) load: String,
    pub(super) active: String,
    pub(super) sub: String,
    /// What the agent said of it last.
    pub(super) said: Option<Running>,
    fate: Fate,
    phase: usize,
    /// When something becomes of it.
    pub(super) due: Option<Duration>,
    start: Start,
}

/// Whether a unit is still to be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// It is not.
    None,
    /// When it has stopped.
    Stopped,
    /// When what it is bound to is up.
    Bound,
}

impl Process {
    /// Tells whether it is at work, or about to be.
    fn is_busy(&self) -> bool {
        self.active == "active" || self.is_starting() || self.is_stopping()
    }

    fn is_starting(&self) -> bool {
        self.active == "activating" && self.sub != "auto-restart"
    }

    fn is_stopping(&self) -> bool {
        self.active == "deactivating"
    }
}

impl World {
    /// Gives a machine a unit, which does not start it.
    pub(super) fn load(&mut self, index: usize, name: &str, text: &Arc<Text>) {
        let host = &mut self.hosts[index];
        host.dropped.remove(name);
        let processes = &mut host.processes;
        let process = processes.entry(name.to_owned()).or_insert_with(|| Process {
            text: Arc::clone(text),
            running: Arc::clone(text),
            is_kept: true,
            is_launched: false,
            load: "loaded".to_owned(),
            active: "inactive".to_owned(),
            sub: "dead".to_owned(),
            said: None,
            fate: Fate::runs(),
            phase: 0,
            due: None,
            start: Start::None,
        });
        process.text = Arc::clone(text);
        process.is_kept = true;
        process.is_launched = false;
        self.record(index, name);
    }

    /// Takes a unit from a machine, once it has stopped.
    pub(super) fn unload(&mut self, index: usize, name: &str) {
        let process = self.process(index, name).unwrap();
        process.is_kept = false;
        process.is_launched = false;
        process.said = None;
        self.stop(index, name);
        self.forget_stopped(index, name);
    }

    fn process(&mut self, index: usize, name: &str) -> Option<&mut Process> {
        self.hosts[index].processes.get_mut(name)
    }

    /// Starts a unit, by whomever.
    pub(crate) fn start(&mut self, index: usize, name: &str) {
        let Some(process) = self.process(index, name) else {
            return;
        };
        if process.is_stopping() {
            process.start = Start::Stopped;
        }
        if process.is_busy() || !process.is_kept {
            return;
        }
        let text = Arc::clone(&process.text);
        process.start = Start::Bound;
        for bound in &text.binds_to {
            let Some(other) = self.process(index, bound).filter(|other| other.is_kept) else {
                // There is none to be bound to.
                self.process(index, name).unwrap().start = Start::None;
                return;
            };
            if !other.is_busy() {
                self.start(index, bound);
            }
        }
        self.begin(index, name);
    }

    /// Lets a unit begin that is to be started, once what it is bound to is up.
    fn begin(&mut self, index: usize, name: &str) {
        let processes = &self.hosts[index].processes;
        let Some(process) = processes.get(name).filter(|it| it.start == Start::Bound) else {
            return;
        };
        let text = Arc::clone(&process.text);
        let is_up = |bound: &String| processes.get(bound).is_some_and(|it| it.active == "active");
        if !text.binds_to.iter().all(is_up) {
            return;
        }
        let fate = self.fates.of(name, &text, self.clock.passes());
        let process = self.process(index, name).unwrap();
        process.start = Start::None;
        process.running = text;
        process.fate = fate;
        self.enter(index, name, 0);
    }

    /// Enters a phase, with all that follows from it.
    fn enter(&mut self, index: usize, name: &str, phase: usize) {
        let (now, passes) = (self.clock.now, self.clock.passes());
        let process = self.process(index, name).unwrap();
        let fate = &process.fate;
        // Where no time passes it comes to its end at once.
        let last = fate.phases.len() - 1;
        let phase = if passes { phase } else { last };
        let was_pausing = process.sub == "auto-restart";
        let Phase {
            load,
            active,
            sub,
            lasts,
        } = fate.phases[phase].clone();
        process.phase = phase;
        process.due = lasts.filter(|_| passes).map(|time| now + time);
        (process.load, process.active, process.sub) = (load, active, sub);
        let begins = process.active == "active" || process.is_starting();
        let begins = begins && (phase == 0 || was_pausing);
        self.record(index, name);
        if begins {
            let wants = self.process(index, name).unwrap().text.wants.clone();
            for wanted in wants {
                self.start(index, &wanted);
            }
        }
        self.follow(index, name);
    }

    /// Starts what waits for a unit, or stops what is bound to it.
    fn follow(&mut self, index: usize, name: &str) {
        let processes = &self.hosts[index].processes;
        let process = processes.get(name);
        let is_up = process.is_some_and(|process| process.active == "active");
        let is_coming = process.is_some_and(Process::is_starting);
        let bound = |process: &Process| process.text.binds_to.iter().any(|to| to == name);
        let bound = processes.iter().filter(|(_, process)| bound(process));
        let bound: Vec<String> = bound.map(|(name, _)| name.clone()).collect();
        for name in bound {
            if is_up {
                self.begin(index, &name);
            } else if !is_coming {
                self.process(index, &name).unwrap().start = Start::None;
                self.stop(index, &name);
            }
        }
    }

    /// Stops a unit, by whomever. What has failed is left so.
    pub(crate) fn stop(&mut self, index: usize, name: &str) {
        let (now, passes) = (self.clock.now, self.clock.passes());
        let Some(process) = self.process(index, name) else {
            return;
        };
        process.start = Start::None;
        if matches!(process.active.as_str(), "inactive" | "failed") || process.is_stopping() {
            return;
        }
        let time = process.fate.stops_in;
        if process.is_busy() && passes && !time.is_zero() {
            process.due = Some(now + time);
            (process.active, process.sub) = ("deactivating".into(), "stop-sigterm".into());
            self.record(index, name);
            self.follow(index, name);
        } else {
            self.end(index, name);
        }
    }

    /// Lets a unit have stopped.
    fn end(&mut self, index: usize, name: &str) {
        let process = self.process(index, name).unwrap();
        process.due = None;
        (process.active, process.sub) = ("inactive".into(), "dead".into());
        let starts_again = process.start == Start::Stopped;
        process.start = Start::None;
        self.record(index, name);
        self.follow(index, name);
        self.forget_stopped(index, name);
        if starts_again {
            self.start(index, name);
        }
    }

    fn forget_stopped(&mut self, index: usize, name: &str) {
        let processes = &mut self.hosts[index].processes;
        let is_over = |process: &Process| !process.is_kept && !process.is_stopping();
        if processes.get(name).is_some_and(is_over) {
            processes.remove(name);
            self.record(index, name);
        }
    }

    /// Does what is due of a unit.
    pub(super) fn go_on(&mut self, index: usize, name: &str) {
        let process = self.process(index, name).unwrap();
        process.due = None;
        if process.is_stopping() {
            return self.end(index, name);
        }
        let next = process.phase + 1;
        let again = process.fate.again;
        let next = Some(next).filter(|next| *next < process.fate.phases.len());
        if let Some(next) = next.or(again) {
            self.enter(index, name, next);
        }
    }

    /// Takes the power from a machine.
    pub(crate) fn kill(&mut self, index: usize) {
        let host = &mut self.hosts[index];
        host.is_dead = true;
        let names: Vec<String> = host.processes.keys().cloned().collect();
        host.processes.clear();
        host.dropped.clear();
        host.rounds.expiry = Some(self.clock.now + crate::fleet_server::clock::EXPIRY);
        for name in names {
            self.record(index, &name);
        }
    }

    /// Gives it back to a machine, which begins with nothing.
    pub(crate) fn revive(&mut self, index: usize) {
        let host = &mut self.hosts[index];
        host.is_dead = false;
        host.is_gone = false;
        host.wedged = false;
    }

    /// Notes what a unit of a machine does now.
    fn record(&mut self, index: usize, name: &str) {
        let now = self.clock.now;
        let host = &mut self.hosts[index];
        let process = host.processes.get(name);
        let text = |text: fn(&Process) -> &String| process.map(text).cloned().unwrap_or_default();
        let change = Change {
            at: now,
            unit: name.to_owned(),
            machine: host.id.clone(),
            hash: text(|process| &process.running.hash),
            load: text(|process| &process.load),
            active: text(|process| &process.active),
            sub: text(|process| &process.sub),
        };
        self.history.add(change);
        host.rounds.has_news = true;
    }
}
