//! What follows from what fleetctl said: whether to call it again, and why a unit is not as it should be.
//!
//! In: a call's outcome. Out: an answer, or an error in fleetctl's words where it had any.

use crate::cluster::fleetctl::words::Remark;
use crate::cluster::fleetctl::{End, Fleetctl, Outcome as Said};
use crate::error::CommandError;
use crate::state::RegistryName;
use crate::submit::Task;

/// Tells whether a fleetctl knows of no replacing.
pub(super) fn is_too_old(said: &Said) -> bool {
    said.remarks().contains(&Remark::NoReplace)
}

/// Tells whether the same call may succeed a little later.
pub(super) fn may_pass(said: &Said) -> bool {
    let may_pass = said.remarks().iter().any(Remark::may_pass);
    matches!(said.end, End::Exit(_)) && !said.claims_success() && may_pass
}

/// Tells whether what was called may go on all the same: behind an ssh that was ended or broke off.
pub(super) fn may_go_on(fleetctl: &Fleetctl, said: &Said) -> bool {
    /// What ssh ends with where it is its own failure.
    const SSH: i32 = 255;
    let is_broken = !matches!(said.end, End::Exit(status) if status != SSH);
    fleetctl.command.len() > 1 && is_broken
}

/// Returns why fleetctl did not do a task, in its words where it had any.
pub(super) fn error(task: &Task, said: &Said) -> CommandError {
    let name = task.name();
    let verb = task.step.action.word();
    let remarks = said.remarks();
    let mut found = remarks.iter().filter_map(|remark| reason(remark, name));
    let reason = found.next().unwrap_or_else(|| match said.end {
        End::Exit(0) => "fleetctl said that all is well, and did nothing".to_owned(),
        End::Exit(status) => format!("fleetctl ended with status {status}"),
        End::Signal(signal) => format!("fleetctl was ended by signal {signal}"),
        End::TimedOut(time) => format!(
            "fleetctl took longer than {} s and was ended: what it began may yet be done",
            time.as_secs_f64()
        ),
    });
    CommandError::remote(format!("can't {verb} `{name}` through fleetctl")).because(reason)
}

/// Returns what a remark says of a unit.
fn reason(remark: &Remark, name: &RegistryName) -> Option<String> {
    let is_meant = |unit: &Option<RegistryName>| unit.as_ref().is_none_or(|unit| unit == name);
    let reason = match remark {
        Remark::Differs { unit, .. } if unit == name => {
            "fleetctl kept the text that the registry had".to_owned()
        }
        Remark::NotReplaced { unit, state } if unit == name => {
            format!("fleetctl replaces no unit that is {state}")
        }
        Remark::LineTooLong { unit } if is_meant(unit) => {
            "fleet refuses it, as a line is too long".to_owned()
        }
        Remark::Refused {
            unit,
            status,
            message,
        } if is_meant(unit) => match message.as_str() {
            "" => format!("fleet answered {status} without a word"),
            message => format!("fleet answered {status}: {message}"),
        },
        Remark::NoReplace => "this fleetctl is older than 0.13, and replaces nothing".to_owned(),
        Remark::UnknownFlag(flag) => format!("fleetctl does not know the flag `{flag}`"),
        Remark::UnknownCommand(command) => format!("fleetctl does not know `{command}`"),
        Remark::Unreachable(reason) | Remark::Ssh(reason) | Remark::Failed(reason) => {
            reason.clone()
        }
        Remark::NoProgram => "there is no fleetctl".to_owned(),
        Remark::Differs { .. }
        | Remark::NotReplaced { .. }
        | Remark::LineTooLong { .. }
        | Remark::Refused { .. }
        | Remark::Same { .. }
        | Remark::NotFound => return None,
    };
    Some(reason)
}
