//! Text that says exactly what is meant: the inverse of `unit::words`.
//!
//! In: one argument, command path or environment assignment, as the process is
//! to receive it. Out: the text for the unit file. It is plain where it can be
//! and else one word in double quotes, which every systemd since 208 reads
//! alike and fleet keeps byte for byte.
//!
//! It must not know which value stands where, nor take text that is already
//! meant as systemd's.

use std::fmt;

use crate::unit::unescape::is_noncharacter;
use crate::unit::words::is_variable_name;

/// The longest name of a file.
const FILE_NAME_LIMIT: usize = 255;

/// The length a path has to stay below.
const PATH_LIMIT: usize = 4096;

/// Tells why something cannot be written into a unit file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuoteError {
    /// A NUL, which no argument or variable can hold.
    Nul,
    /// Not the name of a variable.
    VariableName(String),
    /// Bytes that are not UTF-8, or noncharacters, in a variable's value.
    NotText,
    /// A command that is not an absolute path.
    NotAbsolute,
    /// A command with a quote, a backslash, a control character or a `$`.
    CommandCharacter(char),
    /// A command that ends in a slash.
    Directory,
    /// A command whose path, or a part of it, is too long.
    PathTooLong,
    /// The word with this index does not fit into a line.
    WordTooLong(usize),
}

impl fmt::Display for QuoteError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nul => formatter.write_str("a NUL cannot be passed"),
            Self::VariableName(name) => write!(formatter, "`{name}` cannot be a variable's name"),
            Self::NotText => formatter.write_str("a variable's value must be text in UTF-8"),
            Self::NotAbsolute => formatter.write_str("a command must be an absolute path"),
            Self::CommandCharacter(character) => {
                write!(formatter, "a command's path cannot contain {character:?}")
            }
            Self::Directory => formatter.write_str("a command's path cannot end in a slash"),
            Self::PathTooLong => formatter.write_str("a command's path is too long"),
            Self::WordTooLong(_) => formatter.write_str("a word does not fit into one line"),
        }
    }
}

impl std::error::Error for QuoteError {}

/// Writes one argument of an `Exec…=` line; it is not for the first word.
///
/// # Errors
///
/// Returns `Nul` for an argument with a NUL in it.
pub fn quote_argument<T: AsRef<[u8]> + ?Sized>(value: &T) -> Result<String, QuoteError> {
    let value = value.as_ref();
    refuse_nul(value)?;
    if !value.is_empty() && value.iter().copied().all(is_plain) {
        return Ok(String::from_utf8_lossy(value).into_owned());
    }
    Ok(in_quotes("", value, Dollar::Doubled))
}

/// Writes the path of a command, the first word of an `Exec…=` line. No quotes
/// could keep a prefix character from being one there, and variables are never
/// replaced in it, so that it must be an absolute path without `$`.
///
/// # Errors
///
/// Returns why systemd would refuse the path or take it for another.
pub fn quote_command<T: AsRef<[u8]> + ?Sized>(path: &T) -> Result<String, QuoteError> {
    let path = path.as_ref();
    refuse_nul(path)?;
    if path.first() != Some(&b'/') {
        return Err(QuoteError::NotAbsolute);
    }
    let refused = |byte: &&u8| byte.is_ascii_control() || b"\"'\\$".contains(byte);
    if let Some(&byte) = path.iter().find(refused) {
        return Err(QuoteError::CommandCharacter(char::from(byte)));
    }
    if path.ends_with(b"/") {
        return Err(QuoteError::Directory);
    }
    let too_long = |part: &[u8]| part.len() > FILE_NAME_LIMIT;
    if path.len() >= PATH_LIMIT || path.split(|&byte| byte == b'/').any(too_long) {
        return Err(QuoteError::PathTooLong);
    }
    quote_argument(path)
}

/// Writes one word of an `Environment=` line, `NAME=value`. Variables are not
/// replaced there and `$` means nothing.
///
/// # Errors
///
/// Returns why systemd would drop the assignment.
pub fn quote_assignment<T: AsRef<[u8]> + ?Sized>(
    name: &str,
    value: &T,
) -> Result<String, QuoteError> {
    let value = value.as_ref();
    if !is_variable_name(name) {
        return Err(QuoteError::VariableName(name.to_owned()));
    }
    refuse_nul(value)?;
    match std::str::from_utf8(value) {
        Ok(text) if !text.chars().any(is_noncharacter) => {}
        _ => return Err(QuoteError::NotText),
    }
    let start = format!("{name}=");
    if value.iter().copied().all(is_plain) {
        return Ok(start + &String::from_utf8_lossy(value));
    }
    Ok(in_quotes(&start, value, Dollar::Kept))
}

