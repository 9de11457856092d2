//! Values that a unit reads from another store of etcd than the one that is written to.

use std::borrow::Cow;
use std::ops::Range;

use crate::lint::command::{Command, is_shell};
use crate::lint::container::program::{base, program};
use crate::lint::container::words::text;
use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::lint::shell::word::substitutions;
use crate::lint::shell::{Joint, split};
use crate::lint::subject::Subject;

pub(in crate::lint) static RULES: [&Rule; 1] = [&OLD_STORE];

static OLD_STORE: Rule = Rule::warning("U801", "values read from etcd's v2 store")
    .because(
        "etcd has two stores that know nothing of each other. Without `ETCDCTL_API=3` the etcdctl of \
         old machines reads the one of the v2 protocol (from etcd 3.4 on the other one is the usual \
         one, and there `ls` and `exec-watch` are gone). `unitgen config` writes the v3 store only: \
         what is set there never reaches this unit, which gets nothing, or what was left in the old \
         store, and starts all the same. Let `unitgen env exec` hand over the app's config; its \
         `--key NAME=KEY` gives a variable whose value stands elsewhere in etcd. Or set \
         `ETCDCTL_API=3` for the command, and write `etcdctl get --print-value-only KEY`.",
    )
    .example(
        "[Service]\n\
         ExecStart=/bin/sh -c 'exec /opt/bin/serve \"$$(/usr/bin/etcdctl get /shared/greeting)\"'\n",
        "[Service]\n\
         ExecStart=/opt/bin/unitgen env exec --no-config --key GREETING=/shared/greeting -- \
         /opt/bin/serve\n",
    );

/// The variable that says which store etcdctl reads.
const VARIABLE: &str = "ETCDCTL_API";

/// What gives values. `get` and `ls` only do where something takes what they write: units that wait
/// for a key throw it away.
const READS: [&str; 4] = ["exec-watch", "get", "ls", "watch"];

/// Options of etcdctl that stand before what it is asked to do and take the next word.
const VALUED: [&str; 15] = [
    "--ca-file",
    "--cacert",
    "--cert",
    "--cert-file",
    "--discovery-srv",
    "--endpoint",
    "--endpoints",
    "--key",
    "--key-file",
    "--output",
    "--peers",
    "--timeout",
    "--total-timeout",
    "--user",
    "--username",
];

/// Options that the v3 protocol alone has.
const NEW: [&str; 6] = [
    "--from-key",
    "--hex",
    "--keys-only",
    "--prefix",
    "--print-value-only",
    "--rev",
];

/// Keys that belong to etcd's other users, which write the v2 store themselves.
const OTHERS: [&str; 3] = ["/_coreos.com/", "/_etcd/", "/coreos.com/"];

/// Nobody nests substitutions deeper.
const DEPTH_MAXIMUM: usize = 8;

/// Finds the first value that is read from the old store.
pub(in crate::lint) fn check(subject: &Subject<'_>, found: &mut Findings) {
    if !subject.text.contains("etcdctl") || is_chosen(subject) {
        return;
    }
    let mut commands = subject.commands.iter();
    if let Some((range, read)) = commands.find_map(in_command) {
        let message = format!(
            "`etcdctl {read}` reads etcd's v2 store, and `unitgen config` writes the v3 one"
        );
        found.push(
            Finding::new(&OLD_STORE, range, message)
                .label("what is set there is not seen here")
                .help("use `unitgen env exec`, with `--key NAME=KEY` for a key elsewhere in etcd"),
        );
    }
}

/// Tells whether the unit says which store it means, for all of its commands.
fn is_chosen(subject: &Subject<'_>) -> bool {
    let mut directives = subject.directives.iter();
    directives.any(|directive| {
        matches!(directive.name, "Environment" | "PassEnvironment") && says(directive.value)
    })
}

fn says(text: &str) -> bool {
    text.contains(VARIABLE) && !text.contains("ETCDCTL_API=2")
}

/// Returns where a command reads, and by what word.
fn in_command(command: &Command<'_>) -> Option<(Range<usize>, &'static str)> {
    if !command.directive.value.contains("etcdctl") || says(command.directive.value) {
        return None;
    }
    let count = command.words.len();
    let first = program(count, |at| text(command, at)).at;
    if is_shell(base(text(command, first))) {
        let script = command.script_of(first)?;
        let (part, read) = in_script(text(command, script), false, 0)?;
        return Some((command.within(script, part), read));
    }
    let words: Vec<Cow<'_, str>> = (first..count).map(|at| text(command, at).into()).collect();
    let read = read(&words).filter(|read| is_watch(read))?;
    Some((command.whole(), read))
}

/// Does the same with a script; `is_taken` says whether something takes what it writes.
fn in_script(script: &str, is_taken: bool, depth: usize) -> Option<(Range<usize>, &'static str)> {
    for simple in split(script) {
        let words: Vec<Cow<'_, str>> = simple.words.iter().map(|word| word.text()).collect();
        let first = program(words.len(), |at| &words[at]).at;
        let Some(read) = read(&words[first..]) else {
            continue;
        };
        if is_taken || simple.after == Joint::Pipe || is_watch(read) {
            let end = simple.words.last().map_or(0, |word| word.range().end);
            return Some((simple.words[first].start..end, read));
        }
    }
    if depth == DEPTH_MAXIMUM {
        return None;
    }
    substitutions(script)
        .into_iter()
        .find_map(|(start, inner)| {
            let (range, read) = in_script(inner, true, depth + 1)?;
            Some((start + range.start..start + range.end, read))
        })
}

