//! `unitgen lock`: who has which lock, and taking one away.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::etcd::{Etcd, free_port, shared};
use crate::test::Test;

/// Returns a test of `unitgen lock` against an etcd.
fn lock(etcd: &Etcd, arguments: &str) -> Test {
    Test::new()
        .args(&format!("lock {arguments}"))
        .environment("ETCDCTL_ENDPOINTS", &etcd.endpoint)
}

/// Lets somebody have the lock of an app, for so many days by now.
fn hold(etcd: &Etcd, app: &str, author: &str, action: &str, days: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    // In the middle of a minute: by then the age is the same for a while.
    let since = now.as_secs() - days * 86_400 - 30;
    let value = format!(
        r#"{{"format_version":1,"author":"{author}","since":{since},"action":"{action}"}}"#
    );
    etcd.set(&format!("/unitgen/lock/{app}"), value);
    since
}

/// Returns a time as it is shown.
fn shown(since: u64) -> String {
    unitgen::moment::moment(since)
}

#[test]
fn locks_are_listed() {
    let etcd = Etcd::start();
    lock(&etcd, "").stderr("no app is locked\n").run();
    lock(&etcd, "hub web")
        .stderr("nobody has the lock of `hub`, `web`\n")
        .run();
    lock(&etcd, "--format json")
        .stdout("{\n  \"format_version\": 1,\n  \"locks\": []\n}\n")
        .run();
    let hub = hold(&etcd, "hub", "ann@desk", "deploy", 2);
    let hub2 = hold(&etcd, "hub-2", "bob", "rollback to 3", 3);
    etcd.set("/unitgen/lock/odd", "{");
    let first = format!(
        "hub    ann@desk  deploy         since {} (2 d)\n",
        shown(hub)
    );
    lock(&etcd, "")
        .stdout(format!(
            "{first}hub-2  bob       rollback to 3  since {} (3 d)\nodd    somebody  unknown\n",
            shown(hub2)
        ))
        .run();
    lock(&etcd, "web hub hub")
        .stdout(format!(
            "hub  ann@desk  deploy  since {} (2 d)\n",
            shown(hub)
        ))
        .run();
    let output = lock(&etcd, "hub --format json").output();
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let seconds = value["locks"][0]["seconds"].as_u64().unwrap();
    assert!((172_830..172_900).contains(&seconds), "{seconds}");
    assert_eq!(
        value,
        serde_json::json!({
            "format_version": 1,
            "locks": [{
                "app": "hub", "author": "ann@desk", "action": "deploy", "since": hub,
                "seconds": seconds,
            }],
        })
    );
}

#[test]
fn locks_are_taken_away_from_whoever_has_them() {
    let etcd = shared();
    let one = hold(etcd, "lock-command-a", "ann@desk", "deploy", 2);
    let two = hold(etcd, "lock-command-b", "bob", "deploy", 3);
    hold(etcd, "lock-command-c", "bob", "deploy", 3);
    etcd.set("/unitgen/lock/lock-command-d", "");
    lock(
        etcd,
        "--release lock-command-b lock-command-a lock-command-d",
    )
    .stdout(format!(
        "lock-command-a: taken away from ann@desk, who had it since {} (2 d): deploy\n\
             lock-command-b: taken away from bob, who had it since {} (3 d): deploy\n\
             lock-command-d: taken away from somebody, who had it: unknown\n",
        shown(one),
        shown(two)
    ))
    .run();
    assert_eq!(
        etcd.keys("/unitgen/lock/lock-command-"),
        ["/unitgen/lock/lock-command-c"]
    );
    lock(etcd, "--release lock-command-a")
        .stderr("error: nobody has the lock of `lock-command-a`\n")
        .status(1)
        .run();
    // One that is free keeps the others from nothing.
    let again = hold(etcd, "lock-command-b", "bob", "deploy", 3);
    lock(
        etcd,
        "--release lock-command-a lock-command-b lock-command-e",
    )
    .stdout(format!(
        "lock-command-b: taken away from bob, who had it since {} (3 d): deploy\n",
        shown(again)
    ))
    .stderr("error: nobody has the lock of `lock-command-a`, `lock-command-e`\n")
    .status(1)
    .run();
    lock(etcd, "--release lock-command-a --format json")
        .stdout(
            "{\n  \"format_version\": 1,\n  \"free\": [\n    \"lock-command-a\"\n  ],\n  \
             \"released\": []\n}\n",
        )
        .stderr("error: nobody has the lock of `lock-command-a`\n")
        .status(1)
        .run();
}

#[test]
fn what_is_wrong_is_said() {
    lock(shared(), "--release")
        .stderr(
            "error: the following required arguments were not provided:\n  <APP>...\n\n\
             Usage: unitgen lock --release <APP>...\n\nFor more information, try '--help'.\n",
        )
        .status(2)
        .run();
    lock(shared(), "a/b")
        .stderr(
            "error: an app's name can't have `/` here: a-z, 0-9 and `-`, not beginning with `-`\n",
        )
        .status(2)
        .run();
    let nobody = format!("http://127.0.0.1:{}", free_port());
    Test::new()
        .args("lock --release hub")
        .environment("ETCDCTL_ENDPOINTS", &nobody)
        .stderr(format!(
            "error: can't reach etcd at `{nobody}`\n  caused by: connection refused\n\n\
             help: is it this one that is meant? `--endpoints` or ETCDCTL_ENDPOINTS names another\n"
        ))
        .status(3)
        .run();
}
