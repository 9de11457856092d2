//! `unitgen submit`.

mod gate;
mod prepared;
mod registry;
mod rehearsal;
mod saved;
mod teller;

pub(super) use crate::commands::submit::prepared::adopted;

use std::path::Path;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::cluster::fleetctl::{Fleetctl, GlobalFlags};
use crate::commands::Invocation;
use crate::commands::connection::{Connection, seconds};
use crate::commands::submit::prepared::{Preparation, Prepared};
use crate::commands::submit::registry::Registry;
use crate::commands::submit::teller::Teller;
use crate::error::{CommandError, Status};
use crate::interruption::Interruption;
use crate::plan::prune::PruneLimit;
use crate::settings::Settings;
use crate::submit::reader::{ApiReader, FleetctlReader};
use crate::submit::{Rules, Way, submit};
use crate::tell::submit as words;
use crate::tell::submit::events::{self, Beginning};

/// How many connections there are, where nobody says so.
const JOBS: u8 = 4;

/// Stores the unit files in the cluster, and says so only of those that it read back.
///
/// Nothing that runs is touched: a template's change reaches no instance, and a plain unit that runs
/// keeps its text. Each step counts on the unit file that was seen; where that has changed meanwhile it
/// is not done. The first step that fails is the last, and a second run finishes the work.
#[derive(Debug, Parser)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Args {
    /// Only these apps; or one plan that `unitgen diff --out` saved, a name that ends in `.json`
    #[arg(value_name = "APP|PLAN")]
    names: Vec<String>,
    /// By which way the unit files go to the cluster
    #[arg(long, value_enum, default_value_t)]
    via: Via,
    /// What calls fleetctl [default: fleetctl]. It may be far away, as with `ssh core@host fleetctl`: then
    /// the cluster is read by it too, unless `--endpoint` or `--tunnel` says how it is reached from here
    #[arg(long, value_name = "COMMAND")]
    fleetctl: Option<String>,
    /// Destroy the unit files that carry unitgen's mark, that the manifest does not give any more and
    /// that do not run
    #[arg(long)]
    prune: bool,
    /// Destroy at most so many, or such a part of those that carry the mark; where there are more,
    /// nothing is done at all [default: 20% or 5, whichever is more]
    #[arg(long, value_name = "N|N%", requires = "prune")]
    prune_max: Option<PruneLimit>,
    /// Replace plain units that run, too: each is deleted, stored and started again
    #[arg(long)]
    recreate: bool,
    /// Ask nothing
    #[arg(short, long)]
    yes: bool,
    /// Carry out a plan that was made for another cluster, or for this one by another address
    #[arg(long)]
    other_cluster: bool,
    /// Only write what would be done: command lines to paste, or requests
    #[arg(long, conflicts_with = "print")]
    dry_run: bool,
    /// Write a shell script that does it and reads back what it did, for `| ssh core@host sh -e`. Where
    /// no cluster can be reached from here, it stores all units
    #[arg(long)]
    print: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// How long one call of fleetctl may take, and one step be tried again, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "120")]
    timeout: String,
    /// Over how many connections the API is spoken to [default: 4, or 1 through a tunnel]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: Option<u8>,
    #[command(flatten)]
    connection: Connection,
}

/// How the result is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: an event a line, the first with a `format_version`
    Json,
}

/// By which way unit files go to the cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Via {
    /// The user's fleetctl
    #[default]
    Fleetctl,
    /// fleet's own API
    Api,
}

impl Args {
    /// Refuses what does not go together, before anything is read.
    fn check(&self, invocation: &Invocation) -> Result<(), CommandError> {
        let refuse = |message: &str| Err(CommandError::trouble(message));
        if self.recreate && self.via == Via::Fleetctl {
            return refuse(
                "`--recreate` is for `--via api` only: fleetctl replaces nothing that runs",
            );
        }
        if self.recreate && self.saved_plan().is_some() {
            return refuse("a saved plan holds no unit that runs: `--recreate` is for a manifest");
        }
        if self.print && self.format == Format::Json {
            return refuse("`--print` writes a script, and `--format json` events");
        }
        if self.print && self.via == Via::Api {
            return refuse(
                "`--print` writes a script for fleetctl, and `--via api` does without it",
            );
        }
        if self.via == Via::Api && self.fleetctl.is_some() {
            return refuse(
                "`--fleetctl` says how fleetctl is called, and `--via api` does without it",
            );
        }
        if self.saved_plan().is_some() && !invocation.files.is_empty() {
            return refuse("a saved plan needs no manifest: leave `-f` out");
        }
        if self.saved_plan().is_none() && self.other_cluster {
            return refuse("`--other-cluster` is for a saved plan only");
        }
        if self.names.len() > 1 && self.names.iter().any(|name| is_plan(name)) {
            return refuse("a saved plan stands alone, without apps or other plans");
        }
        Ok(())
    }

