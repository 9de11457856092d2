//! The bounds within which instances are replaced.

use std::time::Duration;

use crate::model::Deploy;

/// How many instances more than wanted may run for a while, where nobody says otherwise.
const GROWTH: u32 = 1;

/// How long an instance must be up, where nobody says otherwise: longer than most that crash at once.
const READY: u32 = 10;

/// How long one instance may take, where nobody says otherwise: a pull may take the whole time that the
/// unit has to start.
const TIMEOUT: Duration = Duration::from_secs(25 * 60);

/// The bounds of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// How many instances serve at any time, where that is given; otherwise all but one, or as many as
    /// can.
    pub min_alive: Option<usize>,
    /// How many instances more than wanted may run for a while.
    pub max_growth: usize,
    /// How long an instance must be up before the next one's turn.
    pub ready: Duration,
    /// How long one instance may take.
    pub timeout: Duration,
    /// How many instances may fail before the rest is left as it is.
    pub max_failures: usize,
    /// What an instance must answer besides.
    pub health: Option<String>,
}

impl Bounds {
    /// Returns the bounds that a process has, where a command line says some of them otherwise.
    #[must_use]
    pub fn new(process: &Deploy, given: &Deploy) -> Self {
        let number = |given: Option<u32>, own: Option<u32>| given.or(own);
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let ready = number(given.ready_secs, process.ready_secs).unwrap_or(READY);
        let timeout = given.timeout.or(process.timeout);
        Self {
            min_alive: number(given.min_alive, process.min_alive).map(count),
            max_growth: count(number(given.max_growth, process.max_growth).unwrap_or(GROWTH)),
            ready: Duration::from_secs(u64::from(ready)),
            timeout: timeout.map_or(TIMEOUT, |time| time.0),
            max_failures: count(number(given.max_failures, process.max_failures).unwrap_or(0)),
            health: given.health.clone().or_else(|| process.health.clone()),
        }
    }
}
