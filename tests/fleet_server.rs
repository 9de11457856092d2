//! A fleet server for tests: real sockets, and behaviour recorded from fleet 1.0 and 0.11.8.
//!
//! It keeps units, contents, states and machines; an engine, agents and systemds of its own work at
//! the pace that the test sets, and note what ran. Faults are ordered by the number of a request. `fleet_facts` holds its behaviour
//! against what the real ones answered.

mod agents;
mod answers;
mod clock;
mod engine;
mod fate;
mod history;
mod paging;
mod registry;
mod systemd;
mod text;
mod units;
mod wire;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::test::Folder;

pub(crate) use self::fate::Fate;
pub(crate) use self::history::Change;
pub(crate) use self::registry::{Etcd, Host, Kind, Stored, World};

/// How fast the engine and the agents work.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// Everything that follows from a request is done before the next one.
    AtOnce,
    /// Each works at an interval of its own, as the real ones do with 2 s and 5 s.
    Every {
        /// Between two rounds of the engine.
        engine: Duration,
        /// Between two rounds of the agents.
        agents: Duration,
    },
    /// Only when the test says so.
    ByHand,
    /// Each works at an interval of its own in a time that passes only when the test says so.
    Virtual {
        /// Between two rounds of the engine.
        engine: Duration,
        /// Between two rounds of each agent.
        agents: Duration,
        /// What lets one run differ from another: by when the rounds begin, and by the order in which
        /// the engine works. Nothing differs where it is zero.
        seed: u64,
    },
}

impl Pace {
    /// Returns the intervals of the real ones, in a time of the test's own.
    pub(crate) fn virtually(seed: u64) -> Self {
        Self::Virtual {
            engine: Duration::from_secs(2),
            agents: Duration::from_secs(5),
            seed,
        }
    }
}

/// What happens in place of an answer, or to it.
pub(crate) enum Fault {
    /// The answer comes only after this time.
    Slow(Duration),
    /// No answer ever.
    Silent,
    /// The connection is closed in place of an answer.
    HangUp,
    /// The connection is closed after so many bytes of the answer.
    CutOff(usize),
    /// The connection is closed after the answer, which does not say so.
    CloseAfter,
    /// An error with fleet's empty message.
    Status(u16),
    /// These bytes, and then the end.
    Bytes(Vec<u8>),
    /// This body, as a success.
    Body(String),
    /// The registry changes first.
    Change(Box<dyn FnOnce(&mut World) + Send>),
}

/// What all threads of a server share.
pub(crate) struct Shared {
    world: World,
    pace: Pace,
    requests: Vec<String>,
    connections: usize,
    faults: Vec<(usize, Fault)>,
    /// How long an answer to a method takes.
    delay: fn(&str) -> Duration,
    /// The first request that nobody answers any more.
    death: Option<usize>,
}

/// A running server; it ends with the test.
pub(crate) struct FleetServer {
    shared: Arc<Mutex<Shared>>,
    endpoint: String,
    socket: Option<PathBuf>,
    closing: wire::Closing,
    _folder: Option<Folder>,
}

impl FleetServer {
    /// Starts fleet 1.0 on a TCP port, with three machines.
    pub(crate) fn start() -> Self {
        Self::start_kind(Kind::Current)
    }

    /// Starts a release on a TCP port.
    pub(crate) fn start_kind(kind: Kind) -> Self {
        let shared = Self::shared(kind);
        let (endpoint, closing) = wire::listen_on_port(&shared);
        Self {
            shared,
            endpoint,
            socket: None,
            closing,
            _folder: None,
        }
    }

    /// Starts fleet 1.0 on a unix socket.
    pub(crate) fn start_on_socket() -> Self {
        let shared = Self::shared(Kind::Current);
        let folder = Folder::new();
        let path = folder.path("fleet.sock");
        let closing = wire::listen_on_socket(&shared, &path);
        Self {
            shared,
            endpoint: format!("unix://{}", path.display()),
            socket: Some(path),
            closing,
            _folder: Some(folder),
        }
    }

    fn shared(kind: Kind) -> Arc<Mutex<Shared>> {
        Arc::new(Mutex::new(Shared {
            world: World::new(kind),
            pace: Pace::AtOnce,
            requests: Vec::new(),
            connections: 0,
            faults: Vec::new(),
            delay: |_| Duration::ZERO,
            death: None,
        }))
    }

    /// Returns where it listens.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the socket that it listens on.
    pub(crate) fn socket(&self) -> &Path {
        self.socket.as_deref().unwrap()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        wire::lock(&self.shared)
    }

    /// Sets the pace from now on.
    pub(crate) fn pace(&self, pace: Pace) {
        let mut shared = self.lock();
        shared.world.set_pace(pace);
        shared.pace = pace;
    }

    /// Lets time pass.
    pub(crate) fn pass(&self, time: Duration) {
        self.lock().world.pass(time);
    }

    /// Lets each answer take its time, by the request's method; several are on their way at once.
    pub(crate) fn delay(&self, delay: fn(&str) -> Duration) {
        self.lock().delay = delay;
    }

    /// Lets the test look into the registry, or change it behind the API's back.
    pub(crate) fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.lock().world)
    }

    /// Orders a fault for the n-th request from now on, counted from 1.
    pub(crate) fn fault(&self, number: usize, fault: Fault) {
        let mut shared = self.lock();
        let at = shared.requests.len() + number;
        shared.faults.push((at, fault));
    }

    /// Lets the server die at the n-th request from now on: none is answered, nor done, until it is mended.
    pub(crate) fn die(&self, number: usize) {
        let mut shared = self.lock();
        shared.death = Some(shared.requests.len() + number);
    }

    /// Takes back whatever was ordered.
    pub(crate) fn mend(&self) {
        let mut shared = self.lock();
        shared.faults.clear();
        shared.death = None;
        shared.world.etcd = Etcd::Fine;
    }

    /// Returns the requests since the last time that this was asked, such as `GET /fleet/v1/units`.
    pub(crate) fn requests(&self) -> Vec<String> {
        let mut shared = self.lock();
        assert!(shared.faults.is_empty(), "a fault has not happened yet");
        std::mem::take(&mut shared.requests)
    }

    /// Returns how many connections there were.
    pub(crate) fn connections(&self) -> usize {
        self.lock().connections
    }
}

impl Drop for FleetServer {
    fn drop(&mut self) {
        (self.closing)();
    }
}
