//! What systemd and fleet make of one text, side by side.
//!
//! In: a unit file's bytes and the name that it is read under. Out: both programs' readings, and
//! whether the one reads what the other stores as it reads the file itself.
//!
//! It must not know where the text is from, nor how any of this is shown.

use std::collections::{BTreeMap, BTreeSet};

use crate::directive::{Form, Kind, form, kind};
use crate::unit::fleet::constraints::Constraints;
use crate::unit::fleet::{FleetUnit, ParseError, hash};
use crate::unit::name::{NameError, UnitName, check_fleet_name};
use crate::unit::specifier::{Context, Host, open_specifiers};
use crate::unit::systemd::complaint::Rejection;
use crate::unit::systemd::{self, Reading, Verdict};
use crate::unit::{Directive, UnitFile};

/// Holds what the two programs make of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readings {
    /// The name that the text is read under.
    pub name: UnitName,
    /// The directives that reach systemd's value parsers, or why none does.
    pub entries: Result<Vec<Directive>, Rejection>,
    /// What systemd ends up with.
    pub systemd: Reading,
    /// The letters of the specifiers that only the machine can answer.
    pub open_specifiers: BTreeSet<char>,
    /// What fleet ends up with, or why it can't read the text.
    pub fleet: Result<Stored, ParseError>,
    /// Why fleet refuses the unit's name.
    pub name_error: Option<NameError>,
}

/// Holds what fleet makes of a text that it can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The options.
    pub unit: FleetUnit,
    /// The text that it stores.
    pub canonical: String,
    /// That text's hash.
    pub hash: String,
    /// Whether that text is the file's own, byte for byte.
    pub is_as_given: bool,
    /// What it schedules the unit by.
    pub constraints: Constraints,
    /// Why it refuses the unit, in its own words.
    pub refusal: Option<String>,
    /// What systemd makes of the stored text.
    pub rewrite: Rewrite,
    /// How the options of `[X-Fleet]` that fleet sees differ from those that stand there for anybody
    /// who reads as systemd does; `None` where systemd can't read the file.
    pub constraint_changes: Option<Changes>,
}

/// Tells what systemd makes of the text that fleet stores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// The same as of the file itself.
    Same,
    /// Something else.
    Changed(Changes),
    /// It can't read it.
    Refused(Rejection),
    /// It can read it, but not the file itself.
    Readable,
}

/// Holds the directives that only one of two texts has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those of the first text only.
    pub lost: Vec<Directive>,
    /// Those of the second text only.
    pub gained: Vec<Directive>,
}

impl Readings {
    /// Reads a text under a name, on a machine of which nothing is known.
    #[must_use]
    pub fn new(text: &[u8], name: UnitName) -> Self {
        let host = Host::unknown();
        let file = UnitFile::parse(text);
        let entries = entries(&file);
        let systemd = read(&file, &name, &host);
        let open_specifiers = open(&entries, &host);
        let fleet = FleetUnit::parse(text).map(|unit| {
            let canonical = unit.canonical();
            Stored {
                hash: hash(&canonical),
                is_as_given: canonical.as_bytes() == text,
                constraints: Constraints::read(&unit, name.as_str()),
                refusal: refusal(&unit),
                rewrite: rewrite(&entries, &systemd, &canonical, &name, &host),
                constraint_changes: constraint_changes(&entries, &unit),
                unit,
                canonical,
            }
        });
        Self {
            name_error: check_fleet_name(name.as_str()).err(),
            name,
            entries,
            systemd,
            open_specifiers,
            fleet,
        }
    }

    /// Returns the settings of one value each that systemd takes, by section and name; an empty one
    /// only restored a default.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        let values = self.systemd.values.iter();
        values
            .map(|((section, name), value)| (*section, *name, value.as_str()))
            .filter(|(section, name, value)| {
                kind(section, name) == Kind::Scalar && !value.is_empty()
            })
    }
}

impl Changes {
    /// Finds what only one of two lists of directives has. Only the order within a section means
    /// anything, and fleet keeps that.
    fn between(before: &[Directive], after: &[Directive]) -> Self {
        Self {
            lost: without(before, after),
            gained: without(after, before),
        }
    }

    /// Tells whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self { lost, gained } = self;
        lost.is_empty() && gained.is_empty()
    }
}

