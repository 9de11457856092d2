//! A key in etcd that is there for as long as something runs, by a lease of its own.
//!
//! In: a key, a value, how long a lease lasts, and how etcd is reached. Out: notes of what happens to the
//! key, until somebody wants an end. Whatever etcd does, nothing here gives up before. Knows nothing of
//! units, nor of words.
//!
//! Of several that announce the same key, the one that started last has it: at its start it takes the
//! place of whoever is there, who may have stopped without a trace or be about to stop on another machine.
//! From then on it gives way: it writes only where nobody is, and every write holds what was read to be
//! unchanged, so that two never take turns.

mod decision;
mod keeper;

use std::ops::RangeInclusive;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::announce::keeper::Keeper;
use crate::clock::Deadline;
use crate::error::CommandError;
use crate::interruption::Interruption;
use crate::manifest::forms::StorePath;
use crate::manifest::settings::ANNOUNCE_TTL;
use crate::store::{Access, Limits};

/// How long an end may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a wanted end is looked for, besides by the keeper, who sees it sooner.
const LOOK: Duration = Duration::from_millis(500);

/// The folders in which unitgen keeps what is configured.
const RESERVED: [&str; 2] = ["/environment", "/unitgen"];

/// What is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    key: String,
    value: String,
    ttl: u64,
}

/// What happened to an announcement.
#[derive(Debug)]
pub enum Note {
    /// It was written, and why.
    Announced(Reason),
    /// Another's value is there and stays.
    GaveWay(Vec<u8>),
    /// Etcd does not answer or refuses.
    Trouble {
        /// Why.
        error: CommandError,
        /// What becomes of the announcement.
        fate: Fate,
    },
    /// Its time is over, and etcd still does not answer.
    Lapsed,
    /// Etcd answers again, and nothing had to be done; whether the announcement is there.
    Recovered(bool),
    /// It was taken back in the end.
    TakenBack,
    /// There was nothing to take back.
    Ended,
    /// It could not be taken back, and is there for so long; why, where etcd said anything.
    Abandoned(Option<CommandError>, Duration),
}

/// Why an announcement was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Nobody was there at the start.
    First,
    /// Another's value was there at the start.
    InPlaceOf(Vec<u8>),
    /// The same value was there at the start.
    InPlaceOfItself,
    /// Somebody deleted it.
    Deleted,
    /// Its lease had ended.
    Lapsed,
    /// Somebody else wrote a value on its lease.
    Overwritten,
    /// The other one that was there is gone.
    Free,
}

/// What becomes of an announcement while etcd does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is not there yet.
    NotYet,
    /// Its lease is renewed nevertheless.
    Kept,
    /// It is there for so long.
    Left(Duration),
    /// Another's is there.
    Elsewhere,
}

/// What the keeper tells.
enum Event {
    Note(Note),
    /// Until when the announcement is there without its keeper.
    Until(Option<Deadline>),
    /// It could not be taken back yet.
    NotTakenBack(CommandError),
}

impl Announcement {
    /// Checks an announcement. The time that it lives without being renewed is in seconds.
    ///
    /// # Errors
    /// Says what is wrong with it and what to do.
    pub fn new(key: &str, value: &str, ttl: u64) -> Result<Self, CommandError> {
        let key = StorePath::parse(key)
            .map_err(|reason| CommandError::trouble(format!("--key: {reason}")))?
            .0;
        let is_within = |folder: &&str| {
            key.strip_prefix(folder)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if let Some(folder) = RESERVED.into_iter().find(is_within) {
            let message =
                format!("`{key}` can't be announced: `{folder}` holds what is configured");
            return Err(CommandError::trouble(message)
                .help("announce under another folder, such as `/announce`"));
        }
        if let Some(fault) = fault(value) {
            let message = format!("`{}` can't be announced: {fault}", value.escape_debug());
            return Err(CommandError::trouble(message).help(
                "where a unit says `${NAME}:PORT`, the variable is read from the unit's \
                 `EnvironmentFile=`, which is /etc/environment: is it there, and does it set that name?",
            ));
        }
        if !ANNOUNCE_TTL.contains(&ttl) {
            let (from, to) = bounds(&ANNOUNCE_TTL);
            let message = format!("--ttl is `{ttl}`, and a time from {from} to {to} s is meant");
            return Err(CommandError::trouble(message));
        }
        let value = value.to_owned();
        Ok(Self { key, value, ttl })
    }

    /// Returns the key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the value.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns how long it lives without being renewed, in seconds.
    #[must_use]
    pub fn ttl(&self) -> u64 {
        self.ttl
    }

    /// Returns limits that leave time for another request before the announcement lapses.
    #[must_use]
    pub fn limits(&self, given: Limits) -> Limits {
        let most = Duration::from_secs(self.ttl) / 4;
        Limits {
            dialing: given.dialing.min(most),
            command: given.command.min(most),
        }
    }
}

fn bounds(range: &RangeInclusive<u64>) -> (u64, u64) {
    (*range.start(), *range.end())
}

/// Returns what is wrong with a value that nobody can mean.
fn fault(value: &str) -> Option<&'static str> {
    let authority = value.split_once("://").map_or(value, |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, _)| host);
    if value.is_empty() {
        Some("it is empty")
    } else if value.contains(char::is_whitespace) || value.contains(char::is_control) {
        Some("it has a blank or a control character in it")
    } else if value.contains("${") {
        Some("a variable in it was not replaced")
    } else if host.is_empty() {
        Some("it names no host")
    } else if authority.ends_with(':') {
        Some("it names no port")
    } else if matches!(host, "0.0.0.0" | "[::]") {
        Some("nobody else reaches that address")
    } else {
        None
    }
}

