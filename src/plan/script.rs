//! A plan as a shell script, to be read by a person and run where fleetctl is: `| ssh core@host sh -e`.
//!
//! In: a plan, or unit files and names, and the words that call fleetctl there. Out: a script for any
//! POSIX shell. Every text in it is data: no byte of a unit or a name is read as a command. What is cut
//! off on the way does nothing, since all that acts is called in the last line. That of a plan looks at
//! the registry first, and changes nothing where it is not as it was seen. fleetctl gets no input, which
//! would be the rest of the script. Knows nothing of how a script gets anywhere.

mod lines;
pub mod shell;

use crate::plan::script::lines::{GUARD, READING_BACK, SEEN, TOLD, UNSEEN};
use crate::plan::script::shell::{
    LOOK, beginning, call, comment, file, main_of, operand, parts, path, quoted,
};
use crate::plan::{Action, Plan};
use crate::state::{RegistryName, UnitHash};

/// What becomes of a unit that the registry has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays as it is. Each fleetctl can do that: those before 0.13 know no `--replace`.
    Keep,
    /// It gets the new text, unless fleet was told to do something with it.
    Replace,
}

impl Existing {
    /// Returns the words of fleetctl's command.
    #[must_use]
    pub fn command(self) -> &'static [&'static str] {
        match self {
            Self::Keep => &["submit"],
            Self::Replace => &["submit", "--replace"],
        }
    }
}

/// What a script is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script<'a> {
    /// What is stored, in this order.
    pub stored: Vec<Stored<'a>>,
    /// What is destroyed after that, with the hash that it must have, unless it is gone already.
    pub destroyed: Vec<(&'a RegistryName, &'a UnitHash)>,
    /// What is left as it is, for people.
    pub held: Vec<&'a RegistryName>,
    /// Whether fleet never replaces a text: what is there is destroyed before it is stored anew.
    pub is_old: bool,
}

/// A unit file that a script stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<'a> {
    /// The unit.
    pub unit: &'a RegistryName,
    /// Its text.
    pub text: &'a str,
    /// What is done, for people.
    pub comment: String,
    /// What there must be, unless it has the text already.
    pub before: Before<'a>,
}

/// What there must be before a script changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before<'a> {
    /// Whatever there is: nobody has seen it.
    Unseen,
    /// No such unit.
    None,
    /// One that has this hash.
    Hash(&'a UnitHash),
}

/// Returns a script that carries out a plan by a fleetctl, which these words call, and fails where the
/// registry does not hold what it should afterwards.
#[must_use]
pub fn script(plan: &Plan, fleetctl: &[String]) -> String {
    Script::of_plan(plan).text(fleetctl)
}

impl<'a> Script<'a> {
    /// Returns what carries out a plan, as long as what it counts on is there.
    #[must_use]
    pub fn of_plan(plan: &'a Plan) -> Self {
        let (mut stored, mut destroyed) = (Vec::new(), Vec::new());
        for step in &plan.steps {
            let (unit, word, reason) = (&step.unit, step.action.word(), step.reason.word());
            let (text, before) = match &step.action {
                Action::Create(text) => (&*text.text, Before::None),
                Action::Replace { before, text } => (&*text.text, Before::Hash(before)),
                Action::Destroy { before } => {
                    destroyed.push((unit, before));
                    continue;
                }
            };
            stored.push(Stored {
                unit,
                text,
                comment: format!("{word} {unit} ({reason})"),
                before,
            });
        }
        Self {
            stored,
            destroyed,
            held: plan.held.iter().collect(),
            is_old: false,
        }
    }

    /// Returns what stores units in a registry that nobody has seen, whatever there is.
    #[must_use]
    pub fn of_units(units: impl IntoIterator<Item = (&'a RegistryName, &'a str)>) -> Self {
        let stored = units.into_iter().map(|(unit, text)| Stored {
            unit,
            text,
            comment: format!("store {unit}"),
            before: Before::Unseen,
        });
        Self {
            stored: stored.collect(),
            destroyed: Vec::new(),
            held: Vec::new(),
            is_old: false,
        }
    }

