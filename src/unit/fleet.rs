//! Unit-file text as fleet 1.0 reads and stores it.
//!
//! In: bytes. Out: the options its registry keeps, the text it writes back and
//! that text's hash, or the error it reports. fleet's parser differs from
//! systemd's in many places; its traps are reproduced here on purpose, down to
//! the state of its 4096-byte read buffer.
//!
//! It must not know systemd's rules, clusters or requests.

use std::fmt;
use std::sync::Arc;

use sha1::{Digest, Sha1};

use crate::unit::canonical;
use crate::unit::fleet::reader::{Reader, trim, wire_text};

pub mod constraints;
mod reader;

/// Holds what fleet's registry keeps of a unit file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetUnit {
    /// The options in the order of the file.
    pub options: Vec<FleetOption>,
}

/// Holds one option; text that is not UTF-8 is as JSON carries it, each bad
/// byte as one U+FFFD.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetOption {
    /// The section's name.
    pub section: Arc<str>,
    /// The option's name.
    pub name: String,
    /// The value; continuations are kept as backslash and newline.
    pub value: String,
}

/// Tells why fleet cannot read a file; its text is fleet's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// No line end within the next 2048 bytes, all of them buffered.
    LineTooLong,
    /// A `[` with no `]` after it.
    UnclosedSection,
    /// Something after a header, on the same line.
    Garbage(Vec<u8>),
    /// A line without `=`.
    NewlineInName,
    /// The file ends within an option's name.
    EndInName,
}

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LineTooLong => formatter.write_str("line too long (max 2048 bytes)"),
            Self::UnclosedSection => formatter.write_str("unable to find end of section"),
            Self::Garbage(bytes) => {
                formatter.write_str("found garbage after section name : [")?;
                for (index, byte) in bytes.iter().enumerate() {
                    let space = if index == 0 { "" } else { " " };
                    write!(formatter, "{space}{byte}")?;
                }
                formatter.write_str("]")
            }
            Self::NewlineInName => {
                formatter.write_str("unexpected newline encountered while parsing option name")
            }
            Self::EndInName => formatter.write_str("EOF"),
        }
    }
}

impl std::error::Error for ParseError {}

impl FleetUnit {
    /// Reads a file as `fleetctl submit` does.
    ///
    /// # Errors
    ///
    /// Returns fleet's own complaint where it refuses the file.
    pub fn parse<T: AsRef<[u8]> + ?Sized>(text: &T) -> Result<Self, ParseError> {
        let mut reader = Reader::new(text.as_ref());
        let mut options = Vec::new();
        let mut state = State::BeforeSection;
        while let Some(next) = reader.step(state, &mut options)? {
            state = next;
        }
        Ok(Self { options })
    }

    /// Returns the text fleet stores and `fleetctl cat` shows.
    #[must_use]
    pub fn canonical(&self) -> String {
        let triples: Vec<_> = self
            .options
            .iter()
            .map(|option| {
                let FleetOption {
                    section,
                    name,
                    value,
                } = option;
                (section.as_ref(), name.as_str(), value.as_str())
            })
            .collect();
        canonical(&triples)
    }

    /// Returns the unit's hash: the SHA-1 of the stored text, in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        hash(&self.canonical())
    }

    /// Returns the unit as it is read out of the registry again. It differs
    /// where fleet's own rewrite does not mean what it was made from.
    ///
    /// # Errors
    ///
    /// Returns fleet's complaint about its own text.
    pub fn read_back(&self) -> Result<Self, ParseError> {
        Self::parse(&self.canonical())
    }
}

/// Tells whether fleet stores a text byte for byte.
#[must_use]
pub fn keeps(text: &str) -> bool {
    is_plainly_canonical(text) || FleetUnit::parse(text).is_ok_and(|unit| unit.canonical() == text)
}