/// Returns the directives that the others do not have, or not as often.
fn without(directives: &[Directive], others: &[Directive]) -> Vec<Directive> {
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for other in others {
        *counts.entry(content(other)).or_default() += 1;
    }
    let mut missing = Vec::new();
    for directive in directives {
        match counts.get_mut(&content(directive)) {
            Some(count) if *count > 0 => *count -= 1,
            _ => missing.push(directive.clone()),
        }
    }
    missing
}

/// Returns what a directive says, wherever it stands.
fn content(directive: &Directive) -> (&str, &str, &str) {
    let Directive {
        section,
        name,
        value,
        line: _,
    } = directive;
    (section, name, value)
}

/// Returns the directives of a file as systemd hands them on; bytes are text, for it refuses others.
fn entries(file: &UnitFile<'_>) -> Result<Vec<Directive>, Rejection> {
    systemd::entries(file).map(|_| file.directives())
}

/// Reads a file as systemd does. What it had taken before it found that it can't read the file at
/// all is of no use to anybody.
fn read(file: &UnitFile<'_>, name: &UnitName, host: &Host) -> Reading {
    let mut reading = systemd::read(file, name, host);
    if reading.verdict == Verdict::Error {
        let Reading {
            verdict: _,
            rejection: _,
            warnings: _,
            commands,
            environment,
            environment_files,
            values,
        } = &mut reading;
        commands.clear();
        environment.clear();
        environment_files.clear();
        values.clear();
    }
    reading
}

/// Finds the specifiers that only the machine can answer in what is shown of a unit.
fn open(entries: &Result<Vec<Directive>, Rejection>, host: &Host) -> BTreeSet<char> {
    let expanded = entries.iter().flatten().filter(|entry| {
        matches!(
            form(&entry.section, &entry.name),
            Some(Form::Environment | Form::EnvironmentFile | Form::Exec | Form::Text)
        )
    });
    expanded
        .flat_map(|entry| open_specifiers(entry.value.as_bytes(), Context::Full, host))
        .collect()
}

/// Returns why fleet's API does not create a unit, in its words.
fn refusal(unit: &FleetUnit) -> Option<String> {
    if unit.options.is_empty() {
        return Some("unit does not exist and options field empty".to_owned());
    }
    // It looks at the options before it knows the name.
    Constraints::read(unit, "").refusal()
}

/// Holds systemd's reading of the text that fleet stores against that of the file.
fn rewrite(
    entries_of_file: &Result<Vec<Directive>, Rejection>,
    reading_of_file: &Reading,
    canonical: &str,
    name: &UnitName,
    host: &Host,
) -> Rewrite {
    let file = UnitFile::parse(canonical);
    match (entries_of_file, entries(&file)) {
        (_, Err(rejection)) => Rewrite::Refused(rejection),
        (Err(_), Ok(_)) => Rewrite::Readable,
        (Ok(before), Ok(after)) => {
            let is_same = grouped(before) == grouped(&after)
                && comes_to_the_same(reading_of_file, &read(&file, name, host));
            if is_same {
                Rewrite::Same
            } else {
                Rewrite::Changed(Changes::between(before, &after))
            }
        }
    }
}

/// Returns what each section says, in its order.
fn grouped(directives: &[Directive]) -> BTreeMap<&str, Vec<(&str, &str)>> {
    let mut sections: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (section, name, value) in directives.iter().map(content) {
        sections.entry(section).or_default().push((name, value));
    }
    sections
}

/// Tells whether two readings leave systemd with the same unit. Lines are numbered otherwise in
/// another text, and a unit that is refused may be so at another of its sections.
fn comes_to_the_same(one: &Reading, other: &Reading) -> bool {
    let Reading {
        verdict,
        rejection: _,
        warnings: _,
        commands,
        environment,
        environment_files,
        values,
    } = one;
    let is_same = *commands == other.commands
        && *environment == other.environment
        && *environment_files == other.environment_files
        && *values == other.values;
    *verdict == other.verdict && (is_same || *verdict != Verdict::Loaded)
}

