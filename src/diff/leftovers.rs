//! What the registry has and nothing asks for.
//!
//! In: what should be and what was seen. Out: units that carry unitgen's mark and that the manifest does
//! not give, and units that say they are of one of its apps and have no mark. The former are unitgen's
//! to take away; the latter are not.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::diff::ownership::{application, mark};
use crate::diff::{Change, Comparison, Diff, Foreign, UnitDiff, instances};
use crate::render::desired::DesiredUnit;
use crate::state::{Coverage, Mark, ObservedUnit, RegistryName};

/// Finds them, and adds them to a diff.
pub(super) fn find(comparison: &Comparison<'_>, diff: &mut Diff) {
    let observed = comparison.observed;
    let search = Search::new(comparison);
    let told = diff.units.iter().flat_map(|unit| &unit.instances);
    let told: HashSet<RegistryName> = told.map(|instance| instance.name.clone()).collect();
    let mut found: BTreeMap<RegistryName, UnitDiff> = BTreeMap::new();
    for unit in observed.units.values() {
        // Said first, as it is so of most.
        if search.wants(unit.name.as_str()) || told.contains(&unit.name) {
            continue;
        }
        // In a folder each file stands for itself.
        let template = unit.name.template();
        let template = template.filter(|_| observed.coverage != Coverage::Files);
        let file = template.as_ref().unwrap_or(&unit.name);
        let own = mark(&unit.unit);
        // Instances of wanted units that have a mark are compared with those.
        if search.wants(file.as_str()) {
            diff.foreign
                .extend(own.is_none().then(|| search.foreign(unit, file)).flatten());
            continue;
        }
        // An instance is whose its unit is, where that is known.
        let of_file = observed.units.get(file).and_then(|unit| mark(&unit.unit));
        let owner = observed.owners.get(file).cloned().or(of_file).or(own);
        let Some(owner) = owner else {
            diff.foreign.extend(search.foreign(unit, file));
            continue;
        };
        if !search.selects(&owner.app) {
            continue;
        }
        let has_app = search.has_app(&owner.app);
        let entry = found
            .entry(file.clone())
            .or_insert_with(|| unwanted(file, owner, has_app));
        if template.is_none() {
            entry.before = Some(unit.hash.clone());
            entry.told = Some(unit.desired.clone());
        }
        let is_asked = unit.desired.asks_something();
        let is_instance = template.is_some() || is_asked && !unit.name.is_template();
        if is_instance && observed.coverage != Coverage::Files {
            entry.instances.push(instances::unwanted(unit, observed));
        }
    }
    // A template without a mark, of which there is an instance with one, is told of as that.
    diff.foreign
        .retain(|foreign| !found.contains_key(&foreign.name));
    diff.units.extend(found.into_values());
}

fn unwanted(file: &RegistryName, owner: Mark, has_app: bool) -> UnitDiff {
    UnitDiff {
        name: file.clone(),
        owner,
        has_app,
        span: None,
        change: Change::Unwanted,
        before: None,
        after: None,
        sections: Vec::new(),
        instances: Vec::new(),
        told: None,
    }
}

struct Search<'a> {
    comparison: &'a Comparison<'a>,
    /// The files of the apps that are not selected.
    others: BTreeSet<&'a str>,
}

impl<'a> Search<'a> {
    fn new(comparison: &'a Comparison<'a>) -> Self {
        let others = comparison.others.iter();
        Self {
            comparison,
            others: others.map(|unit| unit.name.as_str()).collect(),
        }
    }

    /// Tells whether the manifest gives a file.
    fn wants(&self, name: &str) -> bool {
        self.unit(name).is_some() || self.others.contains(name)
    }

    /// Returns the unit of a selected app by its name.
    fn unit(&self, name: &str) -> Option<&DesiredUnit> {
        let units = &self.comparison.desired.units;
        let at = units.binary_search_by(|unit| unit.name.as_str().cmp(name));
        at.ok().map(|at| &units[at])
    }

    fn selects(&self, app: &str) -> bool {
        let apps = self.comparison.apps;
        apps.is_none_or(|apps| apps.iter().any(|selected| selected.as_str() == app))
    }

    fn has_app(&self, app: &str) -> bool {
        let apps = &self.comparison.model.apps;
        apps.binary_search_by(|known| known.name.value.as_str().cmp(app))
            .is_ok()
    }

    /// Returns a unit without a mark where it is of a selected app: by its template, or as it says.
    fn foreign(&self, unit: &ObservedUnit, file: &RegistryName) -> Option<Foreign> {
        if self.others.contains(file.as_str()) {
            return None;
        }
        let app = match self.unit(file.as_str()) {
            Some(wanted) => {
                let mut instances = wanted.instances.iter();
                let is_wanted = instances.any(|one| one.unit.as_str() == unit.name.as_str());
                (!is_wanted).then(|| wanted.app.as_str().to_owned())?
            }
            None => application(&unit.unit)?,
        };
        (self.selects(&app) && self.has_app(&app)).then(|| Foreign {
            name: unit.name.clone(),
            app,
        })
    }
}
