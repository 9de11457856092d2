//! `unitgen submit` where something runs, and on a fleet that never replaces a text. On servers of the
//! tests' own.

use std::time::Duration;

use crate::delivery::deliver;
use crate::fleet_server::{Fault, FleetServer, Kind, Pace};
use crate::fleetctl::{Fleetctl, Release};
use crate::submit::submit;
use crate::test::{Folder, Test};

/// An app with two instances of a template, and one with a plain unit.
pub(crate) fn manifest(hub: &str, edge: &str) -> String {
    format!(
        "apps:\n  hub: {{exec: [/bin/sleep, \"{hub}\"], instances: 2}}\n  edge: {{exec: [/bin/sleep, \"{edge}\"], unit: edge}}\n"
    )
}

/// Returns what the registry has of a unit: the command that it runs, and what fleet was told.
fn unit(server: &FleetServer, name: &str) -> Option<(String, String)> {
    server.world(|world| {
        let stored = world.units.get(name)?;
        let mut lines = stored.raw.lines();
        let command = lines.find_map(|line| line.strip_prefix("ExecStart=/bin/sleep "))?;
        Some((command.to_owned(), stored.target.clone()))
    })
}

#[track_caller]
fn has(server: &FleetServer, name: &str, command: &str, state: &str) {
    let expected = (command.to_owned(), state.to_owned());
    assert_eq!(unit(server, name), Some(expected), "{name}");
}

/// A server on which the first manifest runs, and a folder with the second.
fn changed(kind: Kind) -> (FleetServer, Folder) {
    let server = FleetServer::start_kind(kind);
    let folder = Test::new().manifest(&manifest("1", "1")).into_folder();
    let folder = deliver(server.endpoint(), folder);
    folder.write("services.yaml", manifest("2", "2"));
    server.requests();
    (server, folder)
}

const HELD: &str = "\
held back  edge.service
  1 unit to change, but told to load or run, which submit does not touch: see `unitgen deploy`
";

const STALE: &str = "\
stale      hub-worker@1.service, hub-worker@2.service
  2 instances with an older text than the unit's, which submit does not touch: see `unitgen deploy`
";

#[test]
fn nothing_that_runs_is_touched_and_all_that_is_stale_is_named() {
    for way in ["api", "fleetctl"] {
        let (server, folder) = changed(Kind::Current);
        let fleetctl = Fleetctl::new(Release::Current);
        let folder = submit(
            server.endpoint(),
            &fleetctl,
            folder,
            &format!("--via {way}"),
        )
        .stdout(format!(
            "replaced   hub-worker@.service  services.yaml:2:3\n{STALE}{HELD}unit files: 1 replaced\n"
        ))
        .run();
        has(&server, "hub-worker@.service", "2", "inactive");
        has(&server, "hub-worker@1.service", "1", "launched");
        has(&server, "hub-worker@2.service", "1", "launched");
        has(&server, "edge.service", "1", "launched");
        submit(
            server.endpoint(),
            &fleetctl,
            folder,
            &format!("--via {way}"),
        )
        .stdout(format!("{STALE}{HELD}unit files: 1 equal\n"))
        .run();
    }
}

#[test]
fn a_unit_that_runs_is_recreated_where_that_is_asked_for() {
    for kind in [Kind::Current, Kind::Old] {
        let (server, folder) = changed(kind);
        let fleetctl = Fleetctl::new(Release::Current);
        let warning = match kind {
            Kind::Current => "",
            Kind::Old => {
                "warning: fleet 0.11.8 never replaces a text: 2 units must be deleted and stored again\n"
            }
        };
        submit(
            server.endpoint(),
            &fleetctl,
            folder,
            "edge hub --via api --recreate --jobs 1",
        )
        .stderr(warning)
        .stdout(format!(
            "\
replaced   hub-worker@.service  services.yaml:2:3
recreated  edge.service  services.yaml:3:3
{STALE}unit files: 1 replaced, 1 recreated
"
        ))
        .run();
        has(&server, "edge.service", "2", "launched");
        has(&server, "hub-worker@.service", "2", "inactive");
        has(&server, "hub-worker@1.service", "1", "launched");
        let writes: Vec<String> = server
            .requests()
            .into_iter()
            .filter(|request| !request.starts_with("GET "))
            .collect();
        let template = match kind {
            Kind::Current => vec!["PUT /fleet/v1/units/hub-worker@.service"],
            Kind::Old => vec![
                "DELETE /fleet/v1/units/hub-worker@.service",
                "PUT /fleet/v1/units/hub-worker@.service",
            ],
        };
        let plain = [
            "DELETE /fleet/v1/units/edge.service",
            "PUT /fleet/v1/units/edge.service",
        ];
        assert_eq!(writes, [template, plain.to_vec()].concat());
    }
}

