//! The check of single values and of lists other than commands.
//!
//! In: a value, its form and its place. Out: whether systemd takes it, and a
//! warning if it does not. What is not worth checking passes.
//!
//! It must not know what a value is good for.

use crate::directive::Form;
use crate::unit::name::UnitName;
use crate::unit::specifier::{Context, Host, expand, is_open};
use crate::unit::systemd::calendar::is_calendar;
use crate::unit::systemd::complaint::{Complaint, Warning};
use crate::unit::systemd::limit::is_limit;
use crate::unit::systemd::scalar::{
    boolean, integer, is_exit_status, is_signal, mode, size, span, unsigned,
};
use crate::unit::systemd::{names, other, paths, shown};
use crate::unit::words::{Rules, extract_word};

/// Directives for sockets that are files.
const LISTENING_FILES: [&str; 3] = ["ListenFIFO", "ListenSpecial", "ListenUSBFunction"];

const KILL_MODE_NONE: &str = "Unit uses KillMode=none. This is unsafe, as it disables systemd's process \
    lifecycle management for the service. Please update the service to use a safer KillMode=, such as \
    'mixed' or 'control-group'. Support for KillMode=none is deprecated and will eventually be removed.";

const MEMORY_LIMIT: &str = "Unit uses MemoryLimit=; please use MemoryMax= instead. Support for \
    MemoryLimit= will be removed soon.";

/// What became of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is taken as this.
    Accepted(Vec<u8>),
    /// It leaves nothing behind, or what it leaves is kept elsewhere.
    Dropped,
    /// The unit cannot be used.
    Fatal,
    /// The whole file cannot be read.
    Unreadable,
}

/// Where a value stands, and who hears of what is wrong with it.
pub(super) struct Place<'a> {
    pub(super) unit: &'a UnitName,
    pub(super) host: &'a Host,
    pub(super) name: &'a str,
    pub(super) line: usize,
    pub(super) warnings: &'a mut Vec<Warning>,
}

impl Place<'_> {
    pub(super) fn warn(&mut self, complaint: Complaint, text: String) {
        self.warnings.push(Warning {
            complaint,
            is_fatal: false,
            line: self.line,
            text,
        });
    }

    /// Expands specifiers, or warns and returns nothing.
    pub(super) fn resolve(&mut self, text: &[u8], context: Context) -> Option<Vec<u8>> {
        match expand(text, context, self.unit, self.host) {
            Ok(resolved) => Some(resolved),
            Err(error) => {
                let text = shown(text);
                self.warn(
                    Complaint::Specifier,
                    format!(
                        "Failed to resolve unit specifiers in '{text}', ignoring: {}",
                        error.errno_text()
                    ),
                );
                None
            }
        }
    }

    /// Accepts a value as it is, or warns.
    pub(super) fn accept_if(&mut self, good: bool, value: &[u8]) -> Outcome {
        if good {
            return Outcome::Accepted(value.to_vec());
        }
        let text = format!(
            "Failed to parse {}= value, ignoring: {}",
            self.name,
            shown(value)
        );
        self.warn(Complaint::Value, text);
        Outcome::Dropped
    }
}

