//! What is to be done, worked out before anything is: from a saved plan.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use crate::commands::Invocation;
use crate::commands::observe::Units;
use crate::commands::submit::Args;
use crate::commands::submit::prepared::{
    Preparation, Prepared, adopted, is_unseen, own, stale, unpruned,
};
use crate::commands::submit::registry::Registry;
use crate::diagnostic::Severity;
use crate::diff::ownership::mark;
use crate::error::CommandError;
use crate::files::private;
use crate::lint::{self, Unit};
use crate::plan::Plan;
use crate::plan::file::PlanFile;
use crate::plan::script::script;
use crate::state::{RegistryName, UnitHash};
use crate::submit::Task;
use crate::submit::guard::{Found, Verdict, judge};

/// Reads a saved plan, and holds it to the registry.
pub(super) fn of_file(
    path: &Path,
    args: &Args,
    registry: Registry<'_>,
    there: &[String],
    invocation: &mut Invocation,
) -> Result<Preparation, CommandError> {
    let reading = registry.begin(true, invocation)?;
    let PlanFile {
        against,
        mut plan,
        places,
    } = read_plan(path)?;
    let unpruned = unpruned(&mut plan, args.prune);
    let names: BTreeSet<RegistryName> = plan.steps.iter().map(|step| step.unit.clone()).collect();
    let destroyed = plan.steps.iter().filter(|step| step.action.is_destroy());
    let destroyed: Vec<RegistryName> = destroyed.map(|step| step.unit.clone()).collect();
    let needs_text = |name: &RegistryName| !destroyed.is_empty() && name.template().is_none();
    let seen = match reading.end(&names, needs_text) {
        Err(error) if is_unseen(args, registry, invocation, &error) => {
            let script = script(&plan, there);
            return Ok(Preparation::Unseen(script, error));
        }
        seen => seen?,
    };
    let units = &seen.units;
    // Some may be gone since, be it by an earlier run of the same plan.
    let destroyed: Vec<RegistryName> = destroyed
        .into_iter()
        .filter(|name| units.contains_key(name))
        .collect();
    let held = plan.held.clone();
    let tasks = Task::of_plan(plan);
    let hashes: HashMap<&str, &UnitHash> = tasks
        .iter()
        .filter_map(|task| {
            let text = task.step.action.text()?;
            Some((task.step.unit.as_str(), &text.hash))
        })
        .collect();
    let is_wanted = |name: &RegistryName| hashes.contains_key(name.as_str());
    // Those that run stay for now only because they do.
    let idle = units.values().filter(|unit| !unit.desired.asks_something());
    let leaves_nothing = hashes.is_empty() && own(idle, is_wanted) <= destroyed.len();
    let unmarked = destroyed.iter().find(|name| {
        units
            .get(*name)
            .is_some_and(|unit| mark(&unit.unit).is_none())
    });
    Ok(Preparation::Ready(Box::new(Prepared {
        planned_for: Some(against),
        unmarked: unmarked.cloned(),
        destroyed: destroyed.len(),
        conflicts: conflicts(&tasks, units),
        apps: Vec::new(),
        equal: 0,
        own: if destroyed.is_empty() {
            0
        } else {
            own(units.values(), is_wanted)
        },
        leaves_nothing,
        surplus: Vec::new(),
        adopted: adopted(&tasks, units),
        stale: stale(units, |name| hashes.get(name).copied()),
        places,
        held,
        unpruned,
        cluster: seen.cluster,
        release: seen.release,
        tasks,
    })))
}

/// Reads a saved plan, and refuses texts that no manifest would give.
fn read_plan(path: &Path) -> Result<PlanFile, CommandError> {
    let bytes = private::read(path)?;
    let file = PlanFile::parse(&bytes).map_err(|reason| {
        CommandError::trouble(format!("can't use the plan `{}`", path.display()))
            .because(reason)
            .help("`unitgen diff --out FILE` saves one")
    })?;
    check_texts(&file.plan)?;
    Ok(file)
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

/// Returns what is there in place of what the tasks count on, a line for each unit.
fn conflicts(tasks: &[Task], units: &Units) -> Vec<String> {
    let conflicts = tasks.iter().filter_map(|task| {
        let unit = &task.step.unit;
        let found = units.get(unit).map(Found::from);
        match judge(task, found.as_ref()) {
            Verdict::Conflict(conflict) => Some(conflict.about(unit)),
            Verdict::Proceed | Verdict::Already => None,
        }
    });
    conflicts.collect()
}
