//! What a shell puts on docker's command line and tears apart.

use crate::lint::container::options::Options;
use crate::lint::container::program::base;
use crate::lint::container::{Call, Calls, InScript, Verb};
use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::lint::shell::word::Expansion;
use crate::lint::shell::{Simple, split};

pub(super) static TORN: Rule = Rule::warning("U509", "a value that the shell tears apart")
    .because(
        "A shell splits what comes out of `$(…)` (in a unit: `$$(…)`), of backquotes or of a \
         variable at each blank, unless it stands within double quotes, and where there is a `*` or \
         `?` in it looks for files. With `-e GREETING=$(greeting)` and the value `good day` \
         docker gets `GREETING=good`, and takes `day` for the image. Write \
         `-e \"GREETING=$(greeting)\"`. Or leave the shell out: give the value to the client as \
         a variable of its own, and write `-e GREETING` only. Where a text is meant to be split, \
         `set -f` before it says so and keeps `*` as it is.",
    )
    .example(
        unit!(
            "ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/bin/sh -c \"exec /usr/bin/docker run --name app \
             -e GREETING=$$(/opt/bin/greeting) app:1\"\n"
        ),
        unit!(
            "ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/bin/sh -c 'exec /usr/bin/docker run --name app \
             -e \"GREETING=$$(/opt/bin/greeting)\" app:1'\n"
        ),
    );

/// Programs that write one word, or are asked for one.
const ONE_WORD: [&str; 18] = [
    "awk", "basename", "cut", "date", "dirname", "docker", "hostname", "id", "ifconfig", "ip",
    "mktemp", "nproc", "pwd", "sha1sum", "uname", "uuidgen", "wc", "whoami",
];

/// Finds values that a shell splits on docker's command line.
pub(super) fn check(calls: &Calls<'_>, found: &mut Findings) {
    for call in &calls.list {
        let is_run = matches!(call.verb, Verb::Run | Verb::Create);
        if let (true, Some(place), Some(options)) = (is_run, call.script, &call.options) {
            check_call(calls, call, place, options, found);
        }
    }
}

fn check_call(
    calls: &Calls<'_>,
    call: &Call<'_>,
    place: InScript,
    options: &Options,
    found: &mut Findings,
) {
    let values = options.texts.iter().map(|value| value.word);
    // Words in the place of options, up to the first that is none of them.
    let strays = options.stray.into_iter().flat_map(|stray| {
        let rest = stray..call.words.len();
        rest.take_while(|at| call.text(*at).starts_with(['$', '`']))
    });
    // Mostly no word has anything to replace.
    let has_expansion = |at: &usize| call.text(*at).contains(['$', '`']);
    let Some(before) = calls
        .scripts
        .get(place.script)
        .map(|list| &list[..place.index])
    else {
        return;
    };
    for at in values.chain(strays).filter(has_expansion) {
        let Some(word) = call.words.script(at) else {
            continue;
        };
        let mut expansions = word.expansions().into_iter();
        if !expansions.any(|(expansion, is_quoted)| !is_quoted && is_long(expansion, before)) {
            continue;
        }
        // Whoever switches that off knows of it.
        if before.iter().any(keeps_patterns) {
            return;
        }
        let is_value = options.texts.iter().any(|value| value.word == at);
        let message = "the shell splits what this stands for at blanks, and replaces `*`";
        found.push(
            Finding::new(&TORN, call.range(at), message)
                .label(if is_value {
                    "one value, several words"
                } else {
                    "options, but values with blanks as well"
                })
                .help(if is_value {
                    "put the word into double quotes"
                } else {
                    "give values in the client's environment; `set -f` keeps `*` as it is"
                }),
        );
    }
}

/// Tells whether the text may have blanks: it comes from a program that writes any text.
fn is_long(expansion: Expansion<'_>, before: &[Simple<'_>]) -> bool {
    match expansion {
        Expansion::Command(command) => !is_one_word(command),
        Expansion::Variable(name) => {
            let values = before.iter().flat_map(Simple::sets);
            let mut values = values.filter(|(set, _)| *set == name);
            values.any(|(_, value)| {
                let mut expansions = value.expansions().into_iter();
                expansions.any(|(expansion, _)| {
                    matches!(expansion, Expansion::Command(command) if !is_one_word(command))
                })
            })
        }
    }
}

fn is_one_word(command: &str) -> bool {
    // The machine's own address and the like, from a cloud.
    command.contains("169.254.169.254")
        || split(command).iter().any(|simple| {
            let program = simple.words.first().map_or("", |word| base(word.raw));
            ONE_WORD.contains(&program)
        })
}

/// Tells whether a command is `set -f`.
fn keeps_patterns(simple: &Simple<'_>) -> bool {
    let mut words = simple.words.iter().map(|word| word.raw);
    words.next() == Some("set")
        && words.any(|word| word == "noglob" || (word.starts_with('-') && word.contains('f')))
}
