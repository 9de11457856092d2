//! `unitgen config`: listing, setting, unsetting, history and rollback against a real etcd.

use crate::etcd::shared;
use crate::test::Test;

/// Returns a test of `unitgen config` about an app, in the etcd that tests share.
pub(crate) fn config(app: &str, arguments: &str) -> Test {
    Test::new()
        .args(&format!("config -a {app} {arguments}"))
        .environment("ETCDCTL_ENDPOINTS", &shared().endpoint)
        .environment("UNITGEN_AUTHOR", "ann@desk")
}

/// Returns what is said after a change of so many variables.
pub(crate) fn restart(app: &str, variables: &str) -> String {
    format!("what runs has the old values until `unitgen restart {app}` ({variables})\n")
}

/// Sets variables, whatever is said of it.
pub(crate) fn set(app: &str, assignments: &[&str]) {
    let mut test = config(app, "set");
    for assignment in assignments {
        test = test.word(*assignment);
    }
    let output = test.output();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
}

/// Returns all names and values.
pub(crate) fn values(app: &str) -> String {
    let output = config(app, "list --show-values").output();
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the history without the times, each of which must be one.
pub(crate) fn history(app: &str) -> Vec<String> {
    let output = config(app, "history").output();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let line = |line: &str| {
        let (number, rest) = line.split_at(line.find("  20").unwrap());
        let (time, rest) = rest.split_at("  2026-11-23T00:00:00Z".len());
        assert!(time.ends_with('Z') && rest.starts_with("  "), "{line}");
        format!("{number}{rest}")
    };
    text.lines().map(line).collect()
}

#[test]
fn what_is_set_is_listed_and_got() {
    config("first", "")
        .stderr(
            "error: there is no configuration of `first` in etcd\n\n\
             help: `unitgen config -a first set NAME=VALUE` begins one\n",
        )
        .status(1)
        .run();
    config("first", "set DATABASE_URL=postgres://u:hunter2@db/a EMPTY=")
        .word("TWO=two words\nand a line")
        .stdout("+ DATABASE_URL\n+ EMPTY\n+ TWO\nfirst: 3 added; change 1\n")
        .stderr(restart("first", "3 variables"))
        .run();
    let names = "DATABASE_URL\nEMPTY\nTWO\n";
    config("first", "").stdout(names).run();
    config("first", "list").stdout(names).run();
    let shown = "DATABASE_URL=postgres://u:hunter2@db/a\nEMPTY=\nTWO=two words\\nand a line\n";
    config("first", "--show-values").stdout(shown).run();
    config("first", "list --format json")
        .stdout(
            "\
{
  \"folder\": \"/environment/first\",
  \"format_version\": 1,
  \"variables\": [
    {
      \"name\": \"DATABASE_URL\"
    },
    {
      \"name\": \"EMPTY\"
    },
    {
      \"name\": \"TWO\"
    }
  ]
}
",
        )
        .run();
    config("first", "get TWO")
        .stdout("two words\nand a line\n")
        .run();
    config("first", "get --raw TWO")
        .stdout("two words\nand a line")
        .run();
    config("first", "get EMPTI")
        .stderr(
            "error: the configuration of `first` has no `EMPTI`\n\nhelp: did you mean `EMPTY`?\n",
        )
        .status(1)
        .run();
    // What is as wanted already is no change.
    config("first", "set EMPTY=")
        .stdout("first: nothing to change\n")
        .run();
    assert_eq!(shared().get("/environment/first/EMPTY").unwrap(), b"");
}

