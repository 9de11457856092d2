//! Where a server is: `http://host:port`, `unix:///path`, and the ssh host on the way to it.
//!
//! In: what a user wrote. Out: an `Address` or a `Tunnel`, or what is wrong with the text. Knows
//! nothing of sockets.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Why a text is no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressError {
    /// What is wrong.
    pub message: String,
    /// What to write in its place.
    pub help: String,
}

impl fmt::Display for AddressError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for AddressError {}

fn wrong<T>(message: String, help: &str) -> Result<T, AddressError> {
    let help = help.to_owned();
    Err(AddressError { message, help })
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// On a port.
    Tcp {
        /// The host's name or address, without brackets.
        host: String,
        /// The port.
        port: u16,
        /// What stands before the path of each request: nothing, or `/prefix`.
        prefix: String,
    },
    /// On a unix socket.
    Unix(PathBuf),
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// Says what is wrong and what to write in its place.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        const FORMS: &str = "write `http://host:port` or `unix:///path/of/the.sock`";
        let Some((scheme, rest)) = text.split_once("://") else {
            return wrong(format!("the endpoint `{text}` has no scheme"), FORMS);
        };
        match scheme {
            "unix" | "file" if !rest.starts_with('/') => wrong(
                format!("the endpoint `{text}` has two slashes where three are due"),
                &format!("write `unix:///{rest}`"),
            ),
            "unix" | "file" if rest.len() > 1 => Ok(Self::Unix(PathBuf::from(rest))),
            "http" => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                let prefix = path.trim_end_matches('/').to_owned();
                let (host, port) = host_and_port(authority, text)?;
                let is_odd = |text: &str| text.contains(['?', '#', '@', '%', ' ']);
                if is_odd(host) || is_odd(&prefix) {
                    return wrong(format!("the endpoint `{text}` is no plain address"), FORMS);
                }
                Ok(Self::Tcp {
                    host: host.to_owned(),
                    port: port.unwrap_or(80),
                    prefix,
                })
            }
            "https" => wrong(
                format!("the endpoint `{text}` asks for TLS, which unitgen doesn't speak"),
                "name an `http://` or `unix://` endpoint, by way of `--tunnel` where the network \
                 between is not trusted",
            ),
            _ => wrong(format!("`{text}` is no endpoint"), FORMS),
        }
    }

    /// Returns what requests say in their `Host` header.
    #[must_use]
    pub fn authority(&self) -> String {
        match self {
            Self::Tcp { host, port, .. } if host.contains(':') => format!("[{host}]:{port}"),
            Self::Tcp { host, port, .. } => format!("{host}:{port}"),
            Self::Unix(_) => "localhost".to_owned(),
        }
    }

    /// Returns what stands before the path of each request.
    #[must_use]
    pub fn prefix(&self) -> &str {
        match self {
            Self::Tcp { prefix, .. } => prefix,
            Self::Unix(_) => "",
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { prefix, .. } => write!(formatter, "http://{}{prefix}", self.authority()),
            Self::Unix(path) => write!(formatter, "unix://{}", path.display()),
        }
    }
}

/// The host that a connection takes its way through, and how ssh is to reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tunnel {
    /// OpenSSH's client.
    pub program: PathBuf,
    /// Who logs in, where it is not ssh's configuration that says so.
    pub user: Option<String>,
    /// The host, or its name in ssh's configuration.
    pub host: String,
    /// The port, where it is not ssh's configuration that says so.
    pub port: Option<u16>,
    /// How long ssh may take until it is logged in.
    pub time_limit: Duration,
    /// Whether ssh refuses a host that it does not know; unsaid, its configuration says so.
    pub strict_host_keys: Option<bool>,
    /// The file of known hosts, where it is not ssh's configuration that says so.
    pub known_hosts: Option<String>,
    /// Whether there is somebody whom ssh may ask for a password.
    pub interactive: bool,
}

impl Tunnel {
    /// How long ssh may take unless somebody says otherwise, as with fleetctl.
    pub const TIME_LIMIT: Duration = Duration::from_secs(10);

