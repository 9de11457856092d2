//! `unitgen config import`.

use clap::Parser;

use crate::commands::Invocation;
use crate::commands::config::scene::{DONE, Format, How, Scene, check};
use crate::commands::config::source::SourceArgs;
use crate::config::variable::Variables;
use crate::configuration::change::Change;
use crate::configuration::read;
use crate::error::{CommandError, Status};
use crate::resolve::client::is_reserved;
use crate::tell::config::Comparison;

/// Takes variables from an app, a file or another etcd, all of them or none.
///
/// On a terminal what would change is shown first, names only.
#[derive(Debug, Parser)]
pub struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// Take away what the source does not have, so that both are equal
    #[arg(long)]
    prune: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Ask nothing; with `--prune`, take an empty source for meant
    #[arg(short, long)]
    yes: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(
    args: &Args,
    scene: &Scene,
    invocation: &mut Invocation,
) -> Result<Status, CommandError> {
    let found = args.source.read(scene, invocation)?;
    let variables = found.variables;
    if args.prune && !found.is_whole {
        let message = format!(
            "{} has variables that can't be taken over",
            args.source.shown()
        );
        return Err(CommandError::refused(message)
            .help("leave `--prune` away: it would take away what they are here"));
    }
    for (name, _) in variables
        .iter()
        .filter(|(name, _)| is_reserved(name.as_str()))
    {
        let warning = format!("`{name}` is left out: the units themselves set it");
        invocation.output.warning(&warning);
    }
    let own = variables
        .iter()
        .filter(|(name, _)| !is_reserved(name.as_str()));
    let variables: Variables = own
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    check(&variables, invocation)?;
    if variables.is_empty() && !args.yes {
        let shown = args.source.shown();
        let message = if args.prune {
            Some(format!("{shown} is empty, and all variables would go"))
        } else if read(&scene.store, &scene.folder)?.is_empty() && !args.dry_run {
            Some(format!(
                "{shown} is empty, and what begins with it has no variables"
            ))
        } else {
            None
        };
        if let Some(message) = message {
            return Err(CommandError::refused(message).help("`--yes` says that this is meant"));
        }
    }
    let how = How {
        is_dry: args.dry_run,
        format: args.format,
    };
    let asks = invocation.settings.interactive && !args.yes && !args.dry_run;
    let agreed = if asks && !args.source.is_input() {
        let found = read(&scene.store, &scene.folder)?;
        let change = args.change(&found.variables, &variables);
        if !change.is_empty() {
            let after = change.applied_to(&found.variables);
            let comparison = Comparison::of(&found.variables, &after);
            invocation.output.message(&comparison.lines(false));
            let question = format!("{}: {}?", scene.name, comparison.summary(DONE));
            if !invocation.output.ask(&question)? {
                return Err(CommandError::refused("nothing was changed"));
            }
        }
        Some(Change::between(
            &found.variables,
            &change.applied_to(&found.variables),
        ))
    } else {
        None
    };
    let action = format!("import {}", args.source.shown());
    scene.change(&action, how, invocation, |found| {
        let change = args.change(&found.variables, &variables);
        let after = change.applied_to(&found.variables);
        if agreed.as_ref().is_some_and(|agreed| {
            let real = Change::between(&found.variables, &after);
            (&agreed.set, &agreed.unset) != (&real.set, &real.unset)
        }) {
            let error = CommandError::refused("the configuration was changed meanwhile");
            return Err(error.help("nothing was done; look at it again"));
        }
        Ok(change)
    })
}

impl Args {
    fn change(&self, before: &Variables, source: &Variables) -> Change {
        let gone = before.iter().map(|(name, _)| name);
        let gone = gone.filter(|name| self.prune && source.get(name).is_none());
        Change {
            set: source.clone(),
            unset: gone.cloned().collect(),
            founds: true,
        }
    }
}
