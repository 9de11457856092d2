//! What the shape of the source promises: modules use only what stands above them in lib.rs, every
//! file says what it is for, and no test is forgotten.

use std::fs;
use std::path::{Path, PathBuf};

use crate::test::names;

/// The greatest number of lines of a file without its tests.
const LINES_MAXIMUM: usize = 400;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Returns all Rust files below a folder with their texts.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for name in names(folder) {
        let path = folder.join(name);
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

/// Returns a text up to its tests.
fn without_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]").next().unwrap_or(text)
}

/// Returns the modules that a file declares, in their order.
fn modules(text: &str) -> Vec<&str> {
    let lines = text.lines().filter_map(|line| line.strip_suffix(';'));
    lines
        .filter_map(|line| {
            line.strip_prefix("pub ")
                .unwrap_or(line)
                .strip_prefix("mod ")
        })
        .collect()
}

/// Returns the names that follow `crate::` in a text, each of those within braces too.
fn used(text: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name = |text: &'_ str| text.split(|c| !is_name(c)).next().unwrap_or_default().len();
    let mut found = Vec::new();
    for rest in text.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            found.push(&rest[..name(rest)]);
            continue;
        };
        let mut depth = 0;
        let mut item = 0;
        for (at, c) in list.char_indices() {
            if matches!(c, ',' | '}') && depth == 0 {
                let text = list[item..at].trim_start();
                found.extend(Some(&text[..name(text)]).filter(|name| !name.is_empty()));
                item = at + 1;
            }
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                _ => {}
            }
        }
    }
    found
}

#[test]
fn modules_use_only_what_stands_above_them() {
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let ranks = modules(&library);
    let rank = |name: &str| ranks.iter().position(|module| *module == name);
    let mut faults = Vec::new();
    for (path, text) in sources(&root().join("src")) {
        let relative = path.strip_prefix(root().join("src")).unwrap();
        let first = relative.iter().next().unwrap().to_str().unwrap();
        let own = first.strip_suffix(".rs").unwrap_or(first);
        if ["lib", "main"].contains(&own) {
            continue;
        }
        let Some(own_rank) = rank(own) else {
            faults.push(format!("{}: `{own}` is not in lib.rs", relative.display()));
            continue;
        };
        let above = |name: &str| rank(name).is_some_and(|used_rank| used_rank <= own_rank);
        for name in used(without_tests(&text))
            .into_iter()
            .filter(|name| !above(name))
        {
            let path = relative.display();
            faults.push(format!(
                "{path} uses `{name}`, which does not stand above `{own}`"
            ));
        }
    }
    faults.dedup();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn what_is_used_is_found() {
    let text = "use crate::a::b;\nuse crate::{c, d::{e, f}, g};\nlet x = crate::h::i(crate::j);";
    assert_eq!(used(text), ["a", "c", "d", "g", "h", "j"]);
}

#[test]
fn every_file_says_what_it_is_for_and_ends_in_time() {
    let mut faults = Vec::new();
    let files = ["src", "tests"].map(|folder| sources(&root().join(folder)));
    for (path, text) in files.iter().flatten() {
        let path = path.strip_prefix(root()).unwrap().display();
        if !text.starts_with("//! ") {
            faults.push(format!("{path} does not begin with `//!`"));
        }
        let lines = without_tests(text).lines().count();
        if lines > LINES_MAXIMUM {
            faults.push(format!("{path} has {lines} lines"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn nothing_is_left_to_be_done() {
    // In two parts, lest this file name them.
    let banned = [
        ("db", "g!"),
        ("fix", "me"),
        ("to", "do!"),
        ("unimplement", "ed!"),
        ("xx", "x"),
    ];
    let banned = banned.map(|(one, two)| format!("{one}{two}"));
    let mut faults = Vec::new();
    let files = ["src", "tests"].map(|folder| sources(&root().join(folder)));
    for (path, text) in files.iter().flatten() {
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.to_lowercase();
            if banned.iter().any(|word| line.contains(word)) {
                let path = path.strip_prefix(root()).unwrap().display();
                faults.push(format!("{path}:{number}: {line}"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn no_file_of_tests_is_forgotten() {
    let text = fs::read_to_string(root().join("tests/lib.rs")).unwrap();
    let files = names(&root().join("tests"));
    let files = files.iter().filter_map(|name| name.strip_suffix(".rs"));
    let files: Vec<&str> = files.filter(|name| *name != "lib").collect();
    assert_eq!(modules(&text), files);
}
