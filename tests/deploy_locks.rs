//! Whoever rolls an app out has its lock in etcd, until it is given back, taken away or lost.

use std::thread;
use std::time::Duration;

use crate::deploy_etcd::{TWO, app};
use crate::deploy_run::{Running, Scene, Told, at_once, same};
use crate::etcd::{Etcd, shared};
use crate::fleet_server::Fate;

/// Begins a deploy of an app whose first instance takes its time, and waits until it does.
fn slow(scene: &Scene, name: &str, seconds: u64) -> Running {
    scene.does("deploy");
    scene.manifest(&app(name, 2, TWO));
    let unit = format!("{name}-worker@1.service");
    scene.server.world(|world| {
        world.fate(&unit, "/bin/sleep 2", Fate::runs_after(seconds));
    });
    let running = scene.begin("deploy");
    scene.wait("replaced", |world| {
        world.units[&unit].raw.contains("/bin/sleep 2")
    });
    running
}

/// Leaves out since when somebody has a lock.
fn without_moment(mut told: Told) -> Told {
    for text in [&mut told.stdout, &mut told.stderr] {
        let words = text.split(' ').map(|word| {
            let is_moment = word.len() == 20 && word.ends_with('Z');
            if is_moment { "MOMENT" } else { word }
        });
        *text = words.collect::<Vec<_>>().join(" ");
    }
    told
}

