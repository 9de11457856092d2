//! A bar that shows how far a longer work has come.
//!
//! In: how much there is to do, and each step. Out: one line of a terminal's stderr, which is taken away
//! at the end. Elsewhere nothing is shown.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

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
