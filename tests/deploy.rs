//! `unitgen deploy` end to end: what is missing, stale or too much comes to be as it should, one after the
//! other.

use crate::deploy_run::{Scene, same};
use crate::fleet_server::Fate;

/// Returns a manifest with one app.
pub(crate) fn app(command: u32, rest: &str) -> String {
    let exec = format!("exec: [/bin/sleep, \"{command}\"]");
    format!("apps:\n  hub: {{{exec}, deploy: {{ready_secs: 0}}, {rest}}}\n")
}

const ALONE: &str = "instances: 3, conflicts: self";

#[test]
fn what_is_missing_starts_and_a_second_run_does_nothing() {
    let scene = Scene::new(&app(1, ALONE));
    scene.run("deploy --dry-run").is(
        0,
        "\
\x20 create   hub-worker@.service  new  services.yaml:2:3
hub/worker  3 instances, 0 alive at least, 3 at most; each up for 0 s within 25 min
  start    hub-worker@1.service  missing
  start    hub-worker@2.service  missing
  start    hub-worker@3.service  missing
1 unit file to change, 3 to start
",
        "",
    );
    same(&scene.changes(), &[]);
    scene.run("deploy").is(
        0,
        "\
created    hub-worker@.service  services.yaml:2:3
hub/worker  3 instances, 0 alive at least, 3 at most; each up for 0 s within 25 min
started    hub-worker@1.service  on aaaa0001  T
started    hub-worker@2.service  on aaaa0002  T
started    hub-worker@3.service  on aaaa0003  T
hub/worker: 3 started
deploy: done in T
",
        "",
    );
    same(
        &scene.changes(),
        &[
            "PUT hub-worker@.service",
            "PUT hub-worker@1.service",
            "PUT hub-worker@2.service",
            "PUT hub-worker@3.service",
        ],
    );
    same(
        &scene.units(),
        &[
            "hub-worker@.service sleep 1 inactive",
            "hub-worker@1.service sleep 1 launched active/running on aaaa0001",
            "hub-worker@2.service sleep 1 launched active/running on aaaa0002",
            "hub-worker@3.service sleep 1 launched active/running on aaaa0003",
        ],
    );
    scene
        .run("deploy")
        .is(0, "nothing to do: all is as it should be\n", "");
    scene
        .run("deploy --dry-run")
        .is(0, "nothing to do: all is as it should be\n", "");
    same(&scene.changes(), &[]);
}

#[test]
fn what_is_stale_is_replaced_one_by_one() {
    let scene = Scene::new(&app(1, ALONE));
    scene.does("deploy");
    scene.manifest(&app(2, ALONE));
    scene.run("deploy --dry-run").is(
        0,
        "\
\x20 replace  hub-worker@.service  changed  services.yaml:2:3
hub/worker  3 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
  replace  hub-worker@1.service  stale
  replace  hub-worker@2.service  stale
  replace  hub-worker@3.service  stale
1 unit file to change, 3 to replace
",
        "",
    );
    let first = scene.history();
    scene.run("deploy").is(
        0,
        "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  3 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
replaced   hub-worker@1.service  on aaaa0001  T
replaced   hub-worker@2.service  on aaaa0002  T
replaced   hub-worker@3.service  on aaaa0003  T
hub/worker: 3 replaced
deploy: done in T
",
        "",
    );
    same(
        &scene.changes(),
        &[
            "PUT hub-worker@.service",
            "PUT hub-worker@1.service",
            "PUT hub-worker@2.service",
            "PUT hub-worker@3.service",
        ],
    );
    same(
        &scene.units(),
        &[
            "hub-worker@.service sleep 2 inactive",
            "hub-worker@1.service sleep 2 launched active/running on aaaa0001",
            "hub-worker@2.service sleep 2 launched active/running on aaaa0002",
            "hub-worker@3.service sleep 2 launched active/running on aaaa0003",
        ],
    );
    assert_eq!(scene.least_since(first, "hub-worker@"), 2);
}

