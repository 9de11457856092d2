//! `unitgen submit`.

mod gate;
mod prepared;
mod registry;
mod rehearsal;
mod teller;

use std::path::Path;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::cluster::fleetctl::{Fleetctl, GlobalFlags};
use crate::commands::connection::{Connection, seconds};
use crate::commands::submit::prepared::{Prepared, read_plan};
use crate::commands::submit::registry::Registry;
use crate::commands::submit::teller::Teller;
use crate::commands::{Format, Invocation};
use crate::error::{CommandError, Status};
use crate::interruption::Interruption;
use crate::plan::prune::PruneLimit;
use crate::plan::script::{Script, script};
use crate::state::RegistryName;
use crate::submit::reader::{ApiReader, FleetctlReader, Reader};
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
    /// What calls fleetctl. It may be far away, as with `ssh core@host fleetctl`: then the cluster is
    /// read by it too, unless `--endpoint` or `--tunnel` says how it is reached from here
    #[arg(long, value_name = "COMMAND", default_value = "fleetctl")]
    fleetctl: String,
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
    fn check(&self) -> Result<(), CommandError> {
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

    fn words(&self) -> Result<Vec<String>, CommandError> {
        shlex::split(&self.fleetctl)
            .filter(|words| !words.is_empty())
            .ok_or_else(|| {
                let message = format!("`--fleetctl '{}'` is no command", self.fleetctl);
                CommandError::trouble(message).help("write a program, or words that lead to one")
            })
    }

    /// Returns what calls fleetctl in a script, which runs where fleetctl is.
    fn words_there(&self) -> Result<Vec<String>, CommandError> {
        Ok(self.words()?.pop().into_iter().collect())
    }

    fn fleetctl(&self, invocation: &Invocation) -> Result<Fleetctl, CommandError> {
        let command = self.words()?;
        let settings = &invocation.settings.fleet;
        // A user in a variable is nothing that fleetctl understands.
        let of_variable = settings
            .tunnel
            .as_ref()
            .filter(|tunnel| tunnel.contains('@'));
        let tunnel = self.connection.tunnel.as_ref().or(of_variable).cloned();
        let flags = if is_ssh(&command) {
            GlobalFlags::default()
        } else {
            GlobalFlags {
                endpoint: self.connection.endpoint.clone(),
                ssh_username: self.connection.ssh_username.clone(),
                tunnel,
                ..GlobalFlags::default()
            }
        };
        let asks = command.len() > 1 || flags.tunnel.is_some() || settings.tunnel.is_some();
        Ok(Fleetctl {
            time_limit: self.patience()?,
            interactive: asks && invocation.settings.interactive,
            command,
            flags,
        })
    }

    fn patience(&self) -> Result<Duration, CommandError> {
        seconds("--timeout", &self.timeout)
    }

    /// Tells whether only fleetctl leads to the cluster.
    fn reads_by_fleetctl(&self, fleetctl: &Fleetctl) -> bool {
        let is_said = self.connection.endpoint.is_some() || self.connection.tunnel.is_some();
        self.via == Via::Fleetctl && !is_said && is_ssh(&fleetctl.command)
    }

    fn jobs(&self, invocation: &Invocation) -> u8 {
        let settings = &invocation.settings.fleet;
        let has_tunnel = self.connection.tunnel.is_some() || settings.tunnel.is_some();
        // Each connection would be an ssh of its own, which may ask for a password.
        self.jobs.unwrap_or(if has_tunnel { 1 } else { JOBS })
    }
}

/// Tells whether a name is a saved plan's, which no app's can be.
fn is_plan(name: &str) -> bool {
    let extension = Path::new(name).extension();
    extension.is_some_and(|extension| extension == "json")
}

/// Tells whether a command leads to another host.
fn is_ssh(command: &[String]) -> bool {
    let (Some(first), true) = (command.first(), command.len() > 1) else {
        return false;
    };
    Path::new(first)
        .file_name()
        .is_some_and(|name| name == "ssh")
}