    /// Reads `[user@]host[:port]`.
    ///
    /// # Errors
    /// Says what is wrong and what to write in its place.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, text),
        };
        let (host, port) = host_and_port(rest, text)?;
        let is_odd = |text: &str| {
            text.is_empty()
                || text.starts_with('-')
                || text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/')
        };
        if is_odd(host) || user.is_some_and(is_odd) {
            return wrong(
                format!("`{text}` is no host for a tunnel"),
                "write `[user@]host[:port]`",
            );
        }
        Ok(Self {
            program: PathBuf::from("ssh"),
            user: user.map(str::to_owned),
            host: host.to_owned(),
            port,
            time_limit: Self::TIME_LIMIT,
            strict_host_keys: None,
            known_hosts: None,
            interactive: false,
        })
    }
}

impl fmt::Display for Tunnel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(formatter, "{user}@")?;
        }
        match self.port {
            Some(port) if self.host.contains(':') => write!(formatter, "[{}]:{port}", self.host),
            Some(port) => write!(formatter, "{}:{port}", self.host),
            None => formatter.write_str(&self.host),
        }
    }
}

/// Splits `host`, `host:port`, `[::1]` or `[::1]:port`.
pub(crate) fn host_and_port<'a>(
    text: &'a str,
    whole: &str,
) -> Result<(&'a str, Option<u16>), AddressError> {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None if text.matches(':').count() > 1 => (text, None),
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if host.is_empty() {
        return wrong(format!("`{whole}` names no host"), "write `host:port`");
    }
    match port.map(str::parse) {
        None => Ok((host, None)),
        Some(Ok(port)) if port > 0 => Ok((host, Some(port))),
        Some(_) => wrong(
            format!("`{whole}` has no port that can be"),
            "a port is a number from 1 to 65535",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        #[track_caller]
        fn case(text: &str, shown: &str, authority: &str) {
            let address = Address::parse(text).unwrap();
            assert_eq!(address.to_string(), shown);
            assert_eq!(address.authority(), authority);
        }
        let socket = "unix:///var/run/fleet.sock";
        case(socket, socket, "localhost");
        case("file:///var/run/fleet.sock", socket, "localhost");
        case("http://host", "http://host:80", "host:80");
        case("http://host:49153/", "http://host:49153", "host:49153");
        case("http://h:1/fleets/a/", "http://h:1/fleets/a", "h:1");
        case("http://[::1]:8080", "http://[::1]:8080", "[::1]:8080");
    }

    #[test]
    fn what_is_no_address() {
        #[track_caller]
        fn case(text: &str, message: &str, help: &str) {
            let error = Address::parse(text).unwrap_err();
            assert_eq!(
                (error.message.as_str(), error.help.as_str()),
                (message, help)
            );
        }
        let forms = "write `http://host:port` or `unix:///path/of/the.sock`";
        case(
            "host:49153",
            "the endpoint `host:49153` has no scheme",
            forms,
        );
        case("/run/a", "the endpoint `/run/a` has no scheme", forms);
        case(
            "unix://var/run/fleet.sock",
            "the endpoint `unix://var/run/fleet.sock` has two slashes where three are due",
            "write `unix:///var/run/fleet.sock`",
        );
        case("unix:///", "`unix:///` is no endpoint", forms);
        case("ftp://a", "`ftp://a` is no endpoint", forms);
        case("http://", "`http://` names no host", "write `host:port`");
        case(
            "http://user@host",
            "the endpoint `http://user@host` is no plain address",
            forms,
        );
        for text in ["http://a:0", "http://a:65536", "http://a:b", "http://a:"] {
            case(
                text,
                &format!("`{text}` has no port that can be"),
                "a port is a number from 1 to 65535",
            );
        }
        case(
            "https://a",
            "the endpoint `https://a` asks for TLS, which unitgen doesn't speak",
            "name an `http://` or `unix://` endpoint, by way of `--tunnel` where the network \
             between is not trusted",
        );
    }

    #[test]
    fn tunnels() {
        #[track_caller]
        fn case(text: &str, user: Option<&str>, host: &str, port: Option<u16>) {
            let tunnel = Tunnel::parse(text).unwrap();
            assert_eq!(tunnel.to_string(), text);
            assert_eq!(tunnel.user.as_deref(), user);
            assert_eq!((tunnel.host.as_str(), tunnel.port), (host, port));
        }
        case("host", None, "host", None);
        case("core@host:2222", Some("core"), "host", Some(2222));
        case("core@[fe80::1]:22", Some("core"), "fe80::1", Some(22));
        for text in [
            "",
            "-oProxyCommand=x",
            "a b",
            "@host",
            "-l@host",
            "host:ssh",
            "a/b",
        ] {
            assert!(Tunnel::parse(text).is_err(), "{text}");
        }
    }
}