/// Tells whether a text is canonical and has none of the traps that make fleet read anything but
/// lines: most texts are, and are so known at a fraction of the cost.
fn is_plainly_canonical(text: &str) -> bool {
    // Without an early end, so that many bytes are compared at once.
    let is_plain = |byte: u8| (matches!(byte, b' '..=b'~') && byte != b'\\') || byte == b'\n';
    if !text.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        return false;
    }
    let mut sections: Vec<&str> = Vec::new();
    let mut lines = text.split_terminator('\n').peekable();
    if !text.ends_with('\n') {
        return false;
    }
    while let Some(header) = lines.next() {
        let name = header
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let Some(name) = name.filter(|name| !name.contains([']', '['])) else {
            return false;
        };
        if sections.contains(&name) || lines.peek().is_none_or(|line| line.is_empty()) {
            return false;
        }
        sections.push(name);
        for line in lines.by_ref() {
            if line.is_empty() {
                break;
            }
            let Some((key, value)) = line.split_once('=') else {
                return false;
            };
            let starts_plainly = key.starts_with(|first: char| first.is_ascii_alphabetic());
            if line.len() >= PLAIN_LINE_LIMIT
                || !starts_plainly
                || key.ends_with(' ')
                || value.starts_with(' ')
                || value.ends_with(' ')
            {
                return false;
            }
        }
    }
    // An empty line behind the last section would not be kept.
    !text.ends_with("\n\n") && !sections.is_empty()
}

/// Well below fleet's own limit, which depends on where in the file a line stands.
const PLAIN_LINE_LIMIT: usize = 2_000;

/// Returns fleet's hash of a text that is already in the stored form.
#[must_use]
pub fn hash(canonical: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digest = Sha1::digest(canonical.as_bytes());
    let halves = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves
        .map(|half| char::from(DIGITS[usize::from(half)]))
        .collect()
}

/// The state of fleet's parser between two steps; before each step it looks at
/// the length of the line ahead.
enum State {
    /// Looking for the first `[`, character by character.
    BeforeSection,
    /// Behind a `[`.
    SectionName,
    /// Behind a `]`.
    SectionSuffix(Arc<str>),
    /// Behind a complete line.
    LineStart(Arc<str>),
    /// In a comment; where to go on after it.
    Comment(Option<Arc<str>>),
    /// At an option's name.
    Name(Arc<str>),
    /// At a line of an option's value: section, name, value so far.
    Value(Arc<str>, String, Vec<u8>),
}

