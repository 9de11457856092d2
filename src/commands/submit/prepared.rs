//! What is to be done, worked out before anything is: from the manifest, or from a saved plan.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use crate::commands::observe::Units;
use crate::commands::submit::Args;
use crate::commands::submit::registry::{Registry, Seen};
use crate::commands::{Invocation, Loaded};
use crate::diagnostic::Severity;
use crate::diff::ownership::mark;
use crate::error::CommandError;
use crate::files::private;
use crate::lint::{self, Unit};
use crate::plan::file::{FilePlace, PlanFile};
use crate::plan::{Action, Plan, plan, running};
use crate::state::{Coverage, Observed, ObservedUnit, RegistryName, Release, States, UnitHash};
use crate::submit::Task;
use crate::submit::guard::{Found, Verdict, judge};
use crate::tell::count;
use crate::unit::fleet::hash;

/// What is to be done.
pub(super) struct Prepared {
    /// The cluster.
    pub(super) cluster: String,
    /// The cluster that a saved plan was made for.
    pub(super) planned_for: Option<String>,
    /// The tasks, in their order.
    pub(super) tasks: Vec<Task>,
    /// Units that are to change, but run.
    pub(super) held: Vec<RegistryName>,
    /// Units that nobody wants and that stay.
    pub(super) unpruned: Vec<RegistryName>,
    /// Where the manifest asks for units.
    pub(super) places: BTreeMap<RegistryName, FilePlace>,
    /// Instances that run with an older text than their unit's.
    pub(super) stale: Vec<RegistryName>,
    /// How many unit files are as they should be.
    pub(super) equal: usize,
    /// How many unit files of the registry carry unitgen's mark; counted where any is to be destroyed.
    pub(super) marked: usize,
    /// Whether no unit file of unitgen's would be left.
    pub(super) leaves_nothing: bool,
    /// fleet's release.
    pub(super) release: Option<Release>,
}

impl Prepared {
    /// Compares the manifest with the registry; `None` where the manifest has mistakes, which are shown.
    pub(super) fn of_manifest(
        args: &Args,
        registry: Registry<'_>,
        invocation: &mut Invocation,
    ) -> Result<Option<Self>, CommandError> {
        let is_all = args.names.is_empty() || args.prune;
        let reading = registry.begin(is_all, invocation)?;
        let mut loaded = invocation.load()?;
        invocation.show_errors(&loaded);
        if loaded.report.has_errors() {
            return Ok(None);
        }
        let selected = loaded.select_also_gone(&args.names)?;
        let apps = selected.as_deref();
        let units = loaded.desired.units.iter();
        let wanted: HashMap<&str, UnitHash> = units
            .map(|unit| (unit.name.as_str(), UnitHash::seen(hash(&unit.text))))
            .collect();
        let others: HashSet<&str> = loaded
            .others
            .iter()
            .map(|unit| unit.name.as_str())
            .collect();
        let is_wanted = |name: &RegistryName| {
            wanted.contains_key(name.as_str()) || others.contains(name.as_str())
        };
        let needs_text = |name: &RegistryName| {
            args.prune && !is_wanted(name) && !name.template().is_some_and(|name| is_wanted(&name))
        };
        let seen = reading.end(&loaded, needs_text)?;
        let observed = Observed {
            coverage: Coverage::Cluster,
            units: seen.units,
            states: States::new(),
            machines: BTreeMap::new(),
            release: seen.release.clone(),
            owners: BTreeMap::new(),
        };
        let diff = loaded.compare(&observed, apps);
        loaded.check_apps(apps, &diff)?;
        let mut plan = plan(&diff, &loaded.desired);
        let running = if args.recreate {
            running(&diff, &loaded.desired)
        } else {
            Vec::new()
        };
        plan.held
            .retain(|name| !running.iter().any(|(step, _)| step.unit == *name));
        let unpruned = unpruned(&mut plan, args.prune);
        let places = loaded.places(&diff);
        let stale = stale(&observed.units, |name| wanted.get(name));
        let held = plan.held.clone();
        let mut tasks = Task::of_plan(plan);
        let recreated = running
            .into_iter()
            .map(|(step, state)| Task { step, state });
        let first = tasks.iter().position(Task::destroys).unwrap_or(tasks.len());
        tasks.splice(first..first, recreated);
        let stored = tasks.iter().filter(|task| !task.destroys()).count();
        Ok(Some(Self {
            cluster: seen.cluster,
            planned_for: None,
            equal: (loaded.desired.units.len())
                .saturating_sub(stored + held_wanted(&held, &wanted)),
            marked: if args.prune {
                marked(&observed.units)
            } else {
                0
            },
            leaves_nothing: wanted.is_empty() && others.is_empty(),
            tasks,
            held,
            unpruned,
            places,
            stale,
            release: seen.release,
        }))
    }

