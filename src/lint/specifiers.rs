//! Percent signs: what systemd replaces, refuses or leaves alone.

use crate::directive::{Form, form};
use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::lint::subject::{Directive, Subject};
use crate::unit::specifier::{Context, Host, expand};
use crate::unit::systemd::complaint::Complaint;

pub(in crate::lint) static RULES: [&Rule; 3] = [&UNKNOWN, &LONE, &FOREIGN];

static UNKNOWN: Rule = Rule::error("U303", "a specifier that systemd does not know")
    .because(
        "systemd replaces `%` and a letter in nearly all values. For a letter that it does not know \
         it refuses the unit in a command (with the prefix `-` it drops the command), and drops the \
         variable, the dependency or the value elsewhere. Up to systemd 235 such a text stayed as it \
         was. Write `%%` for a percent sign.",
    )
    .example(
        "[Service]\nExecStart=/bin/date +%F\n",
        "[Service]\nExecStart=/bin/date +%%F\n",
    );

static LONE: Rule = Rule::warning("U304", "a percent sign that stands alone")
    .because(
        "systemd leaves a `%` alone that no letter follows. It reads like a mistake, and becomes one \
         with the next edit: write `%%`.",
    )
    .example(
        "[Service]\nExecStart=/bin/watch --limit \"80% of all\"\n",
        "[Service]\nExecStart=/bin/watch --limit \"80%% of all\"\n",
    );

static FOREIGN: Rule = Rule::error("U305", "a specifier that is meant for another program")
    .because(
        "`date` and `printf` have formats of their own, but systemd reads the line first: `%m` \
         becomes the machine's id, `%s` the user's shell, `%d` a folder for credentials. Double each \
         percent sign that the program is to see.",
    )
    .example(
        "[Service]\nExecStart=/bin/sh -c \"/bin/date +%m\"\n",
        "[Service]\nExecStart=/bin/sh -c \"/bin/date +%%m\"\n",
    );

/// Finds percent signs that do not do what they look like.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Findings) {
    for warning in &subject.reading.warnings {
        if warning.complaint == Complaint::Specifier
            && let Some(directive) = subject.directive(warning.line)
        {
            unknown(subject, directive, warning.is_fatal, found);
        }
    }
    for directive in &subject.directives {
        if !directive.value.contains('%') {
            continue;
        }
        if found.is_full() {
            return;
        }
        match form(directive.section, directive.name) {
            Some(Form::Exec) => {
                lone(directive, found);
                let mut letters = signs(directive.value).filter_map(|(_, letter)| letter);
                if letters.any(is_foreign) {
                    foreign(subject, directive, found);
                }
            }
            Some(Form::Environment | Form::Text) => lone(directive, found),
            _ => {}
        }
    }
}

/// Returns each percent sign that is not doubled, with what follows it.
fn signs(value: &str) -> impl Iterator<Item = (usize, Option<char>)> {
    let mut skipped = 0;
    value.match_indices('%').filter_map(move |(at, _)| {
        if at < skipped {
            return None;
        }
        let next = value[at + 1..].chars().next();
        if next == Some('%') {
            skipped = at + 2;
            return None;
        }
        Some((at, next))
    })
}

fn unknown(subject: &Subject<'_>, directive: &Directive<'_>, is_fatal: bool, found: &mut Findings) {
    let context = match form(directive.section, directive.name) {
        Some(Form::Units | Form::Sockets | Form::Unit) => Context::UnitName,
        Some(Form::Environment) => Context::Environment,
        _ => Context::Full,
    };
    let mut is_placed = false;
    for (at, letter) in signs(directive.value) {
        let Some(letter) = letter.filter(char::is_ascii_alphanumeric) else {
            continue;
        };
        let text = format!("%{letter}");
        if expand(text.as_bytes(), context, subject.unit, &Host::unknown()).is_ok() {
            continue;
        }
        is_placed = true;
        let range = directive.range(at..at + 2);
        let message = format!("systemd knows no `{text}` in `{}`", directive.name);
        let finding = Finding::new(&UNKNOWN, range, message)
            .label(if is_fatal {
                "it refuses the unit"
            } else {
                "it drops what holds it"
            })
            .help(format!(
                "write `%{text}` if it is meant for another program"
            ));
        if !found.list.contains(&finding) {
            found.push(finding);
        }
    }
    if !is_placed {
        let message = format!("systemd can't replace a specifier in `{}`", directive.name);
        found.push(Finding::new(&UNKNOWN, directive.value_range(), message));
    }
}

