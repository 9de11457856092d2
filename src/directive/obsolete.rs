//! What became of the directives that no longer are what they were.
//!
//! In: nothing. Out: one table of directives that were renamed, replaced, deprived of their effect or
//! dropped by a version of systemd up to 260, and of what to write instead.
//!
//! It must not know when the directives came, nor which version a host has.

use crate::directive::index::{Index, Row, Sections, entries};

/// Tells what a version of systemd did to a directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Obsolete {
    /// The version.
    pub since: u16,
    /// What it did.
    pub fate: Fate,
    /// The directive that is meant to be used now, if it is one directive.
    pub instead: Option<Place>,
}

/// Tells what an obsolete directive still does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It may stand there, but does nothing.
    Ignored,
    /// It is unknown, and the line is ignored with a warning.
    Removed,
    /// It is read as the directive that is meant to be used now.
    Renamed,
    /// It works, in its own way.
    Replaced,
}

/// Names a directive and its section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The section.
    pub section: &'static str,
    /// The directive.
    pub name: &'static str,
}

/// Returns what became of each obsolete directive, in the order of time.
pub(super) fn index() -> Index<Vec<Obsolete>> {
    let mut index: Index<Vec<Obsolete>> = Index::default();
    for (section, word, (since, fate)) in entries(SECTIONS) {
        let (name, instead) = match word.split_once(':') {
            Some((name, place)) => (name, Some(Place::new(section, place))),
            None => (word, None),
        };
        let changes = index.entry((section, name)).or_default();
        changes.push(Obsolete {
            since,
            fate,
            instead,
        });
    }
    for changes in index.values_mut() {
        changes.sort_by_key(|change| change.since);
    }
    index
}

impl Place {
    /// Reads a name, which a section and a dot go before if it is not this section's.
    fn new(section: &'static str, place: &'static str) -> Self {
        let (section, name) = place.split_once('.').unwrap_or((section, place));
        Self { section, name }
    }
}

/// A version, what it did, and to which directives: after a colon the one that is used instead,
/// after its section and a dot where that is another.
type Change = Row<(u16, Fate)>;

const SECTIONS: &Sections<(u16, Fate)> = &[
    ("Unit", &[UNIT]),
    ("Service", &[SERVICE, EXEC, CGROUP]),
    ("Socket", &[EXEC, CGROUP]),
    ("Mount", &[MOUNT, EXEC, CGROUP]),
    ("Swap", &[EXEC, CGROUP]),
    ("Slice", &[CGROUP]),
    ("Scope", &[CGROUP]),
    ("BusName", &[BUS_NAME]),
];

const UNIT: &[Change] = &[
    ((186, Fate::Removed), "Names:Install.Alias"),
    (
        (187, Fate::Renamed),
        "BindTo:BindsTo PropagateReloadTo:PropagatesReloadTo \
         PropagateReloadFrom:ReloadPropagatedFrom",
    ),
    ((209, Fate::Replaced), "OnFailureIsolate:OnFailureJobMode"),
    (
        (228, Fate::Renamed),
        "RequiresOverridable:Requires RequisiteOverridable:Requisite",
    ),
    ((228, Fate::Ignored), "IgnoreOnSnapshot"),
    (
        (230, Fate::Renamed),
        "StartLimitInterval:StartLimitIntervalSec",
    ),
    ((247, Fate::Removed), "ConditionNull AssertNull"),
    (
        (258, Fate::Replaced),
        "ConditionKernelVersion:ConditionVersion AssertKernelVersion:AssertVersion",
    ),
];

const SERVICE: &[Change] = &[
    ((209, Fate::Removed), "FsckPassNo"),
    ((218, Fate::Ignored), "SysVStartPriority"),
    (
        (229, Fate::Renamed),
        "StartLimitInterval:Unit.StartLimitInterval StartLimitBurst:Unit.StartLimitBurst \
         StartLimitAction:Unit.StartLimitAction RebootArgument:Unit.RebootArgument",
    ),
    (
        (230, Fate::Renamed),
        "StartLimitInterval:Unit.StartLimitIntervalSec",
    ),
    ((230, Fate::Ignored), "BusPolicy"),
    ((236, Fate::Renamed), "FailureAction:Unit.FailureAction"),
    // By the prefixes `+`, `!` and `!!` of single commands.
    ((240, Fate::Replaced), "PermissionsStartOnly"),
];

const MOUNT: &[Change] = &[((209, Fate::Removed), "FsckPassNo")];

