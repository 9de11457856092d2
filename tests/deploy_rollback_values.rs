//! What `unitgen rollback` does with configuration and with values of a command line, and what is remembered of
//! it.

use crate::deploy_etcd::app;
use crate::deploy_run::{Scene, same};
use crate::etcd::shared;
use crate::fleet_server::Fate;

#[test]
#[expect(clippy::too_many_lines, reason = "it states whole outputs")]
fn the_configuration_comes_back_where_that_is_asked() {
    let manifest = "apps:\n  back-d: {exec: [/bin/hub], instances: 2, deploy: {ready_secs: 0}}\n";
    let scene = Scene::recorded(shared(), manifest);
    scene.run("deploy").is(
        0,
        "\
created    back-d-worker@.service  services.yaml:2:3
back-d/worker  2 instances, 0 alive at least, 2 at most; each up for 0 s within 25 min
started    back-d-worker@1.service  on aaaa0001  T
started    back-d-worker@2.service  on aaaa0002  T
back-d/worker: 2 started
back-d: release 1
deploy: done in T
",
        "",
    );
    scene.run("rollback back-d --to 1 --config").is(
        2,
        "",
        "\
* 1 T ago  complete, deploy, by ann, worker ×2
back to release 1
error: release 1 knows of no configuration

help: nothing was done; leave `--config` out, or see `unitgen config history`
",
    );
    scene.run("config set -a back-d A=1").is(
        0,
        "\
+ A
back-d: 1 added; change 1
",
        "what runs has the old values until `unitgen restart back-d` (1 variable)\n",
    );
    scene.manifest(&manifest.replace("2, ", "1, "));
    scene.does("deploy");
    scene.run("config set -a back-d A=2 B=3").is(
        0,
        "\
~ A
+ B
back-d: 1 added, 1 changed; change 2
",
        "what runs has the old values until `unitgen restart back-d` (2 variables)\n",
    );
    scene.run("restart back-d").is(
        0,
        "\
back-d/worker  1 instance, 0 alive at least, 1 at most; each up for 0 s within 25 min
restarted  back-d-worker@1.service  on aaaa0001  T
back-d/worker: 1 restarted
restart: done in T
",
        "",
    );
    scene.changes();
    scene.run("rollback back-d --to 2 --config --dry-run").is(
        0,
        "\
back-d/worker  1 instance, 0 alive at least, 1 at most; each up for 0 s within 25 min
  restart  back-d-worker@1.service  asked
1 to restart
",
        "\
* 2 T ago  complete, deploy, by ann, worker ×1, config 1
  1 T ago  complete, deploy, by ann, worker ×2
back to release 2
the configuration would be that of change 1 again
",
    );
    scene.run("config get -a back-d A").is(0, "2\n", "");
    scene.run("rollback back-d --to 2 --config").is(
        0,
        "\
back-d/worker  1 instance, 0 alive at least, 1 at most; each up for 0 s within 25 min
restarted  back-d-worker@1.service  on aaaa0001  T
back-d/worker: 1 restarted
back-d: release 3
rollback to 2: done in T
",
        "\
* 2 T ago  complete, deploy, by ann, worker ×1, config 1
  1 T ago  complete, deploy, by ann, worker ×2
back to release 2
the configuration is that of change 1 again
",
    );
    same(
        &scene.changes(),
        &["PUT back-d-worker@1.service", "PUT back-d-worker@1.service"],
    );
    scene.run("config export -a back-d").is(0, "A=\"1\"\n", "");
    scene.run("rollback back-d --to 2 --config").is(
        0,
        "\
back-d/worker  1 instance, 0 alive at least, 1 at most; each up for 0 s within 25 min
restarted  back-d-worker@1.service  on aaaa0001  T
back-d/worker: 1 restarted
back-d: release 4
rollback to 2: done in T
",
        "\
* 3 T ago  complete, rollback to 2, by ann, worker ×1, config 3
  2 T ago  complete, deploy, by ann, worker ×1, config 1
  1 T ago  complete, deploy, by ann, worker ×2
back to release 2
",
    );
    scene.run("rollback back-d --to 1").is(
        0,
        "\
back-d/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
started    back-d-worker@2.service  on aaaa0002  T
back-d/worker: 1 started
back-d: release 5
rollback to 1: done in T
",
        "\
* 4 T ago  complete, rollback to 2, by ann, worker ×1, config 3
  3 T ago  complete, rollback to 2, by ann, worker ×1, config 3
  2 T ago  complete, deploy, by ann, worker ×1, config 1
  1 T ago  complete, deploy, by ann, worker ×2
back to release 1
",
    );
    scene.run("rollback back-d --list").is(
        0,
        "\
* 5 T ago  complete, rollback to 1, by ann, worker ×2, config 3
  4 T ago  complete, rollback to 2, by ann, worker ×1, config 3
  3 T ago  complete, rollback to 2, by ann, worker ×1, config 3
  2 T ago  complete, deploy, by ann, worker ×1, config 1
  1 T ago  complete, deploy, by ann, worker ×2
",
        "",
    );
}

