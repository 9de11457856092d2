//! `unitgen deploy` of each kind of process: plain units, jobs with timers, what is announced, and what runs on
//! every machine.

use crate::deploy::app;
use crate::deploy_run::{Scene, same};
use crate::fleet_server::Fate;

const GLOBAL: &str = "X-Fleet: {Global: true}";

#[test]
fn a_plain_unit_is_replaced_where_it_is() {
    let scene = Scene::new(&app(1, "unit: hub"));
    scene.run("deploy").is(
        0,
        "\
created    hub.service  services.yaml:2:3
hub/worker  1 instance, 0 alive at least, 1 at most; each up for 0 s within 25 min
started    hub.service  on aaaa0001  T
hub/worker: 1 started
deploy: done in T
",
        "",
    );
    scene.manifest(&app(2, "unit: hub"));
    scene.run("deploy --min-alive 1").is(5, "", "\
error: hub/worker: 1 instance, 1 alive, each replaced where it is: one must stop before it can start; --min-alive 1 is impossible
  help: allow less: `--min-alive 0`, or `min_alive: 0` under `deploy`
nothing was done
");
    same(&scene.changes(), &["PUT hub.service", "PUT hub.service"]);
    scene.run("deploy").is(
        0,
        "\
hub/worker  1 instance, 0 alive at least, 1 at most; each up for 0 s within 25 min
replaced   hub.service  on aaaa0001  T
hub/worker: 1 replaced
deploy: done in T
",
        "",
    );
    same(&scene.changes(), &["PUT hub.service"]);
    same(
        &scene.units(),
        &["hub.service sleep 2 launched active/running on aaaa0001"],
    );
    scene
        .run("deploy")
        .is(0, "nothing to do: all is as it should be\n", "");
}

#[test]
fn a_job_at_work_is_waited_for() {
    let task = |command| app(command, "schedule: \"*-*-* 03:00:00\"");
    let scene = Scene::new(&task(1));
    scene.run("deploy").is(
        0,
        "\
created    hub-worker@.service  services.yaml:2:3
created    hub-worker@.timer  services.yaml:2:69
hub/worker  each up for 0 s within 25 min
started    hub-worker@1.service  on aaaa0001  T
hub/worker: 1 started
deploy: done in T
",
        "",
    );
    let fresh = scene.units();
    same(
        &fresh,
        &[
            "hub-worker@.service sleep 1 inactive",
            "hub-worker@.timer  inactive",
            "hub-worker@1.service sleep 1 loaded inactive/dead on aaaa0001",
            "hub-worker@1.timer  launched active/waiting on aaaa0001",
        ],
    );
    scene.changes();
    scene.server.world(|world| {
        world.fate("hub-worker@1.service", "", Fate::ends_after(1));
        world.start(0, "hub-worker@1.service");
    });
    scene.manifest(&task(2));
    scene.run("deploy --dry-run").is(
        0,
        "\
\x20 replace  hub-worker@.service  changed  services.yaml:2:3
hub/worker  each up for 0 s within 25 min
  replace  hub-worker@1.service  stale
1 unit file to change, 1 to replace
",
        "",
    );
    scene.run("deploy").is(
        0,
        "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  each up for 0 s within 25 min
replaced   hub-worker@1.service  on aaaa0001  T
hub/worker: 1 replaced
deploy: done in T
",
        "",
    );
    same(
        &scene.changes(),
        &["PUT hub-worker@.service", "PUT hub-worker@1.service"],
    );
    same(
        &scene.units(),
        &[
            "hub-worker@.service sleep 2 inactive",
            "hub-worker@.timer  inactive",
            "hub-worker@1.service sleep 2 loaded inactive/dead on aaaa0001",
            "hub-worker@1.timer  launched active/waiting on aaaa0001",
        ],
    );
    same(
        &scene.became(0, "hub-worker@1.service"),
        &[
            "inactive/dead",
            "activating/start",
            "inactive/dead",
            "gone",
            "inactive/dead",
        ],
    );
    scene
        .run("deploy")
        .is(0, "nothing to do: all is as it should be\n", "");
    // One that takes longer than it may is left to do its work.
    scene.server.world(|world| {
        world.fate("hub-worker@1.service", "", Fate::ends_after(60));
        world.start(0, "hub-worker@1.service");
    });
    scene.manifest(&task(3));
    scene.run("deploy --timeout 1s").is(
        4,
        "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  each up for 0 s within 1 s
failed     hub-worker@1.service  to replace
  hub-worker@1.service: after T its job is still at work
  fleet: told loaded, is loaded
  systemd: activating/start on aaaa0001
  `fleetctl journal hub-worker@1.service` shows what it said
hub/worker: 1 failed
deploy: not done, after T; another run goes on from here
",
        "stopped: the rest is left as it is\n",
    );
    same(&scene.changes(), &["PUT hub-worker@.service"]);
}

#[test]
fn what_announces_a_process_starts_behind_it_and_stops_before_it() {
    let announced = |command, instances: u32| {
        let rest = format!("instances: {instances}, announce: {{host: h, port: 5000}}");
        app(command, &rest)
    };
    let scene = Scene::new(&announced(1, 2));
    scene.run("deploy").is(
        0,
        "\
created    hub-worker-announce@.service  services.yaml:2:83
created    hub-worker@.service  services.yaml:2:3
hub/worker  2 instances, 0 alive at least, 2 at most; each up for 0 s within 25 min
started    hub-worker@1.service  on aaaa0001  T
started    hub-worker@2.service  on aaaa0002  T
hub/worker: 2 started
deploy: done in T
",
        "",
    );
    same(
        &scene.changes(),
        &[
            "PUT hub-worker-announce@.service",
            "PUT hub-worker@.service",
            "PUT hub-worker@1.service",
            "PUT hub-worker-announce@1.service",
            "PUT hub-worker@2.service",
            "PUT hub-worker-announce@2.service",
        ],
    );
    scene.manifest(&announced(2, 1));
    scene.run("deploy").is(
        0,
        "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  1 instance, 1 alive at least, 2 at most; each up for 0 s within 25 min
replaced   hub-worker@1.service  on aaaa0001  T
stopped    hub-worker@2.service  on aaaa0002  T
destroyed  hub-worker@2.service  T
hub/worker: 1 replaced, 1 stopped, 1 destroyed
deploy: done in T
",
        "",
    );
    same(
        &scene.changes(),
        &[
            "PUT hub-worker@.service",
            "PUT hub-worker@1.service",
            "PUT hub-worker-announce@2.service",
            "PUT hub-worker@2.service",
            "PUT hub-worker-announce@2.service",
            "PUT hub-worker@2.service",
            "DELETE hub-worker-announce@2.service",
            "DELETE hub-worker@2.service",
        ],
    );
    same(
        &scene.units(),
        &[
            "hub-worker-announce@.service ExecStart=/opt/bin/unitgen env announce --key /announce/hub/worker/%i --value h:5000 --ttl 60 inactive",
            "hub-worker-announce@1.service ExecStart=/opt/bin/unitgen env announce --key /announce/hub/worker/%i --value h:5000 --ttl 60 launched active/running on aaaa0001",
            "hub-worker@.service sleep 2 inactive",
            "hub-worker@1.service sleep 2 launched active/running on aaaa0001",
        ],
    );
    scene
        .run("deploy")
        .is(0, "nothing to do: all is as it should be\n", "");
}

#[test]
fn what_runs_on_every_machine_is_replaced_only_where_that_is_meant() {
    let scene = Scene::new(&app(1, GLOBAL));
    scene.run("deploy").is(
        0,
        "\
created    hub-worker@.service  services.yaml:2:3
hub/worker  on all machines at once; each up for 0 s within 25 min
started    hub-worker@global.service  on aaaa0001, aaaa0002, aaaa0003  T
hub/worker: 1 started
deploy: done in T
",
        "",
    );
    scene.manifest(&app(2, GLOBAL));
    scene.run("deploy").is(
        5,
        "",
        "\
error: hub/worker runs on every machine, and all of it would be replaced at once

help: nothing was done; where that is meant say `--yes-global`
",
    );
    scene.changes();
    scene.run("deploy --yes-global --dry-run").is(
        0,
        "\
\x20 replace  hub-worker@.service  changed  services.yaml:2:3
hub/worker  on all machines at once; each up for 0 s within 25 min
  replace  hub-worker@global.service  stale
1 unit file to change, 1 to replace
",
        "",
    );
    scene.run("deploy --yes-global").is(
        0,
        "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  on all machines at once; each up for 0 s within 25 min
replaced   hub-worker@global.service  on aaaa0001, aaaa0002, aaaa0003  T
hub/worker: 1 replaced
deploy: done in T
",
        "",
    );
    same(
        &scene.changes(),
        &["PUT hub-worker@.service", "PUT hub-worker@global.service"],
    );
    same(
        &scene.units(),
        &[
            "hub-worker@.service sleep 2 inactive",
            "hub-worker@global.service sleep 2 launched active/running on aaaa0001 active/running on aaaa0002 active/running on aaaa0003",
        ],
    );
    scene
        .run("deploy")
        .is(0, "nothing to do: all is as it should be\n", "");
}
