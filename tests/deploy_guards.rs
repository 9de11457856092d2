//! What `unitgen deploy` refuses before anything happens, and what it takes away only where that is asked.

use crate::deploy::app;
use crate::deploy_run::{Scene, same};

#[test]
fn bounds_that_can_not_be_met_are_refused() {
    let scene = Scene::new(&app(1, "instances: 3"));
    scene.does("deploy");
    scene.manifest(&app(2, "instances: 3"));
    scene.run("deploy --min-alive 3").is(5, "", "\
error: hub/worker: 3 instances, 3 alive, each replaced where it is: one must stop before it can start; --min-alive 3 is impossible
  help: allow less: `--min-alive 2`, or `min_alive: 2` under `deploy`
nothing was done
");
    scene.run("deploy --ready-secs 10 --timeout 10s").is(
        5,
        "",
        "\
error: hub/worker: an instance must be up for 10 s, and may take 10 s in all
  help: allow more time: `--timeout`, or less of it up: `--ready-secs`
nothing was done
",
    );
    scene.run("deploy --timeout never").is(
        2,
        "",
        "\
error: --timeout is `never`, which is no time

help: write one such as `5s`, `500ms` or `1m30s`, of a day at most
",
    );
    scene.run("deploy --timeout 0s").is(
        2,
        "",
        "\
error: --timeout is `0s`, which is no time

help: write one such as `5s`, `500ms` or `1m30s`, of a day at most
",
    );
    scene.run("deploy --min-alive x").is(
        2,
        "",
        "\
error: invalid value 'x' for '--min-alive <N>': invalid digit found in string

For more information, try '--help'.
",
    );
    same(&scene.changes(), &[]);
    // What serves already need not be less.
    scene.manifest(&app(1, "instances: 3"));
    scene
        .run("deploy --min-alive 3")
        .is(0, "nothing to do: all is as it should be\n", "");
    scene.manifest(&app(1, "instances: 2"));
    scene.run("deploy --min-alive 2").is(
        0,
        "\
hub/worker  2 instances, 2 alive at least, 3 at most; each up for 0 s within 25 min
up         hub-worker@1.service  on aaaa0001  T
up         hub-worker@2.service  on aaaa0002  T
stopped    hub-worker@3.service  on aaaa0003  T
destroyed  hub-worker@3.service  T
hub/worker: 2 up, 1 stopped, 1 destroyed
deploy: done in T
",
        "",
    );
}

#[test]
fn more_instances_than_machines_are_refused() {
    let scene = Scene::new(&app(1, "instances: 4, conflicts: self"));
    scene.run("deploy").is(5, "", "\
error: hub/worker: `hub-worker@4.service` has no place: all 3 eligible machines are taken by units that it conflicts with: `hub-worker@1.service` on aaaa0001, `hub-worker@2.service` on aaaa0002, `hub-worker@3.service` on aaaa0003
  help: make room for it, or want less of it
nothing was done
");
    scene.run("deploy --dry-run").is(5, "", "\
error: hub/worker: `hub-worker@4.service` has no place: all 3 eligible machines are taken by units that it conflicts with: `hub-worker@1.service` on aaaa0001, `hub-worker@2.service` on aaaa0002, `hub-worker@3.service` on aaaa0003
  help: make room for it, or want less of it
nothing was done
");
    same(&scene.changes(), &[]);
}

#[test]
fn what_is_impossible_of_one_process_holds_up_all() {
    let manifest = |command: u32| {
        format!(
            "defaults: {{deploy: {{ready_secs: 0}}}}\napps:\n  hub: {{exec: [/bin/sleep, \"{command}\"], instances: 1}}\n  web: {{exec: [/bin/sleep, \"{command}\"], instances: 2, deploy: {{min_alive: 2}}}}\n"
        )
    };
    let scene = Scene::new(&manifest(1));
    scene.does("deploy");
    scene.manifest(&manifest(2));
    scene.run("deploy").is(5, "", "\
error: web/worker: 2 instances, 2 alive, each replaced where it is: one must stop before it can start; --min-alive 2 is impossible
  help: allow less: `--min-alive 1`, or `min_alive: 1` under `deploy`
nothing was done
");
    same(&scene.changes(), &[]);
    scene.run("deploy hub").is(
        0,
        "\
replaced   hub-worker@.service  services.yaml:3:3
hub/worker  1 instance, 0 alive at least, 1 at most; each up for 0 s within 25 min
replaced   hub-worker@1.service  on aaaa0001  T
hub/worker: 1 replaced
deploy: done in T
",
        "",
    );
}

const MANY: &str = "\
defaults: {deploy: {ready_secs: 0}}
apps:
  hub:
    processes:
      a: {exec: [/bin/sleep, \"1\"], instances: 2}
      b: {exec: [/bin/sleep, \"1\"], instances: 1}
      c: {exec: [/bin/sleep, \"1\"], unit: hub-c}
  web: {exec: [/bin/sleep, \"1\"], instances: 1}
";

const FEWER: &str = "\
defaults: {deploy: {ready_secs: 0}}
apps:
  hub:
    processes:
      a: {exec: [/bin/sleep, \"1\"], instances: 2}
";

#[test]
#[expect(clippy::too_many_lines, reason = "it states whole outputs")]
fn what_nobody_wants_any_more_is_told_and_taken_away_where_that_is_asked() {
    let scene = Scene::new(MANY);
    scene.does("deploy");
    scene.manifest(FEWER);
    scene.run("deploy").is(
        0,
        "nothing to do: all is as it should be\n",
        "\
runs on    hub-b@1.service, hub-c.service, web-worker@1.service
  3 units not in the manifest any more: `deploy APP --prune` stops and destroys them
unwanted   hub-b@.service, web-worker@.service
  2 units not in the manifest any more: `deploy APP --prune` destroys them
",
    );
    scene.run("deploy hub").is(
        0,
        "nothing to do: all is as it should be\n",
        "\
runs on    hub-b@1.service, hub-c.service
  2 units not in the manifest any more: `deploy APP --prune` stops and destroys them
unwanted   hub-b@.service
  1 unit not in the manifest any more: `deploy APP --prune` destroys them
",
    );
    scene.run("deploy web").is(
        0,
        "nothing to do: all is as it should be\n",
        "\
runs on    web-worker@1.service
  1 unit not in the manifest any more: `deploy APP --prune` stops and destroys them
unwanted   web-worker@.service
  1 unit not in the manifest any more: `deploy APP --prune` destroys them
",
    );
    scene.run("deploy hub web --prune --prune-max 2").is(
        5,
        "",
        "\
error: 3 of 4 units would be stopped and destroyed, and the limit is 2

help: nothing was done; `unitgen diff` shows them; where that is meant say `--prune-max 3`
",
    );
    same(&scene.changes(), &[]);
    scene.run("deploy hub web --prune --dry-run").is(
        0,
        "\
hub/b  each up for 10 s within 25 min
  stop     hub-b@1.service  surplus
  destroy  hub-b@1.service  surplus
hub/c  each up for 10 s within 25 min
  stop     hub-c.service  surplus
  destroy  hub-c.service  surplus
  destroy  hub-b@.service  unwanted
web/worker  each up for 10 s within 25 min
  stop     web-worker@1.service  surplus
  destroy  web-worker@1.service  surplus
  destroy  web-worker@.service  unwanted
2 unit files to change, 3 to stop, 3 to destroy
",
        "",
    );
    scene.run("deploy hub web --prune").is(
        0,
        "\
hub/b  each up for 10 s within 25 min
stopped    hub-b@1.service  on aaaa0003  T
destroyed  hub-b@1.service  T
hub/c  each up for 10 s within 25 min
stopped    hub-c.service  on aaaa0001  T
destroyed  hub-c.service  T
destroyed  hub-b@.service
web/worker  each up for 10 s within 25 min
stopped    web-worker@1.service  on aaaa0002  T
destroyed  web-worker@1.service  T
destroyed  web-worker@.service
hub/b: 1 stopped, 1 destroyed
hub/c: 1 stopped, 1 destroyed
web/worker: 1 stopped, 1 destroyed
deploy: done in T
",
        "",
    );
    same(
        &scene.changes(),
        &[
            "PUT hub-b@1.service",
            "PUT hub-b@1.service",
            "DELETE hub-b@1.service",
            "PUT hub-c.service",
            "PUT hub-c.service",
            "DELETE hub-c.service",
            "DELETE hub-b@.service",
            "PUT web-worker@1.service",
            "PUT web-worker@1.service",
            "DELETE web-worker@1.service",
            "DELETE web-worker@.service",
        ],
    );
    same(
        &scene.units(),
        &[
            "hub-a@.service sleep 1 inactive",
            "hub-a@1.service sleep 1 launched active/running on aaaa0001",
            "hub-a@2.service sleep 1 launched active/running on aaaa0002",
        ],
    );
    scene
        .run("deploy hub --prune")
        .is(0, "nothing to do: all is as it should be\n", "");
    scene.manifest("apps: {}\n");
    scene.run("deploy hub --prune").is(5, "", "\
error: nothing would be left: 1 unit would be stopped and destroyed

help: nothing was done; is this the right manifest? what is really to go, `fleetctl destroy` takes by name
");
    scene.run("deploy").is(
        0,
        "nothing to do: all is as it should be\n",
        "\
runs on    hub-a@1.service, hub-a@2.service
  2 units not in the manifest any more: `deploy APP --prune` stops and destroys them
unwanted   hub-a@.service
  1 unit not in the manifest any more: `deploy APP --prune` destroys them
",
    );
}

#[test]
fn a_manifest_with_mistakes_changes_nothing() {
    let scene = Scene::new("apps:\n  hub: {exec: [/bin/sleep, \"1\"], deploy: {min_alive: -1}}\n");
    scene.run("deploy").is(
        2,
        "",
        "\
error: expected a whole number, not negative, found `-1`
 --> services.yaml:2:54
  |
2 |   hub: {exec: [/bin/sleep, \"1\"], deploy: {min_alive: -1}}
  |                                                      ^^

1 error
",
    );
    scene.run("restart hub").is(
        2,
        "",
        "\
error: expected a whole number, not negative, found `-1`
 --> services.yaml:2:54
  |
2 |   hub: {exec: [/bin/sleep, \"1\"], deploy: {min_alive: -1}}
  |                                                      ^^

1 error
",
    );
    same(&scene.server.requests(), &[]);
}
