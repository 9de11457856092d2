//! The rules: what is wrong with a unit file that systemd and fleet would take, or would refuse.
//!
//! In: a unit's text and name. Out: findings in terms of the text, each with the code of its rule. A
//! rule reports only what it can prove from the text. Knows nothing of files and manifests.

use std::cmp::Reverse;
use std::ops::Range;

use crate::lint::container::calls;
use crate::lint::finding::Findings;
use crate::lint::rule::Rule;
use crate::lint::service::Settings;
use crate::lint::subject::{Subject, loaded_name};
use crate::unit::UnitFile;
use crate::unit::name::UnitName;
use crate::unit::systemd::Verdict;

mod agreement;
mod combinations;
mod command;
mod container;
mod docker;
mod encoding;
mod environment;
mod etcd;
pub mod finding;
pub mod fix;
pub mod fleet;
pub mod keys;
mod lines;
pub mod rule;
pub mod scheduling;
mod secrets;
mod sections;
mod service;
mod shell;
mod specifiers;
mod subject;
mod values;
mod variables;
mod versions;
mod words;

/// The version of systemd that unitgen reads unit files as.
pub const SYSTEMD_VERSION: u16 = 252;

/// The greatest length of a text whose commands are compared with each other: a unit that people
/// write has a tenth of it, and the time for comparing grows with the square.
const TEXT_MAXIMUM: usize = 32 << 10;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The version of systemd on the machines that are to run the units.
    pub systemd: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            systemd: SYSTEMD_VERSION,
        }
    }
}

/// The unit that is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Unit<'a> {
    /// The name of its file: a plain unit's, a template's or an instance's.
    pub name: &'a str,
    /// Its text; what was no UTF-8 is U+FFFD.
    pub text: &'a str,
    /// Whether something was no UTF-8.
    pub is_lossy: bool,
}

/// Returns all rules, by code.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    let families = [
        encoding::RULES.as_slice(),
        &lines::RULES,
        &sections::RULES,
        &agreement::RULES,
        &keys::RULES,
        &values::RULES,
        &words::RULES,
        &specifiers::RULES,
        &environment::RULES,
        &fleet::RULES,
        &combinations::RULES,
        &scheduling::RULES,
        &versions::RULES,
        &docker::RULES,
        &service::RULES,
        &secrets::RULES,
        &etcd::RULES,
    ];
    let mut rules = families.concat();
    rules.sort_by_key(|rule| rule.code);
    rules.into_iter()
}

/// Returns the rule that has a code, in letters of either case.
#[must_use]
pub fn rule(code: &str) -> Option<&'static Rule> {
    rules().find(|rule| rule.code.eq_ignore_ascii_case(code))
}

/// Tells, at a fraction of what a look costs, whether a text may hold a secret.
#[must_use]
pub fn may_hold_secret(text: &str) -> bool {
    secrets::may_hold_one(text)
}

/// Looks at one unit.
#[must_use]
pub fn lint(unit: &Unit<'_>, options: &Options) -> Findings {
    let mut found = Findings::default();
    let file = UnitFile::parse(unit.text);
    let Some(name) = loaded_name(unit.name).or_else(|| UnitName::new("unit.service").ok()) else {
        return found;
    };
    let mut subject = Subject::new(unit.text, &file, &name, options);
    found.is_loaded = subject.reading.verdict == Verdict::Loaded;
    agreement::check_name(unit.name, &mut found);
    encoding::check(&subject, unit.is_lossy, &mut found);
    lines::check(&subject, &mut found);
    sections::check(&subject, &mut found);
    agreement::check(&subject, &mut found);
    subject.note_misread(&found);
    keys::check(&subject, &mut found);
    values::check(&subject, &mut found);
    specifiers::check(&subject, &mut found);
    words::check(&subject, &mut found);
    environment::check(&subject, &mut found);
    scheduling::check(&subject, &mut found);
    versions::check(&subject, &mut found);
    if subject.unit.kind_of_unit() == "service" && unit.text.len() <= TEXT_MAXIMUM {
        let settings = Settings::new(&subject);
        let calls = calls(&subject);
        docker::check(&subject, &settings, &calls, &mut found);
        service::check(&subject, &settings, &calls, &mut found);
        etcd::check(&subject, &mut found);
    }
    secrets::check(&subject, &mut found);
    found.secrets.sort_by_key(|secret| Reverse(secret.len()));
    found.secrets.dedup();
    for finding in &mut found.list {
        let related = finding.related.iter_mut().map(|(range, _)| range);
        for range in related.chain([&mut finding.range]) {
            *range = whole_characters(unit.text, range);
        }
    }
    found
        .list
        .sort_by_key(|finding| (finding.range.start, finding.rule.code));
    found
}

/// Checks count bytes; what is shown has whole characters.
fn whole_characters(text: &str, range: &Range<usize>) -> Range<usize> {
    let mut start = range.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = range.end.clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the codes that are found in a text.
    fn codes(text: &str) -> Vec<&'static str> {
        let unit = Unit {
            name: "app@.service",
            text,
            is_lossy: false,
        };
        let found = lint(&unit, &Options::default());
        found.list.iter().map(|finding| finding.rule.code).collect()
    }

    #[test]
    fn each_example_has_its_finding_and_no_other() {
        let mut faults = Vec::new();
        for rule in rules().filter(|rule| !rule.bad.is_empty()) {
            let mut found = codes(rule.bad);
            found.dedup();
            let mended = codes(rule.good);
            if found != [rule.code] || !mended.is_empty() {
                faults.push(format!("{}: {found:?}, then {mended:?}", rule.code));
            }
        }
        assert!(faults.is_empty(), "{faults:#?}");
    }

    #[test]
    fn no_code_is_given_twice() {
        let mut codes: Vec<_> = rules().map(|rule| rule.code).collect();
        let count = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }

    #[test]
    fn every_rule_is_explained() {
        for rule in rules() {
            assert!(rule.reason.ends_with('.'), "{}", rule.code);
        }
    }
}
