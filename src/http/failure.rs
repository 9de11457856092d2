//! Why a request has no answer.
//!
//! In: what the library or the system reports. Out: a `Reason` in the words of a user.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind};
use std::time::Duration;

/// A request that has no answer.
#[derive(Debug)]
pub struct Failure {
    /// The request's method and path.
    pub request: String,
    /// Where it was sent to, and by which way.
    pub server: String,
    /// Why there is no answer.
    pub reason: Reason,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Reason {
    /// Nobody listens.
    Refused,
    /// There is no such socket file.
    NoSocket,
    /// This user may not connect.
    Denied,
    /// The host's name leads nowhere.
    HostNotFound,
    /// No connection within this time.
    NotConnected(Duration),
    /// A connection, but no answer within this time.
    Silent(Duration),
    /// An answer that was not complete within this time.
    Slow(Duration),
    /// The connection was closed without an answer.
    Closed,
    /// The connection was closed after so many bytes of the answer's body.
    CutOff(usize),
    /// A body of more than so many bytes.
    TooLarge(usize),
    /// Some other protocol.
    NotHttp,
    /// ssh could not be started.
    NoSsh(io::Error),
    /// ssh said this.
    Ssh(String),
    /// Anything else.
    Other(io::Error),
}

impl Failure {
    /// Tells whether the server may have received the request and acted upon it.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        match self.reason {
            Reason::Refused
            | Reason::NoSocket
            | Reason::Denied
            | Reason::HostNotFound
            | Reason::NotConnected(_)
            | Reason::NoSsh(_)
            | Reason::Ssh(_) => false,
            Reason::Silent(_)
            | Reason::Slow(_)
            | Reason::Closed
            | Reason::CutOff(_)
            | Reason::TooLarge(_)
            | Reason::NotHttp
            | Reason::Other(_) => true,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            request,
            server,
            reason,
        } = self;
        write!(formatter, "`{request}` at {server}: {reason}")
    }
}

impl Error for Failure {}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |time: &Duration| time.as_secs_f64();
        match self {
            Self::Refused => formatter.write_str("connection refused"),
            Self::NoSocket => formatter.write_str("there is no such socket file"),
            Self::Denied => formatter.write_str("permission denied"),
            Self::HostNotFound => formatter.write_str("host not found"),
            Self::NotConnected(time) => {
                write!(formatter, "no connection within {} s", seconds(time))
            }
            Self::Silent(time) => {
                write!(
                    formatter,
                    "connected, but no answer within {} s",
                    seconds(time)
                )
            }
            Self::Slow(time) => {
                write!(
                    formatter,
                    "the answer was not complete within {} s",
                    seconds(time)
                )
            }
            Self::Closed => formatter.write_str("the connection was closed without an answer"),
            Self::CutOff(bytes) => write!(formatter, "the answer was cut off after {bytes} bytes"),
            Self::TooLarge(bytes) => {
                write!(formatter, "the answer is larger than {} MiB", bytes >> 20)
            }
            Self::NotHttp => formatter.write_str("the answer is no HTTP"),
            Self::NoSsh(error) => write!(formatter, "can't start `ssh`: {error}"),
            Self::Ssh(text) => write!(formatter, "ssh: {text}"),
            Self::Other(error) => write!(formatter, "{error}"),
        }
    }
}

impl Reason {
    /// Returns why there is no connection.
    pub(crate) fn of_connecting(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            ErrorKind::NotFound => Self::NoSocket,
            ErrorKind::PermissionDenied => Self::Denied,
            _ => Self::Other(error),
        }
    }

    /// Returns why a connection gave no whole answer; of its body, so many bytes had come, if any of
    /// the answer had.
    pub(super) fn of_exchange(error: hyper::Error, body: Option<usize>) -> Self {
        let cause = error
            .source()
            .and_then(|cause| cause.downcast_ref::<io::Error>());
        let is_gone = error.is_incomplete_message()
            || error.is_canceled()
            || error.is_closed()
            || cause.is_some_and(|cause| {
                matches!(
                    cause.kind(),
                    ErrorKind::BrokenPipe
                        | ErrorKind::ConnectionAborted
                        | ErrorKind::ConnectionReset
                        | ErrorKind::UnexpectedEof
                )
            });
        match body {
            Some(bytes) if is_gone => Self::CutOff(bytes),
            None if is_gone => Self::Closed,
            _ if error.is_parse() || body.is_some() => Self::NotHttp,
            _ => Self::Other(io::Error::other(error)),
        }
    }
}