    /// Returns the saved plan that is meant, where one is.
    fn saved_plan(&self) -> Option<&Path> {
        match self.names.as_slice() {
            [name] if is_plan(name) => Some(Path::new(name)),
            _ => None,
        }
    }

    /// Returns the words that call fleetctl.
    fn command(&self) -> Result<Vec<String>, CommandError> {
        let text = self.fleetctl.as_deref().unwrap_or("fleetctl");
        shlex::split(text)
            .filter(|words| !words.is_empty())
            .ok_or_else(|| {
                let message = format!("`--fleetctl '{text}'` is no command");
                CommandError::trouble(message).help("write a program, or words that lead to one")
            })
    }

    fn fleetctl(&self, invocation: &Invocation) -> Result<Fleetctl, CommandError> {
        let command = self.command()?;
        let given = &self.connection;
        let settings = &invocation.settings.fleet;
        let is_led = command.len() > 1;
        // These take variables away; and a user in one is nothing that fleetctl understands.
        let is_bare = is_led && is_program(&command[0], &["sudo", "doas"]);
        let or_variable = |flag: &Option<String>, variable: &Option<String>| {
            let variable = variable.as_ref();
            let variable = variable.filter(|text| is_bare || !is_led && text.contains('@'));
            flag.as_ref().or(variable).cloned()
        };
        let flags = if is_ssh(&command) {
            GlobalFlags::default()
        } else {
            GlobalFlags {
                endpoint: or_variable(&given.endpoint, &settings.endpoint),
                ssh_username: or_variable(&given.ssh_username, &settings.ssh_username),
                tunnel: or_variable(&given.tunnel, &settings.tunnel),
                ..GlobalFlags::default()
            }
        };
        let asks = is_led || flags.tunnel.is_some() || settings.tunnel.is_some();
        let fleetctl = Fleetctl {
            time_limit: self.patience()?,
            interactive: asks && invocation.settings.interactive,
            command,
            flags,
        };
        fleetctl.check()?;
        Ok(fleetctl)
    }

    fn patience(&self) -> Result<Duration, CommandError> {
        seconds("--timeout", &self.timeout)
    }

    /// Tells whether only fleetctl leads to the cluster.
    fn reads_by_fleetctl(&self, fleetctl: &Fleetctl) -> bool {
        let is_said = self.connection.endpoint.is_some() || self.connection.tunnel.is_some();
        self.via == Via::Fleetctl && !is_said && fleetctl.command.len() > 1
    }

    fn jobs(&self, settings: &Settings) -> u8 {
        let has_tunnel = self.connection.tunnel.is_some() || settings.fleet.tunnel.is_some();
        // Each connection would be an ssh of its own, which may ask for a password.
        self.jobs.unwrap_or(if has_tunnel { 1 } else { JOBS })
    }
}

/// Tells whether a name is a saved plan's, which no app's can be.
fn is_plan(name: &str) -> bool {
    let extension = Path::new(name).extension();
    extension.is_some_and(|extension| extension == "json")
}

/// Tells whether a command leads to another host, where this one's flags mean something else.
fn is_ssh(command: &[String]) -> bool {
    let way = command.split_last().map_or(&[][..], |(_, way)| way);
    way.iter().any(|word| is_program(word, &["ssh"]))
}

/// Tells whether a word is one of these programs.
fn is_program(word: &str, programs: &[&str]) -> bool {
    let name = Path::new(word).file_name();
    name.is_some_and(|name| programs.iter().any(|program| name == *program))
}

/// Returns what calls fleetctl where a script runs: there it is set up by itself, but for flags that what
/// leads to it would need anyway.
fn there(fleetctl: &Fleetctl) -> Vec<String> {
    let program = fleetctl.command.last().cloned().into_iter();
    let flags = if fleetctl.command.len() > 1 {
        fleetctl.flags.words()
    } else {
        Vec::new()
    };
    program.chain(flags).collect()
}

