//! `unitgen diff`.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::commands::Invocation;
use crate::commands::against::Against;
use crate::commands::connection::Connection;
use crate::error::{CommandError, Status};
use crate::tell::text::{self, Layout};

/// Shows what would change in the cluster, and why.
///
/// A unit is equal where fleet's own hash of it is equal. Instances are compared too: those that are
/// missing, that nobody wants, that have an older text than their unit, that fleet was told something
/// else of, or that failed. Ends with 1 where anything differs.
#[derive(Debug, Parser)]
pub struct Args {
    /// Only these apps
    #[arg(value_name = "APP")]
    apps: Vec<String>,
    /// What to compare with: the cluster (`fleet`), a folder of unit files (`dir:FOLDER`), what the
    /// manifest of a revision gives (`git:REVISION`; `git:REVISION...` from where this branch left it),
    /// or a file that `unitgen snapshot` wrote (`snapshot:FILE`)
    #[arg(long, value_name = "SOURCE", default_value = "fleet")]
    against: Against,
    /// Show so many directives around each that differs
    #[arg(short = 'U', long = "unified", value_name = "N", default_value_t = 0)]
    context: usize,
    /// Only count, a line for each unit
    #[arg(long, conflicts_with = "name_only")]
    stat: bool,
    /// Only name the units and instances that differ, one a line
    #[arg(long)]
    name_only: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Save the plan that makes the unit files equal, for the hashes that were seen
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

/// How a diff is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
}

/// Runs the command.
///
/// # Errors
/// Says what can't be read, which app there is not, or why the cluster does not answer.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let mut loaded = invocation.load()?;
    invocation.show(&loaded);
    if loaded.report.has_errors() {
        return Ok(Status::Trouble);
    }
    let selected = loaded.select(&args.apps)?;
    let apps = selected.as_deref();
    let (observed, diff) = match &args.against {
        Against::Fleet => {
            let compared = invocation.compare_with_fleet(&args.connection, &loaded, apps)?;
            (compared.observed, compared.diff)
        }
        Against::Folder(path) => {
            let observed = invocation.observe_folder(path)?;
            let diff = loaded.compare(&observed, apps);
            (observed, diff)
        }
        Against::Snapshot(path) => {
            let observed = invocation.observe_snapshot(path)?;
            let mut diff = loaded.compare(&observed, apps);
            diff.unplaced = loaded.unplaced(&observed, apps, &diff);
            (observed, diff)
        }
        Against::Revision(revision) => {
            let observed = invocation.observe_revision(revision)?;
            let diff = loaded.compare(&observed, apps);
            (observed, diff)
        }
    };
    let layout = Layout {
        colored: invocation.output.colored_results,
        context: args.context,
    };
    let text = match args.format {
        Format::Text if args.stat => text::stat(&diff),
        Format::Text if args.name_only => text::names(&diff),
        Format::Text => text::diff(&diff, &loaded.sources, layout),
    };
    invocation.output.result(&text);
    let status = if diff.is_empty() {
        Status::Done
    } else {
        Status::Found
    };
    std::mem::forget((loaded, observed));
    Ok(status)
}
