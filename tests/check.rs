//! `unitgen check`, end to end, and the exit codes of all commands.

use crate::test::Test;

/// Asks etcd for variables.
const ASKS: &str = "apps: {one: {image: 'one:1'}}\n";

const GOOD: &str = "apps: {one: {exec: /bin/true}, two: {exec: /bin/true}}";
const WARNS: &str = "apps: {one: {image: 'x:1', port: 80, instances: 2}}\n";
const FAULTY: &str = "apps: {one: {image: 'x:1', prot: 80, port: 80, instances: 2}}\n";

const WARNING: &str = "\
warning: several instances take port 80
 --> services.yaml:1:34
  |
1 | apps: {one: {image: 'x:1', port: 80, instances: 2}}
  |                                  ^^ two of them can't run on one machine
  |
  = help: say `conflicts: self`, or `port: slot` to give each its own

1 warning
";

#[test]
fn nothing_is_found_in_what_is_good() {
    Test::new()
        .manifest(GOOD)
        .args("check --strict")
        .stdout("nothing found in 2 units\n")
        .expect_no_file("units")
        .run();
    Test::new()
        .manifest("apps: {one: {exec: /bin/true}}")
        .args("check")
        .stdout("nothing found in 1 unit\n")
        .run();
}

#[test]
fn warnings_count_where_asked_for() {
    Test::new()
        .manifest(WARNS)
        .args("check")
        .stdout(WARNING)
        .run();
    Test::new()
        .manifest(WARNS)
        .args("check --strict")
        .stdout(WARNING)
        .status(1)
        .run();
}

#[test]
fn findings_are_the_result() {
    Test::new()
        .manifest(FAULTY)
        .args("check")
        .stdout(
            "\
error: unknown key `prot`
 --> services.yaml:1:28
  |
1 | apps: {one: {image: 'x:1', prot: 80, port: 80, instances: 2}}
  |                            ^^^^
  |
  = help: did you mean `port`?

warning: several instances take port 80
 --> services.yaml:1:44
  |
1 | apps: {one: {image: 'x:1', prot: 80, port: 80, instances: 2}}
  |                                            ^^ two of them can't run on one machine
  |
  = help: say `conflicts: self`, or `port: slot` to give each its own

1 error, 1 warning
",
        )
        .status(1)
        .run();
}

#[test]
fn programs_get_one_json_value() {
    Test::new()
        .manifest(GOOD)
        .args("check --format json")
        .stdout("{\n  \"findings\": [],\n  \"format_version\": 1\n}\n")
        .run();
    let twice = "apps: {one: {exec: /bin/true, config: /a, config: /b}}";
    Test::new()
        .manifest(twice)
        .args("check --format json")
        .stdout(
            r#"{
  "findings": [
    {
      "code": null,
      "fix": [],
      "help": null,
      "label": "again here",
      "message": "`config` stands here twice",
      "place": {
        "column": 43,
        "file": "services.yaml",
        "line": 1
      },
      "related": [
        {
          "place": {
            "column": 31,
            "file": "services.yaml",
            "line": 1
          },
          "text": "first here"
        }
      ],
      "severity": "error"
    }
  ],
  "format_version": 1
}
"#,
        )
        .status(1)
        .run();
}

#[test]
fn workflows_get_annotations() {
    Test::new()
        .manifest(GOOD)
        .args("check --format github")
        .run();
    Test::new()
        .manifest(FAULTY)
        .args("check --format github")
        .stdout(
            "\
::error file=services.yaml,line=1,col=28::unknown key `prot`%0Adid you mean `port`?
::warning file=services.yaml,line=1,col=44::several instances take port 80%0Atwo of them can't \
run on one machine%0Asay `conflicts: self`, or `port: slot` to give each its own
",
        )
        .status(1)
        .run();
}

#[test]
fn every_command_ends_with_the_code_of_its_outcome() {
    let cases = [
        ("check", GOOD, 0),
        ("check", WARNS, 0),
        ("check --strict", WARNS, 1),
        ("check", FAULTY, 1),
        ("check", "", 1),
        ("check", "a: [", 1),
        ("check -f nowhere.yaml", GOOD, 2),
        ("check --config --endpoints http://127.0.0.1:1", ASKS, 3),
        ("render", GOOD, 0),
        ("render", WARNS, 0),
        ("render --check", GOOD, 1),
        ("render", FAULTY, 2),
        ("render", "", 2),
        ("render three", GOOD, 2),
        ("render -f nowhere.yaml", GOOD, 2),
        ("render -o services.yaml", GOOD, 2),
        ("init", GOOD, 2),
        ("init -f new.yaml", GOOD, 0),
        ("schema", GOOD, 0),
        ("--help", GOOD, 0),
        ("--version", GOOD, 0),
        ("", GOOD, 2),
        ("rendr", GOOD, 2),
        ("render --chek", GOOD, 2),
        ("check --endpoints x", GOOD, 2),
    ];
    for (arguments, manifest, status) in cases {
        let output = Test::new().manifest(manifest).args(arguments).output();
        let found = output.status.code();
        assert_eq!(found, Some(status), "`unitgen {arguments}`, {manifest}");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    Test::new()
        .args("--version")
        .stdout(concat!("unitgen ", env!("CARGO_PKG_VERSION"), "\n"))
        .run();
}

#[test]
fn a_secret_in_a_wrong_place_is_not_repeated() {
    Test::new()
        .args("config -a hub DATABASE_URL=postgres://u:hunter2@db")
        .stderr(
            "\
error: unrecognized subcommand 'DATABASE_URL=***'

Usage: unitgen config [OPTIONS] [COMMAND]

For more information, try '--help'.
",
        )
        .status(2)
        .run();
}
