//! `unitgen submit` while somebody else changes the registry, and several of them at once.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::sync::{Arc, Mutex};

use unitgen::unit::fleet::hash;

use crate::fleet_server::{Fault, Kind, Stored, World};
use crate::fleetctl::Release;
use crate::submit_faults::faultless;
use crate::submit_faults_scene::{MANIFEST, Scene, Seen, Way, texts, try_all};
use crate::submit_faults_truth::Change;

/// What somebody else does to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    /// It gets a text that nobody knows.
    Rewrite,
    /// It is started.
    Start,
    /// It goes.
    Remove,
    /// It becomes what it should be.
    Finish,
}

impl Deed {
    fn on(self, unit: &str, texts: &BTreeMap<String, String>, world: &mut World) {
        match self {
            Self::Rewrite => world.add(unit, "/bin/somebody", "inactive"),
            Self::Start => {
                if let Some(stored) = world.units.get_mut(unit) {
                    "launched".clone_into(&mut stored.target);
                }
            }
            Self::Remove => world.destroy(unit),
            Self::Finish => match texts.get(unit) {
                Some(text) => world.create(unit, text.clone(), "inactive"),
                None => world.destroy(unit),
            },
        }
    }
}

/// A deed in the midst of a run.
#[derive(Debug)]
struct Case {
    kind: Kind,
    way: Way,
    unit: &'static str,
    deed: Deed,
    number: usize,
}

const UNITS: [&str; 4] = [
    "app-changed@.service",
    "plain.service",
    "young.service",
    "gone.service",
];

fn hold(case: &Case, texts: &BTreeMap<String, String>) -> Result<(), String> {
    let Case {
        kind,
        way,
        unit,
        deed,
        number,
    } = *case;
    let scene = Scene::new(kind, way, texts);
    let happened = Arc::new(Mutex::new(None));
    let (after, all) = (Arc::clone(&happened), texts.clone());
    let change = move |world: &mut World| {
        let before = Seen::of(world);
        deed.on(unit, &all, world);
        *after.lock().unwrap() = Some((before, Seen::of(world)));
    };
    scene.server.fault(number, Fault::Change(Box::new(change)));
    let before = scene.seen();
    let report = scene.submit("--prune --jobs 1 --timeout 5")?;
    let seen = happened.lock().unwrap().take();
    let change = seen.map(|(before, seen)| Change {
        unit: unit.to_owned(),
        number,
        before,
        seen,
        is_api: way == Way::Api,
    });
    report.hold(&before, &scene.seen(), change.as_ref())?;
    scene.converges("--prune")
}

