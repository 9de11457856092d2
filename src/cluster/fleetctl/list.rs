//! What the registry has, as fleetctl tells it: where only that way leads to the cluster.
//!
//! In: a fleetctl, and the names of units. Out: all units with their hashes and what fleet was told to do
//! with them; the texts of some. fleetctl ends well where it did not know a flag or could not write, so
//! that an answer is one only where its legend or its frame says so: nothing is ever left out of it, and
//! nothing in a unit can pass for a frame. Knows nothing of what should be.

use std::collections::BTreeMap;
use std::process::Command;

use crate::cluster::fleetctl::words::{self, Remark};
use crate::cluster::fleetctl::{End, Fleetctl, check_file_name, start_of};
use crate::error::CommandError;
use crate::plan::script::shell;
use crate::state::{RegistryName, SeenState, UnitHash};
use crate::visible::{is_unseen, plain};

/// How much is read: a large registry has some MiB of texts.
const ANSWER_MAXIMUM: usize = 64 << 20;

/// How many characters of a line are shown that can't be read.
const LINE_MAXIMUM: usize = 200;

/// The command that lists all units. The legend, which tells that there are none from a call that did
/// nothing, stays; hashes are whole.
const LIST: [&str; 3] = ["list-unit-files", "--full", "--fields=unit,hash,dstate"];

/// The legend.
const COLUMNS: [&str; 3] = ["UNIT", "HASH", "DSTATE"];

/// What stands before each text: its length alone says where it ends.
const TEXT: &str = "text ";

/// What stands for a text that is not there.
const ABSENT: &str = "absent";

/// What stands at the end: what is cut off on the way has none.
const END: &str = "end\n";

/// Writes a unit's text, with its frame.
const WRITE: &str = r#"
text() {
    if look "$@"; then
        printf 'text %d\n' $(wc -c <"$folder/is")
        cat "$folder/is"
    else
        echo absent
    fi
}
"#;

/// All units of a registry.
pub type Listed = BTreeMap<RegistryName, ListedUnit>;

/// A unit of the registry, as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUnit {
    /// The hash of its text.
    pub hash: UnitHash,
    /// What fleet was told to do with it.
    pub desired: SeenState,
}

/// What a call that claims success has said.
struct Answer {
    /// The command line, for people.
    shown: String,
    stdout: Vec<u8>,
    stderr: String,
}

impl Fleetctl {
    /// Lists the whole registry: `fleetctl list-unit-files`.
    ///
    /// # Errors
    /// Says why fleetctl, or what leads to it, can't be started or failed, or what can't be read of what
    /// it said.
    pub fn list(&self) -> Result<Listed, CommandError> {
        let shown = self.shown(&LIST, &[]);
        let (way, words) = self.words()?;
        let answer = if way.is_empty() {
            let mut command = start_of(&words);
            command.args(LIST);
            self.read(command, None, shown)?
        } else {
            let line = format!("{} {} </dev/null", shell::call(&words), LIST.join(" "));
            let script = shell::check_of(&words) + &shell::main_of([line].into_iter());
            self.read(shell(way), Some(&script), shown)?
        };
        listed(&answer.stdout).map_err(|line| answer.unread("is no list of units", &line))
    }

    /// Returns the texts of those of these units that are there: `fleetctl cat` for each. That a text is
    /// all there is its hash tells, which is in the list.
    ///
    /// # Errors
    /// Says why fleetctl, or what leads to it, can't be started or failed, or what can't be read of what
    /// it said.
    pub fn texts(
        &self,
        names: &[&RegistryName],
    ) -> Result<BTreeMap<RegistryName, String>, CommandError> {
        for name in names {
            check_file_name(name)?;
        }
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let (way, words) = self.words()?;
        let call = shell::call(&words);
        let lines = names.iter().map(|name| {
            let (quoted, operand) = (shell::quoted(name.as_str()), shell::operand(name));
            format!("text {quoted} {call} cat {operand}")
        });
        let lines = lines.chain(std::iter::once("echo end".to_owned()));
        let script = [
            &shell::beginning(&words),
            shell::LOOK,
            WRITE,
            &shell::main_of(lines),
        ];
        let shown = self.shown(&["cat"], names);
        let answer = self.read(shell(way), Some(&script.concat()), shown)?;
        texts(&answer.stdout, names).map_err(|line| answer.unread("is no unit's text", &line))
    }

