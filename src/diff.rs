//! What would change in a cluster, and what there is not as it should be.
//!
//! In: the units that should be, the model that gives them, and what was seen. Out: a `Diff`. It is a
//! function from values to a value: the same two give the same diff. Equal means that fleet's own hash
//! is equal. Knows nothing of how a diff is shown, nor of how what was seen was read.

pub mod cause;
pub mod directives;
pub mod instances;
mod leftovers;
pub mod ownership;
pub mod placing;
pub mod unified;

use std::collections::BTreeSet;

use crate::diff::directives::{Row, Section, compare, is_same_but_for_order};
use crate::diff::instances::{Condition, Effect, Families, InstanceDiff, families};
use crate::model::{Model, Process};
use crate::name::AppName;
use crate::parallel::in_parts;
use crate::render::desired::{Desired, DesiredUnit};
use crate::span::Span;
use crate::state::{Coverage, Mark, Observed, ObservedUnit, RegistryName, SeenState, UnitHash};
use crate::unit::fleet::{FleetUnit, hash};

/// All that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// How much the other side shows.
    pub coverage: Coverage,
    /// The units of which there is anything to say, sorted by name.
    pub units: Vec<UnitDiff>,
    /// How many wanted units are as they should be, instances included.
    pub equal: usize,
    /// How many wanted instances are as they should be.
    pub equal_instances: usize,
    /// Units of the apps that unitgen has not made.
    pub foreign: Vec<Foreign>,
    /// Wanted instances that no machine can take, as far as that is known.
    pub unplaced: Vec<Unplaced>,
}

/// A unit that differs, or whose instances do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitDiff {
    /// The name of its file: a template's or a plain unit's.
    pub name: RegistryName,
    /// The app and process that it belongs to.
    pub owner: Mark,
    /// Whether the manifest has that app.
    pub has_app: bool,
    /// Where the manifest asks for it; nowhere for one that it does not want.
    pub span: Option<Span>,
    /// What becomes of its file.
    pub change: Change,
    /// The hash that fleet has.
    pub before: Option<UnitHash>,
    /// The hash that fleet should have.
    pub after: Option<UnitHash>,
    /// What differs in its text; empty where nothing does, or where there is no other side to it.
    pub sections: Vec<Section>,
    /// The instances that are not as they should be, the wanted ones in their order first.
    pub instances: Vec<InstanceDiff>,
    /// What fleet was told to do with the unit of that name, where it has one.
    pub told: Option<SeenState>,
}

/// What becomes of a unit's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// The registry does not have it.
    New,
    /// The registry has another text.
    Changed,
    /// The registry has the same directives in another order. To fleet that is another text.
    Reordered,
    /// It is as it should be.
    Equal,
    /// The registry has it and it carries unitgen's mark, but the manifest does not give it.
    Unwanted,
}

impl Change {
    /// Returns the word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Reordered => "reordered",
            Self::Equal => "equal",
            Self::Unwanted => "unwanted",
        }
    }
}

/// A unit of the registry that is of an app, as it says or by its template, and not unitgen's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// Its name.
    pub name: RegistryName,
    /// The app.
    pub app: String,
}

/// A wanted instance that no machine can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplaced {
    /// Its unit's name.
    pub name: RegistryName,
    /// Where the manifest asks for it.
    pub span: Span,
    /// Why, in a few words.
    pub reason: String,
}

/// What is compared.
pub struct Comparison<'a> {
    /// What should be; of the selected apps only.
    pub desired: &'a Desired,
    /// What should be of the other apps.
    pub others: &'a [DesiredUnit],
    /// What gives it, all apps included.
    pub model: &'a Model,
    /// What was seen.
    pub observed: &'a Observed,
    /// The selected apps; all where there is no selection.
    pub apps: Option<&'a [AppName]>,
}

/// A wanted unit and its hash.
pub(crate) struct Expected<'a> {
    pub(crate) unit: &'a DesiredUnit,
    pub(crate) hash: String,
}

impl Diff {
    /// Tells whether anything differs. Foreign units do not count: they are not unitgen's to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// Returns what putting everything right does to what runs.
    #[must_use]
    pub fn effect(&self) -> Effect {
        let mut sum = Effect::default();
        for unit in &self.units {
            sum.add(unit.effect());
        }
        sum
    }

    /// Tells whether a wanted instance is nowhere or is to be started anew, so that it matters which
    /// machines there are.
    #[must_use]
    pub fn seeks_machines(&self) -> bool {
        let instances = self.units.iter().flat_map(|unit| &unit.instances);
        let mut wanted = instances.filter(|instance| instance.span.is_some());
        wanted.any(|one| one.machines.is_empty() || one.conditions.contains(&Condition::Stale))
    }

    /// Takes instances that no machine can take, and corrects the effects: none of them starts, and
    /// those that run and are to be replaced end.
    pub fn set_unplaced(&mut self, unplaced: Vec<Unplaced>) {
        let names: BTreeSet<&RegistryName> = unplaced.iter().map(|one| &one.name).collect();
        let instances = self.units.iter_mut().flat_map(|unit| &mut unit.instances);
        for one in instances.filter(|one| names.contains(&one.name)) {
            one.effect.stops += std::mem::take(&mut one.effect.restarts);
            one.effect.starts = 0;
        }
        self.unplaced = unplaced;
    }

