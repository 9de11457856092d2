//! The help of every command, as snapshots under `tests/snapshots/`. `UPDATE=1` rewrites them.

use std::fs;
use std::path::Path;

use crate::test::{Test, updates};

#[test]
fn every_command_explains_itself() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    for (name, arguments) in [
        ("help", "--help"),
        ("summary", "-h"),
        ("check", "check --help"),
        ("config", "config --help"),
        ("config-import", "config import --help"),
        ("config-set", "config set --help"),
        ("diff", "diff --help"),
        ("env", "env --help"),
        ("env-announce", "env announce --help"),
        ("env-docker", "env docker --help"),
        ("env-exec", "env exec --help"),
        ("env-export", "env export --help"),
        ("env-file", "env file --help"),
        ("env-json", "env json --help"),
        ("env-null", "env null --help"),
        ("init", "init --help"),
        ("lock", "lock --help"),
        ("render", "render --help"),
        ("schema", "schema --help"),
        ("show", "show --help"),
        ("snapshot", "snapshot --help"),
        ("status", "status --help"),
    ] {
        let path = folder.join(format!("{name}.txt"));
        let test = Test::new().args(arguments);
        if updates() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, test.output().stdout).unwrap();
        } else {
            test.stdout(fs::read_to_string(&path).unwrap()).run();
        }
    }
}
