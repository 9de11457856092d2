//! How a service starts, restarts and stops.

use crate::lint::container::program::base;
use crate::lint::container::{Call, Calls, Verb};
use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::lint::subject::{Directive, Subject};
use crate::unit::systemd::scalar::{INFINITY, boolean, span, unsigned};

pub(in crate::lint) static RULES: [&Rule; 4] =
    [&START_LIMIT, &UNKILLED, &NEVER_READY, &STOPPED_AT_ONCE];

static START_LIMIT: Rule = Rule::warning("U601", "restarts that end at the start limit")
    .because(
        "systemd starts a unit at most `StartLimitBurst=` (5) times within `StartLimitIntervalSec=` \
         (10s). The next start within that time is refused, the unit is `failed`, and nothing \
         restarts it any more, `Restart=always` or not: an image that can't be pulled for a few \
         seconds is enough, since by default 100ms lie between two attempts. fleet does not start a \
         failed unit again either. Attempts that are far enough apart never meet the limit: \
         `RestartSec=` times the burst has to be at least the interval, 2s with systemd's defaults. \
         `RestartSec=10s` is easy on the registry, too. Or write `StartLimitIntervalSec=0` into \
         `[Unit]`, which takes the limit away.",
    )
    .example(
        "[Service]\nExecStart=/opt/bin/serve\nRestart=always\n",
        "[Service]\nExecStart=/opt/bin/serve\nRestart=always\nRestartSec=10s\n",
    );

static UNKILLED: Rule = Rule::warning("U602", "processes that outlive their service")
    .because(
        "With `KillMode=none` systemd runs `ExecStop=` and then kills nothing. What is left goes on \
         running, for systemd the unit is stopped, and the next start puts a second process beside \
         the first, with the same port and the same files. systemd warns of it since 246 and may \
         drop it. Leave `KillMode=` out, and give the service the time that it needs with \
         `TimeoutStopSec=`.",
    )
    .example(
        "[Service]\nExecStart=/opt/bin/serve\nKillMode=none\n",
        "[Service]\nExecStart=/opt/bin/serve\nTimeoutStopSec=2min\n",
    );

static NEVER_READY: Rule = Rule::error("U604", "a service that never becomes ready")
    .because(
        "With `Type=forking` systemd waits until the command has put itself into the background, \
         with `Type=notify` until it reports that it is ready. `docker run` does neither: it stays \
         in the foreground as long as the container runs, and sends no report; the container is no \
         child of it and can't send one. So the unit is `activating` until `TimeoutStartSec=` is \
         over, and is then killed. Leave `Type=` out.",
    )
    .example(
        "[Unit]\nWants=docker.service\nAfter=docker.service\n\n[Service]\nType=forking\n\
         ExecStartPre=-/usr/bin/docker rm -f app\n\
         ExecStart=/usr/bin/docker run --name app app:1\n",
        "[Unit]\nWants=docker.service\nAfter=docker.service\n\n[Service]\n\
         ExecStartPre=-/usr/bin/docker rm -f app\n\
         ExecStart=/usr/bin/docker run --name app app:1\n",
    );

static STOPPED_AT_ONCE: Rule = Rule::warning(
    "U605",
    "an ExecStop= that runs right after the start",
)
.because(
    "A service of `Type=oneshot` is over when its last `ExecStart=` has ended, and systemd then \
         runs `ExecStop=` at once; nobody has to stop the unit for that. What the start has set up \
         is taken down again. Write `RemainAfterExit=yes` if the unit is to count as running until \
         somebody stops it. For what has to be done after each run, successful or not, there is \
         `ExecStopPost=`.",
)
.example(
    "[Service]\nType=oneshot\nExecStart=/opt/bin/add-route\nExecStop=/opt/bin/remove-route\n",
    "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/opt/bin/add-route\n\
         ExecStop=/opt/bin/remove-route\n",
);

