//! Single moves: what comes, what goes, and what there is afterwards.

use crate::diff::instances::Condition;
use crate::rollout::member::{Member, Need};
use crate::rollout::planner::Planner;
use crate::rollout::room::{Obstacle, Room};
use crate::rollout::{Action, Impossible, Reason, Step};
use crate::state::{RegistryName, SeenState, State};

impl Planner<'_> {
    /// Brings up a wanted instance that does not serve.
    pub(super) fn bring(&mut self, at: usize, need: &Need) {
        let member = &self.process.members[at];
        if self.resting.remove(&at) {
            let need = Need {
                action: Action::Start,
                units: (0..member.units.len()).collect(),
                actions: vec![Action::Start; member.units.len()],
                ..need.clone()
            };
            self.step(at, &need, None);
            if let Some(step) = self.steps.last_mut() {
                for before in step
                    .parts
                    .iter_mut()
                    .filter_map(|part| part.before.as_mut())
                {
                    before.told = SeenState::Known(State::Inactive);
                }
            }
            self.there += 1;
        } else {
            self.step(at, need, None);
            self.there += usize::from(!member.is_there());
        }
        self.alive += usize::from(!member.serves());
        self.range.1 = self.range.1.max(self.there);
    }

    /// Returns the wanted instances on no machine that are to wait for their turn: those that would come up with
    /// an old text, and, where there is no room for all, all but the first, since which of them got a place
    /// that is made for one would be fleet's choice.
    pub(super) fn crowd(&self, seeking: &[(usize, Need)]) -> Vec<usize> {
        let members = &self.process.members;
        let unplaced = seeking.iter().filter(|(at, _)| members[*at].is_unplaced());
        let (stale, others): (Vec<_>, Vec<_>) =
            unplaced.partition(|(_, need)| need.action == Action::Replace);
        let mut room = self.room.clone();
        let have_room = others
            .iter()
            .all(|(at, _)| place(&mut room, &members[*at]).is_ok());
        let first = if have_room { others.len() } else { 1 };
        let others = others.into_iter().skip(first);
        stale.into_iter().chain(others).map(|(at, _)| *at).collect()
    }

    /// Tells an instance that is on no machine to do nothing for a while.
    pub(super) fn rest(&mut self, at: usize) {
        let member = &self.process.members[at];
        let units = (0..member.units.len()).rev();
        let rest = Need {
            action: Action::Stop,
            reason: Reason::Condition(Condition::Unplaced),
            units: units.filter(|at| member.units[*at].is_asked()).collect(),
            actions: vec![Action::Stop; member.units.len()],
            seeks_machine: true,
            lowers: false,
        };
        self.step(at, &rest, None);
        self.there = self.there.saturating_sub(1);
        self.resting.insert(at);
    }

    /// Replaces a wanted instance that serves, or may.
    pub(super) fn replace(&mut self, at: usize, need: &Need) -> Result<(), Impossible> {
        let serves = self.process.members[at].serves();
        self.lower(serves, |planner| planner.in_place(need.action))?;
        let left = self.alive.saturating_sub(usize::from(serves));
        self.range.0 = self.range.0.min(left);
        self.step(at, need, None);
        self.alive = left + 1;
        Ok(())
    }

    /// Makes sure of the wanted instances that are as they should be, before any other is taken down for
    /// their sake.
    pub(super) fn prove(&mut self) {
        for at in 0..self.process.members.len() {
            let member = &self.process.members[at];
            if member.is_wanted() && member.need().is_none() {
                let wait = Need {
                    action: Action::Wait,
                    reason: Reason::Unproven,
                    units: vec![0],
                    actions: vec![Action::Wait],
                    seeks_machine: false,
                    lowers: false,
                };
                self.step(at, &wait, None);
            }
        }
    }

    fn step(&mut self, at: usize, need: &Need, makes_room_for: Option<RegistryName>) {
        let member = &self.process.members[at];
        let Some(name) = member.name() else {
            return;
        };
        self.steps.push(Step {
            action: need.action,
            instance: name.clone(),
            reason: need.reason.clone(),
            parts: need
                .units
                .iter()
                .zip(&need.actions)
                .map(|(at, action)| member.units[*at].part(*action))
                .collect(),
            lowers: need.lowers,
            floor: self.lowered.take().unwrap_or(self.floor),
            port: member.ports.first().map(|port| port.number),
            is_alone: need.seeks_machine && !member.ports.is_empty() && member.may_meet_its_like(),
            makes_room_for,
        });
    }

    /// Stops instances that nobody wants, until there is room for another one.
    pub(super) fn make_room(&mut self, at: usize) -> Result<(), Impossible> {
        let process = self.process;
        let member = &process.members[at];
        let without = |others: &[usize], room: &Room| {
            let mut room = room.clone();
            for other in others {
                remove(&mut room, &process.members[*other]);
            }
            place(&mut room, member)
        };
        // Where a port is taken, fleet may choose another machine.
        let is_hopeless = match without(&self.surplus, self.room) {
            Ok(()) => false,
            Err(Obstacle::Machine) => return Err(self.without_room(member)),
            Err(Obstacle::Port) => true,
        };
        loop {
            let most = self.wanted.saturating_add(process.bounds.max_growth);
            let is_there = member.is_there() && !self.resting.contains(&at);
            let may_grow = self.wanted == 0 || is_there || self.there < most;
            if may_grow && (is_hopeless || place(self.room, member).is_ok()) {
                return Ok(());
            }
            let own = slot(&member.key);
            let rank = |other: &usize| {
                let it = &process.members[*other];
                let frees = without(&[*other], self.room).is_ok();
                (!frees, it.may_serve(), slot(&it.key) != own)
            };
            let Some(other) = self.surplus.iter().copied().min_by_key(rank) else {
                // There are not even so many as are wanted: that is no growth.
                return Ok(());
            };
            self.stop(other, member.name().cloned())?;
        }
    }

    pub(super) fn stop(
        &mut self,
        at: usize,
        makes_room_for: Option<RegistryName>,
    ) -> Result<(), Impossible> {
        let process = self.process;
        let member = &process.members[at];
        let serves = member.serves();
        if self.wanted > 0 && member.may_serve() {
            self.lower(serves, |planner| {
                planner.one_by_one(makes_room_for.as_ref())
            })?;
            self.alive = self.alive.saturating_sub(usize::from(serves));
            self.range.0 = self.range.0.min(self.alive);
        }
        self.there = self.there.saturating_sub(1);
        self.surplus.retain(|other| *other != at);
        remove(self.room, member);
        let units = (0..member.units.len()).rev();
        let at_work: Vec<usize> = units.filter(|at| member.units[*at].is_at_work()).collect();
        let reason = surplus(member);
        let stop = Need {
            action: Action::Stop,
            reason: reason.clone(),
            actions: vec![Action::Stop; at_work.len()],
            units: at_work,
            seeks_machine: false,
            lowers: self.wanted > 0 && member.may_serve(),
        };
        self.step(at, &stop, makes_room_for);
        self.destroy(at);
        Ok(())
    }

    fn destroy(&mut self, at: usize) {
        let member = &self.process.members[at];
        let units = (0..member.units.len()).rev();
        let destroy = Need {
            action: Action::Destroy,
            reason: surplus(member),
            units: units
                .filter(|at| member.units[*at].before.is_some())
                .collect(),
            actions: vec![Action::Destroy; member.units.len()],
            seeks_machine: false,
            lowers: false,
        };
        if !destroy.units.is_empty() {
            self.step(at, &destroy, None);
        }
    }

    /// Destroys copies that nobody wants and that run nowhere.
    pub(super) fn clear(&mut self) {
        let members = &self.process.members;
        let is_idle = |at: &usize| !members[*at].is_wanted() && !members[*at].is_there();
        let idle: Vec<usize> = (0..members.len()).filter(is_idle).collect();
        for at in idle {
            self.destroy(at);
        }
    }

    /// Makes sure that one instance less may serve for a while.
    pub(super) fn lower(
        &mut self,
        serves: bool,
        why: impl Fn(&Self) -> String,
    ) -> Result<(), Impossible> {
        let left = self.alive.saturating_sub(usize::from(serves));
        if self.wanted == 0 || left >= self.floor {
            return Ok(());
        }
        let Some(min_alive) = self.process.bounds.min_alive else {
            // Nobody asked for so many.
            self.lowered = Some(left);
            return Ok(());
        };
        let reason = format!("{}; --min-alive {min_alive} is impossible", why(self));
        let help =
            format!("allow less: `--min-alive {left}`, or `min_alive: {left}` under `deploy`");
        Err(self.impossible(reason, &help))
    }
}

fn surplus(member: &Member) -> Reason {
    let before = member.units.first().and_then(|unit| unit.before.as_ref());
    let idle = SeenState::Known(State::Inactive);
    let found = before.map_or(idle, |before| before.told.clone());
    Reason::Condition(Condition::Surplus { found })
}

/// Gives the units of an instance to a machine, and says what is in the way of the one that does its work.
pub(super) fn place(room: &mut Room, member: &Member) -> Result<(), Obstacle> {
    let mut units = member.units.iter();
    let Some(main) = units.next() else {
        return Ok(());
    };
    room.place(&main.name, &main.constraints(), &member.ports)?;
    for unit in units {
        // What accompanies it goes where it goes.
        let _ = room.place(&unit.name, &unit.constraints(), &[]);
    }
    Ok(())
}

fn remove(room: &mut Room, member: &Member) {
    for unit in &member.units {
        room.remove(&unit.name);
    }
}

/// Returns the slot of a key such as `v41-1`.
fn slot(key: &str) -> &str {
    key.rsplit_once('-').map_or(key, |(_, slot)| slot)
}
