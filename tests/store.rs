//! The door to etcd, against real ones: TLS, log-ins, members that are gone, frozen or behind ssh.

use std::time::{Duration, Instant};

use unitgen::error::CommandError;
use unitgen::store::endpoint::Endpoint;
use unitgen::store::transaction::{Condition, Operation, Outcome, Transaction};
use unitgen::store::{Access, Limits, Login, Store, Tls};

use crate::etcd::{Certificates, Etcd, cluster, free_port, shared};

fn access(endpoints: &[&str]) -> Access {
    let endpoint = |text: &&str| Endpoint::parse(text, false).unwrap();
    Access {
        endpoints: endpoints.iter().map(endpoint).collect(),
        tls: Tls::default(),
        login: None,
        tunnel: None,
        limits: Limits {
            dialing: Duration::from_secs(1),
            command: Duration::from_secs(1),
        },
    }
}

fn store(endpoints: &[&str]) -> Store {
    Store::new(access(endpoints)).unwrap()
}

fn put(key: &str, value: &str) -> Operation {
    Operation::Put {
        key: key.to_owned(),
        value: value.as_bytes().to_vec(),
        lease: 0,
    }
}

fn write(store: &Store, operations: Vec<Operation>) -> Outcome {
    let conditions = Vec::new();
    let transaction = Transaction {
        conditions,
        operations,
    };
    store.commit(&transaction).unwrap()
}

fn said(error: &CommandError) -> (String, Vec<String>) {
    (error.message.clone(), error.causes())
}

#[test]
fn what_is_written_is_read() {
    let store = store(&[&shared().endpoint]);
    let outcome = write(&store, vec![put("/read/b", "2"), put("/read/a", "1")]);
    let Outcome::Committed(revision) = outcome else {
        panic!("{outcome:?}");
    };
    let reading = store.read("/read/").unwrap();
    assert!(reading.revision >= revision);
    let entries = reading.entries.iter();
    let found: Vec<_> = entries
        .map(|entry| (entry.key.as_str(), entry.value.as_slice(), entry.revision))
        .collect();
    assert_eq!(
        found,
        [
            ("/read/a", &b"1"[..], revision),
            ("/read/b", b"2", revision)
        ]
    );
    assert_eq!(store.keys("/read/").unwrap(), ["/read/a", "/read/b"]);
    assert_eq!(store.get("/read/a").unwrap().unwrap().value, b"1");
    assert_eq!(store.get("/read/").unwrap(), None);
    let gone = Operation::DeleteRange {
        from: "/read/a".to_owned(),
        to: "/read/b".to_owned(),
    };
    write(&store, vec![gone]);
    assert_eq!(store.keys("/read/").unwrap(), ["/read/b"]);
}

#[test]
fn nothing_is_done_where_a_condition_does_not_hold() {
    let store = store(&[&shared().endpoint]);
    let unchanged = |revision| Condition::Unchanged {
        key: "/held/a".to_owned(),
        revision,
    };
    let nothing_newer = |revision| Condition::NothingNewer {
        prefix: "/held/".to_owned(),
        revision,
    };
    let commit = |conditions: Vec<Condition>, value: &str| {
        let operations = vec![put("/held/a", value)];
        let transaction = Transaction {
            conditions,
            operations,
        };
        store.commit(&transaction).unwrap()
    };
    let Outcome::Committed(first) = commit(vec![unchanged(0)], "1") else {
        panic!("not written");
    };
    assert_eq!(commit(vec![unchanged(0)], "2"), Outcome::Conflict);
    assert_eq!(
        commit(vec![nothing_newer(first - 1)], "2"),
        Outcome::Conflict
    );
    assert_eq!(store.get("/held/a").unwrap().unwrap().value, b"1");
    let both = vec![unchanged(first), nothing_newer(first)];
    assert!(matches!(commit(both, "3"), Outcome::Committed(_)));
    assert_eq!(store.get("/held/a").unwrap().unwrap().value, b"3");
}

#[test]
fn a_transaction_is_whole_whatever_its_size() {
    let store = store(&[&shared().endpoint]);
    let operations = (0..3_600).map(|number| put(&format!("/many/{number:04}"), "x"));
    let outcome = write(&store, operations.collect());
    let Outcome::Committed(revision) = outcome else {
        panic!("{outcome:?}");
    };
    let reading = store.read("/many/").unwrap();
    assert_eq!(reading.entries.len(), 3_600);
    assert!(
        reading
            .entries
            .iter()
            .all(|entry| entry.revision == revision)
    );
}

#[test]
fn what_is_too_large_for_etcd_is_refused() {
    let store = store(&[&shared().endpoint]);
    let operations = vec![put("/large", &"x".repeat(1_600_000))];
    let transaction = Transaction {
        conditions: Vec::new(),
        operations,
    };
    let error = store.commit(&transaction).unwrap_err();
    let (message, causes) = said(&error);
    assert_eq!(message, "can't write to etcd");
    assert_eq!(causes, ["etcd: request is too large"]);
    assert!(!error.may_pass);
}

#[test]
fn keys_live_as_long_as_their_lease() {
    let store = store(&[&shared().endpoint]);
    let lease = store.grant(60).unwrap();
    let leased = |key: &str| Operation::Put {
        key: key.to_owned(),
        value: b"1".to_vec(),
        lease,
    };
    write(&store, vec![leased("/leased/a"), leased("/leased/b")]);
    assert_eq!(store.get("/leased/a").unwrap().unwrap().lease, lease);
    assert!(store.renew(lease).unwrap());
    let key = "/leased/b".to_owned();
    write(&store, vec![Operation::Keep { key }]);
    store.revoke(lease).unwrap();
    assert_eq!(store.keys("/leased/").unwrap(), ["/leased/b"]);
    assert!(!store.renew(lease).unwrap());
    store.revoke(lease).unwrap();
}

