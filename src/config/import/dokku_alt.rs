//! What dokku-alt says of an app, in its three shapes.
//!
//! As `plugins/config/commands` of dokku-alt 0.3 writes them:
//!
//! - The file `ENV`: a line `export NAME=value` for each variable. `config:set` quotes nothing, and what
//!   goes into a container is the rest of the line as it stands (`docker create --env-file`). Until 0.3.8
//!   a shell read the same line at the start of what a buildpack built, so that values were given with a
//!   shell's quotes; a value that stands in quotes as a whole is taken without them, with a warning.
//! - `dokku config <app> --shell`: since 0.3.9 lines `export NAME=value` with the value as bash's
//!   `printf %q` quotes it (a backslash before each special character, or `$'…'`); before, words
//!   `NAME=value` in one line or several, with the quotes of the file.
//! - `dokku config <app>`: below `=== app config vars ===` a line `NAME:  value` for each variable, in
//!   columns. The program that made the columns (`column -t -s '|'`) took each `|` for the end of one.
//!
//! The file and the output of 0.3.9 look alike. They are told apart by all their lines: where each has
//! a backslash before all that bash would put one before, it is the output; otherwise it is the file.

use crate::config::import::draft::{Draft, beginning, is_blank, lines};
use crate::config::import::shell::{Dialect, assignments, behind_export, word};

const DIALECT: Dialect = Dialect {
    several_in_a_line: true,
    line_feeds: false,
};

/// Reads a text.
pub(super) fn read(text: &[u8], draft: &mut Draft) {
    let from = beginning(text);
    let mut filled = lines(text, from).filter(|(_, line)| !line.trim_ascii().is_empty());
    if filled
        .next()
        .is_some_and(|(_, line)| line.starts_with(b"==="))
    {
        return table(text, from, draft);
    }
    let exports = || lines(text, from).filter(|(_, line)| behind_export(line, 0) > 0);
    if exports().next().is_none() {
        return assignments(text, from, DIALECT, draft);
    }
    if exports().all(|(_, line)| is_quoted_by_bash(value(line))) {
        // A value of the file may look like one that bash quoted.
        if let Some((at, _)) = exports().find(|(_, line)| value(line).contains(&b'\\')) {
            let reason = "backslashes are read as those of `config --shell`; in an `ENV` file they \
                          would be a part of the value";
            draft.warning(at, reason.to_owned());
        }
        return assignments(text, from, DIALECT, draft);
    }
    for (at, line) in lines(text, from) {
        export(at, line, draft);
    }
}

/// Returns what stands behind a line's first `=`.
fn value(line: &[u8]) -> &[u8] {
    let equals = line.iter().position(|byte| *byte == b'=');
    equals.map_or(&[], |equals| &line[equals + 1..])
}

/// Tells whether a value may be one that bash's `printf %q` quoted.
fn is_quoted_by_bash(value: &[u8]) -> bool {
    if value == b"''" || value.starts_with(b"$'") {
        return word(value, 0, DIALECT).is_ok_and(|word| word.end == value.len());
    }
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        let stands = match byte {
            b'\\' => bytes.next().is_some(),
            _ => !b" \t'\"|&;()<>!{}*[]?^$`".contains(byte),
        };
        if !stands {
            return false;
        }
    }
    true
}

/// Reads a line of the file.
fn export(at: usize, line: &[u8], draft: &mut Draft) {
    if line.trim_ascii().is_empty() || line.starts_with(b"#") {
        return;
    }
    let start = behind_export(line, 0);
    let equals = line.iter().position(|byte| *byte == b'=');
    let (true, Some(equals)) = (start > 0, equals) else {
        draft.error(
            at,
            "this is not `export NAME=value`: dokku-alt drops it".to_owned(),
        );
        return;
    };
    let Some(name) = draft.name(at + start, &line[start..equals]) else {
        return;
    };
    let mut value = line[equals + 1..].to_vec();
    if value.starts_with(b"'") || value.starts_with(b"\"") {
        let word = word(&value, 0, DIALECT);
        if let Ok(word) = word.map_err(drop)
            && word.end == value.len()
        {
            let reason = format!(
                "`{name}` stands in quotes, which are taken off; dokku-alt since 0.3.9 hands them to \
                 the container"
            );
            draft.warning(at + equals + 1, reason);
            if let Some(place) = word.reference {
                draft.reference(at + equals + 1 + place, &name);
            }
            value = word.value;
        }
    }
    draft.set(at + start, name, value);
}

/// Reads a table.
fn table(text: &[u8], from: usize, draft: &mut Draft) {
    for (at, line) in lines(text, from) {
        if line.trim_ascii().is_empty() || line.starts_with(b"===") {
            continue;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            draft.error(at, "this is not `NAME:  value`".to_owned());
            continue;
        };
        let Some(name) = draft.name(at, &line[..colon]) else {
            continue;
        };
        let rest = &line[colon + 1..];
        let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
        if blanks == 0 && !rest.is_empty() {
            draft.error(
                at + colon,
                format!("`{name}`: there is no blank behind the colon"),
            );
            continue;
        }
        let value = &rest[blanks..];
        if value.windows(2).any(|pair| pair == b"  ") {
            let reason =
                format!("`{name}` has several blanks in a row: a table has them for a `|` too");
            draft.warning(at + colon + 1 + blanks, reason);
        }
        draft.set(at, name, value.to_vec());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bash_quotes_is_known_by_what_it_does_not_leave_bare() {
        for value in [
            "",
            "''",
            "a",
            "a\\ b",
            "http://h/\\?a=b\\&c",
            "$'a\\nb'",
            "a,b",
        ] {
            assert!(is_quoted_by_bash(value.as_bytes()), "{value}");
        }
        for value in ["a b", "\"a\"", "a?b", "a\\", "'a'", "$'a", "$'a' b", "$B"] {
            assert!(!is_quoted_by_bash(value.as_bytes()), "{value}");
        }
    }
}
