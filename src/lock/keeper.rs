//! Who keeps locks alive in a thread of its own, and notices when they are lost.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Deadline, pause};
use crate::error::CommandError;
use crate::interruption::Interruption;
use crate::lock::seeker::{Held, PART, unchanged};
use crate::lock::{Holder, LOCKS, Term, Terms, named, unanswered};
use crate::moment::span;
use crate::settings::now;
use crate::store::transaction::{Outcome, Transaction};
use crate::store::{Access, Store};

/// The pause between two attempts to give locks back.
const AGAIN: Duration = Duration::from_millis(250);

/// How locks were lost.
#[derive(Clone)]
enum Fault {
    /// Their time is over, and etcd did not answer; what it did instead.
    Lapsed(Option<String>),
    /// Their lease is gone.
    Ended,
    /// Somebody deleted one.
    Released(String),
    /// Somebody else has one.
    Taken(Holder),
}

/// What the keeper and whoever works under the locks know.
pub(super) struct Shared {
    /// Whose locks they are.
    apps: Vec<String>,
    terms: Terms,
    state: Mutex<State>,
    /// Rings when an end is wanted, and when it was made.
    bell: Condvar,
}

struct State {
    term: Term,
    /// What etcd said last, where it did not do what it was asked.
    trouble: Option<String>,
    fault: Option<Fault>,
    is_end_wanted: bool,
    is_ended: bool,
    /// Why they could not be given back.
    why: Option<CommandError>,
}

