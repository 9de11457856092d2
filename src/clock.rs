//! Time that passes: deadlines, and the only place where anything waits.
//!
//! Knows nothing of what is waited for.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the one place that waits"
)]

use std::fmt;
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

/// Time as what waits for a long while sees it: the system's own, or one that a test lets pass.
pub trait Time: fmt::Debug {
    /// Returns how long ago something fixed was.
    fn now(&self) -> Duration;

    /// Waits for so long, whoever wants an end.
    fn pause(&self, time: Duration);
}

/// The system's time.
#[derive(Debug, Clone, Copy)]
pub struct SystemTime(Instant);

impl SystemTime {
    /// Begins to count from now.
    #[must_use]
    pub fn begin() -> Self {
        Self(Instant::now())
    }
}

impl Time for SystemTime {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn pause(&self, time: Duration) {
        thread::sleep(time);
    }
}
