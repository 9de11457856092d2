//! Small value forms that many settings share: durations, sizes, paths, words.
//!
//! In: one text. Out: its value, or what was expected. Knows nothing of which setting it is for.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// Implements `Deserialize` and `JsonSchema` for a type that is read from one text by its `parse`.
macro_rules! from_text {
    ($name:ident, $description:literal, $($schema:tt)+) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let mut schema = schemars::json_schema!({$($schema)+});
                schema.insert("description".to_owned(), $description.into());
                schema
            }
        }
    };
}
pub(crate) use from_text;

/// A text, taken as it is written: `no`, `0755` and `1.10` are what they look like.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        check_text(&text).map_err(de::Error::custom)?;
        Ok(Self(text))
    }
}

impl schemars::JsonSchema for Text {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": ["string", "number", "boolean"]})
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Refuses what no unit's line can hold.
///
/// # Errors
/// Says which character, and where it stands in the text.
pub fn check_text(text: &str) -> Result<(), String> {
    let stray = text
        .char_indices()
        .find(|(_, c)| matches!(c, '\n' | '\r' | '\0'));
    match stray {
        None => Ok(()),
        Some((at, c)) => {
            let place = text[..at].chars().count() + 1;
            Err(format!(
                "a unit's value can't hold `{}`, which is character {place} here",
                c.escape_debug()
            ))
        }
    }
}

/// A span of time as Compose writes it: `1m30s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

impl Span {
    const MAXIMUM: Duration = Duration::from_secs(365 * 86_400);
    const EXPECTED: &str = "expected a duration such as `90s`, `1m30s` or `2h`";

    /// Reads numbers with their units, the largest first or not.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let error = || format!("{}, found `{}`", Self::EXPECTED, text.escape_debug());
        let mut rest = text;
        let mut total = Duration::ZERO;
        if rest.is_empty() {
            return Err(error());
        }
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number: u64 = rest[..digits].parse().map_err(|_| error())?;
            rest = &rest[digits..];
            let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
            let one = match &rest[..letters] {
                "us" => Duration::from_micros(1),
                "ms" => Duration::from_millis(1),
                "s" => Duration::from_secs(1),
                "m" => Duration::from_secs(60),
                "h" => Duration::from_secs(3_600),
                "d" => Duration::from_secs(86_400),
                _ => return Err(error()),
            };
            rest = &rest[letters..];
            let number = u32::try_from(number).map_err(|_| error())?;
            let part = one.checked_mul(number).ok_or_else(error)?;
            total = total.checked_add(part).ok_or_else(error)?;
        }
        if total > Self::MAXIMUM {
            return Err(format!("`{text}` is more than a year"));
        }
        Ok(Self(total))
    }

    /// Returns the time in whole seconds, rounded up.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.0.as_secs() + u64::from(self.0.subsec_nanos() > 0)
    }
}

from_text!(Span, "a duration such as `90s`, `1m30s` or `2h`",
    "type": "string", "pattern": "^([0-9]+(us|ms|s|m|h|d))+$");

/// A number of bytes as Compose writes it: `512m`, `2gb`, `1073741824`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes(pub String);

impl Bytes {
    /// Reads a number with its unit and keeps it in the form that docker takes.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let unit = match text[digits..].to_ascii_lowercase().as_str() {
            "" => "",
            "b" => "b",
            "k" | "kb" => "k",
            "m" | "mb" => "m",
            "g" | "gb" => "g",
            _ => "?",
        };
        if digits == 0 || unit == "?" || text[..digits].parse::<u64>().is_err() {
            let text = text.escape_debug();
            return Err(format!(
                "expected a size such as `512m` or `2gb`, found `{text}`"
            ));
        }
        Ok(Self(format!("{}{unit}", &text[..digits])))
    }
}

from_text!(Bytes, "a size in bytes, or with `k`, `m` or `g`",
    "type": ["string", "integer"], "pattern": "^[0-9]+([bB]|[kKmMgG][bB]?)?$", "minimum": 0);

/// A number of processors: `0.5`, `2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Processors(pub String);

