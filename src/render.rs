//! From the model to the units' text.
//!
//! In: a model and templates. Out: every unit in its canonical text, which fleet stores byte for
//! byte, with the place of the manifest that caused it; and a report of what a template or a
//! directive does wrong. Each text is read again as systemd and fleet read it before it leaves here.
//! The same model gives the same bytes, always. Knows nothing of files and clusters.

pub mod check;
pub mod context;
pub mod desired;
pub mod overlay;
pub mod place;
mod rules;
mod text;
pub mod words;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Report, Severity};
use crate::layers::SECTIONS;
use crate::line::{Line, Origin};
use crate::lint;
use crate::model::{Companion, CompanionKind, Instance, Model, Process, Work};
use crate::name::{TemplateName, UnitName, UnitType};
use crate::parallel::in_parts;
use crate::render::desired::{Desired, DesiredUnit, state};
use crate::render::place::{Memory, PlaceError, place};
use crate::span::{Sources, Span, Spanned};
use crate::state::State;
use crate::suggestion::did_you_mean;
use crate::target;
use crate::template::{SUFFIX, Templates};
use crate::unit::UnitFile;

/// A physical line stays below this many bytes: fleet refuses 2048, and old systemd reads 2047.
pub const LINE_LIMIT: usize = 2_000;

/// Returns the file names of all templates that a model may need.
#[must_use]
pub fn templates(model: &Model) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut add = |name: &str, unit_type: UnitType| {
        names.insert(format!("{name}.{}{SUFFIX}", unit_type.suffix()));
    };
    for process in model.apps.iter().flat_map(|app| &app.processes) {
        let template = process.template.value.as_str();
        add(template, process.unit.unit_type());
        for companion in &process.companions {
            let unit_type = companion.unit.unit_type();
            for name in [template, "announce", "plain"] {
                add(name, unit_type);
            }
        }
    }
    names
}

/// What rendering needs beside the model.
pub struct Renderer<'a> {
    /// The templates.
    pub templates: &'a Templates,
    /// The texts, for places within templates.
    pub sources: &'a Sources,
}

