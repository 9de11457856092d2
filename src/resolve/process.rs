//! One process: its unit's name, its work, and the units beside it.
//!
//! In: a process's settings. Out: a `Process`, and a report of settings that don't fit together.
//! Knows nothing of other processes.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::manifest::command::Program;
use crate::manifest::environment::VariableValue;
use crate::manifest::forms::Text;
use crate::manifest::port::{Port, Published};
use crate::manifest::settings::{Config, Settings};
use crate::model::{self, ConfigRequest, Deploy, MachinePort, Overlay, Process, Word, Work};
use crate::name::{AppName, NameError, ProcessName, TemplateName, UnitName, UnitType};
use crate::resolve::container;
use crate::resolve::instances::Counts;
use crate::span::{Span, Spanned};
use crate::unit::fleet::constraints::is_true;
use crate::unit::quote::quote_command;
use crate::unit::words::split_commands;
use crate::yaml::field::Field;

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
    /// The places of the defaults' values: what a program inherits from there needs no container.
    pub defaults: &'a BTreeSet<Span>,
}

/// Resolves one process; `None` where its unit can't even be named.
pub fn resolve(scope: &Scope<'_>, report: &mut Report) -> Option<Process> {
    let before = report.count(Severity::Error);
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
        defaults: scope.defaults,
    };
    let instances = counts.resolve(report).into();
    let work = scope.work(is_service, slot, versioned, report);
    let in_container = matches!(work, Work::Container(_));
    let mut process = Process {
        is_faulty: settings.is_faulty,
        app: scope.app.value.clone(),
        name: scope.name.clone(),
        template: scope.template(&work)?,
        environment: container::variables(settings, in_container),
        config: scope.config(&work),
        versioned,
        global: global.is_some(),
        conflicts: scope.conflicts(&unit),
        companions: scope.companions(&unit, slot, global, report),
        machine_ports: scope.machine_ports(),
        deploy: Deploy::default(),
        instances,
        overlays,
        work,
        unit,
    };
    process.deploy = scope.deploy(&process, global, report);
    check_slots(&process, settings, report);
    check_program(&process, settings, report);
    check_ports(&process, settings, report);
    process.is_faulty |= report.count(Severity::Error) > before;
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

    pub(super) fn too_long(&self, error: &NameError, report: &mut Report) {
        report.push(Diagnostic::error(self.name.span, error.to_string()));
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
                Program::Text(text) => {
                    let rest = text.trim_start_matches(['-', ':', '+', '!']);
                    Work::Program(model::Program {
                        prefix: text[..text.len() - rest.len()].to_owned(),
                        words: vec![Word::Systemd(rest.to_owned())],
                        span: program.span,
                    })
                }
                Program::Arguments(words) => {
                    if words.is_empty() {
                        report.push(Diagnostic::error(program.span, "`exec` is empty"));
                    }
                    Work::Program(model::Program {
                        prefix: String::new(),
                        words: words.iter().cloned().map(Word::Literal).collect(),
                        span: program.span,
                    })
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
            Work::Container(_) | Work::Program(_) if self.settings.schedule.span().is_some() => {
                "task"
            }
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
        // What the defaults say of all apps makes no program ask.
        let own_keys = settings.config_keys.span();
        let own_keys = own_keys.filter(|span| !self.defaults.contains(span));
        let is_told = matches!(settings.required, Field::Present(_)) || own_keys.is_some();
        let usual = format!("/environment/{}", self.app.value);
        let folder = match settings.config.get() {
            Some(Config::None) => Some(None),
            Some(Config::Folder(path)) if path.0 != usual => Some(Some(path.0.clone())),
            Some(Config::Folder(_)) => None,
            None => match work {
                Work::Container(_) => None,
                _ if is_told => None,
                _ => Some(None),
            },
        };
        let required = settings.required.each();
        let known = settings.config_keys.each();
        let entries = settings.environment.each();
        let from = entries.filter_map(|(name, value)| match value.get()? {
            VariableValue::Store(path) => Some((name.clone(), path.0.clone())),
            VariableValue::Fixed(_) => None,
        });
        let request = ConfigRequest {
            folder,
            folder_span: settings.config.span(),
            required: required.cloned().collect(),
            known: settings.config_keys.span().map(|span| Spanned {
                span,
                value: known.map(|name| name.value.clone()).collect(),
            }),
            from: from.collect(),
        };
        let asks_nothing = request.folder == Some(None) && request.from.is_empty();
        (!asks_nothing && !matches!(work, Work::Nothing | Work::Verbatim(_))).then_some(request)
    }

    fn conflicts(&self, unit: &UnitName) -> Vec<Spanned<String>> {
        // What the defaults say of all instances goes for units that have any.
        let inherited = self
            .settings
            .conflicts
            .span()
            .is_some_and(|span| self.defaults.contains(&span));
        let goes = |word: &&Spanned<_>| !(inherited && !unit.is_template() && is_self(word));
        let words = self.settings.conflicts.each();
        let word = |word: &Spanned<Text>| Spanned {
            span: word.span,
            value: word.value.0.clone(),
        };
        words.filter(goes).map(word).collect()
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
}

fn is_self(word: &Spanned<Text>) -> bool {
    word.value.0 == "self"
}

/// Returns where a process is made global: fleet takes the last value.
fn global(overlays: &[Overlay]) -> Option<Span> {
    let values = overlays
        .iter()
        .filter(|overlay| overlay.section == "X-Fleet" && overlay.name.value == "Global");
    let last = values
        .filter_map(|overlay| overlay.values.as_ref()?.last())
        .next_back()?;
    is_true(last.value.trim_matches('"')).then_some(last.span)
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
    for instance in process.instances.iter() {
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

/// docker publishes a port of the machine once on each address.
fn check_ports(process: &Process, settings: &Settings, report: &mut Report) {
    let published = container::published(settings);
    let is_again = |at: &usize| {
        let port = &published[*at];
        let same = |other: &Published| {
            other.address == port.address
                && other.protocol == port.protocol
                && other.machine.map(|range| range.first) == port.machine.map(|range| range.first)
        };
        port.machine.is_some() && published[..*at].iter().any(same)
    };
    if (0..published.len()).any(|at| is_again(&at)) {
        let span = settings.ports.span().unwrap_or(process.name.span);
        let message = "a port of the machine is published twice";
        report.push(Diagnostic::error(span, message));
    }
}

/// Reads systemd's own text of a program where it stands. What asks for the config stands before one
/// program, so there can be only one.
fn check_program(process: &Process, settings: &Settings, report: &mut Report) {
    let Some(Spanned { span, value }) = settings.exec.spanned() else {
        return;
    };
    let text = match value {
        Program::Text(text) => text,
        Program::Arguments(words) => {
            let path = words.first().map(quote_command);
            if let Some(Err(error)) = path {
                report.push(Diagnostic::error(*span, error.to_string()));
            }
            return;
        }
    };
    let commands = match split_commands(text) {
        Ok(commands) => commands,
        Err(error) => {
            report.push(Diagnostic::error(
                *span,
                format!("systemd can't read this: {error}"),
            ));
            return;
        }
    };
    if commands
        .iter()
        .any(|command| !(command.words[0].starts_with(b"/") || command.words[0].starts_with(b"%")))
    {
        report.push(
            Diagnostic::error(*span, "a program is named by its absolute path")
                .help("old systemd looks no further"),
        );
    }
    if process.config.is_none() {
        return;
    }
    if commands.len() > 1 {
        let message = "only the first of several commands would get the variables";
        report.push(Diagnostic::error(*span, message).help("give each a process of its own"));
    } else if commands.iter().any(|command| command.prefix.own_name) {
        let message = "a program that gets variables can't have a name of its own by `@`";
        report.push(Diagnostic::error(*span, message).help("leave the `@` and the name out"));
    }
}
