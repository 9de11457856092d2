//! The journal of releases, against real etcds: numbers, what is dropped, what can't be read, and any
//! goal written and read.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use proptest::prelude::*;
use unitgen::error::Status;
use unitgen::goal::{Goal, InstanceGoal, ProcessGoal, UnitGoal};
use unitgen::interruption::Interruption;
use unitgen::journal::{self, Entry, Outcome, Release};
use unitgen::manifest::forms::Span;
use unitgen::manifest::port::Protocol;
use unitgen::model::{Deploy, MachinePort};
use unitgen::state::{RegistryName, State};
use unitgen::store::Store;

use crate::etcd::{Etcd, shared};
use crate::lock::access;
use crate::lock_faults::hasty;

fn store(etcd: &Etcd) -> Store {
    Store::new(access(etcd)).unwrap()
}

/// Returns a release of an app whose one unit has a text of so many bytes.
pub(crate) fn entry(app: &str, length: usize) -> Entry {
    let unit = UnitGoal {
        name: RegistryName::seen(format!("{app}-http@.service")),
        text: "x".repeat(length),
        state: State::Launched,
        instances: vec![InstanceGoal {
            name: RegistryName::seen(format!("{app}-http@1.service")),
            version: None,
            slot: Some("1".to_owned()),
        }],
    };
    let process = ProcessGoal {
        process: "http".to_owned(),
        units: vec![unit],
        versioned: false,
        global: false,
        ports: Vec::new(),
        deploy: Deploy::default(),
    };
    Entry {
        time: 1_700_000_000,
        author: "ann@desk".to_owned(),
        action: "deploy".to_owned(),
        revision: Some("c43de4f".to_owned()),
        set: BTreeMap::from([("versions".to_owned(), "[v1]".to_owned())]),
        config: Some(7),
        undone: None,
        goal: Goal {
            app: app.to_owned(),
            folder: None,
            processes: vec![process],
        },
    }
}

fn begin(store: &Store, app: &str, entry: Entry) -> u64 {
    journal::begin(store, app, entry, &Interruption::default()).unwrap()
}

/// Returns a release as it is read that was written.
fn release(number: u64, outcome: Outcome, entry: Entry) -> Release {
    let Entry {
        time,
        author,
        action,
        revision,
        set,
        config,
        undone,
        goal,
    } = entry;
    Release {
        number,
        time,
        author,
        action,
        revision,
        set,
        config,
        outcome,
        undone,
        goal,
    }
}

fn numbers(store: &Store, app: &str) -> Vec<u64> {
    let list = journal::list(store, app).unwrap();
    list.iter().map(|release| release.number).collect()
}

#[test]
fn what_is_begun_and_ends_is_read() {
    let app = "journal-first";
    let store = store(shared());
    assert_eq!(journal::list(&store, app).unwrap(), []);
    assert_eq!(journal::last(&store, app).unwrap(), None);
    assert_eq!(journal::get(&store, app, 1).unwrap(), None);
    assert_eq!(begin(&store, app, entry(app, 10)), 1);
    let begun = release(1, Outcome::Begun, entry(app, 10));
    assert_eq!(journal::last(&store, app).unwrap().unwrap(), begun);
    journal::finish(&store, app, 1, Outcome::Complete).unwrap();
    let mut back = entry(app, 10);
    back.action = "rollback to 1".to_owned();
    back.undone = Some(1);
    assert_eq!(begin(&store, app, back.clone()), 2);
    journal::finish(&store, app, 2, Outcome::Failed).unwrap();
    journal::finish(&store, app, 2, Outcome::Failed).unwrap();
    let first = release(1, Outcome::Complete, entry(app, 10));
    let second = release(2, Outcome::Failed, back);
    assert_eq!(
        journal::list(&store, app).unwrap(),
        [second.clone(), first.clone()]
    );
    assert_eq!(journal::last(&store, app).unwrap().unwrap(), second);
    assert_eq!(journal::get(&store, app, 1).unwrap().unwrap(), first);
    // Another app whose name begins alike has a journal of its own.
    assert_eq!(numbers(&store, "journal"), Vec::<u64>::new());
    let error = journal::finish(&store, app, 3, Outcome::Complete).unwrap_err();
    assert_eq!(
        error.text(),
        "error: can't write how release 3 of `journal-first` ended\n  \
         caused by: there is no `/unitgen/releases/journal-first/0000000003` in etcd\n"
    );
}