impl Renderer<'_> {
    /// Renders all units.
    #[must_use]
    pub fn render(&self, model: &Model) -> (Desired, Report) {
        let processes: Vec<&Process> = model.apps.iter().flat_map(|app| &app.processes).collect();
        let parts = in_parts(&processes, |part| self.processes(part));
        let mut desired = Desired::default();
        let mut report = Report::default();
        for (units, found) in parts {
            desired.units.extend(units);
            report.extend(found);
        }
        desired.units.sort_by(|a, b| a.name.cmp(&b.name));
        (desired, report)
    }

    fn processes(&self, processes: &[&Process]) -> (Vec<DesiredUnit>, Report) {
        let mut units = Vec::with_capacity(processes.len());
        let mut report = Report::default();
        let mut memory = Memory::default();
        for process in processes {
            units.extend(self.process(process, &mut memory, &mut report));
            for companion in &process.companions {
                units.extend(self.companion(process, companion, &mut memory, &mut report));
            }
        }
        (units, report)
    }

    fn process(
        &self,
        process: &Process,
        memory: &mut Memory,
        report: &mut Report,
    ) -> Option<DesiredUnit> {
        let unit_type = process.unit.unit_type();
        let text = match &process.work {
            Work::Verbatim(text) => {
                let unit = text::verbatim(text, report)?;
                check_verbatim(&unit, text, &process.unit, report);
                unit
            }
            _ if process.is_faulty && !self.fits(process) => return None,
            Work::Nothing if unit_type == UnitType::Service => {
                // What it runs is a mistake that is reported already; its directives may have others.
                let mut lines = Vec::new();
                overlay::lay(&mut lines, &process.overlays, &SECTIONS, report);
                rules::options(&lines, process.name.span, report);
                return None;
            }
            Work::Container(_) | Work::Program(_) | Work::Nothing => {
                let context = context::process(process);
                let mut lines = self.template(
                    process,
                    &process.template,
                    unit_type,
                    &context,
                    memory,
                    report,
                )?;
                let sections = ["Unit", unit_type.section(), "Install"];
                overlay::lay(&mut lines, &process.overlays, &sections, report);
                for pattern in &process.conflicts {
                    let origin = Origin::Manifest(pattern.span);
                    lines.push(fleet_line("Conflicts", &pattern.value, origin));
                }
                overlay::lay(&mut lines, &process.overlays, &[target::SECTION], report);
                check_version(process, &lines, report);
                let is_own = self.templates.is_own(&process.template.value, unit_type);
                let place = process.template.span;
                finish(process, lines, &process.unit, place, is_own, report)?
            }
        };
        Some(DesiredUnit {
            name: process.unit.clone(),
            text,
            app: process.app.clone(),
            process: process.name.value.clone(),
            span: process.name.span,
            instances: Arc::clone(&process.instances),
            state: state(process),
        })
    }

    /// A built-in template that does not fit what the process runs would only fail on it.
    fn fits(&self, process: &Process) -> bool {
        let is_own = self
            .templates
            .is_own(&process.template.value, process.unit.unit_type());
        let is_container = matches!(process.work, Work::Container(_));
        match process.template.value.as_str() {
            _ if is_own => true,
            "docker" | "docker-shell" => is_container,
            "plain" => !is_container,
            "verbatim" => false,
            _ => true,
        }
    }

    fn companion(
        &self,
        process: &Process,
        companion: &Companion,
        memory: &mut Memory,
        report: &mut Report,
    ) -> Option<DesiredUnit> {
        let unit_type = companion.unit.unit_type();
        let (template, section, beside) = match &companion.kind {
            CompanionKind::Announce(_) => ("announce", None, context::beside(process)),
            CompanionKind::Timer(_) | CompanionKind::Socket | CompanionKind::Path => (
                "plain",
                Some(unit_type.section()),
                context::namesake(process),
            ),
        };
        let own = &process.template;
        let template = match self.templates.find(&own.value, unit_type) {
            Some(_) if section.is_some() => own.clone(),
            _ => Spanned {
                span: companion.span,
                value: TemplateName::new(template).ok()?,
            },
        };
        let context = context::companion(process, companion);
        let mut lines = self.template(process, &template, unit_type, &context, memory, report)?;
        overlay::lay(&mut lines, &process.overlays, section.as_slice(), report);
        if process.global {
            overlay::lay(&mut lines, &process.overlays, &[target::SECTION], report);
        } else {
            lines.push(fleet_line("MachineOf", &beside, Origin::Engine));
        }
        // What a companion does stands in the manifest, be it an event of the calendar.
        let text = finish(
            process,
            lines,
            &companion.unit,
            companion.span,
            true,
            report,
        )?;
        let instances = process.instances.iter().filter_map(|instance| {
            let name = instance.unit.instance();
            let unit = match name {
                Some(name) => companion.unit.instantiate(name).ok()?,
                None => companion.unit.clone(),
            };
            Some(Instance {
                unit,
                ..instance.clone()
            })
        });
        Some(DesiredUnit {
            name: companion.unit.clone(),
            text,
            app: process.app.clone(),
            process: process.name.value.clone(),
            span: companion.span,
            instances: instances.collect(),
            state: State::Launched,
        })
    }

    /// Renders a template to lines.
    fn template(
        &self,
        process: &Process,
        template: &Spanned<TemplateName>,
        unit_type: UnitType,
        context: &tera::Context,
        memory: &mut Memory,
        report: &mut Report,
    ) -> Option<Vec<Line>> {
        let name = &template.value;
        let Some(file) = self.templates.find(name, unit_type) else {
            let suffix = unit_type.suffix();
            let names = self.templates.names(unit_type);
            report.push(
                Diagnostic::error(template.span, format!("there is no template `{name}` for a {suffix}"))
                    .help(did_you_mean(name.as_str(), names.iter().copied()).unwrap_or_else(|| {
                        format!("put `{name}.{suffix}.tera` into the folder of templates; there are `{}`", names.join("`, `"))
                    })),
            );
            return None;
        };
        let failed = |span: Option<Span>, message: String| {
            let for_app = format!(
                "for process `{}` of app `{}`",
                process.name.value, process.app
            );
            let diagnostic = Diagnostic::new(
                Severity::Error,
                span.or(self.templates.span(&file)),
                message,
            );
            diagnostic.related(template.span, for_app)
        };
        let text = match self.templates.render(&file, context, self.sources) {
            Ok(text) => text,
            Err(failure) => {
                report.push(failed(failure.span, failure.message));
                return None;
            }
        };
        match place(&text, memory) {
            Ok(placed) => {
                let origin = Origin::Template;
                let lines = placed.into_iter().map(|content| Line { content, origin });
                Some(lines.collect())
            }
            Err(errors) => {
                let is_own = self.templates.is_own(name, unit_type);
                for PlaceError { text, message, .. } in errors {
                    let message = format!("`{text}` can't stand in a unit: {message}");
                    if !is_own {
                        // A built-in template is not at fault: a value of the manifest is, and
                        // where the process is known to be faulty, it is told of already.
                        if !process.is_faulty {
                            report.push(Diagnostic::error(template.span, message));
                        }
                        continue;
                    }
                    // The line that begins alike is the one, or at least the one to look at first.
                    let key = text.split_inclusive('=').next().unwrap_or_default();
                    let at = self.templates.line(&file, key, self.sources);
                    report.push(failed(at, message));
                }
                None
            }
        }
    }
}