#[test]
fn the_app_is_named_by_a_flag_anywhere_or_by_the_environment() {
    set("named", &["A=1"]);
    Test::new()
        .args("config list")
        .environment("ETCDCTL_ENDPOINTS", &shared().endpoint)
        .environment("APPLICATION", "named")
        .stdout("A\n")
        .run();
    Test::new()
        .args(&format!(
            "config list -a named --endpoints {}",
            shared().endpoint
        ))
        .stdout("A\n")
        .run();
    Test::new()
        .args("config list")
        .stderr("error: no app is named\n\nhelp: name it with `-a APP` or APPLICATION\n")
        .status(2)
        .run();
    config("named", "--folder /unitgen/config/named list")
        .stderr("error: `/unitgen/config/named` is where unitgen keeps its own\n")
        .status(2)
        .run();
    config("named", "--folder /custom/named set B=2")
        .stdout("+ B\n/custom/named: 1 added; change 1\n")
        .run();
    assert_eq!(shared().keys("/custom/named/"), ["/custom/named/B"]);
    assert_eq!(
        shared().keys("/unitgen/config//custom/named/"),
        ["/unitgen/config//custom/named/0000000001"]
    );
}

#[test]
fn values_come_from_files_and_from_the_standard_input() {
    config("inputs", "set FILE=@secret INPUT=- LONG=@secret")
        .file("secret", b"a\xff\x01\nb")
        .stdin("typed\n")
        .stdout("+ FILE\n+ INPUT\n+ LONG\ninputs: 3 added; change 1\n")
        .stderr(
            "warning: the value of `INPUT` ends with a newline, which becomes a part of it; \
             `printf %s` writes none\n"
                .to_owned()
                + &restart("inputs", "3 variables"),
        )
        .run();
    assert_eq!(
        shared().get("/environment/inputs/FILE").unwrap(),
        b"a\xff\x01\nb"
    );
    assert_eq!(
        shared().get("/environment/inputs/INPUT").unwrap(),
        b"typed\n"
    );
    config("inputs", "set --literal FILE=@secret INPUT=-")
        .stdout("~ FILE\n~ INPUT\ninputs: 2 changed, 1 equal; change 2\n")
        .stderr(restart("inputs", "2 variables"))
        .run();
    assert_eq!(
        shared().get("/environment/inputs/FILE").unwrap(),
        b"@secret"
    );
}

#[test]
fn all_mistakes_are_said_at_once_without_a_value_and_nothing_is_set() {
    config("mistakes", "set A=hunter1 A=hunter2 =hunter3 B-C=hunter4 B hunter5=x! D=- E=-")
        .word("F=@absent")
        .stderr(
            "\
error: `A` is set twice

help: give it one value
error: word 3: a variable's name can't be empty
error: word 4: a variable's name can't have `-` here: A-Z, a-z, 0-9 and `_`, not beginning with a digit
error: `B` is given no value

help: write `B=VALUE`, or `B=-` to read it
error: two values can't both be read from the standard input

help: read one of them from a file: `NAME=@FILE`
error: `F`: can't read the file behind `@`
  caused by: No such file or directory (os error 2)

help: `--literal` takes `@` as the value's own
",
        )
        .status(2)
        .run();
    config("mistakes", "set VERSION=1 IMAGE=2 A=3")
        .stderr("error: the units themselves set `IMAGE`, `VERSION`\n\nhelp: choose another name\n")
        .status(2)
        .run();
    config("mistakes", "set A=@nul")
        .file("nul", b"hunter\0")
        .stderr("error: `A`: a value can't have a NUL byte, which no environment can hold\n")
        .status(2)
        .run();
    config("mistakes", "set A=@long")
        .file("long", vec![b'x'; (1 << 20) + 1])
        .stderr("error: `A`: a value has at most 1 MiB\n")
        .status(2)
        .run();
    assert_eq!(
        shared().keys("/environment/mistakes/"),
        Vec::<String>::new()
    );
    assert_eq!(
        shared().keys("/unitgen/config/mistakes/"),
        Vec::<String>::new()
    );
}

