//! `unitgen config`: an app's configuration, for those who operate it.
//!
//! Each subcommand is a file of its own; `scene` is what they share, `source` is what an app's
//! configuration is compared with or taken from.

pub mod diff;
pub mod edit;
pub mod export;
pub mod get;
pub mod history;
pub mod import;
pub mod list;
pub mod rollback;
mod scene;
pub mod set;
mod source;
pub mod unset;

use clap::{Parser, Subcommand};

use crate::commands::Invocation;
use crate::commands::config::scene::Target;
use crate::error::{CommandError, Status};

/// Shows and changes an app's configuration in etcd; alone it lists the variables' names.
///
/// The variables stand in the folder `/environment/APP`. Each change is one transaction, all of it or
/// nothing, which loses nothing that somebody else writes meanwhile, and is kept in a history. No value is
/// shown unless it is asked for.
#[derive(Debug, Parser)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: list::Args,
    #[command(flatten)]
    target: Target,
}

/// What is done with a configuration.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
enum Action {
    /// Compares with an app, an earlier change, a file or another etcd: names only.
    Diff(diff::Args),
    /// Changes variables in an editor: that of `VISUAL` or `EDITOR`, or vi.
    Edit(edit::Args),
    /// Writes all variables with their values in another tool's format.
    Export(export::Args),
    /// Writes a variable's value.
    Get(get::Args),
    /// Shows who changed what and when, the last change first; no values.
    History(history::Args),
    /// Takes variables from an app, a file or another etcd, all of them or none.
    Import(import::Args),
    /// Lists the variables' names, a line each.
    List(list::Args),
    /// Makes the configuration what it was after an earlier change.
    Rollback(rollback::Args),
    /// Sets variables, all of them or none.
    Set(set::Args),
    /// Takes variables away, all of them or none. One that is not there is as wanted.
    Unset(unset::Args),
}

/// Runs the command.
///
/// # Errors
/// Says what is wrong with the arguments, that etcd is out of reach or refuses, or that a guard does.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    if args.action.is_some() && args.list.is_given() {
        let error = CommandError::trouble("a list's options stand before another subcommand");
        return Err(error.help("write them behind it"));
    }
    let scene = args.target.scene(&invocation.settings)?;
    match &args.action {
        None => list::run(&args.list, &scene, invocation),
        Some(Action::Diff(args)) => diff::run(args, &scene, invocation),
        Some(Action::Edit(args)) => edit::run(args, &scene, invocation),
        Some(Action::Export(args)) => export::run(args, &scene, invocation),
        Some(Action::Get(args)) => get::run(args, &scene, invocation),
        Some(Action::History(args)) => history::run(args, &scene, invocation),
        Some(Action::Import(args)) => import::run(args, &scene, invocation),
        Some(Action::List(args)) => list::run(args, &scene, invocation),
        Some(Action::Rollback(args)) => rollback::run(args, &scene, invocation),
        Some(Action::Set(args)) => set::run(args, &scene, invocation),
        Some(Action::Unset(args)) => unset::run(args, &scene, invocation),
    }
}
