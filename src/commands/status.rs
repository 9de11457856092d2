//! `unitgen status`.

use clap::Parser;

use crate::commands::connection::Connection;
use crate::commands::set::Overrides;
use crate::commands::{Format, Invocation};
use crate::error::{CommandError, Status};
use crate::overview::rows;
use crate::tell::json::escaped;
use crate::tell::status;

/// Shows what every instance of the apps should do, and what it does.
///
/// Where one does not run as it should, the reason stands below it; `stale` says that its text is not
/// its unit's. Ends with 1 where any is not as it should be.
#[derive(Debug, Parser)]
pub struct Args {
    /// Only these apps
    #[arg(value_name = "APP")]
    apps: Vec<String>,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    overrides: Overrides,
    #[command(flatten)]
    connection: Connection,
}

/// Runs the command.
///
/// # Errors
/// Says what can't be read, which app there is not, or why the cluster does not answer.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let listing = invocation.begin_listing(&args.connection, &args.apps)?;
    let mut loaded = invocation.load_over(&args.overrides)?;
    invocation.show_errors(&loaded);
    if loaded.report.has_errors() {
        return Ok(Status::Trouble);
    }
    let selected = loaded.select_also_gone(&args.apps)?;
    let apps = selected.as_deref();
    let mut compared = invocation.compare_with_fleet(&args.connection, listing, &loaded, apps)?;
    loaded.check_apps(apps, &compared.diff)?;
    if compared.observed.machines.is_empty() {
        compared.observed.machines = compared.fleet.machines()?;
    }
    let rows = rows(&loaded.desired, &compared.observed, &compared.diff);
    let text = match args.format {
        Format::Text => status::text(&rows, invocation.output.colored_results),
        Format::Json => escaped(&format!("{:#}\n", status::json(&rows))),
    };
    invocation.output.result(&text);
    Ok(if rows.iter().any(status::is_odd) {
        Status::Found
    } else {
        Status::Done
    })
}
