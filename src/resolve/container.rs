//! Compose's words as arguments of `docker run`.
//!
//! In: settings. Out: words in a fixed order, each in the shape that docker's client reads. Knows
//! nothing of systemd's quoting.

use crate::diagnostic::{Diagnostic, Report};
use crate::manifest::environment::VariableValue;
use crate::manifest::port::{Port, PortRange, Protocol, Published};
use crate::manifest::resources::PullPolicy;
use crate::manifest::settings::Settings;
use crate::manifest::volume::Volume;
use crate::model::{Container, Variable, Word};
use crate::name::VariableName;
use crate::resolve::client::steers_client;
use crate::yaml::field::Field;

/// Returns the container that settings with an image describe.
pub fn container(
    settings: &Settings,
    slot: &str,
    versioned: bool,
    report: &mut Report,
) -> Option<Container> {
    let image = settings.image.spanned()?;
    if versioned && image.value.is_pinned() {
        let name = &image.value;
        let mut diagnostic = Diagnostic::error(
            image.span,
            format!("`{name}` says its own version, and there are `versions`"),
        )
        .help("leave the tag to `versions`");
        if let Some(span) = settings.versions.span() {
            diagnostic = diagnostic.related(span, "the versions");
        }
        report.push(diagnostic);
    }
    let pull = match settings.pull_policy.get() {
        Some(policy) => *policy,
        None if image.value.is_latest() && !versioned => PullPolicy::Always,
        None => PullPolicy::Missing,
    };
    let grace = settings.stop_grace_period.get();
    let mut stop_statuses = vec![143];
    if let Some(signal) = settings.stop_signal.get()
        && signal.number != 15
    {
        stop_statuses.push(128 + signal.number);
    }
    Some(Container {
        image: image.value.as_str().to_owned(),
        pull,
        options: options(settings, slot, versioned),
        has_own_options: settings.docker_args.each().next().is_some(),
        command: command(settings),
        stop_seconds: grace.map_or(10, |grace| grace.seconds()),
        stop_statuses,
    })
}

/// Returns the variables that stand in the unit, where the client inherits them.
#[must_use]
pub fn variables(settings: &Settings, in_container: bool) -> Vec<Variable> {
    fixed(settings)
        .filter(|(name, _)| !(in_container && steers_client(name)))
        .map(|(name, value)| Variable {
            name: name.clone(),
            value: value.clone(),
        })
        .collect()
}

fn fixed(settings: &Settings) -> impl Iterator<Item = (&VariableName, &String)> {
    let entries = settings.environment.each();
    entries.filter_map(|(name, value)| match value.get()? {
        VariableValue::Fixed(value) => Some((&name.value, value)),
        VariableValue::Store(_) => None,
    })
}

/// What stands behind the image: the rest of an entry point of several words, then the command.
fn command(settings: &Settings) -> Vec<Word> {
    let entrypoint = settings
        .entrypoint
        .get()
        .map(|arguments| arguments.0.as_slice());
    let rest = entrypoint
        .and_then(|words| words.get(1..))
        .unwrap_or_default();
    let command = settings
        .command
        .get()
        .map(|arguments| arguments.0.as_slice());
    let words = rest.iter().chain(command.unwrap_or_default());
    words.map(|word| Word::Literal(word.clone())).collect()
}

/// Collects arguments in their order.
#[derive(Default)]
struct Options(Vec<Word>);

impl Options {
    fn flag(&mut self, name: &str, value: &Field<bool>) {
        if value.get() == Some(&true) {
            self.literal(name);
        }
    }

    fn one(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.literal(name);
            self.literal(value);
        }
    }

    fn each<'a>(&mut self, name: &str, values: impl IntoIterator<Item = &'a str>) {
        for value in values {
            self.one(name, Some(value));
        }
    }

    fn literal(&mut self, word: &str) {
        self.0.push(Word::Literal(word.to_owned()));
    }

    fn systemd(&mut self, word: String) {
        self.0.push(Word::Systemd(word));
    }
}

fn options(settings: &Settings, slot: &str, versioned: bool) -> Vec<Word> {
    let mut options = Options::default();
    network(settings, slot, &mut options);
    environment(settings, versioned, &mut options);
    storage(settings, &mut options);
    rights(settings, &mut options);
    limits(settings, &mut options);
    let further = settings.docker_args.each();
    for word in further {
        options.literal(&word.value.0);
    }
    options.0
}

fn network(settings: &Settings, slot: &str, options: &mut Options) {
    for published in published(settings) {
        options.literal("-p");
        options.systemd(publish(&published, slot));
    }
    for exposed in settings.expose.each() {
        options.one("--expose", Some(&exposed.value.0));
    }
    options.one(
        "--network",
        settings.network_mode.get().map(|text| text.0.as_str()),
    );
    options.one(
        "--hostname",
        settings.hostname.get().map(|text| text.0.as_str()),
    );
    for link in settings.links.each() {
        options.one("--link", Some(&link.value.0));
    }
    let servers = settings.dns.each();
    options.each("--dns", servers.map(|server| server.value.0.as_str()));
    for (name, address) in settings.extra_hosts.each() {
        options.one("--add-host", Some(&format!("{name}:{address}")));
    }
}

