//! What is to be done, worked out before anything is: here from the manifest.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::commands::observe::{Units, wanted};
use crate::commands::submit::Args;
use crate::commands::submit::registry::Registry;
use crate::commands::{Invocation, Loaded};
use crate::diff::Diff;
use crate::diff::instances::Condition;
use crate::diff::ownership::mark;
use crate::error::CommandError;
use crate::plan::file::FilePlace;
use crate::plan::script::Script;
use crate::plan::{Plan, plan, running};
use crate::state::{Coverage, Observed, ObservedUnit, RegistryName, Release, States, UnitHash};
use crate::submit::Task;
use crate::tell::submit as words;
use crate::unit::fleet::hash;

/// What came of preparing.
pub(super) enum Preparation {
    /// All is ready.
    Ready(Box<Prepared>),
    /// The manifest has mistakes, which were shown.
    Mistakes,
    /// No cluster was named and none is there: a script that stores all units, and what was in the way.
    Unseen(String, CommandError),
}

/// What is to be done.
pub(super) struct Prepared {
    /// The cluster.
    pub(super) cluster: String,
    /// The cluster that a saved plan was made for.
    pub(super) planned_for: Option<String>,
    /// Why a saved plan can't be carried out, a line for each unit.
    pub(super) conflicts: Vec<String>,
    /// A unit that a saved plan would destroy, and that does not carry unitgen's mark.
    pub(super) unmarked: Option<RegistryName>,
    /// How many units are to be destroyed.
    pub(super) destroyed: usize,
    /// The selected apps that the manifest has; none where all are meant.
    pub(super) apps: Vec<String>,
    /// The tasks, in their order.
    pub(super) tasks: Vec<Task>,
    /// Units that are to change, but run.
    pub(super) held: Vec<RegistryName>,
    /// What runs and nobody wants any more.
    pub(super) surplus: Vec<RegistryName>,
    /// Units that nobody wants and that stay.
    pub(super) unpruned: Vec<RegistryName>,
    /// Units that are replaced and that unitgen has not made.
    pub(super) adopted: Vec<RegistryName>,
    /// Where the manifest asks for units.
    pub(super) places: BTreeMap<RegistryName, FilePlace>,
    /// Instances that run with an older text than their unit's.
    pub(super) stale: Vec<RegistryName>,
    /// How many unit files are as they should be.
    pub(super) equal: usize,
    /// How many unit files of the registry are unitgen's; counted where any is to be destroyed.
    pub(super) own: usize,
    /// Whether none of unitgen's would be left.
    pub(super) leaves_nothing: bool,
    /// fleet's release.
    pub(super) release: Option<Release>,
}

/// Compares the manifest with the registry.
pub(super) fn of_manifest(
    args: &Args,
    registry: Registry<'_>,
    there: &[String],
    invocation: &mut Invocation,
) -> Result<Preparation, CommandError> {
    let is_all = args.names.is_empty() || args.prune;
    let reading = registry.begin(is_all, invocation)?;
    let mut loaded = invocation.load()?;
    invocation.show_errors(&loaded);
    if loaded.report.has_errors() {
        return Ok(Preparation::Mistakes);
    }
    let selected = loaded.select_also_gone(&args.names)?;
    let apps = selected.as_deref();
    let units = loaded.desired.units.iter();
    let hashes: HashMap<&str, UnitHash> = units
        .map(|unit| (unit.name.as_str(), UnitHash::seen(hash(&unit.text))))
        .collect();
    let others: HashSet<&str> = loaded
        .others
        .iter()
        .map(|unit| unit.name.as_str())
        .collect();
    let is_wanted =
        |name: &RegistryName| hashes.contains_key(name.as_str()) || others.contains(name.as_str());
    let needs_text = |name: &RegistryName| {
        args.prune && !is_wanted(name) && !name.template().is_some_and(|name| is_wanted(&name))
    };
    let seen = match reading.end(&wanted(&loaded), needs_text) {
        Err(error) if is_unseen(args, registry, invocation, &error) => {
            let script = unseen(&loaded, there);
            return Ok(Preparation::Unseen(script, error));
        }
        seen => seen?,
    };
    let observed = Observed {
        coverage: Coverage::Cluster,
        units: seen.units,
        states: States::new(),
        machines: BTreeMap::new(),
        release: seen.release.clone(),
        owners: BTreeMap::new(),
    };
    let diff = loaded.compare(&observed, apps);
    loaded.check_apps(apps, &diff).map_err(|error| {
        if args.prune || error.help.is_some() {
            return error;
        }
        error.help("what is left of an app that the manifest does not have is found with `--prune`")
    })?;
    let mut plan = plan(&diff, &loaded.desired);
    plan.held.retain(is_wanted);
    let running = if args.recreate {
        running(&diff, &loaded.desired)
    } else {
        Vec::new()
    };
    let recreated: BTreeSet<&RegistryName> = running.iter().map(|(step, _)| &step.unit).collect();
    plan.held.retain(|name| !recreated.contains(name));
    let unpruned = unpruned(&mut plan, args.prune);
    let held = plan.held.clone();
    let mut tasks = Task::of_plan(plan);
    let recreated = running
        .into_iter()
        .map(|(step, state)| Task { step, state });
    let first = tasks.iter().position(Task::destroys).unwrap_or(tasks.len());
    tasks.splice(first..first, recreated);
    let stored = tasks.iter().filter(|task| !task.destroys()).count();
    let units = &observed.units;
    let has_app = |app: &&String| loaded.check_app(app).is_ok();
    Ok(Preparation::Ready(Box::new(Prepared {
        cluster: seen.cluster,
        planned_for: None,
        conflicts: Vec::new(),
        unmarked: None,
        destroyed: tasks.iter().filter(|task| task.destroys()).count(),
        apps: args.names.iter().filter(has_app).cloned().collect(),
        equal: loaded.desired.units.len() - stored - held.len(),
        own: if args.prune {
            own(units.values(), is_wanted)
        } else {
            0
        },
        leaves_nothing: hashes.is_empty() && others.is_empty(),
        surplus: surplus(&diff),
        adopted: adopted(&tasks, units),
        places: loaded.places(&diff),
        stale: stale(units, |name| hashes.get(name)),
        tasks,
        held,
        unpruned,
        release: seen.release,
    })))
}

