//! `unitgen lint` where it must not go wrong: secrets in odd places, texts made to exhaust it, mends
//! that would move a unit, and the same rules where a manifest takes a text as it is.

use std::time::{Duration, Instant};

use crate::test::{Folder, Test};

/// Runs a command over one unit and returns both streams.
fn lint(text: &str, arguments: &[&str]) -> String {
    let folder = Folder::new();
    folder.write("app@.service", text);
    let output = std::process::Command::new(crate::test::PROGRAM)
        .arg("lint")
        .args(arguments)
        .arg("app@.service")
        .current_dir(folder.path(""))
        .env_clear()
        .output()
        .unwrap();
    assert!(output.status.code().is_some_and(|code| code < 2), "{text}");
    let streams = [output.stdout, output.stderr].concat();
    String::from_utf8(streams).unwrap()
}

#[test]
fn no_secret_is_shown_wherever_it_stands() {
    for line in [
        "Environment=DB_PASSWORD=LEAK B",
        "Environment=\"API_TOKEN=abc \\\n  LEAKdef\"",
        "Environment=DB_PASSWORD=LEAK\\d",
        "Environment=\"DB_PASSWORD=LEAK",
        "Environment=SECRET_KEY=LEAK%Q",
        "Environment=DB_PASSWORD=LEAK\nRestartSec=LEAK",
        "Enviroment=DB_PASSWORD=LEAK",
        "DB_PASSWORD=LEAK",
        "# DB_PASSWORD=LEAK \\\nUser=web",
        "EnvironmentFile=DB_PASSWORD=LEAK",
        "Restart=PASSWORD=LEAK",
        "ExecStop=/bin/a --password LEAK %Q",
        "ExecStop=/bin/a \"--password=LEAK",
        "ExecStop=/bin/a -e DB_PASSWORD=LEAK $X/y",
        "ExecStop=/bin/a \\\n # TOKEN=LEAK\n b",
        "[X-Fleet]\nMachineMetadata=password=LEAK=x",
    ] {
        let text = format!("[Service]\nExecStart=/bin/true 5%\n{line}\n");
        for arguments in [
            &[][..],
            &["--format", "json"],
            &["--format", "github"],
            &["--fix", "--dry-run"],
        ] {
            let shown = lint(&text, arguments);
            assert!(!shown.is_empty() && !shown.contains("LEAK"), "{shown}");
        }
    }
}

/// Nothing that a file holds makes it last out of proportion, or end the program.
#[test]
fn texts_made_to_exhaust_it_do_not() {
    let many = |count: usize, part: &dyn Fn(usize) -> String| (0..count).map(part).collect();
    let exec = |rest: String| format!("[Service]\nExecStart=/bin/true {rest}\n");
    let script = |rest: String| format!("[Service]\nExecStart=/bin/sh -c '{rest}'\n");
    let texts: [String; 9] = [
        script(format!("docker run {}", "$$(".repeat(300_000))),
        script(format!("echo token {}", "\"$$(".repeat(200_000))),
        script(many(20_000, &|at| format!("echo ${{A_{at}}} $B_{at};"))),
        script(many(20_000, &|at| format!("P_{at}_TOKEN=hunter_{at};"))),
        exec(many(50_000, &|at| format!("$A{at} 5% %z "))),
        exec("a $b \"c\" ".repeat(50_000)),
        format!("[Unit]\nAfter={}\n", "a ".repeat(100_000)),
        exec(String::new()) + &many(40_000, &|at| format!("Foo{at}=1\n")),
        exec("\n[X-Fleet]".to_owned())
            + &many(7_500, &|at| {
                format!("MachineOf=a{at}.service\nConflicts=a*.service\n")
            }),
    ];
    for text in texts {
        let start = Instant::now();
        lint(&text, &[]);
        let beginning: String = text.chars().take(60).collect();
        assert!(start.elapsed() < Duration::from_secs(20), "{beginning}");
    }
}

#[test]
fn no_mend_moves_a_unit() {
    for text in [
        "[X-Fleet]\nX-ConditionMachineID=aaa\nMachineID=bbb\n",
        "[X-Fleet]\nMachineID=abc\n[X-fleet]\nConflicts=a.service\n",
    ] {
        let text = format!("[Service]\nExecStart=/bin/true\n{text}");
        let folder = Folder::new();
        folder.write("app@.service", &text);
        let output = std::process::Command::new(crate::test::PROGRAM)
            .args(["lint", "--fix", "app@.service"])
            .current_dir(folder.path(""))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(folder.read("app@.service"), text);
    }
}

#[test]
fn a_text_that_fleet_would_not_keep_is_not_rendered() {
    Test::new()
        .manifest(
            "\
apps:
  a:
    template: verbatim
    unit: a
    text: |
      [Service]
      ExecStart=/bin/a
      # the user \\
      User=web
",
        )
        .args("check --format github")
        .stdout(
            "::error file=services.yaml,line=6,col=7,title=U105::`a.service`, line 3: fleet takes \
             the next line for a part of this comment%0Athe comment should end before this\n",
        )
        .status(1)
        .run();
}
