//! What the last release had that the manifest does not say: values by `--set`, and that it was rolled back.
//! A deploy that would undo it without a word is refused.

use std::collections::BTreeMap;

use crate::commands::rollout::register::Register;
use crate::commands::{Invocation, Loaded};
use crate::error::CommandError;
use crate::goal::{Goal, goals};
use crate::journal::{self, Outcome, Release};
use crate::overrides::{Applied, Override};
use crate::visible::plain;

/// Refuses a deploy that would undo what the last release was given.
pub(super) fn check(
    as_written: bool,
    loaded: &Loaded,
    releases: &BTreeMap<String, Release>,
    register: Option<&Register>,
    invocation: &Invocation,
) -> Result<(), CommandError> {
    let Some(register) = register else {
        return Ok(());
    };
    if as_written {
        return Ok(());
    }
    // What is to be gone has no values.
    let is_wanted = |app: &String| loaded.check_app(app).is_ok();
    for (app, release) in releases.iter().filter(|(app, _)| is_wanted(app)) {
        let given = || loaded.overrides.iter().filter(|one| is_for(one, app));
        let is_given = |path: &String| given().any(|one| one.path == *path);
        let remembered = release.set.iter().filter(|(path, _)| !is_given(path));
        let remembered: Vec<(&String, &String)> = remembered.collect();
        if !remembered.is_empty() && !is_met(app, loaded, &remembered, invocation)? {
            return Err(forgotten(app, release, &remembered));
        }
        if let Some(number) = release.undone
            && let Some(undone) = journal::get(&register.store, app, number)?
            && !undone.goal.is_same_work(&release.goal)
            && goal(app, loaded).is_some_and(|goal| goal.is_same_work(&undone.goal))
        {
            let message = format!(
                "`{app}` was rolled back by {} ({}), and this would undo that",
                release.author, release.action
            );
            let help = "nothing was done; mend what was wrong with it, or say `--as-written`";
            return Err(CommandError::refused(message).help(help));
        }
    }
    Ok(())
}

fn is_for(applied: &Applied, app: &str) -> bool {
    applied.app.as_ref().is_none_or(|own| own == app)
}

/// Tells whether the manifest says the same by now.
fn is_met(
    app: &str,
    loaded: &Loaded,
    remembered: &[(&String, &String)],
    invocation: &Invocation,
) -> Result<bool, CommandError> {
    let remembered = remembered
        .iter()
        .map(|(path, value)| Override::new(format!("{path}={value}")));
    // What is given now goes before.
    let overrides: Vec<Override> = remembered
        .chain(loaded.overrides.iter().map(Applied::again))
        .collect();
    let then = invocation.load_with(&overrides)?;
    if then.report.has_errors() {
        return Ok(false);
    }
    Ok(goal(app, &then) == goal(app, loaded))
}

fn goal(app: &str, loaded: &Loaded) -> Option<Goal> {
    let apps: Vec<_> = loaded
        .model
        .apps
        .iter()
        .filter(|known| known.name.value.as_str() == app)
        .collect();
    goals(&apps, &loaded.desired).pop()
}

fn forgotten(app: &str, release: &Release, remembered: &[(&String, &String)]) -> CommandError {
    let mut flags = String::new();
    let mut is_whole = true;
    for (path, value) in remembered {
        let text = format!("{path}={value}");
        // What looks like a secret is not shown, nor what a terminal would not show as it is.
        let shown = plain(&Override::new(text.as_str()).to_string());
        is_whole &= shown == text;
        let quoted = shlex::try_quote(&shown).map_or_else(|_| shown.clone(), |it| it.to_string());
        flags.push_str(&format!(" --set {quoted}"));
    }
    let Release { number, author, .. } = release;
    let end = match release.outcome {
        Outcome::Complete => ",",
        Outcome::Begun | Outcome::Failed => ", which did not come to its end,",
    };
    let message = format!(
        "release {number} of `{app}`, by {author}{end} had{flags}, and the manifest says otherwise"
    );
    let again = if is_whole {
        format!("give a value again, this one or another:{flags}")
    } else {
        "give the values again, which are not all shown here".to_owned()
    };
    CommandError::refused(message).help(format!("nothing was done; {again}; or say `--as-written`"))
}
