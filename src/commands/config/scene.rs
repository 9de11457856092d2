//! What the subcommands share: whose configuration is meant, how it is read, and how a change is made and
//! told.

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::commands::Invocation;
use crate::commands::etcd::EtcdConnection;
use crate::config::variable::{Name, Variables};
use crate::configuration::change::{Change, Changed, Deed, change};
use crate::configuration::folder::Folder;
use crate::configuration::{Configuration, history, read};
use crate::error::{CommandError, Status};
use crate::interruption::Interruption;
use crate::name::AppName;
use crate::resolve::client::is_reserved;
use crate::settings::{Settings, now};
use crate::store::Store;
use crate::tell::config::{Comparison, size};
use crate::tell::json::escaped;

/// The greatest number of bytes that Linux lets a program have of one variable, its name and the `=`
/// included.
const VARIABLE_MAXIMUM: usize = 128 * 1024 - 1;

/// The words for what a change does.
pub(super) const DONE: [&str; 4] = ["added", "changed", "removed", "equal"];

/// Whose configuration is meant.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Target {
    /// The app [default: `APPLICATION`]
    #[arg(short, long, value_name = "APP", global = true)]
    app: Option<String>,
    /// Where the variables are in etcd [default: /environment/APP]
    #[arg(long, value_name = "PATH", global = true)]
    folder: Option<String>,
    #[command(flatten)]
    pub(super) etcd: EtcdConnection,
}

/// How results are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON value with a `format_version`.
    Json,
}

/// What a subcommand works on.
pub(super) struct Scene {
    pub(super) store: Store,
    pub(super) folder: Folder,
    /// What the configuration is called: the app's name, or the folder's.
    pub(super) name: String,
    /// The flags that name it again.
    pub(super) flags: String,
    pub(super) etcd: EtcdConnection,
}

impl Target {
    /// Returns what is meant. etcd is asked nothing yet.
    ///
    /// # Errors
    /// Says what is wrong with a flag or a variable.
    pub(super) fn scene(&self, settings: &Settings) -> Result<Scene, CommandError> {
        let app = self.app.as_ref().or(settings.application.as_ref());
        let (folder, name, flags) = match (&self.folder, app) {
            (Some(path), _) => {
                let folder = Folder::at(path).map_err(CommandError::trouble)?;
                let flags = format!("--folder {folder}");
                (folder.clone(), folder.to_string(), flags)
            }
            (None, Some(app)) => {
                let name = AppName::new(app.as_str());
                let name = name.map_err(|error| CommandError::trouble(error.to_string()))?;
                (Folder::of_app(&name), app.clone(), format!("-a {name}"))
            }
            (None, None) => {
                let error = CommandError::trouble("no app is named");
                return Err(error.help("name it with `-a APP` or APPLICATION"));
            }
        };
        Ok(Scene {
            store: self.etcd.store(settings)?,
            folder,
            name,
            flags,
            etcd: self.etcd.clone(),
        })
    }
}

impl Scene {
    /// Reads the configuration, and warns of what is no variable.
    ///
    /// # Errors
    /// Says what etcd answered, or that it did not.
    pub(super) fn read(&self, invocation: &mut Invocation) -> Result<Configuration, CommandError> {
        let found = read(&self.store, &self.folder)?;
        for odd in &found.odd {
            let warning = format!("in etcd's `{}`, {odd}: it is left alone", self.folder);
            invocation.output.warning(&warning);
        }
        Ok(found)
    }

    /// Reads a configuration that there must be, even if it has no variables.
    ///
    /// # Errors
    /// Says that there is none, what etcd answered, or that it did not.
    pub(super) fn read_known(
        &self,
        invocation: &mut Invocation,
    ) -> Result<Configuration, CommandError> {
        let found = self.read(invocation)?;
        if found.is_empty() && !history::exists(&self.store, &self.folder)? {
            return Err(self.absent());
        }
        Ok(found)
    }

    /// Returns the error of a configuration that there is not.
    pub(super) fn absent(&self) -> CommandError {
        let mut error = CommandError::trouble(format!(
            "there is no configuration of `{}` in etcd",
            self.name
        ));
        error.status = Status::Found;
        let flags = &self.flags;
        error.help(format!(
            "`unitgen config {flags} set NAME=VALUE` begins one"
        ))
    }

