//! A machine for `unitgen env`: an app of a test's own in a real etcd, and a docker that records what it
//! is given.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::etcd::{Etcd, shared};
use crate::test::{Folder, Test};

/// A client of docker that records its words, its environment and its file of variables.
const DOCKER: &str = r#"#!/bin/sh
printf '%s\0' "$@" >"$RECORD/words"
tr '\0' '\n' </proc/$$/environ >"$RECORD/environment"
for word; do
    case $word in /proc/self/fd/*) cat <"$word" >"$RECORD/file" ;; esac
done
"#;

/// An app in etcd, and a folder to run in.
pub(crate) struct Scene {
    etcd: &'static Etcd,
    app: &'static str,
    folder: Folder,
}

impl Scene {
    /// Begins with nothing. No other test has that app.
    pub(crate) fn new(app: &'static str) -> Self {
        let scene = Self {
            etcd: shared(),
            app,
            folder: Folder::new(),
        };
        for name in ["docker", "podman"] {
            scene.program(&format!("bin/{name}"), DOCKER, 0o755);
        }
        scene
    }

    /// Sets a variable of the app.
    pub(crate) fn set(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let key = format!("/environment/{}/{name}", self.app);
        self.key(&key, value)
    }

    /// Sets a key.
    pub(crate) fn key(self, key: &str, value: impl AsRef<[u8]>) -> Self {
        self.etcd.set(key, value);
        self
    }

    /// Writes a program into the folder.
    pub(crate) fn program(&self, path: &str, text: &str, mode: u32) {
        self.folder.write(path, text);
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(self.folder.path(path), permissions).unwrap();
    }

    /// Returns a path in the folder.
    pub(crate) fn path(&self, relative: &str) -> String {
        self.folder.path(relative).display().to_string()
    }

    /// Returns the command `unitgen env …`, which asks that etcd.
    pub(crate) fn test(self, arguments: &str) -> Test {
        let (endpoint, app) = (self.etcd.endpoint.clone(), self.app);
        machine(self.folder, arguments)
            .environment("ETCDCTL_ENDPOINTS", &endpoint)
            .environment("APPLICATION", app)
    }
}

/// Returns the command `unitgen env …` in a folder, where its programs are found.
pub(crate) fn machine(folder: Folder, arguments: &str) -> Test {
    let path = |relative: &str| folder.path(relative).display().to_string();
    let search_path = format!("{}:/usr/bin:/bin", path("bin"));
    let record = path("");
    Test::within(folder)
        .args(&format!("env {arguments}"))
        .environment("PATH", &search_path)
        .environment("RECORD", &record)
}

/// Returns the words that docker was given.
pub(crate) fn words(folder: &Folder) -> String {
    let words = folder.read("words");
    words.trim_end_matches('\0').replace('\0', " ")
}

/// Returns what a variable is in docker's environment.
pub(crate) fn variable(folder: &Folder, name: &str) -> Option<String> {
    let environment = folder.read("environment");
    let prefix = format!("{name}=");
    let mut lines = environment.lines();
    lines
        .find_map(|line| line.strip_prefix(&prefix))
        .map(str::to_owned)
}

/// Returns the path of docker's own client, where there is one.
pub(crate) fn real_docker() -> Option<String> {
    let path = std::env::var_os("PATH")?;
    let mut folders = std::env::split_paths(&path);
    let docker = folders.find_map(|folder| {
        let docker = folder.join("docker");
        Path::is_file(&docker).then_some(docker)
    })?;
    Some(docker.display().to_string())
}
