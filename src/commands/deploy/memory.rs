//! What the last release had that the manifest does not say: values by `--set`, and that it was rolled back.
//! A deploy that would undo it without a word is refused.

use std::collections::BTreeMap;

use crate::commands::rollout::register::Register;
use crate::commands::{Invocation, Loaded};
use crate::error::CommandError;
use crate::goal::{Goal, goals};
use crate::journal::{self, Release};
use crate::overrides::{Applied, Override};

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
    for (app, release) in releases {
        let given = || loaded.overrides.iter().filter(|one| is_for(one, app));
        let is_given = |path: &String| given().any(|one| one.path == *path);
        let remembered = release.set.iter().filter(|(path, _)| !is_given(path));
        let remembered: Vec<(&String, &String)> = remembered.collect();
        if !remembered.is_empty() && !is_met(app, loaded, &remembered, invocation)? {
            return Err(forgotten(app, release, &remembered));
        }
        if let Some(number) = release.undone
            && given().next().is_none()
            && let Some(undone) = journal::get(&register.store, app, number)?
            && goal(app, loaded).as_ref() == Some(&undone.goal)
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
    for (path, value) in remembered {
        // What looks like a secret is not shown.
        let text = Override::new(format!("{path}={value}")).to_string();
        let quoted = shlex::try_quote(&text).map_or_else(|_| text.clone(), |it| it.to_string());
        flags.push_str(&format!(" --set {quoted}"));
    }
    let number = release.number;
    let message = format!(
        "release {number} of `{app}`, by {}, had{flags}, and the manifest says otherwise",
        release.author
    );
    CommandError::refused(message).help(format!(
        "nothing was done; give the value again:{flags}; or say `--as-written`"
    ))
}
