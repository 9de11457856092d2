//! What fleetctl says, as far as it is known what that means.
//!
//! In: a text of fleetctl 0.11.8 to 1.0, or of the ssh on the way to it. Out: remarks, each once, in their
//! order. What is not known is left out: the text itself is there to be shown. Knows nothing of what was
//! asked for, and decides nothing.

use crate::state::RegistryName;

/// Something that fleetctl said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// The registry has another text, and keeps it, for nothing said that it be replaced.
    Differs {
        /// The unit.
        unit: RegistryName,
        /// The file that was compared.
        file: String,
    },
    /// The registry has this text already.
    Same {
        /// The unit.
        unit: RegistryName,
    },
    /// The registry keeps its text, for fleet was told to do something with the unit.
    NotReplaced {
        /// The unit.
        unit: RegistryName,
        /// What fleet was told to do with it.
        state: String,
    },
    /// None of the units is in the registry.
    NotFound,
    /// It is too old to replace anything: before 0.13.
    NoReplace,
    /// It does not know a flag.
    UnknownFlag(String),
    /// It does not know a command.
    UnknownCommand(String),
    /// A line is longer than systemd takes, and fleet refuses the unit.
    LineTooLong {
        /// The unit, where it is named.
        unit: Option<RegistryName>,
    },
    /// fleet's server refused a request, or failed.
    Refused {
        /// The unit, where it is named.
        unit: Option<RegistryName>,
        /// The status of the answer: 4xx or 5xx.
        status: u16,
        /// The server's reason.
        message: String,
    },
    /// fleet's server is out of reach.
    Unreachable(String),
    /// ssh failed: fleetctl's own, or the one that leads to it.
    Ssh(String),
    /// Where it should be there is no fleetctl.
    NoProgram,
    /// Something else failed.
    Failed(String),
}

/// What the ssh of fleetctl and the system's say before their reasons or as their whole line.
const SSH: [&str; 12] = [
    "Connection closed by ",
    "Connection reset by ",
    "Connection timed out during banner exchange",
    "Host key verification failed.",
    "Unable to SSH to remote host: ",
    "Unable to initialize client: failed initializing SSH client: ",
    "client_loop: ",
    "kex_exchange_identification: ",
    "ssh: ",
    "ssh_dispatch_run_fatal: ",
    "ssh_exchange_identification: ",
    "Unable to negotiate with ",
];

impl Remark {
    /// Tells whether the same call may succeed a little later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Refused { status, .. } => *status >= 500,
            Self::Unreachable(_) => true,
            _ => false,
        }
    }
}

/// Returns what is known of a text.
#[must_use]
pub fn remarks(text: &str) -> Vec<Remark> {
    let mut found: Vec<Remark> = Vec::new();
    for line in text.lines() {
        // A question has no line break after it.
        let line = line.trim_end();
        let line = line.rsplit("(yes/no)? ").next().unwrap_or(line);
        found.extend(remark(line).filter(|remark| !found.contains(remark)));
    }
    found
}

fn remark(line: &str) -> Option<Remark> {
    is_about_a_unit(line)
        .or_else(|| is_about_usage(line))
        .or_else(|| is_about_ssh(line))
        .or_else(|| is_about_the_server(line))
}

fn is_about_a_unit(line: &str) -> Option<Remark> {
    if line == "Units not found in registry" {
        return Some(Remark::NotFound);
    }
    if let Some(rest) = line.strip_prefix("Found same Unit(") {
        let unit = rest.strip_suffix(") in Registry, nothing to do")?;
        let unit = RegistryName::seen(unit);
        return Some(Remark::Same { unit });
    }
    if let Some(rest) = line.strip_prefix("Warning: can not replace Unit(") {
        let (unit, rest) = rest.split_once(") in state '")?;
        return Some(Remark::NotReplaced {
            unit: RegistryName::seen(unit),
            state: rest.split_once('\'')?.0.to_owned(),
        });
    }
    let rest = line.strip_prefix("WARNING: Unit ")?;
    let (unit, rest) = rest.split_once(" in registry differs from local ")?;
    let file = ["template unit file ", "unit file "]
        .into_iter()
        .find_map(|before| rest.strip_prefix(before))?;
    // 0.11.8 has no advice.
    let advice = ". Add --replace to override.";
    Some(Remark::Differs {
        unit: RegistryName::seen(unit),
        file: file.strip_suffix(advice).unwrap_or(file).to_owned(),
    })
}

fn is_about_usage(line: &str) -> Option<Remark> {
    if line == "error: there is no `fleetctl` here"
        || line.ends_with("fleetctl: not found")
        || line.ends_with("fleetctl: command not found")
    {
        return Some(Remark::NoProgram);
    }
    let said = ["Error: ", "cannot execute cmdFleet: ", "fleetctl: ", ""]
        .into_iter()
        .find_map(|before| line.strip_prefix(before))?;
    let rest = |before: &str| said.strip_prefix(before);
    let flags = [
        "unknown flag: ",
        "unknown shorthand flag: ",
        "flag provided but not defined: ",
    ];
    if let Some(flag) = flags.into_iter().find_map(rest) {
        // Go's own flags are shown with one dash.
        let is_replace = flag.trim_start_matches('-') == "replace";
        return Some(if is_replace {
            Remark::NoReplace
        } else {
            Remark::UnknownFlag(flag.to_owned())
        });
    }
    let command = rest("unknown command \"").or_else(|| rest("unknown subcommand: \""))?;
    let command = command.split_once('"')?.0;
    Some(Remark::UnknownCommand(command.to_owned()))
}

