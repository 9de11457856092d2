//! The words within a value: taken apart as systemd does, and put together so
//! that systemd, old and new, and fleet read the same.
//!
//! In: the value of an `Exec…=` or `Environment=` directive. Out: commands,
//! words and assignments, unquoted and unescaped, specifiers and variables
//! still unexpanded. The inverse: one argument or assignment in, the text that
//! says exactly that out.
//!
//! It must not know sections, units or hosts, nor what a command does.

use std::borrow::Cow;
use std::fmt;

use crate::unit::parse::is_blank;
use crate::unit::unescape::{is_noncharacter, unescape_one};

/// Holds one command of an `Exec…=` line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// What stands before the path.
    pub prefix: Prefix,
    /// The path and the words after it; after an `@` the second word is what
    /// the process sees as its own name.
    pub words: Vec<Vec<u8>>,
    /// Whether a word has a backslash that starts no escape and is kept.
    pub unknown_escape: bool,
}

/// Holds the characters before a command's path, as meanings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prefix {
    /// `-`: a failure does not count.
    pub ignore_failure: bool,
    /// `@`: the next word is the process's own name.
    pub own_name: bool,
    /// `:`: variables are not replaced.
    pub no_variables: bool,
    /// `+`, `!` or `!!`.
    pub privileges: Privileges,
}

/// Tells with which of the unit's restrictions a command runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Privileges {
    /// No prefix: all of them.
    #[default]
    Restricted,
    /// `+`: none.
    Full,
    /// `!`: all but the change of user.
    OwnUser,
    /// `!!`: as `!`, where the kernel has no ambient capabilities.
    OwnUserIfNeeded,
}

/// Holds the words of an `Environment=` line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssignmentWords {
    /// The words systemd gets to see.
    pub words: Vec<Vec<u8>>,
    /// Why it drops the rest of the line, if it does.
    pub error: Option<WordError>,
}

/// Tells why a value cannot be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordError {
    /// A quote that is not closed.
    Unbalanced,
    /// A backslash that starts no escape, where none is tolerated.
    UnknownEscape,
    /// Prefix characters with no path after them.
    NoCommand,
}

impl fmt::Display for WordError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Unbalanced => "a quote is not closed",
            Self::UnknownEscape => "a backslash starts no known escape",
            Self::NoCommand => "there is no command after the prefix",
        })
    }
}

impl std::error::Error for WordError {}

impl Prefix {
    /// Splits an unquoted first word into its prefix and the path.
    #[must_use]
    pub fn split(word: &[u8]) -> (Self, &[u8]) {
        let mut prefix = Self::default();
        let mut rest = word;
        while let Some((byte, after)) = rest.split_first() {
            match (byte, prefix.privileges) {
                (b'-', _) if !prefix.ignore_failure => prefix.ignore_failure = true,
                (b'@', _) if !prefix.own_name => prefix.own_name = true,
                (b':', _) if !prefix.no_variables => prefix.no_variables = true,
                (b'+', Privileges::Restricted) => prefix.privileges = Privileges::Full,
                (b'!', Privileges::Restricted) => prefix.privileges = Privileges::OwnUser,
                (b'!', Privileges::OwnUser) => prefix.privileges = Privileges::OwnUserIfNeeded,
                _ => break,
            }
            rest = after;
        }
        (prefix, rest)
    }
}

/// Splits the value of an `Exec…=` directive into its commands; an empty
/// value has none and means that the earlier ones are forgotten.
///
/// # Errors
///
/// Returns why systemd refuses the line.
pub fn split_commands<T: AsRef<[u8]> + ?Sized>(value: &T) -> Result<Vec<Command>, WordError> {
    let mut line = ExecLine::new(value.as_ref());
    let mut commands = Vec::new();
    while let Some(first) = line.first_word()? {
        if first.text.as_ref() == b";" {
            continue;
        }
        let (prefix, path) = Prefix::split(&first.text);
        if path.is_empty() {
            return Err(WordError::NoCommand);
        }
        let mut command = Command {
            prefix,
            words: vec![path.to_vec()],
            unknown_escape: first.unknown_escape,
        };
        let mut separated = false;
        while let Some(next) = line.next_word()? {
            match next {
                ExecWord::Separator => {
                    separated = true;
                    break;
                }
                ExecWord::Argument(word) => {
                    command.unknown_escape |= word.unknown_escape;
                    command.words.push(word.text.into_owned());
                }
            }
        }
        commands.push(command);
        if !separated {
            break;
        }
    }
    Ok(commands)
}

