//! The cluster that a test works on: a server of its own, or the live one that `UNITGEN_TEST_FLEET`
//! names.
//!
//! Names of units begin with a prefix of the test's own, and whatever has it is deleted at the end.
//! Requests are written by hand here, so that no code under test stands in between.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use unitgen::cluster::fleet::Fleet;
use unitgen::http::address::Address;
use unitgen::http::{Client, Limits};
use unitgen::state::RegistryName;

use crate::fleet_server::FleetServer;

/// A cluster.
pub(crate) struct Site {
    server: Option<FleetServer>,
    endpoint: String,
    prefix: String,
}

/// What came back: status, body and all headers; nothing where the connection was closed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Site {
    /// Returns the live cluster, or else one of its own. `test` tells several tests apart.
    pub(crate) fn new(test: &str) -> Self {
        let live = std::env::var("UNITGEN_TEST_FLEET").ok();
        let live = live.filter(|endpoint| !endpoint.is_empty());
        let server = live.is_none().then(FleetServer::start);
        let own = server.as_ref().map(|server| server.endpoint().to_owned());
        Self {
            endpoint: own.or(live).unwrap(),
            prefix: format!("unitgen-test-{}-{test}-", std::process::id()),
            server,
        }
    }

    /// Returns a unit's name with the prefix.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Returns the same as the registry's.
    pub(crate) fn registry_name(&self, name: &str) -> RegistryName {
        RegistryName::seen(self.name(name))
    }

    /// Returns where it is.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the server of its own; nothing where the cluster is live.
    pub(crate) fn server(&self) -> Option<&FleetServer> {
        self.server.as_ref()
    }

    /// Returns a client.
    pub(crate) fn fleet(&self) -> Fleet {
        fleet(&self.endpoint)
    }

    /// Sends a request without a body.
    pub(crate) fn ask(&self, method: &str, path: &str) -> Option<Reply> {
        exchange(&self.endpoint, method, path, None, "")
    }

    /// Puts a unit.
    pub(crate) fn put(&self, name: &str, body: &str) -> Option<Reply> {
        put(&self.endpoint, &self.name(name), body)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if self.server.is_some() {
            return;
        }
        let mut fleet = self.fleet();
        let units = fleet.units().unwrap_or_default();
        for name in units
            .keys()
            .filter(|name| name.as_str().starts_with(&self.prefix))
        {
            // What is left is seen by whoever looks after the cluster.
            let _ = fleet.delete(name);
        }
    }
}

/// Returns a client with limits that a test can wait for.
pub(crate) fn fleet(endpoint: &str) -> Fleet {
    Fleet::new(client(endpoint))
}

/// Returns a client with limits that a test can wait for.
pub(crate) fn client(endpoint: &str) -> Client {
    let limits = Limits {
        connecting: Duration::from_secs(5),
        total: Duration::from_secs(20),
        ..Limits::default()
    };
    Client::new(Address::parse(endpoint).unwrap(), None, limits)
}

/// Puts a unit on a server.
pub(crate) fn put(endpoint: &str, name: &str, body: &str) -> Option<Reply> {
    let path = format!("/fleet/v1/units/{name}");
    exchange(endpoint, "PUT", &path, Some("application/json"), body)
}

/// Sends a request over a connection of its own.
pub(crate) fn exchange(
    endpoint: &str,
    method: &str,
    path: &str,
    content_type: Option<&str>,
    body: &str,
) -> Option<Reply> {
    let content_type = content_type.map(|text| format!("Content-Type: {text}\r\n"));
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{}Content-Length: {}\r\n\r\n{body}",
        content_type.unwrap_or_default(),
        body.len()
    );
    let mut bytes = Vec::new();
    if let Some(path) = endpoint.strip_prefix("unix://") {
        converse(UnixStream::connect(path).unwrap(), &request, &mut bytes);
    } else {
        let address = endpoint.strip_prefix("http://").unwrap();
        converse(TcpStream::connect(address).unwrap(), &request, &mut bytes);
    }
    let text = String::from_utf8(bytes).unwrap();
    let (headers, body) = text.split_once("\r\n\r\n")?;
    Some(Reply {
        status: headers.split(' ').nth(1)?.parse().ok()?,
        headers: headers.to_owned(),
        body: body.to_owned(),
    })
}

fn converse(mut stream: impl Read + Write, request: &str, bytes: &mut Vec<u8>) {
    stream.write_all(request.as_bytes()).unwrap();
    // A server that stumbles resets the connection.
    let _ = stream.read_to_end(bytes);
}
