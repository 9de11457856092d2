//! What fleet makes of a unit's `[X-Fleet]` section.
//!
//! In: the options as fleet stores them and the unit's name. Out: where the
//! unit may run, the keys fleet does not know, and whether its client and API
//! refuse the combination.
//!
//! It must not know machines or other units.

use std::collections::{BTreeMap, BTreeSet};

use crate::glob::matches;
use crate::unit::fleet::FleetUnit;
use crate::unit::name::{FleetNameParts, fleet_parts};

/// Holds the constraints fleet schedules a unit by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraints {
    /// Patterns of units it does not share a machine with.
    pub conflicts: Vec<String>,
    /// Patterns of units that have to make room.
    pub replaces: Vec<String>,
    /// Units it shares a machine with.
    pub peers: Vec<String>,
    /// Metadata of its machine: any of the values, for each of the keys.
    pub metadata: BTreeMap<String, BTreeSet<String>>,
    /// The machine it runs on.
    pub machine_id: Option<String>,
    /// Whether it runs on every machine.
    pub global: bool,
    /// Keys fleet ignores, each once.
    pub unknown: Vec<String>,
}

/// The keys fleet knows, those from its past included.
const KNOWN: [&str; 11] = [
    "MachineID",
    "X-ConditionMachineID",
    "X-ConditionMachineBootID",
    "X-ConditionMachineOf",
    "MachineOf",
    "X-Conflicts",
    "Conflicts",
    "X-ConditionMachineMetadata",
    "MachineMetadata",
    "Global",
    "Replaces",
];

impl Constraints {
    /// Reads the constraints of the unit with this name. Without a name, or
    /// with one that has no dot, specifiers stay as they are.
    #[must_use]
    pub fn read(unit: &FleetUnit, name: &str) -> Self {
        let parts = fleet_parts(name);
        let mut values: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut constraints = Self::default();
        for option in &unit.options {
            if option.section.as_ref() != "X-Fleet" {
                continue;
            }
            let key = option.name.as_str();
            if !KNOWN.contains(&key) && !values.contains_key(key) {
                constraints.unknown.push(key.to_owned());
            }
            for value in split_quoted(&option.value) {
                let value = expand(value, name, parts.as_ref());
                values.entry(key).or_default().push(value);
            }
        }
        let mut take = |key: &str| values.remove(key).unwrap_or_default();
        for key in ["X-Conflicts", "Conflicts"] {
            let patterns = take(key);
            let words = patterns.iter().flat_map(|value| value.split_whitespace());
            constraints.conflicts.extend(words.map(str::to_owned));
        }
        for key in ["X-ConditionMachineOf", "MachineOf"] {
            constraints.peers.extend(take(key));
        }
        constraints.replaces = take("Replaces");
        for key in ["X-ConditionMachineMetadata", "MachineMetadata"] {
            for pair in take(key) {
                constraints.add_metadata(&pair);
            }
        }
        let machines = [
            "MachineID",
            "X-ConditionMachineID",
            "X-ConditionMachineBootID",
        ];
        constraints.machine_id = machines.iter().find_map(|key| take(key).into_iter().next());
        constraints.global = take("Global").last().is_some_and(|value| is_true(value));
        constraints
    }

    /// Keeps a pair with exactly one `=`; fleet drops any other without a word.
    fn add_metadata(&mut self, pair: &str) {
        if let Some((key, value)) = pair.split_once('=')
            && !key.is_empty()
            && !value.is_empty()
            && !value.contains('=')
        {
            let values = self.metadata.entry(key.to_owned()).or_default();
            values.insert(value.to_owned());
        }
    }

