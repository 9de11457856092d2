//! What holds for every configuration: what is written is read back, nothing panics or takes long, and
//! no value is shown.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Instant;

use proptest::prelude::*;

use unitgen::config::export::{self, write};
use unitgen::config::import::{self, Imported, read};
use unitgen::config::variable::{Name, Value, Variables};

use crate::test::Folder;

/// Bytes that mean something in one format or another.
const PIECES: &[&[u8]] = &[
    b"\n",
    b"\r",
    b"\r\n",
    b"\t",
    b" ",
    b"  ",
    b"'",
    b"\"",
    b"`",
    b"\\",
    b"\\\\",
    b"\\n",
    b"\\'",
    b"\\\"",
    b"$",
    b"${B}",
    b"$(b)",
    b"$'",
    b"#",
    b" # x",
    b";",
    b"&",
    b"!",
    b"=",
    b":",
    b"export ",
    b"A=",
    b"B='",
    b"C=\"",
    b"===",
    b"=== app config vars ===\n",
    b"\n\nD:  ",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"\"A\":",
    b"null",
    b"1e9",
    b"{\"node\":{\"dir\":true,\"nodes\":[",
    b"\"key\":\"/A\"",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\x01",
    b"\x7f",
    b"\x81\x82",
    b"\xc3\xa4",
    b"\xc2\x85",
    b"\xef\xbf\xbe",
    b"a",
    b"0",
    b"-",
    b"|",
];

fn bytes(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => proptest::sample::select(PIECES.to_vec()).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..longest).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value> {
    bytes(12).prop_map(|mut bytes| {
        bytes.retain(|byte| *byte != 0);
        Value::new(bytes).unwrap()
    })
}

fn variables() -> impl Strategy<Value = Variables> {
    let name = "[A-Z][A-Za-z0-9_]{2,5}_".prop_map(|name| Name::new(name).unwrap());
    let all = proptest::collection::btree_map(name, value(), 0..8);
    all.prop_map(|all: BTreeMap<Name, Value>| all.into_iter().collect())
}

/// Keeps what a format does not refuse, and holds it to refusing nothing else.
fn kept(format: export::Format, mut variables: Variables) -> (Variables, Vec<u8>) {
    if let Err(refusals) = write(format, &variables) {
        for refusal in refusals {
            assert!(variables.remove(&refusal.name).is_some());
        }
    }
    let text = write(format, &variables).unwrap().as_bytes().to_vec();
    (variables, text)
}

/// Reads as systemd 252 does (`parse_env_file_internal`), with what it then drops.
fn systemd(text: &[u8]) -> BTreeMap<String, Vec<u8>> {
    #[derive(Clone, Copy)]
    enum State {
        BeforeKey,
        Key,
        BeforeValue,
        Value,
        Single,
        Double,
        Escape,
        Comment,
    }
    let text = std::str::from_utf8(text).unwrap();
    let (mut state, mut key, mut value) = (State::BeforeKey, String::new(), Vec::new());
    let mut found = BTreeMap::new();
    for byte in text.bytes() {
        state = match (state, byte) {
            (State::BeforeKey, b' ' | b'\t')
            | (State::BeforeKey | State::Comment, b'\n' | b'\r') => State::BeforeKey,
            (State::BeforeKey, b'#' | b';') | (State::Comment, _) => State::Comment,
            (State::Key, b'=') => State::BeforeValue,
            (State::BeforeKey | State::Key, _) => {
                key.push(char::from(byte));
                State::Key
            }
            (State::BeforeValue | State::Value, b'\n' | b'\r') => {
                found.insert(std::mem::take(&mut key), std::mem::take(&mut value));
                State::BeforeKey
            }
            (State::BeforeValue, b'\'') | (State::Single, _) if byte != b'\'' => {
                value.push(byte);
                State::Single
            }
            (State::BeforeValue, b'\'') => State::Single,
            (State::Single, _) | (State::Double, b'"') => State::BeforeValue,
            (State::BeforeValue, b'"') => State::Double,
            (State::Double, b'\\') => State::Escape,
            (State::Escape, byte) => {
                match byte {
                    b'"' | b'\\' | b'`' | b'$' => {}
                    _ => value.push(b'\\'),
                }
                value.extend(Some(byte).filter(|byte| *byte != b'\n'));
                State::Double
            }
            (State::Double, byte) => {
                value.push(byte);
                State::Double
            }
            (State::BeforeValue | State::Value, byte) => {
                value.push(byte);
                State::Value
            }
        };
    }
    let is_kept = |value: &[u8]| {
        let is_control = |byte: &u8| byte.is_ascii_control() && !b"\t\n".contains(byte);
        !value.iter().any(is_control)
    };
    found.retain(|_, value| is_kept(value));
    found
}

/// Returns names and values as anybody may hold them.
fn plain(variables: &Variables) -> BTreeMap<String, Vec<u8>> {
    let pair =
        |(name, value): (&Name, &Value)| (name.as_str().to_owned(), value.as_bytes().to_vec());
    variables.iter().map(pair).collect()
}

