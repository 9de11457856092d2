//! A folder of unit files in a cluster's place.
//!
//! In: a folder. Out: its units as fleet would read them. It knows of no instance that runs and of no
//! machine.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::CommandError;
use crate::files::units::read_units;
use crate::state::{
    Coverage, Observed, ObservedUnit, RegistryName, SeenState, SeenUnit, State, UnitHash,
};
use crate::unit::fleet::{FleetUnit, hash, keeps};

/// What a folder holds.
#[derive(Debug)]
pub struct Directory {
    /// Its units. One that fleet can't read is there without a directive.
    pub observed: Observed,
    /// The files that fleet can't read, and why.
    pub unreadable: Vec<(String, String)>,
}

/// Reads a folder.
///
/// # Errors
/// Says what can't be read.
pub fn read(folder: &Path) -> Result<Directory, CommandError> {
    let take = |name: &str, bytes: &[u8]| (name.to_owned(), unit(name, bytes));
    let read = read_units(folder, &take).map_err(|error| match error.help {
        Some(_) => error,
        None => {
            error.help("`--against dir:PATH` wants a folder of unit files, as `render` writes it")
        }
    })?;
    let mut unreadable = Vec::new();
    let units = read.into_iter().map(|(name, (unit, complaint))| {
        unreadable.extend(complaint.map(|complaint| (name, complaint)));
        (unit.name.clone(), unit)
    });
    // Sorted as they are, they make a tree at once.
    let units = units.collect();
    Ok(Directory {
        observed: Observed {
            coverage: Coverage::Files,
            units,
            states: BTreeMap::new(),
            machines: BTreeMap::new(),
            release: None,
            owners: BTreeMap::new(),
        },
        unreadable,
    })
}

/// Returns a unit, and why fleet can't read it where that is so.
fn unit(name: &str, bytes: &[u8]) -> (ObservedUnit, Option<String>) {
    let (unit, hash, complaint) = match str::from_utf8(bytes) {
        // Most files are what fleet would write, and their hash is that of their bytes.
        Ok(text) if keeps(text) => (SeenUnit::stored(text), hash(text), None),
        _ => {
            let parsed = FleetUnit::parse(bytes);
            let complaint = parsed.as_ref().err().map(ToString::to_string);
            let unit = parsed.unwrap_or_default();
            let hash = unit.hash();
            (SeenUnit::from(unit), hash, complaint)
        }
    };
    let unit = ObservedUnit {
        name: RegistryName::seen(name),
        unit,
        hash: UnitHash::seen(hash),
        desired: SeenState::Known(State::Inactive),
        current: None,
        machine: None,
    };
    (unit, complaint)
}
