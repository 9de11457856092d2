//! One process: its unit's name, its work, and the units beside it.
//!
//! In: a process's settings. Out: a `Process`, and a report of settings that don't fit together.
//! Knows nothing of other processes.

use crate::diagnostic::{Diagnostic, Report};
use crate::layers::SECTIONS;
use crate::manifest::command::Program;
use crate::manifest::environment::VariableValue;
use crate::manifest::port::Port;
use crate::manifest::section::{DirectiveItem, DirectiveValue, Section};
use crate::manifest::settings::{Config, Settings};
use crate::model::{
    Announce, Companion, CompanionKind, ConfigRequest, Deploy, MachinePort, Overlay, Process, Word,
    Work,
};
use crate::name::{AppName, NameError, ProcessName, TemplateName, UnitName, UnitType};
use crate::resolve::container;
use crate::resolve::instances::Counts;
use crate::span::{Span, Spanned};
use crate::unit::quote::{quote_argument, quote_command};
use crate::yaml::reader::Field;

/// A process as the manifest has it, with where it belongs.
pub struct Scope<'a> {
    /// The app.
    pub app: &'a Spanned<AppName>,
    /// The process's name.
    pub name: Spanned<ProcessName>,
    /// All that it says or inherits.
    pub settings: &'a Settings,
    /// Its counts by version, if any, come from an app with several processes.
    pub inherits_counts: bool,
}

/// Names that the units set themselves.
const RESERVED: [&str; 6] = [
    "APPLICATION",
    "CONTAINER",
    "IMAGE",
    "INSTANCE",
    "SLOT",
    "VERSION",
];

/// Resolves one process; `None` where its unit can't even be named.
pub fn resolve(scope: &Scope<'_>, report: &mut Report) -> Option<Process> {
    let unit = scope.unit(report)?;
    let settings = scope.settings;
    let is_service = unit.unit_type() == UnitType::Service;
    let versioned = settings.versions.span().is_some() && unit.is_template();
    let slot = if versioned { "${SLOT}" } else { "%i" };
    scope.check_fit(&unit, report);
    let overlays = scope.overlays(report);
    let global = global(&overlays);
    let counts = Counts {
        unit: &unit,
        instances: &settings.instances,
        versions: &settings.versions,
        global,
        inherits_counts: scope.inherits_counts,
        span: scope.name.span,
    };
    let instances = counts.resolve(report);
    let work = scope.work(is_service, slot, versioned, report);
    let in_container = matches!(work, Work::Container(_));
    let process = Process {
        app: scope.app.value.clone(),
        name: scope.name.clone(),
        template: scope.template(&work)?,
        environment: container::variables(settings, in_container),
        config: scope.config(&work),
        versioned,
        conflicts: scope.conflicts(),
        companions: scope.companions(&unit, slot, global, report),
        machine_ports: scope.machine_ports(),
        deploy: scope.deploy(),
        instances,
        overlays,
        work,
        unit,
    };
    check_slots(&process, settings, report);
    Some(process)
}

