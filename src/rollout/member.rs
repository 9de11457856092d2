//! An instance of a process with the units beside it: what there is of it, and what it is to be.
//!
//! In: what was seen, and what differs. Out: what has to be done about the instance. Knows nothing of other
//! instances.

use crate::diff::instances::Condition;
use crate::placement::HostPort;
use crate::rollout::watch::{Kind, Sight, Standing, is_busy, standing};
use crate::rollout::{Action, After, Before, Part, Reason};
use crate::state::{Observed, RegistryName, SeenState, State};
use crate::unit::fleet::FleetUnit;
use crate::unit::fleet::constraints::Constraints;

/// An instance.
#[derive(Debug, Clone)]
pub struct Member {
    /// What tells it apart within its process: `v41-1`; nothing of a plain unit.
    pub key: String,
    /// Its units; the one that does the work first.
    pub units: Vec<MemberUnit>,
    /// The ports of the machine that it takes.
    pub ports: Vec<HostPort>,
    /// Whether somebody asks for it to be started anew.
    pub is_asked: bool,
}

/// A unit of an instance.
#[derive(Debug, Clone)]
pub struct MemberUnit {
    /// Its name.
    pub name: RegistryName,
    /// What the registry has of it.
    pub before: Option<Before>,
    /// What it is to be; nothing where nobody wants it.
    pub after: Option<After>,
    /// What was seen of it.
    pub sight: Sight,
    /// What is not as it should be.
    pub conditions: Vec<Condition>,
}

/// What has to be done about an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) action: Action,
    pub(super) reason: Reason,
    /// The units that it is about, by their places.
    pub(super) units: Vec<usize>,
    /// What is done to each of them.
    pub(super) actions: Vec<Action>,
    /// No machine has it yet.
    pub(super) seeks_machine: bool,
    /// It serves, and does not while this is done.
    pub(super) lowers: bool,
}

impl Member {
    /// Tells whether it is to run.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.units.iter().any(|unit| unit.after.is_some())
    }

    /// Returns the name of the unit that does its work.
    pub(super) fn name(&self) -> Option<&RegistryName> {
        self.units.first().map(|unit| &unit.name)
    }

    /// Tells whether it serves.
    pub(super) fn serves(&self) -> bool {
        self.units.first().is_some_and(|unit| unit.sight.serves())
    }

    /// Tells whether it serves, or a machine has it that says nothing of it, as may be for some seconds.
    pub(super) fn may_serve(&self) -> bool {
        self.units
            .first()
            .is_some_and(|unit| unit.sight.may_serve())
    }

    /// Tells whether fleet was told to run it, or a machine still does.
    pub(super) fn is_there(&self) -> bool {
        let main = self.units.first();
        main.is_some_and(MemberUnit::is_at_work)
    }

    /// Tells whether fleet was told to run it, and no machine has it.
    pub(super) fn is_unplaced(&self) -> bool {
        let main = self.units.first();
        main.is_some_and(|unit| unit.is_asked() && !unit.has_machine())
    }

    /// Tells whether it must be on the same machine as another one.
    pub(super) fn needs(&self, other: &Self) -> bool {
        let (Some(main), true) = (self.units.first(), self.is_wanted()) else {
            return false;
        };
        let peers = main.constraints().peers;
        let mut units = other.units.iter();
        units.any(|unit| peers.iter().any(|peer| peer == unit.name.as_str()))
    }

    /// Tells whether another instance may be on the same machine.
    pub(super) fn may_meet_its_like(&self) -> bool {
        let main = self.units.first();
        main.is_none_or(|unit| unit.constraints().conflicts.is_empty())
    }

    /// Returns what has to be done; nothing where all is as it should be.
    pub(super) fn need(&self) -> Option<Need> {
        let needs = self.units.iter().map(|unit| unit.need(self.is_asked));
        let needs: Vec<(usize, (Action, Reason))> = needs
            .enumerate()
            .filter_map(|(at, need)| Some((at, need?)))
            .collect();
        let rank = |action: Action| match action {
            Action::Stop | Action::Destroy => 4,
            Action::Replace => 3,
            Action::Restart => 2,
            Action::Start => 1,
            Action::Wait => 0,
        };
        // The later of equals would be a unit that only accompanies it.
        let (_, (action, reason)) = needs.iter().rev().max_by_key(|(_, need)| rank(need.0))?;
        let takes_down = |at: usize, action: Action| {
            let is_at_work = self.units[at].is_busy() || self.units[at].sight.is_silent();
            matches!(action, Action::Replace | Action::Restart) && is_at_work
        };
        let main = &self.units[0];
        let seeks_machine = needs.iter().any(|(at, _)| *at == 0) && !main.has_machine();
        Some(Need {
            action: *action,
            reason: reason.clone(),
            lowers: self.may_serve() && needs.iter().any(|(at, need)| takes_down(*at, need.0)),
            units: needs.iter().map(|(at, _)| *at).collect(),
            actions: needs.iter().map(|(_, need)| need.0).collect(),
            seeks_machine,
        })
    }
}

