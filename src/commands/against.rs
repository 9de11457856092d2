//! What the manifest is compared with: a cluster, or what stands in its place.
//!
//! In: `--against`, and what should be. Out: what was seen there. A cluster is asked for no more than is
//! needed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::cluster::directory;
use crate::cluster::fleet::Fleet;
use crate::cluster::git::GitTree;
use crate::cluster::snapshot::Snapshot;
use crate::commands::connection::Connection;
use crate::commands::{Invocation, Loaded};
use crate::diff::placing::unplaced;
use crate::diff::{Comparison, Diff, Unplaced, diff};
use crate::error::CommandError;
use crate::files::private;
use crate::name::AppName;
use crate::parallel::in_parts;
use crate::render::desired::{Desired, DesiredUnit};
use crate::state::{
    Coverage, Mark, Observed, ObservedUnit, RegistryName, SeenState, SeenUnit, State, States,
    UnitHash,
};
use crate::tell::count;
use crate::unit::fleet::hash;

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

impl fmt::Display for Against {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fleet => formatter.write_str("fleet"),
            Self::Folder(path) => write!(formatter, "dir:{}", path.display()),
            Self::Revision(revision) => write!(formatter, "git:{revision}"),
            Self::Snapshot(path) => write!(formatter, "snapshot:{}", path.display()),
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
    pub fn observe_folder(&mut self, path: &Path) -> Result<Observed, CommandError> {
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
    pub fn observe_snapshot(&mut self, path: &Path) -> Result<Observed, CommandError> {
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

    /// Renders what the manifest of a revision gives, with the templates of then.
    ///
    /// # Errors
    /// Says what can't be read, or that the manifest of then has mistakes; they are shown.
    pub fn observe_revision(&mut self, revision: &str) -> Result<Observed, CommandError> {
        let mut tree = GitTree::open(revision, &self.folder())?;
        let Some(loaded) = self.load_from(&mut tree)? else {
            let manifests = self.manifests();
            let shown: Vec<String> = manifests.iter().map(|path| tree.shown(path)).collect();
            let message = format!(
                "warning: there is no `{}`: all is new\n",
                shown.join("`, `")
            );
            self.output.message(&message);
            return Ok(as_seen(&Desired::default()));
        };
        if loaded.report.has_errors() {
            self.show(&loaded);
            return Err(CommandError::trouble(format!(
                "the manifest of `{revision}` has mistakes"
            ))
            .help("compare with a revision that renders"));
        }
        Ok(as_seen(&loaded.desired))
    }

    /// Compares with a cluster, which is asked for what that needs and no more. Where only some apps
    /// are compared, it is asked for their units alone, and for what runs.
    ///
    /// # Errors
    /// Says what could not be read, and what to do where nobody said which cluster is meant.
    pub fn compare_with_fleet(
        &self,
        connection: &Connection,
        loaded: &Loaded,
        apps: Option<&[AppName]>,
    ) -> Result<Compared, CommandError> {
        let mut fleet = connection.fleet(&self.settings)?;
        let is_unsaid = connection.endpoint.is_none() && self.settings.fleet.endpoint.is_none();
        let observed = observe(&mut fleet, loaded, apps.is_some());
        let mut observed = observed.map_err(|mut error| {
            // Nobody said which cluster is meant: perhaps none is.
            if let Some(help) = error.help.as_mut().filter(|_| is_unsaid) {
                help.push_str(
                    "; to compare without a cluster say `--against dir:units`, `--against git:main` or \
                     `--against snapshot:FILE`",
                );
            }
            error
        })?;
        let mut diff = loaded.compare(&observed, apps);
        if diff.seeks_machines() {
            observed.machines = fleet.machines()?;
            diff.set_unplaced(loaded.unplaced(&observed, apps, &diff));
        }
        Ok(Compared {
            observed,
            diff,
            fleet,
        })
    }
}

/// A comparison with a cluster.
pub struct Compared {
    /// What was seen.
    pub observed: Observed,
    /// What differs.
    pub diff: Diff,
    /// The cluster.
    pub fleet: Fleet,
}

impl Loaded {
    /// Compares with what was seen.
    #[must_use]
    pub fn compare(&self, observed: &Observed, apps: Option<&[AppName]>) -> Diff {
        diff(&self.comparison(observed, apps))
    }

    /// Returns the instances that the machines that were seen can't hold.
    #[must_use]
    pub fn unplaced(
        &self,
        observed: &Observed,
        apps: Option<&[AppName]>,
        diff: &Diff,
    ) -> Vec<Unplaced> {
        unplaced(&self.comparison(observed, apps), diff)
    }

    fn comparison<'a>(
        &'a self,
        observed: &'a Observed,
        apps: Option<&'a [AppName]>,
    ) -> Comparison<'a> {
        Comparison {
            desired: &self.desired,
            others: &self.others,
            model: &self.model,
            observed,
            apps,
        }
    }
}

