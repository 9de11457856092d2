//! What becomes of units that are started: one phase after the other, by name and by what stands in
//! their text.

use std::time::Duration;

use unitgen::glob::matches;

use crate::fleet_server::text::Text;

/// A phase of a unit: what systemd says of it, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Phase {
    pub(crate) load: String,
    pub(crate) active: String,
    pub(crate) sub: String,
    /// For ever where nothing is given.
    pub(crate) lasts: Option<Duration>,
}

/// What becomes of a unit that is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) phases: Vec<Phase>,
    /// Where it goes on after the last phase that ends.
    pub(crate) again: Option<usize>,
    /// How long it takes to stop.
    pub(crate) stops_in: Duration,
}

impl Fate {
    /// It is in a state for ever.
    pub(crate) fn stays(active: &str, sub: &str) -> Self {
        Self {
            phases: Vec::new(),
            again: None,
            stops_in: Duration::ZERO,
        }
        .then(active, sub, None)
    }

    /// It runs at once.
    pub(crate) fn runs() -> Self {
        Self::stays("active", "running")
    }

    /// It runs after a while, such as a pull takes.
    pub(crate) fn runs_after(seconds: u64) -> Self {
        Self::first("activating", "start-pre", seconds).then("active", "running", None)
    }

    /// It never gets to run.
    pub(crate) fn hangs() -> Self {
        Self::stays("activating", "start-pre")
    }

    /// It fails at once.
    pub(crate) fn fails() -> Self {
        Self::stays("failed", "failed")
    }

    /// It fails after a while.
    pub(crate) fn fails_after(seconds: u64) -> Self {
        Self::first("active", "running", seconds).then("failed", "failed", None)
    }

    /// It ends again and again, and is started once more after a pause.
    pub(crate) fn crashes(seconds: u64, pause: u64) -> Self {
        Self {
            again: Some(0),
            ..Self::crashes_times(1, seconds, pause)
        }
    }

    /// It ends that often, and runs then.
    pub(crate) fn runs_after_crashes(times: usize, seconds: u64, pause: u64) -> Self {
        Self::crashes_times(times, seconds, pause).then("active", "running", None)
    }

    /// It does its work for a while, and ends well.
    pub(crate) fn ends_after(seconds: u64) -> Self {
        Self::first("activating", "start", seconds).then("inactive", "dead", None)
    }

    /// systemd can't load it, and says this of it.
    pub(crate) fn is_not_loaded(load: &str) -> Self {
        let mut fate = Self::stays("inactive", "dead");
        load.clone_into(&mut fate.phases[0].load);
        fate
    }

    /// It takes so long to stop.
    pub(crate) fn stops_in(self, seconds: u64) -> Self {
        Self {
            stops_in: Duration::from_secs(seconds),
            ..self
        }
    }

    /// What becomes of what nobody said anything about. Where no time passes nothing ends.
    fn usual(name: &str, text: &Text, passes: bool) -> Self {
        match name.rsplit('.').next() {
            Some("timer" | "path") => Self::stays("active", "waiting"),
            Some("socket") => Self::stays("active", "listening"),
            Some("target" | "slice") => Self::stays("active", "active"),
            _ if text.is_oneshot && passes => Self::ends_after(1),
            _ => Self::runs(),
        }
    }

    fn first(active: &str, sub: &str, seconds: u64) -> Self {
        let mut fate = Self::stays(active, sub);
        fate.phases[0].lasts = Some(Duration::from_secs(seconds));
        fate
    }

    fn crashes_times(times: usize, seconds: u64, pause: u64) -> Self {
        let mut fate = Self::runs();
        fate.phases.clear();
        for _ in 0..times {
            fate = fate.then("active", "running", Some(seconds));
            fate = fate.then("activating", "auto-restart", Some(pause));
        }
        fate
    }

    fn then(mut self, active: &str, sub: &str, seconds: Option<u64>) -> Self {
        self.phases.push(Phase {
            load: "loaded".to_owned(),
            active: active.to_owned(),
            sub: sub.to_owned(),
            lasts: seconds.map(Duration::from_secs),
        });
        self
    }
}

/// What was said of units: a pattern of names, what stands in the text, and a fate.
#[derive(Debug, Default)]
pub(crate) struct Fates(Vec<(String, String, Fate)>);

impl Fates {
    pub(super) fn add(&mut self, units: &str, text: &str, fate: Fate) {
        self.0.push((units.to_owned(), text.to_owned(), fate));
    }

    /// Returns what becomes of a unit with this text.
    pub(super) fn of(&self, name: &str, text: &Text, passes: bool) -> Fate {
        let mut known = self.0.iter().rev();
        let fits = known.find(|(units, part, _)| matches(units, name) && text.raw.contains(part));
        fits.map_or_else(
            || Fate::usual(name, text, passes),
            |(_, _, fate)| fate.clone(),
        )
    }
}
