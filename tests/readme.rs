//! The README says nothing that is not so: its commands run, its outputs are what they print, its
//! table of keys is the schema's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use unitgen::diagnostic::Severity;

use crate::delivery::deliver;
use crate::deploy_run::timeless;
use crate::etcd::Etcd;
use crate::fleet_server::{Fate, FleetServer};
use crate::fleetctl::{Fleetctl, Release};
use crate::test::Folder;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A cluster with more machines than usual, on which all runs that the manifest in a folder wants.
fn cluster(folder: &Path) -> FleetServer {
    let server = FleetServer::start();
    server.world(|world| {
        for number in 4..8 {
            let mut host = world.hosts[0].clone();
            host.id = format!("aaaa{number:04}{number:024}");
            world.hosts.push(host);
        }
    });
    let copy = Folder::new();
    copy.write(
        "services.yaml",
        fs::read(folder.join("services.yaml")).unwrap(),
    );
    deliver(server.endpoint(), copy);
    server
}

/// Lets a unit fail.
fn fail(server: &FleetServer, unit: &str) {
    server.world(|world| {
        let running = world
            .hosts
            .iter_mut()
            .find_map(|host| host.units.get_mut(unit));
        let running = running.unwrap();
        "failed".clone_into(&mut running.active);
        "failed".clone_into(&mut running.sub);
    });
}