    /// Returns why fleet's client and API refuse the unit, in their words.
    /// They look at values before specifiers are expanded, so that this is to
    /// be asked of constraints read without a name.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        for peer in &self.peers {
            for (what, patterns) in [("conflict", &self.conflicts), ("replace", &self.replaces)] {
                if let Some(pattern) = patterns.iter().find(|pattern| matches(pattern, peer)) {
                    return Some(format!(
                        "unresolvable requirements: peer {peer:?} matches {what} {pattern:?}"
                    ));
                }
            }
        }
        let used = [
            ("MachineID", self.machine_id.is_some()),
            ("Peers", !self.peers.is_empty()),
            ("Conflicts", !self.conflicts.is_empty()),
            ("Global", self.global),
            ("Replaces", !self.replaces.is_empty()),
        ];
        let is_used = |name: &str| used.contains(&(name, true));
        let exclusive = [
            ("MachineID", "Peers"),
            ("MachineID", "Conflicts"),
            ("MachineID", "Global"),
            ("MachineID", "Replaces"),
            ("Global", "Peers"),
            ("Global", "Replaces"),
            ("Conflicts", "Replaces"),
        ];
        let (first, second) = exclusive
            .into_iter()
            .find(|(first, second)| is_used(first) && is_used(second))?;
        Some(format!("{first} cannot be used with {second}"))
    }
}

/// Splits a value that starts and ends with a quote into its items; any other
/// value is one item. Only a space separates, a tab does not.
#[must_use]
pub fn split_quoted(value: &str) -> Vec<String> {
    if !value.starts_with('"') || !value.ends_with('"') {
        return vec![value.to_owned()];
    }
    let mut items = Vec::new();
    let mut item = String::new();
    let mut quoted = false;
    for character in value.chars() {
        match character {
            '"' => quoted = !quoted,
            ' ' if !quoted => items.push(std::mem::take(&mut item)),
            _ => item.push(character),
        }
    }
    items.push(item);
    items
}

/// Replaces the four specifiers fleet knows, one after the other.
fn expand(value: String, name: &str, parts: Option<&FleetNameParts<'_>>) -> String {
    match parts {
        Some(parts) if value.contains('%') => value
            .replace("%n", name)
            .replace("%N", parts.name)
            .replace("%p", parts.prefix)
            .replace("%i", parts.instance),
        _ => value,
    }
}

