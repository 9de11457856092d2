//! `cargo bench --bench lint`: the time of `unitgen lint` over many unit files as a ratio to `cat` of
//! the same files, and over single files that are very large. Every figure is the best of its runs,
//! taken in turns, so that a busy moment of the machine hits both sides.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark makes files and processes of its own and prints its figures"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The greatest ratio to `cat` at 10,000 files.
const TARGET: f64 = 2.0;

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let folder = folder.path();
    println!("  files     cat    lint   ratio   µs a file");
    for (count, runs) in [(100, 30), (1_000, 15), (10_000, 9)] {
        let names = units(folder, count);
        let unitgen = env!("CARGO_BIN_EXE_unitgen");
        let [cat, lint] = best(folder, runs, [("cat", &names), (unitgen, &lint(&names))]);
        println!(
            "{count:>7} {:>6.1}ms {:>6.1}ms {:>6.2} {:>10.1}",
            milliseconds(cat),
            milliseconds(lint),
            lint.as_secs_f64() / cat.as_secs_f64(),
            milliseconds(lint) * 1_000.0 / f64::from(count),
        );
    }
    println!("target at 10,000: {TARGET}");
    println!();
    println!("one file of            cat    lint");
    let long = format!(
        "[Service]\nExecStart=/bin/true \"{}\"\n",
        "x".repeat(1_000_000)
    );
    let words = format!(
        "[Service]\nExecStart=/bin/true{}\n",
        " word".repeat(200_000)
    );
    for (title, text) in [
        ("1 MB in one word", long),
        ("1 MB in words", words),
        ("1,000 directives", many(1_000)),
        ("10,000 directives", many(10_000)),
        ("100,000 directives", many(100_000)),
    ] {
        fs::write(folder.join("large.service"), text).unwrap();
        let names = vec!["large.service".to_owned()];
        let unitgen = env!("CARGO_BIN_EXE_unitgen");
        let [cat, lint] = best(folder, 5, [("cat", &names), (unitgen, &lint(&names))]);
        println!(
            "{title:<18} {:>6.1}ms {:>6.1}ms",
            milliseconds(cat),
            milliseconds(lint)
        );
    }
}

fn lint(names: &[String]) -> Vec<String> {
    let mut arguments = vec!["lint".to_owned()];
    arguments.extend_from_slice(names);
    arguments
}

/// Runs each command in turn and returns the best time of each.
fn best(folder: &Path, runs: usize, commands: [(&str, &Vec<String>); 2]) -> [Duration; 2] {
    let mut best = [Duration::MAX; 2];
    for _ in 0..runs {
        for (best, (program, arguments)) in best.iter_mut().zip(commands) {
            let mut command = Command::new(program);
            command.args(arguments).current_dir(folder);
            command.stdout(Stdio::null());
            let start = Instant::now();
            let status = command.status().unwrap();
            *best = start.elapsed().min(*best);
            // Long lines are a finding.
            assert!(matches!(status.code(), Some(0 | 1)));
        }
    }
    best
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Writes units of about 1 kB, as `render` makes them.
fn units(folder: &Path, count: u32) -> Vec<String> {
    let sample = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/services/units/watchlisthub-http@.service"
    );
    let sample = fs::read_to_string(sample).unwrap();
    let name = |number| format!("app{number}-http@.service");
    let names: Vec<String> = (0..count).map(name).collect();
    for (number, name) in names.iter().enumerate() {
        let text = sample.replace("watchlisthub", &format!("app{number}"));
        fs::write(folder.join(name), text).unwrap();
    }
    names
}

fn many(count: usize) -> String {
    let lines = "Environment=A=1\nExecStartPre=/bin/true \"a b\"\nLimitNOFILE=5\nX-Note=a\n";
    let repeated = lines.repeat(count / 4);
    format!("[Service]\nExecStart=/bin/true\n{repeated}")
}
