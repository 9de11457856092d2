//! The stand-in for fleetctl, held against what the real ones said, did and ended with. The recordings
//! have both streams in one: which line is on which follows fleet's source.

use std::process::Command;

use crate::delivery::put_unit;
use crate::fleet_server::{FleetServer, Kind};
use crate::fleet_site::Site;
use crate::fleetctl::{Fleetctl, Release};
use crate::test::Folder;

/// A fleetctl, a cluster and a folder with files.
pub(crate) struct Desk {
    fleetctl: Fleetctl,
    endpoint: String,
    folder: Folder,
}

pub(crate) fn text(seconds: u32) -> String {
    format!(
        "[Unit]\nDescription=App HTTP instance %i\n\n[Service]\nExecStart=/bin/sleep {seconds}\n\n\
         [X-Fleet]\nConflicts=app-http@*.service\n"
    )
}

impl Desk {
    pub(crate) fn new(fleetctl: Fleetctl, endpoint: &str) -> Self {
        Self {
            fleetctl,
            endpoint: endpoint.to_owned(),
            folder: Folder::new(),
        }
    }

    pub(crate) fn of(server: &FleetServer) -> Self {
        Self::new(Fleetctl::new(Release::Current), server.endpoint())
    }

    #[track_caller]
    pub(crate) fn case(&self, arguments: &str, stdout: &str, stderr: &str, status: i32) {
        self.case_with(
            &[("FLEETCTL_ENDPOINT", &self.endpoint)],
            arguments,
            stdout,
            stderr,
            status,
        );
    }

    #[track_caller]
    pub(crate) fn case_with(
        &self,
        environment: &[(&str, &str)],
        arguments: &str,
        stdout: &str,
        stderr: &str,
        status: i32,
    ) {
        let output = Command::new(self.fleetctl.program())
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path(""))
            .env_clear()
            .env("PATH", self.fleetctl.path())
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let found = (
            text(output.stdout),
            text(output.stderr),
            output.status.code(),
        );
        let wanted = (stdout.to_owned(), stderr.to_owned(), Some(status));
        assert_eq!(found, wanted, "{arguments}");
    }
}

#[test]
fn a_template_is_submitted_replaced_and_destroyed() {
    let site = Site::new("fleetctl");
    let desk = Desk::new(Fleetctl::of_site(), site.endpoint());
    let name = site.name("app-http@.service");
    let (file, short) = (format!("ex/{name}"), name.trim_end_matches(".service"));
    let (first, second) = (text(1000), text(2000));
    desk.folder.write(&file, &first);
    let stored = format!("Unit {name} inactive\n");
    desk.case(&format!("submit {file}"), &stored, "", 0);
    desk.case(&format!("submit {file}"), "", "", 0);
    desk.case(&format!("cat {short}"), &first, "", 0);
    desk.folder.write(&file, &second);
    let warning = format!(
        "WARNING: Unit {name} in registry differs from local unit file {file}. Add --replace to \
         override.\n"
    );
    desk.case(&format!("submit {file}"), "", &warning, 0);
    desk.case(&format!("cat {name}"), &first, "", 0);
    desk.case(&format!("submit --replace {file}"), &stored, "", 0);
    let same = format!("Found same Unit({name}) in Registry, nothing to do\n");
    desk.case(&format!("submit --replace {file}"), &same, "", 0);
    desk.case(&format!("cat {name}"), &second, "", 0);
    desk.case(
        &format!("destroy {short}"),
        &format!("Destroyed {name}\n"),
        "",
        0,
    );
    desk.case(
        &format!("destroy {short}"),
        "",
        "Units not found in registry\n",
        0,
    );
    desk.case(
        &format!("cat {name}"),
        "",
        &format!("Unit {name} not found\n"),
        1,
    );
}

#[test]
fn what_runs_is_not_replaced() {
    let server = FleetServer::start();
    let desk = Desk::of(&server);
    put_unit(
        server.endpoint(),
        "app-http@.service",
        &text(2000),
        "inactive",
    );
    put_unit(
        server.endpoint(),
        "app-http@1.service",
        &text(1000),
        "launched",
    );
    desk.folder.write("ex/app-http@.service", text(2000));
    desk.case(
        "submit ex/app-http@1.service",
        "",
        "WARNING: Unit app-http@1.service in registry differs from local template unit file \
         ex/app-http@1.service. Add --replace to override.\n",
        0,
    );
    for state in ["launched", "loaded"] {
        put_unit(server.endpoint(), "app-http@1.service", &text(1000), state);
        desk.case(
            "submit --replace ex/app-http@1.service",
            "",
            &format!(
                "Warning: can not replace Unit(app-http@1.service) in state '{state}', use the \
                 appropriate command\n"
            ),
            0,
        );
    }
    desk.case("cat app-http@1", &text(1000), "", 0);
    desk.case(
        "submit --replace app-http@1",
        "",
        "Error creating units: stat app-http@.service: no such file or directory\n",
        1,
    );
    // A new instance has the registry's text, whatever the file says.
    desk.folder.write("ex/app-http@.service", text(3000));
    desk.case(
        "submit ex/app-http@7.service",
        "Unit app-http@7.service inactive\n",
        "WARNING: Unit app-http@.service in registry differs from local template unit file \
         ex/app-http@7.service. Add --replace to override.\n",
        0,
    );
    desk.case("cat app-http@7", &text(2000), "", 0);
}

