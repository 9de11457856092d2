//! How a unit stops its container.

use crate::lint::container::{Call, Calls, Verb};
use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::lint::service::{DEFAULT_TIME, Settings, shown};
use crate::lint::subject::Subject;
use crate::unit::systemd::scalar::INFINITY;

pub(super) static SHORT: Rule = Rule::warning("U508", "a stop that systemd cuts short")
    .because(
        "`docker stop -t N` gives the container N seconds after SIGTERM, 10 unless they are given, \
         before docker kills it, and the client waits for that. If systemd's own time for the \
         command, `TimeoutStopSec=` (90s), is over by then, systemd ends the clients and the unit \
         has failed, while docker lets the container run on: the next start finds its name and its \
         ports taken. Give systemd some 15s more than docker.",
    )
    .example(
        unit!(
            "ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --name app app:1\n\
             ExecStop=-/usr/bin/docker stop -t 120 app\n"
        ),
        unit!(
            "TimeoutStopSec=135s\n\
             ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --name app app:1\n\
             ExecStop=-/usr/bin/docker stop -t 120 app\n"
        ),
    );

pub(super) static KILLED: Rule = Rule::warning(
    "U515",
    "a container that is killed instead of stopped",
)
.because(
    "`docker kill` and `docker rm -f` send SIGKILL: the program can't answer open requests, \
         write what it holds or sign off. `docker stop` sends SIGTERM, or what the image asks for, \
         and kills only what is still there after 10s, or after what `-t` says. Before a start, \
         where `docker rm -f` removes what was left behind, it is in its place.",
)
.example(
    unit!(
        "ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --name app app:1\n\
             ExecStop=-/usr/bin/docker kill app\n"
    ),
    unit!(
        "ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --name app app:1\n\
             ExecStop=-/usr/bin/docker stop app\n"
    ),
);

/// What `docker stop` waits, unless it is told.
const STOP_SECONDS: i64 = 10;

/// Finds stops that take too long or none at all.
pub(super) fn check(
    subject: &Subject<'_>,
    calls: &Calls<'_>,
    settings: &Settings<'_>,
    found: &mut Findings,
) {
    for call in &calls.list {
        if call.verb == Verb::Stop && matches!(call.key(), "ExecStop" | "ExecStopPost") {
            check_time(call, calls, settings, found);
        }
    }
    check_kill(subject, calls, found);
}

fn check_time(call: &Call<'_>, calls: &Calls<'_>, settings: &Settings<'_>, found: &mut Findings) {
    let time = settings.stop_time.map_or(DEFAULT_TIME, |(time, _)| time);
    if time == INFINITY || call.limit.is_some() {
        return;
    }
    let own = call.option(&["-t", "--timeout", "--time"]);
    let seconds = match own {
        Some(text) => text.parse().ok(),
        None => of_the_run(calls),
    };
    let Some(seconds) = seconds else { return };
    // Less than nothing is without end.
    let wait =
        u64::try_from(seconds).map_or(INFINITY, |seconds: u64| seconds.saturating_mul(1_000_000));
    if wait < time {
        return;
    }
    let is = settings
        .stop_time
        .map_or("90s".to_owned(), |(_, directive)| shown(directive.value));
    let message = format!("`TimeoutStopSec=` is over before this `docker stop` ends: it is {is}");
    let mut finding = Finding::new(&SHORT, call.verb_range(), message);
    finding = if wait == INFINITY {
        finding.label("it may wait for ever")
    } else {
        let needed = seconds.saturating_add(15);
        finding
            .label(format!("it may take {seconds}s"))
            .help(format!("write `TimeoutStopSec={needed}s`"))
    };
    if let Some((_, directive)) = settings.stop_time {
        finding = finding.related(directive.value_range(), "this is the time");
    }
    found.push(finding);
}

/// Returns what the unit's container was given when it was run; `None` if that can't be told.
fn of_the_run(calls: &Calls<'_>) -> Option<i64> {
    let runs = calls.list.iter().filter(|call| call.verb == Verb::Run);
    let mut values = runs.filter_map(|call| {
        let value = call.options.as_ref()?.stop_timeout?;
        Some(call.value(value).parse().ok())
    });
    values.next().unwrap_or(Some(STOP_SECONDS))
}

/// A kill that nothing gentler comes before.
fn check_kill(subject: &Subject<'_>, calls: &Calls<'_>, found: &mut Findings) {
    let mut commands = subject.commands.iter();
    let Some(first) = commands.position(|command| command.directive.name == "ExecStop") else {
        return;
    };
    let Some(call) = calls.list.iter().find(|call| call.order == first) else {
        return;
    };
    let is_first = call.script.is_none_or(|script| script.index == 0) && call.is_sure();
    let signal = call.option(&["-s", "--signal"]);
    let is_kill = match call.verb {
        Verb::Kill => signal.is_none_or(|signal| matches!(signal, "9" | "KILL" | "SIGKILL")),
        Verb::Remove => call.has_flag('f', "force"),
        _ => false,
    };
    if is_first && is_kill {
        let message = "the container is killed, with no time to end";
        found.push(
            Finding::new(&KILLED, call.verb_range(), message)
                .label("sends SIGKILL")
                .help("write `docker stop`"),
        );
    }
}
