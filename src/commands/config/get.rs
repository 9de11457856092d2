//! `unitgen config get`.

use clap::Parser;

use crate::commands::Invocation;
use crate::commands::config::scene::{Scene, variable};
use crate::error::{CommandError, Status};
use crate::suggestion::did_you_mean;

/// Writes a variable's value.
///
/// Ends with 1 where there is none.
#[derive(Debug, Parser)]
pub struct Args {
    /// The variable
    #[arg(value_name = "NAME")]
    name: String,
    /// Write the value's own bytes only, without a newline behind them
    #[arg(long)]
    raw: bool,
}

/// Runs the command.
pub(super) fn run(
    args: &Args,
    scene: &Scene,
    invocation: &mut Invocation,
) -> Result<Status, CommandError> {
    let name = variable(&args.name)?;
    let found = scene.read_known(invocation)?;
    let Some(value) = found.variables.get(&name) else {
        let message = format!("the configuration of `{}` has no `{name}`", scene.name);
        let mut error = CommandError::trouble(message);
        error.status = Status::Found;
        let names = found.variables.iter().map(|(name, _)| name.as_str());
        return Err(match did_you_mean(name.as_str(), names) {
            Some(help) => error.help(help),
            None => error,
        });
    };
    let mut bytes = value.as_bytes().to_vec();
    if !args.raw {
        bytes.push(b'\n');
    }
    invocation.output.bytes(&bytes);
    Ok(Status::Done)
}
