//! Unit-file text as a value that loses nothing.
//!
//! In: the bytes of a unit file. Out: its lines in order, with comments, blank
//! lines, repeated keys and continuations, so that printing gives back the
//! same bytes; and the plain list of directives with the text a renderer writes.
//!
//! It must not know what any setting means, nor which program will read the
//! text: systemd's reading is in `unit::systemd`, fleet's in `unit::fleet`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

pub mod dollar;
pub mod escape;
pub mod fleet;
pub mod name;
pub mod parse;
pub mod placed;
pub mod quote;
pub mod specifier;
pub mod systemd;
mod unescape;
pub mod words;

/// Holds one unit file, item by item, as slices of its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitFile<'a> {
    items: Vec<Item<'a>>,
}

/// Holds one logical line: a comment, a blank line, a header or a directive
/// together with all the physical lines that continue it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// Every byte of it, line ends and swallowed comment lines included.
    pub source: &'a [u8],
    /// Its first physical line, counted from 1.
    pub line: usize,
    /// The line systemd names in its messages: the last physical one, or one
    /// beyond the end of a file that stops in a continuation.
    pub last_line: usize,
    /// Whether it stays below systemd's limits for a line; a file with a
    /// longer one cannot be loaded at all.
    pub within_limits: bool,
    /// Where in `source` a byte order mark stands that is skipped.
    mark: Option<usize>,
    /// What it says.
    pub content: Content<'a>,
}

/// Tells what a logical line is, continuations joined and blanks stripped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// Nothing but blanks.
    Blank,
    /// A line that starts with `#` or `;`.
    Comment,
    /// A header; the name is what stands between the brackets.
    Section(Cow<'a, [u8]>),
    /// A key, the first `=` and a value.
    Assignment {
        /// The key.
        name: Cow<'a, [u8]>,
        /// The value.
        value: Cow<'a, [u8]>,
    },
    /// A line that is none of these: no `=`, no key before it, or a header
    /// that does not end in `]`.
    Malformed(Cow<'a, [u8]>),
}

/// Borrows one directive together with the section it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment<'a> {
    /// The section's name; `None` before the first header.
    pub section: Option<&'a [u8]>,
    /// The key.
    pub name: &'a [u8],
    /// The value, continuations joined.
    pub value: &'a [u8],
    /// Its first physical line, counted from 1.
    pub line: usize,
    /// The line systemd names in its messages.
    pub last_line: usize,
}

/// Holds one directive as text, for whoever writes or compares units.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Directive {
    /// The section's name.
    pub section: Arc<str>,
    /// The key.
    pub name: String,
    /// The value, continuations joined.
    pub value: String,
    /// Its first physical line, counted from 1.
    pub line: usize,
}

impl Item<'_> {
    /// Returns, for a directive, where in `source` each byte of its value comes from, and where the
    /// value ends; empty for any other item. A word of the value can so be pointed at, even in a line
    /// that others continue.
    #[must_use]
    pub fn value_positions(&self) -> Vec<usize> {
        let Content::Assignment { value, .. } = &self.content else {
            return Vec::new();
        };
        let positions = parse::positions(self);
        let is_blank_at = |at: usize| {
            let byte = self.source[at];
            // The backslash of a continued line counts as a blank, and only it can stand last.
            parse::is_blank(byte) || (byte == b'\\' && self.continues_at(at))
        };
        let equals = positions.iter().position(|&at| self.source[at] == b'=');
        let mut start = equals.map_or(positions.len(), |equals| equals + 1);
        while start < positions.len() && is_blank_at(positions[start]) {
            start += 1;
        }
        let end = (start + value.len()).min(positions.len());
        let mut found = positions[start..end].to_vec();
        found.push(found.last().map_or(self.source.len(), |last| last + 1));
        found
    }

    /// Returns, for a directive, where in `source` its key begins and ends; all of it for any other
    /// item.
    #[must_use]
    pub fn key_place(&self) -> Range<usize> {
        let Content::Assignment { name, .. } = &self.content else {
            return 0..self.source.len();
        };
        let positions = parse::positions(self);
        let is_blank = |at: &&usize| {
            let byte = self.source[**at];
            parse::is_blank(byte) || (byte == b'\\' && self.continues_at(**at))
        };
        let blanks = positions.iter().take_while(is_blank).count();
        let start = positions.get(blanks).copied().unwrap_or_default();
        let last = positions.get(blanks + name.len().saturating_sub(1));
        start..last.map_or(start, |last| last + 1)
    }

    /// Returns the physical lines without their ends, each with its place in `source`.
    pub fn physical_lines(&self) -> impl Iterator<Item = (usize, &[u8])> {
        parse::physical_lines(self.source)
    }

    /// Tells whether the byte is a line's last one, and another line follows.
    fn continues_at(&self, at: usize) -> bool {
        matches!(self.source.get(at + 1), None | Some(b'\n' | b'\r' | 0))
    }
}

impl<'a> UnitFile<'a> {
    /// Takes the text apart; every input has a result.
    #[must_use]
    pub fn parse<T: AsRef<[u8]> + ?Sized>(text: &'a T) -> Self {
        Self {
            items: parse::items(text.as_ref()),
        }
    }

    /// Returns the items in the order of the file.
    #[must_use]
    pub fn items(&self) -> &[Item<'a>] {
        &self.items
    }

