//! What would be done, for `--dry-run`: lines that a shell takes, requests, or events.
//!
//! The lines write nothing before they are pasted: they render the units themselves, to a folder that
//! goes with them.

use crate::cluster::fleetctl::Fleetctl;
use crate::commands::submit::prepared::Prepared;
use crate::commands::submit::{Args, Via};
use crate::commands::{Format, Invocation};
use crate::plan::script::Script;
use crate::plan::script::shell::{parts, plain_operand, quoted};
use crate::state::RegistryName;
use crate::submit::Task;
use crate::tell::submit::events;
use crate::visible::line;

impl Prepared {
    /// Returns what would be done.
    pub(super) fn rehearsal(
        &self,
        args: &Args,
        fleetctl: &Fleetctl,
        invocation: &Invocation,
    ) -> String {
        if args.format == Format::Json {
            let event = |task: &Task| events::step(task, None, self.places.get(&task.step.unit));
            return self.tasks.iter().map(event).collect();
        }
        if self.tasks.is_empty() {
            return "# nothing to do\n".to_owned();
        }
        match args.via {
            Via::Api => self.tasks.iter().map(request).collect(),
            Via::Fleetctl => {
                let steps: String = self.tasks.iter().map(comment).collect();
                steps + &self.lines(args, fleetctl, invocation)
            }
        }
    }

    fn lines(&self, args: &Args, fleetctl: &Fleetctl, invocation: &Invocation) -> String {
        let mut words = fleetctl.command.clone();
        let program = words.pop().unwrap_or_default();
        let mut own = vec!["unitgen".to_owned()];
        for file in &invocation.files {
            own.extend(["-f".to_owned(), file.display().to_string()]);
        }
        // What goes elsewhere, or comes from no manifest, is a script.
        if !words.is_empty() || args.saved_plan().is_some() {
            own.extend(arguments(args, !words.is_empty()));
            words.extend(["sh".to_owned(), "-e".to_owned()]);
            return format!("{} | {}\n", shell(&own), shell(&words));
        }
        let call: Vec<String> = std::iter::once(program)
            .chain(fleetctl.flags.words())
            .collect();
        let call = shell(&call);
        let mut text = String::new();
        let is_destroyed = |task: &&Task| task.destroys();
        let (destroyed, stored): (Vec<&Task>, Vec<&Task>) =
            self.tasks.iter().partition(is_destroyed);
        if !stored.is_empty() {
            own.push("render".to_owned());
            own.extend(args.names.iter().cloned());
            text.push_str(&format!(
                "units=$(mktemp -d)\n{} -o \"$units\"\n",
                shell(&own)
            ));
        }
        let plan = self.plan();
        let existing = Script::of_plan(&plan).existing();
        let path = |name: &RegistryName| format!("\"$units\"/{}", quoted(name.as_str()));
        let command = existing.command().join(" ");
        text.push_str(&calls(&format!("{call} {command}"), &stored, path));
        let operand = |name: &RegistryName| quoted(&plain_operand(name));
        text.push_str(&calls(&format!("{call} destroy"), &destroyed, operand));
        if !stored.is_empty() {
            text.push_str("rm -r \"$units\"\n");
        }
        text
    }
}

/// Returns what makes unitgen write the script of the same run.
fn arguments(args: &Args, is_elsewhere: bool) -> Vec<String> {
    let connection = &args.connection;
    let given = [
        ("endpoint", connection.endpoint.clone()),
        ("tunnel", connection.tunnel.clone()),
        ("ssh-username", connection.ssh_username.clone()),
        ("fleetctl", is_elsewhere.then(|| args.fleetctl.clone())),
        ("prune-max", args.prune_max.map(|limit| limit.to_string())),
    ];
    let given = given.into_iter();
    let given = given.filter_map(|(name, value)| Some(format!("--{name}={}", value?)));
    let mut words = vec!["submit".to_owned()];
    words.extend(args.names.iter().cloned());
    words.extend(given);
    words.extend(args.prune.then(|| "--prune".to_owned()));
    words.push("--print".to_owned());
    words
}

/// Returns as few calls as fit.
fn calls(call: &str, tasks: &[&Task], operand: impl Fn(&RegistryName) -> String) -> String {
    let operands: Vec<String> = tasks.iter().map(|task| operand(&task.step.unit)).collect();
    let parts = parts(&operands, String::len);
    parts
        .map(|part| format!("{call} {}\n", part.join(" ")))
        .collect()
}

fn shell(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

fn comment(task: &Task) -> String {
    let step = &task.step;
    let (action, reason) = (step.action.word(), step.reason.word());
    format!("# {action} {} ({reason})\n", line(step.unit.as_str()))
}

/// Returns what is sent to the API for a task.
fn request(task: &Task) -> String {
    let step = &task.step;
    let (unit, reason) = (line(step.unit.as_str()), step.reason.word());
    match step.action.text() {
        None => format!("DELETE {unit} ({reason})\n"),
        Some(text) if task.runs() => {
            format!(
                "DELETE {unit} ({reason}, and runs)\nPUT    {unit} {} {}\n",
                task.state, text.hash
            )
        }
        Some(text) => format!("PUT    {unit} {} {} ({reason})\n", task.state, text.hash),
    }
}
