//! `unitgen submit` by fleet's API while something goes wrong at each of its requests: what it says is so,
//! what is not of the plan is not touched, and the next run finishes the work.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use unitgen::unit::fleet::hash;

use crate::fleet_server::{Etcd, Fault, FleetServer, Kind};
use crate::fleetctl::Release;
use crate::submit_faults_scene::{MANIFEST, Scene, Way, texts, try_all};

/// What goes wrong at a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The connection is closed, and nothing done.
    HangUp,
    /// It is done, and the connection closed after so many bytes of the answer.
    CutOff(usize),
    /// It is done, and the connection closed after an answer that does not say so.
    CloseAfter,
    /// An error; nothing is done.
    Status(u16),
    /// An answer that is none.
    Nonsense,
    /// Nothing is done, and there is no answer ever.
    Silent,
    /// It is done, and the answer comes too late.
    Slow,
    /// The server is dead from here on.
    Dead,
    /// etcd is away from here on.
    Lost(Etcd),
}

impl Trouble {
    pub(crate) fn order(self, server: &FleetServer, number: usize) {
        let fault = match self {
            Self::HangUp => Fault::HangUp,
            Self::CutOff(bytes) => Fault::CutOff(bytes),
            Self::CloseAfter => Fault::CloseAfter,
            Self::Status(status) => Fault::Status(status),
            Self::Nonsense => {
                Fault::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]".into())
            }
            Self::Silent => Fault::Silent,
            Self::Slow => Fault::Slow(Duration::from_millis(900)),
            Self::Dead => return server.die(number),
            Self::Lost(etcd) => Fault::Change(Box::new(move |world| world.etcd = etcd)),
        };
        server.fault(number, fault);
    }

    /// Tells whether it is gone when it is tried again.
    pub(crate) fn passes(self) -> bool {
        match self {
            Self::HangUp
            | Self::CutOff(_)
            | Self::CloseAfter
            | Self::Status(500)
            | Self::Silent
            | Self::Slow => true,
            Self::Status(_) | Self::Nonsense | Self::Dead | Self::Lost(_) => false,
        }
    }

    /// Returns how patient unitgen is to be.
    fn limits(self) -> &'static str {
        match self {
            Self::Silent | Self::Slow => "--request-timeout 0.5",
            Self::Dead | Self::Lost(_) => "--timeout 0.3",
            _ => "",
        }
    }
}

/// Something that goes wrong in a run.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) kind: Kind,
    pub(crate) way: Way,
    pub(crate) trouble: Trouble,
    pub(crate) number: usize,
}

/// Returns how many requests a run makes that meets no fault.
pub(crate) fn faultless(kind: Kind, way: Way, texts: &BTreeMap<String, String>) -> usize {
    let scene = Scene::new(kind, way, texts);
    let before = scene.seen();
    let report = scene.submit("--prune").unwrap();
    report.hold(&before, &scene.seen(), None).unwrap();
    assert_eq!((report.code, report.steps.len()), (0, 7), "{report:?}");
    scene.converges("--prune").unwrap();
    report.requests.len()
}

/// Holds a run with a fault, and the one after it, to the truth. Where the fault is gone when it is
/// tried again, the run must end well.
pub(crate) fn hold(
    case: &Case,
    texts: &BTreeMap<String, String>,
    limits: &str,
    is_passing: bool,
) -> Result<(), String> {
    let scene = Scene::new(case.kind, case.way, texts);
    case.trouble.order(&scene.server, case.number);
    let before = scene.seen();
    let report = scene.submit(&format!("--prune {limits}"))?;
    let after = scene.seen();
    report.hold(&before, &after, None)?;
    if report.code != 0 && is_passing {
        return Err(format!("it is tried again in vain: {report:#?}"));
    }
    // What is right already need not be made so each time.
    if report.code != 0 || case.number.is_multiple_of(8) {
        return scene.converges("--prune");
    }
    for (name, text) in texts {
        let found = after.units.get(name).map(|(hash, _)| hash);
        if name != "held.service" && found != Some(&hash(text)) {
            return Err(format!("{name} is {found:?}: {report:#?}"));
        }
    }
    Ok(())
}