    fn read(
        &self,
        command: Command,
        input: Option<&str>,
        shown: String,
    ) -> Result<Answer, CommandError> {
        let ended = self.finish(command, None, input, ANSWER_MAXIMUM)?;
        let stderr = ended.stderr.text();
        let how = match (ended.end, ended.stdout.whole()) {
            (End::Exit(0), Some(stdout)) => {
                return Ok(Answer {
                    shown,
                    stdout,
                    stderr,
                });
            }
            (End::Exit(0), None) => format!("said more than {ANSWER_MAXIMUM} bytes"),
            (End::Exit(status), _) => format!("ended with status {status}"),
            (End::Signal(signal), _) => format!("was ended by signal {signal}"),
            (End::TimedOut(limit), _) => format!("took longer than {limit:?}, and was ended"),
        };
        Err(failure(format!("`{shown}` {how}"), &stderr))
    }
}

impl Answer {
    fn unread(&self, what: &str, line: &[u8]) -> CommandError {
        let line = String::from_utf8_lossy(line);
        let mut characters = line.chars();
        let mut start: String = characters.by_ref().take(LINE_MAXIMUM).collect();
        if characters.next().is_some() {
            start.push('…');
        }
        let shown = &self.shown;
        let message = if start.is_empty() {
            format!("`{shown}` ended well, but what it said is not all there")
        } else {
            format!(
                "`{shown}` ended well, but what it said {what}: {}",
                plain(&start)
            )
        };
        failure(message, &self.stderr)
    }
}

/// Returns an error of the other side, with all that it said of it.
fn failure(message: String, stderr: &str) -> CommandError {
    let mut error = CommandError::remote(message);
    error.may_pass = words::remarks(stderr).iter().any(Remark::may_pass);
    match stderr.trim_end() {
        "" => error,
        said => error.because(said),
    }
}

fn shell(way: &[String]) -> Command {
    let words: Vec<String> = way.iter().cloned().chain(["sh".to_owned()]).collect();
    let mut command = start_of(&words);
    command.arg("-es");
    command
}

/// Takes a line away, which has to be ended.
fn line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let at = rest.iter().position(|byte| *byte == b'\n')?;
    let (line, tail) = rest.split_at(at);
    *rest = &tail[1..];
    Some(line)
}

/// Reads a list, or returns the line that can't be read: an empty one where there should be more.
fn listed(mut rest: &[u8]) -> Result<Listed, Vec<u8>> {
    let whole = rest;
    let legend = line(&mut rest).ok_or(whole)?;
    if cells(legend).is_none_or(|cells| cells != COLUMNS) {
        return Err(legend.to_owned());
    }
    let mut units = Listed::new();
    while !rest.is_empty() {
        let row = line(&mut rest).ok_or(rest)?;
        let (name, unit) = listed_unit(row).ok_or(row)?;
        if units.insert(name, unit).is_some() {
            return Err(row.to_owned());
        }
    }
    Ok(units)
}

fn listed_unit(row: &[u8]) -> Option<(RegistryName, ListedUnit)> {
    let [name, hash, desired] = cells(row)?;
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if hash.len() != 40 || !hash.bytes().all(is_digit) {
        return None;
    }
    let unit = ListedUnit {
        hash: UnitHash::seen(hash),
        // What the cluster says no word of is shown so.
        desired: SeenState::seen(if desired == "-" { "" } else { desired }),
    };
    Some((RegistryName::seen(name), unit))
}

/// Returns the three cells of a row, which as many tabs are between as align them.
fn cells(row: &[u8]) -> Option<[&str; 3]> {
    let row = std::str::from_utf8(row).ok()?;
    let cells: Vec<&str> = row.split('\t').filter(|cell| !cell.is_empty()).collect();
    let is_plain = |cell: &&str| !cell.chars().any(is_unseen);
    cells
        .try_into()
        .ok()
        .filter(|cells: &[&str; 3]| cells.iter().all(is_plain))
}

