//! `unitgen config edit`, with editors that are scripts.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::config_store::{config, restart, set, values};
use crate::etcd::shared;
use crate::test::Test;

/// Returns an edit by a script, which gets the file as `$1`.
fn edit(app: &str, script: &str) -> Test {
    let test = config(app, "edit").file("editor", format!("#!/bin/sh\n{script}\n"));
    let editor = test.folder().path("editor");
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    test.environment("PATH", "/usr/bin:/bin")
        .environment("EDITOR", &editor.display().to_string())
}

#[test]
fn what_the_user_leaves_is_what_there_is() {
    set("edited", &["A=1", "B=two words", "C=3"]);
    edit(
        "edited",
        "sed -i -e '/^C=/d' -e 's/^A=.*/A=4/' \"$1\"; echo 'D=5' >>\"$1\"",
    )
    .stdout("~ A\n- C\n+ D\nedited: 1 added, 1 changed, 1 removed, 1 equal; change 2\n")
    .stderr(restart("edited", "3 variables"))
    .run();
    assert_eq!(values("edited"), "A=4\nB=two words\nD=5\n");
    edit("edited", "exit 0")
        .stdout("edited: nothing to change\n")
        .run();
}

#[test]
fn the_text_is_its_owner_s_alone_and_gone_afterwards() {
    set("private", &["A=1"]);
    let folder = edit(
        "private",
        "stat -c %a \"$1\" >seen; stat -c %a \"${1%/*}\" >>seen; echo \"$1\" >>seen; cat \"$1\" >>seen",
    )
    .stdout("private: nothing to change\n")
    .run();
    let seen = folder.read("seen");
    let mut lines = seen.lines();
    assert_eq!(lines.next(), Some("600"));
    assert_eq!(lines.next(), Some("700"));
    assert!(!fs::exists(lines.next().unwrap()).unwrap());
    let rest: Vec<&str> = lines.collect();
    assert_eq!(
        rest,
        [
            "# private: a line that is taken away unsets its variable.",
            "A=\"1\""
        ]
    );
}

#[test]
fn what_is_no_text_stays_as_it_is() {
    shared().set("/environment/binary/BYTES", b"\xff\xfe");
    set("binary", &["A=1"]);
    edit("binary", "echo 'B=2' >>\"$1\"")
        .stdout("+ B\nbinary: 1 added, 2 equal; change 3\n")
        .stderr(restart("binary", "1 variable"))
        .run();
    assert_eq!(
        shared().get("/environment/binary/BYTES").unwrap(),
        b"\xff\xfe"
    );
}

/// Returns what was said, but for the path of the text that was kept, and removes that.
fn kept(test: &Test) -> (String, String, Option<i32>) {
    let output = test.output();
    let said = String::from_utf8(output.stderr).unwrap();
    let (before, rest) = said.split_once("your text is kept in `").unwrap();
    let (path, rest) = rest.split_once('`').unwrap();
    let left = fs::read_to_string(path).unwrap();
    fs::remove_dir_all(std::path::Path::new(path).parent().unwrap()).unwrap();
    let said = format!("{before}your text is kept in `PATH`{rest}");
    (said, left, output.status.code())
}

#[test]
fn a_text_with_mistakes_is_kept_and_changes_nothing() {
    set("faulty", &["A=1"]);
    let (said, text, status) = kept(&edit("faulty", "echo \"B='hunter2\" >\"$1\""));
    assert_eq!(
        said,
        "error: your text: line 1, column 3: `B`: this quote is not closed\n\
         your text is kept in `PATH`, with all its values\n\
         error: your text can't be read as dotenv\n"
    );
    assert_eq!(text, "B='hunter2\n");
    assert_eq!(status, Some(2));
    assert_eq!(values("faulty"), "A=1\n");
}

#[test]
fn what_somebody_else_changes_meanwhile_is_not_overwritten() {
    set("raced", &["A=1", "B=2"]);
    let unitgen = crate::test::PROGRAM;
    let endpoint = &shared().endpoint;
    let other = |name: &str| {
        format!(
            "{unitgen} config -a raced --endpoints {endpoint} set {name}=theirs >/dev/null 2>&1"
        )
    };
    // Another variable is none of this one's business.
    edit(
        "raced",
        &format!("{}; sed -i 's/^A=.*/A=mine/' \"$1\"", other("B")),
    )
    .stdout("~ A\nraced: 1 changed, 1 equal; change 3\n")
    .stderr(restart("raced", "1 variable"))
    .run();
    assert_eq!(values("raced"), "A=mine\nB=theirs\n");
    let (said, text, status) = kept(&edit(
        "raced",
        &format!("{}; echo 'A=again' >\"$1\"", other("A")),
    ));
    assert_eq!(
        said,
        "your text is kept in `PATH`, with all its values\n\
         error: somebody else changed `A` meanwhile\n\nhelp: look at both, and edit again\n"
    );
    assert_eq!(text, "A=again\n");
    assert_eq!(status, Some(5));
    assert_eq!(values("raced"), "A=theirs\nB=theirs\n");
}

#[test]
fn an_editor_that_fails_changes_nothing() {
    set("failed", &["A=1"]);
    let test = edit("failed", "echo 'A=2' >\"$1\"; exit 3");
    let editor = test.folder().path("editor").display().to_string();
    test.stderr(format!(
        "error: the editor `{editor}` failed, and nothing was changed\n  caused by: exit status: 3\n\n\
         help: EDITOR names another one\n"
    ))
    .status(2)
    .run();
    assert_eq!(values("failed"), "A=1\n");
}

#[test]
fn a_text_that_was_emptied_takes_nothing_away() {
    set("hollow", &["A=1"]);
    let (said, text, status) = kept(&edit("hollow", ": >\"$1\""));
    assert_eq!(
        said,
        "your text is kept in `PATH`, with all its values\n\
         error: your text is empty, and all variables would go\n\n\
         help: `unitgen config unset` takes variables away\n"
    );
    assert_eq!(text, "");
    assert_eq!(status, Some(5));
    assert_eq!(values("hollow"), "A=1\n");
}
