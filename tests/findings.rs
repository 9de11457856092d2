//! What holds of the rules for every text.

use proptest::prelude::*;

use unitgen::lint::finding::Findings;
use unitgen::lint::fix::fix;
use unitgen::lint::{self, Options, Unit};
use unitgen::reading::{Readings, Rewrite};
use unitgen::unit::name::UnitName;

/// Texts of pieces that mean something to some rule.
fn text() -> impl Strategy<Value = String> {
    let pieces = [
        "[Service]\n",
        "[Unit]\n",
        "[X-Fleet]\n",
        "[X-fleet]\n",
        "[Install]\n",
        "ExecStart=/bin/true",
        "ExecStart=/bin/sh -c \"docker run --rm x $(a)\"",
        "ExecStartPre=-/usr/bin/docker rm x",
        "ExecStop=/usr/bin/docker stop -t 20 x",
        "Environment=A=1",
        "Environment=PASSWORD=hunter2",
        "Description=x",
        "MachineMetadata=a=b",
        "X-Conflicts=a@*",
        "Restart=always",
        "=",
        "\\",
        "\\\n",
        "\\\\\n",
        "\\ \n",
        "\r\n",
        "\r",
        "\0",
        "\u{feff}",
        "\u{a0}",
        "\u{fffe}",
        "ä",
        "# a \\\n",
        ";",
        "#",
        "\"",
        "'",
        "%",
        "%i",
        "%F",
        "%%",
        "$",
        "$X",
        "${X}",
        "$(date +%m)",
        "date +%m ",
        " ",
        "\t",
        "\n",
        "\n",
        "\n",
    ];
    let piece = prop_oneof![
        12 => proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(|c| c.to_string()),
    ];
    proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

fn look(text: &str) -> Findings {
    let unit = Unit {
        name: "app@.service",
        text,
        is_lossy: false,
    };
    lint::lint(&unit, &Options::default())
}

fn readings(text: &str) -> Readings {
    Readings::new(text.as_bytes(), UnitName::new("app@i.service").unwrap())
}

#[test]
fn a_place_before_a_nul_is_the_right_one() {
    let text = "[Service]\nExecStart=/bin/true%\u{feff}\0";
    let found = look(text).list;
    let shown: Vec<&str> = found
        .iter()
        .map(|finding| &text[finding.range.clone()])
        .collect();
    assert_eq!(shown, ["%", "\0"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A finding can be shown, and its replacements can be made.
    #[test]
    fn places_are_those_of_the_text(text in text()) {
        for finding in look(&text).list {
            let related = finding.related.iter().map(|(range, _)| range);
            let fixes = finding.fix.iter().map(|(range, _)| range);
            for range in related.chain(fixes).chain([&finding.range]) {
                prop_assert!(text.get(range.clone()).is_some(), "{finding:?}");
            }
        }
    }

    /// What fleet would change is found, whatever the reason.
    #[test]
    fn every_difference_between_fleet_and_systemd_is_found(text in text()) {
        let readings = readings(&text);
        let stored = readings.fleet.as_ref();
        let is_same = stored.is_ok_and(|stored| stored.rewrite == Rewrite::Same);
        let refused = readings.systemd.rejection.is_some();
        if !is_same || refused {
            let found = look(&text);
            prop_assert!(found.has_errors(), "{:?}", found.list);
        }
    }

    /// What is mended means the same, and needs no mending again.
    #[test]
    fn mending_keeps_what_systemd_reads(text in text()) {
        let unit = Unit { name: "app@.service", text: &text, is_lossy: false };
        if let Some(fixed) = fix(&unit, &Options::default(), |_| true) {
            let (before, after) = (readings(&text).systemd, readings(&fixed.text).systemd);
            prop_assert_eq!(before.commands, after.commands);
            prop_assert_eq!(before.environment, after.environment);
            prop_assert_eq!(before.environment_files, after.environment_files);
            prop_assert_eq!(before.values, after.values);
            let again = Unit { text: &fixed.text, ..unit };
            prop_assert_eq!(fix(&again, &Options::default(), |_| true), None);
        }
    }
}
