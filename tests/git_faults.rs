//! Commits and files that can't be read, each with all that is said.

use std::fs;

use crate::git_repository::{Question, Repository};

const FETCH_MAIN: &str = "CI often clones one branch only: `git fetch origin main` brings another, which is \
                          `git:FETCH_HEAD` then";
const NONE: &str = "\n  caused by: git: fatal: Needed a single revision";

fn repository() -> Repository {
    Repository::with(&[("services.yaml", "text"), ("folder/file", "")])
}

#[track_caller]
fn refused(question: Question<'_>, message: &str, help: &str) {
    let help = if help.is_empty() {
        String::new()
    } else {
        format!("\nhelp: {help}\n")
    };
    let found = question.texts(&["services.yaml"]);
    assert_eq!(found, format!("error: {message}\n{help}"));
}

#[test]
fn revisions_that_are_none() {
    let repository = repository();
    for revision in ["", "...", "-", "--help", "-x..."] {
        refused(
            repository.ask(revision),
            &format!("`{revision}` is no revision"),
            "name a commit, a branch or a tag, as in `git:main`",
        );
    }
    let look = "name one commit; `git log` and `git branch --all` tell what there is";
    let fetch = |name: &str| FETCH_MAIN.replace("origin main", &format!("origin {name}"));
    for (revision, cause, help) in [
        ("develop", NONE, fetch("develop")),
        ("origin/develop", NONE, fetch("develop")),
        ("v1...", NONE, fetch("v1")),
        ("HEAD~1", NONE, look.to_owned()),
        ("main..HEAD", NONE, look.to_owned()),
        ("main...HEAD", NONE, look.to_owned()),
        ("two words", NONE, look.to_owned()),
        (
            "main@{5}",
            "\n  caused by: git: fatal: log for 'main' only has 1 entries",
            look.to_owned(),
        ),
        ("HEAD:services.yaml", NONE, look.to_owned()),
    ] {
        let name = revision.strip_suffix("...").unwrap_or(revision);
        let message = format!("`{name}` is no commit of the repository `/repository`{cause}");
        refused(repository.ask(revision), &message, &help);
    }
    // What git answers to this is no failure, and no id either.
    refused(
        repository.ask("^main"),
        "`^main` is no commit of the repository `/repository`\n  caused by: git: exit status: 0",
        look,
    );
}

#[test]
fn a_branch_that_only_the_remote_has() {
    let repository = repository();
    repository.git("checkout -q -b feature");
    repository.git("clone -q --branch feature . ../clone");
    refused(
        repository.ask("main").from("../clone"),
        &format!("`main` is no commit of the repository `/clone`{NONE}"),
        "there is a branch of that name on the remote: `git:origin/main`",
    );
    let found = repository.ask("origin/main...").from("../clone");
    assert_eq!(found.texts(&["services.yaml"]), "text");
}

#[test]
fn a_clone_as_in_ci() {
    let repository = repository();
    repository.commit("second");
    repository.git("checkout -q -b feature");
    repository.commit("third");
    let address = format!("file://{}", repository.path("").display());
    repository.git(&format!("clone -q --depth 1 {address} ../clone"));
    let ask = |revision: &str| repository.ask(revision).from("../clone");
    let deepen = "the clone is shallow: `git fetch --unshallow` brings the commits before";
    for (revision, help) in [
        ("main", FETCH_MAIN),
        ("origin/main", FETCH_MAIN),
        ("HEAD~1", deepen),
    ] {
        let message = format!("`{revision}` is no commit of the repository `/clone`{NONE}");
        refused(ask(revision), &message, help);
    }
    // The help does help.
    repository.git_in("clone", "fetch -q --depth 1 origin main");
    assert_eq!(ask("FETCH_HEAD").texts(&["services.yaml"]), "text");
    let message =
        "`FETCH_HEAD` and `HEAD` have no commit in common\n  caused by: git: exit status: 1";
    refused(ask("FETCH_HEAD..."), message, deepen);
    repository.git_in("clone", "fetch -q --unshallow origin main");
    assert_eq!(ask("FETCH_HEAD...").texts(&["services.yaml"]), "text");
    assert_eq!(ask("HEAD~1").texts(&["services.yaml"]), "text");
}

