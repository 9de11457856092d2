//! Unit files strangers wrote, if there is a folder of them: every one prints
//! back to the same bytes, and neither reading stumbles over it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use unitgen::lint::{Options, Unit, lint};
use unitgen::unit::UnitFile;
use unitgen::unit::fleet::FleetUnit;
use unitgen::unit::name::UnitName;
use unitgen::unit::specifier::Host;
use unitgen::unit::systemd::{self, Verdict};

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
#[expect(clippy::print_stdout, reason = "the counts are what one wants to see")]
fn every_unit_of_the_corpus_is_read() {
    let Some(folder) = std::env::var_os("UNITGEN_CORPUS") else {
        println!("left out: UNITGEN_CORPUS names no folder of unit files");
        return;
    };
    let folder = Path::new(&folder);
    let units = folder.join("units");
    let files = files_below(if units.is_dir() { &units } else { folder });
    assert!(!files.is_empty());
    let (mut fleet_reads, mut loaded) = (0, 0);
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    for path in &files {
        let text = fs::read(path).unwrap();
        let file = UnitFile::parse(&text);
        assert_eq!(file.print(), text, "{}", path.display());
        match FleetUnit::parse(&text) {
            Ok(unit) => {
                fleet_reads += 1;
                assert_eq!(unit.read_back().unwrap().canonical(), unit.canonical());
            }
            Err(error) => println!("fleet refuses {}: {error}", path.display()),
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let name = UnitName::new(&name)
            .and_then(|name| {
                if name.instance() == Some("") {
                    name.with_instance("1")
                } else {
                    Ok(name)
                }
            })
            .unwrap_or_else(|_| UnitName::new("t.service").unwrap());
        for code in findings(name.as_str(), &text) {
            *codes.entry(code).or_default() += 1;
        }
        let reading = systemd::read(&file, &name, &Host::unknown());
        match reading.verdict {
            Verdict::Loaded => loaded += 1,
            verdict => println!(
                "systemd: {verdict:?} {} {:?}",
                path.display(),
                reading.warnings.last()
            ),
        }
    }
    println!(
        "{} files, fleet reads {fleet_reads}, systemd loads {loaded}",
        files.len()
    );
    println!("findings: {codes:?}");
}

/// Returns the codes of what is found, each of which can be shown.
fn findings(name: &str, bytes: &[u8]) -> Vec<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    let unit = Unit {
        name,
        text: &text,
        is_lossy: text.as_bytes() != bytes,
    };
    let found = lint(&unit, &Options::default());
    let findings = found.list.into_iter();
    findings
        .map(|finding| {
            assert!(text.get(finding.range.clone()).is_some(), "{finding:?}");
            finding.rule.code
        })
        .collect()
}