    /// Returns the script for a fleetctl, which these words call. It fails where the registry does not
    /// hold what it should afterwards.
    #[must_use]
    pub fn text(&self, fleetctl: &[String]) -> String {
        let guards = self.guards(&call(fleetctl));
        let is_unseen = |stored: &Stored| stored.before == Before::Unseen;
        let mut text = format!(
            "#!/bin/sh\n# From unitgen: unit files for fleet's registry. {} to store, {} to destroy.\n\
             # It touches no instance. Run it where fleetctl reaches the cluster.\n",
            self.stored.len(),
            self.destroyed.len()
        );
        if self.stored.iter().any(is_unseen) {
            text.push_str(UNSEEN);
        }
        if !guards.is_empty() {
            text.push_str(SEEN);
        }
        for unit in &self.held {
            text.push_str(&comment(&format!("held back, for it runs: {unit}")));
        }
        text.push('\n');
        text.push_str(&beginning(fleetctl));
        for stored in &self.stored {
            let (comment, file) = (
                comment(&stored.comment),
                file(stored.unit.as_str(), stored.text),
            );
            text.push_str(&format!("\n{comment}{file}"));
        }
        text.push_str(LOOK);
        if !guards.is_empty() {
            text.push_str(GUARD);
        }
        if self.destroys() {
            text.push_str(TOLD);
        }
        text.push_str(READING_BACK);
        text.push_str("\n# Until here nothing was sent anywhere.\nmain() {\n");
        text.push_str(&guards);
        text.push_str(&self.changes(&call(fleetctl)));
        text + "}\n\nmain\n"
    }

    /// Returns the lines that look at the registry, where it was seen.
    fn guards(&self, call: &str) -> String {
        let stored = self
            .stored
            .iter()
            .map(|stored| (stored.unit, stored.before));
        let destroyed = self
            .destroyed
            .iter()
            .map(|(unit, hash)| (*unit, Before::Hash(hash)));
        let (mut lines, mut counts_on_hash) = (String::new(), false);
        for (unit, before) in stored.chain(destroyed) {
            let before = match before {
                Before::Unseen => continue,
                Before::None => "none".to_owned(),
                Before::Hash(hash) => {
                    counts_on_hash = true;
                    quoted(hash.as_str())
                }
            };
            let (name, operand) = (quoted(unit.as_str()), operand(unit));
            lines.push_str(&format!("    seen {before} {name} {call} cat {operand}\n"));
        }
        lines.push_str(&self.idle(call));
        if self.is_old {
            // A run that was cut off may have destroyed what it did not store anew.
            lines.insert_str(0, "    anew=yes\n");
        }
        let warning = if counts_on_hash {
            "    [ -n \"$sum\" ] || printf 'warning: %s\\n' \
             'without sha1sum nothing can be compared with what was seen' >&2\n"
        } else {
            ""
        };
        let end = if lines.is_empty() {
            ""
        } else {
            "    [ -z \"$other\" ] || \
             fail 5 \"nothing was changed, for these are not as they were seen:$other\"\n"
        };
        format!("{warning}{lines}{end}")
    }

    /// Returns the lines that make sure that nothing which runs is destroyed.
    fn idle(&self, call: &str) -> String {
        if !self.destroys() {
            return String::new();
        }
        let replaced = self.stored_where(|before| matches!(before, Before::Hash(_)));
        let replaced = replaced.into_iter().filter(|_| self.is_old);
        let destroyed = self.destroyed.iter().map(|(unit, _)| *unit);
        let lines: String = replaced
            .chain(destroyed)
            .map(|unit| format!("    idle {}\n", quoted(unit.as_str())))
            .collect();
        format!(
            "    told=$({call} list-unit-files --fields=unit,dstate </dev/null)\n    \
             case $told in UNIT*) ;; *) fail 1 'fleetctl did not list the units' ;; esac\n{lines}"
        )
    }

    /// Tells whether it destroys anything, if only to store it anew.
    fn destroys(&self) -> bool {
        let replaces = |stored: &Stored| matches!(stored.before, Before::Hash(_));
        !self.destroyed.is_empty() || self.is_old && self.stored.iter().any(replaces)
    }