/// Joins words to the value of the directive `key`, so that no physical line
/// has more than `limit` bytes: wrapped between words with ` \`, a line end
/// and two blanks.
///
/// # Errors
///
/// Returns the index of a word that does not fit into a line by itself.
pub fn join_wrapped(key: &str, words: &[String], limit: usize) -> Result<String, QuoteError> {
    const BREAK: &str = " \\\n ";
    // What a line needs after its last word in order to go on.
    const ROOM: usize = " \\".len();
    let mut value = String::new();
    let mut column = key.len() + 1;
    for (index, word) in words.iter().enumerate() {
        let last = index + 1 == words.len();
        let room = if last { 0 } else { ROOM };
        if index > 0 && column + 1 + word.len() + room > limit {
            value.push_str(BREAK);
            column = 1;
        }
        if index > 0 {
            value.push(' ');
            column += 1;
        }
        value.push_str(word);
        column += word.len();
        if column + room > limit {
            return Err(QuoteError::WordTooLong(index));
        }
    }
    Ok(value)
}

/// Refuses a value that would not come back from a unit file as it is.
///
/// # Errors
/// Says what would be lost.
pub fn check_value(value: &str) -> Result<(), String> {
    if let Some(stray) = value.chars().find(|c| matches!(c, '\n' | '\r' | '\0')) {
        return Err(format!(
            "a unit's value can't hold `{}`",
            stray.escape_debug()
        ));
    }
    // fleet trims what Unicode calls blank, systemd less.
    if value.trim() != value {
        return Err("white space at either end would not be kept".to_owned());
    }
    if value.ends_with('\\') {
        return Err("a `\\` at the end would swallow the next line".to_owned());
    }
    Ok(())
}

fn refuse_nul(value: &[u8]) -> Result<(), QuoteError> {
    if value.contains(&0) {
        Err(QuoteError::Nul)
    } else {
        Ok(())
    }
}

/// Tells whether a byte means nothing but itself to any reader, anywhere in a
/// word that is not a command's first.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_@+=:,./{}^~!?*&|<>()[]-".contains(&byte)
}

/// What becomes of a `$`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dollar {
    Doubled,
    Kept,
}

fn in_quotes(start: &str, value: &[u8], dollar: Dollar) -> String {
    let mut text = format!("\"{start}");
    for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\\' => text.extend(['\\', character]),
                '%' => text.push_str("%%"),
                '$' if dollar == Dollar::Doubled => text.push_str("$$"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                _ if needs_escape(character) => {
                    let mut buffer = [0; 4];
                    push_hexadecimal(&mut text, character.encode_utf8(&mut buffer).as_bytes());
                }
                _ => text.push(character),
            }
        }
        push_hexadecimal(&mut text, chunk.invalid());
    }
    text.push('"');
    text
}

/// Tells whether some reader of the file does not take the character for data:
/// control characters, blanks outside ASCII (fleet strips them) and
/// noncharacters (systemd refuses the file).
fn needs_escape(character: char) -> bool {
    character.is_control()
        || (character.is_whitespace() && character != ' ')
        || is_noncharacter(character)
}

