//! `unitgen check`.

use clap::{Parser, ValueEnum};
use serde_json::json;

use crate::commands::etcd::EtcdConnection;
use crate::commands::{Invocation, Loaded};
use crate::diagnostic::{Diagnostic, Severity};
use crate::error::{CommandError, Status};
use crate::report::{self, Style};
use crate::store::Store;

/// Finds all mistakes of a manifest, its templates and the units that come of it.
///
/// Ends with 0 where nothing is wrong, with 1 where there are errors. Nothing is written.
#[derive(Debug, Parser)]
pub struct Args {
    /// Warnings count as errors
    #[arg(long)]
    strict: bool,
    /// Ask etcd, too, whether it has the variables that the manifest requires
    #[arg(long)]
    config: bool,
    /// How findings are written
    #[arg(long, value_enum, default_value_t)]
    format: FindingFormat,
    #[command(flatten)]
    etcd: EtcdConnection,
}

/// How findings are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum FindingFormat {
    /// For people, with excerpts.
    #[default]
    Text,
    /// For programs: one JSON value with a `format_version`.
    Json,
    /// Annotations of a GitHub workflow.
    Github,
}

/// Runs the command.
///
/// # Errors
/// Says which file can't be read, or that etcd is out of reach.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let mut loaded = invocation.load()?;
    if args.config && !loaded.report.has_errors() {
        let store = args.etcd.store(&invocation.settings)?;
        compare(&mut loaded, &store)?;
        loaded.report.finish();
    }
    let Loaded {
        report, sources, ..
    } = &loaded;
    let text = match args.format {
        FindingFormat::Text if report.is_empty() => {
            let units = loaded.desired.units.len();
            let noun = if units == 1 { "unit" } else { "units" };
            format!("nothing found in {units} {noun}\n")
        }
        FindingFormat::Text => {
            let style = Style {
                colored: invocation.output.colored_results,
                width: invocation.output.width,
            };
            report::text(report, sources, style)
        }
        FindingFormat::Json => {
            let value = json!({"format_version": 1, "findings": report::json(report, sources)});
            format!("{value:#}\n")
        }
        FindingFormat::Github => report::github(report, sources),
    };
    invocation.output.result(&text);
    let found = report.has_errors() || args.strict && !report.is_empty();
    Ok(if found { Status::Found } else { Status::Done })
}

/// Finds what the units ask for and etcd does not have. Values are not asked for, only names.
fn compare(loaded: &mut Loaded, store: &Store) -> Result<(), CommandError> {
    for process in loaded.model.apps.iter().flat_map(|app| &app.processes) {
        let Some(request) = &process.config else {
            continue;
        };
        let mut missing = |span, message: String, help: String| {
            let diagnostic = Diagnostic::new(Severity::Error, Some(span), message);
            loaded.report.push(diagnostic.help(help));
        };
        let folder = match &request.folder {
            None => Some(format!("/environment/{}", process.app)),
            Some(folder) => folder.clone(),
        };
        if let (Some(folder), false) = (folder, request.required.is_empty()) {
            let prefix = format!("{folder}/");
            let keys = store.keys(&prefix)?;
            for name in &request.required {
                let key = format!("{prefix}{}", name.value);
                if keys.binary_search(&key).is_err() {
                    let message = format!("etcd has no `{key}`");
                    let help = "the unit would refuse to start: set the variable first".to_owned();
                    missing(name.span, message, help);
                }
            }
        }
        for (name, key) in &request.from {
            if store.keys(key)?.first() != Some(key) {
                let message = format!("etcd has no `{key}`");
                missing(
                    name.span,
                    message,
                    format!("`{}` takes its value from there", name.value),
                );
            }
        }
    }
    Ok(())
}
