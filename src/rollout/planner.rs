//! The order of steps: what does not serve is mended first; what is missing starts before anything is taken
//! down, wherever there is room; what serves is taken down one by one, and never more than the bounds
//! allow.

use std::fmt::Write;

use crate::diff::instances::Condition;
use crate::rollout::member::{Member, Need};
use crate::rollout::process::Process;
use crate::rollout::room::Room;
use crate::rollout::{Action, Impossible, Plan, ProcessPlan, Reason, Step};
use crate::state::{Observed, RegistryName, SeenState, State};

/// Plans the steps that make processes what they should be.
///
/// # Errors
/// Says of which processes the bounds can't be met.
pub fn plan(processes: &[Process], observed: &Observed) -> Result<Plan, Vec<Impossible>> {
    let mut room = Room::new(observed);
    for member in processes.iter().flat_map(|process| &process.members) {
        if let Some(name) = member.name() {
            room.takes(name, &member.ports);
        }
    }
    let mut plan = Plan::default();
    let mut impossible = Vec::new();
    for process in processes {
        let mut planner = Planner::new(process, &mut room);
        match planner.steps() {
            Ok(()) if planner.steps.is_empty() => {}
            Ok(()) => plan.processes.push(planner.finish()),
            Err(error) => impossible.push(error),
        }
    }
    if impossible.is_empty() {
        Ok(plan)
    } else {
        Err(impossible)
    }
}

struct Planner<'a> {
    process: &'a Process,
    room: &'a mut Room,
    steps: Vec<Step>,
    /// Instances that serve, and those that there are, as if all steps so far were done.
    alive: usize,
    there: usize,
    /// How many are to serve in the end.
    wanted: usize,
    /// How many must serve at any time.
    floor: usize,
    range: (usize, usize),
    /// Unwanted instances that are still there, by their places.
    surplus: Vec<usize>,
}

impl<'a> Planner<'a> {
    fn new(process: &'a Process, room: &'a mut Room) -> Self {
        let members = &process.members;
        let count = |is_meant: fn(&Member) -> bool| {
            members.iter().filter(|member| is_meant(member)).count()
        };
        let wanted = if process.is_service() {
            count(Member::is_wanted)
        } else {
            0
        };
        let (alive, there) = if wanted > 0 {
            (count(Member::serves), count(Member::is_there))
        } else {
            (0, 0)
        };
        let floor = process.bounds.min_alive;
        let floor = floor.map_or(wanted.saturating_sub(1), |floor| floor.min(wanted));
        let mut surplus: Vec<usize> = (0..members.len())
            .filter(|at| !members[*at].is_wanted() && members[*at].is_there())
            .collect();
        // What does not serve goes first.
        surplus.sort_by_key(|at| members[*at].serves());
        Self {
            process,
            room,
            steps: Vec::new(),
            alive,
            there,
            wanted,
            floor,
            range: (alive, there),
            surplus,
        }
    }

    fn finish(self) -> ProcessPlan {
        let members = self.process.members.iter();
        let names = members.filter_map(Member::name).cloned();
        ProcessPlan {
            app: self.process.app.clone(),
            process: self.process.process.clone(),
            bounds: self.process.bounds.clone(),
            is_global: self.process.is_global,
            wanted: self.wanted,
            floor: self.floor,
            serving: if self.wanted > 0 {
                names.collect()
            } else {
                Vec::new()
            },
            steps: self.steps,
            range: self.range,
        }
    }