fn at_each_request(kind: Kind, way: Way, units: &[&'static str]) {
    let texts = texts(MANIFEST);
    let requests = faultless(kind, way, &texts);
    let mut cases = Vec::new();
    for &unit in units {
        for deed in [Deed::Rewrite, Deed::Start, Deed::Remove, Deed::Finish] {
            // Nobody can start a template, and what is not there.
            if deed == Deed::Start && (unit.contains('@') || unit == "young.service") {
                continue;
            }
            cases.extend((1..=requests).map(|number| Case {
                kind,
                way,
                unit,
                deed,
                number,
            }));
        }
    }
    try_all(&cases, |case| hold(case, &texts));
}

#[test]
fn what_somebody_else_changes_is_not_overwritten() {
    at_each_request(Kind::Current, Way::Api, &UNITS);
}

#[test]
fn what_somebody_else_changes_in_an_old_fleet_is_not_overwritten() {
    at_each_request(Kind::Old, Way::Api, &["plain.service"]);
}

#[test]
fn what_somebody_else_changes_is_told_of_a_fleetctl_too() {
    let way = Way::Fleetctl(Release::Current);
    at_each_request(Kind::Current, way, &["plain.service"]);
}

/// A manifest whose units have other texts.
fn other() -> String {
    MANIFEST.replace("/bin/sleep", "/bin/other")
}

#[test]
fn of_two_at_once_the_later_one_does_nothing() {
    let mine = texts(MANIFEST);
    for way in [Way::Api, Way::Fleetctl(Release::Current)] {
        let scene = Scene::new(Kind::Current, way, &mine);
        // After the list was read, and before any unit is by itself, another one comes and goes.
        let others = texts(&other());
        let change = move |world: &mut World| {
            for (name, text) in others {
                let is_free = |unit: &Stored| unit.target == "inactive";
                if world.units.get(&name).is_none_or(is_free) {
                    world.create(&name, text, "inactive");
                }
            }
        };
        scene.server.fault(2, Fault::Change(Box::new(change)));
        let report = scene.submit("--prune --jobs 1").unwrap();
        assert_eq!(report.code, 5, "{report:#?}");
        assert_eq!(report.writes().count(), 0, "{report:#?}");
        scene.converges("--prune").unwrap();
    }
}

#[test]
fn two_at_once_leave_nothing_that_neither_wants() {
    let wanted = [texts(MANIFEST), texts(&other())];
    let rounds: Vec<usize> = (0..12).collect();
    try_all(&rounds, |_| {
        let scene = Scene::new(Kind::Current, Way::Api, &wanted[0]);
        let before = scene.seen();
        let mut runs = Vec::new();
        for manifest in [MANIFEST, &other()] {
            scene.manifest(manifest);
            let mut run = scene.command("--prune").spawn().unwrap();
            // It says how it begins when it has read its manifest.
            let stdout = run.stdout.take().unwrap();
            let mut lines = BufReader::new(stdout).lines();
            let begin = lines.next().unwrap().unwrap();
            assert!(begin.contains("begin"), "{begin}");
            runs.push((run, lines));
        }
        for (mut run, lines) in runs {
            let last = lines.last().unwrap().unwrap();
            let code = run.wait().unwrap().code();
            if !matches!(code, Some(0 | 4 | 5)) {
                return Err(format!("{code:?}: {last}"));
            }
        }
        for (name, (found, _)) in scene.seen().units {
            let was = before.units.get(&name).map(|(hash, _)| hash);
            let mut texts = wanted.iter().filter_map(|texts| texts.get(&name));
            let is_known = was == Some(&found) || texts.any(|text| hash(text) == found);
            if !is_known {
                return Err(format!("{name} is {found}"));
            }
        }
        scene.server.requests();
        scene.converges("--prune")
    });
}

#[test]
fn one_error_is_passed_over() {
    let texts = texts(MANIFEST);
    for way in [Way::Api, Way::Fleetctl(Release::Current)] {
        let scene = Scene::new(Kind::Current, way, &texts);
        let plain = scene.submit("--prune --jobs 1").unwrap();
        let mut requests = (1..).zip(&plain.requests);
        let is_write = |request: &String| request.starts_with("PUT");
        let (write, _) = requests.find(|(_, request)| is_write(request)).unwrap();
        for number in [1, 2, write] {
            let scene = Scene::new(Kind::Current, way, &texts);
            scene.server.fault(number, Fault::Status(500));
            let report = scene.submit("--prune --jobs 1").unwrap();
            assert_eq!(report.code, 0, "{number}: {report:#?}");
            assert!(report.requests.len() > plain.requests.len());
            scene.converges("--prune").unwrap();
        }
    }
}

#[test]
fn one_error_of_a_recreation_is_passed_over() {
    let texts = texts(MANIFEST);
    for way in [Way::Api, Way::Fleetctl(Release::Current)] {
        let plain = Scene::new(Kind::Old, way, &texts);
        let plain = plain.submit("--prune --jobs 1").unwrap();
        let mut requests = (1..).zip(&plain.requests);
        let is_deletion = |request: &String| request.starts_with("DELETE");
        let (first, _) = requests.find(|(_, request)| is_deletion(request)).unwrap();
        let scene = Scene::new(Kind::Old, way, &texts);
        scene.server.fault(first, Fault::Status(500));
        let report = scene.submit("--prune --jobs 1").unwrap();
        assert_eq!(report.code, 0, "{report:#?}");
    }
}
