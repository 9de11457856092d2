//! What `unitgen submit` refuses to do. On servers of the tests' own.

use crate::delivery::{deliver, put_unit};
use crate::fleet_server::{Fault, FleetServer};
use crate::fleetctl::{Fleetctl, Release};
use crate::submit::submit;
use crate::test::{Folder, Test};

pub(crate) fn apps(numbers: std::ops::Range<usize>) -> String {
    let app = |number| format!("  app{number:02}: {{exec: [/bin/sleep, \"1\"], instances: 0}}\n");
    let apps: String = numbers.map(app).collect();
    format!("apps:\n{apps}")
}

/// A server that has the units of so many apps, and a folder with the manifest of fewer.
pub(crate) fn fewer(had: usize, wanted: usize) -> (FleetServer, Folder) {
    let server = FleetServer::start();
    let folder = Test::new().manifest(&apps(0..had)).into_folder();
    let folder = deliver(server.endpoint(), folder);
    let manifest = if wanted == 0 {
        "apps: {}\n".to_owned()
    } else {
        apps(0..wanted)
    };
    folder.write("services.yaml", manifest);
    server.requests();
    (server, folder)
}

pub(crate) fn writes(server: &FleetServer) -> Vec<String> {
    let requests = server.requests().into_iter();
    requests
        .filter(|request| !request.starts_with("GET "))
        .collect()
}

pub(crate) fn run(server: &FleetServer, folder: Folder, arguments: &str) -> Test {
    let fleetctl = Fleetctl::new(Release::Current);
    let arguments = format!("--via api {arguments}");
    submit(server.endpoint(), &fleetctl, folder, &arguments)
}

#[test]
fn nothing_is_destroyed_unless_that_is_asked_for() {
    let (server, folder) = fewer(3, 2);
    let folder = run(&server, folder, "")
        .stdout(
            "unwanted   app02-worker@.service\n  1 unit not in the manifest any more: `--prune` destroys what \
             does not run\nunit files: 2 equal\n",
        )
        .run();
    assert_eq!(writes(&server), Vec::<String>::new());
    run(&server, folder, "--prune")
        .stdout("destroyed  app02-worker@.service\nunit files: 1 destroyed, 2 equal\n")
        .run();
    assert_eq!(
        writes(&server),
        ["DELETE /fleet/v1/units/app02-worker@.service"]
    );
}

#[test]
fn more_than_the_limit_is_not_begun() {
    #[track_caller]
    fn case(had: usize, wanted: usize, limit: &str, error: Option<&str>) {
        let (server, folder) = fewer(had, wanted);
        let test = run(&server, folder, &format!("--prune {limit}"));
        let output = test.output();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let status = if error.is_some() { 5 } else { 0 };
        assert_eq!(output.status.code(), Some(status), "{stderr}");
        assert_eq!(stderr.lines().next(), error);
        let count = if error.is_some() { 0 } else { had - wanted };
        assert_eq!(writes(&server).len(), count);
    }
    case(10, 5, "", None);
    case(
        10,
        4,
        "",
        Some(
            "error: 6 of 10 unit files would be destroyed, and the limit is 20% or 5, whichever is more",
        ),
    );
    case(40, 32, "", None);
    case(
        40,
        31,
        "",
        Some(
            "error: 9 of 40 unit files would be destroyed, and the limit is 20% or 5, whichever is more",
        ),
    );
    case(10, 4, "--prune-max 6", None);
    case(10, 4, "--prune-max 60%", None);
    case(
        10,
        4,
        "--prune-max 59%",
        Some("error: 6 of 10 unit files would be destroyed, and the limit is 59%"),
    );
    case(
        2,
        1,
        "--prune-max 0",
        Some("error: 1 of 2 unit files would be destroyed, and the limit is 0"),
    );
    // A manifest that came out empty never takes all away.
    let nothing = "error: nothing would be left: 2 unit files would be destroyed";
    case(2, 0, "", Some(nothing));
    case(2, 0, "--prune-max 100% --yes", Some(nothing));
}

