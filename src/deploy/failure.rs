//! Why a step came to no good end.

use std::fmt;
use std::time::Duration;

use crate::error::CommandError;
use crate::rollout::watch::{Fault, Sight};
use crate::state::RegistryName;

/// Why a step came to no good end.
#[derive(Debug)]
pub struct Failure {
    /// The unit that it is about.
    pub unit: RegistryName,
    /// Why.
    pub why: Why,
    /// What was last seen of the unit.
    pub sight: Option<Sight>,
}

/// Why a step came to no good end.
#[derive(Debug)]
pub enum Why {
    /// The unit does not come up.
    Fault(Fault),
    /// No machine has the unit, for this reason where it is known.
    Unplaced(Option<String>),
    /// It took too long.
    TimedOut {
        /// What was waited for.
        what: Awaited,
        /// For how long.
        time: Duration,
        /// What the instance itself answered last.
        health: Option<String>,
    },
    /// To take the instance down would leave too few.
    TooFew {
        /// How many serve.
        serving: usize,
        /// How many must.
        floor: usize,
        /// Those that do not.
        missing: Vec<RegistryName>,
    },
    /// The registry does not have what the step counts on.
    Changed,
    /// fleet does not do it, or does not answer.
    Remote(CommandError),
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    /// That it is up, for long enough.
    Up,
    /// That it does not run any more.
    Down,
    /// That no machine has it.
    Gone,
    /// That a job at work comes to its end.
    Idle,
}

impl Failure {
    pub(super) fn new(unit: &RegistryName, why: Why) -> Box<Self> {
        Box::new(Self {
            unit: unit.clone(),
            why,
            sight: None,
        })
    }

    pub(super) fn with(mut self: Box<Self>, sight: Sight) -> Box<Self> {
        self.sight = Some(sight);
        self
    }

    /// Returns the word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match &self.why {
            Why::Fault(Fault::Failed(..)) => "failed",
            Why::Fault(Fault::Crashes(..)) => "crashes",
            Why::Fault(Fault::Ended(_)) => "ended",
            Why::Fault(Fault::Unplaced) | Why::Unplaced(_) => "unplaced",
            Why::Fault(Fault::Gone | Fault::Changed) | Why::Changed => "changed",
            Why::TimedOut { .. } => "timed_out",
            Why::TooFew { .. } => "too_few",
            Why::Remote(_) => "remote",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Fault(fault) => write!(formatter, "{fault}"),
            Why::Unplaced(None) => formatter.write_str("no machine has it"),
            Why::Unplaced(Some(reason)) => write!(formatter, "no machine has it: {reason}"),
            Why::TimedOut { what, time, health } => {
                let time = time.as_secs();
                write!(formatter, "after {time} s {what}")?;
                match health {
                    Some(health) => write!(formatter, ": {health}"),
                    None => Ok(()),
                }
            }
            Why::TooFew {
                serving,
                floor,
                missing,
            } => {
                let missing: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
                write!(
                    formatter,
                    "{serving} serve, and {floor} must while it is down; {} not",
                    match missing.as_slice() {
                        [one] => format!("{one} does"),
                        [] => "the others do".to_owned(),
                        several => format!("{} do", several.join(", ")),
                    }
                )
            }
            Why::Changed => formatter.write_str(
                "somebody else changed it, or what it is told to do, since it was planned",
            ),
            Why::Remote(error) => write!(formatter, "{error}"),
        }
    }
}

impl fmt::Display for Awaited {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Up => "it is not up",
            Self::Down => "it still runs",
            Self::Gone => "a machine still has it",
            Self::Idle => "its job is still at work",
        })
    }
}
