//! `--set`, end to end. What is wrong with one is in `faults/set.txt`.

use std::process::Command;

use crate::delivery::deliver;
use crate::fleet_server::FleetServer;
use crate::git_repository::Repository;
use crate::test::{Folder, PROGRAM, Test};

const MANIFEST: &str = "\
defaults: {environment: {TZ: UTC}}
apps:
  hub:
    image: registry:5000/hub
    versions: {v41: 2}
    environment: [A=1, B=2]
    port: slot
    labels: {com.example.x: '1', y: '1'}
  night: {exec: /bin/night, schedule: daily, Service: {Nice: '5'}}
";

/// A folder with the units of the manifest, as it stands.
fn rendered() -> Folder {
    let test = Test::new().manifest(MANIFEST).args("render");
    assert!(test.output().status.success());
    test.into_folder()
}

/// Compares the units of the manifest with those that values over it give.
fn diff(folder: Folder, sets: &[&str]) -> Test {
    let test = Test::within(folder).args("diff --against dir:units -U 0");
    sets.iter()
        .fold(test, |test, set| test.word("--set").word(*set))
}

/// Returns the instances that run with values over the manifest.
#[track_caller]
fn instances(sets: &[&str], expected: &str) {
    let server = FleetServer::start();
    let test = Test::new()
        .manifest(MANIFEST)
        .args(&format!("status --endpoint {} hub", server.endpoint()));
    let test = sets
        .iter()
        .fold(test, |test, set| test.word("--set").word(*set));
    let output = String::from_utf8(test.output().stdout).unwrap();
    let names = output.lines().filter_map(|line| {
        let name = line.split_whitespace().nth(3)?;
        name.strip_prefix("hub-http@")?.strip_suffix(".service")
    });
    assert_eq!(names.collect::<Vec<_>>().join(" "), expected, "{sets:?}");
}

#[test]
fn a_value_stands_in_the_place_of_the_manifests() {
    let folder = diff(rendered(), &[])
        .stdout("nothing differs: 3 units\n")
        .run();
    diff(
        folder,
        &["hub.environment.A=1.10", "night.Service.Nice=null"],
    )
    .stdout(
        "\
changed    hub-http@.service  --set:1:17
  [Service]
  - Environment=A=1
  + Environment=A=1.10

changed    night-worker@.service  --set:1:15
  [Service]
  - Nice=5

units: 2 changed, 1 equal
",
    )
    .status(1)
    .run();
}

#[test]
fn a_map_takes_the_place_of_the_old_one() {
    instances(&[], "v41-1 v41-2");
    instances(&["hub.versions={v42: 3}"], "v42-1 v42-2 v42-3");
    instances(&["hub.versions=v42"], "v42-1");
    instances(
        &["hub.versions=[v41, 1.10]", "hub.instances=[8001]"],
        "v41-8001 1.10-8001",
    );
    instances(&["hub.versions.v42=1"], "v41-1 v41-2 v42-1");
    instances(&["hub.versions.v41=null", "hub.versions.v42=1"], "v42-1");
}

#[test]
fn the_later_goes_before_the_earlier() {
    instances(&["hub.versions=v42", "apps.hub.versions=v43"], "v43-1");
    instances(&["hub.versions.v44=1", "hub.versions={v43: 1}"], "v43-1");
    instances(
        &["hub.versions={v43: 1}", "hub.versions.v44=1"],
        "v43-1 v44-1",
    );
}

#[test]
fn files_lie_below_it() {
    let folder = rendered();
    folder.write(
        "more.yaml",
        "apps: {hub: {environment: {A: '2', B: '3'}}}\n",
    );
    Test::within(folder)
        .args("-f services.yaml -f more.yaml diff --against dir:units --set hub.environment.A=4")
        .stdout(
            "\
changed    hub-http@.service  more.yaml:1:36, --set:1:17
  [Service]
  - Environment=A=1
  + Environment=A=4
  - Environment=B=2
  + Environment=B=3

units: 1 changed, 2 equal
",
        )
        .status(1)
        .run();
}

