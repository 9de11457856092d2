//! `unitgen rollback`: an earlier release comes back, with its units, versions and counts, and with its
//! configuration where that is asked.

use crate::deploy_etcd::app;
use crate::deploy_run::{Scene, same};
use crate::etcd::shared;
use crate::fleet_server::Fate;

#[test]
#[expect(clippy::too_many_lines, reason = "it states whole outputs")]
fn the_last_release_that_was_another_one_comes_back() {
    let scene = Scene::recorded(shared(), &app("back-a", 1, "instances: 2"));
    scene.run("rollback back-a").is(
        1,
        "",
        "\
error: there is no release of `back-a` in etcd

help: `unitgen deploy` records one
",
    );
    scene.does("deploy");
    scene.run("rollback back-a").is(
        2,
        "",
        "\
error: there is no earlier release of `back-a` to go back to

help: `unitgen rollback back-a --list` shows them
",
    );
    scene.manifest(&app("back-a", 2, "instances: 3"));
    scene.does("deploy");
    let contents = scene.server.world(|world| world.contents.len());
    scene.run("rollback back-a --dry-run").is(
        0,
        "\
\x20 replace  back-a-worker@.service  changed
back-a/worker  2 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
  replace  back-a-worker@1.service  stale
  replace  back-a-worker@2.service  stale
  stop     back-a-worker@3.service  surplus
  destroy  back-a-worker@3.service  surplus
1 unit file to change, 2 to replace, 1 to stop, 1 to destroy
",
        "\
* 2 T ago  complete, deploy, by ann, worker ×3
  1 T ago  complete, deploy, by ann, worker ×2
back to release 1
",
    );
    same(&scene.changes(), &[]);
    scene.run("rollback back-a").is(
        0,
        "\
replaced   back-a-worker@.service
back-a/worker  2 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
replaced   back-a-worker@1.service  on aaaa0001  T
replaced   back-a-worker@2.service  on aaaa0002  T
stopped    back-a-worker@3.service  on aaaa0003  T
destroyed  back-a-worker@3.service  T
back-a/worker: 2 replaced, 1 stopped, 1 destroyed
back-a: release 3
rollback to 1: done in T
",
        "\
* 2 T ago  complete, deploy, by ann, worker ×3
  1 T ago  complete, deploy, by ann, worker ×2
back to release 1
",
    );
    same(
        &scene.changes(),
        &[
            "PUT back-a-worker@.service",
            "PUT back-a-worker@1.service",
            "PUT back-a-worker@2.service",
            "PUT back-a-worker@3.service",
            "PUT back-a-worker@3.service",
            "DELETE back-a-worker@3.service",
        ],
    );
    same(
        &scene.units(),
        &[
            "back-a-worker@.service sleep 1 inactive",
            "back-a-worker@1.service sleep 1 launched active/running on aaaa0001",
            "back-a-worker@2.service sleep 1 launched active/running on aaaa0002",
        ],
    );
    assert_eq!(scene.server.world(|world| world.contents.len()), contents);
    // The same manifest would undo that.
    scene.run("deploy").is(
        5,
        "",
        "\
error: `back-a` was rolled back by ann (rollback to 1), and this would undo that

help: nothing was done; mend what was wrong with it, or say `--as-written`
",
    );
    same(&scene.changes(), &[]);
    scene.manifest(&app("back-a", 3, "instances: 2"));
    scene.run("deploy").is(
        0,
        "\
replaced   back-a-worker@.service  services.yaml:2:3
back-a/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
replaced   back-a-worker@1.service  on aaaa0001  T
replaced   back-a-worker@2.service  on aaaa0002  T
back-a/worker: 2 replaced
back-a: release 4
deploy: done in T
",
        "",
    );
    scene.run("rollback back-a --to 2").is(
        0,
        "\
replaced   back-a-worker@.service
back-a/worker  3 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
started    back-a-worker@3.service  on aaaa0003  T
replaced   back-a-worker@1.service  on aaaa0001  T
replaced   back-a-worker@2.service  on aaaa0002  T
back-a/worker: 1 started, 2 replaced
back-a: release 5
rollback to 2: done in T
",
        "\
* 4 T ago  complete, deploy, by ann, worker ×2
  3 T ago  complete, rollback to 1, by ann, worker ×2
  2 T ago  complete, deploy, by ann, worker ×3
  1 T ago  complete, deploy, by ann, worker ×2
back to release 2
",
    );
    scene.run("rollback back-a --to 9").is(
        2,
        "",
        "\
error: there is no release 9 of `back-a`

help: `unitgen rollback back-a --list` shows them
",
    );
    scene.run("deploy").is(
        5,
        "",
        "\
error: `back-a` was rolled back by ann (rollback to 2), and this would undo that

help: nothing was done; mend what was wrong with it, or say `--as-written`
",
    );
    scene.run("deploy --as-written").is(
        0,
        "\
replaced   back-a-worker@.service  services.yaml:2:3
back-a/worker  2 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
replaced   back-a-worker@1.service  on aaaa0001  T
replaced   back-a-worker@2.service  on aaaa0002  T
stopped    back-a-worker@3.service  on aaaa0003  T
destroyed  back-a-worker@3.service  T
back-a/worker: 2 replaced, 1 stopped, 1 destroyed
back-a: release 6
deploy: done in T
",
        "",
    );
    scene.run("rollback back-a --list").is(
        0,
        "\
* 6 T ago  complete, deploy, by ann, worker ×2
  5 T ago  complete, rollback to 2, by ann, worker ×3
  4 T ago  complete, deploy, by ann, worker ×2
  3 T ago  complete, rollback to 1, by ann, worker ×2
  2 T ago  complete, deploy, by ann, worker ×3
  1 T ago  complete, deploy, by ann, worker ×2
",
        "",
    );
}