impl Shared {
    pub(super) fn new(apps: Vec<String>, term: Term, terms: Terms) -> Self {
        Self {
            apps,
            terms,
            state: Mutex::new(State {
                term,
                trouble: None,
                fault: None,
                is_end_wanted: false,
                is_ended: false,
                why: None,
            }),
            bell: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whether all locks are held still.
    pub(super) fn check(&self) -> Result<(), CommandError> {
        match &self.state().judged().fault {
            None => Ok(()),
            Some(fault) => Err(self.error(fault)),
        }
    }

    /// Tells whether the keeper was asked to give the locks back already.
    pub(super) fn is_end_wanted(&self) -> bool {
        self.state().is_end_wanted
    }

    /// Lets the keeper give the locks back, and waits for it for a while.
    pub(super) fn end(&self) -> Result<(), CommandError> {
        let mut state = self.state();
        state.is_end_wanted = true;
        self.bell.notify_all();
        let waiting = |state: &mut State| !state.is_ended;
        let waited = self
            .bell
            .wait_timeout_while(state, self.terms.patience, waiting);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let why = match state.why.take() {
            None if state.is_ended => return Ok(()),
            None => {
                let mut error = CommandError::remote("can't end a lease of etcd");
                error.may_pass = true;
                error.because("no answer came in time")
            }
            Some(why) => why,
        };
        let apps = named(&self.apps);
        let time = span(self.terms.ttl);
        Err(why
            .under(format!("can't give back the lock of {apps}"))
            .help(format!("it ends by itself within {time}")))
    }

    fn error(&self, fault: &Fault) -> CommandError {
        let apps = named(&self.apps);
        let lost = format!("the lock of {apps} is lost");
        match fault {
            Fault::Lapsed(trouble) => {
                let time = span(self.terms.ttl);
                let message = format!("{lost}: it could not be renewed for {time}");
                let error = CommandError::remote(message);
                match trouble {
                    Some(trouble) => error.because(trouble.clone()),
                    None => error,
                }
            }
            Fault::Ended => CommandError::refused(format!("{lost}: its lease was ended")),
            Fault::Released(app) => {
                let message = format!("the lock of `{app}` is lost: somebody took it away");
                CommandError::refused(message)
            }
            Fault::Taken(holder) => {
                let message = format!("the lock of `{}` is lost", holder.app);
                CommandError::refused(message).because(holder.told(now()))
            }
        }
    }
}

impl State {
    /// Returns itself, with what the time alone says.
    fn judged(&mut self) -> &mut Self {
        if self.fault.is_none() && self.term.is_over() {
            self.fault = Some(Fault::Lapsed(self.trouble.clone()));
        }
        self
    }
}

/// Who keeps locks.
pub(super) struct Keeper {
    access: Access,
    store: Store,
    terms: Terms,
    held: Held,
    shared: Arc<Shared>,
}

/// How many keys are looked at to find out who has a lock that was lost.
const SAMPLE: usize = 10;

impl Keeper {
    /// Makes one for locks that were just taken.
    pub(super) fn new(
        access: Access,
        store: Store,
        terms: Terms,
        held: Held,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            access,
            store,
            terms,
            held,
            shared,
        }
    }

    /// Keeps the locks until an end is wanted, and gives them back then.
    pub(super) fn run(mut self) {
        while !self.rest() {
            match self.look() {
                Ok(None) => self.shared.state().trouble = None,
                Ok(Some(fault)) => {
                    self.shared.state().judged().fault.get_or_insert(fault);
                }
                Err(error) => self.trouble(&error),
            }
        }
        let ended = self.give_back();
        let mut state = self.shared.state();
        state.is_ended = true;
        state.why = ended.err();
        self.shared.bell.notify_all();
    }

    /// Waits until it is time for another look. What is lost is looked at no more. Tells whether an end is
    /// wanted.
    fn rest(&self) -> bool {
        let mut state = self.shared.state();
        let bell = &self.shared.bell;
        let waiting = |state: &mut State| !state.is_end_wanted;
        loop {
            let waited = bell.wait_timeout_while(state, self.terms.look, waiting);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.is_end_wanted || state.judged().fault.is_none() {
                return state.is_end_wanted;
            }
        }
    }

    /// Renews the lease and looks whether all keys are there still, as they were written.
    fn look(&self) -> Result<Option<Fault>, CommandError> {
        // Counted from before the request, they end no sooner than this.
        let term = Term::of(self.terms.ttl);
        if !self.store.renew(self.held.lease)? {
            self.shared
                .state()
                .judged()
                .fault
                .get_or_insert(Fault::Ended);
            // Whoever has one now says more, where that can be found out.
            let sample = &self.held.keys[..self.held.keys.len().min(SAMPLE)];
            let other = self.changed(sample).ok().flatten();
            return Ok(Some(match other {
                Some(Fault::Taken(holder)) => Fault::Taken(holder),
                _ => Fault::Ended,
            }));
        }
        {
            let mut state = self.shared.state();
            // What has lapsed meanwhile is lost for good.
            if state.judged().fault.is_some() {
                return Ok(None);
            }
            state.term = term;
        }
        for part in self.held.keys.chunks(PART) {
            // A transaction that changes nothing is answered by a member that may lag behind; after this one
            // it does not.
            if let Some(fault) = self.changed(&part[..1])? {
                return Ok(Some(fault));
            }
            let keys = part.iter().map(|(key, revision)| (key, *revision));
            let outcome = self.store.commit(&Transaction {
                conditions: unchanged(keys),
                operations: Vec::new(),
            })?;
            match outcome {
                Outcome::Committed(_) => {}
                Outcome::Conflict => return self.changed(part),
                Outcome::Unknown => return Err(unanswered()),
            }
        }
        Ok(None)
    }

    /// Looks which of some keys is not as it was written; one that somebody else has goes first.
    fn changed(&self, keys: &[(String, i64)]) -> Result<Option<Fault>, CommandError> {
        let mut gone = None;
        for (key, revision) in keys {
            match self.store.get(key)? {
                Some(entry) if entry.revision == *revision => {}
                Some(entry) => return Ok(Some(Fault::Taken(Holder::of(&entry)))),
                None => {
                    let app = key.strip_prefix(LOCKS).unwrap_or(key);
                    gone.get_or_insert(Fault::Released(app.to_owned()));
                }
            }
        }
        Ok(gone)
    }

    fn trouble(&mut self, error: &CommandError) {
        if !error.may_pass {
            // A connection made anew logs in anew: what it is refused may be granted meanwhile.
            if let Ok(store) = Store::new(self.access.clone()) {
                self.store = store;
            }
        }
        let causes = [vec![error.message.clone()], error.causes()].concat();
        self.shared.state().trouble = Some(causes.join(": "));
    }

    /// Ends the lease, and with it all locks that hang on it still.
    fn give_back(&self) -> Result<(), CommandError> {
        // Whoever waits for it is to hear why it can't be done.
        let deadline = Deadline::after(self.terms.patience / 2);
        let calm = Interruption::default();
        loop {
            match self.store.revoke(self.held.lease) {
                Err(error) if error.may_pass && !deadline.is_over() => pause(AGAIN, &calm),
                result => return result,
            }
        }
    }
}
