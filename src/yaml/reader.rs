//! From the tree to types, by serde, without stopping at the first mistake.
//!
//! In: a `Node` and a type that serde knows. Out: the type's value, with every mistake in the
//! report. The catching types of `field` ask by name for what serde has no words for: the place of a
//! value, and that its mistakes be caught. A struct's keys are known from its derived field list,
//! which is how an unknown key finds its nearest right word. Knows nothing of manifests.

use std::cell::RefCell;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use crate::diagnostic::{Diagnostic, Report};
use crate::span::Span;
use crate::suggestion::did_you_mean;
use crate::yaml::field::{FIELD, Field, LIST_OR_MAP, ONE_OR_MANY};
use crate::yaml::read_error::ReadError;
use crate::yaml::{Entry, Node, Value};

/// A key that the reader knows but will not take, and what to write instead.
pub type Refusal = (&'static str, &'static str);

/// What reading needs beside the tree.
#[derive(Default)]
pub struct Context<'a> {
    /// Keys that are read elsewhere and so are no mistake in the outermost map.
    pub also: &'a [&'a str],
    /// Keys that many will try in the outermost map, with what to do instead.
    pub refusals: &'a [Refusal],
    /// Where mistakes go.
    pub report: RefCell<Report>,
}

impl Context<'_> {
    fn push(&self, diagnostic: Diagnostic) {
        self.report.borrow_mut().push(diagnostic);
    }
}

/// Reads a value from a node; a mistake in the value itself is reported too and gives `Invalid`.
pub fn read<'de, T: Deserialize<'de>>(node: &'de Node, context: &'de Context<'de>) -> Field<T> {
    let reader = Reader {
        node,
        key: None,
        context,
        depth: 0,
    };
    // A `Field` catches its value's mistakes and so never fails itself.
    Field::deserialize(reader).unwrap_or(Field::Invalid(node.span))
}

/// The deserializer of one node.
#[derive(Clone, Copy)]
struct Reader<'de> {
    node: &'de Node,
    /// The key whose value the node is.
    key: Option<&'de Node>,
    context: &'de Context<'de>,
    depth: usize,
}

impl<'de> Reader<'de> {
    fn at(self, node: &'de Node) -> Self {
        Self {
            node,
            key: None,
            depth: self.depth + 1,
            ..self
        }
    }

    /// Warns of a key without a value, which no type takes for one.
    fn warn_of_empty(self) {
        let Some(Value::Scalar { text, .. }) = self.key.map(|key| &key.value) else {
            return;
        };
        let span = self.key.map_or(self.node.span, |key| key.span);
        self.context.push(
            Diagnostic::warning(span, format!("`{text}` is empty"))
                .label("no layer below sets it, so there is nothing to remove")
                .help(format!("leave `{text}` out")),
        );
    }

    fn report(self, span: Span, error: ReadError) {
        self.context
            .push(Diagnostic::error(span, error.message).maybe_help(error.help));
    }