#[test]
fn values_of_a_command_line_come_back_with_their_release() {
    let manifest = "apps:\n  back-e: {exec: [/bin/hub, $VERSION], versions: [v1], instances: 1, deploy: {ready_secs: 0}}\n";
    let scene = Scene::recorded(shared(), manifest);
    scene.does("deploy --set back-e.versions=v2");
    scene.does("deploy --set back-e.versions=v3");
    scene.run("rollback back-e").is(
        0,
        "\
back-e/worker  1 instance, 1 alive at least, 2 at most; each up for 0 s within 25 min
started    back-e-worker@v2-1.service  on aaaa0001  T
stopped    back-e-worker@v3-1.service  on aaaa0002  T
destroyed  back-e-worker@v3-1.service  T
back-e/worker: 1 started, 1 stopped, 1 destroyed
back-e: release 3
rollback to 1: done in T
",
        "\
* 2 T ago  complete, deploy, by ann, worker v3×1, --set back-e.versions=v3
  1 T ago  complete, deploy, by ann, worker v2×1, --set back-e.versions=v2
back to release 1
",
    );
    same(
        &scene.units(),
        &[
            r#"back-e-worker@.service hub "$$VERSION" inactive"#,
            r#"back-e-worker@v2-1.service hub "$$VERSION" launched active/running on aaaa0001"#,
        ],
    );
    scene.run("deploy").is(5, "", "\
error: release 3 of `back-e`, by ann, had --set 'back-e.versions=v2', and the manifest says otherwise

help: nothing was done; give a value again, this one or another: --set 'back-e.versions=v2'; or say `--as-written`
");
    scene.run("deploy --set back-e.versions=v3").is(
        5,
        "",
        "\
error: `back-e` was rolled back by ann (rollback to 1), and this would undo that

help: nothing was done; mend what was wrong with it, or say `--as-written`
",
    );
    scene.run("deploy --set back-e.versions=v4").is(
        0,
        "\
back-e/worker  1 instance, 1 alive at least, 2 at most; each up for 0 s within 25 min
started    back-e-worker@v4-1.service  on aaaa0002  T
stopped    back-e-worker@v2-1.service  on aaaa0001  T
destroyed  back-e-worker@v2-1.service  T
back-e/worker: 1 started, 1 stopped, 1 destroyed
back-e: release 4
deploy: done in T
",
        "",
    );
    scene.run("rollback back-e --list").is(
        0,
        "\
* 4 T ago  complete, deploy, by ann, worker v4×1, --set back-e.versions=v4
  3 T ago  complete, rollback to 1, by ann, worker v2×1, --set back-e.versions=v2
  2 T ago  complete, deploy, by ann, worker v3×1, --set back-e.versions=v3
  1 T ago  complete, deploy, by ann, worker v2×1, --set back-e.versions=v2
",
        "",
    );
}

#[test]
fn what_was_rolled_back_twice_is_rolled_back_still() {
    let scene = Scene::recorded(shared(), &app("back-f", 1, "instances: 1"));
    scene.does("deploy");
    scene.manifest(&app("back-f", 2, "instances: 1"));
    scene.does("deploy");
    scene.does("rollback back-f --to 1");
    scene.does("rollback back-f --to 1");
    scene.run("deploy").is(
        5,
        "",
        "\
error: `back-f` was rolled back by ann (rollback to 1), and this would undo that

help: nothing was done; mend what was wrong with it, or say `--as-written`
",
    );
    // What is there already undoes nothing.
    scene.manifest(&app("back-f", 1, "instances: 1"));
    scene
        .run("deploy")
        .is(0, "nothing to do: all is as it should be\n", "");
}

#[test]
fn a_configuration_that_did_not_reach_all_does_so_with_another_try() {
    let scene = Scene::recorded(shared(), &app("back-g", 1, "instances: 2"));
    scene.does("config set -a back-g A=1");
    scene.does("deploy");
    scene.does("config set -a back-g A=2");
    scene.server.world(|world| {
        world.fate("back-g-worker@1.service", "", Fate::fails());
    });
    scene.run("rollback back-g --to 1 --config").is(
        4,
        "\
back-g/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
failed     back-g-worker@1.service  to restart
  back-g-worker@1.service: it failed on aaaa0001: failed/failed
  fleet: told launched, is launched
  systemd: failed/failed on aaaa0001
  `fleetctl journal back-g-worker@1.service` shows what it said
back-g/worker: 1 failed, 1 not tried
back-g: release 2, which did not come to its end
rollback to 1: not done, after T; another run goes on from here
",
        "\
* 1 T ago  complete, deploy, by ann, worker ×2, config 1
back to release 1
the configuration is that of change 1 again
stopped: the rest is left as it is
",
    );
    scene.server.world(|world| {
        world.fate("back-g-worker@1.service", "", Fate::runs());
    });
    scene.run("rollback back-g --to 1 --config").is(
        0,
        "\
back-g/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
restarted  back-g-worker@1.service  on aaaa0001  T
restarted  back-g-worker@2.service  on aaaa0002  T
back-g/worker: 2 restarted
back-g: release 3
rollback to 1: done in T
",
        "\
* 2 T ago  failed, rollback to 1, by ann, worker ×2, config 3
  1 T ago  complete, deploy, by ann, worker ×2, config 1
back to release 1
",
    );
    scene.run("rollback back-g --to 1 --config").is(
        0,
        "\
back-g/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
restarted  back-g-worker@1.service  on aaaa0001  T
restarted  back-g-worker@2.service  on aaaa0002  T
back-g/worker: 2 restarted
back-g: release 4
rollback to 1: done in T
",
        "\
* 3 T ago  complete, rollback to 1, by ann, worker ×2, config 3
  2 T ago  failed, rollback to 1, by ann, worker ×2, config 3
  1 T ago  complete, deploy, by ann, worker ×2, config 1
back to release 1
",
    );
    scene
        .run("deploy")
        .is(0, "nothing to do: all is as it should be\n", "");
}
