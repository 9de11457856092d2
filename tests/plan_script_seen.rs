//! A plan as a shell script, where the registry is not as the plan counts on; and a script for a registry
//! that nobody has seen.

use std::os::unix::fs::symlink;
use std::path::Path;

use unitgen::plan::Plan;
use unitgen::plan::script::{Script, script};
use unitgen::state::RegistryName;

use crate::delivery::put_unit;
use crate::fleet_server::FleetServer;
use crate::fleetctl::{Fault, Fleetctl, Release};
use crate::plan_script::{OLD, TEXT, desk, destroy, plan, replace, run, shells, store};
use crate::test::Folder;

const OTHER: &str = "[Service]\nExecStart=/bin/false\n";

/// A registry, and a fleetctl that reaches it.
struct Site {
    server: FleetServer,
    fleetctl: Fleetctl,
    words: Vec<String>,
    folder: Folder,
}

impl Site {
    fn new() -> Self {
        let server = FleetServer::start();
        let endpoint = format!("--endpoint={}", server.endpoint());
        Self {
            server,
            fleetctl: Fleetctl::new(Release::Current),
            words: vec!["fleetctl".to_owned(), endpoint],
            folder: desk(),
        }
    }

    /// Makes these the units of the registry.
    fn reset(&self, units: &[(&str, &str)]) {
        self.server.world(|world| world.units.clear());
        for (name, text) in units {
            put_unit(self.server.endpoint(), name, text, "inactive");
        }
    }

    fn units(&self) -> Vec<(String, String)> {
        self.server.world(|world| {
            let units = world.units.iter();
            units
                .map(|(name, unit)| (name.clone(), unit.raw.clone()))
                .collect()
        })
    }

    #[track_caller]
    fn holds(&self, expected: &[(&str, &str)]) {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let mut expected: Vec<_> = expected.iter().map(owned).collect();
        expected.sort();
        assert_eq!(self.units(), expected);
    }

    fn run(&self, text: &str, shell: &str) -> (Option<i32>, String) {
        run(text, shell, &self.fleetctl.path(), &self.folder)
    }
}

fn good() -> Plan {
    plan(vec![
        replace(r"a\x2db@.service", OLD, TEXT),
        store("-n@.service", TEXT),
        store("new.service", TEXT),
        destroy("d.service", OLD),
        destroy("-e.service", OLD),
    ])
}

const SEEN: [(&str, &str); 4] = [
    (r"a\x2db@.service", OLD),
    ("d.service", OLD),
    ("-e.service", OLD),
    ("z.service", OLD),
];

const DONE: [(&str, &str); 4] = [
    (r"a\x2db@.service", TEXT),
    ("-n@.service", TEXT),
    ("new.service", TEXT),
    ("z.service", OLD),
];

#[test]
fn a_registry_as_it_was_seen_is_changed() {
    let site = Site::new();
    let text = script(&good(), &site.words);
    for shell in shells() {
        site.reset(&SEEN);
        assert_eq!(site.run(&text, shell), (Some(0), String::new()), "{shell}");
        site.holds(&DONE);
    }
}

#[test]
fn a_registry_that_is_another_one_is_left_alone() {
    let site = Site::new();
    let text = script(&good(), &site.words);
    let replaced = (r"a\x2db@.service", OTHER);
    for (there, differing) in [
        (vec![replaced, SEEN[1], SEEN[2]], r"a\x2db@.service"),
        // What is to be replaced is gone.
        (vec![SEEN[1], SEEN[2]], r"a\x2db@.service"),
        // What is to be new is there.
        (
            vec![SEEN[0], ("-n@.service", OTHER), ("new.service", OLD)],
            "-n@.service new.service",
        ),
        // A replacement of what has another text, be it that of another unit of the plan.
        (vec![SEEN[0], ("d.service", TEXT)], "d.service"),
        (
            vec![replaced, ("new.service", OTHER), ("-e.service", OTHER)],
            r"a\x2db@.service new.service -e.service",
        ),
    ] {
        site.reset(&there);
        for shell in shells() {
            site.fleetctl.calls();
            let error = format!(
                "error: nothing was changed, for these are not as they were seen: {differing}\n"
            );
            assert_eq!(site.run(&text, shell), (Some(5), error), "{shell}");
            site.holds(&there);
            let calls = site.fleetctl.calls();
            let looks =
                |call: &String| call.contains(" cat ") || call.contains(" list-unit-files ");
            assert!(calls.iter().all(looks), "{calls:?}");
            assert_eq!(calls.len(), 6);
        }
    }
}

#[test]
fn a_second_run_finishes_the_work() {
    let site = Site::new();
    let text = script(&good(), &site.words);
    for shell in shells() {
        site.reset(&SEEN);
        let dying = Fleetctl::new(Release::Current);
        dying.order(Fault::Die(2));
        let (status, _) = run(&text, shell, &dying.path(), &site.folder);
        assert_eq!(status, Some(1));
        // A call for what is new, one for what is replaced; none destroyed anything.
        let mut half = SEEN.to_vec();
        half[0].1 = TEXT;
        half.push(("-n@.service", TEXT));
        site.holds(&half);
        for _ in 0..2 {
            assert_eq!(site.run(&text, shell).0, Some(0), "{shell}");
            site.holds(&DONE);
        }
        // Some of what was to be destroyed is gone.
        site.reset(&[DONE[0], ("d.service", OLD)]);
        assert_eq!(site.run(&text, shell).0, Some(0), "{shell}");
        site.holds(&DONE[..3]);
    }
}

