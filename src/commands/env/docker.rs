//! `unitgen env docker`.

use clap::Parser;

use crate::commands::Invocation;
use crate::commands::env::asked::Asked;
use crate::commands::env::refused;
use crate::env::words;
use crate::error::{CommandError, Status};

/// Prints an app's variables as options of `docker run`, for `$(…)` in a shell.
///
/// `-e NAME=value` for each on one line, as words that a shell splits at blanks. A value that a shell would
/// tear or replace is refused: one with white space, `*`, `?`, `[` or a backslash. Everybody on the machine
/// sees the values on docker's command line; `unitgen env exec` hands on any value, and shows none.
#[derive(Debug, Parser)]
pub struct Args {
    /// Print `-e NAME` without values, which docker takes from its own environment
    #[arg(long)]
    names: bool,
    // Behind the others, which would stand below its heading.
    #[command(flatten)]
    asked: Asked,
}

/// Runs the command.
///
/// # Errors
/// Says what is missing in etcd, that it is out of reach, or what a shell would tear.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let question = args.asked.question(invocation)?;
    let answered = args.asked.answered(&question, invocation)?;
    let variables = answered.given.all();
    let line = if args.names {
        words::names(&variables).map_err(|refusals| {
            let error = refused("docker would take its own values", &refusals);
            error.help("use `unitgen env exec -- docker run …`, which hands on any variable")
        })?
    } else {
        words::values(&variables).map_err(|refusals| {
            let error = refused("a shell would not hand on what is configured", &refusals);
            error.help("use `unitgen env exec -- docker run …`, which hands on any value")
        })?
    };
    args.asked
        .keep(&question, answered.fresh.as_ref(), invocation);
    invocation.output.bytes(&line);
    Ok(Status::Done)
}
