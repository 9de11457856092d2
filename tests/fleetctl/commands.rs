//! The stand-in's commands, decision by decision as fleetctl takes them.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use unitgen::state::RegistryName;
use unitgen::unit::canonical;
use unitgen::unit::fleet::constraints::Constraints;
use unitgen::unit::fleet::{FleetUnit, hash};
use unitgen::unit::name::check_fleet_name;

use crate::fleetctl::Call;
use crate::fleetctl::flags::{COMMANDS, Flags};
use crate::fleetctl::listing;
use crate::fleetctl::server::Server;

/// The types of unit that a name is left to have.
const TYPES: [&str; 7] = [
    "automount",
    "device",
    "mount",
    "path",
    "service",
    "socket",
    "timer",
];

/// When the recorded log lines were written.
const TIME: &str = "2026/11/22 09:28:08";

pub(super) fn run(call: &mut Call, arguments: &[String]) -> i32 {
    let version = if call.is_old {
        "0.11.8"
    } else {
        "v1.0.0-15-g45224983"
    };
    let version = format!("fleetctl version {version}");
    if arguments.first().is_some_and(|word| word == "--version") {
        call.say(&version);
        return 0;
    }
    let flags = match Flags::read(call, arguments) {
        Ok(flags) => flags,
        Err(status) => return status,
    };
    let command = flags.command.clone().unwrap_or_default();
    if !COMMANDS.contains(&command.as_str()) {
        return unknown(call, &command);
    }
    if command == "version" {
        call.say(&version);
        return 0;
    }
    let server = match server(call, &flags) {
        Ok(server) => server,
        Err(reason) => {
            call.complain(&format!("Unable to initialize client: {reason}"));
            return 1;
        }
    };
    match command.as_str() {
        "submit" => submit(call, &flags, &server),
        "destroy" => destroy(call, &flags.operands, &server),
        _ if call.lies() => 0,
        "cat" => cat(call, &flags.operands, &server),
        _ => listing::list(call, &flags, &server),
    }
}

fn unknown(call: &mut Call, command: &str) -> i32 {
    if call.is_old {
        call.complain(&format!("fleetctl: unknown subcommand: {command:?}"));
        call.complain("Run 'fleetctl help' for usage.");
        return 2;
    }
    let complaint = format!("unknown command {command:?} for \"fleetctl\"");
    call.complain(&format!("Error: {complaint}"));
    call.complain("Run 'fleetctl --help' for usage.");
    call.complain(&format!("cannot execute cmdFleet: {complaint}"));
    0
}

fn server(call: &mut Call, flags: &Flags) -> Result<Server, String> {
    match flags.value("driver").as_deref() {
        None | Some("API" | "api") => {}
        Some(driver) => return Err(format!("unrecognized driver {driver:?}")),
    }
    if flags.value("tunnel").is_some() {
        return Err(
            "failed initializing SSH client: SSH_AUTH_SOCK environment variable is \
                    not set. Verify ssh-agent is running. See https://github.com/coreos/fleet/blob/\
                    master/Documentation/using-the-client.md for help."
                .to_owned(),
        );
    }
    let given = flags.value("endpoint");
    let given = given.unwrap_or_else(|| "unix:///var/run/fleet.sock".to_owned());
    let mut endpoint = given.as_str();
    if let Some((first, _)) = given.split_once(',') {
        call.complain(&format!(
            "{TIME} WARN fleetctl.go:332: multiple endpoints provided but only the first ({first}) \
             is used"
        ));
        endpoint = first;
    }
    if !endpoint.contains("://") {
        return Err(format!(
            "parse {endpoint:?}: first path segment in URL cannot contain colon"
        ));
    }
    Ok(Server {
        endpoint: endpoint.trim_end_matches('/').to_owned(),
    })
}

/// Adds the type that a name lacks.
fn typed(argument: &str) -> String {
    let ending = argument.rsplit_once('.').map_or("", |(_, ending)| ending);
    if TYPES.contains(&ending) {
        argument.to_owned()
    } else {
        format!("{argument}.service")
    }
}

fn name_of(argument: &str) -> String {
    let typed = typed(argument);
    typed.rsplit('/').next().unwrap_or_default().to_owned()
}

/// Returns the options of a unit as the server says them, and their hash.
pub(super) fn unit_of(unit: &Value) -> (Vec<(String, String, String)>, String) {
    let text = |option: &Value, key: &str| option[key].as_str().unwrap_or_default().to_owned();
    let options: Vec<_> = unit["options"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|option| {
            (
                text(option, "section"),
                text(option, "name"),
                text(option, "value"),
            )
        })
        .collect();
    let hash = hash(&canonical(&options));
    (options, hash)
}

fn submit(call: &mut Call, flags: &Flags, server: &Server) -> i32 {
    if flags.operands.is_empty() {
        call.complain("No units given");
        return 0;
    }
    let mut created = Vec::new();
    for argument in &flags.operands {
        call.next_unit();
        match create(call, argument, flags.has("replace"), server) {
            Ok(name) => created.extend(name),
            Err(error) => {
                call.complain(&format!("Error creating units: {error}"));
                return 1;
            }
        }
    }
    for name in created {
        let is_seen = |unit: &Value| unit["currentState"] == "inactive";
        while !call.lies()
            && !server
                .unit(&name)
                .is_ok_and(|unit| unit.is_some_and(|unit| is_seen(&unit)))
        {
            thread::sleep(Duration::from_millis(50));
        }
        call.say(&format!("Unit {name} inactive"));
    }
    0
}

