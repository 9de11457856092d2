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
pub mod diff;
pub mod overview;
pub mod plan;

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
pub mod submit;
pub mod env;

// tell
pub mod report;
pub mod tell;

// command
pub mod commands;
pub mod cli;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::commands::Invocation;
use crate::error::CommandError;
use crate::output::Output;
use crate::settings::Settings;

/// Runs the program with the process's own arguments.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let settings = Settings::from_environment();
    let output = Output::new(
        settings.colored_results,
        settings.colored_messages,
        settings.width,
    );
    let mut invocation = Invocation {
        files: cli.files,
        settings,
        output,
    };
    let result = match &cli.command {
        Command::Check(args) => commands::check::run(args, &mut invocation),
        Command::Config(args) => commands::config::run(args, &mut invocation),
        Command::Diff(args) => commands::diff::run(args, &mut invocation),
        Command::Env(args) => commands::env::run(args, &mut invocation),
        Command::Explain(args) => commands::explain::run(args, &mut invocation),
        Command::Init(args) => commands::init::run(args, &mut invocation),
        Command::Lint(args) => commands::lint::run(args, &mut invocation),
        Command::Render(args) => commands::render::run(args, &mut invocation),
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
