//! `unitgen env null`.

use clap::Parser;

use crate::commands::Invocation;
use crate::commands::env::asked::Asked;
use crate::error::{CommandError, Status};

/// Prints an app's variables as `NAME=value`, each ended by a NUL byte.
///
/// For `xargs -0` and programs that read any bytes. Nothing is refused.
#[derive(Debug, Parser)]
pub struct Args {
    #[command(flatten)]
    asked: Asked,
}

/// Runs the command.
///
/// # Errors
/// Says what is missing in etcd, or that it is out of reach.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let question = args.asked.question(invocation)?;
    let answered = args.asked.answered(&question, invocation)?;
    let variables = answered.given.all();
    let mut bytes = Vec::new();
    for (name, value) in variables.iter() {
        bytes.extend(format!("{name}=").into_bytes());
        bytes.extend(value.as_bytes());
        bytes.push(0);
    }
    args.asked
        .keep(&question, answered.fresh.as_ref(), invocation);
    invocation.output.bytes(&bytes);
    Ok(Status::Done)
}
