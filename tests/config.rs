//! `unitgen check --config` against a real etcd.

use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::etcd::{Etcd, free_port};
use crate::test::Test;

fn check(etcd: &Etcd, manifest: &str) -> Test {
    let arguments = format!("check --config --endpoints {}", etcd.endpoint);
    Test::new().manifest(manifest).args(&arguments)
}

const MANIFEST: &str = "\
apps:
  hub:
    image: hub:1
    required: [DATABASE_URL, SECRET]
    environment: {CACHE_URL: {etcd: /shared/cache}}
    processes: {http: {port: 80}, worker: {config: /environment/other}}
";

#[test]
fn required_keys_are_looked_for() {
    let etcd = Etcd::start();
    for key in [
        "/environment/hub/SECRET",
        "/environment/hub/DATABASE_URL_2",
        "/environment/hub2/DATABASE_URL",
        "/environment/other/DATABASE_URL",
        "/shared/cache/url",
    ] {
        etcd.put(key);
    }
    check(&etcd, MANIFEST)
        .stdout(
            "\
error: etcd has no `/environment/hub/DATABASE_URL`
 --> services.yaml:4:16
  |
4 |     required: [DATABASE_URL, SECRET]
  |                ^^^^^^^^^^^^
  |
  = help: the unit would refuse to start: set the variable first

error: etcd has no `/environment/other/SECRET`
 --> services.yaml:4:30
  |
4 |     required: [DATABASE_URL, SECRET]
  |                              ^^^^^^
  |
  = help: the unit would refuse to start: set the variable first

error: etcd has no `/shared/cache`
 --> services.yaml:5:19
  |
5 |     environment: {CACHE_URL: {etcd: /shared/cache}}
  |                   ^^^^^^^^^
  |
  = help: `CACHE_URL` takes its value from there

3 errors
",
        )
        .status(1)
        .run();
    for key in [
        "/environment/hub/DATABASE_URL",
        "/environment/other/SECRET",
        "/shared/cache",
    ] {
        etcd.put(key);
    }
    check(&etcd, MANIFEST)
        .stdout("nothing found in 2 units\n")
        .run();
    Test::new()
        .manifest(MANIFEST)
        .args("check --config")
        .environment("ETCDCTL_ENDPOINTS", &etcd.endpoint)
        .stdout("nothing found in 2 units\n")
        .run();
}

#[test]
fn what_is_not_known_and_what_stands_twice_is_told_without_values() {
    let etcd = Etcd::start();
    for key in [
        "SECRET",
        "LOG_LEVEL",
        "OLD_URL",
        "RACK_ENV",
        "VERSION",
        "a=secret",
    ] {
        etcd.put(&format!("/environment/hub/{key}"));
    }
    let manifest = "\
apps:
  hub:
    image: hub:1
    required: SECRET
    config_keys: [LOG_LEVEL]
    environment: {RACK_ENV: production}
    processes: {http: {port: 80}, worker: {config_keys: [DATABASE_URL]}}
";
    check(&etcd, manifest)
        .stdout(
            "\
warning: etcd's `/environment/hub` has `VERSION`, which the units set themselves
 --> services.yaml:2:3
  |
2 |   hub:
  |   ^^^
  |
  = help: `unitgen env` leaves such names out: choose another

warning: etcd's `/environment/hub` has `a=…`, which can't name a variable
 --> services.yaml:2:3
  |
2 |   hub:
  |   ^^^
  |
  = help: a variable's name has A-Z, a-z, 0-9 and `_`, and does not begin with a digit

warning: etcd's `/environment/hub` has `OLD_URL`, which the manifest does not know
 --> services.yaml:5:18
  |
5 |     config_keys: [LOG_LEVEL]
  |                  ^^^^^^^^^^^
  |
  = help: add it here, or take it out of the app's config

warning: `RACK_ENV` is set in etcd's `/environment/hub` as well
 --> services.yaml:6:19
  |
6 |     environment: {RACK_ENV: production}
  |                   ^^^^^^^^ the app's config wins over this
  |
  = help: leave it out here, or take it out of the app's config

4 warnings
",
        )
        .run();
    let manifest = manifest.replace("SECRET", "[SECRET, DATABASE_URL]");
    let github = check(&etcd, &manifest);
    let arguments = github.arguments().join(" ");
    github
        .args(&format!("{arguments} --format github"))
        .stdout(
            "\
::warning file=services.yaml,line=2,col=3::etcd's `/environment/hub` has `VERSION`, which the units \
set themselves%0A`unitgen env` leaves such names out: choose another
::warning file=services.yaml,line=2,col=3::etcd's `/environment/hub` has `a=…`, which can't name a \
variable%0Aa variable's name has A-Z, a-z, 0-9 and `_`, and does not begin with a digit
::error file=services.yaml,line=4,col=24::etcd has no `/environment/hub/DATABASE_URL`%0Athe unit would \
refuse to start: set the variable first
::warning file=services.yaml,line=5,col=18::etcd's `/environment/hub` has `OLD_URL`, which the \
manifest does not know%0Aadd it here, or take it out of the app's config
::warning file=services.yaml,line=6,col=19::`RACK_ENV` is set in etcd's `/environment/hub` as \
well%0Athe app's config wins over this%0Aleave it out here, or take it out of the app's config
",
        )
        .status(1)
        .run();
}

#[test]
fn more_keys_than_one_answer_holds_are_all_seen() {
    let etcd = Etcd::with("http", &["--max-txn-ops", "4096"], Vec::new());
    let puts: String = (0..2_500)
        .map(|number| format!("put /environment/hub/KEY_{number:04} x\n"))
        .collect();
    assert!(etcd.control(&["txn"], format!("\n{puts}\n\n")));
    let manifest = |name: &str| {
        format!(
            "apps:\n  hub: {{image: 'hub:1', required: [KEY_0000, KEY_0999, KEY_1000, {name}]}}\n"
        )
    };
    check(&etcd, &manifest("KEY_2499"))
        .stdout("nothing found in 1 unit\n")
        .run();
    check(&etcd, &manifest("KEY_2500"))
        .stdout(
            "\
error: etcd has no `/environment/hub/KEY_2500`
 --> services.yaml:2:66
  |
2 |   hub: {image: 'hub:1', required: [KEY_0000, KEY_0999, KEY_1000, KEY_2500]}
  |                                                                  ^^^^^^^^
  |
  = help: the unit would refuse to start: set the variable first

1 error
",
        )
        .status(1)
        .run();
}

fn unreachable(endpoint: &str, cause: &str) -> String {
    format!(
        "\
error: can't reach etcd at `{endpoint}`
  caused by: {cause}

help: is it this one that is meant? `--endpoints` or ETCDCTL_ENDPOINTS names another
"
    )
}

#[test]
fn nobody_listens() {
    let endpoint = format!("http://127.0.0.1:{}", free_port());
    Test::new()
        .manifest(MANIFEST)
        .args(&format!("check --config --endpoints {endpoint}"))
        .stderr(unreachable(&endpoint, "connection refused"))
        .status(3)
        .run();
}

#[test]
fn somebody_listens_and_never_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let held: Vec<_> = listener
            .incoming()
            .map(Result::<TcpStream, _>::unwrap)
            .collect();
        drop(held);
    });
    let start = Instant::now();
    Test::new()
        .manifest(MANIFEST)
        .args(&format!("check --config --endpoints {endpoint}"))
        .stderr(unreachable(&endpoint, "no answer within 5 s"))
        .status(3)
        .run();
    let time = start.elapsed();
    assert!(time < Duration::from_secs(9), "{time:?}");
}
