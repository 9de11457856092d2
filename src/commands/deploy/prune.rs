//! What the manifest does not give any more: told of, or taken away within a limit.

use crate::commands::{Invocation, Loaded};
use crate::diff::ownership::mark;
use crate::diff::{Change, Diff};
use crate::error::CommandError;
use crate::plan::prune::PruneLimit;
use crate::rollout::process::Process;
use crate::state::{Observed, ObservedUnit, RegistryName};
use crate::tell::count;
use crate::tell::submit as words;

/// Refuses to destroy more than is allowed, and all that there is in any case.
pub(super) fn check(
    limit: Option<PruneLimit>,
    is_meant: impl Fn(&str) -> bool,
    loaded: &Loaded,
    diff: &Diff,
    observed: &Observed,
) -> Result<(), CommandError> {
    let unwanted = diff
        .units
        .iter()
        .filter(|unit| unit.change == Change::Unwanted && is_meant(&unit.owner.app));
    let destroyed = unwanted.count();
    if destroyed == 0 {
        return Ok(());
    }
    if loaded.desired.units.is_empty() && loaded.others.is_empty() {
        let units = count(destroyed, "unit");
        let message = format!("nothing would be left: {units} would be stopped and destroyed");
        return Err(CommandError::refused(message).help(
            "nothing was done; is this the right manifest? what is really to go, `fleetctl destroy` \
             takes by name",
        ));
    }
    let files = observed.units.values();
    let is_own =
        |unit: &&ObservedUnit| unit.name.template().is_none() && mark(&unit.unit).is_some();
    let own = files.filter(is_own).count().max(destroyed);
    let limit = limit.unwrap_or_default();
    if destroyed > limit.of(own) {
        let message = format!(
            "{destroyed} of {own} units would be stopped and destroyed, and the limit is {limit}"
        );
        return Err(CommandError::refused(message).help(format!(
            "nothing was done; `unitgen diff` shows them; where that is meant say `--prune-max {destroyed}`"
        )));
    }
    Ok(())
}

/// Says what runs and what stays that nobody wants any more.
pub(super) fn tell(
    is_meant: impl Fn(&str) -> bool,
    diff: &Diff,
    left: &[Process],
    invocation: &mut Invocation,
) {
    let units = left.iter().flat_map(|process| &process.members);
    let units = units.flat_map(|member| &member.units);
    let running: Vec<RegistryName> = units.map(|unit| unit.name.clone()).collect();
    let is_file = |name: &RegistryName| !running.contains(name);
    let files = diff
        .units
        .iter()
        .filter(|unit| unit.change == Change::Unwanted && !is_meant(&unit.owner.app));
    let files = files
        .filter(|unit| unit.before.is_some())
        .map(|unit| unit.name.clone());
    let files: Vec<RegistryName> = files.filter(is_file).collect();
    let text = words::left_running(&running) + &words::left_stored(&files);
    invocation.output.message(&text);
}