/// Runs the command.
///
/// # Errors
/// Says what can't be read, why the cluster does not answer, or what a guard refuses.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let result = prepare_and_run(args, invocation);
    if args.print {
        let status = result
            .as_ref()
            .map_or_else(|error| error.status, |status| *status);
        // Whoever runs what is printed would else run nothing, and take that for a success.
        if status != Status::Done {
            let code = status.code();
            invocation
                .output
                .result(&format!("# unitgen wrote no script\nexit {code}\n"));
        }
    }
    result
}

fn prepare_and_run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    args.check(invocation)?;
    let fleetctl = args.fleetctl(invocation)?;
    let registry = if args.reads_by_fleetctl(&fleetctl) {
        Registry::Fleetctl(&fleetctl)
    } else {
        Registry::Api(&args.connection)
    };
    let preparation = match args.saved_plan() {
        Some(path) => saved::of_file(path, args, registry, &there(&fleetctl), invocation)?,
        None => prepared::of_manifest(args, registry, &there(&fleetctl), invocation)?,
    };
    let prepared = match preparation {
        Preparation::Ready(prepared) => prepared,
        Preparation::Mistakes => return Ok(Status::Trouble),
        Preparation::Unseen(script, error) => {
            let causes = error.causes().join(": ");
            invocation.output.warning(&format!(
                "no cluster can be reached from here, so that nothing was compared: {causes}"
            ));
            invocation.output.result(&script);
            return Ok(Status::Done);
        }
    };
    if !prepared.is_meant_for_this_cluster(args, invocation)? {
        return Ok(nothing_done(invocation));
    }
    prepared.check_guards()?;
    prepared.check_limit(args)?;
    prepared.tell_before(invocation);
    if args.print || args.dry_run {
        let notes = prepared.notes();
        invocation.output.message(&notes);
        let text = if args.print {
            prepared.script(&there(&fleetctl))
        } else {
            prepared.rehearsal(args, &fleetctl, invocation)
        };
        invocation.output.result(&text);
        return Ok(Status::Done);
    }
    if !prepared.is_agreed(args, invocation)? {
        return Ok(nothing_done(invocation));
    }
    carry_out(args, &prepared, &fleetctl, registry, invocation)
}

fn nothing_done(invocation: &mut Invocation) -> Status {
    invocation.output.message("nothing was done\n");
    Status::Refused
}

fn carry_out(
    args: &Args,
    prepared: &Prepared,
    fleetctl: &Fleetctl,
    registry: Registry<'_>,
    invocation: &mut Invocation,
) -> Result<Status, CommandError> {
    let patience = args.patience()?;
    let interruption = Interruption::listen()
        .map_err(|error| CommandError::trouble("can't listen to signals").because(error))?;
    let rules = Rules {
        patience,
        interruption,
    };
    let settings = invocation.settings.clone();
    let fleets = || {
        let connect = |_| args.connection.fleet(&settings);
        (0..args.jobs(&settings))
            .map(connect)
            .collect::<Result<Vec<_>, _>>()
    };
    let mut api;
    let mut listed;
    let way = match (args.via, registry) {
        (Via::Api, _) => Way::Api(fleets()?),
        (Via::Fleetctl, Registry::Api(_)) => {
            let fleets = fleets()?;
            api = ApiReader { fleets, patience };
            Way::Fleetctl(fleetctl, &mut api)
        }
        (Via::Fleetctl, Registry::Fleetctl(reader)) => {
            listed = FleetctlReader {
                fleetctl: reader,
                patience,
            };
            Way::Fleetctl(fleetctl, &mut listed)
        }
    };
    let mut teller = Teller::new(prepared, args.format, invocation);
    teller.begin(&Beginning {
        cluster: &prepared.cluster,
        via: match args.via {
            Via::Api => "api",
            Via::Fleetctl => "fleetctl",
        },
        tasks: &prepared.tasks,
        held: &prepared.held,
        surplus: &prepared.surplus,
        unpruned: &prepared.unpruned,
    });
    let report = submit(&prepared.tasks, way, &rules, &mut teller);
    teller.end(&report);
    let is_good = report.status() == Status::Done;
    let text = match args.format {
        Format::Json => events::end(&report, prepared.equal, &prepared.stale),
        Format::Text => {
            // Behind a failure only what counts is said.
            let notes = if is_good {
                words::stale(&prepared.stale) + &prepared.notes()
            } else {
                String::new()
            };
            notes + &words::summary(&prepared.tasks, &report, prepared.equal)
        }
    };
    invocation.output.result(&text);
    let status = report.status();
    if status != Status::Done {
        let message =
            "error: not all unit files are as they should be; another run goes on from here\n";
        invocation.output.message(message);
    }
    Ok(status)
}
