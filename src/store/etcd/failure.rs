//! Why etcd gave no answer, in the words of a user.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use etcd_client::Error;

use crate::http::failure::Reason;

/// Why one endpoint gave no answer.
#[derive(Debug)]
pub(in crate::store) enum Failure {
    /// There was no connection.
    NotConnected(Reason),
    /// There was a connection, and no answer within this time.
    Silent(Duration),
    /// The connection ended, or TLS was not agreed upon.
    Closed(String),
    /// This member can't answer now, and another one may: it has no leader, or waited for others in vain.
    Unable(String),
    /// etcd refuses.
    Refused(String),
    /// It was asked for a revision that it has forgotten.
    Compacted,
    /// The runtime could not be started, or the library refuses what it is given.
    Own(String),
}

impl Failure {
    /// Returns what the library says.
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::GRpcStatus(status) => {
                let message = status.message();
                // The codes of gRPC by their numbers: the library does not hand out their names.
                match status.code() as i32 {
                    // Unavailable, cancelled.
                    14 | 1 if message.starts_with("etcdserver") => Self::Unable(message.to_owned()),
                    // OutOfRange
                    11 if message.contains("compacted") => Self::Compacted,
                    // Internal is HTTP/2 that breaks off.
                    14 | 13 | 1 => Self::Closed(innermost(status)),
                    // Whatever else has a cause was not said by etcd.
                    _ if status.source().is_some() => Self::Closed(innermost(status)),
                    _ => Self::Refused(message.to_owned()),
                }
            }
            Error::TransportError(error) => Self::Closed(innermost(error)),
            Error::IoError(error) => Self::Closed(error.to_string()),
            other => Self::Own(other.to_string()),
        }
    }

    /// Tells whether nobody listens there.
    pub(in crate::store) fn is_nobody(&self) -> bool {
        matches!(self, Self::NotConnected(Reason::Refused | Reason::NoSocket))
    }

    /// Tells whether another endpoint, or the same one a little later, may answer.
    pub(in crate::store) fn may_pass(&self) -> bool {
        match self {
            Self::NotConnected(_) | Self::Silent(_) | Self::Closed(_) | Self::Unable(_) => true,
            Self::Refused(_) | Self::Compacted | Self::Own(_) => false,
        }
    }
}

/// Returns what the first cause of an error says; what stands above it only says that there is one.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConnected(reason) => write!(formatter, "{reason}"),
            Self::Silent(time) => write!(formatter, "no answer within {} s", time.as_secs_f64()),
            Self::Closed(text) => write!(formatter, "the connection broke off: {text}"),
            Self::Unable(text) | Self::Refused(text) => {
                let text = text.strip_prefix("etcdserver: ").unwrap_or(text);
                write!(formatter, "etcd: {text}")
            }
            Self::Compacted => formatter.write_str("etcd compacted its history meanwhile"),
            Self::Own(text) => formatter.write_str(text),
        }
    }
}

impl std::error::Error for Failure {}
