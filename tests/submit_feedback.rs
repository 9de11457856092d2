//! What `unitgen submit` tells while it works and when it ends badly; a question, and a wish for an end.
//! On servers of the tests' own.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::delivery::deliver;
use crate::fleet_server::{Fault as ServerFault, FleetServer};
use crate::fleetctl::{Fault, Fleetctl, Release};
use crate::submit::submit;
use crate::test::{Folder, PROGRAM, Test};

/// Apps whose units differ only in their command.
fn apps(commands: &[&str]) -> String {
    let app = |(number, command): (usize, &&str)| {
        format!("  a{number}: {{exec: [/bin/sleep, \"{command}\"], instances: 0}}\n")
    };
    let apps: String = commands.iter().enumerate().map(app).collect();
    format!("apps:\n{apps}")
}

/// A server that has units of one manifest, and a folder with another.
fn changed(before: &[&str], after: &[&str]) -> (FleetServer, Folder) {
    let server = FleetServer::start();
    let folder = Test::new().manifest(&apps(before)).into_folder();
    let folder = deliver(server.endpoint(), folder);
    folder.write("services.yaml", apps(after));
    server.requests();
    (server, folder)
}

#[test]
fn a_fleetctl_that_lies_is_not_believed() {
    let (server, folder) = changed(&["1", "1"], &["2", "3"]);
    let fleetctl = Fleetctl::new(Release::Current);
    fleetctl.order(Fault::Lie);
    submit(server.endpoint(), &fleetctl, folder, "")
        .status(3)
        .stdout(
            "\
failed     a0-worker@.service  services.yaml:2:3
  error: can't replace `a0-worker@.service` through fleetctl
    caused by: fleetctl said that all is well, and did nothing
  the registry has what it had of `a0-worker@.service`
failed     a1-worker@.service  services.yaml:3:3
  error: can't replace `a1-worker@.service` through fleetctl
    caused by: fleetctl said that all is well, and did nothing
  the registry has what it had of `a1-worker@.service`
unit files: 2 failed
",
        )
        .stderr(format!(
            "$ fleetctl '--endpoint={}' submit --replace a0-worker@.service a1-worker@.service\n  | Unit \
             a0-worker@.service inactive\n  | Unit a1-worker@.service inactive\n  it ended with status 0\nerror: not all unit files are as they should be; another run goes on from here\n",
            server.endpoint()
        ))
        .run();
}

#[test]
fn what_a_fleetctl_says_that_fails_is_shown_in_full() {
    let (server, folder) = changed(&["1", "1"], &["2", "2"]);
    folder.write(
        "fleetctl",
        "#!/bin/sh\necho one; echo two\nprintf 'three \\033[31m\\nDB_PASSWORD=hunter2\\n' >&2\nexit 7\n",
    );
    let private = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.path("fleetctl"), private).unwrap();
    submit(
        server.endpoint(),
        &Fleetctl::new(Release::Current),
        folder,
        "--fleetctl ./fleetctl",
    )
    .status(3)
    .stdout(
        "\
failed     a0-worker@.service  services.yaml:2:3
  error: can't replace `a0-worker@.service` through fleetctl
    caused by: fleetctl ended with status 7
  the registry has what it had of `a0-worker@.service`
not tried  a1-worker@.service  services.yaml:3:3
unit files: 1 failed, 1 not tried
",
    )
    .stderr(format!(
        "$ ./fleetctl '--endpoint={}' submit --replace a0-worker@.service a1-worker@.service\n  | one\n  | \
         two\n  | three \u{fffd}[31m\n  | DB_PASSWORD=*******\n  it ended with status 7\nerror: not all unit \
         files are as they should be; another run goes on from here\n",
        server.endpoint()
    ))
    .run();
}

