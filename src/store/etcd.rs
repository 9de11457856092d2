//! etcd's v3 protocol, by `etcd-client` on a runtime of its own.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use etcd_client::{Client, Error, GetOptions};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Mutex;

/// How long one call may take.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// How many keys are asked for at once.
const PAGE: i64 = 1_000;

/// Why etcd gave no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was silent for too long.
    Silent,
    /// It answered with an error, or could not be reached.
    Refused(Box<Error>),
    /// The runtime could not be started.
    Runtime(std::io::Error),
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent => write!(formatter, "no answer within {} s", TIME_LIMIT.as_secs()),
            Self::Refused(error) => match error.as_ref() {
                Error::GRpcStatus(status) => formatter.write_str(status.message()),
                other => write!(formatter, "{other}"),
            },
            Self::Runtime(error) => write!(formatter, "{error}"),
        }
    }
}

impl std::error::Error for Failure {}

/// A client and the runtime that drives it.
pub(super) struct Connection {
    runtime: Runtime,
    client: Mutex<Client>,
}

impl Connection {
    /// Connects, and asks for one key to know that somebody answers.
    pub(super) fn open(endpoints: &[&str]) -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Failure::Runtime)?;
        let client = limited(&runtime, Client::connect(endpoints, None))?;
        let connection = Self {
            runtime,
            client: Mutex::new(client),
        };
        connection.has("/")?;
        Ok(connection)
    }

    /// Returns all keys that begin with a prefix, page by page and sorted.
    pub(super) fn keys(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let mut found = Vec::new();
        let end = after_prefix(prefix);
        let mut next = prefix.as_bytes().to_vec();
        loop {
            let options = GetOptions::new()
                .with_range(end.clone())
                .with_keys_only()
                .with_limit(PAGE);
            let answer = limited(&self.runtime, async {
                self.client
                    .lock()
                    .await
                    .get(next.clone(), Some(options))
                    .await
            })?;
            let keys = answer.kvs();
            found.extend(
                keys.iter()
                    .map(|kv| String::from_utf8_lossy(kv.key()).into_owned()),
            );
            match keys.last() {
                Some(last) if answer.more() => {
                    next = last.key().to_vec();
                    next.push(0);
                }
                _ => return Ok(found),
            }
        }
    }

    /// Tells whether there is a key.
    pub(super) fn has(&self, key: &str) -> Result<bool, Failure> {
        let options = GetOptions::new().with_count_only();
        let answer = limited(&self.runtime, async {
            self.client.lock().await.get(key, Some(options)).await
        })?;
        Ok(answer.count() > 0)
    }
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

fn limited<T>(
    runtime: &Runtime,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, Failure> {
    match runtime.block_on(async { tokio::time::timeout(TIME_LIMIT, call).await }) {
        Ok(answer) => answer.map_err(|error| Failure::Refused(Box::new(error))),
        Err(_) => Err(Failure::Silent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_key() {
        assert_eq!(after_prefix("/a/"), b"/a0");
    }
}
