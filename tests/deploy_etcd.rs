//! `unitgen deploy` with an etcd: whoever rolls an app out has its lock, each release is recorded, and what
//! only a command line gave is not forgotten by the next one.

use std::net::TcpStream;

use crate::deploy_run::{Scene, Told, same};
use crate::etcd::{free_port, shared};
use crate::fleet_server::Fate;

/// Returns a manifest with one app.
pub(crate) fn app(name: &str, command: u32, rest: &str) -> String {
    format!(
        "apps:\n  {name}: {{exec: [/bin/sleep, \"{command}\"], deploy: {{ready_secs: 0}}, {rest}}}\n"
    )
}

pub(crate) const TWO: &str = "instances: 2";

#[test]
fn a_release_is_recorded_with_its_end() {
    let scene = Scene::recorded(shared(), &app("etcd-a", 1, TWO));
    scene.run("rollback etcd-a --list").is(
        1,
        "",
        "\
error: there is no release of `etcd-a` in etcd

help: `unitgen deploy` records one
",
    );
    scene.run("deploy").is(
        0,
        "\
created    etcd-a-worker@.service  services.yaml:2:3
etcd-a/worker  2 instances, 0 alive at least, 2 at most; each up for 0 s within 25 min
started    etcd-a-worker@1.service  on aaaa0001  T
started    etcd-a-worker@2.service  on aaaa0002  T
etcd-a/worker: 2 started
etcd-a: release 1
deploy: done in T
",
        "",
    );
    scene
        .run("deploy")
        .is(0, "nothing to do: all is as it should be\n", "");
    scene.manifest(&app("etcd-a", 2, "instances: 1"));
    scene.run("deploy --dry-run").is(
        0,
        "\
\x20 replace  etcd-a-worker@.service  changed  services.yaml:2:3
etcd-a/worker  1 instance, 1 alive at least, 2 at most; each up for 0 s within 25 min
  replace  etcd-a-worker@1.service  stale
  stop     etcd-a-worker@2.service  surplus
  destroy  etcd-a-worker@2.service  surplus
1 unit file to change, 1 to replace, 1 to stop, 1 to destroy
",
        "",
    );
    scene
        .server
        .world(|world| world.fate("*", "/bin/sleep 2", Fate::fails()));
    scene.run("deploy").is(
        4,
        "\
replaced   etcd-a-worker@.service  services.yaml:2:3
etcd-a/worker  1 instance, 1 alive at least, 2 at most; each up for 0 s within 25 min
failed     etcd-a-worker@1.service  to replace
  etcd-a-worker@1.service: it failed on aaaa0001: failed/failed
  fleet: told launched, is launched
  systemd: failed/failed on aaaa0001
  `fleetctl journal etcd-a-worker@1.service` shows what it said
etcd-a/worker: 1 failed, 2 not tried
etcd-a: release 2, which did not come to its end
deploy: not done, after T; another run goes on from here
",
        "stopped: the rest is left as it is\n",
    );
    scene
        .server
        .world(|world| world.fate("*", "/bin/sleep 2", Fate::runs()));
    scene.run("deploy").is(
        0,
        "\
etcd-a/worker  1 instance, 1 alive at least, 2 at most; each up for 0 s within 25 min
restarted  etcd-a-worker@1.service  on aaaa0001  T
stopped    etcd-a-worker@2.service  on aaaa0002  T
destroyed  etcd-a-worker@2.service  T
etcd-a/worker: 1 restarted, 1 stopped, 1 destroyed
etcd-a: release 3
deploy: done in T
",
        "",
    );
    scene.run("rollback etcd-a --list").is(
        0,
        "\
* 3 T ago  complete, deploy, by ann, worker ×1
  2 T ago  failed, deploy, by ann, worker ×1
  1 T ago  complete, deploy, by ann, worker ×2
",
        "",
    );
    scene
        .run("lock etcd-a")
        .is(0, "", "nobody has the lock of `etcd-a`\n");
    // What is recorded nowhere is recorded, even if nothing is to be done for it.
    let other = Scene::new(&app("etcd-b", 1, TWO));
    other.does("deploy");
    let other = other.with(shared());
    other.run("deploy").is(
        0,
        "\
etcd-b: release 1
nothing to do: all is as it should be
",
        "",
    );
    other
        .run("deploy")
        .is(0, "nothing to do: all is as it should be\n", "");
}