/// Returns all published ports: `port` first, then `ports`.
#[must_use]
pub fn published(settings: &Settings) -> Vec<Published> {
    let port = settings.port.get().map(|port| Published::same(*port));
    let ports = settings.ports.each();
    port.into_iter()
        .chain(ports.map(|port| port.value.clone()))
        .collect()
}

/// Writes a published port as docker's `-p` takes it. Numbers, addresses and the slot's specifier
/// need no quoting, which is why the whole may stand as systemd's text.
fn publish(published: &Published, slot: &str) -> String {
    let range = |range: PortRange| {
        let one = |port| match port {
            Port::Number(number) => number.to_string(),
            Port::Slot => slot.to_owned(),
        };
        if range.first == range.last {
            one(range.first)
        } else {
            format!("{}-{}", one(range.first), one(range.last))
        }
    };
    let mut text = String::new();
    match published.address {
        Some(address @ std::net::IpAddr::V6(_)) => text.push_str(&format!("[{address}]:")),
        Some(address) => text.push_str(&format!("{address}:")),
        None => {}
    }
    match published.machine {
        Some(machine) => text.push_str(&format!("{}:", range(machine))),
        None if published.address.is_some() => text.push(':'),
        None => {}
    }
    text.push_str(&range(published.container));
    if published.protocol != Protocol::Tcp {
        text.push('/');
        text.push_str(published.protocol.as_str());
    }
    text
}

fn environment(settings: &Settings, versioned: bool, options: &mut Options) {
    if versioned {
        options.one("-e", Some("VERSION"));
    }
    for file in settings.env_file.each() {
        options.one("--env-file", Some(&file.value.path));
    }
    for (name, value) in fixed(settings) {
        if steers_client(name) {
            options.one("-e", Some(&format!("{name}={value}")));
        } else {
            options.one("-e", Some(name.as_str()));
        }
    }
    for (name, value) in settings.labels.each() {
        if let Some(value) = value.get() {
            options.one("--label", Some(&format!("{}={}", name.value, value)));
        }
    }
}

fn storage(settings: &Settings, options: &mut Options) {
    for volume in settings.volumes.each() {
        match &volume.value {
            Volume::Short(text) => options.one("-v", Some(text)),
            Volume::Mount(text) => options.one("--mount", Some(text)),
        }
    }
    for other in settings.volumes_from.each() {
        options.one("--volumes-from", Some(&other.value.0));
    }
    for mount in settings.tmpfs.each() {
        options.one("--tmpfs", Some(&mount.value.0));
    }
    for device in settings.devices.each() {
        options.one("--device", Some(&device.value.0));
    }
    options.flag("--read-only", &settings.read_only);
}

fn rights(settings: &Settings, options: &mut Options) {
    options.flag("--privileged", &settings.privileged);
    for name in settings.cap_add.each() {
        options.one("--cap-add", Some(&name.value.0));
    }
    for name in settings.cap_drop.each() {
        options.one("--cap-drop", Some(&name.value.0));
    }
    options.one("--user", settings.user.get().map(|text| text.0.as_str()));
    options.one(
        "--workdir",
        settings.working_dir.get().map(|text| text.0.as_str()),
    );
    options.one("--pid", settings.pid.get().map(|text| text.0.as_str()));
    options.one("--ipc", settings.ipc.get().map(|text| text.0.as_str()));
    options.flag("--init", &settings.init);
    options.one(
        "--stop-signal",
        settings
            .stop_signal
            .get()
            .map(|signal| signal.text.as_str()),
    );
    if let Some(entrypoint) = settings.entrypoint.get() {
        // An empty one takes the image's away, as Compose has it.
        options.one(
            "--entrypoint",
            Some(entrypoint.0.first().map_or("", String::as_str)),
        );
    }
}

fn limits(settings: &Settings, options: &mut Options) {
    for (name, limit) in settings.ulimits.each() {
        if let Some(limit) = limit.get() {
            options.one(
                "--ulimit",
                Some(&format!("{}={}:{}", name.value, limit.soft, limit.hard)),
            );
        }
    }
    options.one(
        "--memory",
        settings.mem_limit.get().map(|size| size.0.as_str()),
    );
    options.one(
        "--cpus",
        settings.cpus.get().map(|number| number.0.as_str()),
    );
    options.one(
        "--shm-size",
        settings.shm_size.get().map(|size| size.0.as_str()),
    );
    let Some(logging) = settings.logging.get() else {
        return;
    };
    options.one(
        "--log-driver",
        logging.driver.get().map(|driver| driver.0.as_str()),
    );
    for (name, value) in logging.options.each() {
        if let Some(value) = value.get() {
            options.one("--log-opt", Some(&format!("{}={value}", name.value)));
        }
    }
}
