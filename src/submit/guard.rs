//! Whether a step may be done, by what the registry has right now.
//!
//! In: a task, and what was read of its unit. Out: a verdict. The same question after the step tells
//! whether it was done.

use std::fmt;

use crate::plan::Action;
use crate::state::{ObservedUnit, RegistryName, SeenState, UnitHash};
use crate::submit::{Left, Task};

/// What was read of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The hash of its text.
    pub hash: UnitHash,
    /// What fleet was told to do with it.
    pub desired: SeenState,
}

/// Whether a step may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The registry has what the step counts on.
    Proceed,
    /// It has what the step would make of it.
    Already,
    /// It has something else.
    Conflict(Conflict),
}

/// What the registry has in place of what a step counts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conflict {
    /// A unit, where there should be none.
    Appeared(UnitHash),
    /// No unit.
    Gone,
    /// Another text.
    Changed {
        /// The hash that the step counts on.
        seen: UnitHash,
        /// The hash that there is.
        found: UnitHash,
    },
    /// A unit that fleet was told to do something else with.
    Asked(SeenState),
}

impl From<&ObservedUnit> for Found {
    fn from(unit: &ObservedUnit) -> Self {
        Self {
            hash: unit.hash.clone(),
            desired: unit.desired.clone(),
        }
    }
}

/// Returns the verdict.
#[must_use]
pub fn judge(task: &Task, found: Option<&Found>) -> Verdict {
    let action = &task.step.action;
    let wanted = action.text().map(|text| &text.hash);
    let Some(found) = found else {
        return match action {
            Action::Create(_) => Verdict::Proceed,
            Action::Destroy { .. } => Verdict::Already,
            Action::Replace { .. } => Verdict::Conflict(Conflict::Gone),
        };
    };
    if wanted == Some(&found.hash) {
        return Verdict::Already;
    }
    let Some(seen) = action.before() else {
        return Verdict::Conflict(Conflict::Appeared(found.hash.clone()));
    };
    if *seen != found.hash {
        return Verdict::Conflict(Conflict::Changed {
            seen: seen.clone(),
            found: found.hash.clone(),
        });
    }
    // What runs is not touched, and what is to run again is given back the state that was seen.
    if found.desired != SeenState::Known(task.state) {
        return Verdict::Conflict(Conflict::Asked(found.desired.clone()));
    }
    Verdict::Proceed
}

/// Returns what a task that failed left behind, by what was read since.
pub(super) fn left(task: &Task, found: Option<&Found>) -> Left {
    let wanted = task.step.action.text().map(|text| &text.hash);
    match (found, task.step.action.before()) {
        (None, None) => Left::Untouched,
        (None, Some(_)) => Left::Absent,
        (Some(found), Some(before)) if found.hash == *before => Left::Untouched,
        (Some(found), _) if wanted == Some(&found.hash) => Left::Told(found.desired.clone()),
        (Some(found), _) => Left::Another(found.hash.clone()),
    }
}

impl Conflict {
    /// Returns the word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Appeared(_) => "appeared",
            Self::Gone => "gone",
            Self::Changed { .. } => "changed",
            Self::Asked(_) => "asked",
        }
    }

    /// Returns it as a sentence about a unit.
    #[must_use]
    pub fn about(&self, unit: &RegistryName) -> String {
        format!("`{unit}` {self}")
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Appeared(hash) => {
                write!(formatter, "is there meanwhile, with the hash {hash}")
            }
            Self::Gone => formatter.write_str("is not there any more"),
            Self::Changed { seen, found } => {
                write!(formatter, "has the hash {found} meanwhile, and had {seen}")
            }
            Self::Asked(state) => {
                write!(
                    formatter,
                    "is to be {state} meanwhile, and what runs is not touched"
                )
            }
        }
    }
}
