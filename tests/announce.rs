//! `unitgen env announce` with real etcds, which stop, stand still, refuse, and are written by others.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use unitgen::store::endpoint::Endpoint;
use unitgen::store::{Access, Entry, Limits, Store, Tls};

use crate::etcd::{Etcd, shared};
use crate::test::{Folder, PROGRAM};

/// How long an announcement lives, in seconds: the least that is allowed.
const TTL: u64 = 5;

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running announcer of `a:1`, unless another value is given.
struct Announcer {
    process: Child,
    endpoint: String,
    key: String,
    folder: Folder,
}

impl Drop for Announcer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Announcer {
    fn start(etcd: &Etcd, key: &str) -> Self {
        Self::with(etcd, key, "a:1", &[])
    }

    fn with(etcd: &Etcd, key: &str, value: &str, environment: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let stderr = File::create(folder.path("stderr")).unwrap();
        let process = Command::new(PROGRAM)
            .args(["env", "announce", "--key", key, "--value", value])
            .args(["--ttl", &TTL.to_string(), "--endpoints", &etcd.endpoint])
            .env_clear()
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .unwrap();
        Self {
            process,
            endpoint: etcd.endpoint.clone(),
            key: key.to_owned(),
            folder,
        }
    }

    /// Returns all that it said, with names in the place of what differs from run to run.
    fn said(&self) -> String {
        let text = self.folder.read("stderr");
        let text = text
            .replace(&self.endpoint, "ETCD")
            .replace(&self.key, "KEY");
        let mut parts = text.split("lapses in ");
        let mut said = parts.next().unwrap().to_owned();
        for part in parts {
            let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
            said.push_str("lapses in N");
            said.push_str(rest);
        }
        said
    }

    /// Waits until it has said so many lines, and states all of them.
    #[track_caller]
    fn says(&self, expected: &str) {
        let lines = expected.lines().count();
        let start = Instant::now();
        while self.said().lines().count() < lines && start.elapsed() < PATIENCE {
            sleep(Duration::from_millis(20));
        }
        assert_eq!(self.said(), expected);
    }

    fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end, which comes within a time, and states all that it said.
    #[track_caller]
    fn ends(&mut self, time: Duration, status: i32, expected: &str) {
        let start = Instant::now();
        let ended = loop {
            if let Some(ended) = self.process.try_wait().unwrap() {
                break ended;
            }
            assert!(start.elapsed() < time, "it does not end: {}", self.said());
            sleep(Duration::from_millis(10));
        };
        assert_eq!(
            (ended.code(), self.said().as_str()),
            (Some(status), expected)
        );
    }
}

/// Starts etcd again while an announcer stands still: it sees the one that is gone and the one that
/// answers, and none that is about to.
fn start_again(etcd: &mut Etcd, announcer: &Announcer) {
    announcer.signal("STOP");
    etcd.start_again();
    announcer.signal("CONT");
}

/// Returns what stands at a key.
fn entry(etcd: &Etcd, key: &str) -> Option<Entry> {
    let access = Access {
        endpoints: vec![Endpoint::parse(&etcd.endpoint, false).unwrap()],
        tls: Tls::default(),
        login: None,
        tunnel: None,
        limits: Limits::default(),
    };
    Store::new(access).unwrap().get(key).unwrap()
}

/// Returns what etcd says of a lease's length.
fn length(etcd: &Etcd, lease: i64) -> String {
    let lease = format!("{lease:016x}");
    let output = etcd
        .etcdctl(&["lease", "timetolive", &lease])
        .stdout(Stdio::piped())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let text = text.replace(&lease, "LEASE");
    text.split(", ").next().unwrap().to_owned()
}

const ANNOUNCED: &str = "announced `KEY` as `a:1`, for 5 s at a time\n";
const SILENT: &str =
    "warning: can't reach etcd at `ETCD`: no answer within 1.25 s; `KEY` lapses in N s\n";
const TAKEN_BACK: &str = "took back `KEY`\n";
const DELETED: &str =
    "announced `KEY` again as `a:1`, for 5 s at a time: somebody had deleted it\n";
const LAPSED: &str = "announced `KEY` again as `a:1`, for 5 s at a time: it had lapsed\n";
const FREE: &str = "announced `KEY` again as `a:1`, for 5 s at a time: the other one is gone\n";

