//! Reads a rendered text again and holds it against what it should say.
//!
//! In: the lines that were meant and the text that was written. Out: a report of every difference
//! between the two as systemd and fleet read them. Knows nothing of how the text came about, and
//! shares no code with what escaped it.

use crate::diagnostic::{Diagnostic, Report};
use std::sync::LazyLock;

use crate::directive::is_command;
use crate::line::{Content, Line, Meaning, TOKEN};
use crate::name::UnitName;
use crate::render::LINE_LIMIT;
use crate::span::Span;
use crate::unit::fleet::{self, FleetUnit};
use crate::unit::name::UnitName as LoadedName;
use crate::unit::specifier::{Context, Host, expand};
use crate::unit::words::{Command, split_assignment, split_assignments, split_commands};
use crate::unit::{Assignment, UnitFile};

/// Reads `text` and reports whatever is not as `lines` mean it.
pub fn read_back(lines: &[Line], text: &str, unit: &UnitName, place: Span, report: &mut Report) {
    let parsed = UnitFile::parse(text);
    let mut found = parsed.assignments();
    for line in lines {
        let span = line.origin.span().unwrap_or(place);
        let result = match found.next() {
            Some(assignment) => compare(line, &assignment),
            None => Err("it would not be read at all".to_owned()),
        };
        if let Err(reason) = result {
            let shown: String = line.value.chars().take(200).collect();
            let message = format!("systemd would not take `{}={shown}`: {reason}", line.name);
            report.push(Diagnostic::error(span, message));
        }
    }
    if found.next().is_some() {
        let message = format!("`{unit}` would be read with more lines than it has");
        report.push(Diagnostic::error(place, message));
    }
    if text.lines().any(|line| line.len() >= LINE_LIMIT) {
        report.push(Diagnostic::error(
            place,
            format!("`{unit}` has a line over the limit"),
        ));
    }
    if !fleet::keeps(text) {
        let reason = match FleetUnit::parse(text) {
            Ok(_) => "fleet would not keep it as it is".to_owned(),
            Err(error) => format!("fleet would refuse it: {error}"),
        };
        report.push(Diagnostic::error(place, format!("`{unit}`: {reason}")));
    }
}

/// Compares a line as it was meant with what systemd reads in its place.
fn compare(line: &Line, found: &Assignment<'_>) -> Result<(), String> {
    let other = || Err("it would be read as another line".to_owned());
    if found.section != Some(line.section.as_bytes()) || found.name != line.name.as_bytes() {
        return other();
    }
    if found.value == line.value.as_bytes() {
        return if line.proven { Ok(()) } else { words(line) };
    }
    let value = String::from_utf8_lossy(found.value);
    if squeeze(&value) != squeeze(&line.value) {
        return other();
    }
    check_words(line, &value)
}

/// Reads a line's words and holds them against what they are to mean.
///
/// # Errors
/// Says what systemd would not take, or would take for something else.
pub fn words(content: &Content) -> Result<(), String> {
    check_words(content, &content.value)
}

/// A name by which specifiers are replaced: any instance does, for only its replacements differ.
static INSTANCE: LazyLock<Option<LoadedName>> =
    LazyLock::new(|| LoadedName::new("app-process@instance.service").ok());

/// Wrapping puts blanks where there was one.
fn squeeze(value: &str) -> String {
    let mut squeezed = String::with_capacity(value.len());
    for c in value.chars() {
        if c != ' ' || !squeezed.ends_with(' ') {
            squeezed.push(c);
        }
    }
    squeezed
}

fn check_words(line: &Content, value: &str) -> Result<(), String> {
    let is_exec = is_command(&line.section, &line.name);
    let is_environment = line.name == "Environment" && line.section == "Service";
    if !is_exec && !is_environment {
        return Ok(());
    }
    let found = if is_exec {
        let commands = commands(value)?;
        check_paths(&commands)?;
        arguments(&commands)?
    } else {
        variables(value)?
    };
    let Some(Meaning { pattern, values }) = &line.meaning else {
        return Ok(());
    };
    let wanted = if is_exec {
        arguments(&commands(pattern)?)?
    } else {
        variables(pattern)?
    };
    let wanted: Vec<Vec<u8>> = wanted
        .iter()
        .map(|word| substitute(word, values, is_exec))
        .collect();
    if found == wanted {
        return Ok(());
    }
    Err("it would be read as other words than those that are meant".to_owned())
}

/// Reads the commands of an `Exec` line.
fn commands(value: &str) -> Result<Vec<Command>, String> {
    let commands = split_commands(value).map_err(|error| error.to_string())?;
    if commands.iter().any(|command| command.unknown_escape) {
        return Err("it has an escape that systemd doesn't know".to_owned());
    }
    Ok(commands)
}

/// Refuses a program that systemd would have to look for, which old systemd does not.
fn check_paths(commands: &[Command]) -> Result<(), String> {
    let mut paths = commands.iter().map(|command| &command.words[0]);
    match paths.find(|path| !path.starts_with(b"/") && !path.starts_with(b"%")) {
        None => Ok(()),
        Some(path) => {
            let path = String::from_utf8_lossy(path);
            Err(format!("`{path}` is no absolute path"))
        }
    }
}

/// Returns all words of some commands, one after the other.
fn arguments(commands: &[Command]) -> Result<Vec<Vec<u8>>, String> {
    let words = commands.iter().flat_map(|command| &command.words);
    words.map(|word| specifiers(word, Context::Full)).collect()
}

/// Reads the words of an `Environment` line.
fn variables(value: &str) -> Result<Vec<Vec<u8>>, String> {
    let split = split_assignments(value);
    if let Some(error) = split.error {
        return Err(error.to_string());
    }
    let mut words = Vec::new();
    for word in &split.words {
        let word = specifiers(word, Context::Environment)?;
        if split_assignment(&word).is_none() {
            let shown = String::from_utf8_lossy(&word);
            return Err(format!("`{shown}` is no `NAME=value`"));
        }
        words.push(word);
    }
    Ok(words)
}

fn specifiers(word: &[u8], context: Context) -> Result<Vec<u8>, String> {
    match INSTANCE.as_ref() {
        Some(unit) if word.contains(&b'%') => {
            expand(word, context, unit, &Host::unknown()).map_err(|error| error.to_string())
        }
        _ => Ok(word.to_vec()),
    }
}

/// Puts the values where their tokens stand. In an `Exec` line a `$` is still doubled here.
fn substitute(word: &[u8], values: &[String], is_exec: bool) -> Vec<u8> {
    let text = String::from_utf8_lossy(word);
    let mut result = String::new();
    for (at, part) in text.split(TOKEN).enumerate() {
        let value = if at % 2 == 1 {
            part.parse::<usize>().ok()
        } else {
            None
        };
        match value.and_then(|index| values.get(index)) {
            Some(value) if is_exec => result.push_str(&value.replace('$', "$$")),
            Some(value) => result.push_str(value),
            None => result.push_str(part),
        }
    }
    result.into_bytes()
}