const EXEC: &[Change] = &[
    (
        (205, Fate::Removed),
        "ControlGroup ControlGroupAttribute ControlGroupModify ControlGroupPersistent \
         DeviceDeny:DevicePolicy",
    ),
    ((212, Fate::Removed), "TCPWrapName"),
    ((230, Fate::Ignored), "Capabilities:AmbientCapabilities"),
    (
        (231, Fate::Renamed),
        "ReadWriteDirectories:ReadWritePaths ReadOnlyDirectories:ReadOnlyPaths \
         InaccessibleDirectories:InaccessiblePaths",
    ),
];

const CGROUP: &[Change] = &[
    ((208, Fate::Removed), "MemorySoftLimit"),
    ((229, Fate::Ignored), "NetClass"),
    ((230, Fate::Replaced), BLOCK_IO),
    ((231, Fate::Replaced), "MemoryLimit:MemoryMax"),
    ((232, Fate::Replaced), CPU_SHARES),
    (
        (248, Fate::Removed),
        "ManagedOOMMemoryPressureLimitPercent:ManagedOOMMemoryPressureLimit",
    ),
    // These went with the first version of control groups.
    ((258, Fate::Ignored), BLOCK_IO),
    ((258, Fate::Ignored), CPU_SHARES),
    ((258, Fate::Ignored), "CPUAccounting MemoryLimit:MemoryMax"),
    (
        (260, Fate::Ignored),
        "DefaultMemoryMin DefaultMemoryLow DefaultStartupMemoryLow",
    ),
];

const BLOCK_IO: &str = "BlockIOAccounting:IOAccounting BlockIOWeight:IOWeight \
                        StartupBlockIOWeight:StartupIOWeight BlockIODeviceWeight:IODeviceWeight \
                        BlockIOReadBandwidth:IOReadBandwidthMax \
                        BlockIOWriteBandwidth:IOWriteBandwidthMax";

const CPU_SHARES: &str = "CPUShares:CPUWeight StartupCPUShares:StartupCPUWeight";

const BUS_NAME: &[Change] = &[(
    (235, Fate::Removed),
    "Name Service Activating AcceptFileDescriptors AllowUser AllowGroup AllowWorld SELinuxContext",
)];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directive::{NEWEST_VERSION, OLDEST_VERSION, obsolete, since};

    #[test]
    fn what_is_obsolete_came_once_and_went_later() {
        for (&(section, name), changes) in &index() {
            let came = since(section, name).expect(name);
            let before_all = came == OLDEST_VERSION;
            for change in changes {
                assert!(before_all || came < change.since, "[{section}] {name}");
                assert!(change.since <= NEWEST_VERSION, "[{section}] {name}");
            }
        }
    }

    #[test]
    fn what_is_used_instead_is_known_by_then() {
        for changes in index().values() {
            for (change, place) in changes.iter().filter_map(|c| Some((c, c.instead?))) {
                let came = since(place.section, place.name).expect(place.name);
                assert!(came <= change.since.max(OLDEST_VERSION), "{place:?}");
            }
        }
    }

    #[test]
    fn the_last_change_up_to_a_version_counts() {
        let fate =
            |section, name, version| obsolete(section, name, version).map(|o| (o.since, o.fate));
        assert_eq!(fate("Service", "MemoryLimit", 229), None);
        assert_eq!(
            fate("Service", "MemoryLimit", 231),
            Some((231, Fate::Replaced))
        );
        assert_eq!(
            fate("Slice", "MemoryLimit", 257),
            Some((231, Fate::Replaced))
        );
        assert_eq!(
            fate("Slice", "MemoryLimit", 260),
            Some((258, Fate::Ignored))
        );
        assert_eq!(fate("Service", "ExecStart", 260), None);
    }

    #[test]
    fn what_moved_says_where_to() {
        let instead = |section, name, version| {
            let place = obsolete(section, name, version)?.instead?;
            Some((place.section, place.name))
        };
        assert_eq!(
            instead("Service", "StartLimitInterval", 229),
            Some(("Unit", "StartLimitInterval"))
        );
        assert_eq!(
            instead("Service", "StartLimitInterval", 252),
            Some(("Unit", "StartLimitIntervalSec"))
        );
        assert_eq!(instead("Unit", "BindTo", 219), Some(("Unit", "BindsTo")));
        assert_eq!(
            instead("Swap", "ReadOnlyDirectories", 231),
            Some(("Swap", "ReadOnlyPaths"))
        );
        assert_eq!(instead("Service", "SysVStartPriority", 252), None);
    }
}