fn lone(directive: &Directive<'_>, found: &mut Findings) {
    for (at, next) in signs(directive.value) {
        let is_lone = match next {
            None => true,
            // Behind a quote the word may go on.
            Some('"' | '\'') => directive.value[at + 2..]
                .chars()
                .next()
                .is_none_or(char::is_whitespace),
            Some(next) => !next.is_ascii_alphanumeric() && next != '\\',
        };
        if is_lone {
            let range = directive.range(at..at + 1);
            found.push(
                Finding::new(&LONE, range.clone(), "this percent sign stands alone")
                    .label("write `%%`")
                    .fix(range, "%%"),
            );
        }
    }
}

/// Programs that have a format of their own, and what begins it.
const FORMATS: [(&str, &str); 2] = [("date", "+"), ("printf", "")];

fn foreign(subject: &Subject<'_>, directive: &Directive<'_>, found: &mut Findings) {
    let value = directive.value;
    for (program, mark) in FORMATS {
        for (at, _) in value.match_indices(program) {
            let rest = &value[at + program.len()..];
            if !is_command_at(&value[..at]) || !rest.starts_with([' ', '\t']) {
                continue;
            }
            // The command ends where the shell's or the line does.
            let end = rest.find([';', '|', ')', '`', '&']).unwrap_or(rest.len());
            let Some(format) = rest[..end].find(mark) else {
                continue;
            };
            let start = at + program.len() + format;
            let replaced: Vec<(usize, char)> = signs(&value[start..at + program.len() + end])
                .filter_map(|(sign, letter)| Some((start + sign, letter?)))
                .filter(|(_, letter)| is_taken(*letter, subject))
                .collect();
            if let (Some((first, _)), Some((last, _))) = (replaced.first(), replaced.last()) {
                let letters: Vec<String> =
                    replaced.iter().map(|(_, l)| format!("`%{l}`")).collect();
                let letters = letters.join(" ");
                let message = format!("systemd replaces {letters} before `{program}` sees it");
                found.push(
                    Finding::new(&FOREIGN, directive.range(*first..last + 2), message)
                        .help("write `%%` for each `%` that the program is to see"),
                );
            }
        }
    }
}

/// Tells whether what follows a text, be it behind a folder, is a command rather than an argument.
fn is_command_at(before: &str) -> bool {
    let is_path = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let mut characters = before.char_indices().rev();
    let last = characters.find(|(_, c)| !is_path(*c));
    let folder = last.map_or(0, |(at, c)| at + c.len_utf8());
    let path = &before[folder..];
    let is_whole = path.is_empty() || path.ends_with('/');
    let before = before[..folder].trim_end();
    let follows = |word: &str| before.ends_with(word);
    is_whole
        && (before.is_empty()
            || before.ends_with(['(', '`', ';', '|', '&', '"', '\'', '@', ':', '!', '+'])
            || ["do", "then", "else", "exec"]
                .iter()
                .any(|word| follows(word)))
}

/// Tells whether a letter may belong to a format. What stands for the unit's own name may well be
/// meant.
fn is_foreign(letter: char) -> bool {
    letter.is_ascii_alphabetic() && !"iIpPnNH".contains(letter)
}

/// Tells whether systemd puts something in the place of a format's letter.
fn is_taken(letter: char, subject: &Subject<'_>) -> bool {
    let text = format!("%{letter}");
    let host = Host::unknown();
    is_foreign(letter) && expand(text.as_bytes(), Context::Full, subject.unit, &host).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_character_may_stand_before_a_program() {
        assert!(!is_command_at("$(a)\"\u{60925}"));
        assert!(is_command_at("é; /usr/bin/"));
    }
}
