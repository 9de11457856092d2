//! Texts as of a commit: which commit, which paths, and that nothing is ever written.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use unitgen::files;

use crate::git_repository::Repository;

/// Two commits, and a third text that is not committed.
fn history() -> Repository {
    let repository = Repository::with(&[("services.yaml", "first")]);
    repository.git("tag -a -m tag v1");
    repository.write("services.yaml", "second");
    repository.commit("second");
    repository.write("services.yaml", "third");
    repository
}

#[test]
fn a_revision_is_what_git_takes_for_one() {
    let repository = history();
    let id = repository.git("rev-parse HEAD");
    let text = |revision: &str| repository.ask(revision).texts(&["services.yaml"]);
    for revision in ["main", "HEAD", "@", "heads/main", &id, &id[..7], "v1^{}..."] {
        let wanted = if revision == "v1^{}..." {
            "first"
        } else {
            "second"
        };
        assert_eq!(text(revision), wanted, "{revision}");
    }
    for revision in [
        "HEAD~1",
        "main^",
        "v1",
        "tags/v1",
        "HEAD^{/first}",
        "main@{1}",
    ] {
        assert_eq!(text(revision), "first", "{revision}");
    }
    assert_eq!(repository.ask("main").commit(), id);
    assert_eq!(
        repository.ask("v1").commit(),
        repository.git("rev-parse HEAD~1")
    );
}

#[test]
fn three_dots_are_where_the_branch_began() {
    let repository = Repository::with(&[("services.yaml", "common")]);
    repository.git("checkout -q -b feature");
    repository.write("services.yaml", "feature");
    repository.commit("feature");
    repository.git("checkout -q main");
    repository.write("services.yaml", "main");
    repository.commit("main");
    repository.git("checkout -q feature");
    let text = |revision: &str| repository.ask(revision).texts(&["services.yaml"]);
    assert_eq!(text("main"), "main");
    assert_eq!(text("main..."), "common");
    assert_eq!(text("feature..."), "feature");
    let id = repository.git("rev-parse main~1");
    assert_eq!(repository.ask("main...").commit(), id);
}

#[test]
fn nothing_is_written_and_nothing_uncommitted_counts() {
    let repository = history();
    repository.write("templates/new.tera", "new");
    repository.git("add templates");
    fs::remove_file(repository.path("services.yaml")).unwrap();
    // Its times in the index are out of date, which git would mend where it may.
    repository.write("services.yaml", "fourth");
    let before = repository.everything();
    let ask = || repository.ask("main...");
    assert_eq!(ask().texts(&["services.yaml", "new"]), "second\nnothing");
    assert_eq!(ask().folder("templates"), "nothing");
    assert!(ask().load(&["services.yaml"]).starts_with("error: "));
    assert!(repository.ask("none").commit().starts_with("error: "));
    assert!(before == repository.everything());
}

#[test]
fn git_is_asked_what_only_reads() {
    let repository = history();
    let id = repository.git("rev-parse HEAD");
    let path = repository.before_git(&format!(
        "echo \"$* $GIT_TERMINAL_PROMPT $GIT_OPTIONAL_LOCKS $GIT_TRACE_SETUP\" >>'{}'",
        repository.folder.path("log").display()
    ));
    let text = repository
        .ask("main...")
        .environment("PATH", path)
        .environment("GIT_TRACE_SETUP", "false")
        .texts(&["services.yaml", "services.yaml", "none"]);
    assert_eq!(text, "second\nsecond\nnothing");
    let wanted = format!(
        "-C  rev-parse --show-toplevel 0 0 false\n\
         -C  rev-parse --verify main^{{commit}} 0 0 false\n\
         -C  rev-parse --verify HEAD^{{commit}} 0 0 false\n\
         -C  merge-base {id} {id} 0 0 false\n\
         -C  cat-file --batch 0 0 false\n"
    );
    assert_eq!(repository.folder.read("log"), wanted);
}

