//! Docker under systemd: what the client, its daemon and systemd expect of one another.

use crate::diagnostic::Severity;
use crate::lint::container::{Call, Calls, Verb};
use crate::lint::finding::{Finding, Findings};
use crate::lint::rule::Rule;
use crate::lint::service::Settings;
use crate::lint::subject::Subject;

/// Puts docker's dependencies before an example's service.
macro_rules! unit {
    ($service:literal) => {
        concat!(
            "[Unit]\nWants=docker.service\nAfter=docker.service\n\n[Service]\n",
            $service
        )
    };
}

mod likeness;
mod names;
mod pull;
mod stop;
mod torn;

pub(in crate::lint) static RULES: [&Rule; 15] = [
    &DETACHED,
    &names::NAMELESS,
    &names::LEFT_BEHIND,
    &names::ONLY_AT_ITS_END,
    &names::FIRST_START,
    &pull::SHORT,
    &pull::NEEDED,
    &stop::SHORT,
    &torn::TORN,
    &TERMINAL,
    &RESTART_POLICY,
    &UNORDERED,
    &REQUIRED,
    &names::OTHER,
    &stop::KILLED,
];

static DETACHED: Rule = Rule::error("U501", "a client that leaves its container behind")
    .because(
        "systemd watches the process that it starts. With `-d` that is a client that starts the \
         container and ends, as `docker start` without `-a` does. A service of the default type is \
         over then, while its container runs: systemd runs `ExecStop=`, which mostly stops the \
         container again, and `Restart=always` starts all of it anew. With `Type=oneshot` and \
         `RemainAfterExit=yes` the unit is active from then on, whether the container runs, has \
         crashed or was removed, and systemd does not restart it. Leave `-d` out: the client stays as \
         long as the container runs, hands its output to the journal, and ends with its exit status.",
    )
    .example(
        unit!(
            "ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run -d --name app app:1\n"
        ),
        unit!(
            "ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --name app app:1\n"
        ),
    );

static TERMINAL: Rule = Rule::error("U510", "a terminal that a service does not have")
    .because(
        "`-t` gives the container a terminal, and `-i` connects the client's own input to it, which \
         has to be a terminal for that. A service reads /dev/null. So the client ends at once, with \
         `the input device is not a TTY` or, in newer versions, `cannot attach stdin to a \
         TTY-enabled container`, and nothing runs. Leave `-t` out, and `-i` as well.",
    )
    .example(
        unit!(
            "ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run -it --name app app:1\n"
        ),
        unit!(
            "ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --name app app:1\n"
        ),
    );

static RESTART_POLICY: Rule = Rule::warning("U511", "docker's restarts beside systemd's")
    .because(
        "With `--restart` docker itself starts a container again that has ended. The client ends \
         with the first end of the container, though, so systemd takes the service for ended while \
         docker brings the container back: the unit's next start meets it. And `--restart=always` \
         starts the container along with docker, also when the unit was stopped or fleet has moved \
         it to another machine. Leave `--restart` out and write `Restart=always` and `RestartSec=10s` \
         into the unit. docker refuses `--restart` together with `--rm`.",
    )
    .example(
        unit!(
            "ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --restart=always --name app app:1\n"
        ),
        unit!(
            "Restart=always\nRestartSec=10s\n\
             ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --name app app:1\n"
        ),
    );

static UNORDERED: Rule = Rule::warning("U512", "a unit that is not ordered after docker")
    .because(
        "`After=docker.service` has systemd start docker before this unit and stop it after this \
         unit. Without it both are stopped at the same time when the machine shuts down: docker may \
         be gone before `docker stop` reaches it, and the containers are killed. At boot the \
         commands may run before docker answers. `Requires=` or `Wants=` alone say nothing about \
         the order. Write `Wants=docker.service` and `After=docker.service`.",
    )
    .example(
        "[Service]\nExecStartPre=-/usr/bin/docker rm -f app\n\
         ExecStart=/usr/bin/docker run --name app app:1\n",
        unit!(
            "ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --name app app:1\n"
        ),
    );

