//! The names of containers: that there is one, that it is free at a start, that a stop means it.

use crate::lint::container::program::base;
use crate::lint::container::{Call, Calls, Verb};
use crate::lint::docker::likeness::{Likeness, compare, is_unknown, written};
use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::lint::service::Settings;
use crate::lint::shell::Simple;
use crate::lint::subject::Subject;

pub(super) static NAMELESS: Rule = Rule::warning("U502", "a container without a name")
    .because(
        "docker makes up a name for a container that is run without `--name`, another one each \
         time. Nothing in the unit can stop or remove such a container: when systemd has to kill the \
         client, after `TimeoutStopSec=`, the container runs on, and the next start puts a second one \
         beside it. Without `--rm` each start leaves one more ended container on the disk as well. \
         Write `--name %p`, in a template `--name %p-%i`; remove what has that name before the \
         start, and stop it by that name.",
    )
    .example(
        unit!("ExecStart=/usr/bin/docker run --rm app:1\n"),
        unit!(
            "ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --rm --name app app:1\n"
        ),
    );

pub(super) static LEFT_BEHIND: Rule = Rule::warning("U503", "a name that an ended container still has")
    .because(
        "A container keeps its name when it has ended, until it is removed. So the first start \
         works, and each one after it fails: `Conflict. The container name \"/app\" is already in \
         use`. Remove what is left before the start: `ExecStartPre=-/usr/bin/docker rm -f NAME`, \
         with a `-` as there is nothing to remove at first. `ExecStop=` does not do: it is left out \
         when the container ends with an error or the machine dies.",
    )
    .example(
        unit!("ExecStart=/usr/bin/docker run --name app app:1\n"),
        unit!(
            "ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --name app app:1\n"
        ),
    );

pub(super) static ONLY_AT_ITS_END: Rule = Rule::warning("U504", "a name that only `--rm` frees")
    .because(
        "`--rm` removes a container once it has ended. If the client is killed before that, at the \
         end of `TimeoutStopSec=` or for want of memory, or loses the daemon, the container runs on \
         and keeps its name, and each start fails: `Conflict. The container name \"/app\" is already \
         in use`. Up to docker 1.12 the client itself did the removal, so that a killed client or a \
         dead machine left the container for good. Remove what is left before the start as well: \
         `ExecStartPre=-/usr/bin/docker rm -f NAME`.",
    )
    .example(
        unit!("ExecStart=/usr/bin/docker run --rm --name app app:1\n"),
        unit!(
            "ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --rm --name app app:1\n"
        ),
    );

pub(super) static FIRST_START: Rule = Rule::error("U505", "a first start that fails")
    .because(
        "Before the first start on a machine there is no container to stop, kill or remove, and the \
         client ends with 1 for that (`docker rm -f` ends with 0 since 20.10, and with 1 before). \
         Without a `-` before the command, or `|| true` in a script, that fails the start, so that \
         the container never comes into being. `docker kill` also fails where the container has \
         ended.",
    )
    .example(
        unit!(
            "ExecStartPre=/usr/bin/docker rm app\n\
             ExecStart=/usr/bin/docker run --name app app:1\n"
        ),
        unit!(
            "ExecStartPre=-/usr/bin/docker rm app\n\
             ExecStart=/usr/bin/docker run --name app app:1\n"
        ),
    );

pub(super) static OTHER: Rule = Rule::warning("U514", "a stop that means another container")
    .because(
        "The name behind `docker stop`, `kill` or `rm` is none that this unit gives to a container, \
         so its own container is not reached: it only gets the signal that systemd sends to the \
         client, and if it takes longer than `TimeoutStopSec=` it is left running.",
    )
    .example(
        unit!(
            "ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --name app app:1\n\
             ExecStop=-/usr/bin/docker stop web\n"
        ),
        unit!(
            "ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --name app app:1\n\
             ExecStop=-/usr/bin/docker stop app\n"
        ),
    );

/// Finds containers whose names are missing, taken or mistaken.
pub(super) fn check(
    subject: &Subject<'_>,
    calls: &Calls<'_>,
    settings: &Settings<'_>,
    found: &mut Findings,
) {
    for call in &calls.list {
        let is_run = matches!(call.verb, Verb::Run | Verb::Create);
        // A step that may fail may find its container there: one that only holds data.
        let is_needed = match call.key() {
            "ExecStartPre" => call.is_fatal(),
            "ExecStart" => call.ends_command(),
            _ => false,
        };
        if is_run && call.is_sure() && is_needed {
            match name(call) {
                Some(name) => check_left(subject, calls, call, name, found),
                None => check_nameless(calls, call, settings, found),
            }
        }
        if call.key().starts_with("ExecStart") {
            check_first_start(calls, call, found);
        }
    }
    check_other(calls, found);
}