#[test]
fn paths_are_the_user_s_own() {
    let repository = Repository::with(&[("services.yaml", "top"), ("a/b/services.yaml", "below")]);
    repository.write("gone/services.yaml", "gone");
    repository.commit("second");
    fs::remove_dir_all(repository.path("gone")).unwrap();
    let outside = |name: &str| repository.folder.path(name);
    let link = |target: &str, name: &str| {
        std::os::unix::fs::symlink(target, outside(name)).unwrap();
    };
    link("repository", "to-repository");
    link("repository/a", "to-a");
    link("repository/a/b/services.yaml", "to-file.yaml");
    let case = |from: &str, path: &Path, text: &str| {
        let found = repository.ask("main").from(from).texts(&[path]);
        assert_eq!(found, text, "{from} {}", path.display());
    };
    for (from, path, text) in [
        ("", "./services.yaml", "top"),
        ("", "a/b/services.yaml", "below"),
        ("", "a//b/.././b/services.yaml", "below"),
        ("", "../repository/services.yaml", "top"),
        ("", "gone/services.yaml", "gone"),
        ("", "gone/deeper/services.yaml", "nothing"),
        ("", "gone/../services.yaml", "top"),
        ("", "services.yaml/x", "nothing"),
        ("a", "b/services.yaml", "below"),
        ("a", "services.yaml", "nothing"),
        ("a/b", "services.yaml", "below"),
        ("a/b", "../../services.yaml", "top"),
        ("..", "repository/services.yaml", "top"),
        ("..", "to-repository/services.yaml", "top"),
        ("..", "to-a/b/services.yaml", "below"),
        ("..", "to-a/../services.yaml", "top"),
        ("../to-a", "b/services.yaml", "below"),
    ] {
        case(from, Path::new(path), text);
    }
    for from in ["", "a", ".."] {
        case(from, &repository.path("services.yaml"), "top");
        case(from, &repository.path("a/../gone/services.yaml"), "gone");
        case(from, &outside("to-a/b/services.yaml"), "below");
    }
    // The folder of the first path says which repository it is; the others may be links to there.
    let both = repository
        .ask("main")
        .texts(&[repository.path("services.yaml"), outside("to-file.yaml")]);
    assert_eq!(both, "top\nbelow");
}

#[test]
fn names_may_be_odd() {
    let names = [
        "two words.yaml",
        "\"quoted\".yaml",
        "it's.yaml",
        "line\nbreak.yaml",
        "tab\t.yaml",
        "grün-日本.yaml",
        ":(glob)x",
        ":/x",
        "HEAD:x",
        "back\\slash\\n.yaml",
        "*.yaml",
        "-x.yaml",
        "--batch",
        "#x",
        "^x",
        "~x{}@{1}",
        " ",
        "...",
        "-",
        "100644 x",
    ];
    let repository = Repository::new();
    for name in names {
        repository.write(name, format!("text of {name}"));
        repository.write(&format!("folder {name}/{name}"), format!("inner {name}"));
    }
    let odd = OsStr::from_bytes(b"no \xff text");
    fs::write(repository.path(odd), "text of no text").unwrap();
    repository.commit("first");
    for name in names {
        let inner = format!("folder {name}/{name}");
        let found = repository.ask("main").texts(&[name, &inner]);
        assert_eq!(found, format!("text of {name}\ninner {name}"));
    }
    assert_eq!(repository.ask("main").texts(&[odd]), "text of no text");
    let found = repository
        .ask("main")
        .from("folder line\nbreak.yaml")
        .texts(&["../ "]);
    assert_eq!(found, "text of  ");
}

#[test]
fn the_checkout_s_own_path_may_be_odd() {
    let repository = Repository::with(&[("services.yaml", "text")]);
    for name in ["line\nbreak", "ends in one\n", "two \"words\" é", "-C"] {
        repository.git(&format!(
            "clone -q . ../{}",
            name.split(' ').next().unwrap()
        ));
        let made = repository.folder.path(name.split(' ').next().unwrap());
        let path = repository.folder.path(name);
        fs::rename(made, &path).unwrap();
        let found = repository
            .ask("main")
            .from("..")
            .texts(&[Path::new(name).join("services.yaml")]);
        assert_eq!(found, "text", "{name}");
        assert_eq!(
            repository.ask("main").from(&path).texts(&["services.yaml"]),
            "text"
        );
    }
}

