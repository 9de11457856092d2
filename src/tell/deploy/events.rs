//! What a rollout does, as events for programs: one JSON value a line, while it happens.
//!
//! In: plans, steps, and what became of them. Out: lines, which only a new `format_version` takes a key
//! from.
//!
//! Each event has `event`, its kind:
//!
//! - `begin`: `format_version` (1); the `cluster`; the `action` (`deploy`, `restart`, `rollback to 3`); whether
//!   it is only a `dry_run`; whether there is `etcd`, for the lock and the releases; and the `processes` that
//!   have steps, each with `app`, `process`, the number of `steps`, how many instances are `wanted`, how
//!   many are alive at `least` and there at `most`, and the bounds (`min_alive`, `max_growth`, `ready_secs`,
//!   `timeout_secs`, `max_failures`, `health`).
//! - `step`: a unit file that is stored or destroyed, as `submit --format json` writes it.
//! - `instance`: a step of an instance: `app`, `process`, its `number` from 1, the `instance`, the `units`, the
//!   `action` (`start`, `replace`, `restart`, `wait`, `stop`, `destroy`), the `reason` (a word of `diff`,
//!   `asked`, or `unproven`), the instance that it `makes_room_for`, and its `outcome`, which is one of `planned` under
//!   `--dry-run`, `began`, `done` (with the `seconds` that it took), `failed`, `unfinished` and `not_tried`. A
//!   `failure` has the `unit`, a `kind` (`failed`, `crashes`, `ended`, `unplaced`, `changed`, `timed_out`,
//!   `too_few`, `remote`), a `message` and `causes`.
//! - `seen`: a `unit` is another than before: what fleet was `told`, what it says is `current`, the `machine`
//!   that it gave it to, the `states` on machines (`machine`, `hash`, `load`, `active`, `sub`), and the
//!   `seconds` that it is waited for.
//! - `release`: of an `app`: its `number`, and whether it is `begun`, `complete` or `failed`.
//! - `end`: the exit `code`, how many steps were `done`, `failed`, `unfinished`, `not_tried`, why it ended early
//!   (`stop`: `failures`, `interrupted`, `barred`), and the `message` of that.

use std::time::Duration;

use serde_json::{Value, json};

use crate::deploy::{Failure, Outcome, Stop, Why};
use crate::journal::{Journal, Outcome as Ending};
use crate::overrides::Override;
use crate::rollout::watch::Sight;
use crate::rollout::{Plan, ProcessPlan, Step};
use crate::secrecy::masked;
use crate::state::RegistryName;
use crate::tell::json::escaped;

/// What a run is about to do.
pub struct Beginning<'a> {
    /// The cluster.
    pub cluster: &'a str,
    /// What is done.
    pub action: &'a str,
    /// Whether nothing is changed.
    pub is_dry: bool,
    /// Whether there are locks and releases.
    pub has_etcd: bool,
    /// The steps.
    pub plan: &'a Plan,
}

/// Returns the first event.
#[must_use]
pub fn begin(beginning: &Beginning<'_>) -> String {
    let processes = beginning.plan.processes.iter().map(|process| {
        let bounds = &process.bounds;
        json!({
            "app": process.app,
            "process": process.process,
            "steps": process.steps.len(),
            "wanted": process.wanted,
            "least": process.range.0,
            "most": process.range.1,
            "min_alive": bounds.min_alive,
            "max_growth": bounds.max_growth,
            "ready_secs": bounds.ready.as_secs(),
            "timeout_secs": bounds.timeout.as_secs(),
            "max_failures": bounds.max_failures,
            "health": bounds.health.as_deref().map(masked),
        })
    });
    event(&json!({
        "event": "begin",
        "format_version": 1,
        "cluster": beginning.cluster,
        "action": beginning.action,
        "dry_run": beginning.is_dry,
        "etcd": beginning.has_etcd,
        "processes": processes.collect::<Vec<_>>(),
    }))
}

/// What is told of a step.
pub enum Stage<'a> {
    /// It is to be done.
    Planned,
    /// It begins.
    Began,
    /// It ended.
    Ended(&'a Outcome),
}

/// Returns the event of a step, by its place.
#[must_use]
pub fn instance(process: &ProcessPlan, at: usize, step: &Step, stage: &Stage<'_>) -> String {
    let (word, seconds, failure) = match stage {
        Stage::Planned => ("planned", None, None),
        Stage::Began => ("began", None, None),
        Stage::Ended(Outcome::Done(took)) => ("done", Some(took.as_secs()), None),
        Stage::Ended(Outcome::Failed(failure)) => ("failed", None, Some(failure_value(failure))),
        Stage::Ended(Outcome::Unfinished) => ("unfinished", None, None),
        Stage::Ended(Outcome::NotTried) => ("not_tried", None, None),
    };
    let units = step.parts.iter().map(|part| part.unit.as_str());
    event(&json!({
        "event": "instance",
        "app": process.app,
        "process": process.process,
        "number": at + 1,
        "instance": step.instance.as_str(),
        "units": units.collect::<Vec<_>>(),
        "action": step.action.word(),
        "reason": step.reason.word(),
        "makes_room_for": step.makes_room_for.as_ref().map(RegistryName::as_str),
        "outcome": word,
        "seconds": seconds,
        "failure": failure,
    }))
}

