//! What holds of every rollout, by chance: clusters of all sorts beside manifests of all sorts.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use unitgen::rollout::ProcessPlan;
use unitgen::rollout::{Action, Step};

use crate::deploy_case::{Case, Luck, Port, Release, There, cases, troubles};
use crate::deploy_scene::{Ran, Run, Scene};

/// How long it takes until what was told last has come to its end.
const CALM: Duration = Duration::from_secs(60);

/// What there was before a run.
struct Before {
    told: usize,
    serving: usize,
    shares_ports: bool,
}

impl Before {
    fn of(case: &Case, scene: &Scene) -> Self {
        let ((serving, _), _) = scene.served(scene.now());
        Self {
            told: scene.told(),
            serving,
            shares_ports: shares_ports(case, scene, scene.now()).is_some(),
        }
    }
}

/// Tells of two instances that took the same port of a machine at once, since a time.
fn shares_ports(case: &Case, scene: &Scene, from: Duration) -> Option<String> {
    let mut found = None;
    scene.server.world(|world| {
        world.history.each_moment(from, |at, moment| {
            let mut taken = BTreeMap::new();
            for ((unit, machine), change) in moment {
                let slot = unit.rsplit(['@', '-']).next().unwrap();
                let port = match case.port {
                    Port::None => continue,
                    Port::Fixed => "",
                    Port::Slot => slot,
                };
                if !unit.starts_with("app-http@") || !change.is_busy() {
                    continue;
                }
                if let Some(other) = taken.insert((port, machine), unit) {
                    found = Some(format!("{at:?} {other} and {unit} on {machine}"));
                }
            }
        });
    });
    found
}

fn told(case: &Case, scene: &Scene, ran: &Ran) -> String {
    format!(
        "{}\n{}\n{}",
        case.wanted(),
        ran.told(),
        scene.story(ran.began)
    )
}

/// Returns how many serve at least by a plan where nobody says how many must.
fn floor(process: &ProcessPlan) -> usize {
    let lowering = process.steps.iter().filter(|step| step.lowers);
    let floors = lowering.map(|step| step.floor);
    floors.min().unwrap_or(process.wanted)
}

/// Holds a run, and the time since, against its bounds.
fn within_bounds(case: &Case, scene: &Scene, before: &Before, ran: &Ran) -> TestCaseResult {
    let told = || told(case, scene, ran);
    let growth = case.max_growth.unwrap_or(1);
    let ((least, _), (_, most)) = scene.served(ran.began);
    for process in ran.plan.processes.iter().filter(|it| it.app == "app") {
        let floor = match case.min_alive {
            Some(number) => number.min(process.wanted),
            None => floor(process),
        };
        let floor = floor.min(before.serving);
        prop_assert!(least >= floor, "{least} < {floor}\n{}", told());
        let ceiling = before.told.max(process.wanted + growth);
        prop_assert!(most <= ceiling, "{most} > {ceiling}\n{}", told());
        let steps = u32::try_from(process.steps.len()).unwrap();
        let limit = Duration::from_secs(3 * 60 + 120) * (steps + 1);
        prop_assert!(ran.ended.saturating_sub(ran.began) < limit, "{}", told());
    }
    // fleet knows nothing of ports: only where all keep apart is it for the rollout to see to it.
    if !before.shares_ports && case.conflicts {
        let shared = shares_ports(case, scene, ran.began);
        prop_assert_eq!(shared, None, "{}", told());
    }
    let is_own = |request: &String| request.contains("/units/app-http");
    let foreign: Vec<&String> = ran
        .writes
        .iter()
        .filter(|request| !is_own(request))
        .collect();
    prop_assert!(foreign.is_empty(), "{foreign:?}\n{}", told());
    Ok(())
}

/// Runs until all is as it is wanted, with nothing in the way. Says that it was refused.
fn converges(case: &Case, scene: &Scene) -> Result<bool, TestCaseError> {
    let before = Before::of(case, scene);
    let ran = scene.deploy(&case.wanted(), &Run::default());
    if !ran.refused.is_empty() {
        return Ok(false);
    }
    prop_assert!(ran.is_good(), "{}", told(case, scene, &ran));
    within_bounds(case, scene, &before, &ran)?;
    scene.server.pass(CALM);
    let wrong = scene.wrong(&case.wanted());
    prop_assert!(wrong.is_empty(), "{wrong:?}\n{}", told(case, scene, &ran));
    let again = scene.deploy(&case.wanted(), &Run::default());
    prop_assert!(again.plan.is_empty(), "{}", told(case, scene, &again));
    Ok(true)
}

/// Says that a refusal has a reason.
fn is_refused_rightly(case: &Case, ran: &Ran) -> TestCaseResult {
    for refused in &ran.refused {
        let by_bounds = case.min_alive.is_some() && refused.contains("--min-alive");
        let by_room = refused.contains("has no place");
        prop_assert!(by_bounds || by_room, "{refused}\n{}", case.wanted());
    }
    Ok(())
}

