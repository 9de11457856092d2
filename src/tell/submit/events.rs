//! What submitting does, as events for programs: one JSON value a line, while it happens.
//!
//! In: tasks and their outcomes. Out: lines, which only a new `format_version` takes a key from.
//!
//! Each event has `event`, its kind:
//!
//! - `begin`: `format_version` (1); the `cluster`; `via` (`fleetctl` or `api`); how many `steps` there are;
//!   `held`, units that are to change but run; `surplus`, units that run and nobody wants any more;
//!   `unpruned`, units that do not run, that nobody wants and that stay.
//! - `call`: fleetctl is called: its `command`, and for how many `units`.
//! - `fleetctl`: it did not do all that it should: its `commands`, how it ended (`end`: `exit`, `signal` or
//!   `timeout` in seconds), and what it said on `stdout` and `stderr`, without what looks like a secret.
//! - `step`: `unit`; `action` (`create`, `replace`, `destroy`); `reason` (`new`, `changed`, `reordered`,
//!   `unwanted`); the hashes `before` and `after` it; the `state` that the unit gets; the `place` in the
//!   manifest (`file`, `line`, `column`); and its `outcome`, which is one of
//!   - `done`: it was done and read back,
//!   - `already`: there was nothing to do any more,
//!   - `refused`: the registry did not have what the step counts on: `conflict` has a `kind` (`appeared`,
//!     `gone`, `changed`, `asked`) and a `message`,
//!   - `failed`: `error` has `message`, `causes` and `help`, and `left` says what the registry has now:
//!     `kind` (`untouched`, `absent`, `another`, `told`, `unknown`), of another text its `hash`, and of the new
//!     text what fleet was `told` in place of the `state`,
//!   - `not_tried`, or `planned` under `--dry-run`.
//! - `end`: the exit `code`; how many steps were `done`, `already`, `refused`, `failed`, `not_tried`; how many
//!   unit files were `equal` before; whether somebody `interrupted` it; `stale`, the instances that run with
//!   an older text than their unit's.

use serde_json::{Value, json};

use crate::cluster::fleetctl::{End, Outcome as Said};
use crate::error::CommandError;
use crate::plan::Step;
use crate::plan::file::FilePlace;
use crate::secrecy::masked;
use crate::state::RegistryName;
use crate::submit::{Left, Outcome, Report, Task};
use crate::tell::json::escaped;

/// What a run is about to do.
pub struct Beginning<'a> {
    /// The cluster.
    pub cluster: &'a str,
    /// By which way it is changed.
    pub via: &'a str,
    /// The tasks.
    pub tasks: &'a [Task],
    /// Units that are to change, but run.
    pub held: &'a [RegistryName],
    /// What runs and nobody wants any more.
    pub surplus: &'a [RegistryName],
    /// Units that nobody wants and that stay.
    pub unpruned: &'a [RegistryName],
}

/// Returns the first event.
#[must_use]
pub fn begin(beginning: &Beginning<'_>) -> String {
    let Beginning {
        cluster,
        via,
        tasks,
        held,
        surplus,
        unpruned,
    } = beginning;
    event(&json!({
        "event": "begin",
        "format_version": 1,
        "cluster": cluster,
        "via": via,
        "steps": tasks.len(),
        "held": names(held),
        "surplus": names(surplus),
        "unpruned": names(unpruned),
    }))
}

/// Returns the event of a fleetctl that is called.
#[must_use]
pub fn call(command: &str, units: usize) -> String {
    event(&json!({"event": "call", "command": command, "units": units}))
}

/// Returns the event of what a fleetctl said that did not do its work.
#[must_use]
pub fn heard(said: &Said) -> String {
    let Said {
        commands,
        end,
        stdout,
        stderr,
    } = said;
    let end = match end {
        End::Exit(status) => json!({"exit": status}),
        End::Signal(signal) => json!({"signal": signal}),
        End::TimedOut(time) => json!({"timeout": time.as_secs_f64()}),
    };
    event(&json!({
        "event": "fleetctl",
        "commands": commands,
        "end": end,
        "stdout": masked(stdout),
        "stderr": masked(stderr),
    }))
}

/// Returns the event of a step: what is planned, or what became of it.
#[must_use]
pub fn step(task: &Task, outcome: Option<&Outcome>, place: Option<&FilePlace>) -> String {
    let Step {
        unit,
        action,
        reason,
    } = &task.step;
    let word = match outcome {
        None => "planned",
        Some(Outcome::Done) => "done",
        Some(Outcome::Already) => "already",
        Some(Outcome::Refused(_)) => "refused",
        Some(Outcome::Failed { .. }) => "failed",
        Some(Outcome::NotTried) => "not_tried",
    };
    let conflict = match outcome {
        Some(Outcome::Refused(conflict)) => {
            json!({"kind": conflict.word(), "message": conflict.about(unit)})
        }
        _ => Value::Null,
    };
    let (error, left) = match outcome {
        Some(Outcome::Failed { error, left }) => (error_value(error), left_value(left)),
        _ => (Value::Null, Value::Null),
    };
    event(&json!({
        "event": "step",
        "unit": unit.as_str(),
        "action": action.word(),
        "reason": reason.word(),
        "outcome": word,
        "before": action.before().map(ToString::to_string),
        "after": action.text().map(|text| text.hash.to_string()),
        "state": task.state.as_str(),
        "place": place,
        "conflict": conflict,
        "error": error,
        "left": left,
    }))
}

/// Returns the last event.
#[must_use]
pub fn end(report: &Report, equal: usize, stale: &[RegistryName]) -> String {
    event(&json!({
        "event": "end",
        "code": report.status().code(),
        "done": report.count(|outcome| matches!(outcome, Outcome::Done)),
        "already": report.count(|outcome| matches!(outcome, Outcome::Already)),
        "refused": report.count(|outcome| matches!(outcome, Outcome::Refused(_))),
        "failed": report.count(|outcome| matches!(outcome, Outcome::Failed { .. })),
        "not_tried": report.count(|outcome| matches!(outcome, Outcome::NotTried)),
        "equal": equal,
        "interrupted": report.is_interrupted,
        "stale": names(stale),
    }))
}

fn error_value(error: &CommandError) -> Value {
    json!({"message": error.message, "causes": error.causes(), "help": error.help})
}

fn left_value(left: &Left) -> Value {
    let (word, hash) = match left {
        Left::Untouched => ("untouched", None),
        Left::Absent => ("absent", None),
        Left::Another(hash) => ("another", Some(hash.to_string())),
        Left::Told(_) => ("told", None),
        Left::Unknown => ("unknown", None),
    };
    let told = match left {
        Left::Told(state) => Some(state.to_string()),
        Left::Untouched | Left::Absent | Left::Another(_) | Left::Unknown => None,
    };
    json!({"kind": word, "hash": hash, "told": told})
}

fn names(names: &[RegistryName]) -> Vec<&str> {
    names.iter().map(RegistryName::as_str).collect()
}

fn event(value: &Value) -> String {
    escaped(&format!("{value}\n"))
}
