//! What etcd's answer to a request gives: variables, and all that is wrong with them.
//!
//! In: a request, an answer, and which variables must be there. Out: variables apart by where they come
//! from, warnings, and errors, which are all found at once. No message has a value.

use std::collections::BTreeMap;

use crate::config::variable::{Name, Value, Variables, stray};
use crate::env::request::Request;
use crate::error::{CommandError, Status};
use crate::resolve::client::is_reserved;

/// What etcd holds of what it was asked for. It is full of secrets, and nothing shows it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// What stands below the folder: the rest of each key, and its value.
    pub entries: BTreeMap<String, Vec<u8>>,
    /// The values of the keys that were asked for and are there.
    pub values: BTreeMap<String, Vec<u8>>,
    /// Whether the app's configuration has a history: looked up where the folder is empty alone.
    pub has_history: bool,
}

/// What an answer gives.
#[derive(Default)]
pub struct Given {
    /// The app's own variables.
    pub config: Variables,
    /// Those whose keys were named, without those that the app has itself.
    pub named: Variables,
}

/// What is to be said of an answer, and what it gives.
#[derive(Default)]
pub struct Judgement {
    /// The variables.
    pub given: Given,
    /// What is worth knowing and changes nothing.
    pub notes: Vec<String>,
    /// What was left out.
    pub warnings: Vec<String>,
    /// What keeps the process from being started.
    pub errors: Vec<CommandError>,
}

impl Given {
    /// Returns all variables: the app's own go before those that were named.
    #[must_use]
    pub fn all(&self) -> Variables {
        let pairs = self.named.iter().chain(self.config.iter());
        pairs
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    fn has(&self, name: &Name) -> bool {
        self.config.get(name).is_some() || self.named.get(name).is_some()
    }
}

/// Judges an answer.
#[must_use]
pub fn judge(request: &Request, required: &[Name], answer: &Answer) -> Judgement {
    let mut judgement = Judgement::default();
    let mut unusable = Vec::new();
    for (rest, bytes) in &answer.entries {
        let key = format!("{}{rest}", request.prefix().unwrap_or_default());
        let Ok(name) = Name::new(rest.as_str()) else {
            let stray = stray(rest);
            let prefix = request.prefix().unwrap_or_default();
            let warning =
                format!("`{prefix}{stray}` is left out: `{stray}` is no name of a variable");
            judgement.warnings.push(warning);
            continue;
        };
        if is_reserved(name.as_str()) {
            let warning = format!(
                "`{key}` is left out: the unit itself says what `{name}` is, and the process gets that"
            );
            judgement.warnings.push(warning);
            continue;
        }
        match Value::new(bytes.as_slice()) {
            Ok(value) => drop(judgement.given.config.insert(name, value)),
            Err(error) => unusable.push(format!("`{key}`: {error}")),
        }
    }
    let mut missing: BTreeMap<&Name, Option<String>> = BTreeMap::new();
    for (name, key) in &request.keys {
        if judgement.given.config.get(name).is_some() {
            continue;
        }
        match answer.values.get(key) {
            Some(bytes) => match Value::new(bytes.as_slice()) {
                Ok(value) => drop(judgement.given.named.insert(name.clone(), value)),
                Err(error) => unusable.push(format!("`{key}`: {error}")),
            },
            None => drop(missing.insert(name, Some(key.clone()))),
        }
    }
    let is_absent = request.folder.is_some() && answer.entries.is_empty() && !answer.has_history;
    for name in required {
        // Where there is no configuration at all, that says it.
        if !judgement.given.has(name) && !is_absent && !missing.contains_key(name) {
            let key = request.prefix().map(|prefix| format!("{prefix}{name}"));
            missing.insert(name, key);
        }
    }
    if is_absent {
        judgement.errors.push(absent(request));
    } else if request.folder.is_some() && answer.entries.is_empty() {
        let subject = request.subject();
        let note = format!("the configuration of `{subject}` is empty");
        judgement.notes.push(note);
    }
    if !missing.is_empty() {
        judgement.errors.push(lacking(request, &missing));
    }
    if !unusable.is_empty() {
        let error = CommandError::trouble("what etcd holds can't be a variable's value");
        let error = error.because(unusable.join("; "));
        judgement.errors.push(error.help("set another value"));
    }
    judgement
}

fn found(message: String) -> CommandError {
    CommandError {
        status: Status::Found,
        ..CommandError::trouble(message)
    }
}

/// Returns the error of an app that nobody ever configured.
fn absent(request: &Request) -> CommandError {
    let Some(app) = request.app() else {
        let folder = request.folder.as_deref().unwrap_or_default();
        return found(format!("there is no key below `{folder}/` in etcd"))
            .help("set a variable there, or name another folder");
    };
    found(format!("there is no configuration of `{app}` in etcd")).help(format!(
        "`unitgen config -a {app} set NAME=VALUE` begins one; an app that needs none has \
         `config: false` in services.yaml, and its units ask with `--no-config`"
    ))
}

/// Returns the error of variables that must be there and are not.
fn lacking(request: &Request, missing: &BTreeMap<&Name, Option<String>>) -> CommandError {
    let names: Vec<String> = missing.keys().map(|name| format!("`{name}`")).collect();
    let message = match names.as_slice() {
        [name] => format!("the required variable {name} is missing"),
        names => format!("required variables are missing: {}", names.join(", ")),
    };
    let keys: Vec<String> = missing
        .values()
        .flatten()
        .map(|key| format!("`{key}`"))
        .collect();
    let error = found(message);
    let error = if keys.is_empty() {
        error.because("no folder is asked for, and no key is named for it")
    } else {
        error.because(format!("etcd has no {}", keys.join(", ")))
    };
    match request.app() {
        Some(app) => error.help(format!(
            "set what is missing first: `unitgen config -a {app} set NAME=VALUE`"
        )),
        None => error.help("set what is missing first"),
    }
}
