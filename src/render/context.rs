//! The variables that templates have.
//!
//! In: a process or a unit beside it. Out: tera's context. A text that is systemd's own is handed
//! over as safe, so that the engine leaves it as it is; everything else is escaped. Knows nothing of
//! what templates make of it.

use std::collections::BTreeMap;

use tera::{Context, Value};

use crate::manifest::resources::PullPolicy;
use crate::model::{Companion, CompanionKind, ConfigRequest, Process, Word, Work};

/// Returns the variables of a process's own unit.
#[must_use]
pub fn process(process: &Process) -> Context {
    let mut context = shared(process);
    let environment = process.environment.iter().map(|variable| {
        let pair = [
            ("name", variable.name.as_str()),
            ("value", variable.value.as_str()),
        ];
        Value::from_serializable(&BTreeMap::from(pair))
    });
    let environment: Vec<Value> = environment.collect();
    context.insert_value("environment", Value::from(environment));
    let announcer = announcer(process).unwrap_or_default();
    context.insert_value("announcer", Value::safe_string(&announcer));
    context.insert_value("schedule", Value::from(Vec::<Value>::new()));
    context.insert_value("asks_config", Value::from(process.config.is_some()));
    let request = process.config.clone().unwrap_or_default();
    let required = request
        .required
        .iter()
        .map(|name| Value::from(name.value.as_str()));
    context.insert_value("required", Value::from(required.collect::<Vec<_>>()));
    let from = request.from.iter().map(|(name, key)| {
        let pair = [("name", name.value.as_str()), ("key", key.as_str())];
        Value::from_serializable(&BTreeMap::from(pair))
    });
    context.insert_value("from", Value::from(from.collect::<Vec<_>>()));
    context.insert_value("config", Value::from(config(&request)));
    match &process.work {
        Work::Container(container) => {
            let pull = match container.pull {
                PullPolicy::Always => "always",
                PullPolicy::Missing => "missing",
                PullPolicy::Never => "never",
            };
            let statuses: Vec<Value> = container
                .stop_statuses
                .iter()
                .map(|status| Value::from(*status))
                .collect();
            context.insert_value("image", Value::from(container.image.value.as_str()));
            context.insert_value("pull", Value::from(pull));
            context.insert_value(
                "options",
                words(container.options.iter().map(|word| &word.value)),
            );
            context.insert_value("command", words(&container.command));
            context.insert_value("stop_seconds", Value::from(container.stop_seconds));
            context.insert_value("stop_statuses", Value::from(statuses));
        }
        Work::Program(program) => {
            context.insert_value("prefix", Value::safe_string(&program.prefix));
            context.insert_value("program", words(&program.words));
        }
        Work::Nothing | Work::Verbatim(_) => {}
    }
    context
}

/// Returns the variables of a unit beside a process's own.
#[must_use]
pub fn companion(process: &Process, companion: &Companion) -> Context {
    let mut context = shared(process);
    match &companion.kind {
        CompanionKind::Timer(events) => {
            let events: Vec<Value> = events
                .iter()
                .map(|event| Value::from(event.as_str()))
                .collect();
            context.insert_value("schedule", Value::from(events));
        }
        CompanionKind::Announce(announce) => {
            context.insert_value("announced", Value::safe_string(&beside(process)));
            context.insert_value("key", Value::safe_string(&announce.key));
            context.insert_value("value", Value::safe_string(&announce.value));
            context.insert_value("ttl", Value::from(announce.ttl));
            context.insert_value("needs_slot", Value::from(announce.needs_slot));
        }
        CompanionKind::Socket | CompanionKind::Path => {}
    }
    context
}

/// Returns the name of the process's own unit as a unit of another name writes it.
#[must_use]
pub fn beside(process: &Process) -> String {
    let unit = &process.unit;
    if unit.is_template() {
        return format!("{}@%i.{}", unit.prefix(), unit.unit_type().suffix());
    }
    unit.as_str().to_owned()
}

/// Returns the name of the process's own unit as a unit that is called the same, but for its type,
/// writes it: alike in all of them.
#[must_use]
pub fn namesake(process: &Process) -> String {
    let unit = &process.unit;
    if unit.is_template() {
        return format!("%p@%i.{}", unit.unit_type().suffix());
    }
    unit.as_str().to_owned()
}

/// Returns the name of the unit that announces a process as the process's own unit writes it.
fn announcer(process: &Process) -> Option<String> {
    let mut companions = process.companions.iter();
    let unit = &companions
        .find(|companion| matches!(companion.kind, CompanionKind::Announce(_)))?
        .unit;
    if !unit.is_template() {
        return Some(unit.as_str().to_owned());
    }
    // Alike in all units, where the name has the process's own in front.
    let own = process.unit.prefix();
    let prefix = match unit.prefix().strip_prefix(own) {
        Some(rest) => format!("%p{rest}"),
        None => unit.prefix().to_owned(),
    };
    Some(format!("{prefix}@%i.{}", unit.unit_type().suffix()))
}

fn shared(process: &Process) -> Context {
    let mut context = Context::new();
    context.insert_value("app", Value::from(process.app.as_str()));
    context.insert_value("process", Value::from(process.name.value.as_str()));
    context.insert_value("unit", Value::from(process.unit.as_str()));
    context.insert_value("is_template", Value::from(process.unit.is_template()));
    context.insert_value("versioned", Value::from(process.versioned));
    context
}

fn words<'a>(words: impl IntoIterator<Item = &'a Word>) -> Value {
    let values: Vec<Value> = words
        .into_iter()
        .map(|word| match word {
            Word::Literal(text) => Value::from(text.as_str()),
            Word::Systemd(text) => Value::safe_string(text),
        })
        .collect();
    Value::from(values)
}

/// Returns the options of `unitgen env exec` and `unitgen env docker`.
fn config(request: &ConfigRequest) -> Vec<Value> {
    let mut options = Vec::new();
    let mut push = |word: &str| options.push(Value::from(word));
    match &request.folder {
        None => {}
        Some(None) => push("--no-config"),
        Some(Some(folder)) => {
            push("--folder");
            push(folder);
        }
    }
    for name in &request.required {
        push("--require");
        push(name.value.as_str());
    }
    for (name, key) in &request.from {
        push("--key");
        push(&format!("{}={key}", name.value));
    }
    options
}
