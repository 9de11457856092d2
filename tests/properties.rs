//! What holds for every input.

use proptest::prelude::*;

use unitgen::unit::UnitFile;
use unitgen::unit::dollar::substitute;
use unitgen::unit::escape::{escape, fleet_escape, fleet_unescape, unescape};
use unitgen::unit::fleet::{self, FleetUnit};
use unitgen::unit::name::UnitName;
use unitgen::unit::quote::{join_wrapped, quote_argument, quote_assignment};
use unitgen::unit::specifier::Host;
use unitgen::unit::systemd::{self, Reading, Verdict};
use unitgen::unit::words::{split_assignments, split_commands};

/// Bytes that often mean something in a unit file.
fn unit_text() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        "[Service]",
        "[X-Fleet]",
        "[Unit",
        "]",
        "\n",
        "\r",
        "\0",
        "\\",
        "\\\n",
        "\\ \n",
        "#",
        ";",
        "=",
        " ",
        "\t",
        "ExecStart=",
        "ExecStart=/bin/a ",
        "Environment=",
        "A=b",
        "\"",
        "'",
        "%",
        "%i",
        "%%",
        "$",
        "${X}",
        "\\x41",
        "\u{feff}",
        "\u{a0}",
        "\u{85}",
        "\u{fdd0}",
        "After=",
        "é",
        "- ",
        "@",
        "\n\n",
    ];
    let piece = prop_oneof![
        8 => proptest::sample::select(pieces.to_vec()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..8),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Arguments: any text, with a weight on what has a meaning somewhere.
fn argument() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => proptest::sample::select("\"'\\%$;#{}-@:+!= \t\n\r\u{b}\u{a0}\u{85}\u{2028}\u{fffe}\u{7f}\u{1}ab0nxuUs%i".chars().collect::<Vec<_>>())
            .prop_map(|character| character.to_string().into_bytes()),
        2 => any::<char>().prop_map(|character| character.to_string().into_bytes()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    let without_nul = |bytes: Vec<Vec<u8>>| -> Vec<u8> {
        bytes
            .concat()
            .into_iter()
            .filter(|&byte| byte != 0)
            .collect()
    };
    proptest::collection::vec(piece, 0..24).prop_map(without_nul)
}

fn is_noncharacter(character: char) -> bool {
    u32::from(character) & 0xfffe == 0xfffe || ('\u{fdd0}'..='\u{fdef}').contains(&character)
}

fn load(text: &str) -> Reading {
    let name = UnitName::new("app-web@7.service").unwrap();
    systemd::read(&UnitFile::parse(text), &name, &Host::unknown())
}

/// Asserts that fleet keeps the text byte for byte.
fn assert_fleet_keeps(text: &str) {
    let unit = FleetUnit::parse(text).unwrap();
    assert_eq!(unit.canonical(), text);
    assert_eq!(unit.read_back().unwrap(), unit);
}

/// Lines that make a canonical text more often than not.
fn nearly_canonical() -> impl Strategy<Value = String> {
    let lines = [
        "[Unit]\n",
        "[X-Fleet]\n",
        "A=b\n",
        "Name=some value\n",
        "B=\n",
        "\n",
        "A=\\\n",
        " =\n",
        "x",
        "[",
        "é=1\n",
    ];
    let line = prop_oneof![
        12 => proptest::sample::select(lines[..6].to_vec()),
        1 => proptest::sample::select(lines[6..].to_vec()),
    ];
    proptest::collection::vec(line, 0..12).prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_fleet_keeps_is_what_it_would_write(text in nearly_canonical()) {
        let written = FleetUnit::parse(&text).map(|unit| unit.canonical());
        prop_assert_eq!(fleet::keeps(&text), written.as_ref() == Ok(&text));
    }

    #[test]
    fn text_is_never_lost(text in unit_text()) {
        prop_assert_eq!(UnitFile::parse(&text).print(), text);
    }

    #[test]
    fn no_bytes_make_a_reader_stumble(text in unit_text()) {
        let file = UnitFile::parse(&text);
        let name = UnitName::new("a-b@c\\x2d.service").unwrap();
        let reading = systemd::read(&file, &name, &Host::unknown());
        let rejected = systemd::entries(&file).err();
        if reading.verdict != Verdict::BadSetting {
            prop_assert_eq!(rejected, reading.rejection);
        }
        for assignment in file.assignments() {
            let _ = split_commands(assignment.value);
            let _ = split_assignments(assignment.value);
        }
        if let Ok(unit) = FleetUnit::parse(&text) {
            // What fleet wrote once it writes for ever.
            if let Ok(again) = unit.read_back() && let Ok(third) = again.read_back() {
                prop_assert_eq!(third.read_back().map(|unit| unit.canonical()), Ok(third.canonical()));
            }
        }
    }

    #[test]
    fn arguments_arrive_as_they_were_meant(arguments in proptest::collection::vec(argument(), 0..12), limit in 200_usize..2000) {
        let mut words = vec!["/bin/run".to_owned()];
        for argument in &arguments {
            words.push(quote_argument(argument).unwrap());
        }
        let Ok(value) = join_wrapped("ExecStart", &words, limit) else {
            return Ok(());
        };
        let text = format!("[Service]\nExecStart={value}\n");
        prop_assert!(text.lines().all(|line| line.len() <= limit));
        let reading = load(&text);
        prop_assert_eq!(reading.verdict, Verdict::Loaded);
        prop_assert_eq!(&reading.warnings, &[]);
        let commands = &reading.commands["ExecStart"];
        prop_assert_eq!(commands.len(), 1);
        let received = substitute(&commands[0].argv, &["X=1", "HOME=/root"]);
        prop_assert_eq!(&received[0], b"/bin/run");
        prop_assert_eq!(&received[1..], arguments.as_slice());
        assert_fleet_keeps(&text);
    }

    #[test]
    fn assignments_arrive_as_they_were_meant(value in any::<String>(), more in argument()) {
        let value = value.replace('\0', "");
        for value in [value, String::from_utf8_lossy(&more).into_owned()] {
            let Ok(word) = quote_assignment("NAME", &value) else {
                // Only noncharacters are beyond a unit file.
                let refused = value.chars().any(is_noncharacter);
                prop_assert!(refused);
                continue;
            };
            let text = format!("[Service]\nEnvironment={word}\nExecStart=/bin/true\n");
            let reading = load(&text);
            prop_assert_eq!(&reading.warnings, &[]);
            prop_assert_eq!(&reading.environment, &[format!("NAME={value}")]);
            assert_fleet_keeps(&text);
        }
    }

    #[test]
    fn escaped_names_come_back(text in proptest::collection::vec(1_u8.., 0..40)) {
        let escaped = escape(&text);
        prop_assert_eq!(unescape(escaped.as_bytes()), Some(text.clone()));
        prop_assert!(escaped.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":_.\\-".contains(&byte)));
        let ascii: Vec<u8> = text.into_iter().filter(|byte| (16..128).contains(byte)).collect();
        prop_assert_eq!(fleet_unescape(fleet_escape(&ascii).as_bytes()), ascii);
    }
}
