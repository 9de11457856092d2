//! `heroku config --shell`: a line `NAME=value` for each variable.
//!
//! As the `quote` of heroku's CLI writes it (versions 7 to 11, `lib/config/quote`): a value without
//! anything special stands bare; one with a single quote or a line feed stands in double quotes, with
//! `\` before each of ``"\$`!`` and `\n` for a line feed; any other in single quotes. A value of several
//! quoted parts is taken as a shell takes it.
//!
//! Until July 2026 the CLI doubled backslashes within single quotes, which no shell undoes; since then it
//! does not. What stands there is taken as a shell reads it, with a warning where either may be meant.

use crate::config::import::draft::{Draft, beginning, lines};
use crate::config::import::shell::{Dialect, assignments};
use crate::config::variable::Name;

const DIALECT: Dialect = Dialect {
    several_in_a_line: false,
    line_feeds: true,
};

/// Reads a text.
pub(super) fn read(text: &[u8], draft: &mut Draft) {
    let from = beginning(text);
    for (at, line) in lines(text, from) {
        let Some(equals) = line.iter().position(|byte| *byte == b'=') else {
            continue;
        };
        let name = str::from_utf8(&line[..equals]).ok();
        if let (Some(Ok(name)), true) = (name.map(Name::new), is_doubled(&line[equals + 1..])) {
            let reason = format!(
                "`{name}` has nothing but doubled backslashes, which older versions of heroku's CLI \
                 wrote for single ones; they are taken as they stand (`heroku config --json` is exact)"
            );
            draft.warning(at, reason);
        }
    }
    assignments(text, from, DIALECT, draft);
}

/// Tells whether a word in single quotes has backslashes, and in pairs only.
fn is_doubled(word: &[u8]) -> bool {
    let mut runs = word.split(|byte| *byte != b'\\');
    word.starts_with(b"'") && word.contains(&b'\\') && runs.all(|run| run.len() % 2 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_backslashes_are_seen() {
        assert!(is_doubled(br"'a\\b\\\\'"));
        assert!(!is_doubled(br"'a\\b\c'"));
        assert!(!is_doubled(br#""a\\b""#));
        assert!(!is_doubled(b"'ab'"));
    }
}