/// Splits the value of an `Environment=` directive into words.
#[must_use]
pub fn split_assignments<T: AsRef<[u8]> + ?Sized>(value: &T) -> AssignmentWords {
    let mut rest = value.as_ref();
    let mut words = Vec::new();
    loop {
        match extract_word(&mut rest, Rules::STRICT) {
            Ok(Some(word)) => words.push(word.into_owned()),
            Ok(None) => return AssignmentWords { words, error: None },
            Err(error) => {
                return AssignmentWords {
                    words,
                    error: Some(error),
                };
            }
        }
    }
}

/// Splits a word at its first `=`; `None` if systemd takes it for no
/// assignment of a variable.
#[must_use]
pub fn split_assignment(word: &[u8]) -> Option<(&str, &str)> {
    let (name, value) = std::str::from_utf8(word).ok()?.split_once('=')?;
    (is_variable_name(name) && !value.chars().any(is_noncharacter)).then_some((name, value))
}

/// Tells whether systemd takes the text for a variable's name.
#[must_use]
pub fn is_variable_name(name: &str) -> bool {
    !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A word without its quotes and escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::unit) struct Word<'a> {
    pub(in crate::unit) text: Cow<'a, [u8]>,
    pub(in crate::unit) unknown_escape: bool,
}

/// What may follow the first word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::unit) enum ExecWord<'a> {
    Argument(Word<'a>),
    Separator,
}

/// The rest of an `Exec…=` value; words are taken from it one by one, because
/// systemd stops at the first one it cannot accept.
#[derive(Clone, Copy, Debug)]
pub(in crate::unit) struct ExecLine<'a> {
    rest: &'a [u8],
}

impl<'a> ExecLine<'a> {
    pub(in crate::unit) fn new(value: &'a [u8]) -> Self {
        Self { rest: value }
    }

    pub(in crate::unit) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Takes the first word of a command; a separator looks like any word.
    pub(in crate::unit) fn first_word(&mut self) -> Result<Option<Word<'a>>, WordError> {
        let start = self.rest;
        let (word, unknown_escape) = if let Ok(word) = extract_word(&mut self.rest, Rules::STRICT) {
            (word, false)
        } else {
            self.rest = start;
            (extract_word(&mut self.rest, Rules::TOLERANT)?, true)
        };
        Ok(word.map(|text| Word {
            text,
            unknown_escape,
        }))
    }

    /// Takes what comes after the first word.
    pub(in crate::unit) fn next_word(&mut self) -> Result<Option<ExecWord<'a>>, WordError> {
        // Looked for before unquoting: `";"` and `\;` are arguments.
        if let Some(after) = lone(self.rest, b";") {
            self.rest = after;
            return Ok(Some(ExecWord::Separator));
        }
        if let Some(after) = lone(self.rest, b"\\;") {
            self.rest = after;
            return Ok(Some(ExecWord::Argument(Word {
                text: Cow::Borrowed(b";"),
                unknown_escape: false,
            })));
        }
        Ok(self.first_word()?.map(ExecWord::Argument))
    }
}

fn lone<'a>(rest: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let after = rest.strip_prefix(word)?;
    match after.first() {
        None => Some(after),
        Some(&byte) if is_blank(byte) => Some(skip_blanks(after)),
        Some(_) => None,
    }
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|&byte| !is_blank(byte));
    start.map_or(&[], |start| &text[start..])
}

/// What a backslash does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escapes {
    /// It starts an escape, or the text is in error.
    Known,
    /// It starts an escape, or stands for itself.
    KnownOrKept,
    /// It stands for itself.
    Kept,
    /// It is dropped and the next character kept.
    Dropped,
}

/// How systemd splits one kind of list.
#[derive(Clone, Copy, Debug)]
pub(in crate::unit) struct Rules {
    quotes: bool,
    /// Whether a quote may stay open.
    open: bool,
    escapes: Escapes,
}

impl Rules {
    /// Exec lines and environments.
    pub(in crate::unit) const STRICT: Self = Self::quoted(Escapes::Known);
    /// Exec lines, at the second attempt.
    pub(in crate::unit) const TOLERANT: Self = Self::quoted(Escapes::KnownOrKept);
    /// Most other lists.
    pub(in crate::unit) const UNESCAPED: Self = Self::quoted(Escapes::Kept);
    /// Lists of unit names.
    pub(in crate::unit) const PLAIN: Self = Self {
        quotes: false,
        open: false,
        escapes: Escapes::Kept,
    };
    /// The value of a variable that is a word of its own.
    pub(in crate::unit) const VARIABLE: Self = Self {
        quotes: true,
        open: true,
        escapes: Escapes::Dropped,
    };

