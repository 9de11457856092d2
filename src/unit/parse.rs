//! Takes unit-file text apart into logical lines, as systemd 252 does.
//!
//! In: bytes. Out: the items of a `UnitFile`. Ends of lines, comments,
//! continuations and the byte order mark are dealt with here.
//!
//! It must not know section names, keys or units; whether a line is acceptable
//! is for the reader of the items to say.

use std::borrow::Cow;

use crate::unit::{Content, Item};

/// The longest physical line systemd reads is one byte shorter than this, and
/// joined lines may not be longer than this.
pub const LINE_LIMIT: usize = 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Tells whether systemd takes the byte for a blank; no other character is one.
#[must_use]
pub fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Returns the text without blanks at both ends.
#[must_use]
pub fn strip(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&byte| !is_blank(byte));
    let end = text.iter().rposition(|&byte| !is_blank(byte));
    match (start, end) {
        (Some(start), Some(end)) => &text[start..=end],
        _ => &[],
    }
}

/// A line as the file has it.
struct PhysicalLine<'a> {
    start: usize,
    end: usize,
    text: &'a [u8],
}

struct PhysicalLines<'a> {
    source: &'a [u8],
    position: usize,
}

impl<'a> Iterator for PhysicalLines<'a> {
    type Item = PhysicalLine<'a>;

    fn next(&mut self) -> Option<PhysicalLine<'a>> {
        let start = self.position;
        let rest = self.source.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest
            .iter()
            .position(|byte| matches!(byte, b'\n' | b'\r' | 0))
            .unwrap_or(rest.len());
        let end = start + length + line_end_length(&rest[length..]);
        self.position = end;
        Some(PhysicalLine {
            start,
            end,
            text: &rest[..length],
        })
    }
}

/// Returns how many bytes belong to one end of line: LF and CR at most once
/// each in either order, and a NUL that closes it.
fn line_end_length(rest: &[u8]) -> usize {
    let (mut feed_seen, mut return_seen) = (false, false);
    for (index, byte) in rest.iter().enumerate() {
        match byte {
            b'\n' if !feed_seen => feed_seen = true,
            b'\r' if !return_seen => return_seen = true,
            0 => return index + 1,
            _ => return index,
        }
    }
    rest.len()
}

/// A logical line that goes on in the next physical one.
struct Pending {
    start: usize,
    line: usize,
    within_limits: bool,
    mark: Option<usize>,
    joined: Vec<u8>,
}

/// Takes the source apart; the items' sources joined are the source.
pub(in crate::unit) fn items(source: &[u8]) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    let mut pending: Option<Pending> = None;
    let mut mark_seen = false;
    let mut number = 0;
    for physical in (PhysicalLines {
        source,
        position: 0,
    }) {
        number += 1;
        let fits = physical.text.len() < LINE_LIMIT;
        if is_comment(physical.text) {
            match &mut pending {
                // Dropped, and whatever it ends in has no effect.
                Some(pending) => pending.within_limits &= fits,
                None => items.push(Item {
                    source: &source[physical.start..physical.end],
                    line: number,
                    last_line: number,
                    within_limits: fits,
                    mark: None,
                    content: Content::Comment,
                }),
            }
            continue;
        }
        let mut text = physical.text;
        let mut mark = None;
        if !mark_seen && let Some(rest) = text.strip_prefix(BYTE_ORDER_MARK) {
            // systemd looks at the start of every line until it has seen one.
            mark_seen = true;
            text = rest;
            mark = Some(physical.start);
        }
        let continues = continues(text);
        let mut logical = match pending.take() {
            None if !continues => {
                items.push(Item {
                    source: &source[physical.start..physical.end],
                    line: number,
                    last_line: number,
                    within_limits: fits,
                    mark: mark.map(|_| 0),
                    content: content(Cow::Borrowed(text)),
                });
                continue;
            }
            None => Pending {
                start: physical.start,
                line: number,
                within_limits: fits,
                mark,
                joined: text.to_vec(),
            },
            Some(mut before) => {
                before.joined.extend_from_slice(text);
                before.mark = before.mark.or(mark);
                before.within_limits &= fits && before.joined.len() <= LINE_LIMIT;
                before
            }
        };
        if continues {
            // The backslash itself becomes the blank between the parts.
            if let Some(last) = logical.joined.last_mut() {
                *last = b' ';
            }
            pending = Some(logical);
        } else {
            items.push(logical.finish(source, physical.end, number));
        }
    }
    if let Some(logical) = pending {
        items.push(logical.finish(source, source.len(), number + 1));
    }
    items
}

