//! etcd's v3 protocol, by `etcd-client` on a runtime of its own.
//!
//! One connection at a time: to the first endpoint that answers, and then to the next one that does.

mod failure;
mod link;

use std::cell::RefCell;
use std::pin::Pin;
use std::time::Duration;

use etcd_client::{
    Client, Compare, CompareOp, DeleteOptions, Error, GetOptions, GetResponse, PutOptions, Txn,
    TxnOp,
};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::store::etcd::link::Link;
use crate::store::transaction::{Condition, Operation, Transaction};
use crate::store::{Access, Entry, Reading};

pub(super) use crate::store::etcd::failure::Failure;

/// How many keys are asked for at once.
const PAGE: i64 = 1_000;

/// The greatest answer in bytes.
const ANSWER_MAXIMUM: usize = 64 << 20;

/// How often a listing begins anew when etcd forgets the revision that it is about.
const ATTEMPTS: usize = 5;

/// How many operations one level of a transaction has at most. etcd allows 128 of a transaction and all
/// transactions on the way to it together, unless it is told otherwise (`--max-txn-ops`).
const LEVEL: usize = 60;

/// A failure of all endpoints: the last one's, with what it was and whether a request may have arrived.
pub(super) struct Silence {
    /// The endpoints and what each said.
    pub(super) failures: Vec<(String, Failure)>,
    /// Whether a request was sent whose answer did not come.
    pub(super) is_unknown: bool,
}

/// A running call.
type Call<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + 'a>>;

/// A client and the runtime that drives it.
pub(super) struct Connection {
    /// Taken only when the connection is dropped.
    runtime: Option<Runtime>,
    access: Access,
    state: RefCell<State>,
}

/// Which endpoint is spoken with.
struct State {
    endpoint: usize,
    link: Option<Link>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The library's tasks end with their runtime, and so does ssh.
        self.state.get_mut().link = None;
        // A name that is still being looked up is not waited for.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Connection {
    /// Makes a connection, which connects with its first request.
    pub(super) fn new(access: Access) -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let state = State {
            endpoint: 0,
            link: None,
        };
        Ok(Self {
            runtime: Some(runtime),
            access,
            state: RefCell::new(state),
        })
    }

    /// Returns all entries whose keys begin with a prefix, as of one revision and sorted.
    pub(super) fn read(&self, prefix: &str, names_only: bool) -> Result<Reading, Silence> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            match self.read_once(prefix, names_only) {
                Err(silence) if attempts < ATTEMPTS && silence.is_compacted() => {}
                result => return result,
            }
        }
    }

    fn read_once(&self, prefix: &str, names_only: bool) -> Result<Reading, Silence> {
        let mut reading = Reading::default();
        let end = after_prefix(prefix);
        let mut next = prefix.as_bytes().to_vec();
        loop {
            let mut options = GetOptions::new().with_range(end.clone()).with_limit(PAGE);
            if names_only {
                options = options.with_keys_only();
            }
            if reading.revision > 0 {
                options = options.with_revision(reading.revision);
            }
            let answer = self.get(&next, &options)?;
            if reading.revision == 0 {
                reading.revision = revision(&answer);
            }
            let page = answer.kvs();
            reading.entries.extend(page.iter().map(|entry| Entry {
                key: String::from_utf8_lossy(entry.key()).into_owned(),
                value: entry.value().to_vec(),
                revision: entry.mod_revision(),
                lease: entry.lease(),
            }));
            match page.last() {
                Some(last) if answer.more() => {
                    next = last.key().to_vec();
                    next.push(0);
                }
                _ => return Ok(reading),
            }
        }
    }

    /// Returns the entry of a key.
    pub(super) fn entry(&self, key: &str) -> Result<Option<Entry>, Silence> {
        let answer = self.get(key.as_bytes(), &GetOptions::new())?;
        Ok(answer.kvs().first().map(|entry| Entry {
            key: key.to_owned(),
            value: entry.value().to_vec(),
            revision: entry.mod_revision(),
            lease: entry.lease(),
        }))
    }

    /// Returns the version of the endpoint that answers: `3.4.23`.
    pub(super) fn version(&self) -> Result<String, Silence> {
        let answer = self.ask(true, |client| {
            Box::pin(async move { client.status().await })
        });
        Ok(answer?.version().to_owned())
    }

    /// Tells whether there is a key.
    pub(super) fn has(&self, key: &str) -> Result<bool, Silence> {
        let options = GetOptions::new().with_count_only();
        Ok(self.get(key.as_bytes(), &options)?.count() > 0)
    }

    fn get(&self, key: &[u8], options: &GetOptions) -> Result<GetResponse, Silence> {
        self.ask(true, |client| {
            let mut client = client.kv_client().max_decoding_message_size(ANSWER_MAXIMUM);
            let (key, options) = (key.to_vec(), options.clone());
            Box::pin(async move { client.get(key, Some(options)).await })
        })
    }

    /// Carries out a transaction. Returns its revision, or nothing where a condition did not hold.
    pub(super) fn commit(&self, transaction: &Transaction) -> Result<Option<i64>, Silence> {
        let answer = self.ask(false, |client| {
            let transaction = translated(transaction);
            Box::pin(async move { client.txn(transaction).await })
        })?;
        let revision = answer
            .header()
            .map_or(0, etcd_client::ResponseHeader::revision);
        Ok(answer.succeeded().then_some(revision))
    }

    /// Makes a lease of so many seconds and returns its number.
    pub(super) fn grant(&self, seconds: i64) -> Result<i64, Silence> {
        // A lease that nobody knows of ends by itself.
        let answer = self.ask(true, |client| {
            Box::pin(async move { client.lease_grant(seconds, None).await })
        });
        Ok(answer?.id())
    }

    /// Renews a lease. Tells whether it was still there.
    pub(super) fn renew(&self, lease: i64) -> Result<bool, Silence> {
        self.ask(true, |client| {
            Box::pin(async move {
                match client.lease_keep_alive(lease).await {
                    Ok(_) => Ok(true),
                    Err(Error::LeaseKeepAliveError(_)) => Ok(false),
                    Err(error) => Err(error),
                }
            })
        })
    }

    /// Ends a lease, and with it all keys that hang on it. One that is gone already is none the worse.
    pub(super) fn revoke(&self, lease: i64) -> Result<(), Silence> {
        self.ask(true, |client| {
            Box::pin(async move {
                match client.lease_revoke(lease).await {
                    // NotFound
                    Err(Error::GRpcStatus(status)) if status.code() as i32 == 5 => Ok(()),
                    other => other.map(drop),
                }
            })
        })
    }

    /// Sends a request to one endpoint after the other until one answers. One that must not be repeated
    /// is sent once.
    fn ask<T>(
        &self,
        may_repeat: bool,
        call: impl for<'a> Fn(&'a mut Client) -> Call<'a, T>,
    ) -> Result<T, Silence> {
        let mut silence = Silence {
            failures: Vec::new(),
            is_unknown: false,
        };
        let Some(runtime) = &self.runtime else {
            return Err(silence);
        };
        let state = &mut *self.state.borrow_mut();
        let limit = self.access.limits.command;
        let endpoints = &self.access.endpoints;
        runtime
            .block_on(async {
                // A connection that worked before may have ended in the meantime: it is no attempt.
                let was_open = state.link.is_some();
                let mut left = endpoints.len() + usize::from(was_open);
                while left > 0 {
                    left -= 1;
                    let endpoint = &endpoints[state.endpoint];
                    let opened = match state.link.take() {
                        Some(link) => Ok(link),
                        None => Link::open(&self.access, endpoint).await,
                    };
                    let (failure, was_sent) = match opened {
                        Err(failure) => (failure, false),
                        Ok(mut link) => {
                            let limit = limit + std::mem::take(&mut link.patience);
                            match timeout(limit, call(&mut link.client)).await {
                                Ok(Ok(answer)) => {
                                    state.link = Some(link);
                                    return Ok(answer);
                                }
                                Ok(Err(error)) => {
                                    let failure = Failure::of(&error);
                                    let is_answer = !failure.may_pass();
                                    let failure = if is_answer {
                                        state.link = Some(link);
                                        failure
                                    } else {
                                        link.explained(failure).await
                                    };
                                    (failure, !is_answer)
                                }
                                Err(_) => (link.explained(Failure::Silent(limit)).await, true),
                            }
                        }
                    };
                    let goes_on = failure.may_pass() && (may_repeat || !was_sent);
                    silence.is_unknown |= was_sent && !may_repeat;
                    silence.failures.push((endpoint.to_string(), failure));
                    if !goes_on {
                        break;
                    }
                    let is_stale = was_open
                        && silence.failures.len() == 1
                        && !matches!(silence.failures[0].1, Failure::Silent(_));
                    if !is_stale {
                        state.endpoint = (state.endpoint + 1) % endpoints.len();
                    }
                }
                // Next time another endpoint may do better.
                if silence.is_unknown {
                    state.endpoint = (state.endpoint + 1) % endpoints.len();
                }
                Err(())
            })
            .map_err(|()| silence)
    }

    /// Returns how long one request may take.
    pub(super) fn patience(&self) -> Duration {
        self.access.limits.command
    }
}

