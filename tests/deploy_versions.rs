//! Several versions of an app side by side: canaries, cut-overs, and versions that only a command line
//! gives.

use crate::deploy_run::{Scene, same};
use crate::submit_faults_scene::try_all;

/// Returns a manifest with versions of one app.
fn versions(versions: &str, rest: &str) -> String {
    format!(
        "apps:\n  hub: {{exec: [/bin/hub, $VERSION], versions: {versions}, deploy: {{ready_secs: 0}}, {rest}}}\n"
    )
}

const ALONE: &str = "instances: 3, conflicts: self";

#[test]
fn versions_run_side_by_side_and_are_cut_over() {
    let scene = Scene::new(&versions("[v41]", "instances: 3"));
    scene.does("deploy");
    scene.manifest(&versions("{v41: 3, v42: 1}", "instances: 3"));
    scene.run("deploy").is(
        0,
        "\
hub/worker  4 instances, 3 alive at least, 4 at most; each up for 0 s within 25 min
started    hub-worker@v42-1.service  on aaaa0001  T
hub/worker: 1 started
deploy: done in T
",
        "",
    );
    same(&scene.changes(), &["PUT hub-worker@v42-1.service"]);
    scene.manifest(&versions("[v42]", "instances: 3"));
    scene.run("deploy --dry-run").is(
        0,
        "\
hub/worker  3 instances, 3 alive at least, 4 at most; each up for 0 s within 25 min
  wait     hub-worker@v42-1.service  unproven
  stop     hub-worker@v41-2.service  surplus, makes room for hub-worker@v42-2.service
  destroy  hub-worker@v41-2.service  surplus
  start    hub-worker@v42-2.service  missing
  stop     hub-worker@v41-3.service  surplus, makes room for hub-worker@v42-3.service
  destroy  hub-worker@v41-3.service  surplus
  start    hub-worker@v42-3.service  missing
  stop     hub-worker@v41-1.service  surplus
  destroy  hub-worker@v41-1.service  surplus
2 to start, 1 to wait for, 3 to stop, 3 to destroy
",
        "",
    );
    let first = scene.history();
    scene.run("deploy").is(
        0,
        "\
hub/worker  3 instances, 3 alive at least, 4 at most; each up for 0 s within 25 min
up         hub-worker@v42-1.service  on aaaa0001  T
stopped    hub-worker@v41-2.service  on aaaa0002  T
destroyed  hub-worker@v41-2.service  T
started    hub-worker@v42-2.service  on aaaa0002  T
stopped    hub-worker@v41-3.service  on aaaa0003  T
destroyed  hub-worker@v41-3.service  T
started    hub-worker@v42-3.service  on aaaa0003  T
stopped    hub-worker@v41-1.service  on aaaa0001  T
destroyed  hub-worker@v41-1.service  T
hub/worker: 2 started, 1 up, 3 stopped, 3 destroyed
deploy: done in T
",
        "",
    );
    same(
        &scene.changes(),
        &[
            "PUT hub-worker@v41-2.service",
            "PUT hub-worker@v41-2.service",
            "DELETE hub-worker@v41-2.service",
            "PUT hub-worker@v42-2.service",
            "PUT hub-worker@v41-3.service",
            "PUT hub-worker@v41-3.service",
            "DELETE hub-worker@v41-3.service",
            "PUT hub-worker@v42-3.service",
            "PUT hub-worker@v41-1.service",
            "PUT hub-worker@v41-1.service",
            "DELETE hub-worker@v41-1.service",
        ],
    );
    assert_eq!(scene.least_since(first, "hub-worker@"), 3);
    same(
        &scene.units(),
        &[
            r#"hub-worker@.service hub "$$VERSION" inactive"#,
            r#"hub-worker@v42-1.service hub "$$VERSION" launched active/running on aaaa0001"#,
            r#"hub-worker@v42-2.service hub "$$VERSION" launched active/running on aaaa0002"#,
            r#"hub-worker@v42-3.service hub "$$VERSION" launched active/running on aaaa0003"#,
        ],
    );
    scene
        .run("deploy")
        .is(0, "nothing to do: all is as it should be\n", "");
}

