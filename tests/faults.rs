//! Faulty manifests, each with all that is said about it.
//!
//! The cases stand in `tests/faults/*.txt`, a file for each topic: a line `=== what is wrong`, the
//! manifest, a line `>>>`, and the whole of stderr. A line `+++ PATH` begins a further file; further
//! manifests are laid over the first, and what stands below `+++ --set` is laid over all of them. Nothing comes out on stdout and nothing is written. `UPDATE=1`
//! rewrites what is expected.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use crate::test::{Test, names, updates};

/// What stands in a file's place where it is no file.
const SET: &str = "--set";

/// One case.
struct Case {
    title: String,
    files: Vec<(String, String)>,
    stderr: String,
}

impl Case {
    fn read(text: &str) -> Self {
        let (title, rest) = text.split_once('\n').unwrap();
        let (input, stderr) = rest
            .split_once(">>>\n")
            .unwrap_or_else(|| panic!("case `{title}` has no `>>>`"));
        let mut files = vec![("services.yaml".to_owned(), String::new())];
        for line in input.split_inclusive('\n') {
            if let Some(path) = line.strip_prefix("+++ ") {
                files.push((path.trim_end().to_owned(), String::new()));
            } else {
                files.last_mut().unwrap().1.push_str(line);
            }
        }
        Self {
            title: title.to_owned(),
            files,
            stderr: stderr.to_owned(),
        }
    }

    fn test(&self) -> Test {
        let is_manifest = |path: &&str| path.starts_with("services");
        let paths = self.files.iter().map(|(path, _)| path.as_str());
        let options: String = paths
            .filter(is_manifest)
            .map(|path| format!("-f {path} "))
            .collect();
        let (sets, files): (Vec<_>, Vec<_>) = self.files.iter().partition(|(path, _)| path == SET);
        let command = match sets.as_slice() {
            [] => "render",
            _ => "diff --against dir:units",
        };
        let test = Test::new().args(&format!("{options}{command}"));
        let test = sets.iter().fold(test, |test, (_, text)| {
            test.word(SET).word(text.trim_end_matches('\n'))
        });
        let write = |test: Test, (path, text): &(String, String)| test.file(path, text);
        files.into_iter().fold(test, write)
    }

    fn text(&self) -> String {
        let mut text = format!("=== {}\n", self.title);
        for (at, (path, content)) in self.files.iter().enumerate() {
            if at > 0 {
                let _ = writeln!(text, "+++ {path}");
            }
            text.push_str(content);
        }
        text + ">>>\n" + &self.stderr
    }
}

fn topics() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults");
    names(&folder)
        .into_iter()
        .map(|name| folder.join(name))
        .collect()
}

fn cases(topic: &Path) -> Vec<Case> {
    let text = fs::read_to_string(topic).unwrap();
    let text = text.strip_prefix("=== ").unwrap();
    text.split("\n=== ")
        .map(|text| Case::read(&format!("{}\n", text.trim_end_matches('\n'))))
        .collect()
}

fn update(topic: &Path) {
    let mut cases = cases(topic);
    for case in &mut cases {
        let output = case.test().output();
        let shown = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{}\n{shown}", case.title);
        case.stderr = shown;
    }
    let texts: Vec<String> = cases.iter().map(Case::text).collect();
    fs::write(topic, texts.join("\n")).unwrap();
}

#[test]
fn faulty_manifests_are_refused_with_the_reason() {
    let topics = topics();
    assert!(!topics.is_empty(), "no topics");
    for topic in topics {
        if updates() {
            update(&topic);
            continue;
        }
        for case in cases(&topic) {
            let test = case.test().title(&case.title).stderr(case.stderr.as_str());
            test.status(2).expect_no_file("units").run();
        }
    }
}
