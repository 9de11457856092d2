//! Characters that do something to others rather than being seen.
//!
//! In: a text that somebody else wrote and that is about to be shown. Out: the same, in which nothing
//! steers a terminal, turns the order of reading, or is a command to a program that reads a log.

/// Tells whether a character does something to others rather than being seen.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Makes such characters visible, but for line ends.
#[must_use]
pub fn plain(text: &str) -> String {
    // Workflows take this for a command wherever it stands in a line.
    let text = text.replace("##[", "#\u{fffd}[");
    text.replace(|c: char| c != '\n' && is_unseen(c), "\u{fffd}")
}

/// Does the same with a text that is to be part of a line: it begins no other one.
#[must_use]
pub fn line(text: &str) -> String {
    plain(text).replace('\n', "\u{fffd}")
}

/// Makes a text fit to begin a line: workflows take a line for a command that begins with two colons,
/// with blanks before them or not.
#[must_use]
pub fn line_start(text: &str) -> String {
    let text = line(text);
    let colons = text.len() - text.trim_start().len();
    if text[colons..].starts_with("::") {
        return format!("{}\u{fffd}{}", &text[..colons], &text[colons + 1..]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_steers() {
        assert_eq!(
            plain("a\u{1b}[31m\u{202e}b\nc"),
            "a\u{fffd}[31m\u{fffd}b\nc"
        );
        assert_eq!(plain("x ##[error]y"), "x #\u{fffd}[error]y");
        assert_eq!(line("a\n::b"), "a\u{fffd}::b");
        assert_eq!(line_start("::error::x"), "\u{fffd}:error::x");
        assert_eq!(line_start("  ::error::x"), "  \u{fffd}:error::x");
        assert_eq!(line_start("a::b"), "a::b");
    }
}
