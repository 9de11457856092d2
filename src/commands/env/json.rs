//! `unitgen env json`.

use clap::Parser;

use crate::commands::Invocation;
use crate::commands::env::asked::Asked;
use crate::commands::env::formatted;
use crate::config::export::Format;
use crate::error::{CommandError, Status};

/// Prints an app's variables as a JSON object of strings.
///
/// A value that is no UTF-8 is refused.
#[derive(Debug, Parser)]
pub struct Args {
    #[command(flatten)]
    asked: Asked,
}

/// Runs the command.
///
/// # Errors
/// Says what is missing in etcd, that it is out of reach, or which values the format can't hold.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let question = args.asked.question(invocation)?;
    let answered = args.asked.answered(&question, invocation)?;
    let text = formatted(Format::Json, &answered.given.all())?;
    args.asked
        .keep(&question, answered.fresh.as_ref(), invocation);
    invocation.output.bytes(text.as_bytes());
    Ok(Status::Done)
}
