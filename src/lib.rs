//! unitgen turns one `services.yaml` into unit files for a fleet cluster.
//!
//! ```text
//! files → Source → yaml → layers → Manifest → resolve → Model → render(templates) → Desired → files
//! ```
//!
//! The modules stand in reading order, and each uses only what stands above it; a test holds them to
//! it. What touches the world is in `files`, `http`, `cluster`, `store`, `exec`, `output` and
//! `settings` alone. ARCHITECTURE.md says more.

// words
pub mod secrecy;
pub mod visible;
pub mod span;
pub mod suggestion;
pub mod diagnostic;
pub mod name;
pub mod moment;
pub mod glob;
pub mod parallel;

// text
pub mod directive;
pub mod unit;
pub mod reading;
pub mod yaml;
pub mod layers;
pub mod overrides;
pub mod manifest;
pub mod schema;
pub mod template;
pub mod config;

// meaning
pub mod model;
pub mod resolve;
pub mod line;
pub mod target;
pub mod state;

// desire
pub mod lint;
pub mod render;

// decide
pub mod placement;
pub mod goal;
pub mod diff;
pub mod overview;
pub mod plan;
pub mod rollout;

// doors
pub mod error;
pub mod settings;
pub mod interruption;
pub mod clock;
pub mod output;
pub mod files;
pub mod editor;
pub mod http;
pub mod cluster;
pub mod store;
pub mod exec;

// act
pub mod configuration;
pub mod announce;
pub mod lock;
pub mod journal;
pub mod submit;
pub mod deploy;
pub mod env;

// tell
pub mod report;
pub mod tell;

// command
pub mod commands;
pub mod cli;

use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue};

use crate::cli::{Cli, Command};
use crate::commands::Invocation;
use crate::error::CommandError;
use crate::output::Output;
use crate::settings::Settings;

/// Runs the program with the process's own arguments.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refused(&error),
    };
    let settings = Settings::from_environment();
    let output = Output::new(
        settings.colored_results,
        settings.colored_messages,
        settings.width,
    );
    let mut invocation = Invocation {
        files: cli.files,
        overrides: Vec::new(),
        settings,
        output,
    };
    let result = match &cli.command {
        Command::Check(args) => commands::check::run(args, &mut invocation),
        Command::Config(args) => commands::config::run(args, &mut invocation),
        Command::Deploy(args) => commands::deploy::run(args, &mut invocation),
        Command::Diff(args) => commands::diff::run(args, &mut invocation),
        Command::Env(args) => commands::env::run(args, &mut invocation),
        Command::Explain(args) => commands::explain::run(args, &mut invocation),
        Command::Init(args) => commands::init::run(args, &mut invocation),
        Command::Lint(args) => commands::lint::run(args, &mut invocation),
        Command::Lock(args) => commands::lock::run(args, &mut invocation),
        Command::Render(args) => commands::render::run(args, &mut invocation),
        Command::Restart(args) => commands::restart::run(args, &mut invocation),
        Command::Rollback(args) => commands::rollback::run(args, &mut invocation),
        Command::Schema(args) => commands::schema::run(args, &mut invocation),
        Command::Show(args) => commands::show::run(args, &mut invocation),
        Command::Snapshot(args) => commands::snapshot::run(args, &mut invocation),
        Command::Status(args) => commands::status::run(args, &mut invocation),
        Command::Submit(args) => commands::submit::run(args, &mut invocation),
    };
    let mut status = result.unwrap_or_else(|error| {
        invocation.output.message(&error.text());
        error.status
    });
    if let Err(error) = invocation.output.finish() {
        let error = CommandError::trouble("can't write the result").because(error);
        Output::new(false, false, 0).message(&error.text());
        status = error.status;
    }
    ExitCode::from(status.code())
}

/// Says what is wrong with the arguments, or shows the help that they ask for. A word such as
/// `PASSWORD=secret` in a wrong place is not repeated.
fn refused(error: &clap::Error) -> ExitCode {
    let code = u8::try_from(error.exit_code()).unwrap_or(2);
    if code != 0 {
        let mut words = std::env::args()
            .skip(1)
            .filter(|word| !word.starts_with('-'));
        let way = (words.next(), words.next());
        if let (Some("env"), Some(way)) = (way.0.as_deref(), way.1.as_deref()) {
            let printed = commands::env::failed(way, code);
            Output::new(false, false, 0).result(&printed);
        }
    }
    let code = ExitCode::from(code);
    let words = error
        .context()
        .filter_map(|(kind, value)| match (kind, value) {
            (
                ContextKind::InvalidSubcommand
                | ContextKind::InvalidArg
                | ContextKind::InvalidValue,
                ContextValue::String(word),
            ) => Some((word, word.split_once('=')?.0)),
            _ => None,
        });
    let words: Vec<_> = words.filter(|(_, name)| !name.starts_with('-')).collect();
    if words.is_empty() {
        // Nobody is there to be told that it can't be shown.
        let _ = error.print();
        return code;
    }
    let mut text = error.render().to_string();
    for (word, name) in words {
        text = text.replace(word.as_str(), &format!("{name}=***"));
    }
    Output::new(false, false, 0).message(&text);
    code
}
