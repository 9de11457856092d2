//! A plan as a shell script, to be read by a person and run where fleetctl is: `| ssh core@host sh -e`.
//!
//! In: a plan, or unit files and names, and the words that call fleetctl there. Out: a script for any
//! POSIX shell. Every text in it is data: no byte of a unit or a name is read as a command. What is cut
//! off on the way does nothing, since all that acts is called in the last line. fleetctl gets no input,
//! which would be the rest of the script. Knows nothing of how a script gets anywhere.

use crate::plan::{Action, Plan, Step};
use crate::state::RegistryName;

/// How many units one fleetctl is called with.
const UNITS_MAXIMUM: usize = 200;

/// How many bytes the arguments of one call have. Linux takes 2 MiB with the environment; other ways
/// to the far side take less.
const BYTES_MAXIMUM: usize = 100_000;

/// The line that ends a text, where the text has no such line.
const END: &str = "UNIT";

/// What a script begins with that needs files: `$folder` is a folder of its own, which goes whatever
/// happens, and `$units` is one in it for unit files alone, whose names may be any. A signal alone would
/// not run what is kept for the end.
const BEGINNING: &str = r#"set -eu
umask 077

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
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
    fail "fleetctl did not tell the text of $name, and ended with status $end"
}
"#;

/// How a unit is compared with what fleet has of it. The mark keeps line breaks at the end.
const READING_BACK: &str = r#"
# fleetctl ends well where it did nothing: what is stored is read back, and this lists what differs.
wrong=
status=0
stored() {
    is=$("$@" </dev/null && echo .) || is=
    [ "$is" = "$(cat "$units/$name" && echo .)" ] || wrong="$wrong $name"
}
"#;

/// What becomes of a unit that the registry has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays as it is. Each fleetctl can do that: those before 0.13 know no `--replace`.
    Keep,
    /// It gets the new text, unless fleet was told to do something with it.
    Replace,
}

impl Existing {
    /// Returns the words of fleetctl's command.
    #[must_use]
    pub fn command(self) -> &'static [&'static str] {
        match self {
            Self::Keep => &["submit"],
            Self::Replace => &["submit", "--replace"],
        }
    }

    /// Returns what a plan needs.
    #[must_use]
    pub fn of_plan(plan: &Plan) -> Self {
        let replaces = |step: &Step| matches!(step.action, Action::Replace { .. });
        if plan.steps.iter().any(replaces) {
            Self::Replace
        } else {
            Self::Keep
        }
    }
}

/// Returns a script that carries out a plan by a fleetctl, which these words call, and fails where the
/// registry does not hold what it should afterwards.
#[must_use]
pub fn script(plan: &Plan, fleetctl: &[String]) -> String {
    let Plan { steps, held } = plan;
    let existing = Existing::of_plan(plan);
    let mut files = String::new();
    let mut stored = Vec::new();
    let mut destroyed = Vec::new();
    for step in steps {
        let (unit, word, reason) = (&step.unit, step.action.word(), step.reason.word());
        match &step.action {
            Action::Create(text) | Action::Replace { text, .. } => {
                let what = comment(&format!("{word} {unit} ({reason})"));
                files.push_str(&format!("\n{what}{}", file(unit.as_str(), &text.text)));
                stored.push(unit);
            }
            Action::Destroy { .. } => destroyed.push(unit),
        }
    }
    let mut text = format!(
        "#!/bin/sh\n# From unitgen: unit files for fleet's registry. {} to store, {} to destroy.\n\
         # It touches no instance. Run it where fleetctl reaches the cluster.\n",
        stored.len(),
        destroyed.len()
    );
    for unit in held {
        text.push_str(&comment(&format!("held back, for it runs: {unit}")));
    }
    text.push('\n');
    text.push_str(&beginning(fleetctl));
    text.push_str(&files);
    text.push_str(READING_BACK);
    text.push_str("\n# Until here nothing was sent anywhere.\nmain() {\n");
    let call = call(fleetctl);
    if existing == Existing::Replace {
        text.push_str("    # What is there is replaced, but fleet keeps the text of what runs.\n");
    }
    for part in parts(&stored, |unit| path(unit).len()) {
        let line = submit_line(&call, part, existing);
        text.push_str(&format!("    {line} || status=$?\n"));
    }
    for unit in &stored {
        let (name, operand) = (quoted(unit.as_str()), operand(unit));
        text.push_str(&format!("    name={name}; stored {call} cat {operand}\n"));
    }
    text.push_str(concat!(
        "    [ -z \"$wrong\" ] || fail \"fleet does not hold these as they should be:$wrong\"\n",
        "    [ \"$status\" = 0 ] || ",
        "fail \"fleetctl ended with status $status, though all units are stored\"\n"
    ));
    if !destroyed.is_empty() {
        text.push_str("    # What nobody asks for any more goes last.\n");
    }
    for part in parts(&destroyed, |unit| operand(unit).len()) {
        let line = destroy_line(&call, part);
        text.push_str(&format!("    {line} || status=$?\n"));
    }
    for unit in &destroyed {
        let (name, operand) = (quoted(unit.as_str()), operand(unit));
        text.push_str(&format!(
            "    ! {call} cat {operand} </dev/null >/dev/null 2>&1 || wrong=\"$wrong \"{name}\n"
        ));
    }
    text.push_str(concat!(
        "    [ -z \"$wrong\" ] || fail \"fleet still has these:$wrong\"\n",
        "    [ \"$status\" = 0 ] || fail \"fleetctl ended with status $status\"\n",
        "}\n\nmain\n"
    ));
    text
}

