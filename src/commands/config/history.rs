//! `unitgen config history`.

use clap::Parser;
use serde_json::json;

use crate::commands::Invocation;
use crate::commands::config::scene::{Format, Scene};
use crate::configuration::history::list;
use crate::error::{CommandError, Status};
use crate::tell::config::{history, history_json};
use crate::tell::json::escaped;

/// Shows who changed what and when, the last change first; no values.
///
/// The last 100 changes are kept, fewer where the configuration is large. Ends with 1 where there is none.
#[derive(Debug, Parser)]
pub struct Args {
    /// How they are written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(
    args: &Args,
    scene: &Scene,
    invocation: &mut Invocation,
) -> Result<Status, CommandError> {
    let list = list(&scene.store, &scene.folder)?;
    if list.is_empty() {
        scene.read_known(invocation)?;
        let message = format!("nothing is known of how `{}` came to be", scene.name);
        let mut error = CommandError::trouble(message);
        error.status = Status::Found;
        return Err(error.help("the history begins with the first change that unitgen makes"));
    }
    let text = match args.format {
        Format::Text => history(&list),
        Format::Json => {
            let folder = scene.folder.to_string();
            let value =
                json!({"format_version": 1, "folder": folder, "changes": history_json(&list)});
            escaped(&format!("{value:#}\n"))
        }
    };
    invocation.output.result(&text);
    Ok(Status::Done)
}
