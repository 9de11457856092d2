//! Any bytes that are stored reach the process, the container and a file as they are.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::env_scene::{Scene, variable};
use crate::etcd::shared;
use crate::test::Folder;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 12,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Stores an app's variables, and none besides.
fn store(app: &str, variables: impl IntoIterator<Item = (String, Vec<u8>)>) {
    let folder = format!("/environment/{app}/");
    assert!(shared().control(&["del", "--prefix", &folder], ""));
    for (name, value) in variables {
        shared().set(&format!("{folder}{name}"), value);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_reach_a_program_and_come_back_from_a_file(
        variables in btree_map("V[0-9A-Z_]{1,6}", vec(1..=255_u8, 0..60), 1..4)
    ) {
        store("any", variables.clone());
        let mut expected = Vec::new();
        for (name, value) in &variables {
            expected.extend([name.as_bytes(), b"=", value, b"\0"].concat());
        }
        let output = Scene::new("any").test("null --cache kept").output();
        prop_assert_eq!(&output.stdout, &expected);
        let test = Scene::new("any").test("exec --cache kept -- env -0");
        let output = test.output();
        let found: Vec<&[u8]> = output.stdout.split_inclusive(|byte| *byte == 0).collect();
        for one in expected.split_inclusive(|byte| *byte == 0) {
            prop_assert!(found.contains(&one));
        }
        // As long as etcd is away.
        let output = test.environment("ETCDCTL_ENDPOINTS", "http://127.0.0.1:1").output();
        let kept: Vec<&[u8]> = output.stdout.split_inclusive(|byte| *byte == 0).collect();
        for one in expected.split_inclusive(|byte| *byte == 0) {
            prop_assert!(kept.contains(&one));
        }
    }

    #[test]
    fn what_would_steer_reaches_the_file_alone(
        name in "(HOME|PATH|DOCKER_[A-Z]{1,5}|LD_[A-Z]{1,5}|LC_ALL|http_proxy)",
        value in "[^\u{0}\n]{0,40}[^\u{0}\n\r]"
    ) {
        store("alone", [(name.clone(), value.clone().into_bytes())]);
        let own = variable_of(Scene::new("alone").test("exec --no-config -- docker run image").run(), &name);
        let folder = Scene::new("alone").test("exec -- docker run image").run();
        prop_assert_eq!(folder.read("file"), format!("{name}={value}\n"));
        let own = own.map(|own| own.len());
        prop_assert_eq!(variable(&folder, &name).map(|found| found.len()), own);
    }

    #[test]
    fn a_shell_gets_the_words_that_are_printed(value in vec(1..=255_u8, 0..40)) {
        store("printed", [("A".to_owned(), value.clone())]);
        let program = crate::test::PROGRAM;
        let script = format!("printf '%s\\0' $({program} env docker)");
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("APPLICATION", "printed")
            .env("ETCDCTL_ENDPOINTS", &shared().endpoint)
            .stderr(std::process::Stdio::null())
            .output()
            .unwrap();
        let is_torn = value.iter().any(|byte| b" \t\n\x0b\x0c\r*?[\\".contains(byte));
        if is_torn {
            prop_assert_eq!(output.stdout, b"--unitgen-env-docker-failed\0");
        } else {
            prop_assert_eq!(output.stdout, [b"-e\0A=", &value[..], b"\0"].concat());
        }
    }
}

fn variable_of(folder: Folder, name: &str) -> Option<String> {
    let found = variable(&folder, name);
    drop(folder);
    found
}