impl Reader<'_> {
    fn step(
        &mut self,
        state: State,
        options: &mut Vec<FleetOption>,
    ) -> Result<Option<State>, ParseError> {
        if self.shows_long_line() {
            return Err(ParseError::LineTooLong);
        }
        Ok(match state {
            State::BeforeSection => self.character().map(|character| match character {
                '[' => State::SectionName,
                '#' | ';' => State::Comment(None),
                _ => State::BeforeSection,
            }),
            State::SectionName => {
                let (name, found) = self.until(b']');
                if !found {
                    return Err(ParseError::UnclosedSection);
                }
                Some(State::SectionSuffix(wire_text(name).into()))
            }
            State::SectionSuffix(section) => {
                let garbage = trim(self.line().0);
                if !garbage.is_empty() {
                    return Err(ParseError::Garbage(garbage.to_vec()));
                }
                Some(State::LineStart(section))
            }
            State::LineStart(section) => {
                let start = self.position();
                match self.character() {
                    None => None,
                    Some(character) if character.is_whitespace() => Some(State::LineStart(section)),
                    Some('[') => Some(State::SectionName),
                    Some('#' | ';') => Some(State::Comment(Some(section))),
                    Some(_) => {
                        self.go_back(start);
                        Some(State::Name(section))
                    }
                }
            }
            State::Comment(section) => {
                self.comment();
                Some(section.map_or(State::BeforeSection, State::LineStart))
            }
            State::Name(section) => {
                let name = self.name()?;
                Some(State::Value(section, name, Vec::new()))
            }
            State::Value(section, name, value) => Some(self.value(section, name, value, options)),
        })
    }

    /// Skips a comment; one that ends in a backslash takes the next line along.
    fn comment(&mut self) {
        loop {
            let (line, _) = self.line();
            let line = line.strip_suffix(b" ").unwrap_or(line);
            if line.last() != Some(&b'\\') {
                break;
            }
        }
    }

    fn name(&mut self) -> Result<String, ParseError> {
        let mut name = String::new();
        loop {
            match self.character() {
                None => return Err(ParseError::EndInName),
                Some('\n' | '\r') => return Err(ParseError::NewlineInName),
                Some('=') => return Ok(name.trim().to_owned()),
                Some(character) => name.push(character),
            }
        }
    }

    fn value(
        &mut self,
        section: Arc<str>,
        name: String,
        mut value: Vec<u8>,
        options: &mut Vec<FleetOption>,
    ) -> State {
        let (line, at_end) = self.line();
        if !trim(line).is_empty() {
            value.extend_from_slice(line);
            if line.last() == Some(&b'\\') {
                if !at_end {
                    value.push(b'\n');
                }
                return State::Value(section, name, value);
            }
        }
        let mut text = wire_text(trim(&value));
        if value.last() == Some(&b'\n') {
            text.push('\n');
        }
        options.push(FleetOption {
            section: Arc::clone(&section),
            name,
            value: text,
        });
        State::LineStart(section)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the options as `section|name|value`, or the error.
    fn read(text: &[u8]) -> String {
        match FleetUnit::parse(text) {
            Err(error) => format!("error: {error}"),
            Ok(unit) => unit
                .options
                .iter()
                .map(|option| format!("{}|{}|{}", option.section, option.name, option.value))
                .collect::<Vec<_>>()
                .join(" // "),
        }
    }

    #[track_caller]
    fn case(text: &str, expected: &str) {
        assert_eq!(read(text.as_bytes()), expected, "{text:?}");
    }

    #[test]
    fn only_options_are_kept() {
        case("# a\n\n[A]\n ; b\n  c  =  d \t\n\n[E]\n", "A|c|d");
        case("[A]\nb=c # d", "A|b|c # d");
        case("[A]\nb=\nb=c=d\n", "A|b| // A|b|c=d");
        case("[ A ]  \nb=c", " A |b|c");
        case("", "");
        case("# a", "");
    }

    #[test]
    fn the_stored_text_is_grouped_by_section() {
        let text = "[A]\na=1\n[B]\nb=2\n[A]\nc=3";
        let unit = FleetUnit::parse(text).unwrap();
        assert_eq!(unit.canonical(), "[A]\na=1\nc=3\n\n[B]\nb=2\n");
        assert_eq!(unit.read_back().unwrap().canonical(), unit.canonical());
        assert_eq!(FleetUnit::default().canonical(), "");
    }

    #[test]
    fn the_hash_is_that_of_the_stored_text() {
        let unit = FleetUnit::parse("[Service]\nExecStart=/bin/true").unwrap();
        assert_eq!(unit.hash(), "86943ac9f3754cb90f8dd38bf6da7b0cad074592");
        assert_eq!(
            hash("[Service]\nExecStart=/bin/true # not a comment\n"),
            "16a8edb4dbaead988a18d4ee742856b6001393d0"
        );
    }

    #[test]
    fn continuations_stay_in_the_value() {
        case("[A]\nb=c \\\n   d \\\n\te\n", "A|b|c \\\n   d \\\n\te");
        case("[A]\nb=c \\\n\nd=e", "A|b|c \\\n // A|d|e");
        case("[A]\nb=c \\", "A|b|c \\");
        case("[A]\nb=c \\\n", "A|b|c \\\n");
        case("[A]\nb=c \\\n# d\nd=e", "A|b|c \\\n# d // A|d|e");
    }

    #[test]
    fn two_backslashes_continue_too() {
        case(
            "[A]\nb=c\\\\\n[X-Fleet]\nd=e",
            "A|b|c\\\\\n[X-Fleet] // A|d|e",
        );
    }

    #[test]
    fn a_blank_behind_the_backslash_changes_the_rewrite() {
        let unit = FleetUnit::parse("[A]\nb=c \\ \nd=e\n").unwrap();
        assert_eq!(unit.options.len(), 2);
        let again = unit.read_back().unwrap();
        assert_eq!(again.options.len(), 1);
        assert_eq!(again.options[0].value, "c \\\nd=e");
        assert_eq!(again.hash(), unit.hash());
    }

    #[test]
    fn comments_can_swallow_a_line() {
        case("[A]\n# c \\\nb=c\nd=e", "A|d|e");
        case("[A]\n# c \\ \nb=c\nd=e", "A|d|e");
        case("[A]\n# c \\  \nb=c\nd=e", "A|b|c // A|d|e");
        case("# c \\\n[A]\nb=c\n[D]\ne=f", "D|e|f");
    }

    #[test]
    fn returns_end_no_line() {
        case("[A]\r\nb=c\r\n", "A|b|c");
        case(
            "[A]\r\nb=c \\\r\n d\r\n",
            "error: unexpected newline encountered while parsing option name",
        );
        case(
            "[A]\rb=c\r",
            "error: found garbage after section name : [98 61 99]",
        );
    }

    #[test]
    fn before_the_first_section_every_bracket_counts() {
        case("see [A]\nb=c", "A|b|c");
        case(
            "x=[A]y\n[B]\nc=d",
            "error: found garbage after section name : [121]",
        );
        case("\u{feff}[A]\nb=c", "A|b|c");
    }

    #[test]
    fn a_header_ends_at_the_next_bracket() {
        case("[A\nb=c\n[D]\ne=f", "A\nb=c\n[D|e|f");
        case("[A\nb=c", "error: unable to find end of section");
        case(
            "[A] # b\n",
            "error: found garbage after section name : [35 32 98]",
        );
    }

    #[test]
    fn a_line_needs_an_equals_sign() {
        let newline = "error: unexpected newline encountered while parsing option name";
        case("[A]\nb\n", newline);
        case("[X-A]\nb\nc=d\n", newline);
        case("[A]\nb", "error: EOF");
        case("[A]\n=b", "A||b");
    }

    #[test]
    fn blanks_are_those_of_unicode() {
        case("[A]\nb=\u{a0}c\u{b}\u{85}\u{3000}\n", "A|b|c");
        case("[A]\n\u{2003}b\u{2003}=c", "A|b|c");
        case("[A]\nb=\u{a0}\\\n d", "A|b|\\\n d");
    }

    #[test]
    fn bad_bytes_are_replaced_one_by_one() {
        assert_eq!(
            read(b"[A\xff]\nb\xe2\x82=\xe2\x82\n"),
            "A\u{fffd}|b\u{fffd}\u{fffd}|\u{fffd}\u{fffd}"
        );
        case("[A]\nb=c\0d", "A|b|c\0d");
    }

    #[test]
    fn a_line_is_too_long_if_the_buffer_shows_it() {
        let too_long = "error: line too long (max 2048 bytes)";
        let file = |start: usize, length: usize| {
            format!(
                "[A]\n{}\n{}\nc=d\n",
                "b=".to_owned() + &"x".repeat(start),
                "c=".to_owned() + &"y".repeat(length - 2)
            )
        };
        let verdict = |start, length| {
            let result = read(file(start, length).as_bytes());
            if result.starts_with("error") {
                result
            } else {
                "fine".to_owned()
            }
        };
        assert_eq!(verdict(10, 2047), "fine");
        assert_eq!(verdict(10, 2048), too_long);
        assert_eq!(verdict(10, 5000), too_long);
        // Near the end of the buffer nothing is noticed.
        let filled = format!("[A]\n{}", "b=c\n".repeat(600));
        assert!(FleetUnit::parse(&format!("{filled}c={}\n", "y".repeat(3000))).is_ok());
        let filled = format!("[A]\n{}", "b=c\n".repeat(400));
        assert_eq!(
            FleetUnit::parse(&format!("{filled}c={}\n", "y".repeat(3000))),
            Err(ParseError::LineTooLong)
        );
    }

    #[test]
    fn size_costs_no_more_than_its_share() {
        let many = format!("[A]\n{}", "b=c\n".repeat(100_000));
        assert_eq!(FleetUnit::parse(&many).unwrap().options.len(), 100_000);
        let before = "word ".repeat(200_000);
        assert_eq!(
            read(before.as_bytes()),
            "error: line too long (max 2048 bytes)"
        );
        let lines = format!("{}\n", "x".repeat(2000)).repeat(500);
        assert_eq!(read(lines.as_bytes()), "");
    }

    #[test]
    fn what_is_kept_is_known_without_reading_it_as_fleet_does() {
        let kept = "[Unit]\nA=b c\n\n[Service]\nB=\nC=d\n";
        assert!(is_plainly_canonical(kept) && keeps(kept));
        let wrapped = "[Service]\nExecStart=/a \\\n  b\n";
        assert!(!is_plainly_canonical(wrapped) && keeps(wrapped));
        for text in [
            "\n",
            "[A]\n",
            "[A]\nb=c",
            "[A]\nb=c\n\n",
            "[A]\nb=c\n\n\n[B]\nd=e\n",
            "[A]\nb=c\n[B]\nd=e\n",
            "[A]\nb=c\n\n[A]\nd=e\n",
            "[A]\n\nb=c\n",
            "[A]\n#b=c\n",
            "[A]\nb =c\n",
            "[A]\nb= c\n",
            "[A]\nb=c \n",
            "[A]\nb\n",
            "[A\nb=c\n",
        ] {
            assert!(!keeps(text), "{text:?}");
        }
    }
}
