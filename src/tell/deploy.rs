//! What a rollout is to do and did, as lines for people; beside it, as events for programs.
//!
//! In: plans, steps, and what became of them. Out: text. Knows nothing of where it is written.

pub mod events;

use std::time::Duration;

use crate::deploy::{Failure, Outcome, Stop, Why};
use crate::diff::instances::Condition;
use crate::error::Status;
use crate::journal::{Outcome as Ending, Release};
use crate::moment::span;
use crate::overrides::Override;
use crate::plan::file::FilePlace;
use crate::rollout::watch::{Sight, serves};
use crate::rollout::{Action, Impossible, Plan, ProcessPlan, Reason, Step};
use crate::state::{MachineId, RegistryName, UnitState};
use crate::submit::Task;
use crate::tell::count;
use crate::tell::paint::{BOLD, GREEN, RED, YELLOW, painted};
use crate::visible::line;

/// All actions, in the order in which they are counted.
const ACTIONS: [Action; 6] = [
    Action::Start,
    Action::Replace,
    Action::Restart,
    Action::Wait,
    Action::Stop,
    Action::Destroy,
];

/// Returns a time as people say it, to the second.
#[must_use]
pub fn time(time: Duration) -> String {
    span(time.as_secs())
}

/// Returns the line that stands above the steps of a process.
#[must_use]
pub fn head(process: &ProcessPlan, colored: bool) -> String {
    let name = format!("{}/{}", process.app, process.process);
    let name = painted(colored, BOLD, &line(&name));
    let (least, most) = process.range;
    let bounds = &process.bounds;
    let waits = format!(
        "each up for {} within {}",
        time(bounds.ready),
        time(bounds.timeout)
    );
    if process.is_global {
        return format!("{name}  on all machines at once; {waits}\n");
    }
    if process.wanted == 0 {
        return format!("{name}  {waits}\n");
    }
    let wanted = count(process.wanted, "instance");
    format!("{name}  {wanted}, {least} alive at least, {most} at most; {waits}\n")
}

/// Returns the line on a step that is to be done.
#[must_use]
pub fn planned(step: &Step, place: Option<&FilePlace>, colored: bool) -> String {
    let color = match step.action {
        Action::Start => GREEN,
        Action::Replace | Action::Restart => YELLOW,
        Action::Stop | Action::Destroy => RED,
        Action::Wait => "",
    };
    let word = painted(colored, color, &format!("{:<8}", step.action.word()));
    let (units, reason) = (units(step), reason(step));
    let place =
        place.map(|place| format!("  {}:{}:{}", line(&place.file), place.line, place.column));
    format!("  {word} {units}  {reason}{}\n", place.unwrap_or_default())
}

/// Returns the line on a unit file that is to be changed.
#[must_use]
pub fn planned_file(task: &Task, place: Option<&FilePlace>, colored: bool) -> String {
    let word = format!("{:<8}", task.step.action.word());
    let color = if task.destroys() { RED } else { YELLOW };
    let place =
        place.map(|place| format!("  {}:{}:{}", line(&place.file), place.line, place.column));
    let (unit, reason) = (line(task.step.unit.as_str()), task.step.reason.word());
    let word = painted(colored, color, &word);
    format!("  {word} {unit}  {reason}{}\n", place.unwrap_or_default())
}

fn units(step: &Step) -> String {
    let others = step.parts.iter().map(|part| &part.unit);
    let others = others.filter(|unit| **unit != step.instance);
    let mut text = line(step.instance.as_str());
    for other in others {
        text.push_str(&format!(", {}", line(other.as_str())));
    }
    text
}

fn reason(step: &Step) -> String {
    let text = match &step.reason {
        Reason::Condition(Condition::State { found, .. }) => format!("told {found}"),
        Reason::Condition(Condition::Surplus { .. }) => match &step.makes_room_for {
            Some(other) => format!("surplus, makes room for {other}"),
            None => "surplus".to_owned(),
        },
        Reason::Condition(Condition::Failed { state, .. } | Condition::Down { state, .. }) => {
            format!("{}, {}", step.reason.word(), shown(state))
        }
        Reason::Condition(_) | Reason::Asked | Reason::Unproven => step.reason.word().to_owned(),
    };
    line(&text)
}

fn shown(state: &UnitState) -> String {
    format!("{}/{}", state.active, state.sub)
}

