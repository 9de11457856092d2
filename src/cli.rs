//! The command line as it is typed.
//!
//! In: arguments. Out: `Cli`. What they mean is the commands' business.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{
    check, config, deploy, diff, env, explain, init, lint, lock, render, restart, rollback, schema,
    show, snapshot, status, submit,
};

/// Renders systemd units for a fleet cluster from one services.yaml.
///
/// services.yaml describes what runs: images, ports, conflicts, instances, versions. unitgen turns it
/// into unit files that are all alike, in the form that fleet stores byte for byte.
#[derive(Debug, Parser)]
#[command(name = "unitgen", version, max_term_width = 100, after_help = AFTER)]
pub struct Cli {
    /// The manifest; several are laid over each other, the later over the earlier. `-` is the
    /// standard input. [default: services.yaml, or what `UNITGEN_FILE` names]
    #[arg(short, long = "file", value_name = "FILE", global = true)]
    pub files: Vec<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const AFTER: &str = "\
Exit codes: 0 done; 1 differences or findings; 2 trouble; 3 the other side is out of reach; \
4 applied in part; 5 refused by a guard; \
126 and 127 (`env exec`) the command can't be executed, or was not found.";

/// What to do. A command's arguments are put together only where it is the one that runs, or that is
/// asked for help, which saves a tenth of the time of a short run; so its first line stands here, too.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Command {
    /// Finds all mistakes of a manifest, its templates and the units that come of it.
    Check(check::Args),
    /// Shows and changes an app's configuration in etcd; alone it lists the variables' names.
    Config(config::Args),
    /// Stores the unit files, and makes the right instances run: one after the other, so that enough of them
    /// serve at any time.
    Deploy(Box<deploy::Args>),
    /// Shows what would change in the cluster, and why.
    Diff(diff::Args),
    /// Hands an app's configuration to a program, on the machine that runs it.
    Env(Box<env::Args>),
    /// Explains a finding by its code; without one lists all codes.
    Explain(explain::Args),
    /// Writes a first services.yaml and its schema for editors.
    Init(init::Args),
    /// Finds what is wrong with unit files, whoever wrote them.
    Lint(lint::Args),
    /// Shows who has the lock of which app, or takes locks away.
    Lock(lock::Args),
    /// Writes the units into a folder.
    Render(render::Args),
    /// Starts the instances of an app anew, one after the other, so that enough of them serve at any time.
    Restart(Box<restart::Args>),
    /// Brings an app back to an earlier release: its units, versions and counts, within the same bounds as
    /// `deploy`.
    Rollback(Box<rollback::Args>),
    /// Prints the JSON Schema of manifests, for editors.
    Schema(schema::Args),
    /// Shows what systemd 252 and fleet 1.0 make of a unit file.
    Show(show::Args),
    /// Writes what the cluster holds to a file, for diffs where it can't be reached.
    Snapshot(snapshot::Args),
    /// Shows what every instance of the apps should do, and what it does.
    Status(status::Args),
    /// Stores the unit files in the cluster, and says so only of those that it read back.
    Submit(submit::Args),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn a_list_says_of_a_command_what_it_says_of_itself() {
        for listed in [
            Cli::command(),
            config::Args::command(),
            env::Args::command(),
        ] {
            let mut built = listed.clone();
            built.build();
            for command in listed.get_subcommands() {
                let itself = built.find_subcommand(command.get_name()).unwrap();
                let abouts = [command, itself].map(|command| command.get_about().unwrap());
                let [listed, own] = abouts.map(ToString::to_string);
                assert_eq!(listed, own, "{}", command.get_name());
            }
        }
    }
}
