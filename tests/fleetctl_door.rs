//! The library's door to fleetctl: what it runs, what it leaves behind, and what it tells of a fleetctl
//! that dies, lies or talks.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use unitgen::cluster::fleetctl::words::Remark;
use unitgen::cluster::fleetctl::{End, Fleetctl as Door, GlobalFlags, Outcome};
use unitgen::plan::script::Existing;
use unitgen::state::RegistryName;

use crate::delivery::put_unit;
use crate::fleet_server::{FleetServer, Kind};
use crate::fleet_site::{self, Site};
use crate::fleetctl::{Fault, Fleetctl, RUBBISH, Release};
use crate::test::Folder;

/// Long enough for whatever ends at all.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

const TEXT: &str = "[Service]\nExecStart=/bin/echo \"it's $HOME\" 100%% \\\\n\n";

pub(crate) fn door(command: &[&str], endpoint: &str) -> Door {
    Door {
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        flags: GlobalFlags {
            endpoint: Some(endpoint.to_owned()),
            ..GlobalFlags::default()
        },
        time_limit: PATIENCE,
        interactive: false,
    }
}

pub(crate) fn own(fleetctl: &Fleetctl, endpoint: &str) -> Door {
    door(&[fleetctl.program().to_str().unwrap()], endpoint)
}

pub(crate) fn name(text: &str) -> RegistryName {
    RegistryName::seen(text)
}

#[track_caller]
fn submit(door: &Door, names: &[RegistryName], text: &str) -> Outcome {
    let units: Vec<_> = names.iter().map(|name| (name, text)).collect();
    door.submit(&units, Existing::Replace).unwrap()
}

#[track_caller]
pub(crate) fn one(door: &Door) -> Outcome {
    submit(door, &[name("a@.service")], TEXT)
}

#[track_caller]
fn holds(endpoint: &str, name: &RegistryName, text: Option<&str>) {
    let units = fleet_site::fleet(endpoint).units().unwrap();
    let found = units.get(name).map(|unit| unit.unit.canonical());
    assert_eq!(found.as_deref(), text, "{name}");
}

#[test]
fn units_are_submitted_replaced_and_destroyed() {
    let site = Site::new("door");
    let fleetctl = Fleetctl::of_site();
    let program = fleetctl.program().display().to_string();
    let path = format!("PATH={}", fleetctl.path());
    for command in [vec![program.as_str()], vec!["env", &path, "fleetctl"]] {
        let door = door(&command, site.endpoint());
        let names = [r"a\x2db@.service", "c.service"].map(|name| site.registry_name(name));
        let outcome = submit(&door, &names, TEXT);
        assert_eq!((outcome.end, &*outcome.stderr), (End::Exit(0), ""));
        // It waits for all at once.
        let mut said: Vec<&str> = outcome.stdout.lines().collect();
        said.sort_unstable();
        let expected = names.each_ref().map(|name| format!("Unit {name} inactive"));
        assert_eq!(said, expected);
        let changed = TEXT.replace("echo", "true");
        assert!(submit(&door, &names, &changed).claims_success());
        for name in &names {
            holds(site.endpoint(), name, Some(&changed));
        }
        let outcome = submit(&door, &names, &changed);
        let same = |unit: &RegistryName| Remark::Same { unit: unit.clone() };
        assert_eq!(outcome.remarks(), names.each_ref().map(same));
        let names: Vec<&RegistryName> = names.iter().collect();
        assert!(door.destroy(&names).unwrap().claims_success());
        let outcome = door.destroy(&names).unwrap();
        assert!(outcome.claims_success());
        assert_eq!(outcome.remarks(), [Remark::NotFound]);
        for name in names {
            holds(site.endpoint(), name, None);
        }
    }
}

#[test]
fn what_is_there_stays_where_nothing_is_replaced() {
    let changed = TEXT.replace("echo", "true");
    for (kind, release) in [(Kind::Current, Release::Current), (Kind::Old, Release::Old)] {
        let server = FleetServer::start_kind(kind);
        let fleetctl = Fleetctl::new(release);
        let program = fleetctl.program().display().to_string();
        let path = format!("PATH={}", fleetctl.path());
        for (index, command) in [vec![program.as_str()], vec!["env", &path, "fleetctl"]]
            .into_iter()
            .enumerate()
        {
            let door = door(&command, server.endpoint());
            let unit = name(&format!("a{index}@.service"));
            let outcome = door.submit(&[(&unit, TEXT)], Existing::Keep).unwrap();
            assert_eq!((outcome.end, &*outcome.stderr), (End::Exit(0), ""));
            let shown = format!(" submit {unit}");
            assert!(outcome.commands[0].ends_with(&shown), "{outcome:?}");
            holds(server.endpoint(), &unit, Some(TEXT));
            let units = [(&unit, &*changed)];
            let outcome = door.submit(&units, Existing::Keep).unwrap();
            assert!(outcome.claims_success());
            assert!(
                matches!(&outcome.remarks()[..], [Remark::Differs { unit: found, .. }] if *found == unit),
                "{outcome:?}"
            );
            holds(server.endpoint(), &unit, Some(TEXT));
        }
        assert!(!fleetctl.calls().concat().contains("--replace"));
    }
}

