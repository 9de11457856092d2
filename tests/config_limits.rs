//! The limits of a configuration in etcd: the longest values, the most variables, the longest history.

use proptest::prelude::*;

use unitgen::store::endpoint::Endpoint;
use unitgen::store::{Access, Limits, Store, Tls};

use crate::config_store::{config, history, restart, set, values};
use crate::etcd::shared;
use crate::test::Folder;

#[test]
fn the_longest_values_are_set_replaced_and_brought_back() {
    let length = 1 << 20;
    let long = |byte: u8| vec![byte; length];
    let warning = format!(
        "warning: `A` has {} bytes with its name, and Linux gives no program a variable of more than \
         131071: what needs it would not start\n",
        length + 2
    );
    for (number, byte) in [(1, b'x'), (2, b'y')] {
        let (mark, word) = if number == 1 {
            ('+', "added")
        } else {
            ('~', "changed")
        };
        config("longest", "set A=@long")
            .file("long", long(byte))
            .stdout(format!("{mark} A\nlongest: 1 {word}; change {number}\n"))
            .stderr(warning.clone() + &restart("longest", "1 variable"))
            .run();
    }
    assert_eq!(shared().get("/environment/longest/A").unwrap(), long(b'y'));
    // No lease is left on what the history needs.
    let endpoints = vec![Endpoint::parse(&shared().endpoint, false).unwrap()];
    let store = Store::new(Access {
        endpoints,
        tls: Tls::default(),
        login: None,
        tunnel: None,
        limits: Limits::default(),
    });
    let parts = store
        .unwrap()
        .read("/unitgen/config-parts/longest/")
        .unwrap();
    let leases: Vec<i64> = parts.entries.iter().map(|entry| entry.lease).collect();
    assert_eq!(leases, [0; 4]);
    config("longest", "rollback --to 1")
        .stdout("~ A\nlongest: 1 changed; change 3\n")
        .stderr(restart("longest", "1 variable"))
        .run();
    assert_eq!(shared().get("/environment/longest/A").unwrap(), long(b'x'));
    // More than one request can hold is refused before it is sent.
    config("longest", "set B=@b C=@b")
        .file("b", vec![b'z'; 800_000])
        .stderr(format!(
            "{0}{1}error: all names and values together would have 2648579 bytes, and an app has at most \
             1468006\n\nhelp: no program could be started with so much\n",
            warning.replace("1048578", "800002").replace("`A`", "`B`"),
            warning.replace("1048578", "800002").replace("`A`", "`C`")
        ))
        .status(2)
        .run();
}

#[test]
fn many_variables_are_one_change() {
    let lines: String = (0..3_000)
        .map(|number| format!("KEY_{number:04}=v{number}\n"))
        .collect();
    let folder = config("many", "import many.env")
        .file("many.env", &lines)
        .output();
    assert!(folder.status.success());
    assert_eq!(values("many"), lines);
    assert_eq!(shared().keys("/unitgen/config/many/").len(), 1);
    let more: String = (0..3_600)
        .map(|number| format!("MORE_{number:04}=v\n"))
        .collect();
    config("many", "import more.env")
        .file("more.env", more)
        .stderr(
            "error: 3600 variables would change at once, and etcd changes at most 3580 together\n\n\
             help: change them in several steps\n",
        )
        .status(2)
        .run();
}

#[test]
fn the_history_is_bounded() {
    for number in 0..102 {
        set("bounded", &[&format!("A={number}")]);
    }
    let history = history("bounded");
    assert_eq!(history.len(), 100);
    assert_eq!(history[0], "102  ann@desk  set  +A");
    assert_eq!(history[99], "  3  ann@desk  set  +A");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_got_as_they_were_set(value in prop::collection::vec(1_u8.., 0..300)) {
        let folder: Folder = {
            let test = config("anybytes", "set ANY=@value OTHER=1").file("value", &value);
            let output = test.output();
            prop_assert!(output.status.success(), "{:?}", output);
            test.into_folder()
        };
        drop(folder);
        let output = config("anybytes", "get --raw ANY").output();
        prop_assert_eq!(output.stdout, value);
    }
}
