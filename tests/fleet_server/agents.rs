//! fleet's agents, one on each machine, which load, start and stop units and say what became of them.
//!
//! An agent that has to replace a unit stops it in one round and starts it in the next, as recorded.
//! What it says is old for a moment, and of a unit that it unloads it says nothing more, even while
//! that still stops.

use std::collections::BTreeMap;
use std::sync::Arc;

use unitgen::state::RegistryName;

use crate::fleet_server::engine::{Company, has_metadata};
use crate::fleet_server::registry::{Running, World};
use crate::fleet_server::text::Text;

/// What a machine is to have: a unit's text, and whether it is to be launched.
type Wanted = BTreeMap<String, (Arc<Text>, bool)>;

impl World {
    /// One round of all agents.
    pub(crate) fn agents(&mut self) {
        for index in 0..self.hosts.len() {
            self.agent(index);
            // Where no time passes there is none between what is and what is said.
            self.show_kept(index);
            self.heartbeat(index);
        }
    }

    /// One round of one agent.
    pub(super) fn agent(&mut self, index: usize) {
        let host = &self.hosts[index];
        if host.is_dead || host.wedged {
            return;
        }
        let wanted = self.wanted_on(index);
        let is_template = |name: &String| RegistryName::seen(name.clone()).is_template();
        if wanted.keys().any(is_template) {
            self.hosts[index].wedged = true;
            return;
        }
        let processes = self.hosts[index].processes.iter();
        let kept = processes.filter(|(_, process)| process.is_kept);
        let kept: Vec<(String, Arc<Text>)> = kept
            .map(|(name, process)| (name.clone(), Arc::clone(&process.text)))
            .collect();
        for (name, text) in &kept {
            let is_right = wanted
                .get(name)
                .is_some_and(|(new, _)| new.hash == text.hash);
            // The agent does not know these types, and lets them be.
            if !is_right && !matches!(suffix(name), "target" | "slice") {
                let host = &mut self.hosts[index];
                host.launched.remove(name);
                host.dropped.insert(name.clone());
                self.unload(index, name);
            }
        }
        // What was stopped now is loaded in the next round.
        let is_new = |name: &String| !kept.iter().any(|(kept, _)| kept == name);
        for (name, (text, _)) in wanted.iter().filter(|(name, _)| is_new(name)) {
            self.load(index, name, text);
        }
        for (name, (_, launched)) in &wanted {
            let processes = &mut self.hosts[index].processes;
            let Some(process) = processes.get_mut(name).filter(|process| process.is_kept) else {
                continue;
            };
            if process.is_launched == *launched {
                continue;
            }
            process.is_launched = *launched;
            if *launched {
                self.hosts[index].launched.insert(name.clone());
                self.start(index, name);
            } else {
                self.hosts[index].launched.remove(name);
                self.stop(index, name);
            }
        }
    }

    fn wanted_on(&self, index: usize) -> Wanted {
        let host = &self.hosts[index];
        let mut here = Company::default();
        let mut wanted = Wanted::new();
        for (name, unit) in &self.units {
            let text = &unit.text;
            let is_given = if text.constraints.global {
                has_metadata(host, &text.constraints)
            } else {
                unit.machine.as_ref() == Some(&host.id)
            };
            if !is_given || !unit.is_readable() || here.conflicts(name, text) {
                continue;
            }
            here.add(name, text);
            if unit.is_wanted() {
                let launched = unit.target == "launched";
                wanted.insert(name.clone(), (Arc::clone(text), launched));
            }
        }
        wanted
    }

    /// Lets all machines say what they have.
    pub(crate) fn show_states(&mut self) {
        for index in 0..self.hosts.len() {
            self.show(index);
        }
    }

    /// Lets a machine say what it has, and what it has no more.
    pub(super) fn show(&mut self, index: usize) {
        let host = &mut self.hosts[index];
        for name in std::mem::take(&mut host.dropped) {
            if !host
                .processes
                .get(&name)
                .is_some_and(|process| process.is_kept)
            {
                host.units.remove(&name);
            }
        }
        self.show_kept(index);
    }

    fn show_kept(&mut self, index: usize) {
        let host = &mut self.hosts[index];
        for (name, process) in &mut host.processes {
            let state = Running {
                hash: process.text.hash.clone(),
                load: process.load.clone(),
                active: process.active.clone(),
                sub: process.sub.clone(),
            };
            // It says what changed since it said anything.
            if process.is_kept && process.said.as_ref() != Some(&state) {
                host.units.insert(name.clone(), state.clone());
                process.said = Some(state);
            }
        }
    }

    /// Lets a machine say once more what it launched.
    pub(super) fn heartbeat(&mut self, index: usize) {
        let host = &mut self.hosts[index];
        let processes = host.processes.iter();
        let launched = processes.filter(|(_, process)| process.is_kept && process.is_launched);
        let launched: Vec<String> = launched.map(|(name, _)| name.clone()).collect();
        host.launched.extend(launched);
    }
}

fn suffix(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}
