//! Where an instance is asked whether it is well.
//!
//! In: an HTTP address with `{machine}` and `{port}` in it. Out: that text, checked. Knows nothing of who
//! asks.

use crate::manifest::forms::{check_text, from_text};

/// An HTTP address in which `{machine}` stands for the machine's address and `{port}` for the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health(pub String);

impl Health {
    /// Checks an address.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        check_text(text)?;
        let wrong = || {
            let text = text.escape_debug();
            format!(
                "expected an address such as `http://{{machine}}:{{port}}/health`, found `{text}`"
            )
        };
        let (server, path) = split(text);
        let place = server.strip_prefix("http://{machine}").ok_or_else(wrong)?;
        let is_port = match place.strip_prefix(':') {
            Some("{port}") => true,
            Some(port) => port.parse().is_ok_and(|port: u16| port > 0),
            None => place.is_empty(),
        };
        let rest = path.replace("{machine}", "").replace("{port}", "");
        let is_plain = rest
            .chars()
            .all(|c| c.is_ascii_graphic() && !matches!(c, '{' | '}' | '#'));
        if is_port && is_plain {
            return Ok(Self(text.to_owned()));
        }
        Err(wrong())
    }
}

/// Splits an address into the server's part and the path, which is `/` where there is none.
#[must_use]
pub fn split(address: &str) -> (&str, &str) {
    let from = address.find("://").map_or(0, |at| at + 3);
    match address[from..].find('/') {
        Some(at) => {
            let (place, path) = address.split_at(from + at);
            (place, path)
        }
        None => (address, "/"),
    }
}

from_text!(Health, "an HTTP address with `{machine}` and `{port}`", "type": "string", "pattern": "^http://");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for text in [
            "http://{machine}:{port}/health",
            "http://{machine}:8080",
            "http://{machine}/a?b={port}",
        ] {
            assert_eq!(Health::parse(text), Ok(Health(text.to_owned())));
        }
        for text in [
            "",
            "{machine}:80",
            "https://{machine}/",
            "http://host/",
            "http://{machine}:/",
            "http://{machine}:65536/",
            "http://{machine}x/",
            "http://{machine}:{slot}/",
            "http://{machine}:{port}/a b",
            "unix:///{machine}",
        ] {
            assert!(Health::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_path_is_what_stands_behind_the_server() {
        assert_eq!(split("http://a:1/b?c"), ("http://a:1", "/b?c"));
        assert_eq!(split("http://a:1"), ("http://a:1", "/"));
    }
}
