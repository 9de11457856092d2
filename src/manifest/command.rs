//! Commands: a list of arguments, or one text that is split as Compose splits it.
//!
//! In: text or a list. Out: arguments, or systemd's own text where that is meant. Knows nothing of
//! how systemd quotes.

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::manifest::forms::check_text;

/// `command` and `entrypoint`: the arguments, with a text split at blanks outside of quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments(pub Vec<String>);

/// `exec`: what a unit without a container runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// Arguments, which unitgen quotes.
    Arguments(Vec<String>),
    /// systemd's own text, which stands as it is.
    Text(String),
}

/// Splits a text as a POSIX shell splits words, without expanding anything: blanks and line ends
/// separate, single
/// quotes keep all, double quotes keep all but `\"`, `\\`, `\$` and `` \` ``, a backslash keeps the
/// next character.
///
/// # Errors
/// Says which quote is never closed.
pub fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => return Err("a `'` is never closed".to_owned()),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next() {
                        Some('"') => break,
                        Some('\\') => match characters.next() {
                            Some(c @ ('"' | '\\' | '$' | '`')) => word.push(c),
                            Some(c) => word.extend(['\\', c]),
                            None => return Err("a `\"` is never closed".to_owned()),
                        },
                        Some(c) => word.push(c),
                        None => return Err("a `\"` is never closed".to_owned()),
                    }
                }
            }
            '\\' => match characters.next() {
                Some(c) => word.get_or_insert_default().push(c),
                None => return Err("the last `\\` has nothing behind it".to_owned()),
            },
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn list<'de, A: SeqAccess<'de>>(mut items: A) -> Result<Vec<String>, A::Error> {
    let mut list = Vec::new();
    while let Some(item) = items.next_element::<String>()? {
        check_text(&item).map_err(de::Error::custom)?;
        list.push(item);
    }
    Ok(list)
}

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ArgumentsVisitor;

        impl<'de> Visitor<'de> for ArgumentsVisitor {
            type Value = Arguments;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a command: text, or a list of arguments")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Arguments, E> {
                let words = split(text).map_err(E::custom)?;
                for word in &words {
                    check_text(word).map_err(E::custom)?;
                }
                Ok(Arguments(words))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Arguments, A::Error> {
                list(items).map(Arguments)
            }
        }

        deserializer.deserialize_any(ArgumentsVisitor)
    }
}

impl<'de> Deserialize<'de> for Program {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ProgramVisitor;

        impl<'de> Visitor<'de> for ProgramVisitor {
            type Value = Program;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a command: systemd's text, or a list of arguments")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Program, E> {
                check_text(text).map_err(E::custom)?;
                Ok(Program::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Program, A::Error> {
                list(items).map(Program::Arguments)
            }
        }

        deserializer.deserialize_any(ProgramVisitor)
    }
}

/// Both have the same schema: text or a list of texts.
macro_rules! schema {
    ($name:ident, $description:literal) => {
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": $description,
                    "anyOf": [
                        {"type": "string"},
                        {"type": "array", "items": {"type": ["string", "number", "boolean"]}}
                    ]
                })
            }
        }
    };
}

schema!(Arguments, "a command: text, or a list of arguments");
schema!(
    Program,
    "a command: systemd's text, or a list of arguments that unitgen quotes"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_split_as_a_shell_splits_it() {
        #[track_caller]
        fn case(text: &str, expected: &[&str]) {
            assert_eq!(split(text).unwrap(), expected);
        }
        case("bundle exec sidekiq", &["bundle", "exec", "sidekiq"]);
        case(
            "  a  'b c' \"d e\" f\\ g ''",
            &["a", "b c", "d e", "f g", ""],
        );
        case(r#"a"b"'c'd"#, &["abcd"]);
        case(r#""\$x \n \" \\""#, &[r#"$x \n " \"#]);
        case("a\nb\n", &["a", "b"]);
        case("", &[]);
        assert_eq!(split("a 'b").unwrap_err(), "a `'` is never closed");
        assert_eq!(split("a \"b").unwrap_err(), "a `\"` is never closed");
        assert_eq!(
            split("a\\").unwrap_err(),
            "the last `\\` has nothing behind it"
        );
    }
}
