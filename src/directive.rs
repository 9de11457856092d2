//! What kind of setting each directive of systemd 252 and fleet is, and which
//! versions of systemd know it.
//!
//! In: a section and a key. Out: whether repeating it adds to a list, whether
//! an empty assignment empties that list, and in which form its value stands;
//! the version that brought it and what became of it, up to 260. Three tables,
//! after systemd's own lists of its configuration items.
//!
//! It must not know values or units.

use std::sync::LazyLock;

use crate::directive::index::{Index, entries, index};
use crate::directive::table::SECTIONS;

pub use crate::directive::obsolete::{Fate, Obsolete, Place};

mod index;
mod obsolete;
mod table;
mod version;

/// The oldest version of systemd that fleet works with. What it knows counts
/// as come with it, though most of that is older.
pub const OLDEST_VERSION: u16 = 207;

/// The newest version of systemd whose directives are known.
pub const NEWEST_VERSION: u16 = 260;

/// Tells what a second assignment of a directive does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It adds to a list.
    List {
        /// Whether an empty assignment forgets what was listed before.
        resets: bool,
    },
    /// It replaces the first; an empty one restores the default.
    Scalar,
    /// The directive is not known; it is best treated as a scalar.
    Unknown,
}

/// Tells what a directive's value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// What happens to the system on success or failure.
    Action,
    /// A user or a group.
    Account,
    /// A list of users or groups.
    Accounts,
    /// Units that are installed along with this one.
    Also,
    /// A time of the calendar.
    Calendar,
    /// A condition on something other than a path.
    Condition,
    /// A number without sign.
    Count,
    /// Assignments of variables.
    Environment,
    /// A file with assignments of variables.
    EnvironmentFile,
    /// Commands.
    Exec,
    /// A list of fleet's.
    FleetList,
    /// A single value of fleet's.
    FleetScalar,
    /// A boolean.
    Flag,
    /// Names that link to this unit when it is installed.
    Install,
    /// How processes are killed.
    KillMode,
    /// A resource limit.
    Limit,
    /// Addresses of documents.
    Links,
    /// Some other list, which an empty assignment resets.
    List,
    /// A socket's address.
    Listen,
    /// A file mode, in octal digits.
    Mode,
    /// Paths whose mounts are required.
    Mounts,
    /// Who may send notifications.
    NotifyAccess,
    /// A number, maybe with a sign.
    Number,
    /// Some other single value.
    Other,
    /// An absolute path.
    Path,
    /// A condition on an absolute path.
    PathCondition,
    /// Text in which specifiers mean nothing.
    Plain,
    /// When a service is restarted.
    Restart,
    /// How a service starts.
    ServiceType,
    /// A signal.
    Signal,
    /// An amount of memory.
    Size,
    /// A list of sockets.
    Sockets,
    /// A span of time.
    Span,
    /// A list of exit statuses and signals.
    Statuses,
    /// Text with specifiers.
    Text,
    /// A span of time after some event.
    Timer,
    /// The name of one unit.
    Unit,
    /// Names of units.
    Units,
    /// A path to watch.
    WatchedPath,
}

/// Returns what a second assignment of the directive does.
#[must_use]
pub fn kind(section: &str, name: &str) -> Kind {
    match form(section, name) {
        None => Kind::Unknown,
        Some(
            Form::Accounts
            | Form::Calendar
            | Form::Condition
            | Form::Environment
            | Form::EnvironmentFile
            | Form::Exec
            | Form::Install
            | Form::Links
            | Form::List
            | Form::Listen
            | Form::PathCondition
            | Form::Statuses
            | Form::Timer
            | Form::WatchedPath,
        ) => Kind::List { resets: true },
        Some(Form::Also | Form::FleetList | Form::Mounts | Form::Sockets | Form::Units) => {
            Kind::List { resets: false }
        }
        Some(_) => Kind::Scalar,
    }
}

/// Returns the form of the directive's value, or `None` for a directive that
/// systemd 252 and fleet do not know.
#[must_use]
pub fn form(section: &str, name: &str) -> Option<Form> {
    FORMS.get(&(section, name)).map(|(form, _)| *form)
}

/// Returns the version of systemd that brought a directive, be it newer than
/// 252 or long gone; `None` for what was never systemd's.
#[must_use]
pub fn since(section: &str, name: &str) -> Option<u16> {
    VERSIONS.get(&(section, name)).copied()
}

/// Returns the version of systemd that brought the first directive of a
/// section.
#[must_use]
pub fn section_since(section: &str) -> Option<u16> {
    let entries = entries(version::SECTIONS).filter(|(of, _, _)| *of == section);
    entries.map(|(_, _, version)| version).min()
}

/// Returns what became of a directive by a version of systemd, or `None` while
/// it is what it was.
#[must_use]
pub fn obsolete(section: &str, name: &str, version: u16) -> Option<Obsolete> {
    let mut changes = OBSOLETE.get(&(section, name))?.iter().rev();
    changes.find(|change| change.since <= version).copied()
}

/// Returns the section and the name of a directive that systemd 252 and fleet know, as the table
/// spells them.
#[must_use]
pub fn known(section: &str, name: &str) -> Option<(&'static str, &'static str)> {
    FORMS.get(&(section, name)).map(|(_, names)| *names)
}