#[test]
fn a_cut_over_that_failed_is_taken_back() {
    let versions = |version: &str| {
        format!(
            "apps:\n  back-b: {{exec: [/bin/hub, $VERSION], versions: [{version}], instances: 2, deploy: {{ready_secs: 0}}}}\n"
        )
    };
    let scene = Scene::recorded(shared(), &versions("v41"));
    scene.does("deploy");
    scene.manifest(&versions("v42"));
    scene
        .server
        .world(|world| world.fate("back-b-worker@v42-2*", "", Fate::fails()));
    scene.run("deploy").is(
        4,
        "\
back-b/worker  2 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
started    back-b-worker@v42-1.service  on aaaa0003  T
stopped    back-b-worker@v41-2.service  on aaaa0002  T
destroyed  back-b-worker@v41-2.service  T
failed     back-b-worker@v42-2.service  to start
  back-b-worker@v42-2.service: it failed on aaaa0002: failed/failed
  fleet: told launched, is launched
  systemd: failed/failed on aaaa0002
  `fleetctl journal back-b-worker@v42-2.service` shows what it said
back-b/worker: 1 started, 1 stopped, 1 destroyed, 1 failed, 2 not tried
back-b: release 2, which did not come to its end
deploy: not done, after T; another run goes on from here
",
        "stopped: the rest is left as it is\n",
    );
    same(
        &scene.units(),
        &[
            r#"back-b-worker@.service hub "$$VERSION" inactive"#,
            r#"back-b-worker@v41-1.service hub "$$VERSION" launched active/running on aaaa0001"#,
            r#"back-b-worker@v42-1.service hub "$$VERSION" launched active/running on aaaa0003"#,
            r#"back-b-worker@v42-2.service hub "$$VERSION" launched failed/failed on aaaa0002"#,
        ],
    );
    scene.run("rollback back-b").is(
        0,
        "\
back-b/worker  2 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
up         back-b-worker@v41-1.service  on aaaa0001  T
stopped    back-b-worker@v42-2.service  on aaaa0002  T
destroyed  back-b-worker@v42-2.service  T
started    back-b-worker@v41-2.service  on aaaa0002  T
stopped    back-b-worker@v42-1.service  on aaaa0003  T
destroyed  back-b-worker@v42-1.service  T
back-b/worker: 1 started, 1 up, 2 stopped, 2 destroyed
back-b: release 3
rollback to 1: done in T
",
        "\
* 2 T ago  failed, deploy, by ann, worker v42×2
  1 T ago  complete, deploy, by ann, worker v41×2
back to release 1
",
    );
    same(
        &scene.units(),
        &[
            r#"back-b-worker@.service hub "$$VERSION" inactive"#,
            r#"back-b-worker@v41-1.service hub "$$VERSION" launched active/running on aaaa0001"#,
            r#"back-b-worker@v41-2.service hub "$$VERSION" launched active/running on aaaa0002"#,
        ],
    );
    scene.run("rollback back-b --list").is(
        0,
        "\
* 3 T ago  complete, rollback to 1, by ann, worker v41×2
  2 T ago  failed, deploy, by ann, worker v42×2
  1 T ago  complete, deploy, by ann, worker v41×2
",
        "",
    );
}

#[test]
fn what_came_since_goes_and_what_went_comes_back() {
    let scene = Scene::recorded(
        shared(),
        "defaults: {deploy: {ready_secs: 0}}\napps:\n  back-c:\n    processes:\n      old: {exec: [/bin/old], instances: 1}\n      plain: {exec: [/bin/plain], unit: back-c-plain}\n",
    );
    scene.does("deploy");
    scene.manifest("defaults: {deploy: {ready_secs: 0}}\napps:\n  back-c:\n    processes:\n      new: {exec: [/bin/new], instances: 1}\n      plain: {exec: [/bin/plain, again], unit: back-c-plain}\n");
    scene.does("deploy --prune");
    same(
        &scene.units(),
        &[
            "back-c-new@.service new inactive",
            "back-c-new@1.service new launched active/running on aaaa0003",
            "back-c-plain.service plain again launched active/running on aaaa0002",
        ],
    );
    // No manifest is needed.
    std::fs::remove_file(scene.folder.path("services.yaml")).unwrap();
    scene.run("rollback back-c").is(
        0,
        "\
created    back-c-old@.service
back-c/old  1 instance, 0 alive at least, 1 at most; each up for 0 s within 25 min
started    back-c-old@1.service  on aaaa0001  T
back-c/plain  1 instance, 0 alive at least, 1 at most; each up for 0 s within 25 min
replaced   back-c-plain.service  on aaaa0002  T
back-c/new  each up for 10 s within 25 min
stopped    back-c-new@1.service  on aaaa0003  T
destroyed  back-c-new@1.service  T
destroyed  back-c-new@.service
back-c/old: 1 started
back-c/plain: 1 replaced
back-c/new: 1 stopped, 1 destroyed
back-c: release 3
rollback to 1: done in T
",
        "\
* 2 T ago  complete, deploy, by ann, new ×1 plain ×1
  1 T ago  complete, deploy, by ann, old ×1 plain ×1
back to release 1
",
    );
    same(
        &scene.units(),
        &[
            "back-c-old@.service old inactive",
            "back-c-old@1.service old launched active/running on aaaa0001",
            "back-c-plain.service plain launched active/running on aaaa0002",
        ],
    );
}
