//! Whether a unit is up, by what fleet and systemd say of it from one look to the next.
//!
//! In: what the unit is to be, and what was seen, with the time. Out: a verdict. What fleet shows is old for
//! seconds after it was told anything: a state counts by its hash, and by having changed. Knows nothing of
//! how anything is seen.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::rollout::After;
use crate::state::{MachineId, ObservedUnit, RegistryName, SeenState, State, UnitState};
use crate::unit::fleet::FleetUnit;

/// How long a failed state is held to be an old one that nothing has changed yet: three rounds of fleet's
/// agents.
const SETTLING: Duration = Duration::from_secs(15);

/// How long a unit may be without a machine: many rounds of fleet's engine.
const UNPLACED: Duration = Duration::from_secs(30);

/// How often a unit may end by itself before it counts as failed.
const CRASHES: u32 = 3;

/// When a unit is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A service that runs on.
    Service,
    /// A service that ends by itself: it is up when it has begun, and not failed.
    Job,
    /// What is only loaded, for something else starts it: up unless it failed.
    Idle,
    /// A timer, a socket or a path: up when it is active.
    Trigger,
}

impl Kind {
    /// Returns the kind of a unit.
    #[must_use]
    pub fn of(name: &RegistryName, unit: &FleetUnit, state: State) -> Self {
        match state {
            State::Inactive | State::Loaded => Self::Idle,
            State::Launched if !name.as_str().ends_with(".service") => Self::Trigger,
            State::Launched if ends_by_itself(unit) => Self::Job,
            State::Launched => Self::Service,
        }
    }
}

/// Tells whether a service is one that is done when its program ends, whatever it is called then.
#[must_use]
pub fn ends_by_itself(unit: &FleetUnit) -> bool {
    let mut options = unit
        .options
        .iter()
        .filter(|option| &*option.section == "Service");
    options.any(|option| match option.name.as_str() {
        "Type" => option.value == "oneshot",
        "RemainAfterExit" => matches!(option.value.as_str(), "yes" | "true" | "on" | "1"),
        _ => false,
    })
}

/// Tells whether systemd says that a unit does its work.
#[must_use]
pub fn serves(state: &UnitState) -> bool {
    matches!(state.active.as_str(), "active" | "reloading") && state.is_loaded()
}

/// Tells whether systemd says that anything of a unit is still at work.
#[must_use]
pub fn is_busy(state: &UnitState) -> bool {
    let active = state.active.as_str();
    serves(state) || matches!(active, "activating" | "deactivating")
}

/// Tells whether a unit is as a unit of its kind is when it is up.
fn is_up(kind: Kind, state: &UnitState) -> bool {
    if !state.is_loaded() {
        return false;
    }
    match kind {
        Kind::Service => serves(state) && state.sub != "exited",
        Kind::Trigger => serves(state),
        Kind::Job | Kind::Idle => state.active != "failed",
    }
}

/// What was seen of a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// What the registry has.
    pub unit: Option<ObservedUnit>,
    /// What machines say.
    pub states: BTreeMap<MachineId, UnitState>,
}

impl Sight {
    /// Takes what was seen. Of a unit that one machine was given, only that one's word counts: another may
    /// be gone, and what it said last be there still.
    #[must_use]
    pub fn new(unit: Option<ObservedUnit>, mut states: BTreeMap<MachineId, UnitState>) -> Self {
        if let Some(machine) = unit.as_ref().and_then(|unit| unit.machine.as_ref()) {
            states.retain(|id, _| id == machine);
        }
        Self { unit, states }
    }

    /// Tells whether a machine says that the unit does its work.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.unit.is_some() && self.states.values().any(serves)
    }

    /// Tells whether it does its work as far as anybody knows: a machine that was given it to run says
    /// nothing of it at times.
    #[must_use]
    pub fn may_serve(&self) -> bool {
        self.serves() || self.is_silent()
    }

    /// Tells whether it was given to a machine to run that says nothing of it.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        let launched = SeenState::Known(State::Launched);
        self.states.is_empty()
            && self
                .unit
                .as_ref()
                .is_some_and(|unit| unit.desired == launched && unit.machine.is_some())
    }

    /// Tells whether a job is at work.
    #[must_use]
    pub fn is_job_at_work(&self) -> bool {
        let is_job = self
            .unit
            .as_ref()
            .is_some_and(|unit| ends_by_itself(&unit.unit));
        let is_at_work =
            |state: &UnitState| state.active == "activating" && state.sub != "auto-restart";
        is_job && self.states.values().any(is_at_work)
    }
}

