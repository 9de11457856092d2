//! Which settings of a process go together.
//!
//! In: a process's settings. Out: a report. Knows nothing of what is made of them.

use crate::diagnostic::{Diagnostic, Report};
use crate::manifest::environment::VariableValue;
use crate::manifest::settings::Config;
use crate::name::{UnitName, UnitType, VariableName};
use crate::resolve::client::{is_reserved, steers_client};
use crate::resolve::process::Scope;
use crate::span::{Span, Spanned};
use crate::unit::quote::quote_assignment;

impl Scope<'_> {
    /// Checks which settings go together.
    pub(super) fn check_fit(&self, unit: &UnitName, report: &mut Report) {
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
        let verbatim = settings
            .template
            .get()
            .is_some_and(|name| name.as_str() == "verbatim");
        if given.is_empty() && is_service && !verbatim && !settings.is_faulty {
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
        self.check_environment(report);
        self.check_verbatim(verbatim, report);
        self.check_docker_arguments(report);
        let needs = settings.template.spanned().and_then(|template| {
            let (key, given) = match template.value.as_str() {
                "docker" | "docker-shell" => ("image", settings.image.span()),
                "plain" => ("exec", settings.exec.span()),
                _ => return None,
            };
            (given.is_none() && is_service).then_some((template, key))
        });
        if let Some((template, key)) = needs {
            let message = format!("template `{}` needs `{key}`", template.value);
            report.push(Diagnostic::error(template.span, message));
        }
        let built_in = settings.template.spanned().filter(|template| {
            matches!(template.value.as_str(), "docker" | "docker-shell" | "plain")
        });
        if let (Some(template), Some(span), true) = (built_in, settings.schedule.span(), is_service)
        {
            let message = format!(
                "template `{}` restarts what the schedule starts",
                template.value
            );
            report.push(
                Diagnostic::error(template.span, message)
                    .related(span, "the schedule")
                    .help("leave `template` out: a schedule takes `task`"),
            );
        }
        self.check_config(report);
    }

    /// Names of the config mean nothing where there is none.
    fn check_config(&self, report: &mut Report) {
        let s = self.settings;
        let names = [
            ("required", s.required.span()),
            ("config_keys", s.config_keys.span()),
        ];
        for (key, span) in names {
            if let (Some(Config::None), Some(span)) = (s.config.get(), span) {
                let message = format!("`{key}` names variables of the config, and there is none");
                let help = "give the variables in `environment`, or take away `config: false`";
                report.push(Diagnostic::error(span, message).help(help));
            }
        }
        for name in s.required.each().chain(s.config_keys.each()) {
            Self::check_name(name, report);
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
            if let Some(span) = span.filter(|span| !self.defaults.contains(span)) {
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

    /// A verbatim unit is its text: whatever else is said of it would be lost.
    fn check_verbatim(&self, verbatim: bool, report: &mut Report) {
        let s = self.settings;
        let words = [
            ("conflicts", s.conflicts.span()),
            ("environment", s.environment.span()),
            ("config", s.config.span()),
            ("required", s.required.span()),
            ("config_keys", s.config_keys.span()),
            ("announce", s.announce.span()),
            ("schedule", s.schedule.span()),
            ("port", s.port.span()),
            ("ports", s.ports.span()),
            ("Unit", s.unit_section.span()),
            ("Service", s.service_section.span()),
            ("Socket", s.socket_section.span()),
            ("Timer", s.timer_section.span()),
            ("Path", s.path_section.span()),
            ("Install", s.install_section.span()),
            ("X-Fleet", s.fleet_section.span()),
        ];
        for (key, span) in words {
            if let Some(span) = span.filter(|span| verbatim && !self.defaults.contains(span)) {
                let message = format!("`{key}` says nothing of a verbatim unit");
                report.push(Diagnostic::error(span, message).help("say it in the `text`"));
            }
        }
    }

    /// What the units rely on can't be taken away by further options.
    fn check_docker_arguments(&self, report: &mut Report) {
        for (at, item) in self.settings.docker_args.each().enumerate() {
            let text = item.value.0.as_str();
            let name = text.split('=').next().unwrap_or_default();
            if matches!(name, "-d" | "--detach" | "--name" | "--restart" | "--rm") {
                let message = format!("the unit relies on having no other `{name}`");
                report.push(Diagnostic::error(item.span, message).help("leave it out"));
            } else if at == 0 && !text.starts_with('-') {
                let message =
                    format!("`{text}` is no option, so docker would take it for the image");
                report.push(Diagnostic::error(item.span, message));
            }
        }
    }

    fn check_name(name: &Spanned<VariableName>, report: &mut Report) {
        if is_reserved(name.value.as_str()) {
            let message = format!("`{}` is set by the unit itself", name.value);
            report.push(Diagnostic::error(name.span, message).help("choose another name"));
        }
    }

    fn check_environment(&self, report: &mut Report) {
        for (name, value) in self.settings.environment.each() {
            Self::check_name(name, report);
            // What would steer docker's client goes to the container as an argument instead.
            let is_argument = self.settings.image.span().is_some() && steers_client(&name.value);
            let Some(value) = value.spanned().filter(|_| !is_argument) else {
                continue;
            };
            if let VariableValue::Fixed(text) = &value.value
                && let Err(error) = quote_assignment(name.value.as_str(), text)
            {
                report.push(Diagnostic::error(value.span, error.to_string()));
            }
        }
    }
}
