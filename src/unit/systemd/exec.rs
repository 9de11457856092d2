//! The commands of `Exec…=` directives.
//!
//! In: a value and the commands so far. Out: the commands after it, with their
//! arguments as they are before variables are replaced, or a fatal error.
//!
//! It must not know which directive it is, nor what is installed.

use crate::unit::specifier::{Context, SpecifierError, expand, is_open};
use crate::unit::systemd::complaint::Complaint;
use crate::unit::systemd::value::{Outcome, Place};
use crate::unit::systemd::{path, shown};
use crate::unit::words::{ExecLine, ExecWord, Prefix, Word};

/// Holds one command, ready to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecCommand {
    /// What stands before the path.
    pub prefix: Prefix,
    /// The file that is executed.
    pub path: Vec<u8>,
    /// What the process gets, its own name first; specifiers are expanded,
    /// variables are not.
    pub argv: Vec<Vec<u8>>,
}

/// What is wrong with a command. Where its failure does not count, the complaint says between the two
/// parts that it is ignored.
struct Fault {
    complaint: Complaint,
    what: String,
    detail: String,
}

impl Fault {
    fn new(complaint: Complaint, what: &str, detail: &str) -> Self {
        Self {
            complaint,
            what: what.to_owned(),
            detail: detail.to_owned(),
        }
    }
}

/// Said of a quote, whether the command is dropped or the unit refused.
const QUOTING: &str = "Unbalanced quoting, ignoring";

/// Adds the commands of one value; an empty value forgets all before.
pub(super) fn assign(
    value: &[u8],
    place: &mut Place<'_>,
    commands: &mut Vec<ExecCommand>,
) -> Outcome {
    if value.is_empty() {
        commands.clear();
        return Outcome::Dropped;
    }
    let mut line = ExecLine::new(value);
    loop {
        let start = line.rest();
        let first = match line.first_word() {
            Ok(Some(word)) => word,
            Ok(None) => return Outcome::Dropped,
            Err(_) => {
                // Not fatal here: the line is ignored.
                place.warn(
                    Complaint::Quoting,
                    format!("Unbalanced quoting, ignoring: \"{}\"", shown(start)),
                );
                return Outcome::Dropped;
            }
        };
        warn_of_escapes(&first, place);
        if first.text.as_ref() == b";" {
            continue;
        }
        let (prefix, path) = Prefix::split(&first.text);
        match command(prefix, path, start, &mut line, place) {
            Ok((command, separated)) => {
                commands.push(command);
                if !separated {
                    return Outcome::Dropped;
                }
            }
            Err(fault) => {
                let says_so = prefix.ignore_failure && fault.complaint != Complaint::Quoting;
                let ending = if says_so { ", ignoring: " } else { ": " };
                let text = [&fault.what, ending, &fault.detail].concat();
                place.warn(fault.complaint, text);
                return if prefix.ignore_failure {
                    Outcome::Dropped
                } else {
                    Outcome::Fatal
                };
            }
        }
    }
}

/// Reads the rest of a command, and tells whether another one follows.
fn command(
    prefix: Prefix,
    path: &[u8],
    start: &[u8],
    line: &mut ExecLine<'_>,
    place: &mut Place<'_>,
) -> Result<(ExecCommand, bool), Fault> {
    let unresolved = |word: &[u8], error: SpecifierError| {
        let word = shown(word);
        let what = format!("Failed to resolve unit specifiers in {word}");
        Fault::new(Complaint::Specifier, &what, error.errno_text())
    };
    let resolved = expand(path, Context::Path, place.unit, place.host)
        .map_err(|error| unresolved(path, error))?;
    let open = is_open(path, Context::Path, place.host);
    check_path(&resolved, open, start)?;
    let mut command = ExecCommand {
        prefix,
        path: path::simplify(&resolved),
        argv: if prefix.own_name {
            Vec::new()
        } else {
            vec![resolved]
        },
    };
    let mut separated = false;
    loop {
        let next = line.next_word().map_err(|_| {
            let detail = format!("\"{}\"", shown(start));
            Fault::new(Complaint::Quoting, QUOTING, &detail)
        })?;
        match next {
            None => break,
            Some(ExecWord::Separator) => {
                separated = true;
                break;
            }
            Some(ExecWord::Argument(word)) => {
                warn_of_escapes(&word, place);
                let argument = expand(&word.text, Context::Full, place.unit, place.host)
                    .map_err(|error| unresolved(&word.text, error))?;
                command.argv.push(argument);
            }
        }
    }
    if command.argv.is_empty() {
        let what = "Empty executable name or zeroeth argument";
        return Err(Fault::new(Complaint::Command, what, &shown(start)));
    }
    Ok((command, separated))
}