/// Returns what another manifest wants as if a cluster had it.
fn as_seen(desired: &Desired) -> Observed {
    let parts = in_parts(&desired.units, |units| {
        units.iter().flat_map(seen_units).collect::<Vec<_>>()
    });
    let units = parts.into_iter().flatten();
    Observed {
        coverage: Coverage::Wanted,
        units: units.map(|unit| (unit.name.clone(), unit)).collect(),
        states: States::new(),
        machines: BTreeMap::new(),
        release: None,
        owners: desired.units.iter().map(owner).collect(),
    }
}

fn owner(unit: &DesiredUnit) -> (RegistryName, Mark) {
    let mark = Mark {
        app: unit.app.as_str().to_owned(),
        process: unit.process.as_str().to_owned(),
    };
    (RegistryName::from(&unit.name), mark)
}

fn seen_units(wanted: &DesiredUnit) -> Vec<ObservedUnit> {
    let file = ObservedUnit {
        name: RegistryName::from(&wanted.name),
        unit: SeenUnit::stored(&wanted.text),
        hash: UnitHash::seen(hash(&wanted.text)),
        desired: SeenState::Known(State::Inactive),
        current: None,
        machine: None,
    };
    let instances = wanted.instances.iter().map(|instance| ObservedUnit {
        name: RegistryName::from(&instance.unit),
        desired: SeenState::Known(wanted.state),
        ..file.clone()
    });
    // A plain unit is its own instance, which comes last.
    let mut units = vec![file.clone()];
    units.extend(instances);
    units
}

fn observe(
    fleet: &mut Fleet,
    loaded: &Loaded,
    is_selection: bool,
) -> Result<Observed, CommandError> {
    let units = loaded.desired.units.iter();
    let wanted: BTreeSet<RegistryName> = units
        .flat_map(|unit| {
            let instances = unit.instances.iter().map(|instance| &instance.unit);
            instances.chain([&unit.name]).map(RegistryName::from)
        })
        .collect();
    let mut observed = Observed {
        coverage: Coverage::Cluster,
        units: Units::new(),
        states: States::new(),
        machines: BTreeMap::new(),
        release: None,
        owners: BTreeMap::new(),
    };
    if !is_selection || !singly(fleet, loaded, wanted.clone(), &mut observed)? {
        observed.units = fleet.units()?;
        absent(fleet, &wanted, &mut observed.units)?;
        // A unit that nothing was asked of runs nowhere.
        let asks = |unit: &ObservedUnit| unit.desired.known() != Some(State::Inactive);
        if observed.states.is_empty() && observed.units.values().any(asks) {
            observed.states = fleet.states()?;
        }
    }
    observed.release = fleet.release().cloned();
    Ok(observed)
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
pub fn settled(fleet: &mut Fleet, units: &mut Units) -> Result<(), CommandError> {
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

/// The units of a registry.
type Units = BTreeMap<RegistryName, ObservedUnit>;

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
