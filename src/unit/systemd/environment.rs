//! What `Environment=` and `EnvironmentFile=` come to.
//!
//! In: their values, one after the other. Out: the assignments and the files.
//!
//! It must not know commands, nor read any file.

use std::collections::BTreeMap;

use crate::unit::specifier::{Context, expand, is_open};
use crate::unit::systemd::complaint::Complaint;
use crate::unit::systemd::value::Place;
use crate::unit::systemd::{paths, shown};
use crate::unit::words::{split_assignment, split_assignments};

/// The largest assignment a process can be given, without its closing NUL.
const ASSIGNMENT_LIMIT: usize = 2 * 1024 * 1024 - 1;

/// Holds assignments in the order in which their names first appeared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    assignments: Vec<String>,
    places: BTreeMap<String, usize>,
}

impl Environment {
    /// Returns the assignments as `NAME=value`.
    #[must_use]
    pub fn into_assignments(self) -> Vec<String> {
        self.assignments
    }

    /// Adds or replaces one variable.
    pub fn set(&mut self, name: &str, value: &str) {
        let assignment = format!("{name}={value}");
        if let Some(&place) = self.places.get(name) {
            self.assignments[place] = assignment;
        } else {
            self.places.insert(name.to_owned(), self.assignments.len());
            self.assignments.push(assignment);
        }
    }

    /// Takes the value of one `Environment=`; an empty one forgets all before.
    pub(super) fn assign(&mut self, value: &[u8], place: &mut Place<'_>) {
        if value.is_empty() {
            *self = Self::default();
            return;
        }
        let split = split_assignments(value);
        for word in split.words {
            match expand(&word, Context::Environment, place.unit, place.host) {
                Err(error) => {
                    let text = shown(&word);
                    place.warn(
                        Complaint::Specifier,
                        format!(
                            "Failed to resolve specifiers in {text}, ignoring: {}",
                            error.errno_text()
                        ),
                    );
                }
                Ok(resolved) => match split_assignment(&resolved) {
                    Some((name, value)) if resolved.len() <= ASSIGNMENT_LIMIT => {
                        self.set(name, value);
                    }
                    _ => {
                        let text = shown(&resolved);
                        place.warn(
                            Complaint::Assignment,
                            format!("Invalid environment assignment, ignoring: {text}"),
                        );
                    }
                },
            }
        }
        if split.error.is_some() {
            place.warn(
                Complaint::Quoting,
                format!("Invalid syntax, ignoring: {}", shown(value)),
            );
        }
    }
}

/// Takes the value of one `EnvironmentFile=`; an empty one forgets all before.
pub(super) fn assign_file(value: &[u8], place: &mut Place<'_>, files: &mut Vec<String>) {
    if value.is_empty() {
        files.clear();
        return;
    }
    let Some(resolved) = place.resolve(value, Context::Full) else {
        return;
    };
    let (dash, path) = match resolved.strip_prefix(b"-") {
        Some(path) => ("-", path),
        None => ("", resolved.as_slice()),
    };
    if is_open(value, Context::Full, place.host) {
        files.push(shown(&resolved).into_owned());
    } else if let Some(path) = paths::tidied(path, place) {
        files.push(format!("{dash}{}", shown(&path)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::name::UnitName;
    use crate::unit::specifier::Host;

    fn with_place<T>(body: impl FnOnce(&mut Place<'_>) -> T) -> (T, usize) {
        let mut warnings = Vec::new();
        let result = body(&mut Place {
            unit: &UnitName::new("web@8080.service").unwrap(),
            host: &Host::unknown(),
            name: "EnvironmentFile",
            line: 1,
            warnings: &mut warnings,
        });
        (result, warnings.len())
    }

    #[track_caller]
    fn case(values: &[&str], expected: &[&str], warnings: usize) {
        let (environment, count) = with_place(|place| {
            let mut environment = Environment::default();
            for value in values {
                environment.assign(value.as_bytes(), place);
            }
            environment.into_assignments()
        });
        assert_eq!(environment, expected, "{values:?}");
        assert_eq!(count, warnings, "{values:?}");
    }

    #[test]
    fn the_last_value_takes_the_first_place() {
        case(&["A=1 B=2", "A=3"], &["A=3", "B=2"], 0);
        case(&["A=1", "", "B=2"], &["B=2"], 0);
        case(&["A=%i 'B=5%% $A'"], &["A=8080", "B=5% $A"], 0);
    }

    #[test]
    fn bad_assignments_are_dropped_alone() {
        case(&["A B=1 2C=x D-E=y"], &["B=1"], 3);
        case(&["A=%F B=1"], &["B=1"], 1);
        case(&["A=1 B=\\d C=3"], &["A=1"], 1);
        case(&["A={\"x\": \"y\"}"], &["A={x:"], 1);
        case(&["A=\\xff"], &[], 1);
    }

    #[test]
    fn files_are_absolute_paths() {
        let (files, warnings) = with_place(|place| {
            let mut files = Vec::new();
            for value in [
                "/gone", "", "a", "\"/a\"", "/a b", "-/c//%i", "/d/../e", "%h/f",
            ] {
                assign_file(value.as_bytes(), place, &mut files);
            }
            files
        });
        assert_eq!(files, ["/a b", "-/c/8080", "%h/f"]);
        assert_eq!(warnings, 3);
    }
}
