//! What `unitgen deploy` and its kin are run on in tests: a manifest, a fleet that works at a fast pace, and
//! perhaps an etcd; and what they say, without times and without what was seen on the way.

use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::etcd::Etcd;
use crate::fleet_server::{FleetServer, Kind, Pace, World};
use crate::fleet_site::Site;
use crate::test::{Folder, PROGRAM};

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How fast the engine and the agents work.
const PACE: Pace = Pace::Every {
    engine: Duration::from_millis(10),
    agents: Duration::from_millis(25),
};

/// Makes a site of the test's own work fast.
pub(crate) fn hasten_site(site: &Site) {
    if let Some(server) = site.server() {
        server.pace(PACE);
    }
}

/// A manifest, a fleet, and perhaps an etcd.
pub(crate) struct Scene {
    pub(crate) server: FleetServer,
    etcd: Option<String>,
    pub(crate) folder: Folder,
    pub(crate) author: &'static str,
}

/// What came of a command: its status and its streams, with `T` in the place of times and without lines on
/// what was seen on the way.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A command that goes on.
pub(crate) struct Running(Child);

impl Scene {
    /// Makes one with nothing in the registry, and no etcd.
    pub(crate) fn new(manifest: &str) -> Self {
        Self::of_kind(Kind::Current, manifest)
    }

    /// Makes one with a release of fleet.
    pub(crate) fn of_kind(kind: Kind, manifest: &str) -> Self {
        let scene = Self {
            server: FleetServer::start_kind(kind),
            etcd: None,
            folder: Folder::new(),
            author: "ann",
        };
        scene.server.pace(PACE);
        scene.manifest(manifest);
        scene
    }

    /// Makes one with an etcd.
    pub(crate) fn recorded(etcd: &Etcd, manifest: &str) -> Self {
        Self {
            etcd: Some(etcd.endpoint.clone()),
            ..Self::new(manifest)
        }
    }

    /// Gives it an etcd.
    pub(crate) fn with(self, etcd: &Etcd) -> Self {
        let endpoint = etcd.endpoint.clone();
        self.at(&endpoint)
    }

    /// Says where an etcd is; the usual place where that is empty.
    pub(crate) fn at(self, endpoint: &str) -> Self {
        Self {
            etcd: Some(endpoint.to_owned()),
            ..self
        }
    }

    /// Writes the manifest anew.
    pub(crate) fn manifest(&self, text: &str) {
        self.folder.write("services.yaml", text);
    }

    /// Runs a command to its end.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &str) -> Told {
        self.begin(arguments).end()
    }

    /// Runs a command that is to do all of it.
    #[track_caller]
    pub(crate) fn does(&self, arguments: &str) {
        let told = self.run(arguments);
        assert_eq!(told.status, Some(0), "{arguments}\n{told:#?}");
        self.changes();
    }

    /// Begins a command.
    pub(crate) fn begin(&self, arguments: &str) -> Running {
        self.begin_by(self.author, arguments)
    }

    /// Lets somebody begin a command.
    pub(crate) fn begin_by(&self, author: &str, arguments: &str) -> Running {
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path(""))
            .env_clear()
            .env("HOME", "/nonexistent")
            .env("FLEETCTL_ENDPOINT", self.server.endpoint())
            .env("UNITGEN_AUTHOR", author)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        match &self.etcd {
            Some(usual) if usual.is_empty() => &mut command,
            Some(endpoint) => command.env("ETCDCTL_ENDPOINTS", endpoint),
            None => command.arg("--without-etcd"),
        };
        Running(command.spawn().unwrap())
    }

    /// Returns what was changed since it was asked last, such as `PUT hub@1.service`.
    pub(crate) fn changes(&self) -> Vec<String> {
        let requests = self.server.requests().into_iter();
        let changes = requests.filter(|request| !request.starts_with("GET "));
        changes
            .map(|request| request.replace("/fleet/v1/units/", ""))
            .collect()
    }

    /// Returns what the registry has, and what machines say once they have had time to: a line for each unit.
    pub(crate) fn units(&self) -> Vec<String> {
        thread::sleep(Duration::from_millis(150));
        self.server.world(|world| {
            world.advance(PACE);
            let names: Vec<String> = world.units.keys().cloned().collect();
            names.iter().map(|name| line(world, name)).collect()
        })
    }

    /// Waits until something is so of the fleet.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, is_so: impl Fn(&World) -> bool) {
        let patience = Instant::now() + PATIENCE;
        let look = |world: &mut World| {
            world.advance(PACE);
            is_so(world)
        };
        while !self.server.world(look) {
            assert!(Instant::now() < patience, "{what}: {:#?}", self.units());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until a unit is active, with this in its text.
    #[track_caller]
    pub(crate) fn wait_for(&self, name: &str, text: &str) {
        self.wait(name, |world| {
            let hash = world.units.get(name).filter(|unit| unit.raw.contains(text));
            let mut hosts = world.hosts.iter().filter_map(|host| host.units.get(name));
            hosts.any(|it| it.active == "active" && hash.is_some_and(|unit| unit.hash() == it.hash))
        });
    }

    /// Returns how few instances served at any time since some of all changes, by a part of their names.
    pub(crate) fn least_since(&self, changes: usize, part: &str) -> usize {
        self.server.world(|world| {
            let from = world.history.changes()[changes - 1].at;
            let range = world
                .history
                .range(from, |change| change.unit.contains(part) && change.serves());
            range.0
        })
    }

    /// Returns what became of a unit since some of all changes.
    pub(crate) fn became(&self, changes: usize, unit: &str) -> Vec<String> {
        self.server.world(|world| {
            let changes = world.history.changes()[changes..].iter();
            let own = changes.filter(|change| change.unit == unit);
            own.map(|change| match change.active.as_str() {
                "" => "gone".to_owned(),
                active => format!("{active}/{}", change.sub),
            })
            .collect()
        })
    }

    /// Counts what ever became of anything.
    pub(crate) fn history(&self) -> usize {
        self.server.world(|world| world.history.changes().len())
    }
}