    fn plain(self) -> Option<&'de str> {
        match &self.node.value {
            Value::Scalar { text, plain: true } => Some(text),
            _ => None,
        }
    }

    fn mismatch(self, expected: &str) -> ReadError {
        let found = match &self.node.value {
            Value::Scalar { text, plain } => {
                let quoted = if *plain { "" } else { ", which is quoted" };
                let shown: String = text.chars().take(40).collect();
                format!("`{}`{quoted}", shown.escape_debug())
            }
            _ => self.node.kind().to_owned(),
        };
        ReadError {
            message: format!("expected {expected}, found {found}"),
            help: None,
        }
    }

    fn unknown_key(self, entry: &Entry, fields: &'static [&'static str]) {
        let outermost = self.depth == 0;
        let key = entry.name();
        if outermost && self.context.also.contains(&key) || key.starts_with("x-") {
            return;
        }
        let refusal = self
            .context
            .refusals
            .iter()
            .find(|refusal| refusal.0 == key);
        let help = match refusal {
            Some((_, help)) if outermost => Some((*help).to_owned()),
            _ => {
                let also: &[&str] = if outermost { self.context.also } else { &[] };
                did_you_mean(key, fields.iter().chain(also).copied())
            }
        };
        self.context.push(
            Diagnostic::error(entry.key.span, format!("unknown key `{key}`")).maybe_help(help),
        );
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $number:ty, $expected:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            let number = self.plain().and_then(|text| text.parse::<$number>().ok());
            visitor.$visit(number.ok_or_else(|| self.mismatch($expected))?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Null | Value::Removed => visitor.visit_unit(),
            Value::Scalar { text, .. } => visitor.visit_borrowed_str(text),
            Value::Sequence(_) => self.deserialize_seq(visitor),
            Value::Mapping(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.plain() {
            Some("true" | "True" | "TRUE") => visitor.visit_bool(true),
            Some("false" | "False" | "FALSE") => visitor.visit_bool(false),
            Some(
                "yes" | "Yes" | "YES" | "on" | "On" | "ON" | "no" | "No" | "NO" | "off" | "Off"
                | "OFF",
            ) => {
                let mut error = self.mismatch("`true` or `false`");
                error.help = Some("YAML 1.2 has no other booleans".to_owned());
                Err(error)
            }
            _ => Err(self.mismatch("`true` or `false`")),
        }
    }

    numbers! {
        deserialize_u16 visit_u16 u16, "a whole number from 0 to 65535";
        deserialize_u32 visit_u32 u32, "a whole number, not negative";
        deserialize_u64 visit_u64 u64, "a whole number, not negative";
        deserialize_i64 visit_i64 i64, "a whole number";
        deserialize_f64 visit_f64 f64, "a number";
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Scalar { text, .. } => visitor.visit_borrowed_str(text),
            _ => Err(self.mismatch("text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Null | Value::Removed => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        if name == FIELD {
            return visitor.visit_seq(Caught {
                reader: self,
                next: 0,
                is_absent: false,
            });
        }
        if name == ONE_OR_MANY || name == LIST_OR_MAP {
            return match &self.node.value {
                Value::Mapping(_) if name == LIST_OR_MAP => self.deserialize_map(visitor),
                Value::Sequence(_) => self.deserialize_seq(visitor),
                Value::Null | Value::Removed => Err(self.mismatch("a value or a list")),
                _ => visitor.visit_seq(SequenceReader {
                    reader: self,
                    only: Some(self.node),
                    items: [].iter(),
                }),
            };
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Sequence(items) => visitor.visit_seq(SequenceReader {
                reader: self,
                only: None,
                items: items.iter(),
            }),
            _ => Err(self.mismatch("a list")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Mapping(entries) => visitor.visit_map(MappingReader {
                reader: self,
                entries: entries.iter(),
                fields: None,
                value: None,
            }),
            _ => Err(self.mismatch("a map")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Mapping(entries) => visitor.visit_map(MappingReader {
                reader: self,
                entries: entries.iter(),
                fields: Some(fields),
                value: None,
            }),
            _ => Err(self.mismatch("a map")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Scalar { text, .. } => visitor.visit_enum(text.as_str().into_deserializer()),
            _ => Err(self.mismatch("a single value")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct
        identifier
    }
}

/// Hands a node to a `Field` as a sequence of four: the place's three numbers, then the value, which
/// is left out where it is wrong.
struct Caught<'de> {
    reader: Reader<'de>,
    next: usize,
    is_absent: bool,
}

impl<'de> SeqAccess<'de> for Caught<'de> {
    type Error = ReadError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, ReadError> {
        let span = self.reader.node.span;
        let place = [span.source.0, span.start, span.end];
        let number = place.get(self.next).copied();
        self.next += 1;
        if let Some(number) = number {
            return seed.deserialize(number.into_deserializer()).map(Some);
        }
        if self.next > place.len() + 1 {
            return seed
                .deserialize(self.is_absent.into_deserializer())
                .map(Some);
        }
        match seed.deserialize(self.reader) {
            Ok(value) => Ok(Some(value)),
            Err(_) if self.reader.key.is_some() && self.reader.node.is_null() => {
                self.is_absent = true;
                if matches!(self.reader.node.value, Value::Null) {
                    self.reader.warn_of_empty();
                }
                Ok(None)
            }
            Err(error) => {
                self.reader.report(span, error);
                Ok(None)
            }
        }
    }
}

struct SequenceReader<'de> {
    reader: Reader<'de>,
    only: Option<&'de Node>,
    items: std::slice::Iter<'de, Arc<Node>>,
}

impl<'de> SeqAccess<'de> for SequenceReader<'de> {
    type Error = ReadError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, ReadError> {
        let next = self
            .only
            .take()
            .or_else(|| self.items.next().map(Arc::as_ref));
        next.map(|node| seed.deserialize(self.reader.at(node)))
            .transpose()
    }
}

struct MappingReader<'de> {
    reader: Reader<'de>,
    entries: std::slice::Iter<'de, Entry>,
    fields: Option<&'static [&'static str]>,
    value: Option<&'de Entry>,
}

impl<'de> MapAccess<'de> for MappingReader<'de> {
    type Error = ReadError;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, ReadError> {
        for entry in self.entries.by_ref() {
            if let Some(fields) = self.fields
                && !fields.contains(&entry.name())
            {
                self.reader.unknown_key(entry, fields);
                continue;
            }
            self.value = Some(entry);
            return seed.deserialize(self.reader.at(&entry.key)).map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, ReadError> {
        let entry = self.value.take().ok_or_else(|| ReadError {
            message: "a value without a key".to_owned(),
            help: None,
        })?;
        let mut reader = self.reader.at(&entry.node);
        reader.key = Some(&entry.key);
        seed.deserialize(reader)
    }
}
