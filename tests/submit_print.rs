//! What `unitgen submit` writes for others to carry out. On servers of the tests' own.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::delivery::{deliver, put_unit};
use crate::fleet_server::{FleetServer, Kind};
use crate::fleetctl::{Fleetctl, Release};
use crate::submit::submit;
use crate::test::{Folder, PROGRAM, Test};

const BEFORE: &str = "\
apps:
  hub: {exec: [/bin/sleep, \"1\"], instances: 0}
  old: {exec: [/bin/sleep, \"1\"], instances: 0}
";

pub(crate) const AFTER: &str = "\
apps:
  hub: {exec: [/bin/sleep, \"it's $HOME\"], instances: 0}
  new: {exec: [/bin/sleep, \"1\"], instances: 0}
";

/// A server with one manifest's units, and a folder with the next.
pub(crate) fn changed() -> (FleetServer, Folder) {
    changed_of(Kind::Current)
}

/// The same of a release.
fn changed_of(kind: Kind) -> (FleetServer, Folder) {
    let server = FleetServer::start_kind(kind);
    let folder = Test::new().manifest(BEFORE).into_folder();
    let folder = deliver(server.endpoint(), folder);
    folder.write("services.yaml", AFTER);
    server.requests();
    (server, folder)
}

/// Gives lines to a shell that finds unitgen and a fleetctl.
pub(crate) fn shell(
    lines: &str,
    fleetctl: &Fleetctl,
    folder: &Folder,
    variables: &[(&str, &str)],
) -> Output {
    let own = Path::new(PROGRAM).parent().unwrap().display();
    let mut shell = Command::new("sh")
        .args(["-e"])
        .current_dir(folder.path(""))
        .env("PATH", format!("{own}:{}", fleetctl.path()))
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(shell.stdin.as_mut().unwrap(), lines.as_bytes()).unwrap();
    shell.wait_with_output().unwrap()
}

#[track_caller]
pub(crate) fn is_equal(server: &FleetServer, folder: Folder) {
    Test::within(folder)
        .args(&format!("diff --endpoint {}", server.endpoint()))
        .stdout("nothing differs: 2 units, 0 instances\n")
        .run();
}

#[test]
fn a_dry_run_writes_lines_that_do_it() {
    let (server, folder) = changed();
    let fleetctl = Fleetctl::new(Release::Current);
    let lines = format!(
        "\
# replace hub-worker@.service (changed)
# create new-worker@.service (new)
# destroy old-worker@.service (unwanted)
units=$(mktemp -d) &&
unitgen render -o \"$units\" &&
fleetctl '--endpoint={endpoint}' submit \"$units\"/new-worker@.service &&
fleetctl '--endpoint={endpoint}' submit --replace \"$units\"/hub-worker@.service &&
fleetctl '--endpoint={endpoint}' destroy old-worker@.service &&
rm -r \"$units\"
",
        endpoint = server.endpoint()
    );
    let folder = submit(server.endpoint(), &fleetctl, folder, "--prune --dry-run")
        .stdout(lines.clone())
        .run();
    let requests = server.requests();
    assert_eq!(requests, ["GET /fleet/v1/units"]);
    assert!(fleetctl.calls().is_empty());
    assert_eq!(folder.names(""), ["services.yaml"]);
    let output = shell(&lines, &fleetctl, &folder, &[]);
    assert!(output.status.success(), "{output:?}");
    is_equal(&server, folder);
}

#[test]
fn a_dry_run_shows_the_requests() {
    let (server, folder) = changed();
    let fleetctl = Fleetctl::new(Release::Current);
    let render = Test::within(folder).args("render");
    assert!(render.output().status.success());
    let folder = render.into_folder();
    let hash = |name: &str| unitgen::unit::fleet::hash(&folder.read(&format!("units/{name}")));
    let (hub, new) = (hash("hub-worker@.service"), hash("new-worker@.service"));
    submit(
        server.endpoint(),
        &fleetctl,
        folder,
        "--via api --prune --dry-run",
    )
    .stdout(format!(
        "PUT    hub-worker@.service inactive {hub} (changed)\nPUT    new-worker@.service inactive {new} (new)\n\
         DELETE old-worker@.service (unwanted)\n"
    ))
    .run();
    assert_eq!(server.requests(), ["GET /fleet/v1/units"]);
}

#[test]
fn a_dry_run_of_nothing_says_so() {
    let (server, folder) = changed();
    folder.write("services.yaml", BEFORE);
    let fleetctl = Fleetctl::new(Release::Current);
    submit(server.endpoint(), &fleetctl, folder, "--dry-run")
        .stdout("# nothing to do\n")
        .run();
}

#[test]
fn a_script_does_it_where_fleetctl_is() {
    let (server, folder) = changed();
    let fleetctl = Fleetctl::new(Release::Current);
    let print = submit(server.endpoint(), &fleetctl, folder, "--prune --print");
    let output = print.output();
    assert!(output.status.success());
    let script = String::from_utf8(output.stdout).unwrap();
    let folder = print.into_folder();
    let far = [("FLEETCTL_ENDPOINT", server.endpoint())];
    let output = shell(&script, &fleetctl, &folder, &far);
    assert!(output.status.success(), "{output:?}");
    is_equal(&server, folder);
}

#[test]
fn a_script_needs_no_cluster_here() {
    let (server, folder) = changed();
    let fleetctl = Fleetctl::new(Release::Current);
    let print = Test::within(folder).args("submit --print");
    let output = print.output();
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.starts_with(
            "warning: no cluster can be reached from here, so that nothing was compared: "
        ),
        "{said}"
    );
    let script = String::from_utf8(output.stdout).unwrap();
    let folder = print.into_folder();
    let far = [("FLEETCTL_ENDPOINT", server.endpoint())];
    let output = shell(&script, &fleetctl, &folder, &far);
    assert!(output.status.success(), "{output:?}");
    // What nobody wants any more was not seen.
    submit(server.endpoint(), &fleetctl, folder, "")
        .stdout(
            "\
unwanted   old-worker@.service
  1 unit not in the manifest any more: `--prune` destroys what does not run
unit files: 2 equal
",
        )
        .run();
}

/// Makes the registry what it was, and the folder.
pub(crate) fn deliver_again(server: &FleetServer, folder: Folder) -> Folder {
    server.world(|world| world.units.clear());
    folder.write("services.yaml", BEFORE);
    let folder = deliver(server.endpoint(), folder);
    folder.write("services.yaml", AFTER);
    folder
}

#[test]
fn lines_and_scripts_for_an_old_fleet_do_it_too() {
    let (server, folder) = changed_of(Kind::Old);
    let fleetctl = Fleetctl::new(Release::Old);
    let warning =
        "warning: fleet 0.11.8 never replaces a text: 1 unit must be deleted and stored again\n";
    let lines = format!(
        "\
# replace hub-worker@.service (changed)
# create new-worker@.service (new)
# destroy old-worker@.service (unwanted)
units=$(mktemp -d) &&
unitgen render -o \"$units\" &&
fleetctl '--endpoint={endpoint}' submit \"$units\"/new-worker@.service &&
fleetctl '--endpoint={endpoint}' destroy hub-worker@.service &&
fleetctl '--endpoint={endpoint}' submit \"$units\"/hub-worker@.service &&
fleetctl '--endpoint={endpoint}' destroy old-worker@.service &&
rm -r \"$units\"
",
        endpoint = server.endpoint()
    );
    let folder = submit(server.endpoint(), &fleetctl, folder, "--prune --dry-run")
        .stdout(lines.clone())
        .stderr(warning)
        .run();
    let print = submit(server.endpoint(), &fleetctl, folder, "--prune --print");
    let script = String::from_utf8(print.output().stdout).unwrap();
    let folder = print.into_folder();
    let far = [("FLEETCTL_ENDPOINT", server.endpoint())];
    for text in [lines, script.clone(), script] {
        let output = shell(&text, &fleetctl, &folder, &far);
        assert!(output.status.success(), "{output:?}");
        let diff = Test::within(Folder::new())
            .manifest(AFTER)
            .args(&format!("diff --endpoint {}", server.endpoint()));
        diff.stdout("nothing differs: 2 units, 0 instances\n").run();
    }
    // The same script where all is to be done once more.
    let folder = deliver_again(&server, folder);
    let print = submit(server.endpoint(), &fleetctl, folder, "--prune --print");
    let script = String::from_utf8(print.output().stdout).unwrap();
    fleetctl.calls();
    let output = shell(&script, &fleetctl, print.folder(), &far);
    assert!(output.status.success(), "{output:?}");
    let calls = fleetctl.calls();
    let destroys = calls.iter().filter(|call| call.starts_with("destroy "));
    assert_eq!(
        destroys.collect::<Vec<_>>(),
        [
            "destroy ./hub-worker@.service",
            "destroy old-worker@.service"
        ]
    );
    // What was destroyed and not stored is stored by another run.
    server.world(|world| world.destroy("hub-worker@.service"));
    let output = shell(&script, &fleetctl, print.folder(), &far);
    assert!(output.status.success(), "{output:?}");
    is_equal(&server, print.into_folder());
}

#[test]
fn a_script_destroys_nothing_that_was_started_meanwhile() {
    let server = FleetServer::start();
    let old = "[Service]\nExecStart=/bin/true\n\n[X-Unitgen]\nApp=old\nProcess=old\n";
    put_unit(server.endpoint(), "old.service", old, "inactive");
    let folder = Test::new().manifest(AFTER).into_folder();
    let fleetctl = Fleetctl::new(Release::Current);
    let print = submit(server.endpoint(), &fleetctl, folder, "--prune --print");
    let script = String::from_utf8(print.output().stdout).unwrap();
    put_unit(server.endpoint(), "old.service", old, "launched");
    let far = [("FLEETCTL_ENDPOINT", server.endpoint())];
    let output = shell(&script, &fleetctl, print.folder(), &far);
    assert_eq!(output.status.code(), Some(5));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        said,
        "error: nothing was changed, for these are not as they were seen: old.service\n"
    );
    let names = server.world(|world| world.units.keys().cloned().collect::<Vec<_>>());
    assert_eq!(names, ["old.service"]);
}

#[test]
fn a_manifest_from_a_pipe_is_read_once() {
    let (server, folder) = changed();
    let fleetctl = Fleetctl::new(Release::Current);
    let print = Test::within(folder)
        .args("-f - submit --print")
        .stdin(AFTER);
    let script = String::from_utf8(print.output().stdout).unwrap();
    let far = [("FLEETCTL_ENDPOINT", server.endpoint())];
    let output = shell(&script, &fleetctl, print.folder(), &far);
    assert!(output.status.success(), "{output:?}");
    let folder = deliver_again(&server, print.into_folder());
    let dry = Test::within(folder)
        .args(&format!(
            "-f - submit --dry-run --endpoint {}",
            server.endpoint()
        ))
        .stdin(AFTER);
    let lines = String::from_utf8(dry.output().stdout).unwrap();
    let output = shell(&lines, &fleetctl, dry.folder(), &[]);
    assert!(output.status.success(), "{output:?}");
    server.world(|world| world.destroy("old-worker@.service"));
    is_equal(&server, dry.into_folder());
}
