//! How many instances run, and which versions.
//!
//! In: a number, a list or a map. Out: a count or slots; versions with counts of their own. Knows
//! nothing of units' names.

use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::name::{Slot, Version};
use crate::span::Spanned;
use crate::yaml::field::{Entries, Field, Items, LIST_OR_MAP};

/// The greatest number of instances of one process. fleet's own paging fails at 65,536 units.
pub const INSTANCES_MAXIMUM: u32 = 10_000;

/// The instances of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instances {
    /// As many, in the slots 1, 2, 3 and so on.
    Count(u32),
    /// These slots.
    Slots(Vec<Spanned<Slot>>),
}

/// The versions of an app, each with its own instances where it has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions(pub Vec<(Spanned<Version>, Option<Instances>)>);

impl<'de> Deserialize<'de> for Instances {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InstancesVisitor;

        impl<'de> Visitor<'de> for InstancesVisitor {
            type Value = Instances;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a number of instances, or a list of slots")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Instances, E> {
                if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(E::invalid_value(de::Unexpected::Str(text), &self));
                }
                match text.parse::<u32>() {
                    Ok(count) if count <= INSTANCES_MAXIMUM => Ok(Instances::Count(count)),
                    _ => Err(E::custom(format!(
                        "there can be at most {INSTANCES_MAXIMUM} instances of a process"
                    ))),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Instances, A::Error> {
                let slots = Items::deserialize(de::value::SeqAccessDeserializer::new(items))?;
                Ok(Instances::Slots(slots.0))
            }
        }

        deserializer.deserialize_any(InstancesVisitor)
    }
}

impl schemars::JsonSchema for Instances {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Instances".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let slots = generator.subschema_for::<Items<Slot>>();
        schemars::json_schema!({
            "description": "a number of instances, or their slots",
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": INSTANCES_MAXIMUM},
                slots
            ]
        })
    }
}

impl<'de> Deserialize<'de> for Versions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(LIST_OR_MAP, VersionsVisitor)
    }
}

struct VersionsVisitor;

impl<'de> Visitor<'de> for VersionsVisitor {
    type Value = Versions;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a version, a list of versions, or a map from versions to instances")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Versions, A::Error> {
        let items = Items::deserialize(de::value::SeqAccessDeserializer::new(items))?;
        Ok(Versions(
            items.0.into_iter().map(|version| (version, None)).collect(),
        ))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Versions, A::Error> {
        let map = Entries::deserialize(de::value::MapAccessDeserializer::new(map))?;
        let entries = map.0.into_iter().map(|(version, instances)| {
            let instances = match instances {
                Field::Present(instances) => Some(instances.value),
                Field::Absent | Field::Invalid(_) => None,
            };
            (version, instances)
        });
        Ok(Versions(entries.collect()))
    }
}

impl schemars::JsonSchema for Versions {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Versions".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let version = generator.subschema_for::<Version>();
        let list = generator.subschema_for::<Items<Version>>();
        let map = generator.subschema_for::<Entries<Version, Instances>>();
        schemars::json_schema!({
            "description": "a version, several, or a map that gives each version its own instances",
            "anyOf": [version, list, map]
        })
    }
}
