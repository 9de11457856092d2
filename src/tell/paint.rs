//! Colours of a terminal. None carries a meaning alone.

/// What is gone or went wrong.
pub(super) const RED: &str = "\x1b[31m";
/// What is new or went well.
pub(super) const GREEN: &str = "\x1b[32m";
/// What is not as it should be.
pub(super) const YELLOW: &str = "\x1b[33m";
/// Names.
pub(super) const BOLD: &str = "\x1b[1m";
/// The part of a line that differs.
pub(super) const REVERSED: &str = "\x1b[7m";
/// The end of any of them.
pub(super) const END: &str = "\x1b[0m";

/// Writes a text in a colour, where colours are wanted.
pub(super) fn painted(is_colored: bool, color: &str, text: &str) -> String {
    if !is_colored || color.is_empty() || text.is_empty() {
        return text.to_owned();
    }
    format!("{color}{text}{END}")
}
