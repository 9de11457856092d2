//! What is to be done to the registry's unit files, step by step.
//!
//! In: a diff and the texts that should be. Out: a `Plan`, which says of each step what it does, why,
//! and what hash it counts on, so that carrying it out decides nothing. It touches no instance: a plain
//! unit that runs is held back. Knows nothing of how a step is done.

pub mod file;
pub mod prune;
pub mod script;

use crate::diff::{Change, Diff, UnitDiff};
use crate::render::desired::Desired;
use crate::state::{RegistryName, SeenState, State, UnitHash};

/// Steps in the order in which they are to be done: templates first, what is destroyed last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
    /// Plain units whose text is to be another one, but that run.
    pub held: Vec<RegistryName>,
}

/// One change of one unit file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The unit.
    pub unit: RegistryName,
    /// What is done to it.
    pub action: Action,
    /// Why.
    pub reason: Reason,
}

/// What is done to a unit file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It is stored; there must be none.
    Create(Text),
    /// It is stored in place of the one that has this hash.
    Replace {
        /// The hash that there must be.
        before: UnitHash,
        /// The new text.
        text: Text,
    },
    /// The one that has this hash is deleted.
    Destroy {
        /// The hash that there must be.
        before: UnitHash,
    },
}

/// A text and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text, as fleet stores it.
    pub text: String,
    /// Its hash.
    pub hash: UnitHash,
}

/// Why a step is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The registry does not have the unit.
    New,
    /// The registry has another text.
    Changed,
    /// The registry has the same directives in another order.
    Reordered,
    /// The manifest does not give the unit any more.
    Unwanted,
}

impl Reason {
    /// Returns the word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Reordered => "reordered",
            Self::Unwanted => "unwanted",
        }
    }
}

impl Action {
    /// Returns the word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Replace { .. } => "replace",
            Self::Destroy { .. } => "destroy",
        }
    }

    /// Tells whether it takes the unit away.
    #[must_use]
    pub fn is_destroy(&self) -> bool {
        matches!(self, Self::Destroy { .. })
    }

    /// Tells whether it stores a text in place of another.
    #[must_use]
    pub fn is_replace(&self) -> bool {
        matches!(self, Self::Replace { .. })
    }

    /// Returns the hash that the unit must have before.
    #[must_use]
    pub fn before(&self) -> Option<&UnitHash> {
        match self {
            Self::Create(_) => None,
            Self::Replace { before, .. } | Self::Destroy { before } => Some(before),
        }
    }

    /// Returns the text that the unit has afterwards.
    #[must_use]
    pub fn text(&self) -> Option<&Text> {
        match self {
            Self::Create(text) | Self::Replace { text, .. } => Some(text),
            Self::Destroy { .. } => None,
        }
    }
}

/// Plans the steps that make the registry's unit files what they should be.
#[must_use]
pub fn plan(diff: &Diff, desired: &Desired) -> Plan {
    let mut plan = Plan::default();
    for unit in &diff.units {
        if is_asked(unit) {
            if unit.change != Change::Equal {
                plan.held.push(unit.name.clone());
            }
            continue;
        }
        plan.steps.extend(step(unit, desired));
    }
    plan.sort();
    plan
}

impl Plan {
    /// Puts the steps into the order in which they are to be done.
    pub fn sort(&mut self) {
        self.steps.sort_by_key(Step::rank);
    }
}

impl Step {
    /// Tells which steps must have ended before this one begins: those of a smaller rank.
    #[must_use]
    pub fn rank(&self) -> (bool, bool) {
        (self.action.is_destroy(), !self.unit.is_template())
    }
}

/// Returns the steps that replace the plain units that are held back, each with what fleet was told of
/// its unit.
#[must_use]
pub fn running(diff: &Diff, desired: &Desired) -> Vec<(Step, State)> {
    // A template that was told to run can't be told so again: it would stop all work on a machine.
    let is_meant =
        |unit: &&UnitDiff| is_asked(unit) && unit.after.is_some() && !unit.name.is_template();
    let units = diff.units.iter().filter(is_meant);
    let step = |unit: &UnitDiff| {
        let state = unit.told.as_ref()?.known()?;
        Some((step(unit, desired)?, state))
    };
    units.filter_map(step).collect()
}

/// Tells whether fleet was told to do anything with a unit, whatever came of it.
fn is_asked(unit: &UnitDiff) -> bool {
    unit.told.as_ref().is_some_and(SeenState::asks_something)
}

fn step(unit: &UnitDiff, desired: &Desired) -> Option<Step> {
    let wanted = || {
        let units = &desired.units;
        let at = units.binary_search_by(|wanted| wanted.name.as_str().cmp(unit.name.as_str()));
        Some(Text {
            text: units[at.ok()?].text.clone(),
            hash: unit.after.clone()?,
        })
    };
    let (action, reason) = match unit.change {
        Change::Equal => return None,
        Change::New => (Action::Create(wanted()?), Reason::New),
        Change::Changed | Change::Reordered => {
            let reason = match unit.change {
                Change::Changed => Reason::Changed,
                _ => Reason::Reordered,
            };
            let before = unit.before.clone()?;
            (
                Action::Replace {
                    before,
                    text: wanted()?,
                },
                reason,
            )
        }
        Change::Unwanted => {
            let before = unit.before.clone()?;
            (Action::Destroy { before }, Reason::Unwanted)
        }
    };
    Some(Step {
        unit: unit.name.clone(),
        action,
        reason,
    })
}
