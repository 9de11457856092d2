//! The flags that fleetctl takes before its command.

/// fleetctl's own flags, of which an absent one leaves what its variable says. Beyond an ssh they mean
/// what they mean there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GlobalFlags {
    /// `--endpoint`
    pub endpoint: Option<String>,
    /// `--known-hosts-file`
    pub known_hosts_file: Option<String>,
    /// `--ssh-timeout`, in seconds
    pub ssh_timeout: Option<String>,
    /// `--ssh-username`
    pub ssh_username: Option<String>,
    /// `--strict-host-key-checking`
    pub strict_host_key_checking: Option<bool>,
    /// `--tunnel`. A user in it becomes `--ssh-username`, for fleetctl takes a host and a port only.
    pub tunnel: Option<String>,
}

impl GlobalFlags {
    /// Returns the words for them.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let Self {
            endpoint,
            known_hosts_file,
            ssh_timeout,
            ssh_username,
            strict_host_key_checking,
            tunnel,
        } = self;
        let (user, tunnel) = match tunnel.as_deref().map(|tunnel| tunnel.rsplit_once('@')) {
            Some(Some((user, host))) => (Some(user), Some(host)),
            _ => (ssh_username.as_deref(), tunnel.as_deref()),
        };
        let strict = strict_host_key_checking.map(|strict| strict.to_string());
        let flags = [
            ("endpoint", endpoint.as_deref()),
            ("known-hosts-file", known_hosts_file.as_deref()),
            ("ssh-timeout", ssh_timeout.as_deref()),
            ("ssh-username", user),
            ("strict-host-key-checking", strict.as_deref()),
            ("tunnel", tunnel),
        ];
        let given = |(name, value): (&str, Option<&str>)| Some(format!("--{name}={}", value?));
        flags.into_iter().filter_map(given).collect()
    }
}
