//! What a unit's text says to fleet and to systemd, as far as it matters here.

use unitgen::unit::fleet::FleetUnit;
use unitgen::unit::fleet::constraints::Constraints;
use unitgen::unit::name::fleet_parts;

/// A unit's text, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    /// As it is stored.
    pub(crate) raw: String,
    pub(crate) hash: String,
    pub(crate) constraints: Constraints,
    /// The units that it stops with.
    pub(crate) binds_to: Vec<String>,
    /// The units that are started with it.
    pub(crate) wants: Vec<String>,
    /// Whether it ends by itself.
    pub(crate) is_oneshot: bool,
}

impl Text {
    /// Reads the text of the unit with this name.
    pub(crate) fn read(name: &str, raw: &str) -> Self {
        let unit = FleetUnit::parse(raw).unwrap_or_default();
        let values = |section: &str, key: &str| -> Vec<String> {
            let options = unit.options.iter();
            let found = options.filter(|option| &*option.section == section && option.name == key);
            found.map(|option| expand(&option.value, name)).collect()
        };
        let units = |key: &str| -> Vec<String> {
            let values = values("Unit", key);
            let words = values.iter().flat_map(|value| value.split_whitespace());
            words.map(str::to_owned).collect()
        };
        Self {
            raw: raw.to_owned(),
            hash: unit.hash(),
            constraints: Constraints::read(&unit, name),
            binds_to: units("BindsTo"),
            wants: units("Wants"),
            is_oneshot: values("Service", "Type") == ["oneshot"],
        }
    }
}

/// Expands what systemd makes of a unit's own name.
fn expand(value: &str, name: &str) -> String {
    let Some(parts) = fleet_parts(name) else {
        return value.to_owned();
    };
    let value = value.replace("%n", name).replace("%N", parts.name);
    value
        .replace("%p", parts.prefix)
        .replace("%i", parts.instance)
}