#[test]
fn one_process_takes_as_many_units_as_fit() {
    let server = FleetServer::start();
    let fleetctl = Fleetctl::new(Release::Current);
    let names: Vec<RegistryName> = (0..250)
        .map(|n| name(&format!("a{n:03}@.service")))
        .collect();
    let outcome = submit(&own(&fleetctl, server.endpoint()), &names, TEXT);
    assert_eq!(outcome.stderr, "");
    assert_eq!(
        (outcome.end, outcome.stdout.lines().count()),
        (End::Exit(0), 250)
    );
    assert_eq!(server.world(|world| world.units.len()), 250);
    let calls = fleetctl.calls();
    let count = |call: &String| call.matches(".service").count();
    assert_eq!(calls.iter().map(count).collect::<Vec<_>>(), [200, 50]);
    let shown = "submit --replace a200@.service a201@.service a202@.service … (50 units)";
    assert_eq!(outcome.commands.len(), 2);
    assert!(
        outcome.commands[1].ends_with(shown),
        "{:?}",
        outcome.commands
    );
    let names: Vec<&RegistryName> = names.iter().collect();
    let way = format!("PATH={}", fleetctl.path());
    let far = door(&["env", &way, "fleetctl"], server.endpoint());
    let outcome = far.destroy(&names).unwrap();
    assert_eq!(
        (outcome.end, outcome.stdout.lines().count()),
        (End::Exit(0), 250)
    );
    assert_eq!(fleetctl.calls().len(), 2);
    assert_eq!(server.world(|world| world.units.len()), 0);
    // Nothing to do is nothing done, and what fails is the last.
    assert_eq!(far.destroy(&[]).unwrap().commands.len(), 0);
    assert_eq!(submit(&far, &[], TEXT).commands.len(), 0);
    fleetctl.order(Fault::Fail);
    let units: Vec<_> = names.iter().map(|name| (*name, TEXT)).collect();
    let outcome = own(&fleetctl, server.endpoint()).submit(&units, Existing::Replace);
    assert_eq!(outcome.unwrap().end, End::Exit(1));
    assert_eq!(fleetctl.calls().len(), 1);
}

#[test]
fn files_are_private_and_gone_afterwards() {
    let folder = Folder::new();
    let log = folder.path("log").display().to_string();
    let script = format!(
        "#!/bin/sh\nfor file; do :; done\n\
         stat -c '%a' \"$file\" \"${{file%/*}}\" >>{log}\ncat \"$file\" >>{log}\n\
         echo \"${{file%/*}}\"\nread -r line || echo no input\nexit 7\n"
    );
    folder.write("fleetctl", script);
    let program = folder.path("fleetctl");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let outcome = one(&door(&[program.to_str().unwrap()], "http://127.0.0.1:1"));
    assert_eq!(outcome.end, End::Exit(7));
    assert_eq!(folder.read("log"), format!("600\n700\n{TEXT}"));
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines[1..], ["no input"]);
    assert!(Path::new(lines[0]).is_absolute() && !Path::new(lines[0]).exists());
}

#[test]
fn deaths_lies_and_failures_are_told_as_they_are() {
    let server = FleetServer::start();
    let fleetctl = Fleetctl::new(Release::Current);
    let door = own(&fleetctl, server.endpoint());
    let names = ["a@.service", "b@.service", "c@.service"].map(name);
    fleetctl.order(Fault::Lie);
    let outcome = submit(&door, &names, TEXT);
    assert!(outcome.claims_success());
    assert_eq!(outcome.stdout.lines().count(), 3);
    assert_eq!(server.world(|world| world.units.len()), 0);
    fleetctl.order(Fault::Die(3));
    assert_eq!(submit(&door, &names, TEXT).end, End::Signal(9));
    assert_eq!(server.world(|world| world.units.len()), 2);
    fleetctl.order(Fault::Fail);
    assert_eq!(submit(&door, &names, TEXT).end, End::Exit(1));
    assert_eq!(server.world(|world| world.units.len()), 3);
    fleetctl.order(Fault::Rubbish);
    let outcome = one(&door);
    assert_eq!(outcome.end, End::Exit(0));
    let lengths = [&outcome.stdout, &outcome.stderr].map(String::len);
    assert!(
        lengths
            .iter()
            .all(|length| (1 << 20..RUBBISH).contains(length)),
        "{lengths:?}"
    );
    let same = Remark::Same {
        unit: name("a@.service"),
    };
    assert_eq!(outcome.remarks(), [same]);
}

