//! Which variables are not the app's alone: they would steer docker's client or unitgen itself, or the
//! units set them.
//!
//! In: a variable's name. Out: whether one of the two, which are root, would read it; whether a unit has
//! a value of its own for it. Knows nothing of where the variable comes from.

use crate::config::steering::{Reader, reader};
use crate::name::VariableName;

/// Names that the units set themselves.
const RESERVED: [&str; 6] = [
    "APPLICATION",
    "CONTAINER",
    "IMAGE",
    "INSTANCE",
    "SLOT",
    "VERSION",
];

/// Tells whether the units set the variable themselves.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// Tells whether a variable would steer docker's client or unitgen, which are root, if it stood in the
/// unit's own environment: it goes to the container by value instead.
#[must_use]
pub fn steers_client(name: &VariableName) -> bool {
    reader(name.as_str()) == Some(Reader::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_reads_is_known() {
        for (name, expected) in [
            ("DOCKER_HOST", true),
            ("LD_PRELOAD", true),
            ("PATH", true),
            ("https_proxy", true),
            ("DATABASE_URL", false),
            ("DOCKERIZED", false),
            ("RACK_ENV", false),
        ] {
            let name = VariableName::new(name).unwrap();
            assert_eq!(steers_client(&name), expected, "{name}");
        }
    }
}