/// Creates or replaces a unit, and returns its name where it did.
fn create(
    call: &mut Call,
    argument: &str,
    replace: bool,
    server: &Server,
) -> Result<Option<String>, String> {
    let (path, name) = (typed(argument), name_of(argument));
    if call.lies() {
        return Ok(Some(name));
    }
    let template = RegistryName::seen(&*name).template();
    let template = template.map(|template| template.as_str().to_owned());
    let retrieve = |name: &str| {
        server
            .unit(name)
            .map_err(|error| format!("error retrieving Unit({name}) from Registry: {error}"))
    };
    if let Some(unit) = retrieve(&name)? {
        let found = compare(call, &path, &name, &unit, replace, template.as_deref())?;
        let state = unit["desiredState"].as_str().unwrap_or_default();
        match found {
            Some(true) if replace && state == "inactive" => {}
            Some(true) if replace => {
                call.complain(&format!(
                    "Warning: can not replace Unit({name}) in state '{state}', use the appropriate \
                     command"
                ));
                return Ok(None);
            }
            Some(false) if replace => {
                call.say(&format!(
                    "Found same Unit({name}) in Registry, nothing to do"
                ));
                return Ok(None);
            }
            _ => return Ok(None),
        }
    }
    let unit = if Path::new(&path).exists() {
        read(&path).map_err(|error| format!("failed getting Unit({name}) from file: {error}"))?
    } else if let Some(template) = template {
        let from = format!("failed getting Unit({name}) from template: ");
        match retrieve(&template)? {
            Some(unit) => {
                compare(call, &path, &template, &unit, false, Some(&template))?;
                FleetUnit::parse(&canonical(&unit_of(&unit).0))
                    .map_err(|error| error.to_string())?
            }
            None if Path::new(&beside(&path, &template)).exists() => {
                read(&beside(&path, &template)).map_err(|error| format!("{from}{error}"))?
            }
            None => {
                return Err(format!(
                    "{from}unable to find template Unit({template}) in Registry or on filesystem"
                ));
            }
        }
    } else {
        return Err(format!(
            "unable to find Unit({name}) in Registry or on filesystem"
        ));
    };
    check(call, &name, &unit)?;
    server
        .put(&name, &unit)
        .map_err(|error| format!("failed creating unit {name}: {error}"))?;
    Ok(Some(name))
}

/// Tells whether a unit of the registry differs from the file of this name, where there is one.
fn compare(
    call: &mut Call,
    path: &str,
    name: &str,
    unit: &Value,
    replace: bool,
    template: Option<&str>,
) -> Result<Option<bool>, String> {
    let beside = template.map(|template| beside(path, template));
    let (file, kind) = match beside {
        _ if Path::new(path).exists() => (path.to_owned(), "unit file"),
        Some(file) if Path::new(&file).exists() => (file, "template unit file"),
        Some(file) if replace => return Err(format!("stat {file}: no such file or directory")),
        _ if replace => return Err(format!("stat {path}: no such file or directory")),
        _ => return Ok(None),
    };
    let local =
        read(&file).map_err(|error| format!("failed getting Unit({name}) from file: {error}"))?;
    let differs = local.hash() != unit_of(unit).1;
    if differs && !replace {
        let advice = if call.is_old {
            ""
        } else {
            ". Add --replace to override."
        };
        call.complain(&format!(
            "WARNING: Unit {name} in registry differs from local {kind} {path}{advice}"
        ));
    }
    Ok(Some(differs))
}

fn beside(path: &str, template: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, _)) => format!("{folder}/{template}"),
        None => template.to_owned(),
    }
}

fn read(path: &str) -> Result<FleetUnit, String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    FleetUnit::parse(&bytes).map_err(|error| error.to_string())
}

/// Checks what fleetctl checks by itself.
fn check(call: &mut Call, name: &str, unit: &FleetUnit) -> Result<(), String> {
    check_fleet_name(name).map_err(|error| error.to_string())?;
    let constraints = Constraints::read(unit, name);
    if let Some(refusal) = constraints.refusal() {
        return Err(refusal);
    }
    for key in &constraints.unknown {
        call.complain(&format!(
            "{TIME} WARN fleetctl.go:674: Unit {name}: unrecognized requirement in [X-Fleet] section: \
             {key:?}"
        ));
    }
    Ok(())
}

fn destroy(call: &mut Call, operands: &[String], server: &Server) -> i32 {
    if operands.is_empty() {
        call.complain("No units given");
        return 0;
    }
    let units = match server.all("units") {
        Ok(units) => units,
        Err(error) => {
            call.complain(&format!(
                "Error retrieving list of units from repository: {error}"
            ));
            return 1;
        }
    };
    let names: Vec<String> = operands.iter().map(|operand| name_of(operand)).collect();
    let is_there = |name: &String| units.iter().any(|unit| unit["name"] == name.as_str());
    let found: Vec<String> = names
        .into_iter()
        .filter(|name| call.lies() || is_there(name))
        .collect();
    if found.is_empty() {
        call.complain("Units not found in registry");
        return 0;
    }
    for name in found {
        call.next_unit();
        if !call.lies()
            && let Err(error) = server.delete(&name)
        {
            call.complain(&format!("Error destroying units: {error}"));
            return 1;
        }
        call.say(&format!("Destroyed {name}"));
    }
    0
}

fn cat(call: &mut Call, operands: &[String], server: &Server) -> i32 {
    let [operand] = operands else {
        call.complain("One unit file must be provided");
        return 1;
    };
    let name = name_of(operand);
    match server.unit(&name) {
        Ok(Some(unit)) => {
            let text = canonical(&unit_of(&unit).0);
            // Nobody need listen.
            let _ = call.stdout.write_all(text.as_bytes());
            0
        }
        Ok(None) => {
            call.complain(&format!("Unit {name} not found"));
            1
        }
        Err(error) => {
            call.complain(&format!("Error retrieving Unit {name}: {error}"));
            1
        }
    }
}
