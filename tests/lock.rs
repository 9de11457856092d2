//! The lock of apps, against real etcds: who gets it, who waits, how it is lost and given back.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use unitgen::error::{CommandError, Status};
use unitgen::interruption::Interruption;
use unitgen::lock::{self, Deed, Holder, Lock, Terms};
use unitgen::store::endpoint::Endpoint;
use unitgen::store::{Access, Limits, Store, Tls};

use crate::etcd::{Etcd, shared};

/// When all of these locks are taken.
pub(crate) const TIME: u64 = 1_700_000_000;

/// Returns how an etcd is reached.
pub(crate) fn access(etcd: &Etcd) -> Access {
    access_to(&etcd.endpoint)
}

/// Returns how the etcd at an endpoint is reached.
pub(crate) fn access_to(endpoint: &str) -> Access {
    Access {
        endpoints: vec![Endpoint::parse(endpoint, false).unwrap()],
        tls: Tls::default(),
        login: None,
        tunnel: None,
        limits: Limits {
            dialing: Duration::from_secs(1),
            command: Duration::from_secs(1),
        },
    }
}

/// Returns a store of the etcd that tests share.
pub(crate) fn store() -> Store {
    Store::new(access(shared())).unwrap()
}

/// Returns apps' names.
pub(crate) fn names(apps: &[&str]) -> Vec<String> {
    apps.iter().map(|app| (*app).to_owned()).collect()
}

/// Returns what somebody wants a lock for.
pub(crate) fn deed(author: &str) -> Deed<'_> {
    Deed {
        author,
        action: "deploy",
        time: TIME,
    }
}

/// The usual times, but that everybody looks more often.
pub(crate) fn terms() -> Terms {
    Terms {
        look: Duration::from_millis(100),
        again: Duration::from_millis(50),
        patience: Duration::from_secs(1),
        ..Terms::default()
    }
}

/// Takes locks on some terms.
pub(crate) fn take_for(
    terms: Terms,
    etcd: &Etcd,
    author: &str,
    apps: &[&str],
    wait: Duration,
    waits: impl FnMut(&Holder),
) -> Result<Lock, CommandError> {
    let calm = Interruption::default();
    let apps = names(apps);
    lock::acquire_for(terms, access(etcd), &apps, deed(author), wait, &calm, waits)
}

/// Takes locks or does not, at once.
pub(crate) fn take(author: &str, apps: &[&str]) -> Result<Lock, CommandError> {
    let nobody = |_: &Holder| panic!("somebody is waited for");
    take_for(terms(), shared(), author, apps, Duration::ZERO, nobody)
}

/// Waits until a lock is seen to be lost, and returns what is said of it.
#[track_caller]
pub(crate) fn lost(lock: &Lock) -> String {
    let patience = Instant::now() + Duration::from_secs(10);
    loop {
        match lock.check() {
            Err(error) => return error.text(),
            Ok(()) => assert!(Instant::now() < patience, "nobody notices"),
        }
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn one_has_it_until_it_is_given_back() {
    let apps = ["lock-one", "lock-one-b"];
    let lock = take("ann@desk", &["lock-one-b", "lock-one", "lock-one"]).unwrap();
    lock.check().unwrap();
    let holders = lock::holders(&store(), &names(&apps)).unwrap();
    let [first, second] = holders.as_slice() else {
        panic!("{holders:?}");
    };
    assert_eq!(
        first.told(TIME + 90),
        "ann@desk has the lock of `lock-one` since 2023-11-14T22:13:20Z (1 min 30 s): deploy"
    );
    assert_eq!(second.app, "lock-one-b");
    assert_eq!(first.lease, second.lease);
    let all = lock::list(&store()).unwrap();
    assert!(all.contains(first) && all.contains(second));
    let error = take("bob@home", &["lock-one", "lock-one-c"]).err().unwrap();
    assert_eq!(error.status, Status::Refused);
    assert_eq!(
        error.text(),
        "error: `lock-one` is locked\n  \
         caused by: ann@desk has the lock of `lock-one` since 2023-11-14T22:13:20Z (0 s): deploy\n\n\
         help: `--lock-wait TIME` waits for it; where nobody is at work any more, `unitgen lock \
         --release lock-one` takes it away\n"
    );
    // Nothing is left of an attempt in vain.
    assert_eq!(
        lock::holders(&store(), &names(&["lock-one-c"])).unwrap(),
        []
    );
    lock.release().unwrap();
    assert_eq!(lock::holders(&store(), &names(&apps)).unwrap(), []);
    drop(take("bob@home", &apps).unwrap());
    assert_eq!(lock::holders(&store(), &names(&apps)).unwrap(), []);
}

#[test]
fn of_many_at_once_one_gets_it() {
    let (threads, rounds) = (8, 6);
    let barrier = Barrier::new(threads);
    let winners: Vec<AtomicUsize> = (0..rounds).map(|_| AtomicUsize::new(0)).collect();
    thread::scope(|scope| {
        for number in 0..threads {
            let (barrier, winners) = (&barrier, &winners);
            scope.spawn(move || {
                for winner in winners {
                    // They want it in two orders, each with an app of its own.
                    let own = format!("lock-many-own-{number}");
                    let mut apps = ["lock-many-a", "lock-many-b", &own];
                    if number % 2 == 0 {
                        apps.reverse();
                    }
                    barrier.wait();
                    let taken = take("somebody", &apps);
                    winner.fetch_add(usize::from(taken.is_ok()), Ordering::SeqCst);
                    if let Err(error) = &taken {
                        assert_eq!(error.status, Status::Refused, "{}", error.text());
                    }
                    barrier.wait();
                    drop(taken);
                }
            });
        }
    });
    let winners: Vec<usize> = winners.into_iter().map(AtomicUsize::into_inner).collect();
    assert_eq!(winners, [1; 6]);
}

#[test]
fn never_do_two_have_it_though_all_get_it() {
    let inside = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let wait = Duration::from_secs(60);
                let apps = ["lock-queue-a", "lock-queue-b"];
                let lock = take_for(terms(), shared(), "somebody", &apps, wait, |_| ()).unwrap();
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                thread::sleep(Duration::from_millis(20));
                lock.check().unwrap();
                assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
                lock.release().unwrap();
            });
        }
    });
}

