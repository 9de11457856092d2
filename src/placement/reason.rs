//! Why a unit has no place in a cluster.
//!
//! In: what was found out. Out: one reason as a value, and its text. Knows nothing of how it was
//! found.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::placement::HostPort;
use crate::state::{MachineId, RegistryName};

/// A unit that has a place which another one would need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its name.
    pub unit: RegistryName,
    /// Where it is, or would be.
    pub machine: MachineId,
}

/// The machines that a unit could be on, were it not for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// How many machines there are.
    pub machines: usize,
    /// Who is on the first of them, one unit for each machine.
    pub holders: Vec<Holder>,
}

impl Held {
    /// How many holders are named.
    pub const NAMED: usize = 3;
}

impl fmt::Display for Held {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.holders.iter();
        let named = named.map(|holder| format!("`{}` on {}", holder.unit, holder.machine.short()));
        formatter.write_str(&named.collect::<Vec<_>>().join(", "))?;
        match self.machines.saturating_sub(self.holders.len()) {
            0 => Ok(()),
            more => write!(formatter, " and {more} more"),
        }
    }
}

/// The metadata that a unit asks for: any of the values, for each of the keys.
pub type Metadata = BTreeMap<String, BTreeSet<String>>;

/// Why a unit can't be placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// There are more units that may not meet than machines for them.
    Crowded {
        /// How many machines it could be on.
        machines: usize,
    },
    /// It needs a unit that is on no machine that it may be on itself.
    ElsewhereThanPeer {
        /// The unit that it must be with.
        peer: RegistryName,
        /// The machines of that unit, where they are settled.
        machines: Vec<MachineId>,
    },
    /// It would wait for a unit that waits for it.
    InCircle {
        /// The unit that it must be with.
        peer: RegistryName,
    },
    /// It may not meet a unit that it must be with.
    MayNotMeetPeer {
        /// The unit that it must be with.
        peer: RegistryName,
        /// The port that both need, where it is not for `Conflicts`.
        port: Option<HostPort>,
    },
    /// The machine that it names lacks what else it asks for.
    MetadataOfMachine {
        /// The machine.
        machine: MachineId,
        /// What the machine lacks.
        metadata: Metadata,
    },
    /// There are no machines.
    NoMachines,
    /// No machine has the id that it names.
    NoMachineWithId {
        /// The id, or the beginning of one.
        id: String,
    },
    /// No machine has the metadata that it asks for.
    NoMachineWithMetadata {
        /// The one key that rules all machines out, or all of them.
        metadata: Metadata,
    },
    /// No machine does for it and for all that it must be with.
    NoMachineForAll {
        /// The units that it must be with.
        peers: Vec<RegistryName>,
    },
    /// A unit that it must be with is not there.
    PeerIsMissing {
        /// The unit that it must be with.
        peer: RegistryName,
    },
    /// Two units that it must be with are on different machines.
    PeersApart {
        /// The units that it must be with.
        peers: [RegistryName; 2],
    },
    /// A unit that it must be with can't be placed.
    PeerUnplaceable {
        /// The unit that it must be with.
        peer: RegistryName,
    },
    /// A port that it needs is taken wherever it could be.
    PortTaken {
        /// The port.
        port: HostPort,
        /// By whom.
        held: Held,
    },
    /// Units that it may not meet are wherever it could be.
    Taken {
        /// By whom.
        held: Held,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crowded { machines: 1 } => formatter
                .write_str("several units that may not meet have the same only eligible machine"),
            Self::Crowded { machines } => write!(
                formatter,
                "there are more units that may not meet than the {machines} machines for them"
            ),
            Self::ElsewhereThanPeer { peer, machines } if machines.is_empty() => write!(
                formatter,
                "must be with `{peer}`, which can't be on the same machine"
            ),
            Self::ElsewhereThanPeer { peer, machines } => {
                let machines: Vec<_> = machines.iter().map(MachineId::short).collect();
                let machines = machines.join(", ");
                write!(
                    formatter,
                    "must be with `{peer}`, which is on {machines}, where it can't be"
                )
            }
            Self::InCircle { peer } => {
                write!(formatter, "waits for `{peer}`, which waits for it in turn")
            }
            Self::MayNotMeetPeer { peer, port: None } => {
                write!(formatter, "must be with `{peer}`, which it may not meet")
            }
            Self::MayNotMeetPeer {
                peer,
                port: Some(port),
            } => write!(
                formatter,
                "must be with `{peer}`, which takes port {port} as well"
            ),
            Self::MetadataOfMachine { machine, metadata } => {
                let machine = machine.short();
                let metadata = metadata_text(metadata);
                write!(
                    formatter,
                    "the machine {machine} does not have the metadata {metadata}"
                )
            }
            Self::NoMachines => formatter.write_str("the cluster has no machines"),
            Self::NoMachineWithId { id } => write!(formatter, "no machine has the id `{id}`"),
            Self::NoMachineWithMetadata { metadata } => {
                let metadata = metadata_text(metadata);
                write!(formatter, "no machine has the metadata {metadata}")
            }
            Self::NoMachineForAll { peers } => {
                let named = peers.iter().take(Held::NAMED);
                let more = peers.len().saturating_sub(Held::NAMED);
                let more = (more > 0).then(|| format!("{more} more"));
                let named = named.map(|peer| format!("`{peer}`")).chain(more);
                let peers = conjunction(named, "and");
                write!(
                    formatter,
                    "must be with {peers}, and no machine does for all of them"
                )
            }
            Self::PeerIsMissing { peer } => {
                write!(formatter, "waits for `{peer}`, which is not there")
            }
            Self::PeersApart {
                peers: [one, other],
            } => write!(
                formatter,
                "waits for `{one}` and `{other}`, which are on different machines"
            ),
            Self::PeerUnplaceable { peer } => {
                write!(
                    formatter,
                    "must be with `{peer}`, which can't be placed either"
                )
            }
            Self::PortTaken { port, held } if held.machines == 1 => write!(
                formatter,
                "port {port} is taken on the only eligible machine: by {held}"
            ),
            Self::PortTaken { port, held } if held.machines == 2 => write!(
                formatter,
                "port {port} is taken on both eligible machines: by {held}"
            ),
            Self::PortTaken { port, held } => write!(
                formatter,
                "port {port} is taken on each of the {} eligible machines: by {held}",
                held.machines
            ),
            Self::Taken { held } if held.machines == 1 => write!(
                formatter,
                "the only eligible machine is taken by a unit that it conflicts with: {held}"
            ),
            Self::Taken { held } if held.machines == 2 => write!(
                formatter,
                "both eligible machines are taken by units that it conflicts with: {held}"
            ),
            Self::Taken { held } => write!(
                formatter,
                "all {} eligible machines are taken by units that it conflicts with: {held}",
                held.machines
            ),
        }
    }
}

