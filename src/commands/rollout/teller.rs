//! Tells what happens while it does: a table on a terminal, lines or events elsewhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use crate::cluster::fleetctl::Outcome as Said;
use crate::commands::rollout::Format;
use crate::deploy::{Outcome, Witness};
use crate::journal;
use crate::output::Output;
use crate::output::progress::Table;
use crate::plan::file::FilePlace;
use crate::rollout::ProcessPlan;
use crate::rollout::watch::Sight;
use crate::state::RegistryName;
use crate::submit::{self, Task};
use crate::tell::deploy as words;
use crate::tell::deploy::events::{self, Stage};
use crate::tell::submit::{ended, events as file_events};

/// Tells of one run.
pub(in crate::commands) struct Teller<'a> {
    output: &'a mut Output,
    format: Format,
    has_table: bool,
    table: Table,
    /// What was last seen of each unit.
    sights: HashMap<RegistryName, Sight>,
    /// Where the manifest asks for units.
    places: &'a BTreeMap<RegistryName, FilePlace>,
    /// The unit files that are being stored.
    files: &'a [Task],
}

impl<'a> Teller<'a> {
    pub(super) fn new(
        format: Format,
        has_terminal: bool,
        places: &'a BTreeMap<RegistryName, FilePlace>,
        output: &'a mut Output,
    ) -> Self {
        let has_table = format == Format::Text && has_terminal;
        Self {
            output,
            format,
            has_table,
            table: Table::new(has_table),
            sights: HashMap::new(),
            places,
            files: &[],
        }
    }

    /// Says which unit files are being stored from now on.
    pub(super) fn store(&mut self, files: &'a [Task]) {
        self.files = files;
    }

    /// Says that a process is begun with.
    pub(super) fn process(&mut self, process: &ProcessPlan) {
        if self.format == Format::Text {
            self.say(&words::head(process, self.output.colored_results));
        }
        let mut known = BTreeSet::new();
        for step in &process.steps {
            let name = step.instance.as_str();
            // Of several steps of an instance the first is to come.
            if known.insert(name) {
                let text = format!("{name}  to {}", step.action.word());
                self.table.say(name, &text);
            }
        }
    }

    /// Says what became of a release.
    pub(super) fn release(&mut self, app: &str, number: u64, outcome: journal::Outcome) {
        if self.format == Format::Json {
            self.say(&events::release(app, number, outcome));
        }
    }

    /// Writes a result beside the table.
    pub(super) fn say(&mut self, text: &str) {
        let output = &mut *self.output;
        self.table.aside(|| output.result(text));
    }

    /// Writes a message beside the table.
    pub(super) fn tell(&mut self, text: &str) {
        let output = &mut *self.output;
        self.table.aside(|| output.message(text));
    }

    /// Takes the table's lines away.
    pub(super) fn clear(&mut self) {
        self.table.clear();
    }

    fn event(&mut self, process: &ProcessPlan, at: usize, stage: &Stage<'_>) {
        let event = events::instance(process, at, &process.steps[at], stage);
        self.say(&event);
    }
}

impl Witness for Teller<'_> {
    fn began(&mut self, process: &ProcessPlan, at: usize) {
        let step = &process.steps[at];
        match self.format {
            Format::Json => self.event(process, at, &Stage::Began),
            Format::Text if self.has_table => {
                let name = step.instance.as_str();
                self.table
                    .say(name, &format!("{} {name}", step.action.word()));
            }
            Format::Text => {}
        }
    }

    fn seen(&mut self, unit: &RegistryName, sight: &Sight, waited: Duration) {
        let is_new = self.sights.get(unit) != Some(sight);
        if self.has_table {
            let (name, seen) = (unit.as_str(), words::seen(sight));
            let text = format!("{name}  {seen}, {}", words::time(waited));
            self.table.say(name, &text);
        } else if is_new && !(self.format == Format::Text && words::is_settled(sight)) {
            let text = match self.format {
                Format::Json => events::seen(unit, sight, waited),
                Format::Text => words::changed(unit, sight, waited),
            };
            self.say(&text);
        }
        if is_new {
            self.sights.insert(unit.clone(), sight.clone());
        }
    }

    fn ended(&mut self, process: &ProcessPlan, at: usize, outcome: &Outcome) {
        let step = &process.steps[at];
        for part in &step.parts {
            self.table.remove(part.unit.as_str());
        }
        self.table.remove(step.instance.as_str());
        if self.format == Format::Json {
            return self.event(process, at, &Stage::Ended(outcome));
        }
        let sight = self.sights.get(&step.instance);
        let text = words::ended(step, outcome, sight, self.output.colored_results);
        self.say(&text);
    }
}

impl submit::Witness for Teller<'_> {
    fn calls(&mut self, _: &str, _: usize) {}

    fn heard(&mut self, _: &Said) {}

    fn ended(&mut self, number: usize, outcome: &submit::Outcome) {
        let Some(task) = self.files.get(number) else {
            return;
        };
        let place = self.places.get(&task.step.unit);
        let text = match self.format {
            Format::Json => file_events::step(task, Some(outcome), place),
            Format::Text => ended(task, outcome, place, self.output.colored_results),
        };
        self.say(&text);
    }
}
