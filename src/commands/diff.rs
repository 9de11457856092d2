//! `unitgen diff`.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::commands::against::Against;
use crate::commands::connection::Connection;
use crate::commands::{Invocation, Loaded};
use crate::diff::{Comparison, Diff, diff};
use crate::error::{CommandError, Status};
use crate::name::AppName;
use crate::state::Observed;
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
    let observed = match &args.against {
        Against::Fleet => {
            let is_selection = selected.is_some();
            invocation
                .observe_fleet(&args.connection, &loaded.desired, is_selection)?
                .0
        }
        Against::Folder(path) => invocation.observe_folder(path)?,
        Against::Snapshot(path) => invocation.observe_snapshot(path)?,
        Against::Revision(_) => return Err(CommandError::trouble("not yet")),
    };
    let diff = compare(&loaded, &observed, selected.as_deref());
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

fn compare(loaded: &Loaded, observed: &Observed, apps: Option<&[AppName]>) -> Diff {
    diff(&Comparison {
        desired: &loaded.desired,
        model: &loaded.model,
        observed,
        apps,
    })
}
