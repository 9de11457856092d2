//! Where etcd is: the flags that commands share, and etcdctl's variables.
//!
//! In: flags and `Settings`. Out: a `Store`, not connected yet. A flag goes before its variable. A
//! password is no flag: whoever lists the processes would see it.

use std::path::Path;
use std::time::Duration;

use clap::Args;

use crate::commands::connection::{boolean, first, tunnel, wrong};
use crate::error::CommandError;
use crate::files::private;
use crate::settings::{EtcdSettings, Settings};
use crate::store::endpoint::Endpoint;
use crate::store::{Access, DEFAULT_ENDPOINT, Limits, Login, Store, Tls};

/// Where etcd is, and by which way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "etcd")]
pub struct EtcdConnection {
    #[command(flatten)]
    etcd: EtcdFlags,
    /// Reach the endpoints by ssh through this host [default: `FLEETCTL_TUNNEL`]
    #[arg(long, global = true, value_name = "[USER@]HOST[:PORT]")]
    pub tunnel: Option<String>,
    /// Who logs in at the tunnel's host [default: `FLEETCTL_SSH_USERNAME`, or what ssh's configuration
    /// says]
    #[arg(long, global = true, value_name = "NAME")]
    pub ssh_username: Option<String>,
}

impl EtcdConnection {
    /// Returns the store that is meant. It is asked nothing yet.
    ///
    /// # Errors
    /// Says what is wrong with a flag, a variable or a file that one names.
    pub fn store(&self, settings: &Settings) -> Result<Store, CommandError> {
        Store::new(self.access(settings)?)
    }

    /// Returns how the store that is meant is reached.
    ///
    /// # Errors
    /// Says what is wrong with a flag, a variable or a file that one names.
    pub fn access(&self, settings: &Settings) -> Result<Access, CommandError> {
        let way = (self.tunnel.as_ref(), self.ssh_username.as_ref());
        self.etcd.access(way, settings)
    }
}

/// Where etcd is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "etcd")]
pub struct EtcdFlags {
    /// etcd's endpoints, separated by commas: `host:port`, `https://host:port`, `unix:///path`
    /// [default: `ETCDCTL_ENDPOINTS`, or 127.0.0.1:2379]
    #[arg(long, global = true, value_name = "URL,…")]
    pub endpoints: Option<String>,
    /// The certificate of who vouches for etcd [default: `ETCDCTL_CACERT`, or whom the system trusts]
    #[arg(long, global = true, value_name = "FILE")]
    pub cacert: Option<String>,
    /// The client's certificate [default: `ETCDCTL_CERT`]
    #[arg(long, global = true, value_name = "FILE")]
    pub cert: Option<String>,
    /// The key of the client's certificate [default: `ETCDCTL_KEY`]
    #[arg(long, global = true, value_name = "FILE")]
    pub cert_key: Option<String>,
    /// Who logs in [default: `ETCDCTL_USER`]; the password is in `ETCDCTL_PASSWORD`
    #[arg(long, global = true, value_name = "NAME")]
    pub user: Option<String>,
    /// Where the password stands; a newline at its end does not count
    #[arg(long, global = true, value_name = "FILE")]
    pub password_file: Option<String>,
    /// How long connecting to one endpoint may take [default: `ETCDCTL_DIAL_TIMEOUT`, or 2s]
    #[arg(long, global = true, value_name = "TIME")]
    pub dial_timeout: Option<String>,
    /// How long one endpoint may take to answer [default: `ETCDCTL_COMMAND_TIMEOUT`, or 5s]
    #[arg(long, global = true, value_name = "TIME")]
    pub command_timeout: Option<String>,
}

impl EtcdFlags {
    /// Returns how the store that is meant is reached, by way of a host and as a user there.
    ///
    /// # Errors
    /// Says what is wrong with a flag, a variable or a file that one names.
    pub fn access(
        &self,
        (host, ssh_username): (Option<&String>, Option<&String>),
        settings: &Settings,
    ) -> Result<Access, CommandError> {
        let given = &settings.etcd;
        refuse(given)?;
        let cacert = first(self.cacert.as_ref(), given.cacert.as_ref());
        let cert = first(self.cert.as_ref(), given.cert.as_ref());
        let key = first(self.cert_key.as_ref(), given.key.as_ref());
        let identity = match (cert, key) {
            (Some(cert), Some(key)) => Some((pem(cert, CERTIFICATE)?, pem(key, KEY)?)),
            (None, None) => None,
            (Some(_), None) => return Err(half("certificate", "its key", "--cert-key")),
            (None, Some(_)) => return Err(half("key", "its certificate", "--cert")),
        };
        let authority = cacert.map(|path| pem(path, CERTIFICATE)).transpose()?;
        let is_secure = authority.is_some() || identity.is_some();
        let tls = Tls {
            authority,
            identity,
        };
        let text = first(self.endpoints.as_ref(), given.endpoints.as_ref());
        let endpoints = endpoints(text.unwrap_or(DEFAULT_ENDPOINT), is_secure)?;
        let tunnel = tunnel(host, ssh_username, settings)?;
        if let (Some(_), Some(endpoint)) = (&tunnel, endpoints.iter().find(|one| one.is_socket())) {
            let message = format!("`{endpoint}` can't be reached through a tunnel");
            return Err(CommandError::trouble(message).help("name etcd's port at the far end"));
        }
        let mut limits = Limits::default();
        if let Some(text) = first(self.dial_timeout.as_ref(), given.dial_timeout.as_ref()) {
            limits.dialing = time("--dial-timeout", text)?;
        }
        if let Some(text) = first(
            self.command_timeout.as_ref(),
            given.command_timeout.as_ref(),
        ) {
            limits.command = time("--command-timeout", text)?;
        }
        Ok(Access {
            endpoints,
            tls,
            login: self.login(given)?,
            tunnel,
            limits,
        })
    }

