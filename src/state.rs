//! What was seen in a cluster: its units, their states and its machines, as they were said to be.
//!
//! In: what a door read. Out: `Observed`, which keeps all that it was told, sensible or not. Only
//! `State` can be sent to a cluster; a word that fleet does not know can be seen and never sent. Knows
//! nothing of protocols, nor of what should run.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use crate::name::UnitName;
use crate::unit::fleet::FleetUnit;
use crate::unit::name::fleet_parts;

macro_rules! seen_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it was seen.
            #[must_use]
            pub fn seen(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// Returns the text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

seen_text!(
    /// A unit's name in the registry, which takes more than unitgen would write.
    RegistryName
);
seen_text!(
    /// A machine's id.
    MachineId
);
seen_text!(
    /// The hash of a unit's text: SHA-1 in hexadecimal.
    UnitHash
);

impl RegistryName {
    /// Tells whether fleet takes the name for a template's.
    #[must_use]
    pub fn is_template(&self) -> bool {
        let parts = fleet_parts(&self.0);
        parts.is_some_and(|parts| !parts.template.is_empty() && parts.instance.is_empty())
    }

    /// Returns the name of the template that this is an instance of.
    #[must_use]
    pub fn template(&self) -> Option<Self> {
        let parts = fleet_parts(&self.0)?;
        (!parts.instance.is_empty()).then_some(Self(parts.template))
    }
}

/// It is sorted as its text is, and so found by it.
impl Borrow<str> for RegistryName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&UnitName> for RegistryName {
    fn from(name: &UnitName) -> Self {
        Self(name.as_str().to_owned())
    }
}

impl MachineId {
    /// Returns the first eight characters, as fleetctl shows an id.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

/// What fleet can be told to do with a unit, or does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It is kept in the registry only.
    Inactive,
    /// A machine has its file.
    Loaded,
    /// A machine was asked to start it.
    Launched,
}

impl State {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Inactive, Self::Loaded, Self::Launched];

    /// Returns fleet's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Loaded => "loaded",
            Self::Launched => "launched",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A unit's state as a cluster says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeenState {
    /// One of fleet's three words.
    Known(State),
    /// Any other text, or none.
    Unknown(String),
}

impl SeenState {
    /// Takes a word as it was seen.
    #[must_use]
    pub fn seen(word: &str) -> Self {
        let known = State::ALL.into_iter().find(|state| state.as_str() == word);
        known.map_or_else(|| Self::Unknown(word.to_owned()), Self::Known)
    }

    /// Tells whether fleet was told to do anything with the unit, if only in a word that it does not know.
    #[must_use]
    pub fn asks_something(&self) -> bool {
        *self != Self::Known(State::Inactive)
    }

    /// Returns the state, where it is one that fleet has.
    #[must_use]
    pub fn known(&self) -> Option<State> {
        match self {
            Self::Known(state) => Some(*state),
            Self::Unknown(_) => None,
        }
    }
}

impl fmt::Display for SeenState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(state) => write!(formatter, "{state}"),
            Self::Unknown(word) => formatter.write_str(word),
        }
    }
}

/// A unit's options, which are read out of a text only when somebody asks for them: most units are as
/// they should be, which their hash alone tells.
#[derive(Debug, Clone)]
pub struct SeenUnit {
    text: String,
    options: OnceLock<FleetUnit>,
}

impl SeenUnit {
    /// Takes a text that fleet stores byte for byte.
    #[must_use]
    pub fn stored(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            options: OnceLock::new(),
        }
    }
}

impl From<FleetUnit> for SeenUnit {
    fn from(unit: FleetUnit) -> Self {
        Self {
            text: String::new(),
            options: unit.into(),
        }
    }
}

impl Deref for SeenUnit {
    type Target = FleetUnit;

    fn deref(&self) -> &FleetUnit {
        let read = || FleetUnit::parse(&self.text).unwrap_or_default();
        self.options.get_or_init(read)
    }
}

impl PartialEq for SeenUnit {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for SeenUnit {}

impl PartialEq<FleetUnit> for SeenUnit {
    fn eq(&self, other: &FleetUnit) -> bool {
        **self == *other
    }
}

/// A unit of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedUnit {
    /// Its name.
    pub name: RegistryName,
    /// Its text, as the registry's options.
    pub unit: SeenUnit,
    /// The hash of that text.
    pub hash: UnitHash,
    /// What fleet was told to do with it.
    pub desired: SeenState,
    /// What fleet does with it; `None` for a global unit, of which only machines know.
    pub current: Option<SeenState>,
    /// The machine it was given to.
    pub machine: Option<MachineId>,
}

/// What systemd on one machine says of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitState {
    /// The hash of the text that the machine has: an old one until fleet replaced it.
    pub hash: UnitHash,
    /// systemd's load state, such as `loaded`.
    pub load: String,
    /// systemd's active state, such as `active`.
    pub active: String,
    /// systemd's state of that type of unit, such as `running`.
    pub sub: String,
}

impl UnitState {
    /// Tells whether systemd could load the unit, as far as it says anything.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        matches!(self.load.as_str(), "loaded" | "")
    }
}

/// The states of units, for each machine that has them.
pub type States = BTreeMap<RegistryName, BTreeMap<MachineId, UnitState>>;

