//! Published ports, in Compose's forms and with `slot` for a port of each instance's own.
//!
//! In: text or a map. Out: which port of the machine leads to which port of the container. Knows
//! nothing of who else publishes a port.

use std::net::IpAddr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use crate::manifest::forms::from_text;

/// A port, or the number that is the instance's slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Port {
    /// This number.
    Number(u16),
    /// The slot of the instance.
    Slot,
}

impl Port {
    /// Reads a number from 1 to 65535, or `slot`.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "slot" {
            return Ok(Self::Slot);
        }
        number(text).map(Self::Number)
    }
}

from_text!(Port, "a port, published under its own number; or `slot`: the number that is the instance's slot",
    "oneOf": [{"type": "integer", "minimum": 1, "maximum": 65535}, {"type": "string", "pattern": "^([0-9]+|slot)$"}]);

fn number(text: &str) -> Result<u16, String> {
    match text.parse::<u16>() {
        Ok(port) if port > 0 && text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(port),
        _ => Err(format!(
            "expected a port from 1 to 65535, found `{}`",
            text.escape_debug()
        )),
    }
}

/// One port, or several in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortRange {
    /// The first one.
    pub first: Port,
    /// The last one; the same as the first where there is one only.
    pub last: Port,
}

impl PortRange {
    /// Reads `8000`, `8000-8010` or `slot`.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((first, last)) = text.split_once('-') else {
            let first = Port::parse(text)?;
            return Ok(Self { first, last: first });
        };
        let (first, last) = (number(first)?, number(last)?);
        if last < first {
            return Err(format!("the range `{text}` ends before it begins"));
        }
        Ok(Self {
            first: Port::Number(first),
            last: Port::Number(last),
        })
    }

    /// Returns how many ports there are.
    #[must_use]
    pub fn count(self) -> u16 {
        match (self.first, self.last) {
            (Port::Number(first), Port::Number(last)) => last - first + 1,
            _ => 1,
        }
    }
}

/// A transport protocol that docker publishes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
    /// SCTP.
    Sctp,
}

impl Protocol {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            "sctp" => Ok(Self::Sctp),
            _ => Err(format!(
                "expected `tcp`, `udp` or `sctp`, found `{}`",
                text.escape_debug()
            )),
        }
    }

    /// Returns the protocol's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Sctp => "sctp",
        }
    }
}

/// A port of the machine that leads to one of the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The machine's address to listen on; all of them where there is none.
    pub address: Option<IpAddr>,
    /// The machine's ports; docker takes free ones where there are none.
    pub machine: Option<PortRange>,
    /// The container's ports.
    pub container: PortRange,
    /// The protocol.
    pub protocol: Protocol,
}

impl Published {
    /// Reads Compose's short form `[[address:]machine:]container[/protocol]`.
    ///
    /// # Errors
    /// Says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (ports, protocol) = match text.split_once('/') {
            Some((ports, protocol)) => (ports, Protocol::parse(protocol)?),
            None => (text, Protocol::Tcp),
        };
        let (rest, container) = match ports.rsplit_once(':') {
            Some((rest, container)) => (Some(rest), container),
            None => (None, ports),
        };
        let (address, machine) = match rest {
            None => (None, None),
            Some(rest) => match rest.rsplit_once(':') {
                Some((address, machine)) => (Some(parse_address(address)?), Some(machine)),
                None => (None, Some(rest)),
            },
        };
        let machine = machine.filter(|text| !text.is_empty());
        let published = Self {
            address,
            machine: machine.map(PortRange::parse).transpose()?,
            container: PortRange::parse(container)?,
            protocol,
        };
        published.check()
    }

    /// Returns the port that is published under its own number.
    #[must_use]
    pub fn same(port: Port) -> Self {
        let range = PortRange {
            first: port,
            last: port,
        };
        Self {
            address: None,
            machine: Some(range),
            container: range,
            protocol: Protocol::Tcp,
        }
    }

    fn check(self) -> Result<Self, String> {
        if let Some(machine) = self.machine
            && machine.count() != self.container.count()
            && self.container.count() != 1
        {
            return Err(format!(
                "the machine's range has {} ports and the container's {}",
                machine.count(),
                self.container.count()
            ));
        }
        Ok(self)
    }
}

fn parse_address(text: &str) -> Result<IpAddr, String> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse()
        .map_err(|_| format!("expected an IP address, found `{}`", text.escape_debug()))
}

