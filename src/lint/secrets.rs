//! Secrets that stand in a unit for everyone to read.
//!
//! What looks like a secret by its name is one only where a plain value stands: no variable, no path,
//! no placeholder. The value is never part of a finding.

use std::borrow::Cow;
use std::ops::Range;

use crate::lint::command::{Command, is_shell};
use crate::lint::container::program::{base, program};
use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::lint::secrets::word::{Secret, behind, has_hint, has_option, is_plain, within};
use crate::lint::shell::split;
use crate::lint::subject::{Directive, Subject};
use crate::unit::placed::place_assignments;

mod word;

pub(in crate::lint) static RULES: [&Rule; 2] = [&ON_THE_COMMAND_LINE, &IN_THE_UNIT];

static ON_THE_COMMAND_LINE: Rule = Rule::warning("U701", "a secret on a command line")
    .because(
        "`ps` shows the words of a command to every user of the machine, for as long as it runs. The \
         unit's text shows them as well: `systemctl cat` and `systemctl show` to every user, and \
         fleet's registry, which asks for no password and keeps each text it ever got, to everyone \
         who reaches it. Write `-e NAME` without a value, so that docker takes it from the client's \
         own environment, and put it there with `unitgen env exec`, or with an `EnvironmentFile=` \
         that only root can read. Then give the secret a new value: the old one is known.",
    )
    .example(
        "[Unit]\nWants=docker.service\nAfter=docker.service\n\n[Service]\n\
         ExecStartPre=-/usr/bin/docker rm -f app\n\
         ExecStart=/usr/bin/docker run --name app -e DB_PASSWORD=hunter2 app:1\n",
        "[Unit]\nWants=docker.service\nAfter=docker.service\n\n[Service]\n\
         EnvironmentFile=/etc/app.env\n\
         ExecStartPre=-/usr/bin/docker rm -f app\n\
         ExecStart=/usr/bin/docker run --name app -e DB_PASSWORD app:1\n",
    );

static IN_THE_UNIT: Rule = Rule::warning("U702", "a secret in Environment=")
    .because(
        "`systemctl cat` and `systemctl show` give a unit's text and its `Environment=` to every \
         user of the machine, and fleet's registry, which asks for no password and keeps each text \
         it ever got, to everyone who reaches it. Let `unitgen env exec` fetch the value when the \
         service starts, or put it into an `EnvironmentFile=` that only root can read. Then give the \
         secret a new value: the old one is known.",
    )
    .example(
        "[Service]\nEnvironment=DB_PASSWORD=hunter2\nExecStart=/opt/bin/serve\n",
        "[Service]\nEnvironmentFile=/etc/app.env\nExecStart=/opt/bin/serve\n",
    );

/// A shorter text may stand anywhere, so that hiding it would hide too much.
const SHORTEST_HIDDEN: usize = 4;

/// Tells whether a text may hold a secret at all.
pub(in crate::lint) fn may_hold_one(text: &str) -> bool {
    has_hint(text) || has_option(text.as_bytes())
}

/// Finds secrets in commands and environments.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Findings) {
    let options = |command: &&Command<'_>| command.words.iter().any(|word| has_option(&word.text));
    if !has_hint(subject.text) {
        for command in subject.commands.iter().filter(options) {
            check_command(command, found);
        }
        return;
    }
    for directive in &subject.directives {
        if directive.name == "Environment" && !directive.section.starts_with("X-") {
            check_environment(directive, found);
        }
    }
    for command in &subject.commands {
        if has_hint(command.directive.value) || options(&command) {
            check_command(command, found);
        }
    }
}

fn check_environment(directive: &Directive<'_>, found: &mut Findings) {
    if !has_hint(directive.value) {
        return;
    }
    let (words, _) = place_assignments(directive.value.as_bytes());
    for word in words {
        let text = String::from_utf8_lossy(&word.text);
        let Some(secret) = within(&text, false) else {
            continue;
        };
        let raw = &directive.value[word.range.clone()];
        hide(&secret, raw, found);
        let message = format!("{} stands in the unit in plain text", secret.name);
        let range = directive.range(word.range);
        found.push(
            Finding::new(&IN_THE_UNIT, range, message)
                .label("every user of the machine and fleet's registry can read it")
                .help("use `unitgen env exec`, or an `EnvironmentFile=` that only root can read"),
        );
    }
}

