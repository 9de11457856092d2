//! What the stand-in asks of fleet's server, and how it tells what went wrong.

use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use serde_json::{Value, json};
use unitgen::unit::fleet::FleetUnit;

use crate::fleet_site::exchange;

/// fleet's server.
pub(super) struct Server {
    pub(super) endpoint: String,
}

impl Server {
    /// Returns a unit, where it is there.
    pub(super) fn unit(&self, name: &str) -> Result<Option<Value>, String> {
        let (status, text) = self.ask("GET", &format!("units/{name}"), "")?;
        match status {
            404 => Ok(None),
            _ => Ok(Some(value(status, &text)?)),
        }
    }

    /// Returns all of one kind: `units` or `machines`.
    pub(super) fn all(&self, kind: &str) -> Result<Vec<Value>, String> {
        let mut found = Vec::new();
        let mut path = kind.to_owned();
        loop {
            let (status, text) = self.ask("GET", &path, "")?;
            let page = value(status, &text)?;
            found.extend(page[kind].as_array().cloned().unwrap_or_default());
            match page["nextPageToken"].as_str() {
                Some(token) => path = format!("{kind}?nextPageToken={token}"),
                None => return Ok(found),
            }
        }
    }

    /// Puts a unit's text, and says nothing of its state.
    pub(super) fn put(&self, name: &str, unit: &FleetUnit) -> Result<(), String> {
        let options = unit.options.iter().map(
            |option| json!({"section": &*option.section, "name": option.name, "value": option.value}),
        );
        let options: Value = options.collect();
        let body = json!({"name": name, "options": options}).to_string();
        let (status, text) = self.ask("PUT", &format!("units/{name}"), &body)?;
        value(status, &text).map(drop)
    }

    /// Deletes a unit.
    pub(super) fn delete(&self, name: &str) -> Result<(), String> {
        let (status, text) = self.ask("DELETE", &format!("units/{name}"), "")?;
        value(status, &text).map(drop)
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Result<(u16, String), String> {
        let shown = match self.endpoint.strip_prefix("unix://") {
            Some(_) => "http://domain-sock",
            None => &self.endpoint,
        };
        let mut letters = method.to_lowercase();
        letters[..1].make_ascii_uppercase();
        let request = format!("{letters} \"{shown}/fleet/v1/{path}?alt=json\"");
        self.is_there()
            .map_err(|why| format!("{request}: dial {why}"))?;
        let content_type = Some("application/json").filter(|_| !body.is_empty());
        let path = format!("/fleet/v1/{path}");
        exchange(&self.endpoint, method, &path, content_type, body)
            .map(|reply| {
                let is_chunked = reply.headers.contains("Transfer-Encoding: chunked");
                let body = if is_chunked {
                    joined(&reply.body)
                } else {
                    reply.body
                };
                (reply.status, body)
            })
            .ok_or_else(|| format!("{request}: EOF"))
    }

    /// Says in Go's words why it can't be reached.
    fn is_there(&self) -> Result<(), String> {
        let (way, result) = if let Some(path) = self.endpoint.strip_prefix("unix://") {
            (format!("unix {path}"), UnixStream::connect(path).map(drop))
        } else {
            let address = self.endpoint.trim_start_matches("http://");
            let result = TcpStream::connect(address).map(drop);
            (format!("tcp {address}"), result)
        };
        result.map_err(|error| {
            let text = error.to_string().to_lowercase();
            let reason = text.split(" (os error").next().unwrap_or_default();
            format!("{way}: connect: {reason}")
        })
    }
}

/// Puts together what a live server sends in chunks.
fn joined(body: &str) -> String {
    let mut text = String::new();
    let mut rest = body;
    while let Some((size, tail)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or(0);
        let Some(chunk) = tail.get(..size).filter(|chunk| !chunk.is_empty()) else {
            break;
        };
        text.push_str(chunk);
        rest = tail[size..].trim_start_matches("\r\n");
    }
    text
}

/// Returns what an answer says, or its error as Google's library tells it.
fn value(status: u16, text: &str) -> Result<Value, String> {
    let found: Value = serde_json::from_str(text).unwrap_or_default();
    if status < 300 {
        return Ok(found);
    }
    let error = &found["error"];
    match (error["code"].as_u64(), error["message"].as_str()) {
        (Some(code), Some(message)) => Err(format!("googleapi: Error {code}: {message}")),
        _ => Err(format!(
            "googleapi: got HTTP response code {status} with body: {text}"
        )),
    }
}