#[test]
fn a_new_version_grows_only_as_far_as_it_may() {
    try_all(&[0, 1, 3], |growth| {
        let scene = Scene::new(&versions("[v41]", "instances: 3"));
        scene.does("deploy");
        scene.manifest(&versions("[v42]", "instances: 3"));
        let first = scene.history();
        let told = scene.run(&format!("deploy --max-growth {growth}"));
        match growth {
            0 => told.is(
                0,
                "\
hub/worker  3 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
stopped    hub-worker@v41-1.service  on aaaa0001  T
destroyed  hub-worker@v41-1.service  T
started    hub-worker@v42-1.service  on aaaa0001  T
stopped    hub-worker@v41-2.service  on aaaa0002  T
destroyed  hub-worker@v41-2.service  T
started    hub-worker@v42-2.service  on aaaa0002  T
stopped    hub-worker@v41-3.service  on aaaa0003  T
destroyed  hub-worker@v41-3.service  T
started    hub-worker@v42-3.service  on aaaa0003  T
hub/worker: 3 started, 3 stopped, 3 destroyed
deploy: done in T
",
                "",
            ),
            1 => told.is(
                0,
                "\
hub/worker  3 instances, 3 alive at least, 4 at most; each up for 0 s within 25 min
started    hub-worker@v42-1.service  on aaaa0001  T
stopped    hub-worker@v41-2.service  on aaaa0002  T
destroyed  hub-worker@v41-2.service  T
started    hub-worker@v42-2.service  on aaaa0002  T
stopped    hub-worker@v41-3.service  on aaaa0003  T
destroyed  hub-worker@v41-3.service  T
started    hub-worker@v42-3.service  on aaaa0003  T
stopped    hub-worker@v41-1.service  on aaaa0001  T
destroyed  hub-worker@v41-1.service  T
hub/worker: 3 started, 3 stopped, 3 destroyed
deploy: done in T
",
                "",
            ),
            _ => told.is(
                0,
                "\
hub/worker  3 instances, 3 alive at least, 6 at most; each up for 0 s within 25 min
started    hub-worker@v42-1.service  on aaaa0001  T
started    hub-worker@v42-2.service  on aaaa0002  T
started    hub-worker@v42-3.service  on aaaa0003  T
stopped    hub-worker@v41-1.service  on aaaa0001  T
destroyed  hub-worker@v41-1.service  T
stopped    hub-worker@v41-2.service  on aaaa0002  T
destroyed  hub-worker@v41-2.service  T
stopped    hub-worker@v41-3.service  on aaaa0003  T
destroyed  hub-worker@v41-3.service  T
hub/worker: 3 started, 3 stopped, 3 destroyed
deploy: done in T
",
                "",
            ),
        }
        let least = scene.least_since(first, "hub-worker@");
        assert_eq!(least, if *growth == 0 { 2 } else { 3 });
        Ok(())
    });
}