fn at_each_request(kind: Kind, troubles: &[Trouble]) {
    let texts = texts(MANIFEST);
    let requests = faultless(kind, Way::Api, &texts);
    let cases: Vec<Case> = troubles
        .iter()
        .flat_map(|trouble| {
            (1..=requests).map(|number| Case {
                kind,
                way: Way::Api,
                trouble: *trouble,
                number,
            })
        })
        .collect();
    try_all(&cases, |case| {
        let limits = format!("--jobs 1 {}", case.trouble.limits());
        hold(case, &texts, &limits, case.trouble.passes())
    });
}

const TROUBLES: [Trouble; 11] = [
    Trouble::HangUp,
    Trouble::CutOff(0),
    Trouble::CutOff(20),
    Trouble::CutOff(150),
    Trouble::CloseAfter,
    Trouble::Status(500),
    Trouble::Status(409),
    Trouble::Nonsense,
    Trouble::Dead,
    Trouble::Lost(Etcd::Silent),
    Trouble::Lost(Etcd::Lost),
];

#[test]
fn whatever_goes_wrong_is_told_as_it_is() {
    at_each_request(Kind::Current, &TROUBLES);
}

#[test]
fn whatever_goes_wrong_with_an_old_fleet_is_told_as_it_is() {
    at_each_request(Kind::Old, &TROUBLES);
}

#[test]
fn what_does_not_answer_is_told_as_it_is() {
    at_each_request(Kind::Current, &[Trouble::Silent, Trouble::Slow]);
}

#[test]
fn what_does_not_answer_of_an_old_fleet_is_told_as_it_is() {
    at_each_request(Kind::Old, &[Trouble::Silent, Trouble::Slow]);
}

#[test]
fn the_scene_is_as_it_is_meant() {
    let texts = texts(MANIFEST);
    for way in [Way::Api, Way::Fleetctl(Release::Current)] {
        let scene = Scene::new(Kind::Current, way, &texts);
        let report = scene.submit("--prune").unwrap();
        let steps = report.steps.iter().map(|step| {
            let word = |key: &str| step[key].as_str().unwrap().to_owned();
            [word("unit"), word("action"), word("outcome")].join(" ")
        });
        let mut steps: Vec<String> = steps.collect();
        assert_eq!(report.stderr, "", "{way:?}");
        steps.sort();
        assert_eq!(
            steps,
            [
                "app-again@.service replace done",
                "app-changed@.service replace done",
                "app-fresh@.service create done",
                "app-gone@.service destroy done",
                "gone.service destroy done",
                "plain.service replace done",
                "young.service create done",
            ]
        );
        assert_eq!(
            report.running(),
            ["app-gone@1.service", "gone-runs.service", "held.service"]
        );
    }
}

#[test]
fn what_is_not_so_is_noticed() {
    let texts = texts(MANIFEST);
    let scene = Scene::new(Kind::Current, Way::Api, &texts);
    let before = scene.seen();
    let mut report = scene.submit("--prune").unwrap();
    let after = scene.seen();
    report.hold(&before, &after, None).unwrap();
    for at in 0..report.steps.len() {
        let step = report.steps[at].clone();
        for (outcome, left) in [
            ("refused", Value::Null),
            ("not_tried", Value::Null),
            ("failed", json!({"kind": "untouched"})),
            ("failed", json!({"kind": "another", "hash": "1"})),
        ] {
            report.steps[at]["outcome"] = outcome.into();
            report.steps[at]["left"] = left;
            let told = report.hold(&before, &after, None).unwrap_err();
            let unit = step["unit"].as_str().unwrap();
            assert!(told.starts_with(&format!("{unit} is {outcome}")), "{told}");
        }
        report.steps[at] = step;
    }
    // Nothing was done of what it says.
    assert!(report.hold(&before, &before, None).is_err());
    for name in ["other.service", "app-equal@2.service", "foreign@.service"] {
        let mut other = after.clone();
        other.units.remove(name);
        let told = report.hold(&before, &other, None).unwrap_err();
        assert!(
            told.contains(&format!("{name} is no part of the plan")),
            "{told}"
        );
    }
    report
        .requests
        .push("DELETE /fleet/v1/units/other.service".to_owned());
    assert!(report.hold(&before, &after, None).is_err());
    report.requests.pop();
    report.code = 4;
    assert!(report.hold(&before, &after, None).is_err());
}
