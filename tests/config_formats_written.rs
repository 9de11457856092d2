//! What is written of an app's configuration for other tools, and what is refused.

use unitgen::config::export::{Format, write};
use unitgen::config::variable::{Name, Value, Variables};

fn variables(all: &[(&str, &[u8])]) -> Variables {
    let variable =
        |(name, value): &(&str, &[u8])| (Name::new(*name).unwrap(), Value::new(*value).unwrap());
    all.iter().map(variable).collect()
}

#[track_caller]
fn written(format: Format, all: &[(&str, &[u8])], expected: &str) {
    let text = write(format, &variables(all)).unwrap();
    assert_eq!(
        text.as_bytes().escape_ascii().to_string(),
        expected.as_bytes().escape_ascii().to_string()
    );
}

#[track_caller]
fn refused(format: Format, all: &[(&str, &[u8])], expected: &[&str]) {
    let refusals = write(format, &variables(all)).unwrap_err();
    let shown: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    assert_eq!(shown, expected);
}

#[test]
fn nothing_is_an_empty_text() {
    for format in Format::ALL {
        let text = write(format, &Variables::default()).unwrap();
        let expected: &[u8] = if format == Format::Json { b"{}\n" } else { b"" };
        assert_eq!(text.as_bytes(), expected);
    }
}

#[test]
fn docker_has_lines_without_quotes() {
    written(
        Format::Docker,
        &[("B", b" 'x' # y "), ("A", b""), ("C", b"a\rb\\n\"$A")],
        "A=\nB= 'x' # y \nC=a\rb\\n\"$A\n",
    );
    let longest = "x".repeat(64 * 1024 - 3);
    written(
        Format::Docker,
        &[("A", longest.as_bytes())],
        &format!("A={longest}\n"),
    );
    let long = longest + "x";
    refused(
        Format::Docker,
        &[
            ("A", long.as_bytes()),
            ("B", b"x\ny"),
            ("C", b"x\r"),
            ("D", b"\xff"),
            ("E", b"fine"),
        ],
        &[
            "`A`: the line would have 64 KiB or more, which docker does not read",
            "`B`: the value has a line feed, which a line can't hold",
            "`C`: the value ends with a carriage return, which docker drops",
            "`D`: the value is not UTF-8",
        ],
    );
}

#[test]
fn dotenv_has_what_most_readers_undo() {
    written(
        Format::Dotenv,
        &[
            ("A", b""),
            ("B", b"it's # x\ny"),
            ("C", b"a\"$B\n${B} \\n"),
            ("D", b"'$B\"\\'"),
            ("E", b"\r\n"),
            ("F", b"a\\\\b"),
            ("G", b"C:\\dir 1\\"),
        ],
        "A=\"\"\nB=\"it's # x\ny\"\nC='a\"$B\n${B} \\n'\nD=\"'\\$B\\\"\\\\'\"\nE=\"\\r\n\"\nF=\"a\\\\\\\\b\"\n\
         G=C:\\dir 1\\\n",
    );
    refused(
        Format::Dotenv,
        &[("A", b"\xff"), ("B", b"fine"), ("C", b"$B\\")],
        &[
            "`A`: the value is not UTF-8",
            "`C`: the value needs quotes and ends with a backslash, which would take the meaning from the \
             closing one",
        ],
    );
}

#[test]
fn json_is_an_object() {
    written(
        Format::Json,
        &[("B", "ä\"\n\u{1}".as_bytes()), ("A", b"")],
        "{\n  \"A\": \"\",\n  \"B\": \"ä\\\"\\n\\u0001\"\n}\n",
    );
    refused(
        Format::Json,
        &[("A", b"\xff"), ("B", b"fine")],
        &["`A`: the value is not UTF-8"],
    );
}

#[test]
fn shells_take_all_bytes_but_not_all_names() {
    let text = write(
        Format::Shell,
        &variables(&[("A", b""), ("B", b"it's\n$X\xff")]),
    );
    let expected: &[u8] = b"export A=''\nexport B='it'\\''s\n$X\xff'\n";
    assert_eq!(text.unwrap().as_bytes(), expected);
    refused(
        Format::Shell,
        &[("UID", b"1"), ("UIDS", b"1"), ("_", b"1")],
        &[
            "`UID`: a shell sets a variable of this name itself",
            "`_`: a shell sets a variable of this name itself",
        ],
    );
}

#[test]
fn systemd_has_double_quotes_and_four_escapes() {
    written(
        Format::Systemd,
        &[("A", b""), ("B", b" it's\t\"`$X\\n\n#;")],
        "A=\"\"\nB=\" it's\t\\\"\\`\\$X\\\\n\n#;\"\n",
    );
    refused(
        Format::Systemd,
        &[
            ("A", b"\xff"),
            ("B", b"\r"),
            ("C", b"\x7f"),
            ("D", "\u{fffe}".as_bytes()),
            ("E", "\u{85}".as_bytes()),
        ],
        &[
            "`A`: the value is not UTF-8",
            "`B`: the value has a control character other than tab and line feed",
            "`C`: the value has a control character other than tab and line feed",
            "`D`: the value has a noncharacter of Unicode, which systemd takes for no UTF-8",
        ],
    );
}
