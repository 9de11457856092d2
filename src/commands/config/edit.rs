//! `unitgen config edit`.

use clap::Parser;

use crate::commands::Invocation;
use crate::commands::config::scene::{Format, How, Scene, check, listen};
use crate::commands::config::source::mistaken;
use crate::config::export::{self, Refusal};
use crate::config::import;
use crate::config::variable::Variables;
use crate::configuration::change::Change;
use crate::editor::{Edited, edit};
use crate::error::{CommandError, Status};

/// Changes variables in an editor: that of `VISUAL` or `EDITOR`, or vi.
///
/// The text is a dotenv file that only its owner can read, in memory where the system has such a place, and
/// gone afterwards. What somebody else changes meanwhile is not overwritten.
#[derive(Debug, Parser)]
pub struct Args {
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
    let all = scene.read(invocation)?.variables;
    let mut shown = all.clone();
    let mut text = format!(
        "# {}: a line that is taken away unsets its variable.\n",
        scene.name
    );
    // What is no text is not for an editor.
    let refusals = export::write(export::Format::Dotenv, &shown)
        .err()
        .unwrap_or_default();
    for Refusal { name, reason } in refusals {
        text.push_str(&format!("# {name} is left as it is: {reason}\n"));
        shown.remove(&name);
    }
    let rest = export::write(export::Format::Dotenv, &shown);
    let mut text = text.into_bytes();
    text.extend(rest.iter().flat_map(export::Text::as_bytes));
    // Whoever ends this while the editor is open ends it cleanly, and the text is gone.
    let interruption = listen()?;
    let edited = edit(invocation.settings.editor.as_deref(), &text)?;
    if edited.bytes == text {
        invocation
            .output
            .result(&format!("{}: nothing to change\n", scene.name));
        return Ok(Status::Done);
    }
    if interruption.is_asked() {
        let error = CommandError::trouble("interrupted, and nothing was changed");
        return Err(kept(edited, error, invocation));
    }
    let seen = Seen {
        all: &all,
        shown: &shown,
    };
    let result = change(args, scene, &seen, &edited.bytes, invocation);
    result.map_err(|error| kept(edited, error, invocation))
}

/// What there was when the text was written.
struct Seen<'a> {
    all: &'a Variables,
    /// What stood in the text.
    shown: &'a Variables,
}

/// Keeps the text beside an error.
fn kept(edited: Edited, error: CommandError, invocation: &mut Invocation) -> CommandError {
    let path = edited.keep();
    let path = path.display();
    let message = format!("your text is kept in `{path}`, with all its values\n");
    invocation.output.message(&message);
    error
}

fn change(
    args: &Args,
    scene: &Scene,
    seen: &Seen<'_>,
    bytes: &[u8],
    invocation: &mut Invocation,
) -> Result<Status, CommandError> {
    let format = import::Format::Dotenv;
    let imported = import::read(format, bytes)
        .map_err(|mistakes| mistaken("your text", format, &mistakes, invocation))?;
    for warning in &imported.warnings {
        invocation.output.warning(&format!("your text: {warning}"));
    }
    let wanted = Change::between(seen.shown, &imported.variables);
    if imported.variables.is_empty() && !seen.shown.is_empty() {
        let error = CommandError::refused("your text is empty, and all variables would go");
        return Err(error.help("`unitgen config unset` takes variables away"));
    }
    check(&wanted.set, invocation)?;
    let how = How {
        is_dry: false,
        format: args.format,
    };
    scene.change("edit", how, invocation, |found| {
        let touched = wanted.set.iter().map(|(name, _)| name).chain(&wanted.unset);
        let others: Vec<String> = touched
            .filter(|name| found.variables.get(name) != seen.all.get(name))
            .map(|name| format!("`{name}`"))
            .collect();
        if !others.is_empty() {
            let message = format!("somebody else changed {} meanwhile", others.join(", "));
            return Err(CommandError::refused(message).help("look at both, and edit again"));
        }
        Ok(wanted.clone())
    })
}
