//! What is read of a registry through fleetctl, here and at the end of a way: whatever stands in it, and
//! whatever goes wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use unitgen::cluster::fleetctl::Fleetctl as Door;
use unitgen::state::{RegistryName, SeenState};
use unitgen::unit::fleet::{FleetUnit, hash};

use crate::fleet_server::{FleetServer, Kind};
use crate::fleetctl::{Fault, Fleetctl, RUBBISH, Release};
use crate::fleetctl_door::{PATIENCE, door, name, own};
use crate::test::Folder;

const TEXT: &str = "[Service]\nExecStart=/bin/echo \"it's $HOME\" 100%% \\\\n\n";

/// Returns a fleetctl as it is called here, and as it is at the end of a way.
fn doors(fleetctl: &Fleetctl, endpoint: &str) -> [Door; 2] {
    let path = format!("PATH={}", fleetctl.path());
    [
        own(fleetctl, endpoint),
        door(&["env", &path, "fleetctl"], endpoint),
    ]
}

/// Returns a program with this text, which is called here and at the end of a way.
fn doors_of(folder: &Folder, script: &str) -> [Door; 2] {
    folder.write("fleetctl", format!("#!/bin/sh\n{script}"));
    let program = folder.path("fleetctl");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let program = program.to_str().unwrap();
    [&[program][..], &["env", program]].map(|command| door(command, "http://127.0.0.1:1"))
}

/// Returns the errors of a list and of a text.
fn errors(door: &Door) -> [String; 2] {
    let list = door.list().unwrap_err();
    let texts = door.texts(&[&name("a.service")]).unwrap_err();
    [list, texts].map(|error| {
        assert_eq!(error.status.code(), 3, "{error:?}");
        error.text()
    })
}

#[test]
fn registries_of_all_sizes_are_listed() {
    for (kind, release) in [(Kind::Current, Release::Current), (Kind::Old, Release::Old)] {
        let server = FleetServer::start_kind(kind);
        let fleetctl = Fleetctl::new(release);
        let mut expected = Vec::new();
        for count in [0, 1, 300] {
            for number in expected.len()..count {
                let (unit, state) = match number % 3 {
                    0 => (format!(r"a\x2d{number:03}@.service"), "inactive"),
                    1 => (format!("a{number:03}@1.service"), "launched"),
                    _ => (format!("-a{number:03}.timer"), "loaded"),
                };
                let text = format!("[Service]\nExecStart=/bin/echo {number}\n");
                let listed = (name(&unit), hash(&text), SeenState::seen(state));
                server.world(|world| world.create(&unit, text, state));
                expected.push(listed);
            }
            expected.sort_by(|one, other| one.0.cmp(&other.0));
            for door in doors(&fleetctl, server.endpoint()) {
                let listed = door.list().unwrap().into_iter();
                let listed = listed
                    .map(|(unit, listed)| (unit, listed.hash.as_str().to_owned(), listed.desired));
                assert_eq!(listed.collect::<Vec<_>>(), expected);
            }
        }
        let names: Vec<&RegistryName> = expected.iter().map(|(unit, ..)| unit).collect();
        let [_, far] = doors(&fleetctl, server.endpoint());
        let texts = far.texts(&names[..40]).unwrap();
        let hashes: Vec<String> = texts.values().map(|text| hash(text)).collect();
        let wanted: Vec<_> = expected
            .iter()
            .take(40)
            .map(|(_, hash, _)| hash.clone())
            .collect();
        assert_eq!(hashes, wanted);
        let calls = fleetctl.calls();
        let list = "list-unit-files --full --fields=unit,hash,dstate";
        assert!(
            calls[..6].iter().all(|call| call.ends_with(list)),
            "{calls:?}"
        );
    }
}

