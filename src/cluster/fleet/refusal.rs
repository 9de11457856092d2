//! Answers of fleet that are no success, and what a user can do about them.
//!
//! In: what the HTTP door returned. Out: a `CommandError` with fleet's own words.

use std::fmt;

use serde::Deserialize;

use crate::error::CommandError;
use crate::http::failure::{Failure, Reason};
use crate::http::{Request, Response};
use crate::state::Release;

/// What stood in the way of an answer.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// There was none.
    Silence(Failure),
    /// It was no success.
    Refusal {
        /// The status.
        status: u16,
        /// fleet's message; empty where it gave none.
        message: String,
        /// Whether it is fleet that answered.
        by_fleet: bool,
        /// What the server calls itself.
        server: Option<String>,
    },
    /// It can't be understood.
    Nonsense(String),
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorEntity,
}

#[derive(Deserialize)]
struct ErrorEntity {
    code: u16,
    #[serde(default)]
    message: String,
}

impl Obstacle {
    /// Takes an answer that is no success.
    pub(super) fn refusal(response: &Response) -> Self {
        let entity = serde_json::from_slice(&response.body).map(|body: ErrorBody| body.error);
        let entity = entity.ok().filter(|entity| entity.code == response.status);
        let server = response.header("server").map(str::to_owned);
        Self::Refusal {
            status: response.status,
            by_fleet: entity.is_some()
                && server
                    .as_deref()
                    .is_none_or(|it| Release::from_server(it).is_some()),
            message: entity.map(|entity| entity.message).unwrap_or_default(),
            server,
        }
    }

    /// Tells whether fleet itself said that there is no such thing.
    pub(super) fn is_absence(&self) -> bool {
        matches!(
            self,
            Self::Refusal {
                status: 404,
                by_fleet: true,
                ..
            }
        )
    }

    /// Returns the error of a command that could not do this because of the request.
    pub(super) fn error(
        self,
        what: impl Into<String>,
        request: Request<'_>,
        server: &str,
    ) -> CommandError {
        let help = self.help(request);
        let mut error = CommandError::remote(what);
        error.may_pass = self.may_pass();
        error.is_nobody = self.is_nobody();
        let error = match self {
            Self::Silence(failure) => error.because(failure),
            Self::Refusal { .. } | Self::Nonsense(_) => {
                let method = request.method.as_str();
                error.because(format!("`{method} {}` at {server}: {self}", request.path))
            }
        };
        match help {
            Some(help) => error.help(help),
            None => error,
        }
    }

    /// Tells whether nobody is there.
    fn is_nobody(&self) -> bool {
        let Self::Silence(failure) = self else {
            return false;
        };
        matches!(
            failure.reason,
            Reason::Refused | Reason::NoSocket | Reason::HostNotFound
        )
    }

    /// Tells whether the same request may succeed a little later.
    fn may_pass(&self) -> bool {
        match self {
            Self::Silence(failure) => match failure.reason {
                Reason::Refused
                | Reason::NoSocket
                | Reason::NotConnected(_)
                | Reason::Silent(_)
                | Reason::Slow(_)
                | Reason::Closed
                | Reason::CutOff(_)
                | Reason::Other(_) => true,
                Reason::Denied
                | Reason::HostNotFound
                | Reason::TooLarge(_)
                | Reason::NotHttp
                | Reason::NoSsh(_)
                | Reason::Ssh(_) => false,
            },
            Self::Refusal { status, .. } => *status >= 500,
            Self::Nonsense(_) => false,
        }
    }

    fn help(&self, request: Request<'_>) -> Option<String> {
        let writes = request.body.is_some() || request.method.as_str() != "GET";
        let help = match self {
            Self::Silence(failure) if writes && failure.may_have_arrived() => {
                "fleet may have done it all the same: look at the unit before you try again"
            }
            Self::Silence(failure) => match &failure.reason {
                Reason::Refused
                | Reason::NoSocket
                | Reason::NotConnected(_)
                | Reason::HostNotFound => {
                    "name fleet's endpoint with `--endpoint` or FLEETCTL_ENDPOINT, \
                     a host to go through with `--tunnel` or FLEETCTL_TUNNEL"
                }
                Reason::Denied => "fleet's socket belongs to root: its group or root may connect",
                Reason::Silent(_) | Reason::Slow(_) => {
                    "fleetd may hang, or the cluster may be large: `--request-timeout` gives it \
                     more seconds"
                }
                Reason::Ssh(_) => {
                    "try it with `ssh` alone; fleetctl would log in as `core`, ssh as its \
                     configuration or `--ssh-username` says"
                }
                Reason::NoSsh(_) => "`--tunnel` needs OpenSSH's client",
                Reason::NotHttp => "is this fleet's endpoint?",
                Reason::Closed | Reason::CutOff(_) | Reason::TooLarge(_) | Reason::Other(_) => {
                    return None;
                }
            },
            Self::Refusal {
                status: 503,
                by_fleet: true,
                ..
            } => "fleetd goes on by itself as soon as etcd answers it",
            Self::Refusal {
                status: 500,
                by_fleet: true,
                ..
            } => {
                "fleet says why only in the journal of fleetd; mostly etcd is slow or away, or the \
                 unit's target-state in etcd is none of fleet's words"
            }
            Self::Refusal {
                by_fleet: false, ..
            }
            | Self::Nonsense(_) => "is this fleet's endpoint?",
            Self::Refusal { .. } => return None,
        };
        Some(help.to_owned())
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silence(failure) => write!(formatter, "{failure}"),
            Self::Refusal {
                status,
                by_fleet: false,
                server,
                ..
            } => match server {
                Some(server) => write!(formatter, "`{server}` answered {status}, and is no fleet"),
                None => write!(formatter, "the server answered {status}, not as fleet does"),
            },
            Self::Refusal {
                status, message, ..
            } if message.is_empty() => write!(formatter, "fleet answered {status} without a word"),
            Self::Refusal {
                status, message, ..
            } => write!(formatter, "fleet answered {status}: {message}"),
            Self::Nonsense(reason) => {
                write!(formatter, "the answer is none of fleet's: {reason}")
            }
        }
    }
}