/// Returns what is seen of a unit, in a few words.
#[must_use]
pub fn seen(sight: &Sight) -> String {
    let Some(unit) = &sight.unit else {
        return "not in the registry".to_owned();
    };
    if sight.states.is_empty() {
        return match &unit.machine {
            Some(machine) => format!("nothing said of it on {}", machine.short()),
            None => "no machine has it".to_owned(),
        };
    }
    let states = sight.states.iter().map(|(machine, state)| {
        let is_old = state.hash != unit.hash && !state.hash.as_str().is_empty();
        let old = if is_old { ", the old text" } else { "" };
        format!("{} on {}{old}", shown(state), machine.short())
    });
    line(&states.collect::<Vec<_>>().join("; "))
}

/// Tells whether nothing more is to come of a unit, so that its step's end says the same.
#[must_use]
pub fn is_settled(sight: &Sight) -> bool {
    let hash = sight.unit.as_ref().map(|unit| &unit.hash);
    let mut states = sight.states.values();
    !sight.states.is_empty() && states.all(|state| serves(state) && Some(&state.hash) == hash)
}

/// Returns the line on a unit that is seen to be another than before.
#[must_use]
pub fn changed(unit: &RegistryName, sight: &Sight, waited: Duration) -> String {
    let unit = line(unit.as_str());
    format!("           {unit}  {}, {}\n", seen(sight), time(waited))
}

/// Returns the line on a step that ended, and more where it did not end well.
#[must_use]
pub fn ended(step: &Step, outcome: &Outcome, sight: Option<&Sight>, colored: bool) -> String {
    let (word, color) = match outcome {
        Outcome::Done(_) => (step.action.done(), GREEN),
        Outcome::Failed(_) => ("failed", RED),
        Outcome::Unfinished => ("unfinished", YELLOW),
        Outcome::NotTried => ("not tried", YELLOW),
    };
    let word = painted(colored, color, &format!("{word:<10}"));
    let name = painted(colored, BOLD, &line(step.instance.as_str()));
    let mut text = format!("{word} {name}");
    match outcome {
        Outcome::Done(took) => {
            let machines = sight.map(|sight| {
                let machines = sight.states.keys().map(MachineId::short);
                machines.collect::<Vec<_>>().join(", ")
            });
            // What is destroyed is nowhere.
            let is_anywhere = step.action != Action::Destroy;
            let machines = machines.filter(|machines| !machines.is_empty() && is_anywhere);
            if let Some(machines) = machines {
                text.push_str(&format!("  on {}", line(&machines)));
            }
            text.push_str(&format!("  {}\n", time(*took)));
        }
        Outcome::Failed(failure) => {
            text.push_str(&format!("  to {}\n", step.action.word()));
            text.push_str(&why(failure));
        }
        Outcome::Unfinished => text.push_str("  begun, and not waited for\n"),
        Outcome::NotTried => text.push_str(&format!("  to {}\n", step.action.word())),
    }
    text
}

/// Says why a step failed, and what there is now.
fn why(failure: &Failure) -> String {
    let unit = line(failure.unit.as_str());
    let mut text = format!("  {unit}: {}\n", line(&failure.to_string()));
    if let Why::Remote(error) = &failure.why {
        for cause in error.causes() {
            text.push_str(&format!("    caused by: {}\n", line(&cause)));
        }
    }
    if let Some(sight) = &failure.sight {
        if let Some(found) = &sight.unit {
            let current = found
                .current
                .as_ref()
                .map(|current| format!(", is {current}"));
            let told = line(&found.desired.to_string());
            let current = line(&current.unwrap_or_default());
            text.push_str(&format!("  fleet: told {told}{current}\n"));
        }
        text.push_str(&format!("  systemd: {}\n", seen(sight)));
        if sight.unit.is_some() && !sight.states.is_empty() {
            text.push_str(&format!("  `fleetctl journal {unit}` shows what it said\n"));
        }
    }
    text
}

/// Returns how a command ends whose steps ended so, where nothing was changed by any.
#[must_use]
pub fn status(outcomes: &[Outcome]) -> Status {
    let failures = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Failed(failure) => Some(failure),
        Outcome::Done(_) | Outcome::Unfinished | Outcome::NotTried => None,
    });
    let mut statuses = failures.map(|failure| match &failure.why {
        Why::Remote(error) => error.status,
        Why::Changed | Why::TooFew { .. } => Status::Refused,
        Why::Fault(_) | Why::Unplaced(_) | Why::TimedOut { .. } => Status::Partial,
    });
    statuses.next_back().unwrap_or(Status::Partial)
}

