//! The instances of one process: those that should run, and those that there are.
//!
//! In: goals and a diff, or what runs alone. Out: members. Knows nothing of the order in which anything is
//! done.

use std::collections::{BTreeMap, HashMap};

use crate::diff::Diff;
use crate::diff::instances::{Condition, InstanceDiff};
use crate::diff::ownership::mark;
use crate::goal::{Goal, ProcessGoal, UnitGoal};
use crate::model::Deploy;
use crate::plan::Text;
use crate::rollout::After;
use crate::rollout::bounds::Bounds;
use crate::rollout::member::{Member, MemberUnit};
use crate::rollout::watch::{Kind, ends_by_itself};
use crate::state::{Mark, Observed, ObservedUnit, RegistryName, SeenState, State};
use crate::unit::fleet::FleetUnit;
use crate::unit::name::fleet_parts;

/// A process with all its instances.
#[derive(Debug, Clone)]
pub struct Process {
    /// The app.
    pub app: String,
    /// Its name.
    pub process: String,
    /// Whether it runs on every machine.
    pub is_global: bool,
    /// The bounds.
    pub bounds: Bounds,
    /// The instances: those that are wanted in their order, then the others.
    pub members: Vec<Member>,
    /// Wanted instances that no machine can take, with the reason.
    pub unplaced: Vec<(RegistryName, String)>,
}

impl Process {
    /// Tells whether it serves anybody while it runs: a job, a timer and what is on every machine at once
    /// have no number that could be alive.
    #[must_use]
    pub fn is_service(&self) -> bool {
        let mains = self
            .members
            .iter()
            .filter_map(|member| member.units.first());
        let mut kinds = mains.filter_map(|unit| Some(unit.after.as_ref()?.kind));
        !self.is_global && kinds.next().is_some_and(|kind| kind == Kind::Service)
    }
}

/// Returns the processes of some goals with what there is of them. What is asked anew is told by
/// `is_asked`, by the app and the process.
#[must_use]
pub fn of_goals(
    goals: &[Goal],
    diff: &Diff,
    observed: &Observed,
    given: &Deploy,
    is_asked: impl Fn(&str, &str) -> bool,
) -> Vec<Process> {
    let instances = diff.units.iter().flat_map(|unit| &unit.instances);
    let odd: HashMap<&RegistryName, &InstanceDiff> =
        instances.map(|one| (&one.name, one)).collect();
    let mut found = Vec::new();
    for goal in goals {
        for process in &goal.processes {
            let is_asked = is_asked(&goal.app, &process.process);
            let mut members = wanted(process, &odd, observed, is_asked);
            members.extend(surplus(process, diff, observed));
            let own = |name: &RegistryName| {
                process.main().is_some_and(|main| {
                    main.instances.iter().any(|instance| instance.name == *name)
                })
            };
            let unplaced = diff.unplaced.iter().filter(|one| own(&one.name));
            found.push(Process {
                app: goal.app.clone(),
                process: process.process.clone(),
                is_global: process.global,
                bounds: Bounds::new(&process.deploy, given),
                members,
                unplaced: unplaced
                    .map(|one| (one.name.clone(), one.reason.clone()))
                    .collect(),
            });
        }
    }
    found
}

fn wanted(
    process: &ProcessGoal,
    odd: &HashMap<&RegistryName, &InstanceDiff>,
    observed: &Observed,
    is_asked: bool,
) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    for unit in &process.units {
        let text = Text {
            text: unit.text.clone(),
            hash: unit.hash(),
        };
        let parsed = FleetUnit::parse(&unit.text).unwrap_or_default();
        for instance in &unit.instances {
            let name = &instance.name;
            let after = After {
                text: text.clone(),
                state: unit.state,
                kind: Kind::of(name, &parsed, unit.state),
            };
            let conditions = odd.get(name).map(|one| one.conditions.clone());
            let unit = MemberUnit::seen(
                name.clone(),
                Some(after),
                conditions.unwrap_or_default(),
                observed,
            );
            let key = key(name);
            match members.iter_mut().find(|member| member.key == key) {
                Some(member) => member.units.push(unit),
                None => members.push(Member {
                    ports: process.ports_of(&key),
                    units: vec![unit],
                    is_asked,
                    key,
                }),
            }
        }
    }
    members
}

