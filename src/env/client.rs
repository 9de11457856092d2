//! Where a client of docker has its verb.
//!
//! In: a command's words. Out: where `run` or `create` ends, behind which options of the container may be
//! put. Knows the options that stand before a verb, of docker's CLI 28 and of podman 3 to 5, and no others.

use std::ffi::OsString;

/// The options before a verb that take a value.
struct Known {
    letters: &'static str,
    bare_letters: &'static str,
    valued: &'static [&'static str],
    bare: &'static [&'static str],
}

const DOCKER: Known = Known {
    letters: "Hcl",
    bare_letters: "Dhv",
    valued: &[
        "config",
        "context",
        "host",
        "log-level",
        "tlscacert",
        "tlscert",
        "tlskey",
    ],
    bare: &["debug", "help", "tls", "tlsverify", "version"],
};

const PODMAN: Known = Known {
    letters: "Hc",
    bare_letters: "Dhrv",
    valued: &[
        "cdi-spec-dir",
        "cgroup-manager",
        "cni-config-dir",
        "config",
        "conmon",
        "connection",
        "context",
        "cpu-profile",
        "db-backend",
        "default-mounts-file",
        "events-backend",
        "hooks-dir",
        "host",
        "identity",
        "imagestore",
        "log-level",
        "max-workers",
        "memory-profile",
        "module",
        "namespace",
        "network-cmd-path",
        "network-config-dir",
        "out",
        "pull-option",
        "registries-conf",
        "root",
        "runroot",
        "runtime",
        "runtime-flag",
        "ssh",
        "storage-driver",
        "storage-opt",
        "tls-ca",
        "tls-cert",
        "tls-key",
        "tmpdir",
        "url",
        "volumepath",
    ],
    bare: &[
        "debug",
        "help",
        "noout",
        "remote",
        "syslog",
        "trace",
        "transient-store",
        "version",
    ],
};

/// A client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// docker's own.
    Docker,
    /// podman.
    Podman,
}

impl Client {
    /// Returns the client that a program is.
    #[must_use]
    pub fn of(program: &OsString) -> Option<Self> {
        match program.to_str()?.rsplit('/').next()? {
            "docker" => Some(Self::Docker),
            "podman" => Some(Self::Podman),
            _ => None,
        }
    }

    /// Returns the index of the word behind `run` or `create`, or nothing where the verb is another one.
    ///
    /// # Errors
    /// Returns an option that is not known, so that nobody knows whether the next word is its value.
    pub fn behind_verb(self, words: &[OsString]) -> Result<Option<usize>, String> {
        let mut at = self.skip(words, 1)?;
        if text(words, at) == "container" {
            at = self.skip(words, at + 1)?;
        }
        let is_verb = matches!(text(words, at), "run" | "create");
        Ok(is_verb.then_some(at + 1))
    }

    /// Returns the index of the first word that is no option.
    fn skip(self, words: &[OsString], first: usize) -> Result<usize, String> {
        let known = match self {
            Self::Docker => DOCKER,
            Self::Podman => PODMAN,
        };
        let mut at = first;
        while let Some(option) = text(words, at).strip_prefix('-') {
            let takes_next = match option.strip_prefix('-') {
                Some("") => return Ok(at + 1),
                Some(long) => {
                    let is_whole = long.contains('=');
                    if !is_whole && !known.valued.contains(&long) && !known.bare.contains(&long) {
                        return Err(format!("--{long}"));
                    }
                    !is_whole && known.valued.contains(&long)
                }
                None => known.letters_take_next(option)?,
            };
            at += 1 + usize::from(takes_next);
        }
        Ok(at)
    }
}

impl Known {
    /// Tells whether options of one letter each take the next word.
    fn letters_take_next(&self, option: &str) -> Result<bool, String> {
        for (at, letter) in option.char_indices() {
            let rest = &option[at + letter.len_utf8()..];
            if self.letters.contains(letter) {
                return Ok(rest.is_empty());
            }
            if !self.bare_letters.contains(letter) {
                return Err(format!("-{letter}"));
            }
            if rest.starts_with('=') {
                return Ok(false);
            }
        }
        Ok(false)
    }
}

/// Returns a word, empty behind the last or where it is no text.
fn text(words: &[OsString], at: usize) -> &str {
    words.get(at).and_then(|word| word.to_str()).unwrap_or("")
}

/// Returns the variables that options behind the verb name: `-e NAME`, `-e NAME=value`. What only looks
/// like one, behind the image, is among them.
pub fn named(words: &[OsString]) -> impl Iterator<Item = &str> {
    let word = |at: usize| text(words, at);
    (0..words.len()).filter_map(move |at| {
        let option = word(at);
        let name = match option {
            "-e" | "--env" => word(at + 1),
            _ => option
                .strip_prefix("--env=")
                .or_else(|| option.strip_prefix("-e"))?,
        };
        let name = name.split('=').next().unwrap_or(name);
        Some(name).filter(|name| !name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(line: &str, expected: Result<Option<&str>, &str>) {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let client = Client::of(&words[0]).unwrap();
        let found = client.behind_verb(&words);
        let found = found.map(|found| found.map(|at| text(&words, at)));
        assert_eq!(found, expected.map_err(str::to_owned), "{line}");
    }

    #[test]
    fn the_verb_is_found_behind_options() {
        case("docker run a", Ok(Some("a")));
        case("/usr/bin/docker create a", Ok(Some("a")));
        case("docker container run a", Ok(Some("a")));
        case("docker -H unix:///a run a", Ok(Some("a")));
        case("docker -Hrun create a", Ok(Some("a")));
        case("docker -DH run create a", Ok(Some("a")));
        case("docker -D=true run a", Ok(Some("a")));
        case("docker --host=run run a", Ok(Some("a")));
        case("docker --context run --tls create a", Ok(Some("a")));
        case(
            "docker --config /run --log-level debug run a",
            Ok(Some("a")),
        );
        case("docker -l run create a", Ok(Some("a")));
        case("docker --unknown=run run a", Ok(Some("a")));
        case("docker -- run a", Ok(Some("a")));
        case("docker run", Ok(Some("")));
        case("docker exec run", Ok(None));
        case("docker container exec run", Ok(None));
        case("docker compose run a", Ok(None));
        case("docker -H run", Ok(None));
        case("docker", Ok(None));
        case("docker --unknown run a", Err("--unknown"));
        case("docker -x run a", Err("-x"));
        case("podman -c run create a", Ok(Some("a")));
        case(
            "podman -r container --log-level debug create a",
            Ok(Some("a")),
        );
        case(
            "podman --runroot /a --root /b --remote run a",
            Ok(Some("a")),
        );
        case("podman -l run a", Err("-l"));
    }

    #[test]
    fn variables_on_the_command_line_are_seen() {
        let line = "-e A --env B --env=C -eD -e E=1 -eF=2 image";
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        assert_eq!(
            named(&words).collect::<Vec<_>>(),
            ["A", "B", "C", "D", "E", "F"]
        );
    }
}