fn two_at_once_follow_each_other() {
    let scene = Scene::recorded(shared(), &app("etcd-two", 1, TWO));
    let running = slow(&scene, "etcd-two", 2);
    without_moment(scene.begin_by("bob", "deploy").end()).is(5, "", "\
error: `etcd-two` is locked
  caused by: ann has the lock of `etcd-two` since MOMENT (T): deploy

help: `--lock-wait TIME` waits for it; where nobody is at work any more, `unitgen lock --release etcd-two` takes it away
");
    without_moment(scene.begin_by("bob", "restart etcd-two --lock-wait 1s").end()).is(5, "", "\
waiting: ann has the lock of `etcd-two` since MOMENT (T): deploy
error: `etcd-two` is locked still, after T
  caused by: ann has the lock of `etcd-two` since MOMENT (T): deploy

help: `--lock-wait TIME` waits for it; where nobody is at work any more, `unitgen lock --release etcd-two` takes it away
");
    let dry = scene.begin_by("bob", "deploy --dry-run").end();
    assert_eq!(dry.status, Some(0), "{dry:?}");
    let impatient = scene.begin_by("bob", "deploy --lock-wait 20s");
    let waiting = scene.begin_by("bob", "deploy --lock-wait 20s");
    thread::sleep(Duration::from_millis(300));
    impatient.signal("TERM");
    without_moment(impatient.end()).is(
        2,
        "",
        "\
waiting: ann has the lock of `etcd-two` since MOMENT (T): deploy
error: interrupted while waiting for the lock of `etcd-two`
",
    );
    running.end().is(
        0,
        "\
replaced   etcd-two-worker@.service  services.yaml:2:3
etcd-two/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
replaced   etcd-two-worker@1.service  on aaaa0001  T
replaced   etcd-two-worker@2.service  on aaaa0002  T
etcd-two/worker: 2 replaced
etcd-two: release 2
deploy: done in T
",
        "",
    );
    without_moment(waiting.end()).is(
        0,
        "nothing to do: all is as it should be\n",
        "waiting: ann has the lock of `etcd-two` since MOMENT (T): deploy\n",
    );
    scene.run("rollback etcd-two --list").is(
        0,
        "\
* 2 T ago  complete, deploy, by ann, worker ×2
  1 T ago  complete, deploy, by ann, worker ×2
",
        "",
    );
}

fn whoever_is_killed_leaves_a_lock_that_can_be_taken_away() {
    let scene = Scene::recorded(shared(), &app("etcd-kill", 1, TWO));
    let running = slow(&scene, "etcd-kill", 1);
    running.signal("KILL");
    running.end();
    without_moment(scene.run("deploy")).is(5, "", "\
error: `etcd-kill` is locked
  caused by: ann has the lock of `etcd-kill` since MOMENT (T): deploy

help: `--lock-wait TIME` waits for it; where nobody is at work any more, `unitgen lock --release etcd-kill` takes it away
");
    without_moment(scene.run("lock etcd-kill --release")).is(
        0,
        "etcd-kill: taken away from ann, who had it since MOMENT (T): deploy\n",
        "",
    );
    scene.run("rollback etcd-kill --list").is(
        0,
        "\
* 2 T ago  begun, no end known, deploy, by ann, worker ×2
  1 T ago  complete, deploy, by ann, worker ×2
",
        "",
    );
    scene.run("deploy").is(
        0,
        "\
etcd-kill/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
up         etcd-kill-worker@1.service  on aaaa0001  T
replaced   etcd-kill-worker@2.service  on aaaa0002  T
etcd-kill/worker: 1 replaced, 1 up
etcd-kill: release 3
deploy: done in T
",
        "",
    );
    scene.run("rollback etcd-kill --list").is(
        0,
        "\
* 3 T ago  complete, deploy, by ann, worker ×2
  2 T ago  begun, no end known, deploy, by ann, worker ×2
  1 T ago  complete, deploy, by ann, worker ×2
",
        "",
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "it states whole outputs")]
fn a_lock_is_waited_for_and_taken_away_and_its_loss_is_noticed() {
    at_once(&[
        two_at_once_follow_each_other,
        whoever_is_killed_leaves_a_lock_that_can_be_taken_away,
        || {
            let scene = Scene::recorded(shared(), &app("etcd-lost", 1, TWO));
            let running = slow(&scene, "etcd-lost", 7);
            let taken = scene.begin_by("bob", "lock etcd-lost --release").end();
            assert_eq!(taken.status, Some(0), "{taken:?}");
            without_moment(running.end()).is(
                4,
                "\
replaced   etcd-lost-worker@.service  services.yaml:2:3
etcd-lost/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
replaced   etcd-lost-worker@1.service  on aaaa0001  T
etcd-lost/worker: 1 replaced, 1 not tried
etcd-lost: release 2, which did not come to its end
deploy: not done, after T; another run goes on from here
",
                "error: the lock of `etcd-lost` is lost: somebody took it away\n",
            );
            same(
                &scene.units(),
                &[
                    "etcd-lost-worker@.service sleep 2 inactive",
                    "etcd-lost-worker@1.service sleep 2 launched active/running on aaaa0001",
                    "etcd-lost-worker@2.service sleep 1 launched active/running on aaaa0002",
                ],
            );
        },
        || {
            let mut etcd = Etcd::start();
            let scene = Scene::recorded(&etcd, &app("hub", 1, TWO));
            let running = slow(&scene, "hub", 1);
            etcd.stop();
            let mut told = running.end();
            told.stderr = told.stderr.replace(&etcd.endpoint, "ETCD");
            told.is(
                4,
                "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
replaced   hub-worker@1.service  on aaaa0001  T
replaced   hub-worker@2.service  on aaaa0002  T
hub/worker: 2 replaced
hub: release 2, whose end is not recorded
deploy: not all of it done, in T
",
                "\
error: can't write how release 2 of `hub` ended
  caused by: can't reach etcd at `ETCD`
  caused by: connection refused

help: is it this one that is meant? `--endpoints` or ETCDCTL_ENDPOINTS names another
error: not all is as it should be
error: can't give back the lock of `hub`
  caused by: can't reach etcd at `ETCD`
  caused by: connection refused

help: it ends by itself within T
",
            );
            same(
                &scene.units(),
                &[
                    "hub-worker@.service sleep 2 inactive",
                    "hub-worker@1.service sleep 2 launched active/running on aaaa0001",
                    "hub-worker@2.service sleep 2 launched active/running on aaaa0002",
                ],
            );
            etcd.start_again();
            scene.run("lock hub --release");
            scene.run("deploy").is(
                0,
                "\
hub: release 3
nothing to do: all is as it should be
",
                "",
            );
            scene.run("rollback hub --list").is(
                0,
                "\
* 3 T ago  complete, deploy, by ann, worker ×2
  2 T ago  begun, no end known, deploy, by ann, worker ×2
  1 T ago  complete, deploy, by ann, worker ×2
",
                "",
            );
        },
        || {
            let mut etcd = Etcd::start();
            let scene = Scene::recorded(&etcd, &app("hub", 1, TWO));
            let running = slow(&scene, "hub", 1);
            etcd.stop();
            thread::sleep(Duration::from_secs(2));
            etcd.start_again();
            running.end().is(
                0,
                "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
replaced   hub-worker@1.service  on aaaa0001  T
replaced   hub-worker@2.service  on aaaa0002  T
hub/worker: 2 replaced
hub: release 2
deploy: done in T
",
                "",
            );
        },
    ]);
}
