//! What holds of every `unitgen submit`, by chance: registries of all sorts beside manifests of all sorts.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use unitgen::unit::fleet::{FleetOption, FleetUnit};

use crate::fleet_server::{Etcd, Kind};
use crate::fleetctl::Release;
use crate::submit_faults::Trouble;
use crate::submit_faults_scene::{Scene, Way, texts, unwanted};
use crate::submit_faults_truth::Report;

/// What a process wants, and what the registry has of it.
#[derive(Debug, Clone)]
struct Process {
    instances: usize,
    /// What the registry has of its unit: 0 nothing, 1 the text, 2 an older one, 3 the directives in
    /// another order, 4 one without a mark.
    file: u8,
    /// The same of instances, and their states; those of a plain unit's own.
    kept: Vec<(u8, usize)>,
}

/// An app, which the manifest may not have any more.
#[derive(Debug, Clone)]
struct App {
    processes: Vec<Process>,
    plain: bool,
    wanted: bool,
}

/// A registry beside a manifest, and a way.
#[derive(Debug, Clone)]
struct Case {
    apps: Vec<App>,
    /// The states of units that are nobody's.
    foreign: Vec<usize>,
    kind: Kind,
    way: Way,
    jobs: usize,
    /// Whether only the first app is submitted.
    selects: bool,
}

fn cases() -> impl Strategy<Value = Case> {
    let process = (0..3_usize, 0..5_u8, vec((0..5_u8, 0..3_usize), 3));
    let process = process.prop_map(|(instances, file, kept)| Process {
        instances,
        file,
        kept,
    });
    let app = (
        vec(process, 1..3),
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.7),
    );
    let app = app.prop_map(|(processes, plain, wanted)| App {
        processes,
        plain,
        wanted,
    });
    let way = prop_oneof![
        6 => Just(Way::Api),
        1 => Just(Way::Fleetctl(Release::Current)),
        1 => Just(Way::Fleetctl(Release::Old)),
    ];
    let kind = prop_oneof![3 => Just(Kind::Current), 1 => Just(Kind::Old)];
    let parts = (
        vec(app, 1..5),
        vec(0..3_usize, 1..4),
        kind,
        way,
        1..4_usize,
        prop::bool::weighted(0.2),
    );
    parts.prop_map(|(mut apps, foreign, kind, way, jobs, selects)| {
        // Where nothing is wanted nothing is pruned.
        apps[0].wanted = true;
        Case {
            apps,
            foreign,
            kind,
            way,
            jobs,
            selects,
        }
    })
}

impl Case {
    fn manifest(&self, is_in: impl Fn(&App) -> bool) -> String {
        let mut text = "apps:\n".to_owned();
        for (at, app) in self.apps.iter().enumerate().filter(|(_, app)| is_in(app)) {
            text.push_str(&format!("  a{at}:\n    processes:\n"));
            for (number, process) in app.processes.iter().enumerate() {
                let name = format!("p{number}");
                let rest = if app.plain {
                    format!("unit: a{at}-{name}")
                } else {
                    format!("instances: {}", process.instances)
                };
                text.push_str(&format!("      {name}: {{exec: [/bin/a], {rest}}}\n"));
            }
        }
        text
    }

    fn scene(&self) -> Scene {
        let scene = Scene::empty(self.kind, self.way, &self.manifest(|app| app.wanted));
        let states = ["inactive", "loaded", "launched"];
        let all = texts(&self.manifest(|_| true));
        let mut units = Vec::new();
        for (name, text) in &all {
            let mut numbers = name.split(|c: char| !c.is_ascii_digit());
            let mut number = || {
                numbers
                    .find(|part| !part.is_empty())
                    .unwrap()
                    .parse()
                    .unwrap()
            };
            let (app, process): (usize, usize) = (number(), number());
            let process = &self.apps[app].processes[process];
            let Some((head, tail)) = name.split_once("@.") else {
                units.push((name.clone(), process.file, process.kept[0].1, text));
                continue;
            };
            units.push((name.clone(), process.file, 0, text));
            for (at, (file, state)) in process.kept.iter().enumerate() {
                let instance = format!("{head}@{}.{tail}", at + 1);
                units.push((instance, *file, *state, text));
            }
        }
        scene.server.world(|world| {
            for (name, file, state, text) in units {
                if let Some(text) = changed(file, text) {
                    world.create(&name, text, states[state]);
                }
            }
            for (at, state) in self.foreign.iter().enumerate() {
                world.add(&format!("foreign{at}.service"), "/bin/f", states[*state]);
                world.add(&format!("foreign{at}@.service"), "/bin/f", "inactive");
                world.add(&format!("foreign@{at}.service"), "/bin/f", states[*state]);
            }
        });
        scene
    }

