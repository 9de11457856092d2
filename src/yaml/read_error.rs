//! Why a value can't be read, in a manifest's words rather than serde's.
//!
//! In: what serde has to say. Out: a message and what to do. Knows nothing of places: they are added
//! where an error is caught.

use std::fmt;

use serde::de;

use crate::suggestion::did_you_mean;

/// Why a value can't be read. The place is added where the error is caught.
#[derive(Debug)]
pub struct ReadError {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self {
            message: text.to_string(),
            help: None,
        }
    }

    fn invalid_type(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let found = match unexpected {
            de::Unexpected::Map => "a map".to_owned(),
            de::Unexpected::Seq => "a list".to_owned(),
            de::Unexpected::Str(text) => format!("`{}`", text.escape_debug()),
            de::Unexpected::Unit | de::Unexpected::Option => "nothing".to_owned(),
            other => other.to_string(),
        };
        Self {
            message: format!("expected {expected}, found {found}"),
            help: None,
        }
    }

    fn invalid_value(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let list: Vec<_> = expected.iter().map(|word| format!("`{word}`")).collect();
        Self {
            message: format!("expected {}, found `{variant}`", list.join(", ")),
            help: did_you_mean(variant, expected.iter().copied()),
        }
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self {
            message: format!("unknown key `{field}`"),
            help: did_you_mean(field, expected.iter().copied()),
        }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self {
            message: format!("`{field}` stands here twice"),
            help: None,
        }
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            message: format!("`{field}` is missing here"),
            help: None,
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for ReadError {}