/// Tells whether fleet takes an option's value for true.
#[must_use]
pub fn is_true(value: &str) -> bool {
    ["true", "yes", "1", "on", "t"].contains(&value.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Constraints {
        let unit = FleetUnit::parse(&format!("[X-Fleet]\n{lines}\n")).unwrap();
        Constraints::read(&unit, "web@8080.service")
    }

    #[test]
    fn conflicts_are_split_at_blanks() {
        let conflicts = |lines: &str| read(lines).conflicts.join("|");
        assert_eq!(conflicts("Conflicts=a* b*"), "a*|b*");
        assert_eq!(conflicts("Conflicts=\"a*\" \"b*\""), "a*|b*");
        assert_eq!(conflicts("Conflicts=\"a*\" b*"), "\"a*\"|b*");
        assert_eq!(conflicts("Conflicts=a*,b*"), "a*,b*");
        assert_eq!(
            conflicts("Conflicts=a*\nConflicts=\nX-Conflicts=b*"),
            "b*|a*"
        );
        assert_eq!(
            conflicts("Conflicts=%p@*.service %i %n %N %% %H"),
            "web@*.service|8080|web@8080.service|web@8080|%%|%H"
        );
        assert_eq!(conflicts("Conflicts=a* \\\n b*"), "a*|\\|b*");
    }

    #[test]
    fn metadata_needs_one_equals_sign() {
        let metadata = |lines: &str| {
            let metadata = read(lines).metadata;
            let pairs = metadata.into_iter().map(|(key, values)| {
                format!("{key}:{}", values.into_iter().collect::<Vec<_>>().join(","))
            });
            pairs.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            metadata("MachineMetadata=a=b\nMachineMetadata=a=c\nMachineMetadata=d=e"),
            "a:b,c d:e"
        );
        assert_eq!(metadata("MachineMetadata=\"a=b\" \"c=d\""), "a:b c:d");
        assert_eq!(metadata("MachineMetadata=\"a=b c\""), "a:b c");
        assert_eq!(metadata("MachineMetadata=a=b c=d"), "");
        assert_eq!(metadata("MachineMetadata=\"a=b\"\t\"c=d\""), "");
        assert_eq!(
            metadata(
                "MachineMetadata=a\nMachineMetadata=a=\nMachineMetadata==a\nMachineMetadata=a=b=c"
            ),
            ""
        );
        assert_eq!(metadata("X-ConditionMachineMetadata=a=b"), "a:b");
    }

    #[test]
    fn the_other_keys() {
        assert_eq!(
            read("MachineOf=\"a.service\" \"b.service\"").peers,
            ["a.service", "b.service"]
        );
        assert_eq!(
            read("MachineOf=a.service b.service").peers,
            ["a.service b.service"]
        );
        assert_eq!(read("Replaces=a* b*").replaces, ["a* b*"]);
        assert_eq!(
            read("MachineID=a\nMachineID=b").machine_id.as_deref(),
            Some("a")
        );
        assert_eq!(
            read("X-ConditionMachineBootID=a").machine_id.as_deref(),
            Some("a")
        );
        for value in ["true", "TRUE", "yes", "1", "on", "t", "\"true\""] {
            assert!(read(&format!("Global={value}")).global, "{value}");
        }
        for value in ["y", "false", "enabled", "", "true\nGlobal=false"] {
            assert!(!read(&format!("Global={value}")).global, "{value}");
        }
        assert_eq!(
            read("conflicts=a\nX-Foo=b\nconflicts=c").unknown,
            ["conflicts", "X-Foo"]
        );
        let other = FleetUnit::parse("[X-fleet]\nGlobal=true\n").unwrap();
        assert_eq!(
            Constraints::read(&other, "a.service"),
            Constraints::default()
        );
    }

    #[test]
    fn some_combinations_are_refused() {
        #[track_caller]
        fn case(lines: &str, expected: Option<&str>) {
            assert_eq!(read(lines).refusal().as_deref(), expected, "{lines}");
        }
        case(
            "MachineID=a\nConflicts=b",
            Some("MachineID cannot be used with Conflicts"),
        );
        case(
            "MachineID=a\nMachineOf=b",
            Some("MachineID cannot be used with Peers"),
        );
        case(
            "Global=true\nMachineOf=b",
            Some("Global cannot be used with Peers"),
        );
        case(
            "Conflicts=a\nReplaces=b",
            Some("Conflicts cannot be used with Replaces"),
        );
        case("Global=true\nConflicts=a\nMachineMetadata=b=c", None);
        case("MachineID=a\nMachineMetadata=b=c", None);
        case(
            "MachineOf=web@1.service\nConflicts=web@*.service",
            Some(
                "unresolvable requirements: peer \"web@1.service\" matches conflict \"web@*.service\"",
            ),
        );
    }

    #[test]
    fn patterns_match_whole_names() {
        #[track_caller]
        fn case(pattern: &str, name: &str, expected: bool) {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        case("app@*.service", "app@1.service", true);
        case("app*", "app@1.service", true);
        case("*", "", true);
        case("*a*b", "xaxbxab", true);
        case("*a*b", "xaxbxa", false);
        case("a*", "a/b", false);
        case("app@[0-9].service", "app@1.service", true);
        case("app@[^0-9].service", "app@1.service", false);
        case("app@?.service", "app@12.service", false);
        case("a\\x2db", "a\\x2db", false);
        case("a\\\\x2db", "a\\x2db", true);
        case("app@{1,2}", "app@1", false);
        case("APP*", "app", false);
        case("app", "app.service", false);
        for malformed in ["a[", "a[b", "a[]", "a[-b]", "a[b-]", "a\\", "[]a]"] {
            case(malformed, "a", false);
        }
    }
}
