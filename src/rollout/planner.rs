//! The order of steps: what does not serve is mended first; what is missing starts before anything is taken
//! down, wherever there is room; what serves is taken down one by one, and never more than the bounds
//! allow.

mod moves;
mod refusal;

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::rollout::member::{Member, Need};
use crate::rollout::process::Process;
use crate::rollout::room::Room;
use crate::rollout::{Action, Impossible, Plan, ProcessPlan, Step};
use crate::state::Observed;

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
    for process in in_order(processes) {
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
    /// How many must while the next step is done, where so many can't.
    lowered: Option<usize>,
    range: (usize, usize),
    /// Unwanted instances that are still there, by their places.
    surplus: Vec<usize>,
    /// Wanted instances that were on no machine and are told nothing for a while, by their places.
    resting: BTreeSet<usize>,
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
            lowered: None,
            range: (alive, there),
            surplus,
            resting: BTreeSet::new(),
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
        let (placed, mut seeking): (Vec<_>, Vec<_>) =
            needs.into_iter().partition(|(_, need)| !need.seeks_machine);
        let (lowering, mending): (Vec<_>, Vec<_>) =
            placed.into_iter().partition(|(_, need)| need.lowers);
        // What is on its way is waited for before anything is started anew.
        let (waiting, mending): (Vec<_>, Vec<_>) = mending
            .into_iter()
            .partition(|(_, need)| need.action == Action::Wait);
        let serving = self.surplus.iter().filter(|at| members[**at].serves());
        if self.wanted > 0 && (!lowering.is_empty() || serving.count() > 0) {
            self.prove();
        }
        for (at, need) in waiting.iter().chain(&mending) {
            self.bring(*at, need);
        }
        // What nobody wants and is on no machine would take the place that is made for another.
        for at in self.surplus.clone() {
            if self.process.members[at].is_unplaced() {
                self.stop(at, None)?;
            }
        }
        for at in self.crowd(&seeking) {
            self.rest(at);
        }
        // fleet gives a place that becomes free to whatever waits for one already.
        let resting = &self.resting;
        seeking.sort_by_key(|(at, _)| resting.contains(at) || !members[*at].is_unplaced());
        for (at, need) in &seeking {
            self.make_room(*at)?;
            self.bring(*at, need);
        }
        for (at, need) in &lowering {
            self.replace(*at, need)?;
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
}

/// Returns processes in the order in which they are rolled out: theirs, but for those that must be with
/// units of another one, which come behind it.
fn in_order(processes: &[Process]) -> Vec<&Process> {
    let mut waiting: Vec<&Process> = processes.iter().collect();
    let mut ordered: Vec<&Process> = Vec::new();
    while !waiting.is_empty() {
        let is_free = |process: &Process| {
            let others = waiting
                .iter()
                .filter(|other| !std::ptr::eq(**other, process));
            let mut peers = others.flat_map(|other| &other.members);
            !peers.any(|peer| process.members.iter().any(|member| member.needs(peer)))
        };
        // Of those that wait for each other the first is as good as any.
        let at = waiting
            .iter()
            .position(|process| is_free(process))
            .unwrap_or(0);
        ordered.push(waiting.remove(at));
    }
    ordered
}
