//! `unitgen lint` and `unitgen explain`: whole outputs, and units that have no findings.

use std::fs;
use std::path::Path;

use crate::test::{Test, names, updates};

const BROKEN: &str = "\
# the old command \\
[Unit]
Description=web \\
  # of the shop
  server
After=docker.service,etcd.service

[Service]
Environment=OPTIONS=-a -b
ExecStart=/bin/serve --started=$(date +%F) $HOME/x
Restart=allways
User=web
User=root

[X-fleet]
MachineMetadata=region=eu disk=ssd
";

#[test]
fn findings_have_code_place_reason_and_help() {
    Test::new()
        .file("app.service", BROKEN)
        .args("lint app.service")
        .stdout(
            "\
error[U105]: fleet takes the next line for a part of this comment
 --> app.service:1:19
  |
1 | # the old command \\
  |                   ^ the comment should end before this
  |
 ::: app.service:2:1
  |
2 | [Unit]
  | ------ fleet never sees this line

error[U106]: a comment within a continued line
 --> app.service:4:3
  |
4 |   # of the shop
  |   ^^^^^^^^^^^^^ systemd leaves it out, fleet does not
  |
  = help: put it above the directive

warning[U213]: `docker.service,etcd.service` is no unit's name
 --> app.service:6:7
  |
6 | After=docker.service,etcd.service
  |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^ it is left out
  |
  = help: separate names by blanks

error[U322]: this word in `Environment` is no assignment
 --> app.service:9:24
  |
9 | Environment=OPTIONS=-a -b
  |                        ^^ it is dropped
  |
  = help: if it belongs to `OPTIONS`, put the assignment as a whole into double quotes

warning[U310]: no shell reads `--started=$(date` here
  --> app.service:10:22
   |
10 | ExecStart=/bin/serve --started=$(date +%F) $HOME/x
   |                      ^^^^^^^^^^^^^^^^ passed to `serve` as an argument
   |
   = help: run a shell, as in `/bin/sh -c \"…\"`

error[U303]: systemd knows no `%F` in `ExecStart`
  --> app.service:10:40
   |
10 | ExecStart=/bin/serve --started=$(date +%F) $HOME/x
   |                                        ^^ it refuses the unit
   |
   = help: write `%%F` if it is meant for another program

error[U306]: systemd passes nothing in place of `$HOME/x`
  --> app.service:10:44
   |
10 | ExecStart=/bin/serve --started=$(date +%F) $HOME/x
   |                                            ^^^^^^^ all of this is taken for a variable's name
   |
   = help: write `${HOME}/x`

warning[U212]: systemd does not take `Restart=allways`
  --> app.service:11:9
   |
11 | Restart=allways
   |         ^^^^^^^ it is dropped, and what was set before or by default stays

warning[U205]: this `User` is lost
  --> app.service:12:1
   |
12 | User=web
   | ^^^^
   |
  ::: app.service:13:1
   |
13 | User=root
   | ---- this one counts

error[U115]: fleet does not read `[X-fleet]`
  --> app.service:15:1
   |
15 | [X-fleet]
   | ^^^^^^^^^ so the unit runs on any machine
   |
   = help: write `[X-Fleet]`, if the unit is to run where it says

6 errors, 4 warnings
`unitgen explain CODE` says more of each
`--fix` mends 2 findings
",
        )
        .status(1)
        .run();
}

#[test]
fn nothing_found_is_said() {
    Test::new()
        .file("a.service", "[Service]\nExecStart=/bin/true\n")
        .file("b@.service", "[Service]\nExecStart=/bin/true %i\n")
        .args("lint a.service b@.service")
        .stdout("nothing found in 2 files\n")
        .run();
}

#[test]
fn github_gets_one_line_each() {
    Test::new()
        .file("app.service", "[Service]\nExecStart=/bin/true $X/y\n")
        .args("lint --format github app.service")
        .stdout(
            "::error file=app.service,line=2,col=21,title=U306::systemd passes nothing in place of \
             `$X/y`%0Aall of this is taken for a variable's name%0Awrite `${X}/y`\n",
        )
        .status(1)
        .run();
}

#[test]
fn programs_get_one_json_value() {
    Test::new()
        .file(
            "app.service",
            "[Service]\nExecStart=/bin/echo 5%\n[X-Fleet]\nX-Conflicts=a.service\n",
        )
        .args("lint --format json --allow u402 app.service")
        .stdout(
            r#"{
  "files": 1,
  "findings": [
    {
      "code": "U304",
      "fix": [
        {
          "from": {
            "column": 22,
            "file": "app.service",
            "line": 2
          },
          "text": "%%",
          "to": {
            "column": 23,
            "file": "app.service",
            "line": 2
          }
        }
      ],
      "help": null,
      "label": "write `%%`",
      "message": "this percent sign stands alone",
      "place": {
        "column": 22,
        "file": "app.service",
        "line": 2
      },
      "related": [],
      "severity": "warning"
    }
  ],
  "format_version": 1,
  "mended": []
}
"#,
        )
        .status(1)
        .run();
}