fn check_command(command: &Command<'_>, found: &mut Findings) {
    let script = (0..command.words.len())
        .find_map(|at| is_shell_at(command, at).then(|| command.script_of(at))?);
    let words: Vec<Cow<'_, str>> = (0..command.words.len())
        .map(|at| command.word(at))
        .collect();
    for (at, secret) in secrets(&words, false) {
        // What stands in a script is found there.
        if Some(at) != script {
            let raw = &command.directive.value[command.words[at].range.clone()];
            hide(&secret, raw, found);
            if !found.is_full() {
                report(&secret, command.range(at), &words, found);
            }
        }
    }
    let Some(script) = script else { return };
    for simple in split(&words[script]) {
        let all = || simple.assignments.iter().chain(&simple.words);
        let words: Vec<Cow<'_, str>> = all().map(|word| word.text()).collect();
        for (at, secret) in secrets(&words, true) {
            let Some(word) = all().nth(at) else { continue };
            hide(&secret, word.raw, found);
            if !found.is_full() {
                let range = command.within(script, word.range());
                report(&secret, range, &words, found);
            }
        }
    }
}

fn is_shell_at(command: &Command<'_>, at: usize) -> bool {
    is_shell(base(&command.word(at)))
}

fn report(secret: &Secret<'_>, range: Range<usize>, words: &[Cow<'_, str>], found: &mut Findings) {
    let message = format!("{} stands on a command line in plain text", secret.name);
    let is_docker = words.iter().any(|word| base(word) == "docker");
    let help = if is_docker && !secret.name.contains(['-', ' ']) {
        format!(
            "write `-e {}` without the value, which `unitgen env exec` or `EnvironmentFile=` gives",
            secret.name.trim_matches('`')
        )
    } else {
        "give it in the environment, by `unitgen env exec` or `EnvironmentFile=`, or in a file"
            .to_owned()
    };
    found.push(
        Finding::new(&ON_THE_COMMAND_LINE, range, message)
            .label("`ps` and fleet's registry show it")
            .help(help),
    );
}

/// Keeps a secret out of all excerpts, as it is meant and as it is written.
fn hide(secret: &Secret<'_>, raw: &str, found: &mut Findings) {
    let mut add = |text: &str| {
        // One that goes over several lines is shown line by line.
        for line in text.lines() {
            let line = line.trim().trim_end_matches('\\').trim_end();
            if !line.is_empty() {
                found.secrets.push(line.to_owned());
            }
        }
    };
    if secret.value.len() >= SHORTEST_HIDDEN {
        add(secret.value);
        // A continued line has other blanks where its parts meet.
        if secret.value.contains("  ") {
            let words = secret.value.split_whitespace();
            words
                .filter(|word| word.len() >= SHORTEST_HIDDEN)
                .for_each(&mut add);
        }
    }
    if secret.value.len() < SHORTEST_HIDDEN || !raw.contains(secret.value) {
        add(raw);
    }
}

/// Returns the secrets among the words of one command, each with its word.
fn secrets<'a>(words: &'a [Cow<'_, str>], is_script: bool) -> Vec<(usize, Secret<'a>)> {
    let mut found = Vec::new();
    let mut special = None;
    for (at, word) in words.iter().enumerate() {
        let word = word.as_ref();
        let before = at
            .checked_sub(1)
            .map_or("", |before| words[before].as_ref());
        let secret = within(word, is_script)
            .or_else(|| behind(before, word, is_script))
            .or_else(|| {
                let is_short = |text: &str| text.starts_with("-p") || text.starts_with("-u");
                if !is_short(word) && !is_short(before) && before != "--user" {
                    return None;
                }
                let special = *special.get_or_insert_with(|| Special::of(words));
                special?.secret(before, word, is_script)
            });
        found.extend(secret.map(|secret| (at, secret)));
    }
    found
}

/// A program with options of its own for secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Special {
    /// `docker login -p`.
    Login,
    /// `mysql -pSECRET`.
    Database,
    /// `curl -u user:secret`.
    Transfer,
}

