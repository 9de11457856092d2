//! `unitgen diff` against a cluster, end to end; against a live one too, where nothing has to run.

use crate::delivery::{deliver, put_unit};
use crate::fleet_server::{Fault, FleetServer};
use crate::fleet_site::Site;
use crate::test::{Folder, Test};

/// A manifest of one app with instances that run and one that has none.
fn manifest(site: &Site, command: &str) -> String {
    let (hub, idle) = (site.name("hub"), site.name("idle"));
    format!(
        "apps:\n  {hub}:\n    exec: [/bin/sleep, \"{command}\"]\n    instances: 0\n  {idle}:\n    exec: [/bin/sleep, \"9\"]\n    instances: 0\n"
    )
}

/// What the units of another manifest on the same cluster would add to the counts is not of interest:
/// only the apps of the test are compared.
fn diff(site: &Site, folder: Folder) -> Test {
    let (hub, idle) = (site.name("hub"), site.name("idle"));
    Test::within(folder).args(&format!("diff {hub} {idle} --endpoint {}", site.endpoint()))
}

#[test]
fn a_template_is_new_equal_changed_and_reordered() {
    let site = Site::new("diff");
    let hub = site.name("hub-worker@.service");
    let idle = site.name("idle-worker@.service");
    let folder = Test::new().manifest(&manifest(&site, "1")).into_folder();
    let (app, other) = (site.name("hub"), site.name("idle"));
    let text = |name: &str, seconds: &str| {
        format!(
            "[Unit]\nDescription=%p %i\n\n[Service]\nEnvironment=APPLICATION={name}\nRestart=always\nRestartSec=10s\nExecStart=/bin/sleep {seconds}\n\n[X-Unitgen]\nApp={name}\nProcess=worker\n"
        )
    };
    let added = |name: &str, seconds: &str| {
        let shown: String = text(name, seconds)
            .lines()
            .filter(|line| !line.is_empty())
            .map(|line| {
                if line.starts_with('[') {
                    format!("  {line}\n")
                } else {
                    format!("  + {line}\n")
                }
            })
            .collect();
        shown
    };
    let next = diff(&site, folder).status(1).stdout(format!(
        "new        {hub}  services.yaml:2:3\n  no running instance is touched\n{}\n\
         new        {idle}  services.yaml:5:3\n  no running instance is touched\n{}\n\
         units: 2 new\n",
        added(&app, "1"),
        added(&other, "9"),
    ));
    let folder = deliver(site.endpoint(), next.run());
    let next = diff(&site, folder).stdout("nothing differs: 2 units, 0 instances\n");
    let folder = next.run();
    folder.write("services.yaml", manifest(&site, "2"));
    let next = diff(&site, folder).status(1).stdout(format!(
        "changed    {hub}  services.yaml:3:11\n  no running instance is touched\n  [Service]\n  \
         - ExecStart=/bin/sleep 1\n  + ExecStart=/bin/sleep 2\n\nunits: 1 changed, 1 equal\n"
    ));
    let folder = next.run();
    let lines = text(&app, "2").replace(
        "Restart=always\nRestartSec=10s\n",
        "RestartSec=10s\nRestart=always\n",
    );
    put_unit(site.endpoint(), &hub, &lines, "inactive");
    diff(&site, folder)
        .status(1)
        .stdout(format!(
            "reordered  {hub}  services.yaml:2:3\n  no running instance is touched\n  the same \
             directives in another order, which to fleet is another unit\n  [Service]\n  > \
             Restart=always\n\nunits: 1 reordered, 1 equal\n"
        ))
        .run();
}

#[test]
fn comments_and_formatting_never_show() {
    let site = Site::new("quiet");
    let folder = Test::new().manifest(&manifest(&site, "1")).into_folder();
    let folder = deliver(site.endpoint(), folder);
    folder.write(
        "services.yaml",
        format!(
            "# a comment\n{}",
            manifest(&site, "1").replace("instances: 0", "\n    instances:   0")
        ),
    );
    diff(&site, folder)
        .stdout("nothing differs: 2 units, 0 instances\n")
        .run();
}

/// A server of the test's own with three machines, on which a manifest runs.
pub(crate) fn running(manifest: &str) -> (FleetServer, Folder) {
    let server = FleetServer::start();
    let folder = Test::new().manifest(manifest).into_folder();
    let folder = deliver(server.endpoint(), folder);
    server.requests();
    (server, folder)
}

pub(crate) fn against(server: &FleetServer, folder: Folder, arguments: &str) -> Test {
    Test::within(folder).args(&format!(
        "diff --endpoint {} {arguments}",
        server.endpoint()
    ))
}