static REQUIRED: Rule = Rule::warning("U513", "a unit that goes down with docker for good")
    .because(
        "With `Requires=docker.service` systemd stops the unit when docker is stopped, and refuses \
         to start it when docker fails to start, though docker may be up two seconds later by its \
         own `Restart=`. In both cases the unit is inactive without having failed, so its own \
         `Restart=` does not bring it back, and neither does fleet. `BindsTo=` stops it for good \
         when docker crashes, too. (Only a `systemctl restart docker` that works restarts the unit \
         with it.) With `Wants=docker.service` and `After=docker.service` docker is started before \
         the unit all the same; if docker goes, the client fails, and `Restart=` tries until docker \
         is there.",
    )
    .example(
        "[Unit]\nRequires=docker.service\nAfter=docker.service\n\n[Service]\n\
         Restart=always\nRestartSec=10s\n\
         ExecStartPre=-/usr/bin/docker rm -f app\n\
         ExecStart=/usr/bin/docker run --name app app:1\n",
        unit!(
            "Restart=always\nRestartSec=10s\n\
             ExecStartPre=-/usr/bin/docker rm -f app\n\
             ExecStart=/usr/bin/docker run --name app app:1\n"
        ),
    );

/// Finds what docker and systemd make of each other.
pub(in crate::lint) fn check(
    subject: &Subject<'_>,
    settings: &Settings<'_>,
    calls: &Calls<'_>,
    found: &mut Findings,
) {
    if calls.list.is_empty() {
        return;
    }
    for call in &calls.list {
        check_run(call, calls, settings, found);
        if call.verb == Verb::Start {
            check_start(call, settings, found);
        }
    }
    check_dependencies(subject, settings, calls, found);
    names::check(subject, calls, settings, found);
    pull::check(calls, settings, found);
    stop::check(subject, calls, settings, found);
    torn::check(calls, found);
}

fn check_run(call: &Call<'_>, calls: &Calls<'_>, settings: &Settings<'_>, found: &mut Findings) {
    let Some(options) = &call.options else { return };
    if let Some(part) = options.detach
        && call.verb == Verb::Run
        && call.key() == "ExecStart"
        && call.is_last()
        && !is_watched(call, settings)
    {
        let message = "systemd loses sight of a container that is run with `-d`";
        let finding = Finding::new(&DETACHED, call.range(part), message)
            .label("the client ends at once")
            .help("leave it out");
        found.push(softened(finding, settings));
    }
    let has_input = calls.simple(call).is_some_and(|simple| simple.has_input);
    if let (Some(tty), Some(interactive)) = (options.tty, options.interactive)
        && options.detach.is_none()
        && call.verb != Verb::Create
        && !settings.has_terminal
        && !has_input
        && !call.is_podman
    {
        let message = "a service has no terminal for `-i` and `-t`";
        let mut finding = Finding::new(&TERMINAL, call.range(tty), message)
            .label("the client refuses to start the container")
            .help("leave both out");
        if interactive != tty {
            finding = finding.related(call.range(interactive), "with this");
        }
        found.push(finding);
    }
    if let Some(policy) = options.restart
        && let text = call.value(policy)
        && !matches!(text, "" | "no")
        && !text.starts_with(['$', '%'])
    {
        let message = format!("docker restarts this container by itself: `--restart={text}`");
        let mut finding = Finding::new(&RESTART_POLICY, call.range(policy.word), message)
            .label("systemd does not know of it")
            .help("leave it out and write `Restart=always` and `RestartSec=10s`");
        if let Some(remove) = options.remove {
            finding = finding.related(call.range(remove), "docker refuses it with this");
        }
        found.push(finding);
    }
}

/// podman has a process of its own beside each container, which such a service takes for its main one.
fn is_watched(call: &Call<'_>, settings: &Settings<'_>) -> bool {
    let kind = settings.kind.map_or("", |kind| kind.value);
    call.is_podman && matches!(kind, "notify" | "forking")
}

/// With `RemainAfterExit=yes` such a unit does something; it only tells nothing any more.
fn softened(mut finding: Finding, settings: &Settings<'_>) -> Finding {
    if settings.is_oneshot() {
        finding.severity = Severity::Warning;
    }
    finding
}