fn is_about_ssh(line: &str) -> Option<Remark> {
    // `user@host: Permission denied (publickey).`
    if line.contains("Permission denied (") {
        return Some(Remark::Ssh(line.to_owned()));
    }
    let before = SSH.into_iter().find(|before| line.starts_with(before))?;
    let is_own = before.starts_with("Unable to SSH") || before.starts_with("Unable to init");
    let reason = if is_own { &line[before.len()..] } else { line };
    Some(Remark::Ssh(reason.to_owned()))
}

fn is_about_the_server(line: &str) -> Option<Remark> {
    if let Some(reason) = line.strip_prefix("Unable to initialize client: ") {
        return Some(Remark::Unreachable(reason.to_owned()));
    }
    let failure = line.strip_prefix("Error ")?;
    if let Some((_, reason)) = failure.split_once("googleapi: Error ")
        && let Some((status, message)) = reason.split_once(':')
        && let Ok(status) = status.parse()
    {
        let unit = unit_of(failure);
        let message = message.trim();
        if message.starts_with("line too long") {
            return Some(Remark::LineTooLong { unit });
        }
        return Some(Remark::Refused {
            unit,
            status,
            message: message.to_owned(),
        });
    }
    if let Some((_, reason)) = failure.split_once("googleapi: got HTTP response code ") {
        let (status, message) = reason.split_once(' ').unwrap_or((reason, ""));
        return Some(Remark::Refused {
            unit: unit_of(failure),
            status: status.parse().ok()?,
            message: message.trim_start_matches("with body: ").to_owned(),
        });
    }
    if failure.contains("line too long") {
        let unit = unit_of(failure);
        return Some(Remark::LineTooLong { unit });
    }
    // `Get "URL": dial tcp …`, without the quotes from an older Go.
    let requests = ["Get ", "Put ", "Delete ", "Post "];
    let sent = requests.iter().filter_map(|verb| {
        let at = failure.find(verb)?;
        let url = failure[at + verb.len()..].trim_start_matches('"');
        let is_url = url.starts_with("http://") || url.starts_with("https://");
        is_url.then(|| &failure[at..])
    });
    if let Some(request) = sent.min_by_key(|request| std::cmp::Reverse(request.len())) {
        let reason = request.strip_suffix(')').unwrap_or(request);
        return Some(Remark::Unreachable(reason.to_owned()));
    }
    Some(Remark::Failed(failure.to_owned()))
}