#[test]
fn announcements_live_as_long_as_their_announcers() {
    // Each of them waits most of the time.
    let scenes = [
        a_key_is_there_as_long_as_its_announcer,
        whoever_is_killed_is_forgotten,
        a_machine_that_slept_announces_again,
        etcd_may_be_away_at_the_start_and_later,
        etcd_may_stand_still,
        what_others_write_is_left_alone_until_it_is_gone,
        of_two_the_newest_has_the_key,
        a_role_may_be_granted_later,
    ];
    scope(|scope| {
        for scene in scenes {
            scope.spawn(scene);
        }
    });
}

fn a_key_is_there_as_long_as_its_announcer() {
    let (etcd, key) = (shared(), "/announce/there/http/1");
    let mut announcer = Announcer::start(etcd, key);
    announcer.says(ANNOUNCED);
    let first = entry(etcd, key).unwrap();
    assert_eq!(first.value, b"a:1");
    assert_eq!(
        length(etcd, first.lease),
        "lease LEASE granted with TTL(5s)"
    );
    sleep(Duration::from_secs(TTL + 3));
    assert_eq!(entry(etcd, key), Some(first));
    announcer.signal("TERM");
    announcer.ends(
        Duration::from_secs(3),
        0,
        &format!("{ANNOUNCED}{TAKEN_BACK}"),
    );
    assert_eq!(entry(etcd, key), None);
}

fn whoever_is_killed_is_forgotten() {
    let (etcd, key) = (shared(), "/announce/killed/http/1");
    let announcer = Announcer::start(etcd, key);
    announcer.says(ANNOUNCED);
    announcer.signal("KILL");
    assert!(entry(etcd, key).is_some());
    let start = Instant::now();
    while entry(etcd, key).is_some() {
        assert!(start.elapsed() < PATIENCE);
        sleep(Duration::from_millis(100));
    }
}

fn a_machine_that_slept_announces_again() {
    let (etcd, key) = (shared(), "/announce/slept/http/1");
    let announcer = Announcer::start(etcd, key);
    announcer.says(ANNOUNCED);
    announcer.signal("STOP");
    let start = Instant::now();
    while entry(etcd, key).is_some() {
        assert!(start.elapsed() < PATIENCE);
        sleep(Duration::from_millis(100));
    }
    announcer.signal("CONT");
    announcer.says(&format!("{ANNOUNCED}{LAPSED}"));
    assert_eq!(entry(etcd, key).unwrap().value, b"a:1");
}

fn etcd_may_be_away_at_the_start_and_later() {
    let mut etcd = Etcd::start();
    let key = "/announce/away/http/1";
    etcd.stop();
    let mut announcer = Announcer::start(&etcd, key);
    let mut said =
        "warning: can't reach etcd at `ETCD`: connection refused; `KEY` is not announced yet\n"
            .to_owned();
    announcer.says(&said);
    // It is said once.
    sleep(Duration::from_secs(1));
    announcer.says(&said);
    start_again(&mut etcd, &announcer);
    said.push_str(ANNOUNCED);
    announcer.says(&said);
    let first = entry(&etcd, key);
    etcd.stop();
    said.push_str("warning: can't reach etcd at `ETCD`: connection refused; `KEY` lapses in N s\n");
    announcer.says(&said);
    said.push_str("warning: `KEY` may have lapsed\n");
    announcer.says(&said);
    // An etcd that starts gives each lease that it had its whole time.
    start_again(&mut etcd, &announcer);
    said.push_str("etcd answers again, and `KEY` is still announced\n");
    announcer.says(&said);
    assert_eq!(entry(&etcd, key), first);
    announcer.signal("TERM");
    said.push_str(TAKEN_BACK);
    announcer.ends(Duration::from_secs(3), 0, &said);
    assert_eq!(entry(&etcd, key), None);
}

