//! `unitgen rollback`.

use std::collections::{BTreeMap, BTreeSet};

use clap::Parser;

use crate::commands::connection::Connection;
use crate::commands::deploy::{config, folder, give_back};
use crate::commands::rollout::bounds::BoundsFlags;
use crate::commands::rollout::course::Course;
use crate::commands::rollout::register::{Register, RegisterFlags};
use crate::commands::rollout::{Format, filed, listen, of_app, planned};
use crate::commands::{Invocation, Loaded};
use crate::config::variable::Variables;
use crate::configuration::change::{Change, Deed, change};
use crate::configuration::folder::Folder;
use crate::configuration::{Configuration, history, read};
use crate::error::{CommandError, Status};
use crate::interruption::Interruption;
use crate::journal::{self, Entry, Journal, Outcome, Release};
use crate::lock::Lock;
use crate::name::AppName;
use crate::rollout::process::{merged, of_goals, vanished};
use crate::settings::now;
use crate::tell::deploy as words;

/// How many releases are shown beside the one that is gone back to.
const SHOWN: usize = 10;

/// Brings an app back to an earlier release: its units, versions and counts, within the same bounds as
/// `deploy`.
///
/// Without `--to` it is the last one that came to its end and was another one than what is there now. No
/// manifest is read. The next `deploy` from the same manifest is refused until that is mended.
#[derive(Debug, Parser)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Args {
    /// The app
    #[arg(value_name = "APP")]
    app: String,
    /// The release's number
    #[arg(long, value_name = "N")]
    to: Option<u64>,
    /// Bring its configuration back, too, to what it was then; all that runs is started anew with it
    #[arg(long)]
    config: bool,
    /// Only show the releases
    #[arg(long, conflicts_with_all = ["to", "config", "dry_run"])]
    list: bool,
    /// Replace what runs on every machine, all of it at once
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
/// Says that there is no such release, or why the cluster or etcd does not answer.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let given = args.bounds.given()?;
    let name = AppName::new(args.app.as_str());
    let name = name.map_err(|error| CommandError::trouble(error.to_string()))?;
    let register = args.register.open(&args.connection, true, invocation)?;
    let Some(register) = &register else {
        return Ok(Status::Trouble);
    };
    if args.list {
        let journal = journal::read(&register.store, name.as_str())?;
        return list(args, &journal, invocation);
    }
    let interruption = listen()?;
    let apps = [name.to_string()];
    let lock = if args.dry_run {
        None
    } else {
        Some(register.lock(&apps, "rollback", &interruption, invocation)?)
    };
    let journal = journal::read(&register.store, name.as_str())?;
    let target = target(args, &journal)?.clone();
    let action = format!("rollback to {}", target.number);
    if args.format == Format::Text {
        tell_releases(&journal, &target, invocation);
    }
    let mut loaded = Loaded {
        desired: target.goal.desired().map_err(|error| {
            let message = format!("release {} can't be brought back", target.number);
            CommandError::trouble(message).because(error)
        })?,
        ..Loaded::default()
    };
    let selected = loaded.select_also_gone(&apps)?;
    let compared =
        invocation.compare_with_fleet(&args.connection, None, &loaded, selected.as_deref());
    let mut compared = compared?;
    if compared.observed.machines.is_empty() {
        compared.observed.machines = compared.fleet.machines()?;
    }
    let past = Past::find(args, register, &target)?;
    let (diff, observed) = (&compared.diff, &compared.observed);
    let goals = std::slice::from_ref(&target.goal);
    // Of one that was cut short nobody knows what was started since the configuration changed.
    let is_asked = past.is_some();
    let mut processes = of_goals(goals, diff, observed, &given, |_, _| is_asked);
    // What came since is of the app, and was not there then.
    let vanished = vanished(diff, observed, &given);
    let gone = merged(&mut processes, vanished, goals);
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
    let mut apps = filed(diff, &loaded.desired, |_| true, plan);
    let app = of_app(&mut apps, name.as_str());
    app.entry = Some(entry(&target, &journal, &action, register, invocation)?);
    let mut course = Course {
        cluster: compared.fleet.server().replace('`', ""),
        action,
        format: args.format,
        apps,
        places: BTreeMap::new(),
        connection: &args.connection,
        register: Some(register),
        lock: lock.as_ref(),
        has_begun: false,
    };
    let past = past.filter(|past| !past.is_same);
    if args.dry_run {
        if let Some(past) = &past {
            let number = past.number;
            let text = format!("the configuration would be that of change {number} again\n");
            invocation.output.message(&text);
        }
        course.rehearse(invocation);
        return Ok(Status::Done);
    }
    if let Some(past) = past {
        lock.as_ref().map_or(Ok(()), Lock::check)?;
        let number = past.bring_back(register, &interruption, invocation)?;
        course.has_begun = true;
        if let Some(entry) = course.apps.iter_mut().find_map(|app| app.entry.as_mut()) {
            entry.config = number.or(entry.config);
        }
    }
    let status = course.carry_out(&mut compared.fleet, &interruption, invocation)?;
    give_back(lock, invocation);
    Ok(status)
}

/// Shows the releases.
fn list(
    args: &Args,
    journal: &Journal,
    invocation: &mut Invocation,
) -> Result<Status, CommandError> {
    if journal.releases.is_empty() && journal.unreadable.is_empty() {
        return Err(none(&args.app));
    }
    let text = match args.format {
        Format::Json => words::events::releases(&args.app, journal),
        Format::Text => {
            let now = now();
            let lines = journal.releases.iter().enumerate();
            let lines = lines.map(|(at, release)| words::release(release, now, at == 0));
            lines.collect()
        }
    };
    for number in &journal.unreadable {
        let warning =
            format!("release {number} can't be read; a newer unitgen may have written it");
        invocation.output.warning(&warning);
    }
    invocation.output.result(&text);
    Ok(Status::Done)
}