    fn steps(&mut self) -> Result<(), Impossible> {
        self.check()?;
        let members = &self.process.members;
        let needs: Vec<(usize, Need)> = (0..members.len())
            .filter_map(|at| Some((at, members[at].need()?)))
            .collect();
        let (placed, seeking): (Vec<_>, Vec<_>) =
            needs.into_iter().partition(|(_, need)| !need.seeks_machine);
        let (lowering, mending): (Vec<_>, Vec<_>) =
            placed.into_iter().partition(|(_, need)| need.lowers);
        // What is on its way is waited for before anything is started anew.
        let (waiting, mending): (Vec<_>, Vec<_>) = mending
            .into_iter()
            .partition(|(_, need)| need.action == Action::Wait);
        for (at, need) in waiting.iter().chain(&mending) {
            self.bring(*at, need);
        }
        for (at, need) in &seeking {
            self.make_room(*at)?;
            self.bring(*at, need);
        }
        for (at, need) in &lowering {
            self.lower(|planner| planner.in_place(need.action))?;
            self.replace(*at, need);
        }
        while let Some(at) = self.surplus.first().copied() {
            self.stop(at, None)?;
        }
        self.clear();
        Ok(())
    }

    /// Refuses what can't be, however it is done.
    fn check(&self) -> Result<(), Impossible> {
        let bounds = &self.process.bounds;
        if bounds.ready >= bounds.timeout {
            let (ready, timeout) = (bounds.ready.as_secs(), bounds.timeout.as_secs());
            return Err(self.impossible(
                format!("an instance must be up for {ready} s, and may take {timeout} s in all"),
                "allow more time: `--timeout`, or less of it up: `--ready-secs`",
            ));
        }
        if self.process.unplaced.is_empty() {
            return Ok(());
        }
        let mut reason = String::new();
        for (name, why) in &self.process.unplaced {
            let separator = if reason.is_empty() { "" } else { "; " };
            let _ = write!(reason, "{separator}`{name}` has no place: {why}");
        }
        let help = "make room for it, or want less of it";
        Err(self.impossible(reason, help))
    }

    /// Brings up a wanted instance that does not serve.
    fn bring(&mut self, at: usize, need: &Need) {
        let member = &self.process.members[at];
        self.step(at, need, None);
        self.alive += usize::from(!member.serves());
        if !member.is_there() {
            self.there += 1;
            self.range.1 = self.range.1.max(self.there);
        }
    }

