//! `unitgen render`, end to end: its results on stdout, as units, as one value and as a patch.

use crate::render::{MANIFEST, rendered, unit};
use crate::test::{Folder, Test};

#[test]
fn units_go_to_stdout() {
    let (one, two) = (unit("one", "1"), unit("two", "2"));
    Test::new()
        .manifest(MANIFEST)
        .args("render -o -")
        .stdout(format!(
            "# one-worker@.service\n{one}\n# two-worker@.service\n{two}"
        ))
        .expect_no_file("units")
        .run();
}

const WHOLE_VALUE: &str = r#"{
  "format_version": 1,
  "removed": REMOVED,
  "units": [
    {
      "app": "two",
      "change": CHANGE,
      "hash": "fa16bc72e7cb5303440e941a45caa1e855be0da9",
      "instances": [
        "two-worker@a.service",
        "two-worker@b.service"
      ],
      "name": "two-worker@.service",
      "place": {
        "column": 3,
        "file": "services.yaml",
        "line": 3
      },
      "state": "launched",
      "text": "[Unit]\nDescription=%p %i\n\n[Service]\nEnvironment=APPLICATION=two\nRestart=always\nRestartSec=10s\nExecStart=/bin/echo 2\n\n[X-Unitgen]\nApp=two\nProcess=worker\n"
    }
  ]
}
"#;

#[test]
fn programs_get_one_json_value() {
    let value = |change: &str, removed: &str| {
        WHOLE_VALUE
            .replace("CHANGE", change)
            .replace("REMOVED", removed)
    };
    let test = |folder: Folder, arguments: &str| Test::within(folder).args(arguments);
    let new = Test::new()
        .manifest(MANIFEST)
        .args("render two -o - --format json");
    let folder = new
        .stdout(value("null", "[]"))
        .expect_no_file("units")
        .run();
    let old = test(folder, "render two --format json").file("units/old@.service", unit("two", "0"));
    let removed = "[\n    \"old@.service\"\n  ]";
    let folder = old.stdout(value("\"created\"", removed)).run();
    let again = test(folder, "render two --format json");
    let folder = again.stdout(value("\"unchanged\"", "[]")).run();
    let check =
        test(folder, "render two --check --format json").file("units/two-worker@.service", "");
    check.stdout(value("\"changed\"", "[]")).status(1).run();
}

#[test]
fn check_shows_a_patch_and_changes_nothing() {
    let folder = Test::within(rendered())
        .args("render --check")
        .stdout("2 units: 2 unchanged\n")
        .run();
    Test::within(folder)
        .manifest("apps: {one: {exec: [/bin/echo, 3]}, six: {exec: [/bin/echo, 6]}}")
        .args("render --check")
        .stdout(
            "\
--- units/one-worker@.service
+++ units/one-worker@.service
@@ -5,7 +5,7 @@
 Environment=APPLICATION=one
 Restart=always
 RestartSec=10s
-ExecStart=/bin/echo 1
+ExecStart=/bin/echo 3
 
 [X-Unitgen]
 App=one
--- /dev/null
+++ units/six-worker@.service
@@ -0,0 +1,12 @@
+[Unit]
+Description=%p %i
+
+[Service]
+Environment=APPLICATION=six
+Restart=always
+RestartSec=10s
+ExecStart=/bin/echo 6
+
+[X-Unitgen]
+App=six
+Process=worker
--- units/two-worker@.service
+++ /dev/null
@@ -1,12 +0,0 @@
-[Unit]
-Description=%p %i
-
-[Service]
-Environment=APPLICATION=two
-Restart=always
-RestartSec=10s
-ExecStart=/bin/echo 2
-
-[X-Unitgen]
-App=two
-Process=worker
2 units: 1 created, 1 changed, 1 removed
",
        )
        .status(1)
        .expect_file("units/one-worker@.service", unit("one", "1"))
        .expect_file("units/two-worker@.service", unit("two", "2"))
        .expect_no_file("units/six-worker@.service")
        .run();
    Test::new()
        .manifest(MANIFEST)
        .args("render --check -o -")
        .stderr("error: `--check` compares with a folder, and `-o -` names none\n")
        .status(2)
        .run();
}