    /// Returns the text again, byte for byte.
    #[must_use]
    pub fn print(&self) -> Vec<u8> {
        let length = self.items.iter().map(|item| item.source.len()).sum();
        let mut text = Vec::with_capacity(length);
        for item in &self.items {
            text.extend_from_slice(item.source);
        }
        text
    }

    /// Returns the directives in order, each with its section.
    pub fn assignments(&self) -> impl Iterator<Item = Assignment<'_>> {
        let mut section = None;
        self.items.iter().filter_map(move |item| {
            match &item.content {
                Content::Section(name) => section = Some(name.as_ref()),
                Content::Assignment { name, value } => {
                    return Some(Assignment {
                        section,
                        name,
                        value,
                        line: item.line,
                        last_line: item.last_line,
                    });
                }
                Content::Blank | Content::Comment | Content::Malformed(_) => {}
            }
            None
        })
    }

    /// Returns the directives as text; bytes that are not UTF-8 become
    /// U+FFFD, and what stands before the first header is left out.
    #[must_use]
    pub fn directives(&self) -> Vec<Directive> {
        let mut directives = Vec::new();
        let mut section: Option<Arc<str>> = None;
        for item in &self.items {
            match &item.content {
                Content::Section(name) => {
                    section = Some(String::from_utf8_lossy(name).into());
                }
                Content::Assignment { name, value } => {
                    directives.extend(section.as_ref().map(|section| Directive {
                        section: Arc::clone(section),
                        name: String::from_utf8_lossy(name).into_owned(),
                        value: String::from_utf8_lossy(value).into_owned(),
                        line: item.line,
                    }));
                }
                Content::Blank | Content::Comment | Content::Malformed(_) => {}
            }
        }
        directives
    }
}

/// Writes (section, name, value) triples as the text fleet stores byte for
/// byte: sections in the order in which they first appear, their directives
/// in the given order, one blank line between sections, nothing else.
#[must_use]
pub fn canonical<S: AsRef<str>>(directives: &[(S, S, S)]) -> String {
    let mut place: BTreeMap<&str, usize> = BTreeMap::new();
    let mut sections: Vec<Vec<&(S, S, S)>> = Vec::new();
    let mut last: Option<(&str, usize)> = None;
    for directive in directives {
        let section = directive.0.as_ref();
        if let Some((before, index)) = last
            && std::ptr::eq(before, section)
        {
            // Spares a comparison of what may be a very long name.
            sections[index].push(directive);
            continue;
        }
        let index = *place.entry(section).or_insert_with(|| {
            sections.push(Vec::new());
            sections.len() - 1
        });
        sections[index].push(directive);
        last = Some((section, index));
    }
    let mut text = String::new();
    for members in sections {
        for (index, (section, name, value)) in members.into_iter().enumerate() {
            if index == 0 {
                let gap = if text.is_empty() { "" } else { "\n" };
                text.extend([gap, "[", section.as_ref(), "]\n"]);
            }
            text.extend([name.as_ref(), "=", value.as_ref(), "\n"]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "; made by hand\n\n[Unit]\nDescription = a shop # not a comment\n\
        [Service]\nExecStart=/bin/serve \\\n# the port\n    --port 80\nExecStartPost=\nExecStartPost=/bin/ready\n";

    #[test]
    fn prints_what_it_read() {
        for text in [
            "",
            "\n",
            "\0",
            "[",
            "\\",
            "a\\",
            "a\\\n",
            "a\\\n#b\n",
            "\u{feff}[A]\nb=c",
            SAMPLE,
        ] {
            assert_eq!(UnitFile::parse(text).print(), text.as_bytes(), "{text:?}");
        }
    }

    #[test]
    fn keeps_order_repeats_and_lines() {
        let unit = UnitFile::parse(SAMPLE);
        let lines: Vec<_> = unit
            .directives()
            .iter()
            .map(|one| format!("{} {} {}={}", one.line, one.section, one.name, one.value))
            .collect();
        assert_eq!(
            lines,
            [
                "4 Unit Description=a shop # not a comment",
                "6 Service ExecStart=/bin/serve      --port 80",
                "9 Service ExecStartPost=",
                "10 Service ExecStartPost=/bin/ready",
            ]
        );
    }

    #[test]
    fn canonical_groups_by_first_appearance() {
        let text = canonical(&[
            ("Unit", "Description", "a"),
            ("Service", "ExecStart", "/bin/a"),
            ("Unit", "After", "b.service"),
        ]);
        assert_eq!(
            text,
            "[Unit]\nDescription=a\nAfter=b.service\n\n[Service]\nExecStart=/bin/a\n"
        );
        assert_eq!(canonical::<&str>(&[]), "");
    }

    #[test]
    fn a_hundred_thousand_directives_take_no_quadratic_time() {
        let text = "[Service]\nEnvironment=A=1\n".repeat(50_000);
        let unit = UnitFile::parse(&text);
        assert_eq!(unit.directives().len(), 50_000);
        assert_eq!(unit.print().len(), text.len());
        let long = format!("[A]\nb={}\n", "\\\\".repeat(500_000));
        assert_eq!(
            UnitFile::parse(&long).directives()[0].value.len(),
            1_000_000
        );
    }
}