#[test]
fn the_standard_input_needs_a_name() {
    Test::new()
        .stdin("[Service]\nExecStart=/bin/true\n")
        .args("lint -")
        .stderr(
            "error: the standard input has no name\n\nhelp: name the unit with `--name app@.service`\n",
        )
        .status(2)
        .run();
    Test::new()
        .stdin("[Timer]\nOnCalendar=daily\n[X-Fleet]\nMachineOf=a.service\n")
        .args("lint --name a.timer -")
        .stdout("nothing found in 1 file\n")
        .run();
    Test::new()
        .stdin("")
        .args("lint --fix --name a.timer -")
        .stderr(
            "error: the standard input can't be mended\n\nhelp: `--dry-run` shows what would be\n",
        )
        .status(2)
        .run();
}

#[test]
fn folders_are_gone_through() {
    Test::new()
        .file("units/a.service", "[Service]\nExecStart=/bin/true\n")
        .file("units/below/b.service", "[Service]\nExecStart=/bin/true\n")
        .file("units/README.md", "no unit")
        .file("units/.git/c.service", "no unit")
        .args("lint units")
        .stdout("nothing found in 2 files\n")
        .run();
}

#[test]
fn a_file_that_cannot_be_read_hides_no_other() {
    Test::new()
        .file("a.service", "[Service]\nExecStart=/bin/echo 5%\n")
        .args("lint gone.service a.service")
        .stdout(
            "\
warning[U304]: this percent sign stands alone
 --> a.service:2:22
  |
2 | ExecStart=/bin/echo 5%
  |                      ^ write `%%`

1 warning
`unitgen explain CODE` says more of each
`--fix` mends 1 finding
",
        )
        .stderr(
            "error: can't read `gone.service`\n  caused by: No such file or directory (os error 2)\n",
        )
        .status(2)
        .run();
}

#[test]
fn the_version_of_the_machines_counts() {
    Test::new()
        .file(
            "a.service",
            "[Service]\nExecStart=+/bin/true %j\nRuntimeDirectoryPreserve=yes\n",
        )
        .args("lint --systemd 229 a.service")
        .stdout(
            "\
error[U207]: the prefix `+` came with systemd 231
 --> a.service:2:11
  |
2 | ExecStart=+/bin/true %j
  |           ^^^^^^^^^^ systemd 229 reads this in another way

error[U207]: the specifier `%j` came with systemd 239
 --> a.service:2:22
  |
2 | ExecStart=+/bin/true %j
  |                      ^^ systemd 229 reads this in another way

warning[U203]: `RuntimeDirectoryPreserve` came with systemd 235
 --> a.service:3:1
  |
3 | RuntimeDirectoryPreserve=yes
  | ^^^^^^^^^^^^^^^^^^^^^^^^ systemd 229 drops it

2 errors, 1 warning
`unitgen explain CODE` says more of each
",
        )
        .status(1)
        .run();
}

#[test]
fn codes_are_explained() {
    Test::new()
        .args("explain u306")
        .stdout(
            "\
U306 (error): a word beginning with `$` that vanishes

systemd takes a word that begins with `$` for the name of a variable as a whole:
`$HOME/x`, `$PORT:80` and `$(date)` are variables that nobody sets, and nothing is passed
in their place. Write `${HOME}/x`. `$(…)` is a shell's: run one, as in `/bin/sh -c \"…\"`,
or double the `$` if it is meant as it stands.

Found in:

    [Service]
    Environment=PORT=80
    ExecStart=/bin/serve --publish $PORT:80

Instead:

    [Service]
    Environment=PORT=80
    ExecStart=/bin/serve --publish ${PORT}:80
",
        )
        .run();
    Test::new()
        .args("explain U999")
        .stderr(
            "error: invalid value 'U999' for '[CODE]...': there is no such code\n\n\
             For more information, try '--help'.\n",
        )
        .status(2)
        .run();
}

/// Lints all units of a folder of this repository.
fn lint(folder: &Path, format: &str) -> String {
    let output = std::process::Command::new(crate::test::PROGRAM)
        .args(["lint", "--format", format, "."])
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap();
    assert!(output.stderr.is_empty());
    String::from_utf8(output.stdout).unwrap()
}

fn repository(folder: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

/// The samples of the past are there to show what was wrong with it.
#[test]
fn the_samples_have_the_findings_that_are_listed() {
    let found = lint(&repository("services/history"), "text");
    let listed = repository("tests/snapshots/history.txt");
    if updates() {
        fs::write(&listed, &found).unwrap();
    }
    assert_eq!(found, fs::read_to_string(listed).unwrap());
}

/// What the template `docker-shell` gives is the shape people know, and has its weakness: all others
/// give units without findings.
#[test]
fn units_of_the_templates_have_no_findings() {
    let found = lint(&repository("services/units"), "github");
    assert_eq!(found, "");
}

#[test]
fn no_golden_unit_has_a_finding_that_is_not_its_subject() {
    let mut found = String::new();
    for case in names(&repository("tests/golden")) {
        let units = repository("tests/golden").join(&case).join("expect");
        if units.is_dir() {
            let lines = lint(&units, "github");
            for line in lines.lines() {
                let line = line.split("::").nth(1).unwrap_or_default();
                found.push_str(&format!("{case}: {line}\n"));
            }
        }
    }
    let listed = repository("tests/snapshots/golden-findings.txt");
    if updates() {
        fs::write(&listed, &found).unwrap();
    }
    assert_eq!(found, fs::read_to_string(listed).unwrap());
}