/// Runs `unitgen` and returns what it prints on both streams.
fn unitgen(
    arguments: &str,
    folder: &Path,
    server: Option<&FleetServer>,
    etcd: Option<&Etcd>,
) -> String {
    let fleetctl = Fleetctl::new(Release::Current);
    let output = Command::new(env!("CARGO_BIN_EXE_unitgen"))
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .env_clear()
        .env("PATH", fleetctl.path())
        .env("UNITGEN_AUTHOR", "ann@desk")
        .envs(server.map(|server| ("FLEETCTL_ENDPOINT", server.endpoint())))
        .envs(etcd.map(|etcd| ("ETCDCTL_ENDPOINTS", &etcd.endpoint)))
        .output()
        .unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// Goes through the README block by block and writes it anew, with what the program prints now.
fn rewrite(readme: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut written = String::new();
    let mut lines = readme.lines().peekable();
    let mut purpose = String::new();
    let mut server = None;
    let mut etcd = None;
    while let Some(line) = lines.next() {
        written += &format!("{line}\n");
        if let Some(comment) = line.strip_prefix("<!-- ") {
            comment.trim_end_matches(" -->").clone_into(&mut purpose);
            if purpose == "cluster" {
                server = Some(cluster(folder.path()));
            }
            if purpose == "etcd" {
                etcd = Some(Etcd::start());
            }
            if let (Some(unit), Some(server)) = (purpose.strip_prefix("fails "), &server) {
                fail(server, unit);
            }
            if let (Some(broken), Some(server)) = (purpose.strip_prefix("breaks "), &server) {
                let (units, text) = broken.split_once(' ').unwrap();
                server.world(|world| world.fate(units, text, Fate::fails()));
            }
            if purpose == "keys" {
                while lines.next_if(|line| *line != "<!-- /keys -->").is_some() {}
                written += &keys();
            }
            if purpose == "diff-json" {
                while lines
                    .next_if(|line| *line != "<!-- /diff-json -->")
                    .is_some()
                {}
                written += &format!("\n{}\n", documented("json.rs", "The keys of an object"));
            }
            if purpose == "submit-json" {
                while lines
                    .next_if(|line| *line != "<!-- /submit-json -->")
                    .is_some()
                {}
                written += &format!("\n{}\n", documented("submit/events.rs", "Each event has"));
            }
            if purpose == "deploy-json" {
                while lines
                    .next_if(|line| *line != "<!-- /deploy-json -->")
                    .is_some()
                {}
                written += &format!("\n{}\n", documented("deploy/events.rs", "Each event has"));
            }
            if purpose == "codes" {
                while lines.next_if(|line| *line != "<!-- /codes -->").is_some() {}
                written += &codes();
            }
            if let Some(name) = purpose.strip_prefix("file ") {
                let mut text = String::new();
                while let Some(line) = lines.next_if(|line| *line != "-->") {
                    written += &format!("{line}\n");
                    text += &format!("{line}\n");
                }
                fs::write(folder.path().join(name), text).unwrap();
            }
            continue;
        }
        let Some(language) = line.strip_prefix("```").filter(|word| !word.is_empty()) else {
            continue;
        };
        let mut block = Vec::new();
        while let Some(line) = lines.next_if(|line| *line != "```") {
            block.push(line);
        }
        written += &match (language, purpose.as_str()) {
            ("console", _) => console(&block, folder.path(), server.as_ref(), etcd.as_ref()),
            ("yaml", "renders") => {
                let text = block.join("\n") + "\n";
                fs::write(folder.path().join("services.yaml"), &text).unwrap();
                unitgen("render", folder.path(), None, None);
                text
            }
            ("ini", purpose) if purpose.starts_with("unit ") => {
                let text = block.join("\n") + "\n";
                let name = purpose.trim_start_matches("unit ");
                fs::write(folder.path().join(name), &text).unwrap();
                text
            }
            ("ini", purpose) if purpose.starts_with("rendered ") => {
                let name = purpose.trim_start_matches("rendered ");
                fs::read_to_string(folder.path().join("units").join(name)).unwrap()
            }
            _ => block.iter().map(|line| format!("{line}\n")).collect(),
        };
        purpose.clear();
    }
    written
}

/// Runs the lines that begin with `$ unitgen`.
fn console(
    block: &[&str],
    folder: &Path,
    server: Option<&FleetServer>,
    etcd: Option<&Etcd>,
) -> String {
    let commands = block
        .iter()
        .filter_map(|line| line.strip_prefix("$ unitgen "));
    commands
        .map(|arguments| {
            let output = unitgen(arguments, folder, server, etcd);
            format!("$ unitgen {arguments}\n{}\n", output.trim_end())
        })
        .collect()
}

/// Returns the table of keys, from the schema.
fn keys() -> String {
    let schema = unitgen::schema::value();
    let properties = |name: &str| {
        schema["$defs"][name]["properties"]
            .as_object()
            .unwrap()
            .clone()
    };
    let settings = properties("Settings");
    let mut table = "| key | says |\n|---|---|\n".to_owned();
    let mut row = |name: &str, value: &Value| {
        let text = value["description"].as_str().unwrap().replace('\n', " ");
        table += &format!("| `{name}` | {} |\n", text.replace('|', "\\|"));
    };
    for (name, value) in properties("App")
        .iter()
        .filter(|(name, _)| !settings.contains_key(*name))
    {
        row(name, value);
    }
    for (name, value) in &settings {
        row(name, value);
    }
    table
}

/// Returns what a source says of its JSON, from a line on.
fn documented(file: &str, first: &str) -> String {
    let source = fs::read_to_string(root().join("src/tell").join(file)).unwrap();
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
    let keys = lines.skip_while(|line| !line.starts_with(first));
    keys.map(|line| format!("{line}\n")).collect()
}

/// Returns the table of codes, from the rules.
fn codes() -> String {
    let rows = unitgen::lint::rules().map(|rule| {
        let severity = match rule.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        format!("| {} | {severity} | {} |\n", rule.code, rule.title)
    });
    let rows: String = rows.collect();
    format!("\n| code | severity | finds |\n|---|---|---|\n{rows}\n")
}

#[test]
fn the_readme_holds() {
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let written = rewrite(&readme);
    if std::env::var_os("UPDATE").is_some() {
        // That only times are other ones is no reason to write it anew.
        if timeless(&readme) == timeless(&written) {
            return;
        }
        fs::write(&path, &written).unwrap();
        return;
    }
    let (readme, written) = (timeless(&readme), timeless(&written));
    assert_eq!(readme, written, "UPDATE=1 ./tests/run rewrites it");
}

#[test]
fn every_template_is_in_the_readme() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for entry in fs::read_dir(root().join("templates")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.split('.').next().unwrap().to_owned();
        assert!(readme.contains(&format!("| `{name}` |")), "{name}");
    }
}
