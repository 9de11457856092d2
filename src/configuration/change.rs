//! Changing an app's configuration: all of it or nothing, and never over what somebody else wrote
//! meanwhile.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use crate::clock::{Deadline, pause};
use crate::config::variable::{Name, Variables};
use crate::configuration::attempt::{Attempt, record};
use crate::configuration::folder::Folder;
use crate::configuration::history;
use crate::configuration::{Configuration, read};
use crate::error::CommandError;
use crate::interruption::Interruption;
use crate::store::Store;
use crate::store::transaction::Outcome;

/// For how long a change is tried again that meets other writers.
const PATIENCE: Duration = Duration::from_secs(30);

/// The greatest pause before that.
const PAUSE_MAXIMUM: u64 = 250;

/// What is to be changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// What is to be set.
    pub set: Variables,
    /// What is to be unset.
    pub unset: Vec<Name>,
    /// Whether the app is to be known even if it has no variables.
    pub founds: bool,
}

/// Who changes something, and how.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// When, in seconds since 1970.
    pub time: u64,
    /// Who.
    pub author: &'a str,
    /// By which command.
    pub action: &'a str,
}

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The number of the change; nothing where all was as wanted.
    pub number: Option<u64>,
    /// What was there before.
    pub before: Variables,
    /// What was done: only what really differed.
    pub change: Change,
}

impl Change {
    /// Returns what makes one set of variables of another.
    #[must_use]
    pub fn between(before: &Variables, after: &Variables) -> Self {
        let unset = before.iter().map(|(name, _)| name);
        let unset = unset.filter(|name| after.get(name).is_none());
        let set = after.iter();
        let set = set.filter(|(name, value)| before.get(name) != Some(value));
        Self {
            set: set
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            unset: unset.cloned().collect(),
            founds: false,
        }
    }

    /// Tells whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty() && self.unset.is_empty()
    }

    /// Returns variables as they are after it.
    #[must_use]
    pub fn applied_to(&self, before: &Variables) -> Variables {
        let mut after = before.clone();
        for name in &self.unset {
            after.remove(name);
        }
        for (name, value) in self.set.iter() {
            after.insert(name.clone(), value.clone());
        }
        after
    }

    /// Returns what remains to be done where there are these variables already.
    fn remaining(&self, before: &Variables) -> (Self, Variables) {
        let after = self.applied_to(before);
        let mut change = Self::between(before, &after);
        change.founds = self.founds;
        (change, after)
    }
}

/// Makes a change that is worked out from what is there, and again from the beginning where somebody
/// else was faster.
///
/// # Errors
/// Says why nothing was changed, or that it is not known.
pub fn change(
    store: &Store,
    folder: &Folder,
    deed: Deed<'_>,
    interruption: &Interruption,
    mut decide: impl FnMut(&Configuration) -> Result<Change, CommandError>,
) -> Result<Changed, CommandError> {
    store.check_version()?;
    let id = unique();
    let deadline = Deadline::after(PATIENCE);
    let mut attempts = 0;
    let mut has_kept = false;
    // What may have been made, as its answer did not come, and under which number.
    let mut unknown: Option<(u64, Changed)> = None;
    loop {
        let number = unknown.as_ref().map(|(number, _)| *number);
        let fail = |error| doubtful(error, number);
        // In this order: a change that is made between the two is in the way of the new record.
        let last = history::last(store, folder).map_err(fail)?;
        let found = read(store, folder).map_err(fail)?;
        // Behind the reading, which would otherwise show what this very change did. Whatever is tried
        // again goes under a number that only one of the two can have.
        if let Some((number, changed)) = &unknown
            && history::id(store, folder, *number).map_err(fail)?.as_ref() == Some(&id)
        {
            return Ok(changed.clone());
        }
        let before = found.variables.clone();
        let (change, after) = decide(&found).map_err(fail)?.remaining(&before);
        let founds = change.founds && last == 0 && found.is_empty();
        let mut changed = Changed {
            number: None,
            before,
            change,
        };
        if changed.change.is_empty() && !founds {
            return Ok(changed);
        }
        let attempt = Attempt {
            store,
            folder,
            number: last + 1,
            found: &found,
        };
        changed.number = Some(attempt.number);
        // What others wrote is kept before it is changed, once; the next time round it is known.
        let kept = if has_kept {
            None
        } else {
            attempt.keep_found(deed.time).map_err(fail)?
        };
        match kept {
            Some(Outcome::Committed(_)) => {
                has_kept = true;
                continue;
            }
            Some(Outcome::Conflict | Outcome::Unknown) => {}
            None => {
                let record = record(&id, deed, &changed.change);
                let change = &changed.change;
                let transaction = attempt.transaction(change, &after, record).map_err(fail)?;
                match store.commit(&transaction).map_err(fail)? {
                    Outcome::Committed(_) => {
                        attempt.check(change)?;
                        return Ok(changed);
                    }
                    Outcome::Conflict => {}
                    Outcome::Unknown => unknown = Some((attempt.number, changed)),
                }
            }
        }
        if interruption.is_asked() || deadline.is_over() {
            let number = unknown.as_ref().map(|(number, _)| *number);
            let fail = |error| doubtful(error, number);
            if let Some((number, changed)) = &unknown
                && history::id(store, folder, *number).map_err(fail)?.as_ref() == Some(&id)
            {
                return Ok(changed.clone());
            }
            return Err(fail(if interruption.is_asked() {
                CommandError::trouble("interrupted")
            } else if number.is_some() {
                CommandError::remote("no answer came")
            } else {
                let error = CommandError::remote("others change the configuration all the time");
                error.help("try again")
            }));
        }
        attempts += 1;
        pause(hesitation(attempts), interruption);
    }
}

/// Adds to an error that a change may have been made nevertheless.
fn doubtful(error: CommandError, unknown: Option<u64>) -> CommandError {
    match unknown {
        None => error,
        Some(number) => error
            .under("it is not known whether the change was made: etcd did not answer")
            .help(format!(
                "when etcd is back, `unitgen config history` shows it as number {number} if it was"
            )),
    }
}

/// Returns a text that nobody else has.
pub(crate) fn unique() -> String {
    // The standard library seeds each of these from the system.
    let half = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", half(), half())
}

/// Returns how long to wait before another attempt, so that two that met do not meet again.
pub(crate) fn hesitation(attempts: u64) -> Duration {
    let most = (attempts * 10).min(PAUSE_MAXIMUM);
    let random = RandomState::new().build_hasher().finish();
    Duration::from_millis(random % (most + 1))
}