#[test]
fn whoever_waits_is_told_for_whom_once_and_gets_it() {
    let app = "lock-wait";
    let first = take("ann@desk", &[app]).unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut told = Vec::new();
            let waits = |holder: &Holder| told.push(holder.author.clone());
            let wait = Duration::from_secs(60);
            let lock = take_for(terms(), shared(), "bob@home", &[app], wait, waits).unwrap();
            lock.check().unwrap();
            told
        });
        thread::sleep(Duration::from_millis(300));
        first.release().unwrap();
        assert_eq!(waiting.join().unwrap(), ["ann@desk"]);
    });
}

#[test]
fn whoever_waits_in_vain_is_told_so() {
    let app = "lock-vain";
    let _held = take("ann@desk", &[app]).unwrap();
    let mut told = 0;
    let wait = Duration::from_secs(1);
    let start = Instant::now();
    let error = take_for(terms(), shared(), "bob@home", &[app], wait, |_| told += 1);
    let error = error.err().unwrap();
    assert!(start.elapsed() >= wait);
    assert_eq!(told, 1);
    assert_eq!(error.status, Status::Refused);
    assert_eq!(
        error.text(),
        "error: `lock-vain` is locked still, after 1 s\n  \
         caused by: ann@desk has the lock of `lock-vain` since 2023-11-14T22:13:20Z (1 s): deploy\n\n\
         help: `--lock-wait TIME` waits for it; where nobody is at work any more, `unitgen lock \
         --release lock-vain` takes it away\n"
    );
}

#[test]
fn more_apps_than_a_transaction_takes_are_locked_together() {
    let apps: Vec<String> = (0..130)
        .map(|number| format!("lock-hundred-{number:03}"))
        .collect();
    let all: Vec<&str> = apps.iter().map(String::as_str).collect();
    let last = take("ann@desk", &all[129..]).unwrap();
    let error = take("bob@home", &all).err().unwrap();
    assert_eq!(error.message, "`lock-hundred-129` is locked");
    assert_eq!(lock::holders(&store(), &apps).unwrap().len(), 1);
    last.release().unwrap();
    let lock = take("bob@home", &all).unwrap();
    let holders = lock::holders(&store(), &apps).unwrap();
    assert_eq!(holders.len(), 130);
    let error = take("ann@desk", &all[..5]).err().unwrap();
    assert_eq!(
        error.message,
        "`lock-hundred-000`, `lock-hundred-001`, `lock-hundred-002` and 2 more are locked"
    );
    // All of them are looked at.
    assert!(lock::take_away(&store(), &holders[129]).unwrap());
    assert_eq!(
        lost(&lock),
        "error: the lock of `lock-hundred-129` is lost: somebody took it away\n"
    );
    lock.release().unwrap();
    assert_eq!(lock::holders(&store(), &apps).unwrap(), []);
}

#[test]
fn a_lock_that_is_taken_away_is_lost_for_good() {
    let app = "lock-forced";
    let lock = take("ann@desk", &[app]).unwrap();
    let holder = lock::list(&store()).unwrap();
    let holder = holder.iter().find(|holder| holder.app == app).unwrap();
    assert!(lock::take_away(&store(), holder).unwrap());
    assert!(!lock::take_away(&store(), holder).unwrap());
    let said = "error: the lock of `lock-forced` is lost: somebody took it away\n";
    assert_eq!(lost(&lock), said);
    assert_eq!(lock.check().unwrap_err().status, Status::Refused);
    // Who takes it next keeps it, whatever the former holder does.
    let next = take("bob@home", &[app]).unwrap();
    assert!(!lock::take_away(&store(), holder).unwrap());
    lock.release().unwrap();
    thread::sleep(Duration::from_millis(300));
    next.check().unwrap();
}

#[test]
fn who_has_it_instead_is_said() {
    let app = "lock-other";
    let slow = Terms {
        look: Duration::from_millis(700),
        ..terms()
    };
    let nobody = |_: &Holder| panic!("somebody is waited for");
    let lock = take_for(slow, shared(), "ann@desk", &[app], Duration::ZERO, nobody).unwrap();
    let holders = lock::holders(&store(), &names(&[app])).unwrap();
    assert!(lock::take_away(&store(), &holders[0]).unwrap());
    let _next = take("bob@home", &[app]).unwrap();
    let said = lost(&lock);
    let (before, after) = said.split_once("20Z (").unwrap();
    assert_eq!(
        before,
        "error: the lock of `lock-other` is lost\n  \
         caused by: bob@home has the lock of `lock-other` since 2023-11-14T22:13:"
    );
    assert!(after.ends_with("): deploy\n"), "{said}");
}

#[test]
fn a_lease_that_ends_is_noticed() {
    let app = "lock-lease";
    let lock = take("ann@desk", &[app]).unwrap();
    let holders = lock::holders(&store(), &names(&[app])).unwrap();
    let lease = format!("{:x}", holders[0].lease);
    assert!(shared().control(&["lease", "revoke", &lease], ""));
    assert_eq!(
        lost(&lock),
        "error: the lock of `lock-lease` is lost: its lease was ended\n"
    );
    lock.release().unwrap();
}