fn a_good_run(case: &Case) -> TestCaseResult {
    let scene = case.scene();
    let before = Before::of(case, &scene);
    let ran = scene.deploy(&case.wanted(), &Run::default());
    is_refused_rightly(case, &ran)?;
    if !ran.refused.is_empty() {
        prop_assert!(ran.writes.is_empty());
        return Ok(());
    }
    prop_assert!(ran.is_good(), "{}", told(case, &scene, &ran));
    scene.server.pass(CALM);
    within_bounds(case, &scene, &before, &ran)?;
    let wrong = scene.wrong(&case.wanted());
    prop_assert!(wrong.is_empty(), "{wrong:?}\n{}", told(case, &scene, &ran));
    let again = scene.deploy(&case.wanted(), &Run::default());
    prop_assert!(again.plan.is_empty(), "{}", told(case, &scene, &again));
    Ok(())
}

fn a_bad_text(case: &Case) -> TestCaseResult {
    let scene = case.scene();
    let before = Before::of(case, &scene);
    let ran = scene.deploy(&case.wanted(), &Run::default());
    within_bounds(case, &scene, &before, &ran)?;
    let is_start = |step: &Step| {
        matches!(
            step.action,
            Action::Start | Action::Replace | Action::Restart
        )
    };
    let mut steps = ran.plan.processes.iter().flat_map(|one| &one.steps);
    let is_told = !ran.is_good() || !steps.any(is_start);
    prop_assert!(is_told, "{}", told(case, &scene, &ran));
    Ok(())
}

fn a_run_that_does_not_end(case: &Case, run: &Run) -> TestCaseResult {
    let scene = case.scene();
    let before = Before::of(case, &scene);
    let ran = scene.deploy(&case.wanted(), run);
    within_bounds(case, &scene, &before, &ran)?;
    scene.server.pass(CALM);
    within_bounds(case, &scene, &before, &ran)?;
    let is_done = converges(case, &scene)?;
    let was_refused = !ran.refused.is_empty() || case.min_alive.is_some();
    prop_assert!(is_done || was_refused, "{}", told(case, &scene, &ran));
    Ok(())
}

fn good() -> impl Strategy<Value = Luck> {
    prop_oneof![
        3 => Just(Luck::Good),
        3 => (0..60_u64, 0..30_u64).prop_map(|(start, stop)| Luck::Slow(start, stop)),
        1 => Just(Luck::Shaky),
    ]
}

fn bad() -> impl Strategy<Value = Luck> {
    prop::sample::select(vec![
        Luck::Fails,
        Luck::Crashes,
        Luck::Hangs,
        Luck::NotLoaded,
    ])
}

/// A case in which so many instances are replaced one by one.
fn plain(instances: usize, there: &[There]) -> Case {
    let release = |text| Release {
        versions: vec![1],
        instances,
        text,
    };
    Case {
        seed: 1,
        machines: 3,
        conflicts: false,
        port: Port::None,
        versioned: false,
        announce: false,
        old: release("old"),
        new: release("new"),
        there: there.to_vec(),
        min_alive: None,
        max_growth: None,
        ready: 5,
        luck: Luck::Good,
    }
}

#[test]
fn instances_are_replaced_one_by_one() {
    a_good_run(&plain(3, &[There::Old; 3])).unwrap();
}

#[test]
fn a_failed_instance_is_started_anew() {
    let mut case = plain(1, &[There::Failed]);
    case.old.text = "new";
    a_good_run(&case).unwrap();
}

#[test]
fn what_seeks_a_machine_takes_no_place_from_what_is_wanted() {
    let mut there = [There::Old; 6];
    there[1] = There::Inactive;
    let mut case = plain(4, &there);
    case.old.instances = 6;
    (case.machines, case.conflicts) = (4, true);
    a_good_run(&case).unwrap();
}

#[test]
fn what_is_slow_to_stop_has_stopped_before_the_next_one_starts() {
    let mut case = plain(1, &[There::Old]);
    (case.versioned, case.conflicts, case.machines) = (true, true, 1);
    case.port = Port::Fixed;
    case.new.versions = vec![2];
    case.luck = Luck::Slow(0, 20);
    a_good_run(&case).unwrap();
}

/// Each case is a cluster of its own, but none takes any time.
fn config() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        failure_persistence: None,
        max_shrink_iters: 400,
        cases: usual.cases / 3,
        ..usual
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_rollout_does_all_that_is_wanted_within_its_bounds(case in cases(good())) {
        a_good_run(&case)?;
    }

    #[test]
    fn a_bad_text_leaves_the_rest_serving(case in cases(bad())) {
        a_bad_text(&case)?;
    }

    #[test]
    fn another_run_goes_on_after_faults(case in cases(good()), troubles in troubles()) {
        a_run_that_does_not_end(&case, &Run { troubles, ..Run::default() })?;
    }

    #[test]
    fn another_run_goes_on_after_a_kill(case in cases(good()), pauses in 0..120_usize) {
        a_run_that_does_not_end(&case, &Run { killed_in: Some(pauses), ..Run::default() })?;
    }

    #[test]
    fn another_run_goes_on_after_a_bar(case in cases(good()), step in 0..8_usize) {
        a_run_that_does_not_end(&case, &Run { barred_at: Some(step), ..Run::default() })?;
    }
}
