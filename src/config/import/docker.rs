//! docker's env-file: lines `NAME=value`.
//!
//! As `pkg/kvfile` of docker's CLI 28 reads it: everything behind the first `=` is the value, with its quotes, blanks and backslashes; a line that
//! begins with `#`, after blanks or not, is a comment; a carriage return before a line feed belongs to
//! the line end. A name alone stands for a variable of docker's own environment, which nobody has here.

use crate::config::import::draft::{Draft, beginning, lines};

/// Reads a text.
pub(super) fn read(text: &[u8], draft: &mut Draft) {
    for (at, line) in lines(text, beginning(text)) {
        if let Some(error) = str::from_utf8(line).err() {
            let place = at + error.valid_up_to();
            draft.error(place, "this is not UTF-8, which docker refuses".to_owned());
            continue;
        }
        // docker takes all that Unicode calls a space from a line's beginning.
        let filled = str::from_utf8(line).unwrap_or_default().trim_start();
        let at = at + line.len() - filled.len();
        if filled.is_empty() || filled.starts_with('#') {
            continue;
        }
        let Some((name, value)) = filled.split_once('=') else {
            // Not shown: it may be the second line of a value.
            let reason = "a name without `=` takes its value from docker's own environment, which is \
                          not known here";
            draft.error(at, reason.to_owned());
            continue;
        };
        if let Some(name) = draft.name(at, name.as_bytes()) {
            draft.set(at, name, value.as_bytes().to_vec());
        }
    }
}
