//! fleet's HTTP API, version 1.
//!
//! In: a client of a fleet server, names and units. Out: values of `state`, or an error of the other
//! side with fleet's own words. Sends nothing that poisons a fleet: one of the three states, always,
//! and `inactive` for a template. Judges nothing else.

mod refusal;
mod wire;

use std::collections::{BTreeMap, HashSet};

use crate::cluster::fleet::refusal::Obstacle;
use crate::cluster::fleet::wire::{Item, MachineEntry, StateEntry, UnitEntry};
use crate::error::CommandError;
use crate::http::{Client, Method, Request, Response};
use crate::state::{
    Coverage, Machine, MachineId, Observed, ObservedUnit, RegistryName, Release, State, States,
    UnitState,
};
use crate::unit::fleet::FleetUnit;

/// Where the API begins.
const BASE: &str = "/fleet/v1";

/// How many pages in a row may show nothing new. While units come and go their places in the list
/// shift, so that some are seen twice; a list without end shows them all again.
const STALE_PAGES_MAXIMUM: usize = 2;

/// How many entries a list may have. fleet counts them in sixteen bits.
const ENTRIES_MAXIMUM: usize = 1 << 16;

/// What became of a unit that was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// Its text was stored: it is new, or replaced another one.
    Stored,
    /// fleet kept the text that it has, and set the state. A release before 0.13 says so even where
    /// the text is another one: it never replaces any.
    Kept,
}

/// What became of a unit that was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// The registry has it no more. Machines may for some seconds.
    Deleted,
    /// There was none.
    Absent,
}

/// A fleet cluster, as one of its servers shows it.
pub struct Fleet {
    client: Client,
    release: Option<Release>,
}

