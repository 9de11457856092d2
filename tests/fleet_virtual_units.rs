//! What becomes of units in a fleet of the test's own as time passes: on their machines, with the units
//! beside them, and when their machine is not there any more.

use std::time::Duration;

use crate::delivery::put_unit;
use crate::fleet_server::{Change, Fate, World};
use crate::fleet_virtual::{NEW, OLD, becomes, get, seconds, service, shown, start, tell, told};

#[test]
fn units_have_fates() {
    let server = start();
    let fates = [
        (
            "slow",
            Fate::runs_after(20),
            &["5 activating/start-pre", "25 active/running"][..],
        ),
        ("hangs", Fate::hangs(), &["5 activating/start-pre"]),
        ("fails", Fate::fails(), &["5 failed/failed"]),
        (
            "late",
            Fate::fails_after(3),
            &["5 active/running", "8 failed/failed"],
        ),
        (
            "crashes",
            Fate::crashes(15, 10),
            &[
                "5 active/running",
                "20 activating/auto-restart",
                "30 active/running",
            ],
        ),
        (
            "recovers",
            Fate::runs_after_crashes(2, 1, 10),
            &[
                "5 active/running",
                "6 activating/auto-restart",
                "16 active/running",
                "17 activating/auto-restart",
                "27 active/running",
            ],
        ),
        (
            "ends",
            Fate::ends_after(4),
            &["5 activating/start", "9 inactive/dead"],
        ),
        (
            "bad",
            Fate::is_not_loaded("bad-setting"),
            &["5 inactive/dead"],
        ),
    ];
    for (name, fate, _) in &fates {
        server.world(|world| world.fate(&format!("{name}.service"), "", fate.clone()));
        let name = format!("{name}.service");
        put_unit(server.endpoint(), &name, &service("old"), "launched");
    }
    seconds(&server, 35);
    for (name, _, expected) in &fates {
        let changes = told(&server, &format!("{name}.service"));
        let words = |line: &String| {
            let words: Vec<&str> = line.split(' ').collect();
            format!("{} {}", words[0], words[2])
        };
        let changes: Vec<String> = changes.iter().map(words).collect();
        assert_eq!(changes, *expected, "{name}");
    }
    let bad = shown(&server, "bad.service");
    assert!(
        bad.ends_with(&format!(":bad-settinginactive/dead {OLD}")),
        "{bad}"
    );
    let failed = shown(&server, "fails.service");
    assert!(failed.starts_with("launched launched"), "{failed}");
    // A new text may have another fate.
    server.world(|world| world.fate("fails.service", "new", Fate::runs()));
    put_unit(
        server.endpoint(),
        "fails.service",
        &service("new"),
        "launched",
    );
    seconds(&server, 11);
    let up = shown(&server, "fails.service");
    assert!(up.ends_with(&format!("active/running {NEW}")), "{up}");
}

#[test]
fn a_companion_stops_and_starts_with_its_unit() {
    let server = start();
    let main = "[Unit]\nWants=%p-b@%i.service\n\n[Service]\nExecStart=/bin/a\n";
    let beside = "[Unit]\nBindsTo=a@%i.service\n\n[Service]\nExecStart=/bin/b\n\n[X-Fleet]\nMachineOf=a@%i.service\n";
    server.world(|world| {
        world.fate("a@1.service", "/bin/a", Fate::runs_after_crashes(1, 10, 5));
        world.fate("a@1.service", "/bin/new", Fate::runs_after(3).stops_in(1));
        world.create("a@1.service", main.to_owned(), "launched");
        world.create("a-b@1.service", beside.to_owned(), "launched");
    });
    seconds(&server, 26);
    let new = main.replace("/bin/a", "/bin/new");
    put_unit(server.endpoint(), "a@1.service", &new, "launched");
    seconds(&server, 20);
    tell(&server, "a@1.service", "loaded");
    seconds(&server, 10);
    let words = |name: &str| -> Vec<String> {
        let lines = told(&server, name).into_iter();
        let words = lines.map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            format!("{} {}", words[0], words[2])
        });
        words.collect()
    };
    assert_eq!(
        words("a@1.service"),
        [
            "5 active/running",
            "15 activating/auto-restart",
            "20 active/running",
            "30 gone",
            "35 activating/start-pre",
            "38 active/running",
            "50 deactivating/stop-sigterm",
            "51 inactive/dead"
        ]
    );
    assert_eq!(
        words("a-b@1.service"),
        [
            "5 active/running",
            "15 inactive/dead",
            "20 active/running",
            "30 inactive/dead",
            "38 active/running",
            "50 inactive/dead"
        ]
    );
    // fleet still holds that it launched it.
    let beside = shown(&server, "a-b@1.service");
    assert!(beside.starts_with("launched launched aaaa0001 | aaaa0001:inactive/dead"));
}