#[test]
fn texts_are_read_as_they_are() {
    let server = FleetServer::start();
    let fleetctl = Fleetctl::new(Release::Current);
    let long = format!("[Service]\nExecStart=/bin/echo {}\n", "ü".repeat(700));
    let texts = [
        (r"a\x2d@.service", TEXT),
        ("b.service", "[end]\nend=\n[text 3]\nabsent=1\n"),
        (
            "c.service",
            "[Service]\nExecStart=/bin/echo \\\nabsent\\\ntext 3\\\nend\n",
        ),
        (
            "-d.service",
            "[Service]\nExecStart=Unit -d.service not found\n",
        ),
        (
            "e.service",
            "[Service]\nExecStart=$(touch pwned) `x` \u{1b}[2J\r\n",
        ),
        ("f.service", &long),
    ];
    let names: Vec<RegistryName> = texts.iter().map(|(unit, _)| name(unit)).collect();
    for (unit, text) in texts {
        server.world(|world| world.create(unit, text.to_owned(), "launched"));
    }
    let absent = [
        "nosuch.service",
        r"n\x2do@.service",
        "-n.timer",
        "it's $(x) `x`.service",
    ];
    let absent = absent.map(name);
    let asked: Vec<&RegistryName> = absent.iter().chain(&names).chain(&absent).collect();
    for door in doors(&fleetctl, server.endpoint()) {
        let found = door.texts(&asked).unwrap();
        assert_eq!(found.len(), names.len());
        let listed = door.list().unwrap();
        for (unit, (_, text)) in names.iter().zip(texts) {
            let canonical = FleetUnit::parse(text.as_bytes()).unwrap().canonical();
            assert_eq!(found[unit], canonical);
            assert_eq!(hash(&found[unit]), listed[unit].hash.as_str());
        }
        assert!(door.texts(&[]).unwrap().is_empty());
        let error = door.texts(&[&name("a/b.service")]).unwrap_err();
        let text = "error: \"a/b.service\" can't be a file's name, as fleetctl needs it\n";
        assert_eq!(error.text(), text);
    }
}

#[test]
fn no_text_passes_for_another() {
    let folder = Folder::new();
    let bytes = "end\nabsent\ntext 3\na\n\nUnit a.service not found\nend\n";
    folder.write("text", bytes);
    let text = folder.path("text").display().to_string();
    for door in doors_of(&folder, &format!("cat {text}\necho a warning >&2\n")) {
        let names = ["a.service", "b.service"].map(name);
        let found = door.texts(&[&names[0], &names[1]]).unwrap();
        assert_eq!(found, names.map(|name| (name, bytes.to_owned())).into());
    }
    for door in doors_of(&folder, "printf 'no end'\n") {
        let [list, texts] = errors(&door);
        let end = " ended well, but what it said is no list of units: no end\n";
        assert!(list.ends_with(end), "{list}");
        let end = " ended well, but what it said is no unit's text: no end\n";
        assert!(texts.ends_with(end), "{texts}");
    }
}

#[test]
fn what_fleetctl_said_is_the_cause() {
    let folder = Folder::new();
    // The current one takes an unknown flag for no failure; neither is without a unit to tell of.
    let said = "echo Error: unknown flag: --full >&2; echo 'its usage' >&2\n";
    for door in doors_of(&folder, said) {
        let [list, texts] = errors(&door);
        let cause = "  caused by: Error: unknown flag: --full\nits usage\n";
        assert!(list.ends_with(cause), "{list}");
        let end = "its usage\nerror: fleetctl did not tell the text of a.service, and ended with status 0\n";
        assert!(texts.ends_with(end), "{texts}");
    }
    let said = "echo 'Invalid key in output format: \"dstate\"' >&2; exit 1\n";
    let [door, _] = doors_of(&folder, said);
    let program = folder.path("fleetctl");
    let expected = format!(
        "error: `{} '--endpoint=http://127.0.0.1:1' list-unit-files --full --fields=unit,hash,dstate` \
         ended with status 1\n  caused by: Invalid key in output format: \"dstate\"\n",
        program.display()
    );
    assert_eq!(errors(&door)[0], expected);
    for door in doors_of(&folder, "echo Welcome\necho something else\n") {
        let error = door.list().unwrap_err().text();
        assert!(error.ends_with("is no list of units: Welcome\n"), "{error}");
    }
    for door in doors_of(&folder, "kill -KILL $$\n") {
        let [list, _] = errors(&door);
        let ends = ["` was ended by signal 9\n", "` ended with status 137\n"];
        assert!(ends.iter().any(|end| list.contains(end)), "{list}");
    }
}

