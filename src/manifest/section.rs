//! Directives that a manifest gives by their own names, under their section's name.
//!
//! In: a map from directive names to text, lists or `null`. Out: what is laid over a template's
//! unit. Knows nothing of which directives systemd has.

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::manifest::forms::{Text, check_text};
use crate::unit::quote::check_value;
use crate::yaml::field::{Entries, OneOrMany};

/// The directives of one section.
pub type Section = Entries<DirectiveName, DirectiveValue>;

/// A directive's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirectiveName(pub String);

/// What a manifest says of a directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectiveValue {
    /// `null`: what the template gives is taken away.
    Remove,
    /// One value or several.
    Set(OneOrMany<DirectiveItem>),
}

/// One value of a directive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectiveItem {
    /// systemd's or fleet's own text, as it stands.
    Text(String),
    /// Arguments of an `Exec` line, which unitgen quotes.
    Arguments {
        /// The program's path and its arguments.
        argv: Vec<String>,
        /// The program may fail: the prefix `-`.
        ignore_failure: bool,
    },
}

/// The map forms of an `Exec` line.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct LongItem {
    /// The program's path and its arguments, which unitgen quotes.
    argv: Option<Vec<Text>>,
    /// A text for `/bin/sh -c`, which unitgen quotes.
    shell: Option<Text>,
    /// The program may fail.
    ignore_failure: Option<bool>,
}

impl<'de> Deserialize<'de> for DirectiveName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if text.is_empty() || !text.chars().all(letters) {
            return Err(de::Error::custom(format!(
                "`{}` is no directive's name: letters, digits and `-`",
                text.escape_debug()
            )));
        }
        Ok(Self(text))
    }
}

impl schemars::JsonSchema for DirectiveName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DirectiveName".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": "^[A-Za-z0-9_-]+$"})
    }
}

impl<'de> Deserialize<'de> for DirectiveValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Option::<OneOrMany<DirectiveItem>>::deserialize(deserializer)?;
        Ok(items.map_or(Self::Remove, Self::Set))
    }
}

impl schemars::JsonSchema for DirectiveValue {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DirectiveValue".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let items = generator.subschema_for::<OneOrMany<DirectiveItem>>();
        schemars::json_schema!({
            "description": "one value or several; a leading `\"\"` drops what the template gives, `null` removes the directive",
            "anyOf": [items, {"type": "null"}]
        })
    }
}

impl<'de> Deserialize<'de> for DirectiveItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemVisitor;

        impl<'de> Visitor<'de> for ItemVisitor {
            type Value = DirectiveItem;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("text, `{argv: [...]}` or `{shell: text}`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<DirectiveItem, E> {
                check_text(text)
                    .and_then(|()| check_value(text))
                    .map_err(E::custom)?;
                Ok(DirectiveItem::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DirectiveItem, A::Error> {
                let long = LongItem::deserialize(de::value::MapAccessDeserializer::new(map))?;
                let argv = match (long.argv, long.shell) {
                    (Some(argv), None) if !argv.is_empty() => {
                        argv.into_iter().map(|Text(word)| word).collect()
                    }
                    (None, Some(Text(shell))) => {
                        vec!["/bin/sh".to_owned(), "-c".to_owned(), shell]
                    }
                    _ => {
                        return Err(de::Error::custom(
                            "expected one of `argv: [...]`, which can't be empty, and `shell: text`",
                        ));
                    }
                };
                Ok(DirectiveItem::Arguments {
                    argv,
                    ignore_failure: long.ignore_failure.unwrap_or_default(),
                })
            }
        }

        deserializer.deserialize_any(ItemVisitor)
    }
}

impl schemars::JsonSchema for DirectiveItem {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "DirectiveItem".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let text = generator.subschema_for::<Text>();
        let long = generator.subschema_for::<LongItem>();
        schemars::json_schema!({
            "description": "systemd's own text; or, for an Exec line, `{argv: [...]}` or `{shell: text}`",
            "anyOf": [text, long]
        })
    }
}
