//! `unitgen show`.

use std::path::{Path, PathBuf};

use clap::Parser;

use crate::commands::{Format, Invocation};
use crate::error::{CommandError, Status};
use crate::files;
use crate::reading::Readings;
use crate::unit::escape::escape;
use crate::unit::name::{NameKind, UnitName};

mod json;
mod text;
mod word;

/// Shows what systemd 252 and fleet 1.0 make of a unit file.
///
/// Of systemd: the verdict and warnings, the words of each command, the environment, and settings of
/// one value, all with specifiers replaced. Of fleet: the hash, what it schedules the unit by, and
/// whether systemd reads the text that fleet stores as it reads the file.
///
/// A word that is not plain stands in double quotes, with systemd's escapes. `$` stands as it is, for
/// variables are replaced when the unit starts, and so does what only the machine knows, such as
/// `%H`. A unit that would not load is shown too, and is no failure.
#[derive(Debug, Parser)]
pub struct Args {
    /// The unit files; `-` is the standard input, and wants `--name`
    #[arg(value_name = "FILE", required = true)]
    paths: Vec<PathBuf>,
    /// The instance that a template is read as [default: i]
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// The unit's name, where it is not the file's
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The instance that a template is read as, as `systemd-analyze verify` does.
const INSTANCE: &str = "i";

/// Runs the command.
///
/// # Errors
/// Says that one name can't be that of several units. A file that can't be shown is reported, and
/// the others are shown.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    if args.name.is_some() && args.paths.len() > 1 {
        let count = args.paths.len();
        let message = format!("`--name` names one unit, and there are {count} files");
        return Err(CommandError::trouble(message).help("show that file by itself"));
    }
    let mut status = Status::Done;
    let mut gap = "";
    for path in &args.paths {
        match read(path, args) {
            Ok(readings) => {
                let file = path.display().to_string();
                let shown = match args.format {
                    Format::Text => format!("{gap}{}", text::text(&readings, &file)),
                    Format::Json => format!("{:#}\n", json::value(&readings, &file)),
                };
                invocation.output.result(&shown);
                gap = "\n";
            }
            Err(error) => {
                invocation.output.message(&error.text());
                status = error.status;
            }
        }
    }
    Ok(status)
}

fn read(path: &Path, args: &Args) -> Result<Readings, CommandError> {
    if path == Path::new("-") && args.name.is_none() {
        let error = CommandError::trouble("the standard input has no unit name");
        return Err(error.help(match args.paths.len() {
            1 => "name the unit with `--name`, such as `--name app@.service`",
            _ => "show it by itself, with `--name`, such as `--name app@.service`",
        }));
    }
    let bytes = files::read_bytes(path)?;
    let name = unit_name(path, args)?;
    Ok(Readings::new(&bytes, name))
}

/// Returns the name that a file is read under.
fn unit_name(path: &Path, args: &Args) -> Result<UnitName, CommandError> {
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    let given = args.name.as_deref().unwrap_or(&file_name);
    let name = UnitName::new(given).map_err(|error| {
        let error = CommandError::trouble(format!("`{given}` is no unit name")).because(error);
        error.help("name the unit with `--name`, such as `--name app@.service`")
    })?;
    match (name.kind(), args.instance.as_deref()) {
        (NameKind::Plain | NameKind::Instance, None) => Ok(name),
        (NameKind::Template, instance) => instance_of(&name, instance.unwrap_or(INSTANCE)),
        (NameKind::Plain, Some(_)) => {
            Err(CommandError::trouble(format!("`{name}` has no instances"))
                .help("leave `--instance` out; a template's name has an `@`, as in `app@.service`"))
        }
        (NameKind::Instance, Some(_)) => Err(CommandError::trouble(format!(
            "`{name}` is one instance already"
        ))
        .help("leave `--instance` out, or name another one with `--name`")),
    }
}

fn instance_of(template: &UnitName, instance: &str) -> Result<UnitName, CommandError> {
    if instance.is_empty() {
        return Err(CommandError::trouble("an instance has a name")
            .help(format!("leave `--instance` out to read `{INSTANCE}`")));
    }
    template.with_instance(instance).map_err(|error| {
        let message = format!("`{template}` has no instance `{instance}`");
        let error = CommandError::trouble(message).because(error);
        let escaped = escape(instance.as_bytes());
        match template.with_instance(&escaped) {
            Ok(_) => error.help(format!("systemd-escape writes it `{escaped}`")),
            Err(_) => error,
        }
    })
}