#[test]
fn a_clone_that_fetches_when_it_is_asked() {
    let repository = repository();
    repository.git("config uploadpack.allowFilter true");
    repository.git("config uploadpack.allowAnySHA1InWant true");
    let address = format!("file://{}", repository.path("").display());
    for name in ["clone", "cut-off"] {
        repository.git(&format!(
            "clone -q --no-checkout --filter=blob:none {address} ../{name}"
        ));
    }
    let ask = |folder: &str| repository.ask("main").from(folder);
    assert_eq!(ask("../clone").texts(&["services.yaml"]), "text");
    let gone = "remote.origin.url file:///nonexistent";
    repository.git_in("cut-off", &format!("config {gone}"));
    let found = ask("../cut-off").texts(&["services.yaml"]);
    let message =
        "error: can't read all of `main` in the repository `/cut-off`\n  caused by: git: ";
    assert!(found.starts_with(message), "{found}");
    assert!(found.contains("could not fetch"), "{found}");
}

#[test]
fn histories_that_never_met() {
    let repository = repository();
    repository.git("checkout -q --orphan other");
    repository.commit("other");
    refused(
        repository.ask("main..."),
        "`main` and `HEAD` have no commit in common\n  caused by: git: exit status: 1",
        "without the dots `git:main` is the commit itself",
    );
    repository.git("checkout -q --orphan empty");
    refused(
        repository.ask("main..."),
        &format!("`HEAD` is no commit of the repository `/repository`{NONE}"),
        "the branch that is checked out has no commit yet",
    );
}

#[test]
fn places_that_are_no_checkout() {
    let repository = repository();
    let work = "`git:REV` reads the manifest of a commit: work in a checkout";
    let not =
        "caused by: git: fatal: not a git repository (or any of the parent directories): .git";
    let ask = |folder: &str| {
        let ceiling = repository.folder.path("").canonicalize().unwrap();
        repository
            .ask("main")
            .from(folder)
            .environment("GIT_CEILING_DIRECTORIES", ceiling)
    };
    refused(
        ask(".."),
        &format!("the working folder is in no git repository\n  {not}"),
        work,
    );
    let found = ask("").texts(&["../x/services.yaml"]);
    assert_eq!(
        found,
        format!("error: `..` is in no git repository\n  {not}\n\nhelp: {work}\n")
    );
    repository.git("clone -q --bare . ../bare");
    for folder in [".git", "../bare"] {
        refused(
            ask(folder),
            "the working folder is in a repository without a checkout\n  caused by: git: fatal: this \
             operation must be run in a work tree",
            "work in a checkout, which `git worktree add FOLDER` makes",
        );
    }
    refused(
        ask("").environment("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1"),
        "the working folder is in a repository that git does not trust\n  caused by: git: fatal: \
         detected dubious ownership in repository at '/repository'",
        "if you trust it: `git config --global --add safe.directory /repository`",
    );
    repository.write(".git/config", "[core\n");
    let found = ask("").commit();
    let message = "error: git does not tell which repository the working folder is in\n  caused by: \
                   git: fatal: bad config line 1 in file ";
    assert!(found.starts_with(message), "{found}");
}

#[test]
fn there_is_no_git() {
    refused(
        repository().ask("main").environment("PATH", "/nonexistent"),
        "can't start `git`\n  caused by: No such file or directory (os error 2)",
        "install git, or add its folder to `PATH`",
    );
}

