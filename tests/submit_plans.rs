//! Saved plans in `unitgen submit`. On servers of the tests' own.

use crate::delivery::put_unit;
use crate::fleet_server::FleetServer;
use crate::fleetctl::{Fleetctl, Release};
use crate::submit::submit;
use crate::submit_guards::{apps, fewer, run, writes};
use crate::test::{Folder, Test};

/// Saves a plan.
fn saved(server: &FleetServer, folder: Folder) -> Folder {
    let diff = Test::within(folder).args(&format!(
        "diff --endpoint {} --out plan.json",
        server.endpoint()
    ));
    assert_eq!(diff.output().status.code(), Some(1));
    server.requests();
    diff.into_folder()
}

#[test]
fn a_saved_plan_is_carried_out_and_once_more_changes_nothing() {
    let (server, folder) = fewer(2, 1);
    folder.write(
        "services.yaml",
        apps(0..1).replace("\"1\"", "\"2\"") + "  new: {exec: [/bin/true], instances: 0}\n",
    );
    let folder = saved(&server, folder);
    folder.write("services.yaml", "nothing of this is read");
    let folder = run(&server, folder, "plan.json --jobs 1")
        .stdout(
            "\
replaced   app00-worker@.service  services.yaml:2:3
created    new-worker@.service  services.yaml:3:3
unwanted   app01-worker@.service
  1 unit not in the manifest any more: `--prune` destroys what does not run
unit files: 1 created, 1 replaced
",
        )
        .run();
    run(&server, folder, "plan.json --prune --jobs 1")
        .stdout(
            "\
unchanged  app00-worker@.service  services.yaml:2:3
unchanged  new-worker@.service  services.yaml:3:3
destroyed  app01-worker@.service
unit files: 1 destroyed, 2 unchanged
",
        )
        .run();
    assert_eq!(
        writes(&server),
        [
            "PUT /fleet/v1/units/app00-worker@.service",
            "PUT /fleet/v1/units/new-worker@.service",
            "DELETE /fleet/v1/units/app01-worker@.service"
        ]
    );
}

#[test]
fn a_plan_that_is_out_of_date_is_refused_whole() {
    let (server, folder) = fewer(3, 3);
    folder.write(
        "services.yaml",
        apps(0..3).replace("\"1\"", "\"2\"") + "  new: {exec: [/bin/true], instances: 0}\n",
    );
    let folder = saved(&server, folder);
    let other = "[Service]\nExecStart=/bin/other\n";
    put_unit(
        server.endpoint(),
        "app00-worker@.service",
        other,
        "inactive",
    );
    put_unit(server.endpoint(), "new-worker@.service", other, "inactive");
    server.world(|world| world.destroy("app01-worker@.service"));
    server.requests();
    let test = run(&server, folder, "plan.json").status(5);
    let stderr = String::from_utf8(test.output().stderr).unwrap();
    let found = unitgen::unit::fleet::hash(other);
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(
        lines[0],
        "error: the plan is out of date: 3 units changed since it was made"
    );
    assert!(lines[1].starts_with(&format!(
        "  caused by: `app00-worker@.service` has the hash {found} meanwhile, and had "
    )));
    assert_eq!(
        lines[2..4],
        [
            "  and: `app01-worker@.service` is not there any more".to_owned(),
            format!("  and: `new-worker@.service` is there meanwhile, with the hash {found}")
        ]
    );
    assert_eq!(
        lines[5],
        "help: nothing was done; make a new plan: `unitgen diff --out FILE`"
    );
    assert_eq!(writes(&server), Vec::<String>::new());
}

#[test]
fn a_plan_is_for_one_cluster() {
    let (server, folder) = fewer(1, 1);
    folder.write("services.yaml", apps(0..1).replace("\"1\"", "\"2\""));
    let folder = saved(&server, folder);
    let (other, _) = fewer(1, 1);
    let shown = |server: &FleetServer| server.endpoint().to_owned();
    let folder = run(&other, folder, "plan.json")
        .status(5)
        .stderr(format!(
            "error: the plan is for {}, and this is {}\n\nhelp: where both are the same cluster, or that is \
             meant, say `--other-cluster`\n",
            shown(&server),
            shown(&other)
        ))
        .run();
    assert_eq!(writes(&other), Vec::<String>::new());
    run(&other, folder, "plan.json --other-cluster")
        .stderr(format!(
            "warning: the plan is for {}, and this is {}\n",
            shown(&server),
            shown(&other)
        ))
        .stdout("replaced   app00-worker@.service  services.yaml:2:3\nunit files: 1 replaced\n")
        .run();
}