#[test]
fn a_fleetctl_that_hangs_is_ended() {
    let (server, folder) = changed(&["1", "1"], &["2", "2"]);
    let fleetctl = Fleetctl::new(Release::Current);
    fleetctl.order(Fault::Hang);
    submit(server.endpoint(), &fleetctl, folder, "--timeout 0.3")
        .status(3)
        .stdout(
            "\
failed     a0-worker@.service  services.yaml:2:3
  error: can't replace `a0-worker@.service` through fleetctl
    caused by: fleetctl took longer than 0.3 s and was ended: what it began may yet be done
  the registry has what it had of `a0-worker@.service`
not tried  a1-worker@.service  services.yaml:3:3
unit files: 1 failed, 1 not tried
",
        )
        .stderr(format!(
            "$ fleetctl '--endpoint={}' submit --replace a0-worker@.service a1-worker@.service\n  it was ended after \
             0.3 s\nerror: not all unit files are as they should be; another run goes on from here\n",
            server.endpoint()
        ))
        .run();
}

#[test]
fn without_a_fleetctl_it_is_said_what_to_do() {
    let (server, folder) = changed(&["1"], &["2"]);
    Test::within(folder)
        .args(&format!(
            "submit --endpoint {} --fleetctl nowhere/fleetctl",
            server.endpoint()
        ))
        .status(2)
        .stdout(
            "\
failed     a0-worker@.service  services.yaml:2:3
  error: can't start `nowhere/fleetctl`
    caused by: No such file or directory (os error 2)
  help: install it or add its folder to `PATH`; where only another host has fleetctl, call it there: `ssh core@host fleetctl`
  the registry has what it had of `a0-worker@.service`
unit files: 1 failed
",
        )
        .stderr("error: not all unit files are as they should be; another run goes on from here\n")
        .run();
}

#[test]
fn programs_get_an_event_a_line() {
    let (server, folder) = changed(&["1", "1"], &["2", "2"]);
    let fleetctl = Fleetctl::new(Release::Current);
    let arguments = "--via api --jobs 1 --format json";
    // The list, the first unit; its PUT is refused for good.
    server.fault(3, ServerFault::Status(400));
    let run = submit(server.endpoint(), &fleetctl, folder, arguments);
    let output = run.output();
    assert_eq!(output.status.code(), Some(3));
    let text = String::from_utf8(output.stdout).unwrap();
    let events: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let hash = |command: &str| {
        let text = format!(
            "[Unit]\nDescription=%p %i\n\n[Service]\nEnvironment=APPLICATION=a{}\nRestart=always\nRestartSec=10s\n\
             ExecStart=/bin/sleep {}\n\n[X-Unitgen]\nApp=a{}\nProcess=worker\n",
            &command[..1],
            &command[1..],
            &command[..1]
        );
        unitgen::unit::fleet::hash(&text)
    };
    let step = |number: usize, outcome: &str, error: Value, left: Value| {
        json!({
            "event": "step",
            "unit": format!("a{number}-worker@.service"),
            "action": "replace",
            "reason": "changed",
            "outcome": outcome,
            "before": hash(&format!("{number}1")),
            "after": hash(&format!("{number}2")),
            "state": "inactive",
            "place": {"file": "services.yaml", "line": number + 2, "column": 3},
            "conflict": null,
            "error": error,
            "left": left,
        })
    };
    let error = json!({
        "message": "can't submit `a0-worker@.service`",
        "causes": [format!(
            "`PUT /fleet/v1/units/a0-worker@.service` at `{}`: fleet answered 400 without a word",
            server.endpoint()
        )],
        "help": null,
    });
    let expected = [
        json!({
            "event": "begin",
            "format_version": 1,
            "cluster": server.endpoint(),
            "via": "api",
            "steps": 2,
            "held": [],
            "surplus": [],
            "unpruned": [],
        }),
        step(
            0,
            "failed",
            error,
            json!({"kind": "untouched", "hash": null, "told": null}),
        ),
        step(1, "not_tried", Value::Null, Value::Null),
        json!({
            "event": "end",
            "code": 3,
            "done": 0,
            "already": 0,
            "refused": 0,
            "failed": 1,
            "not_tried": 1,
            "equal": 0,
            "interrupted": false,
            "stale": [],
        }),
    ];
    assert_eq!(events, expected);
}