/// Returns the name that a call gives to a container.
fn name<'a>(call: &'a Call<'_>) -> Option<&'a str> {
    let value = call.options.as_ref()?.name?;
    Some(call.value(value)).filter(|name| !name.is_empty())
}

/// Returns when a call has its turn: the phase, the command, the place in its script.
fn turn(call: &Call<'_>) -> (u8, usize, usize) {
    let phase = match call.key() {
        "ExecCondition" => 0,
        "ExecStartPre" => 1,
        "ExecStart" => 2,
        "ExecStartPost" => 3,
        "ExecStop" => 5,
        "ExecStopPost" => 6,
        _ => 4,
    };
    (
        phase,
        call.order,
        call.script.map_or(0, |script| script.index),
    )
}

/// Returns what can be said of a call's operands and a name: the most that holds for any of them.
fn means(call: &Call<'_>, name: &str) -> Likeness {
    if call.is_open || call.verb == Verb::Prune {
        return Likeness::Unknown;
    }
    let mut likeness = Likeness::Different;
    for part in call.operands() {
        match compare(call.text(part), name) {
            Likeness::Same => return Likeness::Same,
            Likeness::Unknown => likeness = Likeness::Unknown,
            Likeness::Different => {}
        }
    }
    likeness
}

fn check_nameless(
    calls: &Calls<'_>,
    call: &Call<'_>,
    settings: &Settings<'_>,
    found: &mut Findings,
) {
    let Some(options) = &call.options else { return };
    // What runs once and removes itself is done with when its client is.
    let is_passing = settings.is_oneshot() && options.remove.is_some();
    // In a script with several the others may only help.
    let runs = calls.list.iter().filter(|one| one.order == call.order);
    let runs = runs.filter(|one| one.verb == Verb::Run).count();
    if call.verb != Verb::Run
        || call.key() != "ExecStart"
        || !options.is_whole()
        || options.name.is_some()
        || options.id_file.is_some()
        || is_passing
        || runs > 1
    {
        return;
    }
    let message = "docker makes up a name for this container";
    let mut finding = Finding::new(&NAMELESS, call.verb_range(), message)
        .label("nothing can stop or remove it by name")
        .help("write `--name %p`, in a template `--name %p-%i`");
    let mut stops = calls.list.iter().filter(|one| one.key() == "ExecStop");
    if let Some(stop) = stops.find(|one| one.verb == Verb::Stop)
        && let Some(operand) = stop.operands().next()
    {
        finding = finding.related(stop.range(operand), "it does not have this name");
    }
    found.push(finding);
}

/// A name that may be taken when the container is to get it.
fn check_left(
    subject: &Subject<'_>,
    calls: &Calls<'_>,
    call: &Call<'_>,
    name: &str,
    found: &mut Findings,
) {
    let Some(options) = &call.options else { return };
    let Some(value) = options.name else { return };
    if options.replace.is_some() || is_unknown(name) || is_set_by_script(calls, call, name) {
        return;
    }
    let mut other = None;
    let mut at_stop = None;
    for removal in &calls.list {
        if !matches!(removal.verb, Verb::Remove | Verb::Prune) {
            continue;
        }
        let is_before = turn(removal) < turn(call);
        let likeness = means(removal, name);
        match removal.key() {
            _ if is_before && likeness == Likeness::Different => other = Some(removal),
            // What `ExecStopPost=` removes a failed start leaves to the next one.
            "ExecStopPost" if likeness != Likeness::Different => return,
            _ if is_before => return,
            "ExecStop" if likeness == Likeness::Same => at_stop = Some(removal),
            _ => {}
        }
    }
    if (at_stop.is_some() && options.remove.is_some()) || may_clean(subject, calls, name) {
        return;
    }
    let rule = if options.remove.is_some() {
        &ONLY_AT_ITS_END
    } else {
        &LEFT_BEHIND
    };
    let message = match options.remove {
        Some(_) => format!("nothing but `--rm` frees the name `{name}` for the next start"),
        None => format!("nothing removes an ended `{name}` before the start"),
    };
    let mut finding = Finding::new(rule, call.range(value.word), message)
        .label("a start fails where it is taken")
        .help(format!(
            "write `ExecStartPre=-/usr/bin/docker rm -f {}`",
            written(name)
        ));
    if let Some(removal) = other
        && let Some(operand) = removal.operands().next()
    {
        finding = finding.related(removal.range(operand), "this is another name");
    }
    if let Some(removal) = at_stop {
        finding = finding.related(removal.verb_range(), "not done after a failure");
    }
    found.push(finding);
}

