//! The program that a command is about: that behind `env`, `timeout`, `sudo` and their like.
//!
//! In: a command's words. Out: where the program stands. Knows no rule.

use crate::lint::command::is_shell;

/// A program that runs the one behind its own words.
struct Wrapper {
    name: &'static str,
    /// Its options of one letter that take the next word.
    valued: &'static str,
    /// How many words it takes before the program.
    words: usize,
    /// Whether assignments may stand before the program.
    assigns: bool,
}

const WRAPPERS: [Wrapper; 14] = [
    wrapper("chrt", "", 1),
    wrapper("command", "", 0),
    assigning("env", "uCS"),
    wrapper("exec", "a", 0),
    wrapper("flock", "wE", 1),
    wrapper("ionice", "cn", 0),
    wrapper("nice", "n", 0),
    wrapper("nohup", "", 0),
    wrapper("setsid", "", 0),
    wrapper("stdbuf", "ioe", 0),
    assigning("sudo", "ugpChrtDT"),
    wrapper("systemd-cat", "tp", 0),
    wrapper("time", "fo", 0),
    wrapper("timeout", "sk", 1),
];

const fn wrapper(name: &'static str, valued: &'static str, words: usize) -> Wrapper {
    Wrapper {
        name,
        valued,
        words,
        assigns: false,
    }
}

const fn assigning(name: &'static str, valued: &'static str) -> Wrapper {
    Wrapper {
        assigns: true,
        ..wrapper(name, valued, 0)
    }
}

/// Returns the name of a program's file.
pub(in crate::lint) fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Where the program stands that a command is about.
pub(in crate::lint) struct Program {
    /// Its word.
    pub(in crate::lint) at: usize,
    /// The time after which it is ended, in microseconds.
    pub(super) limit: Option<u64>,
    /// Whether words are added behind its own.
    pub(super) is_open: bool,
}

/// Finds the program behind those that only run another one.
pub(in crate::lint) fn program<'t>(count: usize, word: impl Fn(usize) -> &'t str) -> Program {
    let mut program = Program {
        at: 0,
        limit: None,
        is_open: false,
    };
    while program.at < count {
        let name = base(word(program.at));
        if is_client(name) || is_shell(name) {
            break;
        }
        if name == "unitgen" {
            let end = (program.at..count).find(|&at| word(at) == "--");
            program.at = end.map_or(count, |end| end + 1);
            continue;
        }
        if name == "xargs" {
            program.is_open = true;
            // Its options are many, but no client is among their values.
            let client = (program.at..count).find(|&at| is_client(word(at)));
            program.at = client.unwrap_or(count);
            continue;
        }
        let Some(wrapper) = WRAPPERS.iter().find(|wrapper| wrapper.name == name) else {
            break;
        };
        program.at += 1;
        while program.at < count && word(program.at).starts_with('-') {
            let option = word(program.at);
            program.at += 1;
            if option == "--" {
                break;
            }
            let letter = option.strip_prefix('-').filter(|rest| rest.len() == 1);
            let takes_next = letter.is_some_and(|letter| wrapper.valued.contains(letter));
            program.at += usize::from(takes_next);
        }
        if name == "timeout" && program.at < count {
            program.limit = duration(word(program.at));
        }
        program.at += wrapper.words;
        while wrapper.assigns && program.at < count && word(program.at).contains('=') {
            program.at += 1;
        }
    }
    program
}

/// Reads the time that `timeout` is given, in microseconds.
fn duration(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let seconds = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let number: u64 = number.parse().ok()?;
    number.checked_mul(seconds * 1_000_000)
}

/// Tells whether a program is a client.
pub(super) fn is_client(path: &str) -> bool {
    matches!(base(path), "docker" | "podman")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_behind_others() {
        #[track_caller]
        fn case(line: &str, expected: &str, limit: Option<u64>) {
            let words: Vec<&str> = line.split(' ').collect();
            let program = program(words.len(), |at| words[at]);
            assert_eq!(
                words.get(program.at).copied().unwrap_or_default(),
                expected,
                "{line}"
            );
            assert_eq!(
                program.limit,
                limit.map(|seconds| seconds * 1_000_000),
                "{line}"
            );
        }
        case("/usr/bin/docker run", "/usr/bin/docker", None);
        case("/usr/bin/env A=b -i docker", "-i", None);
        case("/usr/bin/env -i A=b C= docker", "docker", None);
        case("env -u A docker", "docker", None);
        case("timeout -k 5 10m nice -n 5 docker", "docker", Some(600));
        case("timeout --signal=KILL 30 docker", "docker", Some(30));
        case("timeout 1.5h docker", "docker", None);
        case("flock -w 1200 /run/lock docker", "docker", None);
        case("sudo -u core -- docker", "docker", None);
        case(
            "/opt/bin/unitgen env exec --require A -- docker",
            "docker",
            None,
        );
        case("/opt/bin/unitgen env announce --key /a", "", None);
        case("exec -a name docker", "docker", None);
        case("/usr/bin/xargs -r -n 1 docker", "docker", None);
        case("timeout", "", None);
        assert!(program(2, |at| ["xargs", "docker"][at]).is_open);
    }
}
