//! Who wants locks: takes all of them or none, and waits for whoever has one.
//!
//! A transaction has at most 60 conditions, so that many apps are several of them, in the order of their
//! names: of two that want the same apps one comes through.

use std::time::Duration;

use crate::clock::{Deadline, pause};
use crate::error::CommandError;
use crate::interruption::Interruption;
use crate::lock::record::Record;
use crate::lock::{Deed, Holder, LOCKS, Term, Terms, holders, key, named, unanswered};
use crate::moment::span;
use crate::store::transaction::{Condition, Operation, Outcome, Transaction};
use crate::store::{Access, Store};

/// How many apps one transaction takes.
pub(super) const PART: usize = 60;

/// How many of those who have locks are told of at once.
const TOLD_MAXIMUM: usize = 3;

/// Locks that were taken.
pub(super) struct Held {
    /// The lease that they hang on.
    pub(super) lease: i64,
    /// Their keys, with the revisions at which they were written.
    pub(super) keys: Vec<(String, i64)>,
    /// Until when they certainly live.
    pub(super) term: Term,
}

impl Held {
    /// Returns whose locks they are.
    pub(super) fn apps(&self) -> Vec<String> {
        let keys = self.keys.iter();
        let apps = keys.map(|(key, _)| key.strip_prefix(LOCKS).unwrap_or(key).to_owned());
        apps.collect()
    }
}

/// Who wants locks.
pub(super) struct Seeker<'a> {
    terms: Terms,
    store: Store,
    /// Whose; sorted, none twice.
    apps: Vec<String>,
    deed: Deed<'a>,
    wait: Duration,
    deadline: Deadline,
    interruption: &'a Interruption,
    /// Leases that could not be ended: what hangs on them would be in the way.
    stale: Vec<i64>,
}

impl<'a> Seeker<'a> {
    /// Makes one that has not asked anything yet.
    ///
    /// # Errors
    /// Says why the system does not let it.
    pub(super) fn new(
        terms: Terms,
        access: Access,
        apps: Vec<String>,
        deed: Deed<'a>,
        wait: Duration,
        interruption: &'a Interruption,
    ) -> Result<Self, CommandError> {
        Ok(Self {
            terms,
            store: Store::new(access)?,
            apps,
            deed,
            wait,
            deadline: Deadline::after(wait),
            interruption,
            stale: Vec::new(),
        })
    }

    /// Takes the locks, as soon as nobody has one of them.
    ///
    /// # Errors
    /// Says who has one, that the waiting was interrupted, what etcd answered, or that it did not.
    pub(super) fn seek(
        mut self,
        mut waits: impl FnMut(&Holder),
    ) -> Result<(Store, Held), CommandError> {
        let mut told = Vec::new();
        loop {
            if let Some(held) = self.patiently(Self::take)? {
                return Ok((self.store, held));
            }
            let found = self.patiently(|seeker| holders(&seeker.store, &seeker.apps))?;
            // It may have been given back meanwhile.
            let Some(holder) = found.first() else {
                self.check_interruption()?;
                continue;
            };
            if self.deadline.is_over() {
                return Err(self.refusal(&found));
            }
            let mark = match holder.lease {
                0 => holder.revision,
                lease => lease,
            };
            if !told.contains(&mark) {
                told.push(mark);
                waits(holder);
            }
            self.wait_for(holder)?;
        }
    }

    /// Waits until somebody does not have a lock any more, or the time is over.
    fn wait_for(&mut self, holder: &Holder) -> Result<(), CommandError> {
        while !self.deadline.is_over() {
            pause(
                self.terms.again.min(self.deadline.left()),
                self.interruption,
            );
            self.check_interruption()?;
            let entry = self.patiently(|seeker| seeker.store.get(&key(&holder.app)))?;
            if entry.is_none_or(|entry| entry.revision != holder.revision) {
                break;
            }
        }
        Ok(())
    }

