//! Words of `Exec` and `Environment` lines that are made of a template's text and of values.
//!
//! In: a line in pieces. Out: its words in systemd's text, each value quoted so that it stays one
//! part of one word. Knows nothing of directives but these two grammars.

use crate::line::{Meaning, TOKEN};
use crate::unit::quote::{quote_argument, quote_assignment, quote_command};

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece<'a> {
    /// The template's own text: systemd's.
    Text(&'a str),
    /// A value.
    Value(String),
}

/// What the line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// Commands with their arguments.
    Exec,
    /// Assignments of variables.
    Environment,
}

/// A line's words.
#[derive(Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The words in systemd's text.
    pub words: Vec<String>,
    /// What they mean, where there are values that needed care.
    pub meaning: Option<Meaning>,
}

/// Returns the line with a token for each value, and the values.
fn meaning(pieces: &[Piece<'_>]) -> Meaning {
    let mut pattern = String::new();
    let mut values = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => pattern.push_str(text),
            Piece::Value(value) => {
                pattern.push_str(&format!("{TOKEN}{}{TOKEN}", values.len()));
                values.push(value.clone());
            }
        }
    }
    Meaning { pattern, values }
}

/// A part of one word.
enum Part {
    /// systemd's text.
    Text(String),
    /// A value outside of quotes.
    Value(String),
}