#[test]
fn a_server_out_of_reach_has_no_units() {
    let fleetctl = Fleetctl::new(Release::Current);
    for door in doors(&fleetctl, "http://127.0.0.1:1") {
        let [list, texts] = errors(&door);
        assert!(list.contains(" ended with status 1\n  caused by: Error retrieving list of units"));
        let lines = [
            "  caused by: Error retrieving Unit a.service: Get ",
            "connection refused\n",
        ];
        assert!(lines.iter().all(|line| texts.contains(line)), "{texts}");
        // The first failure is the last call.
        fleetctl.calls();
        assert!(
            door.texts(&[&name("a.service"), &name("b.service")])
                .is_err()
        );
        assert_eq!(fleetctl.calls().len(), 1);
    }
}

#[test]
fn faults_of_the_program_are_told() {
    let server = FleetServer::start();
    let fleetctl = Fleetctl::new(Release::Current);
    server.world(|world| world.create("a.service", TEXT.to_owned(), "launched"));
    for door in doors(&fleetctl, server.endpoint()) {
        fleetctl.order_reading(Fault::Lie);
        assert!(errors(&door)[0].ends_with("ended well, but what it said is not all there\n"));
        fleetctl.order_reading(Fault::Fail);
        for error in errors(&door) {
            assert!(error.contains("` ended with status 1\n"), "{error}");
        }
        fleetctl.order_reading(Fault::Rubbish);
        let list = door.list().unwrap_err().text();
        let line =
            "` ended well, but what it said is no list of units: rubbish\n  caused by: rubbish\n";
        assert!(list.contains(line), "{}", &list[..400]);
        // All that it says of a unit is taken for its text, which its hash shows not to be so.
        let found = door.texts(&[&name("a.service")]).unwrap();
        assert_eq!(found[&name("a.service")].len(), RUBBISH + TEXT.len());
        fleetctl.order_reading(Fault::Leave);
        assert_eq!(door.list().unwrap().len(), 1);
        let found = door.texts(&[&name("a.service")]).unwrap();
        assert_eq!(found[&name("a.service")], TEXT);
    }
}

#[test]
fn a_program_that_hangs_is_ended() {
    let fleetctl = Fleetctl::new(Release::Current);
    fleetctl.order_reading(Fault::Hang);
    for door in doors(&fleetctl, "http://127.0.0.1:1") {
        let start = Instant::now();
        let limit = Duration::from_secs(1);
        let door = Door {
            time_limit: limit,
            ..door
        };
        for error in errors(&door) {
            assert!(
                error.contains("` took longer than 1s, and was ended\n"),
                "{error}"
            );
        }
        assert!(start.elapsed() < PATIENCE);
    }
}

#[test]
fn without_a_program_nothing_is_read() {
    let none = door(&["fleetctl-that-nobody-has"], "http://127.0.0.1:1");
    let error = none.list().unwrap_err();
    assert_eq!(error.status.code(), 2);
    assert!(
        error
            .text()
            .starts_with("error: can't start `fleetctl-that-nobody-has`\n")
    );
    let far = door(&["env", "fleetctl-that-nobody-has"], "http://127.0.0.1:1");
    let cause = "` ended with status 127\n  caused by: error: there is no `fleetctl-that-nobody-has` here\n";
    for error in errors(&far) {
        assert!(error.ends_with(cause), "{error}");
    }
    assert!(
        none.texts(&[&name("a.service")])
            .unwrap_err()
            .text()
            .ends_with(cause)
    );
}
