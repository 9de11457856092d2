//! The builder of end-to-end tests: files and a command go in, and all that comes out is stated.
//!
//! Whatever a test does not state is expected to be nothing: no output, no message, exit status 0.
//! The command runs in a folder of its own, with an environment that holds the stated variables and
//! nothing else.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_unitgen");

/// A command that is to be run, and what is expected of it.
#[must_use = "a test does nothing until it is run"]
pub(crate) struct Test {
    title: String,
    folder: Folder,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    stdin: Vec<u8>,
    stdout: String,
    stderr: String,
    status: i32,
    files: Vec<(String, String)>,
    absent: Vec<String>,
}

/// The folder that a command ran in; it is removed when it is dropped.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// Makes an empty folder.
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// Returns the path of something in it.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.0.path().join(relative)
    }

    /// Reads a file in it.
    pub(crate) fn read(&self, relative: &str) -> String {
        let path = self.path(relative);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Writes a file in it, with the folders above.
    pub(crate) fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Returns the names of everything in a folder of it, sorted; none where it is not there.
    pub(crate) fn names(&self, relative: &str) -> Vec<String> {
        names(&self.path(relative))
    }
}

/// Returns the names of everything in a folder, sorted; none where it is not there.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<String> = entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Tells whether expected texts are to be rewritten rather than compared: `UPDATE=1`.
pub(crate) fn updates() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}

impl Test {
    /// Begins a test in a new folder.
    pub(crate) fn new() -> Self {
        Self::within(Folder::new())
    }

    /// Begins a test in the folder of an earlier one.
    pub(crate) fn within(folder: Folder) -> Self {
        Self {
            title: String::new(),
            folder,
            arguments: Vec::new(),
            environment: Vec::new(),
            stdin: Vec::new(),
            stdout: String::new(),
            stderr: String::new(),
            status: 0,
            files: Vec::new(),
            absent: Vec::new(),
        }
    }

    /// Says which of several cases this is, for the message of a failure.
    pub(crate) fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Writes a file before the command runs.
    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.folder.write(path, content);
        self
    }

    /// Writes the usual manifest.
    pub(crate) fn manifest(self, text: &str) -> Self {
        self.file("services.yaml", text)
    }

    /// Sets the arguments, separated by blanks.
    pub(crate) fn args(mut self, arguments: &str) -> Self {
        self.arguments = arguments.split_whitespace().map(str::to_owned).collect();
        self
    }

    /// Adds an argument, whatever it holds.
    pub(crate) fn word(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Sets a variable of the environment.
    pub(crate) fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets what the command reads from its standard input.
    pub(crate) fn stdin(mut self, content: impl AsRef<[u8]>) -> Self {
        content.as_ref().clone_into(&mut self.stdin);
        self
    }

    /// Expects this on stdout.
    pub(crate) fn stdout(mut self, text: impl Into<String>) -> Self {
        self.stdout = text.into();
        self
    }

    /// Expects this on stderr.
    pub(crate) fn stderr(mut self, text: impl Into<String>) -> Self {
        self.stderr = text.into();
        self
    }

    /// Expects this exit status.
    pub(crate) fn status(mut self, status: i32) -> Self {
        self.status = status;
        self
    }

    /// Expects a file with this text after the command.
    pub(crate) fn expect_file(mut self, path: &str, text: impl Into<String>) -> Self {
        self.files.push((path.to_owned(), text.into()));
        self
    }

    /// Expects nothing at this path after the command.
    pub(crate) fn expect_no_file(mut self, path: &str) -> Self {
        self.absent.push(path.to_owned());
        self
    }

    /// Returns the arguments.
    pub(crate) fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// Returns the folder that the command runs in.
    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Returns the folder, to go on in.
    pub(crate) fn into_folder(self) -> Folder {
        self.folder
    }

    /// Runs the command and returns what came out, without judging it.
    pub(crate) fn output(&self) -> Output {
        let mut child = Command::new(PROGRAM)
            .args(&self.arguments)
            .current_dir(self.folder.path(""))
            .env_clear()
            .env("HOME", "/nonexistent")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        match child.stdin.take().unwrap().write_all(&self.stdin) {
            // A command need not read all that it is given.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => panic!("{error}"),
            _ => {}
        }
        child.wait_with_output().unwrap()
    }

    /// Runs the command, holds what came out against what was expected, and returns its folder.
    #[track_caller]
    pub(crate) fn run(self) -> Folder {
        let output = self.output();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let found = (
            text(&output.stdout),
            text(&output.stderr),
            output.status.code(),
        );
        let wanted = (self.stdout, self.stderr, Some(self.status));
        let shown = |(stdout, stderr, status): &(String, String, Option<i32>)| {
            format!("--- stdout\n{stdout}--- stderr\n{stderr}--- status {status:?}\n")
        };
        assert!(
            found == wanted,
            "{}\n`unitgen {}`\n=== expected\n{}=== found\n{}",
            self.title,
            self.arguments.join(" "),
            shown(&wanted),
            shown(&found)
        );
        for (path, text) in self.files {
            let found = self.folder.read(&path);
            assert!(
                found == text,
                "`{path}`\n=== expected\n{text}=== found\n{found}"
            );
        }
        for path in self.absent {
            assert!(
                fs::symlink_metadata(self.folder.path(&path)).is_err(),
                "`{path}` is there"
            );
        }
        self.folder
    }
}
