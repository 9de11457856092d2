//! Time that passes: deadlines, and the only place where anything waits.
//!
//! Knows nothing of what is waited for.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the one place that waits"
)]

use std::thread;
use std::time::{Duration, Instant};

use crate::interruption::Interruption;

/// How long somebody who wants an end may be kept waiting.
const PATIENCE: Duration = Duration::from_millis(50);

/// A time in the future.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    /// Returns the time after so long from now.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        let now = Instant::now();
        // A time that no clock can show never comes; a day is as good.
        Self(
            now.checked_add(time)
                .unwrap_or(now + Duration::from_secs(86_400)),
        )
    }

    /// Tells whether it has come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.0
    }

    /// Returns how long it is until then; nothing once it has come.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// Waits, but no longer than somebody who wants an end can be kept waiting.
pub fn pause(time: Duration, interruption: &Interruption) {
    let mut left = time;
    while !left.is_zero() && !interruption.is_asked() {
        let part = left.min(PATIENCE);
        thread::sleep(part);
        left -= part;
    }
}