fn check_start(call: &Call<'_>, settings: &Settings<'_>, found: &mut Findings) {
    // A oneshot service that does not remain only gives the container a push.
    let is_push = settings.is_oneshot() && !settings.remains;
    let is_attached = call.has_flag('a', "attach") || call.has_flag('i', "interactive");
    let is_lost = !is_attached && !is_push && !is_watched(call, settings);
    if call.key() == "ExecStart" && call.is_last() && is_lost {
        let message = "systemd loses sight of a container that is started without `-a`";
        let finding = Finding::new(&DETACHED, call.verb_range(), message)
            .label("the client ends at once")
            .help("write `docker start -a`");
        found.push(softened(finding, settings));
    }
}

/// What the unit says about docker's own unit.
fn check_dependencies(
    subject: &Subject<'_>,
    settings: &Settings<'_>,
    calls: &Calls<'_>,
    found: &mut Findings,
) {
    let is_usual = |call: &&Call<'_>| !call.is_podman && !call.is_elsewhere;
    let Some(call) = calls.list.iter().find(is_usual) else {
        return;
    };
    if !is_ordered(subject) {
        let message = "nothing orders this unit after docker";
        found.push(
            Finding::new(&UNORDERED, call.range(0), message)
                .label("docker may not be up yet, or no longer")
                .help("write `Wants=docker.service` and `After=docker.service` into `[Unit]`"),
        );
    }
    // A unit that systemd would restart loses the most by it.
    // What runs at times, by a timer, is started again by that.
    if settings.is_oneshot() {
        return;
    }
    let restart = settings.restart;
    let restart = restart.filter(|one| matches!(one.value, "always" | "on-failure"));
    for key in ["Requires", "Requisite", "BindsTo"] {
        for directive in subject.all("Unit", key) {
            let Some(at) = word(directive.value, "docker.service") else {
                continue;
            };
            let message =
                format!("`{key}=docker.service` stops this unit along with docker for good");
            let range = directive.range(at..at + "docker.service".len());
            let mut finding = Finding::new(&REQUIRED, range, message)
                .label("nothing starts it again")
                .help("write `Wants=docker.service`, `After=docker.service` and `Restart=always`");
            if let Some(restart) = restart {
                finding = finding.related(restart.value_range(), "not even this");
            }
            found.push(finding);
        }
    }
}

/// Tells whether the unit may be ordered after docker, be it by way of another unit.
fn is_ordered(subject: &Subject<'_>) -> bool {
    // These come up without docker, so that who comes after them does not come after docker.
    const APART: [&str; 9] = [
        "basic.target",
        "etcd",
        "flannel",
        "fleet",
        "local-fs",
        "network",
        "remote-fs",
        "sysinit.target",
        "systemd-",
    ];
    let is_apart = |name: &str| {
        name.rsplit('.').next() == Some("mount")
            || APART.iter().any(|start| name.starts_with(start))
    };
    subject.all("Unit", "After").any(|directive| {
        let mut names = directive.value.split_ascii_whitespace();
        names.any(|name| !is_apart(name))
    })
}

