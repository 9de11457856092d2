//! The stand-in's flags, and what it says of those that it does not know.

use std::collections::BTreeMap;

use crate::fleetctl::Call;

/// What is on the command line.
pub(super) struct Flags {
    pub(super) command: Option<String>,
    pub(super) operands: Vec<String>,
    values: BTreeMap<String, String>,
}

/// Global flags with a value.
const GLOBAL: [&str; 14] = [
    "ca-file",
    "cert-file",
    "driver",
    "endpoint",
    "etcd-cafile",
    "etcd-certfile",
    "etcd-key-prefix",
    "etcd-keyfile",
    "key-file",
    "known-hosts-file",
    "request-timeout",
    "ssh-timeout",
    "ssh-username",
    "tunnel",
];

/// Global flags that are there or not.
const SWITCHES: [&str; 6] = [
    "debug",
    "experimental-api",
    "h",
    "help",
    "strict-host-key-checking",
    "version",
];

/// The commands that are played.
pub(super) const COMMANDS: [&str; 5] = ["cat", "destroy", "list-unit-files", "submit", "version"];

const GLOBAL_OPTIONS: &str = "      --ca-file string             Location of TLS CA file used to secure communication with the fleet API or etcd
      --cert-file string           Location of TLS cert file used to secure communication with the fleet API or etcd
      --debug                      Print out more debug information to stderr
      --driver string              Adapter used to execute fleetctl commands. Options include \"API\" and \"etcd\". (default \"API\")
      --endpoint string            Location of the fleet API if --driver=API. Alternatively, if --driver=etcd, location of the etcd API. (default \"unix:///var/run/fleet.sock\")
      --etcd-cafile string         DEPRECATED: do not use this flag.
      --etcd-certfile string       DEPRECATED: do not use this flag.
      --etcd-key-prefix string     Keyspace for fleet data in etcd (development use only!) (default \"/_coreos.com/fleet/\")
      --etcd-keyfile string        DEPRECATED: do not use this flag.
      --experimental-api           DEPRECATED: do not use this flag. (default true)
      --h                          Print usage information and exit
      --help                       Print usage information and exit
      --key-file string            Location of TLS key file used to secure communication with the fleet API or etcd
      --known-hosts-file string    File used to store remote machine fingerprints. Ignored if strict host key checking is disabled. (default \"~/.fleetctl/known_hosts\")
      --request-timeout float      Amount of time in seconds to allow a single request before considering it failed. (default 3)
      --ssh-timeout float          Amount of time in seconds to allow for SSH connection initialization before failing. (default 10)
      --ssh-username string        Username to use when connecting to CoreOS instance. (default \"core\")
      --strict-host-key-checking   Verify host keys presented by remote machines before initiating SSH connections. (default true)
      --tunnel string              Establish an SSH tunnel through the provided address for communication with fleet and etcd.
      --version                    Print the version and exit

";

const DESTROY: &str = "NAME:
	destroy - Destroy one or more units in the cluster

USAGE:
	fleetctl destroy UNIT...

DESCRIPTION:
	Completely remove one or more running or submitted units from the cluster.
	
	Instructs systemd on the host machine to destroy the unit, deferring to systemd
	completely for any custom stop directives (i.e. ExecStop option in the unit
	file).
	
	Destroyed units are impossible to start unless re-submitted.

OPTIONS:
      --block-attempts int   Wait until the units are destroyed, performing up to N attempts before giving up. A value of 0 indicates no limit. Does not apply to global units.
      --no-block             Do not wait until the units are destroyed before exiting. Always the case for global units.

GLOBAL OPTIONS:
";

impl Flags {
    /// Reads a command line; where it is wrong, says so and returns the status.
    pub(super) fn read(call: &mut Call, arguments: &[String]) -> Result<Self, i32> {
        let mut flags = Self {
            command: None,
            operands: Vec::new(),
            values: BTreeMap::new(),
        };
        let mut rest = arguments.iter();
        while let Some(word) = rest.next() {
            let Some(flag) = word.strip_prefix('-').filter(|flag| !flag.is_empty()) else {
                match &flags.command {
                    None => flags.command = Some(word.clone()),
                    Some(_) => flags.operands.push(word.clone()),
                }
                continue;
            };
            let long = flag.strip_prefix('-').or(call.is_old.then_some(flag));
            let Some(long) = long else {
                let first = flag.chars().next().unwrap();
                let complaint = format!("unknown shorthand flag: {first:?} in {word}");
                return Err(flags.refuse(call, &complaint));
            };
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            if !flags.knows(name, call.is_old) {
                let complaint = if call.is_old {
                    format!("flag provided but not defined: -{name}")
                } else {
                    format!("unknown flag: --{name}")
                };
                return Err(flags.refuse(call, &complaint));
            }
            let is_switch = SWITCHES.contains(&name)
                || ["full", "no-block", "no-legend", "replace"].contains(&name);
            let value = match value {
                Some(value) => value,
                None if is_switch => "true".to_owned(),
                None => rest.next().cloned().unwrap_or_default(),
            };
            flags.values.insert(name.to_owned(), value);
        }
        Ok(flags)
    }

    fn knows(&self, name: &str, is_old: bool) -> bool {
        let own: &[&str] = match self.command.as_deref() {
            Some("submit") if is_old => &["sign"],
            Some("submit") => &["replace", "sign"],
            Some("destroy") => &["block-attempts", "no-block"],
            Some("list-unit-files") => &["fields", "full", "no-legend"],
            _ => &[],
        };
        // The old one takes its own flags before the command only.
        let is_global = GLOBAL.contains(&name) || SWITCHES.contains(&name);
        own.contains(&name) || (is_global && !(is_old && self.command.is_some()))
    }

    fn refuse(&self, call: &mut Call, complaint: &str) -> i32 {
        if call.is_old {
            call.complain(complaint);
            call.complain("Usage:\n  -sign\n    \tDEPRECATED - this option cannot be used");
            call.complain(complaint);
            return 2;
        }
        let usage = match self.command.as_deref() {
            Some("destroy") => DESTROY.to_owned(),
            Some(command) => format!("USAGE:\n\tfleetctl {command}\n\nGLOBAL OPTIONS:\n"),
            None => "USAGE:\n\tfleetctl\n\nOPTIONS:\n".to_owned(),
        };
        call.complain(&format!("Error: {complaint}\n{usage}{GLOBAL_OPTIONS}"));
        call.complain(&format!("cannot execute cmdFleet: {complaint}"));
        // As if all were well.
        0
    }

    /// Returns what a flag says, or else its variable.
    pub(super) fn value(&self, name: &str) -> Option<String> {
        let variable = || {
            let name = name.replace('-', "_").to_uppercase();
            std::env::var(format!("FLEETCTL_{name}")).ok()
        };
        let given = self.values.get(name).cloned().or_else(variable);
        given.filter(|value| !value.is_empty())
    }

    /// Tells whether a flag of the command is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| value == "true")
    }
}
