//! Who keeps an announcement in etcd: looks at it, renews its lease, writes it where it should be and is
//! not.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::mpsc::Sender;
use std::time::Duration;

use crate::announce::decision::{Announcer, Decision, Standing};
use crate::announce::{Announcement, Event, Fate, Note, Reason, send};
use crate::clock::{Deadline, pause};
use crate::error::CommandError;
use crate::interruption::Interruption;
use crate::store::transaction::{Condition, Operation, Outcome, Transaction};
use crate::store::{Access, Store};

/// How often a write is tried at once again that meets another's.
const ATTEMPTS: usize = 5;

/// The bounds of the pause before etcd is asked again that did not answer.
const AGAIN_MINIMUM: Duration = Duration::from_millis(250);
const AGAIN_MAXIMUM: Duration = Duration::from_secs(5);

/// The pause between two attempts to end.
const END_PAUSE: Duration = Duration::from_millis(250);

/// Who keeps an announcement.
pub(super) struct Keeper {
    access: Access,
    store: Store,
    announcement: Announcement,
    interruption: Interruption,
    sender: Sender<Event>,
    standing: Standing,
    lease: Option<Lease>,
    /// Whether a lease has ended since the announcement was last there.
    has_lapsed: bool,
    /// Why it is written, where the answer has not come yet.
    unanswered: Option<Reason>,
    /// The other's value that it gave way to.
    other: Vec<u8>,
    /// What was said since etcd last answered.
    said: Vec<String>,
    /// Whether it was said since then that its time is over.
    is_lapse_said: bool,
}

/// A lease that etcd gave.
#[derive(Clone, Copy)]
struct Lease {
    number: i64,
    /// When it ends without being renewed, at the earliest.
    until: Deadline,
}

impl Keeper {
    /// Makes one that has not asked anything yet.
    ///
    /// # Errors
    /// Says why the system does not let it.
    pub(super) fn new(
        access: Access,
        announcement: Announcement,
        interruption: Interruption,
        sender: Sender<Event>,
    ) -> Result<Self, CommandError> {
        Ok(Self {
            store: Store::new(access.clone())?,
            access,
            announcement,
            interruption,
            sender,
            standing: Standing::Starting,
            lease: None,
            has_lapsed: false,
            unanswered: None,
            other: Vec::new(),
            said: Vec::new(),
            is_lapse_said: false,
        })
    }

    /// Keeps the announcement until an end is wanted, and takes it back then.
    pub(super) fn run(mut self) {
        let ttl = Duration::from_secs(self.announcement.ttl());
        let again = (ttl / 12).clamp(AGAIN_MINIMUM, AGAIN_MAXIMUM);
        while !self.interruption.is_asked() {
            // What a round has done is told by it; of etcd's coming back nobody else tells.
            let before = self.standing;
            let time = match self.round() {
                Ok(is_told) => {
                    if !self.said.is_empty() && !is_told {
                        self.note(Note::Recovered(before == Standing::Announced));
                    }
                    self.said.clear();
                    self.is_lapse_said = false;
                    // Not all at the same time, and never later than this.
                    part(ttl / 3, 80, 100)
                }
                Err(error) => {
                    self.trouble(error);
                    part(again, 50, 150)
                }
            };
            send(&self.sender, Event::Until(self.until()));
            pause(time, &self.interruption);
        }
        self.end();
    }

    /// Looks at the key once and does what is to be done. Tells whether there was anything to tell.
    fn round(&mut self) -> Result<bool, CommandError> {
        self.renew()?;
        for _ in 0..ATTEMPTS {
            let found = self.store.get(self.announcement.key())?;
            let announcer = Announcer {
                value: self.announcement.value().as_bytes(),
                lease: self.lease.map_or(0, |lease| lease.number),
                standing: self.standing,
                has_lapsed: self.has_lapsed,
            };
            match announcer.decide(found.as_ref()) {
                Decision::Rest => {
                    // A write whose answer did not come was carried out.
                    let reason = self.unanswered.take();
                    let is_told = reason.is_some();
                    if let Some(reason) = reason {
                        self.announced(reason);
                    }
                    return Ok(is_told);
                }
                Decision::GiveWay(entry) => return Ok(self.give_way(&entry.value)),
                Decision::Write(revision, reason) => match self.write(revision)? {
                    Outcome::Committed(_) => {
                        self.announced(reason);
                        return Ok(true);
                    }
                    Outcome::Conflict => {}
                    Outcome::Unknown => {
                        self.unanswered = Some(reason);
                        let mut error = CommandError::remote("can't write to etcd");
                        error.may_pass = true;
                        return Err(error.because("no answer came"));
                    }
                },
            }
        }
        let message = format!("can't write `{}` to etcd", self.announcement.key());
        let mut error = CommandError::remote(message);
        error.may_pass = true;
        Err(error.because("others write it all the time"))
    }

