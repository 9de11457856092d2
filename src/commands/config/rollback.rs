//! `unitgen config rollback`.

use clap::Parser;

use crate::commands::Invocation;
use crate::commands::config::scene::{Format, How, Scene};
use crate::configuration::change::Change;
use crate::configuration::history::variables;
use crate::error::{CommandError, Status};

/// Makes the configuration what it was after an earlier change.
///
/// This is a change of its own, so that it can be taken back as well.
#[derive(Debug, Parser)]
pub struct Args {
    /// The number of the change, as `unitgen config history` shows it
    #[arg(long, value_name = "NUMBER")]
    to: u64,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(
    args: &Args,
    scene: &Scene,
    invocation: &mut Invocation,
) -> Result<Status, CommandError> {
    let number = args.to;
    let Some(then) = variables(&scene.store, &scene.folder, number)? else {
        let message = format!("there is no change {number} of `{}`", scene.name);
        let help = format!(
            "`unitgen config {} history` shows those that are kept",
            scene.flags
        );
        return Err(CommandError::trouble(message).help(help));
    };
    let how = How {
        is_dry: args.dry_run,
        format: args.format,
    };
    let action = format!("rollback to {number}");
    scene.change(&action, how, invocation, |found| {
        Ok(Change::between(&found.variables, &then))
    })
}