fn none(app: &str) -> CommandError {
    let mut error = CommandError::trouble(format!("there is no release of `{app}` in etcd"));
    error.status = Status::Found;
    error.help("`unitgen deploy` records one")
}

/// Tells whether the last release is a rollback that did not come to its end.
fn is_unfinished(journal: &Journal) -> bool {
    let last = journal.releases.first();
    last.is_some_and(|last| last.undone.is_some() && last.outcome != Outcome::Complete)
}

/// Finds the release that is meant.
fn target<'a>(args: &Args, journal: &'a Journal) -> Result<&'a Release, CommandError> {
    let releases = &journal.releases;
    let Some(last) = releases.first() else {
        return Err(none(&args.app));
    };
    let help = format!("`unitgen rollback {} --list` shows them", args.app);
    if let Some(number) = args.to {
        let mut all = releases.iter();
        return all.find(|release| release.number == number).ok_or_else(|| {
            let message = format!("there is no release {number} of `{}`", args.app);
            CommandError::trouble(message).help(help)
        });
    }
    if let Some(number) = journal
        .unreadable
        .first()
        .filter(|number| **number > last.number)
    {
        let message = format!(
            "release {number} of `{}`, the last one, can't be read",
            args.app
        );
        return Err(CommandError::trouble(message)
            .help("a newer unitgen may have written it; say which is meant: `--to N`"));
    }
    // One that was cut short goes on to where it was going.
    if is_unfinished(journal) {
        return Ok(last);
    }
    // What was rolled back from is nothing to go back to.
    let undone: BTreeSet<u64> = releases
        .iter()
        .filter_map(|release| release.undone)
        .collect();
    let is_meant = |release: &&Release| {
        let is_undone = undone.contains(&release.number);
        release.outcome == Outcome::Complete && !release.goal.is_same_work(&last.goal) && !is_undone
    };
    releases.iter().find(is_meant).ok_or_else(|| {
        let message = format!(
            "there is no earlier release of `{}` to go back to",
            args.app
        );
        CommandError::trouble(message).help(help)
    })
}

/// Shows the releases around the one that is gone back to.
fn tell_releases(journal: &Journal, target: &Release, invocation: &mut Invocation) {
    let now = now();
    let mut text = String::new();
    for (at, release) in journal.releases.iter().enumerate() {
        if at < SHOWN || release.number == target.number {
            text.push_str(&words::release(release, now, at == 0));
        }
    }
    text.push_str(&format!("back to release {}\n", target.number));
    invocation.output.message(&text);
}

fn entry(
    target: &Release,
    journal: &Journal,
    action: &str,
    register: &Register,
    invocation: &Invocation,
) -> Result<Entry, CommandError> {
    Ok(Entry {
        time: now(),
        author: invocation.settings.author.clone(),
        action: action.to_owned(),
        revision: target.revision.clone(),
        set: target.set.clone(),
        config: config(&target.goal, Some(register))?,
        undone: undone(target, journal),
        goal: target.goal.clone(),
    })
}

/// Returns the release that is left, which for a rollback that goes on, or is done once more, is the one that
/// it left.
fn undone(target: &Release, journal: &Journal) -> Option<u64> {
    let last = journal.releases.first()?;
    let is_again = is_unfinished(journal) || last.goal.is_same_work(&target.goal);
    let before = last.undone.filter(|_| is_again);
    before.or(Some(last.number))
}

/// A configuration that is to be brought back.
struct Past {
    folder: Folder,
    number: u64,
    variables: Variables,
    /// Whether it is what there is.
    is_same: bool,
}

impl Past {
    /// Finds what the configuration was at a release, where that is meant.
    fn find(
        args: &Args,
        register: &Register,
        target: &Release,
    ) -> Result<Option<Self>, CommandError> {
        if !args.config {
            return Ok(None);
        }
        let Some(number) = target.config else {
            let message = format!("release {} knows of no configuration", target.number);
            return Err(CommandError::trouble(message)
                .help("nothing was done; leave `--config` out, or see `unitgen config history`"));
        };
        let folder = folder(&target.goal)?;
        let Some(variables) = history::variables(&register.store, &folder, number)? else {
            let message = format!("change {number} of the configuration is not kept any more");
            return Err(CommandError::trouble(message)
                .help("nothing was done; leave `--config` out, or see `unitgen config history`"));
        };
        let found = read(&register.store, &folder)?;
        Ok(Some(Self {
            is_same: Change::between(&found.variables, &variables).is_empty(),
            folder,
            number,
            variables,
        }))
    }

    /// Brings it back, and returns the number of the change.
    fn bring_back(
        &self,
        register: &Register,
        interruption: &Interruption,
        invocation: &mut Invocation,
    ) -> Result<Option<u64>, CommandError> {
        let author = invocation.settings.author.clone();
        let action = format!("rollback to {}", self.number);
        let deed = Deed {
            time: now(),
            author: &author,
            action: &action,
        };
        let decide = |found: &Configuration| Ok(Change::between(&found.variables, &self.variables));
        let changed = change(&register.store, &self.folder, deed, interruption, decide)?;
        let number = self.number;
        invocation.output.message(&format!(
            "the configuration is that of change {number} again\n"
        ));
        Ok(changed.number)
    }
}