/// Keeps an announcement in etcd until an end is wanted, and takes it back then.
///
/// # Errors
/// Says why the system does not let it. That etcd is away is no error.
pub fn keep(
    access: Access,
    announcement: Announcement,
    interruption: &Interruption,
    mut tell: impl FnMut(&Note),
) -> Result<(), CommandError> {
    let (sender, receiver) = channel();
    let keeper = Keeper::new(access, announcement, interruption.clone(), sender)?;
    // A request that has been sent can't be called back: so it is somebody else who waits for it.
    let thread = thread::spawn(move || keeper.run());
    let mut until = None;
    let mut why = None;
    let mut end: Option<Deadline> = None;
    loop {
        match receiver.recv_timeout(LOOK) {
            Ok(Event::Note(note)) => tell(&note),
            Ok(Event::Until(time)) => until = time,
            Ok(Event::NotTakenBack(error)) => why = Some(error),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                let failed = |_| CommandError::trouble("the announcement is no longer kept");
                return thread.join().map_err(failed);
            }
        }
        if interruption.is_asked()
            && end
                .get_or_insert_with(|| Deadline::after(PATIENCE))
                .is_over()
        {
            tell(&match until {
                Some(time) => Note::Abandoned(why, time.left()),
                None => Note::Ended,
            });
            return Ok(());
        }
    }
}

/// Tells something to whoever waits.
fn send(sender: &Sender<Event>, event: Event) {
    // Nobody is left to be told once the program ends.
    let _ = sender.send(event);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_nobody_means() {
        #[track_caller]
        fn case(value: &str, expected: Option<&str>) {
            assert_eq!(fault(value), expected, "{value}");
        }
        for good in [
            "10.0.0.1:5000",
            "core-1:5000",
            "[fd00::1]:5000",
            "http://core-1:5000/path:",
            "core-1",
            "127.0.0.1:1",
        ] {
            case(good, None);
        }
        case("", Some("it is empty"));
        case(":5000", Some("it names no host"));
        case("http://:5000/", Some("it names no host"));
        case("http://", Some("it names no host"));
        case("10.0.0.1:", Some("it names no port"));
        case("${IP}:5000", Some("a variable in it was not replaced"));
        let blank = Some("it has a blank or a control character in it");
        case("10.0.0.1 :5000", blank);
        case("10.0.0.1:5000\n", blank);
        case("a\u{1b}:1", blank);
        let unreachable = Some("nobody else reaches that address");
        case("0.0.0.0:5000", unreachable);
        case("[::]:5000", unreachable);
    }

    #[test]
    fn keys_and_times_have_bounds() {
        #[track_caller]
        fn case(key: &str, ttl: u64, expected: &str) {
            let error = Announcement::new(key, "a:1", ttl).unwrap_err();
            assert_eq!(error.message, expected);
        }
        assert!(Announcement::new("/announce/a/b/1", "a:1", 60).is_ok());
        assert!(Announcement::new("/environments/a", "a:1", 60).is_ok());
        case(
            "/environment/hub/A",
            60,
            "`/environment/hub/A` can't be announced: `/environment` holds what is configured",
        );
        case(
            "/unitgen",
            60,
            "`/unitgen` can't be announced: `/unitgen` holds what is configured",
        );
        case(
            "announce//a",
            60,
            "--key: expected a path in etcd such as `/shared/database/url`, found `announce//a`",
        );
        let bounds = |ttl| format!("--ttl is `{ttl}`, and a time from 5 to 86400 s is meant");
        case("/a", 4, &bounds(4));
        case("/a", 86_401, &bounds(86_401));
    }

    #[test]
    fn a_request_ends_long_before_the_announcement_lapses() {
        let limits = |ttl| {
            let announcement = Announcement::new("/a", "a:1", ttl).unwrap();
            let limits = announcement.limits(Limits::default());
            (limits.dialing.as_millis(), limits.command.as_millis())
        };
        assert_eq!(limits(5), (1_250, 1_250));
        assert_eq!(limits(12), (2_000, 3_000));
        assert_eq!(limits(60), (2_000, 5_000));
    }
}