/// Runs the command.
///
/// # Errors
/// Says what can't be read, why the cluster does not answer, or what a guard refuses.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    args.check()?;
    let fleetctl = args.fleetctl(invocation)?;
    let registry = if args.reads_by_fleetctl(&fleetctl) {
        Registry::Fleetctl(&fleetctl)
    } else {
        Registry::Api(&args.connection)
    };
    let prepared = match args.saved_plan() {
        Some(path) => Prepared::of_file(path, args, registry, invocation).map(Some),
        None => Prepared::of_manifest(args, registry, invocation),
    };
    let prepared = match prepared {
        Err(error)
            if args.print && !args.prune && is_unseen(args, registry, invocation, &error) =>
        {
            return unseen(args, &error, invocation);
        }
        prepared => prepared?,
    };
    let Some(prepared) = prepared else {
        return Ok(Status::Trouble);
    };
    prepared.check_limit(args)?;
    prepared.tell_before(invocation);
    if args.print || args.dry_run {
        let left = words::held(&prepared.held) + &words::unpruned(&prepared.unpruned);
        invocation.output.message(&left);
    }
    if args.print {
        invocation
            .output
            .result(&prepared.script(&args.words_there()?));
        return Ok(Status::Done);
    }
    if args.dry_run {
        let text = prepared.rehearsal(args, &fleetctl, invocation);
        invocation.output.result(&text);
        return Ok(Status::Done);
    }
    if !prepared.is_agreed(args, invocation)? {
        invocation.output.message("nothing was done\n");
        return Ok(Status::Refused);
    }
    carry_out(args, &prepared, &fleetctl, registry, invocation)
}

/// Tells whether no cluster was named, and none was found.
fn is_unseen(
    args: &Args,
    registry: Registry<'_>,
    invocation: &Invocation,
    error: &CommandError,
) -> bool {
    let (given, settings) = (&args.connection, &invocation.settings.fleet);
    let said = [
        &given.endpoint,
        &given.tunnel,
        &settings.endpoint,
        &settings.tunnel,
    ];
    let is_said = said.into_iter().any(Option::is_some);
    matches!(registry, Registry::Api(_)) && !is_said && error.status == Status::Remote
}

/// Writes a script for a cluster that nobody has seen: it stores all units, whatever there is.
fn unseen(
    args: &Args,
    error: &CommandError,
    invocation: &mut Invocation,
) -> Result<Status, CommandError> {
    let text = if let Some(path) = args.saved_plan() {
        let mut plan = read_plan(path)?.plan;
        plan.steps.retain(|step| step.action.text().is_some());
        script(&plan, &args.words_there()?)
    } else {
        let mut loaded = invocation.load()?;
        loaded.select(&args.names)?;
        let units = loaded.desired.units.iter();
        let names: Vec<RegistryName> = units.map(|unit| RegistryName::from(&unit.name)).collect();
        let texts = loaded.desired.units.iter().map(|unit| unit.text.as_str());
        Script::of_units(names.iter().zip(texts)).text(&args.words_there()?)
    };
    let causes = error.causes().join(": ");
    invocation.output.warning(&format!(
        "no cluster can be reached from here, so that nothing was compared: {causes}"
    ));
    invocation.output.result(&text);
    Ok(Status::Done)
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
    let connect = |_| args.connection.fleet(&invocation.settings);
    let fleets = (0..args.jobs(invocation)).map(connect);
    let fleets = fleets.collect::<Result<Vec<_>, _>>()?;
    let rules = Rules {
        patience,
        interruption: interruption.clone(),
    };
    let mut api;
    let mut listed;
    let way = match (args.via, registry) {
        (Via::Api, _) => Way::Api(fleets),
        (Via::Fleetctl, registry) => {
            let reader: &mut dyn Reader = match registry {
                Registry::Api(_) => {
                    api = ApiReader {
                        fleets,
                        patience,
                        interruption,
                    };
                    &mut api
                }
                Registry::Fleetctl(fleetctl) => {
                    listed = FleetctlReader {
                        fleetctl,
                        patience,
                        interruption,
                    };
                    &mut listed
                }
            };
            Way::Fleetctl(fleetctl, reader)
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
        unpruned: &prepared.unpruned,
    });
    let report = submit(&prepared.tasks, way, &rules, &mut teller);
    teller.end(&report);
    let text = match args.format {
        Format::Json => events::end(&report, prepared.equal, &prepared.stale),
        Format::Text => {
            words::held(&prepared.held)
                + &words::stale(&prepared.stale)
                + &words::unpruned(&prepared.unpruned)
                + &words::summary(&prepared.tasks, &report, prepared.equal)
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
