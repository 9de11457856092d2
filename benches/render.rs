//! `cargo bench --bench render`: the time of `unitgen render` as a ratio to `cp -r` of the same
//! finished files, fresh and unchanged, with its peak memory; and start-up against a program that only
//! says hello. Every figure is the best of its runs, taken in turns, so that a busy moment of the
//! machine hits both sides.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark makes files and processes of its own and prints its figures"
)]

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

/// The targets at 10,000 apps, and for the start-up at one app.
const FRESH_TARGET: f64 = 1.2;
const UNCHANGED_TARGET: f64 = 0.8;
const START_TARGET: f64 = 1.6;

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let folder = folder.path();
    println!("  apps   cp -r    fresh   ratio   unchanged   ratio   peak memory");
    for (apps, runs) in [(1, 40), (100, 20), (1_000, 9), (10_000, 7)] {
        let figures = measure(folder, apps, runs);
        println!("{figures}");
    }
    println!("targets at 10,000: fresh {FRESH_TARGET}, unchanged {UNCHANGED_TARGET}");
    start_up(folder);
}

fn measure(folder: &Path, apps: usize, runs: usize) -> String {
    fs::write(folder.join("services.yaml"), manifest(apps)).unwrap();
    let units = folder.join("units");
    let copy = folder.join("copy");
    let render = || {
        run(
            Command::new(env!("CARGO_BIN_EXE_unitgen")).arg("render"),
            folder,
        )
    };
    let mut best = [Duration::MAX; 3];
    let mut memory = 0;
    for _ in 0..runs {
        for gone in [&units, &copy] {
            let _ = fs::remove_dir_all(gone);
        }
        let (fresh, peak) = render();
        let (unchanged, _) = render();
        let (copied, _) = run(Command::new("cp").args(["-r", "units", "copy"]), folder);
        for (best, time) in best.iter_mut().zip([copied, fresh, unchanged]) {
            *best = time.min(*best);
        }
        memory = memory.max(peak);
    }
    assert_eq!(fs::read_dir(&units).unwrap().count(), apps);
    let [copied, fresh, unchanged] = best;
    let ratio = |time: Duration| time.as_secs_f64() / copied.as_secs_f64();
    format!(
        "{apps:>6} {:>6.1}ms {:>6.1}ms {:>7.2} {:>9.1}ms {:>7.2} {:>9.1} MiB",
        milliseconds(copied),
        milliseconds(fresh),
        ratio(fresh),
        milliseconds(unchanged),
        ratio(unchanged),
        f64::from(u32::try_from(memory >> 10).unwrap()) / 1_024.0,
    )
}

fn start_up(folder: &Path) {
    fs::write(folder.join("services.yaml"), manifest(1)).unwrap();
    fs::write(
        folder.join("hello.rs"),
        "fn main() { println!(\"hello\"); }",
    )
    .unwrap();
    run(Command::new("rustc").args(["-O", "hello.rs"]), folder);
    let mut best = [Duration::MAX; 2];
    for _ in 0..200 {
        let hello = run(&mut Command::new(folder.join("hello")), folder).0;
        let render = run(
            Command::new(env!("CARGO_BIN_EXE_unitgen")).arg("render"),
            folder,
        )
        .0;
        for (best, time) in best.iter_mut().zip([hello, render]) {
            *best = time.min(*best);
        }
    }
    let [hello, render] = best;
    let ratio = render.as_secs_f64() / hello.as_secs_f64();
    println!(
        "start-up: hello {:.2}ms, one app {:.2}ms, ratio {ratio:.2}; target {START_TARGET}",
        milliseconds(hello),
        milliseconds(render),
    );
}

/// Runs a command to its end; returns the time and the peak memory in bytes.
fn run(command: &mut Command, folder: &Path) -> (Duration, u64) {
    let command = command.current_dir(folder).stdout(Stdio::null());
    let start = Instant::now();
    let used = command.spawn().unwrap().wait4().unwrap();
    assert!(used.status.success());
    (start.elapsed(), used.rusage.maxrss)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Apps of one process each, as a team would write them.
fn manifest(apps: usize) -> String {
    let mut text = "apps:\n".to_owned();
    for number in 0..apps {
        let port = 1_024 + number % 60_000;
        let _ = write!(
            text,
            "  app{number}:\n    image: registry.internal:5000/app{number}\n    port: {port}\n    \
             instances: 2\n    conflicts: self\n    environment: {{RACK_ENV: production}}\n    \
             command: bundle exec thing --number {number}\n"
        );
    }
    text
}
