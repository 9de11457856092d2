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
use crate::span::{Span, Spanned};
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
        image: Spanned {
            span: image.span,
            value: image.value.as_str().to_owned(),
        },
        pull,
        options: options(settings, slot, versioned, image.span),
        arguments: fixed(settings)
            .filter(|(name, _)| steers_client(&name.value))
            .map(|(name, _)| name.clone())
            .collect(),
        has_own_options: settings.docker_args.each().next().is_some(),
        command: command(settings),
        command_span: settings.command.span().or(settings.entrypoint.span()),
        stop_span: settings.stop_grace_period.span(),
        stop_seconds: grace.map_or(10, |grace| grace.seconds()),
        stop_statuses,
    })
}

/// Returns the variables that stand in the unit, where the client inherits them.
#[must_use]
pub fn variables(settings: &Settings, in_container: bool) -> Vec<Variable> {
    fixed(settings)
        .filter(|(name, _)| !(in_container && steers_client(&name.value)))
        .map(|(name, value)| Variable {
            name: name.value.clone(),
            value: value.clone(),
            span: name.span,
        })
        .collect()
}

fn fixed(settings: &Settings) -> impl Iterator<Item = (&Spanned<VariableName>, &String)> {
    let entries = settings.environment.each();
    entries.filter_map(|(name, value)| match value.get()? {
        VariableValue::Fixed(value) => Some((name, value)),
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

/// Collects arguments in their order, each with the manifest's place that gives it.
struct Options {
    words: Vec<Spanned<Word>>,
    /// The place of what is being written.
    place: Span,
}

impl Options {
    /// Sets the place of the words to come.
    fn at(&mut self, place: Option<Span>) -> &mut Self {
        self.place = place.unwrap_or(self.place);
        self
    }

    fn flag(&mut self, name: &str, value: &Field<bool>) {
        if value.get() == Some(&true) {
            self.at(value.span()).literal(name);
        }
    }

    fn one(&mut self, name: &str, value: &str) {
        self.literal(name);
        self.literal(value);
    }

    /// Writes an option whose value is a text, where there is one.
    fn text<T>(&mut self, name: &str, field: &Field<T>, text: impl Fn(&T) -> &str) {
        if let Some(spanned) = field.spanned() {
            self.at(Some(spanned.span)).one(name, text(&spanned.value));
        }
    }

    /// Writes an option once for each item of a list.
    fn each<'a, T: 'a>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = &'a Spanned<T>>,
        text: impl Fn(&T) -> &str,
    ) {
        for item in items {
            self.at(Some(item.span)).one(name, text(&item.value));
        }
    }

    fn literal(&mut self, word: &str) {
        self.push(Word::Literal(word.to_owned()));
    }

    fn systemd(&mut self, word: String) {
        self.push(Word::Systemd(word));
    }

    fn push(&mut self, value: Word) {
        let span = self.place;
        self.words.push(Spanned { span, value });
    }
}

fn options(settings: &Settings, slot: &str, versioned: bool, place: Span) -> Vec<Spanned<Word>> {
    let words = Vec::new();
    let mut options = Options { words, place };
    network(settings, slot, &mut options);
    environment(settings, versioned, &mut options);
    storage(settings, &mut options);
    rights(settings, &mut options);
    limits(settings, &mut options);
    for word in settings.docker_args.each() {
        options.at(Some(word.span)).literal(&word.value.0);
    }
    options.words
}

fn network(settings: &Settings, slot: &str, options: &mut Options) {
    let port = settings.port.span();
    let ports = settings.ports.each().map(|port| Some(port.span));
    for (published, place) in published(settings)
        .iter()
        .zip(port.map(Some).into_iter().chain(ports))
    {
        options.at(place).literal("-p");
        options.systemd(publish(published, slot));
    }
    options.each("--expose", settings.expose.each(), |port| &port.0);
    options.text("--network", &settings.network_mode, |text| &text.0);
    options.text("--hostname", &settings.hostname, |text| &text.0);
    options.each("--link", settings.links.each(), |link| &link.0);
    options.each("--dns", settings.dns.each(), |server| &server.0);
    for (name, address) in settings.extra_hosts.each() {
        let place = settings.extra_hosts.span();
        options
            .at(place)
            .one("--add-host", &format!("{name}:{address}"));
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
        options.at(settings.versions.span()).one("-e", "VERSION");
    }
    options.each("--env-file", settings.env_file.each(), |file| &file.path);
    for (name, value) in fixed(settings) {
        options.at(Some(name.span));
        if steers_client(&name.value) {
            options.one("-e", &format!("{}={value}", name.value));
        } else {
            options.one("-e", name.value.as_str());
        }
    }
    for (name, value) in settings.labels.each() {
        if let Some(value) = value.get() {
            options
                .at(Some(name.span))
                .one("--label", &format!("{}={value}", name.value));
        }
    }
}

fn storage(settings: &Settings, options: &mut Options) {
    for volume in settings.volumes.each() {
        options.at(Some(volume.span));
        match &volume.value {
            Volume::Short(text) => options.one("-v", text),
            Volume::Mount(text) => options.one("--mount", text),
        }
    }
    options.each("--volumes-from", settings.volumes_from.each(), |other| {
        &other.0
    });
    options.each("--tmpfs", settings.tmpfs.each(), |mount| &mount.0);
    options.each("--device", settings.devices.each(), |device| &device.0);
    options.flag("--read-only", &settings.read_only);
}

fn rights(settings: &Settings, options: &mut Options) {
    options.flag("--privileged", &settings.privileged);
    options.each("--cap-add", settings.cap_add.each(), |name| &name.0);
    options.each("--cap-drop", settings.cap_drop.each(), |name| &name.0);
    options.text("--user", &settings.user, |text| &text.0);
    options.text("--workdir", &settings.working_dir, |text| &text.0);
    options.text("--pid", &settings.pid, |text| &text.0);
    options.text("--ipc", &settings.ipc, |text| &text.0);
    options.flag("--init", &settings.init);
    options.text("--stop-signal", &settings.stop_signal, |signal| {
        &signal.text
    });
    // An empty one takes the image's away, as Compose has it.
    options.text("--entrypoint", &settings.entrypoint, |arguments| {
        arguments.0.first().map_or("", String::as_str)
    });
}

fn limits(settings: &Settings, options: &mut Options) {
    for (name, limit) in settings.ulimits.each() {
        if let Some(limit) = limit.get() {
            let value = format!("{}={}:{}", name.value, limit.soft, limit.hard);
            options.at(Some(name.span)).one("--ulimit", &value);
        }
    }
    options.text("--memory", &settings.mem_limit, |size| &size.0);
    options.text("--cpus", &settings.cpus, |number| &number.0);
    options.text("--shm-size", &settings.shm_size, |size| &size.0);
    let Some(logging) = settings.logging.get() else {
        return;
    };
    options.text("--log-driver", &logging.driver, |driver| &driver.0);
    for (name, value) in logging.options.each() {
        if let Some(value) = value.get() {
            options
                .at(Some(name.span))
                .one("--log-opt", &format!("{}={value}", name.value));
        }
    }
}