    /// Does something again while etcd is away and there is time.
    fn patiently<T>(
        &mut self,
        call: impl Fn(&mut Self) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        loop {
            match call(self) {
                Err(error) if error.may_pass && !self.deadline.is_over() => {
                    pause(self.terms.again, self.interruption);
                    self.check_interruption()?;
                }
                result => return result,
            }
        }
    }

    fn check_interruption(&self) -> Result<(), CommandError> {
        if self.interruption.is_asked() {
            let apps = named(&self.apps);
            let message = format!("interrupted while waiting for the lock of {apps}");
            return Err(CommandError::trouble(message));
        }
        Ok(())
    }

    /// Takes all locks, on a new lease; nothing where somebody has one of them.
    fn take(&mut self) -> Result<Option<Held>, CommandError> {
        while let Some(lease) = self.stale.last() {
            self.store.revoke(*lease)?;
            self.stale.pop();
        }
        let term = Term::of(self.terms.ttl);
        let lease = self
            .store
            .grant(i64::try_from(self.terms.ttl).unwrap_or(i64::MAX))?;
        let taken = self.write(lease);
        if let Ok(Some(keys)) = taken {
            return Ok(Some(Held { lease, keys, term }));
        }
        // One that is gone can't be written on: nor can what etcd has not carried out yet.
        let ended = self.store.revoke(lease);
        if ended.is_err() {
            self.stale.push(lease);
        }
        taken.and_then(|_| ended.map(|()| None))
    }

    /// Writes all keys on a lease; nothing is returned where one is there already.
    fn write(&self, lease: i64) -> Result<Option<Vec<(String, i64)>>, CommandError> {
        let waited = self.wait.saturating_sub(self.deadline.left()).as_secs();
        let since = self.deed.time + waited;
        let value = Record::text(self.deed.author, since, self.deed.action);
        let mut written = Vec::new();
        for part in self.apps.chunks(PART) {
            let keys: Vec<String> = part.iter().map(|app| key(app)).collect();
            let outcome = self.store.commit(&Transaction {
                conditions: unchanged(keys.iter().map(|key| (key, 0))),
                operations: keys
                    .iter()
                    .map(|key| Operation::Put {
                        key: key.clone(),
                        value: value.clone(),
                        lease,
                    })
                    .collect(),
            })?;
            let revision = match outcome {
                Outcome::Committed(revision) => revision,
                Outcome::Conflict => return Ok(None),
                Outcome::Unknown => match self.store.get(&keys[0])? {
                    Some(entry) if entry.lease == lease => entry.revision,
                    _ => return Err(unanswered()),
                },
            };
            written.extend(keys.into_iter().map(|key| (key, revision)));
        }
        Ok(Some(written))
    }

    /// Returns the error of locks that others have.
    fn refusal(&self, found: &[Holder]) -> CommandError {
        let apps: Vec<String> = found.iter().map(|holder| holder.app.clone()).collect();
        let are = if apps.len() == 1 { "is" } else { "are" };
        let still = match self.wait.as_secs() {
            0 => String::new(),
            seconds => format!(" still, after {}", span(seconds)),
        };
        let now = self.deed.time + self.wait.as_secs();
        let told: Vec<String> = found
            .iter()
            .take(TOLD_MAXIMUM)
            .map(|holder| holder.told(now))
            .collect();
        let names = apps.join(" ");
        CommandError::refused(format!("{} {are} locked{still}", named(&apps)))
            .because(told.join("; "))
            .help(format!(
                "`--lock-wait TIME` waits for it; where nobody is at work any more, `unitgen lock \
                 --release {names}` takes it away"
            ))
    }
}

/// Returns the conditions that keys were last written at these revisions.
pub(super) fn unchanged<'a>(keys: impl Iterator<Item = (&'a String, i64)>) -> Vec<Condition> {
    let one = |(key, revision): (&String, i64)| Condition::Unchanged {
        key: key.clone(),
        revision,
    };
    keys.map(one).collect()
}
