//! Hostile texts, and manifests that hold them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Characters and texts that mean something to somebody on the way.
const TRAPS: &[&str] = &[
    " ",
    "  ",
    "\t",
    "\"",
    "'",
    "\\",
    "\\\\",
    "%",
    "%%",
    "%i",
    "%n",
    "%Z",
    "$",
    "$$",
    "$HOME",
    "${HOME}",
    "${CONTAINER}",
    "$(id)",
    "`",
    ";",
    "; ",
    "#",
    "&",
    "|",
    "<",
    ">",
    "*",
    "?",
    "[",
    "]",
    "{",
    "}",
    "{{",
    "}}",
    "{%",
    "=",
    "==",
    ",",
    ":",
    "/",
    "-",
    "--",
    "@",
    "!",
    "+",
    "~",
    "^",
    "\\n",
    "\\x41",
    "\\s",
    "\n",
    "\r",
    "\0",
    "\u{1}",
    "\u{2}",
    "\u{3}",
    "\u{1b}",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "\u{fdd0}",
    "\u{fffe}",
    "\u{1ffff}",
    "é",
    "☕",
    "𝄞",
    "u7Token7u",
    "u7Token7u0u7Token7u",
    "a",
    "B",
    "0",
];

/// A text made of traps and of whatever else Unicode has.
pub(crate) fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => select(TRAPS).prop_map(str::to_owned),
        2 => any::<char>().prop_map(String::from),
        1 => "[ -~]{0,6}",
    ];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// A name that is mostly good.
pub(crate) fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-z0-9][a-z0-9-]{0,6}",
        2 => "[A-Za-z0-9_.:/@%-]{0,8}",
        1 => hostile(),
    ]
}

/// Writes a text as YAML so that nothing in it means anything: every character by its number.
pub(crate) fn quoted(text: &str) -> String {
    let characters: String = text
        .chars()
        .map(|c| format!("\\U{:08x}", c as u32))
        .collect();
    format!("\"{characters}\"")
}

pub(crate) fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// Tells whether a text can stand in a unit at all.
pub(crate) fn fits(text: &str) -> bool {
    !text.contains(['\n', '\r', '\0'])
}

/// Tells whether systemd takes a text as a variable's value.
pub(crate) fn fits_variable(text: &str) -> bool {
    let is_noncharacter = |c: char| {
        let code = c as u32;
        code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code)
    };
    fits(text) && !text.contains(is_noncharacter)
}

pub(crate) fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Texts that are somewhat like manifests.
pub(crate) fn nearly_yaml() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "apps:",
        "\n",
        "\n  ",
        "\n    ",
        "a: ",
        "image: x",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "- ",
        "&a ",
        "*a",
        "<<: ",
        "!!str ",
        "'",
        "\"",
        "|\n",
        ">-\n",
        "# ",
        "---\n",
        "processes: ",
        "Service: ",
        "null",
        "environment: ",
        "versions: ",
        "instances: ",
        "ports: ",
        "x: ",
        "? ",
        ": ",
        "\t",
    ];
    let piece = prop_oneof![4 => select(PIECES).prop_map(str::to_owned), 1 => hostile()];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}
