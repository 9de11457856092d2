//! What stands between a plan and its steps: limits, and a question.

use crate::commands::Invocation;
use crate::commands::submit::Args;
use crate::commands::submit::prepared::Prepared;
use crate::error::CommandError;
use crate::plan::{Action, Plan, script};
use crate::submit::Task;
use crate::tell::count;
use crate::tell::submit::{self as words};

impl Prepared {
    /// Refuses to destroy more than is allowed, and all that there is in any case.
    pub(super) fn check_limit(&self, args: &Args) -> Result<(), CommandError> {
        let destroyed = self.tasks.iter().filter(|task| task.destroys()).count();
        if destroyed == 0 {
            return Ok(());
        }
        if self.leaves_nothing {
            let units = count(destroyed, "unit file");
            let message = format!("nothing would be left: {units} would be destroyed");
            return Err(CommandError::refused(message).help(
                "nothing was done; is this the right manifest? what is really to go, `fleetctl destroy` \
                 takes by name",
            ));
        }
        let limit = args.prune_max.unwrap_or_default();
        let allowed = limit.of(self.marked);
        if destroyed > allowed {
            let marked = self.marked;
            let message = format!(
                "{destroyed} of {marked} unit files would be destroyed, and the limit is {allowed} ({limit})"
            );
            let help = format!(
                "nothing was done; `unitgen diff` shows them; where that is meant say `--prune-max {destroyed}`"
            );
            return Err(CommandError::refused(message).help(help));
        }
        Ok(())
    }

    /// Says what is special about this run.
    pub(super) fn tell_before(&self, invocation: &mut Invocation) {
        let release = self.release.as_ref();
        let Some(release) = release.filter(|it| it.replaces_content() == Some(false)) else {
            return;
        };
        let replaces = |task: &&Task| matches!(task.step.action, Action::Replace { .. });
        let number = self.tasks.iter().filter(replaces).count();
        if number > 0 {
            let units = count(number, "unit");
            invocation.output.warning(&format!(
                "fleet {release} never replaces a text: {units} must be deleted and stored again"
            ));
        }
    }

    /// Asks where something is lost and there is somebody to ask.
    pub(super) fn is_agreed(
        &self,
        args: &Args,
        invocation: &mut Invocation,
    ) -> Result<bool, CommandError> {
        if let Some(planned_for) = self.planned_for.as_ref().filter(|it| !self.is_for(it)) {
            let message = format!(
                "the plan is for {planned_for}, and this is {}",
                self.cluster
            );
            if !args.yes && !invocation.settings.interactive {
                return Err(CommandError::refused(message)
                    .help("where both are the same cluster, or that is meant, say `--yes`"));
            }
            invocation.output.warning(&message);
            if !args.yes && !invocation.output.ask("Go on?")? {
                return Ok(false);
            }
        }
        let lost = |task: &&Task| task.destroys() || task.runs();
        let lost: Vec<&Task> = self.tasks.iter().filter(lost).collect();
        if lost.is_empty() || args.yes || !invocation.settings.interactive {
            return Ok(true);
        }
        invocation.output.message(&words::question(&lost));
        let question = format!(
            "Do that to {} at {}?",
            count(lost.len(), "unit"),
            self.cluster
        );
        invocation.output.ask(&question)
    }

    /// Tells whether a plan may have been made for this cluster.
    fn is_for(&self, planned_for: &str) -> bool {
        planned_for == self.cluster || planned_for.starts_with("snapshot:")
    }

    /// Returns a shell script that does it.
    pub(super) fn script(&self, fleetctl: &[String]) -> String {
        script::script(&self.plan(), fleetctl)
    }

    /// Returns the tasks as a plan.
    pub(super) fn plan(&self) -> Plan {
        Plan {
            steps: self.tasks.iter().map(|task| task.step.clone()).collect(),
            held: self.held.clone(),
        }
    }
}