/// Returns the instances of a process's units that nobody wants.
fn surplus(process: &ProcessGoal, diff: &Diff, observed: &Observed) -> Vec<Member> {
    let of_unit = |unit: &UnitGoal| {
        let diffs = diff.units.iter().filter(|diff| diff.name == unit.name);
        let instances = diffs.flat_map(|diff| &diff.instances);
        let unwanted = instances.filter(|one| one.span.is_none());
        unwanted.map(|one| one.name.clone()).collect::<Vec<_>>()
    };
    let names = process.units.iter().flat_map(of_unit);
    let mut members = gathered(names, observed);
    for member in &mut members {
        member.ports = process.ports_of(&member.key);
    }
    members
}

/// Puts units that nobody wants together to instances.
fn gathered(names: impl Iterator<Item = RegistryName>, observed: &Observed) -> Vec<Member> {
    let mut members: Vec<Member> = Vec::new();
    for name in names {
        let key = key(&name);
        let unit = MemberUnit::seen(name, None, Vec::new(), observed);
        match members.iter_mut().find(|member| member.key == key) {
            Some(member) => member.units.push(unit),
            None => members.push(Member {
                key,
                units: vec![unit],
                ports: Vec::new(),
                is_asked: false,
            }),
        }
    }
    for member in &mut members {
        main_first(&mut member.units);
    }
    members
}

/// Returns the processes that the manifest does not give any more, with what there is of them.
#[must_use]
pub fn vanished(diff: &Diff, observed: &Observed, given: &Deploy) -> Vec<Process> {
    let mut names: BTreeMap<(String, String), Vec<RegistryName>> = BTreeMap::new();
    for unit in diff.units.iter().filter(|unit| unit.after.is_none()) {
        let owner = (unit.owner.app.clone(), unit.owner.process.clone());
        let instances = unit.instances.iter().filter(|one| one.span.is_none());
        let of_owner = names.entry(owner).or_default();
        of_owner.extend(instances.map(|one| one.name.clone()));
    }
    let processes = names.into_iter().filter(|(_, names)| !names.is_empty());
    processes
        .map(|((app, process), names)| Process {
            app,
            process,
            is_global: false,
            bounds: Bounds::new(&Deploy::default(), given),
            members: gathered(names.into_iter(), observed),
            unplaced: Vec::new(),
        })
        .collect()
}

/// Puts what vanished of a process whose unit has another name now to it: the old ones make room for the new
/// ones. What only accompanied an instance is left with those that vanished.
#[must_use]
pub fn merged(processes: &mut [Process], vanished: Vec<Process>, goals: &[Goal]) -> Vec<Process> {
    let mut rest = Vec::new();
    for mut gone in vanished {
        let is_same =
            |process: &&mut Process| process.app == gone.app && process.process == gone.process;
        let goal = goals.iter().find(|goal| goal.app == gone.app);
        let mut goals = goal.into_iter().flat_map(|goal| &goal.processes);
        let goal = goals.find(|goal| goal.process == gone.process);
        if let (Some(process), Some(goal)) = (processes.iter_mut().find(is_same), goal) {
            let has_peers = |member: &mut Member| {
                let main = member.units.first();
                main.is_some_and(|unit| !unit.constraints().peers.is_empty())
            };
            let companions = gone.members.extract_if(.., |member| has_peers(member));
            let companions: Vec<Member> = companions.collect();
            for mut member in std::mem::replace(&mut gone.members, companions) {
                member.ports = goal.ports_of(&member.key);
                process.members.push(member);
            }
        }
        if !gone.members.is_empty() {
            rest.push(gone);
        }
    }
    rest
}

