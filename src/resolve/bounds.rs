//! The bounds within which a process's instances are replaced.
//!
//! In: what a process says under `deploy`, and what it is otherwise. Out: the bounds, and a report of
//! those that can't hold. Knows nothing of what runs.

use crate::diagnostic::{Diagnostic, Report};
use crate::manifest::health::Health;
use crate::model::{CompanionKind, Deploy, Process};
use crate::name::UnitType;
use crate::resolve::process::Scope;
use crate::span::{Span, Spanned};

impl Scope<'_> {
    /// Returns the bounds of a process that is complete but for them.
    pub(super) fn deploy(
        &self,
        process: &Process,
        global: Option<Span>,
        report: &mut Report,
    ) -> Deploy {
        let Some(deploy) = self.settings.deploy.get() else {
            return Deploy::default();
        };
        if let Some(min_alive) = deploy.min_alive.spanned() {
            self.check_min_alive(min_alive, process, report);
        }
        let health = deploy.health.spanned();
        let health = health.filter(|health| self.is_asked(health, process, global, report));
        Deploy {
            min_alive: deploy.min_alive.get().copied(),
            max_growth: deploy.max_growth.get().copied(),
            ready_secs: deploy.ready_secs.get().copied(),
            timeout: deploy.timeout.get().copied(),
            max_failures: deploy.max_failures.get().copied(),
            health: health.map(|health| health.value.0.clone()),
        }
    }

    /// More than all can't serve; with none at all there is nothing to keep.
    fn check_min_alive(&self, min_alive: &Spanned<u32>, process: &Process, report: &mut Report) {
        let wanted = process.instances.len();
        let is_launched = !process.global && starter(process).is_none();
        let is_more = usize::try_from(min_alive.value).is_ok_and(|least| least > wanted);
        if !(is_more && is_launched && wanted > 0) || self.is_excused(min_alive.span) {
            return;
        }
        let instances = if wanted == 1 { "instance" } else { "instances" };
        let name = &process.name.value;
        let message = format!("process `{name}` has only {wanted} {instances}");
        report.push(
            Diagnostic::warning(min_alive.span, message)
                .label("so many can't be kept")
                .help("say less, or more `instances`"),
        );
    }

    /// Tells whether an instance can be asked whether it is well.
    fn is_asked(
        &self,
        health: &Spanned<Health>,
        process: &Process,
        global: Option<Span>,
        report: &mut Report,
    ) -> bool {
        let error = |message: &str| Diagnostic::error(health.span, message);
        let (unit, name) = (&process.unit, &process.name.value);
        let is_service = unit.unit_type() == UnitType::Service;
        let wants_port = health.value.0.contains("{port}");
        let (is_asked, diagnostic) = if !is_service {
            let message = format!("`{unit}` is no service, so there is nothing to ask");
            (false, error(&message).help("leave `health` out"))
        } else if let Some(starter) = starter(process) {
            let message = format!("process `{name}` does not run all the time, to be asked");
            let diagnostic = error(&message).related(starter, "this starts it");
            (false, diagnostic.help("leave `health` out"))
        } else if wants_port && process.machine_ports.is_empty() {
            let message = format!("process `{name}` takes no port of the machine");
            let diagnostic = error(&message).label("`{port}` would be the first");
            let help = "publish one with `port`, or name its number: `http://{machine}:8080`";
            (false, diagnostic.help(help))
        } else if let Some(global) = global {
            let message = "a global unit is replaced on all machines at once";
            let diagnostic = Diagnostic::warning(health.span, message);
            let diagnostic = diagnostic.label("no answer holds the next one back");
            (true, diagnostic.related(global, "global here"))
        } else {
            return true;
        };
        if !self.is_excused(health.span) {
            report.push(diagnostic);
        }
        is_asked
    }

    /// What the defaults say of all goes for those that it fits; and what seems to be missing may be what
    /// was meant.
    fn is_excused(&self, span: Span) -> bool {
        self.settings.is_faulty || self.defaults.contains(&span)
    }
}

/// Returns what starts a process now and then, where something does.
fn starter(process: &Process) -> Option<Span> {
    let mut companions = process.companions.iter();
    let starts = companions.find(|companion| !matches!(companion.kind, CompanionKind::Announce(_)));
    starts.map(|companion| companion.span)
}