#[test]
fn what_is_no_unit_is_refused() {
    let server = FleetServer::start();
    let desk = Desk::of(&server);
    for name in ["a+b.service", "t.timer", "good1.service", "good2.service"] {
        desk.folder.write(name, "[Service]\nExecStart=/bin/true\n");
    }
    desk.folder.write("bogus.service", "[X-Fleet]\nBogus=1\n");
    desk.folder
        .write("badcombo.service", "[X-Fleet]\nMachineID=a\nConflicts=b\n");
    desk.folder
        .write("broken.service", "[Service]\nExecStart\n");
    let not_found = |arguments: &str, name: &str| {
        let error = format!(
            "Error creating units: unable to find Unit({name}) in Registry or on filesystem\n"
        );
        desk.case(arguments, "", &error, 1);
    };
    not_found("submit -", "-.service");
    not_found("submit /dev/stdin", "stdin.service");
    not_found("submit ex/x.conf", "x.conf.service");
    not_found("submit ex/foo.target", "foo.target.service");
    not_found("submit nonexist", "nonexist.service");
    not_found("submit noinst@.service", "noinst@.service");
    not_found("submit good*.service", "good*.service");
    desk.case("submit t.timer", "Unit t.timer inactive\n", "", 0);
    let refused = |arguments: &str, reason: &str| {
        desk.case(
            arguments,
            "",
            &format!("Error creating units: {reason}\n"),
            1,
        );
    };
    refused("submit a+b.service", "invalid character '+' in unit name");
    refused(
        "submit badcombo.service",
        "MachineID cannot be used with Conflicts",
    );
    refused(
        "submit noinst@3",
        "failed getting Unit(noinst@3.service) from template: unable to find template \
         Unit(noinst@.service) in Registry or on filesystem",
    );
    // What comes before an error is stored.
    refused(
        "submit good1.service broken.service good2.service",
        "failed getting Unit(broken.service) from file: unexpected newline encountered while parsing \
         option name",
    );
    desk.case(
        "submit bogus.service",
        "Unit bogus.service inactive\n",
        "2026/11/22 09:28:08 WARN fleetctl.go:674: Unit bogus.service: unrecognized requirement in \
         [X-Fleet] section: \"Bogus\"\n",
        0,
    );
    desk.case("submit", "", "No units given\n", 0);
    desk.case(
        "list-unit-files --fields=unit,dstate --no-legend",
        "bogus.service\tinactive\ngood1.service\tinactive\nt.timer\t\tinactive\n",
        "",
        0,
    );
    desk.case(
        "destroy bogus nosuch t.timer",
        "Destroyed bogus.service\nDestroyed t.timer\n",
        "",
        0,
    );
    desk.case("destroy good*", "", "Units not found in registry\n", 0);
    desk.case("cat good1 bogus", "", "One unit file must be provided\n", 1);
}

#[test]
fn usage_is_no_failure() {
    let server = FleetServer::start();
    let desk = Desk::of(&server);
    let version = "fleetctl version v1.0.0-15-g45224983\n";
    desk.case("--version", version, "", 0);
    desk.case("version", version, "", 0);
    desk.case(
        "nosuchcommand",
        "",
        "Error: unknown command \"nosuchcommand\" for \"fleetctl\"\nRun 'fleetctl --help' for usage.\n\
         cannot execute cmdFleet: unknown command \"nosuchcommand\" for \"fleetctl\"\n",
        0,
    );
    let output = Command::new(desk.fleetctl.program())
        .args(["destroy", "a", "-.service"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(0), 44));
    assert!(
        said.starts_with("Error: unknown shorthand flag: '.' in -.service\nNAME:\n\tdestroy - ")
    );
    let end = "and exit\n\n\ncannot execute cmdFleet: unknown shorthand flag: '.' in -.service\n";
    assert!(said.ends_with(end), "{said}");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn the_old_one_replaces_nothing() {
    let server = FleetServer::start_kind(Kind::Old);
    let desk = Desk::new(Fleetctl::new(Release::Old), server.endpoint());
    let file = "ex11/app-http@.service";
    desk.folder.write(file, text(1000));
    desk.case("--version", "fleetctl version 0.11.8\n", "", 0);
    let stored = "Unit app-http@.service inactive\n";
    desk.case(&format!("submit {file}"), stored, "", 0);
    desk.folder.write(file, text(2000));
    desk.case(
        &format!("submit {file}"),
        "",
        "WARNING: Unit app-http@.service in registry differs from local unit file \
         ex11/app-http@.service\n",
        0,
    );
    desk.case(
        &format!("submit --replace {file}"),
        "",
        "flag provided but not defined: -replace\nUsage:\n  -sign\n    \tDEPRECATED - this option \
         cannot be used\nflag provided but not defined: -replace\n",
        2,
    );
    desk.case(
        "nosuchcommand",
        "",
        "fleetctl: unknown subcommand: \"nosuchcommand\"\nRun 'fleetctl help' for usage.\n",
        2,
    );
    let current = Desk {
        fleetctl: Fleetctl::new(Release::Current),
        ..desk
    };
    current.case(
        &format!("submit --replace {file}"),
        "",
        "Error creating units: failed creating unit app-http@.service: googleapi: Error 409: must \
         provide DesiredState to update existing unit\n",
        1,
    );
    current.case("cat app-http@.service", &text(1000), "", 0);
}
