//! `unitgen restart`: the same instances once more, one after the other.

use crate::deploy::app;
use crate::deploy_run::{Scene, same};
use crate::fleet_server::Fate;

#[test]
fn instances_are_started_anew_one_after_the_other() {
    let scene = Scene::new(&app(1, "instances: 3"));
    scene.run("restart hub").is(
        2,
        "",
        "\
error: nothing of `hub` runs in the cluster

help: a unit is an app's where it carries unitgen's mark; `unitgen status` shows them
",
    );
    scene.does("deploy");
    let contents = scene.server.world(|world| world.contents.len());
    scene.run("restart hub --dry-run").is(
        0,
        "\
hub/worker  3 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
  restart  hub-worker@1.service  asked
  restart  hub-worker@2.service  asked
  restart  hub-worker@3.service  asked
3 to restart
",
        "",
    );
    scene.run("restart hub --min-alive 3").is(5, "", "\
error: hub/worker: 3 instances, 3 alive, each restarted where it is: one must stop before it can start; --min-alive 3 is impossible
  help: allow less: `--min-alive 2`, or `min_alive: 2` under `deploy`
nothing was done
");
    same(&scene.changes(), &[]);
    let first = scene.history();
    scene.run("restart hub").is(
        0,
        "\
hub/worker  3 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
restarted  hub-worker@1.service  on aaaa0001  T
restarted  hub-worker@2.service  on aaaa0002  T
restarted  hub-worker@3.service  on aaaa0003  T
hub/worker: 3 restarted
restart: done in T
",
        "",
    );
    same(
        &scene.changes(),
        &[
            "PUT hub-worker@1.service",
            "PUT hub-worker@1.service",
            "PUT hub-worker@2.service",
            "PUT hub-worker@2.service",
            "PUT hub-worker@3.service",
            "PUT hub-worker@3.service",
        ],
    );
    assert_eq!(scene.least_since(first, "hub-worker@"), 2);
    assert_eq!(scene.server.world(|world| world.contents.len()), contents);
    same(
        &scene.became(first, "hub-worker@1.service"),
        &["inactive/dead", "active/running"],
    );
    scene
        .run("deploy")
        .is(0, "nothing to do: all is as it should be\n", "");
}

#[test]
fn one_process_is_restarted_alone_and_a_manifest_is_not_needed() {
    let scene = Scene::new(
        "defaults: {deploy: {ready_secs: 0}}\napps:\n  hub:\n    processes:\n      http: {exec: [/bin/sleep, \"1\"], instances: 1}\n      job: {exec: [/bin/sleep, \"1\"], schedule: hourly}\n      worker: {exec: [/bin/sleep, \"1\"], instances: 1}\n",
    );
    scene.does("deploy");
    scene.run("restart hub/worker").is(
        0,
        "\
hub/worker  1 instance, 0 alive at least, 1 at most; each up for 0 s within 25 min
restarted  hub-worker@1.service  on aaaa0003  T
hub/worker: 1 restarted
restart: done in T
",
        "",
    );
    scene.run("restart hub/job").is(
        0,
        "nothing to do: all is as it should be\n",
        "left alone, since it ends by itself or is started by something else: hub-job@1.service\n",
    );
    scene.run("restart hub/nothing").is(
        2,
        "",
        "\
error: nothing of `hub/nothing` runs in the cluster

help: a unit is an app's where it carries unitgen's mark; `unitgen status` shows them
",
    );
    scene.run("restart hub/a/b").is(
        2,
        "",
        "error: a process's name can't have `/` here: a-z, 0-9 and `-`, not beginning with `-`\n",
    );
    std::fs::remove_file(scene.folder.path("services.yaml")).unwrap();
    same(
        &scene.changes(),
        &["PUT hub-worker@1.service", "PUT hub-worker@1.service"],
    );
    scene.run("restart hub --ready-secs 0").is(
        0,
        "\
hub/http  1 instance, 0 alive at least, 1 at most; each up for 0 s within 25 min
restarted  hub-http@1.service  on aaaa0001  T
hub/worker  1 instance, 0 alive at least, 1 at most; each up for 0 s within 25 min
restarted  hub-worker@1.service  on aaaa0003  T
hub/http: 1 restarted
hub/worker: 1 restarted
restart: done in T
",
        "\
there is no manifest here: the bounds are the usual ones
left alone, since it ends by itself or is started by something else: hub-job@1.service
",
    );
    same(
        &scene.changes(),
        &[
            "PUT hub-http@1.service",
            "PUT hub-http@1.service",
            "PUT hub-worker@1.service",
            "PUT hub-worker@1.service",
        ],
    );
}

#[test]
fn what_does_not_stop_or_come_back_ends_it() {
    let scene = Scene::new(&app(1, "instances: 2"));
    scene.does("deploy");
    scene
        .server
        .world(|world| world.fate("hub-worker@1.service", "", Fate::fails()));
    scene.run("restart hub").is(
        4,
        "\
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
failed     hub-worker@1.service  to restart
  hub-worker@1.service: it failed on aaaa0001: failed/failed
  fleet: told launched, is launched
  systemd: failed/failed on aaaa0001
  `fleetctl journal hub-worker@1.service` shows what it said
hub/worker: 1 failed, 1 not tried
restart: not done, after T; another run goes on from here
",
        "stopped: the rest is left as it is\n",
    );
    same(
        &scene.units(),
        &[
            "hub-worker@.service sleep 1 inactive",
            "hub-worker@1.service sleep 1 launched failed/failed on aaaa0001",
            "hub-worker@2.service sleep 1 launched active/running on aaaa0002",
        ],
    );
    // What failed is begun with.
    scene
        .server
        .world(|world| world.fate("hub-worker@1.service", "", Fate::runs().stops_in(60)));
    scene.run("restart hub --dry-run").is(
        0,
        "\
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
  restart  hub-worker@1.service  asked
  restart  hub-worker@2.service  asked
2 to restart
",
        "",
    );
    scene.run("restart hub").is(
        0,
        "\
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
restarted  hub-worker@1.service  on aaaa0001  T
restarted  hub-worker@2.service  on aaaa0002  T
hub/worker: 2 restarted
restart: done in T
",
        "",
    );
    scene.changes();
    scene.run("restart hub --timeout 1s").is(
        4,
        "\
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 1 s
failed     hub-worker@1.service  to restart
  hub-worker@1.service: after T it still runs
  fleet: told loaded, is loaded
  systemd: deactivating/stop-sigterm on aaaa0001
  `fleetctl journal hub-worker@1.service` shows what it said
hub/worker: 1 failed, 1 not tried
restart: not done, after T; another run goes on from here
",
        "stopped: the rest is left as it is\n",
    );
    same(
        &scene.changes(),
        &["PUT hub-worker@1.service", "PUT hub-worker@1.service"],
    );
    same(
        &scene.units(),
        &[
            "hub-worker@.service sleep 1 inactive",
            "hub-worker@1.service sleep 1 launched deactivating/stop-sigterm on aaaa0001",
            "hub-worker@2.service sleep 1 launched active/running on aaaa0002",
        ],
    );
}

#[test]
fn a_restart_that_was_ended_in_the_middle_is_brought_to_its_end() {
    let scene = Scene::new(&app(1, "instances: 2"));
    scene.does("deploy");
    scene
        .server
        .world(|world| world.fate("hub-worker@1.service", "", Fate::runs_after(5)));
    let running = scene.begin("restart hub");
    scene.wait("loaded", |world| {
        world.units["hub-worker@1.service"].target == "loaded"
    });
    running.signal("KILL");
    running.end();
    same(
        &scene.units(),
        &[
            "hub-worker@.service sleep 1 inactive",
            "hub-worker@1.service sleep 1 loaded inactive/dead on aaaa0001",
            "hub-worker@2.service sleep 1 launched active/running on aaaa0002",
        ],
    );
    scene
        .server
        .world(|world| world.fate("hub-worker@1.service", "", Fate::runs()));
    scene.run("restart hub --dry-run").is(
        0,
        "\
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
  start    hub-worker@1.service  told loaded
  restart  hub-worker@2.service  asked
1 to start, 1 to restart
",
        "",
    );
    scene.run("deploy --dry-run").is(
        0,
        "\
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
  start    hub-worker@1.service  told loaded
1 to start
",
        "",
    );
    scene.run("restart hub").is(
        0,
        "\
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
started    hub-worker@1.service  on aaaa0001  T
restarted  hub-worker@2.service  on aaaa0002  T
hub/worker: 1 started, 1 restarted
restart: done in T
",
        "",
    );
    same(
        &scene.units(),
        &[
            "hub-worker@.service sleep 1 inactive",
            "hub-worker@1.service sleep 1 launched active/running on aaaa0001",
            "hub-worker@2.service sleep 1 launched active/running on aaaa0002",
        ],
    );
}

#[test]
fn what_announces_a_process_and_what_is_plain_is_restarted_with_it() {
    let scene = Scene::new(
        "defaults: {deploy: {ready_secs: 0}}\napps:\n  hub:\n    processes:\n      http: {exec: [/bin/sleep, \"1\"], instances: 2, announce: {host: h, port: 5000}}\n      worker: {exec: [/bin/sleep, \"1\"], unit: hub-worker}\n      all: {exec: [/bin/sleep, \"1\"], X-Fleet: {Global: true}}\n",
    );
    scene.does("deploy");
    scene.run("restart hub").is(
        5,
        "",
        "\
error: hub/all runs on every machine, and all of it would be replaced at once

help: nothing was done; where that is meant say `--yes-global`
",
    );
    scene.run("restart hub/http").is(
        0,
        "\
hub/http  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
restarted  hub-http@1.service  on aaaa0001  T
restarted  hub-http@2.service  on aaaa0002  T
hub/http: 2 restarted
restart: done in T
",
        "",
    );
    same(
        &scene.changes(),
        &[
            "PUT hub-http-announce@1.service",
            "PUT hub-http@1.service",
            "PUT hub-http@1.service",
            "PUT hub-http-announce@1.service",
            "PUT hub-http-announce@2.service",
            "PUT hub-http@2.service",
            "PUT hub-http@2.service",
            "PUT hub-http-announce@2.service",
        ],
    );
    scene.run("restart hub/worker").is(
        0,
        "\
hub/worker  1 instance, 0 alive at least, 1 at most; each up for 0 s within 25 min
restarted  hub-worker.service  on aaaa0003  T
hub/worker: 1 restarted
restart: done in T
",
        "",
    );
    scene.changes();
    scene.run("restart hub/all --yes-global").is(
        0,
        "\
hub/all  on all machines at once; each up for 0 s within 25 min
restarted  hub-all@global.service  on aaaa0001, aaaa0002, aaaa0003  T
hub/all: 1 restarted
restart: done in T
",
        "",
    );
    same(
        &scene.changes(),
        &["PUT hub-all@global.service", "PUT hub-all@global.service"],
    );
}

#[test]
fn what_was_told_to_stop_and_runs_still_is_not_taken_for_restarted() {
    let scene = Scene::new(&app(1, "instances: 1"));
    scene.does("deploy");
    let fate = Fate::runs().stops_in(1);
    scene.server.world(|world| {
        world.fate("hub-worker@1.service", "", fate);
    });
    scene.does("restart hub");
    let first = scene.history();
    let running = scene.begin("restart hub");
    scene.wait("loaded", |world| {
        world.units["hub-worker@1.service"].target == "loaded"
    });
    running.signal("KILL");
    running.end();
    scene.run("restart hub").is(
        0,
        "\
hub/worker  1 instance, 0 alive at least, 1 at most; each up for 0 s within 25 min
restarted  hub-worker@1.service  on aaaa0001  T
hub/worker: 1 restarted
restart: done in T
",
        "",
    );
    same(
        &scene.became(first, "hub-worker@1.service"),
        &[
            "deactivating/stop-sigterm",
            "inactive/dead",
            "active/running",
        ],
    );
}