/// Reads the pieces of a line.
///
/// # Errors
/// Says which value can't stand where it is.
pub fn compile(pieces: &[Piece<'_>], grammar: Grammar) -> Result<Compiled, String> {
    let mut reader = Reader {
        grammar,
        words: Vec::new(),
        parts: Vec::new(),
        quote: None,
        care: false,
    };
    for piece in pieces {
        match piece {
            Piece::Text(text) => reader.text(text)?,
            Piece::Value(value) => reader.value(value)?,
        }
    }
    reader.end_word()?;
    let meaning = reader.care.then(|| meaning(pieces));
    Ok(Compiled {
        words: reader.words,
        meaning,
    })
}

struct Reader {
    grammar: Grammar,
    words: Vec<String>,
    parts: Vec<Part>,
    quote: Option<char>,
    care: bool,
}

impl Reader {
    fn text(&mut self, text: &str) -> Result<(), String> {
        let mut rest = text;
        while !rest.is_empty() {
            let plain = rest
                .bytes()
                .position(|byte| matches!(byte, b'\\' | b'"' | b'\'' | b' ' | b'\t'));
            let (before, special) = rest.split_at(plain.unwrap_or(rest.len()));
            self.push(before);
            let Some(c) = special.chars().next() else {
                break;
            };
            let mut taken = 1;
            match (c, self.quote) {
                ('\\', _) => {
                    // What a backslash stands before is never a quote's end or a blank.
                    taken += special[1..].chars().next().map_or(0, char::len_utf8);
                    self.push(&special[..taken]);
                }
                (' ' | '\t', None) => self.end_word()?,
                (_, quote) => {
                    self.push(&special[..1]);
                    self.quote = match quote {
                        None => Some(c),
                        Some(open) if open == c => None,
                        open => open,
                    };
                }
            }
            rest = &special[taken..];
        }
        Ok(())
    }

    fn value(&mut self, value: &str) -> Result<(), String> {
        if let Some(stray) = value.chars().find(|c| matches!(c, '\n' | '\r' | '\0')) {
            return Err(format!(
                "a unit's value can't hold `{}`",
                stray.escape_debug()
            ));
        }
        match self.quote {
            None => self.parts.push(Part::Value(value.to_owned())),
            Some(quote) => {
                let mut escaped = self.escape(value)?;
                self.care |= escaped != value;
                if quote == '\'' {
                    escaped = escaped.replace('\'', "\\'");
                }
                self.parts.push(Part::Text(escaped));
            }
        }
        Ok(())
    }

    fn push(&mut self, text: &str) {
        match self.parts.last_mut() {
            _ if text.is_empty() => {}
            Some(Part::Text(part)) => part.push_str(text),
            _ => self.parts.push(Part::Text(text.to_owned())),
        }
    }

    /// Escapes a value for the inside of double quotes.
    fn escape(&self, value: &str) -> Result<String, String> {
        let quoted = match self.grammar {
            Grammar::Exec => quote_argument(value),
            Grammar::Environment => quote_assignment("_", value),
        };
        let quoted = quoted.map_err(|error| error.to_string())?;
        let inner = quoted
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        let inner = inner.unwrap_or(&quoted);
        Ok(match self.grammar {
            Grammar::Exec => inner.to_owned(),
            Grammar::Environment => inner.strip_prefix("_=").unwrap_or(inner).to_owned(),
        })
    }

    fn end_word(&mut self) -> Result<(), String> {
        let mut parts = std::mem::take(&mut self.parts);
        let word = match parts.as_mut_slice() {
            [] => return Ok(()),
            [Part::Text(text)] => std::mem::take(text),
            parts => self.word(parts)?,
        };
        self.words.push(word);
        Ok(())
    }

    fn word(&mut self, parts: &[Part]) -> Result<String, String> {
        if let ([Part::Value(value)], Grammar::Exec) = (parts, self.grammar) {
            if is_plain(value) && !value.is_empty() && !self.words.is_empty() {
                return Ok(value.clone());
            }
            let word = if self.words.is_empty() {
                quote_command(value)
            } else {
                quote_argument(value)
            };
            let word = word.map_err(|error| error.to_string())?;
            self.care |= word != *value;
            return Ok(word);
        }
        let mut plain = String::new();
        let mut inner = String::new();
        let mut needs_quotes = false;
        let mut has_quotes = false;
        for part in parts {
            match part {
                Part::Text(text) => {
                    has_quotes |= text.contains(['"', '\'']);
                    plain.push_str(text);
                    inner.push_str(text);
                }
                Part::Value(value) => {
                    if is_plain(value) {
                        plain.push_str(value);
                        inner.push_str(value);
                        continue;
                    }
                    let escaped = self.escape(value)?;
                    needs_quotes = true;
                    plain.push_str(value);
                    inner.push_str(&escaped);
                }
            }
        }
        if !needs_quotes {
            return Ok(plain);
        }
        self.care = true;
        if has_quotes {
            return Err(
                "a value beside quotes in one word would be read in two ways: quote the whole word"
                    .to_owned(),
            );
        }
        Ok(format!("\"{inner}\""))
    }
}

fn is_plain(value: &str) -> bool {
    value
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_@+=:,./{}^~!?*&|<>()[]-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str, grammar: Grammar) -> Result<Vec<String>, String> {
        let mut pieces = Vec::new();
        for (at, part) in line.split(['«', '»']).enumerate() {
            if at % 2 == 1 {
                pieces.push(Piece::Value(part.to_owned()));
            } else if !part.is_empty() {
                pieces.push(Piece::Text(part));
            }
        }
        compile(&pieces, grammar).map(|compiled| compiled.words)
    }

    #[track_caller]
    fn exec(line: &str, expected: &[&str]) {
        assert_eq!(run(line, Grammar::Exec).unwrap(), expected);
    }

    #[track_caller]
    fn environment(line: &str, expected: &[&str]) {
        assert_eq!(run(line, Grammar::Environment).unwrap(), expected);
    }

    #[test]
    fn arguments() {
        exec("/a  «b»   c", &["/a", "b", "c"]);
        exec("/a «two words» «»", &["/a", "\"two words\"", "\"\""]);
        exec(
            "/a «$HOME» «100%» «;» «a\"b» «\\»",
            &[
                "/a",
                "\"$$HOME\"",
                "\"100%%\"",
                "\";\"",
                "\"a\\\"b\"",
                "\"\\\\\"",
            ],
        );
        exec("/a --x=«b c» ${Y}:«1»", &["/a", "\"--x=b c\"", "${Y}:1"]);
        exec(
            "/bin/sh -c \"echo «a\"b» '«it's»'\"",
            &["/bin/sh", "-c", "\"echo a\\\"b 'it's'\""],
        );
        exec("-«/a»", &["-/a"]);
        exec("«/a b»", &["\"/a b\""]);
    }

    #[test]
    fn assignments() {
        environment("A=«b» B=«c d»", &["A=b", "\"B=c d\""]);
        environment("A=«100% $x;»", &["\"A=100%% $x;\""]);
        environment("«A»=«»", &["A="]);
    }

    #[test]
    fn refusals() {
        assert_eq!(
            run("/a 'x'«b c»", Grammar::Exec).unwrap_err(),
            "a value beside quotes in one word would be read in two ways: quote the whole word"
        );
        assert_eq!(
            run("«a»", Grammar::Exec).unwrap_err(),
            "a command must be an absolute path"
        );
    }
}