/// Tells whether a directive's value is commands: `ExecStart`, but not `ExecSearchPath`.
#[must_use]
pub fn is_command(section: &str, name: &str) -> bool {
    // Most names are none at the first glance.
    name.starts_with("Exec") && form(section, name) == Some(Form::Exec)
}

/// Returns the names of a section's directives.
pub fn names(section: &str) -> impl Iterator<Item = &'static str> {
    let entries = entries(SECTIONS).filter(move |(of, _, _)| *of == section);
    entries.map(|(_, name, _)| name)
}

/// Returns the sections that have directives, those that are in most units
/// first.
pub fn sections() -> impl Iterator<Item = &'static str> {
    SECTIONS.iter().map(|&(section, _)| section)
}

/// Returns the group of directives of which an empty assignment empties all:
/// the directive itself, but for a few that share one list.
#[must_use]
pub fn reset_group<'a>(section: &str, name: &'a str) -> &'a str {
    match form(section, name) {
        Some(Form::Condition | Form::PathCondition) if name.starts_with('C') => "Condition",
        Some(Form::Condition | Form::PathCondition) => "Assert",
        Some(Form::Listen) => "Listen",
        Some(Form::Calendar | Form::Timer) => "Timer",
        Some(Form::WatchedPath) => "Path",
        Some(Form::List) => match name {
            "BindReadOnlyPaths" => "BindPaths",
            "InaccessibleDirectories" => "InaccessiblePaths",
            "LoadCredentialEncrypted" => "LoadCredential",
            "ReadOnlyDirectories" => "ReadOnlyPaths",
            "ReadWriteDirectories" => "ReadWritePaths",
            "SetCredentialEncrypted" => "SetCredential",
            "StandardInputData" => "StandardInputText",
            _ => name,
        },
        _ => name,
    }
}

/// The form of each directive, and its section's and own name: what is looked up has a shorter life
/// than the table.
static FORMS: LazyLock<Index<(Form, (&str, &str))>> = LazyLock::new(|| {
    let forms = entries(SECTIONS);
    forms
        .map(|(section, name, form)| ((section, name), (form, (section, name))))
        .collect()
});

static VERSIONS: LazyLock<Index<u16>> = LazyLock::new(|| index(version::SECTIONS));

static OBSOLETE: LazyLock<Index<Vec<Obsolete>>> = LazyLock::new(obsolete::index);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(section: &str, names: &str, expected: Kind) {
        for name in names.split_whitespace() {
            assert_eq!(kind(section, name), expected, "{section} {name}");
        }
    }

    #[test]
    fn lists_add_up_and_most_can_be_reset() {
        let resets = Kind::List { resets: true };
        case(
            "Service",
            "ExecStart ExecStopPost Environment EnvironmentFile",
            resets,
        );
        case(
            "Service",
            "SuccessExitStatus BindPaths DeviceAllow RuntimeDirectory",
            resets,
        );
        case(
            "Unit",
            "Documentation ConditionPathExists AssertHost",
            resets,
        );
        case("Timer", "OnCalendar OnBootSec", resets);
        case("Socket", "ListenStream ListenFIFO ExecStartPre", resets);
        case("Path", "PathExists", resets);
        case("Install", "WantedBy RequiredBy Alias", resets);
    }

    #[test]
    fn dependencies_only_grow() {
        let grows = Kind::List { resets: false };
        case(
            "Unit",
            "After Before Requires Wants BindsTo Conflicts PartOf",
            grows,
        );
        case("Unit", "RequiresMountsFor OnFailure", grows);
        case("Service", "Sockets", grows);
        case("Install", "Also", grows);
        case(
            "X-Fleet",
            "Conflicts MachineMetadata MachineOf Replaces",
            grows,
        );
    }

    #[test]
    fn the_rest_is_replaced() {
        case("Unit", "Description StopWhenUnneeded", Kind::Scalar);
        case(
            "Service",
            "Type Restart TimeoutStartSec User LimitNOFILE KillMode",
            Kind::Scalar,
        );
        case("X-Fleet", "Global MachineID", Kind::Scalar);
        case(
            "Service",
            "Description Execstart RestartMode",
            Kind::Unknown,
        );
        case("Unit", "ExecStart", Kind::Unknown);
        case("X-Unitgen", "App", Kind::Unknown);
    }

    #[test]
    fn some_lists_are_shared() {
        assert_eq!(
            reset_group("Timer", "OnBootSec"),
            reset_group("Timer", "OnCalendar")
        );
        assert_eq!(
            reset_group("Unit", "ConditionHost"),
            reset_group("Unit", "ConditionPathExists")
        );
        assert_ne!(
            reset_group("Unit", "AssertHost"),
            reset_group("Unit", "ConditionHost")
        );
        assert_eq!(reset_group("Service", "ExecStart"), "ExecStart");
    }

    #[test]
    fn no_directive_is_listed_twice() {
        for (section, groups) in SECTIONS {
            let rows = groups.iter().flat_map(|group| group.iter());
            let mut names: Vec<_> = rows
                .flat_map(|(_, names)| names.split_whitespace())
                .collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{section}");
        }
    }
}