/// Runs a submit on a terminal of its own with an answer to its question, and returns what that shows.
fn on_terminal(
    server: &FleetServer,
    folder: &Folder,
    arguments: &str,
    answer: &str,
) -> (String, i32) {
    let line = format!(
        "{PROGRAM} submit --via api --endpoint {} {arguments}",
        server.endpoint()
    );
    let mut process = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(folder.path(""))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("SHELL", "/bin/sh")
        .env("TERM", "xterm")
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    process
        .stdin
        .as_mut()
        .unwrap()
        .write_all(answer.as_bytes())
        .unwrap();
    let output = process.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout)
        .unwrap()
        .replace('\r', "\n");
    (text, output.status.code().unwrap())
}

#[test]
fn a_terminal_is_asked_before_anything_is_destroyed() {
    let (server, folder) = changed(&["1", "1"], &["1"]);
    let question = format!(
        "destroy    a1-worker@.service\n\nDo that to 1 unit at {}? [y/N]",
        server.endpoint()
    );
    for answer in ["n\n", "\n", "what\n"] {
        let (shown, status) = on_terminal(&server, &folder, "--prune", answer);
        assert!(shown.contains(&question), "{shown}");
        assert!(shown.contains("nothing was done"), "{shown}");
        assert_eq!(status, 5);
    }
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.starts_with("GET ")));
    let (shown, status) = on_terminal(&server, &folder, "--prune", "y\n");
    assert_eq!(status, 0, "{shown}");
    assert!(
        shown.contains("unit files: 1 destroyed, 1 equal"),
        "{shown}"
    );
    // The bar counts, and no line tells of what went well.
    assert!(shown.contains("] 1/1 a1-worker@.service"), "{shown}");
    assert!(!shown.contains("destroyed  a1"), "{shown}");
}

#[test]
fn nobody_is_asked_where_that_is_said() {
    let (server, folder) = changed(&["1", "1"], &["1"]);
    let (shown, status) = on_terminal(&server, &folder, "--prune --yes", "");
    assert_eq!(status, 0, "{shown}");
    assert!(!shown.contains("[y/N]"), "{shown}");
}

#[test]
fn a_wish_for_an_end_is_heard_between_two_steps() {
    let (server, folder) = changed(&["1"; 20], &["2"; 20]);
    server.delay(|method| match method {
        "PUT" => Duration::from_millis(100),
        _ => Duration::ZERO,
    });
    let mut process = Command::new(PROGRAM)
        .args(["submit", "--via", "api", "--jobs", "1", "--endpoint"])
        .arg(server.endpoint())
        .current_dir(folder.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert_eq!(first, "replaced   a0-worker@.service  services.yaml:2:3");
    // What runs behind a shell's `&` ignores SIGINT, and this may.
    let kill = Command::new("kill")
        .args(["-TERM", &process.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(process.wait().unwrap().code(), Some(4));
    let last = rest.last().unwrap();
    let replaced = 1 + rest
        .iter()
        .filter(|line| line.starts_with("replaced "))
        .count();
    assert!(replaced < 20);
    let left = 20 - replaced;
    assert_eq!(
        *last,
        format!("unit files: {replaced} replaced, {left} not tried; interrupted")
    );
    let writes = server.requests();
    let writes = writes.iter().filter(|request| request.starts_with("PUT "));
    assert_eq!(writes.count(), replaced);
    server.delay(|_| Duration::ZERO);
    let fleetctl = Fleetctl::new(Release::Current);
    let run = submit(server.endpoint(), &fleetctl, folder, "--via api");
    let output = run.output();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        text.lines().last(),
        Some(format!("unit files: {left} replaced, {replaced} equal").as_str())
    );
}

#[test]
fn a_signal_that_is_to_be_ignored_is() {
    let (server, folder) = changed(&["1"; 4], &["2"; 4]);
    server.delay(|method| match method {
        "PUT" => Duration::from_millis(100),
        _ => Duration::ZERO,
    });
    let line = format!(
        "trap '' HUP; exec {PROGRAM} submit --via api --jobs 1 --endpoint {}",
        server.endpoint()
    );
    let mut process = Command::new("sh")
        .args(["-c", &line])
        .current_dir(folder.path(""))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    let kill = Command::new("kill")
        .args(["-HUP", &process.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    assert_eq!(process.wait().unwrap().code(), Some(0));
    let last = lines.last().unwrap().unwrap();
    assert_eq!(last, "unit files: 4 replaced");
}
