//! `unitgen render`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Parser;
use serde_json::{Value, json};

use crate::commands::{Format, Invocation, Loaded};
use crate::diff::unified::unified;
use crate::error::{CommandError, Status};
use crate::files::{Change, Entry, UnitFolder};
use crate::name::AppName;
use crate::secrecy;
use crate::target;
use crate::unit::UnitFile;
use crate::unit::fleet;

/// Writes the units into a folder.
///
/// Files that are equal already are not touched. Files that carry unitgen's mark and that the
/// manifest no longer gives are removed; others are left alone.
#[derive(Debug, Parser)]
pub struct Args {
    /// Only these apps
    #[arg(value_name = "APP")]
    apps: Vec<String>,
    /// The folder, or `-` for standard output [default: `units` beside the manifest]
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Change nothing; show the differences and end with 1 if there are any
    #[arg(long)]
    check: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
///
/// # Errors
/// Says which file can't be read or written, or which app there is not.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let to_stdout = args.output.as_deref() == Some(Path::new("-"));
    if to_stdout && args.check {
        return Err(CommandError::trouble(
            "`--check` compares with a folder, and `-o -` names none",
        ));
    }
    let mut loaded = invocation.load()?;
    invocation.show(&loaded);
    if loaded.report.has_errors() {
        return Ok(Status::Trouble);
    }
    let selected = loaded.select(&args.apps)?;
    if to_stdout {
        let text = match args.format {
            Format::Text => concatenated(&loaded),
            Format::Json => pretty(&json_units(&loaded, &[])),
        };
        invocation.output.result(&text);
        return Ok(Status::Done);
    }
    let path = args
        .output
        .clone()
        .unwrap_or_else(|| invocation.folder().join("units"));
    let is_stale = |text: &str| is_stale(text, selected.as_deref());
    let units = loaded.desired.units.iter();
    let folder = UnitFolder {
        path: &path,
        wanted: units
            .map(|unit| (unit.name.as_str(), unit.text.as_str()))
            .collect(),
        is_stale: &is_stale,
    };
    let entries = if args.check {
        folder.compare()?
    } else {
        folder.write()?
    };
    let text = match args.format {
        Format::Text if args.check => differences(&entries, &folder),
        Format::Text => changes(&entries, &path),
        Format::Json => pretty(&json_units(&loaded, &entries)),
    };
    invocation.output.result(&text);
    let differs = entries
        .iter()
        .any(|entry| entry.change != Change::Unchanged);
    // As in `load`: the process ends here.
    std::mem::forget(loaded);
    Ok(if args.check && differs {
        Status::Found
    } else {
        Status::Done
    })
}

/// Tells whether an unwanted file is one of unitgen's own, of the selected apps.
fn is_stale(text: &str, selected: Option<&[AppName]>) -> bool {
    let file = UnitFile::parse(text);
    let directives = file.directives();
    let mark = directives
        .iter()
        .find(|d| &*d.section == target::MARK && d.name == "App");
    mark.is_some_and(|mark| {
        selected.is_none_or(|apps| apps.iter().any(|app| app.as_str() == mark.value))
    })
}

fn concatenated(loaded: &Loaded) -> String {
    let units = loaded.desired.units.iter();
    let texts: Vec<String> = units
        .map(|unit| format!("# {}\n{}", unit.name, unit.text))
        .collect();
    texts.join("\n")
}

fn word(change: Change) -> &'static str {
    match change {
        Change::Created => "created",
        Change::Changed => "changed",
        Change::Removed => "removed",
        Change::Unchanged => "unchanged",
    }
}

fn changes(entries: &[Entry], folder: &Path) -> String {
    let mut text = String::new();
    for entry in entries
        .iter()
        .filter(|entry| entry.change != Change::Unchanged)
    {
        let path = folder.join(&entry.name);
        let _ = writeln!(text, "{} {}", word(entry.change), path.display());
    }
    text + &count(entries)
}

fn count(entries: &[Entry]) -> String {
    let changes = [
        Change::Created,
        Change::Changed,
        Change::Removed,
        Change::Unchanged,
    ];
    let parts: Vec<String> = changes
        .into_iter()
        .map(|change| {
            (
                entries
                    .iter()
                    .filter(|entry| entry.change == change)
                    .count(),
                word(change),
            )
        })
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let total = entries
        .iter()
        .filter(|entry| entry.change != Change::Removed)
        .count();
    let noun = if total == 1 { "unit" } else { "units" };
    if parts.is_empty() {
        return format!("{total} {noun}\n");
    }
    format!("{total} {noun}: {}\n", parts.join(", "))
}

/// Shows what `render` would change, as a patch.
fn differences(entries: &[Entry], folder: &UnitFolder<'_>) -> String {
    let mut text = String::new();
    for entry in entries
        .iter()
        .filter(|entry| entry.change != Change::Unchanged)
    {
        let wanted = folder.wanted.iter().find(|(name, _)| *name == entry.name);
        let after = wanted.map_or("", |(_, text)| text);
        let before = entry.before.as_deref().unwrap_or_default();
        let path = folder.path.join(&entry.name).display().to_string();
        let old = if entry.change == Change::Created {
            "/dev/null"
        } else {
            &path
        };
        let new = if entry.change == Change::Removed {
            "/dev/null"
        } else {
            &path
        };
        let (before, after) = (secrecy::masked(before), secrecy::masked(after));
        text.push_str(&unified((old, &before), (new, &after)));
    }
    text + &count(entries)
}

fn json_units(loaded: &Loaded, entries: &[Entry]) -> Value {
    let units = loaded.desired.units.iter().map(|unit| {
        let entry = entries.binary_search_by(|entry| entry.name.as_str().cmp(unit.name.as_str()));
        let instances: Vec<&str> = unit.instances.iter().map(|i| i.unit.as_str()).collect();
        let place = loaded.sources.place(unit.span);
        json!({
            "name": unit.name.as_str(),
            "app": unit.app.as_str(),
            "change": entry.ok().map(|at| word(entries[at].change)),
            "hash": fleet::hash(&unit.text),
            "instances": instances,
            "state": unit.state.as_str(),
            "place": {"file": place.file, "line": place.line, "column": place.column},
            "text": unit.text,
        })
    });
    let units: Vec<Value> = units.collect();
    let removed = entries
        .iter()
        .filter(|entry| entry.change == Change::Removed);
    let removed: Vec<&str> = removed.map(|entry| entry.name.as_str()).collect();
    json!({"format_version": 1, "units": units, "removed": removed})
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
