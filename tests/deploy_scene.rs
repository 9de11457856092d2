//! The scene of tests on rollouts: a fleet in a time of the test's own, the app `app` of which there may be
//! something already, another app beside it, and a rollout within this process.
//!
//! `Run` says what is to go wrong besides what the fleet does, and `Ran` what came of it.

use std::cell::Cell;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use unitgen::clock::Time;
use unitgen::deploy::{Outcome, Report, Rollout, Rules, Witness};
use unitgen::diff::placing::unplaced;
use unitgen::diff::{Comparison, diff};
use unitgen::error::CommandError;
use unitgen::goal::goals;
use unitgen::interruption::Interruption;
use unitgen::model::Deploy;
use unitgen::rollout::process::of_goals;
use unitgen::rollout::watch::Sight;
use unitgen::rollout::{Plan, ProcessPlan, plan};
use unitgen::state::RegistryName;

use crate::deploy_case::{instances, wanted};
use crate::fleet_server::{Change, Fault, FleetServer};
use crate::fleet_site::fleet;

/// The time of a server, as a rollout sees it.
pub(crate) struct VirtualTime<'a> {
    server: &'a FleetServer,
    /// After so many pauses somebody kills the rollout.
    pauses: Cell<Option<usize>>,
}

/// What a killed rollout ends with.
struct Killed;

impl<'a> VirtualTime<'a> {
    pub(crate) fn of(server: &'a FleetServer) -> Self {
        Self {
            server,
            pauses: Cell::new(None),
        }
    }
}

impl fmt::Debug for VirtualTime<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.now())
    }
}

impl Time for VirtualTime<'_> {
    fn now(&self) -> Duration {
        self.server.world(|world| world.now())
    }

    fn pause(&self, time: Duration) {
        match self.pauses.get() {
            Some(0) => resume_unwind(Box::new(Killed)),
            pauses => self.pauses.set(pauses.map(|pauses| pauses - 1)),
        }
        self.server.pass(time);
    }
}

/// A fleet in a time of the test's own.
pub(crate) struct Scene {
    pub(crate) server: FleetServer,
}

/// What is to go wrong with a run, besides what the fleet does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    /// Faults at the requests of these numbers, counted from when it begins to do anything.
    pub(crate) troubles: Vec<(usize, Trouble)>,
    /// Somebody kills it in the pause of this number.
    pub(crate) killed_in: Option<usize>,
    /// It is barred before the step of this number.
    pub(crate) barred_at: Option<usize>,
}

/// What may become of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It is not done, and there is no answer.
    Dropped,
    /// It is not done.
    Status(u16),
    /// It is done, and the answer comes after so many seconds.
    Slow(u64),
    /// It is done, and the answer is lost.
    Lost,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Why nothing was planned.
    pub(crate) refused: Vec<String>,
    pub(crate) plan: Plan,
    /// Of each process that was begun.
    pub(crate) reports: Vec<Report>,
    pub(crate) is_killed: bool,
    /// The requests that changed anything, or might have.
    pub(crate) writes: Vec<String>,
    pub(crate) began: Duration,
    pub(crate) ended: Duration,
}

impl Ran {
    /// Tells whether all came to a good end.
    pub(crate) fn is_good(&self) -> bool {
        let all = self.reports.len() == self.plan.processes.len();
        self.refused.is_empty() && all && self.reports.iter().all(Report::is_good)
    }

    /// Says what was done and what came of it, a line for each step.
    pub(crate) fn told(&self) -> String {
        let mut told = format!(
            "{:?} to {:?}, killed: {}, refused: {:?}\n",
            self.began, self.ended, self.is_killed, self.refused
        );
        for (at, process) in self.plan.processes.iter().enumerate() {
            let range = process.range;
            let _ = writeln!(told, "{}/{} {range:?}", process.app, process.process);
            for (number, step) in process.steps.iter().enumerate() {
                let outcome = self.reports.get(at).map(|report| &report.outcomes[number]);
                let outcome = match outcome {
                    Some(Outcome::Failed(failure)) => {
                        format!("{}: {failure}", failure.unit)
                    }
                    outcome => format!("{outcome:?}"),
                };
                let _ = writeln!(told, "  {} {} {outcome}", step.action.word(), step.instance);
            }
            if let Some(stop) = self.reports.get(at).and_then(|report| report.stop.as_ref()) {
                let _ = writeln!(told, "  {stop:?}");
            }
        }
        told
    }
}

/// Sees nothing.
struct Nobody;

impl Witness for Nobody {
    fn began(&mut self, _: &ProcessPlan, _: usize) {}

    fn seen(&mut self, _: &RegistryName, _: &Sight, _: Duration) {}

    fn ended(&mut self, _: &ProcessPlan, _: usize, _: &Outcome) {}
}

impl Scene {
    pub(crate) fn now(&self) -> Duration {
        self.server.world(|world| world.now())
    }

