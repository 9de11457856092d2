//! fleet's engine, which gives units to machines, and its agents, which run them.
//!
//! An agent that has to replace a unit stops it in one round and starts it in the next, as seen: the
//! old state is shown until after the stop.

use std::time::{Duration, Instant};

use unitgen::glob::matches;
use unitgen::state::RegistryName;
use unitgen::unit::fleet::constraints::Constraints;

use crate::fleet_server::Pace;
use crate::fleet_server::registry::{Host, Running, World};

/// When the next rounds are due.
#[derive(Default)]
pub(crate) struct Clock {
    engine: Option<Instant>,
    agents: Option<Instant>,
    states: Option<Instant>,
}

impl World {
    /// Begins to count from now.
    pub(crate) fn restart_clock(&mut self) {
        self.clock = Clock::default();
    }

    /// Does all that is due.
    pub(crate) fn advance(&mut self, pace: Pace) {
        let now = Instant::now();
        match pace {
            Pace::ByHand => {}
            Pace::AtOnce => {
                self.engine();
                // What is stopped in one round is started in the next.
                for _ in 0..2 {
                    self.agents();
                    self.show_states();
                }
            }
            Pace::Every { engine, agents } => {
                let lag = agents / 4;
                let clock = &mut self.clock;
                clock.engine.get_or_insert(now + engine);
                let first = *clock.agents.get_or_insert(now + agents);
                clock.states.get_or_insert(first + lag);
                while let Some(next) = self.next_due(now, engine, agents) {
                    next(self);
                }
            }
        }
    }

    fn next_due(
        &mut self,
        now: Instant,
        engine: Duration,
        agents: Duration,
    ) -> Option<fn(&mut Self)> {
        type Due<'a> = (&'a mut Option<Instant>, Duration, fn(&mut World));
        let clock = &mut self.clock;
        let all: [Due<'_>; 3] = [
            (&mut clock.engine, engine, Self::engine),
            (&mut clock.agents, agents, Self::agents),
            (&mut clock.states, agents, Self::show_states),
        ];
        let due = all
            .into_iter()
            .filter(|due| due.0.is_some_and(|at| at <= now));
        let (at, interval, round) = due.min_by_key(|due| *due.0)?;
        *at = at.map(|at| at + interval);
        Some(round)
    }

    /// One round of the engine.
    pub(crate) fn engine(&mut self) {
        let names: Vec<String> = self.units.keys().cloned().collect();
        for name in &names {
            let unit = &self.units[name];
            let (readable, inactive) = (unit.is_readable(), unit.target == "inactive");
            if readable && inactive {
                self.units.get_mut(name).unwrap().machine = None;
            }
        }
        // Twice, so that a unit finds the machine of another that has its place only now.
        for name in names.iter().chain(&names) {
            let unit = &self.units[name];
            if !unit.is_wanted() || unit.machine.is_some() {
                continue;
            }
            let constraints = self.constraints(name);
            if !constraints.global {
                let machine = self.place(name, &constraints);
                self.units.get_mut(name).unwrap().machine = machine;
            }
        }
    }

    /// Chooses a machine: the one with the least units, the first by id of several.
    fn place(&self, name: &str, constraints: &Constraints) -> Option<String> {
        let fits = |host: &&Host| {
            let by_id = constraints
                .machine_id
                .as_ref()
                .is_none_or(|id| *id == host.id || host.id.get(..8) == Some(id));
            let peers = &constraints.peers;
            let beside = peers.iter().all(|peer| {
                let peer = self.units.get(peer);
                peer.is_some_and(|peer| peer.machine.as_ref() == Some(&host.id))
            });
            by_id
                && beside
                && has_metadata(host, constraints)
                && !self.conflicts(name, constraints, host)
        };
        let load = |host: &&Host| self.units_of(host).count();
        let host = self.hosts.iter().filter(fits).min_by_key(load);
        host.map(|host| host.id.clone())
    }

    fn units_of<'a>(&'a self, host: &'a Host) -> impl Iterator<Item = &'a String> {
        let units = self.units.iter();
        units
            .filter(|(_, unit)| unit.machine.as_ref() == Some(&host.id))
            .map(|(name, _)| name)
    }

    /// Tells whether a unit can't share a machine with what is there; either side can say so.
    fn conflicts(&self, name: &str, constraints: &Constraints, host: &Host) -> bool {
        let here = host
            .units
            .keys()
            .filter(|name| self.units.contains_key(*name));
        self.units_of(host).chain(here).any(|other| {
            let others = self.constraints(other).conflicts;
            let own = &constraints.conflicts;
            other != name
                && (own.iter().any(|pattern| matches(pattern, other))
                    || others.iter().any(|pattern| matches(pattern, name)))
        })
    }

    /// One round of all agents.
    pub(crate) fn agents(&mut self) {
        for index in 0..self.hosts.len() {
            if !self.hosts[index].wedged {
                self.agent(index);
            }
        }
    }

    fn agent(&mut self, index: usize) {
        let host = &self.hosts[index];
        let wanted: Vec<(String, String, bool)> = self
            .units
            .iter()
            .filter(|(_, unit)| unit.is_wanted())
            .filter(|(name, unit)| {
                let constraints = self.constraints(name);
                if constraints.global {
                    has_metadata(host, &constraints) && !self.conflicts(name, &constraints, host)
                } else {
                    unit.machine.as_ref() == Some(&host.id)
                }
            })
            .map(|(name, unit)| (name.clone(), unit.hash(), unit.target == "launched"))
            .collect();
        let is_template = |name: &String| RegistryName::seen(name.clone()).is_template();
        if wanted.iter().any(|(name, _, _)| is_template(name)) {
            self.hosts[index].wedged = true;
            return;
        }
        let host = &mut self.hosts[index];
        for (name, running) in &mut host.units {
            let is_wanted = wanted
                .iter()
                .any(|(wanted, hash, _)| wanted == name && *hash == running.hash);
            // The agent does not know these types, and lets them be.
            let is_known = !matches!(suffix(name), "target" | "slice");
            if !is_wanted && is_known {
                running.stopping = true;
                running.launched = false;
            }
        }
        for (name, hash, launched) in wanted {
            let fate = self.fates.get(&name).cloned();
            let (active, sub) = match fate.filter(|_| launched) {
                Some(fate) => fate,
                None if !launched => ("inactive".to_owned(), "dead".to_owned()),
                None if suffix(&name) == "timer" => ("active".to_owned(), "waiting".to_owned()),
                None => ("active".to_owned(), "running".to_owned()),
            };
            let start = Running {
                hash,
                launched,
                active,
                sub,
                stopping: false,
            };
            let running = host.units.entry(name).or_insert_with(|| start.clone());
            if !running.stopping && running.launched != launched {
                *running = start;
            }
        }
    }

    /// Makes known what was stopped.
    pub(crate) fn show_states(&mut self) {
        for host in &mut self.hosts {
            host.units.retain(|_, running| !running.stopping);
        }
    }
}

fn suffix(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or_default()
}

fn has_metadata(host: &Host, constraints: &Constraints) -> bool {
    let mut wanted = constraints.metadata.iter();
    wanted.all(|(key, values)| {
        host.metadata
            .get(key)
            .is_some_and(|value| values.contains(value))
    })
}