impl Pending {
    fn finish(self, source: &[u8], end: usize, last_line: usize) -> Item<'_> {
        Item {
            source: &source[self.start..end],
            line: self.line,
            last_line,
            within_limits: self.within_limits,
            mark: self.mark.map(|mark| mark - self.start),
            content: content(Cow::Owned(self.joined)),
        }
    }
}

/// Returns, for each byte of an item's joined text, where in the item's source it comes from. The
/// text is that before blanks are stripped; a backslash that continues stands where its blank does.
pub(in crate::unit) fn positions(item: &Item<'_>) -> Vec<usize> {
    let mut positions = Vec::with_capacity(item.source.len());
    for (start, text) in physical_lines(item.source) {
        if start > 0 && is_comment(text) {
            continue;
        }
        let marked = item.mark == Some(start);
        let skipped = if marked { BYTE_ORDER_MARK.len() } else { 0 };
        positions.extend(start + skipped..start + text.len());
    }
    positions
}

/// Returns the physical lines of an item without their ends, each with its place in the source.
pub(in crate::unit) fn physical_lines(source: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let lines = PhysicalLines {
        source,
        position: 0,
    };
    lines.map(|line| (line.start, line.text))
}

fn is_comment(text: &[u8]) -> bool {
    let first = text.iter().find(|&&byte| !is_blank(byte));
    matches!(first, Some(b'#' | b';'))
}

fn continues(text: &[u8]) -> bool {
    let backslashes = text.iter().rev().take_while(|&&byte| byte == b'\\');
    backslashes.count() % 2 == 1
}

