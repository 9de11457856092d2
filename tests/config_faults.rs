//! What happens to changes of a configuration when others write, and when etcd stops, stands still or
//! forgets.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use unitgen::config::variable::{Name, Value, Variables};
use unitgen::configuration::change::{Change, Changed, Deed, change};
use unitgen::configuration::folder::Folder;
use unitgen::configuration::history::{self, Past};
use unitgen::configuration::{self, Configuration};
use unitgen::error::{CommandError, Status};
use unitgen::interruption::Interruption;
use unitgen::name::AppName;
use unitgen::store::endpoint::Endpoint;
use unitgen::store::{Access, Limits, Store, Tls};

use crate::config_store;
use crate::etcd::{Certificates, Etcd, cluster, free_port, shared};
use crate::test::{PROGRAM, Test};

const DEED: Deed<'_> = Deed {
    time: 0,
    author: "ann@desk",
    action: "set",
};

fn folder(app: &str) -> Folder {
    Folder::of_app(&AppName::new(app).unwrap())
}

fn store(endpoints: &[&str]) -> Store {
    let endpoint = |text: &&str| Endpoint::parse(text, false).unwrap();
    Store::new(Access {
        endpoints: endpoints.iter().map(endpoint).collect(),
        tls: Tls::default(),
        login: None,
        tunnel: None,
        limits: Limits {
            dialing: Duration::from_secs(1),
            command: Duration::from_secs(1),
        },
    })
    .unwrap()
}

fn variables(pairs: &[(&str, &str)]) -> Variables {
    let one =
        |(name, value): &(&str, &str)| (Name::new(*name).unwrap(), Value::new(*value).unwrap());
    pairs.iter().map(one).collect()
}

fn setting(pairs: &[(&str, &str)]) -> Change {
    Change {
        set: variables(pairs),
        ..Change::default()
    }
}

fn changed(
    store: &Store,
    app: &str,
    decide: impl FnMut(&Configuration) -> Result<Change, CommandError>,
) -> Result<Changed, CommandError> {
    change(store, &folder(app), DEED, &Interruption::default(), decide)
}

fn past(store: &Store, app: &str) -> Vec<Past> {
    history::list(store, &folder(app)).unwrap()
}

