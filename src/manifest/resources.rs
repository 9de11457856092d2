//! The remaining value forms of Compose: limits, logging, hosts, pull policy.
//!
//! In: text or a map. Out: values as docker's options take them. Knows nothing of the options' names.

use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::manifest::forms::{OptionName, Text, check_text, from_text};
use crate::yaml::field::{Entries, Field, Listed};

/// A limit of resources: the same number for both, or `{soft, hard}`. -1 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The limit that a process may raise by itself.
    pub soft: i64,
    /// The limit that it can't pass.
    pub hard: i64,
}

/// Compose's long form.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct LongLimit {
    /// The limit that a process may raise by itself.
    soft: i64,
    /// The limit that it can't pass.
    hard: i64,
}

impl Limit {
    fn new(soft: i64, hard: i64) -> Result<Self, String> {
        if soft < -1 || hard < -1 {
            return Err("a limit is a whole number, and -1 is no limit".to_owned());
        }
        if hard != -1 && (soft == -1 || soft > hard) {
            return Err(format!(
                "the soft limit {soft} is above the hard limit {hard}"
            ));
        }
        Ok(Self { soft, hard })
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LimitVisitor;

        impl<'de> Visitor<'de> for LimitVisitor {
            type Value = Limit;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a whole number, or `{soft: …, hard: …}`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Limit, E> {
                let Ok(number) = text.parse() else {
                    return Err(E::invalid_value(de::Unexpected::Str(text), &self));
                };
                Limit::new(number, number).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Limit, A::Error> {
                let long = LongLimit::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Limit::new(long.soft, long.hard).map_err(de::Error::custom)
            }
        }

        deserializer.deserialize_any(LimitVisitor)
    }
}

impl schemars::JsonSchema for Limit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let long = generator.subschema_for::<LongLimit>();
        schemars::json_schema!({
            "description": "a limit of resources; -1 is no limit",
            "anyOf": [{"type": "integer", "minimum": -1}, long]
        })
    }
}

/// Where a container's output goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Logging {
    /// docker's logging driver.
    pub driver: Field<Text>,
    /// The driver's options.
    pub options: Field<Entries<OptionName, Text>>,
}

/// Lines of the container's /etc/hosts: name and address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(pub Vec<(String, String)>);

impl Listed for Hosts {
    type Item = (String, String);

    fn list(&self) -> &[(String, String)] {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Hosts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HostsVisitor;

        fn line<E: de::Error>(name: &str, address: &str) -> Result<(String, String), E> {
            check_text(name)
                .and(check_text(address))
                .map_err(E::custom)?;
            if name.is_empty() || name.contains(|c: char| ":=".contains(c) || c.is_whitespace()) {
                let name = name.escape_debug();
                return Err(E::custom(format!("expected a host's name, found `{name}`")));
            }
            let bare = address.trim_start_matches('[').trim_end_matches(']');
            if bare != "host-gateway" && bare.parse::<std::net::IpAddr>().is_err() {
                let address = address.escape_debug();
                return Err(E::custom(format!(
                    "expected an IP address, found `{address}`"
                )));
            }
            Ok((name.to_owned(), bare.to_owned()))
        }

        impl<'de> Visitor<'de> for HostsVisitor {
            type Value = Hosts;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a list of `name:address`, or a map from names to addresses")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Hosts, A::Error> {
                let mut hosts = Vec::new();
                while let Some(item) = items.next_element::<String>()? {
                    let Some((name, address)) = item.split_once(['=', ':']) else {
                        let item = item.escape_debug();
                        return Err(de::Error::custom(format!(
                            "expected `name:address`, found `{item}`"
                        )));
                    };
                    hosts.push(line(name, address)?);
                }
                Ok(Hosts(hosts))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Hosts, A::Error> {
                let mut hosts = Vec::new();
                while let Some((name, address)) = map.next_entry::<String, String>()? {
                    hosts.push(line(&name, &address)?);
                }
                Ok(Hosts(hosts))
            }
        }

        deserializer.deserialize_any(HostsVisitor)
    }
}

impl schemars::JsonSchema for Hosts {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Hosts".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "lines of the container's /etc/hosts: `name:address`",
            "anyOf": [
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": {"type": "string"}}
            ]
        })
    }
}

/// When an image is pulled before a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullPolicy {
    /// Before each start; a registry that is away stops no start.
    Always,
    /// Where the machine has no such image.
    Missing,
    /// Never by the unit.
    Never,
}

impl PullPolicy {
    /// Reads Compose's word.
    ///
    /// # Errors
    /// Says which words there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "always" => Ok(Self::Always),
            "missing" | "if_not_present" => Ok(Self::Missing),
            "never" => Ok(Self::Never),
            _ => Err(format!(
                "expected `always`, `missing` or `never`, found `{}`",
                text.escape_debug()
            )),
        }
    }
}

from_text!(PullPolicy, "when the image is pulled before a start",
    "enum": ["always", "missing", "if_not_present", "never"]);

/// A signal by its name, with or without `SIG`, or by its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// The text as docker takes it.
    pub text: String,
    /// Its number on Linux.
    pub number: u8,
}

impl Signal {
    const NAMES: [(&str, u8); 14] = [
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("ABRT", 6),
        ("KILL", 9),
        ("USR1", 10),
        ("SEGV", 11),
        ("USR2", 12),
        ("PIPE", 13),
        ("ALRM", 14),
        ("TERM", 15),
        ("CONT", 18),
        ("STOP", 19),
        ("WINCH", 28),
    ];

    /// Reads a name or a number.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bare = text.strip_prefix("SIG").unwrap_or(text);
        let named = Self::NAMES.iter().find(|(name, _)| *name == bare);
        let number = named.map(|(_, number)| *number);
        let number = number.or_else(|| text.parse().ok().filter(|n| (1..=64).contains(n)));
        match number {
            Some(number) => Ok(Self {
                text: text.to_owned(),
                number,
            }),
            None => Err(format!(
                "expected a signal such as `SIGINT`, found `{}`",
                text.escape_debug()
            )),
        }
    }
}

from_text!(Signal, "a signal such as `SIGINT`", "type": ["string", "integer"]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_checked() {
        assert_eq!(
            Limit::new(1024, -1).unwrap(),
            Limit {
                soft: 1024,
                hard: -1
            }
        );
        assert_eq!(
            Limit::new(-1, 10).unwrap_err(),
            "the soft limit -1 is above the hard limit 10"
        );
        assert_eq!(
            Limit::new(-2, 10).unwrap_err(),
            "a limit is a whole number, and -1 is no limit"
        );
    }

    #[test]
    fn signals_have_numbers() {
        assert_eq!(Signal::parse("SIGINT").unwrap().number, 2);
        assert_eq!(Signal::parse("QUIT").unwrap().number, 3);
        assert_eq!(Signal::parse("37").unwrap().number, 37);
        assert_eq!(
            Signal::parse("SIGFOO").unwrap_err(),
            "expected a signal such as `SIGINT`, found `SIGFOO`"
        );
    }
}
