//! Any bytes as a unit file: nothing panics, nothing hangs, and what is promised of every text holds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use unitgen::lint::fix::fix;
use unitgen::lint::{Options, Unit, lint};
use unitgen::reading::Readings;
use unitgen::unit::UnitFile;
use unitgen::unit::fleet::FleetUnit;
use unitgen::unit::name::UnitName;

fuzz_target!(|bytes: &[u8]| {
    let file = UnitFile::parse(bytes);
    assert_eq!(file.print(), bytes, "printing gives back what was read");
    for item in file.items() {
        let positions = item.value_positions();
        assert!(positions.iter().all(|at| *at <= item.source.len()));
    }
    if let Ok(unit) = FleetUnit::parse(bytes) {
        let _ = unit.read_back();
    }
    let text = String::from_utf8_lossy(bytes);
    for name in ["app@.service", "app.timer"] {
        let unit = Unit {
            name,
            text: &text,
            is_lossy: false,
        };
        let options = Options::default();
        let found = lint(&unit, &options);
        for finding in &found.list {
            let ranges = finding.related.iter().map(|(range, _)| range);
            let fixes = finding.fix.iter().map(|(range, _)| range);
            for range in ranges.chain(fixes).chain([&finding.range]) {
                assert!(text.get(range.clone()).is_some(), "{finding:?}");
            }
        }
        let _ = fix(&unit, &options, |_| true);
    }
    let Ok(name) = UnitName::new("app@i.service") else {
        return;
    };
    let _ = Readings::new(bytes, name);
});
