//! Settings with a form of their own.
//!
//! In: a value and its place. Out: whether systemd takes it, with warnings.
//!
//! It must not know what the settings do.

use crate::unit::specifier::Context;
use crate::unit::systemd::complaint::Complaint;
use crate::unit::systemd::scalar::{boolean, integer, unsigned};
use crate::unit::systemd::value::{Outcome, Place};
use crate::unit::systemd::{names, paths};

/// Checks the value of a setting by its name; of one that is not known here
/// every value passes.
pub(super) fn check(text: &str, place: &mut Place<'_>) -> Outcome {
    match place.name {
        "WorkingDirectory" => {
            let (optional, path) = match text.strip_prefix('-') {
                Some(path) => (true, path),
                None => (false, text),
            };
            if matches!(path, "~" | "") {
                return Outcome::Accepted(text.as_bytes().to_vec());
            }
            match paths::resolved(path.as_bytes(), place) {
                Outcome::Dropped if !optional => Outcome::Fatal,
                outcome => outcome,
            }
        }
        "PIDFile" if !text.is_empty() => {
            // What is relative is below /run.
            let path = if text.starts_with('/') {
                text.to_owned()
            } else {
                format!("/run/{text}")
            };
            let Some(resolved) = place.resolve(path.as_bytes(), Context::Path) else {
                return Outcome::Dropped;
            };
            // systemd hands this one error on, and with it gives up the file.
            match paths::tidied(&resolved, place) {
                Some(tidied) => Outcome::Accepted(tidied),
                None => Outcome::Unreadable,
            }
        }
        "CPUShares" | "StartupCPUShares" => {
            place.warn(
                Complaint::Advice,
                format!("Unit uses {}=, which is out of date", place.name),
            );
            let good = number(place.name, text);
            place.accept_if(good.unwrap_or(true), text.as_bytes())
        }
        "Slice" => names::slice(text.as_bytes(), place),
        "BusName" => names::bus(text.as_bytes(), place),
        "StandardInput" | "StandardOutput" | "StandardError" => stream(text, place),
        name => {
            let good = choice(name, text).or_else(|| number(name, text));
            place.accept_if(good.unwrap_or(true), text.as_bytes())
        }
    }
}

/// Settings that are one of a few words. `<boolean>` and `<empty>` stand for
/// these, and a number in such brackets for every number up to it.
const CHOICES: &[(&str, &str)] = &[
    ("BindIPv6Only", "default both ipv6-only <boolean>"),
    (
        "CPUSchedulingPolicy",
        "other batch idle fifo rr <empty> <2147483647>",
    ),
    ("CollectMode", "inactive inactive-or-failed"),
    ("DevicePolicy", "auto closed strict"),
    ("ExitType", "main cgroup"),
    (
        "IOSchedulingClass",
        "none realtime best-effort idle <empty> <7>",
    ),
    (
        "IPTOS",
        "low-delay throughput reliability low-cost <empty> <255>",
    ),
    ("KeyringMode", "inherit private shared"),
    (
        "LogLevelMax SyslogLevel",
        "emerg alert crit err warning notice info debug <7>",
    ),
    (
        "ManagedOOMMemoryPressure ManagedOOMSwap",
        "auto kill <empty>",
    ),
    ("ManagedOOMPreference", "none avoid omit"),
    ("MountFlags", "shared slave private <empty>"),
    (
        "NUMAPolicy",
        "default preferred bind interleave local <empty>",
    ),
    ("OOMPolicy", "continue stop kill"),
    (
        "OnFailureJobMode OnSuccessJobMode",
        "fail replace replace-irreversibly isolate flush ignore-dependencies ignore-requirements",
    ),
    ("ProcSubset", "all pid"),
    ("ProtectHome", "read-only tmpfs <boolean>"),
    ("ProtectProc", "noaccess invisible ptraceable default"),
    ("ProtectSystem", "full strict <boolean>"),
    ("RuntimeDirectoryPreserve", "restart <boolean>"),
    (
        "SyslogFacility",
        "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp local0 local1 local2 \
         local3 local4 local5 local6 local7 <127>",
    ),
    (
        "TimeoutStartFailureMode TimeoutStopFailureMode",
        "terminate abort kill",
    ),
    ("UtmpMode", "init login user"),
];

fn choice(name: &str, text: &str) -> Option<bool> {
    let lists = |names: &str| names.split_whitespace().any(|one| one == name);
    let (_, words) = CHOICES.iter().find(|(names, _)| lists(names))?;
    let fits = |word: &str| match word
        .strip_prefix('<')
        .and_then(|word| word.strip_suffix('>'))
    {
        None => word == text,
        Some("boolean") => boolean(text).is_some(),
        Some("empty") => text.is_empty(),
        Some(limit) => unsigned(text).is_some_and(|number| Some(number) <= unsigned(limit)),
    };
    Some(words.split_whitespace().any(fits))
}

/// Checks numbers within limits, which may be left empty.
fn number(name: &str, text: &str) -> Option<bool> {
    let (lowest, highest) = match name {
        "Nice" => (-20, 19),
        "OOMScoreAdjust" => (-1000, 1000),
        "IOSchedulingPriority" => (0, 7),
        "CPUSchedulingPriority" if text.is_empty() => return Some(false),
        "CPUSchedulingPriority" => (0, 99),
        "TTYColumns" | "TTYRows" => (0, i128::from(u32::MAX)),
        "CPUWeight" | "StartupCPUWeight" if text == "idle" => return Some(true),
        "CPUWeight" | "StartupCPUWeight" | "IOWeight" | "StartupIOWeight" => (1, 10_000),
        "CPUShares" | "StartupCPUShares" => (2, 262_144),
        "BlockIOWeight" | "StartupBlockIOWeight" => (10, 1000),
        "TasksMax" if text == "infinity" || share(text).is_some_and(|share| share <= 100.0) => {
            return Some(true);
        }
        "TasksMax" => (1, i128::from(u64::MAX) - 1),
        "CPUQuota" => {
            // Hundredths of a percent have to fit into 31 bits.
            let good = share(text).is_some_and(|share| share > 0.0 && share < 21_474_836.0);
            return Some(good || text.is_empty());
        }
        _ => return None,
    };
    let within = integer(text).is_some_and(|number| (lowest..=highest).contains(&number));
    Some(text.is_empty() || within)
}

/// Reads a percentage.
pub(super) fn share(text: &str) -> Option<f64> {
    let number = text.strip_suffix('%')?;
    let plain = number
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    number.parse().ok().filter(|_| plain)
}

/// Where a service reads from and writes to.
fn stream(text: &str, place: &mut Place<'_>) -> Outcome {
    const INPUTS: &str = "null tty tty-force tty-fail socket fd data";
    const OUTPUTS: &str = "inherit null tty kmsg kmsg+console journal journal+console socket fd";
    let input = place.name == "StandardInput";
    let file = text.strip_prefix("file:").or_else(|| {
        let output = text.strip_prefix("append:");
        output
            .or_else(|| text.strip_prefix("truncate:"))
            .filter(|_| !input)
    });
    if let Some(path) = file {
        return paths::resolved(path.as_bytes(), place);
    }
    if !input && matches!(text, "syslog" | "syslog+console") {
        place.warn(
            Complaint::Advice,
            format!("Standard output type {text} is obsolete"),
        );
        return Outcome::Accepted(text.as_bytes().to_vec());
    }
    let words = if input { INPUTS } else { OUTPUTS };
    let known = words.split_whitespace().any(|word| word == text);
    place.accept_if(known || text.starts_with("fd:"), text.as_bytes())
}