/// Says why a rollout ended before its end.
#[must_use]
pub fn stopped(stop: &Stop) -> String {
    match stop {
        Stop::Failures => "stopped: the rest is left as it is\n".to_owned(),
        Stop::Interrupted => "interrupted: another run goes on from here\n".to_owned(),
        Stop::Barred(error) => error.text(),
    }
}

/// Says of each process why it can't be.
#[must_use]
pub fn impossible(found: &[Impossible]) -> String {
    let mut text = String::new();
    for one in found {
        text.push_str(&format!("error: {}\n", line(&one.to_string())));
        text.push_str(&format!("  help: {}\n", line(&one.help)));
    }
    text + "nothing was done\n"
}

/// Counts what is to be done.
#[must_use]
pub fn counted(plan: &Plan, files: usize) -> String {
    let mut parts = Vec::new();
    if files > 0 {
        parts.push(format!("{} to change", count(files, "unit file")));
    }
    for action in ACTIONS {
        let number = plan.count(action);
        if number > 0 {
            let verb = match action {
                Action::Wait => "wait for",
                other => other.word(),
            };
            parts.push(format!("{number} to {verb}"));
        }
    }
    if parts.is_empty() {
        return "nothing to do: all is as it should be\n".to_owned();
    }
    format!("{}\n", parts.join(", "))
}

/// Counts what was done to a process.
#[must_use]
pub fn summary(process: &ProcessPlan, outcomes: &[Outcome]) -> String {
    let mut parts = Vec::new();
    let steps = || process.steps.iter().zip(outcomes);
    for action in ACTIONS {
        let done = steps()
            .filter(|(step, outcome)| step.action == action && matches!(outcome, Outcome::Done(_)));
        let number = done.count();
        if number > 0 {
            parts.push(format!("{number} {}", action.done()));
        }
    }
    for (word, is_meant) in [
        (
            "failed",
            (|outcome| matches!(outcome, Outcome::Failed(_))) as fn(&Outcome) -> bool,
        ),
        ("unfinished", |outcome| {
            matches!(outcome, Outcome::Unfinished)
        }),
        ("not tried", |outcome| matches!(outcome, Outcome::NotTried)),
    ] {
        let number = steps().filter(|(_, outcome)| is_meant(outcome)).count();
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    }
    let name = line(&format!("{}/{}", process.app, process.process));
    format!("{name}: {}\n", parts.join(", "))
}

/// Says of a release what it was, in a line.
#[must_use]
pub fn release(release: &Release, now: u64, is_now: bool) -> String {
    let outcome = match release.outcome {
        Ending::Begun => "begun, no end known",
        Ending::Complete => "complete",
        Ending::Failed => "failed",
    };
    let age = span(now.saturating_sub(release.time));
    let mut parts = vec![
        outcome.to_owned(),
        release.action.clone(),
        format!("by {}", release.author),
    ];
    let versions = versions(release);
    if !versions.is_empty() {
        parts.push(versions);
    }
    if let Some(revision) = &release.revision {
        let changed = if revision.ends_with('+') { "+" } else { "" };
        let short = revision.get(..12).unwrap_or(revision);
        parts.push(format!("git {short}{changed}"));
    }
    if let Some(config) = release.config {
        parts.push(format!("config {config}"));
    }
    for (path, value) in &release.set {
        parts.push(format!(
            "--set {}",
            Override::new(format!("{path}={value}"))
        ));
    }
    let mark = if is_now { "*" } else { " " };
    format!(
        "{mark} {:<4} {age:>14} ago  {}\n",
        release.number,
        line(&parts.join(", "))
    )
}

/// Returns the versions of a release with their counts: `http v42 3, v41 1`.
fn versions(release: &Release) -> String {
    let mut texts = Vec::new();
    for process in &release.goal.processes {
        let Some(main) = process.main() else { continue };
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for instance in &main.instances {
            let version = instance.version.as_deref().unwrap_or_default();
            match counts.iter_mut().find(|(known, _)| *known == version) {
                Some((_, count)) => *count += 1,
                None => counts.push((version, 1)),
            }
        }
        let counts = counts
            .iter()
            .map(|(version, count)| format!("{version}×{count}"));
        let counts: Vec<String> = counts.collect();
        texts.push(format!("{} {}", process.process, counts.join("+")));
    }
    texts.join(" ")
}
