//! Which place of the manifest causes a difference.
//!
//! In: a process, and rows whose new values it gives. Out: the rows with the place of what was written
//! for each. What came out of a template's own text has no place but the process's. Knows nothing of
//! how a place is shown.

use crate::diff::directives::{Row, Section};
use crate::model::{Companion, CompanionKind, Container, Overlay, Process, Word, Work};
use crate::name::{UnitName, VariableName};
use crate::span::Span;
use crate::target;
use crate::unit::quote::quote_argument;

/// Finds the causes of all rows that differ.
pub fn find(process: &Process, unit: &UnitName, sections: &mut [Section]) {
    let companion = process
        .companions
        .iter()
        .find(|companion| companion.unit == *unit);
    for section in sections {
        for row in section.rows.iter_mut().filter(|row| row.differs()) {
            row.cause = overlaid(process, &section.name, row).or_else(|| match companion {
                Some(companion) => beside(process, companion, row),
                None => own(process, &section.name, row),
            });
        }
    }
}

/// Returns where the manifest gives, or takes away, a directive by its name.
fn overlaid(process: &Process, section: &str, row: &Row) -> Option<Span> {
    let overlays = process.overlays.iter();
    let mut overlays =
        overlays.filter(|overlay| overlay.section == section && overlay.name.value == row.name);
    let takes_away = |overlay: &&Overlay| {
        let values = overlay.values.as_ref();
        values.is_none_or(|values| values.first().is_some_and(|value| value.value.is_empty()))
    };
    let Some(after) = row.after() else {
        // A value that goes was taken away by name here, or was the template's own.
        return overlays.find(takes_away).map(|overlay| overlay.name.span);
    };
    overlays.find_map(|overlay| {
        let mut values = overlay.values.iter().flatten();
        values
            .find(|value| value.value == after)
            .map(|value| value.span)
    })
}

fn beside(process: &Process, companion: &Companion, row: &Row) -> Option<Span> {
    match &companion.kind {
        CompanionKind::Timer(_) if row.name == "OnCalendar" => Some(companion.span),
        CompanionKind::Announce(announce) if row.name == "ExecStart" => {
            // The port that it announces is that of the process, unless the announcement names one.
            let value = Word::Systemd(announce.value.clone());
            let port = process.machine_ports.first().map(|port| port.span);
            let is_value = gives(std::slice::from_ref(&value), row);
            port.filter(|_| is_value).or(Some(companion.span))
        }
        _ => None,
    }
}

fn own(process: &Process, section: &str, row: &Row) -> Option<Span> {
    let after = row.after()?;
    if section == target::SECTION && row.name == "Conflicts" {
        let mut conflicts = process.conflicts.iter();
        return conflicts
            .find(|pattern| pattern.value == after)
            .map(|pattern| pattern.span);
    }
    if let Work::Verbatim(text) = &process.work {
        return Some(text.span);
    }
    if row.name == "Environment" {
        return variable(process, after);
    }
    match &process.work {
        Work::Container(container)
            if matches!(row.name.as_str(), "TimeoutStopSec" | "ExecStop") =>
        {
            container.stop_span
        }
        Work::Container(container) if row.name == "ExecStart" => {
            option(container, row).or_else(|| request(process, row))
        }
        Work::Program(program) if row.name == "ExecStart" => {
            let is_given = gives(&program.words, row);
            is_given
                .then_some(program.span)
                .or_else(|| request(process, row))
        }
        _ => None,
    }
}

/// Returns where a variable is written that the command newly asks etcd for.
fn request(process: &Process, row: &Row) -> Option<Span> {
    let request = process.config.as_ref()?;
    let names = request.from.iter().map(|(name, _)| name);
    let mut names = request.required.iter().chain(names);
    let word = |name: &VariableName| Word::Systemd(name.as_str().to_owned());
    let keys = request.from.iter();
    let mut pairs = keys.map(|(name, key)| (name.span, format!("{}={key}", name.value)));
    let of_key = pairs.find(|(_, pair)| gives(&[Word::Systemd(pair.clone())], row));
    of_key.map(|(span, _)| span).or_else(|| {
        let name = names.find(|name| gives(&[word(&name.value)], row));
        name.map(|name| name.span)
    })
}

fn variable(process: &Process, after: &str) -> Option<Span> {
    let (name, _) = after.trim_start_matches('"').split_once('=')?;
    if let (Work::Container(container), "IMAGE") = (&process.work, name) {
        return Some(container.image.span);
    }
    let mut variables = process.environment.iter();
    variables
        .find(|variable| variable.name.as_str() == name)
        .map(|variable| variable.span)
}

/// Returns where the first word is written that a command has and had not.
fn option(container: &Container, row: &Row) -> Option<Span> {
    let mut options = container.options.iter();
    let option = options.find(|word| gives(std::slice::from_ref(&word.value), row));
    let from_command = || gives(&container.command, row).then_some(container.command_span);
    option
        .map(|word| word.span)
        .or_else(|| from_command().flatten())
}

/// Tells whether some of the words are new in a command.
fn gives(words: &[Word], row: &Row) -> bool {
    let (old, new) = (
        row.before().unwrap_or_default(),
        row.after().unwrap_or_default(),
    );
    words.iter().any(|word| {
        let text = match word {
            Word::Literal(text) => quote_argument(text).unwrap_or_default(),
            Word::Systemd(text) => text.clone(),
        };
        stands_in(&text, new) && !stands_in(&text, old)
    })
}

/// Tells whether a text stands in a command as words of its own.
fn stands_in(text: &str, command: &str) -> bool {
    let mut places = command.match_indices(text);
    places.any(|(at, _)| {
        let before = command[..at].chars().next_back();
        let after = command[at + text.len()..].chars().next();
        [before, after]
            .into_iter()
            .flatten()
            .all(char::is_whitespace)
    })
}
