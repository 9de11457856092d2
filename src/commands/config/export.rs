//! `unitgen config export`.

use std::path::{Path, PathBuf};

use clap::Parser;

use crate::commands::Invocation;
use crate::commands::config::scene::Scene;
use crate::config::export::{Format, Refusal, write};
use crate::error::{CommandError, Status};
use crate::files::owned::{self, Owner};

/// Writes all variables with their values in another tool's format.
///
/// What the format can't hold is refused by name; nothing is written then.
#[derive(Debug, Parser)]
pub struct Args {
    /// The format: docker (for `--env-file`), dotenv, json, shell, or systemd (for `EnvironmentFile=`)
    #[arg(long, value_name = "FORMAT", default_value = "dotenv")]
    format: Format,
    /// The file, which only its owner can read [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(
    args: &Args,
    scene: &Scene,
    invocation: &mut Invocation,
) -> Result<Status, CommandError> {
    let found = scene.read_known(invocation)?;
    let text = write(args.format, &found.variables).map_err(|refusals| {
        let refusals: Vec<String> = refusals.iter().map(Refusal::to_string).collect();
        let message = format!("the format `{}` can't hold all of it", args.format);
        CommandError::trouble(message)
            .because(refusals.join("; "))
            .help("choose another format")
    })?;
    match args
        .output
        .as_deref()
        .filter(|path| *path != Path::new("-"))
    {
        Some(path) => owned::write(path, text.as_bytes(), Owner::default(), 0o600)?,
        None => invocation.output.bytes(text.as_bytes()),
    }
    Ok(Status::Done)
}