    fn arguments(&self) -> String {
        let selected = if self.selects { "a0" } else { "" };
        let jobs = self.jobs;
        format!("{selected} --prune --prune-max 100% --jobs {jobs}")
    }

    /// Says where a run touches another app than it should.
    fn is_selected(&self, report: &Report) -> TestCaseResult {
        for step in report.steps.iter().filter(|_| self.selects) {
            prop_assert!(step["unit"].as_str().unwrap().starts_with("a0-"), "{step}");
        }
        Ok(())
    }
}

/// Returns the text that the registry has of a unit, if any.
fn changed(kind: u8, wanted: &str) -> Option<String> {
    let mut unit = FleetUnit::parse(wanted).unwrap();
    match kind {
        0 => return None,
        1 => {}
        2 => unit.options.push(FleetOption {
            section: "X-Unitgen".into(),
            name: "Old".to_owned(),
            value: "1".to_owned(),
        }),
        3 => {
            let options = unit.options.len();
            unit.options.swap(options - 2, options - 1);
        }
        _ => unit
            .options
            .retain(|option| &*option.section != "X-Unitgen"),
    }
    Some(unit.canonical())
}

fn fail(complaint: String) -> TestCaseError {
    TestCaseError::fail(complaint)
}

fn all_is_done_and_nothing_else(case: &Case) -> TestCaseResult {
    let scene = case.scene();
    let before = scene.seen();
    let report = scene.submit(&case.arguments()).map_err(fail)?;
    let after = scene.seen();
    report.hold(&before, &after, None).map_err(fail)?;
    case.is_selected(&report)?;
    prop_assert_eq!(report.code, 0, "{:#?}", report);
    // What is not selected is as it was, and differs.
    let mut differing = scene.differing(&report.running()).map_err(fail)?;
    differing.retain(|name| !case.selects || name.starts_with("a0-"));
    prop_assert_eq!(differing, Vec::<String>::new(), "{:#?}", report);
    let again = scene.submit(&case.arguments()).map_err(fail)?;
    prop_assert_eq!(again.code, 0, "{:#?}", &again);
    prop_assert_eq!(
        again.writes().count() + again.steps.len(),
        0,
        "{:#?}",
        &again
    );
    prop_assert_eq!(again.held(), report.held());
    prop_assert_eq!(scene.seen(), after);
    Ok(())
}

fn troubles() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        3 => Just(Trouble::HangUp),
        3 => (0..200_usize).prop_map(Trouble::CutOff),
        3 => Just(Trouble::Status(500)),
        2 => Just(Trouble::Status(409)),
        2 => Just(Trouble::Status(400)),
        1 => Just(Trouble::Nonsense),
        1 => Just(Trouble::Dead),
        1 => Just(Trouble::Lost(Etcd::Lost)),
    ]
}

fn a_fault_is_mended(case: &Case, trouble: Trouble, number: usize) -> TestCaseResult {
    let scene = case.scene();
    let before = scene.seen();
    trouble.order(&scene.server, number);
    let arguments = case.arguments();
    let report = scene
        .submit(&format!("{arguments} --timeout 1"))
        .map_err(fail)?;
    let after = scene.seen();
    report.hold(&before, &after, None).map_err(fail)?;
    case.is_selected(&report)?;
    let next = scene.submit(&arguments).map_err(fail)?;
    next.hold(&after, &scene.seen(), None).map_err(fail)?;
    prop_assert_eq!(next.code, 0, "{:#?}", next);
    let mut differing = scene.differing(&next.running()).map_err(fail)?;
    differing.retain(|name| !case.selects || name.starts_with("a0-"));
    prop_assert_eq!(differing, Vec::<String>::new(), "{:#?}", next);
    Ok(())
}

#[test]
fn what_gets_a_mark_is_left_when_all_others_go() {
    let manifest = "apps:\n  hub: {exec: [/bin/a], instances: 0}\n";
    let scene = Scene::empty(Kind::Current, Way::Api, manifest);
    let text = texts(manifest).remove("hub-worker@.service").unwrap();
    scene.server.world(|world| {
        let unmarked = changed(4, &text).unwrap();
        world.create("hub-worker@.service", unmarked, "inactive");
        world.create("gone.service", unwanted("gone"), "inactive");
    });
    let report = scene.submit("--prune").unwrap();
    assert_eq!(report.code, 0, "{report:#?}");
}

/// Each case starts several processes.
fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: usual.cases / 4,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..usual
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..config() })]

    #[test]
    fn submitting_does_all_that_is_wanted_and_nothing_else(case in cases()) {
        all_is_done_and_nothing_else(&case)?;
    }

    #[test]
    fn a_fault_changes_nothing_else_and_is_mended(
        case in cases(),
        trouble in troubles(),
        number in 1..24_usize,
    ) {
        a_fault_is_mended(&case, trouble, number)?;
    }
}