pub(crate) const HUB: &str = "\
apps:
  hub:
    exec: [/bin/sleep, \"1\"]
    conflicts: self
    versions: {v1: 2}
    template: own
";

pub(crate) const OWN: &str = "\
[Unit]
Description=%p %i

[Service]
EnvironmentFile=/run/version
ExecStart={% for word in program %}{{ word }} {% endfor %}${VERSION}
";

pub(crate) fn running_hub() -> (FleetServer, Folder) {
    let server = FleetServer::start();
    let test = Test::new()
        .manifest(HUB)
        .file("templates/own.service.tera", OWN);
    let folder = deliver(server.endpoint(), test.into_folder());
    server.requests();
    (server, folder)
}

#[test]
fn what_runs_and_is_as_it_should_be_is_not_mentioned() {
    let (server, folder) = running_hub();
    against(&server, folder, "")
        .stdout("nothing differs: 1 unit, 2 instances\n")
        .run();
    assert_eq!(
        server.requests(),
        ["GET /fleet/v1/units", "GET /fleet/v1/state"]
    );
}

#[test]
fn a_change_says_what_it_restarts() {
    let (server, folder) = running_hub();
    folder.write("services.yaml", HUB.replace("\"1\"", "\"2\""));
    against(&server, folder, "")
        .status(1)
        .stdout(
            "changed    hub-worker@.service  services.yaml:3:11\n  restarts 2 instances\n  [Service]\n  \
             - ExecStart=/bin/sleep 1 ${VERSION}\n  + ExecStart=/bin/sleep 2 ${VERSION}\n\n\
             units: 1 changed; instances: 2 stale\n",
        )
        .run();
}

#[test]
fn a_version_comes_and_another_one_goes() {
    let (server, folder) = running_hub();
    folder.write("services.yaml", HUB.replace("{v1: 2}", "{v1: 1, v2: 2}"));
    against(&server, folder, "")
        .status(1)
        .stdout(
            "instances  hub-worker@.service  services.yaml:5:23\n  starts 2 instances, stops 1 instance\n  \
             + hub-worker@v2-1.service  missing, is to be launched\n  \
             + hub-worker@v2-2.service  missing, is to be launched\n  \
             - hub-worker@v1-2.service  unwanted, is launched, on aaaa0002\n\n\
             units: 1 equal; instances: 2 missing, 1 unwanted, 1 equal\n",
        )
        .run();
}

#[test]
fn more_instances_than_machines_are_named_with_the_reason() {
    let (server, folder) = running_hub();
    folder.write("services.yaml", HUB.replace("{v1: 2}", "{v1: 4}"));
    against(&server, folder, "--stat")
        .status(1)
        .stdout(
            "instances  hub-worker@.service           starts 1 instance\n\
             units: 1 equal; instances: 2 missing, 2 equal; 1 instance can't be placed\n",
        )
        .run();
    assert_eq!(
        server.requests(),
        [
            "GET /fleet/v1/units",
            "GET /fleet/v1/state",
            "GET /fleet/v1/machines"
        ]
    );
}

#[test]
fn what_does_not_run_is_told() {
    let (server, folder) = running_hub();
    server.world(|world| {
        let unit = world.units.get_mut("hub-worker@v1-2.service").unwrap();
        "inactive".clone_into(&mut unit.target);
        for host in &mut world.hosts {
            if let Some(running) = host.units.get_mut("hub-worker@v1-1.service") {
                "failed".clone_into(&mut running.active);
                "failed".clone_into(&mut running.sub);
            }
        }
    });
    against(&server, folder, "")
        .status(1)
        .stdout(
            "instances  hub-worker@.service  services.yaml:2:3\n  starts 1 instance\n  \
             ! hub-worker@v1-1.service  failed on aaaa0001\n  \
             ~ hub-worker@v1-2.service  is inactive, should be launched\n\n\
             units: 1 equal; instances: 1 failed, 1 in another state\n",
        )
        .run();
}

#[test]
fn what_is_no_longer_wanted_is_known_by_its_mark_or_its_application() {
    let (server, folder) = running_hub();
    let other = "[Service]\nExecStart=/bin/true\n\n[X-Unitgen]\nApp=gone\nProcess=web\n";
    put_unit(server.endpoint(), "gone-web@.service", other, "inactive");
    put_unit(server.endpoint(), "gone-web@1.service", other, "launched");
    put_unit(server.endpoint(), "gone-plain.service", other, "launched");
    let hand = "[Service]\nEnvironment=APPLICATION=hub\nExecStart=/bin/true\n";
    put_unit(server.endpoint(), "hub-console.service", hand, "launched");
    let alien = "[Service]\nEnvironment=APPLICATION=alien\nExecStart=/bin/true\n";
    put_unit(server.endpoint(), "alien.service", alien, "launched");
    let expected = "\
unwanted   gone-plain.service
  of app `gone`, which the manifest does not have
  stops 1 instance
  - gone-plain.service  unwanted, is launched, on aaaa0001

unwanted   gone-web@.service
  of app `gone`, which the manifest does not have
  stops 1 instance
  - gone-web@1.service  unwanted, is launched, on aaaa0003

foreign    hub-console.service
  of app `hub`, without unitgen's mark: left alone

units: 2 unwanted, 1 equal; instances: 2 unwanted, 2 equal; 1 not unitgen's
";
    let folder = against(&server, folder, "")
        .status(1)
        .stdout(expected)
        .run();
    // Of one app alone its own units are asked for, and what else runs and nobody wants.
    server.requests();
    let test = against(&server, folder, "hub");
    test.stdout(
        "foreign    hub-console.service\n  of app `hub`, without unitgen's mark: left alone\n\n\
         nothing differs: 1 unit, 2 instances; 1 not unitgen's\n",
    )
    .run();
    assert_eq!(
        server.requests(),
        [
            "GET /fleet/v1/state",
            "GET /fleet/v1/units/alien.service",
            "GET /fleet/v1/units/gone-plain.service",
            "GET /fleet/v1/units/gone-web@.service",
            "GET /fleet/v1/units/gone-web@1.service",
            "GET /fleet/v1/units/hub-console.service",
            "GET /fleet/v1/units/hub-worker@.service",
            "GET /fleet/v1/units/hub-worker@v1-1.service",
            "GET /fleet/v1/units/hub-worker@v1-2.service",
        ]
    );
}

#[test]
fn a_task_is_loaded_and_its_timer_launched() {
    let (server, folder) =
        running("apps:\n  nightly:\n    exec: [/bin/true]\n    schedule: \"*-*-* 03:00:00\"\n");
    let folder = against(&server, folder, "")
        .stdout("nothing differs: 2 units, 2 instances\n")
        .run();
    server.world(|world| {
        let unit = world.units.get_mut("nightly-worker@1.service").unwrap();
        "launched".clone_into(&mut unit.target);
    });
    against(&server, folder, "")
        .status(1)
        .stdout(
            "instances  nightly-worker@.service  services.yaml:2:3\n  stops 1 instance\n  \
             ~ nightly-worker@1.service  is launched, should be loaded, on aaaa0001\n\n\
             units: 2 equal; instances: 1 in another state, 1 equal\n",
        )
        .run();
}

#[test]
fn a_plain_unit_that_runs_is_stale() {
    let manifest = "apps:\n  edge:\n    unit: edge\n    exec: [/bin/sleep, \"1\"]\n";
    let (server, folder) = running(manifest);
    let folder = against(&server, folder, "")
        .stdout("nothing differs: 1 unit, 1 instance\n")
        .run();
    folder.write("services.yaml", manifest.replace("\"1\"", "\"2\""));
    against(&server, folder, "")
        .status(1)
        .stdout(
            "changed    edge.service  services.yaml:4:11\n  restarts 1 instance\n  [Service]\n  \
             - ExecStart=/bin/sleep 1\n  + ExecStart=/bin/sleep 2\n\n\
             units: 1 changed; instances: 1 stale\n",
        )
        .run();
}

#[test]
fn thousand_equal_units_take_one_listing() {
    let mut manifest = "apps:\n".to_owned();
    for number in 0..1_000 {
        manifest += &format!("  a{number:04}: {{exec: [/bin/true], instances: 0}}\n");
    }
    let (server, folder) = running(&manifest);
    against(&server, folder, "")
        .stdout("nothing differs: 1000 units, 0 instances\n")
        .run();
    assert_eq!(
        (server.requests().len(), server.connections() - 1_000),
        (11, 1)
    );
}

#[test]
fn a_unit_that_slipped_past_the_list_is_asked_for() {
    let mut manifest = "apps:\n".to_owned();
    for number in 0..150 {
        manifest += &format!("  a{number:04}: {{exec: [/bin/true], instances: 0}}\n");
    }
    let (server, folder) = running(&manifest);
    server.world(|world| world.add("a.service", "/bin/true", "inactive"));
    // The first unit goes between the two pages, so that all others move up by one.
    let change = |world: &mut crate::fleet_server::World| {
        world.destroy("a.service");
    };
    server.fault(2, Fault::Change(Box::new(change)));
    against(&server, folder, "")
        .stdout("nothing differs: 150 units, 0 instances\n")
        .run();
    assert_eq!(server.requests().len(), 3);
}