/// Checks one value of any form but commands and environments.
pub(super) fn check(form: Form, value: &[u8], place: &mut Place<'_>) -> Outcome {
    let text = std::str::from_utf8(value).unwrap_or_default();
    let among = |choices: &[&str]| choices.contains(&text);
    match form {
        Form::Flag => flag(text, place),
        Form::Span => {
            // In these an empty value restores the default.
            let may_be_empty = matches!(place.name, "TimeoutAbortSec" | "CPUQuotaPeriodSec");
            let good = span(text).is_some() || (text.is_empty() && may_be_empty);
            place.accept_if(good, value)
        }
        Form::Count => place.accept_if(unsigned(text).is_some(), value),
        Form::Number if place.name.ends_with("ExitStatus") => {
            let good = unsigned(text).is_some_and(|number| number <= 255);
            place.accept_if(good || text.is_empty(), value)
        }
        Form::Number => {
            let good = integer(text).is_some_and(|number| i32::try_from(number).is_ok());
            place.accept_if(good, value)
        }
        Form::Mode => place.accept_if(mode(text).is_some(), value),
        Form::Signal => place.accept_if(is_signal(text), value),
        Form::Size => memory(text, place),
        Form::Limit => place.accept_if(is_limit(place.name, text), value),
        Form::ServiceType => place.accept_if(
            among(&[
                "simple", "forking", "oneshot", "dbus", "notify", "idle", "exec",
            ]),
            value,
        ),
        Form::Restart => place.accept_if(
            among(&[
                "no",
                "on-success",
                "on-failure",
                "on-abnormal",
                "on-watchdog",
                "on-abort",
                "always",
            ]),
            value,
        ),
        Form::NotifyAccess => place.accept_if(among(&["none", "main", "exec", "all"]), value),
        Form::Action => place.accept_if(
            among(&[
                "none",
                "reboot",
                "reboot-force",
                "reboot-immediate",
                "poweroff",
                "poweroff-force",
                "poweroff-immediate",
                "exit",
                "exit-force",
            ]),
            value,
        ),
        Form::KillMode => kill_mode(text, place),
        Form::Account | Form::Accounts => names::accounts(form, value, place),
        Form::Units => names::units(value, place),
        Form::Unit => names::trigger(value, place),
        Form::Sockets => names::sockets(value, place),
        Form::Links => links(value, place),
        Form::Statuses => statuses(value, place),
        Form::Mounts => paths::list(value, false, place),
        Form::Path => paths::fixed(value, place),
        Form::WatchedPath if !value.is_empty() => paths::resolved(value, place),
        Form::PathCondition if !value.is_empty() => {
            let value = value.strip_prefix(b"|").unwrap_or(value);
            paths::resolved(value.strip_prefix(b"!").unwrap_or(value), place)
        }
        Form::Timer | Form::Calendar if !value.is_empty() => {
            let Some(resolved) = place.resolve(value, Context::Full) else {
                return Outcome::Dropped;
            };
            let text = shown(&resolved);
            let good = match form {
                Form::Timer => span(&text).is_some(),
                _ => is_calendar(&text),
            };
            let good = good || is_open(value, Context::Full, place.host);
            place.accept_if(good, &resolved)
        }
        Form::Listen if LISTENING_FILES.contains(&place.name) && !value.is_empty() => {
            paths::resolved(value, place)
        }
        Form::Text | Form::Condition | Form::Listen => match place.resolve(value, Context::Full) {
            Some(resolved) => Outcome::Accepted(resolved),
            None => Outcome::Dropped,
        },
        Form::List => list(value, place),
        Form::Other => other::check(text, place),
        _ => Outcome::Accepted(value.to_vec()),
    }
}

/// Lists of which only some are checked.
fn list(value: &[u8], place: &mut Place<'_>) -> Outcome {
    match place.name {
        "Symlinks" => paths::list(value, true, place),
        "PassEnvironment" | "UnsetEnvironment" => names::variables(value, place),
        "RuntimeDirectory"
        | "StateDirectory"
        | "CacheDirectory"
        | "LogsDirectory"
        | "ConfigurationDirectory" => paths::folders(value, place),
        "ReadWritePaths"
        | "ReadOnlyPaths"
        | "InaccessiblePaths"
        | "ReadWriteDirectories"
        | "ReadOnlyDirectories"
        | "InaccessibleDirectories"
        | "ExecPaths"
        | "NoExecPaths"
        | "ExtensionDirectories" => paths::marked(value, place),
        _ => Outcome::Accepted(value.to_vec()),
    }
}

fn flag(text: &str, place: &mut Place<'_>) -> Outcome {
    if boolean(text).is_some() {
        return Outcome::Accepted(text.as_bytes().to_vec());
    }
    if place.name == "DynamicUser" {
        place.warn(
            Complaint::Value,
            format!("Failed to parse boolean value: {text}"),
        );
        return Outcome::Fatal;
    }
    place.warn(
        Complaint::Value,
        format!("Failed to parse boolean value, ignoring: {text}"),
    );
    Outcome::Dropped
}

fn kill_mode(text: &str, place: &mut Place<'_>) -> Outcome {
    let outcome = match text {
        "none" | "" | "control-group" | "process" | "mixed" => {
            place.accept_if(true, text.as_bytes())
        }
        _ => place.accept_if(false, text.as_bytes()),
    };
    if text == "none" {
        place.warn(Complaint::Advice, KILL_MODE_NONE.to_owned());
    }
    outcome
}

fn memory(text: &str, place: &mut Place<'_>) -> Outcome {
    let name = place.name;
    if matches!(name, "ReceiveBuffer" | "SendBuffer" | "PipeSize") {
        return place.accept_if(size(text).is_some(), text.as_bytes());
    }
    let share = other::share(text);
    let zero = [
        "MemorySwapMax",
        "MemoryLow",
        "MemoryMin",
        "DefaultMemoryLow",
        "DefaultMemoryMin",
    ];
    let good = match (text, share) {
        ("" | "infinity", _) => true,
        (_, Some(share)) => (0.0..=100.0).contains(&share) && (share > 0.0 || zero.contains(&name)),
        _ => {
            size(text).is_some_and(|bytes| bytes < u64::MAX && (bytes > 0 || zero.contains(&name)))
        }
    };
    if good && name == "MemoryLimit" {
        place.warn(Complaint::Advice, MEMORY_LIMIT.to_owned());
    }
    place.accept_if(good, text.as_bytes())
}

