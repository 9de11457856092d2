//! `cargo bench --bench env`: the time that `unitgen env exec` takes to start a program with the 50 variables
//! of an app from a real etcd, as a ratio to `etcdctl get --prefix` of them; and the time of a loop in a shell
//! that asks etcdctl for one key after the other, as a ratio to unitgen's; with the peak memory of each. Every
//! figure is of whole processes, their start and the program's included, and the best of its runs, taken in
//! turns.
//!
//! It wants etcd and etcdctl on the path, which `./tests/tools test` puts into `target/tools/bin`.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark makes files and processes of its own and prints its figures"
)]

#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../tests/etcd.rs"]
mod etcd;

use std::env;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

use crate::etcd::Etcd;

/// The targets.
const ONE_TARGET: f64 = 0.4;
const LOOP_TARGET: f64 = 150.0;

/// How many variables the app has, each of about 40 bytes.
const VARIABLES: usize = 50;

const RUNS: usize = 15;

/// How often the loop runs: it has 51 processes.
const LOOP_RUNS: usize = 3;

const FOLDER: &str = "/environment/hub/";

/// What units do without unitgen.
const LOOP: &str = "for k in $(etcdctl get --prefix --keys-only /environment/hub/); do \
    v=$(etcdctl get --print-value-only $k); done";

/// The best time of a command, and the greatest peak of its memory in bytes.
struct Best {
    time: Duration,
    memory: u64,
}

fn main() {
    let etcd = Etcd::start();
    for number in 0..VARIABLES {
        let value = format!("postgres://hub:secret@database/hub_{number:02}");
        etcd.set(&format!("{FOLDER}VARIABLE_{number:02}"), value);
    }
    let path = search_path();
    let commands: [(&str, &[&str]); 4] = [
        (
            env!("CARGO_BIN_EXE_unitgen"),
            &["env", "exec", "-a", "hub", "--", "/bin/true"],
        ),
        ("etcdctl", &["get", "--prefix", FOLDER]),
        ("/bin/true", &[]),
        ("sh", &["-c", LOOP]),
    ];
    let mut best = [const { Best::none() }; 4];
    for round in 0..RUNS {
        for (best, (program, arguments)) in best.iter_mut().zip(commands) {
            if program != "sh" || round < LOOP_RUNS {
                best.take(&etcd, &path, program, arguments);
            }
        }
    }
    let [exec, one, floor, all] = best;
    let mut text = format!("{VARIABLES} variables\n");
    for (name, best) in [
        ("unitgen env exec -a hub -- /bin/true", &exec),
        ("etcdctl get --prefix", &one),
        ("sh: etcdctl for each key", &all),
        ("/bin/true", &floor),
    ] {
        let memory = f64::from(u32::try_from(best.memory >> 10).unwrap()) / 1_024.0;
        let time = best.time.as_secs_f64() * 1_000.0;
        let _ = writeln!(text, "{name:<38} {time:>8.2} ms {memory:>6.1} MiB");
    }
    println!(
        "{text}ratios: env exec to one etcdctl {:.2}, the loop to env exec {:.0}; \
         targets {ONE_TARGET} and {LOOP_TARGET}",
        exec.time.as_secs_f64() / one.time.as_secs_f64(),
        all.time.as_secs_f64() / exec.time.as_secs_f64(),
    );
}

impl Best {
    const fn none() -> Self {
        Self {
            time: Duration::MAX,
            memory: 0,
        }
    }

    /// Runs a command to its end.
    fn take(&mut self, etcd: &Etcd, path: &str, program: &str, arguments: &[&str]) {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", path)
            .env("ETCDCTL_API", "3")
            .env("ETCDCTL_ENDPOINTS", &etcd.endpoint)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let start = Instant::now();
        let used = command.spawn().unwrap().wait4().unwrap();
        self.time = self.time.min(start.elapsed());
        self.memory = self.memory.max(used.rusage.maxrss);
        assert!(used.status.success(), "{program}");
    }
}

/// Returns the search path with etcdctl itself on it: where it is unpacked beside its wrapper, the wrapper is
/// a shell, which takes a time of its own.
fn search_path() -> String {
    let path = env::var_os("PATH").unwrap();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let wrapper = folders
        .iter()
        .find(|folder| Path::is_file(&folder.join("etcdctl")));
    let unpacked = wrapper.map(|folder| folder.join("../root/etcdctl/usr/bin"));
    folders.splice(0..0, unpacked.filter(|folder| folder.is_dir()));
    env::join_paths(folders).unwrap().into_string().unwrap()
}
