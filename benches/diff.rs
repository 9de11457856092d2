//! `cargo bench --bench diff`: the time of `unitgen diff` as a ratio to what a shell would do in its
//! place: `diff -ru` of two folders of finished units, one `curl` that reads the same pages of the
//! tests' fleet server, and `render --check` twice for two commits. Reading and rendering the manifest
//! is in unitgen's time and in no peer's. Every figure is the best of its runs, taken in turns, so that
//! a busy moment of the machine hits all sides; results go to a file, as some programs do less for
//! `/dev/null`.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark makes files and processes of its own and prints its figures"
)]

#[expect(dead_code, unused_imports, reason = "the tests use more of it")]
#[path = "../tests"]
mod tests {
    pub(crate) mod fleet_server;
    pub(crate) mod test;
}

use std::fmt::Write;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use wait4::Wait4;

use crate::fleet_server::{FleetServer, Pace};
// The names that the tests have for them.
use crate::tests::{fleet_server, test};

/// The targets: beside `diff -ru` at 10,000 units, and beside `curl` at 1,000.
const FOLDER_TARGET: f64 = 1.8;
const FLEET_TARGET: f64 = 1.1;

/// One unit of so many is another one.
const CHANGED: usize = 100;

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let folder = folder.path();
    println!(
        " units  diff -ru   --stat   ratio   whole text   ratio   check alone   peak memory (diff -ru)"
    );
    for (units, runs) in [(100, 20), (1_000, 11), (10_000, 9)] {
        println!("{}", folders(folder, units, runs));
    }
    println!("target at 10,000: {FOLDER_TARGET}");
    println!();
    fleet(folder, 1_000, 15);
    println!();
    git(folder, 1_000, 11);
}

/// Compares with a folder in which some units are as another manifest had them.
fn folders(folder: &Path, units: usize, runs: usize) -> String {
    for (name, environment) in [("old", "staging"), ("new", "production")] {
        let _ = fs::remove_dir_all(folder.join(name));
        fs::write(
            folder.join("services.yaml"),
            manifest(units, 2, environment),
        )
        .unwrap();
        run(unitgen(&["render", "-o", name]), folder, 0);
    }
    let against = ["diff", "--against", "dir:old"];
    run(unitgen(&against), folder, 1);
    let shown = fs::read_to_string(folder.join("output")).unwrap();
    let changed = units / CHANGED;
    let expected = format!("\nunits: {changed} changed, {} equal\n", units - changed);
    assert!(shown.ends_with(&expected), "{shown}");
    let [diff, stat, whole, check] = best(
        folder,
        runs,
        [
            (&|| program("diff", &["-ru", "old", "new"]), 1),
            (&|| unitgen(&[&against[..], &["--stat"]].concat()), 1),
            (&|| unitgen(&against), 1),
            (&|| unitgen(&["check"]), 0),
        ],
    );
    format!(
        "{units:>6} {:>7.1}ms {:>6.1}ms {:>7.2} {:>10.1}ms {:>7.2} {:>11.1}ms {:>7.1} ({:.1}) MiB",
        diff.milliseconds(),
        stat.milliseconds(),
        stat.ratio(&diff),
        whole.milliseconds(),
        whole.ratio(&diff),
        check.milliseconds(),
        whole.mebibytes().max(stat.mebibytes()),
        diff.mebibytes(),
    )
}

/// Compares with a fleet that has all units as they should be.
fn fleet(folder: &Path, units: usize, runs: usize) {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("fleet: left out, there is no `curl`");
        return;
    }
    let server = FleetServer::start();
    server.pace(Pace::ByHand);
    let text = manifest(units, 0, "production");
    fs::write(folder.join("services.yaml"), text).unwrap();
    let _ = fs::remove_dir_all(folder.join("new"));
    run(unitgen(&["render", "-o", "new"]), folder, 0);
    server.world(|world| {
        for name in test::names(&folder.join("new")) {
            let text = fs::read_to_string(folder.join("new").join(&name)).unwrap();
            world.create(&name, text, "inactive");
        }
    });
    let against = ["diff", "--endpoint", server.endpoint()];
    run(unitgen(&against), folder, 0);
    let shown = fs::read_to_string(folder.join("output")).unwrap();
    assert_eq!(
        shown,
        format!("nothing differs: {units} units, 0 instances\n")
    );
    let requests = server.requests();
    let url = |request: &String| request.replacen("GET ", server.endpoint(), 1);
    let urls: Vec<String> = requests.iter().map(url).collect();
    let mut arguments = vec!["--silent", "--fail"];
    arguments.extend(urls.iter().map(String::as_str));
    let [curl, diff, check] = best(
        folder,
        runs,
        [
            (&|| program("curl", &arguments), 0),
            (&|| unitgen(&against), 0),
            (&|| unitgen(&["check"]), 0),
        ],
    );
    println!(
        "fleet, {units} equal units: {} requests by curl {:.1}ms, diff {:.1}ms, ratio {:.2}, \
         of which the manifest (check alone) {:.1}ms; target {FLEET_TARGET}",
        urls.len(),
        curl.milliseconds(),
        diff.milliseconds(),
        diff.ratio(&curl),
        check.milliseconds(),
    );
}

