//! The time of a test's fleet: when which round is due, and what is ordered for later.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use crate::fleet_server::Pace;
use crate::fleet_server::registry::World;

/// How long the registry believes in a machine that says nothing, and in what it said.
pub(super) const EXPIRY: Duration = Duration::from_secs(30);

/// Between two times that a machine says what it launched.
const HEARTBEAT: Duration = Duration::from_secs(24);

/// Something that a test ordered.
type Event = Box<dyn FnOnce(&mut World) + Send>;

/// What time it is, and how it passes.
#[derive(Default)]
pub(crate) struct Clock {
    /// Since the server began.
    pub(super) now: Duration,
    /// Between two rounds of the engine and of each agent; nothing where no time passes.
    rhythm: Option<(Duration, Duration)>,
    /// The real time at which this one was zero, where it follows that.
    origin: Option<Instant>,
    engine: Duration,
    /// What tells one run from another; nothing happens by chance where it is zero.
    seed: u64,
    chance: u64,
    events: BTreeMap<(Duration, usize), Event>,
    ordered: usize,
}

/// When the next rounds of a machine are due.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rounds {
    /// Whether there is anything to say.
    pub(super) has_news: bool,
    /// When the registry believes in it no more, where it is dead.
    pub(super) expiry: Option<Duration>,
    /// Of the agent, of what says what there is, and of what says what was launched.
    next: Option<[Duration; 3]>,
}

/// What is due, in the order in which it is done at one time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Event(usize),
    Process(usize, String),
    Expiry(usize),
    Engine,
    Agent(usize),
    States(usize),
    Heartbeat(usize),
}

impl Clock {
    /// Tells whether time passes.
    pub(super) fn passes(&self) -> bool {
        self.rhythm.is_some()
    }

    /// Returns a number below another by chance, but always the same in the same place.
    fn below(&mut self, end: u64) -> u64 {
        if self.seed == 0 {
            return 0;
        }
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.chance;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }

    /// Returns a part of a time, up to all of it; all of it where nothing happens by chance.
    fn part(&mut self, time: Duration) -> Duration {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap();
        let less = self.below(nanoseconds);
        time.saturating_sub(Duration::from_nanos(less))
    }

    pub(super) fn shuffle(&mut self, names: &mut [String]) {
        let names = if self.seed == 0 { &mut [] } else { names };
        for end in (1..names.len()).rev() {
            let other = usize::try_from(self.below(end as u64 + 1)).unwrap();
            names.swap(end, other);
        }
    }
}

impl World {
    /// Returns the time.
    pub(crate) fn now(&self) -> Duration {
        self.clock.now
    }

    /// Begins to work at a pace from now.
    pub(super) fn set_pace(&mut self, pace: Pace) {
        let clock = &mut self.clock;
        (clock.rhythm, clock.origin, clock.seed) = (None, None, 0);
        match pace {
            Pace::AtOnce | Pace::ByHand => {}
            Pace::Every { engine, agents } => {
                clock.rhythm = Some((engine, agents));
                clock.origin = Instant::now().checked_sub(clock.now);
            }
            Pace::Virtual {
                engine,
                agents,
                seed,
            } => {
                clock.rhythm = Some((engine, agents));
                (clock.seed, clock.chance) = (seed, seed);
            }
        }
        let (engine, _) = clock.rhythm.unwrap_or_default();
        clock.engine = clock.now + clock.part(engine);
        for host in &mut self.hosts {
            host.rounds.next = None;
        }
    }

    /// Does all that is due before or after a request.
    pub(crate) fn advance(&mut self, pace: Pace) {
        match pace {
            Pace::ByHand | Pace::Virtual { .. } => {}
            Pace::AtOnce => {
                // A unit finds the machine of another that has its place only now, and what is stopped
                // in one round is started in the next.
                for _ in 0..2 {
                    self.engine();
                }
                for _ in 0..2 {
                    self.agents();
                    self.show_states();
                }
            }
            Pace::Every { .. } => {
                let time = self.clock.origin.map(|origin| origin.elapsed());
                self.pass_until(time.unwrap_or_default());
            }
        }
    }