/// A machine of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Its id.
    pub id: MachineId,
    /// Its address.
    pub primary_ip: String,
    /// What units can ask for in `MachineMetadata=`.
    pub metadata: BTreeMap<String, String>,
}

/// fleet's release, as its server names itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The text behind `fleetd/`.
    pub text: String,
    /// Major, minor and patch, where the text begins with them.
    pub number: Option<(u32, u32, u32)>,
}

impl Release {
    /// The first release that replaces the content of a unit it has.
    const REPLACES: (u32, u32, u32) = (0, 13, 0);

    /// Reads a `Server` header; `None` where it is not fleet's.
    #[must_use]
    pub fn from_server(header: &str) -> Option<Self> {
        let text = header.strip_prefix("fleetd/")?;
        let digits = |part: Option<&str>| {
            let part = part?;
            let end = part.find(|c: char| !c.is_ascii_digit());
            part[..end.unwrap_or(part.len())].parse().ok()
        };
        let mut parts = text.strip_prefix('v').unwrap_or(text).splitn(3, '.');
        let mut next = || digits(parts.next());
        let number = match (next(), next(), next()) {
            (Some(major), Some(minor), Some(patch)) => Some((major, minor, patch)),
            _ => None,
        };
        Some(Self {
            text: text.to_owned(),
            number,
        })
    }

    /// Tells whether a unit's content can be replaced; an older release keeps the old one and says
    /// that all is well. Unsaid where the release has no number.
    #[must_use]
    pub fn replaces_content(&self) -> Option<bool> {
        self.number.map(|number| number >= Self::REPLACES)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// How much a source shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coverage {
    /// Unit files, as a folder has them.
    Files,
    /// Unit files, and instances that should run, as another manifest has them.
    Wanted,
    /// Unit files, instances, and what machines say of them.
    Cluster,
}

/// Whose a unit is, as unitgen's mark in it says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The app.
    pub app: String,
    /// The process; nothing where the mark is incomplete.
    pub process: String,
}

/// All that was seen of a cluster. It is partial and old: each part was read at another time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// How much this shows.
    pub coverage: Coverage,
    /// The units of the registry.
    pub units: BTreeMap<RegistryName, ObservedUnit>,
    /// The states of units. There may be some of units that the registry has no more.
    pub states: States,
    /// The machines.
    pub machines: BTreeMap<MachineId, Machine>,
    /// fleet's release, where the server said so.
    pub release: Option<Release>,
    /// Whose units are by their files' names, where the source knows without a mark.
    pub owners: BTreeMap<RegistryName, Mark>,
}

impl Observed {
    /// Returns the machines that have a unit; where none says so, the one that fleet gave it to.
    #[must_use]
    pub fn machines_of(&self, name: &RegistryName) -> Vec<&MachineId> {
        match self.states.get(name) {
            Some(states) if !states.is_empty() => states.keys().collect(),
            _ => {
                let unit = self.units.get(name);
                unit.and_then(|unit| unit.machine.as_ref())
                    .into_iter()
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_words_are_states() {
        for state in State::ALL {
            assert_eq!(SeenState::seen(state.as_str()), SeenState::Known(state));
        }
        for word in ["Launched", "bogus", "", "launched "] {
            let seen = SeenState::seen(word);
            assert_eq!((seen.known(), seen.to_string()), (None, word.to_owned()));
        }
    }

    #[test]
    fn a_text_and_its_options_are_the_same_unit() {
        let text = "[Service]\nExecStart=/bin/true\n";
        let unit = FleetUnit::parse(text).unwrap();
        assert_eq!(SeenUnit::stored(text), unit);
        assert_eq!(SeenUnit::stored(text), SeenUnit::from(unit));
        assert_ne!(SeenUnit::stored(text), SeenUnit::stored(""));
    }

    #[test]
    fn releases() {
        #[track_caller]
        fn case(header: &str, number: Option<(u32, u32, u32)>, replaces: Option<bool>) {
            let release = Release::from_server(header).unwrap();
            assert_eq!(
                (release.number, release.replaces_content()),
                (number, replaces)
            );
        }
        case("fleetd/v1.0.0-15-g45224983", Some((1, 0, 0)), Some(true));
        case("fleetd/0.11.8", Some((0, 11, 8)), Some(false));
        case("fleetd/v0.12.0", Some((0, 12, 0)), Some(false));
        case("fleetd/v0.13.0+git", Some((0, 13, 0)), Some(true));
        case("fleetd/unknown", None, None);
        assert_eq!(Release::from_server("nginx/1.18.0"), None);
    }

    #[test]
    fn templates_are_what_fleet_takes_for_them() {
        #[track_caller]
        fn case(name: &str, is_template: bool, template: Option<&str>) {
            let name = RegistryName::seen(name);
            assert_eq!(name.is_template(), is_template);
            assert_eq!(name.template(), template.map(RegistryName::seen));
        }
        case("a@.service", true, None);
        case("a@1.service", false, Some("a@.service"));
        case("a@b@c.service", false, Some("a@.service"));
        case("a.service", false, None);
        case(".service", false, None);
        case("nodot@", false, None);
    }

    #[test]
    fn ids_are_shortened_as_fleetctl_does() {
        let id = MachineId::seen("aaaa0001000000000000000000000001");
        assert_eq!(id.short(), "aaaa0001");
        assert_eq!(MachineId::seen("é").short(), "é");
    }
}
