//! Every rendered unit before systemd itself: `systemd-analyze verify` in a root of its own, in which
//! all that the units name is there and nothing else.
//!
//! `./tests/run` puts a `systemd-analyze` on the path; nothing of the machine's own units is read.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use unitgen::unit::UnitFile;
use unitgen::unit::words::split_commands;

use crate::golden::{cases, tree};
use crate::test::{Folder, names};

const UNITS: &str = "etc/systemd/system";

/// What units name without saying so, and what samples name.
const TARGETS: [&str; 6] = ["sysinit", "basic", "shutdown", "timers", "sockets", "paths"];

/// Directives that name other units.
const REFERENCES: [&str; 9] = [
    "After",
    "Before",
    "BindsTo",
    "OnFailure",
    "PartOf",
    "Requires",
    "Requisite",
    "WantedBy",
    "Wants",
];

/// A root with units and stubs for all that they name.
fn root(units: &Path) -> Folder {
    let root = Folder::new();
    let put = |name: &str, text: &str| root.write(&format!("{UNITS}/{name}"), text);
    for (name, text) in tree(units) {
        put(&name, &text);
    }
    for target in TARGETS {
        put(&format!("{target}.target"), "[Unit]\n");
    }
    let mut programs = BTreeSet::from(["/bin/true".to_owned()]);
    let mut others = BTreeSet::new();
    for text in tree(units).values() {
        for directive in UnitFile::parse(text).directives() {
            if directive.name.starts_with("Exec") {
                let commands = split_commands(&directive.value).unwrap();
                let path = |words: &[Vec<u8>]| String::from_utf8(words[0].clone()).unwrap();
                programs.extend(commands.iter().map(|command| path(&command.words)));
            } else if REFERENCES.contains(&directive.name.as_str()) {
                let names = directive.value.split_whitespace();
                others.extend(names.filter(|name| !name.contains('%')).map(str::to_owned));
            }
        }
    }
    for program in programs.iter().filter(|path| path.starts_with('/')) {
        root.write(&program[1..], "#!/bin/sh\n");
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(root.path(&program[1..]), mode).unwrap();
    }
    for name in others {
        let text = match name.rsplit_once('.') {
            Some((_, "service")) => "[Service]\nExecStart=/bin/true\n",
            _ => "[Unit]\n",
        };
        if !root.path(UNITS).join(&name).exists() {
            put(&name, text);
        }
    }
    root
}

/// Returns what systemd has to say about all units of a folder; nothing, if they are good.
fn complaints(units: &Path) -> String {
    let root = root(units);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let output = Command::new("systemd-analyze")
        .args(["verify", "--man=no", "--recursive-errors=yes"])
        .arg(format!("--root={}", root.path("").display()))
        .args(names(units))
        .env_clear()
        .env("PATH", path)
        .output()
        .unwrap_or_else(|error| panic!("systemd-analyze: {error}: run `./tests/run`"));
    let mut text = String::from_utf8_lossy(&output.stderr).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stdout));
    if output.status.success() && text.is_empty() {
        return String::new();
    }
    format!("{}, {}:\n{text}", units.display(), output.status)
}

/// Returns all folders of units that are to be good.
fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = cases()
        .iter()
        // What is rendered with a warning, systemd warns of, too.
        .filter(|case| !case.join("expect.stderr").exists())
        .map(|case| case.join("expect"))
        .collect();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("services");
    folders.push(samples.join("units"));
    let history = samples.join("history");
    folders.extend(
        names(&history)
            .iter()
            .map(|name| history.join(name).join("units")),
    );
    folders.retain(|folder| !names(folder).is_empty());
    folders
}

#[test]
fn systemd_has_nothing_against_any_unit() {
    let complaints: String = folders().iter().map(|folder| complaints(folder)).collect();
    assert!(complaints.is_empty(), "{complaints}");
}

#[test]
fn a_bad_unit_would_be_found() {
    let folder = Folder::new();
    folder.write(
        "units/a.service",
        "[Service]\nExecStart=/bin/true\nRestrat=no\n",
    );
    let found = complaints(&folder.path("units"));
    let lines: Vec<&str> = found.lines().skip(1).collect();
    assert_eq!(lines.len(), 1, "{found}");
    assert!(lines[0].ends_with("Unknown key 'Restrat' in section [Service], ignoring."));
}
