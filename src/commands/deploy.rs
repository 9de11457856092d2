//! `unitgen deploy`.

mod memory;
mod prune;

use std::collections::BTreeMap;

use clap::Parser;

use crate::commands::connection::Connection;
use crate::commands::rollout::bounds::BoundsFlags;
use crate::commands::rollout::course::Course;
use crate::commands::rollout::register::{Register, RegisterFlags};
use crate::commands::rollout::{Format, filed, listen, of_app, planned};
use crate::commands::set::Overrides;
use crate::commands::submit::adopted;
use crate::commands::{Invocation, Loaded};
use crate::configuration::folder::Folder;
use crate::configuration::history;
use crate::error::{CommandError, Status};
use crate::goal::{Goal, goals};
use crate::journal::{Entry, Outcome, Release};
use crate::lock::Lock;
use crate::model::App;
use crate::name::AppName;
use crate::plan::prune::PruneLimit;
use crate::rollout::process::{merged, of_goals, vanished};
use crate::settings::now;
use crate::submit::Task;
use crate::tell::submit as tell;

/// Stores the unit files, and makes the right instances run: one after the other, so that enough of them
/// serve at any time.
///
/// What is missing is started before anything is taken down, wherever there is room; what is stale is replaced
/// one by one; a version that is left out is cut over; what nobody wants is stopped. Each instance must be up
/// for some time before the next one's turn. The first that fails ends it: the rest serves on, and another
/// run goes on from there.
#[derive(Debug, Parser)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Args {
    /// Only these apps
    #[arg(value_name = "APP")]
    apps: Vec<String>,
    #[command(flatten)]
    set: Overrides,
    /// Deploy what the manifest says, even where the last release had other values by `--set`, or was
    /// rolled back
    #[arg(long)]
    as_written: bool,
    /// Stop and destroy what the manifest does not give any more: units that carry unitgen's mark, and
    /// their instances
    #[arg(long)]
    prune: bool,
    /// Destroy at most so many unit files, or such a part of those that carry the mark; where there are
    /// more, nothing is done at all [default: 20% or 5, whichever is more]
    #[arg(long, value_name = "N|N%", requires = "prune")]
    prune_max: Option<PruneLimit>,
    /// Replace units that run on every machine, all of each at once
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
/// Says what can't be read, why the cluster or etcd does not answer, or what a guard refuses.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let given = args.bounds.given()?;
    let mut loaded = invocation.load_over(&args.set)?;
    invocation.show_errors(&loaded);
    if loaded.report.has_errors() {
        return Ok(Status::Trouble);
    }
    let selected = loaded.select_also_gone(&args.apps)?;
    let apps = selected.as_deref();
    let names = names(&loaded, apps);
    check_overrides(&loaded, &names)?;
    let register = args.register.open(&args.connection, false, invocation)?;
    let register = register.as_ref();
    let interruption = listen()?;
    let lock = match register.filter(|_| !args.dry_run && !names.is_empty()) {
        Some(register) => Some(register.lock(&names, "deploy", &interruption, invocation)?),
        None => None,
    };
    let releases = last_releases(register, &names)?;
    memory::check(args.as_written, &loaded, &releases, register, invocation)?;
    // All of it: who holds the machines matters, whoever that is.
    let listing = invocation.begin_listing(&args.connection, &[])?;
    let mut compared = invocation.compare_with_fleet(&args.connection, listing, &loaded, apps)?;
    loaded.check_apps(apps, &compared.diff).map_err(|error| {
        if args.prune || error.help.is_some() {
            return error;
        }
        error.help("what is left of an app that the manifest does not have is found with `--prune`")
    })?;
    if compared.observed.machines.is_empty() {
        compared.observed.machines = compared.fleet.machines()?;
    }
    let (diff, observed) = (&compared.diff, &compared.observed);
    let wanted: Vec<&App> = selected_apps(&loaded, apps);
    let goals = goals(&wanted, &loaded.desired);
    let mut processes = of_goals(&goals, diff, observed, &given, |_, _| false);
    // Of an app that nobody named nobody knows that it is to go: another manifest may have it.
    let is_meant = |app: &str| args.prune && names.iter().any(|name| name == app);
    let (gone, left): (Vec<_>, Vec<_>) = vanished(diff, observed, &given)
        .into_iter()
        .partition(|process| is_meant(&process.app));
    prune::check(args.prune_max, is_meant, &loaded, diff, observed)?;
    prune::tell(is_meant, diff, &left, invocation);
    let gone = merged(&mut processes, gone, &goals);
    processes.extend(gone);
    let Some(plan) = planned(
        &processes,
        observed,
        args.yes_global,
        args.format,
        invocation,
    ) else {
        return Ok(Status::Refused);
    };
    let mut apps = filed(diff, &loaded.desired, is_meant, plan);
    let files = apps.iter().flat_map(|app| &app.files);
    let files: Vec<Task> = files.cloned().collect();
    let adopted = adopted(&files, &observed.units);
    invocation.output.message(&tell::adopted(&adopted));
    // Asked of git once, for all apps.
    let revision = register.and_then(|_| invocation.revision());
    for goal in goals {
        let release = releases.get(&goal.app);
        let entry = entry(&loaded, goal, register, revision.clone(), invocation)?;
        let app = of_app(&mut apps, &entry.goal.app);
        let is_known = release.is_some_and(|release| is_same(release, &entry));
        app.entry = Some(entry).filter(|_| !(app.is_empty() && is_known));
    }
    apps.sort_by(|one, other| one.app.cmp(&other.app));
    let course = Course {
        cluster: compared.fleet.server().replace('`', ""),
        action: "deploy".to_owned(),
        format: args.format,
        apps,
        places: loaded.places(&compared.diff),
        connection: &args.connection,
        register,
        lock: lock.as_ref(),
        has_begun: false,
    };
    if args.dry_run {
        course.rehearse(invocation);
        return Ok(Status::Done);
    }
    let status = course.carry_out(&mut compared.fleet, &interruption, invocation)?;
    give_back(lock, invocation);
    Ok(status)
}

