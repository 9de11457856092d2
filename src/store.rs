//! The door to etcd, in plain functions: nobody outside knows that futures exist.
//!
//! In: where etcd is, keys and values. Out: entries, as of one revision, and how a change ended. Every
//! call has its own time limit; endpoints are asked one after the other until one answers. Knows nothing
//! of apps.

pub mod endpoint;
mod etcd;
pub mod transaction;

use std::fmt;
use std::time::Duration;

use crate::error::CommandError;
use crate::http::address::Tunnel;
use crate::store::endpoint::Endpoint;
use crate::store::etcd::{Connection, Failure, Silence};
use crate::store::transaction::{Outcome, Transaction};

/// Where etcd is, if nobody says otherwise.
pub const DEFAULT_ENDPOINT: &str = "127.0.0.1:2379";

/// How etcd is reached.
#[derive(Debug, Clone)]
pub struct Access {
    /// The members; one at least.
    pub endpoints: Vec<Endpoint>,
    /// What TLS needs.
    pub tls: Tls,
    /// Who logs in.
    pub login: Option<Login>,
    /// The host on the way to them.
    pub tunnel: Option<Tunnel>,
    /// How long anything may take.
    pub limits: Limits,
}

/// What TLS needs, as PEM.
#[derive(Clone, Default)]
pub struct Tls {
    /// Who vouches for the servers; unsaid, whoever the system trusts.
    pub authority: Option<Vec<u8>>,
    /// The client's certificate and key.
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// Who logs in.
#[derive(Clone)]
pub struct Login {
    /// The user's name.
    pub name: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ***", self.name)
    }
}

/// How long anything may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until there is a connection to one endpoint.
    pub dialing: Duration,
    /// Until one endpoint has answered one request.
    pub command: Duration,
}

impl Default for Limits {
    /// As etcdctl has them.
    fn default() -> Self {
        Self {
            dialing: Duration::from_secs(2),
            command: Duration::from_secs(5),
        }
    }
}

/// A key with its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value; nothing where only names were asked for.
    pub value: Vec<u8>,
    /// The revision at which it was last written.
    pub revision: i64,
    /// The lease that it hangs on; 0 for none.
    pub lease: i64,
}

impl fmt::Debug for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} *** at {}", self.key, self.revision)
    }
}

/// What stands under a prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The revision that all of it is of.
    pub revision: i64,
    /// The entries, sorted by their keys.
    pub entries: Vec<Entry>,
}

/// A client of an etcd cluster.
pub struct Store {
    connection: Connection,
    /// The endpoints as a user reads them.
    shown: String,
}

impl Store {
    /// Makes a client, which connects with its first request.
    ///
    /// # Errors
    /// Says why the system does not let it.
    pub fn new(access: Access) -> Result<Self, CommandError> {
        let endpoints: Vec<String> = access.endpoints.iter().map(Endpoint::to_string).collect();
        let mut shown = format!("`{}`", endpoints.join(","));
        if let Some(tunnel) = &access.tunnel {
            shown.push_str(&format!(" by way of `{tunnel}`"));
        }
        let connection = Connection::new(access)
            .map_err(|error| CommandError::trouble("can't speak with etcd").because(error))?;
        Ok(Self { connection, shown })
    }

