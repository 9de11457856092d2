//! The unit that is looked at: its text, its directives with their places, and what systemd makes of
//! it.
//!
//! Knows no rule.

use std::ops::Range;

use crate::lint::Options;
use crate::lint::command::{Command, commands};
use crate::lint::finding::Findings;
use crate::unit::name::{NameKind, UnitName};
use crate::unit::specifier::Host;
use crate::unit::systemd::{self, Reading};
use crate::unit::{Content, Item, UnitFile};

/// The unit that is looked at.
pub(in crate::lint) struct Subject<'a> {
    /// Its whole text.
    pub(in crate::lint) text: &'a str,
    /// The name that it is loaded by: a template's is that of an instance.
    pub(in crate::lint) unit: &'a UnitName,
    /// Each logical line and where it begins.
    pub(in crate::lint) items: Vec<(usize, &'a Item<'a>)>,
    /// Every directive, in order.
    pub(in crate::lint) directives: Vec<Directive<'a>>,
    /// Every command that is left when all is read.
    pub(in crate::lint) commands: Vec<Command<'a>>,
    /// What systemd makes of it.
    pub(in crate::lint) reading: Reading,
    /// Where lines begin to be read otherwise than they look, sorted.
    misread: Vec<usize>,
    /// What the user asked for.
    pub(in crate::lint) options: &'a Options,
}

/// One directive and its place.
#[derive(Clone, Copy)]
pub(in crate::lint) struct Directive<'a> {
    /// The section; empty before the first header.
    pub(in crate::lint) section: &'a str,
    /// The key.
    pub(in crate::lint) name: &'a str,
    /// The value, continuations joined.
    pub(in crate::lint) value: &'a str,
    /// Where its line begins in the text.
    pub(in crate::lint) start: usize,
    /// Its line.
    pub(in crate::lint) item: &'a Item<'a>,
}

/// Returns the name by which a unit is loaded, if it has one that systemd accepts.
#[must_use]
pub(in crate::lint) fn loaded_name(name: &str) -> Option<UnitName> {
    let name = UnitName::new(name).ok()?;
    match name.kind() {
        NameKind::Template => name.with_instance("i").ok(),
        NameKind::Plain | NameKind::Instance => Some(name),
    }
}

impl<'a> Subject<'a> {
    pub(in crate::lint) fn new(
        text: &'a str,
        file: &'a UnitFile<'a>,
        unit: &'a UnitName,
        options: &'a Options,
    ) -> Self {
        let mut subject = Self {
            text,
            unit,
            items: Vec::with_capacity(file.items().len()),
            directives: Vec::with_capacity(file.items().len()),
            commands: Vec::new(),
            reading: systemd::read_on(file, unit, &Host::unknown()),
            misread: Vec::new(),
            options,
        };
        let mut start = 0;
        let mut section = "";
        for item in file.items() {
            subject.items.push((start, item));
            match &item.content {
                Content::Section(name) => section = utf8(name),
                Content::Assignment { name, value } => subject.directives.push(Directive {
                    section,
                    name: utf8(name),
                    value: utf8(value),
                    start,
                    item,
                }),
                Content::Blank | Content::Comment | Content::Malformed(_) => {}
            }
            start += item.source.len();
        }
        subject.commands = commands(&subject.directives);
        subject
    }

    /// Keeps in mind which lines were found not to be read as they look. What is then wrong with their
    /// words only follows from that.
    pub(in crate::lint) fn note_misread(&mut self, found: &Findings) {
        let starts = found.list.iter().map(|finding| finding.range.start);
        self.misread = starts.collect();
        self.misread.sort_unstable();
    }

    /// Tells whether a directive's line is one of those.
    pub(in crate::lint) fn is_misread(&self, directive: &Directive<'_>) -> bool {
        let end = directive.start + directive.item.source.len();
        let first = self
            .misread
            .partition_point(|start| *start < directive.start);
        self.misread.get(first).is_some_and(|start| *start < end)
    }

    /// Returns the directives of one key, in order.
    pub(in crate::lint) fn all(
        &self,
        section: &'a str,
        name: &'a str,
    ) -> impl DoubleEndedIterator<Item = &Directive<'a>> {
        let directives = self.directives.iter();
        directives.filter(move |one| one.name == name && one.section == section)
    }

    /// Returns the line that systemd names by this number.
    pub(in crate::lint) fn item(&self, line: usize) -> Option<(usize, &'a Item<'a>)> {
        let items = &self.items;
        let at = items.binary_search_by_key(&line, |(_, item)| item.last_line);
        at.ok().map(|at| items[at])
    }

    /// Returns the bytes of the line that systemd names by this number; those of the beginning for
    /// the unit as a whole.
    pub(in crate::lint) fn line(&self, line: usize) -> Range<usize> {
        self.item(line)
            .map_or(0..0, |(start, item)| line_range(start, item))
    }

    /// Returns the directive whose line systemd names by this number.
    pub(in crate::lint) fn directive(&self, line: usize) -> Option<&Directive<'a>> {
        let directives = &self.directives;
        let at = directives.binary_search_by_key(&line, |one| one.item.last_line);
        at.ok().map(|at| &directives[at])
    }
}

impl Directive<'_> {
    /// Returns the bytes of the key.
    pub(in crate::lint) fn key_range(&self) -> Range<usize> {
        let place = self.item.key_place();
        self.start + place.start..self.start + place.end
    }

    /// Returns the bytes of the value, all lines of it; those of the key where it is empty.
    pub(in crate::lint) fn value_range(&self) -> Range<usize> {
        if self.value.is_empty() {
            return self.key_range();
        }
        self.range(0..self.value.len())
    }

    /// Returns the bytes of a part of the value.
    pub(in crate::lint) fn range(&self, part: Range<usize>) -> Range<usize> {
        // In a single line the value is where it is found, and most directives are single lines.
        let source = self.item.source;
        if self.item.line == self.item.last_line {
            // A line ends at a NUL as well.
            let is_end = |byte: &&u8| byte.is_ascii_whitespace() || **byte == 0;
            let end = self.start + source.len() - source.iter().rev().take_while(is_end).count();
            let start = end.saturating_sub(self.value.len());
            return (start + part.start).min(end)..(start + part.end).min(end);
        }
        let positions = self.item.value_positions();
        let last = positions.len().saturating_sub(1);
        let at = |index: usize| positions.get(index.min(last)).copied().unwrap_or_default();
        let start = at(part.start);
        // What ends a part is the byte after its last one, which a continuation may put far behind.
        let end = match part.end.checked_sub(1) {
            Some(before) if part.end > part.start => at(before) + 1,
            _ => start,
        };
        self.start + start..self.start + end.max(start)
    }
}

/// Returns the bytes of an item without the blanks and the end of line around it.
pub(in crate::lint) fn line_range(start: usize, item: &Item<'_>) -> Range<usize> {
    let text = item.source;
    let first = text.iter().position(|byte| !byte.is_ascii_whitespace());
    let last = text.iter().rposition(|byte| !byte.is_ascii_whitespace());
    match (first, last) {
        (Some(first), Some(last)) => start + first..start + last + 1,
        _ => start..start,
    }
}

/// The text is UTF-8, and it is cut at ASCII characters only.
fn utf8(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}