    /// Returns the units that are stored, by what there must be before.
    fn stored_where(&self, is_meant: impl Fn(Before<'_>) -> bool) -> Vec<&'a RegistryName> {
        let stored = self.stored.iter();
        let stored = stored.filter(|stored| is_meant(stored.before));
        stored.map(|stored| stored.unit).collect()
    }

    /// Returns the lines that store what is stored. What is new is never stored in place of anything.
    fn storing(&self, call: &str) -> String {
        let created = self.stored_where(|before| before == Before::None);
        let replaced = self.stored_where(|before| matches!(before, Before::Hash(_)));
        let unseen = self.stored_where(|before| before == Before::Unseen);
        let submit = |units: &[&RegistryName], existing| {
            let parts = parts(units, |unit| path(unit).len());
            let lines = parts.map(|part| submit_line(call, part, existing));
            lines
                .map(|line| format!("    {line} || status=$?\n"))
                .collect::<String>()
        };
        let mut text = submit(&created, Existing::Keep);
        if !replaced.is_empty() && self.is_old {
            text.push_str(&format!(
                "    # This fleet never replaces a text.\n    \
                 [ -z \"$renewed\" ] || {call} destroy $renewed </dev/null || status=$?\n"
            ));
            // What is gone has to be stored, even if that takes several attempts.
            for part in parts(&replaced, |unit| path(unit).len()) {
                let line = submit_line(call, part, Existing::Keep);
                text.push_str(&format!(
                    "    {line} || {{\n        sleep 1\n        {line}\n    }} || {{\n        sleep \
                     3\n        {line}\n    }} || status=$?\n"
                ));
            }
        } else if !replaced.is_empty() {
            text.push_str(
                "    # What is there is replaced, but fleet keeps the text of what runs.\n",
            );
            text.push_str(&submit(&replaced, Existing::Replace));
        }
        if !unseen.is_empty() {
            text.push_str(
                "    # What is there is replaced, but fleet keeps the text of what runs.\n",
            );
            text.push_str(&submit(&unseen, Existing::Replace));
            text.push_str("    # Before 0.13 there is no --replace.\n");
            text.push_str("    if [ \"$status\" = 2 ]; then\n        status=0\n");
            for line in submit(&unseen, Existing::Keep).lines() {
                text.push_str(&format!("    {line}\n"));
            }
            text.push_str("    fi\n");
        }
        text
    }

    /// Returns the lines that change the registry, and read back what it has then.
    fn changes(&self, call: &str) -> String {
        let mut text = String::new();
        let stored = self.stored_where(|_| true);
        let destroyed: Vec<&RegistryName> = self.destroyed.iter().map(|(unit, _)| *unit).collect();
        let keeps = |stored: &Stored| stored.before == Before::None;
        let why = if self.is_old || self.stored.iter().all(keeps) {
            ""
        } else {
            " (a unit that runs keeps its text, and fleet before 0.13 every unit)"
        };
        text.push_str(&self.storing(call));
        for unit in &stored {
            let (name, operand) = (quoted(unit.as_str()), operand(unit));
            text.push_str(&format!("    name={name}; stored {call} cat {operand}\n"));
        }
        text.push_str(&format!(
            "    [ -z \"$wrong\" ] || \
             fail 1 \"fleet does not hold these as they should be{why}:$wrong\"\n    \
             [ \"$status\" = 0 ] || \
             fail 1 \"fleetctl ended with status $status, though all units are stored\"\n"
        ));
        if destroyed.is_empty() {
            return text;
        }
        text.push_str("    # What nobody asks for any more goes last.\n");
        for part in parts(&destroyed, |unit| operand(unit).len()) {
            let line = destroy_line(call, part);
            text.push_str(&format!("    {line} || status=$?\n"));
        }
        for unit in &destroyed {
            let (name, operand) = (quoted(unit.as_str()), operand(unit));
            let line = format!("! look {name} {call} cat {operand} || wrong=\"$wrong $name\"");
            text.push_str(&format!("    {line}\n"));
        }
        text + concat!(
            "    [ -z \"$wrong\" ] || fail 1 \"fleet still has these:$wrong\"\n",
            "    [ \"$status\" = 0 ] || fail 1 \"fleetctl ended with status $status\"\n",
        )
    }
}

/// Returns a script that does no more than submit unit files, and ends as fleetctl does.
#[must_use]
pub fn submission(
    fleetctl: &[String],
    units: &[(&RegistryName, &str)],
    existing: Existing,
) -> String {
    let mut text = beginning(fleetctl);
    for (name, unit) in units {
        text.push_str(&file(name.as_str(), unit));
    }
    let names: Vec<&RegistryName> = units.iter().map(|(name, _)| *name).collect();
    let call = call(fleetctl);
    let parts = parts(&names, |unit| path(unit).len());
    text + &main_of(parts.map(|part| submit_line(&call, part, existing)))
}

/// Returns a script that does no more than destroy units, and ends as fleetctl does.
#[must_use]
pub fn destruction(fleetctl: &[String], names: &[&RegistryName]) -> String {
    let call = call(fleetctl);
    let parts = parts(names, |unit| operand(unit).len());
    beginning(fleetctl) + &main_of(parts.map(|part| destroy_line(&call, part)))
}

fn submit_line(call: &str, units: &[&RegistryName], existing: Existing) -> String {
    let command = existing.command().join(" ");
    let files: String = units
        .iter()
        .map(|unit| format!(" {}", path(unit)))
        .collect();
    format!("{call} {command}{files} </dev/null")
}

fn destroy_line(call: &str, units: &[&RegistryName]) -> String {
    let names: String = units
        .iter()
        .map(|unit| format!(" {}", operand(unit)))
        .collect();
    format!("{call} destroy{names} </dev/null")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::script::shell::BEGINNING;
    use crate::plan::{Reason, Step, Text};

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    fn name(text: &str) -> RegistryName {
        RegistryName::seen(text)
    }

    const CHECK: &str = "command -v fleetctl >/dev/null 2>&1 || {\n    \
        printf '%s\\n' 'error: there is no `fleetctl` here' >&2\n    exit 127\n}\n\n";

    #[test]
    fn a_plan_as_a_script() {
        let step = |unit: &str, action, reason| Step {
            unit: name(unit),
            action,
            reason,
        };
        let text = Text {
            text: "[Service]\nExecStart=/bin/echo $(x)\n".to_owned(),
            hash: UnitHash::seen("a"),
        };
        let plan = Plan {
            steps: vec![
                step(r"a\x2db@.service", Action::Create(text), Reason::New),
                step(
                    "-c.service",
                    Action::Destroy {
                        before: UnitHash::seen("b"),
                    },
                    Reason::Unwanted,
                ),
            ],
            held: vec![name("d.service\nreboot")],
        };
        let found = script(&plan, &words("fleetctl"));
        let expected = [
            "#!/bin/sh\n# From unitgen: unit files for fleet's registry. 1 to store, 1 to destroy.\n\
             # It touches no instance. Run it where fleetctl reaches the cluster.\n\
             # Where something is not as it was seen, nothing is changed, and it ends with status 5.\n\
             # held back, for it runs: d.service?reboot\n\n",
            CHECK,
            BEGINNING,
            "\n# create a\\x2db@.service (new)\ncat >\"$units\"/'a\\x2db@.service' <<'UNIT'\n\
             [Service]\nExecStart=/bin/echo $(x)\nUNIT\n",
            LOOK,
            GUARD,
            TOLD,
            READING_BACK,
            "\n# Until here nothing was sent anywhere.\nmain() {\n    \
             [ -n \"$sum\" ] || printf 'warning: %s\\n' \
             'without sha1sum nothing can be compared with what was seen' >&2\n    \
             seen none 'a\\x2db@.service' fleetctl cat 'a\\x2db@.service'\n    \
             seen b -c.service fleetctl cat ./-c.service\n    \
             told=$(fleetctl list-unit-files --fields=unit,dstate </dev/null)\n    \
             case $told in UNIT*) ;; *) fail 1 'fleetctl did not list the units' ;; esac\n    \
             idle -c.service\n    \
             [ -z \"$other\" ] || \
             fail 5 \"nothing was changed, for these are not as they were seen:$other\"\n    \
             fleetctl submit \"$units\"/'a\\x2db@.service' </dev/null || status=$?\n    \
             name='a\\x2db@.service'; stored fleetctl cat 'a\\x2db@.service'\n    \
             [ -z \"$wrong\" ] || \
             fail 1 \"fleet does not hold these as they should be:$wrong\"\n    \
             [ \"$status\" = 0 ] || \
             fail 1 \"fleetctl ended with status $status, though all units are stored\"\n    \
             # What nobody asks for any more goes last.\n    \
             fleetctl destroy ./-c.service </dev/null || status=$?\n    \
             ! look -c.service fleetctl cat ./-c.service || wrong=\"$wrong $name\"\n    \
             [ -z \"$wrong\" ] || fail 1 \"fleet still has these:$wrong\"\n    \
             [ \"$status\" = 0 ] || fail 1 \"fleetctl ended with status $status\"\n}\n\nmain\n",
        ];
        assert_eq!(found, expected.concat());
    }

    #[test]
    fn a_registry_that_nobody_has_seen() {
        let unit = name("a@.service");
        let script = Script::of_units([(&unit, "[Service]\n")]);
        let expected = [
            "#!/bin/sh\n# From unitgen: unit files for fleet's registry. 1 to store, 0 to destroy.\n\
             # It touches no instance. Run it where fleetctl reaches the cluster.\n\
             # Nobody has seen the registry: what is there is replaced, whatever it is.\n\n",
            CHECK,
            BEGINNING,
            "\n# store a@.service\ncat >\"$units\"/a@.service <<'UNIT'\n[Service]\nUNIT\n",
            LOOK,
            READING_BACK,
            "\n# Until here nothing was sent anywhere.\nmain() {\n    \
             # What is there is replaced, but fleet keeps the text of what runs.\n    \
             fleetctl submit --replace \"$units\"/a@.service </dev/null || status=$?\n    \
             # Before 0.13 there is no --replace.\n    \
             if [ \"$status\" = 2 ]; then\n        status=0\n        \
             fleetctl submit \"$units\"/a@.service </dev/null || status=$?\n    fi\n    \
             name=a@.service; stored fleetctl cat a@.service\n    \
             [ -z \"$wrong\" ] || fail 1 \"fleet does not hold these as they should be \
             (a unit that runs keeps its text, and fleet before 0.13 every unit):$wrong\"\n    \
             [ \"$status\" = 0 ] || \
             fail 1 \"fleetctl ended with status $status, though all units are stored\"\n}\n\nmain\n",
        ];
        assert_eq!(script.text(&words("fleetctl")), expected.concat());
    }
}
