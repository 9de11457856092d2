//! Where the cluster is: the flags that commands share, and fleetctl's variables.
//!
//! In: flags and `Settings`. Out: a `Fleet`, not connected yet. A flag goes before its variable.

use std::time::Duration;

use clap::Args;

use crate::cluster::fleet::Fleet;
use crate::error::CommandError;
use crate::http::address::{Address, AddressError, Tunnel};
use crate::http::{Client, Limits};
use crate::secrecy::masked;
use crate::settings::{FleetSettings, Settings};

/// Where fleet listens, if nobody says otherwise, as with fleetctl.
pub const DEFAULT_ENDPOINT: &str = "unix:///var/run/fleet.sock";

/// Where the cluster is.
#[derive(Debug, Clone, Default, Args)]
pub struct Connection {
    /// fleet's endpoint: `http://host:port` or `unix:///path` [default: `FLEETCTL_ENDPOINT`, or
    /// `unix:///var/run/fleet.sock`]
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// Reach the endpoint by ssh through this host [default: `FLEETCTL_TUNNEL`]
    #[arg(long, value_name = "[USER@]HOST[:PORT]")]
    pub tunnel: Option<String>,
    /// Who logs in at the tunnel's host [default: `FLEETCTL_SSH_USERNAME`, or what ssh's configuration
    /// says]
    #[arg(long, value_name = "NAME")]
    pub ssh_username: Option<String>,
    /// How long a request to fleet may take, in seconds [default: `FLEETCTL_REQUEST_TIMEOUT`, or 30]
    #[arg(long, value_name = "SECONDS")]
    pub request_timeout: Option<String>,
}

impl Connection {
    /// Returns the cluster that is meant. It is asked nothing yet.
    ///
    /// # Errors
    /// Says what is wrong with a flag or a variable, or not supported.
    pub fn fleet(&self, settings: &Settings) -> Result<Fleet, CommandError> {
        let given = &settings.fleet;
        refuse_driver(given)?;
        let endpoint =
            first(self.endpoint.as_ref(), given.endpoint.as_ref()).unwrap_or(DEFAULT_ENDPOINT);
        // As fleetctl: it takes several, and uses the first.
        let endpoint = endpoint.split(',').next().unwrap_or(endpoint).trim();
        let address = Address::parse(endpoint).map_err(wrong)?;
        let tunnel = self.way(settings)?;
        let mut limits = Limits::default();
        if let Some(text) = first(
            self.request_timeout.as_ref(),
            given.request_timeout.as_ref(),
        ) {
            limits.total = seconds("--request-timeout", text)?;
            limits.connecting = limits.connecting.min(limits.total);
        }
        Ok(Fleet::new(Client::new(address, tunnel, limits)))
    }

    /// Returns the ssh host on the way to the cluster, if there is to be one.
    ///
    /// # Errors
    /// Says what is wrong with a flag or a variable.
    pub fn way(&self, settings: &Settings) -> Result<Option<Tunnel>, CommandError> {
        tunnel(self.tunnel.as_ref(), self.ssh_username.as_ref(), settings)
    }
}

/// Returns the ssh host on the way to the cluster, if there is to be one.
///
/// # Errors
/// Says what is wrong with a flag or a variable.
pub(super) fn tunnel(
    host: Option<&String>,
    ssh_username: Option<&String>,
    settings: &Settings,
) -> Result<Option<Tunnel>, CommandError> {
    let given = &settings.fleet;
    let Some(text) = first(host, given.tunnel.as_ref()) else {
        return Ok(None);
    };
    let mut tunnel = Tunnel::parse(text).map_err(wrong)?;
    if tunnel.user.is_none() {
        tunnel.user = match first(ssh_username, given.ssh_username.as_ref()) {
            Some(user) if user.starts_with('-') || user.contains(char::is_whitespace) => {
                return Err(CommandError::trouble(format!("`{user}` is no user's name")));
            }
            user => user.map(str::to_owned),
        };
    }
    if let Some(text) = &given.ssh_timeout {
        tunnel.time_limit = seconds("FLEETCTL_SSH_TIMEOUT", text)?;
    }
    if let Some(text) = &given.strict_host_key_checking {
        tunnel.strict_host_keys = Some(boolean("FLEETCTL_STRICT_HOST_KEY_CHECKING", text)?);
    }
    tunnel.known_hosts.clone_from(&given.known_hosts_file);
    tunnel.interactive = settings.interactive;
    Ok(Some(tunnel))
}

pub(super) fn first<'a>(flag: Option<&'a String>, variable: Option<&'a String>) -> Option<&'a str> {
    flag.or(variable).map(String::as_str)
}

/// Refuses fleetctl's other driver, which would be another cluster's address.
fn refuse_driver(given: &FleetSettings) -> Result<(), CommandError> {
    match given.driver.as_deref() {
        None | Some("API" | "api") => Ok(()),
        Some(driver) => Err(CommandError::trouble(format!(
            "FLEETCTL_DRIVER is `{driver}`, and unitgen speaks with fleet's API only"
        ))
        .help("unset it, and name fleet's own endpoint: `--endpoint http://host:port`")),
    }
}

pub(super) fn wrong(error: AddressError) -> CommandError {
    // An address may hold a password.
    CommandError::trouble(masked(&error.message)).help(error.help)
}

/// Reads a number of seconds, as fleetctl has them: with a fraction, if need be.
pub(super) fn seconds(name: &str, text: &str) -> Result<Duration, CommandError> {
    let number = text.strip_suffix('s').unwrap_or(text).parse().ok();
    let time = number.and_then(|number| Duration::try_from_secs_f64(number).ok());
    time.filter(|time| (1..=86_400_000).contains(&time.as_millis()))
        .ok_or_else(|| {
            CommandError::trouble(format!("{name} is `{text}`, which is no time in seconds"))
                .help("write a number such as `30` or `2.5`, of a day at most")
        })
}

/// Reads a truth value, as fleetctl does.
pub(super) fn boolean(name: &str, text: &str) -> Result<bool, CommandError> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(CommandError::trouble(format!(
            "{name} is `{text}`, which is neither true nor false"
        ))),
    }
}
