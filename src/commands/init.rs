//! `unitgen init`.

use std::path::Path;

use clap::Parser;

use crate::commands::Invocation;
use crate::error::{CommandError, Status};
use crate::{files, schema};

/// Writes a first services.yaml and its schema for editors.
///
/// Nothing that is there is overwritten.
#[derive(Debug, Parser)]
pub struct Args {}

const MANIFEST: &str = include_str!("init/services.yaml");

/// The schema's file name, which the manifest's first line names.
const SCHEMA: &str = "services.schema.json";

/// Runs the command.
///
/// # Errors
/// Says which file can't be written.
pub fn run(_args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let manifests = invocation.manifests();
    let path = manifests
        .first()
        .map_or(Path::new("services.yaml"), |path| path);
    if path == Path::new("-") {
        return Err(CommandError::trouble("a first manifest needs a name").help("leave `-f -` out"));
    }
    let schema_path = path.with_file_name(SCHEMA);
    files::create(path, MANIFEST)?;
    // The schema is the same for all manifests of a folder, and an older one does no harm.
    let with_schema = files::create(&schema_path, &schema::text()).is_ok();
    let mut text = format!("created {}\n", path.display());
    if with_schema {
        text.push_str(&format!("created {}\n", schema_path.display()));
    }
    let option = match manifests.first() {
        Some(path) if path != Path::new("services.yaml") => format!(" -f {}", path.display()),
        _ => String::new(),
    };
    text.push_str(&format!("next: change it, then `unitgen{option} render`\n"));
    invocation.output.result(&text);
    Ok(Status::Done)
}