fn metadata_text(metadata: &Metadata) -> String {
    let keys = metadata.iter().map(|(key, values)| {
        let pairs = values.iter().map(|value| format!("`{key}={value}`"));
        conjunction(pairs, "or")
    });
    // With several keys, commas would not tell the alternatives of one from the next key.
    keys.collect::<Vec<_>>().join(" and ")
}

fn conjunction(items: impl Iterator<Item = String>, word: &str) -> String {
    let items: Vec<String> = items.collect();
    match items.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {word} {last}", rest.join(", ")),
        _ => items.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<RegistryName> {
        names.iter().map(|name| RegistryName::seen(*name)).collect()
    }

    #[track_caller]
    fn case(reason: &Reason, expected: &str) {
        assert_eq!(reason.to_string(), expected);
    }

    #[test]
    fn lists_are_cut() {
        let peers = |list: &[&str]| Reason::NoMachineForAll { peers: names(list) };
        case(
            &peers(&["a", "b", "c"]),
            "must be with `a`, `b` and `c`, and no machine does for all of them",
        );
        case(
            &peers(&["a", "b", "c", "d", "e"]),
            "must be with `a`, `b`, `c` and 2 more, and no machine does for all of them",
        );
        let holders = names(&["a", "b"]).into_iter().map(|unit| Holder {
            unit,
            machine: MachineId::seen("aaaa0001000000000000000000000001"),
        });
        let held = Held {
            machines: 4,
            holders: holders.collect(),
        };
        case(
            &Reason::Taken { held },
            "all 4 eligible machines are taken by units that it conflicts with: \
             `a` on aaaa0001, `b` on aaaa0001 and 2 more",
        );
    }

    #[test]
    fn one_machine_and_several() {
        let machines = |numbers: &[u32]| {
            let ids = numbers.iter().map(|number| format!("aaaa000{number}ff"));
            ids.map(MachineId::seen).collect()
        };
        let elsewhere = |numbers: &[u32]| Reason::ElsewhereThanPeer {
            peer: RegistryName::seen("a"),
            machines: machines(numbers),
        };
        case(
            &elsewhere(&[]),
            "must be with `a`, which can't be on the same machine",
        );
        case(
            &elsewhere(&[1, 2]),
            "must be with `a`, which is on aaaa0001, aaaa0002, where it can't be",
        );
        case(
            &Reason::Crowded { machines: 1 },
            "several units that may not meet have the same only eligible machine",
        );
        case(
            &Reason::Crowded { machines: 3 },
            "there are more units that may not meet than the 3 machines for them",
        );
    }
}
