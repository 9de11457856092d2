//! What would be done, for `--dry-run`: lines that a shell takes, requests, or events.
//!
//! The lines write nothing before they are pasted: they render the units themselves, to a folder that
//! goes with them.

use crate::cluster::fleetctl::Fleetctl;
use crate::commands::Invocation;
use crate::commands::submit::prepared::Prepared;
use crate::commands::submit::{Args, Format, Via, there};
use crate::plan::Action;
use crate::plan::script::shell::{end_of, parts, plain_operand, quoted};
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
            Via::Api => {
                let is_old = self.is_old();
                self.tasks
                    .iter()
                    .map(|task| request(task, is_old))
                    .collect()
            }
            Via::Fleetctl => {
                let steps: String = self.tasks.iter().map(comment).collect();
                steps + &self.lines(args, fleetctl, invocation)
            }
        }
    }

    fn lines(&self, args: &Args, fleetctl: &Fleetctl, invocation: &Invocation) -> String {
        let mut words = fleetctl.command.clone();
        let program = words.pop().unwrap_or_default();
        let call = [vec![program], fleetctl.flags.words()].concat();
        let files = if invocation.files.is_empty() {
            &invocation.settings.files
        } else {
            &invocation.files
        };
        let is_read_once = args.saved_plan().is_none() && files.iter().any(|file| file == "-");
        let mut own = vec!["unitgen".to_owned()];
        for file in files.iter().filter(|_| args.saved_plan().is_none()) {
            own.extend(["-f".to_owned(), file.display().to_string()]);
        }
        // What can't be rendered once more, and what is a plan's, is in the lines themselves.
        if is_read_once || args.saved_plan().is_some() && words.is_empty() {
            let script = if words.is_empty() {
                self.script(&call)
            } else {
                self.script(&there(fleetctl))
            };
            words.extend(["sh".to_owned(), "-e".to_owned()]);
            return here(&shell(&words), &script);
        }
        if !words.is_empty() {
            own.extend(arguments(args));
            words.extend(["sh".to_owned(), "-e".to_owned()]);
            return format!("{} | {}\n", shell(&own), shell(&words));
        }
        self.calls(&shell(&call), &shell(&own))
    }

    /// Returns calls of fleetctl with files that are rendered for them.
    fn calls(&self, call: &str, unitgen: &str) -> String {
        let path = |name: &RegistryName| format!("\"$units\"/{}", quoted(name.as_str()));
        let operand = |name: &RegistryName| quoted(&plain_operand(name));
        let of = |is_meant: fn(&Action) -> bool| {
            let tasks = self.tasks.iter();
            let tasks = tasks.filter(move |task| is_meant(&task.step.action));
            tasks.map(|task| &task.step.unit).collect::<Vec<_>>()
        };
        let created = of(|action| matches!(action, Action::Create(_)));
        let replaced = of(Action::is_replace);
        let submit = format!("{call} submit");
        let destroy = format!("{call} destroy");
        let mut lines = calls(&submit, &created, path);
        if self.is_old() {
            lines.extend(calls(&destroy, &replaced, operand));
            lines.extend(calls(&submit, &replaced, path));
        } else {
            lines.extend(calls(&format!("{submit} --replace"), &replaced, path));
        }
        if !lines.is_empty() {
            let apps: String = self
                .apps
                .iter()
                .map(|app| format!(" {}", quoted(app)))
                .collect();
            let render = format!("{unitgen} render{apps} -o \"$units\"");
            lines.splice(0..0, ["units=$(mktemp -d)".to_owned(), render]);
        }
        lines.extend(calls(&destroy, &of(Action::is_destroy), operand));
        if lines.first().is_some_and(|line| line.starts_with("units=")) {
            lines.push("rm -r \"$units\"".to_owned());
        }
        // What comes after a failure is not done, in a shell at a terminal as well.
        lines.join(" &&\n") + "\n"
    }
}

/// Returns what makes unitgen write the script of the same run.
fn arguments(args: &Args) -> Vec<String> {
    let connection = &args.connection;
    let given = [
        ("endpoint", connection.endpoint.clone()),
        ("tunnel", connection.tunnel.clone()),
        ("ssh-username", connection.ssh_username.clone()),
        ("fleetctl", args.fleetctl.clone()),
        ("prune-max", args.prune_max.map(|limit| limit.to_string())),
    ];
    let given = given.into_iter();
    let given = given.filter_map(|(name, value)| Some(format!("--{name}={}", value?)));
    let mut words = vec!["submit".to_owned()];
    words.extend(args.names.iter().cloned());
    words.extend(given);
    words.extend(args.prune.then(|| "--prune".to_owned()));
    words.extend(args.other_cluster.then(|| "--other-cluster".to_owned()));
    words.push("--print".to_owned());
    words
}

/// Returns a line that gives a script to a shell, so that it is not the one that it is pasted into.
fn here(shell: &str, script: &str) -> String {
    let end = end_of(script);
    format!("{shell} <<'{end}'\n{script}{end}\n")
}

/// Returns as few calls as fit.
fn calls(
    call: &str,
    units: &[&RegistryName],
    operand: impl Fn(&RegistryName) -> String,
) -> Vec<String> {
    let operands: Vec<String> = units.iter().map(|unit| operand(unit)).collect();
    parts(&operands, String::len)
        .map(|part| format!("{call} {}", part.join(" ")))
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
fn request(task: &Task, is_old: bool) -> String {
    let step = &task.step;
    let (unit, reason) = (line(step.unit.as_str()), step.reason.word());
    let deletion = format!("DELETE {unit} ({reason})\n");
    let Some(text) = step.action.text() else {
        return deletion;
    };
    let is_anew = task.runs() || is_old && step.action.is_replace();
    let before = if is_anew { deletion.as_str() } else { "" };
    format!(
        "{before}PUT    {unit} {} {} ({reason})\n",
        task.state, text.hash
    )
}