#[test]
fn a_unit_that_ran_is_stored_again_only_when_no_machine_has_it() {
    let (server, folder) = changed(Kind::Current);
    server.pace(Pace::Every {
        engine: Duration::from_millis(100),
        agents: Duration::from_millis(300),
    });
    let fleetctl = Fleetctl::new(Release::Current);
    submit(
        server.endpoint(),
        &fleetctl,
        folder,
        "edge --via api --recreate",
    )
    .stdout("recreated  edge.service  services.yaml:3:3\nunit files: 1 recreated\n")
    .run();
    let requests = server.requests();
    let at = |request: &str| requests.iter().rposition(|other| other == request).unwrap();
    let asked = at("GET /fleet/v1/state?unitName=edge.service");
    let deleted = at("DELETE /fleet/v1/units/edge.service");
    let stored = at("PUT /fleet/v1/units/edge.service");
    assert!(deleted < asked && asked < stored, "{requests:#?}");
    // It was asked until the machine had let go of it.
    let looks = requests[deleted..stored].len() - 1;
    assert!(looks > 1, "{requests:#?}");
}

#[test]
fn a_unit_that_ran_is_stored_again_though_fleet_is_away_for_a_while() {
    let (server, folder) = changed(Kind::Current);
    // The unit is read twice and deleted; then nothing answers.
    for number in 4..=12 {
        server.fault(number, Fault::Status(503));
    }
    let fleetctl = Fleetctl::new(Release::Current);
    submit(
        server.endpoint(),
        &fleetctl,
        folder,
        "edge --via api --recreate --jobs 1",
    )
    .stdout("recreated  edge.service  services.yaml:3:3\nunit files: 1 recreated\n")
    .run();
    let requests = server.requests();
    assert_eq!(requests[2], "DELETE /fleet/v1/units/edge.service");
    has(&server, "edge.service", "2", "launched");
}

#[test]
fn an_old_fleet_is_served_by_each_fleetctl() {
    for release in [Release::Current, Release::Old] {
        let (server, folder) = changed(Kind::Old);
        folder.write(
            "services.yaml",
            manifest("2", "1") + "  new: {exec: [/bin/sleep, \"3\"], instances: 0}\n",
        );
        let fleetctl = Fleetctl::new(release);
        submit(server.endpoint(), &fleetctl, folder, "")
            .stderr(
                "warning: fleet 0.11.8 never replaces a text: 1 unit must be deleted and stored again\n",
            )
            .stdout(format!(
                "\
created    new-worker@.service  services.yaml:4:3
replaced   hub-worker@.service  services.yaml:2:3
{STALE}unit files: 1 created, 1 replaced, 1 equal
"
            ))
            .run();
        has(&server, "hub-worker@.service", "2", "inactive");
        has(&server, "hub-worker@1.service", "1", "launched");
        let verbs: Vec<String> = fleetctl
            .calls()
            .iter()
            .map(|call| {
                let words = call
                    .split(' ')
                    .filter(|word| !word.starts_with("--endpoint"));
                words.take(1).collect()
            })
            .collect();
        assert_eq!(verbs, ["submit", "destroy", "submit"]);
    }
}

#[test]
fn what_is_equal_is_not_written_and_takes_one_listing() {
    for way in ["api", "fleetctl"] {
        let server = FleetServer::start();
        let folder = Test::new().manifest(&manifest("1", "1")).into_folder();
        let folder = deliver(server.endpoint(), folder);
        server.requests();
        let fleetctl = Fleetctl::new(Release::Current);
        submit(
            server.endpoint(),
            &fleetctl,
            folder,
            &format!("--via {way}"),
        )
        .stdout("unit files: 2 equal\n")
        .run();
        assert_eq!(server.requests(), ["GET /fleet/v1/units"]);
        assert!(fleetctl.calls().is_empty());
    }
}

#[test]
fn many_units_take_few_calls() {
    let server = FleetServer::start();
    server.pace(Pace::ByHand);
    let apps = |command: &str| {
        let app =
            |number| format!("  a{number}: {{exec: [/bin/sleep, \"{command}\"], instances: 0}}\n");
        let apps: String = (100..500).map(app).collect();
        format!("apps:\n{apps}")
    };
    let folder = Test::new().manifest(&apps("1")).into_folder();
    let folder = deliver(server.endpoint(), folder);
    folder.write("services.yaml", apps("2"));
    let fleetctl = Fleetctl::new(Release::Current);
    let test = submit(server.endpoint(), &fleetctl, folder, "");
    let output = test.output();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(shown.lines().last(), Some("unit files: 400 replaced"));
    assert_eq!(shown.lines().count(), 401);
    let calls = fleetctl.calls();
    let submits = calls
        .iter()
        .filter(|call| call.contains(" submit --replace "));
    assert_eq!((calls.len(), submits.count()), (2, 2));
    submit(server.endpoint(), &fleetctl, test.into_folder(), "")
        .stdout("unit files: 400 equal\n")
        .run();
}