impl MemberUnit {
    /// Returns a unit as it was seen.
    #[must_use]
    pub fn seen(
        name: RegistryName,
        after: Option<After>,
        conditions: Vec<Condition>,
        observed: &Observed,
    ) -> Self {
        let unit = observed.units.get(&name).cloned();
        let before = unit.as_ref().map(|unit| Before {
            hash: unit.hash.clone(),
            told: unit.desired.clone(),
        });
        // What is left of a deleted unit's state is not its state.
        let states = unit.as_ref().and_then(|_| observed.states.get(&name));
        let states = states.cloned().unwrap_or_default();
        Self {
            name,
            before,
            after,
            sight: Sight::new(unit, states),
            conditions,
        }
    }

    /// Returns where it may run.
    pub(super) fn constraints(&self) -> Constraints {
        match (&self.after, &self.sight.unit) {
            (Some(after), _) => {
                let unit = FleetUnit::parse(&after.text.text).unwrap_or_default();
                Constraints::read(&unit, self.name.as_str())
            }
            (None, Some(unit)) => Constraints::read(&unit.unit, self.name.as_str()),
            (None, None) => Constraints::default(),
        }
    }

    /// Tells whether fleet was told to do anything with it.
    pub(super) fn is_asked(&self) -> bool {
        let before = self.before.as_ref();
        before.is_some_and(|before| before.told.asks_something())
    }

    /// Tells whether fleet was told to do anything with it, or a machine still does.
    pub(super) fn is_at_work(&self) -> bool {
        self.is_asked() || self.is_busy()
    }

    pub(super) fn part(&self, action: Action) -> Part {
        Part {
            action,
            unit: self.name.clone(),
            before: self.before.clone(),
            after: self.after.clone(),
        }
    }

    fn is_busy(&self) -> bool {
        self.sight.states.values().any(is_busy)
    }

    fn has_machine(&self) -> bool {
        let unit = self.sight.unit.as_ref();
        let is_given = unit.is_some_and(|unit| unit.machine.is_some());
        self.is_asked() && (is_given || !self.sight.states.is_empty())
    }

    fn need(&self, is_asked: bool) -> Option<(Action, Reason)> {
        let after = self.after.as_ref()?;
        let find = |is_meant: fn(&Condition) -> bool| {
            let found = self.conditions.iter().find(|condition| is_meant(condition));
            found.map(|condition| Reason::Condition(condition.clone()))
        };
        let is_stale = |one: &Condition| matches!(one, Condition::Stale);
        let is_untold =
            |one: &Condition| matches!(one, Condition::Missing { .. } | Condition::State { .. });
        let has_failed =
            |one: &Condition| matches!(one, Condition::Failed { .. } | Condition::Down { .. });
        let is_on_its_way = |one: &Condition| {
            matches!(
                one,
                Condition::Behind { .. } | Condition::Silent { .. } | Condition::Unplaced
            )
        };
        if let Some(reason) = find(is_stale).filter(|_| self.is_asked()) {
            return Some((Action::Replace, reason));
        }
        // Asked anew is what runs on; a job would do its work a second time, and nothing holds what is only
        // loaded. What was told to stop and runs still is not started anew by being told to run.
        let is_running = || self.is_told() || self.is_asked() && self.is_busy();
        if is_asked && after.kind == Kind::Service && is_running() {
            return Some((Action::Restart, Reason::Asked));
        }
        if let Some(reason) = find(is_untold) {
            return Some((Action::Start, reason));
        }
        // What only another unit starts is started by it, whatever became of it last time.
        if after.kind != Kind::Idle
            && let Some(reason) = find(has_failed)
        {
            return Some((Action::Restart, reason));
        }
        if let Some(reason) = find(is_on_its_way) {
            return Some((Action::Wait, reason));
        }
        let is_coming = standing(after, &self.sight) == Standing::Coming;
        let state = self.sight.states.iter().next();
        let (machine, state) = state.filter(|_| is_coming)?;
        let (machine, state) = (machine.clone(), state.clone());
        Some((
            Action::Wait,
            Reason::Condition(Condition::Down { machine, state }),
        ))
    }

    fn is_told(&self) -> bool {
        let launched = SeenState::Known(State::Launched);
        let before = self.before.as_ref();
        before.is_some_and(|before| before.told == launched)
    }
}
