//! The command line as it is typed.
//!
//! In: arguments. Out: `Cli`. What they mean is the commands' business.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::commands::{
    check, config, diff, env, explain, init, lint, render, schema, show, snapshot, status, submit,
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

/// What to do.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "a variant's help is its arguments'")]
pub enum Command {
    Check(check::Args),
    Config(config::Args),
    Diff(diff::Args),
    Env(Box<env::Args>),
    Explain(explain::Args),
    Init(init::Args),
    Lint(lint::Args),
    Render(render::Args),
    Schema(schema::Args),
    Show(show::Args),
    Snapshot(snapshot::Args),
    Status(status::Args),
    Submit(submit::Args),
}
