//! `unitgen submit` end to end, by both ways; against a live cluster too.

use crate::fleet_site::Site;
use crate::fleetctl::Fleetctl;
use crate::test::{Folder, Test};

/// The ways to the cluster.
const WAYS: [&str; 2] = ["api", "fleetctl"];

/// Runs `unitgen submit` on a cluster.
pub(crate) fn submit(endpoint: &str, fleetctl: &Fleetctl, folder: Folder, arguments: &str) -> Test {
    Test::within(folder)
        .args(&format!("submit --endpoint {endpoint} {arguments}"))
        .environment("PATH", &fleetctl.path())
}

/// A manifest of one app with two processes.
fn manifest(site: &Site, web: &str, worker: Option<&str>) -> String {
    let process = |name: &str, command: &str| {
        format!("      {name}: {{exec: [/bin/sleep, \"{command}\"], instances: 0}}\n")
    };
    let worker = worker.map(|command| process("worker", command));
    format!(
        "apps:\n  {}:\n    processes:\n{}{}",
        site.name("hub"),
        process("web", web),
        worker.unwrap_or_default()
    )
}

#[test]
fn units_are_created_replaced_and_destroyed() {
    for way in WAYS {
        let site = Site::new(&format!("submit-{way}"));
        let fleetctl = Fleetctl::of_site();
        let hub = site.name("hub");
        let run = |folder: Folder, arguments: &str| {
            let arguments = format!("{hub} --via {way} --jobs 1 {arguments}");
            submit(site.endpoint(), &fleetctl, folder, &arguments)
        };
        let folder = Test::new()
            .manifest(&manifest(&site, "1", Some("2")))
            .into_folder();
        let folder = run(folder, "")
            .stdout(format!(
                "created    {hub}-web@.service  services.yaml:4:7\n\
                 created    {hub}-worker@.service  services.yaml:5:7\n\
                 unit files: 2 created\n"
            ))
            .run();
        let folder = run(folder, "").stdout("unit files: 2 equal\n").run();
        folder.write("services.yaml", manifest(&site, "9", None));
        let folder = run(folder, "--prune --prune-max 1")
            .stdout(format!(
                "replaced   {hub}-web@.service  services.yaml:4:7\n\
                 destroyed  {hub}-worker@.service\n\
                 unit files: 1 replaced, 1 destroyed\n"
            ))
            .run();
        let diff = Test::within(folder).args(&format!("diff {hub} --endpoint {}", site.endpoint()));
        diff.stdout("nothing differs: 1 unit, 0 instances\n").run();
    }
}
