//! Names of variables that steer a program by themselves: those that the loader, libc, a shell, the Go
//! runtime, a client of docker or what it starts reads.
//!
//! In: a name. Out: who reads it. A client of docker is root, and an app's configuration is not: it
//! reaches the container, and not the client. The lists rather have a name too many: a client loses
//! nothing by it, since what is kept from it reaches the container as well.

/// Who is steered by a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Any program: by its loader, its libc, its runtime, or a shell or client that it starts.
    Any,
    /// A client of docker, or a helper that it starts, such as one for credentials. To any other program
    /// such a name is one of its own affairs.
    Client,
}

/// Names as they are.
const NAMES: [&str; 77] = [
    "ALL_PROXY",
    "BASHOPTS",
    "CDPATH",
    "CI_DESIRED_DATABASE",
    "CREDENTIALS_DIRECTORY",
    "DISABLE_HC_SYSTEMD",
    "DISPLAY",
    "ENV",
    "EXECIGNORE",
    "FPATH",
    "FTP_PROXY",
    "GCONV_PATH",
    "GETCONF_DIR",
    "GLIBC_TUNABLES",
    "GLOBIGNORE",
    "GOCOVERDIR",
    "GODEBUG",
    "GOFIPS140",
    "GOGC",
    "GOLANG_FIPS",
    "GOMAXPROCS",
    "GOMEMLIMIT",
    "GORACE",
    "GOROOT",
    "GOTRACEBACK",
    "HOME",
    "HOSTALIASES",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "IFS",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LANG",
    "LANGUAGE",
    "LOCALDOMAIN",
    "LOCPATH",
    "LOGNAME",
    "MAINPID",
    "MEMPROFILERATE",
    "MODPROBE_OPTIONS",
    "MUSL_LOCPATH",
    "NIS_PATH",
    "NLSPATH",
    "NOTIFY_SOCKET",
    "NO_PROXY",
    "OLDPWD",
    "OUTPUT_CHARSET",
    "PATH",
    "POSIXLY_CORRECT",
    "PROMPT_COMMAND",
    "PS4",
    "PWD",
    "REGISTRIES_CONFIG_PATH",
    "REGISTRY_AUTH_FILE",
    "REQUEST_METHOD",
    "RES_OPTIONS",
    "SEGFAULT_SIGNALS",
    "SHELL",
    "SHELLOPTS",
    "SOCKS_PROXY",
    "SQLITE_TMPDIR",
    "SSLKEYLOGFILE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "STORAGE_DRIVER",
    "STORAGE_OPTS",
    "SUPPRESS_BOLTDB_WARNING",
    "TEXTDOMAIN",
    "TEXTDOMAINDIR",
    "TMOUT",
    "TMPDIR",
    "TZ",
    "TZDIR",
    "USER",
    "XAUTHORITY",
    "ZDOTDIR",
    "ZONEINFO",
];

/// What names begin with.
const PREFIXES: [&str; 42] = [
    "AARDVARK_",
    "BASH_",
    "BUILDAH_",
    "BUILDKIT_",
    "BUILDX_",
    "CNI_",
    "COMPOSE_",
    "CONTAINERS_",
    "CONTAINER_",
    "DBUS_",
    "DOCKER_",
    "ETCDCTL_",
    "FLEETCTL_",
    "GPGME_",
    "IP6TABLES_",
    "IPTABLES_",
    "KRB5",
    "LC_",
    "LD_",
    "LISTEN_",
    "MALLOC_",
    "MEMUSAGE",
    "NETAVARK_",
    "OCICRYPT_",
    "OCI_",
    "OPENSSL_",
    "PERL5",
    "PERLIO",
    "PODMAN_",
    "PYTHON",
    "RESOLV_",
    "SSH_",
    "SUDO_",
    "SYSTEMD_",
    "TERM",
    "UNITGEN_",
    "WATCHDOG_",
    "XDG_",
    "XTABLES_",
    "_CONTAINERS_",
    "_CRIO_",
    "_PODMAN_",
];

/// Names that a client and its helpers read, and that many an app means for itself.
const CLIENT_NAMES: [&str; 5] = [
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "GNUPGHOME",
    "NO_COLOR",
    "PINENTRY_USER_DATA",
];

/// What such names begin with: a helper for credentials takes them from its client (`ecr-login`, `gcr`,
/// `acr`, `pass`), and so do the client's own telemetry, and podman's runtimes and networks.
const CLIENT_PREFIXES: [&str; 18] = [
    "AWS_",
    "AZURE_",
    "CLOUDSDK_",
    "CONMON_",
    "CRIU_",
    "CRUN_",
    "GCE_",
    "GOOGLE_",
    "GPG_",
    "GRPC_",
    "OTEL_",
    "PASSWORD_STORE_",
    "REGISTRIES_",
    "REGISTRY_",
    "RUNC_",
    "RUST_",
    "STORAGE_",
    "_LIBCONTAINER_",
];

/// Tells who is steered by a name.
#[must_use]
pub fn reader(name: &str) -> Option<Reader> {
    // Go and curl read proxies in both cases, and Perl and Windows taught people to write anything.
    let name = name.to_ascii_uppercase();
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    if NAMES.contains(&name.as_str()) || begins(&PREFIXES) {
        return Some(Reader::Any);
    }
    let is_client = CLIENT_NAMES.contains(&name.as_str()) || begins(&CLIENT_PREFIXES);
    is_client.then_some(Reader::Client)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_known() {
        for name in [
            "DOCKER_HOST",
            "PATH",
            "HOME",
            "LD_PRELOAD",
            "http_proxy",
            "No_Proxy",
            "SSH_AUTH_SOCK",
            "TERM",
            "TERMINFO",
            "LC_ALL",
            "BASH_ENV",
            "BASH_FUNC_docker",
            "GODEBUG",
            "STORAGE_DRIVER",
            "PYTHONPATH",
        ] {
            assert_eq!(reader(name), Some(Reader::Any), "{name}");
        }
        for name in ["AWS_ACCESS_KEY_ID", "OTEL_SERVICE_NAME", "STORAGE_BUCKET"] {
            assert_eq!(reader(name), Some(Reader::Client), "{name}");
        }
        for name in [
            "DATABASE_URL",
            "A",
            "GOOD",
            "APP_PATH",
            "HOMEPAGE",
            "LDAP_URL",
        ] {
            assert_eq!(reader(name), None, "{name}");
        }
    }

    #[test]
    fn the_lists_are_sorted() {
        assert!(NAMES.is_sorted() && PREFIXES.is_sorted());
        assert!(CLIENT_NAMES.is_sorted() && CLIENT_PREFIXES.is_sorted());
    }
}