fn etcd_may_stand_still() {
    let etcd = Etcd::start();
    let key = "/announce/still/http/1";
    let mut announcer = Announcer::start(&etcd, key);
    announcer.says(ANNOUNCED);
    etcd.freeze();
    let said = format!("{ANNOUNCED}{SILENT}");
    announcer.says(&said);
    announcer.signal("TERM");
    sleep(Duration::from_millis(300));
    // Who asks twice is not kept waiting.
    announcer.signal("TERM");
    announcer.ends(Duration::from_secs(1), 128 + 15, &said);
    etcd.thaw();

    // What such a one leaves behind is taken over.
    etcd.set(key, "a:1");
    let mut announcer = Announcer::start(&etcd, key);
    let said = "announced `KEY` as `a:1`, for 5 s at a time, as it was already\n";
    announcer.says(said);
    etcd.freeze();
    let said = format!("{said}{SILENT}");
    announcer.says(&said);
    announcer.signal("TERM");
    announcer.ends(
        Duration::from_secs(8),
        0,
        &format!(
            "{said}warning: `KEY` was not taken back: can't reach etcd at `ETCD`: no answer within \
             1.25 s; `KEY` may have lapsed\n"
        ),
    );
    etcd.thaw();
}

fn what_others_write_is_left_alone_until_it_is_gone() {
    let (etcd, key) = (shared(), "/announce/others/http/1");
    etcd.set(key, "old:1");
    let mut announcer = Announcer::start(etcd, key);
    let mut said =
        "announced `KEY` as `a:1`, for 5 s at a time, in the place of `old:1`\n".to_owned();
    announcer.says(&said);
    assert!(etcd.control(&["del", key], ""));
    said.push_str(DELETED);
    announcer.says(&said);
    for other in ["b:1", "\u{1b}[31mc:1"] {
        etcd.set(key, other);
        let shown = other.replace('\u{1b}', "\u{fffd}");
        said.push_str(&format!(
            "warning: `KEY` holds `{shown}`, which another wrote, and is left to it\n"
        ));
        announcer.says(&said);
        assert_eq!(etcd.get(key).unwrap(), other.as_bytes());
    }
    assert!(etcd.control(&["del", key], ""));
    said.push_str(FREE);
    announcer.says(&said);
    assert_eq!(entry(etcd, key).unwrap().value, b"a:1");
    etcd.set(key, "a:1");
    said.push_str("warning: `KEY` is kept by another with the same value, and left to it\n");
    announcer.says(&said);
    announcer.signal("TERM");
    said.push_str("ended; `KEY` was not announced from here\n");
    announcer.ends(Duration::from_secs(3), 0, &said);
    assert_eq!(etcd.get(key).unwrap(), b"a:1");
}

fn of_two_the_newest_has_the_key() {
    let (etcd, key) = (shared(), "/announce/two/http/1");
    let old = Announcer::start(etcd, key);
    old.says(ANNOUNCED);
    let mut new = Announcer::with(etcd, key, "b:1", &[]);
    let said = "announced `KEY` as `b:1`, for 5 s at a time, in the place of `a:1`\n";
    new.says(said);
    let first = entry(etcd, key);
    let gave_way =
        format!("{ANNOUNCED}warning: `KEY` holds `b:1`, which another wrote, and is left to it\n");
    old.says(&gave_way);
    sleep(Duration::from_secs(TTL + 2));
    assert_eq!(entry(etcd, key), first);
    old.says(&gave_way);
    new.signal("TERM");
    new.ends(Duration::from_secs(3), 0, &format!("{said}{TAKEN_BACK}"));
    old.says(&format!("{gave_way}{FREE}"));
    assert_eq!(entry(etcd, key).unwrap().value, b"a:1");
}

fn a_role_may_be_granted_later() {
    let etcd = Etcd::start();
    for words in [
        "user add root:top",
        "user grant-role root root",
        "role add hub",
        "user add ann:secret",
        "user grant-role ann hub",
        "auth enable",
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        assert!(etcd.control(&words, ""), "{words:?}");
    }
    let key = "/announce/role/http/1";
    let login = [("ETCDCTL_USER", "ann"), ("ETCDCTL_PASSWORD", "secret")];
    let mut announcer = Announcer::with(&etcd, key, "a:1", &login);
    let mut said =
        "error: can't read `KEY` from etcd: etcd: permission denied; `KEY` is not announced \
                    yet; help: `etcdctl role grant-permission ROLE readwrite KEY`\n"
            .to_owned();
    announcer.says(&said);
    let grant = "--user root:top role grant-permission hub readwrite";
    let words: Vec<&str> = grant.split(' ').chain([key]).collect();
    assert!(etcd.control(&words, ""));
    said.push_str(ANNOUNCED);
    announcer.says(&said);
    announcer.signal("TERM");
    said.push_str(TAKEN_BACK);
    announcer.ends(Duration::from_secs(3), 0, &said);
}
