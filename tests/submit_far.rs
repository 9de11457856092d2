//! `unitgen submit` with a fleetctl that other words lead to. On servers of the tests' own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::fleet_server::FleetServer;
use crate::fleetctl::{Fleetctl, Release};
use crate::submit_print::{changed, deliver_again, is_equal, shell};
use crate::test::{Folder, PROGRAM};

/// An `ssh` that leads to a host where fleetctl finds the server.
fn far(server: &FleetServer, fleetctl: &Fleetctl, folder: &Folder) -> String {
    folder.write(
        "bin/ssh",
        format!(
            "#!/bin/sh\nshift\nexport FLEETCTL_ENDPOINT={} PATH={}\nexec sh -c \"$*\"\n",
            server.endpoint(),
            fleetctl.path()
        ),
    );
    fs::set_permissions(folder.path("bin/ssh"), fs::Permissions::from_mode(0o755)).unwrap();
    format!("{}:/usr/bin:/bin", folder.path("bin").display())
}

/// Holds a success to what it said.
#[track_caller]
fn said(output: &Output, stdout: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(String::from_utf8_lossy(&output.stdout), stdout);
    assert!(output.status.success());
}

#[test]
fn a_far_fleetctl_is_all_that_it_takes() {
    let (server, folder) = changed();
    let fleetctl = Fleetctl::new(Release::Current);
    let path = far(&server, &fleetctl, &folder);
    let run = |folder: Folder, arguments: &[&str]| {
        let mut all = vec!["submit", "--fleetctl", "ssh core@host fleetctl"];
        all.extend(arguments);
        Command::new(PROGRAM)
            .args(all)
            .current_dir(folder.path(""))
            .env_clear()
            .env("PATH", &path)
            .output()
            .map(|output| (folder, output))
            .unwrap()
    };
    let (folder, output) = run(folder, &["--prune", "--dry-run"]);
    said(
        &output,
        "\
# replace hub-worker@.service (changed)
# create new-worker@.service (new)
# destroy old-worker@.service (unwanted)
unitgen submit '--fleetctl=ssh core@host fleetctl' --prune --print | ssh core@host sh -e
",
    );
    let line = "unitgen submit '--fleetctl=ssh core@host fleetctl' --prune --print | ssh core@host sh -e\n";
    let wanted = [(
        "PATH",
        &*format!("{}:{path}", Path::new(PROGRAM).parent().unwrap().display()),
    )];
    let output = shell(line, &fleetctl, &folder, &wanted);
    assert!(output.status.success(), "{output:?}");
    let folder = deliver_again(&server, folder);
    let (folder, output) = run(folder, &["--prune"]);
    said(
        &output,
        "\
created    new-worker@.service  services.yaml:3:3
replaced   hub-worker@.service  services.yaml:2:3
destroyed  old-worker@.service
unit files: 1 created, 1 replaced, 1 destroyed
",
    );
    let (folder, output) = run(folder, &[]);
    said(&output, "unit files: 2 equal\n");
    is_equal(&server, folder);
}

#[test]
fn what_leads_to_fleetctl_gets_the_same_cluster() {
    let (server, folder) = changed();
    let (other, _) = changed();
    let fleetctl = Fleetctl::new(Release::Current);
    // One that takes all variables away, as sudo does.
    folder.write(
        "bin/sudo",
        format!("#!/bin/sh\nexec env -i PATH={} \"$@\"\n", fleetctl.path()),
    );
    fs::set_permissions(folder.path("bin/sudo"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", folder.path("bin").display());
    other.requests();
    let run = |folder: &Folder, arguments: &[&str]| {
        let all = ["submit", "--prune", "--fleetctl", "sudo fleetctl"];
        let output = Command::new(PROGRAM)
            .args([&all, arguments].concat())
            .current_dir(folder.path(""))
            .env_clear()
            .env("PATH", &path)
            .env("FLEETCTL_ENDPOINT", server.endpoint())
            .output();
        output.unwrap()
    };
    let line = "unitgen submit '--fleetctl=sudo fleetctl' --prune --print | sudo sh -e\n";
    let output = run(&folder, &["--dry-run"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(shown.lines().last(), Some(line.trim_end()));
    let own = Path::new(PROGRAM).parent().unwrap().display();
    let wanted = [
        ("PATH", &*format!("{own}:{path}")),
        ("FLEETCTL_ENDPOINT", server.endpoint()),
    ];
    let output = shell(line, &fleetctl, &folder, &wanted);
    assert!(output.status.success(), "{output:?}");
    let folder = deliver_again(&server, folder);
    let output = run(&folder, &[]);
    said(
        &output,
        "\
created    new-worker@.service  services.yaml:3:3
replaced   hub-worker@.service  services.yaml:2:3
destroyed  old-worker@.service
unit files: 1 created, 1 replaced, 1 destroyed
",
    );
    is_equal(&server, folder);
    assert!(other.requests().is_empty());
}
