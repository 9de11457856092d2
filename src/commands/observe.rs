//! What is asked of a cluster for a comparison: no more than that needs.
//!
//! In: a cluster, and what should be. Out: what was seen. Lists that moved while they were read are
//! read again. Knows nothing of what is made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::thread::{self, JoinHandle};

use crate::cluster::fleet::Fleet;
use crate::commands::Loaded;
use crate::error::CommandError;
use crate::state::{Coverage, Observed, ObservedUnit, RegistryName, States};

/// More names than this are not asked for one by one: the whole list costs less.
const ASKED_SINGLY: usize = 100;

/// The units of a registry.
pub(super) type Units = BTreeMap<RegistryName, ObservedUnit>;

/// The list of all units, being read while the manifest is.
pub(super) struct Listing(JoinHandle<(Fleet, Result<Units, CommandError>)>);

impl Listing {
    /// Begins to read. Where nobody waits for it, it ends with the process.
    pub(super) fn begin(mut fleet: Fleet) -> Self {
        Self(thread::spawn(move || {
            let units = fleet.units();
            (fleet, units)
        }))
    }

    /// Waits for the end.
    pub(super) fn end(self) -> (Fleet, Result<Units, CommandError>) {
        self.0.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// Asks for all that a comparison needs. Where only some apps are compared there is no list yet.
///
/// # Errors
/// Says what could not be read.
pub(super) fn observe(
    fleet: &mut Fleet,
    loaded: &Loaded,
    listed: Option<Units>,
) -> Result<Observed, CommandError> {
    let wanted = wanted(loaded);
    let mut observed = Observed {
        coverage: Coverage::Cluster,
        units: Units::new(),
        states: States::new(),
        machines: BTreeMap::new(),
        release: None,
        owners: BTreeMap::new(),
    };
    if listed.is_some() || !singly(fleet, loaded, wanted.clone(), &mut observed)? {
        observed.units = match listed {
            Some(units) => units,
            None => fleet.units()?,
        };
        absent(fleet, &wanted, &mut observed.units)?;
        // A unit that nothing was asked of runs nowhere.
        let asks = |unit: &ObservedUnit| unit.desired.asks_something();
        if observed.states.is_empty() && observed.units.values().any(asks) {
            observed.states = fleet.states()?;
        }
    }
    unseen_states(fleet, &mut observed)?;
    observed.release = fleet.release().cloned();
    Ok(observed)
}

/// Asks for what the registry has, and not for what runs. Where there is no list, only what is wanted is
/// asked for. What was listed stays where this fails, so that it can be done again.
///
/// # Errors
/// Says what could not be read.
pub(super) fn observe_files(
    fleet: &mut Fleet,
    wanted: &BTreeSet<RegistryName>,
    listed: &mut Option<Units>,
) -> Result<(), CommandError> {
    let units = match listed {
        Some(units) => units,
        None if wanted.len() > ASKED_SINGLY => listed.insert(fleet.units()?),
        None => {
            let found = wanted.iter().map(|name| {
                let unit = fleet.unit(name)?;
                Ok(unit.map(|unit| (name.clone(), unit)))
            });
            let found: Result<Units, CommandError> = found.filter_map(Result::transpose).collect();
            *listed = Some(found?);
            return Ok(());
        }
    };
    absent(fleet, wanted, units)
}

/// Returns the names of all units that should be, instances included.
pub(super) fn wanted(loaded: &Loaded) -> BTreeSet<RegistryName> {
    let units = loaded.desired.units.iter();
    let names = units.flat_map(|unit| {
        let instances = unit.instances.iter().map(|instance| &instance.unit);
        instances.chain([&unit.name]).map(RegistryName::from)
    });
    names.collect()
}

/// Asks for units by name, and for all that runs and that no other app wants: it may be left of these
/// apps. Tells whether that was done; where it would take more requests than the whole list, it is not.
fn singly(
    fleet: &mut Fleet,
    loaded: &Loaded,
    mut wanted: BTreeSet<RegistryName>,
    observed: &mut Observed,
) -> Result<bool, CommandError> {
    if wanted.len() > ASKED_SINGLY {
        return Ok(false);
    }
    observed.states = fleet.states()?;
    let others: BTreeSet<&str> = loaded
        .others
        .iter()
        .map(|unit| unit.name.as_str())
        .collect();
    for name in observed.states.keys() {
        let file = name.template().unwrap_or_else(|| name.clone());
        if !others.contains(file.as_str()) {
            wanted.extend([name.clone(), file]);
        }
    }
    if wanted.len() > 2 * ASKED_SINGLY {
        return Ok(false);
    }
    for name in wanted {
        if let Some(unit) = fleet.unit(&name)? {
            observed.units.insert(name, unit);
        }
    }
    Ok(true)
}

/// Asks once more for the states of units that should have some: a list of several pages may have moved
/// them past the reader.
fn unseen_states(fleet: &mut Fleet, observed: &mut Observed) -> Result<(), CommandError> {
    if observed.states.len() < PAGE {
        return Ok(());
    }
    let is_unseen = |unit: &&ObservedUnit| {
        let is_placed = unit.machine.is_some() || unit.current.is_none();
        let is_asked = unit.desired.asks_something();
        is_asked && is_placed && !observed.states.contains_key(&unit.name)
    };
    let unseen = observed.units.values().filter(is_unseen).take(ASKED_SINGLY);
    let unseen: Vec<RegistryName> = unseen.map(|unit| unit.name.clone()).collect();
    for name in unseen {
        let states = fleet.states_of(&name)?;
        if !states.is_empty() {
            observed.states.insert(name, states);
        }
    }
    Ok(())
}

/// The least that fleet puts on a page, by default.
const PAGE: usize = 100;

/// How often a list of several pages is read before it is taken as it is.
const READINGS: usize = 3;

/// Makes sure of what a list of several pages does not show: while it was read, units that came or
/// went may have moved one past the reader.
fn absent(
    fleet: &mut Fleet,
    wanted: &BTreeSet<RegistryName>,
    units: &mut Units,
) -> Result<(), CommandError> {
    if units.len() < PAGE {
        return Ok(());
    }
    let absent = wanted.iter().filter(|name| !units.contains_key(*name));
    let absent: Vec<&RegistryName> = absent.collect();
    if absent.len() > ASKED_SINGLY {
        return settled(fleet, units);
    }
    for name in absent {
        if let Some(unit) = fleet.unit(name)? {
            units.insert(name.clone(), unit);
        }
    }
    Ok(())
}

/// Reads a list of several pages again until it has the same names twice.
///
/// # Errors
/// Says why the list can't be read.
pub(super) fn settled(fleet: &mut Fleet, units: &mut Units) -> Result<(), CommandError> {
    for _ in 1..READINGS {
        if units.len() < PAGE {
            return Ok(());
        }
        let again = fleet.units()?;
        let is_settled = again.keys().eq(units.keys());
        *units = again;
        if is_settled {
            return Ok(());
        }
    }
    Ok(())
}