/// Where a unit stands right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is as it should be.
    Up,
    /// It is not yet.
    Coming,
    /// No machine has it.
    Unplaced,
    /// It failed, or waits to be started once more.
    Failed,
}

/// Returns where a unit stands that should be so.
#[must_use]
pub fn standing(after: &After, sight: &Sight) -> Standing {
    let Some(unit) = &sight.unit else {
        return Standing::Unplaced;
    };
    if sight.states.is_empty() {
        return if unit.machine.is_some() {
            Standing::Coming
        } else {
            Standing::Unplaced
        };
    }
    let has_text =
        |state: &&UnitState| state.hash == after.text.hash || state.hash.as_str().is_empty();
    let is_behind = !sight.states.values().all(|state| has_text(&state));
    if sight.states.values().filter(has_text).any(has_failed) {
        return Standing::Failed;
    }
    // Loaded is only what fleet was asked to start and has not begun with.
    let is_begun = match after.kind {
        Kind::Job => unit.current == Some(SeenState::Known(State::Launched)),
        Kind::Service | Kind::Idle | Kind::Trigger => true,
    };
    if !is_behind && is_begun && sight.states.values().all(|state| is_up(after.kind, state)) {
        Standing::Up
    } else {
        Standing::Coming
    }
}

fn has_failed(state: &UnitState) -> bool {
    state.active == "failed" || !state.is_loaded() || state.sub == "auto-restart"
}

/// Why a unit does not come up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// systemd says that it failed, or that it can't load it.
    Failed(MachineId, UnitState),
    /// It ended by itself that often.
    Crashes(MachineId, u32),
    /// It ended, and nothing starts it again.
    Ended(MachineId),
    /// No machine has it.
    Unplaced,
    /// It was deleted meanwhile.
    Gone,
    /// Its text or what fleet was told of it was changed meanwhile.
    Changed,
}

/// What came of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is not up yet.
    Pending,
    /// It is as it should be, but not for long enough.
    Settling,
    /// It was up for as long as it should.
    Ready,
    /// It won't come up.
    Faulty(Fault),
}

/// Watches one unit come up.
#[derive(Debug, Clone)]
pub struct Watch {
    after: After,
    ready: Duration,
    /// What machines said before anything was done.
    first: BTreeMap<MachineId, UnitState>,
    began: Duration,
    up_since: Option<Duration>,
    unplaced_since: Option<Duration>,
    /// What was seen of each machine's.
    pasts: BTreeMap<MachineId, Past>,
}

/// What was seen of a unit on one machine.
#[derive(Debug, Clone, Default)]
struct Past {
    was_busy: bool,
    was_restarting: bool,
    /// How often it ended by itself, and systemd waited to start it once more.
    crashes: u32,
    ended_since: Option<Duration>,
    /// Whether anything else was seen than before the unit was told anything.
    has_changed: bool,
}

impl Watch {
    /// Begins. `first` is what machines said before the unit was told anything.
    #[must_use]
    pub fn new(
        after: After,
        ready: Duration,
        first: BTreeMap<MachineId, UnitState>,
        now: Duration,
    ) -> Self {
        Self {
            after,
            ready,
            first,
            began: now,
            up_since: None,
            unplaced_since: None,
            pasts: BTreeMap::new(),
        }
    }

    /// Returns what the unit is to be.
    #[must_use]
    pub fn after(&self) -> &After {
        &self.after
    }

    /// Judges what is seen now. `is_well` tells what the instance itself answers, and is asked only where
    /// systemd says that it is up.
    pub fn look(
        &mut self,
        now: Duration,
        sight: &Sight,
        is_well: impl FnOnce() -> bool,
    ) -> Verdict {
        let Some(unit) = &sight.unit else {
            return Verdict::Faulty(Fault::Gone);
        };
        let is_told = unit.desired == SeenState::Known(self.after.state);
        if unit.hash != self.after.text.hash || !is_told {
            return Verdict::Faulty(Fault::Changed);
        }
        if let Some(fault) = self.fault(now, sight) {
            return Verdict::Faulty(fault);
        }
        let standing = standing(&self.after, sight);
        if standing != Standing::Up || !is_well() {
            self.up_since = None;
            return Verdict::Pending;
        }
        let since = *self.up_since.get_or_insert(now);
        if now.saturating_sub(since) >= self.ready {
            Verdict::Ready
        } else {
            Verdict::Settling
        }
    }