    /// Makes a change, and tells what it changed.
    ///
    /// # Errors
    /// Says why nothing was changed, or that it is not known.
    pub(super) fn change(
        &self,
        action: &str,
        how: How,
        invocation: &mut Invocation,
        mut decide: impl FnMut(&Configuration) -> Result<Change, CommandError>,
    ) -> Result<Status, CommandError> {
        if how.is_dry {
            let found = read(&self.store, &self.folder)?;
            let before = found.variables.clone();
            let after = decide(&found)?.applied_to(&before);
            let comparison = Comparison::of(&before, &after);
            self.tell(&comparison, None, how, invocation);
            return Ok(Status::Done);
        }
        let interruption = listen()?;
        let author = invocation.settings.author.clone();
        let deed = Deed {
            time: now(),
            author: &author,
            action,
        };
        let changed = change(&self.store, &self.folder, deed, &interruption, decide)?;
        let after = changed.change.applied_to(&changed.before);
        let comparison = Comparison::of(&changed.before, &after);
        self.tell(&comparison, Some(&changed), how, invocation);
        Ok(Status::Done)
    }

    fn tell(
        &self,
        comparison: &Comparison<'_>,
        changed: Option<&Changed>,
        how: How,
        invocation: &mut Invocation,
    ) {
        let number = changed.and_then(|changed| changed.number);
        if how.format == Format::Json {
            let mut value = comparison.json(DONE, false);
            value["format_version"] = json!(1);
            value["folder"] = json!(self.folder.to_string());
            value["number"] = json!(number);
            value["dry_run"] = json!(how.is_dry);
            invocation.output.result(&escaped(&format!("{value:#}\n")));
        } else {
            let mut text = comparison.lines(false);
            let summary = comparison.summary(DONE);
            let name = &self.name;
            text.push_str(&match (changed, number) {
                (None, _) if comparison.differing.is_empty() => {
                    format!("{name}: nothing would change\n")
                }
                (None, _) => format!("{name}: would be {summary}\n"),
                (Some(_), None) => format!("{name}: nothing to change\n"),
                (Some(_), Some(number)) if summary.is_empty() => {
                    format!("{name}: begun, without variables; change {number}\n")
                }
                (Some(_), Some(number)) => format!("{name}: {summary}; change {number}\n"),
            });
            invocation.output.result(&text);
        }
        if let Some(changed) = changed
            && !changed.change.is_empty()
            && self.flags.starts_with("-a ")
        {
            let what = size(&changed.change);
            invocation.output.message(&format!(
                "what runs has the old values until `unitgen restart {}` ({what})\n",
                self.name
            ));
        }
    }
}

/// Begins to heed signals.
///
/// # Errors
/// Says why the system does not let this process listen.
pub(super) fn listen() -> Result<Interruption, CommandError> {
    Interruption::listen()
        .map_err(|error| CommandError::trouble("can't listen to signals").because(error))
}

/// How a change is made and told.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct How {
    /// Nothing is changed.
    pub(super) is_dry: bool,
    pub(super) format: Format,
}

/// Refuses variables that units set themselves, and warns of those that no program can have.
///
/// # Errors
/// Names those that units set themselves.
pub(super) fn check(
    variables: &Variables,
    invocation: &mut Invocation,
) -> Result<(), CommandError> {
    let names = variables.iter().map(|(name, _)| name);
    let reserved: Vec<String> = names
        .filter(|name| is_reserved(name.as_str()))
        .map(|name| format!("`{name}`"))
        .collect();
    if !reserved.is_empty() {
        let message = format!("the units themselves set {}", reserved.join(", "));
        return Err(CommandError::trouble(message).help("choose another name"));
    }
    for (name, value) in variables.iter() {
        let length = name.as_str().len() + 1 + value.as_bytes().len();
        if length > VARIABLE_MAXIMUM {
            invocation.output.warning(&format!(
                "`{name}` has {length} bytes with its name, and Linux gives no program a variable of \
                 more than {VARIABLE_MAXIMUM}: what needs it would not start"
            ));
        }
    }
    Ok(())
}

/// Reads a variable's name.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn variable(name: &str) -> Result<Name, CommandError> {
    Name::new(name).map_err(|error| CommandError::trouble(error.to_string()))
}
