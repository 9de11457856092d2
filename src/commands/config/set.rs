//! `unitgen config set`.

use std::path::Path;

use clap::Parser;

use crate::commands::Invocation;
use crate::commands::config::scene::{Format, How, Scene, check};
use crate::config::variable::{Name, Value, Variables};
use crate::configuration::change::Change;
use crate::error::CommandError;
use crate::error::Status;
use crate::files::private;

/// Sets variables, all of them or none.
///
/// A value on a command line is seen by whoever lists the processes, and is kept in the shell's history:
/// `NAME=-` reads it from the standard input, `NAME=@FILE` from a file, byte for byte.
#[derive(Debug, Parser)]
pub struct Args {
    /// What is set: `NAME=VALUE`, `NAME=-` or `NAME=@FILE`
    #[arg(value_name = "NAME=VALUE", required = true)]
    assignments: Vec<String>,
    /// Take `-` and `@` in front of a value as its own
    #[arg(long)]
    literal: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(
    args: &Args,
    scene: &Scene,
    invocation: &mut Invocation,
) -> Result<Status, CommandError> {
    let variables = args.variables(invocation)?;
    check(&variables, invocation)?;
    let how = How {
        is_dry: false,
        format: args.format,
    };
    scene.change("set", how, invocation, |_| {
        Ok(Change {
            set: variables.clone(),
            ..Change::default()
        })
    })
}

impl Args {
    /// Reads what is set. All that is wrong is said; of several errors all but the last are shown.
    fn variables(&self, invocation: &mut Invocation) -> Result<Variables, CommandError> {
        let mut variables = Variables::default();
        let mut errors = Vec::new();
        let mut reads_input = false;
        for (at, assignment) in (1..).zip(&self.assignments) {
            match self.variable(at, assignment, &mut reads_input) {
                Ok((name, value)) => {
                    let from_outside = !self.literal
                        && assignment[name.as_str().len() + 1..].starts_with(['-', '@']);
                    if from_outside && value.as_bytes().ends_with(b"\n") {
                        let warning = format!(
                            "the value of `{name}` ends with a newline, which becomes a part of it; \
                             `printf %s` writes none"
                        );
                        invocation.output.warning(&warning);
                    }
                    if variables.insert(name.clone(), value).is_some() {
                        let message = format!("`{name}` is set twice");
                        errors.push(CommandError::trouble(message).help("give it one value"));
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        match errors.pop() {
            None => Ok(variables),
            Some(last) => {
                for error in errors {
                    invocation.output.message(&error.text());
                }
                Err(last)
            }
        }
    }

    /// Reads one assignment. What is wrong is said by its name, or by its number: it may be a secret.
    fn variable(
        &self,
        at: usize,
        assignment: &str,
        reads_input: &mut bool,
    ) -> Result<(Name, Value), CommandError> {
        let Some((name, text)) = assignment.split_once('=') else {
            return Err(match Name::new(assignment) {
                Ok(name) => CommandError::trouble(format!("`{name}` is given no value"))
                    .help(format!("write `{name}=VALUE`, or `{name}=-` to read it")),
                Err(_) => CommandError::trouble(format!("word {at} is no `NAME=VALUE`"))
                    .help("write `NAME=VALUE`, `NAME=-` or `NAME=@FILE`"),
            });
        };
        let name = Name::new(name)
            .map_err(|error| CommandError::trouble(format!("word {at}: {error}")))?;
        let bytes = match text.strip_prefix('@') {
            _ if self.literal => text.as_bytes().to_vec(),
            Some(path) if path != "-" => read(&name, path)?,
            _ if text == "-" || text == "@-" => {
                if std::mem::replace(reads_input, true) {
                    let message = "two values can't both be read from the standard input";
                    return Err(CommandError::trouble(message)
                        .help("read one of them from a file: `NAME=@FILE`"));
                }
                private::read(Path::new("-"))?
            }
            _ => text.as_bytes().to_vec(),
        };
        let value = Value::new(bytes)
            .map_err(|error| CommandError::trouble(format!("`{name}`: {error}")))?;
        Ok((name, value))
    }
}

/// Reads a value's file. Its name is not shown: a value that begins with `@` may be meant.
fn read(name: &Name, path: &str) -> Result<Vec<u8>, CommandError> {
    private::read(Path::new(path)).map_err(|error| {
        let causes = error.causes().join(": ");
        let causes = if causes.is_empty() {
            "it is too large".to_owned()
        } else {
            causes
        };
        CommandError::trouble(format!("`{name}`: can't read the file behind `@`"))
            .because(causes)
            .help("`--literal` takes `@` as the value's own")
    })
}