/// Returns the unit that a failure names.
fn unit_of(failure: &str) -> Option<RegistryName> {
    let within = |before: &str, end: char| {
        let (_, rest) = failure.split_once(before)?;
        Some(rest.split_once(end)?.0)
    };
    let name = within("creating unit ", ':').or_else(|| within(" Unit(", ')'))?;
    Some(RegistryName::seen(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str, expected: &[Remark]) {
        assert_eq!(remarks(text), expected, "{text}");
    }

    fn unit(name: &str) -> RegistryName {
        RegistryName::seen(name)
    }

    #[test]
    fn what_is_said_of_units() {
        let differs = |unit_name, file: &str| Remark::Differs {
            unit: unit(unit_name),
            file: file.to_owned(),
        };
        case(
            "WARNING: Unit app-http@.service in registry differs from local unit file \
             ex/app-http@.service. Add --replace to override.\n",
            &[differs("app-http@.service", "ex/app-http@.service")],
        );
        case(
            "WARNING: Unit app-http@.service in registry differs from local unit file \
             ex11/app-http@.service\n",
            &[differs("app-http@.service", "ex11/app-http@.service")],
        );
        case(
            "WARNING: Unit app-http@1.service in registry differs from local template unit file \
             ex/app-http@1.service. Add --replace to override.\nUnit app-http@7.service inactive\n",
            &[differs("app-http@1.service", "ex/app-http@1.service")],
        );
        let same = Remark::Same {
            unit: unit("app-http@.service"),
        };
        let line = "Found same Unit(app-http@.service) in Registry, nothing to do\n";
        case(&line.repeat(2), &[same]);
        case(
            "Warning: can not replace Unit(app-http@1.service) in state 'launched', use the \
             appropriate command\nUnit app-http@1.service loaded on aaaa0001.../127.0.0.11\n",
            &[Remark::NotReplaced {
                unit: unit("app-http@1.service"),
                state: "launched".to_owned(),
            }],
        );
        case("Units not found in registry\n", &[Remark::NotFound]);
        case("Destroyed a.service\nUnit a.service inactive\n\n", &[]);
    }

    #[test]
    fn what_is_said_of_usage() {
        case(
            "flag provided but not defined: -replace\nUsage:\n  -sign\n    \tDEPRECATED - this \
             option cannot be used\nflag provided but not defined: -replace\n",
            &[Remark::NoReplace],
        );
        case(
            "Error: unknown flag: --replace\n\ncannot execute cmdFleet: unknown flag: --replace\n",
            &[Remark::NoReplace],
        );
        case(
            "Error: unknown flag: --nosuchflag\nNAME:\n\tfleetctl - fleetctl is\n",
            &[Remark::UnknownFlag("--nosuchflag".to_owned())],
        );
        case(
            "cannot execute cmdFleet: unknown shorthand flag: '.' in -.service\n",
            &[Remark::UnknownFlag("'.' in -.service".to_owned())],
        );
        let unknown = [Remark::UnknownCommand("sign".to_owned())];
        case(
            "Error: unknown command \"sign\" for \"fleetctl\"\nRun 'fleetctl --help' for usage.\n\
             cannot execute cmdFleet: unknown command \"sign\" for \"fleetctl\"\n",
            &unknown,
        );
        case("fleetctl: unknown subcommand: \"sign\"\n", &unknown);
        for line in [
            "error: there is no `fleetctl` here",
            "sh: 1: fleetctl: not found",
            "bash: line 3: fleetctl: command not found",
        ] {
            case(line, &[Remark::NoProgram]);
        }
    }

    #[test]
    fn what_is_said_of_the_server() {
        let refused = |name: Option<&str>, status, message: &str| Remark::Refused {
            unit: name.map(unit),
            status,
            message: message.to_owned(),
        };
        case(
            "Error creating units: failed creating unit app-http@1.service: googleapi: Error 409: \
             must provide DesiredState to update existing unit\n",
            &[refused(
                Some("app-http@1.service"),
                409,
                "must provide DesiredState to update existing unit",
            )],
        );
        case(
            "Error retrieving list of units from repository: googleapi: got HTTP response code 404 \
             with body: 404 page not found\n\n",
            &[refused(None, 404, "404 page not found")],
        );
        case(
            "Error creating units: error retrieving Unit(a.service) from Registry: googleapi: Error \
             503: fleet server unable to communicate with etcd\n",
            &[refused(
                Some("a.service"),
                503,
                "fleet server unable to communicate with etcd",
            )],
        );
        case(
            "Error creating units: failed creating unit a.service: googleapi: Error 500: \n",
            &[refused(Some("a.service"), 500, "")],
        );
        for (line, name) in [
            (
                "Error creating units: failed creating unit a.service: googleapi: Error 400: line \
                 too long (max 2048 bytes)",
                Some("a.service"),
            ),
            (
                "Error creating units: failed getting Unit(b.service) from file: line too long \
                 (max 2048 bytes)",
                Some("b.service"),
            ),
            ("Error creating units: line too long (max 2048 bytes)", None),
        ] {
            let unit = name.map(unit);
            case(line, &[Remark::LineTooLong { unit }]);
        }
        for (line, reason) in [
            (
                "Error retrieving list of active machines from fleet API (Get \
                 \"http://127.0.0.1:1/fleet/v1/machines?alt=json\": dial tcp 127.0.0.1:1: connect: \
                 connection refused)",
                "Get \"http://127.0.0.1:1/fleet/v1/machines?alt=json\": dial tcp 127.0.0.1:1: \
                 connect: connection refused",
            ),
            (
                "Unable to initialize client: unrecognized driver \"foo\"",
                "unrecognized driver \"foo\"",
            ),
        ] {
            case(line, &[Remark::Unreachable(reason.to_owned())]);
        }
        for reason in [
            "creating units: failed getting Unit(broken.service) from file: unexpected newline \
             encountered while parsing option name",
            "creating units: MachineID cannot be used with Conflicts",
            "creating units: unable to find Unit(Get http.service) in Registry or on filesystem",
        ] {
            case(
                &format!("Error {reason}"),
                &[Remark::Failed(reason.to_owned())],
            );
        }
    }

    #[test]
    fn what_ssh_says() {
        for (line, reason) in [
            (
                "Unable to initialize client: failed initializing SSH client: SSH_AUTH_SOCK \
                 environment variable is not set. Verify ssh-agent is running.",
                "SSH_AUTH_SOCK environment variable is not set. Verify ssh-agent is running.",
            ),
            (
                "Unable to initialize client: failed initializing SSH client: ssh: handshake failed: \
                 ssh: unable to authenticate, attempted methods [publickey none]",
                "ssh: handshake failed: ssh: unable to authenticate, attempted methods \
                 [publickey none]",
            ),
            (
                "Are you sure you want to continue connecting (yes/no)? Host key verification failed.",
                "Host key verification failed.",
            ),
            (
                "core@10.0.0.1: Permission denied (publickey).",
                "core@10.0.0.1: Permission denied (publickey).",
            ),
            (
                "ssh: connect to host 10.0.0.1 port 22: Connection refused\r",
                "ssh: connect to host 10.0.0.1 port 22: Connection refused",
            ),
        ] {
            case(line, &[Remark::Ssh(reason.to_owned())]);
        }
    }
}
