//! Colours of `unitgen diff`: on a terminal, and only there.

use std::process::Command;

use crate::test::{Folder, PROGRAM, Test};

/// Runs a diff on a terminal of its own, and returns what that gets to show.
fn on_terminal(folder: &Folder, variable: &str) -> String {
    let output = Command::new("script")
        .args([
            "-qec",
            &format!("{PROGRAM} diff --against dir:units"),
            "/dev/null",
        ])
        .current_dir(folder.path(""))
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("SHELL", "/bin/sh")
        .env("TERM", "xterm")
        .env(variable, "1")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().replace('\r', "")
}

#[test]
fn a_terminal_gets_colours_unless_it_wants_none() {
    let manifest = |command: &str, port: u16| {
        format!(
            "apps:\n  a: {{exec: [/bin/a, {command}]}}\n  b: {{image: r/b, port: {port}, config: false, command: serve all}}\n"
        )
    };
    let render = Test::new().manifest(&manifest("1", 1)).args("render");
    assert_eq!(render.output().status.code(), Some(0));
    let folder = render.into_folder();
    folder.write("services.yaml", manifest("2", 2));
    folder.write(
        "units/c.service",
        "[Service]\nExecStart=/bin/c\n\n[X-Unitgen]\nApp=c\nProcess=c\n",
    );
    let plain = "\
changed    a-worker@.service  services.yaml:2:13
  [Service]
  - ExecStart=/bin/a 1
  + ExecStart=/bin/a 2

changed    b-http@.service  services.yaml:3:25
  [Service]
  ~ ExecStart=/usr/bin/docker … ${CONTAINER} -p [-1:1-] {+2:2+} ${IMAGE} serve all

unwanted   c.service
  of app `c`, which the manifest does not have

units: 2 changed, 1 unwanted
";
    assert_eq!(on_terminal(&folder, "NO_COLOR"), plain);
    let colored = on_terminal(&folder, "X");
    let shown = "\
changed    <1>a-worker@.service<0>  services.yaml:2:13
  [Service]
  <31>- ExecStart=/bin/a <7>1<0><31><0>
  <32>+ ExecStart=/bin/a <7>2<0><32><0>

changed    <1>b-http@.service<0>  services.yaml:3:25
  [Service]
  ~ ExecStart=/usr/bin/docker … ${CONTAINER} -p <31>[-1:1-]<0> <32>{+2:2+}<0> ${IMAGE} serve all<0>

unwanted   <1>c.service<0>
  of app `c`, which the manifest does not have

units: 2 changed, 1 unwanted
";
    let codes = shown.replace('<', "\u{1b}[").replace('>', "m");
    assert_eq!(colored, codes);
}
