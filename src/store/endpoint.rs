//! Where a member of an etcd cluster listens: `host:port`, `http://…`, `https://…`, `unix:///path`.
//!
//! In: what a user wrote. Out: an `Endpoint`, or what is wrong with the text. Knows nothing of sockets.

use std::fmt;

use crate::http::address::{Address, AddressError, host_and_port};

/// The port that etcd listens on, if nobody says otherwise.
const PORT: u16 = 2379;

/// Where a member listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The address; a port's has no prefix.
    pub address: Address,
    /// Whether it speaks TLS.
    pub is_secure: bool,
}

impl Endpoint {
    /// Reads an endpoint. One without a scheme speaks TLS where TLS is `wanted`.
    ///
    /// # Errors
    /// Says what is wrong and what to write in its place.
    pub fn parse(text: &str, wanted: bool) -> Result<Self, AddressError> {
        const FORMS: &str = "write `host:port`, `https://host:port` or `unix:///path/of/the.sock`";
        let wrong = |message: String, help: &str| {
            let help = help.to_owned();
            Err(AddressError { message, help })
        };
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        let is_secure = match scheme {
            "unix" => {
                let address = Address::parse(text)?;
                let is_secure = false;
                return Ok(Self { address, is_secure });
            }
            "" => wanted,
            "http" if wanted => {
                return wrong(
                    format!("the endpoint `{text}` has no TLS, and a certificate is named"),
                    &format!("write `https://{rest}`"),
                );
            }
            "http" => false,
            "https" => true,
            _ => return wrong(format!("`{text}` is no endpoint of etcd"), FORMS),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#', '@', '%', '\\'])
            || authority.contains(char::is_whitespace)
        {
            return wrong(format!("the endpoint `{text}` is no plain address"), FORMS);
        }
        let (host, port) = host_and_port(authority, text)?;
        let address = Address::Tcp {
            host: host.to_owned(),
            port: port.unwrap_or(PORT),
            prefix: String::new(),
        };
        Ok(Self { address, is_secure })
    }
}

impl Endpoint {
    /// Tells whether it is a socket's file.
    #[must_use]
    pub fn is_socket(&self) -> bool {
        matches!(self.address, Address::Unix(_))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Tcp { .. } if self.is_secure => {
                write!(formatter, "https://{}", self.address.authority())
            }
            address => write!(formatter, "{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        #[track_caller]
        fn case(text: &str, wanted: bool, shown: &str) {
            assert_eq!(Endpoint::parse(text, wanted).unwrap().to_string(), shown);
        }
        case("127.0.0.1:2379", false, "http://127.0.0.1:2379");
        case("db1", false, "http://db1:2379");
        case("db1:4001", true, "https://db1:4001");
        case("http://db1:1/", false, "http://db1:1");
        case("https://[::1]:2379", false, "https://[::1]:2379");
        case("::1", true, "https://[::1]:2379");
        case("unix:///run/etcd.sock", false, "unix:///run/etcd.sock");
    }

    #[test]
    fn what_is_no_endpoint() {
        #[track_caller]
        fn case(text: &str, wanted: bool, message: &str) {
            let error = Endpoint::parse(text, wanted).unwrap_err();
            assert_eq!(error.message, message);
        }
        case(
            "http://a:1",
            true,
            "the endpoint `http://a:1` has no TLS, and a certificate is named",
        );
        case("ftp://a", false, "`ftp://a` is no endpoint of etcd");
        case("http://", false, "`http://` names no host");
        case("a:0", false, "`a:0` has no port that can be");
        for text in ["http://a/b", "http://u@a", "a b"] {
            let message = format!("the endpoint `{text}` is no plain address");
            case(text, false, &message);
        }
    }
}
