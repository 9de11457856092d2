//! What stands between a plan and its steps: limits, and a question.

use crate::commands::Invocation;
use crate::commands::submit::Args;
use crate::commands::submit::prepared::Prepared;
use crate::error::CommandError;
use crate::plan::Plan;
use crate::plan::script::Script;
use crate::state::Release;
use crate::submit::Task;
use crate::tell::count;
use crate::tell::submit::{self as words};

impl Prepared {
    /// Refuses to destroy more than is allowed, and all that there is in any case.
    pub(super) fn check_limit(&self, args: &Args) -> Result<(), CommandError> {
        let destroyed = self.destroyed;
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
        let allowed = limit.of(self.own);
        if destroyed > allowed {
            let own = self.own;
            let message = format!(
                "{destroyed} of {own} unit files would be destroyed, and the limit is {limit}"
            );
            let help = format!(
                "nothing was done; `unitgen diff` shows them; where that is meant say `--prune-max {destroyed}`"
            );
            return Err(CommandError::refused(message).help(help));
        }
        Ok(())
    }

    /// Refuses a saved plan that counts on what is not there, and names all of it.
    pub(super) fn check_guards(&self) -> Result<(), CommandError> {
        if let Some(name) = &self.unmarked {
            let message =
                format!("`{name}` does not carry unitgen's mark, and is not unitgen's to destroy");
            return Err(CommandError::refused(message));
        }
        let conflicts = &self.conflicts;
        if conflicts.is_empty() {
            return Ok(());
        }
        let number = count(conflicts.len(), "unit");
        let message = format!("the plan is out of date: {number} changed since it was made");
        Err(CommandError::refused(message)
            .because(conflicts.join("\n  and: "))
            .help("nothing was done; make a new plan: `unitgen diff --out FILE`"))
    }

    /// Says what is special about this run.
    pub(super) fn tell_before(&self, invocation: &mut Invocation) {
        let adopted = words::adopted(&self.adopted);
        invocation.output.message(&adopted);
        let release = self.release.as_ref();
        let Some(release) = release.filter(|it| it.replaces_content() == Some(false)) else {
            return;
        };
        let replaces = |task: &&Task| task.step.action.is_replace();
        let number = self.tasks.iter().filter(replaces).count();
        if number > 0 {
            let units = count(number, "unit");
            invocation.output.warning(&format!(
                "fleet {release} never replaces a text: {units} must be deleted and stored again"
            ));
        }
    }

    /// Tells whether a saved plan is for this cluster, or is to be carried out here all the same.
    pub(super) fn is_meant_for_this_cluster(
        &self,
        args: &Args,
        invocation: &mut Invocation,
    ) -> Result<bool, CommandError> {
        let Some(planned_for) = self.planned_for.as_ref().filter(|it| !self.is_for(it)) else {
            return Ok(true);
        };
        let message = format!(
            "the plan is for {planned_for}, and this is {}",
            self.cluster
        );
        if !args.other_cluster && !invocation.settings.interactive {
            return Err(CommandError::refused(message)
                .help("where both are the same cluster, or that is meant, say `--other-cluster`"));
        }
        invocation.output.warning(&message);
        Ok(args.other_cluster || invocation.output.ask("Go on?")?)
    }

    /// Asks where something is lost and there is somebody to ask.
    pub(super) fn is_agreed(
        &self,
        args: &Args,
        invocation: &mut Invocation,
    ) -> Result<bool, CommandError> {
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

    /// Tells whether fleet never replaces a text, as far as that is known.
    pub(super) fn is_old(&self) -> bool {
        let release = self.release.as_ref();
        release.and_then(Release::replaces_content) == Some(false)
    }

    /// Returns a shell script that does it.
    pub(super) fn script(&self, fleetctl: &[String]) -> String {
        let plan = self.plan();
        let mut script = Script::of_plan(&plan);
        script.is_old = self.is_old();
        script.text(fleetctl)
    }

    /// Returns the tasks as a plan.
    pub(super) fn plan(&self) -> Plan {
        Plan {
            steps: self.tasks.iter().map(|task| task.step.clone()).collect(),
            held: self.held.clone(),
        }
    }
}
