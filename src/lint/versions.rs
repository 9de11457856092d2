//! What the machines' own systemd reads otherwise than the one that unitgen reads as.

use crate::lint::SYSTEMD_VERSION;
use crate::lint::command::Command;
use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::lint::subject::Subject;
use crate::unit::specifier::{Context, specifier_since};
use crate::unit::words::Privileges;

pub(in crate::lint) static RULES: [&Rule; 1] = [&NEWER];

static NEWER: Rule = Rule::error("U207", "a way of writing newer than the machines' systemd").because(
    "`--systemd` names the version on the machines, and it reads this line in another way. Prefixes: \
     `+` since 231, `!` since 235, `:` since 242. A command by its bare name since 239. Quotes within \
     a word since 221 in commands and since 233 in `Environment=`; before, they are a part of it. Of \
     the specifiers some are newer; up to 235 one that is not known stays in the text as it is.",
);

/// Finds what an older systemd reads in another way.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Findings) {
    let version = subject.options.systemd;
    if version >= SYSTEMD_VERSION {
        return;
    }
    for command in &subject.commands {
        prefix(command, version, found);
        for (index, word) in command.words.iter().enumerate() {
            let raw = &command.directive.value[word.range.clone()];
            let inner = raw.trim_matches(['"', '\'']);
            if version < 221 && index > 0 && inner.contains(['"', '\'']) && !inner.contains('\\') {
                let is_whole = raw.starts_with(['"', '\'']);
                if !is_whole {
                    newer(command, index, "quotes within a word", 221, version, found);
                }
            }
            specifiers(command, index, version, found);
        }
    }
}

fn prefix(command: &Command<'_>, version: u16, found: &mut Findings) {
    let prefix = command.prefix;
    let (what, since) = match prefix.privileges {
        _ if prefix.no_variables && version < 242 => ("the prefix `:`", 242),
        Privileges::Full if version < 231 => ("the prefix `+`", 231),
        Privileges::OwnUser | Privileges::OwnUserIfNeeded if version < 235 => {
            ("the prefix `!`", 235)
        }
        _ if !command.word(0).starts_with(['/', '%']) && version < 239 => {
            ("a command without its path", 239)
        }
        _ => return,
    };
    newer(command, 0, what, since, version, found);
}

fn specifiers(command: &Command<'_>, index: usize, version: u16, found: &mut Findings) {
    let text = command.word(index);
    let mut letters = text.chars();
    while letters.any(|c| c == '%') {
        let Some(letter) = letters.next() else { return };
        if let Some(since) = specifier_since(letter, Context::Full)
            && since > version
        {
            let what = format!("the specifier `%{letter}`");
            newer(command, index, &what, since, version, found);
        }
    }
}

fn newer(
    command: &Command<'_>,
    index: usize,
    what: &str,
    since: u16,
    version: u16,
    found: &mut Findings,
) {
    let message = format!("{what} came with systemd {since}");
    let label = format!("systemd {version} reads this in another way");
    found.push(Finding::new(&NEWER, command.range(index), message).label(label));
}
