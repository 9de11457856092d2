//! `unitgen env`: an app's configuration, on the machine that runs it.
//!
//! Each way of handing it on is a file of its own; what they ask of etcd, and how, is in `asked`.

pub mod announce;
mod asked;
pub mod docker;
pub mod exec;
pub mod export;
pub mod file;
pub mod json;
pub mod null;

use clap::{Parser, Subcommand};

use crate::commands::Invocation;
use crate::config::export::{Format, Refusal, Text, write};
use crate::config::variable::{Name, Variables};
use crate::env::answer::Given;
use crate::env::hand::steering;
use crate::env::request::Request;
use crate::error::{CommandError, Status};

/// Hands an app's configuration to a program, on the machine that runs it.
///
/// The variables stand in etcd, in the folder `/environment/APP`. No value is ever shown in a message.
#[derive(Debug, Parser)]
pub struct Args {
    /// How the variables are handed on
    #[command(subcommand)]
    way: Way,
}

/// How variables are handed on.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Way {
    /// Keeps a key in etcd while it runs, by a lease of its own.
    Announce(announce::Args),
    /// Prints an app's variables as options of `docker run`, for `$(…)` in a shell.
    Docker(docker::Args),
    /// Runs a command with an app's variables in its environment, in this one's place.
    Exec(exec::Args),
    /// Prints an app's variables as commands of a shell: `export NAME='value'`.
    Export(export::Args),
    /// Writes an app's variables to a file.
    File(file::Args),
    /// Prints an app's variables as a JSON object of strings.
    Json(json::Args),
    /// Prints an app's variables as `NAME=value`, each ended by a NUL byte.
    Null(null::Args),
}

/// Runs the command.
///
/// # Errors
/// Says what is missing in etcd, that it is out of reach, or what can't be handed on.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let result = match &args.way {
        Way::Announce(args) => announce::run(args, invocation),
        Way::Docker(args) => docker::run(args, invocation),
        Way::Exec(args) => exec::run(args, invocation),
        Way::Export(args) => export::run(args, invocation),
        Way::File(args) => file::run(args, invocation),
        Way::Json(args) => json::run(args, invocation),
        Way::Null(args) => null::run(args, invocation),
    };
    if let Err(error) = &result {
        let way = match &args.way {
            Way::Docker(_) => "docker",
            Way::Export(_) => "export",
            _ => "",
        };
        let printed = failed(way, error.status.code());
        invocation.output.result(&printed);
    }
    result
}

/// Returns what a way prints that failed. A shell goes on where what it puts in a command's place fails, and
/// would start a program without its configuration: what is printed fails too.
#[must_use]
pub fn failed(way: &str, code: u8) -> String {
    match way {
        "docker" => "--unitgen-env-docker-failed\n".to_owned(),
        "export" => format!("exit {code}\n"),
        _ => String::new(),
    }
}

/// Returns the error of variables that can't be handed on.
fn refused(what: &str, refusals: &[Refusal]) -> CommandError {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for Refusal { name, reason } in refusals {
        let name = format!("`{name}`");
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, names)) => names.push(name),
            None => reasons.push((reason, vec![name])),
        }
    }
    let reasons: Vec<String> = reasons
        .iter()
        .map(|(reason, names)| format!("{}: {reason}", names.join(", ")))
        .collect();
    CommandError::trouble(what).because(reasons.join("; "))
}

/// Returns what to do about a variable that would steer a program.
fn meant(request: &Request, name: &Name) -> String {
    let prefix = request.prefix().unwrap_or_default();
    format!(
        "leave it out of the configuration; where the unit's author means it, the unit says so: \
         `--key {name}={prefix}{name}`"
    )
}

/// Refuses what would steer a program that reads the variables as its own environment, or a shell.
fn check_steering(request: &Request, given: &Given) -> Result<(), CommandError> {
    let refusals = steering(request, given, false);
    match refusals.first() {
        None => Ok(()),
        Some(Refusal { name, .. }) => {
            let error = refused("what reads this would be steered", &refusals);
            Err(error.help(meant(request, name)))
        }
    }
}

/// Writes variables in a format.
fn formatted(format: Format, variables: &Variables) -> Result<Text, CommandError> {
    write(format, variables).map_err(|refusals| {
        let what = format!("the format `{format}` can't hold the configuration");
        refused(&what, &refusals).help(
            "set other values, or choose another way to hand them on: `unitgen env exec` and \
             `unitgen env null` hold any bytes",
        )
    })
}