impl Silence {
    fn is_compacted(&self) -> bool {
        matches!(self.failures.last(), Some((_, Failure::Compacted)))
    }
}

fn revision(answer: &GetResponse) -> i64 {
    answer
        .header()
        .map_or(0, etcd_client::ResponseHeader::revision)
}

/// Returns a transaction in the library's words. What is too much for one level is in transactions
/// within it, which happen or do not happen with it.
fn translated(transaction: &Transaction) -> Txn {
    let condition = |condition: &Condition| match condition {
        Condition::Unchanged { key, revision } => {
            Compare::mod_revision(key.as_str(), CompareOp::Equal, *revision)
        }
        Condition::NothingNewer { prefix, revision } => {
            Compare::mod_revision(prefix.as_str(), CompareOp::Less, revision + 1).with_prefix()
        }
    };
    let operation = |operation: &Operation| match operation {
        Operation::Put { key, value, lease } => {
            let options = PutOptions::new().with_lease(*lease);
            TxnOp::put(key.as_str(), value.as_slice(), Some(options))
        }
        Operation::Keep { key } => {
            let options = PutOptions::new().with_ignore_value();
            TxnOp::put(key.as_str(), "", Some(options))
        }
        Operation::Delete { key } => TxnOp::delete(key.as_str(), None),
        Operation::DeleteRange { from, to } => {
            let options = DeleteOptions::new().with_range(to.as_str());
            TxnOp::delete(from.as_str(), Some(options))
        }
    };
    let operations = &transaction.operations;
    let operations: Vec<TxnOp> = if operations.len() <= LEVEL {
        operations.iter().map(operation).collect()
    } else {
        let parts = operations.chunks(LEVEL);
        let part = |part: &[Operation]| {
            let operations: Vec<TxnOp> = part.iter().map(operation).collect();
            TxnOp::txn(Txn::new().and_then(operations))
        };
        parts.map(part).collect()
    };
    let conditions: Vec<Compare> = transaction.conditions.iter().map(condition).collect();
    Txn::new().when(conditions).and_then(operations)
}

/// Returns the first key behind all that begin with a prefix.
fn after_prefix(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    vec![0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_key() {
        assert_eq!(after_prefix("/a/"), b"/a0");
    }
}
