//! The user's fleetctl, which submits, destroys and lists unit files.
//!
//! In: the words that call it, settings to hand on, units. Out: how it ended and all that it said, or
//! what the registry has. It is believed in nothing: it ends well where it did nothing, so that whoever
//! calls reads back what the registry has. Knows nothing of plans, nor of what should be.
//!
//! `ssh core@host fleetctl` and `sudo fleetctl` are words too: all but the last lead to where fleetctl
//! is. Files of this machine may not be there, or not be readable, so that a script goes that way
//! instead, to a shell's input.
//!
//! fleetctl has no time-out of its own that holds. What takes too long is ended with all that it
//! started, on this machine: what hangs beyond an ssh is out of reach, and may yet do its work. Files of
//! this machine go whatever happens; those of a script go unless it is killed by force.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the door to fleetctl, which reads files of its own"
)]

mod flags;
pub mod list;
mod process;
pub mod words;

use std::fs::{OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

pub use crate::cluster::fleetctl::flags::GlobalFlags;
use crate::cluster::fleetctl::process::{Ended, Group, Kind};
use crate::cluster::fleetctl::words::Remark;
use crate::error::CommandError;
use crate::plan::script::{self, Existing, shell};
use crate::state::RegistryName;

/// How many units a command line shows by name.
const SHOWN_MAXIMUM: usize = 3;

/// How much is kept of what is said for people only.
const SAID_MAXIMUM: usize = 1 << 20;

/// A fleetctl, and how it is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleetctl {
    /// The program, after the words that lead to it.
    pub command: Vec<String>,
    /// What it is told besides what its own variables say.
    pub flags: GlobalFlags,
    /// How long one call may take.
    pub time_limit: Duration,
    /// Whether somebody is there to whom ssh or sudo can speak on the terminal. The process is in the
    /// foreground then, and no group of its own: what it started outlives it where it takes too long.
    pub interactive: bool,
}

/// What became of one call, or of several until one failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The command lines, as a user would write them, with the names of a few units only.
    pub commands: Vec<String>,
    /// How the last one ended.
    pub end: End,
    /// What was said on stdout, in the middle cut where it is very long.
    pub stdout: String,
    /// What was said on stderr, in the middle cut where it is very long.
    pub stderr: String,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// By itself, with this status.
    Exit(i32),
    /// By this signal, which nobody here sent.
    Signal(i32),
    /// It took longer than this, and was ended.
    TimedOut(Duration),
}

/// Files in a private folder, which goes with this.
struct Files {
    folder: TempDir,
}

impl Outcome {
    /// Tells whether the process says that all is well, which need not be true.
    #[must_use]
    pub fn claims_success(&self) -> bool {
        self.end == End::Exit(0)
    }

    /// Returns what it said, as far as it is known what that means: first what is on stderr.
    #[must_use]
    pub fn remarks(&self) -> Vec<Remark> {
        let mut remarks = words::remarks(&self.stderr);
        remarks.extend(words::remarks(&self.stdout));
        remarks
    }

    /// Returns what comes of no call at all.
    fn nothing() -> Self {
        Self {
            commands: Vec::new(),
            end: End::Exit(0),
            stdout: String::new(),
            stderr: String::new(),
        }
    }

    fn add(&mut self, later: Self) {
        let Self {
            commands,
            end,
            stdout,
            stderr,
        } = later;
        self.commands.extend(commands);
        self.end = end;
        self.stdout.push_str(&stdout);
        self.stderr.push_str(&stderr);
    }
}

impl Fleetctl {
    /// Stores unit files: `fleetctl submit`, with `--replace` only where that is asked for.
    ///
    /// # Errors
    /// Says why fleetctl, or what leads to it, can't be started at all, or files can't be written.
    pub fn submit(
        &self,
        units: &[(&RegistryName, &str)],
        existing: Existing,
    ) -> Result<Outcome, CommandError> {
        let names: Vec<&RegistryName> = units.iter().map(|(name, _)| *name).collect();
        for name in &names {
            check_file_name(name)?;
        }
        if units.is_empty() {
            return Ok(Outcome::nothing());
        }
        let verb = existing.command();
        let (way, words) = self.words()?;
        if !way.is_empty() {
            let script = script::submission(&words, units, existing);
            return self.run_script(way, &script, self.shown(verb, &names));
        }
        let files = Files::new(units)?;
        let folder = files.folder.path();
        let length = |name: &&RegistryName| folder.as_os_str().len() + 1 + name.as_str().len();
        self.run_parts(shell::parts(&names, length), |part| {
            let mut command = start_of(&words);
            command.args(verb);
            command.args(part.iter().map(|name| folder.join(name.as_str())));
            (command, Some(folder), self.shown(verb, part))
        })
    }

    /// Refuses words that can't call fleetctl.
    ///
    /// # Errors
    /// Says why they can't.
    pub fn check(&self) -> Result<(), CommandError> {
        self.words().map(drop)
    }

    /// Makes sure that files can be written for these units.
    ///
    /// # Errors
    /// Says why they can't.
    pub fn check_room(&self, units: &[(&RegistryName, &str)]) -> Result<(), CommandError> {
        let (way, _) = self.words()?;
        if way.is_empty() {
            Files::new(units)?;
        }
        Ok(())
    }