    /// Orders something for a time from now on.
    pub(crate) fn after(
        &mut self,
        time: Duration,
        event: impl FnOnce(&mut World) + Send + 'static,
    ) {
        let clock = &mut self.clock;
        clock.ordered += 1;
        let key = (clock.now + time, clock.ordered);
        clock.events.insert(key, Box::new(event));
    }

    /// Lets time pass, with all that is due meanwhile.
    pub(crate) fn pass(&mut self, time: Duration) {
        assert!(self.clock.passes(), "time does not pass at this pace");
        self.pass_until(self.clock.now + time);
    }

    fn pass_until(&mut self, end: Duration) {
        while let Some((at, due)) = self.next_due().filter(|(at, _)| *at <= end) {
            self.clock.now = at.max(self.clock.now);
            self.carry_out(due);
        }
        self.clock.now = end.max(self.clock.now);
    }

    fn next_due(&mut self) -> Option<(Duration, Due)> {
        let clock = &mut self.clock;
        let (_, agents) = clock.rhythm?;
        let mut next = (clock.engine, Due::Engine);
        let mut consider = |at: Duration, due: Due| {
            if (at, &due) < (next.0, &next.1) {
                next = (at, due);
            }
        };
        if let Some((at, number)) = clock.events.keys().next() {
            consider(*at, Due::Event(*number));
        }
        for (index, host) in self.hosts.iter_mut().enumerate() {
            if let Some(at) = host.rounds.expiry {
                consider(at, Due::Expiry(index));
            }
            if host.is_dead {
                continue;
            }
            let rounds = &mut host.rounds;
            let now = clock.now;
            // A machine says what there is each second, which is a fifth of the agent's round.
            let tick = agents / 5;
            let [agent, states, heartbeat] = *rounds.next.get_or_insert_with(|| {
                let states = (now + clock.part(tick)).saturating_sub(tick / 2);
                [
                    now + clock.part(agents),
                    states,
                    now + clock.part(HEARTBEAT),
                ]
            });
            consider(agent, Due::Agent(index));
            consider(heartbeat, Due::Heartbeat(index));
            if rounds.has_news {
                consider(next_tick(states, now, tick), Due::States(index));
            }
            for (name, process) in &host.processes {
                if let Some(at) = process.due {
                    consider(at, Due::Process(index, name.clone()));
                }
            }
        }
        Some(next)
    }

    fn carry_out(&mut self, due: Due) {
        let (engine, agents) = self.clock.rhythm.unwrap_or_default();
        let mut later = |index: usize, which: usize, time: Duration| {
            let next: &mut Option<[Duration; 3]> = &mut self.hosts[index].rounds.next;
            next.as_mut().unwrap()[which] += time;
        };
        match due {
            Due::Event(number) => {
                let event = self.clock.events.remove(&(self.clock.now, number));
                event.unwrap()(self);
            }
            Due::Process(index, name) => self.go_on(index, &name),
            Due::Expiry(index) => self.expire(index),
            Due::Engine => {
                self.clock.engine += engine;
                self.engine();
            }
            Due::Agent(index) => {
                later(index, 0, agents);
                self.agent(index);
            }
            Due::States(index) => {
                self.hosts[index].rounds.has_news = false;
                self.show(index);
            }
            Due::Heartbeat(index) => {
                later(index, 2, HEARTBEAT);
                self.heartbeat(index);
            }
        }
    }

    /// Lets the registry believe no more in what a machine said before its end.
    fn expire(&mut self, index: usize) {
        let host = &mut self.hosts[index];
        host.rounds.expiry = None;
        host.is_gone = host.is_dead;
        let processes = &host.processes;
        host.units.retain(|name, _| processes.contains_key(name));
        host.launched.retain(|name| processes.contains_key(name));
    }
}

/// Returns the first time after now of those that are so far from each other.
fn next_tick(first: Duration, now: Duration, tick: Duration) -> Duration {
    if now < first || tick.is_zero() {
        return first.max(now);
    }
    let ticks = now.saturating_sub(first).as_nanos() / tick.as_nanos() + 1;
    first + tick * u32::try_from(ticks).unwrap()
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.now)
    }
}
