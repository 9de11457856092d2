//! The lock of an app: whoever rolls it out has it, and nobody else meanwhile.
//!
//! In: how etcd is reached, apps, who wants them and what for. Out: a `Lock` that is kept alive by a
//! thread of its own until it is given back, or who has it. It hangs on a lease, so that whoever dies
//! holds nobody up for long. Knows nothing of what is done under it.
//!
//! All apps of one holder hang on one lease. While etcd does not answer the lock counts as held until the
//! lease's time is over, counted from before the request that last renewed it: etcd can't have ended it
//! sooner. From then on it is lost, whatever etcd says later.

mod keeper;
mod record;
mod seeker;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::clock::Deadline;
use crate::error::CommandError;
use crate::interruption::Interruption;
use crate::lock::keeper::{Keeper, Shared};
use crate::lock::record::Record;
use crate::lock::seeker::Seeker;
use crate::moment::{moment, span};
use crate::settings::now;
use crate::store::transaction::{Condition, Operation, Outcome, Transaction};
use crate::store::{Access, Entry, Limits, Store};
use crate::visible::line;

/// What all locks stand in.
const LOCKS: &str = "/unitgen/lock/";

/// Who has the lock of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The app.
    pub app: String,
    /// Who it is; `somebody` where that can't be read.
    pub author: String,
    /// Since when, in seconds since 1970; 0 where that can't be read.
    pub since: u64,
    /// What for, such as `deploy`.
    pub action: String,
    /// The revision at which the lock was taken: by it, it is this one that is taken away.
    pub revision: i64,
    /// The lease that it hangs on; all locks of one holder have the same.
    pub lease: i64,
}

/// Who wants a lock, and what for.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// Who.
    pub author: &'a str,
    /// What for, such as `deploy`.
    pub action: &'a str,
    /// When it began, in seconds since 1970.
    pub time: u64,
}

/// How long everything about a lock takes.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// For how many seconds a lock lives without being renewed. etcd may let it live for longer.
    pub ttl: u64,
    /// How often it is renewed, and looked at.
    pub look: Duration,
    /// How often somebody who waits for it looks at it.
    pub again: Duration,
    /// How long giving it back may take.
    pub patience: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            ttl: 60,
            look: Duration::from_secs(5),
            again: Duration::from_secs(1),
            patience: Duration::from_secs(5),
        }
    }
}

impl Terms {
    /// Returns limits that leave time for another request before a lock lapses.
    fn limits(self, given: Limits, endpoints: usize) -> Limits {
        let endpoints = u32::try_from(endpoints.max(1)).unwrap_or(u32::MAX);
        let most = Duration::from_secs(self.ttl) / 4 / endpoints;
        Limits {
            dialing: given.dialing.min(most),
            command: given.command.min(most),
        }
    }
}

/// Until when a lock certainly lives.
#[derive(Debug, Clone, Copy)]
struct Term {
    deadline: Deadline,
    /// The same by the calendar's clock, which goes on while the machine sleeps.
    until: u64,
}

impl Term {
    /// Returns the time of so many seconds from now.
    fn of(ttl: u64) -> Self {
        Self {
            deadline: Deadline::after(Duration::from_secs(ttl)),
            until: now() + ttl,
        }
    }

    fn is_over(&self) -> bool {
        self.deadline.is_over() || now() > self.until
    }
}

/// Locks that were taken, and are given back when this is dropped.
pub struct Lock {
    shared: Arc<Shared>,
}

impl Lock {
    /// Tells whether all locks are held still, without asking anybody.
    ///
    /// # Errors
    /// Says how they were lost, or why they may be. That stays so.
    pub fn check(&self) -> Result<(), CommandError> {
        self.shared.check()
    }

    /// Gives all locks back.
    ///
    /// # Errors
    /// Says why that is not known to have been done. They end by themselves in any case.
    pub fn release(self) -> Result<(), CommandError> {
        self.shared.end()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if !self.shared.is_end_wanted() {
            // They end by themselves.
            let _ = self.shared.end();
        }
    }
}

/// Takes the locks of all apps at once or none. Where somebody has one it waits, if it may, and tells of
/// each whom it waits for once.
///
/// # Errors
/// Says who has a lock, that the waiting was interrupted, what etcd answered, or that it did not.
pub fn acquire(
    access: Access,
    apps: &[String],
    deed: Deed<'_>,
    wait: Duration,
    interruption: &Interruption,
    waits: impl FnMut(&Holder),
) -> Result<Lock, CommandError> {
    let terms = Terms::default();
    acquire_for(terms, access, apps, deed, wait, interruption, waits)
}

/// Takes locks as [`acquire`] does, in times of its own.
///
/// # Errors
/// Says the same.
pub fn acquire_for(
    terms: Terms,
    mut access: Access,
    apps: &[String],
    deed: Deed<'_>,
    wait: Duration,
    interruption: &Interruption,
    waits: impl FnMut(&Holder),
) -> Result<Lock, CommandError> {
    access.limits = terms.limits(access.limits, access.endpoints.len());
    let mut apps = apps.to_vec();
    apps.sort_unstable();
    apps.dedup();
    let seeker = Seeker::new(terms, access.clone(), apps, deed, wait, interruption)?;
    let (store, held) = seeker.seek(waits)?;
    let shared = Arc::new(Shared::new(held.apps(), held.term, terms));
    let keeper = Keeper::new(access, store, terms, held, Arc::clone(&shared));
    // A request that waits for etcd can't be called back: whoever works under the lock goes on meanwhile.
    thread::spawn(move || keeper.run());
    Ok(Lock { shared })
}