/// Compose's long form.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Long {
    /// The container's port.
    target: Port,
    /// The machine's port or range.
    published: Option<PortRange>,
    /// The machine's address.
    host_ip: Option<String>,
    /// `tcp`, `udp` or `sctp`.
    protocol: Option<String>,
    /// A name for readers.
    #[serde(rename = "name")]
    _name: Option<String>,
    /// Only `host` and `ingress` are known, and there is no difference on one machine.
    #[serde(rename = "mode")]
    _mode: Option<String>,
    /// The application's protocol, for readers.
    #[serde(rename = "app_protocol")]
    _app_protocol: Option<String>,
}

from_text!(PortRange, "a port, a range `8000-8010`, or `slot`",
    "type": ["integer", "string"], "pattern": "^([0-9]+(-[0-9]+)?|slot)$", "minimum": 1, "maximum": 65535);

impl<'de> Deserialize<'de> for Published {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PublishedVisitor;

        impl<'de> Visitor<'de> for PublishedVisitor {
            type Value = Published;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a port such as `8000:5000`, or a map with `target`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Published, E> {
                Published::parse(text).map_err(E::custom)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Published, A::Error> {
                let long = Long::deserialize(de::value::MapAccessDeserializer::new(map))?;
                let target = long.target;
                let host_ip = long.host_ip.as_deref().map(parse_address).transpose();
                let protocol = long.protocol.as_deref().map(Protocol::parse).transpose();
                Published {
                    address: host_ip.map_err(de::Error::custom)?,
                    machine: long.published,
                    container: PortRange {
                        first: target,
                        last: target,
                    },
                    protocol: protocol.map_err(de::Error::custom)?.unwrap_or_default(),
                }
                .check()
                .map_err(de::Error::custom)
            }
        }

        deserializer.deserialize_any(PublishedVisitor)
    }
}

impl schemars::JsonSchema for Published {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Published".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let long = generator.subschema_for::<Long>();
        schemars::json_schema!({
            "description": "a published port: `5000`, `8000:5000`, `127.0.0.1:8000:5000/udp`, `slot:5000`, or Compose's long form",
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": 65535},
                {"type": "string"},
                long
            ]
        })
    }
}

/// A port that containers reach each other on: `3000`, `3000-3010`, `53/udp`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed(pub String);

impl Exposed {
    /// Checks the text and keeps it.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
        Protocol::parse(protocol)?;
        for port in ports.splitn(2, '-') {
            number(port)?;
        }
        PortRange::parse(ports)?;
        Ok(Self(text.to_owned()))
    }
}

from_text!(Exposed, "a port that containers reach each other on",
    "type": ["integer", "string"], "pattern": "^[0-9]+(-[0-9]+)?(/(tcp|udp|sctp))?$", "minimum": 1, "maximum": 65535);

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u16, last: u16) -> PortRange {
        PortRange {
            first: Port::Number(first),
            last: Port::Number(last),
        }
    }

    #[test]
    fn short_forms() {
        let full = Published::parse("127.0.0.1:8000-8001:9000-9001/udp").unwrap();
        let expected = Published {
            address: Some("127.0.0.1".parse().unwrap()),
            machine: Some(range(8000, 8001)),
            container: range(9000, 9001),
            protocol: Protocol::Udp,
        };
        assert_eq!(full, expected);
        let container_only = Published::parse("3000").unwrap();
        assert_eq!(
            (container_only.machine, container_only.container),
            (None, range(3000, 3000))
        );
        let slot = Published::parse("slot:5000").unwrap();
        assert_eq!(
            slot.machine,
            Some(PortRange {
                first: Port::Slot,
                last: Port::Slot
            })
        );
        let six = Published::parse("[::1]:80:80").unwrap();
        assert_eq!(six.address, Some("::1".parse().unwrap()));
    }

    #[test]
    fn what_is_no_port_says_what_is() {
        #[track_caller]
        fn case(text: &str, expected: &str) {
            assert_eq!(Published::parse(text).unwrap_err(), expected);
        }
        case("0", "expected a port from 1 to 65535, found `0`");
        case("65536:80", "expected a port from 1 to 65535, found `65536`");
        case("+80", "expected a port from 1 to 65535, found `+80`");
        case("80/http", "expected `tcp`, `udp` or `sctp`, found `http`");
        case("80-70:80", "the range `80-70` ends before it begins");
        case(
            "80-81:1-3",
            "the machine's range has 2 ports and the container's 3",
        );
        case(
            "localhost:80:80",
            "expected an IP address, found `localhost`",
        );
        assert_eq!(
            Exposed::parse("slot").unwrap_err(),
            "expected a port from 1 to 65535, found `slot`"
        );
    }
}