#[test]
fn what_is_unset_is_gone_and_can_be_brought_back() {
    set("back", &["A=1", "B=2"]);
    set("back", &["A=3", "C=4"]);
    config("back", "unset A D")
        .stdout("- A\nback: 1 removed, 2 equal; change 3\n")
        .stderr(
            "warning: the configuration of `back` has no `D`\n".to_owned()
                + &restart("back", "1 variable"),
        )
        .run();
    assert_eq!(
        history("back"),
        [
            "3  ann@desk  unset  -A",
            "2  ann@desk  set    +A +C",
            "1  ann@desk  set    +A +B"
        ]
    );
    config("back", "rollback --to 1 --dry-run")
        .stdout("+ A\n- C\nback: would be 1 added, 1 removed, 1 equal\n")
        .run();
    assert_eq!(values("back"), "B=2\nC=4\n");
    config("back", "rollback --to 1")
        .stdout("+ A\n- C\nback: 1 added, 1 removed, 1 equal; change 4\n")
        .stderr(restart("back", "2 variables"))
        .run();
    assert_eq!(values("back"), "A=1\nB=2\n");
    config("back", "rollback --to 2 --format json")
        .stdout(
            "\
{
  \"added\": [
    \"C\"
  ],
  \"changed\": [
    \"A\"
  ],
  \"dry_run\": false,
  \"equal\": 1,
  \"folder\": \"/environment/back\",
  \"format_version\": 1,
  \"number\": 5,
  \"removed\": []
}
",
        )
        .stderr(restart("back", "2 variables"))
        .run();
    assert_eq!(values("back"), "A=3\nB=2\nC=4\n");
    assert_eq!(history("back")[0], "5  ann@desk  rollback to 2  +A +C");
    config("back", "rollback --to 9")
        .stderr(
            "error: there is no change 9 of `back`\n\n\
             help: `unitgen config -a back history` shows those that are kept\n",
        )
        .status(2)
        .run();
}

#[test]
fn what_another_tool_wrote_is_there_and_is_brought_back_too() {
    set("strangers", &["A=1"]);
    shared().set("/environment/strangers/A", "theirs");
    shared().set("/environment/strangers/B", "theirs");
    shared().set("/environment/strangers/a/b", "theirs");
    let warning = "warning: in etcd's `/environment/strangers`, `a/b` is no variable's name: it is left alone\n";
    config("strangers", "list --show-values")
        .stdout("A=theirs\nB=theirs\n")
        .stderr(warning)
        .run();
    config("strangers", "rollback --to 1")
        .stdout("~ A\n- B\nstrangers: 1 changed, 1 removed; change 3\n")
        .stderr(restart("strangers", "2 variables"))
        .run();
    assert_eq!(
        history("strangers"),
        [
            "3  ann@desk  rollback to 1  +A -B",
            "2  others    found          +A +B",
            "1  ann@desk  set            +A"
        ]
    );
    // What they wrote is not lost either.
    config("strangers", "diff @2")
        .stdout("~ A\n+ B\n1 only in @2, 1 different\n")
        .stderr(warning)
        .status(1)
        .run();
    assert_eq!(
        shared().keys("/environment/strangers/"),
        ["/environment/strangers/A", "/environment/strangers/a/b"]
    );
}

#[test]
fn an_app_without_variables_is_not_an_app_that_is_not_there() {
    set("emptied", &["A=1"]);
    config("emptied", "unset A")
        .stdout("- A\nemptied: 1 removed; change 2\n")
        .stderr(restart("emptied", "1 variable"))
        .run();
    config("emptied", "")
        .stderr("the configuration of `emptied` is empty\n")
        .run();
    config("begun", "import none.env")
        .file("none.env", "")
        .stderr(
            "error: none.env is empty, and what begins with it has no variables\n\n\
             help: `--yes` says that this is meant\n",
        )
        .status(5)
        .run();
    config("begun", "import none.env --yes")
        .file("none.env", "# nothing yet\n")
        .stdout("begun: begun, without variables; change 1\n")
        .run();
    config("begun", "")
        .stderr("the configuration of `begun` is empty\n")
        .run();
    config("begun", "import none.env --yes")
        .file("none.env", "")
        .stdout("begun: nothing to change\n")
        .run();
}
