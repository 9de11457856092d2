//! The variables of a unit: which it sets, which systemd sets, and where words refer to one.
//!
//! Knows no rule.

use std::collections::BTreeSet;

use crate::lint::subject::Subject;

/// What systemd 252 may set for a command on its own.
const SYSTEMD: [&str; 42] = [
    "BATCH_ID",
    "CACHE_DIRECTORY",
    "CONFIGURATION_DIRECTORY",
    "CREDENTIALS_DIRECTORY",
    "EXIT_CODE",
    "EXIT_STATUS",
    "FDSTORE",
    "HOME",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "LANG",
    "LANGUAGE",
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LOGNAME",
    "LOGS_DIRECTORY",
    "LOG_NAMESPACE",
    "MAINPID",
    "MANAGERPID",
    "MEMORY_PRESSURE_WATCH",
    "MEMORY_PRESSURE_WRITE",
    "MONITOR_EXIT_CODE",
    "MONITOR_EXIT_STATUS",
    "MONITOR_INVOCATION_ID",
    "MONITOR_SERVICE_RESULT",
    "MONITOR_UNIT",
    "NOTIFY_SOCKET",
    "PATH",
    "PIDFILE",
    "REMOTE_ADDR",
    "REMOTE_PORT",
    "RUNTIME_DIRECTORY",
    "SERVICE_RESULT",
    "SHELL",
    "STATE_DIRECTORY",
    "SYSTEMD_EXEC_PID",
    "TERM",
    "TRIGGER_PATH",
    "USER",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];

/// The variables of a unit.
pub(in crate::lint) struct Variables<'a> {
    given: BTreeSet<&'a str>,
    /// Whether others may come from where the unit's text does not tell.
    is_open: bool,
}

/// Where a word refers to a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lint) enum Reference<'a> {
    /// `${NAME}`, which systemd replaces.
    Braced(&'a str),
    /// `$NAME` within a word, which it does not.
    Bare(&'a str),
    /// `${NAME:-…}` and its like, which it does not.
    Modified(&'a str),
}

impl<'a> Variables<'a> {
    pub(in crate::lint) fn new(subject: &'a Subject<'_>) -> Self {
        let reading = &subject.reading;
        let assignments = reading.environment.iter();
        let names = assignments.filter_map(|assignment| assignment.split_once('='));
        let passes = ["PassEnvironment", "PAMName"];
        let mut directives = subject.directives.iter();
        Self {
            given: names.map(|(name, _)| name).collect(),
            is_open: !reading.environment_files.is_empty()
                || directives.any(|directive| passes.contains(&directive.name)),
        }
    }

    /// Tells whether the unit itself sets the variable.
    pub(in crate::lint) fn is_given(&self, name: &str) -> bool {
        self.given.contains(name)
    }

    /// Tells whether the variable is surely meant as one: it is set here, by systemd, or, to judge by
    /// its capitals, in a file.
    pub(in crate::lint) fn may_be_given(&self, name: &str) -> bool {
        let is_capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        self.is_given(name)
            || SYSTEMD.binary_search(&name).is_ok()
            || (self.is_open && name.len() > 1 && name.chars().all(is_capital))
    }

    /// Tells whether nothing can set the variable.
    pub(in crate::lint) fn is_unset(&self, name: &str) -> bool {
        !self.is_open && !self.is_given(name) && SYSTEMD.binary_search(&name).is_err()
    }
}

/// Tells whether a shell's script sets the variable.
pub(in crate::lint) fn is_set_by_script(script: &str, name: &str) -> bool {
    let is_end = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_');
    script.match_indices(name).any(|(at, _)| {
        let before = &script[..at];
        let after = &script[at + name.len()..];
        let word = before.trim_end();
        let is_loop = word.len() < before.len()
            && ["for", "read", "read -r", "export", "local"]
                .iter()
                .any(|keyword| word.ends_with(keyword))
            && is_end(after.chars().next());
        is_end(before.chars().next_back()) && (after.starts_with('=') || is_loop)
    })
}

/// Returns the variables that a word refers to, each time it does.
pub(in crate::lint) fn references(text: &str) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        // A doubled one is a plain character.
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
            continue;
        }
        let braced = rest.strip_prefix('{');
        let start = braced.unwrap_or(rest);
        let length = start
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count();
        let (name, after) = start.split_at(length);
        if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
            continue;
        }
        found.push(match (braced, after.starts_with('}')) {
            (Some(_), true) => Reference::Braced(name),
            (Some(_), false) => Reference::Modified(name),
            (None, _) => Reference::Bare(name),
        });
        rest = after;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_apart() {
        assert_eq!(
            references("a${B}c$D-$$E ${F:-g} $1 $(h) ${I"),
            [
                Reference::Braced("B"),
                Reference::Bare("D"),
                Reference::Modified("F"),
                Reference::Modified("I"),
            ]
        );
    }

    #[test]
    fn what_systemd_sets_is_sorted() {
        assert!(SYSTEMD.is_sorted());
    }
}
