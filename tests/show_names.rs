//! `unitgen show`, end to end: under which name a unit is read, and what can't be shown.

use crate::test::Test;

const SMALL: &str = "[Service]\nExecStart=/bin/a\n";

const SMALL_SHOWN: &str = "\
a.service

systemd 252 loads it

ExecStart
  /bin/a

fleet 1.0 takes it
  hash dc244fef41a3382ca41f5c4ebc8b33614902a7ea
  runs on any one machine
  stored as it stands
";

/// Returns what is shown of the small unit under a name, from a file.
fn small(name: &str, file: &str) -> String {
    SMALL_SHOWN.replace("a.service", &format!("{name}, from `{file}`"))
}

#[test]
fn a_unit_has_its_file_s_name_or_another() {
    #[track_caller]
    fn case(file: &str, options: &str, name: &str) {
        Test::new()
            .file(file, SMALL)
            .stdin(SMALL)
            .args(&format!("show {file} {options}"))
            .stdout(small(name, file))
            .run();
    }
    Test::new()
        .file("a.service", SMALL)
        .args("show a.service")
        .stdout(SMALL_SHOWN)
        .run();
    case("a@.service", "", "a@i.service");
    case(
        "a@.service",
        "--instance 1.2@c\\x2d:d",
        "a@1.2@c\\x2d:d.service",
    );
    case("b/a@7.service", "", "a@7.service");
    case("-", "--name a.service", "a.service");
    case("-", "--name a@.service --instance 8", "a@8.service");
    case("a.container", "--name a.service", "a.service");
    case("a.service", "--name b@c.service", "b@c.service");
}

/// Expects an error of a file, and the others to be shown.
#[track_caller]
fn refused(file: &str, options: &str, stderr: &str) {
    Test::new()
        .file("a@.service", SMALL)
        .file("a@7.service", SMALL)
        .file("a.service", SMALL)
        .file("a.container", SMALL)
        .file("folder/b", "")
        .args(&format!("show {file} {options}"))
        .stderr(stderr)
        .status(2)
        .run();
}

#[test]
fn a_unit_without_a_name_is_refused() {
    refused(
        "a.container",
        "",
        "\
error: `a.container` is no unit name
  caused by: invalid unit type: \"container\"

help: name the unit with `--name`, such as `--name app@.service`
",
    );
    refused(
        "-",
        "",
        "\
error: the standard input has no unit name

help: name the unit with `--name`, such as `--name app@.service`
",
    );
    refused(
        "a.service",
        "--name a",
        "\
error: `a` is no unit name
  caused by: unit name must contain \".\"

help: name the unit with `--name`, such as `--name app@.service`
",
    );
    refused(
        "a.service a@.service",
        "--name b.service",
        "\
error: `--name` names one unit, and there are 2 files

help: show that file by itself
",
    );
}

#[test]
fn an_instance_is_that_of_a_template() {
    refused(
        "a.service",
        "--instance 1",
        "\
error: `a.service` has no instances

help: leave `--instance` out; a template's name has an `@`, as in `app@.service`
",
    );
    refused(
        "a@7.service",
        "--instance 8",
        "\
error: `a@7.service` is one instance already

help: leave `--instance` out, or name another one with `--name`
",
    );
    refused(
        "a@.service",
        "--instance a/b+c",
        "\
error: `a@.service` has no instance `a/b+c`
  caused by: invalid character '/' in unit name

help: systemd-escape writes it `a-b\\x2bc`
",
    );
    refused(
        "a@.service",
        "--instance=",
        "\
error: an instance has a name

help: leave `--instance` out to read `i`
",
    );
}

#[test]
fn what_can_be_shown_is_shown() {
    Test::new()
        .file("a@1.service", SMALL)
        .file("a@2.service", SMALL)
        .file("a", SMALL)
        .file("folder/b.service", "")
        .args("show a@1.service nowhere.service folder - ./a ./a@2.service")
        .stdout(
            SMALL_SHOWN.replace("a.service", "a@1.service")
                + "\n"
                + &small("a@2.service", "./a@2.service"),
        )
        .stderr(
            "\
error: can't read `nowhere.service`
  caused by: No such file or directory (os error 2)
error: can't read `folder`
  caused by: Is a directory (os error 21)
error: the standard input has no unit name

help: show it by itself, with `--name`, such as `--name app@.service`
error: `a` is no unit name
  caused by: unit name must contain \".\"

help: name the unit with `--name`, such as `--name app@.service`
",
        )
        .status(2)
        .run();
}
