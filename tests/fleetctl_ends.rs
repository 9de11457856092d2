//! The library's door to fleetctl, where a process does not end by itself, or not alone.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use unitgen::cluster::fleetctl::{End, Fleetctl as Door};

use crate::fleet_server::FleetServer;
use crate::fleetctl::{Fault, Fleetctl, Release};
use crate::fleetctl_door::{PATIENCE, door, one, own};
use crate::test::Folder;

/// Tells whether a process is there and not just waiting to be buried.
fn runs(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest.chars().next());
    state.flatten().is_some_and(|state| state != 'Z')
}

#[test]
fn what_hangs_is_ended_with_all_that_it_started() {
    for (fault, least, most) in [(Fault::Hang, 1, 20), (Fault::HangDeaf, 3, 30)] {
        let fleetctl = Fleetctl::new(Release::Current);
        fleetctl.order(fault);
        let path = format!("PATH={}", fleetctl.path());
        // What a script is killed in the midst of stays there.
        let folder = Folder::new();
        let temporary = format!("TMPDIR={}", folder.path("").display());
        let program = fleetctl.program().display().to_string();
        for command in [
            vec![program.as_str()],
            vec!["env", &path, &temporary, "fleetctl"],
        ] {
            let limit = Duration::from_secs(1);
            let door = Door {
                time_limit: limit,
                ..door(&command, "http://127.0.0.1:1")
            };
            let start = Instant::now();
            let outcome = one(&door);
            let time = start.elapsed().as_secs();
            assert_eq!(outcome.end, End::TimedOut(limit));
            assert!((least..most).contains(&time), "{fault:?}: {time}");
        }
        let processes = fleetctl.processes();
        assert_eq!(processes.len(), 4);
        assert!(!processes.into_iter().any(runs));
    }
}

#[test]
fn one_in_the_foreground_is_ended_too() {
    let fleetctl = Fleetctl::new(Release::Current);
    fleetctl.order(Fault::Hang);
    let limit = Duration::from_secs(1);
    let door = Door {
        time_limit: limit,
        interactive: true,
        ..own(&fleetctl, "http://127.0.0.1:1")
    };
    assert_eq!(one(&door).end, End::TimedOut(limit));
    let [child, itself] = fleetctl.processes()[..] else {
        panic!("no processes");
    };
    assert!(!runs(itself));
    // Its child is not known.
    let mut kill = Command::new("kill");
    assert!(kill.arg(child.to_string()).status().unwrap().success());
}

#[test]
fn what_is_left_behind_holds_nothing_up() {
    let server = FleetServer::start();
    let fleetctl = Fleetctl::new(Release::Current);
    fleetctl.order(Fault::Leave);
    let start = Instant::now();
    let outcome = one(&own(&fleetctl, server.endpoint()));
    assert_eq!(
        (outcome.end, &*outcome.stdout),
        (End::Exit(0), "Unit a@.service inactive\n")
    );
    assert!(start.elapsed() < Duration::from_secs(30));
    assert!(!fleetctl.processes().into_iter().any(runs));
}

#[test]
fn what_was_begun_ends_with_the_one_that_began_it() {
    let fleetctl = Fleetctl::new(Release::Current);
    fleetctl.order(Fault::Hang);
    let folder = Folder::new();
    let mut process = Command::new(env::current_exe().unwrap())
        .args(["--exact", "fleetctl_ends::beginner", "--ignored"])
        .env("BEGINNER_PROGRAM", fleetctl.program())
        .env("TMPDIR", folder.path(""))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let patience = Instant::now() + PATIENCE;
    let until = |what: &str, is_so: &dyn Fn() -> bool| {
        while !is_so() {
            assert!(Instant::now() < patience, "{what}");
            thread::sleep(Duration::from_millis(20));
        }
    };
    until("it has begun", &|| fleetctl.processes().len() == 2);
    assert_eq!(folder.names("").len(), 1);
    process.kill().unwrap();
    process.wait().unwrap();
    until("all has ended", &|| {
        !fleetctl.processes().into_iter().any(runs)
    });
    until("the files are gone", &|| folder.names("").is_empty());
}

#[test]
#[ignore = "run by the test above, to be killed"]
fn beginner() {
    if let Ok(program) = env::var("BEGINNER_PROGRAM") {
        one(&door(&[&program], "http://127.0.0.1:1"));
    }
}
