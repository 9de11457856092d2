//! `unitgen schema`.

use clap::Parser;

use crate::commands::Invocation;
use crate::error::{CommandError, Status};
use crate::schema;

/// Prints the JSON Schema of manifests, for editors.
#[derive(Debug, Parser)]
pub struct Args {}

/// Runs the command.
///
/// # Errors
/// Never fails.
pub fn run(_args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    invocation.output.result(&schema::text());
    Ok(Status::Done)
}