#[test]
fn lists_that_are_maps_keys_in_quotes_and_defaults() {
    diff(
        rendered(),
        &[
            "hub.environment={B: '7'}",
            "hub.labels.\"com.example.x\"=a=b.c",
            "defaults.environment.TZ=null",
            "night.environment.EMPTY=",
        ],
    )
    .stdout(
        "\
changed    hub-http@.service  --set:1:18, --set:1:12
  [Service]
  - Environment=A=1
  - Environment=B=2
  + Environment=B=7
  ~ ExecStart=/opt/bin/unitgen … VERSION -e [-TZ=UTC -e A -e-] B --label [-com.example.x=1-] \
{+com.example.x=a=b.c+} --label y=1 ${IMAGE}:${VERSION}

changed    night-worker@.service  --set:1:19
  [Service]
  - Environment=TZ=UTC
  + Environment=EMPTY=

units: 2 changed, 1 equal
",
    )
    .status(1)
    .run();
}

#[test]
fn apps_and_processes_come_and_go() {
    diff(
        rendered(),
        &[
            "night=null",
            "apps.day={exec: /bin/day, processes: {a: {}, b: }}",
            "day.processes.a=null",
            "day.processes.c={exec: /bin/c}",
            "day.processes.b.exec=/bin/b",
        ],
    )
    .stdout(
        "\
new        day-b@.service  --set:1:46
  [Unit]
  + Description=%p %i
  [Service]
  + Environment=APPLICATION=day
  + Environment=TZ=UTC
  + Restart=always
  + RestartSec=10s
  + ExecStart=/bin/b
  [X-Unitgen]
  + App=day
  + Process=b

new        day-c@.service  --set:1:15
  [Unit]
  + Description=%p %i
  [Service]
  + Environment=APPLICATION=day
  + Environment=TZ=UTC
  + Restart=always
  + RestartSec=10s
  + ExecStart=/bin/c
  [X-Unitgen]
  + App=day
  + Process=c

unwanted   night-worker@.service
  of app `night`, which the manifest does not have

unwanted   night-worker@.timer
  of app `night`, which the manifest does not have

units: 2 new, 2 unwanted, 1 equal
",
    )
    .status(1)
    .run();
}

#[test]
fn a_revision_is_taken_as_it_is() {
    let repository = Repository::with(&[("services.yaml", MANIFEST)]);
    repository.commit("one");
    let path = std::env::var("PATH").unwrap();
    let folder = Folder::new();
    folder.write(
        "run",
        format!(
            "cd {} && exec {PROGRAM} diff --name-only --against git:HEAD --set hub.versions=v42",
            repository.path("").display()
        ),
    );
    let output = Command::new("sh")
        .arg(folder.path("run"))
        .env("PATH", path)
        .output()
        .unwrap();
    let shown = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    let expected = "hub-http@v42-1.service\nhub-http@v41-1.service\nhub-http@v41-2.service\n";
    assert_eq!(shown, expected);
}

#[test]
fn a_secret_is_warned_of_and_hidden() {
    diff(rendered(), &["hub.environment.DB_PASSWORD=hunter2"])
        .stdout(
            "\
changed    hub-http@.service  --set:1:17
  [Service]
  + Environment=DB_PASSWORD=***
  ~ ExecStart=/opt/bin/unitgen … -e B {+-e DB_PASSWORD+} --label com.example.x=1 …

units: 1 changed, 2 equal
",
        )
        .stderr(
            "\
warning: `--set hub.environment.DB_PASSWORD` looks like a secret, and others see a command line: \
`unitgen config` is for it
1 warning: see `unitgen check`
",
        )
        .status(1)
        .run();
    Test::new()
        .manifest(MANIFEST)
        .args("check --set hub.config_keys=[A] --set")
        .word("hub.environment.API_TOKEN={etcd: /a}")
        .stdout("nothing found in 3 units\n")
        .run();
}

