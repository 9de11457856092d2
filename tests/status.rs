//! `unitgen status`, end to end.

use crate::delivery::{deliver, put_unit};
use crate::fleet_server::FleetServer;
use crate::test::{Folder, Test};

const MANIFEST: &str = "\
apps:
  hub:
    processes:
      http: {exec: [/bin/http], conflicts: self, instances: 2}
      clock: {exec: [/bin/clock], X-Fleet: {MachineMetadata: [role=worker]}}
  nightly:
    exec: [/bin/true]
    schedule: \"*-*-* 03:00:00\"
";

fn delivered(manifest: &str) -> (FleetServer, Folder) {
    let server = FleetServer::start();
    let folder = Test::new().manifest(manifest).into_folder();
    let folder = deliver(server.endpoint(), folder);
    server.requests();
    (server, folder)
}

fn status(server: &FleetServer, folder: Folder, arguments: &str) -> Test {
    Test::within(folder).args(&format!(
        "status --endpoint {} {arguments}",
        server.endpoint()
    ))
}

#[test]
fn all_is_as_it_should_be() {
    let (server, folder) = delivered(MANIFEST);
    let folder = status(&server, folder, "")
        .stdout(
            "\
APP      PROCESS  VERSION  INSTANCE                  WANTED    STATE             MACHINE   TEXT
hub      clock    -        hub-clock@1.service       launched  active (running)  aaaa0002  equal
hub      http     -        hub-http@1.service        launched  active (running)  aaaa0001  equal
hub      http     -        hub-http@2.service        launched  active (running)  aaaa0003  equal
nightly  worker   -        nightly-worker@1.service  loaded    inactive (dead)   aaaa0001  equal
nightly  worker   -        nightly-worker@1.timer    launched  active (waiting)  aaaa0001  equal
5 instances, all as they should be
",
        )
        .run();
    status(&server, folder, "nightly")
        .stdout(
            "\
APP      PROCESS  VERSION  INSTANCE                  WANTED    STATE             MACHINE   TEXT
nightly  worker   -        nightly-worker@1.service  loaded    inactive (dead)   aaaa0001  equal
nightly  worker   -        nightly-worker@1.timer    launched  active (waiting)  aaaa0001  equal
2 instances, all as they should be
",
        )
        .run();
}

#[test]
fn what_is_not_has_its_reason() {
    let (server, folder) = delivered(MANIFEST);
    folder.write(
        "services.yaml",
        MANIFEST
            .replace("instances: 2", "instances: 5")
            .replace("/bin/clock]", "/bin/clock, x]"),
    );
    server.world(|world| {
        "inactive".clone_into(
            &mut world
                .units
                .get_mut("nightly-worker@1.timer")
                .unwrap()
                .target,
        );
        for host in &mut world.hosts {
            if let Some(running) = host.units.get_mut("hub-http@1.service") {
                "failed".clone_into(&mut running.active);
                "failed".clone_into(&mut running.sub);
            }
            if let Some(running) = host.units.get_mut("hub-http@2.service") {
                "activating".clone_into(&mut running.active);
                "auto-restart".clone_into(&mut running.sub);
            }
        }
    });
    let text = folder.read("services.yaml");
    let old = "[Service]\nExecStart=/bin/old\n\n[X-Unitgen]\nApp=hub\nProcess=old\n";
    put_unit(server.endpoint(), "hub-old@7.service", old, "launched");
    let three = Test::within(folder).args("render -o - --format json");
    let output = three.output();
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let unit = value["units"]
        .as_array()
        .unwrap()
        .iter()
        .find(|unit| unit["name"] == "hub-http@.service");
    let http = unit.unwrap()["text"].as_str().unwrap().to_owned();
    for slot in 3..5 {
        put_unit(
            server.endpoint(),
            &format!("hub-http@{slot}.service"),
            &http,
            "launched",
        );
    }
    assert!(text.contains("instances: 5"));
    status(&server, three.into_folder(), "")
        .status(1)
        .stdout(
            "\
APP      PROCESS  VERSION  INSTANCE                  WANTED    STATE                      MACHINE   TEXT
hub      clock    -        hub-clock@1.service       launched  active (running)           aaaa0002  stale
hub      http     -        hub-http@1.service        launched  failed                     aaaa0001  equal
  ! it failed; `fleetctl journal` shows its last words
hub      http     -        hub-http@2.service        launched  activating (auto-restart)  aaaa0003  equal
  ! it ends again and again; `fleetctl journal` shows its last words
hub      http     -        hub-http@3.service        launched  active (running)           aaaa0002  equal
hub      http     -        hub-http@4.service        launched  -                          -         equal
  ! no machine has it: all 3 eligible machines are taken by units that it conflicts with: `hub-http@1.service` on aaaa0001, `hub-http@3.service` on aaaa0002, `hub-http@2.service` on aaaa0003
hub      http     -        hub-http@5.service        launched  -                          -         none
  ! fleet does not have it, and no machine could take it: all 3 eligible machines are taken by units that it conflicts with: `hub-http@1.service` on aaaa0001, `hub-http@3.service` on aaaa0002, `hub-http@2.service` on aaaa0003
nightly  worker   -        nightly-worker@1.service  loaded    inactive (dead)            aaaa0001  equal
nightly  worker   -        nightly-worker@1.timer    launched  -                          -         equal
  ! fleet was told that it is to be inactive
hub      old      -        hub-old@7.service         -         active (running)           aaaa0002  none
  ! the manifest does not want it
9 instances, 7 not as they should be
",
        )
        .run();
}

#[test]
fn programs_get_one_json_value() {
    let (server, folder) = delivered("apps:\n  a: {exec: [/bin/a], unit: a}\n");
    status(&server, folder, "--format json")
        .stdout(
            r#"{
  "format_version": 1,
  "instances": [
    {
      "app": "a",
      "machine": "aaaa0001000000000000000000000001",
      "name": "a.service",
      "process": "worker",
      "reasons": [],
      "state": {
        "active": "active",
        "hash": "881388ce7ab4683e71730c58ebb74ee3217eb6c0",
        "load": "loaded",
        "sub": "running"
      },
      "text": "equal",
      "told": "launched",
      "version": null,
      "wanted": "launched"
    }
  ]
}
"#,
        )
        .run();
}