/// Holds the options of `[X-Fleet]` that fleet sees against those that stand there.
fn constraint_changes(
    entries: &Result<Vec<Directive>, Rejection>,
    unit: &FleetUnit,
) -> Option<Changes> {
    let is_constraint = |section: &str| section == "X-Fleet";
    let entries = entries.as_ref().ok()?.iter();
    let standing: Vec<Directive> = entries
        .filter(|entry| is_constraint(&entry.section))
        .cloned()
        .collect();
    let options = unit.options.iter();
    let seen: Vec<Directive> = options
        .filter(|option| is_constraint(&option.section))
        .map(|option| Directive {
            section: option.section.clone(),
            name: option.name.clone(),
            value: option.value.clone(),
            line: 0,
        })
        .collect();
    Some(Changes::between(&standing, &seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(text: &str) -> Readings {
        Readings::new(text.as_bytes(), UnitName::new("web@1.service").unwrap())
    }

    fn stored(text: &str) -> Stored {
        readings(text).fleet.unwrap()
    }

    fn lines(directives: &[Directive]) -> Vec<String> {
        let line = |one: &Directive| format!("{} {}={}", one.section, one.name, one.value);
        directives.iter().map(line).collect()
    }

    #[test]
    fn the_rewrite_is_read_as_systemd_reads_it() {
        let grouped = "[Unit]\nA=b\n[Service]\nExecStart=/a\n[Unit]\nC=d\n";
        assert_eq!(stored(grouped).rewrite, Rewrite::Same);
        assert!(!stored(grouped).is_as_given);
        let plain = stored("[Service]\nExecStart=/a\n");
        assert!(plain.is_as_given && plain.refusal.is_none());
        let Rewrite::Changed(changes) =
            stored("[Unit]\n# a \\\nDescription=b\n[Service]\nExecStart=/a\n").rewrite
        else {
            panic!();
        };
        assert_eq!(lines(&changes.lost), ["Unit Description=b"]);
        assert_eq!(lines(&changes.gained), [""; 0]);
        let Rewrite::Changed(changes) =
            stored("[Service]\nExecStart=/a b \\ \nUser=c\nUser=c\n").rewrite
        else {
            panic!();
        };
        assert_eq!(
            lines(&changes.lost),
            ["Service ExecStart=/a b \\", "Service User=c"]
        );
        assert_eq!(lines(&changes.gained), ["Service ExecStart=/a b  User=c"]);
        assert!(matches!(
            stored("[A\nb=c\n[D]\ne=f\n").rewrite,
            Rewrite::Refused(_)
        ));
        let text = b"[Service]\nExecStart=/a \xff\n";
        let name = UnitName::new("a.service").unwrap();
        let readings = Readings::new(text, name);
        assert_eq!(readings.fleet.unwrap().rewrite, Rewrite::Readable);
        assert!(readings.entries.is_err());
        assert!(readings.systemd.commands.is_empty());
    }

    #[test]
    fn constraints_can_get_lost_on_the_way_to_fleet() {
        let changes =
            |text: &str| stored(&format!("[Service]\nExecStart=/a{text}\n")).constraint_changes;
        assert!(changes("\n[X-Fleet]\nGlobal=true").unwrap().is_empty());
        let lost = changes(" \\\\\n[X-Fleet]\nConflicts=b").unwrap();
        assert_eq!(lines(&lost.lost), ["X-Fleet Conflicts=b"]);
        assert!(changes("\n[X-'a']").is_none());
    }

    #[test]
    fn fleet_refuses_a_unit_in_its_own_words() {
        let refusal = |text: &str| stored(text).refusal.unwrap();
        assert_eq!(
            refusal("# nothing\n"),
            "unit does not exist and options field empty"
        );
        assert_eq!(
            refusal("[X-Fleet]\nGlobal=true\nMachineOf=a.service\n"),
            "Global cannot be used with Peers"
        );
    }

    #[test]
    fn settings_have_one_value_each() {
        let readings = readings(
            "[Unit]\nDescription=%p on %H\nAfter=a.service\n[Service]\nExecStart=/a %v %% %t\n\
             Restart=no\nRestart=always\nUser=\nTimeoutStartSec=soon\n",
        );
        let settings: Vec<_> = readings.settings().collect();
        assert_eq!(
            settings,
            [
                ("Service", "Restart", "always"),
                ("Unit", "Description", "web on %H"),
            ]
        );
        assert!(readings.open_specifiers.into_iter().eq(['H', 'v']));
    }
}