/// Compares with a commit, for which that manifest is rendered too.
fn git(folder: &Path, units: usize, runs: usize) {
    let folder = &folder.join("repository");
    fs::create_dir(folder).unwrap();
    let write = |environment| {
        let text = manifest(units, 2, environment);
        fs::write(folder.join("services.yaml"), text).unwrap();
    };
    write("staging");
    let author = [
        "-c",
        "user.name=unitgen",
        "-c",
        "user.email=unitgen@localhost",
    ];
    for arguments in [
        &["init", "--quiet"][..],
        &["add", "services.yaml"],
        &["commit", "--quiet", "--message", "manifest"],
    ] {
        run(program("git", &[&author, arguments].concat()), folder, 0);
    }
    write("production");
    run(unitgen(&["render"]), folder, 0);
    let [check, diff] = best(
        folder,
        runs,
        [
            (&|| unitgen(&["render", "--check"]), 0),
            (&|| unitgen(&["diff", "--against", "git:HEAD"]), 1),
        ],
    );
    println!(
        "git, {units} apps: twice `render --check` {:.1}ms, diff {:.1}ms, ratio {:.2}",
        check.milliseconds() * 2.0,
        diff.milliseconds(),
        diff.ratio(&check) / 2.0,
    );
}

/// The best time of a command, and the most memory that it took.
#[derive(Clone, Copy)]
struct Figure {
    time: Duration,
    memory: u64,
}

impl Figure {
    fn milliseconds(&self) -> f64 {
        self.time.as_secs_f64() * 1_000.0
    }

    fn ratio(&self, peer: &Self) -> f64 {
        self.time.as_secs_f64() / peer.time.as_secs_f64()
    }

    fn mebibytes(&self) -> f64 {
        f64::from(u32::try_from(self.memory >> 10).unwrap()) / 1_024.0
    }
}

/// How a command is made, and the status that it ends with.
type Candidate<'a> = (&'a dyn Fn() -> Command, i32);

/// Runs all commands in turn, so many times.
fn best<const N: usize>(folder: &Path, runs: usize, candidates: [Candidate<'_>; N]) -> [Figure; N] {
    let mut best = [Figure {
        time: Duration::MAX,
        memory: 0,
    }; N];
    for _ in 0..runs {
        for (best, (make, status)) in best.iter_mut().zip(candidates) {
            let figure = run(make(), folder, status);
            best.time = figure.time.min(best.time);
            best.memory = figure.memory.max(best.memory);
        }
    }
    best
}

/// Runs a command to its end.
fn run(mut command: Command, folder: &Path, status: i32) -> Figure {
    let output = File::create(folder.join("output")).unwrap();
    let command = command.current_dir(folder).stdout(output);
    let start = Instant::now();
    let used = command.spawn().unwrap().wait4().unwrap();
    let time = start.elapsed();
    assert_eq!(used.status.code(), Some(status), "{command:?}");
    Figure {
        time,
        memory: used.rusage.maxrss,
    }
}

fn unitgen(arguments: &[&str]) -> Command {
    program(env!("CARGO_BIN_EXE_unitgen"), arguments)
}

fn program(name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(arguments);
    command
}

/// Apps of one process each, as a team would write them; some are in an environment of their own.
fn manifest(apps: usize, instances: usize, environment: &str) -> String {
    let mut text = "apps:\n".to_owned();
    for number in 0..apps {
        let port = 1_024 + number % 60_000;
        let environment = match number % CHANGED {
            0 => environment,
            _ => "production",
        };
        let _ = write!(
            text,
            "  app{number}:\n    image: registry.internal:5000/app{number}\n    port: {port}\n    \
             instances: {instances}\n    conflicts: self\n    environment: {{RACK_ENV: {environment}}}\n    \
             command: bundle exec thing --number {number}\n"
        );
    }
    text
}
