//! What keeps `unitgen env` from handing anything on, and how each says what it is.

use std::process::Command;

use crate::env_scene::Scene;
use crate::etcd::{free_port, shared};
use crate::test::PROGRAM;

#[test]
fn an_app_that_nobody_configured_is_absent() {
    let help = "\nhelp: `unitgen config -a nobody set NAME=VALUE` begins one; an app that needs none has \
                `config: false` in services.yaml, and its units ask with `--no-config`\n";
    Scene::new("nobody")
        .test("exec --require A -- true")
        .stderr(format!(
            "error: there is no configuration of `nobody` in etcd\n{help}"
        ))
        .status(1)
        .run();
    Scene::new("nobody")
        .test("exec --folder /nobody/folder -- true")
        .stderr(
            "error: there is no key below `/nobody/folder/` in etcd\n\nhelp: set a variable there, or \
             name another folder\n",
        )
        .status(1)
        .run();
    // Nothing is asked for, so nothing is absent, and nobody needs to answer.
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    Scene::new("nobody")
        .test(&format!(
            "exec --no-config --endpoints {nowhere} -- echo run"
        ))
        .stdout("run\n")
        .run();
}

#[test]
fn an_app_whose_variables_were_all_taken_away_is_empty() {
    Scene::new("empty")
        .key("/unitgen/config/empty/1", "{}")
        .test("exec -- echo run")
        .stdout("run\n")
        .stderr("note: the configuration of `empty` is empty\n")
        .run();
    Scene::new("empty")
        .test("json")
        .stdout("{}\n")
        .stderr("note: the configuration of `empty` is empty\n")
        .run();
    Scene::new("empty")
        .test("docker")
        .stderr("note: the configuration of `empty` is empty\n")
        .run();
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let error = "error: required variables are missing: `A`, `B`, `VERSION`, `X`\n  caused by: etcd has no \
                 `/environment/missing/A`, `/environment/missing/B`, `/environment/missing/VERSION`, \
                 `/nothing`\n\nhelp: set what is missing first: `unitgen config -a missing set \
                 NAME=VALUE`\n";
    let arguments = "--require A,B --require VERSION --require C --require Y --key X=/nothing \
                     --key Y=/missing/there --key C=/nothing";
    // What a shell puts in a command's place fails with it.
    for (way, printed) in [
        ("docker", "--unitgen-env-docker-failed\n"),
        ("export", "exit 1\n"),
        ("file -o out", ""),
        ("json", ""),
        ("null", ""),
    ] {
        Scene::new("missing")
            .set("C", "1")
            .set("VERSION", "v1")
            .key("/missing/there", "2")
            .test(&format!("{way} {arguments}"))
            .title(way)
            .stdout(printed)
            .stderr(format!(
                "warning: `/environment/missing/VERSION` is left out: the unit itself says what \
                 `VERSION` is, and the process gets that\n{error}"
            ))
            .status(1)
            .expect_no_file("out")
            .run();
    }
    Scene::new("missing")
        .test("exec --no-config --require A -- true")
        .stderr(
            "error: the required variable `A` is missing\n  caused by: no folder is asked for, and no \
             key is named for it\n\nhelp: set what is missing first\n",
        )
        .status(1)
        .run();
}

#[test]
fn nobody_listens() {
    let endpoint = format!("http://127.0.0.1:{}", free_port());
    Scene::new("silent")
        .test(&format!("exec --endpoints {endpoint} -- true"))
        .stderr(format!(
            "error: can't reach etcd at `{endpoint}`\n  caused by: connection refused\n\nhelp: is it \
             this one that is meant? `--endpoints` or ETCDCTL_ENDPOINTS names another\n"
        ))
        .status(3)
        .run();
}

