//! `unitgen config list`.

use clap::Parser;
use serde_json::{Value as Json, json};

use crate::commands::Invocation;
use crate::commands::config::scene::{Format, Scene};
use crate::error::{CommandError, Status};
use crate::tell::config::{list, value};
use crate::tell::json::escaped;

/// Lists the variables' names, a line each.
///
/// Ends with 1 where there is no such configuration.
#[derive(Debug, Parser)]
#[group(skip)]
pub struct Args {
    /// Show the values, too
    #[arg(long)]
    show_values: bool,
    /// How they are written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    /// Tells whether any of them is given.
    pub(super) fn is_given(&self) -> bool {
        self.show_values || self.format != Format::default()
    }
}

/// Runs the command.
pub(super) fn run(
    args: &Args,
    scene: &Scene,
    invocation: &mut Invocation,
) -> Result<Status, CommandError> {
    let found = scene.read_known(invocation)?;
    let text = match args.format {
        Format::Text => {
            if found.variables.is_empty() {
                let message = format!("the configuration of `{}` is empty\n", scene.name);
                invocation.output.message(&message);
            }
            list(&found.variables, args.show_values)
        }
        Format::Json => {
            let one = |(name, of): (&_, &_)| {
                let mut object = json!({"name": crate::config::variable::Name::as_str(name)});
                if args.show_values {
                    object["value"] = value(of);
                }
                object
            };
            let variables: Vec<Json> = found.variables.iter().map(one).collect();
            let folder = scene.folder.to_string();
            let value = json!({"format_version": 1, "folder": folder, "variables": variables});
            escaped(&format!("{value:#}\n"))
        }
    };
    invocation.output.result(&text);
    Ok(Status::Done)
}
