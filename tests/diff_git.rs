//! `unitgen diff` against a revision of git.

use std::process::Command;

use crate::test::{Folder, Test};

/// Makes a repository of what is in a folder.
fn commit(folder: &Folder) {
    for arguments in [
        &["init", "-q", "."][..],
        &["add", "-A"],
        &[
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "commit",
            "-qm",
            "one",
        ],
    ] {
        let status = Command::new("git")
            .args(arguments)
            .current_dir(folder.path(""))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("HOME", "/nonexistent")
            .status();
        assert!(status.unwrap().success());
    }
}

fn against_revision(folder: Folder, revision: &str) -> Test {
    let path = std::env::var("PATH").unwrap();
    Test::within(folder)
        .args(&format!("diff --against git:{revision}"))
        .environment("PATH", &path)
}

#[test]
fn a_branch_changes_units_and_instances() {
    let before = "apps:\n  a: {exec: [/bin/a], instances: 2}\n  b: {exec: [/bin/b]}\n";
    let after = "apps:\n  a: {exec: [/bin/a, x], instances: 1}\n  c: {exec: [/bin/c]}\n";
    let folder = Test::new().manifest(before).into_folder();
    commit(&folder);
    let folder = against_revision(folder, "HEAD")
        .stdout("nothing differs: 2 units, 3 instances\n")
        .run();
    folder.write("services.yaml", after);
    against_revision(folder, "HEAD")
        .status(1)
        .stdout(
            "\
changed    a-worker@.service  services.yaml:2:13
  restarts 1 instance, stops 1 instance
  [Service]
  - ExecStart=/bin/a
  + ExecStart=/bin/a x
  - a-worker@2.service  unwanted, is launched

unwanted   b-worker@.service
  of app `b`, which the manifest does not have
  stops 1 instance
  - b-worker@1.service  unwanted, is launched

new        c-worker@.service  services.yaml:3:3
  starts 1 instance
  [Unit]
  + Description=%p %i
  [Service]
  + Environment=APPLICATION=c
  + Restart=always
  + RestartSec=10s
  + ExecStart=/bin/c
  [X-Unitgen]
  + App=c
  + Process=worker
  + c-worker@1.service  missing, is to be launched

units: 1 changed, 1 new, 1 unwanted; instances: 1 missing, 2 unwanted, 1 stale
",
        )
        .run();
}

#[test]
fn a_template_of_then_counts() {
    let folder = Test::new()
        .manifest("apps:\n  a: {exec: [/bin/a]}\n")
        .into_folder();
    folder.write(
        "templates/plain.service.tera",
        "[Service]\nExecStart=/bin/old\n",
    );
    commit(&folder);
    folder.write(
        "templates/plain.service.tera",
        "[Service]\nExecStart=/bin/new\n",
    );
    against_revision(folder, "HEAD")
        .status(1)
        .stdout(
            "changed    a-worker@.service  services.yaml:2:3\n  restarts 1 instance\n  [Service]\n  \
             - ExecStart=/bin/old\n  + ExecStart=/bin/new\n\nunits: 1 changed; instances: 1 stale\n",
        )
        .run();
}

#[test]
fn a_revision_without_the_manifest_has_nothing() {
    let folder = Test::new().file("README", "x").into_folder();
    commit(&folder);
    folder.write(
        "services.yaml",
        "apps:\n  a: {exec: [/bin/a], instances: 0}\n",
    );
    let options = against_revision(folder, "HEAD");
    let arguments = options.arguments().join(" ");
    options
        .args(&format!("{arguments} --stat"))
        .status(1)
        .stdout(
            "new        a-worker@.service  +7 -0    no running instance is touched\nunits: 1 new\n",
        )
        .stderr("warning: there is no `HEAD:services.yaml`: all is new\n")
        .run();
}

#[test]
fn a_faulty_revision_is_shown_as_it_was() {
    let folder = Test::new()
        .manifest("apps:\n  a: {exce: [/bin/a]}\n")
        .into_folder();
    commit(&folder);
    folder.write("services.yaml", "apps:\n  a: {exec: [/bin/a]}\n");
    against_revision(folder, "HEAD").status(2).stderr(
            "error: unknown key `exce`\n --> HEAD:services.yaml:2:7\n  |\n2 |   a: {exce: [/bin/a]}\n  \
             |       ^^^^\n  |\n  = help: did you mean `exec`?\n\n1 error\nerror: the manifest of `HEAD` has \
             mistakes\n\nhelp: compare with a revision that renders\n",
        ).run();
}

#[test]
fn a_unit_without_a_mark_is_missed_as_well() {
    let verbatim = "apps:\n  a: {exec: [/bin/a], instances: 0}\n  motd: {template: verbatim, unit: motd, text: \"[Service]\\nExecStart=/bin/b\"}\n";
    let folder = Test::new().manifest(verbatim).into_folder();
    commit(&folder);
    folder.write(
        "services.yaml",
        "apps:\n  a: {exec: [/bin/a], instances: 0}\n",
    );
    against_revision(folder, "HEAD")
        .status(1)
        .stdout(
            "unwanted   motd.service\n  of app `motd`, which the manifest does not have\n  stops 1 \
             instance\n  - motd.service  unwanted, is launched\n\nunits: 1 unwanted, 1 equal; instances: \
             1 unwanted\n",
        )
        .run();
}
