//! Asks instances themselves whether they are well.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::http::address::{Address, Tunnel};
use crate::http::{Client, Limits, Method, Request};
use crate::manifest::health::split;
use crate::secrecy::masked;
use crate::state::{Machine, MachineId};

/// How long an answer may take.
const LIMITS: Limits = Limits {
    connecting: Duration::from_secs(2),
    total: Duration::from_secs(5),
    body: 1 << 20,
};

/// Who asks.
#[derive(Debug)]
pub(super) struct Health {
    tunnel: Option<Tunnel>,
    /// The machines that were seen.
    pub(super) machines: BTreeMap<MachineId, Machine>,
}

impl Health {
    pub(super) fn new(tunnel: Option<Tunnel>) -> Self {
        Self {
            tunnel,
            machines: BTreeMap::new(),
        }
    }

    /// Asks an instance on a machine.
    ///
    /// # Errors
    /// Says what it answered, or that it did not.
    pub(super) fn ask(
        &self,
        form: &str,
        machine: &MachineId,
        port: Option<u16>,
    ) -> Result<(), String> {
        let Some(machine) = self.machines.get(machine) else {
            return Err(format!("the machine {} is not known", machine.short()));
        };
        let port = port.map(|port| port.to_string()).unwrap_or_default();
        let host = if machine.primary_ip.contains(':') {
            format!("[{}]", machine.primary_ip)
        } else {
            machine.primary_ip.clone()
        };
        let url = form.replace("{machine}", &host).replace("{port}", &port);
        let (server, path) = split(&url);
        let address = Address::parse(server).map_err(|error| format!("{url}: {error}"))?;
        let request = Request {
            method: Method::Get,
            path,
            body: None,
        };
        let mut client = Client::new(address, self.tunnel.clone(), LIMITS);
        match client.send(request) {
            Ok(response) if (200..400).contains(&response.status) => Ok(()),
            Ok(response) => Err(format!("{} answers {}", masked(&url), response.status)),
            Err(failure) => Err(format!("{}: {failure}", masked(&url))),
        }
    }
}