    /// Reads a saved plan, and refuses it where the registry is not what it was made for.
    pub(super) fn of_file(
        path: &Path,
        args: &Args,
        registry: Registry<'_>,
        invocation: &mut Invocation,
    ) -> Result<Self, CommandError> {
        let reading = registry.begin(true, invocation)?;
        let PlanFile {
            against,
            mut plan,
            places,
        } = read_plan(path)?;
        let unpruned = unpruned(&mut plan, args.prune);
        let destroyed: Vec<RegistryName> = plan
            .steps
            .iter()
            .filter(|step| matches!(step.action, Action::Destroy { .. }))
            .map(|step| step.unit.clone())
            .collect();
        let needs_text = |name: &RegistryName| !destroyed.is_empty() && name.template().is_none();
        let Seen {
            cluster,
            units,
            release,
        } = reading.end(&Loaded::default(), needs_text)?;
        let unmarked = destroyed.iter().find(|name| {
            units
                .get(*name)
                .is_some_and(|unit| mark(&unit.unit).is_none())
        });
        if let Some(name) = unmarked {
            let message =
                format!("`{name}` does not carry unitgen's mark, and is not unitgen's to destroy");
            return Err(CommandError::refused(message));
        }
        let held = plan.held.clone();
        let tasks = Task::of_plan(plan);
        check_guards(&tasks, &units)?;
        let wanted: HashMap<&str, &UnitHash> = tasks
            .iter()
            .filter_map(|task| {
                let text = task.step.action.text()?;
                Some((task.step.unit.as_str(), &text.hash))
            })
            .collect();
        let stale = stale(&units, |name| wanted.get(name).copied());
        let marked = if destroyed.is_empty() {
            0
        } else {
            marked(&units)
        };
        Ok(Self {
            cluster,
            planned_for: Some(against),
            equal: 0,
            marked,
            leaves_nothing: wanted.is_empty() && marked <= destroyed.len(),
            held,
            unpruned,
            places,
            stale,
            release,
            tasks,
        })
    }
}

/// Reads a saved plan, and refuses texts that no manifest would give.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn read_plan(path: &Path) -> Result<PlanFile, CommandError> {
    let bytes = private::read(path)?;
    let file = PlanFile::parse(&bytes).map_err(|reason| {
        CommandError::trouble(format!("can't use the plan `{}`", path.display()))
            .because(reason)
            .help("`unitgen diff --out FILE` saves one")
    })?;
    check_texts(&file.plan)?;
    Ok(file)
}

/// Takes the steps that destroy out of a plan, but where they are wanted, and returns their units.
fn unpruned(plan: &mut Plan, is_pruned: bool) -> Vec<RegistryName> {
    if is_pruned {
        return Vec::new();
    }
    let is_destroy = |action: &Action| matches!(action, Action::Destroy { .. });
    let taken = plan.steps.extract_if(.., |step| is_destroy(&step.action));
    taken.map(|step| step.unit).collect()
}

/// Counts the held units that the manifest gives.
fn held_wanted(held: &[RegistryName], wanted: &HashMap<&str, UnitHash>) -> usize {
    let is_wanted = |name: &&RegistryName| wanted.contains_key(name.as_str());
    held.iter().filter(is_wanted).count()
}

/// Counts the unit files that carry unitgen's mark.
fn marked(units: &Units) -> usize {
    let files = units.values().filter(|unit| unit.name.template().is_none());
    files.filter(|unit| mark(&unit.unit).is_some()).count()
}

/// Returns the instances that fleet was told to load or run and that have another text than is wanted
/// of their unit.
fn stale<'a>(units: &Units, wanted: impl Fn(&str) -> Option<&'a UnitHash>) -> Vec<RegistryName> {
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

/// Refuses texts that no manifest would give: a file can be written by anybody, and fleet itself checks
/// nothing when it replaces a text.
fn check_texts(plan: &Plan) -> Result<(), CommandError> {
    for step in &plan.steps {
        let Some(text) = step.action.text() else {
            continue;
        };
        let unit = Unit {
            name: step.unit.as_str(),
            text: &text.text,
            is_lossy: false,
        };
        let findings = lint::lint(&unit, &lint::Options::default());
        let mut findings = findings.list.iter();
        if let Some(finding) = findings.find(|finding| finding.severity == Severity::Error) {
            let unit = &step.unit;
            let message = format!("the plan's text of `{unit}` has mistakes");
            let code = finding.rule.code;
            return Err(CommandError::trouble(message)
                .because(format!("{}: {}", code, finding.message))
                .help(format!(
                    "`unitgen explain {code}` says more; make a new plan from the manifest"
                )));
        }
    }
    Ok(())
}

/// Refuses a plan that counts on what is not there, and names all of it.
fn check_guards(tasks: &[Task], units: &Units) -> Result<(), CommandError> {
    let conflicts = tasks.iter().filter_map(|task| {
        let unit = &task.step.unit;
        let found = units.get(unit).map(Found::from);
        match judge(task, found.as_ref()) {
            Verdict::Conflict(conflict) => Some(conflict.about(unit)),
            Verdict::Proceed | Verdict::Already => None,
        }
    });
    let conflicts: Vec<String> = conflicts.collect();
    if conflicts.is_empty() {
        return Ok(());
    }
    let number = count(conflicts.len(), "unit");
    let message = format!("the plan is out of date: {number} changed since it was made");
    Err(CommandError::refused(message)
        .because(conflicts.join("\n  and: "))
        .help("nothing was done; make a new plan: `unitgen diff --out FILE`"))
}
