//! What happens to a cluster while `unitgen deploy` is at work: machines are taken, units are changed, others
//! die.

use std::thread::sleep;
use std::time::Duration;

use crate::deploy::app;
use crate::deploy_failures::{TWO, fate, stale};
use crate::deploy_run::{Scene, same};
use crate::fleet_server::{Fate, Fault};

#[test]
fn what_has_no_place_is_told_with_who_holds_the_machines() {
    let rest = "instances: 3, conflicts: self";
    let rehearsal = Scene::new(&app(1, rest));
    rehearsal.run("deploy");
    let requests = rehearsal.server.requests();
    let put = "PUT /fleet/v1/units/hub-worker@3.service";
    let at = requests.iter().position(|request| request == put).unwrap();
    let scene = Scene::new(&app(1, rest));
    // Somebody takes a machine after all was planned.
    scene.server.fault(
        at + 1,
        Fault::Change(Box::new(|world| {
            let text =
                "[Service]\nExecStart=/bin/other\n\n[X-Fleet]\nConflicts=hub-worker@*.service\n";
            world.create("other.service", text.to_owned(), "launched");
            let machine = world.hosts[2].id.clone();
            world.units.get_mut("other.service").unwrap().machine = Some(machine);
        })),
    );
    scene.run("deploy --timeout 1s").is(4, "\
created    hub-worker@.service  services.yaml:2:3
hub/worker  3 instances, 0 alive at least, 3 at most; each up for 0 s within 1 s
started    hub-worker@1.service  on aaaa0001  T
started    hub-worker@2.service  on aaaa0002  T
failed     hub-worker@3.service  to start
  hub-worker@3.service: no machine has it: all 3 eligible machines are taken by units that it conflicts with: `hub-worker@1.service` on aaaa0001, `hub-worker@2.service` on aaaa0002, `other.service` on aaaa0003
  fleet: told launched, is inactive
  systemd: no machine has it
hub/worker: 2 started, 1 failed
deploy: not done, after T; another run goes on from here
", "stopped: the rest is left as it is\n");
    same(
        &scene.units(),
        &[
            "hub-worker@.service sleep 1 inactive",
            "hub-worker@1.service sleep 1 launched active/running on aaaa0001",
            "hub-worker@2.service sleep 1 launched active/running on aaaa0002",
            "hub-worker@3.service sleep 1 launched",
            "other.service other launched active/running on aaaa0003",
        ],
    );
}

#[test]
fn many_instances_are_looked_at_together() {
    let scene = Scene::new(&app(1, "instances: 60"));
    scene.does("deploy");
    scene.server.world(|world| {
        let old = world.units["hub-worker@7.service"]
            .raw
            .replace("sleep 1", "sleep 9");
        world.create("hub-worker@7.service", old, "launched");
    });
    scene.wait_for("hub-worker@7.service", "sleep 9");
    let told = scene.run("deploy");
    let told: Vec<String> = told.stdout.lines().map(str::to_owned).collect();
    same(
        &[told[0].clone(), told[told.len() - 2].clone()],
        &[
            "hub/worker  60 instances, 59 alive at least, 60 at most; each up for 0 s within 25 min",
            "hub/worker: 1 replaced, 59 up",
        ],
    );
    same(&scene.changes(), &["PUT hub-worker@7.service"]);
}

#[test]
fn what_somebody_else_changes_meanwhile_is_left_to_him() {
    // What the text of an instance was when it was planned is not what it is.
    let scene = stale(TWO);
    scene.server.fault(
        9,
        Fault::Change(Box::new(|world| {
            world.add("hub-worker@1.service", "/bin/mine", "launched");
        })),
    );
    scene.run("deploy").is(
        4,
        "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
failed     hub-worker@1.service  to replace
  hub-worker@1.service: somebody else changed it, or what it is told to do, since it was planned
hub/worker: 1 failed, 1 not tried
deploy: not done, after T; another run goes on from here
",
        "stopped: the rest is left as it is\n",
    );
    same(
        &scene.units(),
        &[
            "hub-worker@.service sleep 2 inactive",
            "hub-worker@1.service mine launched active/running on aaaa0001",
            "hub-worker@2.service sleep 1 launched active/running on aaaa0002",
        ],
    );
    // It is changed while it is waited for.
    let scene = stale(TWO);
    fate(&scene, Fate::runs_after(5));
    let running = scene.begin("deploy");
    scene.wait("replaced", |world| {
        world.units["hub-worker@1.service"]
            .raw
            .contains("/bin/sleep 2")
    });
    // By then it was read back.
    sleep(Duration::from_millis(500));
    scene
        .server
        .world(|world| world.destroy("hub-worker@1.service"));
    running.end().is(
        4,
        "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
failed     hub-worker@1.service  to replace
  hub-worker@1.service: somebody deleted it meanwhile
  systemd: not in the registry
hub/worker: 1 failed, 1 not tried
deploy: not done, after T; another run goes on from here
",
        "stopped: the rest is left as it is\n",
    );
    same(
        &scene.units(),
        &[
            "hub-worker@.service sleep 2 inactive",
            "hub-worker@2.service sleep 1 launched active/running on aaaa0002",
        ],
    );
}

#[test]
fn nothing_is_taken_down_where_too_few_would_serve() {
    let scene = stale("instances: 3");
    let running = {
        fate(&scene, Fate::runs_after(1));
        let running = scene.begin("deploy --timeout 2s");
        scene.wait("replaced", |world| {
            world.units["hub-worker@1.service"]
                .raw
                .contains("/bin/sleep 2")
        });
        running
    };
    // Another one dies meanwhile.
    scene.server.world(|world| {
        let host = world
            .hosts
            .iter()
            .position(|host| host.units.contains_key("hub-worker@3.service"));
        world.stop(host.unwrap(), "hub-worker@3.service");
    });
    running.end().is(
        4,
        "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  3 instances, 2 alive at least, 3 at most; each up for 0 s within 2 s
replaced   hub-worker@1.service  on aaaa0001  T
failed     hub-worker@2.service  to replace
  hub-worker@2.service: 2 serve, and 2 must while it is down; `hub-worker@3.service` does not
hub/worker: 1 replaced, 1 failed, 1 not tried
deploy: not done, after T; another run goes on from here
",
        "stopped: the rest is left as it is\n",
    );
    same(
        &scene.units(),
        &[
            "hub-worker@.service sleep 2 inactive",
            "hub-worker@1.service sleep 2 launched active/running on aaaa0001",
            "hub-worker@2.service sleep 1 launched active/running on aaaa0002",
            "hub-worker@3.service sleep 1 launched inactive/dead on aaaa0003",
        ],
    );
}

#[test]
fn what_is_on_a_dead_machine_is_noticed() {
    let scene = Scene::new(&app(1, "instances: 2"));
    scene.does("deploy");
    scene.server.world(|world| world.kill(0));
    scene.manifest(&app(2, "instances: 2"));
    scene.run("deploy --timeout 1s").is(
        4,
        "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 1 s
failed     hub-worker@1.service  to replace
  hub-worker@1.service: after T it is not up
  fleet: told launched, is launched
  systemd: active/running on aaaa0001, the old text
  `fleetctl journal hub-worker@1.service` shows what it said
hub/worker: 1 failed, 1 not tried
deploy: not done, after T; another run goes on from here
",
        "stopped: the rest is left as it is\n",
    );
}