    /// Takes units out of the registry: `fleetctl destroy`, which ends those that run.
    ///
    /// # Errors
    /// Says why fleetctl, or what leads to it, can't be started at all.
    pub fn destroy(&self, names: &[&RegistryName]) -> Result<Outcome, CommandError> {
        for name in names {
            check_file_name(name)?;
        }
        if names.is_empty() {
            return Ok(Outcome::nothing());
        }
        let verb = &["destroy"];
        let (way, words) = self.words()?;
        if !way.is_empty() {
            let script = script::destruction(&words, names);
            return self.run_script(way, &script, self.shown(verb, names));
        }
        self.run_parts(
            shell::parts(names, |name| name.as_str().len() + 2),
            |part| {
                let mut command = start_of(&words);
                command.args(verb);
                command.args(part.iter().map(|name| shell::plain_operand(name)));
                (command, None, self.shown(verb, part))
            },
        )
    }

    /// Returns the words that lead to fleetctl, and it with its flags.
    fn words(&self) -> Result<(&[String], Vec<String>), CommandError> {
        let whole = self.command.join(" ");
        let wrong = |why| {
            CommandError::trouble(format!("`{whole}` does not call fleetctl: {why}")).help(
                "write a program such as `fleetctl`, or what leads to it and then the program: \
                       `ssh core@host fleetctl`; fleetctl's flags go into its variables",
            )
        };
        match self.command.split_last() {
            None => Err(wrong("there is no word")),
            Some(_)
                if self
                    .command
                    .iter()
                    .any(|word| word.is_empty() || word.contains('\0')) =>
            {
                Err(wrong("a word is no text"))
            }
            Some((last, _)) if last.starts_with('-') => Err(wrong("the last word is a flag")),
            Some((program, way)) => {
                let program = std::iter::once(program.clone());
                Ok((way, program.chain(self.flags.words()).collect()))
            }
        }
    }

    fn run_parts<'a, 'b>(
        &self,
        parts: impl Iterator<Item = &'a [&'a RegistryName]>,
        call: impl Fn(&'a [&'a RegistryName]) -> (Command, Option<&'b Path>, String),
    ) -> Result<Outcome, CommandError> {
        let mut all = Outcome::nothing();
        for part in parts {
            let (command, folder, shown) = call(part);
            all.add(self.run(command, folder, None, shown)?);
            if !all.claims_success() {
                break;
            }
        }
        Ok(all)
    }

    fn run_script(
        &self,
        way: &[String],
        script: &str,
        shown: String,
    ) -> Result<Outcome, CommandError> {
        let mut command = start_of(way);
        command.args(["sh", "-es"]);
        self.run(command, None, Some(script), shown)
    }

    fn run(
        &self,
        command: Command,
        folder: Option<&Path>,
        input: Option<&str>,
        shown: String,
    ) -> Result<Outcome, CommandError> {
        let ended = self.finish(command, folder, input, SAID_MAXIMUM)?;
        Ok(Outcome {
            commands: vec![shown],
            end: ended.end,
            stdout: ended.stdout.text(),
            stderr: ended.stderr.text(),
        })
    }

    fn finish(
        &self,
        command: Command,
        folder: Option<&Path>,
        input: Option<&str>,
        kept: usize,
    ) -> Result<Ended, CommandError> {
        let program = command.get_program().to_string_lossy().into_owned();
        let kind = if self.interactive {
            Kind::Foreground
        } else {
            Kind::OwnGroup
        };
        Group::start(command, kind, folder, input.is_some(), kept)
            .map_err(|failure| failure.explained(&program))?
            .finish(input.unwrap_or_default(), self.time_limit)
            .map_err(|error| cant_run(&program, error))
    }

    /// Returns a command line for people.
    fn shown(&self, verb: &[&str], names: &[&RegistryName]) -> String {
        let flags = self.flags.words();
        let own = self
            .command
            .iter()
            .chain(&flags)
            .map(|word| shell::quoted(word));
        let mut words: Vec<String> = own.collect();
        words.extend(verb.iter().map(|word| (*word).to_owned()));
        let operands = names.iter().take(SHOWN_MAXIMUM);
        words.extend(operands.map(|name| shell::quoted(&shell::plain_operand(name))));
        if names.len() > SHOWN_MAXIMUM {
            words.push(format!("… ({} units)", names.len()));
        }
        words.join(" ")
    }
}

impl Files {
    fn new(units: &[(&RegistryName, &str)]) -> Result<Self, CommandError> {
        let fail = |error: io::Error| {
            CommandError::trouble("can't write unit files for fleetctl to a folder of their own")
                .because(error)
        };
        let private = Permissions::from_mode(0o700);
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("unitgen-").permissions(private);
        let folder = builder.tempdir().map_err(fail)?;
        for (name, text) in units {
            let mut options = OpenOptions::new();
            let options = options.write(true).create_new(true).mode(0o600);
            let mut file = options
                .open(folder.path().join(name.as_str()))
                .map_err(fail)?;
            file.write_all(text.as_bytes()).map_err(fail)?;
        }
        Ok(Self { folder })
    }
}

fn start_of(words: &[String]) -> Command {
    let (program, arguments) = words
        .split_first()
        .map_or(("fleetctl", words), |(program, rest)| {
            (program.as_str(), rest)
        });
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// Refuses a name that would lead elsewhere as a file's.
fn check_file_name(name: &RegistryName) -> Result<(), CommandError> {
    let text = name.as_str();
    if text.is_empty() || text == "." || text == ".." || text.contains(['/', '\0']) {
        let message = format!("{text:?} can't be a file's name, as fleetctl needs it");
        return Err(CommandError::trouble(message));
    }
    Ok(())
}

fn cant_run(program: &str, error: io::Error) -> CommandError {
    CommandError::trouble(format!("can't run `{program}`")).because(error)
}
