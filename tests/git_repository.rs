//! Repositories for tests, made by a real git, and a process of its own that reads their commits.
//!
//! The library starts git with the environment and in the folder of its process, which a test can't
//! change: so a test states both, and runs this binary anew for the one test below.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use unitgen::cluster::git::GitTree;
use unitgen::commands::Invocation;
use unitgen::error::CommandError;
use unitgen::output::Output;
use unitgen::report::{self, Style};
use unitgen::settings::Settings;

use crate::test::Folder;

/// Separates paths in a variable: paths of tests may have anything but this.
const SEPARATOR: u8 = 0x1f;

/// A repository in `repository`, in a folder that has a home besides.
pub(crate) struct Repository {
    pub(crate) folder: Folder,
}

/// A question to a commit, and where and how it is asked.
#[must_use = "nothing is asked until it is run"]
pub(crate) struct Question<'a> {
    folder: &'a Folder,
    working_folder: PathBuf,
    environment: BTreeMap<OsString, OsString>,
}

impl Repository {
    /// Makes a repository without a commit.
    pub(crate) fn new() -> Self {
        let repository = Self {
            folder: Folder::new(),
        };
        fs::create_dir(repository.folder.path("repository")).unwrap();
        repository.git("init -q -b main");
        repository
    }

    /// Makes a repository with one commit of these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let repository = Self::new();
        for (path, text) in files {
            repository.write(path, text);
        }
        repository.commit("first");
        repository
    }

    /// Returns the path of something in the checkout.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.folder.path("repository").join(relative)
    }

    /// Writes a file of the checkout.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        self.folder.write(&format!("repository/{path}"), content);
    }

    /// Makes a link in the checkout.
    pub(crate) fn link(&self, path: &str, target: &str) {
        std::os::unix::fs::symlink(target, self.path(path)).unwrap();
    }

    /// Commits everything in the checkout.
    pub(crate) fn commit(&self, message: &str) {
        self.git("add -A");
        self.git(&format!("commit -q --allow-empty -m {message}"));
    }

    /// Runs git in the checkout, with arguments separated by blanks, and returns its answer.
    pub(crate) fn git(&self, arguments: &str) -> String {
        self.git_in("repository", arguments)
    }

    /// Runs git in a folder beside the checkout.
    pub(crate) fn git_in(&self, folder: &str, arguments: &str) -> String {
        let output = Command::new("git")
            .args(arguments.split(' '))
            .current_dir(self.folder.path(folder))
            .env_clear()
            .envs(environment(&self.folder))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments}: {said}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Returns a `PATH` on which a script is run whenever git is.
    pub(crate) fn before_git(&self, script: &str) -> OsString {
        let path = env::var("PATH").unwrap();
        let script = format!("#!/bin/sh\n{script}\nPATH='{path}'\nexec git \"$@\"\n");
        self.folder.write("programs/git", script);
        let program = self.folder.path("programs/git");
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
        let folder = self.folder.path("programs");
        env::join_paths([folder].into_iter().chain(env::split_paths(&path))).unwrap()
    }

    /// Begins a question to a commit, in the topmost folder of the checkout.
    pub(crate) fn ask(&self, revision: &str) -> Question<'_> {
        Question {
            folder: &self.folder,
            working_folder: self.path(""),
            environment: environment(&self.folder),
        }
        .environment("PROBE_REVISION", revision)
    }

    /// Returns all that there is, with contents and times.
    pub(crate) fn everything(&self) -> BTreeMap<PathBuf, (Vec<u8>, i64, i64)> {
        let mut found = BTreeMap::new();
        let mut ahead = vec![self.path("")];
        while let Some(path) = ahead.pop() {
            let metadata = fs::symlink_metadata(&path).unwrap();
            let content = if metadata.is_dir() {
                let entries = fs::read_dir(&path).unwrap();
                ahead.extend(entries.map(|entry| entry.unwrap().path()));
                Vec::new()
            } else if metadata.is_symlink() {
                fs::read_link(&path).unwrap().into_os_string().into_vec()
            } else {
                fs::read(&path).unwrap()
            };
            found.insert(path, (content, metadata.mtime(), metadata.mtime_nsec()));
        }
        found
    }
}

fn environment(folder: &Folder) -> BTreeMap<OsString, OsString> {
    let mut found: BTreeMap<OsString, OsString> = [
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "somebody"),
        ("GIT_AUTHOR_EMAIL", "somebody@example.org"),
        ("GIT_AUTHOR_DATE", "2020-01-01T00:00:00Z"),
        ("GIT_COMMITTER_NAME", "somebody"),
        ("GIT_COMMITTER_EMAIL", "somebody@example.org"),
        ("GIT_COMMITTER_DATE", "2020-01-01T00:00:00Z"),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .into();
    found.insert("HOME".into(), folder.path("home").into());
    found.insert("PATH".into(), env::var_os("PATH").unwrap_or_default());
    found
}