    const fn quoted(escapes: Escapes) -> Self {
        Self {
            quotes: true,
            open: false,
            escapes,
        }
    }
}

/// Takes the next word from a text, together with the blanks after it.
pub(in crate::unit) fn extract_word<'a>(
    rest: &mut &'a [u8],
    rules: Rules,
) -> Result<Option<Cow<'a, [u8]>>, WordError> {
    let text = skip_blanks(rest);
    if text.is_empty() {
        *rest = text;
        return Ok(None);
    }
    let special = text
        .iter()
        .position(|&byte| is_blank(byte) || matches!(byte, b'\\' | b'"' | b'\''))
        .unwrap_or(text.len());
    // Most words have no quotes and escapes, and stand for themselves.
    if special == text.len() || is_blank(text[special]) {
        *rest = skip_blanks(&text[special..]);
        return Ok(Some(Cow::Borrowed(&text[..special])));
    }
    let mut word = Vec::with_capacity(special + 16);
    word.extend_from_slice(&text[..special]);
    let mut quote = None;
    let mut index = special;
    while let Some(&byte) = text.get(index) {
        index += 1;
        match (byte, quote) {
            (b'\\', _) if rules.escapes != Escapes::Kept => {
                index += take_escape(&text[index..], rules, quote.is_some(), &mut word)?;
            }
            (b'"' | b'\'', None) if rules.quotes => quote = Some(byte),
            (_, Some(open)) if byte == open => quote = None,
            (_, None) if is_blank(byte) => {
                *rest = skip_blanks(&text[index..]);
                return Ok(Some(Cow::Owned(word)));
            }
            _ => word.push(byte),
        }
    }
    if quote.is_some() && !rules.open {
        return Err(WordError::Unbalanced);
    }
    *rest = &[];
    Ok(Some(Cow::Owned(word)))
}