/// Checks the path of a command. One with an open specifier may turn out to be
/// absolute, or have fewer parts than it seems.
fn check_path(path: &[u8], open: bool, start: &[u8]) -> Result<(), Fault> {
    let fault = |what, detail: &str| Err(Fault::new(Complaint::Command, what, detail));
    if path.is_empty() {
        let detail = format!("'{}'", shown(start));
        fault("Empty path in command line", &detail)
    } else if !path::is_safe(path) {
        let what = "Executable name contains special characters";
        fault(what, &shown(path))
    } else if path.ends_with(b"/") {
        fault("Executable path specifies a directory", &shown(path))
    } else if open || (path::is_absolute(path) && path::is_valid(path)) || path::is_file_name(path)
    {
        Ok(())
    } else {
        let what = "Neither a valid executable name nor an absolute path";
        fault(what, &shown(path))
    }
}

fn warn_of_escapes(word: &Word<'_>, place: &mut Place<'_>) {
    if word.unknown_escape {
        let text = shown(&word.text);
        place.warn(
            Complaint::Escape,
            format!("Ignoring unknown escape sequences: \"{text}\""),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::name::UnitName;
    use crate::unit::specifier::Host;
    use crate::unit::words::Privileges;

    /// Returns the commands, how it ended, and how many warnings there were.
    fn assigned(value: &str) -> (Vec<ExecCommand>, Outcome, usize) {
        let mut warnings = Vec::new();
        let mut commands = Vec::new();
        let mut place = Place {
            unit: &UnitName::new("web@8080.service").unwrap(),
            host: &Host::unknown(),
            name: "ExecStart",
            line: 1,
            warnings: &mut warnings,
        };
        let outcome = assign(value.as_bytes(), &mut place, &mut commands);
        (commands, outcome, warnings.len())
    }

    #[track_caller]
    fn case(value: &str, expected: &str, warnings: usize) {
        let (commands, outcome, count) = assigned(value);
        let words = |command: &ExecCommand| {
            let words: Vec<_> = command.argv.iter().map(|word| shown(word)).collect();
            words.join("|")
        };
        let mut found = commands
            .iter()
            .map(words)
            .collect::<Vec<_>>()
            .join(" then ");
        if outcome == Outcome::Fatal {
            found.push_str(" fatal");
        }
        assert_eq!((found.as_str(), count), (expected, warnings), "{value}");
    }

    #[test]
    fn specifiers_are_expanded_in_each_word() {
        case(
            "/opt/%p/run --port %i --percent 5%%",
            "/opt/web/run|--port|8080|--percent|5%",
            0,
        );
        case("/bin/date +%F", " fatal", 1);
        case("-/bin/date +%F", "", 1);
        case("/bin/date +%%F", "/bin/date|+%F", 0);
        case("/bin/a ; /bin/b %Q", "/bin/a fatal", 1);
        case("%h/bin/a", "%h/bin/a", 0);
    }

    #[test]
    fn the_path_is_checked() {
        case("bare a", "bare|a", 0);
        case("./a", " fatal", 1);
        case("a/b", " fatal", 1);
        case("/bin/", " fatal", 1);
        case("/bin/a\\x22", " fatal", 1);
        case("=/bin/a", " fatal", 1);
        case("-a/b", "", 1);
        case("$A b", "$A|b", 0);
    }

    #[test]
    fn prefixes_need_a_path_and_a_name() {
        case("@/bin/a b c", "b|c", 0);
        case("@/bin/a", " fatal", 1);
        case("-@/bin/a", "", 1);
        case("- /bin/a", "", 1);
        case("@ /bin/a", " fatal", 1);
        let (commands, ..) = assigned("-+/bin//a/./b c");
        assert_eq!(commands[0].path, b"/bin/a/b");
        assert_eq!(commands[0].argv[0], b"/bin//a/./b");
        assert!(commands[0].prefix.ignore_failure);
        assert_eq!(commands[0].prefix.privileges, Privileges::Full);
    }

    #[test]
    fn open_quotes_are_fatal_but_in_the_first_word() {
        case("/bin/a \"b", " fatal", 1);
        case("-/bin/a \"b", "", 1);
        case("\"/bin/a b", "", 1);
        case("/bin/a b\\ c", "/bin/a|b\\ c", 1);
    }
}
