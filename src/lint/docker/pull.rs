//! Pulls of images in a unit's start.

use crate::lint::container::{Call, Calls, Verb};
use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::lint::service::{DEFAULT_TIME, Settings, shown};
use crate::unit::systemd::scalar::INFINITY;

pub(super) static SHORT: Rule = Rule::warning("U506", "a pull under a short start time")
    .because(
        "systemd gives each command of a start `TimeoutStartSec=`, which is 90s unless it is \
         written (only `Type=oneshot` has no end then). A command that takes longer is killed, and \
         the start has failed, with a `-` before the command or not. A large image, a slow registry \
         or a machine that has no layer of it yet takes longer than that, and the next attempt has \
         no more time. Write `TimeoutStartSec=20min`.",
    )
    .example(
        unit!(
            "ExecStartPre=-/usr/bin/docker pull app:1\n\
             ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --name app app:1\n"
        ),
        unit!(
            "TimeoutStartSec=20min\n\
             ExecStartPre=-/usr/bin/docker pull app:1\n\
             ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --name app app:1\n"
        ),
    );

pub(super) static NEEDED: Rule = Rule::warning("U507", "a start that fails without the registry")
    .because(
        "`docker pull` asks the registry each time, also for an image that the machine has. While \
         the registry is out of reach or refuses the login, the pull fails, and without a `-` the \
         start fails with it: what crashes then does not come up again. Write `-` before the \
         command, so that the image that is there is used; `docker run` still pulls one that is \
         missing. Or pull only what is missing: `docker image inspect IMAGE || docker pull IMAGE` \
         in a shell.",
    )
    .example(
        unit!(
            "TimeoutStartSec=20min\n\
             ExecStartPre=/usr/bin/docker pull app:1\n\
             ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --name app app:1\n"
        ),
        unit!(
            "TimeoutStartSec=20min\n\
             ExecStartPre=-/usr/bin/docker pull app:1\n\
             ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --name app app:1\n"
        ),
    );

/// The start time from which on a pull is taken to have enough of it.
const PULL_TIME: u64 = 300_000_000;

/// Finds pulls that fail a start.
pub(super) fn check(calls: &Calls<'_>, settings: &Settings<'_>, found: &mut Findings) {
    let mut is_short = false;
    for call in calls.list.iter().filter(|call| call.verb == Verb::Pull) {
        is_short = is_short || check_time(call, settings, found);
        check_needed(call, calls, found);
    }
}

/// Tells whether there was something to report; once is enough.
fn check_time(call: &Call<'_>, settings: &Settings<'_>, found: &mut Findings) -> bool {
    let waits = match call.key() {
        "ExecStartPre" => true,
        // A simple service has started as soon as its command runs.
        "ExecStart" => settings.kind.is_some_and(|kind| {
            matches!(
                kind.value,
                "oneshot" | "forking" | "notify" | "notify-reload"
            )
        }),
        _ => false,
    };
    let default = if settings.is_oneshot() {
        INFINITY
    } else {
        DEFAULT_TIME
    };
    let time = settings.start_time.map_or(default, |(time, _)| time);
    if !waits || time >= PULL_TIME || call.limit.is_some_and(|limit| limit < time) {
        return false;
    }
    let message = "a pull that takes longer than `TimeoutStartSec=` fails the start";
    let mut finding =
        Finding::new(&SHORT, call.verb_range(), message).help("write `TimeoutStartSec=20min`");
    finding = match settings.start_time {
        Some((_, directive)) => finding
            .label(format!("it has {}", shown(directive.value)))
            .related(directive.value_range(), "this is the time"),
        None => finding.label("it has 90s, unless more is written"),
    };
    found.push(finding);
    true
}

fn check_needed(call: &Call<'_>, calls: &Calls<'_>, found: &mut Findings) {
    let is_before_run = || {
        let mut later = calls
            .list
            .iter()
            .skip_while(|one| !std::ptr::eq(*one, call));
        later.any(|one| one.verb == Verb::Run && one.order == call.order)
    };
    let is_step = match call.key() {
        "ExecStartPre" => true,
        "ExecStart" => is_before_run(),
        _ => false,
    };
    if is_step && call.is_sure() && call.is_fatal() {
        let message = "without the registry this unit does not start, even with the image there";
        let help = if call.script.is_none() {
            "write `-` before the command"
        } else {
            "pull only what is missing: `docker image inspect IMAGE || docker pull IMAGE`"
        };
        found.push(
            Finding::new(&NEEDED, call.verb_range(), message)
                .label("has to succeed")
                .help(help),
        );
    }
}
