//! Names as types, each with one way in.
//!
//! In: text that a user wrote. Out: a value that is known to fit where it goes (fleet, systemd,
//! docker, etcd), or a `NameError` that says what does not fit. Knows nothing of manifests.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

/// Why a text is not the name it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameError(String);

impl fmt::Display for NameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for NameError {}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $noun:literal, $pattern:literal, $length:literal, $first:expr, $rest:expr, $rule:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks a text.
            ///
            /// # Errors
            /// Says which character or length does not fit, and the rule.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                check(&text, $noun, $length, $first, $rest, $rule)?;
                Ok(Self(text))
            }

            /// Returns the text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::new(String::deserialize(deserializer)?).map_err(de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": concat!($noun, ": ", $rule),
                    "type": ["string", "number"],
                    "pattern": $pattern,
                    "maxLength": $length
                })
            }
        }
    };
}

name_type!(
    /// An app's name.
    AppName, "an app's name", "^[a-z0-9][a-z0-9-]*$", 200,
    |c| c.is_ascii_lowercase() || c.is_ascii_digit(),
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-',
    "a-z, 0-9 and `-`, not beginning with `-`"
);
name_type!(
    /// A process's name within its app.
    ProcessName, "a process's name", "^[a-z0-9][a-z0-9-]*$", 200,
    |c| c.is_ascii_lowercase() || c.is_ascii_digit(),
    |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-',
    "a-z, 0-9 and `-`, not beginning with `-`"
);
name_type!(
    /// What tells the instances of one version of a process apart. Never holds a `-`, which
    /// separates the version from the slot in an instance's name.
    Slot, "an instance's slot", "^[A-Za-z0-9_.]+$", 100,
    |c| c.is_ascii_alphanumeric() || c == '_' || c == '.',
    |c| c.is_ascii_alphanumeric() || c == '_' || c == '.',
    "A-Z, a-z, 0-9, `_` and `.`"
);
name_type!(
    /// An image tag that runs.
    Version, "a version (an image tag)", "^[A-Za-z0-9_][A-Za-z0-9_.-]*$", 128,
    |c| c.is_ascii_alphanumeric() || c == '_',
    |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'),
    "A-Z, a-z, 0-9, `_`, `.` and `-`, not beginning with `.` or `-`"
);
name_type!(
    /// An environment variable's name.
    VariableName, "a variable's name", "^[A-Za-z_][A-Za-z0-9_]*$", 255,
    |c| c.is_ascii_alphabetic() || c == '_',
    |c| c.is_ascii_alphanumeric() || c == '_',
    "A-Z, a-z, 0-9 and `_`, not beginning with a digit"
);
name_type!(
    /// A template's name, without `.service.tera`.
    TemplateName, "a template's name", "^[A-Za-z0-9_-]+$", 100,
    |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'),
    |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'),
    "A-Z, a-z, 0-9, `_` and `-`"
);

impl ProcessName {
    /// The name of an app's only process where it publishes a port.
    #[must_use]
    pub fn http() -> Self {
        Self("http".to_owned())
    }

    /// The name of an app's only process where it publishes none.
    #[must_use]
    pub fn worker() -> Self {
        Self("worker".to_owned())
    }
}

fn check(
    text: &str,
    noun: &str,
    length: usize,
    first: fn(char) -> bool,
    rest: fn(char) -> bool,
    rule: &str,
) -> Result<(), NameError> {
    let Some(initial) = text.chars().next() else {
        return Err(NameError(format!("{noun} can't be empty")));
    };
    let stray = Some(initial)
        .filter(|c| !first(*c))
        .or_else(|| text.chars().skip(1).find(|c| !rest(*c)));
    if let Some(stray) = stray {
        let stray = stray.escape_debug();
        return Err(NameError(format!(
            "{noun} can't have `{stray}` here: {rule}"
        )));
    }
    if text.len() > length {
        return Err(NameError(format!("{noun} has at most {length} bytes")));
    }
    Ok(())
}

