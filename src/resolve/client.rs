//! Which variables are not the app's alone: they would steer docker's client or unitgen itself, or the
//! units set them.
//!
//! In: a variable's name. Out: whether one of the two, which are root, would read it; whether a unit has
//! a value of its own for it. Knows nothing of where the variable comes from.

use crate::name::VariableName;

/// Names that docker's client, unitgen, their runtime or the loader would read if they stood in the client's
/// own environment, and that would so steer the client, which is root. They go to the container by
/// value instead.
const CLIENT_NAMES: [&str; 21] = [
    "ALL_PROXY",
    "BUILDKIT_HOST",
    "GODEBUG",
    "GOMAXPROCS",
    "GOMEMLIMIT",
    "GOGC",
    "GOTRACEBACK",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "IFS",
    "LANG",
    "LC_ALL",
    "LOGNAME",
    "NO_PROXY",
    "PATH",
    "SHELL",
    "TERM",
    "TMPDIR",
    "USER",
    "XDG_CONFIG_HOME",
];
const CLIENT_PREFIXES: [&str; 13] = [
    "DOCKER_",
    "LD_",
    "XDG_",
    "SSL_CERT_",
    "SSH_",
    "OTEL_",
    "GLIBC_",
    "MALLOC_",
    "BUILDX_",
    "ETCDCTL_",
    "FLEETCTL_",
    "GRPC_",
    "UNITGEN_",
];

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

/// Tells whether a variable would steer docker's client.
#[must_use]
pub fn steers_client(name: &VariableName) -> bool {
    let name = name.as_str();
    let upper = name.to_ascii_uppercase();
    CLIENT_NAMES.contains(&upper.as_str())
        || CLIENT_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
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
