//! `unitgen snapshot`, end to end. What diffs make of one is in `diff`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::delivery::put_unit;
use crate::fleet_server::{Fault, FleetServer};
use crate::test::{Folder, Test};

fn snapshot(server: &FleetServer, folder: Folder, arguments: &str) -> Test {
    Test::within(folder).args(&format!(
        "snapshot --endpoint {} {arguments}",
        server.endpoint()
    ))
}

#[test]
fn only_its_owner_can_read_it() {
    let server = FleetServer::start();
    let endpoint = server.endpoint();
    let folder = snapshot(&server, Folder::new(), "-o s.json")
        .stderr(format!(
            "wrote s.json: 0 units, 3 machines, of `{endpoint}`\n"
        ))
        .run();
    let mode = fs::metadata(folder.path("s.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn standard_output_gets_all_that_there_is() {
    let server = FleetServer::start();
    put_unit(
        server.endpoint(),
        "a.service",
        "[Service]\nExecStart=\nExecStart=/bin/a\n",
        "launched",
    );
    let output = snapshot(&server, Folder::new(), "-o -").output();
    let mut value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let now = value["taken"].take().as_u64().unwrap();
    assert!(now > 1_700_000_000, "{now}");
    let id = |number: u32| format!("aaaa{number:04}{number:024}");
    let machine = |number: u32, region: &str, role: &str| {
        serde_json::json!({
            "id": id(number),
            "primary_ip": format!("127.0.0.{}", 10 + number),
            "metadata": {"region": region, "role": role},
        })
    };
    let hash = "c320b3323c74e9e059ed5ad32966d3642884c042";
    let expected = serde_json::json!({
        "format_version": 1,
        "taken": null,
        "server": format!("`{}`", server.endpoint()),
        "release": "v1.0.0-15-g45224983",
        "machines": [
            machine(1, "eu-west", "http"),
            machine(2, "eu-west", "worker"),
            machine(3, "us-east", "http"),
        ],
        "units": [{
            "name": "a.service",
            "hash": hash,
            "desired": "launched",
            "current": "launched",
            "machine": id(1),
            "options": [["Service", "ExecStart", ""], ["Service", "ExecStart", "/bin/a"]],
        }],
        "states": [{
            "name": "a.service",
            "machine": id(1),
            "hash": hash,
            "load": "loaded",
            "active": "active",
            "sub": "running",
        }],
    });
    assert_eq!(value, expected);
}

#[test]
fn an_old_one_is_told_of() {
    let old = "{\"format_version\": 1, \"taken\": 0, \"server\": \"`http://a`\", \"release\": null, \"machines\": [], \"units\": [], \"states\": []}";
    let test = Test::new()
        .manifest("apps:\n  a: {exec: [/bin/a], instances: 0}\n")
        .file("s.json", old);
    let output = test.args("diff --against snapshot:s.json --stat").output();
    let said = String::from_utf8(output.stderr).unwrap();
    let days: u64 = said
        .strip_prefix("warning: the snapshot of `http://a` is ")
        .and_then(|rest| rest.strip_suffix(" days old\n"))
        .unwrap_or_else(|| panic!("{said}"))
        .parse()
        .unwrap();
    assert!(days > 20_000, "{days}");
}

#[test]
fn what_is_no_snapshot_is_refused() {
    Test::new()
        .manifest("apps:\n  a: {exec: [/bin/a], instances: 0}\n")
        .file("s.json", "{\"format_version\": 9}")
        .args("diff --against snapshot:s.json")
        .status(2)
        .stderr(
            "error: can't use the snapshot `s.json`\n  caused by: it has format 9, and this unitgen reads \
             format 1\n\nhelp: `unitgen snapshot -o FILE` writes one\n",
        )
        .run();
}

#[test]
fn a_list_that_moves_is_read_again() {
    let server = FleetServer::start();
    server.world(|world| {
        for number in 0..150 {
            world.add(&format!("u{number:03}.service"), "/bin/true", "inactive");
        }
    });
    // The requests: machines, states, the first page, the second.
    server.fault(
        4,
        Fault::Change(Box::new(|world| world.destroy("u000.service"))),
    );
    let endpoint = server.endpoint();
    snapshot(&server, Folder::new(), "")
        .stderr(format!(
            "wrote snapshot.json: 149 units, 3 machines, of `{endpoint}`\n"
        ))
        .run();
    assert_eq!(server.requests().len(), 2 + 3 * 2);
}

#[test]
fn nothing_is_written_where_the_cluster_fails() {
    let server = FleetServer::start();
    server.fault(1, Fault::HangUp);
    let endpoint = server.endpoint();
    snapshot(&server, Folder::new(), "")
        .status(3)
        .stderr(format!(
            "error: can't list the machines\n  caused by: `GET /fleet/v1/machines` at `{endpoint}`: the connection was closed without an answer\n"
        ))
        .expect_no_file("snapshot.json")
        .run();
}

#[test]
fn what_a_snapshot_calls_its_cluster_steers_nothing() {
    let old = "{\"format_version\": 1, \"taken\": 0, \"server\": \"a\\u001b[31m\\u202eb\", \"release\": null, \"machines\": [], \"units\": [], \"states\": []}";
    let manifest = "apps:\n  a: {exec: [/bin/a], instances: 0}\n";
    let run = Test::new().manifest(manifest).file("s.json", old);
    let output = run.args("diff --against snapshot:s.json --stat").output();
    let said = String::from_utf8(output.stderr).unwrap();
    let start = "warning: the snapshot of a\u{fffd}[31m\u{fffd}b is ";
    assert!(
        said.starts_with(start) && said.ends_with(" days old\n"),
        "{said}"
    );
}
