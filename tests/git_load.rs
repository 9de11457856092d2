//! Manifests and templates as of a commit, rendered.

use std::fs;

use crate::git_repository::Repository;

const TEMPLATE: &str = "[Service]\nExecStart=/bin/echo {{ app }} ";

fn template(word: &str) -> String {
    format!("{TEMPLATE}{word}\n")
}

fn manifest(app: &str) -> String {
    format!("apps: {{{app}: {{image: x, config: false, template: own}}}}\n")
}

#[test]
fn a_manifest_is_rendered_with_the_templates_of_its_time() {
    let repository = Repository::with(&[
        ("a/services.yaml", &manifest("one")),
        ("a/templates/own.service.tera", &template("first")),
    ]);
    repository.write("a/services.yaml", manifest("two"));
    repository.write("a/templates/own.service.tera", template("second"));
    repository.commit("second");
    fs::remove_dir_all(repository.path("a/templates")).unwrap();
    repository.write("a/services.yaml", "apps: [");
    let before = repository.everything();
    let load = |revision: &str| repository.ask(revision).load(&["a/services.yaml"]);
    assert_eq!(
        load("main"),
        "two-worker@.service: ExecStart=/bin/echo two second\n"
    );
    assert_eq!(
        load("main~1"),
        "one-worker@.service: ExecStart=/bin/echo one first\n"
    );
    let from_below = repository.ask("main~1").from("a").load(&["services.yaml"]);
    assert_eq!(from_below, load("main~1"));
    assert!(before == repository.everything());
}

#[test]
fn templates_are_where_the_manifest_of_then_has_them() {
    let own = |folder: &str| format!("templates: {folder}\n{}", manifest("one"));
    let repository = Repository::with(&[
        ("a/b/services.yaml", &own("../old")),
        ("a/old/own.service.tera", &template("old")),
    ]);
    repository.write("a/b/services.yaml", own("../new"));
    repository.commit("second");
    repository.git("mv a/old a/new");
    repository.commit("third");
    let load = |revision: &str| repository.ask(revision).load(&["a/b/services.yaml"]);
    assert_eq!(
        load("main"),
        "one-worker@.service: ExecStart=/bin/echo one old\n"
    );
    assert_eq!(
        load("main~2"),
        "one-worker@.service: ExecStart=/bin/echo one old\n"
    );
    let wanted = "\
error: there is no folder `main~1:a/b/../new`
 --> main~1:a/b/services.yaml:1:12
  |
1 | templates: ../new
  |            ^^^^^^ templates are to be found there
";
    let found = load("main~1");
    assert!(found.starts_with(wanted), "{found}");
}

#[test]
fn mistakes_are_shown_where_they_were() {
    let repository = Repository::with(&[
        ("services.yaml", "apps:\n  one: {imag: x}\n"),
        ("templates/own.service.tera", "{{ nothing"),
    ]);
    repository.git("branch origin/main");
    let found = repository.ask("origin/main").load(&["services.yaml"]);
    assert!(
        found.contains(" --> origin/main:services.yaml:2:9\n"),
        "{found}"
    );
    repository.write("services.yaml", manifest("one"));
    repository.commit("second");
    let found = repository.ask("main").load(&["services.yaml"]);
    assert!(
        found.contains(" --> main:templates/own.service.tera:1:"),
        "{found}"
    );
    repository.write("services.yaml", "");
    repository.commit("third");
    assert_eq!(
        repository.ask("main").load(&["services.yaml"]),
        "\
error: this manifest is empty
 --> main:services.yaml:1:1
  |
1 |
  | ^
  |
  = help: `unitgen init` writes a first manifest

1 error
"
    );
}

#[test]
fn manifests_that_were_not_there_are_left_out() {
    let plain = |app: &str| format!("apps: {{{app}: {{exec: /bin/{app}}}}}\n");
    let repository = Repository::with(&[("a.yaml", &plain("one"))]);
    repository.write("b.yaml", plain("two"));
    repository.commit("second");
    let load = |revision: &str, manifests: &[&str]| repository.ask(revision).load(manifests);
    let one = "one-worker@.service: ExecStart=/bin/one\n";
    assert_eq!(load("main~1", &["a.yaml"]), one);
    assert_eq!(load("main~1", &["b.yaml"]), "nothing");
    assert_eq!(load("main~1", &["b.yaml", "c/d.yaml"]), "nothing");
    assert_eq!(load("main~1", &["a.yaml", "b.yaml"]), one);
    assert_eq!(load("main~1", &["b.yaml", "a.yaml"]), one);
    let both = format!("{one}two-worker@.service: ExecStart=/bin/two\n");
    assert_eq!(load("main", &["b.yaml", "a.yaml"]), both);
    // None of an app, but there.
    repository.write("a.yaml", "apps: {}\n");
    repository.commit("third");
    assert_eq!(load("main", &["a.yaml"]), "");
}

#[test]
fn a_commit_has_no_standard_input() {
    let repository = Repository::with(&[("services.yaml", "apps: {}\n"), ("-", "apps: {}\n")]);
    let wanted = "\
error: `main` has no standard input

help: name a file of the repository with `-f FILE`
";
    assert_eq!(repository.ask("main").load(&["-"]), wanted);
    assert_eq!(repository.ask("main").load(&["services.yaml", "-"]), wanted);
    assert_eq!(repository.ask("main").load(&["./-"]), "");
}
