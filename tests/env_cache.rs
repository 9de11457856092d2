//! `--cache`: what a machine starts from while etcd is out of reach, and when it does not.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::env_scene::{Scene, machine};
use crate::etcd::{Etcd, free_port, shared};
use crate::test::{Folder, Test};

const SECRET: &str = "hunter2";

/// Asks etcd, and keeps what it says.
fn kept(app: &'static str) -> Folder {
    Scene::new(app)
        .set("SECRET", SECRET)
        .test("json --cache kept")
        .stdout(format!("{{\n  \"SECRET\": \"{SECRET}\"\n}}\n"))
        .run()
}

/// Asks where nobody is.
fn alone(folder: Folder, arguments: &str) -> Test {
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    machine(folder, arguments).environment("ETCDCTL_ENDPOINTS", &nowhere)
}

/// Runs a command that can't use what is kept, and returns what it says of that.
#[track_caller]
fn refused(test: &Test) -> String {
    let output = test.output();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(
        output.stdout.is_empty() && !message.contains(SECRET),
        "{message}"
    );
    let (warning, error) = message.split_once('\n').unwrap();
    assert!(
        error.starts_with("error: can't reach etcd at `"),
        "{message}"
    );
    warning.to_owned()
}

/// Puts another time into what is kept: so many seconds ago.
fn age(folder: &Folder, seconds: i64) {
    let mut kept: serde_json::Value = serde_json::from_str(&folder.read("kept")).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    kept["time"] = (i64::try_from(now.as_secs()).unwrap() - seconds).into();
    // Without a new file, whose mode would be another one.
    folder.write("kept", kept.to_string());
}

#[test]
fn an_answer_is_kept_for_its_owner_alone_and_used_aloud() {
    let folder = kept("cached");
    assert_eq!(
        fs::metadata(folder.path("kept")).unwrap().mode() & 0o7777,
        0o600
    );
    assert!(
        folder
            .read("kept")
            .starts_with("{\n  \"format_version\": 1,\n  \"time\": ")
    );
    age(&folder, 7_500);
    let test = alone(
        folder,
        "exec -a cached --cache kept --max-age 3h -- printenv SECRET",
    );
    let output = test.output();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "hunter2\n");
    assert_eq!(output.status.code(), Some(0));
    let message = String::from_utf8(output.stderr).unwrap();
    let first = message.lines().next().unwrap();
    assert!(
        first.starts_with("warning: etcd is out of reach: what it said at 20")
            && first.ends_with("Z (2 h 5 min ago) is used, from `kept`"),
        "{message}"
    );
    assert!(
        message.contains("\n  caused by: can't reach etcd at `http://127.0.0.1:"),
        "{message}"
    );
    assert!(!message.contains(SECRET));
}

#[test]
fn an_answer_that_is_too_old_is_not_used() {
    let folder = kept("old");
    age(&folder, 86_400 + 3_600);
    let test = alone(folder, "json -a old --cache kept --max-age 24h");
    let warning = refused(&test);
    assert!(
        warning.starts_with("warning: `kept` can't be used in etcd's place: it is of 20")
            && warning.ends_with("Z, 1 d 1 h ago, and `--max-age` is 1 d"),
        "{warning}"
    );
    let folder = test.into_folder();
    age(&folder, -3_600);
    let test = alone(folder, "json -a old --cache kept --max-age 24h");
    let warning = refused(&test);
    assert!(
        warning.ends_with("Z, which is yet to come by the clock here"),
        "{warning}"
    );
}

#[test]
fn what_others_can_have_written_or_read_is_not_used() {
    let prefix = "warning: `kept` can't be used in etcd's place:";
    let folder = kept("trust");
    let mut permissions = fs::metadata(folder.path("kept")).unwrap().permissions();
    permissions.set_mode(0o640);
    fs::set_permissions(folder.path("kept"), permissions).unwrap();
    let test = alone(folder, "json -a trust --cache kept");
    assert_eq!(
        refused(&test),
        format!("{prefix} others than its owner can use it (mode 0640)")
    );
    let folder = kept("trust");
    if fs::metadata(folder.path("kept")).unwrap().uid() == 0 {
        std::os::unix::fs::chown(folder.path("kept"), Some(12_345), None).unwrap();
        let test = alone(folder, "json -a trust --cache kept");
        assert_eq!(
            refused(&test),
            format!("{prefix} it belongs to another user")
        );
    }
    let test = alone(kept("trust"), "json -a trust --cache bin");
    assert_eq!(
        refused(&test),
        "warning: `bin` can't be used in etcd's place: it is no regular file"
    );
    let test = alone(kept("trust"), "json -a trust --cache none");
    assert_eq!(
        refused(&test),
        "warning: `none` can't be used in etcd's place: there is none yet"
    );
}

