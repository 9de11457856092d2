//! `unitgen env export`.

use clap::Parser;

use crate::commands::Invocation;
use crate::commands::env::asked::Asked;
use crate::commands::env::{check_steering, formatted};
use crate::config::export::Format;
use crate::error::{CommandError, Status};

/// Prints an app's variables as commands of a shell: `export NAME='value'`.
///
/// For `eval "$(unitgen env export)"`. They then steer that shell and all that it starts, a client of docker
/// too; `unitgen env exec` keeps them from that.
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
    check_steering(&question.request, &answered.given)?;
    let text = formatted(Format::Shell, &answered.given.all())?;
    args.asked
        .keep(&question, answered.fresh.as_ref(), invocation);
    invocation.output.bytes(text.as_bytes());
    Ok(Status::Done)
}