fn failure_value(failure: &Failure) -> Value {
    let causes = match &failure.why {
        Why::Remote(error) => error.causes(),
        _ => Vec::new(),
    };
    json!({
        "unit": failure.unit.as_str(),
        "kind": failure.word(),
        "message": failure.to_string(),
        "causes": causes,
    })
}

/// Returns the event of a unit that is another than before.
#[must_use]
pub fn seen(unit: &RegistryName, sight: &Sight, waited: Duration) -> String {
    let states = sight.states.iter().map(|(machine, state)| {
        json!({
            "machine": machine.as_str(),
            "hash": state.hash.as_str(),
            "load": state.load,
            "active": state.active,
            "sub": state.sub,
        })
    });
    let found = sight.unit.as_ref();
    event(&json!({
        "event": "seen",
        "unit": unit.as_str(),
        "told": found.map(|found| found.desired.to_string()),
        "current": found.and_then(|found| found.current.as_ref()).map(ToString::to_string),
        "machine": found.and_then(|found| found.machine.as_ref()).map(ToString::to_string),
        "states": states.collect::<Vec<_>>(),
        "seconds": waited.as_secs(),
    }))
}

/// Returns the event of a release.
#[must_use]
pub fn release(app: &str, number: u64, outcome: Ending) -> String {
    let outcome = word(outcome);
    event(&json!({"event": "release", "app": app, "number": number, "outcome": outcome}))
}

/// Returns a value that was set over the manifest's, as `PATH=VALUE`.
fn shown((path, value): (&String, &String)) -> String {
    Override::new(format!("{path}={value}")).to_string()
}

fn word(outcome: Ending) -> &'static str {
    match outcome {
        Ending::Begun => "begun",
        Ending::Complete => "complete",
        Ending::Failed => "failed",
    }
}

/// Returns all releases of an app, as `rollback --list` shows them: `format_version` (1), the `app`, its
/// `releases` with all that `deploy` recorded but the units' texts, and the numbers that are `unreadable`.
#[must_use]
pub fn releases(app: &str, journal: &Journal) -> String {
    let releases = journal.releases.iter().map(|release| {
        let processes = release.goal.processes.iter().map(|process| {
            let instances = process.units.iter().flat_map(|unit| &unit.instances);
            let names = instances.map(|instance| instance.name.as_str());
            let units = process.units.iter().map(|unit| unit.name.as_str());
            json!({
                "process": process.process,
                "units": units.collect::<Vec<_>>(),
                "instances": names.collect::<Vec<_>>(),
            })
        });
        json!({
            "number": release.number,
            "time": release.time,
            "author": release.author,
            "action": release.action,
            "revision": release.revision,
            "set": release.set.iter().map(shown).collect::<Vec<_>>(),
            "config": release.config,
            "outcome": word(release.outcome),
            "undone": release.undone,
            "processes": processes.collect::<Vec<_>>(),
        })
    });
    escaped(&format!(
        "{:#}\n",
        json!({
            "format_version": 1,
            "app": app,
            "releases": releases.collect::<Vec<_>>(),
            "unreadable": journal.unreadable,
        })
    ))
}

/// Returns the last event.
#[must_use]
pub fn end<'a>(
    code: u8,
    outcomes: &(impl Iterator<Item = &'a Outcome> + Clone),
    stop: Option<&Stop>,
) -> String {
    let count =
        |is_meant: fn(&Outcome) -> bool| outcomes.clone().filter(|one| is_meant(one)).count();
    let (word, message) = match stop {
        None => (None, None),
        Some(Stop::Failures) => (Some("failures"), None),
        Some(Stop::Interrupted) => (Some("interrupted"), None),
        Some(Stop::Barred(error)) => (Some("barred"), Some(error.message.as_str())),
    };
    event(&json!({
        "event": "end",
        "code": code,
        "done": count(|one| matches!(one, Outcome::Done(_))),
        "failed": count(|one| matches!(one, Outcome::Failed(_))),
        "unfinished": count(|one| matches!(one, Outcome::Unfinished)),
        "not_tried": count(|one| matches!(one, Outcome::NotTried)),
        "stop": word,
        "message": message,
    }))
}

fn event(value: &Value) -> String {
    escaped(&format!("{value}\n"))
}