    fn fault(&mut self, now: Duration, sight: &Sight) -> Option<Fault> {
        if standing(&self.after, sight) == Standing::Unplaced {
            let since = *self.unplaced_since.get_or_insert(now);
            return (now.saturating_sub(since) >= UNPLACED).then_some(Fault::Unplaced);
        }
        self.unplaced_since = None;
        for (machine, state) in &sight.states {
            if state.hash != self.after.text.hash && !state.hash.as_str().is_empty() {
                continue;
            }
            let past = self.pasts.entry(machine.clone()).or_default();
            past.has_changed |= self.first.get(machine) != Some(state);
            let is_old = !past.has_changed;
            let is_settled = !is_old || now.saturating_sub(self.began) >= SETTLING;
            if (state.active == "failed" || !state.is_loaded()) && is_settled {
                return Some(Fault::Failed(machine.clone(), state.clone()));
            }
            if let Some(fault) = past.look(now, machine, state, self.after.kind) {
                return Some(fault);
            }
        }
        None
    }
}

impl Past {
    fn look(
        &mut self,
        now: Duration,
        machine: &MachineId,
        state: &UnitState,
        kind: Kind,
    ) -> Option<Fault> {
        let is_restarting = state.sub == "auto-restart";
        self.crashes += u32::from(is_restarting && !self.was_restarting);
        self.was_restarting = is_restarting;
        if self.crashes >= CRASHES {
            return Some(Fault::Crashes(machine.clone(), self.crashes));
        }
        self.was_busy |= is_busy(state);
        let has_ended = kind == Kind::Service && self.was_busy && state.active == "inactive";
        if !has_ended {
            self.ended_since = None;
            return None;
        }
        // What ends with another unit is started again with it.
        let since = *self.ended_since.get_or_insert(now);
        (now.saturating_sub(since) >= SETTLING).then(|| Fault::Ended(machine.clone()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(machine, state) if state.is_loaded() => write!(
                formatter,
                "it failed on {}: {}/{}",
                machine.short(),
                state.active,
                state.sub
            ),
            Self::Failed(machine, state) => write!(
                formatter,
                "systemd on {} can't load it: {}",
                machine.short(),
                state.load
            ),
            Self::Crashes(machine, times) => write!(
                formatter,
                "it ended by itself {times} times on {}, and systemd starts it again and again",
                machine.short()
            ),
            Self::Ended(machine) => write!(
                formatter,
                "it ended on {}, and nothing starts it again",
                machine.short()
            ),
            Self::Unplaced => formatter.write_str("no machine has it"),
            Self::Gone => formatter.write_str("somebody deleted it meanwhile"),
            Self::Changed => {
                formatter.write_str("somebody else changed it, or what it is told to do, meanwhile")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Text;
    use crate::state::{SeenUnit, UnitHash};

    const READY: Duration = Duration::from_secs(10);

    fn after(kind: Kind) -> After {
        let text = Text {
            text: String::new(),
            hash: UnitHash::seen("new"),
        };
        After {
            text,
            state: State::Launched,
            kind,
        }
    }

    /// Reads `MACHINE HASH ACTIVE/SUB`, or nothing; the unit was given to `m1`, or to no machine.
    fn sight(state: &str, machine: Option<&str>) -> Sight {
        let unit = ObservedUnit {
            name: RegistryName::seen("a@1.service"),
            unit: SeenUnit::stored(""),
            hash: UnitHash::seen("new"),
            desired: SeenState::Known(State::Launched),
            current: Some(SeenState::Known(State::Launched)),
            machine: machine.map(MachineId::seen),
        };
        let mut states = BTreeMap::new();
        if let [machine, hash, state] = state.split(' ').collect::<Vec<_>>().as_slice() {
            let (active, sub) = state.split_once('/').unwrap();
            let state = UnitState {
                hash: UnitHash::seen(*hash),
                load: "loaded".to_owned(),
                active: active.to_owned(),
                sub: sub.to_owned(),
            };
            states.insert(MachineId::seen(*machine), state);
        }
        Sight::new(Some(unit), states)
    }

    /// Looks at states one after the other, each so many seconds after the first, and returns the verdicts.
    fn verdicts(kind: Kind, first: &str, looks: &[(u64, &str)]) -> Vec<String> {
        let first = sight(first, Some("m1")).states;
        let mut watch = Watch::new(after(kind), READY, first, Duration::ZERO);
        let look = |(at, state): &(u64, &str)| {
            let machine = (!state.is_empty()).then_some("m1");
            match watch.look(Duration::from_secs(*at), &sight(state, machine), || true) {
                Verdict::Pending => "pending".to_owned(),
                Verdict::Settling => "settling".to_owned(),
                Verdict::Ready => "ready".to_owned(),
                Verdict::Faulty(fault) => fault.to_string(),
            }
        };
        looks.iter().map(look).collect()
    }

    #[test]
    fn a_service_is_up_when_it_was_so_for_long_enough() {
        let looks = [
            (0, "m1 old active/running"),
            (5, ""),
            (8, "m1 new activating/start-pre"),
            (20, "m1 new active/running"),
            (25, "m1 new activating/auto-restart"),
            (30, "m1 new active/running"),
            (39, "m1 new active/running"),
            (40, "m1 new active/running"),
        ];
        let expected = [
            "pending", "pending", "pending", "settling", "pending", "settling", "settling", "ready",
        ];
        assert_eq!(
            verdicts(Kind::Service, "m1 old active/running", &looks),
            expected
        );
    }

    #[test]
    fn a_failure_of_before_counts_only_when_nothing_changes() {
        let looks = [
            (1, "m1 new failed/failed"),
            (14, "m1 new failed/failed"),
            (15, "m1 new failed/failed"),
        ];
        let expected = ["pending", "pending", "it failed on m1: failed/failed"];
        assert_eq!(
            verdicts(Kind::Service, "m1 new failed/failed", &looks),
            expected
        );
        let looks = [(1, "m1 new activating/start"), (2, "m1 new failed/failed")];
        let expected = ["pending", "it failed on m1: failed/failed"];
        assert_eq!(
            verdicts(Kind::Service, "m1 new failed/failed", &looks),
            expected
        );
    }

    #[test]
    fn what_ends_again_and_again_or_for_good_has_failed() {
        let (running, waiting) = ("m1 new active/running", "m1 new activating/auto-restart");
        let looks = [
            (0, waiting),
            (1, running),
            (2, waiting),
            (3, running),
            (4, waiting),
        ];
        let last = verdicts(Kind::Service, "", &looks).pop().unwrap();
        let expected = "it ended by itself 3 times on m1, and systemd starts it again and again";
        assert_eq!(last, expected);
        let ended = "m1 new inactive/dead";
        let looks = [(0, running), (1, ended), (15, ended), (16, ended)];
        let expected = [
            "settling",
            "pending",
            "pending",
            "it ended on m1, and nothing starts it again",
        ];
        assert_eq!(verdicts(Kind::Service, "", &looks), expected);
    }

    #[test]
    fn what_no_machine_takes_has_failed_after_a_while() {
        let looks = [(0, ""), (29, ""), (30, "")];
        let expected = ["pending", "pending", "no machine has it"];
        assert_eq!(verdicts(Kind::Service, "", &looks), expected);
    }

    #[test]
    fn what_another_machine_said_last_does_not_count() {
        let looks = [(0, "m2 new active/running"), (11, "m2 new active/running")];
        assert_eq!(verdicts(Kind::Service, "", &looks), ["pending", "pending"]);
    }

    #[test]
    fn each_kind_is_up_in_its_own_way() {
        #[track_caller]
        fn case(kind: Kind, state: &str, expected: Standing) {
            let sight = sight(&format!("m1 new {state}"), Some("m1"));
            assert_eq!(standing(&after(kind), &sight), expected, "{state}");
        }
        case(Kind::Service, "active/exited", Standing::Coming);
        case(Kind::Job, "activating/start", Standing::Up);
        case(Kind::Job, "inactive/dead", Standing::Up);
        case(Kind::Job, "failed/failed", Standing::Failed);
        case(Kind::Trigger, "active/waiting", Standing::Up);
        case(Kind::Trigger, "inactive/dead", Standing::Coming);
        case(Kind::Idle, "inactive/dead", Standing::Up);
    }
}
