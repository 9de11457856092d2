//! Ctrl-C and its kin: the wish that what goes on come to a clean end.
//!
//! In: SIGINT, SIGTERM and SIGHUP. Out: a flag that work looks at between two steps. Whoever asks a
//! second time is not kept waiting: the process ends at once. Knows nothing of what goes on.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the one place that asks which signals are not to be heeded"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, io};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

/// Whether somebody wants an end.
#[derive(Debug, Clone, Default)]
pub struct Interruption(Arc<AtomicBool>);

impl Interruption {
    /// Begins to listen, for the rest of the process's life.
    ///
    /// # Errors
    /// Says why the system does not let this process listen.
    pub fn listen() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        let ignored = ignored();
        let is_heeded = |signal: &i32| ignored >> (signal - 1) & 1 == 0;
        for signal in [SIGHUP, SIGINT, SIGTERM].into_iter().filter(is_heeded) {
            // In this order: the first signal finds the flag down.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&asked))?;
            flag::register(signal, Arc::clone(&asked))?;
        }
        Ok(Self(asked))
    }

    /// Says that an end is wanted, as a signal would.
    pub fn ask(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Tells whether an end is wanted.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Returns the signals that whoever started this process wants ignored, as `nohup` does, a bit for each.
fn ignored() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.unwrap_or_default()
}
