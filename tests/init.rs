//! `unitgen init`, end to end.

use crate::test::Test;

const MANIFEST: &str = include_str!("../src/commands/init/services.yaml");

#[test]
fn a_first_manifest_and_its_schema_are_written_once() {
    let schema = unitgen::schema::text();
    let folder = Test::new()
        .args("init")
        .stdout(
            "\
created services.yaml
created services.schema.json
next: change it, then `unitgen render`
",
        )
        .expect_file("services.yaml", MANIFEST)
        .expect_file("services.schema.json", &schema)
        .run();
    assert_eq!(folder.names(""), ["services.schema.json", "services.yaml"]);
    let folder = Test::within(folder)
        .file("services.schema.json", "{}")
        .args("init")
        .stderr(
            "\
error: `services.yaml` is there already

help: take it away first, or work in another folder
",
        )
        .status(2)
        .expect_file("services.yaml", MANIFEST)
        .expect_file("services.schema.json", "{}")
        .run();
    assert_eq!(folder.names(""), ["services.schema.json", "services.yaml"]);
}

#[test]
fn a_schema_that_is_there_stays() {
    Test::new()
        .file("services.schema.json", "{}")
        .args("init")
        .stdout("created services.yaml\nnext: change it, then `unitgen render`\n")
        .expect_file("services.schema.json", "{}")
        .run();
}

#[test]
fn a_manifest_may_have_another_name() {
    Test::new()
        .file("sub/note", "")
        .args("init -f sub/other.yaml")
        .stdout(
            "\
created sub/other.yaml
created sub/services.schema.json
next: change it, then `unitgen -f sub/other.yaml render`
",
        )
        .expect_file("sub/other.yaml", MANIFEST)
        .expect_no_file("services.yaml")
        .run();
}

#[test]
fn the_first_manifest_is_clean() {
    let folder = Test::new()
        .manifest(MANIFEST)
        .args("check --strict")
        .stdout("nothing found in 1 unit\n")
        .run();
    Test::within(folder)
        .args("render")
        .stdout("created units/hello-http@.service\n1 unit: 1 created\n")
        .run();
}