    /// Replaces a wanted instance that serves.
    fn replace(&mut self, at: usize, need: &Need) {
        self.range.0 = self.range.0.min(self.alive.saturating_sub(1));
        self.step(at, need, None);
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
                .map(|at| member.units[*at].part())
                .collect(),
            lowers: need.lowers,
            port: member.ports.first().map(|port| port.number),
            makes_room_for,
        });
    }

    /// Stops instances that nobody wants, until there is room for another one, if that can be.
    fn make_room(&mut self, at: usize) -> Result<(), Impossible> {
        loop {
            let member = &self.process.members[at];
            let most = self.wanted.saturating_add(self.process.bounds.max_growth);
            let may_grow = self.wanted == 0 || member.is_there() || self.there < most;
            if may_grow && place(self.room, member) {
                return Ok(());
            }
            let name = member.name().cloned();
            let own = slot(&member.key);
            let frees = |other: usize| {
                let mut room = self.room.clone();
                remove(&mut room, &self.process.members[other]);
                place(&mut room, member)
            };
            let members = &self.process.members;
            let rank = |other: &usize| {
                let has_slot = slot(&members[*other].key) == own;
                (!frees(*other), members[*other].serves(), !has_slot)
            };
            let Some(other) = self.surplus.iter().copied().min_by_key(rank) else {
                // Nothing is proven against it, so that it is tried.
                return Ok(());
            };
            self.stop(other, name)?;
        }
    }

    fn stop(&mut self, at: usize, makes_room_for: Option<RegistryName>) -> Result<(), Impossible> {
        let process = self.process;
        let member = &process.members[at];
        if self.wanted > 0 && member.serves() {
            self.lower(|planner| planner.one_by_one(makes_room_for.as_ref()))?;
            self.alive -= 1;
            self.range.0 = self.range.0.min(self.alive);
        }
        self.there = self.there.saturating_sub(1);
        self.surplus.retain(|other| *other != at);
        remove(self.room, member);
        let units = (0..member.units.len()).rev();
        let asked: Vec<usize> = units.filter(|at| member.units[*at].is_asked()).collect();
        let reason = surplus(member);
        let stop = Need {
            action: Action::Stop,
            reason: reason.clone(),
            units: asked,
            seeks_machine: false,
            lowers: self.wanted > 0 && member.serves(),
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
            seeks_machine: false,
            lowers: false,
        };
        if !destroy.units.is_empty() {
            self.step(at, &destroy, None);
        }
    }

    /// Destroys copies that nobody wants and that run nowhere.
    fn clear(&mut self) {
        let members = &self.process.members;
        let is_idle = |at: &usize| !members[*at].is_wanted() && !members[*at].is_there();
        let idle: Vec<usize> = (0..members.len()).filter(is_idle).collect();
        for at in idle {
            self.destroy(at);
        }
    }

    /// Makes sure that one instance less may serve for a while.
    fn lower(&mut self, why: impl Fn(&Self) -> String) -> Result<(), Impossible> {
        if self.wanted == 0 || self.alive > self.floor {
            return Ok(());
        }
        let Some(min_alive) = self.process.bounds.min_alive else {
            // Nobody asked for so many.
            self.floor = self.alive.saturating_sub(1);
            return Ok(());
        };
        let reason = format!("{}; --min-alive {min_alive} is impossible", why(self));
        let most = self.alive.saturating_sub(1);
        let help =
            format!("allow less: `--min-alive {most}`, or `min_alive: {most}` under `deploy`");
        Err(self.impossible(reason, &help))
    }

    /// Says why an instance that is replaced in place must stop first.
    fn in_place(&self, action: Action) -> String {
        let instances = instances(self.wanted);
        let alive = self.alive;
        let verb = match action {
            Action::Restart => "restarted",
            _ => "replaced",
        };
        format!(
            "{instances}, {alive} alive, each {verb} where it is: one must stop before it can start"
        )
    }

    /// Says why one must stop before another can start.
    fn one_by_one(&self, makes_room_for: Option<&RegistryName>) -> String {
        let instances = instances(self.wanted);
        let Some(name) = makes_room_for else {
            return format!("{instances}, {} alive", self.alive);
        };
        let growth = self.process.bounds.max_growth;
        let mut members = self.process.members.iter();
        let member = members.find(|member| member.name() == Some(name));
        let constraints = member.and_then(|member| Some(member.units.first()?.constraints()));
        let machines = constraints.as_ref().map_or(0, |it| self.room.eligible(it));
        let machines = match machines {
            1 => "1 machine".to_owned(),
            number => format!("{number} machines"),
        };
        let conflicts = constraints.filter(|it| !it.conflicts.is_empty());
        let conflicts = conflicts.map(|it| format!(", Conflicts={}", it.conflicts.join(" ")));
        let growth = if self.there >= self.wanted + growth {
            format!(", --max-growth {growth}")
        } else {
            String::new()
        };
        format!(
            "{instances}, {machines}{}{growth}: one must stop before one can start",
            conflicts.unwrap_or_default()
        )
    }

    fn impossible(&self, reason: String, help: &str) -> Impossible {
        Impossible {
            app: self.process.app.clone(),
            process: self.process.process.clone(),
            reason,
            help: help.to_owned(),
        }
    }
}

fn instances(number: usize) -> String {
    match number {
        1 => "1 instance".to_owned(),
        number => format!("{number} instances"),
    }
}

fn surplus(member: &Member) -> Reason {
    let before = member.units.first().and_then(|unit| unit.before.as_ref());
    let found = before.map(|before| before.told.clone());
    Reason::Condition(Condition::Surplus {
        found: found.unwrap_or(SeenState::Known(State::Inactive)),
    })
}

/// Gives the units of an instance to a machine. Tells whether there is room for the one that does its work.
fn place(room: &mut Room, member: &Member) -> bool {
    let mut units = member.units.iter();
    let Some(main) = units.next() else {
        return true;
    };
    if !room.place(&main.name, &main.constraints(), &member.ports) {
        return false;
    }
    for unit in units {
        room.place(&unit.name, &unit.constraints(), &[]);
    }
    true
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
