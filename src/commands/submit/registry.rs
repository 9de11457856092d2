//! Where the registry is read: by fleet's API, or by the fleetctl that alone leads to it.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::cluster::fleet::Fleet;
use crate::cluster::fleetctl::Fleetctl;
use crate::commands::Invocation;
use crate::commands::connection::Connection;
use crate::commands::observe::{Listing, Units, observe_files};
use crate::error::CommandError;
use crate::interruption::Interruption;
use crate::state::{ObservedUnit, RegistryName, Release, SeenUnit};
use crate::submit::reader::retried;
use crate::unit::fleet::hash;

/// For how long what can't be read is asked for again, before anything is done.
const PATIENCE: Duration = Duration::from_secs(10);

/// What leads to the registry.
#[derive(Clone, Copy)]
pub(super) enum Registry<'a> {
    /// fleet's API.
    Api(&'a Connection),
    /// fleetctl.
    Fleetctl(&'a Fleetctl),
}

/// What was read of the registry, or is being read.
pub(super) enum Reading<'a> {
    /// A list of all.
    Listing(Listing),
    /// Nothing yet.
    Asked(Box<Fleet>),
    /// What fleetctl lists.
    Fleetctl(&'a Fleetctl),
}

/// What the registry has.
pub(super) struct Seen {
    /// Where it is, as a user reads it.
    pub(super) cluster: String,
    /// Its units. Where fleetctl read them only those have their text that need it.
    pub(super) units: Units,
    /// fleet's release, where it said so.
    pub(super) release: Option<Release>,
}

impl<'a> Registry<'a> {
    /// Begins to read: all, or only what is going to be asked for.
    ///
    /// # Errors
    /// Says what is wrong with a flag or a variable.
    pub(super) fn begin(
        self,
        is_all: bool,
        invocation: &Invocation,
    ) -> Result<Reading<'a>, CommandError> {
        Ok(match self {
            Self::Fleetctl(fleetctl) => Reading::Fleetctl(fleetctl),
            Self::Api(connection) => {
                let fleet = connection.fleet(&invocation.settings)?;
                if is_all {
                    Reading::Listing(Listing::begin(fleet))
                } else {
                    Reading::Asked(Box::new(fleet))
                }
            }
        })
    }
}

impl Reading<'_> {
    /// Returns the units of a list, and of no list those that are wanted. `needs_text` tells of which
    /// units it matters what they say.
    ///
    /// # Errors
    /// Says why the registry can't be read.
    pub(super) fn end(
        self,
        wanted: &BTreeSet<RegistryName>,
        needs_text: impl Fn(&RegistryName) -> bool,
    ) -> Result<Seen, CommandError> {
        let calm = Interruption::default();
        let (mut fleet, mut listed) = match self {
            Self::Fleetctl(fleetctl) => return listed(fleetctl, needs_text),
            Self::Asked(fleet) => (*fleet, None),
            Self::Listing(listing) => {
                let (mut fleet, listed) = listing.end();
                let listed = match listed {
                    Err(error) if error.may_pass => retried(PATIENCE, &calm, || fleet.units())?,
                    listed => listed?,
                };
                (fleet, Some(listed))
            }
        };
        retried(PATIENCE, &calm, || {
            observe_files(&mut fleet, wanted, &mut listed)
        })?;
        Ok(Seen {
            cluster: fleet.server().replace('`', ""),
            units: listed.unwrap_or_default(),
            release: fleet.release().cloned(),
        })
    }
}

fn listed(
    fleetctl: &Fleetctl,
    needs_text: impl Fn(&RegistryName) -> bool,
) -> Result<Seen, CommandError> {
    let calm = Interruption::default();
    let listed = retried(PATIENCE, &calm, || fleetctl.list())?;
    let names: Vec<&RegistryName> = listed.keys().filter(|name| needs_text(name)).collect();
    let mut texts = retried(PATIENCE, &calm, || fleetctl.texts(&names))?;
    // What leads to fleetctl may have said something of its own, or the unit changed meanwhile.
    if let Some((name, _)) = texts.iter().find(|(name, text)| {
        let listed = listed.get(*name);
        listed.is_some_and(|unit| unit.hash.as_str() != hash(text))
    }) {
        let message = format!("fleetctl showed another text of `{name}` than it listed");
        return Err(CommandError::remote(message).help("try it again"));
    }
    let units = listed.into_iter().map(|(name, unit)| {
        let text = texts.remove(&name).unwrap_or_default();
        let unit = ObservedUnit {
            name: name.clone(),
            unit: SeenUnit::stored(text),
            hash: unit.hash,
            desired: unit.desired,
            current: None,
            machine: None,
        };
        (name, unit)
    });
    Ok(Seen {
        cluster: [fleetctl.command.clone(), fleetctl.flags.words()]
            .concat()
            .join(" "),
        units: units.collect(),
        release: None,
    })
}
