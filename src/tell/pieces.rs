//! The lines in which one directive's difference is shown.
//!
//! In: a row of a diff. Out: one or two lines of pieces, each piece known as the same, gone or new.
//! Long values are shown by word, and only around what differs. What looks like a secret is hidden;
//! that it differs is said. Knows nothing of colours.

use std::ops::Range;

use similar::DiffOp;

use crate::diff::directives::{Row, RowChange, operations};
use crate::secrecy;
use crate::visible::line;

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Line {
    /// ` ` is the same, `-` gone, `+` new, `~` changed within, `>` at another place.
    pub mark: char,
    /// What it says.
    pub pieces: Vec<Piece>,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Piece {
    /// What became of it.
    pub kind: Kind,
    /// Its text.
    pub text: String,
}

/// What became of a part of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// It is on both sides.
    Same,
    /// It is on the old side only.
    Gone,
    /// It is on the new side only.
    New,
    /// It is on neither side, but what is said of them.
    Note,
}

/// Values longer than this are shown by word.
const SHORT: usize = 72;

/// How many words are shown on either side of one that differs.
const CONTEXT: usize = 2;

impl Line {
    fn whole(mark: char, kind: Kind, text: String) -> Self {
        let pieces = vec![Piece { kind, text }];
        Self { mark, pieces }
    }

    /// Returns the line with nothing around what differs but the directive's name.
    #[must_use]
    pub fn bare(&self) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        for piece in &self.pieces {
            let piece = match piece.kind {
                Kind::Gone | Kind::New => piece.clone(),
                Kind::Same if piece.text == " " => continue,
                Kind::Same | Kind::Note => Piece {
                    kind: Kind::Note,
                    text: match piece.text.split_once('=') {
                        Some((name, _)) if pieces.is_empty() => format!("{name}=…"),
                        _ => "…".to_owned(),
                    },
                },
            };
            if pieces
                .last()
                .is_some_and(|last| last.kind == Kind::Note && piece.kind == Kind::Note)
            {
                continue;
            }
            separate(&mut pieces);
            pieces.push(piece);
        }
        Self {
            mark: self.mark,
            pieces,
        }
    }

    /// Returns the text. Where a line is changed within, what is gone stands in `[-…-]` and what is
    /// new in `{+…+}`.
    #[must_use]
    pub fn text(&self) -> String {
        let marked = self.mark == '~';
        let piece = |piece: &Piece| match piece.kind {
            Kind::Gone if marked => format!("[-{}-]", piece.text),
            Kind::New if marked => format!("{{+{}+}}", piece.text),
            _ => piece.text.clone(),
        };
        self.pieces.iter().map(piece).collect()
    }
}

/// Returns the lines of a row.
#[must_use]
pub fn lines(row: &Row) -> Vec<Line> {
    let whole = |mark, kind, value: &str| {
        let text = format!("{}={value}", row.name);
        let value = Value::new(text);
        vec![Line::whole(mark, kind, value.shown(0..value.text.len()))]
    };
    match &row.change {
        RowChange::Same(value) => whole(' ', Kind::Same, value),
        RowChange::Moved(value) => whole('>', Kind::Same, value),
        RowChange::Removed(value) => whole('-', Kind::Gone, value),
        RowChange::Added(value) => whole('+', Kind::New, value),
        RowChange::Changed { before, after } => changed(&row.name, before, after),
    }
}