#[test]
fn findings_point_into_it() {
    Test::new()
        .manifest(MANIFEST)
        .args("check --format json --set night.Service.Retsart=no --set hub.port=80")
        .stdout(
            r#"{
  "findings": [
    {
      "code": "U201",
      "fix": [],
      "help": "did you mean `Restart`?",
      "label": "it is dropped",
      "message": "systemd knows no `Retsart` in `[Service]`",
      "place": {
        "column": 15,
        "file": "--set",
        "line": 1
      },
      "related": [],
      "severity": "warning"
    },
    {
      "code": null,
      "fix": [],
      "help": "say `conflicts: self`, or `port: slot` to give each its own",
      "label": "two of them can't run on one machine",
      "message": "several instances take port 80",
      "place": {
        "column": 10,
        "file": "--set",
        "line": 1
      },
      "related": [],
      "severity": "warning"
    }
  ],
  "format_version": 1
}
"#,
        )
        .run();
}

#[test]
fn status_has_it() {
    let server = FleetServer::start();
    let folder = Test::new()
        .manifest("apps: {hub: {exec: /bin/hub, instances: 2}}")
        .into_folder();
    let folder = deliver(server.endpoint(), folder);
    Test::within(folder)
        .args(&format!(
            "status --endpoint {} --set hub.instances=1",
            server.endpoint()
        ))
        .stdout(
            "\
APP  PROCESS  VERSION  INSTANCE              WANTED    STATE             MACHINE   TEXT
hub  worker   -        hub-worker@1.service  launched  active (running)  aaaa0001  equal
hub  worker   -        hub-worker@2.service  -         active (running)  aaaa0002  equal
  ! the manifest does not want it
2 instances, 1 not as they should be
",
        )
        .status(1)
        .run();
}

#[test]
fn hostile_values_are_refused_and_no_time_is_lost() {
    let bomb = (1..30).fold(
        "[&a0 [x, x, x, x, x, x, x, x, x, x]".to_owned(),
        |text, level| {
            let below = vec![format!("*a{}", level - 1); 10].join(", ");
            format!("{text}, &a{level} [{below}]")
        },
    );
    let deep = format!("hub.labels={}{}", "[".repeat(65), "]".repeat(65));
    let long = format!("hub.{}=1", "a.".repeat(40_000));
    let huge = format!("hub.environment.A={}", "x".repeat(100_000));
    let sets = [
        format!("hub.labels={bomb}]"),
        deep,
        long,
        huge,
        "hub.environment.\u{202e}=\u{202e}".to_owned(),
        "hub.environment.A=ä\u{1f600}".to_owned(),
        "\"\\".to_owned(),
        "hub.\"\"\"=".to_owned(),
        "\u{feff}hub.image=x".to_owned(),
        "hub.image=\u{feff}x".to_owned(),
        "hub.image=\"\\".to_owned(),
        "hub.environment.A=\"\\u202e\"".to_owned(),
        "hub.<<={image: x}".to_owned(),
        "hub=<<: x".to_owned(),
        "hub={<<: {image: x}}".to_owned(),
        "hub={<<: 3}".to_owned(),
        "hub=? [a]".to_owned(),
        "hub={[a]: 1}".to_owned(),
        "hub.image='\n'".to_owned(),
        "hub.image=a\r\nb".to_owned(),
        "hub.image=\t".to_owned(),
        "hub.image=...".to_owned(),
        "hub.image=@".to_owned(),
        "hub.image=\"a\" \"b\"".to_owned(),
        "hub.image=&a".to_owned(),
        "hub.image=!!str".to_owned(),
        "hub.image=!!int x".to_owned(),
    ];
    for set in &sets {
        let test = Test::new()
            .manifest(MANIFEST)
            .args("check")
            .word("--set")
            .word(set.as_str());
        let output = test.output();
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 1)), "{set:.200}: {code:?}");
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(
            shown.len() < 20_000 && !shown.contains('\u{202e}'),
            "{set:.200}: {shown:.20000}"
        );
    }
    let many = (0..1_000).map(|number| format!("hub.environment.V{number}={number}"));
    let test = Test::new().manifest(MANIFEST).args("check --strict");
    let test = many.fold(test, |test, set| test.word("--set").word(set));
    test.stdout("nothing found in 3 units\n").run();
}
