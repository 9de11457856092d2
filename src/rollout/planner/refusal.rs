//! Why the bounds of a process can't be met, in words.

use crate::rollout::member::Member;
use crate::rollout::planner::Planner;
use crate::rollout::{Action, Impossible};
use crate::state::RegistryName;

impl Planner<'_> {
    /// Says why an instance that is replaced in place must stop first.
    pub(super) fn in_place(&self, action: Action) -> String {
        let instances = instances(self.wanted);
        let alive = self.alive;
        let verb = match action {
            Action::Restart => "restarted",
            _ => "replaced",
        };
        format!(
            "{instances}, {alive} alive, each {verb} where it is: one must stop before it can start"
        )
    }

    /// Says why one must stop before another can start.
    pub(super) fn one_by_one(&self, makes_room_for: Option<&RegistryName>) -> String {
        let instances = instances(self.wanted);
        let Some(name) = makes_room_for else {
            return format!("{instances}, {} alive", self.alive);
        };
        let growth = self.process.bounds.max_growth;
        let mut members = self.process.members.iter();
        let member = members.find(|member| member.name() == Some(name));
        let constraints = member.and_then(|member| Some(member.units.first()?.constraints()));
        let machines = constraints.as_ref().map_or(0, |it| self.room.eligible(it));
        let machines = match machines {
            1 => "1 machine".to_owned(),
            number => format!("{number} machines"),
        };
        let conflicts = constraints.filter(|it| !it.conflicts.is_empty());
        let conflicts = conflicts.map(|it| format!(", Conflicts={}", it.conflicts.join(" ")));
        let growth = if self.there >= self.wanted + growth {
            format!(", --max-growth {growth}")
        } else {
            String::new()
        };
        format!(
            "{instances}, {machines}{}{growth}: one must stop before one can start",
            conflicts.unwrap_or_default()
        )
    }

    /// Says that no machine has room for an instance, whatever nobody wants is stopped.
    pub(super) fn without_room(&self, member: &Member) -> Impossible {
        let (Some(unit), Some(name)) = (member.units.first(), member.name()) else {
            return self.impossible("an instance has no unit".to_owned(), "");
        };
        let stopped: Vec<&RegistryName> = self
            .surplus
            .iter()
            .filter_map(|at| self.process.members[*at].name())
            .collect();
        let why = self
            .room
            .obstacle(name, &unit.constraints(), &member.ports, &stopped);
        let why = why.unwrap_or_else(|| "every machine that it may be on is taken".to_owned());
        self.impossible(
            format!("`{name}` has no place: {why}"),
            "make room for it, or want less of it",
        )
    }

    pub(super) fn impossible(&self, reason: String, help: &str) -> Impossible {
        Impossible {
            app: self.process.app.clone(),
            process: self.process.process.clone(),
            reason,
            help: help.to_owned(),
        }
    }
}

fn instances(number: usize) -> String {
    match number {
        1 => "1 instance".to_owned(),
        number => format!("{number} instances"),
    }
}