fn content(text: Cow<'_, [u8]>) -> Content<'_> {
    let text = cut(text, strip);
    match text.as_ref() {
        [] => Content::Blank,
        [b'[', .., b']'] => Content::Section(cut(text, |text| &text[1..text.len() - 1])),
        [b'[' | b'=', ..] => Content::Malformed(text),
        bytes => match bytes.iter().position(|&byte| byte == b'=') {
            None => Content::Malformed(text),
            Some(equals) => Content::Assignment {
                name: cut(text.clone(), |text| strip(&text[..equals])),
                value: cut(text, |text| strip(&text[equals + 1..])),
            },
        },
    }
}

/// Narrows a text without copying what is borrowed.
fn cut(text: Cow<'_, [u8]>, part: impl Fn(&[u8]) -> &[u8]) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(part(text)),
        Cow::Owned(text) => Cow::Owned(part(&text).to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes each item as its line and what it holds.
    fn outline(text: &str) -> String {
        let mut lines = Vec::new();
        for item in items(text.as_bytes()) {
            let show = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let content = match &item.content {
                Content::Blank => "blank".to_owned(),
                Content::Comment => "comment".to_owned(),
                Content::Section(name) => format!("section <{}>", show(name)),
                Content::Assignment { name, value } => {
                    format!("<{}>=<{}>", show(name), show(value))
                }
                Content::Malformed(text) => format!("malformed <{}>", show(text)),
            };
            lines.push(format!("{}-{} {content}", item.line, item.last_line));
        }
        lines.join(", ")
    }

    #[track_caller]
    fn case(text: &str, expected: &str) {
        assert_eq!(outline(text), expected, "{text:?}");
    }

    #[test]
    fn every_end_of_line_counts() {
        for end in [
            "\n", "\r", "\0", "\r\n", "\n\r", "\n\0", "\r\0", "\r\n\0", "\n\r\0",
        ] {
            case(&format!("[A]{end}b=c{end}"), "1-1 section <A>, 2-2 <b>=<c>");
        }
        case("a=1\n\nb=2", "1-1 <a>=<1>, 2-2 blank, 3-3 <b>=<2>");
        case("a=1\0\nb=2", "1-1 <a>=<1>, 2-2 blank, 3-3 <b>=<2>");
    }

    #[test]
    fn comments_are_whole_lines() {
        case(
            "  # a\n\t;b\nc=d # e",
            "1-1 comment, 2-2 comment, 3-3 <c>=<d # e>",
        );
        case("# a \\\nb=c", "1-1 comment, 2-2 <b>=<c>");
        case("a=b \\\n  # gone \\\n; gone\n c", "1-4 <a>=<b   c>");
    }

    #[test]
    fn an_odd_number_of_backslashes_continues() {
        case("a=b\\\nc", "1-2 <a>=<b c>");
        case("a=b\\\\\nc=d", "1-1 <a>=<b\\\\>, 2-2 <c>=<d>");
        case("a=b\\\\\\\n c", "1-2 <a>=<b\\\\  c>");
        case("a=b \\ \nc=d", "1-1 <a>=<b \\>, 2-2 <c>=<d>");
        case("a=b \\\n\nc=d", "1-2 <a>=<b>, 3-3 <c>=<d>");
        case("a=b \\\n[C]\nd=e", "1-2 <a>=<b  [C]>, 3-3 <d>=<e>");
        case("na\\\nme=v", "1-2 <na me>=<v>");
        case("a=b \\", "1-2 <a>=<b>");
        case("a=b \\\n", "1-2 <a>=<b>");
    }

    #[test]
    fn blanks_are_four_characters_only() {
        case(" \t a \t=\t b \t", "1-1 <a>=<b>");
        case("a=\u{b}b\u{c}", "1-1 <a>=<\u{b}b\u{c}>");
        case("a=\u{a0}b", "1-1 <a>=<\u{a0}b>");
    }

    #[test]
    fn headers_end_in_a_bracket() {
        case("[A]  \t", "1-1 section <A>");
        case("[]", "1-1 section <>");
        case("[ A ]", "1-1 section < A >");
        case("[A] # b", "1-1 malformed <[A] # b>");
        case("[", "1-1 malformed <[>");
        case("[a=b", "1-1 malformed <[a=b>");
    }

    #[test]
    fn what_is_no_assignment_is_kept() {
        case("word", "1-1 malformed <word>");
        case("= x", "1-1 malformed <= x>");
        case("a==b=", "1-1 <a>=<=b=>");
    }

    #[test]
    fn the_first_byte_order_mark_is_skipped() {
        case("\u{feff}[A]\nb=c", "1-1 section <A>, 2-2 <b>=<c>");
        case(
            "[A]\n\u{feff}b=c\n\u{feff}d=e",
            "1-1 section <A>, 2-2 <b>=<c>, 3-3 <\u{feff}d>=<e>",
        );
        case("\u{feff}# a=b", "1-1 <# a>=<b>");
    }

    #[test]
    fn limits_are_noted() {
        let fits = |text: &str| items(text.as_bytes()).iter().all(|item| item.within_limits);
        let long = "a".repeat(LINE_LIMIT - 3);
        assert!(fits(&format!("b={long}")));
        assert!(!fits(&format!("bc={long}")));
        assert!(!fits(&format!("#bc{long}")));
        let half = "a".repeat(LINE_LIMIT / 2);
        assert!(fits(&format!("{half}\\\n{}", &half[1..])));
        assert!(!fits(&format!("{half}\\\n{half}")));
    }
}