/// Puts what the text after a backslash stands for into the word, and returns
/// how much of the text that took.
fn take_escape(
    after: &[u8],
    rules: Rules,
    quoted: bool,
    word: &mut Vec<u8>,
) -> Result<usize, WordError> {
    if rules.escapes != Escapes::Dropped
        && let Some((unescaped, length)) = unescape_one(after)
    {
        unescaped.push_to(word);
        return Ok(length);
    }
    match (rules.escapes, after.first()) {
        (Escapes::Known, _) => Err(WordError::UnknownEscape),
        (Escapes::KnownOrKept, None) if quoted => Err(WordError::Unbalanced),
        (Escapes::Dropped, None) => Ok(0),
        (Escapes::Dropped, Some(&byte)) => {
            word.push(byte);
            Ok(1)
        }
        (Escapes::Kept | Escapes::KnownOrKept, next) => {
            word.push(b'\\');
            word.extend(next);
            Ok(next.map_or(0, |_| 1))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes each command as its words in brackets.
    fn commands(value: &str) -> String {
        let words = |command: &Command| {
            let mut shown = String::new();
            for word in &command.words {
                shown.extend(["[", &String::from_utf8_lossy(word), "]"]);
            }
            shown
        };
        match split_commands(value) {
            Ok(commands) => commands
                .iter()
                .map(words)
                .collect::<Vec<_>>()
                .join(" then "),
            Err(error) => format!("error: {error}"),
        }
    }

    #[track_caller]
    fn case(value: &str, expected: &str) {
        assert_eq!(commands(value), expected, "{value}");
    }

    #[test]
    fn words_end_at_blanks() {
        case("/bin/a  b\tc", "[/bin/a][b][c]");
        case("/bin/a b\u{a0}c", "[/bin/a][b\u{a0}c]");
        case(
            "/bin/a > b && c | d #e * ~ {f,g}",
            "[/bin/a][>][b][&&][c][|][d][#e][*][~][{f,g}]",
        );
        case("", "");
    }

    #[test]
    fn quotes_group_anywhere_and_vanish() {
        case("/bin/a \"b c\" 'd e'", "[/bin/a][b c][d e]");
        case("/bin/a --b=\"c d\"e '' \"\"", "[/bin/a][--b=c de][][]");
        case("/bin/a \"it's\" 'a \"b\"'", "[/bin/a][it's][a \"b\"]");
        case("/bin/a \"b", "error: a quote is not closed");
        case("\"/bin/a", "error: a quote is not closed");
    }

    #[test]
    fn escapes_work_in_and_out_of_quotes() {
        case("/bin/a b\\tc 'd\\x41' \"\\\"\"", "[/bin/a][b\tc][dA][\"]");
        case("/bin/a \\101\\u00e9\\s", "[/bin/a][Aé ]");
        assert_eq!(split_commands("/bin/a \\xff").unwrap()[0].words[1], [0xff]);
    }

    #[test]
    fn unknown_escapes_are_kept_with_their_backslash() {
        case("/bin/a b\\ c", "[/bin/a][b\\ c]");
        case("/bin/a \\d\\x41 's/\\/x/'", "[/bin/a][\\dA][s/\\/x/]");
        case("/bin/a \\400 \\x4", "[/bin/a][\\400][\\x4]");
        case("/bin/a b\\", "[/bin/a][b\\]");
        case("/bin/a \"b\\", "error: a quote is not closed");
        let commands = split_commands("/bin/a b ; /bin/c \\d").unwrap();
        assert!(!commands[0].unknown_escape);
    }

    #[test]
    fn a_lone_semicolon_separates() {
        case("/bin/a b ; /bin/c d", "[/bin/a][b] then [/bin/c][d]");
        case("/bin/a ; ; /bin/c", "[/bin/a] then [/bin/c]");
        case("/bin/a b; c", "[/bin/a][b;][c]");
        case("/bin/a \\; \";\" ';' x", "[/bin/a][;][;][;][x]");
        case("; /bin/a ;", "[/bin/a]");
    }

    #[test]
    fn prefixes_stand_in_any_order_once_each() {
        #[track_caller]
        fn case(word: &str, path: &str, expected: Prefix) {
            assert_eq!(
                Prefix::split(word.as_bytes()),
                (expected, path.as_bytes()),
                "{word}"
            );
        }
        let none = Prefix::default();
        let ignore_failure = Prefix {
            ignore_failure: true,
            ..none
        };
        let privileges = |privileges| Prefix { privileges, ..none };
        case("/a", "/a", none);
        case("-/a", "/a", ignore_failure);
        case("--/a", "-/a", ignore_failure);
        case("+/a", "/a", privileges(Privileges::Full));
        case("!/a", "/a", privileges(Privileges::OwnUser));
        case("!!/a", "/a", privileges(Privileges::OwnUserIfNeeded));
        case("!!!/a", "!/a", privileges(Privileges::OwnUserIfNeeded));
        case("+!/a", "!/a", privileges(Privileges::Full));
        case("=/a", "=/a", none);
        case(
            ":-@+/a",
            "/a",
            Prefix {
                ignore_failure: true,
                own_name: true,
                no_variables: true,
                privileges: Privileges::Full,
            },
        );
        assert_eq!(commands("\"-/bin/a\" b"), "[/bin/a][b]");
        assert_eq!(
            commands("- /bin/a"),
            "error: there is no command after the prefix"
        );
    }

    #[test]
    fn assignments_end_at_the_first_bad_word() {
        #[track_caller]
        fn case(value: &str, expected: &[&str], error: Option<WordError>) {
            let result = split_assignments(value);
            let words: Vec<_> = result
                .words
                .iter()
                .map(|word| String::from_utf8_lossy(word))
                .collect();
            assert_eq!(words, expected, "{value}");
            assert_eq!(result.error, error, "{value}");
        }
        case("A=1 \"B=x y\" C='z w'", &["A=1", "B=x y", "C=z w"], None);
        case("A=1;B=2 ; C=a#b", &["A=1;B=2", ";", "C=a#b"], None);
        case("A=1 B=\\d C=3", &["A=1"], Some(WordError::UnknownEscape));
        case("A=1 \"B=2", &["A=1"], Some(WordError::Unbalanced));
        case("", &[], None);
    }

    #[test]
    fn assignments_need_a_name_and_text() {
        assert_eq!(split_assignment(b"A_1=b=c"), Some(("A_1", "b=c")));
        assert_eq!(
            split_assignment("A=é\u{1}".as_bytes()),
            Some(("A", "é\u{1}"))
        );
        for bad in ["A", "=b", "1A=b", "A-B=c", "é=b", "A=\u{fffe}"] {
            assert_eq!(split_assignment(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(split_assignment(b"A=\xff"), None);
    }
}