impl Scope<'_> {
    fn unit(&self, report: &mut Report) -> Option<UnitName> {
        if let Some(unit) = self.settings.unit.spanned() {
            if unit
                .value
                .instance()
                .is_some_and(|instance| !instance.is_empty())
            {
                report.push(
                    Diagnostic::error(
                        unit.span,
                        format!("`{}` is the name of an instance", unit.value),
                    )
                    .help(format!("name the template `{}@`", unit.value.prefix())),
                );
                return None;
            }
            return Some(unit.value.clone());
        }
        if self.settings.unit.span().is_some() {
            return None;
        }
        let name = UnitName::new(&format!("{}-{}@", self.app.value, self.name.value));
        name.map_err(|error| self.too_long(&error, report)).ok()
    }

    fn too_long(&self, error: &NameError, report: &mut Report) {
        report.push(Diagnostic::error(self.name.span, error.to_string()));
    }

    /// Checks which settings go together.
    fn check_fit(&self, unit: &UnitName, report: &mut Report) {
        let settings = self.settings;
        let works = [
            ("image", settings.image.span()),
            ("exec", settings.exec.span()),
            ("text", settings.text.span()),
        ];
        let given: Vec<(&str, Span)> = works
            .into_iter()
            .filter_map(|(key, span)| Some((key, span?)))
            .collect();
        if let [(first, first_span), (second, second_span), ..] = given.as_slice() {
            report.push(
                Diagnostic::error(
                    *second_span,
                    format!("`{first}` and `{second}` exclude each other"),
                )
                .label("this says what runs")
                .related(*first_span, "and so does this"),
            );
        }
        let is_service = unit.unit_type() == UnitType::Service;
        if given.is_empty() && is_service {
            let process = &self.name.value;
            report.push(
                Diagnostic::error(
                    self.name.span,
                    format!("nothing says what process `{process}` runs"),
                )
                .help("give it an `image`, or `exec` for a program of the machine"),
            );
        }
        if let (Some((key, span)), false) = (given.first(), is_service)
            && *key != "text"
        {
            report.push(Diagnostic::error(
                *span,
                format!("`{unit}` is no service and runs nothing, so it can't have `{key}`"),
            ));
        }
        let verbatim = settings
            .template
            .get()
            .is_some_and(|name| name.as_str() == "verbatim");
        if let (Some(span), false) = (settings.text.span(), verbatim) {
            report.push(
                Diagnostic::error(span, "`text` is for a unit that is taken as it is")
                    .help("say `template: verbatim`"),
            );
        }
        if let (Some(span), true, None) = (settings.template.span(), verbatim, settings.text.span())
        {
            report.push(
                Diagnostic::error(span, "a verbatim unit needs its `text`")
                    .help("write the unit's text under `text: |`"),
            );
        }
        if settings.image.span().is_none() {
            self.check_container_words(report);
        }
        self.check_reserved(report);
        if let (Some(Config::None), Some(span)) = (settings.config.get(), settings.required.span())
        {
            report.push(
                Diagnostic::error(
                    span,
                    "`required` names variables of the config, and there is none",
                )
                .help("give the variables in `environment`, or take away `config: false`"),
            );
        }
    }

    /// Words that mean nothing without a container are mistakes there.
    fn check_container_words(&self, report: &mut Report) {
        let s = self.settings;
        let words = [
            ("command", s.command.span()),
            ("entrypoint", s.entrypoint.span()),
            ("expose", s.expose.span()),
            ("volumes", s.volumes.span()),
            ("volumes_from", s.volumes_from.span()),
            ("env_file", s.env_file.span()),
            ("network_mode", s.network_mode.span()),
            ("hostname", s.hostname.span()),
            ("privileged", s.privileged.span()),
            ("user", s.user.span()),
            ("working_dir", s.working_dir.span()),
            ("links", s.links.span()),
            ("dns", s.dns.span()),
            ("cap_add", s.cap_add.span()),
            ("cap_drop", s.cap_drop.span()),
            ("devices", s.devices.span()),
            ("ulimits", s.ulimits.span()),
            ("labels", s.labels.span()),
            ("logging", s.logging.span()),
            ("read_only", s.read_only.span()),
            ("pid", s.pid.span()),
            ("ipc", s.ipc.span()),
            ("init", s.init.span()),
            ("stop_signal", s.stop_signal.span()),
            ("stop_grace_period", s.stop_grace_period.span()),
            ("shm_size", s.shm_size.span()),
            ("tmpfs", s.tmpfs.span()),
            ("extra_hosts", s.extra_hosts.span()),
            ("mem_limit", s.mem_limit.span()),
            ("cpus", s.cpus.span()),
            ("pull_policy", s.pull_policy.span()),
            ("docker_args", s.docker_args.span()),
        ];
        for (key, span) in words {
            if let Some(span) = span {
                report.push(
                    Diagnostic::error(
                        span,
                        format!("`{key}` is a container's, and this process has no `image`"),
                    )
                    .help("what systemd has for it goes under `Service:`"),
                );
            }
        }
    }

    fn check_reserved(&self, report: &mut Report) {
        for (name, _) in self
            .settings
            .environment
            .get()
            .into_iter()
            .flat_map(|e| &e.0)
        {
            if RESERVED.contains(&name.value.as_str()) {
                let message = format!("`{}` is set by the unit itself", name.value);
                report.push(Diagnostic::error(name.span, message).help("choose another name"));
            }
        }
    }

    fn work(&self, is_service: bool, slot: &str, versioned: bool, report: &mut Report) -> Work {
        let settings = self.settings;
        if let Some(text) = settings.text.spanned() {
            return Work::Verbatim(text.clone());
        }
        if !is_service {
            return Work::Nothing;
        }
        if let Some(program) = settings.exec.spanned() {
            return match &program.value {
                Program::Text(text) => Work::Program(vec![Word::Systemd(text.clone())]),
                Program::Arguments(words) => {
                    if words.is_empty() {
                        report.push(Diagnostic::error(program.span, "`exec` is empty"));
                    }
                    Work::Program(words.iter().cloned().map(Word::Literal).collect())
                }
            };
        }
        match container::container(settings, slot, versioned, report) {
            Some(container) => Work::Container(container),
            None => Work::Nothing,
        }
    }

    fn template(&self, work: &Work) -> Option<Spanned<TemplateName>> {
        if let Some(template) = self.settings.template.spanned() {
            return Some(template.clone());
        }
        let name = match work {
            _ if self.settings.schedule.span().is_some() => "task",
            Work::Container(_) => "docker",
            Work::Program(_) | Work::Nothing => "plain",
            Work::Verbatim(_) => "verbatim",
        };
        let value = TemplateName::new(name).ok()?;
        Some(Spanned {
            span: self.name.span,
            value,
        })
    }

    /// A container asks for the app's config unless told not to; a program only where told to.
    fn config(&self, work: &Work) -> Option<ConfigRequest> {
        let settings = self.settings;
        let list = |name: &Field<_>| matches!(name, Field::Present(_));
        let usual = format!("/environment/{}", self.app.value);
        let folder = match settings.config.get() {
            Some(Config::None) => Some(None),
            Some(Config::Folder(path)) if path.0 != usual => Some(Some(path.0.clone())),
            Some(Config::Folder(_)) => None,
            None => match work {
                Work::Container(_) => None,
                _ if list(&settings.required) => None,
                _ => Some(None),
            },
        };
        let required = settings
            .required
            .get()
            .into_iter()
            .flat_map(|names| &names.0);
        let entries = settings
            .environment
            .get()
            .into_iter()
            .flat_map(|entries| &entries.0);
        let from = entries.filter_map(|(name, value)| match value.get()? {
            VariableValue::Store(path) => Some((name.clone(), path.0.clone())),
            VariableValue::Fixed(_) => None,
        });
        let request = ConfigRequest {
            folder,
            required: required.cloned().collect(),
            from: from.collect(),
        };
        let asks_nothing = request.folder == Some(None) && request.from.is_empty();
        (!asks_nothing && !matches!(work, Work::Nothing | Work::Verbatim(_))).then_some(request)
    }

    fn conflicts(&self) -> Vec<Spanned<String>> {
        let words = self
            .settings
            .conflicts
            .get()
            .into_iter()
            .flat_map(|words| &words.0);
        let word = |word: &Spanned<crate::manifest::forms::Text>| Spanned {
            span: word.span,
            value: word.value.0.clone(),
        };
        words.map(word).collect()
    }

    fn machine_ports(&self) -> Vec<Spanned<MachinePort>> {
        let settings = self.settings;
        let span = settings
            .port
            .span()
            .or(settings.ports.span())
            .unwrap_or(self.name.span);
        let mut found = Vec::new();
        for published in container::published(settings) {
            let Some(machine) = published.machine else {
                continue;
            };
            let protocol = published.protocol;
            let numbers = match (machine.first, machine.last) {
                (Port::Number(first), Port::Number(last)) => (first..=last).map(Some).collect(),
                _ => vec![None],
            };
            found.extend(numbers.into_iter().map(|number| Spanned {
                span,
                value: MachinePort { number, protocol },
            }));
        }
        found
    }

    fn deploy(&self) -> Deploy {
        let Some(deploy) = self.settings.deploy.get() else {
            return Deploy::default();
        };
        Deploy {
            min_alive: deploy.min_alive.get().copied(),
            max_growth: deploy.max_growth.get().copied(),
            ready_secs: deploy.ready_secs.get().copied(),
            timeout: deploy.timeout.get().copied(),
        }
    }

    fn section(&self, name: &str) -> &Field<Section> {
        let settings = self.settings;
        match name {
            "Unit" => &settings.unit_section,
            "Service" => &settings.service_section,
            "Socket" => &settings.socket_section,
            "Timer" => &settings.timer_section,
            "Path" => &settings.path_section,
            "Install" => &settings.install_section,
            _ => &settings.fleet_section,
        }
    }

    fn overlays(&self, report: &mut Report) -> Vec<Overlay> {
        let mut overlays = Vec::new();
        for section in SECTIONS {
            for (name, value) in self.section(section).get().into_iter().flat_map(|s| &s.0) {
                let Some(value) = value.get() else {
                    continue;
                };
                overlays.push(Overlay {
                    section,
                    name: Spanned {
                        span: name.span,
                        value: name.value.0.clone(),
                    },
                    values: match value {
                        DirectiveValue::Remove => None,
                        DirectiveValue::Set(items) => {
                            let items = items.0.iter();
                            Some(
                                items
                                    .filter_map(|i| item(&name.value.0, i, report))
                                    .collect(),
                            )
                        }
                    },
                });
            }
        }
        overlays
    }

    fn companions(
        &self,
        unit: &UnitName,
        slot: &str,
        global: Option<Span>,
        report: &mut Report,
    ) -> Vec<Companion> {
        let settings = self.settings;
        let mut found = Vec::new();
        let mut add =
            |name: Result<UnitName, NameError>, kind, span, report: &mut Report| match name {
                Ok(unit) => found.push(Companion { unit, kind, span }),
                Err(error) => self.too_long(&error, report),
            };
        if unit.unit_type() == UnitType::Service {
            let schedule = settings.schedule.spanned();
            if let Some(span) = settings.schedule.span().or(settings.timer_section.span()) {
                let events = schedule
                    .map(|schedule| &schedule.value.0)
                    .into_iter()
                    .flatten();
                let events = events.map(|event| event.value.0.clone()).collect();
                add(
                    unit.with_type(UnitType::Timer),
                    CompanionKind::Timer(events),
                    span,
                    report,
                );
            }
            if let Some(span) = settings.socket_section.span() {
                add(
                    unit.with_type(UnitType::Socket),
                    CompanionKind::Socket,
                    span,
                    report,
                );
            }
            if let Some(span) = settings.path_section.span() {
                add(
                    unit.with_type(UnitType::Path),
                    CompanionKind::Path,
                    span,
                    report,
                );
            }
        } else {
            self.check_foreign_sections(unit, report);
        }
        if let Some(announce) = settings
            .announce
            .spanned()
            .filter(|announce| !announce.value.off)
        {
            if let Some(global) = global {
                report.push(
                    Diagnostic::error(announce.span, "a global unit can't be announced")
                        .label("the announcing unit follows one instance to its machine")
                        .related(global, "global here"),
                );
            }
            let name =
                unit.as_str()
                    .replacen(unit.prefix(), &format!("{}-announce", unit.prefix()), 1);
            if let Some(kind) = self.announce(announce, unit, slot, report) {
                add(
                    UnitName::new(&name),
                    CompanionKind::Announce(kind),
                    announce.span,
                    report,
                );
            }
        }
        found
    }

    /// A unit that is no service has the section of its own type only.
    fn check_foreign_sections(&self, unit: &UnitName, report: &mut Report) {
        for unit_type in UnitType::ALL {
            let section = unit_type.section();
            if let (Some(span), true) =
                (self.section(section).span(), unit_type != unit.unit_type())
            {
                report.push(Diagnostic::error(
                    span,
                    format!("`{unit}` can't have a section `{section}`"),
                ));
            }
        }
        if let Some(span) = self.settings.schedule.span() {
            report.push(
                Diagnostic::error(
                    span,
                    format!("`{unit}` is no service, so it can't have a `schedule`"),
                )
                .help("say `Timer: {OnCalendar: …}`"),
            );
        }
    }

    fn announce(
        &self,
        announce: &Spanned<crate::manifest::settings::Announce>,
        unit: &UnitName,
        slot: &str,
        report: &mut Report,
    ) -> Option<Announce> {
        let published = container::published(self.settings);
        let machine = published.iter().find_map(|published| published.machine);
        let port = match (announce.value.port, machine.map(|range| range.first)) {
            (Some(port), _) | (None, Some(Port::Number(port))) => port.to_string(),
            (None, Some(Port::Slot)) => slot.to_owned(),
            (None, None) => {
                report.push(
                    Diagnostic::error(announce.span, "there is no port to announce")
                        .help("publish one with `port`, or say `announce: {port: …}`"),
                );
                return None;
            }
        };
        let app = &self.app.value;
        let process = &self.name.value;
        let instance = if unit.is_template() { "%i" } else { "main" };
        let host = announce.value.host.as_deref().unwrap_or("%H");
        Some(Announce {
            key: format!("/announce/{app}/{process}/{instance}"),
            needs_slot: port == "${SLOT}",
            value: format!("{host}:{port}"),
            ttl: announce
                .value
                .ttl
                .map_or(60, super::super::manifest::forms::Span::seconds),
        })
    }
}

