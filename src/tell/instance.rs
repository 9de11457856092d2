//! What is said of an instance that is not as it should be, and of what putting units right does.
//!
//! In: an instance of a diff, or an effect. Out: words.

use crate::diff::instances::{Condition, Effect, InstanceDiff};
use crate::state::{MachineId, SeenState, UnitState};
use crate::tell::count;
use crate::visible::line;

/// Returns the mark before its name: `+` has to come, `-` to go, `!` does not run, `~` is not as it
/// should be.
#[must_use]
pub fn mark(instance: &InstanceDiff) -> char {
    let marks = instance.conditions.iter().map(|condition| match condition {
        Condition::Missing { .. } => '+',
        Condition::Surplus { .. } => '-',
        Condition::Failed { .. }
        | Condition::Down { .. }
        | Condition::Silent { .. }
        | Condition::Unplaced => '!',
        Condition::Stale | Condition::State { .. } | Condition::Behind { .. } => '~',
    });
    marks.min().unwrap_or('~')
}

/// Says what is not as it should be.
#[must_use]
pub fn words(instance: &InstanceDiff) -> String {
    let told = |state: &SeenState| match state {
        SeenState::Known(state) => state.to_string(),
        SeenState::Unknown(word) => format!("`{}`", line(word)),
    };
    let conditions = instance.conditions.iter().map(|condition| match condition {
        Condition::Missing { wanted } => format!("missing, is to be {wanted}"),
        Condition::Surplus { found } => format!("unwanted, is {}", told(found)),
        Condition::Stale => "stale".to_owned(),
        Condition::State { wanted, found } => format!("is {}, should be {wanted}", told(found)),
        Condition::Behind { machine } => {
            format!("{} still has another text", line(machine.short()))
        }
        Condition::Failed { machine, state } => {
            format!("{} on {}", systemd(state), line(machine.short()))
        }
        Condition::Down { machine, state } => {
            format!(
                "{} on {}, should run",
                systemd(state),
                line(machine.short())
            )
        }
        Condition::Silent { machine } => {
            format!(
                "{} was given it and says nothing of it",
                line(machine.short())
            )
        }
        Condition::Unplaced => "no machine has it".to_owned(),
    });
    let mut words: Vec<String> = conditions.collect();
    let names_machine = |condition: &Condition| {
        matches!(
            condition,
            Condition::Failed { .. }
                | Condition::Down { .. }
                | Condition::Silent { .. }
                | Condition::Behind { .. }
        )
    };
    if !instance.machines.is_empty() && !instance.conditions.iter().any(names_machine) {
        words.push(on(&instance.machines));
    }
    words.join(", ")
}

/// Names machines, the first few of many.
#[must_use]
pub fn on(machines: &[MachineId]) -> String {
    const SHOWN: usize = 3;
    let names: Vec<String> = machines
        .iter()
        .take(SHOWN)
        .map(|id| line(id.short()))
        .collect();
    let rest = match machines.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("on {}{rest}", names.join(", "))
}

/// Returns systemd's words, those left out that go without saying.
#[must_use]
pub fn systemd(state: &UnitState) -> String {
    let UnitState {
        hash: _,
        load,
        active,
        sub,
    } = state;
    let words = match (load.as_str(), active == sub) {
        ("loaded" | "", true) => active.clone(),
        ("loaded" | "", false) => format!("{active} ({sub})"),
        _ => format!("{load}, {active} ({sub})"),
    };
    line(&words)
}

/// Says what putting things right does to what runs; nothing where there is nothing to say.
#[must_use]
pub fn effect(effect: Effect) -> Option<String> {
    let Effect {
        starts,
        restarts,
        stops,
    } = effect;
    let part = |number: usize, verb: &str| {
        (number > 0).then(|| format!("{verb} {}", count(number, "instance")))
    };
    let parts: Vec<String> = [
        part(restarts, "restarts"),
        part(starts, "starts"),
        part(stops, "stops"),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}
