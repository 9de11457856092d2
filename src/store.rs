//! The door to etcd, in plain functions: nobody outside knows that futures exist.
//!
//! In: endpoints and keys. Out: which keys there are. Every call has its own time limit. Knows
//! nothing of apps.

mod etcd;

use crate::error::CommandError;
use crate::store::etcd::Connection;

/// Where etcd is, if nobody says otherwise.
pub const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:2379";

/// A connection to etcd.
pub struct Store {
    connection: Connection,
}

impl Store {
    /// Connects to the first endpoint that answers.
    ///
    /// # Errors
    /// Says which endpoints are out of reach.
    pub fn connect(endpoints: &str) -> Result<Self, CommandError> {
        let list: Vec<&str> = endpoints
            .split(',')
            .map(str::trim)
            .filter(|e| !e.is_empty())
            .collect();
        let connection =
            Connection::open(&list).map_err(|reason| unreachable(endpoints, reason))?;
        Ok(Self { connection })
    }

    /// Returns all keys that begin with a prefix, sorted.
    ///
    /// # Errors
    /// Says what etcd answered, or that it did not.
    pub fn keys(&self, prefix: &str) -> Result<Vec<String>, CommandError> {
        let keys = self.connection.keys(prefix);
        keys.map_err(|reason| unreadable(prefix, reason))
    }

    /// Tells whether there is a key.
    ///
    /// # Errors
    /// Says what etcd answered, or that it did not.
    pub fn has(&self, key: &str) -> Result<bool, CommandError> {
        self.connection
            .has(key)
            .map_err(|reason| unreadable(key, reason))
    }
}

fn unreachable(endpoints: &str, reason: etcd::Failure) -> CommandError {
    CommandError::remote(format!("can't reach etcd at `{endpoints}`"))
        .because(reason)
        .help("name it with `--endpoints` or ETCDCTL_ENDPOINTS")
}

fn unreadable(key: &str, reason: etcd::Failure) -> CommandError {
    CommandError::remote(format!("can't read `{key}` from etcd")).because(reason)
}