/// Returns a directive's value in systemd's own text.
fn item(name: &str, item: &Spanned<DirectiveItem>, report: &mut Report) -> Option<Spanned<String>> {
    let value = match &item.value {
        DirectiveItem::Text(text) => text.clone(),
        DirectiveItem::Arguments { .. } if !name.starts_with("Exec") => {
            report.push(Diagnostic::error(
                item.span,
                format!("`{name}` takes text; `argv` and `shell` are for `Exec` lines"),
            ));
            return None;
        }
        DirectiveItem::Arguments {
            argv,
            ignore_failure,
        } => match quote(argv) {
            Ok(text) if *ignore_failure => format!("-{text}"),
            Ok(text) => text,
            Err(reason) => {
                report.push(Diagnostic::error(item.span, reason));
                return None;
            }
        },
    };
    Some(Spanned {
        span: item.span,
        value,
    })
}

fn quote(argv: &[String]) -> Result<String, String> {
    let mut words = Vec::with_capacity(argv.len());
    for (at, word) in argv.iter().enumerate() {
        let quoted = if at == 0 {
            quote_command(word)
        } else {
            quote_argument(word)
        };
        words.push(quoted.map_err(|error| error.to_string())?);
    }
    Ok(words.join(" "))
}

/// Returns where a process is made global: fleet takes the last value.
fn global(overlays: &[Overlay]) -> Option<Span> {
    let values = overlays
        .iter()
        .filter(|overlay| overlay.section == "X-Fleet" && overlay.name.value == "Global");
    let last = values
        .filter_map(|overlay| overlay.values.as_ref()?.last())
        .next_back()?;
    let word = last.value.trim_matches('"').to_ascii_lowercase();
    matches!(word.as_str(), "true" | "yes" | "1" | "on" | "t").then_some(last.span)
}

/// A slot that becomes a port must be one.
fn check_slots(process: &Process, settings: &Settings, report: &mut Report) {
    let is_slot = |port: &Spanned<MachinePort>| port.value.number.is_none();
    if !process.machine_ports.iter().any(is_slot) {
        return;
    }
    let span = settings
        .port
        .span()
        .or(settings.ports.span())
        .unwrap_or(process.name.span);
    for instance in &process.instances {
        let Some(slot) = &instance.slot else {
            let message = format!("`{}` is a plain unit and has no slot", process.unit);
            report.push(Diagnostic::error(span, message).help("name the port"));
            continue;
        };
        if slot.as_str().parse::<u16>().is_ok_and(|port| port > 0) {
            continue;
        }
        report.push(
            Diagnostic::error(span, "the slot is to be a port from 1 to 65535")
                .related(instance.span, format!("and `{slot}` is none"))
                .help("list the slots as ports: `instances: [8001, 8002]`"),
        );
    }
}