/// Has a shell run a text, and returns what variables it has then.
fn sourced(shell: &str, text: &[u8], names: &Variables) -> BTreeMap<String, Vec<u8>> {
    let folder = Folder::new();
    folder.write("text", text);
    let names: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
    let script = names
        .iter()
        .map(|name| format!("printf '%s\\0' \"${name}\"; "));
    let output = Command::new(shell)
        .args(["-c", &format!(". ./text; {}", script.collect::<String>())])
        .current_dir(folder.path(""))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let values = output.stdout.split(|byte| *byte == 0).map(<[u8]>::to_vec);
    names.into_iter().map(str::to_owned).zip(values).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(variables in variables()) {
        for (to, from) in [
            (export::Format::Docker, import::Format::Docker),
            (export::Format::Dotenv, import::Format::Dotenv),
            (export::Format::Json, import::Format::Json),
            (export::Format::Shell, import::Format::Dokku),
        ] {
            let (kept, text) = kept(to, variables.clone());
            let Imported { variables: back, warnings } = read(from, &text).unwrap();
            prop_assert_eq!(plain(&back), plain(&kept));
            prop_assert_eq!(warnings, []);
        }
        let (kept, text) = kept(export::Format::Systemd, variables.clone());
        prop_assert_eq!(systemd(&text), plain(&kept));
        // Whatever the values are, a shell takes them.
        prop_assert!(write(export::Format::Shell, &variables).is_ok());
    }

    #[test]
    fn reading_never_panics_and_shows_nothing(text in bytes(60)) {
        for format in import::Format::ALL {
            if let Err(mistakes) = read(format, &text) {
                prop_assert!(!mistakes.is_empty());
                let places: Vec<_> = mistakes.iter().map(|m| (m.line, m.column)).collect();
                prop_assert!(places.is_sorted());
            }
        }
    }

    #[test]
    fn no_value_is_ever_shown(
        before in bytes(10),
        around in proptest::collection::vec((bytes(4), bytes(4)), 1..6),
    ) {
        // The marker is part of what follows a `=`, a `:` or a quote, in all that can stand around it.
        let marker = "hunter-2-hunter";
        let mut text = before.clone();
        for (left, right) in &around {
            for place in ["\nA=", "\nexport A='", "\nA:  ", "\"A\":\"", "\"value\":\"", " "] {
                text.extend(place.as_bytes());
                text.extend(left);
                text.extend(marker.as_bytes());
                text.extend(right);
            }
        }
        for format in import::Format::ALL {
            let shown = match read(format, &text) {
                Err(mistakes) => {
                    let lines = mistakes.iter().map(ToString::to_string);
                    format!("{mistakes:#?}{}", lines.collect::<String>())
                }
                Ok(imported) => format!("{imported:#?}"),
            };
            prop_assert!(!shown.contains("hunter"), "{}", shown);
        }
        text.retain(|byte| *byte != 0);
        let name = Name::new("A").unwrap();
        let variables: Variables = [(name, Value::new(text).unwrap())].into_iter().collect();
        for format in export::Format::ALL {
            let result = write(format, &variables);
            let mut shown = format!("{result:?}");
            for refusal in result.err().into_iter().flatten() {
                shown += &refusal.to_string();
            }
            prop_assert!(!shown.contains("hunter"), "{}", shown);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_shell_reads_what_is_written_for_it(variables in variables()) {
        let text = write(export::Format::Shell, &variables).unwrap();
        prop_assert_eq!(sourced("sh", text.as_bytes(), &variables), plain(&variables));
    }
}

/// The time of an import grows as the text does: what is four times as long may take ten times as long,
/// which is far from the sixteen times of a square.
#[test]
fn reading_takes_time_as_the_text_is_long() {
    let parts = [
        "'",
        "\"",
        "A='\n",
        "A=\"\n",
        "A=\"\\\"\n",
        "A=$'\\'\n",
        "A='\nB=\"\n",
        "A=\\",
        "\\",
        "{",
        "[",
        "[1,",
        "{\"A\":",
        "\"",
        "A=\n",
        "A=$B",
        "x\n",
        "- ",
        "A=a b",
        "#",
        "=",
        ":",
        "\r",
        "$",
        "A=`#$B\n",
        "export A=\\ \n",
        "export A='' \n",
        "A:  \n",
        "\u{feff}",
    ];
    for format in import::Format::ALL {
        for part in parts {
            for head in ["", "=== app\n", "export A=\"", "{\"A\":\""] {
                let text = |length: usize| [head, &part.repeat(length / part.len())].concat();
                let time = |length: usize| {
                    let text = text(length);
                    let start = Instant::now();
                    let _ = read(format, text.as_bytes());
                    start.elapsed().as_secs_f64()
                };
                let whole = time(1024 * 1024);
                // What takes no time is not worth being measured again.
                if whole > 1.0 {
                    let quarter = time(256 * 1024);
                    assert!(
                        whole < 10.0 * quarter,
                        "{format} {head:?} {part:?}: {quarter} {whole}"
                    );
                }
            }
        }
    }
}
