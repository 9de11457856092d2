//! `unitgen config unset`.

use clap::Parser;

use crate::commands::Invocation;
use crate::commands::config::scene::{Format, How, Scene, variable};
use crate::config::variable::Name;
use crate::configuration::change::Change;
use crate::error::{CommandError, Status};

/// Takes variables away, all of them or none. One that is not there is as wanted.
#[derive(Debug, Parser)]
pub struct Args {
    /// The variables
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
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
    let names = args.names.iter().map(|name| variable(name));
    let names: Vec<Name> = names.collect::<Result<_, _>>()?;
    let found = scene.read_known(invocation)?;
    for name in names
        .iter()
        .filter(|name| found.variables.get(name).is_none())
    {
        let warning = format!("the configuration of `{}` has no `{name}`", scene.name);
        invocation.output.warning(&warning);
    }
    let how = How {
        is_dry: false,
        format: args.format,
    };
    scene.change("unset", how, invocation, |_| {
        Ok(Change {
            unset: names.clone(),
            ..Change::default()
        })
    })
}