impl Fleet {
    /// Takes a client, which connects with the first request.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            release: None,
        }
    }

    /// Returns where the cluster is, and by which way, as a user reads it.
    #[must_use]
    pub fn server(&self) -> String {
        self.client.server()
    }

    /// Returns fleet's release, as the last answer named it.
    #[must_use]
    pub fn release(&self) -> Option<&Release> {
        self.release.as_ref()
    }

    /// Returns all that there is. The units come last: what runs of one that is not among them was
    /// deleted meanwhile, or before.
    ///
    /// # Errors
    /// Says what could not be read, and why.
    pub fn observe(&mut self) -> Result<Observed, CommandError> {
        let machines = self.machines()?;
        let states = self.states()?;
        let units = self.units()?;
        Ok(Observed {
            coverage: Coverage::Cluster,
            units,
            states,
            machines,
            release: self.release.clone(),
            owners: BTreeMap::new(),
        })
    }

    /// Returns all units. fleet leaves out those whose target-state in etcd is none of its words.
    ///
    /// # Errors
    /// Says why the list can't be read to its end.
    pub fn units(&mut self) -> Result<BTreeMap<RegistryName, ObservedUnit>, CommandError> {
        let mut units = BTreeMap::new();
        self.list("units", "", "the units", |entry: UnitEntry| {
            let unit = ObservedUnit::from(entry);
            units.insert(unit.name.clone(), unit).is_none()
        })?;
        Ok(units)
    }

    /// Returns one unit, `None` where there is none.
    ///
    /// # Errors
    /// Says why it can't be read.
    pub fn unit(&mut self, name: &RegistryName) -> Result<Option<ObservedUnit>, CommandError> {
        let path = unit_path(name);
        let request = get(&path);
        let answer = self.ask(request, &[200]).and_then(|response| {
            serde_json::from_slice::<UnitEntry>(&response.body)
                .map_err(|error| Obstacle::Nonsense(error.to_string()))
        });
        match answer {
            Ok(entry) => Ok(Some(ObservedUnit::from(entry))),
            Err(obstacle) if obstacle.is_absence() => Ok(None),
            Err(obstacle) => Err(self.error(obstacle, &format!("read `{name}`"), request)),
        }
    }

    /// Returns the states of all units on all machines.
    ///
    /// # Errors
    /// Says why the list can't be read to its end.
    pub fn states(&mut self) -> Result<States, CommandError> {
        self.list_states("", "the states of units")
    }

    /// Returns the states of one unit on all machines that have it.
    ///
    /// # Errors
    /// Says why the list can't be read to its end.
    pub fn states_of(
        &mut self,
        name: &RegistryName,
    ) -> Result<BTreeMap<MachineId, UnitState>, CommandError> {
        // `/state/NAME` would show one machine only, and kill the connection where there is none.
        let query = format!("unitName={}", encode(name.as_str()));
        let mut states = self.list_states(&query, &format!("the states of `{name}`"))?;
        Ok(states.remove(name).unwrap_or_default())
    }

    fn list_states(&mut self, query: &str, what: &str) -> Result<States, CommandError> {
        let mut states = States::new();
        self.list("state", query, what, |entry: StateEntry| {
            let (name, machine, state) = entry.parts();
            let of_unit = states.entry(name).or_default();
            of_unit.insert(machine, state).is_none()
        })?;
        Ok(states)
    }

    /// Returns the machines.
    ///
    /// # Errors
    /// Says why the list can't be read to its end.
    pub fn machines(&mut self) -> Result<BTreeMap<MachineId, Machine>, CommandError> {
        let mut machines = BTreeMap::new();
        self.list("machines", "", "the machines", |entry: MachineEntry| {
            let machine = Machine::from(entry);
            machines.insert(machine.id.clone(), machine).is_none()
        })?;
        Ok(machines)
    }

    /// Stores a unit's text, where fleet has none or another one, and sets its state.
    ///
    /// # Errors
    /// Says why fleet refuses it. What fleet would store as something else, and a template that is to
    /// be anything but inactive, is not sent.
    pub fn put(
        &mut self,
        name: &RegistryName,
        unit: &FleetUnit,
        desired: State,
    ) -> Result<Put, CommandError> {
        // Also: no options at all would mean to set the state only.
        let is_kept = !unit.options.is_empty() && unit.read_back().as_ref() == Ok(unit);
        if !is_kept {
            return Err(CommandError::trouble(format!(
                "fleet would not keep the text of `{name}` as it is"
            ))
            .help("`unitgen lint` says which of its lines are read in another way"));
        }
        let response = self.put_body(name, Some(unit), desired, &[201, 204])?;
        Ok(if response.status == 201 {
            Put::Stored
        } else {
            Put::Kept
        })
    }

    /// Sets the state of a unit that fleet has.
    ///
    /// # Errors
    /// Says why fleet refuses it, for one because it has no such unit.
    pub fn set_state(&mut self, name: &RegistryName, desired: State) -> Result<(), CommandError> {
        self.put_body(name, None, desired, &[204]).map(drop)
    }

    fn put_body(
        &mut self,
        name: &RegistryName,
        unit: Option<&FleetUnit>,
        desired: State,
        expected: &[u16],
    ) -> Result<Response, CommandError> {
        if name.is_template() && desired != State::Inactive {
            // Created so, it would stop all work on the machine that it comes to.
            return Err(CommandError::trouble(format!(
                "the template `{name}` can't be {desired}, only inactive"
            )));
        }
        let path = unit_path(name);
        let body = wire::body(unit, desired);
        let request = Request {
            method: Method::Put,
            path: &path,
            body: Some(&body),
        };
        let what = match unit {
            Some(_) => format!("submit `{name}`"),
            None => format!("make `{name}` {desired}"),
        };
        let answer = self.ask(request, expected);
        answer.map_err(|obstacle| self.error(obstacle, &what, request))
    }

    /// Deletes a unit.
    ///
    /// # Errors
    /// Says why fleet refuses it.
    pub fn delete(&mut self, name: &RegistryName) -> Result<Deletion, CommandError> {
        let path = unit_path(name);
        let request = Request {
            method: Method::Delete,
            path: &path,
            body: None,
        };
        match self.ask(request, &[204]) {
            Ok(_) => Ok(Deletion::Deleted),
            Err(obstacle) if obstacle.is_absence() => Ok(Deletion::Absent),
            Err(obstacle) => Err(self.error(obstacle, &format!("delete `{name}`"), request)),
        }
    }

    /// Reads a list page by page, and gives each entry to a function that tells whether it is new.
    fn list<T: Item>(
        &mut self,
        list: &str,
        query: &str,
        what: &str,
        mut take: impl FnMut(T) -> bool,
    ) -> Result<(), CommandError> {
        let mut tokens = HashSet::new();
        let mut query = query.to_owned();
        let filter = query.clone();
        let (mut entries, mut stale) = (0, 0);
        loop {
            let path = format!(
                "{BASE}/{list}{}{query}",
                if query.is_empty() { "" } else { "?" }
            );
            let request = get(&path);
            let page = self.ask(request, &[200]).and_then(|response| {
                T::page(&response.body).map_err(|error| Obstacle::Nonsense(error.to_string()))
            });
            let page = match page {
                Ok(page) => page,
                Err(obstacle) => {
                    return Err(self.error(obstacle, &format!("list {what}"), request));
                }
            };
            let new = page
                .items
                .into_iter()
                .map(&mut take)
                .filter(|new| *new)
                .count();
            entries += new;
            let Some(token) = page.next else {
                return Ok(());
            };
            stale = if new == 0 { stale + 1 } else { 0 };
            query = format!(
                "{filter}{}nextPageToken={}",
                if filter.is_empty() { "" } else { "&" },
                encode(&token)
            );
            let fault = if !tokens.insert(token) {
                "names a page as the next that was read before"
            } else if stale > STALE_PAGES_MAXIMUM {
                "shows the same entries over and over"
            } else if entries > ENTRIES_MAXIMUM {
                "has more entries than fleet can count"
            } else {
                continue;
            };
            let obstacle = Obstacle::Nonsense(format!("its list {fault}"));
            return Err(self.error(obstacle, &format!("list {what}"), request));
        }
    }

    /// Sends a request and returns an answer of an expected status.
    fn ask(&mut self, request: Request<'_>, expected: &[u16]) -> Result<Response, Obstacle> {
        let response = self.client.send(request).map_err(Obstacle::Silence)?;
        if let Some(release) = response.header("server").and_then(Release::from_server) {
            self.release = Some(release);
        }
        if expected.contains(&response.status) {
            Ok(response)
        } else {
            Err(Obstacle::refusal(&response))
        }
    }

    fn error(&self, obstacle: Obstacle, what: &str, request: Request<'_>) -> CommandError {
        obstacle.error(format!("can't {what}"), request, &self.server())
    }
}

fn get(path: &str) -> Request<'_> {
    Request {
        method: Method::Get,
        path,
        body: None,
    }
}

fn unit_path(name: &RegistryName) -> String {
    format!("{BASE}/units/{}", encode(name.as_str()))
}

/// Percent-encodes all that has, or may have, a meaning in a URL.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@:".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_path() {
        assert_eq!(encode("a\\x2db@1:2.service"), "a%5Cx2db@1:2.service");
        assert_eq!(encode("a/b?c=d&é"), "a%2Fb%3Fc%3Dd%26%C3%A9");
        assert_eq!(encode("ZAACAA=="), "ZAACAA%3D%3D");
    }
}
