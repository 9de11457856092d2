//! Files and folders that can't be read or written, each with all that is said.

use crate::test::Test;

const MANIFEST: &str = "apps: {one: {exec: /bin/true}}";

#[track_caller]
fn refused(test: Test, stderr: &str) {
    test.stderr(stderr).status(2).expect_no_file("units").run();
}

#[test]
fn a_missing_manifest() {
    refused(
        Test::new().args("render"),
        "\
error: can't read `services.yaml`
  caused by: No such file or directory (os error 2)

help: name the manifest with `-f FILE`; `unitgen init` writes a first one
",
    );
    refused(
        Test::new()
            .manifest(MANIFEST)
            .args("check -f services.yaml -f nowhere.yaml"),
        "\
error: can't read `nowhere.yaml`
  caused by: No such file or directory (os error 2)

help: name the manifest with `-f FILE`; `unitgen init` writes a first one
",
    );
}

#[test]
fn a_folder_in_place_of_a_manifest() {
    refused(
        Test::new()
            .file("services/services.yaml", MANIFEST)
            .args("-f services render"),
        "\
error: `services` is a folder

help: name the manifest in it, such as `services.yaml`
",
    );
}

#[test]
fn bytes_that_are_no_text() {
    refused(
        Test::new()
            .manifest("")
            .file("services.yaml", b"apps:\n  \xc3\xa4b: {image: \"\xff\"}\n")
            .args("render"),
        "\
error: `services.yaml` is no UTF-8 at line 2, column 16

help: save it as UTF-8
",
    );
    refused(
        Test::new().stdin(b"apps: \xe4").args("-f - render"),
        "\
error: `-` is no UTF-8 at line 1, column 7

help: save it as UTF-8
",
    );
}

#[test]
fn a_manifest_of_50_megabytes() {
    let large = "# nothing in it\n".repeat(3_125_000);
    let stderr = |name: &str| {
        format!(
            "\
error: `{name}` is larger than 16 MiB

help: several files can be given with several `-f`
"
        )
    };
    refused(
        Test::new().file("services.yaml", &large).args("render"),
        &stderr("services.yaml"),
    );
    refused(Test::new().stdin(&large).args("-f - render"), &stderr("-"));
    refused(
        Test::new()
            .manifest(MANIFEST)
            .file("templates/own.service.tera", &large)
            .args("render"),
        &stderr("templates/own.service.tera"),
    );
}

#[test]
fn an_empty_standard_input() {
    refused(
        Test::new().args("-f - render"),
        "\
error: this manifest is empty
 --> -:1:1
  |
1 |
  | ^
  |
  = help: `unitgen init` writes a first manifest

1 error
",
    );
}
