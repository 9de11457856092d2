//! The scene of tests on what `unitgen submit` does while something goes wrong: a registry with units of
//! all sorts beside a manifest, a way to it, and what becomes of it.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use crate::fleet_server::{FleetServer, Kind, Pace, World};
use crate::fleetctl::{Fleetctl, Release};
use crate::submit_faults_truth::Report;
use crate::test::{Folder, PROGRAM, Test};

/// What the registry should have.
pub(crate) const MANIFEST: &str = "\
apps:
  app:
    processes:
      again: {exec: [/bin/sleep, \"1\"], instances: 0}
      changed: {exec: [/bin/sleep, \"2\"], instances: 2}
      equal: {exec: [/bin/sleep, \"3\"], instances: 2}
      fresh: {exec: [/bin/sleep, \"4\"], instances: 0}
  held: {exec: [/bin/sleep, \"5\"], unit: held}
  plain: {exec: [/bin/sleep, \"6\"], unit: plain}
  young: {exec: [/bin/sleep, \"7\"], unit: young}
";

/// By which way the registry is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// fleet's API.
    Api,
    /// fleetctl; unitgen reads by the API.
    Fleetctl(Release),
    /// fleetctl beyond an ssh; unitgen reads by it too.
    Ssh(Release),
}

impl Way {
    /// Makes a fleetctl.
    pub(crate) fn fleetctl(self) -> Fleetctl {
        Fleetctl::new(match self {
            Self::Api => Release::Current,
            Self::Fleetctl(release) | Self::Ssh(release) => release,
        })
    }
}

/// What there is: the hash and the target-state of each unit, and the hash of each on its machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) units: BTreeMap<String, (String, String)>,
    pub(crate) running: BTreeMap<(String, String), String>,
}

impl Seen {
    pub(crate) fn of(world: &mut World) -> Self {
        world.advance(Pace::AtOnce);
        let units = world.units.iter();
        let machines = world.hosts.iter();
        Self {
            units: units
                .map(|(name, unit)| (name.clone(), (unit.hash(), unit.target.clone())))
                .collect(),
            running: machines
                .flat_map(|host| {
                    let key = |name: &String| (name.clone(), host.id.clone());
                    let units = host.units.iter();
                    units.map(move |(name, unit)| (key(name), unit.hash.clone()))
                })
                .collect(),
        }
    }
}

/// A registry, a manifest and a way.
pub(crate) struct Scene {
    pub(crate) server: FleetServer,
    way: Way,
    pub(crate) fleetctl: Fleetctl,
    folder: Folder,
}

/// Returns the text of each unit that a manifest gives.
pub(crate) fn texts(manifest: &str) -> BTreeMap<String, String> {
    let test = Test::new()
        .manifest(manifest)
        .args("render -o - --format json");
    let output = test.output();
    let value: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{manifest}\n{}", String::from_utf8_lossy(&output.stderr)));
    let units = value["units"].as_array().unwrap().iter();
    let word = |unit: &Value, key: &str| unit[key].as_str().unwrap().to_owned();
    units
        .map(|unit| (word(unit, "name"), word(unit, "text")))
        .collect()
}

/// Returns the text that a unit with unitgen's mark has that nobody wants.
pub(crate) fn unwanted(app: &str) -> String {
    format!(
        "[Unit]\nDescription=%p\n\n[Service]\nExecStart=/bin/sleep 8\n\n[X-Unitgen]\nApp={app}\nProcess=worker\n"
    )
}

/// Fills a registry with units that are equal, changed, reordered, to be pruned, held and not unitgen's.
pub(crate) fn fill(world: &mut World, texts: &BTreeMap<String, String>) {
    let text = |name: &str| texts[name].clone();
    let old = |name: &str| text(name).replace("/bin/sleep", "/bin/old");
    let lines = (
        "Restart=always\nRestartSec=10s",
        "RestartSec=10s\nRestart=always",
    );
    let reordered = text("app-again@.service").replace(lines.0, lines.1);
    world.create("app-again@.service", reordered, "inactive");
    let changed = old("app-changed@.service");
    world.create("app-changed@.service", changed.clone(), "inactive");
    world.create("app-changed@1.service", changed, "launched");
    world.create("app-equal@.service", text("app-equal@.service"), "inactive");
    world.create(
        "app-equal@1.service",
        text("app-equal@.service"),
        "launched",
    );
    world.create("app-equal@2.service", text("app-equal@.service"), "loaded");
    world.create("held.service", old("held.service"), "launched");
    world.create("plain.service", old("plain.service"), "inactive");
    world.create("app-gone@.service", unwanted("app"), "inactive");
    world.create("app-gone@1.service", unwanted("app"), "launched");
    world.create("gone.service", unwanted("gone"), "inactive");
    world.create("gone-runs.service", unwanted("gone"), "launched");
    world.add("foreign@.service", "/bin/foreign", "inactive");
    world.add("foreign@1.service", "/bin/foreign", "launched");
    world.add("foreign.service", "/bin/foreign", "inactive");
    let other = "[Service]\nEnvironment=APPLICATION=app\nExecStart=/bin/other\n".to_owned();
    world.create("other.service", other, "launched");
}

impl Scene {
    /// Makes the usual scene.
    pub(crate) fn new(kind: Kind, way: Way, texts: &BTreeMap<String, String>) -> Self {
        let scene = Self::empty(kind, way, MANIFEST);
        scene.server.world(|world| fill(world, texts));
        scene
    }

    /// Makes a scene with an empty registry.
    pub(crate) fn empty(kind: Kind, way: Way, manifest: &str) -> Self {
        let folder = Folder::new();
        folder.write("services.yaml", manifest);
        // It goes nowhere.
        folder.write("bin/ssh", "#!/bin/sh\nshift\nexec sh -c \"$*\"\n");
        fs::set_permissions(folder.path("bin/ssh"), Permissions::from_mode(0o755)).unwrap();
        Self {
            server: FleetServer::start_kind(kind),
            way,
            fleetctl: way.fleetctl(),
            folder,
        }
    }

    /// Writes the manifest anew.
    pub(crate) fn manifest(&self, text: &str) {
        self.folder.write("services.yaml", text);
    }

    /// Returns what there is.
    pub(crate) fn seen(&self) -> Seen {
        self.server.world(Seen::of)
    }

    /// Runs `unitgen submit`, takes back all faults, and returns what it said.
    pub(crate) fn submit(&self, arguments: &str) -> Result<Report, String> {
        let output = self.command(arguments).output().unwrap();
        self.server.mend();
        Report::read(&output, self.server.requests())
    }

    /// Returns `unitgen submit`.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut words = vec!["submit", "-y", "--format", "json", "--via"];
        words.extend(match self.way {
            Way::Api => vec!["api"],
            Way::Fleetctl(_) => vec!["fleetctl"],
            Way::Ssh(_) => vec!["fleetctl", "--fleetctl", "ssh host fleetctl"],
        });
        words.extend(arguments.split_whitespace());
        self.unitgen(&words)
    }

    fn unitgen(&self, words: &[&str]) -> Command {
        let bin = self.folder.path("bin");
        let mut command = Command::new(PROGRAM);
        command
            .args(words)
            .current_dir(self.folder.path(""))
            .env_clear()
            .env("HOME", "/nonexistent")
            .env(
                "PATH",
                format!("{}:{}", bin.display(), self.fleetctl.path()),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        match self.way {
            Way::Ssh(_) => command.env("FLEETCTL_ENDPOINT", self.server.endpoint()),
            Way::Api | Way::Fleetctl(_) => command.args(["--endpoint", self.server.endpoint()]),
        };
        command
    }

    /// Returns the unit files that differ from the manifest, but for some.
    pub(crate) fn differing(&self, but: &[String]) -> Result<Vec<String>, String> {
        let output = self
            .unitgen(&["diff", "--format", "json"])
            .output()
            .unwrap();
        self.server.requests();
        let value: Value = serde_json::from_slice(&output.stdout)
            .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
        let units = value["units"].as_array().unwrap().iter();
        let differs = |unit: &&Value| {
            let is_there = !unit["before"].is_null();
            let change = unit["change"].as_str().unwrap();
            change != "equal" && (change != "unwanted" || is_there)
        };
        let names = units
            .filter(differs)
            .map(|unit| unit["name"].as_str().unwrap().to_owned());
        Ok(names.filter(|name| !but.contains(name)).collect())
    }

    /// Runs it once more, with nothing in its way: all must be as it should be then.
    pub(crate) fn converges(&self, arguments: &str) -> Result<(), String> {
        let before = self.seen();
        let report = self.submit(arguments)?;
        report.hold(&before, &self.seen(), None)?;
        if report.code != 0 {
            return Err(format!("the next run: {report:#?}"));
        }
        let held = report.running();
        match self.differing(&held)? {
            none if none.is_empty() => Ok(()),
            some => Err(format!("differing after the next run: {some:?}")),
        }
    }
}

/// Tries all cases, several at a time, and tells of those that fail.
#[track_caller]
pub(crate) fn try_all<T: Debug + Sync>(
    cases: &[T],
    check: impl Fn(&T) -> Result<(), String> + Sync,
) {
    let next = AtomicUsize::new(0);
    let faults = Mutex::new(Vec::new());
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
            if let Err(fault) = check(case) {
                faults.lock().unwrap().push(format!("{case:?}: {fault}"));
            }
        }
    };
    thread::scope(|scope| {
        // Most of the time they wait.
        for _ in 0..8 {
            scope.spawn(work);
        }
    });
    let faults = faults.into_inner().unwrap();
    let (some, all) = (faults.len(), cases.len());
    let shown = faults[..some.min(8)].join("\n\n");
    assert!(faults.is_empty(), "{some} of {all} cases fail:\n{shown}");
}