#[test]
fn no_two_releases_have_one_number() {
    let app = "journal-numbers";
    let writers: Vec<_> = (0..20)
        .map(|_| thread::spawn(move || begin(&store(shared()), app, entry(app, 10))))
        .collect();
    let numbers = writers.into_iter().map(|writer| writer.join().unwrap());
    let mut numbers: Vec<u64> = numbers.collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
}

#[test]
fn the_oldest_are_dropped_and_the_last_complete_one_stays() {
    let app = "journal-dropped";
    let store = store(shared());
    // Long ones, of which only ten are kept.
    let long = || entry(app, 900_000);
    for number in 1..=3 {
        assert_eq!(begin(&store, app, long()), number);
    }
    journal::finish(&store, app, 1, Outcome::Complete).unwrap();
    journal::finish(&store, app, 2, Outcome::Complete).unwrap();
    for number in 4..=13 {
        assert_eq!(begin(&store, app, long()), number);
    }
    let kept = [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 2];
    assert_eq!(numbers(&store, app), kept);
    // Its successor lets it go.
    journal::finish(&store, app, 12, Outcome::Complete).unwrap();
    assert_eq!(begin(&store, app, long()), 14);
    assert_eq!(numbers(&store, app), (5..=14).rev().collect::<Vec<_>>());
}

#[test]
fn a_hundred_short_ones_are_kept() {
    let app = "journal-hundred";
    let store = store(shared());
    for _ in 0..103 {
        begin(&store, app, entry(app, 10));
    }
    assert_eq!(numbers(&store, app), (4..=103).rev().collect::<Vec<_>>());
}

#[test]
fn what_can_not_be_read_hides_nothing_else() {
    let app = "journal-unreadable";
    let store = store(shared());
    let key = |number: u64| format!("/unitgen/releases/{app}/{number:010}");
    begin(&store, app, entry(app, 10));
    journal::finish(&store, app, 1, Outcome::Complete).unwrap();
    shared().set(&key(2), r#"{"format_version": 2, "goal": "another"}"#);
    shared().set(&key(3), "secret");
    shared().set("/unitgen/releases/journal-unreadable/4", "secret");
    shared().set("/unitgen/releases/journal-unreadable/x", "secret");
    let written = shared().get(&key(1)).unwrap();
    let strange = String::from_utf8(written).unwrap();
    shared().set(&key(4), strange.replace("launched", "hunter2"));
    let journal = journal::read(&store, app).unwrap();
    let first = release(1, Outcome::Complete, entry(app, 10));
    assert_eq!(journal.releases, [first]);
    assert_eq!(journal.unreadable, [4, 3, 2]);
    assert_eq!(journal::list(&store, app).unwrap(), journal.releases);
    let said = |number: u64| {
        let error = journal::get(&store, app, number).unwrap_err();
        assert_eq!(error.status, Status::Trouble);
        error.text()
    };
    assert_eq!(
        said(2),
        "error: `/unitgen/releases/journal-unreadable/0000000002` in etcd is no release that this \
         unitgen reads\n  caused by: its format is of version 2\n\n\
         help: a newer unitgen wrote it, and reads it\n"
    );
    assert_eq!(
        said(3),
        "error: `/unitgen/releases/journal-unreadable/0000000003` in etcd is no release that this \
         unitgen reads\n  caused by: what stands there is cut off or strange at 1:1\n\n\
         help: `etcdctl del /unitgen/releases/journal-unreadable/0000000003` forgets it; nothing that \
         runs is touched by that\n"
    );
    assert_eq!(
        said(4),
        "error: `/unitgen/releases/journal-unreadable/0000000004` in etcd is no release that this \
         unitgen reads\n  caused by: a unit's state is strange\n\n\
         help: `etcdctl del /unitgen/releases/journal-unreadable/0000000004` forgets it; nothing that \
         runs is touched by that\n"
    );
    let error = journal::last(&store, app).unwrap_err();
    assert_eq!(error.text(), said(4));
    assert_eq!(begin(&store, app, entry(app, 10)), 5);
}

#[test]
fn what_is_too_long_is_not_written() {
    let app = "journal-long";
    let store = store(shared());
    let calm = Interruption::default();
    let error = journal::begin(&store, app, entry(app, 1_400_000), &calm).unwrap_err();
    assert_eq!(
        error.text(),
        "error: the release of `journal-long` has 1400568 bytes with all texts of its units, and the \
         journal takes at most 1400000\n\nhelp: make several apps of it\n"
    );
    assert_eq!(numbers(&store, app), Vec::<u64>::new());
    // What just fits is written, and its end too.
    assert_eq!(begin(&store, app, entry(app, 1_399_432)), 1);
    journal::finish(&store, app, 1, Outcome::Complete).unwrap();
    let outcome = journal::last(&store, app).unwrap().unwrap().outcome;
    assert_eq!(outcome, Outcome::Complete);
}

#[test]
fn while_etcd_is_away_nobody_is_told_that_all_is_well() {
    let app = "journal-away";
    let etcd = Etcd::start();
    let store = store(&etcd);
    assert_eq!(begin(&store, app, entry(app, 10)), 1);
    let hasty = Store::new(hasty(&etcd)).unwrap();
    etcd.freeze();
    let calm = Interruption::default();
    let error = journal::begin(&hasty, app, entry(app, 10), &calm).unwrap_err();
    assert_eq!((error.status, error.may_pass), (Status::Remote, true));
    // An end is tried for a while.
    thread::scope(|scope| {
        let ended = scope.spawn(|| {
            let store = self::store(&etcd);
            journal::finish(&store, app, 1, Outcome::Complete)
        });
        thread::sleep(Duration::from_millis(300));
        etcd.thaw();
        ended.join().unwrap().unwrap();
    });
    let last = journal::last(&store, app).unwrap().unwrap();
    assert_eq!((last.number, last.outcome), (1, Outcome::Complete));
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9@.-]{0,12}", "\\PC{0,8}", any::<String>()]
}

