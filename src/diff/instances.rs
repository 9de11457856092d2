//! What is not as it should be with the instances of one unit.
//!
//! In: the instances that should run, what the registry has, and what machines say. Out: an entry for
//! each instance that is not as it should be, and the effect of putting it right. Knows nothing of how
//! that is done.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::diff::Expected;
use crate::diff::ownership::mark;
use crate::model::Instance;
use crate::name::Version;
use crate::span::Span;
use crate::state::{
    Coverage, MachineId, Observed, ObservedUnit, RegistryName, SeenState, State, UnitHash,
    UnitState,
};
use crate::unit::fleet::FleetUnit;

/// An instance that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceDiff {
    /// Its unit's name.
    pub name: RegistryName,
    /// Where the manifest asks for it; nowhere for one that it does not want.
    pub span: Option<Span>,
    /// The hash of the text that the registry has of it.
    pub hash: Option<UnitHash>,
    /// The machines that have it.
    pub machines: Vec<MachineId>,
    /// What is not as it should be, at least one.
    pub conditions: Vec<Condition>,
    /// What putting it right does to what runs.
    pub effect: Effect,
}

/// What is not as it should be with an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// The registry does not have it.
    Missing {
        /// What it should be.
        wanted: State,
    },
    /// The registry has it, and it is not wanted.
    Surplus {
        /// What fleet was told to do with it.
        found: SeenState,
    },
    /// The registry has an older text of it than its unit's.
    Stale,
    /// fleet was told to do something else with it.
    State {
        /// What it should be.
        wanted: State,
        /// What fleet was told.
        found: SeenState,
    },
    /// A machine has an older text of it than the registry.
    Behind {
        /// The machine.
        machine: MachineId,
    },
    /// systemd says that it failed, or that it can't load it.
    Failed {
        /// The machine.
        machine: MachineId,
        /// systemd's words: load, active and sub state.
        state: UnitState,
    },
    /// It was asked to run, and systemd says that it does not, or that it waits to start it once more.
    Down {
        /// The machine.
        machine: MachineId,
        /// systemd's words.
        state: UnitState,
    },
    /// The machine that it was given to says nothing of it.
    Silent {
        /// The machine.
        machine: MachineId,
    },
    /// No machine has it.
    Unplaced,
}

impl Condition {
    /// Returns the word for it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Surplus { .. } => "surplus",
            Self::Stale => "stale",
            Self::State { .. } => "state",
            Self::Behind { .. } => "behind",
            Self::Failed { .. } => "failed",
            Self::Down { .. } => "down",
            Self::Silent { .. } => "silent",
            Self::Unplaced => "unplaced",
        }
    }
}

/// What putting instances right does to what runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effect {
    /// Instances that begin to run.
    pub starts: usize,
    /// Running instances that are replaced.
    pub restarts: usize,
    /// Running instances that end.
    pub stops: usize,
}

impl Effect {
    /// Adds the numbers of another one.
    pub fn add(&mut self, other: Self) {
        let Self {
            starts,
            restarts,
            stops,
        } = other;
        self.starts += starts;
        self.restarts += restarts;
        self.stops += stops;
    }
}

/// The instances of each template that the registry has, sorted by name.
pub(super) type Families<'a> = HashMap<String, Vec<&'a ObservedUnit>>;

/// Finds the instances of each template; a folder shows none.
pub(super) fn families(observed: &Observed) -> Families<'_> {
    let mut families = Families::new();
    if observed.coverage == Coverage::Files {
        return families;
    }
    for unit in observed.units.values() {
        if let Some(template) = unit.name.template() {
            families
                .entry(template.as_str().to_owned())
                .or_default()
                .push(unit);
        }
    }
    families
}

/// Compares the instances of one unit. `known` are those of the registry that belong to it, and
/// `template` is what the registry has as their unit. What is not wanted among them, has no mark of
/// unitgen's and is no copy of the unit, is not unitgen's.
pub(super) fn compare(
    expected: &Expected<'_>,
    template: Option<&ObservedUnit>,
    known: &[&ObservedUnit],
    observed: &Observed,
) -> Vec<InstanceDiff> {
    let mut found = Vec::new();
    let by_name: BTreeMap<&str, &ObservedUnit> = known
        .iter()
        .map(|unit| (unit.name.as_str(), *unit))
        .collect();
    let mut surplus = by_name.clone();
    let instances = expected.unit.instances.iter();
    let versions: HashSet<&Option<Version>> = instances
        .filter(|instance| by_name.contains_key(instance.unit.as_str()))
        .map(|instance| &instance.version)
        .collect();
    for instance in expected.unit.instances.iter() {
        let name = instance.unit.as_str();
        surplus.remove(name);
        if let Some(unit) = by_name.get(name) {
            let diff = compare_one(expected, instance, unit, observed);
            found.extend(Some(diff).filter(|diff| !diff.conditions.is_empty()));
            continue;
        }
        // Where all of a version is new, the version is the cause.
        let is_new = !versions.contains(&instance.version);
        let version = instance.version_span.filter(|_| is_new);
        let wanted = expected.unit.state;
        found.push(InstanceDiff {
            name: RegistryName::from(&instance.unit),
            span: Some(version.unwrap_or(instance.span)),
            hash: None,
            machines: Vec::new(),
            conditions: vec![Condition::Missing { wanted }],
            effect: Effect {
                starts: usize::from(wanted == State::Launched),
                ..Effect::default()
            },
        });
    }
    let is_ours = |unit: &&ObservedUnit| {
        let is_copy = unit.hash.as_str() == expected.hash
            || template.is_some_and(|template| template.hash == unit.hash);
        let owner = mark(&unit.unit).map(|mark| mark.app);
        let is_marked = owner.is_some_and(|app| app == expected.unit.app.as_str());
        observed.coverage == Coverage::Wanted || is_copy || is_marked
    };
    let mut surplus: Vec<&ObservedUnit> = surplus.into_values().filter(is_ours).collect();
    surplus.sort_by_key(|unit| (unit.name.as_str().len(), &unit.name));
    found.extend(surplus.into_iter().map(|unit| unwanted(unit, observed)));
    found
}

