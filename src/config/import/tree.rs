//! A JSON text as a tree in which every part knows where it stands.
//!
//! In: a text. Out: a tree that has all members of an object, also those of the same name, and numbers
//! as they are spelled. The parser is that of `serde_json`, which is asked for one byte at a time: how
//! many it took is the place. Knows nothing of what the JSON means.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use crate::config::import::draft::{Draft, beginning};

/// A part of a text.
pub(super) struct Node<'a> {
    /// Where it begins.
    pub(super) at: usize,
    /// What it is.
    pub(super) kind: Kind<'a>,
}

/// What a part of a text is.
pub(super) enum Kind<'a> {
    /// A string.
    Text(String),
    /// A number, `true`, `false` or `null`, as it is spelled.
    Bare(&'a [u8]),
    /// An array.
    List(Vec<Node<'a>>),
    /// An object.
    Object(Vec<Member<'a>>),
}

/// A member of an object.
pub(super) struct Member<'a> {
    /// Where its name begins.
    pub(super) at: usize,
    /// Its name.
    pub(super) name: String,
    /// Its value.
    pub(super) node: Node<'a>,
}

impl<'a> Node<'a> {
    /// Returns an object's member, the last of those of that name.
    pub(super) fn member(&self, name: &str) -> Option<&Node<'a>> {
        let Kind::Object(members) = &self.kind else {
            return None;
        };
        let found = members.iter().rev().find(|member| member.name == name);
        found.map(|member| &member.node)
    }

    /// Tells whether an object's member is `true`.
    pub(super) fn says(&self, name: &str) -> bool {
        let kind = self.member(name).map(|node| &node.kind);
        matches!(kind, Some(Kind::Bare(b"true")))
    }
}

/// Reads a text; what is wrong with it goes into the draft.
pub(super) fn read<'a>(text: &'a [u8], draft: &mut Draft) -> Option<Node<'a>> {
    if let Err(error) = str::from_utf8(text) {
        draft.error(
            error.valid_up_to(),
            "this is not UTF-8, which JSON is".to_owned(),
        );
        return None;
    }
    let taken = Cell::new(beginning(text));
    let mut deserializer = serde_json::Deserializer::from_reader(Counted {
        text,
        taken: &taken,
    });
    let seed = Part {
        text,
        taken: &taken,
        is_peeked: false,
    };
    let node = seed.deserialize(&mut deserializer);
    let result = node.and_then(|node| deserializer.end().map(|()| node));
    result
        .map_err(|error| {
            // What was taken last is what does not fit.
            let last = usize::from(!error.is_eof());
            draft.error(taken.get().saturating_sub(last), reason(&error));
        })
        .ok()
}

/// Says why a text is no JSON, without a word of the text.
fn reason(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Eof => "the JSON ends too early".to_owned(),
        Category::Syntax => {
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            format!("this is not JSON: {message}")
        }
        Category::Data | Category::Io => "this is not JSON".to_owned(),
    }
}

/// A text that is handed out byte by byte.
struct Counted<'a> {
    text: &'a [u8],
    taken: &'a Cell<usize>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let at = self.taken.get();
        let (Some(room), Some(byte)) = (buffer.first_mut(), self.text.get(at)) else {
            return Ok(0);
        };
        *room = *byte;
        self.taken.set(at + 1);
        Ok(1)
    }
}

/// The part that is read next.
struct Part<'a, 'c> {
    text: &'a [u8],
    taken: &'c Cell<usize>,
    /// Whether its first byte was looked at already.
    is_peeked: bool,
}

impl<'a> Part<'a, '_> {
    fn of(&self, is_peeked: bool) -> Self {
        Self { is_peeked, ..*self }
    }

    /// Returns where it begins.
    fn at(&self) -> usize {
        let from = self.taken.get() - usize::from(self.is_peeked);
        let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        from + self.text[from..].iter().take_while(is_space).count()
    }

    /// Returns the word at an offset.
    fn bare(&self, at: usize) -> &'a [u8] {
        let rest = &self.text[at..];
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        &rest[..rest.iter().take_while(is_part).count()]
    }
}

impl<'de, 'a> DeserializeSeed<'de> for Part<'a, '_> {
    type Value = Node<'a>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node<'a>, D::Error> {
        let at = self.at();
        let kind = if matches!(self.text.get(at), Some(b'"' | b'[' | b'{')) {
            deserializer.deserialize_any(self)?
        } else {
            // A number is not made one: it may be longer than any type is.
            IgnoredAny::deserialize(deserializer)?;
            Kind::Bare(self.bare(at))
        };
        Ok(Node { at, kind })
    }
}

impl<'de, 'a> Visitor<'de> for Part<'a, '_> {
    type Value = Kind<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Kind<'a>, E> {
        Ok(Kind::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Kind<'a>, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = list.next_element_seed(self.of(true))? {
            nodes.push(node);
        }
        Ok(Kind::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Kind<'a>, A::Error> {
        let mut members = Vec::new();
        while let Some((at, name)) = object.next_key_seed(Key(self.taken))? {
            let node = object.next_value_seed(self.of(false))?;
            members.push(Member { at, name, node });
        }
        Ok(Kind::Object(members))
    }
}

/// The name that is read next, whose quote was looked at already.
struct Key<'c>(&'c Cell<usize>);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = (usize, String);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let at = self.0.get() - 1;
        Ok((at, String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a tree with the place of each part.
    fn shown(node: &Node<'_>) -> String {
        let at = node.at;
        match &node.kind {
            Kind::Text(text) => format!("{at}'{text}'"),
            Kind::Bare(word) => format!("{at}{}", String::from_utf8_lossy(word)),
            Kind::List(nodes) => {
                let nodes: Vec<_> = nodes.iter().map(shown).collect();
                format!("{at}[{}]", nodes.join(" "))
            }
            Kind::Object(members) => {
                let member = |m: &Member<'_>| format!("{}{}:{}", m.at, m.name, shown(&m.node));
                let members: Vec<_> = members.iter().map(member).collect();
                format!("{at}{{{}}}", members.join(" "))
            }
        }
    }

    #[test]
    fn every_part_knows_its_place() {
        let case = |text: &str, expected: &str| {
            let mut draft = Draft::default();
            let node = read(text.as_bytes(), &mut draft).unwrap();
            assert_eq!(shown(&node), expected);
        };
        case("\"a\"", "0'a'");
        case("\u{feff} 1 ", "41");
        case(
            "{ \"a\" : \"b\",\n\"a\":1e999 , \"c\":[true,null, \"x\",{}] }",
            "0{2a:8'b' 13a:171e999 25c:29[30true 35null 41'x' 45{}]}",
        );
    }

    #[test]
    fn what_is_wrong_is_told_without_the_text() {
        let case = |text: &[u8], column: usize, reason: &str| {
            let mut draft = Draft::default();
            assert!(read(text, &mut draft).is_none());
            let mistakes = draft.finish(text).unwrap_err();
            assert_eq!(
                (mistakes[0].column, mistakes[0].reason.as_str()),
                (column, reason)
            );
        };
        case(b"{\"a\":\"b", 8, "the JSON ends too early");
        case(b"", 1, "the JSON ends too early");
        case(b"{\"a\" \"b\"}", 6, "this is not JSON: expected `:`");
        case(b"[1] 2", 5, "this is not JSON: trailing characters");
        case(b"[\"\xff\"]", 3, "this is not UTF-8, which JSON is");
        case(b"hunter2", 1, "this is not JSON: expected value");
        let deep = "[".repeat(100_000);
        case(
            deep.as_bytes(),
            128,
            "this is not JSON: recursion limit exceeded",
        );
    }
}