fn line(world: &World, name: &str) -> String {
    let unit = &world.units[name];
    let command = unit.raw.lines().find(|line| line.starts_with("ExecStart="));
    let command = command.unwrap_or_default().replace("ExecStart=/bin/", "");
    let states = world.hosts.iter().filter_map(|host| {
        let state = host.units.get(name)?;
        let old = if state.hash == unit.hash() {
            ""
        } else {
            " old"
        };
        let (active, sub) = (&state.active, &state.sub);
        Some(format!(" {active}/{sub} on {}{old}", &host.id[..8]))
    });
    let states: String = states.collect();
    format!("{name} {command} {}{states}", unit.target)
}

impl Running {
    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end, and returns all of its stdout.
    pub(crate) fn output(self) -> String {
        let output = self.0.wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// Waits for its end.
    pub(crate) fn end(self) -> Told {
        let output = self.0.wait_with_output().unwrap();
        Told {
            status: output.status.code(),
            stdout: timeless(&String::from_utf8(output.stdout).unwrap()),
            stderr: timeless(&String::from_utf8(output.stderr).unwrap()),
        }
    }
}

impl Told {
    /// Holds it against what was expected.
    #[track_caller]
    pub(crate) fn is(&self, status: i32, stdout: &str, stderr: &str) {
        let found = (self.status, self.stdout.as_str(), self.stderr.as_str());
        let shown = |(status, stdout, stderr): (Option<i32>, &str, &str)| {
            format!("--- stdout\n{stdout}--- stderr\n{stderr}--- status {status:?}\n")
        };
        let wanted = (Some(status), stdout, stderr);
        assert!(
            found == wanted,
            "\n=== expected\n{}=== found\n{}",
            shown(wanted),
            shown(found)
        );
    }
}

/// Holds lines against what was expected.
#[track_caller]
pub(crate) fn same(found: &[String], wanted: &[&str]) {
    assert_eq!(found, wanted);
}

/// Puts `T` in the place of times, and leaves out what was seen on the way.
pub(crate) fn timeless(text: &str) -> String {
    let is_kept =
        |line: &&str| !line.starts_with("           ") && !line.contains(r#""event":"seen""#);
    let lines = text.lines().filter(is_kept).map(|line| {
        // Bounds are no times that anything took.
        if line.contains("each up for") || line.contains("must be up for") {
            format!("{line}\n")
        } else {
            format!("{}\n", timeless_line(line))
        }
    });
    lines.collect()
}

fn timeless_line(line: &str) -> String {
    let mut words = line.split(' ').peekable();
    let mut kept: Vec<&str> = Vec::new();
    let bare = |word: &str| word.trim_end_matches([';', ',', ')', ':']).len();
    while let Some(word) = words.next() {
        let digits = word.trim_start_matches('(');
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let unit = words.peek().map_or("", |unit| &unit[..bare(unit)]);
        if !is_number || !matches!(unit, "s" | "min" | "h" | "d") {
            kept.push(word);
            continue;
        }
        let end = words.next().map_or("", |unit| &unit[bare(unit)..]);
        if kept.last() == Some(&"T") {
            kept.pop();
        }
        if line.ends_with(" ago") || line.contains(" ago  ") {
            while kept.last() == Some(&"") {
                kept.pop();
            }
        }
        kept.push(match (word.starts_with('('), end) {
            (true, "):") => "(T):",
            (true, _) => "(T)",
            (false, ";") => "T;",
            (false, ",") => "T,",
            (false, _) => "T",
        });
    }
    kept.join(" ")
}

/// Does several things at once, most of which wait.
pub(crate) fn at_once(things: &[fn()]) {
    thread::scope(|scope| {
        for thing in things {
            scope.spawn(thing);
        }
    });
}
