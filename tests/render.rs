//! `unitgen render`, end to end: what it writes, removes and leaves alone.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::process::Command;

use crate::test::{Folder, PROGRAM, Test};

pub(crate) const MANIFEST: &str = "\
apps:
  one: {exec: [/bin/echo, 1]}
  two: {exec: [/bin/echo, 2], instances: [a, b]}
";

/// The unit of an app that echoes.
pub(crate) fn unit(app: &str, argument: &str) -> String {
    format!(
        "\
[Unit]
Description=%p %i

[Service]
Environment=APPLICATION={app}
Restart=always
RestartSec=10s
ExecStart=/bin/echo {argument}

[X-Unitgen]
App={app}
Process=worker
"
    )
}

/// A folder in which both units are rendered.
#[track_caller]
pub(crate) fn rendered() -> Folder {
    Test::new()
        .manifest(MANIFEST)
        .args("render")
        .stdout(
            "\
created units/one-worker@.service
created units/two-worker@.service
2 units: 2 created
",
        )
        .run()
}

#[test]
fn new_units_are_created() {
    let folder = rendered();
    assert_eq!(folder.names(""), ["services.yaml", "units"]);
    assert_eq!(
        folder.names("units"),
        ["one-worker@.service", "two-worker@.service"]
    );
    assert_eq!(folder.read("units/one-worker@.service"), unit("one", "1"));
    assert_eq!(folder.read("units/two-worker@.service"), unit("two", "2"));
}

#[test]
fn equal_units_are_not_touched() {
    let folder = rendered();
    let state = |folder: &Folder| {
        let metadata = fs::metadata(folder.path("units/one-worker@.service")).unwrap();
        (metadata.ino(), metadata.mtime_nsec(), metadata.ctime_nsec())
    };
    let before = state(&folder);
    let folder = Test::within(folder)
        .args("render")
        .stdout("2 units: 2 unchanged\n")
        .run();
    assert_eq!(state(&folder), before);
}

#[test]
fn units_are_changed_added_and_removed() {
    let folder = Test::within(rendered())
        .manifest("apps: {one: {exec: [/bin/echo, 3]}, six: {exec: [/bin/echo, 6]}}")
        .args("render")
        .stdout(
            "\
changed units/one-worker@.service
created units/six-worker@.service
removed units/two-worker@.service
2 units: 1 created, 1 changed, 1 removed
",
        )
        .expect_file("units/one-worker@.service", unit("one", "3"))
        .expect_file("units/six-worker@.service", unit("six", "6"))
        .run();
    assert_eq!(
        folder.names("units"),
        ["one-worker@.service", "six-worker@.service"]
    );
}

#[test]
fn what_unitgen_did_not_write_stays() {
    let marked = unit("gone", "1");
    Test::within(rendered())
        .file("units/by-hand.service", "[Service]\nExecStart=/bin/true\n")
        .file("units/almost.service", "[Service]\nApp=one\n")
        .file("units/comment.service", "#[X-Unitgen]\n#App=one\n")
        .file("units/bytes.service", b"\xff\xfe")
        .file("units/empty.timer", "")
        .file("units/notes.txt", &marked)
        .file("units/.hidden.service", &marked)
        .file("units/old/gone-worker@.service", &marked)
        .file("units/gone-worker@.service", &marked)
        .args("render")
        .stdout("removed units/gone-worker@.service\n2 units: 1 removed, 2 unchanged\n")
        .expect_file("units/by-hand.service", "[Service]\nExecStart=/bin/true\n")
        .expect_file("units/almost.service", "[Service]\nApp=one\n")
        .expect_file("units/comment.service", "#[X-Unitgen]\n#App=one\n")
        .expect_file("units/empty.timer", "")
        .expect_file("units/notes.txt", &marked)
        .expect_file("units/.hidden.service", &marked)
        .expect_file("units/old/gone-worker@.service", &marked)
        .expect_no_file("units/gone-worker@.service")
        .run();
}

#[test]
fn only_selected_apps_are_written_and_removed() {
    let old = |app: &str| unit(app, "0");
    Test::new()
        .manifest(MANIFEST)
        .file("units/one-old@.service", old("one"))
        .file("units/two-old@.service", old("two"))
        .file("units/other@.service", old("other"))
        .args("render one")
        .stdout(
            "\
removed units/one-old@.service
created units/one-worker@.service
1 unit: 1 created, 1 removed
",
        )
        .expect_file("units/one-worker@.service", unit("one", "1"))
        .expect_file("units/two-old@.service", old("two"))
        .expect_file("units/other@.service", old("other"))
        .expect_no_file("units/two-worker@.service")
        .expect_no_file("units/one-old@.service")
        .run();
    Test::new()
        .manifest(MANIFEST)
        .args("render two one")
        .stdout(
            "\
created units/one-worker@.service
created units/two-worker@.service
2 units: 2 created
",
        )
        .run();
}

