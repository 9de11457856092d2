//! `unitgen submit` by a fleetctl that goes wrong, or whose server does, at each request.

use std::collections::BTreeMap;

use crate::fleet_server::{Etcd, Kind};
use crate::fleetctl::{Fault, Release};
use crate::submit_faults::{Case, Trouble, faultless, hold};
use crate::submit_faults_scene::{MANIFEST, Scene, Way, texts, try_all};

/// All sorts of fleets and fleetctls.
const SORTS: [(Kind, Way); 4] = [
    (Kind::Current, Way::Fleetctl(Release::Current)),
    (Kind::Current, Way::Fleetctl(Release::Old)),
    (Kind::Old, Way::Fleetctl(Release::Current)),
    (Kind::Old, Way::Fleetctl(Release::Old)),
];

/// Where fleetctl alone leads to the registry.
const FAR: [(Kind, Way); 1] = [(Kind::Current, Way::Ssh(Release::Current))];

/// Returns cases with troubles at each `step`-th request.
fn cases(
    (kind, way): (Kind, Way),
    troubles: &[Trouble],
    step: usize,
    texts: &BTreeMap<String, String>,
) -> Vec<Case> {
    let requests = faultless(kind, way, texts);
    let case = |trouble: Trouble, number| Case {
        kind,
        way,
        trouble,
        number,
    };
    let of_one = |(at, trouble): (usize, &Trouble)| {
        let (first, trouble) = (1 + at % step, *trouble);
        (first..=requests)
            .step_by(step)
            .map(move |number| case(trouble, number))
    };
    troubles.iter().enumerate().flat_map(of_one).collect()
}

fn at_requests(sorts: &[(Kind, Way)], troubles: &[Trouble], step: usize, limits: &str) {
    let texts = texts(MANIFEST);
    let cases = sorts
        .iter()
        .flat_map(|sort| cases(*sort, troubles, step, &texts));
    let cases: Vec<Case> = cases.collect();
    // A fleetctl that had no answer may have begun anything: it is not called again.
    let is_hopeful = |case: &Case| {
        let is_current = sorts == &SORTS[..1];
        is_current
            && case.trouble.passes()
            && !matches!(case.trouble, Trouble::Silent | Trouble::Slow)
    };
    try_all(&cases, |case| hold(case, &texts, limits, is_hopeful(case)));
}

const TROUBLES: [Trouble; 4] = [
    Trouble::HangUp,
    Trouble::CutOff(0),
    Trouble::Status(500),
    Trouble::Status(409),
];

#[test]
fn what_goes_wrong_under_a_fleetctl_is_told_as_it_is() {
    at_requests(&SORTS[..1], &TROUBLES, 1, "--timeout 5");
}

#[test]
fn what_goes_wrong_under_other_fleetctls_is_told_as_it_is() {
    at_requests(&SORTS[1..], &TROUBLES, 5, "--timeout 5");
}

#[test]
fn a_server_that_dies_under_a_fleetctl_is_told_as_it_is() {
    let troubles = [Trouble::Dead, Trouble::Lost(Etcd::Lost)];
    at_requests(&SORTS, &troubles, 7, "--timeout 1");
}

#[test]
fn a_server_that_does_not_answer_a_fleetctl_is_told_as_it_is() {
    let limits = "--timeout 1 --request-timeout 0.5";
    at_requests(&SORTS[..2], &[Trouble::Silent, Trouble::Slow], 4, limits);
}

#[test]
fn what_goes_wrong_far_away_is_told_as_it_is() {
    at_requests(&FAR, &TROUBLES, 3, "--timeout 5");
    at_requests(&FAR, &[Trouble::Dead], 3, "--timeout 1");
}

/// Holds runs with a fleetctl that goes wrong itself to the truth.
#[track_caller]
fn with_faults(sorts: &[(Kind, Way)]) {
    let texts = texts(MANIFEST);
    let mut cases = Vec::new();
    for &sort in sorts {
        let faults = [Fault::Fail, Fault::Lie, Fault::Rubbish, Fault::Hang];
        cases.extend(faults.map(|fault| (sort, fault)));
        cases.extend((1..=7).map(|number| (sort, Fault::Die(number))));
    }
    try_all(&cases, |((kind, way), fault)| {
        let mut scene = Scene::new(*kind, *way, &texts);
        scene.fleetctl.order(*fault);
        let before = scene.seen();
        let limit = if *fault == Fault::Hang { 1 } else { 60 };
        let report = scene.submit(&format!("--prune --timeout {limit}"))?;
        report.hold(&before, &scene.seen(), None)?;
        let is_well = matches!(fault, Fault::Fail | Fault::Rubbish);
        let is_fitting = report.code == 0 || !is_well;
        if !is_fitting {
            return Err(format!("{report:#?}"));
        }
        scene.fleetctl = way.fleetctl();
        scene.converges("--prune")
    });
}

#[test]
fn a_fleetctl_that_goes_wrong_is_told_as_it_is() {
    with_faults(&SORTS);
}

#[test]
fn a_fleetctl_that_goes_wrong_far_away_is_told_as_it_is() {
    with_faults(&FAR);
}
