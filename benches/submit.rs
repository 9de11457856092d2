//! `cargo bench --bench submit`: the time that `unitgen submit --via api` takes for 400 changed units, as
//! a ratio to plain PUTs of the same units, one after the other over one connection, by a few lines that
//! read nothing, check nothing and need not be started. Once the tests' server answers as fast as it can,
//! once each answer takes as long as was recorded from fleet on a small machine. Reading and rendering
//! the manifest, reading the registry before and reading each unit back are in unitgen's time. Every
//! figure is the best of its runs, taken in turns.
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

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use unitgen::unit::fleet::FleetUnit;

use crate::fleet_server::{FleetServer, Pace};
// The names that the tests have for them.
use crate::tests::{fleet_server, test};

/// The target.
const TARGET: f64 = 1.2;

/// How many units there are, all of them changed.
const UNITS: usize = 400;

const RUNS: usize = 7;

/// How long an answer to a method takes.
type Delay = fn(&str) -> Duration;

fn main() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let folder = folder.path();
    for (name, environment) in [("old", "staging"), ("new", "production")] {
        fs::write(folder.join("services.yaml"), manifest(environment)).unwrap();
        unitgen(folder, &["render", "-o", name]);
    }
    let texts = |name: &str| {
        let names = test::names(&folder.join(name)).into_iter();
        let read = |unit: String| {
            let text = fs::read_to_string(folder.join(name).join(&unit)).unwrap();
            (unit, text)
        };
        names.map(read).collect::<Vec<_>>()
    };
    let (old, new) = (texts("old"), texts("new"));
    assert_eq!(new.len(), UNITS);
    let delays: [(&str, Delay); 2] = [
        ("at once", |_| Duration::ZERO),
        ("as recorded", |method| {
            Duration::from_millis(match method {
                "PUT" => 5,
                _ => 2,
            })
        }),
    ];
    println!("{UNITS} changed units     PUTs alone    submit   ratio   nothing to do");
    for (title, delay) in delays {
        let server = FleetServer::start();
        server.pace(Pace::ByHand);
        server.delay(delay);
        let reset = || {
            server.world(|world| {
                for (name, text) in &old {
                    world.create(name, text.clone(), "inactive");
                }
            });
        };
        let mut best = [Duration::MAX; 3];
        let arguments = ["submit", "--via", "api", "--endpoint", server.endpoint()];
        for _ in 0..RUNS {
            reset();
            let start = Instant::now();
            puts(&server, &new);
            best[0] = best[0].min(start.elapsed());
            reset();
            server.requests();
            best[1] = best[1].min(unitgen(folder, &arguments));
            let changed = server.requests();
            let puts = changed.iter().filter(|request| request.starts_with("PUT "));
            assert_eq!(puts.count(), UNITS);
            best[2] = best[2].min(unitgen(folder, &arguments));
            let writes = server.requests();
            assert!(writes.iter().all(|request| request.starts_with("GET ")));
        }
        let [peer, submit, nothing] = best.map(|time| time.as_secs_f64() * 1_000.0);
        let ratio = submit / peer;
        println!(
            "answers {title:<12} {peer:>9.0} ms {submit:>6.0} ms {ratio:>7.2} {nothing:>12.0} ms"
        );
    }
    println!("target: {TARGET}");
}

/// Sends plain PUTs over one connection.
fn puts(server: &FleetServer, units: &[(String, String)]) {
    let address = server.endpoint().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    for (name, text) in units {
        let unit = FleetUnit::parse(text).unwrap();
        let options: Vec<_> = unit
            .options
            .iter()
            .map(|option| {
                serde_json::json!({"section": &*option.section, "name": option.name, "value": option.value})
            })
            .collect();
        let body = serde_json::json!({"desiredState": "inactive", "options": options}).to_string();
        let request = format!(
            "PUT /fleet/v1/units/{name} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        assert_eq!(status(&mut reader), 201);
    }
}

/// Reads an answer to its end.
fn status(reader: &mut BufReader<TcpStream>) -> u16 {
    let mut lines = reader.by_ref().lines().map(Result::unwrap);
    let first = lines.next().unwrap();
    let status = first.split(' ').nth(1).unwrap().parse().unwrap();
    let mut length = 0;
    for line in lines.take_while(|line| !line.is_empty()) {
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.parse().unwrap();
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    status
}

fn unitgen(folder: &Path, arguments: &[&str]) -> Duration {
    let start = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_unitgen"))
        .args(arguments)
        .current_dir(folder)
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success(), "{arguments:?}");
    start.elapsed()
}

/// Apps of one process each, as a team would write them.
fn manifest(environment: &str) -> String {
    let mut text = "apps:\n".to_owned();
    for number in 0..UNITS {
        let _ = write!(
            text,
            "  app{number}:\n    image: registry.internal:5000/app{number}\n    port: {}\n    \
             instances: 0\n    conflicts: self\n    environment: {{RACK_ENV: {environment}}}\n    \
             command: bundle exec thing --number {number}\n",
            1_024 + number
        );
    }
    text
}