fn push_hexadecimal(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
        text.extend(['\\', 'x', digit(byte >> 4), digit(byte & 15)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::words::{split_assignments, split_commands};

    #[track_caller]
    fn argument(value: &str, expected: &str) {
        assert_eq!(quote_argument(value).unwrap(), expected);
    }

    #[test]
    fn arguments_are_plain_where_they_can_be() {
        argument("--port=80", "--port=80");
        argument(
            "a{b,c}*?[d]|e&f<g>(h)!^~@+:/.",
            "a{b,c}*?[d]|e&f<g>(h)!^~@+:/.",
        );
        argument("-", "-");
        argument("", "\"\"");
        argument(";", "\";\"");
        argument("a;b", "\"a;b\"");
        argument("#a", "\"#a\"");
        argument("two words", "\"two words\"");
        argument("it's", "\"it's\"");
    }

    #[test]
    fn what_means_something_is_escaped() {
        argument("say \"a\\b\"", "\"say \\\"a\\\\b\\\"\"");
        argument("5%", "\"5%%\"");
        argument("$HOME ${X} $", "\"$$HOME $${X} $$\"");
        argument("a\nb\tc\rd", "\"a\\nb\\tc\\rd\"");
        argument("\u{1}\u{7f}\u{85}", "\"\\x01\\x7f\\xc2\\x85\"");
        argument("a\u{a0}b\u{2028}", "\"a\\xc2\\xa0b\\xe2\\x80\\xa8\"");
        argument(
            "\u{fdd0}\u{1ffff}",
            "\"\\xef\\xb7\\x90\\xf0\\x9f\\xbf\\xbf\"",
        );
        argument("café ☕", "\"café ☕\"");
        assert_eq!(quote_argument(b"a\xff b").unwrap(), "\"a\\xff b\"");
        assert_eq!(quote_argument("a\0b"), Err(QuoteError::Nul));
    }

    #[track_caller]
    fn refused(path: &str, error: &QuoteError) {
        assert_eq!(quote_command(path).as_ref(), Err(error), "{path}");
    }

    #[test]
    fn commands_cannot_gain_a_prefix() {
        assert_eq!(quote_command("/bin/a").unwrap(), "/bin/a");
        assert_eq!(
            quote_command("/opt/my app/50%").unwrap(),
            "\"/opt/my app/50%%\""
        );
        for path in ["", "a", "-a", "@/bin/a", "./a", "bin/a"] {
            refused(path, &QuoteError::NotAbsolute);
        }
        refused("/bin/", &QuoteError::Directory);
        refused("/bin/$A", &QuoteError::CommandCharacter('$'));
        refused("/bin/a'b", &QuoteError::CommandCharacter('\''));
        refused("/bin/\t", &QuoteError::CommandCharacter('\t'));
        refused(&format!("/{}", "a".repeat(256)), &QuoteError::PathTooLong);
        refused(&"/a".repeat(2048), &QuoteError::PathTooLong);
    }

    #[test]
    fn assignments_are_quoted_as_a_whole() {
        let quoted = |name, value| quote_assignment(name, value);
        assert_eq!(quoted("A", "b=c").unwrap(), "A=b=c");
        assert_eq!(quoted("A", "").unwrap(), "A=");
        assert_eq!(quoted("A", "b c").unwrap(), "\"A=b c\"");
        assert_eq!(quoted("A", "$B 5%").unwrap(), "\"A=$B 5%%\"");
        assert_eq!(quoted("A", "{\"b\": 1}").unwrap(), "\"A={\\\"b\\\": 1}\"");
        assert_eq!(quoted("A", "b\nc").unwrap(), "\"A=b\\nc\"");
        assert_eq!(
            quoted("1A", "b"),
            Err(QuoteError::VariableName("1A".to_owned()))
        );
        assert_eq!(
            quoted("", "b"),
            Err(QuoteError::VariableName(String::new()))
        );
        assert_eq!(quoted("A", "\u{fffe}"), Err(QuoteError::NotText));
        assert_eq!(quote_assignment("A", b"\xff"), Err(QuoteError::NotText));
        let text = quoted("A", "b \\ \"c\"").unwrap();
        assert_eq!(split_assignments(&text).words, [b"A=b \\ \"c\""]);
    }

    #[test]
    fn long_lines_are_wrapped_between_words() {
        let words: Vec<_> = ["/bin/a", "bbbb", "cccc", "dddd"].map(str::to_owned).into();
        let wrapped = |limit| join_wrapped("ExecStart", &words, limit);
        assert_eq!(wrapped(80).unwrap(), "/bin/a bbbb cccc dddd");
        assert_eq!(wrapped(31).unwrap(), "/bin/a bbbb cccc dddd");
        assert_eq!(wrapped(30).unwrap(), "/bin/a bbbb cccc \\\n  dddd");
        assert_eq!(wrapped(18).unwrap(), "/bin/a \\\n  bbbb cccc dddd");
        assert_eq!(wrapped(17), Err(QuoteError::WordTooLong(0)));
        assert_eq!(join_wrapped("A", &[], 10).unwrap(), "");
        for limit in 18..40 {
            let text = format!("ExecStart={}", wrapped(limit).unwrap());
            assert!(text.lines().all(|line| line.len() <= limit), "{text}");
            let joined = text["ExecStart=".len()..].replace("\\\n", " ");
            let read = split_commands(&joined).unwrap();
            assert_eq!(
                read[0].words,
                words.iter().map(String::as_bytes).collect::<Vec<_>>()
            );
        }
    }
}
