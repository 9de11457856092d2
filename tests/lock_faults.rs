//! What becomes of locks and releases when etcd stands still or stops, and when their holders do.

use std::env;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use unitgen::error::{CommandError, Status};
use unitgen::interruption::Interruption;
use unitgen::journal::{self, Outcome};
use unitgen::lock::{self, Holder, Terms};
use unitgen::store::transaction::{Operation, Transaction};
use unitgen::store::{Access, Limits, Store};

use crate::etcd::{Etcd, shared};
use crate::journal::entry;
use crate::lock::{access, access_to, deed, lost, names, store, take, take_for, terms};
use crate::test::Folder;

/// Returns how an etcd is reached that nobody waits for.
pub(crate) fn hasty(etcd: &Etcd) -> Access {
    Access {
        limits: Limits {
            dialing: Duration::from_millis(300),
            command: Duration::from_millis(300),
        },
        ..access(etcd)
    }
}

#[test]
fn while_etcd_is_silent_it_is_held_until_its_time_is_over_and_then_never_again() {
    let app = "lock-silent";
    let etcd = Etcd::start();
    let short = Terms { ttl: 2, ..terms() };
    let wait = Duration::ZERO;
    let lock = take_for(short, &etcd, "ann@desk", &[app], wait, |_| ()).unwrap();
    thread::sleep(Duration::from_millis(300));
    etcd.freeze();
    let start = Instant::now();
    thread::sleep(Duration::from_millis(700));
    lock.check().unwrap();
    let said = lost(&lock);
    let time = start.elapsed();
    assert!(time > Duration::from_secs(1) && time < Duration::from_secs(3));
    let silent = "no answer within 0.5 s";
    assert_eq!(
        said,
        format!(
            "error: the lock of `lock-silent` is lost: it could not be renewed for 2 s\n  \
             caused by: can't reach etcd at `{}`: {silent}\n",
            etcd.endpoint
        )
    );
    assert_eq!(lock.check().unwrap_err().status, Status::Remote);
    etcd.thaw();
    thread::sleep(Duration::from_millis(500));
    assert_eq!(lock.check().unwrap_err().text(), said);
    // It is given back all the same.
    lock.release().unwrap();
    let store = Store::new(access(&etcd)).unwrap();
    assert_eq!(lock::list(&store).unwrap(), []);
}

#[test]
fn an_etcd_that_is_away_gives_no_lock_and_keeps_nobody_for_long() {
    let app = "lock-away";
    let mut etcd = Etcd::start();
    let lock = take_for(terms(), &etcd, "ann@desk", &[app], Duration::ZERO, |_| ()).unwrap();
    etcd.stop();
    let start = Instant::now();
    let refused = take_for(terms(), &etcd, "bob@home", &[app], Duration::ZERO, |_| ());
    let error = refused.err().unwrap();
    assert_eq!(error.status, Status::Remote);
    let error = lock.release().unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(4));
    assert_eq!(error.message, "can't give back the lock of `lock-away`");
    assert_eq!(error.help.unwrap(), "it ends by itself within 1 min");
    // Whoever waits waits for etcd, too.
    let access = access(&etcd);
    let waiting = thread::spawn(move || {
        let (apps, calm) = (names(&["lock-away-other"]), Interruption::default());
        let wait = Duration::from_secs(60);
        lock::acquire_for(terms(), access, &apps, deed("bob"), wait, &calm, |_| ())
    });
    thread::sleep(Duration::from_millis(200));
    assert!(!waiting.is_finished());
    etcd.start_again();
    waiting.join().unwrap().unwrap().check().unwrap();
}

#[test]
fn a_lease_that_is_gone_can_not_be_written_on() {
    // By this nothing is left of an attempt whose answer did not come.
    let store = store();
    let lease = store.grant(60).unwrap();
    store.revoke(lease).unwrap();
    let error = store
        .commit(&Transaction {
            conditions: Vec::new(),
            operations: vec![Operation::Put {
                key: "/unitgen/lock/lock-lease-gone".to_owned(),
                value: Vec::new(),
                lease,
            }],
        })
        .unwrap_err();
    assert_eq!(error.causes(), ["etcd: requested lease not found"]);
}

#[test]
fn an_etcd_that_stands_still_again_and_again_gives_nothing_twice() {
    let app = "lock-stutter";
    let etcd = Etcd::start();
    let (inside, rounds) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let is_over = AtomicBool::new(false);
    let wait = Duration::from_secs(60);
    let calm = Interruption::default();
    let patient = Terms {
        patience: Duration::from_secs(10),
        ..terms()
    };
    let work = |author: &str| -> Result<(), CommandError> {
        let apps = names(&[app, "lock-stutter-b"]);
        let lock = lock::acquire_for(
            patient,
            hasty(&etcd),
            &apps,
            deed(author),
            wait,
            &calm,
            |_| (),
        )?;
        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
        rounds.fetch_add(1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(5));
        lock.check()?;
        assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
        lock.release()
    };
    // Releases are written by others, under no lock.
    let write = |author: &str| {
        let store = Store::new(hasty(&etcd)).unwrap();
        let mut entry = entry(app, 10);
        entry.author = author.to_owned();
        journal::begin(&store, app, entry, &calm)
    };
    let begun: Vec<(String, Option<u64>)> = thread::scope(|scope| {
        let (work, write, is_over) = (&work, &write, &is_over);
        let is_on = || !is_over.load(Ordering::SeqCst);
        for author in ["ann", "bob", "cid"] {
            scope.spawn(move || {
                while is_on() {
                    work(author).unwrap();
                }
            });
        }
        let writers: Vec<_> = (0..3)
            .map(|writer| {
                scope.spawn(move || {
                    let mut begun = Vec::new();
                    while is_on() && begun.len() < 30 {
                        let author = format!("{writer}-{}", begun.len());
                        let number = write(&author).ok();
                        begun.push((author, number));
                        thread::sleep(Duration::from_millis(20));
                    }
                    begun
                })
            })
            .collect();
        for _ in 0..3 {
            thread::sleep(Duration::from_millis(150));
            etcd.freeze();
            thread::sleep(Duration::from_millis(450));
            etcd.thaw();
        }
        is_over.store(true, Ordering::SeqCst);
        let begun = writers.into_iter().map(|writer| writer.join().unwrap());
        begun.flatten().collect()
    });
    assert!(rounds.into_inner() > 3);
    let store = Store::new(access(&etcd)).unwrap();
    assert_eq!(lock::list(&store).unwrap(), []);
    // Who was told a number has it, and nobody has two.
    let releases = journal::list(&store, app).unwrap();
    assert!(begun.len() > 3 && !releases.is_empty());
    for (author, number) in begun {
        let own = releases.iter().filter(|release| release.author == author);
        let own: Vec<u64> = own.map(|release| release.number).collect();
        match number {
            Some(number) => assert_eq!(own, [number], "{author}"),
            None => assert!(own.len() < 2, "{author}: {own:?}"),
        }
    }
    let last = releases[0].number;
    assert_eq!(releases.len() as u64, last);
    journal::finish(&store, app, last, Outcome::Complete).unwrap();
}