fn changed(name: &str, before: &str, after: &str) -> Vec<Line> {
    let old = Value::new(format!("{name}={before}"));
    let new = Value::new(format!("{name}={after}"));
    let ends = |value: &Value| value.shown(0..value.text.len());
    let note = |note: &str| {
        let mut line = Line::whole('~', Kind::Same, ends(&new));
        line.pieces.push(Piece {
            kind: Kind::Note,
            text: format!(" ({note})"),
        });
        vec![line]
    };
    if old.text == new.text {
        return note("wrapped in another way");
    }
    if ends(&old) == ends(&new) {
        return note("a hidden value is another one");
    }
    let (old_words, new_words) = (old.words(), new.words());
    let old_texts: Vec<&str> = old_words
        .iter()
        .map(|word| &old.text[word.clone()])
        .collect();
    let new_texts: Vec<&str> = new_words
        .iter()
        .map(|word| &new.text[word.clone()])
        .collect();
    if old_texts == new_texts {
        return note("separated in another way");
    }
    let ops = operations(&old_texts, &new_texts);
    let by_word = old.text.len().max(new.text.len()) > SHORT
        && ops.iter().any(|op| matches!(op, DiffOp::Equal { .. }));
    if by_word {
        return vec![within(&ops, (&old, &old_words), (&new, &new_words))];
    }
    let side =
        |mark, kind, value: &Value, words: &[Range<usize>], range: fn(&DiffOp) -> Range<usize>| {
            let mut pieces: Vec<Piece> = Vec::new();
            for op in &ops {
                let kind = if matches!(op, DiffOp::Equal { .. }) {
                    Kind::Same
                } else {
                    kind
                };
                let text = value.joined(&words[range(op)]);
                if !text.is_empty() {
                    separate(&mut pieces);
                    pieces.push(Piece { kind, text });
                }
            }
            Line { mark, pieces }
        };
    vec![
        side('-', Kind::Gone, &old, &old_words, DiffOp::old_range),
        side('+', Kind::New, &new, &new_words, DiffOp::new_range),
    ]
}

fn separate(pieces: &mut Vec<Piece>) {
    if !pieces.is_empty() {
        pieces.push(Piece {
            kind: Kind::Same,
            text: " ".to_owned(),
        });
    }
}

/// One line with both sides, and what is the same only around what differs.
fn within(
    ops: &[DiffOp],
    (old, old_words): (&Value, &[Range<usize>]),
    (new, new_words): (&Value, &[Range<usize>]),
) -> Line {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut push = |kind, text: String| {
        if !text.is_empty() {
            separate(&mut pieces);
            pieces.push(Piece { kind, text });
        }
    };
    for (at, op) in ops.iter().enumerate() {
        let words = &new_words[op.new_range()];
        if !matches!(op, DiffOp::Equal { .. }) {
            let (gone, come) = (old.joined(&old_words[op.old_range()]), new.joined(words));
            if gone == come && !gone.is_empty() {
                push(Kind::Same, come);
                push(Kind::Note, "(a hidden value is another one)".to_owned());
                continue;
            }
            push(Kind::Gone, gone);
            push(Kind::New, come);
            continue;
        }
        // The first word has the directive's name.
        let head = if at == 0 { 1 } else { CONTEXT };
        let tail = if at + 1 == ops.len() { 0 } else { CONTEXT };
        if words.len() <= head + tail + 1 {
            push(Kind::Same, new.joined(words));
            continue;
        }
        push(Kind::Same, new.joined(&words[..head]));
        push(Kind::Note, "…".to_owned());
        push(Kind::Same, new.joined(&words[words.len() - tail..]));
    }
    Line { mark: '~', pieces }
}

/// A directive in one line, and what of it may be shown.
struct Value {
    text: String,
    masked: String,
}

impl Value {
    fn new(text: String) -> Self {
        // To fleet a continued line is one with a backslash and a line end in it.
        let text = if text.contains('\n') {
            unwrapped(&text)
        } else {
            text
        };
        let masked = secrecy::masked_directive(&text).into_owned();
        Self { text, masked }
    }

    /// Returns the words: what stands between blanks outside of quotes.
    fn words(&self) -> Vec<Range<usize>> {
        let mut words = Vec::new();
        let mut start = None;
        let mut quote = None;
        let mut is_escaped = false;
        for (at, c) in self.text.char_indices() {
            match (quote, c) {
                (None, ' ' | '\t') => {
                    words.extend(start.take().map(|start| start..at));
                    continue;
                }
                _ if is_escaped => is_escaped = false,
                (_, '\\') => is_escaped = true,
                (None, '"' | '\'') => quote = Some(c),
                (Some(open), _) if open == c => quote = None,
                _ => {}
            }
            start.get_or_insert(at);
        }
        words.extend(start.map(|start| start..self.text.len()));
        words
    }