impl Processors {
    /// Checks a positive decimal number and keeps its text.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        let form = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        match text.parse::<f64>() {
            Ok(number) if form && number > 0.0 => Ok(Self(text.to_owned())),
            _ => Err(format!(
                "expected a number such as `0.5`, found `{}`",
                text.escape_debug()
            )),
        }
    }
}

from_text!(Processors, "a number of processors such as `0.5`",
    "type": ["string", "number"], "pattern": "^[0-9]*\\.?[0-9]*$", "exclusiveMinimum": 0);

/// An absolute path of a key or folder in etcd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorePath(pub String);

impl StorePath {
    /// Checks an absolute path without empty, `.` or `..` parts.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        check_text(text)?;
        let parts = text.strip_prefix('/').map(|rest| rest.split('/'));
        let good =
            parts.is_some_and(|mut parts| parts.all(|part| !matches!(part, "" | "." | "..")));
        if good {
            return Ok(Self(text.to_owned()));
        }
        Err(format!(
            "expected a path in etcd such as `/shared/database/url`, found `{}`",
            text.escape_debug()
        ))
    }
}

from_text!(StorePath, "an absolute path in etcd", "type": "string", "pattern": "^(/[^/]+)+$");

/// An absolute path in the container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerPath(pub String);

impl ContainerPath {
    /// Checks that the path is absolute.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        check_text(text)?;
        if text.starts_with('/') {
            return Ok(Self(text.to_owned()));
        }
        let text = text.escape_debug();
        Err(format!(
            "expected an absolute path in the container, found `{text}`"
        ))
    }
}

from_text!(ContainerPath, "an absolute path in the container", "type": "string", "pattern": "^/");

/// A name that stands before a `=` on docker's command line: of a label, an option, a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionName(pub String);

impl OptionName {
    /// Checks that the name is one word without `=`.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        check_text(text)?;
        if text.is_empty() || text.contains(|c: char| c == '=' || c.is_whitespace()) {
            let text = text.escape_debug();
            return Err(format!(
                "expected a name without `=` and blanks, found `{text}`"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for OptionName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

from_text!(OptionName, "a name without `=` and blanks", "type": "string", "pattern": "^[^= ]+$");

/// An IP address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(pub String);

impl Address {
    /// Checks an address of either version.
    ///
    /// # Errors
    /// Says what was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.parse::<std::net::IpAddr>() {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(_) => Err(format!(
                "expected an IP address, found `{}`",
                text.escape_debug()
            )),
        }
    }
}

from_text!(Address, "an IP address", "type": "string", "pattern": "^[0-9a-fA-F:.]+$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(Span::parse("1m30s").unwrap().seconds(), 90);
        assert_eq!(Span::parse("1500ms").unwrap().seconds(), 2);
        assert_eq!(Span::parse("2h").unwrap().seconds(), 7_200);
        for text in ["", "10", "s", "1 s", "-1s", "1w", "99999999999999999999s"] {
            assert_eq!(
                Span::parse(text).unwrap_err(),
                format!("expected a duration such as `90s`, `1m30s` or `2h`, found `{text}`")
            );
        }
    }

    #[test]
    fn sizes_come_out_as_docker_takes_them() {
        assert_eq!(Bytes::parse("2GB").unwrap().0, "2g");
        assert_eq!(Bytes::parse("512m").unwrap().0, "512m");
        assert_eq!(Bytes::parse("1073741824").unwrap().0, "1073741824");
        for text in ["", "m", "1.5g", "1t", "-1"] {
            assert_eq!(
                Bytes::parse(text).unwrap_err(),
                format!("expected a size such as `512m` or `2gb`, found `{text}`")
            );
        }
    }

    #[test]
    fn processors_and_paths() {
        assert_eq!(Processors::parse("0.5").unwrap().0, "0.5");
        assert!(Processors::parse("0").is_err());
        assert!(Processors::parse("1e3").is_err());
        assert_eq!(StorePath::parse("/a/b").unwrap().0, "/a/b");
        for text in ["a/b", "/a//b", "/a/", "/", "/a/../b", ""] {
            assert!(StorePath::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn text_of_a_unit_is_one_line() {
        assert_eq!(check_text("a\tb\\"), Ok(()));
        assert_eq!(
            check_text("ab\nc").unwrap_err(),
            "a unit's value can't hold `\\n`, which is character 3 here"
        );
    }
}