    /// Renews the lease, where there is one.
    fn renew(&mut self) -> Result<(), CommandError> {
        let Some(lease) = &mut self.lease else {
            return Ok(());
        };
        // Counted from before the request, it ends no sooner than this.
        let until = Deadline::after(Duration::from_secs(self.announcement.ttl()));
        if self.store.renew(lease.number)? {
            lease.until = until;
        } else {
            self.lease = None;
            self.has_lapsed = true;
        }
        Ok(())
    }

    /// Writes the announcement if the key was last written at a revision.
    fn write(&mut self, revision: i64) -> Result<Outcome, CommandError> {
        let lease = if let Some(lease) = self.lease {
            lease
        } else {
            let ttl = self.announcement.ttl();
            let until = Deadline::after(Duration::from_secs(ttl));
            let number = self.store.grant(i64::try_from(ttl).unwrap_or(i64::MAX))?;
            *self.lease.insert(Lease { number, until })
        };
        let key = self.announcement.key().to_owned();
        self.store.commit(&Transaction {
            conditions: vec![Condition::Unchanged {
                key: key.clone(),
                revision,
            }],
            operations: vec![Operation::Put {
                key,
                value: self.announcement.value().as_bytes().to_vec(),
                lease: lease.number,
            }],
        })
    }

    fn announced(&mut self, reason: Reason) {
        self.standing = Standing::Announced;
        self.has_lapsed = false;
        self.unanswered = None;
        self.note(Note::Announced(reason));
    }

    /// Tells whether this was not known before.
    fn give_way(&mut self, value: &[u8]) -> bool {
        let is_news = self.standing != Standing::Aside || self.other != value;
        self.standing = Standing::Aside;
        // It keeps nothing any more, and ends by itself.
        self.lease = None;
        self.unanswered = None;
        if is_news {
            self.other = value.to_vec();
            self.note(Note::GaveWay(value.to_vec()));
        }
        is_news
    }

    fn trouble(&mut self, error: CommandError) {
        if !error.may_pass {
            // A connection made anew logs in anew: what it is refused may be granted meanwhile.
            if let Ok(store) = Store::new(self.access.clone()) {
                self.store = store;
            }
        }
        let said = error.text();
        if !self.said.contains(&said) {
            self.said.push(said);
            let fate = self.fate(&error);
            self.is_lapse_said |= fate == Fate::Left(Duration::ZERO);
            self.note(Note::Trouble { error, fate });
        }
        let is_over = self.until().is_some_and(|until| until.is_over());
        if is_over && !self.is_lapse_said {
            self.is_lapse_said = true;
            self.note(Note::Lapsed);
        }
    }

    fn fate(&self, error: &CommandError) -> Fate {
        match (self.standing, self.until()) {
            (Standing::Aside, _) => Fate::Elsewhere,
            (Standing::Announced, Some(until)) if error.may_pass => Fate::Left(until.left()),
            // Etcd refuses something else, as long as the lease is renewed.
            (Standing::Announced, Some(until)) if !until.is_over() => Fate::Kept,
            (Standing::Announced, _) => Fate::Left(Duration::ZERO),
            (Standing::Starting, _) => Fate::NotYet,
        }
    }

    /// Returns until when the announcement is there without its keeper.
    fn until(&self) -> Option<Deadline> {
        let is_there = self.standing == Standing::Announced || self.unanswered.is_some();
        self.lease.filter(|_| is_there).map(|lease| lease.until)
    }

    /// Ends the lease, and with it the announcement where it hangs on it still. Whoever waits for it does
    /// not wait for ever.
    fn end(mut self) {
        let until = self.until();
        send(&self.sender, Event::Until(until));
        let calm = Interruption::default();
        while let Some(lease) = self.lease {
            let Err(error) = self.store.revoke(lease.number) else {
                break;
            };
            if !error.may_pass {
                let left = until.map_or(Duration::ZERO, |until| until.left());
                return self.note(Note::Abandoned(Some(error), left));
            }
            send(&self.sender, Event::NotTakenBack(error));
            pause(END_PAUSE, &calm);
        }
        self.note(if until.is_some() {
            Note::TakenBack
        } else {
            Note::Ended
        });
    }

    fn note(&mut self, note: Note) {
        send(&self.sender, Event::Note(note));
    }
}

/// Returns a part of a time that is a matter of chance, between two of its hundredths.
fn part(time: Duration, from: u64, to: u64) -> Duration {
    // The standard library seeds each of these from the system.
    let random = RandomState::new().build_hasher().finish();
    let hundredths = from + random % (to - from + 1);
    time * u32::try_from(hundredths).unwrap_or(100) / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_has_bounds() {
        let second = Duration::from_secs(1);
        for _ in 0..100 {
            let part = part(second, 80, 100);
            assert!(part >= second * 4 / 5 && part <= second, "{part:?}");
        }
    }
}
