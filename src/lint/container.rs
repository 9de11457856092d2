//! The calls of a docker client in a service's commands.
//!
//! A client is found as the command itself, behind programs that only run another one, and in a
//! shell's script. Names and values are as they are written: specifiers and variables stay. Knows no
//! rule.

use std::ops::Range;

use crate::lint::command::{Command, is_shell};
use crate::lint::container::options::{Options, Value};
use crate::lint::container::program::{Program, base, is_client, program};
use crate::lint::container::words::{Words, text};
use crate::lint::shell::{Joint, Simple, split};
use crate::lint::subject::Subject;

pub(in crate::lint) mod options;
pub(in crate::lint) mod program;
mod table;
pub(in crate::lint) mod words;

/// What the client is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lint) enum Verb {
    Create,
    Exec,
    Kill,
    Login,
    Other,
    Prune,
    Pull,
    Remove,
    Run,
    Start,
    Stop,
}

/// One call of a client.
pub(in crate::lint) struct Call<'a> {
    /// The command that it is or stands in.
    pub(in crate::lint) command: &'a Command<'a>,
    /// Which of the unit's commands that is.
    pub(in crate::lint) order: usize,
    /// What the client is asked to do.
    pub(in crate::lint) verb: Verb,
    /// The words from the client on.
    pub(in crate::lint) words: Words<'a>,
    /// The first word behind the verb.
    pub(in crate::lint) first: usize,
    /// The options of what runs a container or runs in one.
    pub(in crate::lint) options: Option<Options>,
    /// Whether it is podman, which has no daemon.
    pub(in crate::lint) is_podman: bool,
    /// Whether it asks another daemon than the usual one.
    pub(in crate::lint) is_elsewhere: bool,
    /// Whether `xargs` adds words.
    pub(in crate::lint) is_open: bool,
    /// The time after which `timeout` ends it, in microseconds.
    pub(in crate::lint) limit: Option<u64>,
    /// Where in a script it stands.
    pub(in crate::lint) script: Option<InScript>,
}

/// Where in a shell's script a call stands.
#[derive(Debug, Clone, Copy)]
pub(in crate::lint) struct InScript {
    /// Which of the scripts it is.
    pub(in crate::lint) script: usize,
    /// Which of the script's commands it is.
    pub(in crate::lint) index: usize,
    /// Whether it depends on nothing but the success of what comes before.
    is_sure: bool,
    /// Whether the script fails if it fails.
    is_fatal: bool,
    /// Whether the script ends with it.
    is_last: bool,
}

/// All calls of a unit.
#[derive(Default)]
pub(in crate::lint) struct Calls<'a> {
    /// The calls in the order of the text.
    pub(in crate::lint) list: Vec<Call<'a>>,
    /// The commands of each script that has calls.
    pub(in crate::lint) scripts: Vec<Vec<Simple<'a>>>,
}

/// Returns the calls of a docker client in a service.
#[must_use]
pub(in crate::lint) fn calls<'a>(subject: &'a Subject<'_>) -> Calls<'a> {
    let mut calls = Calls::default();
    if !mentions_client(subject.text) {
        return calls;
    }
    for (order, command) in subject.commands.iter().enumerate() {
        if command.directive.section == "Service" {
            calls.take(command, order);
        }
    }
    calls
}

fn mentions_client(text: &str) -> bool {
    text.contains("docker") || text.contains("podman")
}

impl<'a> Calls<'a> {
    /// Returns the command of a script that a call is.
    pub(in crate::lint) fn simple(&self, call: &Call<'_>) -> Option<&Simple<'a>> {
        let place = call.script?;
        self.scripts.get(place.script)?.get(place.index)
    }

    /// Adds the calls of a command.
    fn take(&mut self, command: &'a Command<'a>, order: usize) {
        let program = program(command.words.len(), |at| text(command, at));
        let first = program.at;
        let path = text(command, first);
        if is_client(path) {
            let words = Words::Own {
                command,
                first,
                // The word behind the path is the client's own name.
                skipped: usize::from(command.prefix.own_name && first == 0),
            };
            self.list.push(Call::new(command, order, words, &program));
        } else if is_shell(base(path))
            && let Some(at) = command.script_of(first)
            && mentions_client(text(command, at))
        {
            self.take_script(command, order, at);
        }
    }

    /// Adds the calls of a shell's script.
    fn take_script(&mut self, command: &'a Command<'a>, order: usize, script: usize) {
        let list = split(text(command, script));
        let before = self.list.len();
        for (index, simple) in list.iter().enumerate() {
            if !simple.words.iter().any(|word| mentions_client(word.raw)) {
                continue;
            }
            let words = simple.words.iter().map(|word| (*word, word.text()));
            let words = Words::Script {
                command,
                script,
                words: words.collect(),
            };
            let program = program(words.len(), |at| words.text(at));
            if is_client(words.text(program.at)) {
                let words = words.from(program.at);
                let mut call = Call::new(command, order, words, &program);
                call.script = Some(InScript::new(&list, self.scripts.len(), index));
                self.list.push(call);
            }
        }
        if self.list.len() > before {
            self.scripts.push(list);
        }
    }
}

impl<'a> Call<'a> {
    fn new(command: &'a Command<'a>, order: usize, words: Words<'a>, program: &Program) -> Self {
        let word = |at: usize| words.text(at);
        let is_podman = base(word(0)) == "podman";
        let mut is_elsewhere = false;
        let mut at = 1;
        while word(at).starts_with('-') {
            let option = word(at);
            let (name, is_whole) = option
                .split_once('=')
                .map_or((option, false), |(name, _)| (name, true));
            is_elsewhere |= matches!(
                name,
                "-H" | "--host" | "-c" | "--context" | "--url" | "--connection"
            );
            let is_valued = matches!(
                name,
                "-H" | "--host"
                    | "-c"
                    | "--context"
                    | "-l"
                    | "--log-level"
                    | "--config"
                    | "--tlscacert"
                    | "--tlscert"
                    | "--tlskey"
                    | "--url"
                    | "--connection"
                    | "--root"
                    | "--runroot"
            );
            at += 1 + usize::from(is_valued && !is_whole);
        }
        let is_managed = matches!(word(at), "container" | "image" | "system");
        let verb = verb(word(at), if is_managed { word(at + 1) } else { "" });
        let first = at + 1 + usize::from(is_managed);
        let options = matches!(verb, Verb::Run | Verb::Create | Verb::Exec)
            .then(|| Options::read(&words, first));
        Self {
            command,
            order,
            verb,
            words,
            first,
            options,
            is_podman,
            is_elsewhere,
            is_open: program.is_open,
            limit: program.limit,
            script: None,
        }
    }

