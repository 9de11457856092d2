//! Golden folders: a manifest in, a tree of units out, compared both ways.
//!
//! Each folder under `tests/golden/` is one case: `services.yaml`, further manifests
//! `services.2.yaml` and so on, which are laid over it, and `templates/`. What is expected is either
//! `expect/` with all units and `expect.instances` with all instances that run, or, for a faulty
//! case, only `expect.stderr` with all that is said. A good case with `expect.stderr` warns.
//! `UPDATE=1` rewrites what is expected.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::test::{Folder, Test, names, updates};

/// Returns all cases.
pub(crate) fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let cases: Vec<PathBuf> = names(&folder)
        .into_iter()
        .map(|name| folder.join(name))
        .collect();
    assert!(!cases.is_empty(), "no golden cases");
    cases
}

/// Returns the texts of all files in a folder.
pub(crate) fn tree(folder: &Path) -> BTreeMap<String, String> {
    let read = |name: String| {
        let text = fs::read_to_string(folder.join(&name)).unwrap();
        (name, text)
    };
    names(folder).into_iter().map(read).collect()
}

/// Returns the names of a case's manifests, in the order in which they are given.
pub(crate) fn manifests(case: &Path) -> Vec<String> {
    let is_manifest = |name: &String| {
        Path::new(name)
            .extension()
            .is_some_and(|extension| extension == "yaml")
    };
    let mut manifests: Vec<String> = names(case).into_iter().filter(is_manifest).collect();
    manifests.sort_by_key(String::len);
    manifests
}

/// Begins a test with all that a case gives.
fn test(case: &Path) -> Test {
    let folder = Folder::new();
    let manifests = manifests(case);
    for name in &manifests {
        folder.write(name, fs::read(case.join(name)).unwrap());
    }
    for (name, text) in tree(&case.join("templates")) {
        folder.write(&format!("templates/{name}"), text);
    }
    // Where there is but one, it is found without being named.
    let options = match manifests.as_slice() {
        [_] => String::new(),
        several => several.iter().map(|name| format!("-f {name} ")).collect(),
    };
    Test::within(folder)
        .title(case.display().to_string())
        .args(&format!("{options}render"))
}

/// Returns the names of all instances that run, one a line.
fn instances(case: &Path) -> String {
    let test = test(case);
    let arguments = test.arguments().join(" ");
    let output = test
        .args(&format!("{arguments} -o - --format json"))
        .output();
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let units = value["units"].as_array().unwrap().iter();
    let names = units.flat_map(|unit| unit["instances"].as_array().unwrap());
    names
        .map(|name| format!("{}\n", name.as_str().unwrap()))
        .collect()
}

/// Returns what `render` says when it writes units into a new folder.
fn created(units: &BTreeMap<String, String>) -> String {
    let lines: String = units
        .keys()
        .map(|name| format!("created units/{name}\n"))
        .collect();
    match units.len() {
        0 => "0 units\n".to_owned(),
        1 => format!("{lines}1 unit: 1 created\n"),
        number => format!("{lines}{number} units: {number} created\n"),
    }
}

fn check(case: &Path) {
    let read = |name: &str| fs::read_to_string(case.join(name)).unwrap_or_default();
    let (stderr, expected) = (read("expect.stderr"), tree(&case.join("expect")));
    if !case.join("expect").exists() {
        let folder = test(case).stderr(stderr).status(2).run();
        assert_eq!(folder.names("units"), [""; 0]);
        return;
    }
    let folder = test(case).stdout(created(&expected)).stderr(stderr).run();
    for (name, found) in tree(&folder.path("units")) {
        let wanted = &expected[&name];
        assert!(
            found == *wanted,
            "{}, {name}\n=== expected\n{wanted}=== found\n{found}",
            case.display()
        );
    }
    assert_eq!(
        instances(case),
        read("expect.instances"),
        "{}",
        case.display()
    );
}

fn update(case: &Path) {
    let test = test(case);
    let output = test.output();
    let put = |name: &str, text: &str| {
        let path = case.join(name);
        if text.is_empty() {
            let _ = fs::remove_file(path);
        } else {
            fs::write(path, text).unwrap();
        }
    };
    let was_good = case.join("expect").exists();
    assert!(
        output.status.success() || !was_good,
        "{}\n{}",
        case.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    let _ = fs::remove_dir_all(case.join("expect"));
    put("expect.stderr", &String::from_utf8(output.stderr).unwrap());
    put("expect.instances", "");
    if !output.status.success() {
        return;
    }
    fs::create_dir(case.join("expect")).unwrap();
    for (name, text) in tree(&test.folder().path("units")) {
        put(&format!("expect/{name}"), &text);
    }
    put("expect.instances", &instances(case));
}

#[test]
fn cases_render_as_expected() {
    for case in cases() {
        if updates() {
            update(&case);
        } else {
            check(&case);
        }
    }
}
