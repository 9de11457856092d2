//! `unitgen diff` as text, against a folder and a snapshot.

use crate::delivery::deliver;
use crate::fleet_server::FleetServer;
use crate::test::{Folder, Test};

/// Renders a manifest into `units`, and puts another one in its place.
fn rendered(before: &str, after: &str) -> Folder {
    let folder = Test::new().manifest(before).into_folder();
    let render = Test::within(folder).args("render");
    assert_eq!(render.output().status.code(), Some(0), "{before}");
    let folder = render.into_folder();
    folder.write("services.yaml", after);
    folder
}

#[track_caller]
fn case(before: &str, after: &str, arguments: &str, expected: &str) -> Folder {
    Test::within(rendered(before, after))
        .args(&format!("diff --against dir:units {arguments}"))
        .status(1)
        .stdout(expected)
        .run()
}

const THREE: &str = "\
defaults:
  config: false
apps:
  a: {image: r/a, port: 1000}
  b: {image: r/b, port: 2000}
  c: {image: r/c, port: 3000}
";

#[test]
fn the_same_change_is_shown_once() {
    let after = THREE.replace("config: false", "config: false\n  init: true");
    case(
        THREE,
        &after.replace("r/c,", "r/d,"),
        "",
        "\
changed    the same change in 2 units  services.yaml:3:9
    a-http@.service
    b-http@.service
  [Service]
  ~ ExecStart=… {+--init+} …

changed    c-http@.service  services.yaml:3:9, services.yaml:7:14
  [Service]
  - Environment=IMAGE=r/c
  + Environment=IMAGE=r/d
  ~ ExecStart=/usr/bin/docker … -p 3000:3000 {+--init+} ${IMAGE}

units: 3 changed
",
    );
}

#[test]
fn many_units_with_the_same_change_are_not_all_named() {
    let apps = |init: &str| {
        let apps: String = (10..51)
            .map(|number| format!("  a{number}: {{exec: [/bin/true]{init}}}\n"))
            .collect();
        format!("apps:\n{apps}")
    };
    let names: String = (10..30)
        .map(|number| format!("    a{number}-worker@.service\n"))
        .collect();
    case(
        &apps(""),
        &apps(", Service: {RestartSec: 5}"),
        "",
        &format!(
            "changed    the same change in 41 units  services.yaml:2:50, services.yaml:3:50, \
             services.yaml:4:50, and 38 other places\n{names}    and 21 more; `--name-only` names all\n  \
             [Service]\n  - RestartSec=10s\n  + RestartSec=5\n\nunits: 41 changed\n"
        ),
    );
}

#[test]
fn only_names_and_only_numbers() {
    let after = THREE
        .replace("  c: {image: r/c, port: 3000}", "  d: {image: r/d}")
        .replace("r/b", "r/bb");
    case(
        THREE,
        &after,
        "--name-only",
        "b-http@.service\nc-http@.service\nd-worker@.service\n",
    );
    case(
        THREE,
        &after,
        "--stat",
        "\
changed    b-http@.service    +1 -1
unwanted   c-http@.service
new        d-worker@.service  +18 -0
units: 1 changed, 1 new, 1 unwanted, 1 equal
",
    );
}

#[test]
fn what_stands_around_a_change_is_shown_on_request() {
    case(
        THREE,
        &THREE.replace("r/b", "r/x"),
        "-U 1",
        "\
changed    b-http@.service  services.yaml:5:14
  [Service]
    Environment=CONTAINER=%p-%i
  - Environment=IMAGE=r/b
  + Environment=IMAGE=r/x
    TimeoutStartSec=20min

units: 1 changed, 2 equal
",
    );
}

/// Compares the places that a headline names.
#[track_caller]
fn place(before: &str, after: &str, expected: &str) {
    let folder = rendered(before, after);
    let output = Test::within(folder)
        .args("diff --against dir:units")
        .output();
    let text = String::from_utf8(output.stdout).unwrap();
    let headline = text.lines().next().unwrap();
    let places = headline.split("  ").last().unwrap();
    assert_eq!(places, expected, "{text}");
}

#[test]
fn places_are_those_that_cause_a_change() {
    let manifest = |app: &str| format!("apps:\n  a:\n    config: false\n    image: r/a\n{app}");
    let base = manifest("    port: 1\n");
    for (after, expected) in [
        ("    port: 2\n", "services.yaml:5:11"),
        ("    port: 1\n    ports: [\"9:9\"]\n", "services.yaml:6:13"),
        (
            "    port: 1\n    volumes:\n      - /a:/a\n",
            "services.yaml:7:9",
        ),
        (
            "    port: 1\n    environment:\n      A: b\n",
            "services.yaml:7:7",
        ),
        (
            "    port: 1\n    environment:\n      PATH: /b\n",
            "services.yaml:7:7",
        ),
        ("    port: 1\n    command: run 100%\n", "services.yaml:6:14"),
        (
            "    port: 1\n    Service:\n      LimitNOFILE: 5\n",
            "services.yaml:7:20",
        ),
        (
            "    port: 1\n    Service:\n      RestartSec: null\n",
            "services.yaml:7:7",
        ),
        ("    port: 1\n    conflicts: self\n", "services.yaml:6:16"),
        (
            "    port: 1\n    user: \"1\"\n    pid: host\n",
            "services.yaml:6:11",
        ),
        // What is gone has no place but its app's.
        ("", "services.yaml:2:3"),
        (
            "    port: 1\n    template: docker-shell\n",
            "services.yaml:2:3",
        ),
    ] {
        let after = manifest(after);
        if after.contains("port") {
            place(&base, &after, expected);
        } else {
            place(
                &manifest("    process: http\n    port: 1\n"),
                &manifest("    process: http\n"),
                expected,
            );
        }
    }
}

