//! What `deploy`, `restart` and `rollback` share: bounds, locks and releases, and how steps are carried out
//! and told.

pub mod bounds;
pub mod course;
pub mod register;
pub(super) mod teller;

use std::collections::HashMap;

use clap::ValueEnum;

use crate::cluster::git::GitTree;
use crate::commands::Invocation;
use crate::commands::rollout::course::AppCourse;
use crate::diff::Diff;
use crate::error::{CommandError, Status};
use crate::files;
use crate::interruption::Interruption;
use crate::plan::plan as plan_files;
use crate::render::desired::Desired;
use crate::rollout::process::Process;
use crate::rollout::{Plan, ProcessPlan, plan};
use crate::state::{Observed, RegistryName};
use crate::submit::Task;
use crate::tell::deploy as words;

/// How results are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: an event a line, the first with a `format_version`
    Json,
}

/// Begins to heed signals.
///
/// # Errors
/// Says why the system does not let this process listen.
pub(super) fn listen() -> Result<Interruption, CommandError> {
    Interruption::listen()
        .map_err(|error| CommandError::trouble("can't listen to signals").because(error))
}

/// Plans the steps of instances, or tells why there can be none.
pub(super) fn planned(
    processes: &[Process],
    observed: &Observed,
    yes_global: bool,
    format: Format,
    invocation: &mut Invocation,
) -> Option<Plan> {
    let planned = plan(processes, observed)
        .map_err(|impossible| words::impossible(&impossible))
        .and_then(|plan| check_global(&plan, yes_global).map(|()| plan));
    match planned {
        Ok(plan) => Some(plan),
        Err(text) => {
            invocation.output.message(&text);
            if format == Format::Json {
                let code = Status::Refused.code();
                let end = words::events::end(code, &[].iter(), None);
                invocation.output.result(&end);
            }
            None
        }
    }
}

/// Refuses to replace what runs on every machine, unless that is meant.
fn check_global(plan: &Plan, yes_global: bool) -> Result<(), String> {
    let is_replaced =
        |process: &&ProcessPlan| process.is_global && process.steps.iter().any(|step| step.lowers);
    let global = plan.processes.iter().filter(is_replaced);
    let global: Vec<String> = global
        .map(|process| format!("{}/{}", process.app, process.process))
        .collect();
    if global.is_empty() || yes_global {
        return Ok(());
    }
    let names = global.join(", ");
    let error = CommandError::refused(format!(
        "{names} runs on every machine, and all of it would be replaced at once"
    ));
    let help = "nothing was done; where that is meant say `--yes-global`";
    Err(error.help(help).text())
}

/// Puts the steps of instances and the changes of unit files together, app by app. Plain units that run are
/// no files to be stored, but instances to be replaced.
pub(super) fn filed(
    diff: &Diff,
    desired: &Desired,
    is_pruned: impl Fn(&str) -> bool,
    plan: Plan,
) -> Vec<AppCourse> {
    let owners = diff
        .units
        .iter()
        .map(|unit| (&unit.name, unit.owner.app.as_str()));
    let owners: HashMap<&RegistryName, &str> = owners.collect();
    let mut apps: Vec<AppCourse> = Vec::new();
    for process in plan.processes {
        of_app(&mut apps, &process.app.clone())
            .processes
            .push(process);
    }
    for task in Task::of_plan(plan_files(diff, desired)) {
        let Some(owner) = owners.get(&task.step.unit) else {
            continue;
        };
        let app = of_app(&mut apps, owner);
        if !task.destroys() {
            app.files.push(task);
        } else if is_pruned(owner) {
            app.leftovers.push(task);
        }
    }
    apps
}

/// Returns what is to be done about an app, which is nothing so far where it is new.
pub(super) fn of_app<'a>(apps: &'a mut Vec<AppCourse>, name: &str) -> &'a mut AppCourse {
    let at = apps.iter().position(|app| app.app == name);
    let at = at.unwrap_or_else(|| {
        apps.push(AppCourse {
            app: name.to_owned(),
            ..AppCourse::default()
        });
        apps.len() - 1
    });
    &mut apps[at]
}

impl Invocation {
    /// Returns the commit of git that the manifest is of, as far as there is one. A `+` behind it says that
    /// the manifest is another one since.
    pub(super) fn revision(&self) -> Option<String> {
        let mut tree = GitTree::open("HEAD", &self.folder()).ok()?;
        let manifests = self.manifests();
        let is_committed = |path: &std::path::PathBuf| {
            let then = tree.read_text(path).ok().flatten();
            then.is_some() && then == files::read_text(path).ok()
        };
        let is_clean = manifests.iter().all(is_committed);
        let commit = tree.commit().to_owned();
        Some(if is_clean {
            commit
        } else {
            format!("{commit}+")
        })
    }
}
