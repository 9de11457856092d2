//! `unitgen env exec` with any program: it takes unitgen's place, and ends as it ends.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use crate::env_scene::Scene;
use crate::etcd::shared;
use crate::test::PROGRAM;

/// Starts `unitgen env exec` with a script of a shell.
fn start(app: &str, script: &str) -> Child {
    Command::new(PROGRAM)
        .args(["env", "exec", "-a", app, "--endpoints", &shared().endpoint])
        .args(["--", "sh", "-c", script])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn the_process_is_the_programs_and_signals_are_its_own() {
    shared().set("/environment/process/SECRET", "hunter2");
    let script = "trap 'echo ended; exit 7' TERM; echo $$ $SECRET; while :; do sleep 0.05; done";
    let mut child = start("process", script);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, format!("{} hunter2\n", child.id()));
    let words = fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
    let words = String::from_utf8(words).unwrap();
    assert_eq!(
        words.trim_end_matches('\0').replace('\0', " "),
        format!("sh -c {script}")
    );
    let pid = child.id().to_string();
    assert!(Command::new("kill").arg(&pid).status().unwrap().success());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "ended\n");
    assert_eq!(child.wait().unwrap().code(), Some(7));
}

#[test]
fn nothing_of_unitgens_is_left_open() {
    shared().set("/environment/open/A", "b");
    let script = "ls /proc/$$/fd";
    let output = start("open", script).wait_with_output().unwrap();
    // Who runs the tests may have left something open himself.
    let own = Command::new("sh").args(["-c", script]).output().unwrap();
    assert_eq!(output.stdout, own.stdout);
}

#[test]
fn what_cant_be_executed_ends_as_a_shell_says_it() {
    Scene::new("shell")
        .test("exec --no-config -- nothing-of-that-name")
        .stderr(
            "error: there is no program `nothing-of-that-name` on the PATH\n\nhelp: name it with its \
             whole path\n",
        )
        .status(127)
        .run();
    Scene::new("shell")
        .test("exec --no-config -- ./nothing")
        .stderr("error: there is no `./nothing`\n")
        .status(127)
        .run();
    let scene = Scene::new("shell");
    scene.program("bin/plain", "#!/bin/sh\n", 0o644);
    let path = scene.path("bin/plain");
    scene
        .test("exec --no-config -- plain")
        .stderr(format!(
            "error: can't execute `{path}`\n  caused by: Permission denied (os error 13)\n"
        ))
        .status(126)
        .run();
    Scene::new("shell")
        .test("exec --no-config -- ./bin")
        .stderr("error: `./bin` is a folder\n")
        .status(126)
        .run();
    let scene = Scene::new("shell");
    scene.program("lost", "#!/nonexistent/interpreter\n", 0o755);
    scene
        .test("exec --no-config -- ./lost")
        .stderr(
            "error: can't execute `./lost`\n  caused by: No such file or directory (os error 2)\n\nhelp: \
             it is there: the interpreter or loader that it names is not\n",
        )
        .status(126)
        .run();
    // A script without its interpreter's name is a shell's, as with any shell.
    let scene = Scene::new("shell");
    scene.program("script", "exit 5\n", 0o755);
    scene.test("exec --no-config -- ./script").status(5).run();
}

#[test]
fn the_program_is_not_looked_up_by_the_configuration() {
    let scene = Scene::new("lookup").key("/lookup/path", "/nonexistent");
    scene.program("bin/mine", "#!/bin/sh\necho \"$PATH\"\n", 0o755);
    scene
        .test("exec --no-config --key PATH=/lookup/path -- mine")
        .stdout("/nonexistent\n")
        .run();
}

#[test]
fn another_program_is_refused_what_would_steer_it() {
    let scene = || {
        Scene::new("others")
            .set("A", "b")
            .set("AWS_REGION", "eu")
            .set("LD_PRELOAD", "/evil.so")
            .set("TZ", "UTC")
    };
    let reason = "it would steer the program itself, its loader or a shell";
    let help = |name: &str| {
        format!(
            "help: leave it out of the configuration; where the unit's author means it, the unit says \
             so: `--key {name}=/environment/others/{name}`\n"
        )
    };
    let error = "error: the command can't get what is configured\n  caused by:";
    scene()
        .test("exec -- env")
        .stderr(format!(
            "{error} `LD_PRELOAD`, `TZ`: {reason}\n\n{}",
            help("LD_PRELOAD")
        ))
        .status(2)
        .run();
    scene()
        .test("exec --key TZ=/environment/others/TZ -- env")
        .stderr(format!(
            "{error} `LD_PRELOAD`: {reason}\n\n{}",
            help("LD_PRELOAD")
        ))
        .status(2)
        .run();
    Scene::new("meant")
        .set("AWS_REGION", "eu")
        .set("TZ", "UTC")
        .test("exec --key TZ=/environment/meant/TZ -- printenv TZ AWS_REGION")
        .stdout("UTC\neu\n")
        .run();
}

#[test]
fn the_units_own_words_are_understood() {
    // As the templates write them.
    Scene::new("rendered")
        .key("/environment/elsewhere/A", "1")
        .key("/shared/b", "2")
        .test("exec --folder /environment/elsewhere --require A --require B --key B=/shared/b -- printenv A B")
        .stdout("1\n2\n")
        .run();
}

#[test]
fn a_client_that_is_no_command_of_its_own_is_kept_from_harm_too() {
    // The container would get nothing, and whoever steers the client's helpers is refused.
    Scene::new("behind")
        .set("A", "b")
        .test("exec -- timeout 9 docker run image")
        .stderr(
            "warning: `docker` stands behind `timeout`: its container gets no variables; put `unitgen env \
             exec --` right before it\n",
        )
        .run();
    Scene::new("helped")
        .set("AWS_CONFIG_FILE", "/evil")
        .test("exec -- docker pull image")
        .stderr(
            "\
warning: only with `run` and `create` does `docker` hand variables to a container
error: the command can't get what is configured
  caused by: `AWS_CONFIG_FILE`: it would steer the client's own helpers

help: leave it out of the configuration; where the unit's author means it, the unit says so: `--key AWS_CONFIG_FILE=/environment/helped/AWS_CONFIG_FILE`
",
        )
        .status(2)
        .run();
}

#[test]
fn unitgens_own_log_in_stays_with_unitgen() {
    let output = Scene::new("login")
        .set("A", "b")
        .test("exec -- env")
        .environment("ETCDCTL_USER", "root:hunter2")
        .environment("ETCDCTL_PASSWORD", "hunter2")
        .output();
    let said = String::from_utf8(output.stdout).unwrap();
    let mut names: Vec<&str> = said
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    names.sort_unstable();
    let expected = [
        "A",
        "APPLICATION",
        "ETCDCTL_ENDPOINTS",
        "HOME",
        "PATH",
        "RECORD",
    ];
    assert_eq!(names, expected);
}