/// Returns what is to be said of an instance that nobody wants.
pub(super) fn unwanted(unit: &ObservedUnit, observed: &Observed) -> InstanceDiff {
    InstanceDiff {
        name: unit.name.clone(),
        span: None,
        hash: Some(unit.hash.clone()),
        machines: observed
            .machines_of(&unit.name)
            .into_iter()
            .cloned()
            .collect(),
        conditions: vec![Condition::Surplus {
            found: unit.desired.clone(),
        }],
        effect: Effect {
            stops: running(unit, observed),
            ..Effect::default()
        },
    }
}

fn compare_one(
    expected: &Expected<'_>,
    instance: &Instance,
    unit: &ObservedUnit,
    observed: &Observed,
) -> InstanceDiff {
    let wanted = expected.unit.state;
    let mut conditions = Vec::new();
    let is_asked = unit.desired.asks_something();
    let is_stale = unit.hash.as_str() != expected.hash;
    // A plain unit that was asked nothing has no instance to be stale: its file differs.
    if is_stale && (expected.unit.name.is_template() || is_asked) {
        conditions.push(Condition::Stale);
    }
    let is_told = unit.desired == SeenState::Known(wanted);
    if !is_told {
        conditions.push(Condition::State {
            wanted,
            found: unit.desired.clone(),
        });
    }
    if observed.coverage == Coverage::Cluster && is_asked {
        conditions.extend(on_machines(unit, wanted, observed));
    }
    let number = running(unit, observed);
    let mut effect = Effect::default();
    if is_stale || !is_told {
        match (wanted, number) {
            (State::Launched, 0) => effect.starts = 1,
            // To be launched, it may go on as it is.
            (State::Launched, _) if is_stale => effect.restarts = number,
            (State::Launched, _) => {}
            // What is replaced or only loaded is not started again.
            (State::Loaded | State::Inactive, _) => effect.stops = number,
        }
    }
    InstanceDiff {
        name: unit.name.clone(),
        span: Some(instance.span),
        hash: Some(unit.hash.clone()),
        machines: observed
            .machines_of(&unit.name)
            .into_iter()
            .cloned()
            .collect(),
        conditions,
        effect,
    }
}

/// Returns what is wrong with a unit on the machines that should have it.
fn on_machines(unit: &ObservedUnit, wanted: State, observed: &Observed) -> Vec<Condition> {
    let mut found = Vec::new();
    let states = observed.states.get(&unit.name);
    let is_launched = unit.desired.known() == Some(State::Launched);
    let is_to_run = is_launched && wanted == State::Launched && !ends_by_itself(&unit.unit);
    for (machine, state) in states.into_iter().flatten() {
        let is_down = state.active == "inactive" || state.sub == "auto-restart";
        let (machine, state) = (machine.clone(), state.clone());
        if state.hash != unit.hash && !state.hash.as_str().is_empty() {
            let machine = machine.clone();
            found.push(Condition::Behind { machine });
        }
        if state.active == "failed" || !state.is_loaded() {
            found.push(Condition::Failed { machine, state });
        } else if is_to_run && is_down {
            found.push(Condition::Down { machine, state });
        }
    }
    if states.is_none_or(BTreeMap::is_empty) {
        found.push(match unit.machine.clone() {
            Some(machine) => Condition::Silent { machine },
            None => Condition::Unplaced,
        });
    }
    found
}

/// Tells whether a unit is done when its program ends.
fn ends_by_itself(unit: &FleetUnit) -> bool {
    let mut options = unit.options.iter();
    options.any(|option| {
        &*option.section == "Service" && option.name == "Type" && option.value == "oneshot"
    })
}

/// Returns on how many machines a unit runs.
fn running(unit: &ObservedUnit, observed: &Observed) -> usize {
    match observed.coverage {
        Coverage::Files => 0,
        Coverage::Wanted => usize::from(unit.desired.known() == Some(State::Launched)),
        Coverage::Cluster => {
            let states = observed.states.get(&unit.name).into_iter().flatten();
            let runs = |(_, state): &(&MachineId, &UnitState)| {
                matches!(
                    state.active.as_str(),
                    "active" | "activating" | "reloading" | "deactivating"
                )
            };
            states.filter(runs).count()
        }
    }
}
