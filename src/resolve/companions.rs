//! The units beside a process's own: timers, sockets, paths and announcements.
//!
//! In: a process's settings and its unit's name. Out: companions. Knows nothing of their text.

use crate::diagnostic::{Diagnostic, Report};
use crate::manifest::port::Port;
use crate::manifest::settings;
use crate::model::{Announce, Companion, CompanionKind};
use crate::name::{NameError, UnitName, UnitType};
use crate::resolve::container;
use crate::resolve::process::Scope;
use crate::span::{Span, Spanned};

impl Scope<'_> {
    pub(super) fn companions(
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
            let span = self
                .section(section)
                .span()
                .filter(|span| !self.defaults.contains(span));
            if let (Some(span), true) = (span, unit_type != unit.unit_type()) {
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
        announce: &Spanned<settings::Announce>,
        unit: &UnitName,
        slot: &str,
        report: &mut Report,
    ) -> Option<Announce> {
        let published = container::published(self.settings);
        let machine = published.iter().find_map(|published| published.machine);
        let port = match (announce.value.port, machine.map(|range| range.first)) {
            (Some(port), _) | (None, Some(Port::Number(port))) => port.to_string(),
            (None, Some(Port::Slot)) => slot.to_owned(),
            // What the defaults say of all goes for those that have a port.
            (None, None) if self.defaults.contains(&announce.span) => return None,
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
