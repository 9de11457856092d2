//! A bar that shows how far a longer work has come, and a table of what is going on.
//!
//! In: how much there is to do, and each step. Out: one line of a terminal's stderr, which is taken away
//! at the end. Elsewhere nothing is shown.

use std::collections::BTreeMap;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::visible::line;

/// How the line looks: a bar, how far it is, and what it is at.
const TEMPLATE: &str = "[{bar:30}] {pos}/{len} {wide_msg}";

/// A bar.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Shows a bar of so many steps, where there is a terminal.
    #[must_use]
    pub fn new(steps: usize, is_shown: bool) -> Self {
        let target = if is_shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(steps as u64), target);
        // What can't be read as a template shows as the library's own.
        let style = ProgressStyle::with_template(TEMPLATE);
        bar.set_style(
            style
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> "),
        );
        Self(bar)
    }

    /// Says what is being done.
    pub fn say(&self, text: &str) {
        self.0.set_message(line(text));
    }

    /// Goes a step further.
    pub fn advance(&self) {
        self.0.inc(1);
    }

    /// Does something that writes to the terminal, while the bar is away.
    pub fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.0.suspend(write)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// How many lines a table has.
const LINES: usize = 20;

/// A table of what is going on, a line for each name.
#[derive(Debug)]
pub struct Table {
    all: MultiProgress,
    lines: BTreeMap<String, ProgressBar>,
}

impl Table {
    /// Shows an empty table, where there is a terminal.
    #[must_use]
    pub fn new(is_shown: bool) -> Self {
        let target = if is_shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            all: MultiProgress::with_draw_target(target),
            lines: BTreeMap::new(),
        }
    }

    /// Says what goes on with a name.
    pub fn say(&mut self, name: &str, text: &str) {
        if !self.lines.contains_key(name) {
            // What would scroll away is not shown.
            if self.lines.len() == LINES {
                return;
            }
            let bar = self.all.add(ProgressBar::new_spinner());
            let style = ProgressStyle::with_template("{wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            self.lines.insert(name.to_owned(), bar);
        }
        if let Some(bar) = self.lines.get(name) {
            bar.set_message(line(text));
            bar.tick();
        }
    }

    /// Takes the line of a name away.
    pub fn remove(&mut self, name: &str) {
        if let Some(bar) = self.lines.remove(name) {
            bar.finish_and_clear();
            self.all.remove(&bar);
        }
    }

    /// Takes all lines away.
    pub fn clear(&mut self) {
        let names: Vec<String> = self.lines.keys().cloned().collect();
        for name in names {
            self.remove(&name);
        }
    }

    /// Does something that writes to the terminal, while the table is away.
    pub fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.all.suspend(write)
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        self.clear();
    }
}
