//! `unitgen restart`.

use std::collections::BTreeMap;

use clap::Parser;

use crate::commands::connection::Connection;
use crate::commands::deploy::give_back;
use crate::commands::rollout::bounds::BoundsFlags;
use crate::commands::rollout::course::{AppCourse, Course};
use crate::commands::rollout::register::RegisterFlags;
use crate::commands::rollout::{Format, listen, planned};
use crate::commands::{Invocation, Loaded};
use crate::error::{CommandError, Status};
use crate::files;
use crate::goal::{ProcessGoal, goals};
use crate::model::App;
use crate::name::{AppName, ProcessName};
use crate::rollout::process::{running, unplaced};
use crate::rollout::watch::Kind;
use crate::state::{RegistryName, State};

/// Starts the instances of an app anew, one after the other, so that enough of them serve at any time.
///
/// That is how changed configuration, or an image that a tag stands for by now, reaches what runs. Texts and
/// versions stay as they are in the cluster. The bounds are those of the manifest, where there is one here.
/// What ends by itself is left alone: its next start has the new configuration.
#[derive(Debug, Parser)]
pub struct Args {
    /// The app, or one of its processes
    #[arg(value_name = "APP[/PROCESS]")]
    name: String,
    /// Restart what runs on every machine, all of it at once
    #[arg(long)]
    yes_global: bool,
    /// Only say what would be done
    #[arg(long)]
    dry_run: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    bounds: BoundsFlags,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    register: RegisterFlags,
}

/// Runs the command.
///
/// # Errors
/// Says what can't be read, that there is no such app, or why the cluster or etcd does not answer.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let given = args.bounds.given()?;
    let (app, process) = named(&args.name)?;
    let Some(loaded) = manifest(invocation)? else {
        return Ok(Status::Trouble);
    };
    let register = args.register.open(&args.connection, false, invocation)?;
    let interruption = listen()?;
    let lock = match register.as_ref().filter(|_| !args.dry_run) {
        Some(register) => Some(register.lock(
            std::slice::from_ref(&app),
            "restart",
            &interruption,
            invocation,
        )?),
        None => None,
    };
    let mut fleet = args.connection.fleet(&invocation.settings)?;
    let observed = fleet.observe()?;
    let goal = |name: &str| goal(&loaded, &app, name);
    let state = |file: &RegistryName| state(&loaded, file);
    let processes = running(&app, process.as_deref(), &observed, goal, state, &given);
    let unplaced = unplaced(&app, process.as_deref(), &observed);
    if !unplaced.is_empty() {
        let names: Vec<&str> = unplaced.iter().map(RegistryName::as_str).collect();
        let names = names.join(", ");
        invocation.output.message(&format!(
            "left alone, since no machine has it, and its start will find what is new: {names}\n"
        ));
    }
    if processes.is_empty() {
        let message = format!("nothing of `{}` runs in the cluster", args.name);
        return Err(CommandError::trouble(message).help(
            "a unit is an app's where it carries unitgen's mark; `unitgen status` shows them",
        ));
    }
    let units = processes.iter().flat_map(|process| &process.members);
    let units = units.flat_map(|member| &member.units);
    let kinds = units.filter_map(|unit| Some((&unit.name, unit.after.as_ref()?.kind)));
    let idle = kinds.filter(|(_, kind)| matches!(kind, Kind::Job | Kind::Idle));
    let idle: Vec<&str> = idle.map(|(name, _)| name.as_str()).collect();
    if !idle.is_empty() {
        let names = idle.join(", ");
        invocation.output.message(&format!(
            "left alone, since it ends by itself or is started by something else: {names}\n"
        ));
    }
    let Some(plan) = planned(
        &processes,
        &observed,
        args.yes_global,
        args.format,
        invocation,
    ) else {
        return Ok(Status::Refused);
    };
    let course = Course {
        cluster: fleet.server().replace('`', ""),
        action: "restart".to_owned(),
        format: args.format,
        apps: vec![AppCourse {
            app,
            processes: plan.processes,
            ..AppCourse::default()
        }],
        places: BTreeMap::new(),
        connection: &args.connection,
        register: register.as_ref(),
        lock: lock.as_ref(),
        has_begun: false,
    };
    if args.dry_run {
        course.rehearse(invocation);
        return Ok(Status::Done);
    }
    let status = course.carry_out(&mut fleet, &interruption, invocation)?;
    give_back(lock, invocation);
    Ok(status)
}

/// Reads `APP` or `APP/PROCESS`.
fn named(text: &str) -> Result<(String, Option<String>), CommandError> {
    let (app, process) = match text.split_once('/') {
        Some((app, process)) => (app, Some(process)),
        None => (text, None),
    };
    let wrong = |error: String| CommandError::trouble(error);
    let app = AppName::new(app).map_err(|error| wrong(error.to_string()))?;
    let process = process.map(ProcessName::new).transpose();
    let process = process.map_err(|error| wrong(error.to_string()))?;
    Ok((app.to_string(), process.map(|process| process.to_string())))
}

/// Reads the manifest. Without one there are no bounds but the usual ones; nothing is returned where it has
/// mistakes, which are shown.
fn manifest(invocation: &mut Invocation) -> Result<Option<Loaded>, CommandError> {
    let is_named = !invocation.files.is_empty() || !invocation.settings.files.is_empty();
    if !is_named
        && !invocation
            .manifests()
            .iter()
            .all(|path| files::is_there(path))
    {
        invocation
            .output
            .message("there is no manifest here: the bounds are the usual ones\n");
        return Ok(Some(Loaded::default()));
    }
    let loaded = invocation.load()?;
    invocation.show_errors(&loaded);
    Ok(Some(loaded).filter(|loaded| !loaded.report.has_errors()))
}

/// Returns what the manifest says of a process.
fn goal(loaded: &Loaded, app: &str, process: &str) -> Option<ProcessGoal> {
    let apps = loaded.model.apps.iter();
    let apps: Vec<&App> = apps
        .filter(|known| known.name.value.as_str() == app)
        .collect();
    let goal = goals(&apps, &loaded.desired).pop()?;
    let mut processes = goal.processes.into_iter();
    processes.find(|known| known.process == process)
}

/// Returns what fleet is to do with the instances of a unit file, as the manifest has it.
fn state(loaded: &Loaded, file: &RegistryName) -> Option<State> {
    let mut units = loaded.desired.units.iter();
    let unit = units.find(|unit| unit.name.as_str() == file.as_str())?;
    Some(unit.state)
}