    fn joined(&self, words: &[Range<usize>]) -> String {
        let words: Vec<String> = words.iter().map(|word| self.shown(word.clone())).collect();
        words.join(" ")
    }

    /// Returns a part as it may be shown: a hidden value has three stars, however long it is.
    fn shown(&self, range: Range<usize>) -> String {
        let mut text = String::with_capacity(range.len());
        let mut is_hidden = false;
        for (at, c) in self.text[range.clone()].char_indices() {
            let star = self.masked.as_bytes().get(range.start + at) == Some(&b'*');
            let hides = star && (c != '*' || is_hidden);
            if !hides {
                text.push(c);
            } else if !is_hidden {
                text.push_str("***");
            }
            is_hidden = hides;
        }
        line(&text)
    }
}

/// Joins continued lines as systemd does, with one blank for the break.
pub(crate) fn unwrapped(text: &str) -> String {
    let mut lines = text.split('\n');
    let mut joined = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        let start = joined.trim_end().trim_end_matches('\\').trim_end().len();
        joined.truncate(start);
        joined.push(' ');
        joined.push_str(line.trim_start());
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(name: &str, before: &str, after: &str, expected: &[&str]) {
        let row = Row {
            name: name.to_owned(),
            change: RowChange::Changed {
                before: before.to_owned(),
                after: after.to_owned(),
            },
            cause: None,
        };
        let lines = lines(&row);
        let texts: Vec<String> = lines
            .iter()
            .map(|line| format!("{} {}", line.mark, line.text()))
            .collect();
        assert_eq!(texts, expected);
    }

    #[test]
    fn short_values_are_shown_on_two_lines() {
        case(
            "Restart",
            "always",
            "no",
            &["- Restart=always", "+ Restart=no"],
        );
        case(
            "ExecStart",
            "/bin/a b c",
            "/bin/a d c",
            &["- ExecStart=/bin/a b c", "+ ExecStart=/bin/a d c"],
        );
    }

    #[test]
    fn long_values_are_shown_by_word() {
        let command = |port: &str, end: &str| {
            format!(
                "/opt/bin/unitgen env exec -- /usr/bin/docker run --rm --name a -p {port} -e A -e B -e C image{end}"
            )
        };
        case(
            "ExecStart",
            &command("1:1", ""),
            &command("2:2", " \"two words\""),
            &[
                "~ ExecStart=/opt/bin/unitgen … a -p [-1:1-] {+2:2+} -e A … C image {+\"two words\"+}",
            ],
        );
        case(
            "ExecStart",
            &command("1:1", ""),
            &command("1:1", "").replace(" -e C", " \\\n  -e C"),
            &[&format!(
                "~ ExecStart={} (wrapped in another way)",
                command("1:1", "")
            )],
        );
    }

    #[test]
    fn secrets_are_hidden_whatever_their_length() {
        case(
            "Environment",
            "DB_PASSWORD=a",
            "DB_PASSWORD=longer*one",
            &["~ Environment=DB_PASSWORD=*** (a hidden value is another one)"],
        );
        case(
            "Environment",
            "A=1 DB_PASSWORD=a",
            "A=2 DB_PASSWORD=b",
            &[
                "- Environment=A=1 DB_PASSWORD=***",
                "+ Environment=A=2 DB_PASSWORD=***",
            ],
        );
        let command = |secret: &str| {
            format!(
                "/usr/bin/docker run --rm --name a-long-name-of-a-container --password {secret} -e A -e B image"
            )
        };
        case(
            "ExecStart",
            &command("hunter2"),
            &command("x"),
            &[
                "~ ExecStart=/usr/bin/docker run --rm --name a-long-name-of-a-container --password *** -e A -e B image (a hidden value is another one)",
            ],
        );
    }

    #[test]
    fn nothing_steers_the_terminal() {
        case(
            "Description",
            "a",
            "\u{1b}[31mb",
            &["- Description=a", "+ Description=\u{fffd}[31mb"],
        );
    }
}