/// Returns a script that does no more than submit unit files, and ends as fleetctl does.
#[must_use]
pub fn submission(
    fleetctl: &[String],
    units: &[(&RegistryName, &str)],
    existing: Existing,
) -> String {
    let mut text = beginning(fleetctl);
    for (name, unit) in units {
        text.push_str(&file(name.as_str(), unit));
    }
    let names: Vec<&RegistryName> = units.iter().map(|(name, _)| *name).collect();
    let call = call(fleetctl);
    let parts = parts(&names, |unit| path(unit).len());
    text + &main_of(parts.map(|part| submit_line(&call, part, existing)))
}

/// Returns a script that does no more than destroy units, and ends as fleetctl does.
#[must_use]
pub fn destruction(fleetctl: &[String], names: &[&RegistryName]) -> String {
    let call = call(fleetctl);
    let parts = parts(names, |unit| operand(unit).len());
    beginning(fleetctl) + &main_of(parts.map(|part| destroy_line(&call, part)))
}

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

fn submit_line(call: &str, units: &[&RegistryName], existing: Existing) -> String {
    let command = existing.command().join(" ");
    let files: String = units
        .iter()
        .map(|unit| format!(" {}", path(unit)))
        .collect();
    format!("{call} {command}{files} </dev/null")
}

fn destroy_line(call: &str, units: &[&RegistryName]) -> String {
    let names: String = units
        .iter()
        .map(|unit| format!(" {}", operand(unit)))
        .collect();
    format!("{call} destroy{names} </dev/null")
}

/// Returns a unit's name as an argument.
pub(crate) fn operand(name: &RegistryName) -> String {
    quoted(&plain_operand(name))
}

fn path(name: &RegistryName) -> String {
    file_path(name.as_str())
}

fn file_path(name: &str) -> String {
    format!("\"$units\"/{}", quoted(name))
}

/// Returns a comment that stays one, whatever stands in it.
fn comment(text: &str) -> String {
    let shown: String = text
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    format!("# {shown}\n")
}

/// Returns the lines that write a text to a file. What a here-document can't hold, or a terminal not
/// show, is spelled out.
fn file(name: &str, text: &str) -> String {
    let path = file_path(name);
    let is_odd = |c: char| c.is_ascii_control() && !matches!(c, '\n' | '\t');
    if !text.ends_with('\n') || text.contains(is_odd) {
        return format!("printf '{}' >{path}\n", format_of(text));
    }
    let ends = (0..).map(|number: usize| match number {
        0 => END.to_owned(),
        _ => format!("{END}_{number}"),
    });
    let is_free = |end: &String| text.lines().all(|line| line != end);
    // As many as there are lines and one more: one of them is free.
    let end = ends.take(text.lines().count() + 1).find(is_free);
    let end = end.unwrap_or_default();
    format!("cat >{path} <<'{end}'\n{text}{end}\n")
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
    use crate::plan::{Reason, Text};
    use crate::state::UnitHash;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn name(text: &str) -> RegistryName {
        RegistryName::seen(text)
    }

    #[test]
    fn a_plan_as_a_script() {
        let step = |unit: &str, action, reason| Step {
            unit: name(unit),
            action,
            reason,
        };
        let text = Text {
            text: "[Service]\nExecStart=/bin/echo $(x)\n".to_owned(),
            hash: UnitHash::seen("a"),
        };
        let plan = Plan {
            steps: vec![
                step(r"a\x2db@.service", Action::Create(text), Reason::New),
                step(
                    "-c.service",
                    Action::Destroy {
                        before: UnitHash::seen("b"),
                    },
                    Reason::Unwanted,
                ),
            ],
            held: vec![name("d.service\nreboot")],
        };
        let found = script(&plan, &words("fleetctl"));
        let expected = [
            "#!/bin/sh\n# From unitgen: unit files for fleet's registry. 1 to store, 1 to destroy.\n\
             # It touches no instance. Run it where fleetctl reaches the cluster.\n\
             # held back, for it runs: d.service?reboot\n\n\
             command -v fleetctl >/dev/null 2>&1 || {\n    \
             printf '%s\\n' 'error: there is no `fleetctl` here' >&2\n    exit 127\n}\n\n",
            BEGINNING,
            "\n# create a\\x2db@.service (new)\ncat >\"$units\"/'a\\x2db@.service' <<'UNIT'\n\
             [Service]\nExecStart=/bin/echo $(x)\nUNIT\n",
            READING_BACK,
            "\n# Until here nothing was sent anywhere.\nmain() {\n    \
             fleetctl submit \"$units\"/'a\\x2db@.service' </dev/null || status=$?\n    \
             name='a\\x2db@.service'; stored fleetctl cat 'a\\x2db@.service'\n    \
             [ -z \"$wrong\" ] || fail \"fleet does not hold these as they should be:$wrong\"\n    \
             [ \"$status\" = 0 ] || \
             fail \"fleetctl ended with status $status, though all units are stored\"\n    \
             # What nobody asks for any more goes last.\n    \
             fleetctl destroy ./-c.service </dev/null || status=$?\n    \
             ! fleetctl cat ./-c.service </dev/null >/dev/null 2>&1 || wrong=\"$wrong \"-c.service\n    \
             [ -z \"$wrong\" ] || fail \"fleet still has these:$wrong\"\n    \
             [ \"$status\" = 0 ] || fail \"fleetctl ended with status $status\"\n}\n\nmain\n",
        ];
        assert_eq!(found, expected.concat());
    }

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
