//! What `show` tells programs.
//!
//! In: what both programs make of a text. Out: one JSON value; bytes that are not UTF-8 are U+FFFD
//! in it. Knows nothing of where the text is from.

use serde_json::{Map, Value, json};

use crate::reading::{Changes, Readings, Rewrite, Stored};
use crate::unit::Directive;
use crate::unit::fleet::constraints::Constraints;
use crate::unit::systemd::Verdict;
use crate::unit::systemd::exec::ExecCommand;
use crate::unit::words::{Prefix, Privileges};

/// Returns all that is known of a unit, as one object.
pub(super) fn value(readings: &Readings, file: &str) -> Value {
    let Readings {
        name,
        entries,
        systemd,
        open_specifiers,
        fleet,
        name_error,
    } = readings;
    let by_key = |of_command: fn(&ExecCommand) -> Value| -> Value {
        let keys = systemd.commands.iter().map(|(key, commands)| {
            let values: Vec<Value> = commands.iter().map(of_command).collect();
            ((*key).to_owned(), Value::from(values))
        });
        keys.collect::<Map<_, _>>().into()
    };
    let rejection = entries.as_ref().err();
    let rejection = rejection.map(|rejection| {
        let reason = rejection.reason.to_string();
        json!({"line": rejection.line, "reason": reason})
    });
    let warnings = systemd.warnings.iter();
    let warnings: Vec<Value> = warnings
        .map(|warning| json!([warning.line, warning.text]))
        .collect();
    let open: Vec<String> = open_specifiers
        .iter()
        .map(|letter| format!("%{letter}"))
        .collect();
    let mut fleet = match fleet {
        Ok(stored) => of_fleet(stored),
        Err(error) => json!({"parse_error": error.to_string()}),
    };
    fleet["name_error"] = Value::from(name_error.as_ref().map(ToString::to_string));
    json!({
        "format_version": 1,
        "file": file,
        "name": name.as_str(),
        "load": word(systemd.verdict),
        "warnings": warnings,
        "rejection": rejection,
        "entries": entries.as_ref().ok().map(|entries| triples(entries)),
        "argv": by_key(argv),
        "commands": by_key(how_it_runs),
        "environment": systemd.environment,
        "environment_files": systemd.environment_files,
        "settings": settings(readings),
        "open_specifiers": open,
        "fleet": fleet,
    })
}

/// Returns systemd's own word for what became of a unit.
fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Loaded => "loaded",
        Verdict::BadSetting => "bad-setting",
        Verdict::Error => "error",
        Verdict::Masked => "masked",
    }
}

fn triples(directives: &[Directive]) -> Vec<Value> {
    let triple = |one: &Directive| json!([&*one.section, one.name, one.value]);
    directives.iter().map(triple).collect()
}

fn argv(command: &ExecCommand) -> Value {
    let words = command.argv.iter();
    words.map(|word| String::from_utf8_lossy(word)).collect()
}

/// Returns what the argument list does not say of a command.
fn how_it_runs(command: &ExecCommand) -> Value {
    let ExecCommand {
        prefix,
        path,
        argv: _,
    } = command;
    json!({"path": String::from_utf8_lossy(path), "prefix": characters(*prefix)})
}

/// Returns the characters before a command's path.
fn characters(prefix: Prefix) -> String {
    let Prefix {
        ignore_failure,
        own_name,
        no_variables,
        privileges,
    } = prefix;
    let flags = [
        (ignore_failure, "-"),
        (own_name, "@"),
        (no_variables, ":"),
        (privileges == Privileges::Full, "+"),
        (privileges == Privileges::OwnUser, "!"),
        (privileges == Privileges::OwnUserIfNeeded, "!!"),
    ];
    let set = flags.into_iter().filter(|(is_set, _)| *is_set);
    set.map(|(_, characters)| characters).collect()
}

fn settings(readings: &Readings) -> Value {
    let mut sections = json!({});
    for (section, name, value) in readings.settings() {
        sections[section][name] = Value::from(value);
    }
    sections
}

fn of_fleet(stored: &Stored) -> Value {
    let Stored {
        unit,
        canonical,
        hash,
        is_as_given,
        constraints,
        refusal,
        rewrite,
        constraint_changes,
    } = stored;
    let Constraints {
        conflicts,
        replaces,
        peers,
        metadata,
        machine_id,
        global,
        unknown,
    } = constraints;
    let options: Vec<Value> = unit
        .options
        .iter()
        .map(|option| json!([&*option.section, option.name, option.value]))
        .collect();
    let (lost, gained) = match rewrite {
        Rewrite::Changed(changes) => (triples(&changes.lost), triples(&changes.gained)),
        Rewrite::Same | Rewrite::Refused(_) | Rewrite::Readable => (Vec::new(), Vec::new()),
    };
    json!({
        "options": options,
        "canonical": canonical,
        "hash": hash,
        "stored_as_given": is_as_given,
        "refusal": refusal,
        "reads_the_same": *rewrite == Rewrite::Same,
        "lost": lost,
        "gained": gained,
        "constraints_as_written": constraint_changes.as_ref().map(Changes::is_empty),
        "constraints": {
            "conflicts": conflicts,
            "global": global,
            "machine_id": machine_id,
            "metadata": metadata,
            "peers": peers,
            "replaces": replaces,
            "unknown": unknown,
        },
    })
}
