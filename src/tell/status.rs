//! A table of instances and what they do.
//!
//! In: the rows of an overview. Out: text for people, or JSON. Knows nothing of where it is written.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::overview::{Reason, Row};
use crate::state::{MachineId, SeenState, State, UnitState};
use crate::tell::paint::{BOLD, painted};
use crate::tell::{count, instance};
use crate::visible::{line, line_start};

const HEADINGS: [&str; 7] = [
    "APP", "PROCESS", "VERSION", "INSTANCE", "WANTED", "STATE", "MACHINE",
];

/// Writes the table, with the reasons below the rows that have any, and a last line that counts.
#[must_use]
pub fn text(rows: &[Row], bold: bool) -> String {
    let cells: Vec<[String; 7]> = rows.iter().map(cells).collect();
    let width = |column: usize| {
        let widths = cells.iter().map(|cells| cells[column].chars().count());
        widths
            .chain([HEADINGS[column].len()])
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..HEADINGS.len()).map(width).collect();
    let joined = |cells: &[String], last: &str| {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(&widths) {
            line.push_str(&format!("{cell:<width$}  "));
        }
        line.push_str(last);
        format!("{}\n", line.trim_end())
    };
    let mut text = String::new();
    if !rows.is_empty() {
        let heading = joined(&HEADINGS.map(str::to_owned), "TEXT");
        text.push_str(&painted(bold, BOLD, heading.trim_end()));
        text.push('\n');
    }
    for (row, cells) in rows.iter().zip(&cells) {
        text.push_str(&joined(cells, row.text.word()));
        for reason in &row.reasons {
            text.push_str(&format!("  ! {}\n", line(&words(reason))));
        }
    }
    text + &summary(rows) + "\n"
}

fn cells(row: &Row) -> [String; 7] {
    let none = || "-".to_owned();
    let version = row.version.as_ref().map_or_else(none, ToString::to_string);
    let machine = row
        .machine
        .as_ref()
        .map_or_else(none, |id| line(id.short()));
    [
        line_start(&row.app),
        line(&row.process),
        version,
        line(row.name.as_str()),
        row.wanted.map_or_else(none, |state| state.to_string()),
        row.state.as_ref().map_or_else(none, instance::systemd),
        machine,
    ]
}

fn words(reason: &Reason) -> String {
    match reason {
        Reason::Missing(None) => "fleet does not have it".to_owned(),
        Reason::Missing(Some(reason)) => {
            format!("fleet does not have it, and no machine could take it: {reason}")
        }
        Reason::Surplus => "the manifest does not want it".to_owned(),
        Reason::Told(SeenState::Known(state)) => format!("fleet was told that it is to be {state}"),
        Reason::Told(SeenState::Unknown(word)) => {
            format!("fleet was told `{word}`, which it does not know")
        }
        Reason::Unplaced(Some(reason)) => format!("no machine has it: {reason}"),
        Reason::Unplaced(None) => "no machine has it; fleet may find one yet".to_owned(),
        Reason::Silent(machine) => {
            format!("{} was given it and says nothing of it", machine.short())
        }
        Reason::MachineGone(machine) => format!("{} was given it and is gone", machine.short()),
        Reason::NotLoaded(load) => format!("systemd can't load it: {load}"),
        Reason::Failed => "it failed; `fleetctl journal` shows its last words".to_owned(),
        Reason::Restarting => {
            "it ends again and again; `fleetctl journal` shows its last words".to_owned()
        }
        Reason::NotRunning => "it should run and does not".to_owned(),
    }
}

fn summary(rows: &[Row]) -> String {
    // One that runs on every machine has several rows.
    let names = |rows: &mut dyn Iterator<Item = &Row>| {
        let names: BTreeSet<&str> = rows.map(|row| row.name.as_str()).collect();
        names.len()
    };
    let odd = names(&mut rows.iter().filter(|row| is_odd(row)));
    let all = count(names(&mut rows.iter()), "instance");
    if odd == 0 {
        return format!("{all}, all as they should be");
    }
    format!("{all}, {odd} not as they should be")
}

/// Tells whether there is anything to say of a row.
#[must_use]
pub fn is_odd(row: &Row) -> bool {
    !row.reasons.is_empty() || row.text == crate::overview::Text::Stale
}

/// Returns one value for programs.
#[must_use]
pub fn json(rows: &[Row]) -> Value {
    let state = |state: &UnitState| {
        let UnitState {
            hash,
            load,
            active,
            sub,
        } = state;
        json!({"hash": hash.as_str(), "load": load, "active": active, "sub": sub})
    };
    let row = |row: &Row| {
        let Row {
            app,
            process,
            version,
            name,
            wanted,
            told,
            machine,
            state: systemd,
            text,
            reasons,
        } = row;
        json!({
            "app": app,
            "process": process,
            "version": version.as_ref().map(ToString::to_string),
            "name": name.as_str(),
            "wanted": wanted.map(State::as_str),
            "told": told.as_ref().map(ToString::to_string),
            "machine": machine.as_ref().map(MachineId::as_str),
            "state": systemd.as_ref().map(state),
            "text": text.word(),
            "reasons": reasons.iter().map(words).collect::<Vec<_>>(),
        })
    };
    let instances: Vec<Value> = rows.iter().map(row).collect();
    json!({"format_version": 1, "instances": instances})
}
