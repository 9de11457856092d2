//! What submitting did, as lines for people; beside it, as events for programs.
//!
//! In: a task, its outcome, and where the manifest asks for it. Out: text. What fleetctl said is shown
//! without what looks like a secret. Knows nothing of where it is written.

pub mod events;

use crate::cluster::fleetctl::{End, Outcome as Said};
use crate::plan::Action;
use crate::plan::file::FilePlace;
use crate::secrecy::masked;
use crate::state::{RegistryName, State};
use crate::submit::{Left, Outcome, Report, Task};
use crate::tell::count;
use crate::tell::paint::{BOLD, GREEN, RED, YELLOW, painted};
use crate::visible::{line, plain};

/// How many names a line has.
const NAMED: usize = 10;

/// Returns a line on a task that ended, and more where it did not end well.
#[must_use]
pub fn ended(task: &Task, outcome: &Outcome, place: Option<&FilePlace>, colored: bool) -> String {
    let color = match outcome {
        Outcome::Done => GREEN,
        Outcome::Already => "",
        Outcome::Refused(_) | Outcome::Failed { .. } => RED,
        Outcome::NotTried => YELLOW,
    };
    let name = painted(colored, BOLD, &line(task.step.unit.as_str()));
    let place = place.map(|place| {
        let FilePlace {
            file,
            line: number,
            column,
        } = place;
        format!("  {}:{number}:{column}", line(file))
    });
    let word = format!("{:<10}", word(task, outcome));
    let mut text = format!(
        "{} {name}{}\n",
        painted(colored, color, &word),
        place.unwrap_or_default()
    );
    match outcome {
        Outcome::Refused(conflict) => {
            text.push_str(&format!("  it {}\n", line(&conflict.to_string())));
            text.push_str("  another run starts from what there is now\n");
        }
        Outcome::Failed { error, left } => {
            text.push_str(&indented(&error.text()));
            text.push_str(&format!("  {}\n", line(&words_of_left(task, left))));
        }
        Outcome::Done | Outcome::Already | Outcome::NotTried => {}
    }
    text
}

/// Returns what was done, in a word.
fn done(task: &Task) -> &'static str {
    match &task.step.action {
        Action::Create(_) => "created",
        Action::Replace { .. } if task.state != State::Inactive => "recreated",
        Action::Replace { .. } => "replaced",
        Action::Destroy { .. } => "destroyed",
    }
}

fn words_of_left(task: &Task, left: &Left) -> String {
    let unit = &task.step.unit;
    match left {
        Left::Untouched => format!("the registry has what it had of `{unit}`"),
        Left::Absent if task.runs() => format!(
            "the registry has no `{unit}` now: another run from the manifest stores it, and `fleetctl start \
             {unit}` starts it"
        ),
        Left::Absent => {
            format!("the registry has no `{unit}` now: another run from the manifest stores it")
        }
        Left::Another(hash) => format!("the registry has another text of `{unit}` now: {hash}"),
        Left::Told(state) => format!(
            "the registry has the new text of `{unit}`, which was {} and is {state} now: `fleetctl start \
             {unit}` starts it",
            task.state
        ),
        Left::Unknown => format!("what the registry has of `{unit}` now is not known"),
    }
}

/// Returns a text with blanks before each line, without those that are empty.
fn indented(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(|line| format!("  {line}\n")).collect()
}

/// Returns what fleetctl said, in full, with how it was called and how it ended.
#[must_use]
pub fn heard(said: &Said) -> String {
    let mut text = String::new();
    for command in &said.commands {
        text.push_str(&format!("$ {}\n", line(command)));
    }
    for stream in [&said.stdout, &said.stderr] {
        for said in masked(stream).lines() {
            text.push_str(&format!("  | {}\n", line(said)));
        }
    }
    let end = match said.end {
        End::Exit(status) => format!("it ended with status {status}"),
        End::Signal(signal) => format!("it was ended by signal {signal}"),
        End::TimedOut(time) => format!("it was ended after {} s", time.as_secs_f64()),
    };
    text + &format!("  {end}\n")
}