/// What the `[Service]` section says, as far as rules ask for it.
#[derive(Clone, Copy, Default)]
pub(in crate::lint) struct Settings<'a> {
    /// `Type=`.
    pub(in crate::lint) kind: Option<Directive<'a>>,
    /// `Restart=`.
    pub(in crate::lint) restart: Option<Directive<'a>>,
    /// The time for a start, in microseconds, if it is written.
    pub(in crate::lint) start_time: Option<(u64, Directive<'a>)>,
    /// The time for a stop, in microseconds, if it is written.
    pub(in crate::lint) stop_time: Option<(u64, Directive<'a>)>,
    /// `RemainAfterExit=`.
    pub(in crate::lint) remains: bool,
    /// Whether the commands read a terminal.
    pub(in crate::lint) has_terminal: bool,
    restart_wait: Option<(u64, Directive<'a>)>,
    limit_interval: Option<(u64, Directive<'a>)>,
    limit_burst: Option<(u32, Directive<'a>)>,
    kill_mode: Option<Directive<'a>>,
}

/// What systemd waits before a restart, unless it is told.
const RESTART_WAIT: u64 = 100_000;

/// Within what time starts are counted, unless it is told.
const LIMIT_INTERVAL: u64 = 10_000_000;

/// How many starts that time may have, unless it is told.
const LIMIT_BURST: u32 = 5;

/// How long systemd waits for a start or a stop, unless it is told.
pub(in crate::lint) const DEFAULT_TIME: u64 = 90_000_000;

/// Returns a span of time as it is written, with a unit.
pub(in crate::lint) fn shown(span: &str) -> String {
    let is_number = span.bytes().all(|byte| byte.is_ascii_digit());
    format!("{span}{}", if is_number { "s" } else { "" })
}

impl<'a> Settings<'a> {
    /// Reads the settings; what systemd would not take is left out.
    #[must_use]
    pub(in crate::lint) fn new(subject: &Subject<'a>) -> Self {
        let mut settings = Self::default();
        for directive in &subject.directives {
            match directive.section {
                "Service" => settings.take(directive),
                "Unit" => settings.take_limit(directive),
                _ => {}
            }
        }
        settings
    }

    fn take(&mut self, directive: &Directive<'a>) {
        let value = directive.value;
        let time = || {
            let time = span(value).map(|time| if time == 0 { INFINITY } else { time });
            time.map(|time| (time, *directive))
        };
        match directive.name {
            "Type" => self.kind = known(directive, &TYPES).or(self.kind),
            "Restart" => self.restart = known(directive, &RESTARTS).or(self.restart),
            "KillMode" => self.kill_mode = known(directive, &KILL_MODES).or(self.kill_mode),
            "RestartSec" => {
                let time = span(value).map(|time| (time, *directive));
                self.restart_wait = time.or(self.restart_wait);
            }
            "TimeoutStartSec" => self.start_time = time().or(self.start_time),
            "TimeoutStopSec" => self.stop_time = time().or(self.stop_time),
            "TimeoutSec" => {
                self.start_time = time().or(self.start_time);
                self.stop_time = time().or(self.stop_time);
            }
            "RemainAfterExit" => self.remains = boolean(value).unwrap_or(self.remains),
            "StandardInput" => self.has_terminal = value.starts_with("tty"),
            // The old place of what belongs into `[Unit]`; its new name is not known here.
            "StartLimitInterval" | "StartLimitBurst" => self.take_limit(directive),
            _ => {}
        }
    }

    fn take_limit(&mut self, directive: &Directive<'a>) {
        match directive.name {
            "StartLimitIntervalSec" | "StartLimitInterval" => {
                let time = span(directive.value).map(|time| (time, *directive));
                self.limit_interval = time.or(self.limit_interval);
            }
            "StartLimitBurst" => {
                let burst = unsigned(directive.value).map(|burst| (burst, *directive));
                self.limit_burst = burst.or(self.limit_burst);
            }
            _ => {}
        }
    }

    /// Tells whether the service is over when its commands have ended.
    pub(in crate::lint) fn is_oneshot(&self) -> bool {
        self.kind.is_some_and(|kind| kind.value == "oneshot")
    }
}

const TYPES: [&str; 8] = [
    "simple",
    "exec",
    "forking",
    "oneshot",
    "dbus",
    "notify",
    "notify-reload",
    "idle",
];

const RESTARTS: [&str; 7] = [
    "no",
    "always",
    "on-success",
    "on-failure",
    "on-abnormal",
    "on-watchdog",
    "on-abort",
];

const KILL_MODES: [&str; 4] = ["control-group", "process", "mixed", "none"];

fn known<'a>(directive: &Directive<'a>, words: &[&str]) -> Option<Directive<'a>> {
    words.contains(&directive.value).then_some(*directive)
}

/// Finds services that do not start, restart or stop as they look.
pub(in crate::lint) fn check(
    subject: &Subject<'_>,
    settings: &Settings<'_>,
    calls: &Calls<'_>,
    found: &mut Findings,
) {
    check_limit(subject, settings, found);
    if let Some(directive) = settings.kill_mode.filter(|mode| mode.value == "none") {
        let message = "`KillMode=none` leaves processes running when the service is stopped";
        found.push(
            Finding::new(&UNKILLED, directive.value_range(), message)
                .label("systemd kills nothing")
                .help("leave it out; `TimeoutStopSec=` gives the service more time to stop"),
        );
    }
    check_ready(subject, settings, calls, found);
    let mut commands = subject.commands.iter();
    if settings.is_oneshot()
        && !settings.remains
        && let Some(stop) = commands.find(|command| command.directive.name == "ExecStop")
    {
        let message = "`ExecStop=` runs as soon as `ExecStart=` is done";
        let mut finding = Finding::new(&STOPPED_AT_ONCE, stop.directive.key_range(), message)
            .label("a oneshot service is over by then")
            .help("write `RemainAfterExit=yes`, or `ExecStopPost=` for what follows each run");
        if let Some(kind) = settings.kind {
            finding = finding.related(kind.value_range(), "it is one by this");
        }
        found.push(finding);
    }
}

/// Starts are counted from the first one: the one that is too many comes as many waits after it as
/// the burst has starts.
fn check_limit(subject: &Subject<'_>, settings: &Settings<'_>, found: &mut Findings) {
    let Some(restart) = settings.restart.filter(|restart| restart.value != "no") else {
        return;
    };
    // Whoever writes both down means the limit.
    if settings.limit_interval.is_some() && settings.limit_burst.is_some() {
        return;
    }
    let wait = settings.restart_wait.map_or(RESTART_WAIT, |(wait, _)| wait);
    let interval = settings
        .limit_interval
        .map_or(LIMIT_INTERVAL, |(time, _)| time);
    let burst = settings.limit_burst.map_or(LIMIT_BURST, |(burst, _)| burst);
    let cycle = wait.saturating_add(slept(subject));
    if !meets_limit(cycle, interval, burst) {
        return;
    }
    let text = |set: Option<Directive<'_>>, default: &str| {
        set.map_or_else(|| default.to_owned(), |set| shown(set.value))
    };
    let within = text(
        settings.limit_interval.map(|(_, directive)| directive),
        "10s",
    );
    let wait = text(
        settings.restart_wait.map(|(_, directive)| directive),
        "100ms",
    );
    let message = format!(
        "`Restart={}` gives up after {burst} starts within {within}",
        restart.value
    );
    let mut finding = Finding::new(&START_LIMIT, restart.value_range(), message)
        .label(format!("`RestartSec=` is {wait}"));
    let needed = interval.div_ceil(u64::from(burst)).div_ceil(1_000_000);
    finding = finding.help(if interval == INFINITY {
        "write `StartLimitIntervalSec=0` into `[Unit]`".to_owned()
    } else {
        let seconds = needed.max(10);
        format!("write `RestartSec={seconds}s`, or `StartLimitIntervalSec=0` into `[Unit]`")
    });
    if let Some((_, directive)) = settings.restart_wait {
        finding = finding.related(directive.value_range(), "so long between two starts");
    }
    found.push(finding);
}

/// Tells whether a service that fails at once, and is started anew after each such time, is started
/// more often than it may be. With exactly as much time as needed it is not: the starts take some, too.
fn meets_limit(cycle: u64, interval: u64, burst: u32) -> bool {
    // Neither an interval nor a burst of nothing limits.
    interval > 0 && burst > 0 && cycle.saturating_mul(u64::from(burst)) < interval
}

/// Returns the time that a start takes at least, because commands only wait.
fn slept(subject: &Subject<'_>) -> u64 {
    let mut time: u64 = 0;
    for command in &subject.commands {
        if matches!(command.directive.name, "ExecStartPre" | "ExecStopPost")
            && command.words.len() == 2
            && base(&command.word(0)) == "sleep"
        {
            time = time.saturating_add(span(&command.word(1)).unwrap_or(0));
        }
    }
    time
}

/// A client in the foreground, where systemd waits for something else.
fn check_ready(
    subject: &Subject<'_>,
    settings: &Settings<'_>,
    calls: &Calls<'_>,
    found: &mut Findings,
) {
    let Some(kind) = settings.kind else { return };
    let is_main = |call: &&Call<'_>| {
        let options = call.options.as_ref();
        call.verb == Verb::Run
            && call.key() == "ExecStart"
            && call.is_last()
            && options.is_some_and(|options| options.is_whole() && options.detach.is_none())
    };
    let Some(call) = calls.list.iter().find(is_main) else {
        return;
    };
    let reason = match kind.value {
        "forking" => "the client stays in the foreground",
        "notify" | "notify-reload" if !call.is_podman && !reports(subject) => {
            "the client sends no report"
        }
        _ => return,
    };
    let message = format!(
        "with `Type={}` this `docker run` never becomes ready",
        kind.value
    );
    found.push(
        Finding::new(&NEVER_READY, kind.value_range(), message)
            .label("systemd waits in vain, then kills it")
            .related(call.verb_range(), reason)
            .help("leave `Type=` out"),
    );
}

