//! Every instance of the manifest's apps, wanted or there, side by side with what it does.
//!
//! In: what should be, what was seen, and their diff. Out: a row for each instance on each machine that
//! has it, and why one does not run. Knows nothing of how a row is shown.

use std::collections::HashMap;

use crate::diff::instances::{Condition, InstanceDiff};
use crate::diff::{Change, Diff, UnitDiff};
use crate::model::Instance;
use crate::name::Version;
use crate::render::desired::{Desired, DesiredUnit};
use crate::state::{MachineId, Observed, RegistryName, SeenState, State, UnitHash, UnitState};

/// One instance, on one machine where any has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The app.
    pub app: String,
    /// The process.
    pub process: String,
    /// The version that it should run.
    pub version: Option<Version>,
    /// Its unit's name.
    pub name: RegistryName,
    /// What fleet should do with it; nothing for one that nobody wants.
    pub wanted: Option<State>,
    /// What fleet was told to do with it; nothing where the registry does not have it.
    pub told: Option<SeenState>,
    /// The machine that has it, or was given it.
    pub machine: Option<MachineId>,
    /// What systemd there says.
    pub state: Option<UnitState>,
    /// Whether the text that it has is its unit's.
    pub text: Text,
    /// Why it is not as it should be.
    pub reasons: Vec<Reason>,
}

/// Whether an instance has the text of its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// It has.
    Equal,
    /// The registry has an older one, or the machine.
    Stale,
    /// There is none, or no unit to compare with.
    None,
}

impl Text {
    /// Returns the word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Stale => "stale",
            Self::None => "none",
        }
    }
}

/// Why an instance is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The registry does not have it; for this reason no machine could take it, where that is known.
    Missing(Option<String>),
    /// Nobody wants it.
    Surplus,
    /// fleet was told something else.
    Told(SeenState),
    /// No machine has it, for this reason where it is known.
    Unplaced(Option<String>),
    /// fleet gave it to a machine that says nothing of it yet, or no more.
    Silent(MachineId),
    /// fleet gave it to a machine that is not there.
    MachineGone(MachineId),
    /// systemd can't load it.
    NotLoaded(String),
    /// It failed.
    Failed,
    /// It ends again and again: systemd waits to start it once more.
    Restarting,
    /// It does not run, and nothing says why.
    NotRunning,
}

/// Returns the rows: the manifest's instances in its order, those that nobody wants behind each unit's.
#[must_use]
pub fn rows(desired: &Desired, observed: &Observed, diff: &Diff) -> Vec<Row> {
    let odd = diff.units.iter().flat_map(|unit| &unit.instances);
    let odd: HashMap<&str, &InstanceDiff> = odd.map(|one| (one.name.as_str(), one)).collect();
    let units: HashMap<&str, &UnitDiff> = diff
        .units
        .iter()
        .map(|unit| (unit.name.as_str(), unit))
        .collect();
    let mut rows = Vec::new();
    let unplaced = diff.unplaced.iter();
    let context = Context {
        observed,
        unplaced: unplaced
            .map(|one| (&one.name, one.reason.as_str()))
            .collect(),
    };
    for unit in &desired.units {
        for instance in unit.instances.iter() {
            let mut row = context.wanted(unit, instance);
            let change = units.get(unit.name.as_str()).map(|unit| unit.change);
            // A plain unit is its own only instance.
            if !unit.name.is_template()
                && matches!(change, Some(Change::Changed | Change::Reordered))
            {
                row.text = Text::Stale;
            }
            let odd = odd.get(row.name.as_str()).copied();
            context.on_machines(row, odd, &mut rows);
        }
        let Some(unit) = units.get(unit.name.as_str()) else {
            continue;
        };
        let after = unit.after.as_ref().map(UnitHash::as_str);
        for one in unit.instances.iter().filter(|one| one.span.is_none()) {
            let row = context.unwanted(unit, one, after);
            context.on_machines(row, Some(one), &mut rows);
        }
    }
    for unit in diff
        .units
        .iter()
        .filter(|unit| unit.change == Change::Unwanted)
    {
        let before = unit.before.as_ref().map(UnitHash::as_str);
        for one in &unit.instances {
            let row = context.unwanted(unit, one, before);
            context.on_machines(row, Some(one), &mut rows);
        }
    }
    rows
}