/// What becomes of tasks, in the order in which it is counted.
const WORDS: [&str; 8] = [
    "created",
    "replaced",
    "recreated",
    "destroyed",
    "unchanged",
    "refused",
    "failed",
    "not tried",
];

/// Returns the word for what became of a task.
fn word(task: &Task, outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done => done(task),
        Outcome::Already => "unchanged",
        Outcome::Refused(_) => "refused",
        Outcome::Failed { .. } => "failed",
        Outcome::NotTried => "not tried",
    }
}

/// Returns the line that counts.
#[must_use]
pub fn summary(tasks: &[Task], report: &Report, equal: usize) -> String {
    let outcomes = || tasks.iter().zip(&report.outcomes);
    let numbers = WORDS.into_iter().map(|known| {
        let number = outcomes().filter(|(task, outcome)| word(task, outcome) == known);
        (number.count(), known)
    });
    let parts: Vec<String> = numbers
        .chain([(equal, "equal")])
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let parts = if parts.is_empty() {
        "none".to_owned()
    } else {
        parts.join(", ")
    };
    let interrupted = if report.is_interrupted && report.count(|one| !one.is_good()) > 0 {
        "; interrupted"
    } else {
        ""
    };
    format!("unit files: {parts}{interrupted}\n")
}

/// Says which units are to change but run.
#[must_use]
pub fn held(held: &[RegistryName]) -> String {
    let say =
        "to change, but told to load or run, which submit does not touch: see `unitgen deploy`";
    told("held back", held, "unit", say)
}

/// Says which instances run with an older text than their unit's.
#[must_use]
pub fn stale(stale: &[RegistryName]) -> String {
    let say =
        "with an older text than the unit's, which submit does not touch: see `unitgen deploy`";
    told("stale", stale, "instance", say)
}

/// Says what runs and nobody wants any more.
#[must_use]
pub fn surplus(surplus: &[RegistryName]) -> String {
    let say = "not in the manifest any more, but told to load or run, which submit does not touch: see \
               `unitgen deploy`";
    told("runs on", surplus, "unit", say)
}

/// Says what runs on, though nobody wants it any more.
#[must_use]
pub fn left_running(running: &[RegistryName]) -> String {
    let say = "not in the manifest any more: `deploy APP --prune` stops and destroys them";
    told("runs on", running, "unit", say)
}

/// Says which unit files stay, though nobody wants them any more.
#[must_use]
pub fn left_stored(files: &[RegistryName]) -> String {
    let say = "not in the manifest any more: `deploy APP --prune` destroys them";
    told("unwanted", files, "unit", say)
}

/// Says which units nobody wants any more and stay.
#[must_use]
pub fn unpruned(unpruned: &[RegistryName]) -> String {
    let say = "not in the manifest any more: `--prune` destroys what does not run";
    told("unwanted", unpruned, "unit", say)
}

/// Says which units are replaced that unitgen has not made.
#[must_use]
pub fn adopted(adopted: &[RegistryName]) -> String {
    let say = "that unitgen has not made, so far: the manifest's text takes its place";
    told("adopted", adopted, "unit", say)
}

fn told(word: &str, names: &[RegistryName], noun: &str, say: &str) -> String {
    if names.is_empty() {
        return String::new();
    }
    let shown = names.iter().take(NAMED).map(|name| line(name.as_str()));
    let mut shown: Vec<String> = shown.collect();
    if names.len() > NAMED {
        shown.push(format!("and {} more", names.len() - NAMED));
    }
    let number = count(names.len(), noun);
    format!("{word:<10} {}\n  {number} {say}\n", shown.join(", "))
}

/// Returns what is destroyed, as it is asked about.
#[must_use]
pub fn question(tasks: &[&Task]) -> String {
    let mut text = String::new();
    for task in tasks {
        let word = match task.step.action {
            Action::Destroy { .. } => "destroy",
            Action::Create(_) | Action::Replace { .. } => "recreate",
        };
        text.push_str(&format!("{word:<10} {}\n", line(task.step.unit.as_str())));
    }
    plain(&text)
}
