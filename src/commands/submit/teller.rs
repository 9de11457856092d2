//! Tells what happens while it does: a bar on a terminal, lines or events elsewhere.

use crate::cluster::fleetctl::Outcome as Said;
use crate::commands::Invocation;
use crate::commands::submit::Format;
use crate::commands::submit::prepared::Prepared;
use crate::output::Output;
use crate::output::progress::Progress;
use crate::submit::{Outcome, Report, Witness};
use crate::tell::count;
use crate::tell::submit as words;
use crate::tell::submit::events::{self, Beginning};

/// Tells of one run.
pub(super) struct Teller<'a> {
    prepared: &'a Prepared,
    format: Format,
    output: &'a mut Output,
    progress: Progress,
    /// Whether the bar tells of what goes well.
    has_bar: bool,
}

impl<'a> Teller<'a> {
    pub(super) fn new(
        prepared: &'a Prepared,
        format: Format,
        invocation: &'a mut Invocation,
    ) -> Self {
        let has_bar = format == Format::Text && invocation.settings.has_terminal;
        let is_shown = has_bar && !prepared.tasks.is_empty();
        Self {
            prepared,
            format,
            output: &mut invocation.output,
            progress: Progress::new(prepared.tasks.len(), is_shown),
            has_bar,
        }
    }

    pub(super) fn begin(&mut self, beginning: &Beginning<'_>) {
        if self.format == Format::Json {
            self.output.result(&events::begin(beginning));
        }
    }

    /// Tells of what was not tried, and takes the bar away.
    pub(super) fn end(mut self, report: &Report) {
        for (number, outcome) in report.outcomes.iter().enumerate() {
            if matches!(outcome, Outcome::NotTried) {
                self.tell(number, outcome);
            }
        }
    }

    fn tell(&mut self, number: usize, outcome: &Outcome) {
        let task = &self.prepared.tasks[number];
        let place = self.prepared.places.get(&task.step.unit);
        let text = match self.format {
            Format::Json => events::step(task, Some(outcome), place),
            Format::Text if self.has_bar && outcome.is_good() => return,
            Format::Text => words::ended(task, outcome, place, self.output.colored_results),
        };
        let output = &mut *self.output;
        self.progress.aside(|| output.result(&text));
    }
}

impl Witness for Teller<'_> {
    fn calls(&mut self, command: &str, units: usize) {
        self.progress
            .say(&format!("fleetctl {command}: {}", count(units, "unit")));
        if self.format == Format::Json {
            self.output.result(&events::call(command, units));
        }
    }

    fn heard(&mut self, said: &Said) {
        let text = match self.format {
            Format::Json => return self.output.result(&events::heard(said)),
            Format::Text => words::heard(said),
        };
        let output = &mut *self.output;
        self.progress.aside(|| output.message(&text));
    }

    fn ended(&mut self, number: usize, outcome: &Outcome) {
        let unit = &self.prepared.tasks[number].step.unit;
        self.progress.say(unit.as_str());
        self.progress.advance();
        self.tell(number, outcome);
    }
}