impl Prepared {
    /// Says what is not done.
    pub(super) fn notes(&self) -> String {
        words::held(&self.held) + &words::surplus(&self.surplus) + &words::unpruned(&self.unpruned)
    }
}

/// Tells whether a script was asked for, no cluster was named, and none is there.
pub(super) fn is_unseen(
    args: &Args,
    registry: Registry<'_>,
    invocation: &Invocation,
    error: &CommandError,
) -> bool {
    let (given, settings) = (&args.connection, &invocation.settings.fleet);
    let said = [
        &given.endpoint,
        &given.tunnel,
        &settings.endpoint,
        &settings.tunnel,
    ];
    let is_said = said.into_iter().any(Option::is_some);
    args.print && !args.prune && error.is_nobody && !is_said && matches!(registry, Registry::Api(_))
}

/// Returns a script that stores all units, whatever there is.
fn unseen(loaded: &Loaded, program: &[String]) -> String {
    let units = loaded.desired.units.iter();
    let names: Vec<RegistryName> = units.map(|unit| RegistryName::from(&unit.name)).collect();
    let texts = loaded.desired.units.iter().map(|unit| unit.text.as_str());
    Script::of_units(names.iter().zip(texts)).text(program)
}

/// Takes the steps that destroy out of a plan, but where they are wanted, and returns their units.
pub(super) fn unpruned(plan: &mut Plan, is_pruned: bool) -> Vec<RegistryName> {
    if is_pruned {
        return Vec::new();
    }
    let taken = plan.steps.extract_if(.., |step| step.action.is_destroy());
    taken.map(|step| step.unit).collect()
}

/// Counts the unit files that are unitgen's: those that the manifest gives, and those with the mark.
pub(super) fn own<'a>(
    units: impl Iterator<Item = &'a ObservedUnit>,
    is_wanted: impl Fn(&RegistryName) -> bool,
) -> usize {
    let files = units.filter(|unit| unit.name.template().is_none());
    let is_own = |unit: &&ObservedUnit| is_wanted(&unit.name) || mark(&unit.unit).is_some();
    files.filter(is_own).count()
}

/// Returns what fleet was told to load or run, and nobody wants any more.
fn surplus(diff: &Diff) -> Vec<RegistryName> {
    let instances = diff.units.iter().flat_map(|unit| &unit.instances);
    let runs = instances.filter(|instance| {
        let mut conditions = instance.conditions.iter();
        conditions.any(|condition| match condition {
            Condition::Surplus { found } => found.asks_something(),
            _ => false,
        })
    });
    runs.map(|instance| instance.name.clone()).collect()
}

/// Returns the units that are replaced and carry no mark, as far as their text was read.
pub(in crate::commands) fn adopted(tasks: &[Task], units: &Units) -> Vec<RegistryName> {
    let replaced = tasks.iter().filter(|task| task.step.action.is_replace());
    let is_foreign = |name: &&RegistryName| {
        let unit = units.get(*name);
        unit.is_some_and(|unit| !unit.unit.options.is_empty() && mark(&unit.unit).is_none())
    };
    let names = replaced.map(|task| &task.step.unit);
    names.filter(is_foreign).cloned().collect()
}

/// Returns the instances that fleet was told to load or run and that have another text than is wanted
/// of their unit.
pub(super) fn stale<'a>(
    units: &Units,
    wanted: impl Fn(&str) -> Option<&'a UnitHash>,
) -> Vec<RegistryName> {
    let asked = units.values().filter(|unit| unit.desired.asks_something());
    let is_stale = |unit: &&ObservedUnit| {
        let template = unit.name.template();
        let hash = template.and_then(|template| wanted(template.as_str()));
        hash.is_some_and(|hash| *hash != unit.hash)
    };
    asked
        .filter(is_stale)
        .map(|unit| unit.name.clone())
        .collect()
}