/// Starts a process that does something with the lock of an app.
fn other(action: &str, app: &str, folder: &Folder) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "lock_faults::another_process", "--ignored"])
        .env("LOCK_ENDPOINT", &shared().endpoint)
        .env("LOCK_ACTION", action)
        .env("LOCK_APP", app)
        .env("LOCK_FILE", folder.path("said"))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
#[ignore = "run by the tests below, to be killed"]
fn another_process() {
    let text = |name: &str| env::var(name).unwrap_or_default();
    let apps = [text("LOCK_APP")];
    let endpoint = text("LOCK_ENDPOINT");
    if endpoint.is_empty() {
        return;
    }
    let access = access_to(&endpoint);
    let say = |said: &str| fs::write(text("LOCK_FILE"), said).unwrap();
    let brief = Terms { ttl: 2, ..terms() };
    let interruption = Interruption::listen().unwrap();
    let wait = Duration::from_secs(60);
    let waits = |_: &Holder| say("waits");
    let taken = lock::acquire_for(
        brief,
        access,
        &apps,
        deed("ann"),
        wait,
        &interruption,
        waits,
    );
    match (taken, text("LOCK_ACTION").as_str()) {
        (Ok(lock), "hold") => say(&lost(&lock)),
        (Ok(_), _) => say("took it"),
        (Err(error), _) => say(&error.text()),
    }
}

fn signal(process: &Child, name: &str) {
    let pid = process.id().to_string();
    let status = Command::new("kill").args(["-s", name, &pid]).status();
    assert!(status.unwrap().success());
}

#[track_caller]
fn until(is_so: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < patience, "it does not come about");
        thread::sleep(Duration::from_millis(20));
    }
}

fn is_held(app: &str) -> bool {
    !lock::holders(&store(), &names(&[app])).unwrap().is_empty()
}

#[test]
fn who_is_killed_holds_nobody_up_for_long_and_who_lives_keeps_what_they_have() {
    let app = "lock-killed";
    let folder = Folder::new();
    let start = Instant::now();
    let brief = Terms { ttl: 2, ..terms() };
    let wait = Duration::ZERO;
    let kept = take_for(brief, shared(), "cid", &["lock-kept"], wait, |_| ()).unwrap();
    let mut process = other("hold", app, &folder);
    until(|| is_held(app));
    assert!(take("bob@home", &[app]).is_err());
    process.kill().unwrap();
    process.wait().unwrap();
    let mut told = Vec::new();
    let waits = |holder: &Holder| told.push(holder.author.clone());
    let wait = Duration::from_secs(20);
    let lock = take_for(terms(), shared(), "bob@home", &[app], wait, waits).unwrap();
    lock.check().unwrap();
    assert_eq!(told, ["ann"]);
    // Its lease would have ended long ago.
    assert!(start.elapsed() > Duration::from_secs(2));
    kept.check().unwrap();
    assert!(is_held("lock-kept"));
}

#[test]
fn who_stood_still_for_too_long_knows_that_the_lock_is_lost() {
    let app = "lock-stopped";
    let folder = Folder::new();
    let mut process = other("hold", app, &folder);
    until(|| is_held(app));
    signal(&process, "STOP");
    let wait = Duration::from_secs(20);
    let lock = take_for(terms(), shared(), "bob@home", &[app], wait, |_| ()).unwrap();
    signal(&process, "CONT");
    process.wait().unwrap();
    assert_eq!(
        folder.read("said"),
        "error: the lock of `lock-stopped` is lost: it could not be renewed for 2 s\n"
    );
    thread::sleep(Duration::from_millis(200));
    lock.check().unwrap();
}

#[test]
fn who_waits_can_be_interrupted() {
    let app = "lock-interrupted";
    let folder = Folder::new();
    let lock = take("ann@desk", &[app]).unwrap();
    let mut process = other("wait", app, &folder);
    until(|| folder.names("") == ["said"] && folder.read("said") == "waits");
    signal(&process, "TERM");
    process.wait().unwrap();
    assert_eq!(
        folder.read("said"),
        "error: interrupted while waiting for the lock of `lock-interrupted`\n"
    );
    lock.release().unwrap();
    assert!(!is_held(app));
}
