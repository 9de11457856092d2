//! What the manifest is compared with: a cluster, or what stands in its place.
//!
//! In: `--against`, and what should be. Out: what was seen there. A cluster is asked for no more than is
//! needed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;

use crate::cluster::directory;
use crate::cluster::fleet::Fleet;
use crate::cluster::snapshot::Snapshot;
use crate::commands::Invocation;
use crate::commands::connection::{Connection, DEFAULT_ENDPOINT};
use crate::error::CommandError;
use crate::files::private;
use crate::render::desired::Desired;
use crate::state::{Coverage, Observed, RegistryName, State, States};
use crate::tell::count;

/// What is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Against {
    /// The cluster.
    Fleet,
    /// A folder of unit files.
    Folder(PathBuf),
    /// What the manifest of a git revision gives.
    Revision(String),
    /// A file that `snapshot` wrote.
    Snapshot(PathBuf),
}

impl FromStr for Against {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        match (kind, rest.is_empty()) {
            ("fleet", _) if text == "fleet" => Ok(Self::Fleet),
            ("dir", false) => Ok(Self::Folder(rest.into())),
            ("git", false) => Ok(Self::Revision(rest.to_owned())),
            ("snapshot", false) => Ok(Self::Snapshot(rest.into())),
            _ => Err("say `fleet`, `dir:FOLDER`, `git:REVISION` or `snapshot:FILE`".to_owned()),
        }
    }
}

/// More names than this are not asked for one by one: the whole list costs less.
const ASKED_SINGLY: usize = 100;

/// A day, in seconds.
const DAY: u64 = 86_400;

impl Invocation {
    /// Reads a folder of unit files in a cluster's place.
    ///
    /// # Errors
    /// Says what can't be read.
    pub fn observe_folder(&mut self, path: &std::path::Path) -> Result<Observed, CommandError> {
        let directory = directory::read(path)?;
        for (name, complaint) in directory.unreadable {
            let path = path.join(name);
            let message = format!(
                "warning: fleet can't read `{}`: {complaint}\n",
                path.display()
            );
            self.output.message(&message);
        }
        Ok(directory.observed)
    }

    /// Reads a snapshot.
    ///
    /// # Errors
    /// Says what can't be read, or what is wrong with it.
    pub fn observe_snapshot(&mut self, path: &std::path::Path) -> Result<Observed, CommandError> {
        let bytes = private::read(path)?;
        let snapshot = Snapshot::parse(&bytes).map_err(|reason| {
            CommandError::trouble(format!("can't use the snapshot `{}`", path.display()))
                .because(reason)
                .help("`unitgen snapshot -o FILE` writes one")
        })?;
        let days = self.settings.now.saturating_sub(snapshot.taken) / DAY;
        if days > 0 {
            let server = &snapshot.server;
            let age = count(usize::try_from(days).unwrap_or(usize::MAX), "day");
            self.output
                .message(&format!("warning: the snapshot of {server} is {age} old\n"));
        }
        Ok(snapshot.observed)
    }

    /// Asks a cluster for what a comparison needs. Where only some apps are compared, it is asked for
    /// their units alone, and for what runs.
    ///
    /// # Errors
    /// Says what could not be read, and what to do where nobody said which cluster is meant.
    pub fn observe_fleet(
        &self,
        connection: &Connection,
        desired: &Desired,
        is_selection: bool,
    ) -> Result<(Observed, Fleet), CommandError> {
        let mut fleet = connection.fleet(&self.settings)?;
        let is_unsaid = connection.endpoint.is_none() && self.settings.fleet.endpoint.is_none();
        let observed = observe(&mut fleet, desired, is_selection).map_err(|error| {
            if !is_unsaid || error.help.is_some() {
                return error;
            }
            error.help(format!(
                "nobody said where the cluster is, so this asked `{DEFAULT_ENDPOINT}`, as fleetctl does: \
                 name it with `--endpoint` or FLEETCTL_ENDPOINT, or compare without one: \
                 `--against dir:units`, `git:main` or `snapshot:FILE`"
            ))
        })?;
        Ok((observed, fleet))
    }
}

fn observe(
    fleet: &mut Fleet,
    desired: &Desired,
    is_selection: bool,
) -> Result<Observed, CommandError> {
    let units = desired.units.iter();
    let wanted: BTreeSet<RegistryName> = units
        .flat_map(|unit| {
            let instances = unit.instances.iter().map(|instance| &instance.unit);
            instances.chain([&unit.name]).map(RegistryName::from)
        })
        .collect();
    let mut observed = Observed {
        coverage: Coverage::Cluster,
        units: std::collections::BTreeMap::new(),
        states: States::new(),
        machines: std::collections::BTreeMap::new(),
        release: None,
    };
    if is_selection && wanted.len() <= ASKED_SINGLY {
        singly(fleet, desired, wanted, &mut observed)?;
    } else {
        observed.units = fleet.units()?;
        absent(fleet, &wanted, &mut observed)?;
        // A unit that nothing was asked of runs nowhere.
        let runs = observed
            .units
            .values()
            .any(|unit| unit.desired.known() != Some(State::Inactive));
        if runs {
            observed.states = fleet.states()?;
        }
    }
    observed.release = fleet.release().cloned();
    Ok(observed)
}

/// Asks for units by name, and for those that run beside them.
fn singly(
    fleet: &mut Fleet,
    desired: &Desired,
    mut wanted: BTreeSet<RegistryName>,
    observed: &mut Observed,
) -> Result<(), CommandError> {
    observed.states = fleet.states()?;
    let is_file = |name: &RegistryName| {
        let units = &desired.units;
        units
            .binary_search_by(|unit| unit.name.as_str().cmp(name.as_str()))
            .is_ok()
    };
    let running = observed.states.keys();
    let of_wanted = |name: &&RegistryName| name.template().is_some_and(|file| is_file(&file));
    wanted.extend(running.filter(of_wanted).cloned());
    for name in wanted {
        if let Some(unit) = fleet.unit(&name)? {
            observed.units.insert(name, unit);
        }
    }
    Ok(())
}

/// Makes sure of what a list of several pages does not show: while it was read, units that came or
/// went may have moved one past the reader.
fn absent(
    fleet: &mut Fleet,
    wanted: &BTreeSet<RegistryName>,
    observed: &mut Observed,
) -> Result<(), CommandError> {
    /// The least that fleet puts on a page, by default.
    const PAGE: usize = 100;
    if observed.units.len() < PAGE {
        return Ok(());
    }
    let is_absent = |name: &&RegistryName| !observed.units.contains_key(*name);
    let absent: Vec<&RegistryName> = wanted.iter().filter(is_absent).collect();
    if absent.len() > ASKED_SINGLY {
        for (name, unit) in fleet.units()? {
            observed.units.entry(name).or_insert(unit);
        }
        return Ok(());
    }
    for name in absent {
        if let Some(unit) = fleet.unit(name)? {
            observed.units.insert(name.clone(), unit);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read() {
        assert_eq!("fleet".parse(), Ok(Against::Fleet));
        assert_eq!("dir:a:b".parse(), Ok(Against::Folder("a:b".into())));
        assert_eq!(
            "git:origin/main".parse(),
            Ok(Against::Revision("origin/main".to_owned()))
        );
        assert_eq!("snapshot:-".parse(), Ok(Against::Snapshot("-".into())));
        for text in ["", "fleet:", "dir:", "git", "units", "snapshot:"] {
            assert!(text.parse::<Against>().is_err(), "{text}");
        }
    }
}