    /// Returns where etcd is, and by which way, as a user reads it.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.shown
    }

    /// Returns how long one endpoint may take for one request.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.connection.patience()
    }

    /// Returns what stands under a prefix: one request for each 1,000 keys.
    ///
    /// # Errors
    /// Says what etcd answered, or that it did not.
    pub fn read(&self, prefix: &str) -> Result<Reading, CommandError> {
        let read = self.connection.read(prefix, false);
        read.map_err(|silence| self.error(&format!("can't read `{prefix}` from etcd"), silence))
    }

    /// Returns all keys that begin with a prefix, sorted. No value is asked for.
    ///
    /// # Errors
    /// Says what etcd answered, or that it did not.
    pub fn keys(&self, prefix: &str) -> Result<Vec<String>, CommandError> {
        match self.connection.read(prefix, true) {
            Ok(reading) => Ok(reading.entries.into_iter().map(|entry| entry.key).collect()),
            Err(silence) => Err(self.error(&format!("can't read `{prefix}` from etcd"), silence)),
        }
    }

    /// Returns a key's entry.
    ///
    /// # Errors
    /// Says what etcd answered, or that it did not.
    pub fn get(&self, key: &str) -> Result<Option<Entry>, CommandError> {
        let entry = self.connection.entry(key);
        entry.map_err(|silence| self.error(&format!("can't read `{key}` from etcd"), silence))
    }

    /// Tells whether there is a key. Its value is not asked for.
    ///
    /// # Errors
    /// Says what etcd answered, or that it did not.
    pub fn has(&self, key: &str) -> Result<bool, CommandError> {
        let has = self.connection.has(key);
        has.map_err(|silence| self.error(&format!("can't read `{key}` from etcd"), silence))
    }

    /// Refuses an etcd that would take a transaction's conditions for something else: ranges in them, and
    /// transactions within transactions, came with 3.3, and older ones pass over them in silence.
    ///
    /// # Errors
    /// Says which version it is, what etcd answered, or that it did not.
    pub fn check_version(&self) -> Result<(), CommandError> {
        let version = self.connection.version();
        let version = version.map_err(|silence| self.error("can't ask etcd's version", silence))?;
        if is_young_enough(&version) {
            return Ok(());
        }
        let message = format!("etcd at {} is of version {version}", self.shown);
        Err(CommandError::remote(message)
            .because("before 3.3 it can't guard a change against other writers")
            .help("use a younger etcd; it can be read all the same"))
    }

    /// Carries out a transaction, once: where there is no answer it is not known how it ended.
    ///
    /// # Errors
    /// Says why etcd did nothing.
    pub fn commit(&self, transaction: &Transaction) -> Result<Outcome, CommandError> {
        match self.connection.commit(transaction) {
            Ok(Some(revision)) => Ok(Outcome::Committed(revision)),
            Ok(None) => Ok(Outcome::Conflict),
            Err(silence) if silence.is_unknown => Ok(Outcome::Unknown),
            Err(silence) => Err(self.error("can't write to etcd", silence)),
        }
    }

    /// Makes a lease of so many seconds and returns its number.
    ///
    /// # Errors
    /// Says what etcd answered, or that it did not.
    pub fn grant(&self, seconds: i64) -> Result<i64, CommandError> {
        let lease = self.connection.grant(seconds);
        lease.map_err(|silence| self.error("can't get a lease from etcd", silence))
    }

    /// Renews a lease. Tells whether it was still there.
    ///
    /// # Errors
    /// Says what etcd answered, or that it did not.
    pub fn renew(&self, lease: i64) -> Result<bool, CommandError> {
        let renewed = self.connection.renew(lease);
        renewed.map_err(|silence| self.error("can't renew a lease of etcd", silence))
    }

    /// Ends a lease, and with it all keys that hang on it.
    ///
    /// # Errors
    /// Says what etcd answered, or that it did not.
    pub fn revoke(&self, lease: i64) -> Result<(), CommandError> {
        let revoked = self.connection.revoke(lease);
        revoked.map_err(|silence| self.error("can't end a lease of etcd", silence))
    }

    fn error(&self, what: &str, silence: Silence) -> CommandError {
        let refusal = silence
            .failures
            .iter()
            .position(|(_, failure)| !failure.may_pass());
        if let Some(at) = refusal {
            let mut failures = silence.failures;
            let (_, failure) = failures.swap_remove(at);
            let text = failure.to_string();
            let error = CommandError::remote(what).because(failure);
            return if text.contains("user name is empty") {
                error.help("log in: `--user NAME` and ETCDCTL_PASSWORD, or ETCDCTL_USER")
            } else if text.contains("permission denied") {
                error.help("`etcdctl role grant-permission` grants it to the user's role")
            } else {
                error
            };
        }
        let mut error = CommandError::remote(format!("can't reach etcd at {}", self.shown));
        error.may_pass = true;
        let mut all = silence.failures.iter();
        error.is_nobody = all.all(|(_, failure)| failure.is_nobody());
        // What counts is what each endpoint said last: a connection that ended says nothing of it.
        let mut failures: Vec<(String, Failure)> = Vec::new();
        for (endpoint, failure) in silence.failures {
            failures.retain(|(earlier, _)| *earlier != endpoint);
            failures.push((endpoint, failure));
        }
        let reasons: Vec<String> = match failures.as_slice() {
            [(_, failure)] => vec![failure.to_string()],
            failures => failures
                .iter()
                .map(|(endpoint, failure)| format!("`{endpoint}`: {failure}"))
                .collect(),
        };
        let reasons = reasons.join("; ");
        let help = if reasons.contains("UnknownIssuer") {
            "name who vouches for it: `--cacert FILE` or ETCDCTL_CACERT"
        } else if reasons.contains("client's certificate") {
            "name one: `--cert FILE` and `--cert-key FILE`, or ETCDCTL_CERT and ETCDCTL_KEY"
        } else if reasons.contains("broke off") {
            "does it speak TLS? `https://` asks for it, `http://` does not"
        } else {
            "is it this one that is meant? `--endpoints` or ETCDCTL_ENDPOINTS names another"
        };
        error.because(reasons).help(help)
    }
}

/// Tells whether a version is 3.3 or later.
fn is_young_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) >= (3, 3),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_guard_a_change() {
        for (version, expected) in [
            ("3.4.23", true),
            ("3.3.0", true),
            ("3.10.1-rc.0", true),
            ("4.0.0", true),
            ("3.2.32", false),
            ("2.3.8", false),
            ("", false),
        ] {
            assert_eq!(is_young_enough(version), expected, "{version}");
        }
    }
}