#[test]
fn only_what_carries_the_mark_is_destroyed() {
    let (server, folder) = fewer(1, 1);
    let hand = "[Service]\nEnvironment=APPLICATION=app00\nExecStart=/bin/true\n";
    put_unit(server.endpoint(), "hand.service", hand, "inactive");
    put_unit(server.endpoint(), "hand@.service", hand, "inactive");
    let marked = "[Service]\nExecStart=/bin/true\n\n[X-Unitgen]\nApp=app00\nProcess=old\n";
    put_unit(server.endpoint(), "running.service", marked, "launched");
    put_unit(server.endpoint(), "left@.service", marked, "inactive");
    put_unit(server.endpoint(), "left@1.service", marked, "launched");
    server.requests();
    run(&server, folder, "--prune")
        .stdout(
            "\
destroyed  left@.service
runs on    left@1.service, running.service
  2 units not in the manifest any more, but told to load or run, which submit does not touch: see `unitgen deploy`
unit files: 1 destroyed, 1 equal
",
        )
        .run();
    assert_eq!(writes(&server), ["DELETE /fleet/v1/units/left@.service"]);
}

#[test]
fn what_fleet_would_not_check_is_checked_here() {
    let (server, folder) = fewer(1, 1);
    folder.write(
        "services.yaml",
        "apps:\n  app00:\n    exec: [/bin/sleep, \"2\"]\n    instances: 0\n    X-Fleet: {MachineID: abcd1234, Conflicts: [\"x*\"]}\n",
    );
    let test = run(&server, folder, "");
    let output = test.output();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(writes(&server), Vec::<String>::new());
}

#[test]
fn the_later_of_two_stops() {
    for way in ["api", "fleetctl"] {
        let (server, folder) = fewer(2, 2);
        folder.write("services.yaml", apps(0..2).replace("\"1\"", "\"2\""));
        let other = "[Service]\nExecStart=/bin/other\n";
        // After the list was read.
        server.fault(
            2,
            Fault::Change(Box::new(move |world| {
                world.create("app00-worker@.service", other.to_owned(), "inactive");
            })),
        );
        let fleetctl = Fleetctl::new(Release::Current);
        let arguments = format!("--via {way} --jobs 1");
        let test = submit(server.endpoint(), &fleetctl, folder, &arguments);
        let output = test.output();
        let stdout = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = stdout.lines().collect();
        assert_eq!(output.status.code(), Some(5), "{stdout}");
        assert_eq!(
            lines[0],
            "refused    app00-worker@.service  services.yaml:2:3"
        );
        assert_eq!(
            lines[2..],
            [
                "  another run starts from what there is now",
                "not tried  app01-worker@.service  services.yaml:3:3",
                "unit files: 1 refused, 1 not tried"
            ]
        );
        assert_eq!(writes(&server), Vec::<String>::new());
        assert!(fleetctl.calls().is_empty());
    }
}

#[test]
fn what_does_not_go_together_is_said_before_anything_is_read() {
    #[track_caller]
    fn case(arguments: &str, message: &str) {
        Test::new()
            .args(&format!("submit {arguments}"))
            .status(2)
            .stderr(format!("error: {message}\n"))
            .run();
    }
    case(
        "--recreate",
        "`--recreate` is for `--via api` only: fleetctl replaces nothing that runs",
    );
    case(
        "--recreate --via api plan.json",
        "a saved plan holds no unit that runs: `--recreate` is for a manifest",
    );
    case(
        "--via api --fleetctl /opt/bin/fleetctl",
        "`--fleetctl` says how fleetctl is called, and `--via api` does without it",
    );
    case(
        "-f services.yaml plan.json",
        "a saved plan needs no manifest: leave `-f` out",
    );
    case(
        "--other-cluster",
        "`--other-cluster` is for a saved plan only",
    );
    case(
        "hub plan.json",
        "a saved plan stands alone, without apps or other plans",
    );
}

#[test]
fn a_script_that_was_not_written_fails_where_it_is_run() {
    for (arguments, status, message) in [
        (
            "--format json",
            2,
            "`--print` writes a script, and `--format json` events",
        ),
        (
            "--via api",
            2,
            "`--print` writes a script for fleetctl, and `--via api` does without it",
        ),
    ] {
        Test::new()
            .args(&format!("submit --print {arguments}"))
            .status(status)
            .stdout(format!("# unitgen wrote no script\nexit {status}\n"))
            .stderr(format!("error: {message}\n"))
            .run();
    }
}