/// Tells whether anything in the unit may report in the client's place.
fn reports(subject: &Subject<'_>) -> bool {
    let mut words = subject.commands.iter().flat_map(|command| &command.words);
    words.any(|word| {
        let text = word.text.to_ascii_lowercase();
        text.windows(b"notify".len()).any(|part| part == b"notify")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{Options, Unit, lint};

    #[track_caller]
    fn case(text: &str, expected: &[&str]) {
        let unit = Unit {
            name: "app.service",
            text,
            is_lossy: false,
        };
        let found = lint(&unit, &Options::default());
        let codes = found.list.iter().map(|finding| finding.rule.code);
        let codes: Vec<_> = codes.filter(|code| code.starts_with("U6")).collect();
        assert_eq!(codes, expected, "{text}");
    }

    #[test]
    fn the_start_after_the_last_allowed_one_decides() {
        // Seen with systemd 252: five starts that lie 1.9s apart are the last ones, with 2s between
        // them there is no end.
        assert!(meets_limit(1_900_000, LIMIT_INTERVAL, LIMIT_BURST));
        assert!(!meets_limit(2_000_000, LIMIT_INTERVAL, LIMIT_BURST));
        assert!(meets_limit(RESTART_WAIT, LIMIT_INTERVAL, LIMIT_BURST));
        assert!(!meets_limit(0, 0, LIMIT_BURST));
        assert!(!meets_limit(0, LIMIT_INTERVAL, 0));
        assert!(meets_limit(u64::MAX / 2, INFINITY, 1));
        assert!(!meets_limit(INFINITY, INFINITY, 1));
    }

    #[test]
    fn restarts_meet_the_limit_or_not() {
        let case = |unit: &str, service: &str, expected: &[&str]| {
            let text = format!("[Unit]\n{unit}\n[Service]\nExecStart=/bin/a\n{service}\n");
            case(&text, expected);
        };
        case("", "Restart=always", &["U601"]);
        case("", "Restart=on-failure\nRestartSec=1", &["U601"]);
        case("", "Restart=no", &[]);
        case("", "Restart=sometimes", &[]);
        case("", "Restart=always\nRestartSec=2", &[]);
        case("", "Restart=always\nRestartSec=2\nRestartSec=never", &[]);
        case("", "Restart=always\nExecStartPre=/bin/sleep 2", &[]);
        case("StartLimitIntervalSec=0", "Restart=always", &[]);
        case("StartLimitInterval=0", "Restart=always", &[]);
        case("", "Restart=always\nStartLimitInterval=0", &[]);
        case("", "Restart=always\nStartLimitIntervalSec=0", &["U601"]);
        case(
            "StartLimitIntervalSec=1min",
            "Restart=always\nRestartSec=10",
            &["U601"],
        );
        case(
            "StartLimitIntervalSec=50",
            "Restart=always\nRestartSec=10",
            &[],
        );
        case("StartLimitBurst=0", "Restart=always", &[]);
        case("StartLimitBurst=200", "Restart=always", &[]);
        case(
            "StartLimitIntervalSec=5min\nStartLimitBurst=3",
            "Restart=always",
            &[],
        );
    }

    #[test]
    fn a_client_in_the_foreground_is_never_ready() {
        let run =
            |kind: &str, command: &str| format!("[Service]\nType={kind}\nExecStart={command}\n");
        case(&run("forking", "/usr/bin/docker run app"), &["U604"]);
        case(&run("notify", "/usr/bin/docker run app"), &["U604"]);
        case(
            &run("notify", "/bin/sh -c 'exec docker run app'"),
            &["U604"],
        );
        case(&run("simple", "/usr/bin/docker run app"), &[]);
        case(&run("forking", "/usr/bin/docker run -d app"), &[]);
        case(&run("forking", "/usr/bin/docker run $OPTIONS app"), &[]);
        case(&run("forking", "/bin/sh -c 'docker run app &'"), &[]);
        case(&run("notify", "/usr/bin/podman run app"), &[]);
        case(
            &run(
                "notify",
                "/bin/sh -c 'systemd-notify --ready; exec docker run app'",
            ),
            &[],
        );
        case(&run("notify", "/opt/bin/systemd-docker run app"), &[]);
    }

    #[test]
    fn a_oneshot_service_is_over_when_it_has_started() {
        case(
            "[Service]\nType=oneshot\nExecStart=/bin/a\nExecStop=/bin/b\n",
            &["U605"],
        );
        case(
            "[Service]\nType=oneshot\nExecStart=/bin/a\nExecStop=/bin/b\nRemainAfterExit=on\n",
            &[],
        );
        case(
            "[Service]\nType=oneshot\nExecStart=/bin/a\nExecStopPost=/bin/b\n",
            &[],
        );
        case("[Service]\nExecStart=/bin/a\nExecStop=/bin/b\n", &[]);
        case(
            "[Service]\nExecStart=/bin/a\nKillMode=none\nKillMode=mixed\n",
            &[],
        );
    }
}
