//! What the registry has of some units: asked one by one over several connections, or as fleetctl lists
//! them.
//!
//! In: names. Out: hashes and states. What may pass by itself is asked again.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use crate::clock::{Deadline, pause};
use crate::cluster::fleet::Fleet;
use crate::cluster::fleetctl::Fleetctl;
use crate::error::CommandError;
use crate::interruption::Interruption;
use crate::state::{RegistryName, Release};
use crate::submit::guard::Found;
use crate::submit::{ATTEMPTS, backoff};

/// What was read. Units that there are not are absent.
pub type Read = BTreeMap<RegistryName, Found>;

/// Something that reads the registry.
pub trait Reader {
    /// Reads units. What may pass by itself is asked again, unless somebody wants an end.
    ///
    /// # Errors
    /// Says why one of them can't be read.
    fn read(
        &mut self,
        names: &[&RegistryName],
        interruption: &Interruption,
    ) -> Result<Read, CommandError>;

    /// Tells whether no machine says anything of these units any more, as far as this can be asked.
    ///
    /// # Errors
    /// Says why that can't be read.
    fn is_quiet(&mut self, names: &[&RegistryName]) -> Result<bool, CommandError>;

    /// Returns fleet's release, where that is known.
    fn release(&self) -> Option<Release>;
}

/// Does something again that may pass by itself, for a limited time.
///
/// # Errors
/// Returns the last error.
pub fn retried<T>(
    patience: Duration,
    interruption: &Interruption,
    mut attempt: impl FnMut() -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    let deadline = Deadline::after(patience);
    let mut attempts = 0;
    loop {
        attempts += 1;
        match attempt() {
            Err(error) if error.may_pass && attempts < ATTEMPTS => {
                if deadline.is_over() || interruption.is_asked() {
                    return Err(error);
                }
                pause(backoff(attempts), interruption);
            }
            result => return result,
        }
    }
}

/// Reads by fleet's API.
pub struct ApiReader {
    /// At least one connection.
    pub fleets: Vec<Fleet>,
    /// For how long a request is sent again.
    pub patience: Duration,
}

impl Reader for ApiReader {
    fn read(
        &mut self,
        names: &[&RegistryName],
        interruption: &Interruption,
    ) -> Result<Read, CommandError> {
        let Self { fleets, patience } = self;
        let length = names.len().div_ceil(fleets.len().max(1)).max(1);
        let parts = names.chunks(length).zip(fleets);
        let read = |fleet: &mut Fleet, part: &[&RegistryName]| {
            let one = |name: &&RegistryName| {
                let unit = retried(*patience, interruption, || fleet.unit(name))?;
                Ok(unit.map(|unit| ((*name).clone(), Found::from(&unit))))
            };
            let found = part.iter().map(one).filter_map(Result::transpose);
            found.collect::<Result<Read, CommandError>>()
        };
        let read = &read;
        let parts: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = parts
                .map(|(part, fleet)| scope.spawn(move || read(fleet, part)))
                .collect();
            let ends = threads.into_iter().map(thread::ScopedJoinHandle::join);
            ends.map(|end| end.unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        });
        let mut all = Read::new();
        for part in parts {
            all.extend(part?);
        }
        Ok(all)
    }

    fn is_quiet(&mut self, names: &[&RegistryName]) -> Result<bool, CommandError> {
        let Some(fleet) = self.fleets.first_mut() else {
            return Ok(true);
        };
        for name in names {
            if !fleet.states_of(name)?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn release(&self) -> Option<Release> {
        let mut fleets = self.fleets.iter();
        fleets.find_map(|fleet| fleet.release().cloned())
    }
}

/// Reads by `fleetctl list-unit-files`, where nothing else leads to the registry.
pub struct FleetctlReader<'a> {
    /// The fleetctl.
    pub fleetctl: &'a Fleetctl,
    /// For how long it is called again.
    pub patience: Duration,
}

impl Reader for FleetctlReader<'_> {
    fn read(
        &mut self,
        names: &[&RegistryName],
        interruption: &Interruption,
    ) -> Result<Read, CommandError> {
        let list = || self.fleetctl.list();
        let mut listed = retried(self.patience, interruption, list)?;
        let found = names.iter().filter_map(|name| {
            let (name, unit) = listed.remove_entry(*name)?;
            let found = Found {
                hash: unit.hash,
                desired: unit.desired,
            };
            Some((name, found))
        });
        Ok(found.collect())
    }

    fn is_quiet(&mut self, _: &[&RegistryName]) -> Result<bool, CommandError> {
        // What is deleted by this way ran nowhere.
        Ok(true)
    }

    fn release(&self) -> Option<Release> {
        None
    }
}