#[test]
fn where_all_machines_are_taken_one_must_stop_before_one_can_start() {
    let scene = Scene::new(&versions("[v41]", ALONE));
    scene.does("deploy");
    scene.manifest(&versions("[v42]", ALONE));
    scene.run("deploy --min-alive 3").is(5, "", "\
error: hub/worker: 3 instances, 3 machines, Conflicts=hub-worker@*.service: one must stop before one can start; --min-alive 3 is impossible
  help: allow less: `--min-alive 2`, or `min_alive: 2` under `deploy`
nothing was done
");
    scene.run("deploy --min-alive 3 --dry-run").is(5, "", "\
error: hub/worker: 3 instances, 3 machines, Conflicts=hub-worker@*.service: one must stop before one can start; --min-alive 3 is impossible
  help: allow less: `--min-alive 2`, or `min_alive: 2` under `deploy`
nothing was done
");
    same(&scene.changes(), &[]);
    scene.run("deploy --dry-run").is(
        0,
        "\
hub/worker  3 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
  stop     hub-worker@v41-1.service  surplus, makes room for hub-worker@v42-1.service
  destroy  hub-worker@v41-1.service  surplus
  start    hub-worker@v42-1.service  missing
  stop     hub-worker@v41-2.service  surplus, makes room for hub-worker@v42-2.service
  destroy  hub-worker@v41-2.service  surplus
  start    hub-worker@v42-2.service  missing
  stop     hub-worker@v41-3.service  surplus, makes room for hub-worker@v42-3.service
  destroy  hub-worker@v41-3.service  surplus
  start    hub-worker@v42-3.service  missing
3 to start, 3 to stop, 3 to destroy
",
        "",
    );
    let first = scene.history();
    scene.run("deploy --min-alive 2").is(
        0,
        "\
hub/worker  3 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
stopped    hub-worker@v41-1.service  on aaaa0001  T
destroyed  hub-worker@v41-1.service  T
started    hub-worker@v42-1.service  on aaaa0001  T
stopped    hub-worker@v41-2.service  on aaaa0002  T
destroyed  hub-worker@v41-2.service  T
started    hub-worker@v42-2.service  on aaaa0002  T
stopped    hub-worker@v41-3.service  on aaaa0003  T
destroyed  hub-worker@v41-3.service  T
started    hub-worker@v42-3.service  on aaaa0003  T
hub/worker: 3 started, 3 stopped, 3 destroyed
deploy: done in T
",
        "",
    );
    same(
        &scene.changes(),
        &[
            "PUT hub-worker@v41-1.service",
            "PUT hub-worker@v41-1.service",
            "DELETE hub-worker@v41-1.service",
            "PUT hub-worker@v42-1.service",
            "PUT hub-worker@v41-2.service",
            "PUT hub-worker@v41-2.service",
            "DELETE hub-worker@v41-2.service",
            "PUT hub-worker@v42-2.service",
            "PUT hub-worker@v41-3.service",
            "PUT hub-worker@v41-3.service",
            "DELETE hub-worker@v41-3.service",
            "PUT hub-worker@v42-3.service",
        ],
    );
    assert_eq!(scene.least_since(first, "hub-worker@"), 2);
    same(
        &scene.units(),
        &[
            r#"hub-worker@.service hub "$$VERSION" inactive"#,
            r#"hub-worker@v42-1.service hub "$$VERSION" launched active/running on aaaa0001"#,
            r#"hub-worker@v42-2.service hub "$$VERSION" launched active/running on aaaa0002"#,
            r#"hub-worker@v42-3.service hub "$$VERSION" launched active/running on aaaa0003"#,
        ],
    );
}

#[test]
fn ports_that_are_taken_are_no_place_for_a_new_version() {
    let ports = "instances: [8001, 8002], port: slot";
    let scene = Scene::new(&versions("[v41]", ports));
    scene.does("deploy");
    scene.manifest(&versions("[v42]", ports));
    scene.run("deploy").is(
        0,
        "\
hub/http  2 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
started    hub-http@v42-8001.service  on aaaa0003  T
stopped    hub-http@v41-8002.service  on aaaa0002  T
destroyed  hub-http@v41-8002.service  T
started    hub-http@v42-8002.service  on aaaa0002  T
stopped    hub-http@v41-8001.service  on aaaa0001  T
destroyed  hub-http@v41-8001.service  T
hub/http: 2 started, 2 stopped, 2 destroyed
deploy: done in T
",
        "",
    );
    same(
        &scene.changes(),
        &[
            "PUT hub-http@v42-8001.service",
            "PUT hub-http@v41-8002.service",
            "PUT hub-http@v41-8002.service",
            "DELETE hub-http@v41-8002.service",
            "PUT hub-http@v42-8002.service",
            "PUT hub-http@v41-8001.service",
            "PUT hub-http@v41-8001.service",
            "DELETE hub-http@v41-8001.service",
        ],
    );
    same(
        &scene.units(),
        &[
            r#"hub-http@.service hub "$$VERSION" inactive"#,
            r#"hub-http@v42-8001.service hub "$$VERSION" launched active/running on aaaa0003"#,
            r#"hub-http@v42-8002.service hub "$$VERSION" launched active/running on aaaa0002"#,
        ],
    );
}

#[test]
fn more_than_there_is_room_for_is_refused_before_anything_happens() {
    let scene = Scene::new(&versions("[v41]", ALONE));
    scene.does("deploy");
    scene.manifest(&versions("[v41, v42]", ALONE));
    scene.run("deploy").is(5, "", "\
error: hub/worker: `hub-worker@v42-1.service` has no place: all 3 eligible machines are taken by units that it conflicts with: `hub-worker@v41-1.service` on aaaa0001, `hub-worker@v41-2.service` on aaaa0002, `hub-worker@v41-3.service` on aaaa0003; `hub-worker@v42-2.service` has no place: all 3 eligible machines are taken by units that it conflicts with: `hub-worker@v41-1.service` on aaaa0001, `hub-worker@v41-2.service` on aaaa0002, `hub-worker@v41-3.service` on aaaa0003; `hub-worker@v42-3.service` has no place: all 3 eligible machines are taken by units that it conflicts with: `hub-worker@v41-1.service` on aaaa0001, `hub-worker@v41-2.service` on aaaa0002, `hub-worker@v41-3.service` on aaaa0003
  help: make room for it, or want less of it
nothing was done
");
    same(&scene.changes(), &[]);
}

#[test]
fn a_version_by_the_command_line_is_deployed() {
    let scene = Scene::new(&versions("[v41]", "instances: 1"));
    scene.does("deploy");
    scene.run("deploy --set hub.versions=v42").is(
        0,
        "\
hub/worker  1 instance, 1 alive at least, 2 at most; each up for 0 s within 25 min
started    hub-worker@v42-1.service  on aaaa0002  T
stopped    hub-worker@v41-1.service  on aaaa0001  T
destroyed  hub-worker@v41-1.service  T
hub/worker: 1 started, 1 stopped, 1 destroyed
deploy: done in T
",
        "",
    );
    same(
        &scene.units(),
        &[
            r#"hub-worker@.service hub "$$VERSION" inactive"#,
            r#"hub-worker@v42-1.service hub "$$VERSION" launched active/running on aaaa0002"#,
        ],
    );
}

#[test]
fn a_cut_over_that_fails_leaves_the_old_version() {
    use crate::fleet_server::Fate;
    let scene = Scene::new(&versions("[v41]", "instances: 2"));
    scene.does("deploy");
    scene
        .server
        .world(|world| world.fate("hub-worker@v42-*", "", Fate::fails()));
    scene.manifest(&versions("[v42]", "instances: 2"));
    scene.run("deploy").is(
        4,
        "\
hub/worker  2 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
failed     hub-worker@v42-1.service  to start
  hub-worker@v42-1.service: it failed on aaaa0003: failed/failed
  fleet: told launched, is launched
  systemd: failed/failed on aaaa0003
  `fleetctl journal hub-worker@v42-1.service` shows what it said
hub/worker: 1 failed, 5 not tried
deploy: not done, after T; another run goes on from here
",
        "stopped: the rest is left as it is\n",
    );
    same(
        &scene.units(),
        &[
            r#"hub-worker@.service hub "$$VERSION" inactive"#,
            r#"hub-worker@v41-1.service hub "$$VERSION" launched active/running on aaaa0001"#,
            r#"hub-worker@v41-2.service hub "$$VERSION" launched active/running on aaaa0002"#,
            r#"hub-worker@v42-1.service hub "$$VERSION" launched failed/failed on aaaa0003"#,
        ],
    );
    // Back to what ran, with what failed away.
    scene.manifest(&versions("[v41]", "instances: 2"));
    scene.run("deploy").is(
        0,
        "\
hub/worker  2 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
stopped    hub-worker@v42-1.service  on aaaa0003  T
destroyed  hub-worker@v42-1.service  T
hub/worker: 1 stopped, 1 destroyed
deploy: done in T
",
        "",
    );
    same(
        &scene.units(),
        &[
            r#"hub-worker@.service hub "$$VERSION" inactive"#,
            r#"hub-worker@v41-1.service hub "$$VERSION" launched active/running on aaaa0001"#,
            r#"hub-worker@v41-2.service hub "$$VERSION" launched active/running on aaaa0002"#,
        ],
    );
}