#[test]
fn keys_that_are_no_variables_are_left_out() {
    Scene::new("names-of-keys")
        .set("A", "1")
        .set("a/b", "2")
        .set("1A", "3")
        .set("IMAGE", "evil")
        .test("json")
        .stdout("{\n  \"A\": \"1\"\n}\n")
        .stderr(
            "\
warning: `/environment/names-of-keys/1A` is left out: `1A` is no name of a variable
warning: `/environment/names-of-keys/IMAGE` is left out: the unit itself says what `IMAGE` is, and the process gets that
warning: `/environment/names-of-keys/a/b` is left out: `a/b` is no name of a variable
",
        )
        .run();
}

#[test]
fn values_that_no_environment_holds_are_refused_by_name() {
    Scene::new("nul")
        .set("A", "a\0b")
        .set("B", "c\0d")
        .test("null")
        .stderr(
            "error: what etcd holds can't be a variable's value\n  caused by: `/environment/nul/A`: a \
             value can't have a NUL byte, which no environment can hold; `/environment/nul/B`: a value \
             can't have a NUL byte, which no environment can hold\n\nhelp: set another value\n",
        )
        .status(2)
        .run();
    // `NAME=value` and its NUL have 128 KiB at most.
    let longest = "x".repeat(128 * 1024 - "LONG=\0".len());
    Scene::new("long")
        .set("LONG", &longest)
        .test("exec -- sh -c echo${IFS}${#LONG}")
        .stdout("131066\n")
        .run();
    let refused = "`LONG`: name and value have more than the 128 KiB that the kernel allows";
    for (command, what, help) in [
        ("env", "command", "set shorter values"),
        (
            "docker run image",
            "container",
            "set other values, or leave these variables out of the configuration",
        ),
    ] {
        Scene::new("long")
            .set("LONG", format!("{longest}x"))
            .test(&format!("exec -- {command}"))
            .stderr(format!(
                "error: the {what} can't get what is configured\n  caused by: {refused}\n\nhelp: {help}\n"
            ))
            .status(2)
            .run();
    }
}

#[test]
fn more_than_the_kernel_takes_together_is_refused_by_name() {
    for name in ["A", "B", "C"] {
        shared().set(
            &format!("/environment/total/{name}"),
            "x".repeat(100 * 1024),
        );
    }
    // A stack of 1 MiB leaves a quarter of it.
    let script = format!("ulimit -s 1024; exec {PROGRAM} env exec -a total -- true");
    let output = Command::new("sh")
        .args(["-c", &script])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("ETCDCTL_ENDPOINTS", &shared().endpoint)
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("bytes together, and the kernel takes 262144"),
        "{message}"
    );
    assert!(
        message.contains("the longest variables are `A`, `B`, `C`"),
        "{message}"
    );
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn options_are_understood_or_refused() {
    let wrong = |arguments: &str, message: &str| {
        Scene::new("options-of-env")
            .test(arguments)
            .title(arguments)
            .environment("APPLICATION", "")
            .stderr(message)
            .status(2)
            .run();
    };
    wrong(
        "json",
        "error: no app is named\n\nhelp: name it with `-a APP` or APPLICATION, or ask for no folder: \
         `--no-config`\n",
    );
    wrong(
        "json -a a --key A",
        "error: `A` names no variable and its key\n\nhelp: write `--key NAME=/path/of/key`\n",
    );
    wrong(
        "json -a a --key A=b",
        "error: --key: expected a path in etcd such as `/shared/database/url`, found `b`\n",
    );
    wrong(
        "json -a a --key A=/b --key A=/c",
        "error: `A` is given two keys\n",
    );
    wrong(
        "json -a a --cache c --max-age 5",
        "error: --max-age: expected a duration such as `90s`, `1m30s` or `2h`, found `5`\n\nhelp: write \
         a time such as `90m`, `24h` or `7d`\n",
    );
    wrong(
        "file -a a -o out --mode 0044",
        "error: `0044` is no mode of a file that its owner can read\n\nhelp: write one such as `0600` or \
         `0640`\n",
    );
}
