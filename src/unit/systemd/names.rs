//! Values that name units, users or D-Bus services.
//!
//! In: a value and its place. Out: whether systemd takes it, with warnings.
//!
//! It must not know which units and users there are.

use crate::directive::Form;
use crate::unit::name::UnitName;
use crate::unit::specifier::{Context, expand, is_open};
use crate::unit::systemd::complaint::Complaint;
use crate::unit::systemd::value::{Outcome, Place};
use crate::unit::systemd::{is_text, shown};
use crate::unit::words::{Rules, extract_word, is_variable_name, split_assignment};

/// Users and groups; what is wrong with one spoils the unit.
pub(super) fn accounts(form: Form, value: &[u8], place: &mut Place<'_>) -> Outcome {
    let mut rest = value;
    let mut words = Vec::new();
    if form == Form::Account {
        words.push(value.to_vec());
    } else {
        while let Ok(Some(word)) = extract_word(&mut rest, Rules::PLAIN) {
            words.push(word.into_owned());
        }
    }
    for word in words.into_iter().filter(|word| !word.is_empty()) {
        match expand(&word, Context::Full, place.unit, place.host) {
            Ok(name) if is_account(&name) || is_open(&word, Context::Full, place.host) => {
                if name == b"nobody" && place.name.contains("User") {
                    place.warn(
                        Complaint::Advice,
                        "Special user nobody configured, this is not safe!".to_owned(),
                    );
                }
            }
            Ok(name) => {
                place.warn(
                    Complaint::Value,
                    format!("Invalid user/group name or numeric ID: {}", shown(&name)),
                );
                return Outcome::Fatal;
            }
            Err(error) => {
                let text = shown(&word);
                place.warn(
                    Complaint::Specifier,
                    format!(
                        "Failed to resolve unit specifiers in {text}: {}",
                        error.errno_text()
                    ),
                );
                return Outcome::Fatal;
            }
        }
    }
    Outcome::Accepted(value.to_vec())
}

fn is_account(name: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(name) else {
        return false;
    };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(text) {
        let leading_zero = text.starts_with('0') && text != "0";
        return !leading_zero
            && text
                .parse::<u32>()
                .is_ok_and(|id| id != u32::MAX && id != u32::from(u16::MAX));
    }
    is_text(name)
        && !text.starts_with(' ')
        && !text.ends_with(' ')
        && !text
            .bytes()
            .any(|byte| byte.is_ascii_control() || b":/".contains(&byte))
        && !text.strip_prefix('-').is_some_and(is_number)
        && !matches!(text, "." | "..")
}

/// Names of units; bad ones are left out, templates get this unit's instance.
pub(super) fn units(value: &[u8], place: &mut Place<'_>) -> Outcome {
    if matches!(place.name, "RequiresOverridable" | "RequisiteOverridable") {
        place.warn(
            Complaint::Advice,
            format!("Unit dependency type {}= is obsolete", place.name),
        );
    }
    let mut rest = value;
    while let Ok(Some(word)) = extract_word(&mut rest, Rules::PLAIN) {
        let Some(name) = place.resolve(&word, Context::UnitName) else {
            continue;
        };
        if !is_open(&word, Context::UnitName, place.host) && !is_loadable(&name) {
            place.warn(
                Complaint::Dependency,
                format!("Failed to add dependency on {}, ignoring", shown(&name)),
            );
        }
    }
    Outcome::Accepted(value.to_vec())
}

fn is_loadable(name: &[u8]) -> bool {
    let name = std::str::from_utf8(name).map(UnitName::new);
    matches!(name, Ok(Ok(_)))
}

/// The one unit that is started.
pub(super) fn trigger(value: &[u8], place: &mut Place<'_>) -> Outcome {
    let Some(name) = place.resolve(value, Context::UnitName) else {
        return Outcome::Dropped;
    };
    let open = is_open(value, Context::UnitName, place.host);
    let own = name == place.unit.as_str().as_bytes();
    place.accept_if(open || (is_loadable(&name) && !own), &name)
}

/// Names of sockets.
pub(super) fn sockets(value: &[u8], place: &mut Place<'_>) -> Outcome {
    let mut rest = value;
    while let Ok(Some(word)) = extract_word(&mut rest, Rules::PLAIN) {
        let Some(name) = place.resolve(&word, Context::UnitName) else {
            continue;
        };
        if !name.ends_with(b".socket") {
            place.warn(
                Complaint::Dependency,
                format!("Unit must be of type socket, ignoring: {}", shown(&name)),
            );
        } else if !is_open(&word, Context::UnitName, place.host) && !is_loadable(&name) {
            place.warn(
                Complaint::Dependency,
                format!("Failed to add dependency on {}, ignoring", shown(&name)),
            );
        }
    }
    Outcome::Accepted(value.to_vec())
}

/// The slice a unit belongs to.
pub(super) fn slice(value: &[u8], place: &mut Place<'_>) -> Outcome {
    let Some(name) = place.resolve(value, Context::UnitName) else {
        return Outcome::Dropped;
    };
    let text = shown(&name);
    let open = is_open(value, Context::UnitName, place.host);
    let is_slice = UnitName::new(&text).is_ok_and(|name| name.kind_of_unit() == "slice");
    place.accept_if(open || is_slice, text.as_bytes())
}

/// A name on D-Bus.
pub(super) fn bus(value: &[u8], place: &mut Place<'_>) -> Outcome {
    const LENGTH_LIMIT: usize = 255;
    let Some(name) = place.resolve(value, Context::Full) else {
        return Outcome::Dropped;
    };
    let unique = name.starts_with(b":");
    let parts = name.strip_prefix(b":").unwrap_or(&name);
    let is_part = |part: &[u8]| {
        let first_is_digit = part.first().is_some_and(u8::is_ascii_digit);
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-".contains(byte);
        !part.is_empty() && (unique || !first_is_digit) && part.iter().all(allowed)
    };
    let good = name.len() <= LENGTH_LIMIT
        && parts.contains(&b'.')
        && parts.split(|&byte| byte == b'.').all(is_part);
    let open = is_open(value, Context::Full, place.host);
    place.accept_if(good || open, &name)
}

/// Names of variables; for some lists an assignment will do.
pub(super) fn variables(value: &[u8], place: &mut Place<'_>) -> Outcome {
    let mut rest = value;
    while let Ok(Some(word)) = extract_word(&mut rest, Rules::UNESCAPED) {
        let Some(name) = place.resolve(&word, Context::Environment) else {
            continue;
        };
        let text = shown(&name);
        let assigned = place.name == "UnsetEnvironment" && split_assignment(&name).is_some();
        if !is_variable_name(&text) && !assigned {
            place.warn(
                Complaint::Value,
                format!(
                    "Invalid environment name for {}, ignoring: {text}",
                    place.name
                ),
            );
        }
    }
    Outcome::Accepted(value.to_vec())
}
