//! Values of a manifest that catch their own mistakes.
//!
//! In: any deserializer of a tree's node. Out: what could be read; what could not is in the report
//! already. serde gives up a value at its first error; a `Field`, an `Items` and an `Entries` each
//! stop an error from spreading, so that everything beside it is still read. Knows nothing of what
//! the values are.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use crate::span::{SourceId, Span, Spanned};

/// Asks the reader for a value with its place, whose mistakes it is to catch.
pub const FIELD: &str = "$unitgen::Field";

/// Asks the reader for a list, whose only item may stand alone.
pub const ONE_OR_MANY: &str = "$unitgen::OneOrMany";

/// Asks the reader for a list, whose only item may stand alone; a map is handed on as a map.
pub const LIST_OR_MAP: &str = "$unitgen::ListOrMap";

/// A value that may be absent, or present and wrong: the latter is in the report already, and
/// whoever reads the field says nothing more of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Field<T> {
    /// Not written.
    #[default]
    Absent,
    /// Written and wrong.
    Invalid(Span),
    /// Written and right.
    Present(Spanned<T>),
}

/// A list whose wrong items are left out and reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items<T>(pub Vec<Spanned<T>>);

/// A list that may be written as its only item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOrMany<T>(pub Vec<Spanned<T>>);

/// A map whose wrong entries are left out and reported, in its written order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entries<K, V>(pub Vec<(Spanned<K>, Field<V>)>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K, V> Default for Entries<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// A value that is a list of something.
pub trait Listed {
    /// What the list holds.
    type Item;

    /// Returns the list.
    fn list(&self) -> &[Self::Item];
}

impl<T> Listed for Items<T> {
    type Item = Spanned<T>;

    fn list(&self) -> &[Spanned<T>] {
        &self.0
    }
}

impl<T> Listed for OneOrMany<T> {
    type Item = Spanned<T>;

    fn list(&self) -> &[Spanned<T>] {
        &self.0
    }
}

impl<K, V> Listed for Entries<K, V> {
    type Item = (Spanned<K>, Field<V>);

    fn list(&self) -> &[Self::Item] {
        &self.0
    }
}

impl<T: Listed> Field<T> {
    /// Goes through the list; an absent one is empty.
    pub fn each(&self) -> std::slice::Iter<'_, T::Item> {
        self.get().map_or(&[][..], T::list).iter()
    }
}

impl<T> Field<T> {
    /// Returns the value where there is a right one.
    pub fn get(&self) -> Option<&T> {
        self.spanned().map(|spanned| &spanned.value)
    }

    /// Returns the value and its place where there is a right one.
    pub fn spanned(&self) -> Option<&Spanned<T>> {
        match self {
            Self::Present(spanned) => Some(spanned),
            Self::Absent | Self::Invalid(_) => None,
        }
    }

    /// Returns where the field is written, right or wrong.
    pub fn span(&self) -> Option<Span> {
        match self {
            Self::Absent => None,
            Self::Invalid(span) | Self::Present(Spanned { span, .. }) => Some(*span),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for FieldVisitor<T> {
            type Value = Field<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value of a manifest")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Field<T>, A::Error> {
                let mut place = [0; 3];
                for number in &mut place {
                    *number = parts.next_element()?.unwrap_or_default();
                }
                let [source, start, end] = place;
                let source = SourceId(source);
                let span = Span { source, start, end };
                Ok(match parts.next_element()? {
                    Some(value) => Field::Present(Spanned { span, value }),
                    // The reader says whether the value is wrong or a `null`, which is none.
                    None if parts.next_element()? == Some(true) => Field::Absent,
                    None => Field::Invalid(span),
                })
            }
        }

        deserializer.deserialize_newtype_struct(FIELD, FieldVisitor(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_seq(ListVisitor(PhantomData))
            .map(Self)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = ListVisitor(PhantomData);
        deserializer
            .deserialize_newtype_struct(ONE_OR_MANY, visitor)
            .map(Self)
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<Spanned<T>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Field<T>>()? {
            if let Field::Present(item) = item {
                list.push(item);
            }
        }
        Ok(list)
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Entries<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor<K, V>(PhantomData<(K, V)>);

        impl<'de, K, V> Visitor<'de> for EntriesVisitor<K, V>
        where
            K: Deserialize<'de>,
            V: Deserialize<'de>,
        {
            type Value = Entries<K, V>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(key) = map.next_key::<Field<K>>()? {
                    let value = map.next_value::<Field<V>>()?;
                    if let Field::Present(key) = key {
                        list.push((key, value));
                    }
                }
                Ok(Entries(list))
            }
        }

        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Field<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let schema = generator.subschema_for::<T>();
        schemars::json_schema!({"anyOf": [schema, {"type": "null"}]})
    }
}

impl<T: JsonSchema> JsonSchema for Items<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Items_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let items = generator.subschema_for::<T>();
        schemars::json_schema!({"type": "array", "items": items})
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        let items = generator.subschema_for::<Items<T>>();
        schemars::json_schema!({"anyOf": [item, items]})
    }
}

impl<K: JsonSchema, V: JsonSchema> JsonSchema for Entries<K, V> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Entries_{}_{}", K::schema_name(), V::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let names = generator.subschema_for::<K>();
        let values = generator.subschema_for::<Field<V>>();
        schemars::json_schema!({
            "type": "object",
            "propertyNames": names,
            "additionalProperties": values
        })
    }
}

/// The schema of a map that may also be written as a list of `NAME=value`.
#[derive(Debug)]
pub struct EntriesOrList<K, V>(PhantomData<(K, V)>);

impl<K: JsonSchema, V: JsonSchema> JsonSchema for EntriesOrList<K, V> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("EntriesOrList_{}_{}", K::schema_name(), V::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let map = generator.subschema_for::<Field<Entries<K, V>>>();
        let item = schemars::json_schema!({"type": "string", "pattern": "="});
        schemars::json_schema!({"anyOf": [map, {"type": "array", "items": item}]})
    }
}
