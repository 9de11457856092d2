//! `unitgen deploy` end to end, on a fleet that works at a pace of its own and with a real etcd.

use std::time::Duration;

use crate::etcd::{Etcd, shared};
use crate::fleet_server::{FleetServer, Pace};
use crate::test::{Folder, Test};

/// A fleet of three machines whose engine and agents work fast.
pub(crate) fn fast() -> FleetServer {
    let server = FleetServer::start();
    server.pace(Pace::Every {
        engine: Duration::from_millis(10),
        agents: Duration::from_millis(25),
    });
    server
}

/// What came of a command: its status and its streams, with `T` in the place of times and without lines on
/// what was seen on the way.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs a command against a fleet and an etcd.
pub(crate) fn run(
    server: &FleetServer,
    etcd: Option<&Etcd>,
    folder: Folder,
    arguments: &str,
) -> (Folder, Told) {
    let mut test = Test::within(folder)
        .args(arguments)
        .environment("FLEETCTL_ENDPOINT", server.endpoint())
        .environment("UNITGEN_AUTHOR", "ann");
    if let Some(etcd) = etcd {
        test = test.environment("ETCDCTL_ENDPOINTS", &etcd.endpoint);
    }
    let output = test.output();
    let told = Told {
        status: output.status.code().unwrap_or(-1),
        stdout: timeless(&String::from_utf8(output.stdout).unwrap()),
        stderr: timeless(&String::from_utf8(output.stderr).unwrap()),
    };
    (test.into_folder(), told)
}

/// Puts `T` in the place of times, and leaves out what was seen on the way.
pub(crate) fn timeless(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with("           "));
    let mut result = String::new();
    for line in lines {
        let mut words = line.split(' ').peekable();
        let mut kept: Vec<&str> = Vec::new();
        while let Some(word) = words.next() {
            let is_number = word.bytes().all(|byte| byte.is_ascii_digit()) && !word.is_empty();
            let unit = words.peek().map(|unit| unit.trim_end_matches([';', ',']));
            if is_number && unit.is_some_and(|unit| matches!(unit, "s" | "min" | "h" | "d")) {
                let unit = words.next().unwrap();
                let end = &unit[unit.trim_end_matches([';', ',']).len()..];
                if kept.last() != Some(&"T") {
                    kept.push(match end {
                        ";" => "T;",
                        "," => "T,",
                        _ => "T",
                    });
                }
            } else {
                kept.push(word);
            }
        }
        result.push_str(&kept.join(" "));
        result.push('\n');
    }
    result
}

#[test]
fn what_is_missing_starts_and_a_second_run_does_nothing() {
    let server = fast();
    let folder = Test::new()
        .manifest("apps:\n  deploy-first: {exec: [/bin/sleep, \"1\"], instances: 3, conflicts: self, deploy: {ready_secs: 0}}\n")
        .into_folder();
    let (folder, told) = run(&server, Some(shared()), folder, "deploy");
    println!("{}\n{}", told.stdout, told.stderr);
    let (folder, told) = run(&server, Some(shared()), folder, "deploy");
    println!("{}\n{}", told.stdout, told.stderr);
    folder.write("services.yaml", "apps:\n  deploy-first: {exec: [/bin/sleep, \"2\"], instances: 2, conflicts: self, deploy: {ready_secs: 0}}\n");
    let (folder, told) = run(&server, Some(shared()), folder, "deploy --dry-run");
    println!("{}\n{}", told.stdout, told.stderr);
    let (folder, told) = run(&server, Some(shared()), folder, "deploy --min-alive 2");
    println!("{}\n{}", told.stdout, told.stderr);
    let (folder, told) = run(&server, Some(shared()), folder, "deploy");
    println!("{}\n{}", told.stdout, told.stderr);
    let (folder, told) = run(&server, Some(shared()), folder, "restart deploy-first");
    println!("{}\n{}", told.stdout, told.stderr);
    let (folder, told) = run(&server, Some(shared()), folder, "rollback deploy-first");
    println!("{}\n{}", told.stdout, told.stderr);
    let (folder, told) = run(&server, Some(shared()), folder, "deploy");
    println!("{}\n{}", told.stdout, told.stderr);
    let (_, told) = run(
        &server,
        Some(shared()),
        folder,
        "rollback deploy-first --list",
    );
    println!("{}\n{}", told.stdout, told.stderr);
    panic!();
}
