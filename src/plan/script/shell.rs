//! The pieces of a shell script that calls fleetctl.
//!
//! In: words, names and texts, which may be any. Out: lines for any POSIX shell, in which every one of
//! them is data. Knows nothing of what a script is for.

use crate::state::RegistryName;

/// How many units one fleetctl is called with.
pub const UNITS_MAXIMUM: usize = 200;

/// How many bytes the arguments of one call have. Linux takes 2 MiB with the environment; other ways
/// to the far side take less.
const BYTES_MAXIMUM: usize = 100_000;

/// The line that ends a text, where the text has no such line.
const END: &str = "UNIT";

/// What a script begins with that needs files: `$folder` is a folder of its own, which goes whatever
/// happens, and `$units` is one in it for unit files alone, whose names may be any. A signal alone would
/// not run what is kept for the end.
pub(super) const BEGINNING: &str = r#"set -eu
umask 077

fail() {
    printf 'error: %s\n' "$2" >&2
    exit "$1"
}

folder=
trap '[ -z "$folder" ] || rm -rf "$folder"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
folder=$(mktemp -d)
units=$folder/units
mkdir "$units"
"#;

/// How a unit's text is asked for, after that beginning: it is in `$folder/is` then. No unit is without
/// text: a fleetctl that does not know one of its flags says nothing and ends well.
pub(crate) const LOOK: &str = r#"
# Tells whether there is a unit. That fleetctl fails says nothing of it.
look() {
    name=$1
    shift
    end=0
    "$@" </dev/null >"$folder/is" 2>"$folder/said" || end=$?
    [ "$end" != 0 ] || [ ! -s "$folder/is" ] || return 0
    case $(cat "$folder/said") in
    *"Unit $name not found"*) return 1 ;;
    esac
    cat "$folder/said" >&2
    fail 1 "fleetctl did not tell the text of $name, and ended with status $end"
}
"#;

/// Returns a word as any shell reads it back, plain where it can be.
#[must_use]
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@%+:,./_-".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Returns a unit's name as an argument that fleetctl takes for no flag: of a path, it uses the end.
#[must_use]
pub fn plain_operand(name: &RegistryName) -> String {
    let name = name.as_str();
    let before = if name.starts_with('-') { "./" } else { "" };
    format!("{before}{name}")
}

/// Divides what fleetctl is called with into as few calls as possible; `length` is that of an argument.
pub fn parts<'a, T>(
    all: &'a [T],
    length: impl Fn(&T) -> usize + 'a,
) -> impl Iterator<Item = &'a [T]> + 'a {
    let mut rest = all;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |one: &&T| {
            bytes += length(one) + 1;
            bytes <= BYTES_MAXIMUM
        };
        // One that is too long by itself is for fleetctl to refuse.
        let count = rest.iter().take(UNITS_MAXIMUM).take_while(fits).count();
        let count = count.max(1).min(rest.len());
        let part;
        (part, rest) = rest.split_at(count);
        (!part.is_empty()).then_some(part)
    })
}

/// Returns the beginning of a script that needs files.
pub(crate) fn beginning(fleetctl: &[String]) -> String {
    check_of(fleetctl) + "\n" + BEGINNING
}

/// Returns what ends a script where there is no fleetctl.
pub(crate) fn check_of(fleetctl: &[String]) -> String {
    let program = fleetctl.first().map_or("fleetctl", String::as_str);
    let message = quoted(&format!("error: there is no `{program}` here"));
    let program = quoted(program);
    format!(
        "command -v {program} >/dev/null 2>&1 || {{\n    printf '%s\\n' {message} >&2\n    exit 127\n}}\n"
    )
}

/// Returns the end of a script, which does all that acts: what is cut off before does nothing.
pub(crate) fn main_of(lines: impl Iterator<Item = String>) -> String {
    let lines: String = lines.map(|line| format!("    {line}\n")).collect();
    format!("\nmain() {{\n    :\n{lines}}}\n\nmain\n")
}

