//! `unitgen snapshot`.

use std::path::{Path, PathBuf};

use clap::Parser;

use crate::cluster::snapshot::Snapshot;
use crate::commands::Invocation;
use crate::commands::connection::Connection;
use crate::commands::observe::settled;
use crate::error::{CommandError, Status};
use crate::files::private;
use crate::tell::count;
use crate::tell::json::escaped;

/// Writes what the cluster holds to a file, for diffs where it can't be reached.
///
/// The file holds the texts of all units, so that only its owner can read it. `unitgen diff --against
/// snapshot:FILE` compares with it.
#[derive(Debug, Parser)]
pub struct Args {
    /// The file, or `-` for standard output
    #[arg(short, long, value_name = "FILE", default_value = "snapshot.json")]
    output: PathBuf,
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
///
/// # Errors
/// Says why the cluster does not answer, or the file can't be written.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let mut fleet = args.connection.fleet(&invocation.settings)?;
    let mut observed = fleet.observe()?;
    settled(&mut fleet, &mut observed.units)?;
    let snapshot = Snapshot {
        taken: invocation.settings.now,
        server: fleet.server(),
        observed,
    };
    let text = escaped(&snapshot.text());
    if args.output == Path::new("-") {
        invocation.output.result(&text);
        return Ok(Status::Done);
    }
    private::write(&args.output, &text)?;
    let written = format!(
        "wrote {}: {}, {}, of {}\n",
        args.output.display(),
        count(snapshot.observed.units.len(), "unit"),
        count(snapshot.observed.machines.len(), "machine"),
        snapshot.server
    );
    invocation.output.message(&written);
    Ok(Status::Done)
}