impl Question<'_> {
    /// Sets a variable.
    pub(crate) fn environment(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.insert(name.into(), value.as_ref().into());
        self
    }

    /// Sets where it is asked, as seen from the topmost folder of the checkout.
    pub(crate) fn from(mut self, folder: impl AsRef<Path>) -> Self {
        self.working_folder.push(folder);
        self
    }

    /// Asks for the full id of the commit.
    #[track_caller]
    pub(crate) fn commit(self) -> String {
        self.run("commit", &[""; 0])
    }

    /// Asks for the text of each path.
    #[track_caller]
    pub(crate) fn texts<P: AsRef<Path>>(self, paths: &[P]) -> String {
        self.run("texts", paths)
    }

    /// Asks for the templates in a folder.
    #[track_caller]
    pub(crate) fn folder(self, folder: impl AsRef<Path>) -> String {
        self.run("folder", &[folder])
    }

    /// Asks for what the manifests say.
    #[track_caller]
    pub(crate) fn load<P: AsRef<Path>>(self, manifests: &[P]) -> String {
        self.run("load", manifests)
    }

    /// Returns the answer, in which the folder of all is `/`.
    #[track_caller]
    fn run<P: AsRef<Path>>(self, what: &str, paths: &[P]) -> String {
        let folder = self.folder.path("").canonicalize().unwrap();
        let answer = tempfile::NamedTempFile::new().unwrap();
        let paths: Vec<&[u8]> = paths
            .iter()
            .map(|path| path.as_ref().as_os_str().as_bytes())
            .collect();
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", "git_repository::probe", "--ignored"])
            .current_dir(&self.working_folder)
            .env_clear()
            .envs(&self.environment)
            .env("PROBE_WHAT", what)
            .env("PROBE_PATHS", OsStr::from_bytes(&paths.join(&SEPARATOR)))
            .env("PROBE_ANSWER", answer.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        let text = fs::read_to_string(answer.path()).unwrap();
        text.replace(folder.to_str().unwrap(), "")
    }
}

#[test]
#[ignore = "run by the tests of git, each in an environment of its own"]
fn probe() {
    let Some(answer) = env::var_os("PROBE_ANSWER") else {
        return;
    };
    let text = answered().unwrap_or_else(|error| {
        assert_eq!(error.status.code(), 2);
        error.text()
    });
    fs::write(answer, text).unwrap();
}

fn answered() -> Result<String, CommandError> {
    let text = |name: &str| env::var(name).unwrap_or_default();
    let paths = env::var_os("PROBE_PATHS").unwrap_or_default();
    let paths = paths.as_bytes().split(|byte| *byte == SEPARATOR);
    let paths: Vec<PathBuf> = paths
        .map(|path| PathBuf::from(OsStr::from_bytes(path)))
        .collect();
    let folder = paths[0].parent().unwrap_or(Path::new(""));
    let revision = text("PROBE_REVISION");
    let mut commit = GitTree::open(&revision, folder)?;
    assert_eq!(commit.revision(), revision);
    match text("PROBE_WHAT").as_str() {
        "commit" => Ok(commit.commit().to_owned()),
        "texts" => {
            let mut texts = Vec::new();
            for path in paths {
                // What comes after a failure is not to suffer from it.
                let text = commit.read_text(&path).unwrap_or_else(|e| Some(e.text()));
                texts.push(text.unwrap_or_else(|| "nothing".to_owned()));
            }
            Ok(texts.join("\n"))
        }
        "folder" => {
            let Some(files) = commit.read_folder(&paths[0], ".tera")? else {
                return Ok("nothing".to_owned());
            };
            Ok(files
                .iter()
                .map(|(name, path, text)| format!("{name} at {}: {text}\n", path.display()))
                .collect())
        }
        _ => loaded(&mut commit, paths),
    }
}

fn loaded(commit: &mut GitTree, manifests: Vec<PathBuf>) -> Result<String, CommandError> {
    let invocation = Invocation {
        overrides: Vec::new(),
        files: manifests,
        settings: Settings::from_environment(),
        output: Output::new(false, false, 0),
    };
    let Some(loaded) = invocation.load_from(commit)? else {
        return Ok("nothing".to_owned());
    };
    let style = Style {
        colored: false,
        width: 140,
    };
    let mut text = report::text(&loaded.report, &loaded.sources, style);
    for unit in &loaded.desired.units {
        let lines = unit.text.lines();
        let lines = lines.filter(|line| line.starts_with("ExecStart="));
        let start: String = lines.map(|line| format!("{line}\n")).collect();
        text.push_str(&format!("{}: {start}", unit.name));
    }
    Ok(text)
}