/// Returns the words that call fleetctl.
pub(crate) fn call(fleetctl: &[String]) -> String {
    let words: Vec<String> = fleetctl.iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

/// Returns a unit's name as an argument.
pub(crate) fn operand(name: &RegistryName) -> String {
    quoted(&plain_operand(name))
}

pub(super) fn path(name: &RegistryName) -> String {
    file_path(name.as_str())
}

fn file_path(name: &str) -> String {
    format!("\"$units\"/{}", quoted(name))
}

/// Returns a comment that stays one, whatever stands in it.
pub(super) fn comment(text: &str) -> String {
    let shown: String = text
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    format!("# {shown}\n")
}

/// Returns the lines that write a text to a file. What a here-document can't hold, or a terminal not
/// show, is spelled out.
pub(super) fn file(name: &str, text: &str) -> String {
    let path = file_path(name);
    let is_odd = |c: char| c.is_ascii_control() && !matches!(c, '\n' | '\t');
    if !text.ends_with('\n') || text.contains(is_odd) || is_lossy(text, END) {
        return format!("printf '{}' >{path}\n", format_of(text));
    }
    let end = free(text, END);
    format!("cat >{path} <<'{end}'\n{text}{end}\n")
}

/// Returns a line that ends a whole script, which has no such line.
#[must_use]
pub fn end_of(script: &str) -> String {
    let words = ["SCRIPT", "HERE", "QUIT"];
    let word = words.into_iter().find(|word| !is_lossy(script, word));
    free(script, word.unwrap_or(END))
}

/// Tells whether a here-document with this end loses something: dash up to 0.5.12 loses a byte that is
/// not ASCII right after what could have become the end.
fn is_lossy(text: &str, end: &str) -> bool {
    let first = end.as_bytes().first();
    let mut lines = text.lines();
    lines.any(|line| line.as_bytes().first() == first && !line.is_ascii())
}

/// Returns a word that is no line of a text: this one, or this one with a number.
fn free(text: &str, word: &str) -> String {
    let ends = (0..).map(|number: usize| match number {
        0 => word.to_owned(),
        _ => format!("{word}_{number}"),
    });
    let is_free = |end: &String| text.lines().all(|line| line != end);
    // As many as there are lines and one more: one of them is free.
    let end = ends.take(text.lines().count() + 1).find(is_free);
    end.unwrap_or_default()
}

/// Returns what `printf` makes the text of, within single quotes.
fn format_of(text: &str) -> String {
    let mut format = String::new();
    for c in text.chars() {
        match c {
            '\\' => format.push_str(r"\\"),
            '%' => format.push_str("%%"),
            '\'' => format.push_str(r"'\''"),
            '\n' | '\t' => format.push(c),
            c if c.is_ascii_control() => format.push_str(&format!("\\{:03o}", u32::from(c))),
            c => format.push(c),
        }
    }
    format
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_they_must_be() {
        for (word, expected) in [
            ("a@1:2.service", "a@1:2.service"),
            ("", "''"),
            ("a b", "'a b'"),
            (r"a\x2d", r"'a\x2d'"),
            ("it's", r"'it'\''s'"),
            ("~", "'~'"),
            ("a=b", "'a=b'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn no_line_of_a_text_ends_it() {
        #[track_caller]
        fn case(text: &str, expected: &str) {
            assert_eq!(file("a", text), expected);
        }
        case("UNIT \n", "cat >\"$units\"/a <<'UNIT'\nUNIT \nUNIT\n");
        case(
            "UNIT_1\nUNIT\n",
            "cat >\"$units\"/a <<'UNIT_2'\nUNIT_1\nUNIT\nUNIT_2\n",
        );
        case("U®\n", "printf 'U®\n' >\"$units\"/a\n");
        case("", "printf '' >\"$units\"/a\n");
        case(
            "it's 1 %\\\r\n\u{1b}\tü",
            "printf 'it'\\''s 1 %%\\\\\\015\n\\033\tü' >\"$units\"/a\n",
        );
    }

    #[test]
    fn calls_are_as_few_as_fit() {
        #[track_caller]
        fn case(lengths: &[usize], expected: &[usize]) {
            let found: Vec<usize> = parts(lengths, |length| *length)
                .map(<[usize]>::len)
                .collect();
            assert_eq!(found, expected);
        }
        case(&[], &[]);
        case(&[10; 200], &[200]);
        case(&[10; 401], &[200, 200, 1]);
        case(&[999; 150], &[100, 50]);
        case(&[1, 200_000, 1], &[1, 1, 1]);
    }
}
