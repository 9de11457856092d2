//! Escapes each value for the place where it stands.
//!
//! In: a rendered text in which values are marked. Out: directives whose text systemd and fleet read
//! back as exactly those values. A value in an `Exec` line becomes an argument or a part of one, in
//! `Environment=` a variable's value, elsewhere text in which `%` means nothing; in fleet's sections
//! it stands as it is. Knows nothing of templates' variables and of the manifest.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use crate::directive::is_command;
use crate::line::Content;
use crate::render::check;
use crate::render::words::{Grammar, Piece, compile};
use crate::target::SPECIFIERS;
use crate::template::{CLOSE, ESCAPE, ESCAPED, OPEN};
use crate::unit::quote::check_value;

/// Lines that hold no value are the same in every unit of a template: each is placed and read back
/// once. One memory serves one thread.
#[derive(Debug, Default)]
pub struct Memory {
    lines: HashMap<String, HashMap<String, Arc<Content>>>,
}

/// Why a line can't be placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceError {
    /// The line of the rendered text, from 1.
    pub line: usize,
    /// The line as it was rendered, values in their own text.
    pub text: String,
    /// What is wrong.
    pub message: String,
}

/// Reads a rendered text.
///
/// # Errors
/// Returns every line that can't be placed, with the reason.
pub fn place(text: &str, memory: &mut Memory) -> Result<Vec<Arc<Content>>, Vec<PlaceError>> {
    let mut placed = Vec::new();
    let mut errors = Vec::new();
    let mut section: Option<&str> = None;
    let lines = logical_lines(text);
    for (number, logical) in &lines {
        let line = logical.trim_matches(BLANKS);
        let mut fail = |message: String| {
            errors.push(PlaceError {
                line: *number,
                text: plain(line),
                message,
            });
        };
        if let Some(rest) = line.strip_prefix('[') {
            match rest.strip_suffix(']') {
                Some(name) if !name.contains([OPEN, '[', ']', '"', '\'', '\\']) => {
                    section = Some(name);
                }
                _ => fail("this is no section's header".to_owned()),
            }
            continue;
        }
        let Some(section) = section else {
            fail("this stands before the first section".to_owned());
            continue;
        };
        let holds_value = line.as_bytes().contains(&(OPEN as u8));
        let known = || memory.lines.get(section)?.get(line);
        if let Some(content) = (!holds_value).then(known).flatten() {
            placed.push(Arc::clone(content));
            continue;
        }
        match assignment(section, line) {
            Ok(mut content) if !holds_value => {
                content.proven = check::words(&content).is_ok();
                let content = Arc::new(content);
                let lines = memory.lines.entry(section.to_owned()).or_default();
                lines.insert(line.to_owned(), Arc::clone(&content));
                placed.push(content);
            }
            Ok(content) => placed.push(Arc::new(content)),
            Err(message) => fail(message),
        }
    }
    if errors.is_empty() {
        Ok(placed)
    } else {
        Err(errors)
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

/// Splits a text into lines as systemd does: comments and blank lines go, a backslash at the end
/// joins. Values hold no line end: it is escaped in them.
fn logical_lines(text: &str) -> Vec<(usize, Cow<'_, str>)> {
    let mut lines: Vec<(usize, Cow<'_, str>)> = Vec::new();
    let mut joins = false;
    for (number, line) in (1..).zip(text.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let bare = line.trim_matches(BLANKS);
        if bare.starts_with(['#', ';']) {
            continue;
        }
        if bare.is_empty() {
            joins = false;
            continue;
        }
        let backslashes = line.bytes().rev().take_while(|byte| *byte == b'\\').count();
        let continues = backslashes % 2 == 1;
        let content = if continues {
            &line[..line.len() - 1]
        } else {
            line
        };
        match lines.last_mut() {
            Some((_, last)) if joins => last.to_mut().push_str(content),
            _ => lines.push((number, Cow::Borrowed(content))),
        }
        if continues && let Some((_, last)) = lines.last_mut() {
            last.to_mut().push(' ');
        }
        joins = continues;
    }
    lines
}

fn assignment(section: &str, line: &str) -> Result<Content, String> {
    let Some((name, value)) = line.split_once('=') else {
        return Err("expected `Name=value`".to_owned());
    };
    let name = name.trim_matches(BLANKS);
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if name.is_empty() || !name.chars().all(letters) {
        return Err("a directive's name has letters, digits and `-`".to_owned());
    }
    let pieces = pieces(value.trim_matches(BLANKS));
    let grammar = if section.starts_with("X-") {
        return literal(section, name, &pieces);
    } else if is_command(section, name) {
        Grammar::Exec
    } else if name == "Environment" {
        Grammar::Environment
    } else {
        return text(section, name, &pieces);
    };
    if let [Piece::Text(text)] = pieces.as_slice()
        && !text.contains("  ")
        && !text.contains('\t')
    {
        return finish(section, name, (*text).to_owned());
    }
    let compiled = compile(&pieces, grammar)?;
    Ok(Content {
        section: section.to_owned(),
        name: name.to_owned(),
        value: compiled.words.join(" "),
        words: Some(compiled.words),
        meaning: compiled.meaning,
        proven: false,
    })
}

/// Any other directive: a value is text in which `%` means nothing.
fn text(section: &str, name: &str, pieces: &[Piece<'_>]) -> Result<Content, String> {
    let mut value = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => value.push_str(text),
            Piece::Value(text) => value.push_str(&text.replace('%', "%%")),
        }
    }
    finish(section, name, value)
}

/// A directive of fleet's: it has no escapes at all.
fn literal(section: &str, name: &str, pieces: &[Piece<'_>]) -> Result<Content, String> {
    let mut value = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => value.push_str(text),
            Piece::Value(text) => {
                if SPECIFIERS.iter().any(|specifier| text.contains(specifier)) {
                    return Err(format!(
                        "fleet would replace the `%` of `{text}`, and has no escape"
                    ));
                }
                value.push_str(text);
            }
        }
    }
    finish(section, name, value)
}

fn finish(section: &str, name: &str, value: String) -> Result<Content, String> {
    check_value(&value)?;
    Ok(Content {
        section: section.to_owned(),
        name: name.to_owned(),
        value,
        ..Content::default()
    })
}

/// Splits a line into its text and its values.
fn pieces(line: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once(OPEN) {
        if !before.is_empty() {
            pieces.push(Piece::Text(before));
        }
        let (value, after) = after.split_once(CLOSE).unwrap_or((after, ""));
        pieces.push(Piece::Value(decode(value)));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

fn decode(value: &str) -> String {
    if !value.as_bytes().contains(&(ESCAPE as u8)) {
        return value.to_owned();
    }
    let mut text = String::new();
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        let escaped = if c == ESCAPE { characters.next() } else { None };
        let found = ESCAPED.iter().find(|(_, letter)| Some(*letter) == escaped);
        text.push(found.map_or(c, |(from, _)| *from));
    }
    text
}

/// Returns a line as a person would read it.
fn plain(line: &str) -> String {
    let pieces = pieces(line).into_iter();
    pieces
        .map(|piece| match piece {
            Piece::Text(text) => text.to_owned(),
            Piece::Value(text) => text.escape_debug().to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(text: &str) -> String {
        text.replace('«', "\u{1}").replace('»', "\u{2}")
    }

    #[track_caller]
    fn good(text: &str, expected: &[&str]) {
        let placed = place(&mark(text), &mut Memory::default()).unwrap();
        let lines: Vec<String> = placed
            .iter()
            .map(|p| format!("[{}]{}={}", p.section, p.name, p.value))
            .collect();
        assert_eq!(lines, expected);
    }

    #[track_caller]
    fn bad(text: &str, expected: (usize, &str)) {
        let errors = place(&mark(text), &mut Memory::default()).unwrap_err();
        let found: Vec<_> = errors
            .iter()
            .map(|e| (e.line, e.message.as_str()))
            .collect();
        assert_eq!(found, [expected]);
    }

    #[test]
    fn the_place_decides() {
        good("[Unit]\nDescription=«100 %»", &["[Unit]Description=100 %%"]);
        good(
            "[Service]\nEnvironment=A=«x $y %»",
            &["[Service]Environment=\"A=x $y %%\""],
        );
        good(
            "[Service]\nExecStart=/a «x $y %»",
            &["[Service]ExecStart=/a \"x $$y %%\""],
        );
        good("[X-Fleet]\nConflicts=«a b»", &["[X-Fleet]Conflicts=a b"]);
    }

    #[test]
    fn lines_are_read_as_systemd_reads_them() {
        good(
            "# c\n\n[Service]\n ; c\nExecStart=/a \\\n# c\n  b\n\nUser = x ",
            &["[Service]ExecStart=/a b", "[Service]User=x"],
        );
    }

    #[test]
    fn what_can_not_stand_is_refused() {
        bad("A=1", (1, "this stands before the first section"));
        bad("[Unit]\nx", (2, "expected `Name=value`"));
        bad("[«a»]", (1, "this is no section's header"));
        bad(
            "[U]\n«a»=1",
            (2, "a directive's name has letters, digits and `-`"),
        );
        bad("[U]\nA=«\u{3}n»", (2, "a unit's value can't hold `\\n`"));
        bad(
            "[U]\nA=« x»",
            (2, "white space at either end would not be kept"),
        );
        bad(
            "[U]\nA=«x\\»",
            (2, "a `\\` at the end would swallow the next line"),
        );
        bad(
            "[X-Fleet]\nA=«%p»",
            (2, "fleet would replace the `%` of `%p`, and has no escape"),
        );
    }
}