/// The types of unit that fleet handles from beginning to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnitType {
    /// Starts when a file changes.
    Path,
    /// Runs a command.
    Service,
    /// Listens.
    Socket,
    /// Starts by the clock.
    Timer,
}

impl UnitType {
    /// All types.
    pub const ALL: [Self; 4] = [Self::Path, Self::Service, Self::Socket, Self::Timer];

    /// Returns the name's suffix, without the dot.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Service => "service",
            Self::Socket => "socket",
            Self::Timer => "timer",
        }
    }

    /// Returns the section that only units of this type have.
    #[must_use]
    pub fn section(self) -> &'static str {
        match self {
            Self::Path => "Path",
            Self::Service => "Service",
            Self::Socket => "Socket",
            Self::Timer => "Timer",
        }
    }
}

/// systemd's other types of unit. fleet's client takes such a name for a service's.
const OTHER_TYPES: [&str; 9] = [
    "automount",
    "busname",
    "device",
    "mount",
    "scope",
    "slice",
    "snapshot",
    "swap",
    "target",
];

/// The name of a template unit (`a-http@.service`), a plain unit (`a.service`) or an instance unit
/// (`a-http@1.service`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnitName {
    text: String,
    unit_type: UnitType,
}

impl UnitName {
    /// The greatest length in bytes that systemd takes. fleet would take one more.
    pub const LENGTH_MAXIMUM: usize = 255;

