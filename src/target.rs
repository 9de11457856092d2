//! What of a unit is fleet's, and what is unitgen's own mark.
//!
//! Knows nothing of how either is checked.

/// fleet's section.
pub const SECTION: &str = "X-Fleet";

/// The section that marks a unit as rendered. fleet keeps it, and systemd ignores it.
pub const MARK: &str = "X-Unitgen";

/// What fleet replaces in a value; it has no escape.
pub const SPECIFIERS: [&str; 4] = ["%n", "%N", "%p", "%i"];

/// The options that fleet has.
pub const OPTIONS: [&str; 6] = [
    "Conflicts",
    "Global",
    "MachineID",
    "MachineMetadata",
    "MachineOf",
    "Replaces",
];

/// Names that fleet still reads, with what they are called now.
pub const LEGACY: [(&str, &str); 5] = [
    ("X-ConditionMachineBootID", "MachineID"),
    ("X-ConditionMachineID", "MachineID"),
    ("X-ConditionMachineMetadata", "MachineMetadata"),
    ("X-ConditionMachineOf", "MachineOf"),
    ("X-Conflicts", "Conflicts"),
];
