//! Values that are paths.
//!
//! In: a value and its place. Out: the path without what is superfluous in it,
//! or a warning.
//!
//! It must not know what exists.

use crate::unit::specifier::{Context, expand, is_open};
use crate::unit::systemd::complaint::Complaint;
use crate::unit::systemd::value::{Outcome, Place};
use crate::unit::systemd::{is_text, path, shown};
use crate::unit::words::{Rules, extract_word};

/// A path that must be absolute.
pub(super) fn resolved(value: &[u8], place: &mut Place<'_>) -> Outcome {
    match place.resolve(value, Context::Path) {
        Some(resolved) if is_open(value, Context::Path, place.host) => Outcome::Accepted(resolved),
        Some(resolved) => tidied(&resolved, place).map_or(Outcome::Dropped, Outcome::Accepted),
        None => Outcome::Dropped,
    }
}

/// Single paths; a bad root folder or image spoils the unit.
pub(super) fn fixed(value: &[u8], place: &mut Place<'_>) -> Outcome {
    if value.is_empty() {
        return Outcome::Accepted(Vec::new());
    }
    let fatal = matches!(place.name, "RootDirectory" | "RootImage" | "RootVerity");
    if expand(value, Context::Path, place.unit, place.host).is_ok_and(|path| path.is_empty()) {
        return Outcome::Accepted(Vec::new());
    }
    match resolved(value, place) {
        Outcome::Dropped if fatal => Outcome::Fatal,
        outcome => outcome,
    }
}

/// Checks an absolute path; returns it tidied, or warns.
pub(super) fn tidied(path: &[u8], place: &mut Place<'_>) -> Option<Vec<u8>> {
    let tidy = path::simplify(path);
    let fault = if !is_text(path) {
        "is not UTF-8"
    } else if !path::is_absolute(path) {
        "is not absolute"
    } else if !path::is_valid(&tidy) {
        "has invalid length"
    } else if !path::is_normalized(&tidy) {
        "is not normalized"
    } else {
        return Some(tidy);
    };
    let text = format!("{}= path {fault}, ignoring: {}", place.name, shown(path));
    place.warn(Complaint::Value, text);
    None
}

/// A list of absolute paths; bad ones are left out, with all behind them if
/// `whole`.
pub(super) fn list(value: &[u8], whole: bool, place: &mut Place<'_>) -> Outcome {
    let mut rest = value;
    while let Ok(Some(word)) = extract_word(&mut rest, Rules::UNESCAPED) {
        if resolved(&word, place) == Outcome::Dropped && whole {
            break;
        }
    }
    Outcome::Accepted(value.to_vec())
}

/// A list of absolute paths with a `-` or a `+` before them.
pub(super) fn marked(value: &[u8], place: &mut Place<'_>) -> Outcome {
    let mut rest = value;
    while let Ok(Some(word)) = extract_word(&mut rest, Rules::UNESCAPED) {
        let path = word.strip_prefix(b"-").unwrap_or(&word);
        resolved(path.strip_prefix(b"+").unwrap_or(path), place);
    }
    Outcome::Accepted(value.to_vec())
}

/// A list of folders below a fixed one, perhaps with a link to each.
pub(super) fn folders(value: &[u8], place: &mut Place<'_>) -> Outcome {
    let mut rest = value;
    while let Ok(Some(word)) = extract_word(&mut rest, Rules::UNESCAPED) {
        let linked = word.contains(&b':');
        if linked && place.name == "ConfigurationDirectory" {
            place.warn(
                Complaint::Value,
                format!(
                    "Destination parameter is not supported, ignoring: {}",
                    shown(&word)
                ),
            );
            continue;
        }
        for part in word.split(|&byte| byte == b':') {
            let Some(path) = place.resolve(part, Context::Path) else {
                continue;
            };
            let tidy = path::simplify(&path);
            let fault = if path::is_absolute(&path) {
                "is absolute"
            } else if tidy.is_empty() {
                "has invalid length"
            } else if !path::is_normalized(&tidy) || tidy == b"." {
                "is not normalized"
            } else if tidy == b"private" || tidy.starts_with(b"private/") {
                "can't be 'private'"
            } else {
                continue;
            };
            place.warn(
                Complaint::Value,
                format!("{}= path {fault}, ignoring: {}", place.name, shown(&word)),
            );
            break;
        }
    }
    Outcome::Accepted(value.to_vec())
}