#[test]
fn secrets_are_hidden_and_their_change_is_not() {
    let manifest = |password: &str, other: &str| {
        format!(
            "apps:\n  a:\n    exec: [/bin/a, --password, {password}]\n    environment: {{DB_PASSWORD: {password}, OTHER: {other}}}\n"
        )
    };
    let folder = rendered(&manifest("hunter2", "1"), &manifest("correct-horse", "2"));
    let output = Test::within(folder)
        .args("diff --against dir:units")
        .output();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "\
changed    a-worker@.service  services.yaml:3:11, services.yaml:4:19, services.yaml:4:47
  [Service]
  ~ Environment=DB_PASSWORD=*** (a hidden value is another one)
  - Environment=OTHER=1
  + Environment=OTHER=2
  ~ ExecStart=/bin/a --password *** (a hidden value is another one)

units: 1 changed
"
    );
    for secret in ["hunter2", "correct-horse"] {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!said.contains(secret), "{said}");
    }
}

#[test]
fn files_that_are_not_ours_are_left_alone() {
    let folder = rendered(THREE, THREE);
    folder.write("units/README.md", "text");
    folder.write("units/hand.service", "[Service]\nExecStart=/bin/true\n");
    folder.write("units/broken.service", "[Service]\nno assignment\n");
    folder.write(
        "units/a-http@.service",
        [b"[Service]\n".as_slice(), &[0xff]].concat(),
    );
    std::fs::create_dir(folder.path("units/folder.service")).unwrap();
    let options = Test::within(folder).args("diff --against dir:units --stat");
    options
        .status(1)
        .stdout("changed    a-http@.service  +18 -0\nunits: 1 changed, 2 equal\n")
        .stderr(
            "warning: fleet can't read `units/a-http@.service`: EOF\n\
             warning: fleet can't read `units/broken.service`: unexpected newline encountered while parsing option name\n",
        )
        .run();
}

#[test]
fn other_ways_of_writing_a_file_are_the_same_to_fleet() {
    let folder = rendered(THREE, THREE);
    let text = folder.read("units/a-http@.service");
    folder.write(
        "units/a-http@.service",
        format!(
            "# by hand\n{}\n\n",
            text.replace("Restart=always", "  Restart =  always ")
        ),
    );
    Test::within(folder)
        .args("diff --against dir:units")
        .stdout("nothing differs: 3 units\n")
        .run();
}

#[test]
fn a_folder_that_is_not_there_is_an_error() {
    Test::new()
        .manifest(THREE)
        .args("diff --against dir:nowhere")
        .status(2)
        .stderr(
            "error: can't read `nowhere`\n  caused by: No such file or directory (os error 2)\n\n\
             help: `--against dir:PATH` wants a folder of unit files, as `render` writes it\n",
        )
        .run();
}

#[test]
fn another_source_is_an_error() {
    Test::new()
        .manifest(THREE)
        .args("diff --against units")
        .status(2)
        .stderr(
            "error: invalid value 'units' for '--against <SOURCE>': say `fleet`, `dir:FOLDER`, \
             `git:REVISION` or `snapshot:FILE`\n\nFor more information, try '--help'.\n",
        )
        .run();
}

#[test]
fn a_faulty_manifest_is_compared_with_nothing() {
    Test::new()
        .manifest("apps:\n  a: {image: r/a, imgae: b}\n")
        .args("diff --against dir:nowhere")
        .status(2)
        .stderr(
            "error: unknown key `imgae`\n --> services.yaml:2:19\n  |\n2 |   a: {image: r/a, imgae: b}\n  \
             |                   ^^^^^\n  |\n  = help: did you mean `image`?\n\n1 error\n",
        )
        .run();
}

#[test]
fn a_snapshot_stands_in_for_its_cluster() {
    let server = FleetServer::start();
    let folder = Test::new().manifest(THREE).into_folder();
    let folder = deliver(server.endpoint(), folder);
    let endpoint = server.endpoint();
    let folder = Test::within(folder)
        .args(&format!("snapshot --endpoint {endpoint}"))
        .stderr(format!(
            "wrote snapshot.json: 6 units, 3 machines, of `{endpoint}`\n"
        ))
        .run();
    drop(server);
    let folder = Test::within(folder)
        .args("diff --against snapshot:snapshot.json")
        .stdout("nothing differs: 3 units, 3 instances\n")
        .run();
    folder.write(
        "services.yaml",
        THREE.replace("3000}", "3000, instances: 4, conflicts: self}"),
    );
    Test::within(folder)
        .args("diff --against snapshot:snapshot.json")
        .status(1)
        .stdout(
            "\
changed    c-http@.service  services.yaml:6:56
  restarts 1 instance, starts 2 instances
  [X-Fleet]
  + Conflicts=%p@*.service
  + c-http@2.service  missing, is to be launched
  + c-http@3.service  missing, is to be launched
  + c-http@4.service  missing, is to be launched

unplaced   c-http@4.service  services.yaml:6:42
  all 3 eligible machines are taken by units that it conflicts with: `c-http@2.service` on aaaa0001, \
             `c-http@3.service` on aaaa0002, `c-http@1.service` on aaaa0003

units: 1 changed, 2 equal; instances: 3 missing, 1 stale, 2 equal; 1 instance can't be placed
",
        )
        .run();
}