    /// Checks a name with its suffix; without one, `.service` is added.
    ///
    /// # Errors
    /// Says which rule of systemd or fleet the name breaks.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let error = |reason: String| Err(NameError(reason));
        let dotted = text.rsplit_once('.').and_then(|(stem, suffix)| {
            let found = UnitType::ALL.into_iter().find(|t| t.suffix() == suffix)?;
            Some((stem, found))
        });
        if let (None, Some((_, suffix))) = (dotted, text.rsplit_once('.'))
            && OTHER_TYPES.contains(&suffix)
        {
            return error(format!(
                "fleet handles no units of type `{suffix}` from beginning to end: \
                 service, socket, timer and path only"
            ));
        }
        let (stem, unit_type) = dotted.unwrap_or((text, UnitType::Service));
        if let Some(stray) = stem
            .chars()
            .find(|c| !(c.is_ascii_alphanumeric() || ":-_.\\@".contains(*c)))
        {
            let stray = stray.escape_debug();
            return error(format!(
                "a unit's name can't have `{stray}`: A-Z, a-z, 0-9 and `:-_.\\@`"
            ));
        }
        if stem.starts_with('.') {
            return error(
                "a unit's name can't begin with `.`, which would hide its file".to_owned(),
            );
        }
        if stem.is_empty() || stem.starts_with('@') {
            return error("a unit's name needs text before the `@` and the suffix".to_owned());
        }
        let text = format!("{stem}.{}", unit_type.suffix());
        if text.len() > Self::LENGTH_MAXIMUM {
            let length = text.len();
            return error(format!(
                "a unit's name has at most 255 bytes, and `{text}` has {length}"
            ));
        }
        Ok(Self { text, unit_type })
    }

    /// Returns the name with its suffix.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the unit's type.
    #[must_use]
    pub fn unit_type(&self) -> UnitType {
        self.unit_type
    }

    /// Returns the name without its suffix.
    #[must_use]
    pub fn stem(&self) -> &str {
        &self.text[..self.text.len() - self.unit_type.suffix().len() - 1]
    }

    /// Returns what stands before the first `@`, or the whole stem: systemd's and fleet's `%p`.
    #[must_use]
    pub fn prefix(&self) -> &str {
        let stem = self.stem();
        stem.split_once('@').map_or(stem, |(prefix, _)| prefix)
    }

    /// Returns what stands after the first `@`: empty for a template, `None` for a plain unit.
    #[must_use]
    pub fn instance(&self) -> Option<&str> {
        self.stem().split_once('@').map(|(_, instance)| instance)
    }

    /// Tells whether this is a template unit.
    #[must_use]
    pub fn is_template(&self) -> bool {
        self.instance() == Some("")
    }

    /// Returns the name of an instance of this template.
    ///
    /// # Errors
    /// Says so where the name comes out too long.
    pub fn instantiate(&self, instance: &str) -> Result<Self, NameError> {
        Self::new(&format!(
            "{}@{instance}.{}",
            self.prefix(),
            self.unit_type.suffix()
        ))
    }

    /// Returns the same name with another type.
    ///
    /// # Errors
    /// Says so where the name comes out too long.
    pub fn with_type(&self, unit_type: UnitType) -> Result<Self, NameError> {
        Self::new(&format!("{}.{}", self.stem(), unit_type.suffix()))
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for UnitName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl schemars::JsonSchema for UnitName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "UnitName".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "a unit's name; `.service` is added where there is no suffix",
            "type": "string",
            "pattern": r"^[A-Za-z0-9:_.\\-][A-Za-z0-9:_.\\@-]*$",
            "maxLength": 255
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused<T: fmt::Debug>(result: Result<T, NameError>, expected: &str) {
        assert_eq!(result.unwrap_err().to_string(), expected);
    }

    #[test]
    fn names_are_checked_where_they_come_in() {
        assert_eq!(
            AppName::new("watchlisthub-2").unwrap().as_str(),
            "watchlisthub-2"
        );
        refused(
            AppName::new("Hub"),
            "an app's name can't have `H` here: a-z, 0-9 and `-`, not beginning with `-`",
        );
        refused(AppName::new(""), "an app's name can't be empty");
        refused(
            ProcessName::new("-x"),
            "a process's name can't have `-` here: a-z, 0-9 and `-`, not beginning with `-`",
        );
        refused(
            Slot::new("1-2"),
            "an instance's slot can't have `-` here: A-Z, a-z, 0-9, `_` and `.`",
        );
        refused(
            Version::new(".1"),
            "a version (an image tag) can't have `.` here: \
             A-Z, a-z, 0-9, `_`, `.` and `-`, not beginning with `.` or `-`",
        );
        refused(
            Version::new("v".repeat(129)),
            "a version (an image tag) has at most 128 bytes",
        );
        refused(
            VariableName::new("A B"),
            "a variable's name can't have ` ` here: \
             A-Z, a-z, 0-9 and `_`, not beginning with a digit",
        );
    }

    #[test]
    fn unit_names_know_their_parts() {
        let name = UnitName::new("a-http@").unwrap();
        assert_eq!(name.as_str(), "a-http@.service");
        assert_eq!((name.prefix(), name.instance()), ("a-http", Some("")));
        assert!(name.is_template());
        let instance = name.instantiate("v1-2").unwrap();
        assert_eq!(instance.as_str(), "a-http@v1-2.service");
        assert_eq!(instance.instance(), Some("v1-2"));
        let timer = name.with_type(UnitType::Timer).unwrap();
        assert_eq!(timer.as_str(), "a-http@.timer");
        let plain = UnitName::new("a.b.socket").unwrap();
        assert_eq!((plain.prefix(), plain.instance()), ("a.b", None));
    }

    #[test]
    fn unit_names_that_systemd_or_fleet_refuse_are_refused() {
        refused(
            UnitName::new("@.service"),
            "a unit's name needs text before the `@` and the suffix",
        );
        refused(
            UnitName::new("a b.service"),
            "a unit's name can't have ` `: A-Z, a-z, 0-9 and `:-_.\\@`",
        );
        let long = "a".repeat(248);
        refused(
            UnitName::new(&long),
            &format!("a unit's name has at most 255 bytes, and `{long}.service` has 256"),
        );
    }
}