fn links(value: &[u8], place: &mut Place<'_>) -> Outcome {
    let Some(resolved) = place.resolve(value, Context::Full) else {
        return Outcome::Dropped;
    };
    let mut rest = resolved.as_slice();
    loop {
        match extract_word(&mut rest, Rules::UNESCAPED) {
            Ok(None) => return Outcome::Accepted(resolved),
            Ok(Some(link)) if is_link(&link) => {}
            Ok(Some(link)) => place.warn(
                Complaint::Value,
                format!("Invalid URL, ignoring: {}", shown(&link)),
            ),
            Err(_) => {
                place.warn(
                    Complaint::Value,
                    format!("Invalid syntax, ignoring: {}", shown(value)),
                );
                return Outcome::Accepted(resolved.clone());
            }
        }
    }
}

fn is_link(link: &[u8]) -> bool {
    ["http://", "https://", "file:/", "info:", "man:"]
        .iter()
        .any(|scheme| {
            let rest = link.strip_prefix(scheme.as_bytes());
            rest.is_some_and(|rest| !rest.is_empty() && rest.is_ascii())
        })
}

fn statuses(value: &[u8], place: &mut Place<'_>) -> Outcome {
    let mut rest = value;
    while let Ok(Some(word)) = extract_word(&mut rest, Rules::PLAIN) {
        let text = shown(&word);
        if !is_exit_status(&text) && !is_signal(&text) {
            place.warn(
                Complaint::Value,
                format!("Failed to parse value, ignoring: {text}"),
            );
        }
    }
    Outcome::Accepted(value.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directive::form;

    /// Returns how a value ends up and how many warnings there were.
    fn checked(directive: &str, value: &str) -> (Outcome, usize) {
        let (section, name) = directive.split_once('.').unwrap();
        let mut warnings = Vec::new();
        let mut place = Place {
            unit: &UnitName::new("web@8080.service").unwrap(),
            host: &Host::unknown(),
            name,
            line: 1,
            warnings: &mut warnings,
        };
        let outcome = check(form(section, name).unwrap(), value.as_bytes(), &mut place);
        (outcome, warnings.len())
    }

    #[track_caller]
    fn accepted(directive: &str, values: &[&str]) {
        for value in values {
            let (outcome, warnings) = checked(directive, value);
            assert!(
                matches!(outcome, Outcome::Accepted(_)),
                "{directive}={value}"
            );
            assert_eq!(warnings, 0, "{directive}={value}");
        }
    }

    #[track_caller]
    fn warned(directive: &str, values: &[&str]) {
        for value in values {
            let (outcome, warnings) = checked(directive, value);
            assert!(!matches!(outcome, Outcome::Fatal), "{directive}={value}");
            assert_eq!(warnings, 1, "{directive}={value}");
        }
    }

    #[track_caller]
    fn fatal(directive: &str, values: &[&str]) {
        for value in values {
            assert_eq!(
                checked(directive, value),
                (Outcome::Fatal, 1),
                "{directive}={value}"
            );
        }
    }

    #[test]
    fn plain_scalars() {
        accepted("Service.RemainAfterExit", &["yes", "0", "T"]);
        warned("Service.RemainAfterExit", &["", "maybe"]);
        accepted("Service.RestartSec", &["10", "1min 30s", "infinity"]);
        warned("Service.RestartSec", &["", "soon", "-1"]);
        accepted("Service.TimeoutAbortSec", &["", "5"]);
        accepted("Service.StartLimitBurst", &["5", "0x10"]);
        warned("Service.StartLimitBurst", &["", "-1", "a"]);
        accepted("Socket.Priority", &["-5"]);
        accepted("Unit.SuccessActionExitStatus", &["", "255"]);
        warned("Unit.SuccessActionExitStatus", &["256"]);
        accepted("Service.UMask", &["0022"]);
        warned("Service.UMask", &["9"]);
        accepted("Service.KillSignal", &["SIGTERM", "15"]);
        warned("Service.KillSignal", &["term"]);
    }

    #[test]
    fn choices() {
        accepted("Service.Type", &["simple", "oneshot", "notify"]);
        warned("Service.Type", &["", "Simple", "notify-reload"]);
        accepted("Service.Restart", &["no", "on-abnormal"]);
        warned("Service.Restart", &["yes"]);
        accepted("Service.NotifyAccess", &["all"]);
        accepted("Service.KillMode", &["", "mixed"]);
        warned("Service.KillMode", &["none", "all"]);
        accepted("Unit.FailureAction", &["reboot-force"]);
        warned("Unit.FailureAction", &["halt"]);
    }

    #[test]
    fn settings_with_a_form_of_their_own() {
        accepted("Service.OOMPolicy", &["stop"]);
        warned("Service.OOMPolicy", &["", "die"]);
        accepted("Service.ProtectSystem", &["full", "no"]);
        accepted("Service.IOSchedulingClass", &["", "idle", "2"]);
        warned("Service.IOSchedulingClass", &["8", "<empty>"]);
        accepted("Service.Nice", &["", "-20", "19"]);
        warned("Service.Nice", &["20", "high"]);
        accepted("Service.TasksMax", &["", "512", "50%", "infinity"]);
        warned("Service.TasksMax", &["0", "101%"]);
        accepted("Service.CPUQuota", &["20%", "150%"]);
        warned("Service.CPUQuota", &["20", "0%", "-5%"]);
        warned("Service.CPUShares", &["1024"]);
        accepted("Service.StandardOutput", &["journal", "append:/a", "fd:a"]);
        warned("Service.StandardOutput", &["syslog", "file", "file:a"]);
        accepted("Service.StandardInput", &["tty-force", "file:/a"]);
        warned("Service.StandardInput", &["journal", "append:/a"]);
        accepted("Service.LimitNOFILE", &["65536", "1:2", "infinity"]);
        warned("Service.LimitNOFILE", &["", "lots"]);
    }

    #[test]
    fn amounts_of_memory() {
        accepted(
            "Service.MemoryMax",
            &["", "infinity", "512M", "50%", "1G 512M"],
        );
        warned("Service.MemoryMax", &["0", "lots", "101%"]);
        accepted("Service.MemoryLow", &["0"]);
        warned("Service.MemoryLimit", &["512M"]);
    }

    #[test]
    fn accounts() {
        accepted("Service.User", &["", "root", "0", "a.b", "web-%i"]);
        warned("Service.User", &["nobody"]);
        fatal(
            "Service.User",
            &["a:b", "a/b", "65535", "4294967296", "007", "-1", "..", "%Q"],
        );
        accepted("Service.SupplementaryGroups", &["adm docker"]);
        fatal("Service.SupplementaryGroups", &["adm a:b"]);
    }

    #[test]
    fn names_of_units() {
        accepted(
            "Unit.After",
            &["", "a.service b@%i.timer", "c@.service", "%H.service"],
        );
        warned(
            "Unit.After",
            &[
                "a",
                "a.service \"b.service\"",
                "a.service,b.service",
                "%I.service",
            ],
        );
        accepted("Service.Sockets", &["a.socket"]);
        warned("Service.Sockets", &["a.service"]);
        accepted("Timer.Unit", &["a.service"]);
        warned("Timer.Unit", &["a", "web@8080.service"]);
        accepted("Service.Slice", &["a-b.slice"]);
        warned("Service.Slice", &["a", "a.service"]);
        accepted("Service.BusName", &["org.a-b.c_%i"]);
        warned("Service.BusName", &["a", "a..b", "a.1b"]);
    }

    #[test]
    fn paths() {
        accepted("Path.PathExists", &["", "/a/%i", "%h/a"]);
        warned("Path.PathExists", &["a", "/a/../b"]);
        accepted("Unit.ConditionPathExists", &["", "/a", "!/a", "|!/a"]);
        warned("Unit.ConditionPathExists", &["a", "!|/a"]);
        accepted("Unit.RequiresMountsFor", &["/a \"/b c\""]);
        warned("Unit.RequiresMountsFor", &["/a b"]);
        accepted("Service.TTYPath", &["", "/dev/tty1"]);
        warned("Service.TTYPath", &["tty1"]);
        fatal("Service.RootDirectory", &["a"]);
        accepted("Service.PIDFile", &["", "a.pid", "/run/a"]);
        warned("Socket.ListenFIFO", &["a"]);
    }

    #[test]
    fn lists() {
        accepted(
            "Unit.Documentation",
            &["", "man:a(1) https://a.b/%i", "file:/a"],
        );
        warned("Unit.Documentation", &["man:a(1) www.a.b", "\"http://a"]);
        accepted("Service.SuccessExitStatus", &["143 SIGTERM TEMPFAIL"]);
        warned("Service.SuccessExitStatus", &["143 sigterm"]);
        accepted("Service.RuntimeDirectory", &["a b/c d:e"]);
        warned("Service.RuntimeDirectory", &["/a b", "../a", "private/a"]);
        accepted("Service.ReadOnlyPaths", &["/a -/b +/c -+/d"]);
        warned("Service.ReadOnlyPaths", &["/a b"]);
        accepted("Service.PassEnvironment", &["A B_1"]);
        warned("Service.PassEnvironment", &["A=b"]);
        accepted("Service.UnsetEnvironment", &["A=b C"]);
        accepted("Timer.OnBootSec", &["", "10min"]);
        warned("Timer.OnBootSec", &["daily"]);
        accepted("Timer.OnCalendar", &["", "daily", "Mon *-*-* 3:00:00"]);
        warned("Timer.OnCalendar", &["sometimes", "10min"]);
    }
}