#[test]
fn what_is_too_much_is_stopped_and_what_lacks_is_started() {
    let scene = Scene::new(&app(1, "instances: 4"));
    scene.does("deploy");
    scene.manifest(&app(1, "instances: 2"));
    scene.run("deploy").is(
        0,
        "\
hub/worker  2 instances, 2 alive at least, 4 at most; each up for 0 s within 25 min
up         hub-worker@1.service  on aaaa0001  T
up         hub-worker@2.service  on aaaa0002  T
stopped    hub-worker@3.service  on aaaa0003  T
destroyed  hub-worker@3.service  T
stopped    hub-worker@4.service  on aaaa0001  T
destroyed  hub-worker@4.service  T
hub/worker: 2 up, 2 stopped, 2 destroyed
deploy: done in T
",
        "",
    );
    same(
        &scene.changes(),
        &[
            "PUT hub-worker@3.service",
            "PUT hub-worker@3.service",
            "DELETE hub-worker@3.service",
            "PUT hub-worker@4.service",
            "PUT hub-worker@4.service",
            "DELETE hub-worker@4.service",
        ],
    );
    scene.manifest(&app(2, "instances: 3"));
    scene.run("deploy").is(
        0,
        "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  3 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
started    hub-worker@3.service  on aaaa0003  T
replaced   hub-worker@1.service  on aaaa0001  T
replaced   hub-worker@2.service  on aaaa0002  T
hub/worker: 1 started, 2 replaced
deploy: done in T
",
        "",
    );
    same(
        &scene.changes(),
        &[
            "PUT hub-worker@.service",
            "PUT hub-worker@3.service",
            "PUT hub-worker@1.service",
            "PUT hub-worker@2.service",
        ],
    );
    scene.manifest(&app(2, "instances: 0"));
    scene.run("deploy").is(
        0,
        "\
hub/worker  each up for 0 s within 25 min
stopped    hub-worker@1.service  on aaaa0001  T
destroyed  hub-worker@1.service  T
stopped    hub-worker@2.service  on aaaa0002  T
destroyed  hub-worker@2.service  T
stopped    hub-worker@3.service  on aaaa0003  T
destroyed  hub-worker@3.service  T
hub/worker: 3 stopped, 3 destroyed
deploy: done in T
",
        "",
    );
    same(&scene.units(), &["hub-worker@.service sleep 2 inactive"]);
}

#[test]
fn several_apps_follow_each_other_and_only_those_that_are_meant() {
    let scene = Scene::new(
        "defaults: {deploy: {ready_secs: 0}}\napps:\n  web: {exec: [/bin/sleep, \"1\"], instances: 2}\n  hub:\n    processes:\n      http: {exec: [/bin/sleep, \"1\"], instances: 2}\n      worker: {exec: [/bin/sleep, \"1\"], instances: 1}\n",
    );
    scene.run("deploy web").is(
        0,
        "\
created    web-worker@.service  services.yaml:3:3
web/worker  2 instances, 0 alive at least, 2 at most; each up for 0 s within 25 min
started    web-worker@1.service  on aaaa0001  T
started    web-worker@2.service  on aaaa0002  T
web/worker: 2 started
deploy: done in T
",
        "",
    );
    scene.run("deploy").is(
        0,
        "\
created    hub-http@.service  services.yaml:6:7
created    hub-worker@.service  services.yaml:7:7
hub/http  2 instances, 0 alive at least, 2 at most; each up for 0 s within 25 min
started    hub-http@1.service  on aaaa0003  T
started    hub-http@2.service  on aaaa0001  T
hub/worker  1 instance, 0 alive at least, 1 at most; each up for 0 s within 25 min
started    hub-worker@1.service  on aaaa0002  T
hub/http: 2 started
hub/worker: 1 started
deploy: done in T
",
        "",
    );
    scene.run("deploy nobody").is(
        2,
        "",
        "\
error: there is no app `nobody`

help: what is left of an app that the manifest does not have is found with `--prune`
",
    );
    // What follows something that fails is not begun.
    let manifest = scene.folder.read("services.yaml");
    scene.manifest(&manifest.replace("\"1\"", "\"2\""));
    scene
        .server
        .world(|world| world.fate("hub-http@1*", "", Fate::fails()));
    scene.run("deploy").is(
        4,
        "\
replaced   hub-http@.service  services.yaml:6:7
replaced   hub-worker@.service  services.yaml:7:7
hub/http  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
failed     hub-http@1.service  to replace
  hub-http@1.service: it failed on aaaa0003: failed/failed
  fleet: told launched, is launched
  systemd: failed/failed on aaaa0003
  `fleetctl journal hub-http@1.service` shows what it said
hub/http: 1 failed, 1 not tried
hub/worker: 1 not tried
web: not begun
deploy: not done, after T; another run goes on from here
",
        "stopped: the rest is left as it is\n",
    );
}