#[test]
fn links_are_those_of_the_commit() {
    let repository = Repository::with(&[("conf/services.yaml", "first"), ("conf/a.tera", "a")]);
    repository.link("services.yaml", "./conf/../conf/services.yaml");
    repository.link("current", "conf");
    repository.link("conf/up.tera", "../templates/b.tera");
    repository.write("templates/b.tera", "b");
    repository.commit("links");
    // The checkout's own lead elsewhere by now.
    for (name, target) in [("services.yaml", "/etc/passwd"), ("current", "templates")] {
        fs::remove_file(repository.path(name)).unwrap();
        repository.link(name, target);
    }
    let found =
        repository
            .ask("main")
            .texts(&["services.yaml", "current/services.yaml", "current/x"]);
    assert_eq!(found, "first\nfirst\nnothing");
    let found = repository.ask("main").folder("current");
    assert_eq!(
        found,
        "a.tera at current/a.tera: a\nup.tera at current/up.tera: b\n"
    );
}

#[test]
fn a_folder_has_the_files_that_the_disk_has() {
    let repository = Repository::new();
    for name in [
        "b.tera",
        "a.tera",
        "B.tera",
        "ä b.tera",
        ".hidden.tera",
        "x.txt",
        "z.tera/in.tera",
    ] {
        repository.write(&format!("templates/{name}"), name);
    }
    repository.write("elsewhere", "through a link");
    repository.link("templates/link.tera", "../elsewhere");
    let odd = OsStr::from_bytes(b"templates/\xff.tera");
    fs::write(repository.path(odd), "").unwrap();
    fs::set_permissions(
        repository.path("templates/a.tera"),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    repository.commit("first");
    let folder = repository.path("templates");
    let disk = files::read_folder(&folder, ".tera").unwrap();
    assert_eq!(disk.len(), 5);
    let disk: String = disk
        .iter()
        .map(|(name, _, text)| format!("{name} at /repository/templates/{name}: {text}\n"))
        .collect();
    assert_eq!(repository.ask("main").folder(&folder), disk);
    assert_eq!(repository.ask("main").folder("none"), "nothing");
    assert_eq!(
        repository.ask("main").folder("templates/x.txt/none"),
        "nothing"
    );
    assert_eq!(
        repository.ask("main").from("templates").folder(""),
        disk.replace("/repository/templates/", "")
    );
    assert_eq!(
        repository
            .ask("main")
            .from("templates/z.tera")
            .folder("../z.tera"),
        "in.tera at ../z.tera/in.tera: z.tera/in.tera\n"
    );
}

#[test]
fn other_kinds_of_repositories() {
    let repository = history();
    repository.git("gc -q");
    repository.git("worktree add -q ../worktree v1");
    let found = repository
        .ask("HEAD")
        .from("../worktree")
        .texts(&["services.yaml"]);
    assert_eq!(found, "first");
    fs::create_dir(repository.folder.path("sha256")).unwrap();
    repository.git_in("sha256", "init -q -b main --object-format=sha256");
    repository
        .folder
        .write("sha256/conf/services.yaml", "longer");
    repository.git_in("sha256", "add -A");
    repository.git_in("sha256", "commit -q -m first");
    let found = repository
        .ask("main")
        .from("../sha256")
        .texts(&["conf/services.yaml"]);
    assert_eq!(found, "longer");
}

#[test]
fn the_user_s_own_variables_stay() {
    let repository = Repository::with(&[("a/services.yaml", "text")]);
    // As in a hook.
    let found = repository
        .ask("main")
        .environment("GIT_DIR", ".git")
        .texts(&["a/services.yaml"]);
    assert_eq!(found, "text");
    let found = repository
        .ask("main")
        .from("..")
        .environment("GIT_DIR", repository.path(".git"))
        .environment("GIT_WORK_TREE", repository.path(""))
        .texts(&["repository/a/services.yaml"]);
    assert_eq!(found, "text");
}
