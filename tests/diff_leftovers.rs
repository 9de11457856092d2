//! What a cluster has that nobody wants, what should run and does not, and what a change leaves nowhere.
//! On a server of the test's own.

use crate::delivery::put_unit;
use crate::diff_fleet::{HUB, against, running, running_hub};
use crate::fleet_server::{FleetServer, Kind};
use crate::test::Test;

const MARKED: &str = "[Service]\nExecStart=/bin/old\n\n[X-Unitgen]\nApp=hub\nProcess=old\n";

#[test]
fn what_is_left_of_one_app_and_runs_is_found_by_its_name() {
    let (server, folder) = running_hub();
    put_unit(server.endpoint(), "left@.service", MARKED, "inactive");
    put_unit(server.endpoint(), "left@1.service", MARKED, "launched");
    let other = MARKED.replace("App=hub", "App=other");
    put_unit(server.endpoint(), "other.service", &other, "launched");
    let hand = "[Service]\nEnvironment=APPLICATION=hub\nExecStart=/bin/true\n";
    put_unit(server.endpoint(), "hand.service", hand, "launched");
    against(&server, folder, "hub")
        .status(1)
        .stdout(
            "\
unwanted   left@.service
  of app `hub`, to which the manifest gives no such unit
  stops 1 instance
  - left@1.service  unwanted, is launched, on aaaa0003

foreign    hand.service
  of app `hub`, without unitgen's mark: left alone

units: 1 unwanted, 1 equal; instances: 1 unwanted, 2 equal; 1 not unitgen's
",
        )
        .run();
}

#[test]
fn instances_without_a_mark_are_not_unitgens() {
    let (server, folder) = running_hub();
    let hand = "[Service]\nExecStart=/bin/true\n";
    put_unit(
        server.endpoint(),
        "hub-worker@hand.service",
        hand,
        "launched",
    );
    against(&server, folder, "")
        .stdout(
            "foreign    hub-worker@hand.service\n  of app `hub`, without unitgen's mark: left \
             alone\n\nnothing differs: 1 unit, 2 instances; 1 not unitgen's\n",
        )
        .run();
}

#[test]
fn a_unit_that_another_app_wants_is_not_destroyed() {
    let manifest = "apps:\n  a: {exec: [/bin/a], instances: 0}\n  b: {exec: [/bin/b], unit: edge@, instances: 0}\n";
    let (server, folder) = running(manifest);
    let moved = MARKED.replace("App=hub", "App=a");
    put_unit(server.endpoint(), "edge@.service", &moved, "inactive");
    against(&server, folder, "a --out plan.json")
        .stdout("nothing differs: 1 unit, 0 instances\n")
        .stderr("saved the plan `plan.json`: 0 steps\n")
        .run();
}

#[test]
fn what_should_run_and_does_not_is_told() {
    let (server, folder) = running_hub();
    let set = |active: &str, sub: &str| {
        server.world(|world| {
            let mut hosts = world.hosts.iter_mut();
            let running = hosts.find_map(|host| host.units.get_mut("hub-worker@v1-1.service"));
            let running = running.unwrap();
            active.clone_into(&mut running.active);
            sub.clone_into(&mut running.sub);
        });
    };
    let mut folder = folder;
    for (active, sub, told) in [
        ("inactive", "dead", "inactive (dead)"),
        ("activating", "auto-restart", "activating (auto-restart)"),
    ] {
        set(active, sub);
        folder = against(&server, folder, "")
            .status(1)
            .stdout(format!(
                "instances  hub-worker@.service  services.yaml:2:3\n  ! hub-worker@v1-1.service  {told} on \
                 aaaa0001, should run\n\nunits: 1 equal; instances: 1 down, 1 equal\n"
            ))
            .run();
    }
}

