//! From what the manifest says to what it means.
//!
//! In: a `Manifest`. Out: a `Model` with every default in place, and a report of all that does not
//! fit together. Knows nothing of templates' text and of the world.

mod bounds;
pub mod client;
mod companions;
pub mod container;
mod directives;
mod fit;
pub mod instances;
pub mod process;
pub mod together;

use crate::diagnostic::{Diagnostic, Report};
use crate::manifest::{self, Manifest};
use crate::model::{App, Model};
use crate::name::ProcessName;
use crate::parallel::in_parts;
use crate::resolve::process::Scope;
use crate::span::Spanned;

/// Resolves a manifest. The model is complete only where the report has no errors.
pub fn resolve(manifest: &Manifest, report: &mut Report) -> Model {
    let mut model = Model::default();
    let resolved = in_parts(&manifest.apps, |apps| {
        let mut report = Report::default();
        let app = |app| resolve_app(app, manifest, &mut report);
        let apps: Vec<App> = apps.iter().map(app).collect();
        (apps, report)
    });
    for (apps, found) in resolved {
        model.apps.extend(apps);
        report.extend(found);
    }
    together::expand_conflicts(&mut model, report);
    together::check_names(&model, report);
    together::check_ports(&model, report);
    model
}

fn resolve_app(app: &manifest::App, manifest: &Manifest, report: &mut Report) -> App {
    if let (Some(span), false) = (app.process.span(), app.processes.is_empty()) {
        report.push(
            Diagnostic::error(
                span,
                "`process` names the only process of an app without `processes`",
            )
            .help("leave it out: the processes have their names below"),
        );
    }
    let several = app.processes.len() > 1;
    let mut processes = Vec::new();
    for process in &app.processes {
        let scope = Scope {
            app: &app.name,
            name: process.name.clone(),
            settings: &process.settings,
            inherits_counts: several && !process.own_counts,
            defaults: &manifest.defaults,
        };
        processes.extend(process::resolve(&scope, report));
    }
    if !app.has_processes {
        let scope = Scope {
            app: &app.name,
            name: only_process(app),
            settings: &app.settings,
            inherits_counts: false,
            defaults: &manifest.defaults,
        };
        processes.extend(process::resolve(&scope, report));
    }
    App {
        name: app.name.clone(),
        processes,
    }
}

/// Names the process of an app that has only one.
fn only_process(app: &manifest::App) -> Spanned<ProcessName> {
    let span = app.name.span;
    if let Some(name) = app.process.get() {
        let value = name.clone();
        return Spanned { span, value };
    }
    let settings = &app.settings;
    let publishes = settings.port.span().is_some()
        || settings
            .ports
            .get()
            .is_some_and(|ports| !ports.0.is_empty());
    let value = if publishes {
        ProcessName::http()
    } else {
        ProcessName::worker()
    };
    Spanned { span, value }
}