#[test]
fn an_app_that_is_not_there_is_named() {
    Test::new()
        .manifest("apps: {watchlisthub: {exec: /bin/true}}")
        .args("render watchlishub")
        .stderr("error: there is no app `watchlishub`\n\nhelp: did you mean `watchlisthub`?\n")
        .status(2)
        .expect_no_file("units")
        .run();
    Test::new()
        .manifest(MANIFEST)
        .args("render one elsewhere")
        .stderr("error: there is no app `elsewhere`\n")
        .status(2)
        .expect_no_file("units")
        .run();
}

#[test]
fn units_go_where_they_are_asked_for() {
    Test::new()
        .manifest(MANIFEST)
        .args("render one -o deep/er")
        .stdout("created deep/er/one-worker@.service\n1 unit: 1 created\n")
        .expect_file("deep/er/one-worker@.service", unit("one", "1"))
        .expect_no_file("units")
        .run();
    Test::new()
        .file("sub/services.yaml", MANIFEST)
        .args("-f sub/services.yaml render one")
        .stdout("created sub/units/one-worker@.service\n1 unit: 1 created\n")
        .expect_file("sub/units/one-worker@.service", unit("one", "1"))
        .expect_no_file("units")
        .run();
}

#[test]
fn a_faulty_manifest_leaves_the_units_as_they_are() {
    Test::within(rendered())
        .manifest("apps: {one: {exec: [/bin/echo, 3], prot: 80}}")
        .args("render")
        .stderr(
            "\
error: unknown key `prot`
 --> services.yaml:1:36
  |
1 | apps: {one: {exec: [/bin/echo, 3], prot: 80}}
  |                                    ^^^^
  |
  = help: did you mean `port`?

1 error
",
        )
        .status(2)
        .expect_file("units/one-worker@.service", unit("one", "1"))
        .expect_file("units/two-worker@.service", unit("two", "2"))
        .run();
}

#[test]
fn manifests_come_from_the_environment_and_from_stdin() {
    let over = "apps: {two: null, one: {exec: [/bin/echo, 4]}}";
    Test::new()
        .file("a.yaml", MANIFEST)
        .file("b.yaml", over)
        .environment("UNITGEN_FILE", "a.yaml:b.yaml")
        .args("render -o -")
        .stdout(format!("# one-worker@.service\n{}", unit("one", "4")))
        .run();
    Test::new()
        .file("a.yaml", MANIFEST)
        .stdin(over)
        .environment("UNITGEN_FILE", "nowhere.yaml")
        .args("render -o - -f a.yaml -f -")
        .stdout(format!("# one-worker@.service\n{}", unit("one", "4")))
        .run();
}

#[test]
fn new_files_have_the_usual_permissions() {
    let folder = Folder::new();
    folder.write("services.yaml", MANIFEST);
    let run = |mask: &str| {
        let script = format!("umask {mask} && exec \"$0\" render");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &script, PROGRAM]).env_clear();
        let output = command.current_dir(folder.path("")).output().unwrap();
        assert!(output.status.success());
    };
    let mode = |path: &str| {
        fs::metadata(folder.path(path))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    run("022");
    assert_eq!(mode("units"), 0o755);
    assert_eq!(mode("units/one-worker@.service"), 0o644);
    folder.write("units/two-worker@.service", "");
    fs::remove_file(folder.path("units/one-worker@.service")).unwrap();
    run("027");
    assert_eq!(mode("units/one-worker@.service"), 0o640);
    assert_eq!(mode("units/two-worker@.service"), 0o640);
}

#[test]
fn a_link_is_replaced_and_what_it_leads_to_is_not_written() {
    let folder = rendered();
    fs::remove_file(folder.path("units/one-worker@.service")).unwrap();
    folder.write("elsewhere", "kept");
    std::os::unix::fs::symlink("../elsewhere", folder.path("units/one-worker@.service")).unwrap();
    Test::within(folder)
        .args("render")
        .stdout("changed units/one-worker@.service\n2 units: 1 changed, 1 unchanged\n")
        .expect_file("elsewhere", "kept")
        .expect_file("units/one-worker@.service", unit("one", "1"))
        .run();
}

#[test]
fn a_folder_in_the_way_of_a_unit_is_named() {
    Test::new()
        .manifest(MANIFEST)
        .file("units/one-worker@.service/x", "")
        .args("render")
        .stderr(
            "\
error: `units/one-worker@.service` is no regular file

help: take it away
",
        )
        .status(2)
        .expect_no_file("units/two-worker@.service")
        .run();
}