#[test]
fn a_change_that_leaves_instances_nowhere_says_so() {
    let (server, folder) = running_hub();
    let manifest = HUB.replace("conflicts: self", "X-Fleet: {MachineMetadata: [role=db]}");
    folder.write("services.yaml", manifest);
    against(&server, folder, "")
        .status(1)
        .stdout(
            "\
changed    hub-worker@.service  services.yaml:4:33
  stops 2 instances
  [X-Fleet]
  - Conflicts=%p@*.service
  + MachineMetadata=role=db

unplaced   2 instances  services.yaml:5:16
  no machine has the metadata `role=db`
    hub-worker@v1-1.service
    hub-worker@v1-2.service

units: 1 changed; instances: 2 stale; 2 instances can't be placed
",
        )
        .run();
}

#[test]
fn a_plain_unit_that_was_launched_is_held_back_whatever_came_of_it() {
    let manifest = "apps:\n  edge: {unit: edge, exec: [/bin/sleep, \"1\"]}\n";
    let (server, folder) = running(manifest);
    server.world(|world| {
        let running = world
            .hosts
            .iter_mut()
            .find_map(|host| host.units.get_mut("edge.service"));
        "failed".clone_into(&mut running.unwrap().active);
    });
    folder.write("services.yaml", manifest.replace("\"1\"", "\"2\""));
    let folder = against(&server, folder, "--stat --out plan.json")
        .status(1)
        .stdout("changed    edge.service  +1 -1    starts 1 instance\nunits: 1 changed; instances: 1 failed\n")
        .stderr("saved the plan `plan.json`: 0 steps; held back, as fleet was told to load or run: 1 unit\n")
        .run();
    assert!(
        folder
            .read("plan.json")
            .contains("\"held\": [\n    \"edge.service\"\n  ]")
    );
}

#[test]
fn an_old_fleet_is_warned_of() {
    let server = FleetServer::start_kind(Kind::Old);
    let manifest = "apps:\n  a: {exec: [/bin/a], instances: 0}\n";
    let folder = Test::new().manifest(manifest).into_folder();
    let old = MARKED
        .replace("App=hub", "App=a")
        .replace("Process=old", "Process=worker");
    put_unit(server.endpoint(), "a-worker@.service", &old, "inactive");
    against(&server, folder, "--name-only")
        .status(1)
        .stdout("a-worker@.service\n")
        .stderr(
            "warning: fleet 0.11.8 never replaces the text of a unit that it has: it has to be deleted \
             first\n",
        )
        .run();
}

#[test]
fn names_are_no_commands_of_workflows() {
    let (server, folder) = running_hub();
    let marked = MARKED.replace("Process=old", "Process=##[error]x");
    put_unit(
        server.endpoint(),
        "::warning::x@1.service",
        &marked,
        "launched",
    );
    against(&server, folder, "--name-only")
        .status(1)
        .stdout("\u{fffd}:warning::x@1.service\n")
        .run();
}

#[test]
fn an_app_that_is_gone_can_be_named() {
    let (server, folder) = running_hub();
    let gone = MARKED.replace("App=hub", "App=gone");
    put_unit(server.endpoint(), "gone-worker@.service", &gone, "inactive");
    let folder = against(&server, folder, "gone --stat")
        .status(1)
        .stdout("unwanted   gone-worker@.service           no running instance is touched\nunits: 1 unwanted\n")
        .run();
    against(&server, folder, "hug")
        .status(2)
        .stderr("error: there is no app `hug`\n\nhelp: did you mean `hub`?\n")
        .run();
}

#[test]
fn an_instance_without_a_mark_is_unitgens_where_it_is_a_copy() {
    let manifest = |instances: u8| {
        format!(
            "apps:\n  a:\n    template: verbatim\n    unit: a@\n    instances: {instances}\n    text: \"[Service]\\nExecStart=/bin/a\"\n"
        )
    };
    let (server, folder) = running(&manifest(2));
    folder.write("services.yaml", manifest(1));
    against(&server, folder, "")
        .status(1)
        .stdout(
            "instances  a@.service  services.yaml:2:3\n  stops 1 instance\n  - a@2.service  unwanted, is \
             launched, on aaaa0002\n\nunits: 1 equal; instances: 1 unwanted, 1 equal\n",
        )
        .run();
}