/// Returns all who have a lock, sorted by app.
///
/// # Errors
/// Says what etcd answered, or that it did not.
pub fn list(store: &Store) -> Result<Vec<Holder>, CommandError> {
    let entries = store.read(LOCKS)?.entries;
    Ok(entries.iter().map(Holder::of).collect())
}

/// Returns who has the locks of some apps, in their order; nobody need have any.
///
/// # Errors
/// Says what etcd answered, or that it did not.
pub fn holders(store: &Store, apps: &[String]) -> Result<Vec<Holder>, CommandError> {
    let mut holders = Vec::new();
    for app in apps {
        holders.extend(store.get(&key(app))?.as_ref().map(Holder::of));
    }
    Ok(holders)
}

/// Takes a lock away from whoever was seen to have it. Tells whether that was so still: a lock that
/// somebody took meanwhile stays. The former holder notices within seconds.
///
/// # Errors
/// Says what etcd answered, or that it did not.
pub fn take_away(store: &Store, holder: &Holder) -> Result<bool, CommandError> {
    let key = key(&holder.app);
    let outcome = store.commit(&Transaction {
        conditions: vec![Condition::Unchanged {
            key: key.clone(),
            revision: holder.revision,
        }],
        operations: vec![Operation::Delete { key: key.clone() }],
    })?;
    match outcome {
        Outcome::Committed(_) => Ok(true),
        Outcome::Conflict => Ok(false),
        Outcome::Unknown => match store.get(&key)? {
            Some(entry) if entry.revision == holder.revision => Err(unanswered()),
            _ => Ok(true),
        },
    }
}

impl Holder {
    /// Reads a lock. What can't be read is a lock nevertheless.
    fn of(entry: &Entry) -> Self {
        let app = entry.key.strip_prefix(LOCKS).unwrap_or(&entry.key);
        let Record {
            author,
            since,
            action,
            format_version: _,
        } = Record::read(&entry.value);
        Self {
            app: app.to_owned(),
            author: line(&author),
            since,
            action: line(&action),
            revision: entry.revision,
            lease: entry.lease,
        }
    }

    /// Tells who has which lock, since when and what for; `now` is the time, in seconds since 1970.
    #[must_use]
    pub fn told(&self, now: u64) -> String {
        let Self {
            app,
            author,
            since,
            action,
            revision: _,
            lease: _,
        } = self;
        let app = line(app);
        let since = match since {
            0 => String::new(),
            since => format!(" since {} ({})", moment(*since), self.age(now)),
        };
        format!("{author} has the lock of `{app}`{since}: {action}")
    }

    /// Tells for how long it has been held: `2 h 5 min`.
    #[must_use]
    pub fn age(&self, now: u64) -> String {
        span(now.saturating_sub(self.since))
    }
}

/// Returns the key of an app's lock.
fn key(app: &str) -> String {
    format!("{LOCKS}{app}")
}

/// Returns apps as a user reads them: `a`, `b`.
fn named(apps: &[String]) -> String {
    let names: Vec<String> = apps.iter().map(|app| format!("`{app}`")).collect();
    match names.as_slice() {
        [first, second, third, rest @ ..] if rest.len() > 1 => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        names => names.join(", "),
    }
}

/// Returns the error of a write that etcd did not answer.
fn unanswered() -> CommandError {
    let mut error = CommandError::remote("can't write to etcd");
    error.may_pass = true;
    error.because("no answer came")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_a_lock_is_told_of_whatever_stands_there() {
        let told = |value: &str| {
            let holder = Holder::of(&Entry {
                key: "/unitgen/lock/hub".to_owned(),
                value: value.as_bytes().to_vec(),
                revision: 7,
                lease: 8,
            });
            holder.told(100)
        };
        let written = r#"{"format_version":1,"author":"ann\n","since":40,"action":"deploy"}"#;
        assert_eq!(
            told(written),
            "ann\u{fffd} has the lock of `hub` since 1970-01-01T00:00:40Z (1 min): deploy"
        );
        for odd in ["", "{", "[1]", r#"{"format_version":2}"#] {
            assert_eq!(
                told(odd),
                "somebody has the lock of `hub`: unknown",
                "{odd}"
            );
        }
    }

    #[test]
    fn many_apps_are_not_all_named() {
        let apps = |count: usize| (1..=count).map(|at| format!("a{at}")).collect::<Vec<_>>();
        assert_eq!(named(&apps(1)), "`a1`");
        assert_eq!(named(&apps(4)), "`a1`, `a2`, `a3`, `a4`");
        assert_eq!(named(&apps(9)), "`a1`, `a2`, `a3` and 6 more");
    }

    #[test]
    fn a_request_ends_long_before_a_lock_lapses() {
        let limits = |endpoints| Terms::default().limits(Limits::default(), endpoints);
        assert_eq!(limits(3), Limits::default());
        assert_eq!(limits(5).command, Duration::from_secs(3));
    }
}