#[test]
fn warnings_and_errors_are_known() {
    let server = FleetServer::start();
    let fleetctl = Fleetctl::new(Release::Current);
    let door_here = own(&fleetctl, server.endpoint());
    put_unit(
        server.endpoint(),
        "a@.service",
        "[Service]\nExecStart=/bin/true\n",
        "inactive",
    );
    put_unit(
        server.endpoint(),
        "a.service",
        "[Service]\nExecStart=/bin/true\n",
        "launched",
    );
    let outcome = submit(&door_here, &[name("a.service")], TEXT);
    assert!(outcome.claims_success());
    let unit = name("a.service");
    let state = "launched".to_owned();
    assert_eq!(outcome.remarks(), [Remark::NotReplaced { unit, state }]);
    let outcome = one(&own(&fleetctl, "http://127.0.0.1:1"));
    assert!(
        matches!(&outcome.remarks()[..], [Remark::Unreachable(reason)]
        if reason.ends_with("connect: connection refused"))
    );
    let old = Fleetctl::new(Release::Old);
    let outcome = one(&own(&old, server.endpoint()));
    assert_eq!(
        (outcome.end, outcome.remarks()),
        (End::Exit(2), vec![Remark::NoReplace])
    );
    let old_server = FleetServer::start_kind(Kind::Old);
    let door_old = own(&fleetctl, old_server.endpoint());
    assert!(one(&door_old).claims_success());
    let outcome = submit(
        &door_old,
        &[name("a@.service")],
        "[Service]\nExecStart=/bin/true\n",
    );
    let refused = Remark::Refused {
        unit: Some(name("a@.service")),
        status: 409,
        message: "must provide DesiredState to update existing unit".to_owned(),
    };
    assert_eq!(
        (outcome.end, outcome.remarks()),
        (End::Exit(1), vec![refused])
    );
    // On the far side, where the way is fine and there is no program.
    let outcome = one(&door(
        &["env", "fleetctl-that-nobody-has"],
        server.endpoint(),
    ));
    assert_eq!(outcome.end, End::Exit(127));
    let line = "error: there is no `fleetctl-that-nobody-has` here\n";
    assert_eq!(outcome.stderr, line);
}

#[test]
fn what_is_no_program_is_told() {
    let folder = Folder::new();
    folder.write("fleetctl", "#!/bin/sh\n");
    let plain = folder.path("fleetctl").display().to_string();
    let none = folder.path("none").display().to_string();
    let case = |command: &[&str], unit: &str, expected: &str| {
        let door = door(command, "http://127.0.0.1:1");
        let result = door.submit(&[(&name(unit), TEXT)], Existing::Replace);
        let error = result.unwrap_err();
        assert_eq!(error.status.code(), 2);
        assert_eq!(error.text(), expected);
    };
    let unit = "a.service";
    let install = "help: install it or add its folder to `PATH`; where only another host has fleetctl, \
                   call it there: `ssh core@host fleetctl`";
    for command in [&[none.as_str()][..], &[&none, "fleetctl"]] {
        let reason = "No such file or directory (os error 2)";
        let text = format!("error: can't start `{none}`\n  caused by: {reason}\n\n{install}\n");
        case(command, unit, &text);
    }
    let reason = "Permission denied (os error 13)";
    let help = "help: make it executable";
    let text = format!("error: can't start `{plain}`\n  caused by: {reason}\n\n{help}\n");
    case(&[&plain], unit, &text);
    let help = "help: write a program such as `fleetctl`, or what leads to it and then the program: \
                `ssh core@host fleetctl`; fleetctl's flags go into its variables";
    for (command, why) in [
        (&["fleetctl", "--debug"][..], "the last word is a flag"),
        (&["fleetctl", ""], "a word is no text"),
        (&[], "there is no word"),
    ] {
        let whole = command.join(" ");
        let text = format!("error: `{whole}` does not call fleetctl: {why}\n\n{help}\n");
        case(command, unit, &text);
    }
    for stray in ["", ".", "..", "../a.service"] {
        let text = format!("error: {stray:?} can't be a file's name, as fleetctl needs it\n");
        case(&["fleetctl"], stray, &text);
    }
}

#[test]
fn settings_are_handed_on() {
    let flags = GlobalFlags {
        endpoint: Some("http://a:1".to_owned()),
        known_hosts_file: Some("known hosts".to_owned()),
        ssh_timeout: Some("2.5".to_owned()),
        ssh_username: Some("other".to_owned()),
        strict_host_key_checking: Some(false),
        tunnel: Some("somebody@far:22".to_owned()),
    };
    let expected = [
        "--endpoint=http://a:1",
        "--known-hosts-file=known hosts",
        "--ssh-timeout=2.5",
        "--ssh-username=somebody",
        "--strict-host-key-checking=false",
        "--tunnel=far:22",
    ];
    assert_eq!(flags.words(), expected);
    let plain = GlobalFlags {
        tunnel: Some("far".to_owned()),
        ..flags
    };
    assert_eq!(plain.words()[3], "--ssh-username=other");
    assert!(GlobalFlags::default().words().is_empty());
}