/// Reads texts in their frames, or returns the line that can't be read: an empty one where there should
/// be more.
fn texts(
    mut rest: &[u8],
    names: &[&RegistryName],
) -> Result<BTreeMap<RegistryName, String>, Vec<u8>> {
    let mut texts = BTreeMap::new();
    for name in names {
        let whole = rest;
        let frame = line(&mut rest).ok_or(whole)?;
        if frame == ABSENT.as_bytes() {
            continue;
        }
        let length = frame.strip_prefix(TEXT.as_bytes()).ok_or(frame)?;
        let length = std::str::from_utf8(length).map_err(|_| frame)?;
        let length: usize = length.parse().map_err(|_| frame)?;
        let (text, tail) = rest.split_at_checked(length).ok_or(b"".as_slice())?;
        rest = tail;
        let text = String::from_utf8(text.to_owned()).map_err(|_| text)?;
        // All that fleet stores ends so.
        if !text.ends_with('\n') {
            return Err(text.into_bytes());
        }
        texts.insert((*name).clone(), text);
    }
    match rest {
        _ if rest == END.as_bytes() => Ok(texts),
        _ => Err(rest
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or(rest)
            .to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "2c578c96af526baa33e7181f32f3d1e416822d38";

    fn name(text: &str) -> RegistryName {
        RegistryName::seen(text)
    }

    #[test]
    fn lists_are_read() {
        // As recorded, without the columns that are not asked for.
        let text = "UNIT\t\t\tHASH\t\t\t\t\t\tDSTATE\n\
                    app-http@.service\t5afd08b97864a83ea6ef0166f55410124d214bd2\tinactive\n\
                    app-http@1.service\t2c578c96af526baa33e7181f32f3d1e416822d38\tlaunched\n\
                    glob.service\t\t627317e4568b10c95c9ba4900ee65803584fb893\t-\n\
                    o\\x2dd.service\t\t627317e4568b10c95c9ba4900ee65803584fb893\tparked\n";
        let unit = |unit: &str, hash: &str, desired: &str| {
            let hash = UnitHash::seen(hash);
            let desired = SeenState::seen(desired);
            (name(unit), ListedUnit { hash, desired })
        };
        let expected = [
            unit(
                "app-http@.service",
                "5afd08b97864a83ea6ef0166f55410124d214bd2",
                "inactive",
            ),
            unit("app-http@1.service", HASH, "launched"),
            unit(
                "glob.service",
                "627317e4568b10c95c9ba4900ee65803584fb893",
                "",
            ),
            unit(
                r"o\x2dd.service",
                "627317e4568b10c95c9ba4900ee65803584fb893",
                "parked",
            ),
        ];
        assert_eq!(listed(text.as_bytes()), Ok(expected.into()));
        assert_eq!(listed(b"UNIT\tHASH\tDSTATE\n"), Ok(Listed::new()));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        #[track_caller]
        fn case(text: &str, line: &str) {
            let found = listed(text.as_bytes()).map_err(|line| String::from_utf8(line).unwrap());
            assert_eq!(found, Err(line.to_owned()), "{text}");
        }
        let listing = |rows: &str| format!("UNIT\tHASH\tDSTATE\n{rows}");
        case("", "");
        case("UNIT\tHASH\tDSTATE", "UNIT\tHASH\tDSTATE");
        case("Welcome\nUNIT\tHASH\tDSTATE\n", "Welcome");
        case("UNIT\tHASH\tSTATE\n", "UNIT\tHASH\tSTATE");
        for row in [
            format!("a.service\t{HASH}"),
            format!("a.service\t{HASH}\tinactive\t-"),
            format!("a.service\t{HASH}\tinactive\r"),
            format!("a.service {HASH} inactive"),
            format!("\u{202e}a.service\t{HASH}\tinactive"),
            format!("\t{HASH}\tinactive"),
            "a.service\t2c578c9\tinactive".to_owned(),
            format!("a.service\t{}\tinactive", HASH.to_uppercase()),
            String::new(),
        ] {
            case(&listing(&format!("{row}\n")), &row);
        }
        let row = format!("a.service\t{HASH}\tinactive");
        case(&listing(&row), &row);
        case(&listing(&format!("{row}\n{row}\n")), &row);
        assert_eq!(listed(b"UNIT\tHASH\tDSTATE\n\xff\n"), Err(b"\xff".to_vec()));
    }

    #[test]
    fn a_text_ends_where_its_length_says() {
        let names = ["a.service", "b.service", "c.service"].map(name);
        let names: Vec<&RegistryName> = names.iter().collect();
        let case = |text: &str| {
            texts(text.as_bytes(), &names).map_err(|line| String::from_utf8(line).unwrap())
        };
        let hostile = "absent\ntext 3\nend\n";
        let expected = [(name("a.service"), hostile), (name("c.service"), "ü\n")];
        let expected = expected.map(|(name, text)| (name, text.to_owned()));
        let good = format!("text {}\n{hostile}absent\ntext 3\nü\nend\n", hostile.len());
        assert_eq!(case(&good), Ok(expected.into()));
        for length in 0..good.len() - 1 {
            assert!(texts(&good.as_bytes()[..length], &names).is_err());
        }
        let bad = |text: &str, line: &str| assert_eq!(case(text), Err(line.to_owned()));
        bad("", "");
        bad("absent\nabsent\n", "");
        bad("absent\nabsent\nabsent\nmore\nend\n", "more");
        bad("absent\nabsent\nabsent\nend\nend\n", "end");
        bad("Welcome\nabsent\n", "Welcome");
        bad("text -1\n\n", "text -1");
        bad("text 99999999999999999999\n", "text 99999999999999999999");
        bad("text 9\na\n", "");
        bad("text 2\nab\nabsent\nabsent\nend\n", "ab");
        bad("text 0\nabsent\nabsent\nend\n", "");
    }
}