    /// Deploys the apps of a manifest, whose unit files are there already, as `unitgen deploy` does.
    pub(crate) fn deploy(&self, text: &str, run: &Run) -> Ran {
        let (model, desired) = wanted(text);
        let mut client = fleet(self.server.endpoint());
        let observed = client.observe().unwrap();
        let comparison = Comparison {
            desired: &desired,
            others: &[],
            model: &model,
            observed: &observed,
            apps: None,
        };
        let mut diff = diff(&comparison);
        diff.set_unplaced(unplaced(&comparison, &diff));
        let apps: Vec<_> = model.apps.iter().collect();
        let goals = goals(&apps, &desired);
        let bounds = Deploy::default();
        let processes = of_goals(&goals, &diff, &observed, &bounds, |_, _| false);
        self.server.requests();
        let began = self.now();
        let mut ran = Ran {
            refused: Vec::new(),
            plan: Plan::default(),
            reports: Vec::new(),
            is_killed: false,
            writes: Vec::new(),
            began,
            ended: began,
        };
        match plan(&processes, &observed) {
            Ok(plan) => ran.plan = plan,
            Err(impossible) => {
                ran.refused = impossible
                    .iter()
                    .map(|one| format!("{one}; {}", one.help))
                    .collect();
                return ran;
            }
        }
        for (number, trouble) in &run.troubles {
            let fault = match trouble {
                Trouble::Dropped => Fault::HangUp,
                Trouble::Status(status) => Fault::Status(*status),
                Trouble::Slow(seconds) => Fault::Slow(Duration::from_secs(*seconds)),
                Trouble::Lost => Fault::CutOff(0),
            };
            self.server.fault(*number, fault);
        }
        let time = VirtualTime::of(&self.server);
        time.pauses.set(run.killed_in);
        let steps = Cell::new(run.barred_at);
        let may_go_on = || match steps.get() {
            Some(0) => Err(CommandError::refused("somebody else holds the lock")),
            left => {
                steps.set(left.map(|left| left - 1));
                Ok(())
            }
        };
        let interruption = Interruption::default();
        let mut rollout = Rollout::new(
            &mut client,
            Rules {
                time: &time,
                interruption: &interruption,
                may_go_on: &may_go_on,
                patience: Duration::from_secs(15),
                tunnel: None,
            },
        );
        for process in &ran.plan.processes {
            let work = || rollout.process(process, &mut Nobody);
            match catch_unwind(AssertUnwindSafe(work)) {
                Ok(report) => ran.reports.push(report),
                Err(end) if end.is::<Killed>() => ran.is_killed = true,
                Err(end) => resume_unwind(end),
            }
            if ran.is_killed || !ran.reports.iter().all(Report::is_good) {
                break;
            }
        }
        ran.ended = self.now();
        self.server.mend();
        ran.writes = self.server.requests();
        ran.writes.retain(|request| !request.starts_with("GET "));
        ran
    }

    /// Returns how few and how many instances of the app served, and were at work at all, since a time.
    pub(crate) fn served(&self, from: Duration) -> ((usize, usize), (usize, usize)) {
        let is_own = |change: &Change| change.unit.starts_with("app-http@");
        self.server.world(|world| {
            let history = &world.history;
            let serving = history.range(from, |change| is_own(change) && change.serves());
            let busy = history.range(from, |change| is_own(change) && change.is_busy());
            (serving, busy)
        })
    }

    /// Returns what became of the units of the app since a time.
    pub(crate) fn story(&self, from: Duration) -> String {
        self.server.world(|world| {
            let changes = world.history.changes().iter();
            let lines = changes.filter(|change| change.at >= from).map(|change| {
                let (at, machine) = (change.at.as_secs_f64(), &change.machine[..8]);
                let (unit, hash) = (&change.unit, change.hash.get(..7).unwrap_or("gone"));
                let state = format!("{}/{}", change.active, change.sub);
                format!("{at:.1} {unit} {machine} {state} {hash}\n")
            });
            lines.collect()
        })
    }

    /// Returns how many instances of the app fleet was told to run or to load.
    pub(crate) fn told(&self) -> usize {
        self.server.world(|world| {
            let units = world.units.iter();
            let is_own = |name: &str| name.starts_with("app-http@");
            units
                .filter(|(name, unit)| is_own(name) && unit.is_wanted())
                .count()
        })
    }

    /// Returns all that is not as a manifest wants it.
    pub(crate) fn wrong(&self, text: &str) -> Vec<String> {
        let (_, desired) = wanted(text);
        let wanted = instances(&desired, "app");
        self.server.world(|world| {
            let mut wrong = Vec::new();
            for (name, text, state) in &wanted {
                let Some(unit) = world.units.get(name) else {
                    wrong.push(format!("{name} is missing"));
                    continue;
                };
                if unit.raw != *text || unit.target != *state {
                    wrong.push(format!("{name} has another text or is {}", unit.target));
                }
                let hash = unit.hash();
                let mut running = world.hosts.iter().filter_map(|host| host.units.get(name));
                let is_up = running.any(|it| it.hash == hash && it.active == "active");
                if !is_up {
                    wrong.push(format!("{name} is not up"));
                }
            }
            let is_wanted = |name: &str| wanted.iter().any(|(wanted, _, _)| wanted == name);
            let is_own = |name: &str| name.starts_with("app-") && !name.contains("@.");
            let units = world
                .units
                .keys()
                .filter(|name| is_own(name) && !is_wanted(name));
            wrong.extend(units.map(|name| format!("{name} is still there")));
            for host in &world.hosts {
                let running = host.units.keys();
                let running = running.filter(|name| is_own(name) && !is_wanted(name));
                wrong.extend(running.map(|name| format!("{name} still runs on {}", host.id)));
            }
            wrong
        })
    }
}