#[test]
fn what_only_a_command_line_gave_is_not_forgotten() {
    let manifest = "apps:\n  etcd-set: {exec: [/bin/hub, $VERSION], versions: [v41], instances: 1, deploy: {ready_secs: 0}}\n";
    let scene = Scene::recorded(shared(), manifest);
    scene.does("deploy");
    scene.run("deploy --set etcd-set.versions=v42").is(
        0,
        "\
etcd-set/worker  1 instance, 1 alive at least, 2 at most; each up for 0 s within 25 min
started    etcd-set-worker@v42-1.service  on aaaa0002  T
stopped    etcd-set-worker@v41-1.service  on aaaa0001  T
destroyed  etcd-set-worker@v41-1.service  T
etcd-set/worker: 1 started, 1 stopped, 1 destroyed
etcd-set: release 2
deploy: done in T
",
        "",
    );
    scene.changes();
    scene.run("deploy").is(5, "", "\
error: release 2 of `etcd-set`, by ann, had --set 'etcd-set.versions=v42', and the manifest says otherwise

help: nothing was done; give a value again, this one or another: --set 'etcd-set.versions=v42'; or say `--as-written`
");
    scene.run("deploy --dry-run").is(5, "", "\
error: release 2 of `etcd-set`, by ann, had --set 'etcd-set.versions=v42', and the manifest says otherwise

help: nothing was done; give a value again, this one or another: --set 'etcd-set.versions=v42'; or say `--as-written`
");
    scene.run("deploy --set etcd-set.instances=2").is(5, "", "\
error: release 2 of `etcd-set`, by ann, had --set 'etcd-set.versions=v42', and the manifest says otherwise

help: nothing was done; give a value again, this one or another: --set 'etcd-set.versions=v42'; or say `--as-written`
");
    same(&scene.changes(), &[]);
    scene.run("deploy --set etcd-set.versions=v42").is(
        0,
        "nothing to do: all is as it should be\n",
        "",
    );
    scene.run("deploy --set etcd-set.versions=v43").is(
        0,
        "\
etcd-set/worker  1 instance, 1 alive at least, 2 at most; each up for 0 s within 25 min
started    etcd-set-worker@v43-1.service  on aaaa0001  T
stopped    etcd-set-worker@v42-1.service  on aaaa0002  T
destroyed  etcd-set-worker@v42-1.service  T
etcd-set/worker: 1 started, 1 stopped, 1 destroyed
etcd-set: release 3
deploy: done in T
",
        "",
    );
    scene.run("deploy --as-written").is(
        0,
        "\
etcd-set/worker  1 instance, 1 alive at least, 2 at most; each up for 0 s within 25 min
started    etcd-set-worker@v41-1.service  on aaaa0002  T
stopped    etcd-set-worker@v43-1.service  on aaaa0001  T
destroyed  etcd-set-worker@v43-1.service  T
etcd-set/worker: 1 started, 1 stopped, 1 destroyed
etcd-set: release 4
deploy: done in T
",
        "",
    );
    scene
        .run("deploy")
        .is(0, "nothing to do: all is as it should be\n", "");
    scene.does("deploy --set etcd-set.versions=v42");
    // The manifest says the same by now.
    scene.manifest(&manifest.replace("v41", "v42"));
    scene.run("deploy").is(
        0,
        "\
etcd-set: release 6
nothing to do: all is as it should be
",
        "",
    );
    scene.run("rollback etcd-set --list").is(
        0,
        "\
* 6 T ago  complete, deploy, by ann, worker v42×1
  5 T ago  complete, deploy, by ann, worker v42×1, --set etcd-set.versions=v42
  4 T ago  complete, deploy, by ann, worker v41×1
  3 T ago  complete, deploy, by ann, worker v43×1, --set etcd-set.versions=v43
  2 T ago  complete, deploy, by ann, worker v42×1, --set etcd-set.versions=v42
  1 T ago  complete, deploy, by ann, worker v41×1
",
        "",
    );
}

#[test]
fn without_an_etcd_there_is_neither_lock_nor_release() {
    let port = free_port();
    let scene = Scene::new(&app("hub", 1, TWO)).at(&format!("http://127.0.0.1:{port}"));
    let told = |mut told: Told| {
        for text in [&mut told.stdout, &mut told.stderr] {
            *text = text.replace(&port.to_string(), "PORT");
        }
        told
    };
    told(scene.run("deploy")).is(
        3,
        "",
        "\
error: can't reach etcd at `http://127.0.0.1:PORT`
  caused by: connection refused

help: without it nothing is locked, and no release is recorded: `--without-etcd`
",
    );
    told(scene.run("deploy --without-etcd")).is(
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
    told(scene.run("rollback hub")).is(
        3,
        "",
        "\
error: can't reach etcd at `http://127.0.0.1:PORT`
  caused by: connection refused

help: is it this one that is meant? `--endpoints` or ETCDCTL_ENDPOINTS names another
",
    );
    told(scene.run("rollback hub --without-etcd")).is(
        2,
        "",
        "error: releases are in etcd: `--without-etcd` leaves none to go back to\n",
    );
    // Where nobody says where it is, it need not be.
    if TcpStream::connect("127.0.0.1:2379").is_ok() {
        return;
    }
    let scene = scene.at("");
    scene.manifest(&app("hub", 2, TWO));
    scene.run("deploy").is(0, "\
replaced   hub-worker@.service  services.yaml:2:3
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
replaced   hub-worker@1.service  on aaaa0001  T
replaced   hub-worker@2.service  on aaaa0002  T
hub/worker: 2 replaced
deploy: done in T
", "there is no etcd at `http://127.0.0.1:2379`: nothing is locked, and no release is recorded\n");
    scene.run("restart hub").is(0, "\
hub/worker  2 instances, 1 alive at least, 2 at most; each up for 0 s within 25 min
restarted  hub-worker@1.service  on aaaa0001  T
restarted  hub-worker@2.service  on aaaa0002  T
hub/worker: 2 restarted
restart: done in T
", "there is no etcd at `http://127.0.0.1:2379`: nothing is locked, and no release is recorded\n");
}
