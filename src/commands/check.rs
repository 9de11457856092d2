//! `unitgen check`.

mod config;

use clap::{Parser, ValueEnum};
use serde_json::json;

use crate::commands::etcd::EtcdConnection;
use crate::commands::set::Overrides;
use crate::commands::{Invocation, Loaded};
use crate::error::{CommandError, Status};
use crate::report::{self, Style};

/// Finds all mistakes of a manifest, its templates and the units that come of it.
///
/// Ends with 0 where nothing is wrong, with 1 where there are errors. Nothing is written.
#[derive(Debug, Parser)]
pub struct Args {
    /// Warnings count as errors
    #[arg(long)]
    strict: bool,
    /// Compare with the apps' config in etcd, too: what is missing, not known, or set in two places
    #[arg(long)]
    config: bool,
    /// How findings are written
    #[arg(long, value_enum, default_value_t)]
    format: FindingFormat,
    #[command(flatten)]
    overrides: Overrides,
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
    if !args.config && args.etcd != EtcdConnection::default() {
        let error = CommandError::trouble("etcd is named, and nothing is asked of it");
        return Err(error.help("`--config` compares with it"));
    }
    let mut loaded = invocation.load_over(&args.overrides)?;
    if args.config && !loaded.report.has_errors() {
        let store = args.etcd.store(&invocation.settings)?;
        let stored = config::ask(&loaded.model, &store)?;
        let found = config::compare(&loaded.model, &stored);
        loaded.report.extend(found);
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