    /// Counts the units whose files change in one way. Where only instances are left of one, there is no
    /// file.
    #[must_use]
    pub fn count(&self, change: Change) -> usize {
        let has_file = |unit: &&UnitDiff| unit.before.is_some() || unit.after.is_some();
        let units = self.units.iter().filter(has_file);
        units.filter(|unit| unit.change == change).count()
    }
}

impl UnitDiff {
    /// Returns what putting all of it right does to what runs.
    #[must_use]
    pub fn effect(&self) -> Effect {
        let mut sum = Effect::default();
        for instance in &self.instances {
            sum.add(instance.effect);
        }
        sum
    }

    /// Tells whether any row of its text differs.
    #[must_use]
    pub fn has_rows(&self) -> bool {
        let mut rows = self.sections.iter().flat_map(|section| &section.rows);
        rows.any(Row::differs)
    }

    /// Returns the places of the manifest that cause the changes, each once.
    #[must_use]
    pub fn causes(&self) -> Vec<Span> {
        let rows = self.sections.iter().flat_map(|section| &section.rows);
        let found: BTreeSet<Span> = match self.change {
            // All of a new unit comes from one place.
            Change::New | Change::Unwanted => BTreeSet::new(),
            Change::Equal => {
                let missing = self.instances.iter().filter(|one| one.hash.is_none());
                missing.filter_map(|one| one.span).collect()
            }
            Change::Changed | Change::Reordered => {
                let differing = rows.filter(|row| row.differs());
                differing.filter_map(|row| row.cause).collect()
            }
        };
        if found.is_empty() {
            return self.span.into_iter().collect();
        }
        found.into_iter().collect()
    }
}

/// Compares what should be with what was seen.
#[must_use]
pub fn diff(comparison: &Comparison<'_>) -> Diff {
    let families = families(comparison.observed);
    let desired = &comparison.desired.units;
    let compared = in_parts(desired, |units| {
        let one = |unit| comparison.unit(unit, &families);
        units.iter().map(one).collect::<Vec<_>>()
    });
    let mut diff = Diff {
        coverage: comparison.observed.coverage,
        units: Vec::new(),
        equal: 0,
        equal_instances: 0,
        foreign: Vec::new(),
        unplaced: Vec::new(),
    };
    for (unit, wanted) in compared.into_iter().flatten().zip(desired) {
        let wanted = match comparison.observed.coverage {
            Coverage::Files => 0,
            Coverage::Wanted | Coverage::Cluster => wanted.instances.len(),
        };
        let Some(unit) = unit else {
            diff.equal += 1;
            diff.equal_instances += wanted;
            continue;
        };
        let odd = unit
            .instances
            .iter()
            .filter(|instance| instance.span.is_some());
        diff.equal_instances += wanted - odd.count();
        diff.units.push(unit);
    }
    leftovers::find(comparison, &mut diff);
    diff.units.sort_by(|a, b| a.name.cmp(&b.name));
    diff
}

impl Comparison<'_> {
    /// Compares one wanted unit; `None` where all is as it should be.
    fn unit(&self, unit: &DesiredUnit, families: &Families<'_>) -> Option<UnitDiff> {
        let expected = Expected {
            unit,
            hash: hash(&unit.text),
        };
        let found = self.observed.units.get(unit.name.as_str());
        let (change, mut sections) = change(&expected, found);
        let instances = self.instances(&expected, found, families);
        if change == Change::Equal && instances.is_empty() {
            return None;
        }
        if !sections.is_empty()
            && let Some(process) = self.process(unit)
        {
            cause::find(process, &unit.name, &mut sections);
        }
        Some(UnitDiff {
            owner: unit.owner(),
            has_app: true,
            span: Some(unit.span),
            change,
            before: found.map(|unit| unit.hash.clone()),
            after: Some(UnitHash::seen(expected.hash)),
            sections,
            instances,
            told: found.map(|unit| unit.desired.clone()),
            name: RegistryName::from(&unit.name),
        })
    }

    fn instances(
        &self,
        expected: &Expected<'_>,
        found: Option<&ObservedUnit>,
        families: &Families<'_>,
    ) -> Vec<InstanceDiff> {
        if self.observed.coverage == Coverage::Files {
            return Vec::new();
        }
        if !expected.unit.name.is_template() {
            return instances::compare(expected, found, found.as_slice(), self.observed);
        }
        let known = families.get(expected.unit.name.as_str());
        let known = known.map_or(&[][..], Vec::as_slice);
        instances::compare(expected, found, known, self.observed)
    }

    /// Returns the process that a unit belongs to.
    fn process(&self, unit: &DesiredUnit) -> Option<&Process> {
        let apps = &self.model.apps;
        let app = apps
            .binary_search_by(|app| app.name.value.cmp(&unit.app))
            .ok()?;
        let mut processes = apps[app].processes.iter();
        processes.find(|process| process.name.value == unit.process)
    }
}

/// Compares a unit's file.
fn change(expected: &Expected<'_>, found: Option<&ObservedUnit>) -> (Change, Vec<Section>) {
    let wanted = || FleetUnit::parse(&expected.unit.text).unwrap_or_default();
    let Some(found) = found else {
        return (Change::New, compare(&FleetUnit::default(), &wanted()));
    };
    if found.hash.as_str() == expected.hash {
        return (Change::Equal, Vec::new());
    }
    let wanted = wanted();
    let change = if is_same_but_for_order(&found.unit, &wanted) {
        Change::Reordered
    } else {
        Change::Changed
    };
    (change, compare(&found.unit, &wanted))
}