#[test]
fn what_can_not_be_looked_at_is_not_changed() {
    let site = Site::new();
    site.reset(&SEEN);
    let away = ["fleetctl", "--endpoint=http://127.0.0.1:1"].map(str::to_owned);
    for shell in shells() {
        let (status, said) = site.run(&script(&good(), &away), shell);
        assert_eq!(status, Some(1));
        let end =
            r"error: fleetctl did not tell the text of a\x2db@.service, and ended with status 1";
        assert!(said.starts_with("Error retrieving Unit "), "{said}");
        assert_eq!(said.lines().last(), Some(end));
    }
    // One that says nothing and ends well has not found that there is nothing.
    site.fleetctl.order_reading(Fault::Lie);
    let (status, said) = site.run(&script(&good(), &site.words), "sh -e");
    let error =
        "error: fleetctl did not tell the text of a\\x2db@.service, and ended with status 0\n";
    assert_eq!((status, &*said), (Some(1), error));
    site.holds(&SEEN);
}

/// Returns a `PATH` that has what a script needs, these programs, and no other.
fn path_with(folder: &Folder, fleetctl: &Fleetctl, programs: &[&str]) -> String {
    let bin = folder.path("bin");
    let _ = std::fs::remove_dir_all(&bin);
    std::fs::create_dir(&bin).unwrap();
    symlink(fleetctl.program(), bin.join("fleetctl")).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    for program in ["cat", "mkdir", "mktemp", "rm", "sh"]
        .iter()
        .chain(programs)
    {
        let mut folders = std::env::split_paths(&path);
        let found = folders.find(|folder| folder.join(program).is_file());
        symlink(found.unwrap().join(program), bin.join(program)).unwrap();
    }
    bin.display().to_string()
}

#[test]
fn without_a_program_for_hashes_that_is_told() {
    let site = Site::new();
    let text = script(&good(), &site.words);
    let other = [(r"a\x2db@.service", OTHER), SEEN[1], SEEN[2]];
    let run_with = |programs: &[&str], text: &str| {
        let path = path_with(&site.folder, &site.fleetctl, programs);
        run(text, "sh -e", &path, &site.folder)
    };
    let is_here = |program: &str| {
        let path = std::env::var_os("PATH").unwrap();
        let there = |folder: &Path| folder.join(program).is_file();
        std::env::split_paths(&path).any(|folder| there(&folder))
    };
    for program in ["sha1sum", "openssl"]
        .into_iter()
        .filter(|program| is_here(program))
    {
        site.reset(&other);
        let (status, said) = run_with(&[program], &text);
        assert_eq!(status, Some(5), "{said}");
        site.reset(&SEEN);
        assert_eq!(run_with(&[program], &text), (Some(0), String::new()));
        site.holds(&DONE);
    }
    site.reset(&other);
    let warning = "warning: without sha1sum nothing can be compared with what was seen\n";
    assert_eq!(run_with(&[], &text), (Some(0), warning.to_owned()));
    site.holds(&DONE[..3]);
    // What must not be there needs no hash.
    let creating = script(&plan(vec![store("new.service", OLD)]), &site.words);
    let error = "error: nothing was changed, for these are not as they were seen: new.service\n";
    assert_eq!(run_with(&[], &creating), (Some(5), error.to_owned()));
}

#[test]
fn a_registry_that_nobody_has_seen_gets_all_units() {
    let site = Site::new();
    let names = [
        r"a\x2db@.service",
        "-n@.service",
        "new.service",
        "run.service",
    ];
    let names = names.map(RegistryName::seen);
    let units = names.iter().map(|name| (name, TEXT));
    let text = Script::of_units(units.clone()).text(&site.words);
    for shell in shells() {
        let there = [
            (r"a\x2db@.service", OTHER),
            ("-n@.service", TEXT),
            ("z.service", OLD),
        ];
        site.reset(&there);
        let run = ("run.service", TEXT);
        let mut expected = DONE.to_vec();
        expected.push(run);
        site.fleetctl.calls();
        assert_eq!(site.run(&text, shell), (Some(0), String::new()), "{shell}");
        site.holds(&expected);
        assert!(site.fleetctl.calls()[0].contains(" submit --replace "));
        site.reset(&there);
        put_unit(site.server.endpoint(), "run.service", OLD, "launched");
        let (status, said) = site.run(&text, shell);
        let error = "error: fleet does not hold these as they should be (a unit that runs keeps its \
                     text, and fleet before 0.13 every unit): run.service";
        assert_eq!((status, said.lines().last()), (Some(1), Some(error)));
        expected.pop();
        expected.push(("run.service", OLD));
        site.holds(&expected);
    }
    // Nothing is to be done where there is nothing.
    let none = Script::of_units([]).text(&site.words);
    assert_eq!(site.run(&none, "sh -e"), (Some(0), String::new()));
}