#[test]
fn tls_needs_who_vouches_and_who_is_vouched_for() {
    let certificates = Certificates::new();
    let etcd = Etcd::with_tls(&certificates);
    etcd.set("/tls", "1");
    let read = |name: &str| std::fs::read(certificates.path(name)).unwrap();
    let get = |authority: &str, identity: Option<&str>| {
        let mut access = access(&[&etcd.endpoint]);
        let pair = |name: &str| (read(&format!("{name}.pem")), read(&format!("{name}.key")));
        access.tls = Tls {
            authority: Some(read(authority)),
            identity: identity.map(pair),
        };
        Store::new(access).unwrap().get("/tls")
    };
    let entry = get("authority.pem", Some("client")).unwrap().unwrap();
    assert_eq!(entry.value, b"1");
    let here = format!("can't reach etcd at `{}`", etcd.endpoint);
    let cause = |result: Result<_, CommandError>| {
        let (message, causes) = said(&result.unwrap_err());
        assert_eq!(message, here);
        causes
    };
    assert_eq!(
        cause(get("stranger.pem", Some("client"))),
        ["the connection broke off: invalid peer certificate: BadSignature"]
    );
    let refused = cause(get("authority.pem", None));
    assert_eq!(
        refused,
        ["the connection broke off: the server closed it, and may want a client's certificate"]
    );
}

#[test]
fn who_logs_in_may_do_what_the_role_allows() {
    let etcd = Etcd::start();
    for words in [
        "user add root:top",
        "user grant-role root root",
        "role add hub",
        "role grant-permission hub readwrite /environment/hub/ /environment/hub0",
        "user add ann:secret",
        "user grant-role ann hub",
        "put /environment/hub/A 1",
        "auth enable",
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        assert!(etcd.control(&words, ""), "{words:?}");
    }
    let get = |login: Option<(&str, &str)>, key: &str| {
        let mut access = access(&[&etcd.endpoint]);
        access.login = login.map(|(name, password)| Login {
            name: name.to_owned(),
            password: password.to_owned(),
        });
        Store::new(access).unwrap().get(key)
    };
    let ann = Some(("ann", "secret"));
    let entry = get(ann, "/environment/hub/A").unwrap().unwrap();
    assert_eq!(entry.value, b"1");
    let refusal = |login, key: &str| {
        let error = get(login, key).unwrap_err();
        assert!(!error.may_pass);
        error.causes()
    };
    assert_eq!(
        refusal(ann, "/environment/other/A"),
        ["etcd: permission denied"]
    );
    assert_eq!(
        refusal(Some(("ann", "wrong")), "/environment/hub/A"),
        ["etcd: authentication failed, invalid user ID or password"]
    );
    assert_eq!(
        refusal(None, "/environment/hub/A"),
        ["etcd: user name is empty"]
    );
    // Where nobody has to log in, a name does no harm.
    let mut access = access(&[&shared().endpoint]);
    access.login = Some(Login {
        name: "ann".to_owned(),
        password: "secret".to_owned(),
    });
    assert_eq!(Store::new(access).unwrap().get("/none").unwrap(), None);
}

#[test]
fn endpoints_are_asked_until_one_answers() {
    let [mut one, two, three] = cluster();
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let all = [&nobody, &one.endpoint, &two.endpoint, &three.endpoint].map(String::clone);
    let store = store(&all.each_ref().map(String::as_str));
    assert!(matches!(
        write(&store, vec![put("/a", "1")]),
        Outcome::Committed(_)
    ));
    // The one that is spoken with stands still: reading goes on with the next.
    one.freeze();
    let start = Instant::now();
    assert_eq!(store.get("/a").unwrap().unwrap().value, b"1");
    assert!(
        start.elapsed() < Duration::from_secs(8),
        "{:?}",
        start.elapsed()
    );
    one.thaw();
    // It is gone, and the others have a leader, or get one.
    one.stop();
    let patience = Instant::now() + Duration::from_secs(20);
    loop {
        match store.commit(&Transaction {
            conditions: Vec::new(),
            operations: vec![put("/a", "2")],
        }) {
            Ok(Outcome::Committed(_)) => break,
            other => assert!(Instant::now() < patience, "{other:?}"),
        }
    }
    // One alone is no majority: it says so, or says nothing.
    two.freeze();
    let error = store.get("/a").unwrap_err();
    assert!(error.may_pass, "{error:?}");
    assert_eq!(
        error.message,
        format!("can't reach etcd at `{}`", all.join(","))
    );
    two.thaw();
}

#[test]
fn a_write_that_is_not_answered_is_not_known_to_have_been() {
    let etcd = Etcd::start();
    let store = store(&[&etcd.endpoint]);
    assert!(matches!(
        write(&store, vec![put("/a", "1")]),
        Outcome::Committed(_)
    ));
    etcd.freeze();
    assert_eq!(write(&store, vec![put("/a", "2")]), Outcome::Unknown);
    etcd.thaw();
    // The same store goes on, and either value may be there.
    let entry = store.get("/a").unwrap().unwrap();
    assert!([b"1", b"2"].contains(&entry.value.as_slice().try_into().unwrap()));
}

#[test]
fn a_connection_that_ended_meanwhile_is_made_anew() {
    let mut etcd = Etcd::start();
    let store = store(&[&etcd.endpoint]);
    write(&store, vec![put("/a", "1")]);
    etcd.stop();
    etcd.start_again();
    assert_eq!(store.get("/a").unwrap().unwrap().value, b"1");
}
