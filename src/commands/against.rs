//! What the manifest is compared with: a cluster, or what stands in its place.
//!
//! In: `--against`, and what should be. Out: what was seen there. A cluster is asked for no more than is
//! needed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::cluster::directory;
use crate::cluster::fleet::Fleet;
use crate::cluster::git::GitTree;
use crate::cluster::snapshot::Snapshot;
use crate::commands::connection::Connection;
use crate::commands::observe::{Listing, observe};
use crate::commands::{Invocation, Loaded};
use crate::diff::placing::unplaced;
use crate::diff::{Change, Comparison, Diff, Unplaced, diff};
use crate::error::CommandError;
use crate::files::private;
use crate::name::AppName;
use crate::parallel::in_parts;
use crate::plan::file::FilePlace;
use crate::render::desired::{Desired, DesiredUnit};
use crate::state::{
    Coverage, Observed, ObservedUnit, RegistryName, SeenState, SeenUnit, State, States, UnitHash,
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
            let message = format!("fleet can't read `{}`: {complaint}", path.display());
            self.output.warning(&message);
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
            let message = format!("the snapshot of {server} is {age} old");
            self.output.warning(&message);
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
            let message = format!("there is no `{}`: all is new", shown.join("`, `"));
            self.output.warning(&message);
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

    /// Begins to read the list of all units, which takes longer than reading a manifest; `None` where
    /// apps are named, for then there is none.
    ///
    /// # Errors
    /// Says what is wrong with a flag or a variable.
    pub(super) fn begin_listing(
        &self,
        connection: &Connection,
        apps: &[String],
    ) -> Result<Option<Listing>, CommandError> {
        if !apps.is_empty() {
            return Ok(None);
        }
        Ok(Some(Listing::begin(connection.fleet(&self.settings)?)))
    }

    /// Compares with a cluster, which is asked for what that needs and no more. Where only some apps
    /// are compared, there is no listing: it is asked for their units alone, and for what runs.
    ///
    /// # Errors
    /// Says what could not be read, and what to do where nobody said which cluster is meant.
    pub(super) fn compare_with_fleet(
        &mut self,
        connection: &Connection,
        listing: Option<Listing>,
        loaded: &Loaded,
        apps: Option<&[AppName]>,
    ) -> Result<Compared, CommandError> {
        let (mut fleet, listed) = match listing.map(Listing::end) {
            Some((fleet, units)) => (fleet, units.map(Some)),
            None => (connection.fleet(&self.settings)?, Ok(None)),
        };
        let is_unsaid = connection.endpoint.is_none() && self.settings.fleet.endpoint.is_none();
        let mut named = apps.into_iter().flatten();
        // What is left of an app that the manifest does not have is only found in the list of all.
        let listed = if named.all(|app| loaded.check_app(app.as_str()).is_ok()) {
            listed
        } else {
            fleet.units().map(Some)
        };
        let observed = listed.and_then(|listed| observe(&mut fleet, loaded, listed));
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
        if let Some(release) = observed.release.as_ref().filter(|release| {
            let changes = [Change::Changed, Change::Reordered];
            let is_changed = changes.into_iter().any(|change| diff.count(change) > 0);
            release.replaces_content() == Some(false) && is_changed
        }) {
            let message = format!(
                "fleet {release} never replaces the text of a unit that it has: it has to be deleted first"
            );
            self.output.warning(&message);
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

    /// Returns where the manifest asks for the units of a diff.
    #[must_use]
    pub fn places(&self, diff: &Diff) -> BTreeMap<RegistryName, FilePlace> {
        let places = diff.units.iter().filter_map(|unit| {
            let place = self.sources.place(unit.span?);
            let place = FilePlace {
                file: place.file.to_owned(),
                line: place.line,
                column: place.column,
            };
            Some((unit.name.clone(), place))
        });
        places.collect()
    }

    /// Refuses named apps that are neither here nor there.
    ///
    /// # Errors
    /// Says which.
    pub fn check_apps(&self, apps: Option<&[AppName]>, diff: &Diff) -> Result<(), CommandError> {
        let mut apps = apps.into_iter().flatten().map(AppName::as_str);
        apps.try_for_each(|app| {
            let is_there = diff.units.iter().any(|unit| unit.owner.app == app);
            if is_there {
                Ok(())
            } else {
                self.check_app(app)
            }
        })
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
    let owners = desired.units.iter();
    let owners = owners.map(|unit| (RegistryName::from(&unit.name), unit.owner()));
    Observed {
        coverage: Coverage::Wanted,
        units: units.map(|unit| (unit.name.clone(), unit)).collect(),
        states: States::new(),
        machines: BTreeMap::new(),
        release: None,
        owners: owners.collect(),
    }
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