    fn login(&self, given: &EtcdSettings) -> Result<Option<Login>, CommandError> {
        if let Some(user) = &self.user
            && user.contains(':')
        {
            let message = "a password on a command line is seen by whoever lists the processes";
            return Err(CommandError::trouble(message)
                .help("give it in `ETCDCTL_PASSWORD`, or in a file: `--password-file FILE`"));
        }
        let Some(text) = first(self.user.as_ref(), given.user.as_ref()) else {
            return Ok(None);
        };
        let (name, password) = match text.split_once(':') {
            Some((name, password)) => (name, Some(password.to_owned())),
            None => (text, None),
        };
        let password = match &self.password_file {
            Some(path) => {
                let password = String::from_utf8(read(path)?).map_err(|_| {
                    CommandError::trouble(format!("the password in `{path}` is no UTF-8"))
                })?;
                Some(password.trim_end_matches(['\r', '\n']).to_owned())
            }
            None => given.password.clone().or(password),
        };
        let Some(password) = password else {
            let message = format!("there is no password for etcd's user `{name}`");
            return Err(CommandError::trouble(message)
                .help("give it in `ETCDCTL_PASSWORD`, or in a file: `--password-file FILE`"));
        };
        let name = name.to_owned();
        Ok(Some(Login { name, password }))
    }
}

/// Refuses what etcdctl does and unitgen does not, rather than do something else.
fn refuse(given: &EtcdSettings) -> Result<(), CommandError> {
    if let Some(text) = &given.insecure_skip_tls_verify
        && boolean("ETCDCTL_INSECURE_SKIP_TLS_VERIFY", text)?
    {
        let message =
            "ETCDCTL_INSECURE_SKIP_TLS_VERIFY is set, and unitgen trusts no server blindly";
        return Err(CommandError::trouble(message)
            .help("unset it, and name who vouches for the servers: `--cacert FILE`"));
    }
    if given.discovery_srv.is_some() {
        let message = "ETCDCTL_DISCOVERY_SRV is set, and unitgen asks no DNS for endpoints";
        return Err(CommandError::trouble(message).help("unset it, and name them: `--endpoints`"));
    }
    Ok(())
}

fn half(one: &str, other: &str, flag: &str) -> CommandError {
    CommandError::trouble(format!("there is a client's {one} without {other}"))
        .help(format!("name it too: `{flag} FILE`"))
}

/// What a file of certificates has in it, and what it is called.
const CERTIFICATE: (&str, &str) = ("-----BEGIN CERTIFICATE-----", "certificate");

/// What a file with a key has in it, and what it is called.
const KEY: (&str, &str) = ("PRIVATE KEY-----", "private key");

/// Reads a PEM file. One with nothing of the kind in it would only show when no connection comes about.
fn pem(path: &str, (mark, noun): (&str, &str)) -> Result<Vec<u8>, CommandError> {
    let bytes = read(path)?;
    if String::from_utf8_lossy(&bytes).contains(mark) {
        return Ok(bytes);
    }
    let message = format!("there is no {noun} in `{path}`");
    Err(CommandError::trouble(message).help("it has to be in the form called PEM"))
}

fn read(path: &str) -> Result<Vec<u8>, CommandError> {
    private::read(Path::new(path))
}

/// Reads endpoints, separated by commas.
///
/// # Errors
/// Says which is none.
pub(super) fn endpoints(text: &str, is_secure: bool) -> Result<Vec<Endpoint>, CommandError> {
    let names = text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let endpoints: Vec<Endpoint> = names
        .map(|name| Endpoint::parse(name, is_secure).map_err(wrong))
        .collect::<Result<_, _>>()?;
    if endpoints.is_empty() {
        return Err(CommandError::trouble("no endpoint of etcd is named"));
    }
    Ok(endpoints)
}

/// Reads a time as etcdctl does (`5s`, `1m30s`, `500ms`), or a number of seconds.
///
/// # Errors
/// Says that it is none.
pub(super) fn time(name: &str, text: &str) -> Result<Duration, CommandError> {
    duration(text)
        .filter(|time| (1..=86_400_000).contains(&time.as_millis()))
        .ok_or_else(|| {
            CommandError::trouble(format!("{name} is `{text}`, which is no time"))
                .help("write one such as `5s`, `500ms` or `1m30s`, of a day at most")
        })
}

fn duration(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, behind) = rest.split_at(end);
        let end = behind.find(|c: char| c.is_ascii_digit() || c == '.');
        let (unit, behind) = behind.split_at(end.unwrap_or(behind.len()));
        let factor = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * factor;
        rest = behind;
    }
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|_| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        #[track_caller]
        fn case(text: &str, milliseconds: Option<u128>) {
            assert_eq!(duration(text).map(|time| time.as_millis()), milliseconds);
        }
        case("5s", Some(5_000));
        case("1m30s", Some(90_000));
        case("1.5h", Some(5_400_000));
        case("500ms", Some(500));
        case("3", Some(3_000));
        case("0.25", Some(250));
        for text in ["", "s", "5x", "1m30", "-1s", "1..2s"] {
            case(text, None);
        }
    }
}