#[test]
fn what_was_begun_by_hand_is_brought_to_its_end() {
    let scene = Scene::new(&app(1, "instances: 4"));
    scene.does("deploy");
    scene.server.world(|world| {
        world.units.get_mut("hub-worker@1.service").unwrap().target = "inactive".to_owned();
        world.units.get_mut("hub-worker@2.service").unwrap().target = "loaded".to_owned();
    });
    // One that ended well by itself, and one that somebody deleted.
    scene.server.world(|world| {
        world.destroy("hub-worker@3.service");
        world.stop(0, "hub-worker@4.service");
    });
    scene.wait("rest", |world| {
        let mut hosts = world.hosts.iter();
        !hosts.any(|host| {
            let one = host.units.get("hub-worker@2.service");
            host.units.contains_key("hub-worker@1.service")
                || host.units.contains_key("hub-worker@3.service")
                || one.is_some_and(|one| one.active == "active")
        })
    });
    scene.run("deploy --dry-run").is(
        0,
        "\
hub/worker  4 instances, 0 alive at least, 4 at most; each up for 0 s within 25 min
  start    hub-worker@2.service  told loaded
  restart  hub-worker@4.service  down, inactive/dead
  start    hub-worker@1.service  told inactive
  start    hub-worker@3.service  missing
3 to start, 1 to restart
",
        "",
    );
    scene.run("deploy").is(
        0,
        "\
hub/worker  4 instances, 0 alive at least, 4 at most; each up for 0 s within 25 min
started    hub-worker@2.service  on aaaa0002  T
restarted  hub-worker@4.service  on aaaa0001  T
started    hub-worker@1.service  on aaaa0003  T
started    hub-worker@3.service  on aaaa0001  T
hub/worker: 3 started, 1 restarted
deploy: done in T
",
        "",
    );
    same(
        &scene.changes(),
        &[
            "PUT hub-worker@2.service",
            "PUT hub-worker@4.service",
            "PUT hub-worker@4.service",
            "PUT hub-worker@1.service",
            "PUT hub-worker@3.service",
        ],
    );
    same(
        &scene.units(),
        &[
            "hub-worker@.service sleep 1 inactive",
            "hub-worker@1.service sleep 1 launched active/running on aaaa0003",
            "hub-worker@2.service sleep 1 launched active/running on aaaa0002",
            "hub-worker@3.service sleep 1 launched active/running on aaaa0001",
            "hub-worker@4.service sleep 1 launched active/running on aaaa0001",
        ],
    );
}

#[test]
fn a_hundred_deploys_leave_no_more_contents_than_there_were() {
    let scene = Scene::new(&app(1, "instances: 2"));
    scene.does("deploy");
    let contents = scene.server.world(|world| world.contents.len());
    for _ in 0..20 {
        scene.does("deploy");
    }
    scene.does("restart hub");
    assert_eq!(scene.server.world(|world| world.contents.len()), contents);
    // Two texts that follow each other again and again are two.
    for command in [2, 1, 2, 1] {
        scene.manifest(&app(command, "instances: 2"));
        scene.does("deploy");
    }
    assert_eq!(
        scene.server.world(|world| world.contents.len()),
        contents + 1
    );
}