#[test]
fn what_is_torn_or_of_another_request_is_not_used() {
    let prefix = "warning: `kept` can't be used in etcd's place:";
    let other = format!("{prefix} it holds the answer to another request");
    let folder = kept("torn-cache");
    let test = alone(folder, "json -a other --cache kept");
    assert_eq!(refused(&test), other);
    let test = alone(
        test.into_folder(),
        "json -a torn-cache --key A=/b --cache kept",
    );
    assert_eq!(refused(&test), other);
    let folder = test.into_folder();
    let whole = folder.read("kept");
    folder.write("kept", &whole[..whole.len() - 9]);
    let test = alone(folder, "json -a torn-cache --cache kept");
    let warning = refused(&test);
    assert!(
        warning.starts_with(&format!("{prefix} it is no whole file of this kind (line ")),
        "{warning}"
    );
}

#[test]
fn an_answer_of_etcds_goes_before_what_is_kept() {
    let mut etcd = Etcd::start();
    let ask = |etcd: &Etcd, folder: Folder, arguments: &str| {
        machine(folder, arguments).environment("ETCDCTL_ENDPOINTS", &etcd.endpoint)
    };
    etcd.set("/environment/hub/SECRET", SECRET);
    let folder = ask(&etcd, Folder::new(), "json -a hub --cache kept")
        .stdout("{\n  \"SECRET\": \"hunter2\"\n}\n")
        .run();
    let before = folder.read("kept");
    // A required variable is gone: that is an answer, and what is kept stays for worse days.
    assert!(etcd.control(&["del", "/environment/hub/SECRET"], ""));
    etcd.put("/environment/hub/OTHER");
    let test = ask(&etcd, folder, "json -a hub --cache kept --require SECRET");
    assert_eq!(test.output().status.code(), Some(1));
    assert_eq!(test.folder().read("kept"), before);
    // The app is gone.
    assert!(etcd.control(&["del", "/environment/hub/OTHER"], ""));
    let test = ask(&etcd, test.into_folder(), "json -a hub --cache kept");
    assert_eq!(test.output().status.code(), Some(1));
    // Nobody may read.
    for arguments in [
        &["user", "add", "root:pw"][..],
        &["user", "grant-role", "root", "root"],
        &["auth", "enable"],
    ] {
        assert!(etcd.control(arguments, ""), "{arguments:?}");
    }
    let test = ask(&etcd, test.into_folder(), "json -a hub --cache kept");
    let output = test.output();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{message}");
    assert!(
        output.stdout.is_empty() && !message.contains("kept"),
        "{message}"
    );
    // etcd is gone.
    etcd.stop();
    let test = ask(&etcd, test.into_folder(), "json -a hub --cache kept");
    let output = test.output();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout, b"{\n  \"SECRET\": \"hunter2\"\n}\n");
}

#[test]
fn what_cant_be_kept_stops_nothing() {
    shared().set("/environment/unkept/A", "b");
    Scene::new("unkept")
        .test("exec --cache nowhere/kept -- echo run")
        .stdout("run\n")
        .stderr(
            "warning: what etcd said is not kept: can't write `nowhere/kept`: No such file or directory \
             (os error 2)\n",
        )
        .run();
}

#[test]
fn an_answer_that_starts_nothing_is_not_kept() {
    // The last good one is worth more.
    let folder = kept("refused");
    let before = folder.read("kept");
    shared().set("/environment/refused/TZ", "Europe/Berlin");
    let test = Test::within(folder)
        .args("env exec -a refused --cache kept -- true")
        .environment("PATH", "/usr/bin:/bin")
        .environment("ETCDCTL_ENDPOINTS", &shared().endpoint)
        .stderr(
            "\
error: the command can't get what is configured
  caused by: `TZ`: it would steer the program itself, its loader or a shell

help: leave it out of the configuration; where the unit's author means it, the unit says so: `--key TZ=/environment/refused/TZ`
",
        )
        .status(2);
    let folder = test.run();
    assert_eq!(folder.read("kept"), before);
}
