//! `unitgen deploy` while something goes wrong on the way to fleet: it asks again, ends in a clean way where
//! somebody wants an end, and goes on from there.

use std::thread;
use std::time::Duration;

use crate::deploy::app;
use crate::deploy_failures::{TWO, stale};
use crate::deploy_run::{Scene, same};
use crate::fleet_server::{Fate, Fault, Kind};
use crate::submit_faults_scene::try_all;

#[test]
fn a_signal_lets_the_step_at_hand_come_to_its_end() {
    try_all(&["TERM", "HUP"], |signal| {
        let scene = stale("instances: 3");
        scene
            .server
            .world(|world| world.fate("hub-*", "/bin/sleep 2", Fate::runs_after(1)));
        let running = scene.begin("deploy");
        scene.wait("replaced", |world| {
            world.units["hub-worker@1.service"]
                .raw
                .contains("/bin/sleep 2")
        });
        running.signal(signal);
        running.end().is(
            4,
            "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  3 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
replaced   hub-worker@1.service  on aaaa0001  T
hub/worker: 1 replaced, 2 not tried
deploy: not done, after T; another run goes on from here
",
            "interrupted: another run goes on from here\n",
        );
        same(
            &scene.units(),
            &[
                "hub-worker@.service sleep 2 inactive",
                "hub-worker@1.service sleep 2 launched active/running on aaaa0001",
                "hub-worker@2.service sleep 1 launched active/running on aaaa0002",
                "hub-worker@3.service sleep 1 launched active/running on aaaa0003",
            ],
        );
        scene.run("deploy --dry-run").is(
            0,
            "\
hub/worker  3 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
  wait     hub-worker@1.service  unproven
  replace  hub-worker@2.service  stale
  replace  hub-worker@3.service  stale
2 to replace, 1 to wait for
",
            "",
        );
        scene
            .server
            .world(|world| world.fate("hub-*", "", Fate::runs()));
        scene.run("deploy").is(
            0,
            "\
hub/worker  3 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
up         hub-worker@1.service  on aaaa0001  T
replaced   hub-worker@2.service  on aaaa0002  T
replaced   hub-worker@3.service  on aaaa0003  T
hub/worker: 2 replaced, 1 up
deploy: done in T
",
            "",
        );
        Ok(())
    });
}

#[test]
fn a_second_signal_ends_it_at_once_and_another_run_goes_on() {
    let scene = stale(TWO);
    scene
        .server
        .world(|world| world.fate("hub-worker@1.service", "/bin/sleep 2", Fate::runs_after(2)));
    let running = scene.begin("deploy");
    scene.wait("replaced", |world| {
        world.units["hub-worker@1.service"]
            .raw
            .contains("/bin/sleep 2")
    });
    running.signal("TERM");
    thread::sleep(Duration::from_millis(100));
    running.signal("TERM");
    let told = running.end();
    assert_eq!(told.status, Some(128 + 15), "{told:?}");
    scene.run("deploy").is(
        0,
        "\
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
up         hub-worker@1.service  on aaaa0001  T
replaced   hub-worker@2.service  on aaaa0002  T
hub/worker: 1 replaced, 1 up
deploy: done in T
",
        "",
    );
    same(
        &scene.units(),
        &[
            "hub-worker@.service sleep 2 inactive",
            "hub-worker@1.service sleep 2 launched active/running on aaaa0001",
            "hub-worker@2.service sleep 2 launched active/running on aaaa0002",
        ],
    );
}

#[test]
fn a_server_that_comes_back_is_waited_for() {
    let scene = stale(TWO);
    scene.server.die(10);
    let running = scene.begin("deploy");
    thread::sleep(Duration::from_secs(1));
    scene.server.mend();
    running.end().is(
        0,
        "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
replaced   hub-worker@1.service  on aaaa0001  T
replaced   hub-worker@2.service  on aaaa0002  T
hub/worker: 2 replaced
deploy: done in T
",
        "",
    );
    same(
        &scene.units(),
        &[
            "hub-worker@.service sleep 2 inactive",
            "hub-worker@1.service sleep 2 launched active/running on aaaa0001",
            "hub-worker@2.service sleep 2 launched active/running on aaaa0002",
        ],
    );
}

#[test]
fn each_request_may_go_wrong_once() {
    let scene = stale(TWO);
    scene.server.requests();
    scene.run("deploy");
    let requests = scene.server.requests().len();
    // Before anything is changed it ends; that is told as by any command that reads.
    let cases: Vec<usize> = (4..=requests).collect();
    try_all(&cases, |number| {
        let scene = stale(TWO);
        let fault = match number % 3 {
            0 => Fault::Status(500),
            1 => Fault::HangUp,
            _ => Fault::CutOff(30),
        };
        scene.server.fault(*number, fault);
        let told = scene.run("deploy");
        scene.server.mend();
        let units = scene.units();
        let wanted = [
            "hub-worker@.service sleep 2 inactive",
            "hub-worker@1.service sleep 2 launched active/running on aaaa0001",
            "hub-worker@2.service sleep 2 launched active/running on aaaa0002",
        ];
        if told.status == Some(0) && units == wanted {
            Ok(())
        } else {
            Err(format!("{told:#?}\n{units:#?}"))
        }
    });
}

#[test]
fn an_old_fleet_gets_a_new_text_by_a_detour() {
    let scene = Scene::of_kind(Kind::Old, &app(1, TWO));
    scene.run("deploy").is(
        0,
        "\
created    hub-worker@.service  services.yaml:2:3
hub/worker  2 instances, 0 alive at least, 2 at most; each up for 0 s within 25 min
started    hub-worker@1.service  on aaaa0001  T
started    hub-worker@2.service  on aaaa0002  T
hub/worker: 2 started
deploy: done in T
",
        "",
    );
    scene.changes();
    scene.manifest(&app(2, TWO));
    scene.run("deploy").is(0, "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
replaced   hub-worker@1.service  on aaaa0001  T
replaced   hub-worker@2.service  on aaaa0002  T
hub/worker: 2 replaced
deploy: done in T
", "warning: fleet 0.11.8 never replaces the text of a unit that it has: it has to be deleted first\n");
    same(
        &scene.changes(),
        &[
            "DELETE hub-worker@.service",
            "PUT hub-worker@.service",
            "DELETE hub-worker@1.service",
            "PUT hub-worker@1.service",
            "DELETE hub-worker@2.service",
            "PUT hub-worker@2.service",
        ],
    );
    same(
        &scene.units(),
        &[
            "hub-worker@.service sleep 2 inactive",
            "hub-worker@1.service sleep 2 launched active/running on aaaa0001",
            "hub-worker@2.service sleep 2 launched active/running on aaaa0002",
        ],
    );
}