#[test]
fn a_plan_that_somebody_wrote_does_no_more_than_a_manifest_could() {
    let (server, folder) = fewer(1, 1);
    let hand = "[Service]\nExecStart=/bin/true\n";
    put_unit(server.endpoint(), "hand.service", hand, "inactive");
    let hash = unitgen::unit::fleet::hash(hand);
    let endpoint = server.endpoint();
    let plan = |step: &str| {
        format!(
            "{{\"format_version\": 1, \"against\": \"{endpoint}\", \"held\": [], \"steps\": [{step}]}}"
        )
    };
    folder.write(
        "a.json",
        plan(&format!(
            "{{\"action\": \"destroy\", \"unit\": \"hand.service\", \"reason\": \"unwanted\", \"before\": \"{hash}\", \
             \"after\": null, \"text\": null, \"place\": null}}"
        )),
    );
    let text = "[Service]\nExecStart=/bin/true\n\n[X-Fleet]\nMachineID=a\nConflicts=b\n";
    folder.write(
        "b.json",
        plan(&format!(
            "{{\"action\": \"create\", \"unit\": \"new.service\", \"reason\": \"new\", \"before\": null, \
             \"after\": \"{}\", \"text\": {}, \"place\": null}}",
            unitgen::unit::fleet::hash(text),
            serde_json::json!(text)
        )),
    );
    server.requests();
    let folder = run(&server, folder, "a.json --prune")
        .status(5)
        .stderr("error: `hand.service` does not carry unitgen's mark, and is not unitgen's to destroy\n")
        .run();
    let second = run(&server, folder, "b.json");
    let output = second.output();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        stderr.lines().next(),
        Some("error: the plan's text of `new.service` has mistakes")
    );
    assert_eq!(writes(&server), Vec::<String>::new());
}

#[test]
fn a_plan_in_another_order_does_the_same() {
    for way in ["api", "fleetctl"] {
        let (server, folder) = fewer(2, 1);
        folder.write("services.yaml", apps(0..1).replace("\"1\"", "\"2\""));
        let folder = saved(&server, folder);
        let mut plan: serde_json::Value = serde_json::from_str(&folder.read("plan.json")).unwrap();
        plan["steps"].as_array_mut().unwrap().reverse();
        folder.write("plan.json", plan.to_string());
        let fleetctl = Fleetctl::new(Release::Current);
        let arguments = format!("--via {way} --prune plan.json");
        submit(server.endpoint(), &fleetctl, folder, &arguments)
            .stdout(
                "replaced   app00-worker@.service  services.yaml:2:3\ndestroyed  app01-worker@.service\nunit \
                 files: 1 replaced, 1 destroyed\n",
            )
            .run();
        let names = server.world(|world| world.units.keys().cloned().collect::<Vec<_>>());
        assert_eq!(names, ["app00-worker@.service"]);
    }
}

#[test]
fn a_plan_never_takes_all_away() {
    let (server, folder) = fewer(2, 0);
    let marked = "[Service]\nExecStart=/bin/true\n\n[X-Unitgen]\nApp=app00\nProcess=old\n";
    put_unit(server.endpoint(), "running.service", marked, "launched");
    let folder = saved(&server, folder);
    let test = run(&server, folder, "plan.json --prune --yes");
    let output = test.output();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(
        stderr.lines().next(),
        Some("error: nothing would be left: 2 unit files would be destroyed")
    );
    assert_eq!(writes(&server), Vec::<String>::new());
}

#[test]
fn a_plan_that_destroyed_something_runs_once_more() {
    let (server, folder) = fewer(3, 1);
    let folder = saved(&server, folder);
    server.world(|world| world.destroy("app01-worker@.service"));
    let folder = run(&server, folder, "plan.json --prune --jobs 1")
        .stdout(
            "unchanged  app01-worker@.service\ndestroyed  app02-worker@.service\nunit files: 1 destroyed, 1 \
             unchanged\n",
        )
        .run();
    run(&server, folder, "plan.json --prune --jobs 1")
        .stdout(
            "unchanged  app01-worker@.service\nunchanged  app02-worker@.service\nunit files: 2 unchanged\n",
        )
        .run();
    assert_eq!(
        writes(&server),
        ["DELETE /fleet/v1/units/app02-worker@.service"]
    );
}