struct Context<'a> {
    observed: &'a Observed,
    /// Why instances can't be placed.
    unplaced: HashMap<&'a RegistryName, &'a str>,
}

impl Context<'_> {
    fn wanted(&self, unit: &DesiredUnit, instance: &Instance) -> Row {
        let owner = (unit.app.as_str(), unit.process.as_str());
        let row = self.row(owner, RegistryName::from(&instance.unit));
        Row {
            version: instance.version.clone(),
            wanted: Some(unit.state),
            ..row
        }
    }

    /// Returns the row of an instance that nobody wants. `hash` is that of its unit, if there is one.
    fn unwanted(&self, unit: &UnitDiff, one: &InstanceDiff, hash: Option<&str>) -> Row {
        let row = self.row((&unit.owner.app, &unit.owner.process), one.name.clone());
        let own = one.hash.as_ref().map(UnitHash::as_str);
        let text = match hash {
            None => Text::None,
            Some(hash) if own == Some(hash) => Text::Equal,
            Some(_) => Text::Stale,
        };
        Row { text, ..row }
    }

    fn row(&self, (app, process): (&str, &str), name: RegistryName) -> Row {
        let seen = self.observed.units.get(&name);
        Row {
            app: app.to_owned(),
            process: process.to_owned(),
            version: None,
            wanted: None,
            told: seen.map(|seen| seen.desired.clone()),
            machine: seen.and_then(|seen| seen.machine.clone()),
            state: None,
            text: seen.map_or(Text::None, |_| Text::Equal),
            reasons: Vec::new(),
            name,
        }
    }

    /// Adds a row for each machine that has an instance, or one where none has.
    fn on_machines(&self, row: Row, odd: Option<&InstanceDiff>, rows: &mut Vec<Row>) {
        let states = self.observed.states.get(&row.name).into_iter().flatten();
        let before = rows.len();
        // What runs of a unit that the registry has no more ends within seconds.
        if row.told.is_some() {
            for (machine, state) in states {
                let mut row = row.clone();
                row.machine = Some(machine.clone());
                row.state = Some(state.clone());
                rows.push(row);
            }
        }
        if rows.len() == before {
            rows.push(row);
        }
        for row in &mut rows[before..] {
            self.judge(row, odd);
        }
    }

    fn judge(&self, row: &mut Row, odd: Option<&InstanceDiff>) {
        let conditions = odd.map(|odd| odd.conditions.as_slice()).unwrap_or_default();
        for condition in conditions {
            let is_here = |machine: &MachineId| row.machine.as_ref() == Some(machine);
            let reason = match condition {
                Condition::Missing { .. } => Reason::Missing(self.unplaced(&row.name)),
                Condition::Surplus { .. } => Reason::Surplus,
                Condition::State { found, .. } => Reason::Told(found.clone()),
                Condition::Unplaced => Reason::Unplaced(self.unplaced(&row.name)),
                Condition::Silent { machine } if self.is_gone(machine) => {
                    Reason::MachineGone(machine.clone())
                }
                Condition::Silent { machine } => Reason::Silent(machine.clone()),
                Condition::Failed { machine, state } if is_here(machine) => {
                    if state.is_loaded() {
                        Reason::Failed
                    } else {
                        Reason::NotLoaded(state.load.clone())
                    }
                }
                Condition::Down { machine, state } if is_here(machine) => {
                    match state.sub.as_str() {
                        "auto-restart" => Reason::Restarting,
                        _ => Reason::NotRunning,
                    }
                }
                Condition::Stale => {
                    row.text = Text::Stale;
                    continue;
                }
                Condition::Behind { machine } => {
                    if is_here(machine) {
                        row.text = Text::Stale;
                    }
                    continue;
                }
                Condition::Failed { .. } | Condition::Down { .. } => continue,
            };
            row.reasons.push(reason);
        }
    }

    fn is_gone(&self, machine: &MachineId) -> bool {
        let machines = &self.observed.machines;
        !machines.is_empty() && !machines.contains_key(machine)
    }

    fn unplaced(&self, name: &RegistryName) -> Option<String> {
        self.unplaced.get(name).map(|reason| (*reason).to_owned())
    }
}