    /// Returns the text of a word, empty behind the last.
    pub(in crate::lint) fn text(&self, word: usize) -> &str {
        self.words.text(word)
    }

    /// Returns the text of an option's value.
    pub(in crate::lint) fn value(&self, value: Value) -> &str {
        self.text(value.word)
            .get(value.offset..)
            .unwrap_or_default()
    }

    /// Returns the bytes of the unit's text that a word is written in.
    pub(in crate::lint) fn range(&self, word: usize) -> Range<usize> {
        self.words.range(word)
    }

    /// Returns the bytes from the client to its verb.
    pub(in crate::lint) fn verb_range(&self) -> Range<usize> {
        let last = self.words.len().saturating_sub(1);
        let verb = self.first.saturating_sub(1).min(last);
        self.range(0).start..self.range(verb).end
    }

    /// Returns the name of the directive that it stands in.
    pub(in crate::lint) fn key(&self) -> &'a str {
        self.command.directive.name
    }

    /// Tells whether it runs whenever the command does, as far as nothing before it fails.
    pub(in crate::lint) fn is_sure(&self) -> bool {
        self.script.is_none_or(|script| script.is_sure)
    }

    /// Tells whether the unit's step fails if it fails.
    pub(in crate::lint) fn is_fatal(&self) -> bool {
        !self.command.prefix.ignore_failure && self.ends_command()
    }

    /// Tells whether the command fails if it fails.
    pub(in crate::lint) fn ends_command(&self) -> bool {
        self.script.is_none_or(|script| script.is_fatal)
    }

    /// Tells whether it is the last thing that the command does.
    pub(in crate::lint) fn is_last(&self) -> bool {
        self.script.is_none_or(|script| script.is_last)
    }

    /// Returns the words that name containers or images.
    pub(in crate::lint) fn operands(&self) -> impl Iterator<Item = usize> + '_ {
        let mut is_value = false;
        (self.first..self.words.len()).filter(move |&word| {
            let text = self.text(word);
            let was_value = std::mem::take(&mut is_value);
            is_value = matches!(
                text,
                "-t" | "--time" | "--timeout" | "-s" | "--signal" | "--platform"
            );
            !was_value && !text.starts_with('-')
        })
    }

    /// Returns the value of an option of what is no `run`.
    pub(in crate::lint) fn option(&self, names: &[&str]) -> Option<&str> {
        (self.first..self.words.len()).find_map(|word| {
            let text = self.text(word);
            let rest = names.iter().find_map(|name| text.strip_prefix(name))?;
            match rest.strip_prefix('=') {
                Some(value) => Some(value),
                None if rest.is_empty() => Some(self.text(word + 1)),
                None => Some(rest).filter(|_| !text.starts_with("--")),
            }
        })
    }

    /// Tells whether it has an option that takes no value.
    pub(in crate::lint) fn has_flag(&self, letter: char, name: &str) -> bool {
        (self.first..self.words.len()).any(|word| {
            let text = self.text(word);
            match text.strip_prefix("--") {
                Some(long) => long == name,
                None => text.starts_with('-') && text.contains(letter),
            }
        })
    }
}