#[test]
fn a_machine_dies_and_comes_back() {
    let server = start();
    let name = "a.service";
    put_unit(server.endpoint(), name, &service("old"), "launched");
    seconds(&server, 6);
    server.world(|world| world.kill(0));
    server.world(|world| world.after(Duration::from_secs(50), |world| world.revive(0)));
    becomes(
        &server,
        name,
        60,
        &[
            "0 launched launched aaaa0001 | aaaa0001:active/running OLD",
            "30 launched inactive aaaa0002 |",
            "34.5 launched launched aaaa0002 | aaaa0002:active/running OLD",
        ],
    );
    assert_eq!(
        told(&server, name),
        [
            "5 aaaa0001 active/running OLD",
            "6 aaaa0001 gone",
            "40 aaaa0002 active/running OLD"
        ]
    );
    let machines = || {
        get(&server, "machines")["machines"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(machines(), 3);
    server.world(|world| world.kill(2));
    seconds(&server, 29);
    assert_eq!(machines(), 3);
    seconds(&server, 1);
    assert_eq!(machines(), 2);
}

#[test]
fn units_move_when_their_machine_does_not_suit_them_any_more() {
    let server = start();
    let conflict = "[Service]\nExecStart=/bin/a\n\n[X-Fleet]\nConflicts=%p@*.service\n";
    for slot in 1..=4 {
        let name = format!("a@{slot}.service");
        put_unit(server.endpoint(), &name, conflict, "launched");
    }
    seconds(&server, 30);
    assert!(shown(&server, "a@4.service").starts_with("launched inactive - |"));
    // The place is free as soon as fleet was told so.
    tell(&server, "a@1.service", "inactive");
    seconds(&server, 2);
    assert_eq!(
        shown(&server, "a@4.service"),
        "launched inactive aaaa0001 |"
    );
    seconds(&server, 6);
    let range = |world: &mut World| {
        let from = Duration::from_secs(5);
        let history = &world.history;
        (
            history.range(from, Change::serves),
            history.range(from, Change::is_busy),
        )
    };
    assert_eq!(server.world(range), ((3, 3), (3, 3)));
    let east = "[Service]\nExecStart=/bin/a\n\n[X-Fleet]\nMachineMetadata=region=us-east\n";
    put_unit(server.endpoint(), "b.service", &service("old"), "launched");
    seconds(&server, 10);
    assert!(shown(&server, "b.service").starts_with("launched launched aaaa0001"));
    put_unit(server.endpoint(), "b.service", east, "launched");
    seconds(&server, 10);
    assert!(shown(&server, "b.service").starts_with("launched launched aaaa0003"));
    let global = "[Service]\nExecStart=/bin/g\n\n[X-Fleet]\nGlobal=true\nConflicts=b.service\n";
    put_unit(server.endpoint(), "g.service", global, "launched");
    seconds(&server, 10);
    let states = shown(&server, "g.service");
    assert!(
        states.contains("aaaa0001:") && states.contains("aaaa0002:"),
        "{states}"
    );
    assert!(!states.contains("aaaa0003:"), "{states}");
}