/// Returns the word by which a call of etcdctl reads a key that may be an app's.
fn read(words: &[Cow<'_, str>]) -> Option<&'static str> {
    let (path, rest) = words.split_first()?;
    if base(path) != "etcdctl" {
        return None;
    }
    let mut rest = rest.iter().map(AsRef::as_ref);
    let verb = loop {
        let word = rest.next()?;
        if !word.starts_with('-') {
            break word;
        }
        if VALUED.contains(&word) || matches!(word, "-C" | "-D" | "-o" | "-u") {
            rest.next();
        }
    };
    let verb = READS.into_iter().find(|read| *read == verb)?;
    let rest: Vec<&str> = rest.collect();
    let is_new = |word: &&str| NEW.iter().any(|option| word.starts_with(option));
    let key = rest.iter().find(|word| !word.starts_with('-'))?;
    let is_other = *key == "/" || OTHERS.iter().any(|other| key.starts_with(other));
    (!is_other && !rest.iter().any(is_new)).then_some(verb)
}

fn is_watch(read: &str) -> bool {
    matches!(read, "exec-watch" | "watch")
}

#[cfg(test)]
mod tests {
    use crate::lint::{Options, Unit, lint};

    /// Asserts what is marked in a service, if anything is.
    #[track_caller]
    fn case(service: &str, expected: Option<&str>) {
        let text = format!("[Service]\n{service}\n");
        let unit = Unit {
            name: "app@.service",
            text: &text,
            is_lossy: false,
        };
        let found = lint(&unit, &Options::default()).list.into_iter();
        let found: Vec<_> = found.filter(|one| one.rule.code == "U801").collect();
        assert!(found.len() < 2, "{found:?}");
        let marked = found.first().map(|one| &text[one.range.clone()]);
        assert_eq!(marked, expected, "{text}");
    }

    #[test]
    fn values_from_the_old_store_are_found() {
        for (script, expected) in [
            (
                "serve $$(/usr/bin/etcdctl get /a/b)",
                "/usr/bin/etcdctl get /a/b",
            ),
            (
                "A=`etcdctl --no-sync get $$k`; B=$$(etcdctl get b)",
                "etcdctl --no-sync get $$k",
            ),
            (
                "export A=\"$$(etcdctl -C http://a get /a)\"",
                "etcdctl -C http://a get /a",
            ),
            (
                "for k in $$(etcdctl ls /a); do b $$k; done",
                "etcdctl ls /a",
            ),
            (
                "a \"$$(b \"$$(etcdctl get /a | tr a b)\")\"",
                "etcdctl get /a",
            ),
            (
                "etcdctl ls --recursive /a | while read k; do b; done",
                "etcdctl ls --recursive /a",
            ),
            ("while :; do etcdctl watch /a; b; done", "etcdctl watch /a"),
        ] {
            case(&format!("ExecStart=/bin/sh -c '{script}'"), Some(expected));
        }
        let watch = "/usr/bin/etcdctl exec-watch /a -- /opt/b";
        case(&format!("ExecStart={watch}"), Some(watch));
        let get = "$$(etcdctl get /a)";
        let twice = format!("ExecStart=/bin/sh -c 'a {get}'\nExecStop=/bin/sh -c 'b {get}'");
        case(&twice, Some("etcdctl get /a"));
        case(
            &format!("Environment=ETCDCTL_API=2\nExecStart=/usr/bin/sudo /bin/bash -c \"a {get}\""),
            Some("etcdctl get /a"),
        );
    }

    #[test]
    fn what_reads_no_config_is_not() {
        for script in [
            "until etcdctl get /a >/dev/null 2>&1; do sleep 1; done",
            "etcdctl get /a || etcdctl mk /a b",
            "while :; do etcdctl set /announce/a b --ttl 60; sleep 45; done",
            "until etcdctl ls | grep -q a; do sleep 1; done",
            "a $$(etcdctl get --print-value-only /a)",
            "a $$(etcdctl get /coreos.com/network/config)",
            "a $$(ETCDCTL_API=3 etcdctl get /a)",
            "export ETCDCTL_API=3; a $$(etcdctl get /a)",
            "a $$(docker exec etcd etcdctl get /a)",
            "echo etcdctl get /a",
            "a $$(etcdctl cluster-health)",
        ] {
            case(&format!("ExecStart=/bin/sh -c '{script}'"), None);
        }
        let get = "ExecStart=/bin/sh -c 'a $$(etcdctl get /a)'";
        case(&format!("Environment=ETCDCTL_API=3\n{get}"), None);
        case(&format!("PassEnvironment=ETCDCTL_API\n{get}"), None);
        case("ExecStartPre=/usr/bin/etcdctl get /a", None);
        case("ExecStartPre=/usr/bin/etcdctl", None);
    }
}