/// Gives a lock back. Where that can't be done it ends by itself.
pub(super) fn give_back(lock: Option<Lock>, invocation: &mut Invocation) {
    if let Some(Err(error)) = lock.map(Lock::release) {
        invocation.output.message(&error.text());
    }
}

/// Refuses values for apps that are not deployed.
fn check_overrides(loaded: &Loaded, names: &[String]) -> Result<(), CommandError> {
    let apps = loaded.overrides.iter().filter_map(|one| one.app.as_ref());
    for app in apps {
        if !names.contains(app) {
            let message = format!("`--set` has a value for `{app}`, which is not deployed");
            return Err(CommandError::trouble(message).help("name that app, too"));
        }
    }
    Ok(())
}

/// Returns the names of all apps that are meant.
fn names(loaded: &Loaded, apps: Option<&[AppName]>) -> Vec<String> {
    if let Some(apps) = apps {
        return apps.iter().map(ToString::to_string).collect();
    }
    let apps = loaded.model.apps.iter();
    apps.map(|app| app.name.value.to_string()).collect()
}

fn selected_apps<'a>(loaded: &'a Loaded, apps: Option<&[AppName]>) -> Vec<&'a App> {
    let is_selected = |app: &&App| apps.is_none_or(|apps| apps.contains(&app.name.value));
    loaded.model.apps.iter().filter(is_selected).collect()
}

fn last_releases(
    register: Option<&Register>,
    names: &[String],
) -> Result<BTreeMap<String, Release>, CommandError> {
    let mut releases = BTreeMap::new();
    for name in names {
        if let Some(register) = register
            && let Some(release) = register.last(name)?
        {
            releases.insert(name.clone(), release);
        }
    }
    Ok(releases)
}

/// Tells whether a release was the same, and came to its end.
fn is_same(release: &Release, entry: &Entry) -> bool {
    release.outcome == Outcome::Complete && release.goal == entry.goal && release.set == entry.set
}

fn entry(
    loaded: &Loaded,
    goal: Goal,
    register: Option<&Register>,
    revision: Option<String>,
    invocation: &Invocation,
) -> Result<Entry, CommandError> {
    let is_meant = |app: &Option<String>| app.as_ref().is_none_or(|app| *app == goal.app);
    let set = loaded.overrides.iter().filter(|one| is_meant(&one.app));
    Ok(Entry {
        time: now(),
        author: invocation.settings.author.clone(),
        action: "deploy".to_owned(),
        revision,
        set: set
            .map(|one| (one.path.clone(), one.value.clone()))
            .collect(),
        config: config(&goal, register)?,
        undone: None,
        goal,
    })
}

/// Returns the number of the last change of an app's configuration.
pub(super) fn config(
    goal: &Goal,
    register: Option<&Register>,
) -> Result<Option<u64>, CommandError> {
    let Some(register) = register else {
        return Ok(None);
    };
    let number = history::last(&register.store, &folder(goal)?)?;
    Ok(Some(number).filter(|number| *number > 0))
}

/// Returns where the configuration of an app is.
pub(super) fn folder(goal: &Goal) -> Result<Folder, CommandError> {
    if let Some(path) = &goal.folder {
        return Folder::at(path).map_err(CommandError::trouble);
    }
    let app = AppName::new(goal.app.as_str());
    let app = app.map_err(|error| CommandError::trouble(error.to_string()))?;
    Ok(Folder::of_app(&app))
}