/// Returns where a word stands in a list.
fn word(list: &str, word: &str) -> Option<usize> {
    list.match_indices(word).map(|(at, _)| at).find(|&at| {
        let is_blank = |c: Option<char>| c.is_none_or(|c| c.is_ascii_whitespace());
        is_blank(list[..at].chars().next_back()) && is_blank(list[at + word.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use crate::lint::{Options, Unit, lint};

    /// Asserts the codes of these rules that are found in a service.
    #[track_caller]
    fn case(service: &str, expected: &[&str]) {
        let text = format!("[Unit]\nAfter=docker.service\n[Service]\n{service}\n");
        case_of_unit(&text, expected);
    }

    #[track_caller]
    fn case_of_unit(text: &str, expected: &[&str]) {
        let unit = Unit {
            name: "app@.service",
            text,
            is_lossy: false,
        };
        let found = lint(&unit, &Options::default());
        let codes = found.list.iter().map(|finding| finding.rule.code);
        let codes: Vec<_> = codes.filter(|code| code.starts_with("U5")).collect();
        assert_eq!(codes, expected, "{text}");
    }

    #[test]
    fn a_detached_client_is_found() {
        let pre = "ExecStartPre=-/usr/bin/docker rm -f app\n";
        let run = |options: &str| {
            format!("{pre}ExecStart=/usr/bin/docker run {options} --name app app:1")
        };
        case(&run("-dp 80:80"), &["U501"]);
        case(&run("--detach"), &["U501"]);
        case(&run("-dit"), &["U501"]);
        case(&run("-d=true"), &["U501"]);
        case(&run("-d=false"), &[]);
        case(&run("--detach=false"), &[]);
        case(&run("-e -d"), &[]);
        case(
            &format!("{pre}ExecStart=/usr/bin/docker run --name app app:1 -d"),
            &[],
        );
        case("ExecStart=/usr/bin/docker start app", &["U501"]);
        case("ExecStart=/usr/bin/docker start -a app", &[]);
        case("Type=oneshot\nExecStart=/usr/bin/docker start app", &[]);
        let script = |rest: &str| {
            format!("{pre}ExecStart=/bin/sh -c \"docker run -d --name app app:1{rest}\"")
        };
        case(&script(""), &["U501"]);
        case(&script("; exec docker logs -f app"), &[]);
    }

    #[test]
    fn a_name_has_to_be_there_and_free() {
        let start = "ExecStart=/usr/bin/docker run --name %p-%i app:1";
        case(start, &["U503"]);
        case(
            "ExecStart=/usr/bin/docker run --rm --name=%p-%i app:1",
            &["U504"],
        );
        case("ExecStart=/usr/bin/docker run app:1", &["U502"]);
        case(
            "ExecStart=/usr/bin/docker run --cidfile /run/app.id app:1",
            &[],
        );
        case("ExecStart=/usr/bin/docker run $OPTIONS app:1", &[]);
        case("ExecStart=/usr/bin/docker run --unknown app:1", &[]);
        case("ExecStart=/usr/bin/docker run -v /a:/b $IMAGE", &["U502"]);
        case(
            "Type=oneshot\nExecStart=/usr/bin/docker run --rm app:1",
            &[],
        );
        for removal in [
            "ExecStartPre=-/usr/bin/docker rm %p-%i",
            "ExecStartPre=-/usr/bin/docker container rm -fv other %p-%i",
            "ExecStartPre=-/bin/sh -c 'docker inspect %p-%i && docker rm -f %p-%i'",
            "ExecStartPre=-/bin/sh -c 'docker ps -aq | xargs docker rm'",
            "ExecStartPre=-/usr/bin/docker rm ${NAME}",
            "ExecStartPre=-/usr/bin/docker rm app-%i",
            "ExecStartPre=-/opt/bin/docker-cleanup.sh",
            "ExecStopPost=-/usr/bin/docker rm -f %p-%i",
        ] {
            case(&format!("{removal}\n{start}"), &[]);
        }
        for removal in [
            "ExecStartPre=-/usr/bin/docker rm %p",
            "ExecStartPre=-/usr/bin/docker rm -v %p-%i-data",
            "ExecStartPre=-/usr/bin/docker stop %p-%i",
            "ExecStop=-/usr/bin/docker rm %p-%i",
        ] {
            let text = format!("{removal}\n{start}");
            let expected = ["U503"].as_slice();
            // A stop without a name of this unit's is another finding.
            case(&text, expected);
        }
        case(
            "ExecStartPre=-/usr/bin/docker run --name data busybox\nExecStart=/bin/true",
            &[],
        );
        case(
            "ExecStart=/bin/sh -c 'docker inspect data || docker run --name data app:1'",
            &[],
        );
        case(
            "ExecStart=/bin/sh -c 'docker rm -f app; docker run --name app app:1'",
            &[],
        );
        case(
            "ExecStart=/bin/sh -c 'ID=app-%i; docker run --name $ID app:1'",
            &[],
        );
        case(
            "ExecStart=/usr/bin/podman run --replace --name app app:1",
            &[],
        );
    }

    #[test]
    fn a_variable_is_the_same_for_systemd_and_a_shell() {
        case(
            "Environment=NAME=app\nExecStartPre=-/usr/bin/docker rm -f ${NAME}\n\
             ExecStart=/bin/sh -c \"exec docker run --name $$NAME app:1\"",
            &[],
        );
    }

    #[test]
    fn the_first_start_has_nothing_to_remove() {
        let case = |pre: &str, expected: &[&str]| {
            case(
                &format!(
                    "ExecStartPre={pre}\nExecStartPre=-/usr/bin/docker rm -f app\n\
                          ExecStart=/usr/bin/docker run --name app app:1"
                ),
                expected,
            );
        };
        case("/usr/bin/docker rm app", &["U505"]);
        case("/usr/bin/docker rm -f app", &["U505"]);
        case("/usr/bin/docker kill app", &["U505"]);
        case("/usr/bin/docker stop -t 5 app", &["U505"]);
        case("/usr/bin/docker stop other", &[]);
        case(
            "/bin/sh -c 'docker inspect app && docker rm app'",
            &["U505"],
        );
        case(
            "/bin/sh -c 'docker inspect app && docker rm app || true'",
            &[],
        );
        case("/bin/sh -c 'docker rm app; true'", &[]);
        case("-/bin/sh -c 'docker rm app'", &[]);
        case(
            "/bin/sh -c 'if docker inspect app; then docker rm app; fi'",
            &[],
        );
    }

    #[test]
    fn a_pull_needs_time_and_may_fail() {
        let pull = |lines: &str| {
            format!(
                "{lines}\nExecStartPre=-/usr/bin/docker rm -f app\n\
                     ExecStart=/usr/bin/docker run --name app app:1"
            )
        };
        let case = |lines: &str, expected: &[&str]| case(&pull(lines), expected);
        case("ExecStartPre=-/usr/bin/docker pull app:1", &["U506"]);
        case("ExecStartPre=-/usr/bin/docker image pull app:1", &["U506"]);
        case(
            "TimeoutStartSec=299\nExecStartPre=-/usr/bin/docker pull app:1",
            &["U506"],
        );
        case(
            "TimeoutSec=1min\nExecStartPre=-/usr/bin/docker pull app:1",
            &["U506"],
        );
        case(
            "TimeoutStartSec=5min\nExecStartPre=-/usr/bin/docker pull app:1",
            &[],
        );
        case(
            "TimeoutStartSec=0\nExecStartPre=-/usr/bin/docker pull app:1",
            &[],
        );
        case(
            "TimeoutSec=infinity\nExecStartPre=-/usr/bin/docker pull app:1",
            &[],
        );
        case(
            "Type=oneshot\nExecStartPre=-/usr/bin/docker pull app:1",
            &[],
        );
        case(
            "ExecStartPre=-/usr/bin/timeout 60 /usr/bin/docker pull app:1",
            &[],
        );
        case(
            "ExecStartPre=-/usr/bin/timeout 10m /usr/bin/docker pull app:1",
            &["U506"],
        );
        let case = |pre: &str, expected: &[&str]| {
            case(
                &format!("TimeoutStartSec=20min\nExecStartPre={pre}"),
                expected,
            );
        };
        case("/usr/bin/docker pull app:1", &["U507"]);
        case("/usr/bin/docker pull app:1 ; /bin/true", &["U507"]);
        case("/bin/sh -c 'IMAGE=app:1 && docker pull $IMAGE'", &["U507"]);
        case(
            "/bin/sh -c 'docker image inspect app:1 || docker pull app:1'",
            &[],
        );
        case("/bin/sh -c 'docker pull app:1 || true'", &[]);
        case("/bin/sh -c 'docker pull app:1; true'", &[]);
        case(
            "/bin/sh -c 'set -e; docker pull app:1; docker tag app:1 app'",
            &["U507"],
        );
    }

    #[test]
    fn a_stop_has_to_fit() {
        let stop = |lines: &str| {
            format!(
                "ExecStartPre=-/usr/bin/docker rm -f app\n\
                     ExecStart=/usr/bin/docker run --name app app:1\n{lines}"
            )
        };
        let case = |lines: &str, expected: &[&str]| case(&stop(lines), expected);
        case("ExecStop=/usr/bin/docker stop app", &[]);
        case("ExecStop=/usr/bin/docker stop -t 89 app", &[]);
        case("ExecStop=/usr/bin/docker stop -t 90 app", &["U508"]);
        case("ExecStop=/usr/bin/docker stop --time=-1 app", &["U508"]);
        case(
            "ExecStop=/usr/bin/docker stop -t90 app\nTimeoutStopSec=0",
            &[],
        );
        case(
            "ExecStop=/usr/bin/docker stop app\nTimeoutStopSec=10",
            &["U508"],
        );
        case("ExecStop=/usr/bin/docker stop app\nTimeoutSec=11", &[]);
        case(
            "ExecStop=/usr/bin/docker stop -t ${TIME} app\nTimeoutStopSec=1",
            &[],
        );
        case("ExecStop=/usr/bin/docker stop web", &["U514"]);
        case("ExecStop=/usr/bin/docker stop web app", &[]);
        case(
            "ExecStop=/usr/bin/docker stop web\nExecStopPost=/usr/bin/docker rm app",
            &[],
        );
        case("ExecStop=/usr/bin/docker stop %p", &[]);
        case("ExecStop=/usr/bin/docker kill app", &["U515"]);
        case("ExecStop=/usr/bin/docker kill -s TERM app", &[]);
        case("ExecStop=/usr/bin/docker rm -f app", &["U515"]);
        case(
            "ExecStop=/usr/bin/docker stop app\nExecStop=/usr/bin/docker rm -f app",
            &[],
        );
        case(
            "ExecStop=/bin/sh -c 'docker stop app || docker kill app'",
            &[],
        );
    }

    #[test]
    fn what_a_shell_splits_is_found() {
        let run = |script: &str| {
            format!("ExecStartPre=-/usr/bin/docker rm -f app\nExecStart=/bin/sh -c '{script}'")
        };
        let case = |script: &str, expected: &[&str]| case(&run(script), expected);
        case("docker run --name app -e A=$$(get a) app:1", &["U509"]);
        case("docker run --name app -e A=`get a` app:1", &["U509"]);
        case("docker run --name app -e \"A=$$(get a)\" app:1", &[]);
        case("docker run --name app -e A=$$(hostname -i) app:1", &[]);
        case(
            "docker run --name app -e A=$$(get a | cut -d: -f1) app:1",
            &[],
        );
        case("docker run --name app $$(get options) app:1", &["U509"]);
        case("set -f; docker run --name app $$(get options) app:1", &[]);
        case(
            "A=$$(get a); docker run --name app -e A=$$A app:1",
            &["U509"],
        );
        case("A=$$(get a); docker run --name app -e A=\"$$A\" app:1", &[]);
        case("docker run --name app -e A=$$A app:1", &[]);
        case("IMAGE=$$(get image); docker run --name app $$IMAGE", &[]);
    }

    #[test]
    fn a_service_has_no_terminal() {
        let run = |options: &str| {
            format!(
                "ExecStartPre=-/usr/bin/docker rm -f app\n\
                     ExecStart=/usr/bin/docker run {options} --name app app:1"
            )
        };
        case(&run("-it"), &["U510"]);
        case(&run("--interactive --tty=true"), &["U510"]);
        case(&run("-t"), &[]);
        case(&run("-i"), &[]);
        case(&format!("{}\nStandardInput=tty", run("-it")), &[]);
        case("ExecStart=/usr/bin/docker exec -ti app sh", &["U510"]);
        case(&run("--restart=no"), &[]);
        case(&run("--restart on-failure:5"), &["U511"]);
    }

    #[test]
    fn the_unit_comes_after_docker_and_does_not_fall_with_it() {
        let service = "[Service]\nExecStart=/usr/bin/docker logs -f app\n";
        let case =
            |unit: &str, expected: &[&str]| case_of_unit(&format!("{unit}{service}"), expected);
        case("", &["U512"]);
        case("[Unit]\nRequires=docker.service\n", &["U513", "U512"]);
        case("[Unit]\nAfter=network.target docker.service\n", &[]);
        case("[Unit]\nAfter=etcd.service\nAfter=docker.socket\n", &[]);
        case("[Unit]\nAfter=etcd.service\n", &["U512"]);
        case("[Unit]\nAfter=app.service\n", &[]);
        let service = format!("{service}Restart=always\nRestartSec=10\n");
        let case =
            |unit: &str, expected: &[&str]| case_of_unit(&format!("{unit}{service}"), expected);
        case(
            "[Unit]\nAfter=docker.service\nRequires=etcd.service docker.service\n",
            &["U513"],
        );
        case(
            "[Unit]\nAfter=docker.service\nBindsTo=docker.service\n",
            &["U513"],
        );
        case("[Unit]\nAfter=docker.service\nWants=docker.service\n", &[]);
    }
}