impl InScript {
    fn new(list: &[Simple<'_>], script: usize, index: usize) -> Self {
        let simple = &list[index];
        let is_sure = !simple.is_nested && simple.before != Joint::Or;
        let ends_on_failure = list[..index].iter().any(|before| {
            let mut words = before.words.iter().map(|word| word.raw);
            words.next() == Some("set")
                && words.any(|word| word.starts_with('-') && word.contains('e'))
        });
        let mut rest = list[index..].iter().map(|simple| simple.after);
        let decides = rest.find(|after| *after != Joint::And);
        Self {
            script,
            index,
            is_sure,
            is_fatal: is_sure
                && match decides {
                    Some(Joint::Edge) | None => true,
                    Some(Joint::Sequence) => ends_on_failure,
                    Some(_) => false,
                },
            is_last: is_sure && index + 1 == list.len() && simple.after != Joint::Background,
        }
    }
}

fn verb(word: &str, next: &str) -> Verb {
    match (word, next) {
        ("create", _) | ("container", "create") => Verb::Create,
        ("exec", _) | ("container", "exec") => Verb::Exec,
        ("kill", _) | ("container", "kill") => Verb::Kill,
        ("login", _) => Verb::Login,
        ("container" | "system", "prune") => Verb::Prune,
        ("pull", _) | ("image", "pull") => Verb::Pull,
        ("rm", _) | ("container", "rm" | "remove") => Verb::Remove,
        ("run", _) | ("container", "run") => Verb::Run,
        ("start", _) | ("container", "start") => Verb::Start,
        ("stop", _) | ("container", "stop") => Verb::Stop,
        _ => Verb::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Options as Asked;
    use crate::unit::UnitFile;
    use crate::unit::name::UnitName;

    /// Asserts the calls of a service, each with its verb and words, and the text that it is marked by.
    #[track_caller]
    fn case(line: &str, expected: &[(Verb, &str, &str)]) {
        let text = format!("[Service]\n{line}\n");
        let file = UnitFile::parse(&text);
        let unit = UnitName::new("app.service").unwrap();
        let asked = Asked::default();
        let subject = Subject::new(&text, &file, &unit, &asked);
        let calls = calls(&subject);
        let shown = calls.list.iter().map(|call| {
            let words = call.first..call.words.len();
            let words: Vec<_> = words.map(|word| call.text(word)).collect();
            (call.verb, words.join("|"), &text[call.verb_range()])
        });
        let shown: Vec<_> = shown.collect();
        let shown: Vec<_> = shown
            .iter()
            .map(|(verb, words, text)| (*verb, &**words, *text))
            .collect();
        assert_eq!(shown, expected, "{line}");
    }

    #[test]
    fn a_client_is_found_wherever_it_is_run() {
        case(
            "ExecStart=/usr/bin/docker run a",
            &[(Verb::Run, "a", "/usr/bin/docker run")],
        );
        case(
            "ExecStart=@/usr/bin/docker docker rm a",
            &[(Verb::Remove, "a", "@/usr/bin/docker docker rm")],
        );
        case(
            "ExecStart=docker -D -H tcp://a container run b",
            &[(Verb::Run, "b", "docker -D -H tcp://a container run")],
        );
        case(
            "ExecStop=-/usr/bin/timeout 5 /opt/docker stop a",
            &[(Verb::Stop, "a", "/opt/docker stop")],
        );
        case(
            "ExecStart=/bin/sh -c \"A=b exec docker run 'c d'\"",
            &[(Verb::Run, "c d", "docker run")],
        );
        case(
            "ExecStart=/usr/bin/env sh -c 'docker pull a; docker run a'",
            &[
                (Verb::Pull, "a", "docker pull"),
                (Verb::Run, "a", "docker run"),
            ],
        );
        case(
            "ExecStart=/bin/true ; /usr/bin/podman image pull a",
            &[(Verb::Pull, "a", "/usr/bin/podman image pull")],
        );
        case(
            "ExecStart=/bin/bash -ec \\\n  'docker \\\n  run a'",
            &[(Verb::Run, "a", "docker \\\n  run")],
        );
    }

    #[test]
    fn what_is_no_client_is_left() {
        case("ExecStart=/opt/bin/systemd-docker run a", &[]);
        case("ExecStart=/usr/bin/dockerd run a", &[]);
        case("ExecStart=/bin/echo docker run a", &[]);
        case(
            "ExecStart=/bin/sh -c 'echo docker run a; $(docker ps)'",
            &[],
        );
        case("ExecStart=/bin/sh /opt/docker run a", &[]);
    }

    #[test]
    fn operands_are_no_options() {
        let text = "[Service]\nExecStop=docker stop -t 5 --signal HUP -i a b\n";
        let file = UnitFile::parse(text);
        let unit = UnitName::new("app.service").unwrap();
        let asked = Asked::default();
        let subject = Subject::new(text, &file, &unit, &asked);
        let calls = calls(&subject);
        let call = &calls.list[0];
        let operands: Vec<_> = call.operands().map(|part| call.text(part)).collect();
        assert_eq!(operands, ["a", "b"]);
        assert_eq!(call.option(&["-t", "--time"]), Some("5"));
        assert_eq!(call.option(&["-x"]), None);
        assert!(call.has_flag('i', "interactive") && !call.has_flag('f', "force"));
    }
}
