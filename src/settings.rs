//! What the environment and the clock say: read once, here only.
//!
//! In: environment variables and what the streams are. Out: `Settings`. Knows nothing of commands.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the environment says.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says one thing of a stream that nothing else says"
)]
pub struct Settings {
    /// The manifests where no `-f` is given: `UNITGEN_FILE`, several separated by `:`.
    pub files: Vec<PathBuf>,
    /// Colours on stdout.
    pub colored_results: bool,
    /// Colours on stderr.
    pub colored_messages: bool,
    /// The terminal's width in columns.
    pub width: usize,
    /// What etcdctl would take for its flags.
    pub etcd: EtcdSettings,
    /// The app whose configuration is meant: `APPLICATION`, as the units have it.
    pub application: Option<String>,
    /// Who changes something: `UNITGEN_AUTHOR`, or the user and the machine.
    pub author: String,
    /// What the user writes texts with: `VISUAL`, or `EDITOR`.
    pub editor: Option<String>,
    /// Where programs are looked up: `PATH`.
    pub search_path: Option<OsString>,
    /// What fleetctl would take for its flags.
    pub fleet: FleetSettings,
    /// Whether there is somebody to ask.
    pub interactive: bool,
    /// Whether results and messages both go to a terminal that can redraw a line.
    pub has_terminal: bool,
    /// The time, in seconds since 1970.
    pub now: u64,
}

/// etcdctl's variables, as they are written.
#[derive(Clone, Default)]
pub struct EtcdSettings {
    /// `ETCDCTL_CACERT`
    pub cacert: Option<String>,
    /// `ETCDCTL_CERT`
    pub cert: Option<String>,
    /// `ETCDCTL_COMMAND_TIMEOUT`
    pub command_timeout: Option<String>,
    /// `ETCDCTL_DIAL_TIMEOUT`
    pub dial_timeout: Option<String>,
    /// `ETCDCTL_DISCOVERY_SRV`
    pub discovery_srv: Option<String>,
    /// `ETCDCTL_ENDPOINTS`
    pub endpoints: Option<String>,
    /// `ETCDCTL_INSECURE_SKIP_TLS_VERIFY`
    pub insecure_skip_tls_verify: Option<String>,
    /// `ETCDCTL_KEY`
    pub key: Option<String>,
    /// `ETCDCTL_PASSWORD`
    pub password: Option<String>,
    /// `ETCDCTL_USER`, with the password behind a colon.
    pub user: Option<String>,
}

impl fmt::Debug for EtcdSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Two of them hold a password.
        formatter.write_str("EtcdSettings { .. }")
    }
}

/// fleetctl's variables, as they are written.
#[derive(Debug, Clone, Default)]
pub struct FleetSettings {
    /// `FLEETCTL_DRIVER`
    pub driver: Option<String>,
    /// `FLEETCTL_ENDPOINT`
    pub endpoint: Option<String>,
    /// `FLEETCTL_KNOWN_HOSTS_FILE`
    pub known_hosts_file: Option<String>,
    /// `FLEETCTL_REQUEST_TIMEOUT`
    pub request_timeout: Option<String>,
    /// `FLEETCTL_SSH_TIMEOUT`
    pub ssh_timeout: Option<String>,
    /// `FLEETCTL_SSH_USERNAME`
    pub ssh_username: Option<String>,
    /// `FLEETCTL_STRICT_HOST_KEY_CHECKING`
    pub strict_host_key_checking: Option<String>,
    /// `FLEETCTL_TUNNEL`
    pub tunnel: Option<String>,
}

/// Returns the time, in seconds since 1970: of what ends long after it began.
#[must_use]
pub fn now() -> u64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    time.map_or(0, |time| time.as_secs())
}

/// Returns the process's whole environment, for a program that takes this one's place. It is full of
/// secrets, so that `Settings`, which can be shown, does not have it.
#[must_use]
pub fn environment() -> Vec<(OsString, OsString)> {
    env::vars_os().collect()
}

/// The width of a page where there is no terminal.
const PAGE_WIDTH: usize = 140;

impl Settings {
    /// Reads the environment.
    #[must_use]
    pub fn from_environment() -> Self {
        let text = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let colors = text("NO_COLOR").is_none() && text("TERM").as_deref() != Some("dumb");
        let files = env::var_os("UNITGEN_FILE").filter(|value| !value.is_empty());
        let columns = text("COLUMNS").and_then(|columns| columns.parse().ok());
        Self {
            files: files
                .map(|files| env::split_paths(&files).collect())
                .unwrap_or_default(),
            colored_results: colors && io::stdout().is_terminal(),
            colored_messages: colors && io::stderr().is_terminal(),
            width: columns.unwrap_or(PAGE_WIDTH),
            etcd: EtcdSettings {
                cacert: text("ETCDCTL_CACERT"),
                cert: text("ETCDCTL_CERT"),
                command_timeout: text("ETCDCTL_COMMAND_TIMEOUT"),
                dial_timeout: text("ETCDCTL_DIAL_TIMEOUT"),
                discovery_srv: text("ETCDCTL_DISCOVERY_SRV"),
                endpoints: text("ETCDCTL_ENDPOINTS"),
                insecure_skip_tls_verify: text("ETCDCTL_INSECURE_SKIP_TLS_VERIFY"),
                key: text("ETCDCTL_KEY"),
                password: text("ETCDCTL_PASSWORD"),
                user: text("ETCDCTL_USER"),
            },
            application: text("APPLICATION"),
            author: text("UNITGEN_AUTHOR").unwrap_or_else(author),
            editor: text("VISUAL").or_else(|| text("EDITOR")),
            search_path: env::var_os("PATH"),
            fleet: FleetSettings {
                driver: text("FLEETCTL_DRIVER"),
                endpoint: text("FLEETCTL_ENDPOINT"),
                known_hosts_file: text("FLEETCTL_KNOWN_HOSTS_FILE"),
                request_timeout: text("FLEETCTL_REQUEST_TIMEOUT"),
                ssh_timeout: text("FLEETCTL_SSH_TIMEOUT"),
                ssh_username: text("FLEETCTL_SSH_USERNAME"),
                strict_host_key_checking: text("FLEETCTL_STRICT_HOST_KEY_CHECKING"),
                tunnel: text("FLEETCTL_TUNNEL"),
            },
            interactive: io::stdin().is_terminal() && io::stderr().is_terminal(),
            has_terminal: io::stdout().is_terminal()
                && io::stderr().is_terminal()
                && text("TERM").as_deref() != Some("dumb"),
            now: now(),
        }
    }
}

/// Returns the user and the machine, as far as they are known. Behind sudo it is who called it.
fn author() -> String {
    let names = ["SUDO_USER", "USER", "LOGNAME"];
    let user = names.iter().find_map(|name| env::var(name).ok());
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let user = user.filter(|user| !user.is_empty());
    let user = user.unwrap_or_else(|| match rustix::process::getuid().as_raw() {
        0 => "root".to_owned(),
        number => format!("uid {number}"),
    });
    format!("{user}@{}", host.trim())
}