fn maybe<T: std::fmt::Debug + Clone>(
    strategy: impl Strategy<Value = T>,
) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(strategy)
}

fn port() -> impl Strategy<Value = MachinePort> {
    let protocols = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];
    let protocol = proptest::sample::select(protocols.to_vec());
    (maybe(any::<u16>()), protocol).prop_map(|(number, protocol)| MachinePort { number, protocol })
}

fn deploy() -> impl Strategy<Value = Deploy> {
    let number = || maybe(any::<u32>());
    let time = maybe(any::<Duration>().prop_map(Span));
    (number(), number(), number(), time, number(), maybe(word())).prop_map(
        |(min_alive, max_growth, ready_secs, timeout, max_failures, health)| Deploy {
            min_alive,
            max_growth,
            ready_secs,
            timeout,
            max_failures,
            health,
        },
    )
}

fn unit() -> impl Strategy<Value = UnitGoal> {
    let name = || word().prop_map(RegistryName::seen);
    let instance =
        (name(), maybe(word()), maybe(word())).prop_map(|(name, version, slot)| InstanceGoal {
            name,
            version,
            slot,
        });
    let instances = proptest::collection::vec(instance, 0..4);
    let state = proptest::sample::select(State::ALL.to_vec());
    (name(), any::<String>(), state, instances).prop_map(|(name, text, state, instances)| {
        UnitGoal {
            name,
            text,
            state,
            instances,
        }
    })
}

fn goal() -> impl Strategy<Value = Goal> {
    let units = proptest::collection::vec(unit(), 0..3);
    let ports = proptest::collection::vec(port(), 0..3);
    let flag = any::<bool>;
    let process = (word(), units, flag(), flag(), ports, deploy()).prop_map(
        |(process, units, versioned, global, ports, deploy)| ProcessGoal {
            process,
            units,
            versioned,
            global,
            ports,
            deploy,
        },
    );
    let processes = proptest::collection::vec(process, 0..3);
    (word(), proptest::option::of(word()), processes).prop_map(|(app, folder, processes)| Goal {
        app,
        folder,
        processes,
    })
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let set = proptest::collection::btree_map(word(), word(), 0..4);
    let number = || maybe(any::<u64>());
    let said = (word(), word(), maybe(word()));
    (any::<u64>(), said, set, number(), number(), goal()).prop_map(
        |(time, (author, action, revision), set, config, undone, goal)| Entry {
            time,
            author,
            action,
            revision,
            set,
            config,
            undone,
            goal,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_release_is_read_as_it_was_written(entry in any_entry()) {
        let app = "journal-any";
        let store = store(shared());
        let number = begin(&store, app, entry.clone());
        let read = journal::get(&store, app, number).unwrap().unwrap();
        prop_assert_eq!(read, release(number, Outcome::Begun, entry));
    }
}
