//! Values of `environment` and `labels`, and files of variables.
//!
//! In: text or a map. Out: a fixed value, or the key in etcd that holds it. Knows nothing of who
//! reads the variable.

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::manifest::forms::{StorePath, Text, check_text};

/// Where a variable's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VariableValue {
    /// It stands here.
    Fixed(String),
    /// It is read from this key when the unit starts.
    Store(StorePath),
}

/// The form `{etcd: KEY}`.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct FromStore {
    /// The key in etcd that holds the value.
    etcd: StorePath,
}

impl<'de> Deserialize<'de> for VariableValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;

        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = VariableValue;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("text, or `{etcd: KEY}`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<VariableValue, E> {
                check_text(text).map_err(E::custom)?;
                Ok(VariableValue::Fixed(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<VariableValue, A::Error> {
                let from = FromStore::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(VariableValue::Store(from.etcd))
            }
        }

        deserializer.deserialize_any(ValueVisitor)
    }
}

impl schemars::JsonSchema for VariableValue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "VariableValue".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let text = generator.subschema_for::<Text>();
        let store = generator.subschema_for::<FromStore>();
        schemars::json_schema!({
            "description": "a fixed value, or `{etcd: KEY}` for one that is read when the unit starts",
            "anyOf": [text, store]
        })
    }
}

/// A file of variables on the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentFile {
    /// Its absolute path on the machine.
    pub path: String,
}

/// Compose's long form.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct LongFile {
    /// The file's absolute path on the machine.
    path: String,
    /// Whether the start fails where the file is missing; true by default.
    required: Option<bool>,
}

impl EnvironmentFile {
    fn new(path: String, required: bool) -> Result<Self, String> {
        check_text(&path)?;
        if !path.starts_with('/') {
            let path = path.escape_debug();
            return Err(format!(
                "expected an absolute path on the machine, found `{path}`"
            ));
        }
        if !required {
            return Err(
                "docker has no optional file of variables: `required: false` can't be kept"
                    .to_owned(),
            );
        }
        Ok(Self { path })
    }
}

impl<'de> Deserialize<'de> for EnvironmentFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FileVisitor;

        impl<'de> Visitor<'de> for FileVisitor {
            type Value = EnvironmentFile;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a path such as `/etc/app.env`, or a map with `path`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<EnvironmentFile, E> {
                EnvironmentFile::new(text.to_owned(), true).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<EnvironmentFile, A::Error> {
                let long = LongFile::deserialize(de::value::MapAccessDeserializer::new(map))?;
                let required = long.required.unwrap_or(true);
                EnvironmentFile::new(long.path, required).map_err(de::Error::custom)
            }
        }

        deserializer.deserialize_any(FileVisitor)
    }
}

impl schemars::JsonSchema for EnvironmentFile {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EnvironmentFile".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let long = generator.subschema_for::<LongFile>();
        schemars::json_schema!({
            "description": "a file of variables on the machine",
            "anyOf": [{"type": "string", "pattern": "^/"}, long]
        })
    }
}