impl Special {
    fn of(words: &[Cow<'_, str>]) -> Option<Self> {
        let at = program(words.len(), |at| words[at].as_ref()).at;
        let is_database = |word: &str| {
            let name = base(word);
            name.starts_with("mysql") || name.starts_with("mariadb")
        };
        let mut rest = words.get(at + 1..)?.iter().map(AsRef::as_ref);
        match base(words.get(at)?) {
            "docker" | "podman" => match rest.find(|word: &&str| !word.starts_with('-'))? {
                "login" => Some(Self::Login),
                "exec" => rest.any(is_database).then_some(Self::Database),
                _ => None,
            },
            "curl" => Some(Self::Transfer),
            name => is_database(name).then_some(Self::Database),
        }
    }

    fn secret<'a>(self, before: &str, word: &'a str, is_script: bool) -> Option<Secret<'a>> {
        let (name, value) = match self {
            Self::Login if before == "-p" => ("`docker login -p`", word),
            Self::Login => ("`docker login -p`", word.strip_prefix("-p")?),
            Self::Database => ("`-p`", word.strip_prefix("-p")?),
            Self::Transfer => {
                let pair = match before {
                    "-u" | "--user" => word,
                    _ => word.strip_prefix("-u")?,
                };
                ("`-u`", pair.split_once(':')?.1)
            }
        };
        let value = value.strip_prefix('=').unwrap_or(value);
        is_plain(value, is_script).then_some(Secret {
            name: Cow::Borrowed(name),
            value,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::{Options, Unit, lint};

    /// Asserts what is found in a line of a service, and what is hidden.
    #[track_caller]
    fn case(line: &str, expected: &[&str], hidden: &[&str]) {
        let text = format!("[Service]\n{line}\n");
        let unit = Unit {
            name: "app.service",
            text: &text,
            is_lossy: false,
        };
        let found = lint(&unit, &Options::default());
        let mine = || {
            found
                .list
                .iter()
                .filter(|finding| finding.rule.code.starts_with("U7"))
        };
        let codes: Vec<_> = mine().map(|finding| finding.rule.code).collect();
        assert_eq!(codes, expected, "{line}");
        assert_eq!(found.secrets, hidden, "{line}");
        for finding in mine() {
            let help = finding.help.iter();
            for text in help.chain([&finding.message, &finding.label]) {
                assert!(hidden.iter().all(|secret| !text.contains(secret)), "{text}");
            }
            let marked = &text[finding.range.clone()];
            assert!(
                hidden.iter().any(|secret| marked.contains(secret)),
                "{line}"
            );
        }
    }

    #[test]
    fn environments_are_read() {
        case("Environment=DB_PASSWORD=hunter2", &["U702"], &["hunter2"]);
        case(
            "Environment=\"A=b\" \"API_KEY=h u n\"",
            &["U702"],
            &["h u n"],
        );
        case(
            "Environment=A_TOKEN=x\\x41yz",
            &["U702"],
            &["A_TOKEN=x\\x41yz", "xAyz"],
        );
        case("Environment=A_TOKEN=abc", &["U702"], &["A_TOKEN=abc"]);
        case(
            "Environment=URL=postgres://me:hunter2@db/a",
            &["U702"],
            &["hunter2"],
        );
        case(
            "Environment=PASSWORD_FILE=/run/a TOKEN_URL=http://a PASSWORD=%i",
            &[],
            &[],
        );
    }

    #[test]
    fn commands_are_read() {
        let run = |words: &str| format!("ExecStart=/usr/bin/docker {words}");
        let case = |words: &str, codes: &[&str], hidden: &[&str]| case(&run(words), codes, hidden);
        case("run -e DB_PASSWORD=hunter2 app", &["U701"], &["hunter2"]);
        case("run --env=DB_PASSWORD=hunter2 app", &["U701"], &["hunter2"]);
        case("run -eDB_PASSWORD=hunter2 app", &["U701"], &["hunter2"]);
        case("run app --password hunter2", &["U701"], &["hunter2"]);
        case("run app -Ddb.password=hunter2", &["U701"], &["hunter2"]);
        case("run -e DB_PASSWORD app", &[], &[]);
        case("run -e DB_PASSWORD=$PASSWORD app", &[], &[]);
        case("run -e DB_PASSWORD=${PASSWORD} app", &[], &[]);
        case("run -e DB_PASSWORD=pa$$word app", &["U701"], &["pa$$word"]);
        case("run -e DB_PASSWORD={{ db }} app", &[], &[]);
        case("run --secret app-token app", &[], &[]);
        case("login -u me -p hunter2 a", &["U701"], &["hunter2"]);
        case("login --password=hunter2 a", &["U701"], &["hunter2"]);
        case("login --password-stdin a", &[], &[]);
        case("run -p 80:80 --name mysql mysql", &[], &[]);
        case(
            "exec db mysqldump -uroot -phunter2",
            &["U701"],
            &["hunter2"],
        );
    }

    #[test]
    fn scripts_are_read() {
        let sh = |script: &str| format!("ExecStart=/bin/sh -c \"{script}\"");
        let case = |script: &str, codes: &[&str], hidden: &[&str]| case(&sh(script), codes, hidden);
        case(
            "docker run -e A_TOKEN='hunt er2' app",
            &["U701"],
            &["hunt er2"],
        );
        case("A_TOKEN=hunter2 exec app", &["U701"], &["hunter2"]);
        case("A_TOKEN=$$(get token) exec app", &[], &[]);
        case("curl -u me:hunter2 a", &["U701"], &["hunter2"]);
        case("curl -u me:$$PASSWORD a", &[], &[]);
        case(
            "curl -H 'Authorization: Bearer hunter2' a",
            &["U701"],
            &["hunter2"],
        );
        case("curl https://me:hunter2@a/b?c=d@e", &["U701"], &["hunter2"]);
        case("curl https://$$ME:$$PASSWORD@a/b", &[], &[]);
    }
}