/// A template that leaves the version out would run one image under all versions' names.
fn check_version(process: &Process, lines: &[Line], report: &mut Report) {
    let takes = |line: &Line| line.value.contains("${VERSION}") || line.value.contains("$VERSION");
    if process.versioned && !lines.iter().any(takes) {
        let template = &process.template;
        let message = format!("template `{}` never uses the version", template.value);
        let mut diagnostic = Diagnostic::error(template.span, message)
            .help("its unit has to take `${VERSION}`, as the template `docker` does");
        if let Some(instance) = process.instances.first() {
            diagnostic = diagnostic.related(instance.span, "all versions would run the same");
        }
        report.push(diagnostic);
    }
}

/// Says what fleet and systemd would make of a text that is taken as it is: of the text that fleet
/// keeps, and of what it would not keep.
fn check_verbatim(text: &str, given: &Spanned<String>, unit: &UnitName, report: &mut Report) {
    let span = given.span;
    rules::lost(&given.value, unit, span, report);
    let file = UnitFile::parse(text);
    let directives = file.directives();
    let lines = directives.iter().map(|directive| {
        let origin = Origin::Manifest(span);
        Line::new(
            &directive.section,
            &directive.name,
            &directive.value,
            origin,
        )
    });
    let lines: Vec<Line> = lines.collect();
    rules::options(&lines, span, report);
    rules::unit(&lines, text, unit, span, report);
}

/// Marks a unit, checks it and writes its text.
fn finish(
    process: &Process,
    mut lines: Vec<Line>,
    unit: &UnitName,
    place: Span,
    is_own: bool,
    report: &mut Report,
) -> Option<String> {
    for (name, value) in [
        ("App", process.app.as_str()),
        ("Process", process.name.value.as_str()),
    ] {
        lines.push(Line::new(target::MARK, name, value, Origin::Engine));
    }
    let before = report.count(Severity::Error);
    text::sort(&mut lines, unit.unit_type(), place, report);
    rules::options(&lines, place, report);
    let text = text::write(&lines, place, report);
    if report.count(Severity::Error) == before {
        check::read_back(&lines, &text, unit, place, report);
    }
    let is_overlaid = process
        .overlays
        .iter()
        .any(|overlay| overlay.section != target::SECTION);
    let is_plain = matches!(&process.work, Work::Container(own) if !own.has_own_options);
    let is_foreign = is_own || is_overlaid || !is_plain || lint::may_hold_secret(&text);
    if is_foreign && !process.is_faulty && report.count(Severity::Error) == before {
        rules::unit(&lines, &text, unit, place, report);
    }
    (report.count(Severity::Error) == before).then_some(text)
}

fn fleet_line(name: &str, value: &str, origin: Origin) -> Line {
    Line::new(target::SECTION, name, value, origin)
}
