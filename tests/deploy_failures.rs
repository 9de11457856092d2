//! `unitgen deploy` while something goes wrong on the machines: the first failure ends it, the rest serves
//! on, and what is told is why.

use crate::deploy::app;
use crate::deploy_run::{Scene, at_once, same};
use crate::fleet_server::Fate;

pub(crate) const TWO: &str = "instances: 2";

/// Returns a scene in which one text runs, and another is to.
pub(crate) fn stale(rest: &str) -> Scene {
    let scene = Scene::new(&app(1, rest));
    scene.does("deploy");
    scene.manifest(&app(2, rest));
    scene
}

/// Says what becomes of whatever has the new text.
pub(crate) fn fate(scene: &Scene, fate: Fate) {
    scene
        .server
        .world(|world| world.fate("hub-*", "/bin/sleep 2", fate));
}

#[test]
fn what_fails_ends_it_and_the_rest_serves_on() {
    let scene = stale(TWO);
    fate(&scene, Fate::fails());
    scene.run("deploy").is(
        4,
        "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
failed     hub-worker@1.service  to replace
  hub-worker@1.service: it failed on aaaa0001: failed/failed
  fleet: told launched, is launched
  systemd: failed/failed on aaaa0001
  `fleetctl journal hub-worker@1.service` shows what it said
hub/worker: 1 failed, 1 not tried
deploy: not done, after T; another run goes on from here
",
        "stopped: the rest is left as it is\n",
    );
    same(
        &scene.changes(),
        &["PUT hub-worker@.service", "PUT hub-worker@1.service"],
    );
    same(
        &scene.units(),
        &[
            "hub-worker@.service sleep 2 inactive",
            "hub-worker@1.service sleep 2 launched failed/failed on aaaa0001",
            "hub-worker@2.service sleep 1 launched active/running on aaaa0002",
        ],
    );
    // Once it is mended it is begun with what failed.
    fate(&scene, Fate::runs());
    scene.run("deploy --dry-run").is(
        0,
        "\
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
  restart  hub-worker@1.service  failed, failed/failed
  replace  hub-worker@2.service  stale
1 to replace, 1 to restart
",
        "",
    );
    scene.run("deploy").is(
        0,
        "\
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
restarted  hub-worker@1.service  on aaaa0001  T
replaced   hub-worker@2.service  on aaaa0002  T
hub/worker: 1 replaced, 1 restarted
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
fn so_many_may_fail_as_are_allowed() {
    let scene = stale("instances: 3");
    fate(&scene, Fate::fails());
    scene.run("deploy --max-failures 1").is(
        4,
        "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  3 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
failed     hub-worker@1.service  to replace
  hub-worker@1.service: it failed on aaaa0001: failed/failed
  fleet: told launched, is launched
  systemd: failed/failed on aaaa0001
  `fleetctl journal hub-worker@1.service` shows what it said
failed     hub-worker@2.service  to replace
  hub-worker@2.service: it failed on aaaa0002: failed/failed
  fleet: told launched, is launched
  systemd: failed/failed on aaaa0002
  `fleetctl journal hub-worker@2.service` shows what it said
hub/worker: 2 failed, 1 not tried
deploy: not done, after T; another run goes on from here
",
        "stopped: the rest is left as it is\n",
    );
    same(
        &scene.units(),
        &[
            "hub-worker@.service sleep 2 inactive",
            "hub-worker@1.service sleep 2 launched failed/failed on aaaa0001",
            "hub-worker@2.service sleep 2 launched failed/failed on aaaa0002",
            "hub-worker@3.service sleep 1 launched active/running on aaaa0003",
        ],
    );
    let scene = Scene::new(&app(1, "instances: 3"));
    scene.server.world(|world| {
        world.fate("hub-worker@1.service", "", Fate::fails());
        world.fate("hub-worker@2.service", "", Fate::fails());
    });
    scene.run("deploy").is(
        4,
        "\
created    hub-worker@.service  services.yaml:2:3
hub/worker  3 instances, 0 alive at least, 3 at most; each up for 0 s within 25 min
failed     hub-worker@1.service  to start
  hub-worker@1.service: it failed on aaaa0001: failed/failed
  fleet: told launched, is launched
  systemd: failed/failed on aaaa0001
  `fleetctl journal hub-worker@1.service` shows what it said
failed     hub-worker@2.service  to start
  hub-worker@2.service: it failed on aaaa0002: failed/failed
  fleet: told launched, is launched
  systemd: failed/failed on aaaa0002
  `fleetctl journal hub-worker@2.service` shows what it said
started    hub-worker@3.service  on aaaa0003  T
hub/worker: 1 started, 2 failed
deploy: not done, after T; another run goes on from here
",
        "stopped: the rest is left as it is\n",
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "it states whole outputs")]
fn what_does_not_stay_up_is_noticed() {
    at_once(&[
        || {
            let scene = stale(TWO);
            fate(&scene, Fate::crashes(1, 1));
            scene.run("deploy --ready-secs 3").is(4, "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 3 s within 25 min
failed     hub-worker@1.service  to replace
  hub-worker@1.service: it ended by itself 3 times on aaaa0001, and systemd starts it again and again
  fleet: told launched, is launched
  systemd: activating/auto-restart on aaaa0001
  `fleetctl journal hub-worker@1.service` shows what it said
hub/worker: 1 failed, 1 not tried
deploy: not done, after T; another run goes on from here
", "stopped: the rest is left as it is\n");
        },
        || {
            let scene = stale(TWO);
            fate(&scene, Fate::fails_after(1));
            scene.run("deploy --ready-secs 2").is(
                4,
                "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 2 s within 25 min
failed     hub-worker@1.service  to replace
  hub-worker@1.service: it failed on aaaa0001: failed/failed
  fleet: told launched, is launched
  systemd: failed/failed on aaaa0001
  `fleetctl journal hub-worker@1.service` shows what it said
hub/worker: 1 failed, 1 not tried
deploy: not done, after T; another run goes on from here
",
                "stopped: the rest is left as it is\n",
            );
        },
        || {
            let scene = stale(TWO);
            fate(&scene, Fate::hangs());
            scene.run("deploy --timeout 1s").is(
                4,
                "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 1 s
failed     hub-worker@1.service  to replace
  hub-worker@1.service: after T it is not up
  fleet: told launched, is launched
  systemd: activating/start-pre on aaaa0001
  `fleetctl journal hub-worker@1.service` shows what it said
hub/worker: 1 failed, 1 not tried
deploy: not done, after T; another run goes on from here
",
                "stopped: the rest is left as it is\n",
            );
            same(
                &scene.units(),
                &[
                    "hub-worker@.service sleep 2 inactive",
                    "hub-worker@1.service sleep 2 launched activating/start-pre on aaaa0001",
                    "hub-worker@2.service sleep 1 launched active/running on aaaa0002",
                ],
            );
        },
        || {
            let scene = stale(TWO);
            fate(&scene, Fate::is_not_loaded("not-found"));
            scene.run("deploy").is(
                4,
                "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
failed     hub-worker@1.service  to replace
  hub-worker@1.service: systemd on aaaa0001 can't load it: not-found
  fleet: told launched, is launched
  systemd: inactive/dead on aaaa0001
  `fleetctl journal hub-worker@1.service` shows what it said
hub/worker: 1 failed, 1 not tried
deploy: not done, after T; another run goes on from here
",
                "stopped: the rest is left as it is\n",
            );
        },
        || {
            let scene = stale(TWO);
            fate(&scene, Fate::runs_after_crashes(1, 1, 1));
            scene.run("deploy --ready-secs 2").is(
                0,
                "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 2 s within 25 min
replaced   hub-worker@1.service  on aaaa0001  T
replaced   hub-worker@2.service  on aaaa0002  T
hub/worker: 2 replaced
deploy: done in T
",
                "",
            );
        },
        || {
            let scene = stale(TWO);
            fate(&scene, Fate::runs_after(1));
            scene.run("deploy").is(
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
        },
    ]);
}