/// Tells whether the script that a call stands in sets a variable of a name.
fn is_set_by_script(calls: &Calls<'_>, call: &Call<'_>, name: &str) -> bool {
    let Some(commands) = call
        .script
        .and_then(|place| calls.scripts.get(place.script))
    else {
        return false;
    };
    let mut set = commands.iter().flat_map(Simple::sets);
    name.contains('$') && set.any(|(variable, _)| name.contains(variable))
}

/// Tells whether a program that is not looked into may remove a container before the start.
fn may_clean(subject: &Subject<'_>, calls: &Calls<'_>, name: &str) -> bool {
    const HINTS: [&str; 6] = ["clean", "docker", "container", "remove", "stop", "kill"];
    let mut commands = subject.commands.iter().enumerate();
    commands.any(|(order, command)| {
        if command.directive.name != "ExecStartPre"
            || calls.list.iter().any(|call| call.order == order)
        {
            return false;
        }
        (0..command.words.len()).any(|index| {
            let word = command.word(index);
            word.contains(name) || HINTS.iter().any(|hint| base(&word).contains(hint))
        })
    })
}

/// What has to succeed before the first start, and can't.
fn check_first_start(calls: &Calls<'_>, call: &Call<'_>, found: &mut Findings) {
    let verb = match call.verb {
        Verb::Remove => "rm",
        Verb::Kill => "kill",
        Verb::Stop => "stop",
        _ => return,
    };
    let is_forced = call.verb == Verb::Remove && call.has_flag('f', "force");
    if !call.is_fatal() || call.is_open || (call.is_podman && is_forced) {
        return;
    }
    let mut runs = calls.list.iter().filter(|run| {
        let is_run = matches!(run.verb, Verb::Run | Verb::Create);
        is_run && name(run).is_some_and(|name| means(call, name) != Likeness::Different)
    });
    // What was started before is there to be stopped.
    let Some(run) = runs.clone().find(|run| {
        turn(run) > turn(call) && name(run).is_some_and(|name| means(call, name) == Likeness::Same)
    }) else {
        return;
    };
    if runs.any(|run| turn(run) < turn(call)) {
        return;
    }
    let message = format!(
        "at the first start there is nothing to {}",
        match verb {
            "rm" => "remove",
            verb => verb,
        }
    );
    let label = if is_forced {
        "fails the start, before docker 20.10"
    } else {
        "fails the start"
    };
    let mut finding = Finding::new(&FIRST_START, call.verb_range(), message)
        .label(label)
        .help(if call.script.is_some() {
            "write `|| true` behind it"
        } else {
            "write `-` before the command"
        });
    if let Some(value) = run.options.as_ref().and_then(|options| options.name) {
        finding = finding.related(run.range(value.word), "it comes into being only here");
    }
    found.push(finding);
}

/// A stop that reaches none of the unit's containers.
fn check_other(calls: &Calls<'_>, found: &mut Findings) {
    let runs = || {
        calls
            .list
            .iter()
            .filter(|call| matches!(call.verb, Verb::Run | Verb::Create))
    };
    let mut stops = calls.list.iter().filter(|call| {
        let is_stop = matches!(call.verb, Verb::Stop | Verb::Kill | Verb::Remove);
        is_stop && matches!(call.key(), "ExecStop" | "ExecStopPost")
    });
    let Some(run) = runs().find(|call| call.key() == "ExecStart") else {
        return;
    };
    let is_known = |run: &Call<'_>| name(run).is_some_and(|name| !is_unknown(name));
    if !runs().all(is_known) {
        return;
    }
    let reaches_none = |stop: &Call<'_>| {
        let mut names = runs().filter_map(name);
        names.all(|name| means(stop, name) == Likeness::Different)
            && stop.operands().next().is_some()
    };
    // One that means the unit's container makes up for the others.
    let Some(first) = stops.next() else { return };
    if !reaches_none(first) || !stops.all(reaches_none) {
        return;
    }
    let Some(operand) = first.operands().next() else {
        return;
    };
    let message = format!(
        "no container of this unit is called `{}`",
        first.text(operand)
    );
    let mut finding =
        Finding::new(&OTHER, first.range(operand), message).label("another container");
    if let Some(value) = run.options.as_ref().and_then(|options| options.name) {
        finding = finding.related(run.range(value.word), "this is the unit's own");
    }
    found.push(finding);
}