#[test]
fn fifty_writers_at_once_lose_nothing() {
    let writers: Vec<_> = (0..50)
        .map(|number| {
            Command::new(PROGRAM)
                .args([
                    "config",
                    "-a",
                    "crowd",
                    "set",
                    &format!("KEY_{number:02}={number}"),
                ])
                .env_clear()
                .env("ETCDCTL_ENDPOINTS", &shared().endpoint)
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for writer in writers {
        let output = writer.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
    }
    let expected: String = (0..50)
        .map(|number| format!("KEY_{number:02}={number}\n"))
        .collect();
    assert_eq!(config_store::values("crowd"), expected);
    let past = past(&store(&[&shared().endpoint]), "crowd");
    let numbers: Vec<u64> = past.iter().map(|past| past.number).collect();
    assert_eq!(numbers, (1..=50).rev().collect::<Vec<u64>>());
    let mut names: Vec<&str> = past
        .iter()
        .flat_map(|past| &past.set)
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 50);
}

#[test]
fn what_is_written_between_reading_and_writing_is_seen() {
    let etcd = shared();
    let store = store(&[&etcd.endpoint]);
    changed(&store, "between", |_| {
        Ok(setting(&[("A", "1"), ("B", "2")]))
    })
    .unwrap();
    let attempts = AtomicUsize::new(0);
    let made = changed(&store, "between", |found| {
        // Another tool, another unitgen, and nobody.
        match attempts.fetch_add(1, Ordering::SeqCst) {
            0 => etcd.set("/environment/between/A", "theirs"),
            1 => config_store::set("between", &["C=3"]),
            _ => {}
        }
        let mut change = setting(&[("D", "4")]);
        change.unset = found
            .variables
            .iter()
            .map(|(name, _)| name.clone())
            .collect();
        Ok(change)
    });
    let made = made.unwrap();
    assert_eq!(attempts.load(Ordering::SeqCst), 3);
    assert_eq!(
        made.before,
        variables(&[("A", "theirs"), ("B", "2"), ("C", "3")])
    );
    // One of them is what the other tool wrote.
    assert_eq!(made.number, Some(4));
    let found = configuration::read(&store, &folder("between")).unwrap();
    assert_eq!(found.variables, variables(&[("D", "4")]));
}

#[test]
fn a_compaction_between_reading_and_writing_changes_nothing() {
    let etcd = Etcd::start();
    let store = store(&[&etcd.endpoint]);
    changed(&store, "hub", |_| Ok(setting(&[("A", "1")]))).unwrap();
    changed(&store, "hub", |found| {
        let revision = found.revision.to_string();
        assert!(etcd.control(&["compact", "--physical", &revision], ""));
        Ok(setting(&[("A", "2")]))
    })
    .unwrap();
    // What was is known although etcd has forgotten it.
    let first = history::variables(&store, &folder("hub"), 1).unwrap();
    assert_eq!(first, Some(variables(&[("A", "1")])));
}

#[test]
fn a_change_that_is_not_answered_is_made_once() {
    let etcd = Etcd::start();
    let store = store(&[&etcd.endpoint]);
    // Where there is no history yet, nothing is asked between reading and writing.
    assert_eq!(store.get("/a").unwrap(), None);
    thread::scope(|scope| {
        let mut attempts = 0;
        let made = changed(&store, "hub", |_| {
            attempts += 1;
            if attempts == 1 {
                etcd.freeze();
                scope.spawn(|| {
                    thread::sleep(Duration::from_millis(1_300));
                    etcd.thaw();
                });
            }
            Ok(setting(&[("A", "2")]))
        });
        assert_eq!(made.unwrap().number, Some(1));
    });
    let past = past(&store, "hub");
    assert_eq!(past.len(), 1);
    assert_eq!(past[0].set, ["A"]);
}

#[test]
fn a_change_whose_end_is_not_known_says_so() {
    let etcd = Etcd::start();
    let store = store(&[&etcd.endpoint]);
    // Where there is no history yet, nothing is asked between reading and writing.
    assert_eq!(store.get("/a").unwrap(), None);
    let start = Instant::now();
    let error = changed(&store, "hub", |_| {
        etcd.freeze();
        Ok(setting(&[("A", "2")]))
    });
    let error = error.unwrap_err();
    etcd.thaw();
    assert_eq!(error.status, Status::Remote);
    assert_eq!(
        error.text(),
        format!(
            "error: it is not known whether the change was made: etcd did not answer\n  caused by: \
             can't reach etcd at `{}`\n  caused by: no answer within 1 s\n\nhelp: when etcd is back, \
             `unitgen config history` shows it as number 1 if it was\n",
            etcd.endpoint
        )
    );
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn etcd_that_is_gone_changes_nothing() {
    let mut etcd = Etcd::start();
    let store = store(&[&etcd.endpoint]);
    changed(&store, "hub", |_| Ok(setting(&[("A", "1")]))).unwrap();
    etcd.stop();
    let error = changed(&store, "hub", |_| Ok(setting(&[("A", "2")]))).unwrap_err();
    assert_eq!(error.status, Status::Remote);
    assert_eq!(
        error.message,
        format!("can't reach etcd at `{}`", etcd.endpoint)
    );
    etcd.start_again();
    let found = configuration::read(&store, &folder("hub")).unwrap();
    assert_eq!(found.variables, variables(&[("A", "1")]));
}

#[test]
fn one_member_of_three_may_be_gone() {
    let [mut one, two, three] = cluster();
    let endpoints = [&one.endpoint, &two.endpoint, &three.endpoint].map(String::clone);
    let command = |words: &str| {
        Test::new()
            .args(&format!("config -a hub {words}"))
            .environment("ETCDCTL_ENDPOINTS", &endpoints.join(","))
            .environment("ETCDCTL_COMMAND_TIMEOUT", "2s")
    };
    command("set A=1")
        .stdout("+ A\nhub: 1 added; change 1\n")
        .stderr(config_store::restart("hub", "1 variable"))
        .run();
    one.stop();
    // It may have been the leader: until there is another one there is no answer.
    let patience = Instant::now() + Duration::from_secs(20);
    while !command("get A").output().status.success() {
        assert!(Instant::now() < patience);
    }
    command("set A=2")
        .stdout("~ A\nhub: 1 changed; change 2\n")
        .stderr(config_store::restart("hub", "1 variable"))
        .run();
    command("get A").stdout("2\n").run();
}

#[test]
fn tls_and_log_ins_by_flags_and_by_etcdctl_s_variables() {
    let certificates = Certificates::new();
    let etcd = Etcd::with_tls(&certificates);
    for words in [
        "user add root:hunter2",
        "user grant-role root root",
        "auth enable",
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        assert!(etcd.control(&words, ""), "{words:?}");
    }
    let path = |name: &str| certificates.path(name);
    let pem = ["authority.pem", "client.pem", "client.key"].map(path);
    let [authority, certificate, key] = &pem;
    Test::new()
        .args("config -a hub set A=1")
        .environment("ETCDCTL_ENDPOINTS", &etcd.endpoint)
        .environment("ETCDCTL_CACERT", authority)
        .environment("ETCDCTL_CERT", certificate)
        .environment("ETCDCTL_KEY", key)
        .environment("ETCDCTL_USER", "root:hunter2")
        .stdout("+ A\nhub: 1 added; change 1\n")
        .stderr(config_store::restart("hub", "1 variable"))
        .run();
    let by_flags = |user: &str| {
        let endpoint = &etcd.endpoint;
        Test::new().file("password", "hunter2\n").args(&format!(
            "config -a hub get A --endpoints {endpoint} --cacert {authority} --cert {certificate} \
                 --cert-key {key} {user}"
        ))
    };
    by_flags("--user root --password-file password")
        .stdout("1\n")
        .run();
    Test::new()
        .args("config -a hub list --cacert password")
        .file("password", "hunter2\n")
        .stderr(
            "error: there is no certificate in `password`\n\nhelp: it has to be in the form called PEM\n",
        )
        .status(2)
        .run();
    by_flags("--user root:hunter2")
        .stderr(
            "error: a password on a command line is seen by whoever lists the processes\n\nhelp: give \
             it in `ETCDCTL_PASSWORD`, or in a file: `--password-file FILE`\n",
        )
        .status(2)
        .run();
    by_flags("--user root")
        .stderr(
            "error: there is no password for etcd's user `root`\n\nhelp: give it in \
             `ETCDCTL_PASSWORD`, or in a file: `--password-file FILE`\n",
        )
        .status(2)
        .run();
    by_flags("--user root")
        .environment("ETCDCTL_PASSWORD", "wrong")
        .stderr(
            "error: can't read `/environment/hub/` from etcd\n  caused by: etcd: authentication \
             failed, invalid user ID or password\n",
        )
        .status(3)
        .run();
}

#[test]
fn nobody_answers() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    Test::new()
        .args("config -a hub list")
        .environment("ETCDCTL_ENDPOINTS", &nobody)
        .stderr(format!(
            "error: can't reach etcd at `{nobody}`\n  caused by: connection refused\n\n\
             help: is it this one that is meant? `--endpoints` or ETCDCTL_ENDPOINTS names another\n"
        ))
        .status(3)
        .run();
}
