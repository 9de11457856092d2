//! Why a file that reads well is refused as a unit.
//!
//! In: the unit's name and what was read. Out: systemd's reason, if it has one.
//!
//! It must not know lines or how a value was written.

use std::collections::BTreeMap;

use crate::directive::Form;
use crate::unit::name::UnitName;
use crate::unit::systemd::Reading;
use crate::unit::systemd::scalar::boolean;

/// Returns why a unit with these settings cannot be used.
pub(super) fn refusal(
    unit: &UnitName,
    reading: &Reading,
    counts: &BTreeMap<Form, usize>,
) -> Option<&'static str> {
    let count = |form| counts.get(&form).copied().unwrap_or_default();
    match unit.kind_of_unit() {
        "service" => service(reading, count(Form::Statuses)),
        "timer" => {
            let set = ["OnClockChange", "OnTimezoneChange"];
            let set = set.iter().any(|name| is_set(reading, "Timer", name));
            (count(Form::Timer) == 0 && !set).then_some("Timer unit lacks value setting.")
        }
        "path" => (count(Form::WatchedPath) == 0).then_some("Path unit lacks path setting."),
        "socket" => (count(Form::Listen) == 0).then_some("Unit has no Listen setting."),
        _ => None,
    }
}

fn service(reading: &Reading, statuses: usize) -> Option<&'static str> {
    let value = |section, name| value(reading, section, name);
    let commands = |name: &str| reading.commands.get(name).map_or(0, Vec::len);
    let starts = commands("ExecStart");
    let stops = commands("ExecStop") > 0;
    let ends_well = !matches!(value("Unit", "SuccessAction"), "" | "none");
    let kind = match value("Service", "Type") {
        "" if !value("Service", "BusName").is_empty() => "dbus",
        "" if starts > 0 => "simple",
        "" => "oneshot",
        kind => kind,
    };
    let oneshot = kind == "oneshot";
    let kills_all = matches!(value("Service", "KillMode"), "" | "control-group" | "mixed");
    Some(if starts == 0 && !stops && !ends_well {
        "Service has no ExecStart=, ExecStop=, or SuccessAction=."
    } else if !oneshot && starts == 0 {
        "Service has no ExecStart= setting, which is only allowed for Type=oneshot services."
    } else if !is_set(reading, "Service", "RemainAfterExit") && starts == 0 && !ends_well {
        "Service has no ExecStart= and no SuccessAction= settings and does not have \
         RemainAfterExit=yes set."
    } else if !oneshot && starts > 1 {
        "Service has more than one ExecStart= setting, which is only allowed for Type=oneshot \
         services."
    } else if oneshot && matches!(value("Service", "Restart"), "always" | "on-success") {
        "Service has Restart= set to either always or on-success, which isn't allowed for \
         Type=oneshot services."
    } else if oneshot && statuses > 0 && !value("Service", "RestartForceExitStatus").is_empty() {
        "Service has RestartForceExitStatus= set, which isn't allowed for Type=oneshot services."
    } else if oneshot && value("Service", "ExitType") == "cgroup" {
        "Service has ExitType=cgroup set, which isn't allowed for Type=oneshot services."
    } else if kind == "dbus" && value("Service", "BusName").is_empty() {
        "Service is of type D-Bus but no D-Bus service name has been specified."
    } else if !value("Service", "PAMName").is_empty() && !kills_all {
        "Service has PAM enabled. Kill mode must be set to 'control-group' or 'mixed'."
    } else {
        return None;
    })
}

fn value<'a>(reading: &'a Reading, section: &'a str, name: &'a str) -> &'a str {
    let value = reading.values.get(&(section, name));
    value.map_or("", String::as_str)
}

fn is_set(reading: &Reading, section: &str, name: &str) -> bool {
    boolean(value(reading, section, name)) == Some(true)
}