/// Returns the processes of an app as they are, with what fleet was told to run of them to be started anew.
/// `goal` tells what the manifest says of a process by its name, and `state` what fleet is to do with the
/// instances of a unit.
#[must_use]
pub fn running(
    app: &str,
    process: Option<&str>,
    observed: &Observed,
    goal: impl Fn(&str) -> Option<ProcessGoal>,
    state: impl Fn(&RegistryName) -> Option<State>,
    given: &Deploy,
) -> Vec<Process> {
    let mut found: BTreeMap<String, Vec<Member>> = BTreeMap::new();
    for (unit, mark) in asked(app, process, observed) {
        // What no machine has does not run, and will find all as it is then.
        if is_unplaced(unit, observed) {
            continue;
        }
        let members = found.entry(mark.process).or_default();
        let key = key(&unit.name);
        let file = unit.name.template().unwrap_or_else(|| unit.name.clone());
        let unit = as_it_is(unit, state(&file), observed);
        match members.iter_mut().find(|member| member.key == key) {
            Some(member) => member.units.push(unit),
            None => members.push(Member {
                key,
                units: vec![unit],
                ports: Vec::new(),
                is_asked: true,
            }),
        }
    }
    let mut processes = Vec::new();
    for (process, mut members) in found {
        let goal = goal(&process);
        for member in &mut members {
            main_first(&mut member.units);
            let ports = goal.as_ref().map(|goal| goal.ports_of(&member.key));
            member.ports = ports.unwrap_or_default();
        }
        members.sort_by(|one, other| (one.key.len(), &one.key).cmp(&(other.key.len(), &other.key)));
        let mut units = members.iter().flat_map(|member| &member.units);
        let deploy = goal.map(|goal| goal.deploy).unwrap_or_default();
        processes.push(Process {
            app: app.to_owned(),
            is_global: units.any(|unit| unit.constraints().global),
            bounds: Bounds::new(&deploy, given),
            process,
            members,
            unplaced: Vec::new(),
        });
    }
    processes
}

/// Returns what fleet was told to run of an app, and no machine has.
#[must_use]
pub fn unplaced(app: &str, process: Option<&str>, observed: &Observed) -> Vec<RegistryName> {
    let units = asked(app, process, observed);
    let units = units.filter(|(unit, _)| is_unplaced(unit, observed));
    units.map(|(unit, _)| unit.name.clone()).collect()
}

/// Returns the units of an app, or of one of its processes, that fleet was told to do anything with.
fn asked<'a>(
    app: &'a str,
    process: Option<&'a str>,
    observed: &'a Observed,
) -> impl Iterator<Item = (&'a ObservedUnit, Mark)> {
    let units = observed.units.values();
    let asked = units.filter(|unit| !unit.name.is_template() && unit.desired.asks_something());
    asked.filter_map(move |unit| {
        let mark = mark(&unit.unit).filter(|mark| mark.app == app)?;
        let is_meant = process.is_none_or(|process| process == mark.process);
        is_meant.then_some((unit, mark))
    })
}

fn is_unplaced(unit: &ObservedUnit, observed: &Observed) -> bool {
    let states = observed.states.get(&unit.name);
    unit.machine.is_none() && states.is_none_or(BTreeMap::is_empty)
}

/// Returns a unit that is to have the text that it has. A restart that came to no end may have left it only
/// loaded, which `state` tells where it is known.
fn as_it_is(unit: &ObservedUnit, state: Option<State>, observed: &Observed) -> MemberUnit {
    let wanted = match unit.desired.known() {
        Some(State::Loaded) if was_to_run(unit, observed) => state.unwrap_or(State::Launched),
        told => told.unwrap_or(State::Launched),
    };
    let after = After {
        text: Text {
            text: unit.unit.canonical(),
            hash: unit.hash.clone(),
        },
        state: wanted,
        kind: Kind::of(&unit.name, &unit.unit, wanted),
    };
    let condition = Condition::State {
        wanted,
        found: unit.desired.clone(),
    };
    let is_told = unit.desired == SeenState::Known(wanted);
    let conditions = (!is_told).then_some(condition).into_iter().collect();
    MemberUnit::seen(unit.name.clone(), Some(after), conditions, observed)
}

/// Puts what others must be with before what must be with others.
fn main_first(units: &mut [MemberUnit]) {
    let peers: Vec<String> = units
        .iter()
        .flat_map(|unit| unit.constraints().peers)
        .collect();
    units.sort_by_key(|unit| {
        let is_peer = peers.iter().any(|peer| peer == unit.name.as_str());
        (!is_peer, !unit.constraints().peers.is_empty())
    });
}

/// Tells whether a unit that is only loaded was to run, as far as that shows: no job, and nothing beside it
/// that starts it.
fn was_to_run(unit: &ObservedUnit, observed: &Observed) -> bool {
    let Some(stem) = unit.name.as_str().strip_suffix(".service") else {
        return true;
    };
    let has_trigger = [".timer", ".socket", ".path"].iter().any(|suffix| {
        observed
            .units
            .contains_key(format!("{stem}{suffix}").as_str())
    });
    !has_trigger && !ends_by_itself(&unit.unit)
}

/// Returns what stands between `@` and the suffix of a name.
fn key(name: &RegistryName) -> String {
    let parts = fleet_parts(name.as_str());
    parts
        .map(|parts| parts.instance.to_string())
        .unwrap_or_default()
}