#[test]
fn git_ends_before_its_time() {
    let repository = repository();
    for (script, words) in [
        (
            "echo 'warning: a' >&2; echo 'fatal: b' >&2; exit 128",
            "warning: a; fatal: b",
        ),
        ("kill -9 $$", "no answer"),
        ("read -r line; exit 1", "no answer"),
        ("read -r line; echo nonsense; exit 0", "nonsense"),
        (
            "read -r line; echo 'x tree 100'; echo short; exit 0",
            "unexpected end of file",
        ),
    ] {
        let script = format!("[ \"$3\" != cat-file ] || {{ {script}; }}");
        let path = repository.before_git(&script);
        let found = repository
            .ask("main")
            .environment("PATH", path)
            .texts(&["services.yaml"]);
        // A pipe may break before or after the question was written to it.
        let found = found.replace("Broken pipe (os error 32)", "no answer");
        assert_eq!(
            found,
            format!(
                "error: can't read all of `main` in the repository `/repository`\n  caused by: git: \
                 {words}\n\nhelp: `git fsck` tells what the repository lacks\n"
            ),
            "{script}"
        );
    }
}

#[test]
fn objects_that_are_lost() {
    let repository = repository();
    let id = repository.git("rev-parse HEAD:services.yaml");
    let path = repository.path(format!(".git/objects/{}/{}", &id[..2], &id[2..]));
    fs::remove_file(path).unwrap();
    let found = repository
        .ask("main")
        .texts(&["services.yaml", "folder/file"]);
    assert_eq!(
        found,
        format!(
            "error: can't read all of `main` in the repository `/repository`\n  caused by: git: {id} \
             missing\n\nhelp: `git fsck` tells what the repository lacks\n\n"
        )
    );
}

#[test]
fn files_that_are_none() {
    let repository = Repository::with(&[("a/b/file", "here"), ("latin", ""), ("large", "")]);
    repository.write("latin", b"apps:\n  \xc3\xa4b: {image: \"\xff\"}\n");
    repository.write("large", "# nothing in it\n".repeat(1 << 20) + "#");
    repository.write("largest", "# nothing in it\n".repeat(1 << 20));
    for (name, target) in [
        ("out", "a/../../other"),
        ("far", "/etc/passwd"),
        ("a/b/endless", "../b/endless"),
        ("gone", "a/b/none"),
        ("to-folder", "a"),
    ] {
        repository.link(name, target);
    }
    repository.git("clone -q . module");
    repository.git("-c advice.addEmbeddedRepo=false add -A");
    repository.commit("second");
    let has = "\n\nhelp: a commit has only what is in its repository\n";
    for (path, said) in [
        ("latin", "`main:latin` is no UTF-8 at line 2, column 16\n\nhelp: save it as UTF-8\n".to_owned()),
        (
            "large",
            "`main:large` is larger than 16 MiB\n\nhelp: several files can be given with several `-f`\n".to_owned(),
        ),
        ("out", format!("`main:out` leads by a link to `a/../../other`, out of the repository{has}")),
        ("far", format!("`main:far` leads by a link to `/etc/passwd`, out of the repository{has}")),
        ("a/b/endless", "`main:a/b/endless` leads from link to link without end\n".to_owned()),
        (
            "gone",
            "`main:gone` leads by a link to `a/b/none`, which is not there in that commit\n\nhelp: a \
             commit has only what was added to it\n"
                .to_owned(),
        ),
        (
            "to-folder/b",
            "`main:to-folder/b` is a folder\n\nhelp: name the manifest in it, such as `services.yaml`\n".to_owned(),
        ),
        (
            "module",
            format!("`main:module` leads into the submodule `module`, a repository of its own{has}"),
        ),
        ("../other", format!("`../other` is outside of the repository `/repository`{has}")),
        ("/etc/passwd", format!("`/etc/passwd` is outside of the repository `/repository`{has}")),
    ] {
        // What follows is read nevertheless.
        let found = repository.ask("main").texts(&["a/b/file", path, "a/b/file"]);
        assert_eq!(found, format!("here\nerror: {said}\nhere"));
    }
    let found = repository.ask("main").texts(&["largest"]);
    assert_eq!(found.len(), 16 << 20);
    let found = repository.ask("main").folder("a/b/file");
    assert_eq!(found, "error: `main:a/b/file` is no folder\n");
    let found = repository.ask("main").folder("gone");
    assert!(
        found.starts_with("error: `main:gone` leads by a link to `a/b/none`"),
        "{found}"
    );
}
