//! `unitgen show --format json`, end to end, and over every observation of the real systemd 252 and
//! fleet 1.0, if there is a file of them.

use serde_json::Value;
use sha1::{Digest, Sha1};

use crate::test::Test;
use crate::vectors::{ANY, Tally, input, list, settle, vectors};

const POD: &str = "[Unit]\nDescription=%p on %H\n[Service]\nEnvironment=A=1\n\
    ExecStart=-/bin/a caf\\xe9 %i\nfoo=bar\n[X-Fleet]\nMachineMetadata=a=b\n";

const POD_SHOWN: &str = r#"{
  "argv": {
    "ExecStart": [
      [
        "/bin/a",
        "caf�",
        "i"
      ]
    ]
  },
  "commands": {
    "ExecStart": [
      {
        "path": "/bin/a",
        "prefix": "-"
      }
    ]
  },
  "entries": [
    [
      "Unit",
      "Description",
      "%p on %H"
    ],
    [
      "Service",
      "Environment",
      "A=1"
    ],
    [
      "Service",
      "ExecStart",
      "-/bin/a caf\\xe9 %i"
    ],
    [
      "Service",
      "foo",
      "bar"
    ],
    [
      "X-Fleet",
      "MachineMetadata",
      "a=b"
    ]
  ],
  "environment": [
    "A=1"
  ],
  "environment_files": [],
  "file": "pod@.service",
  "fleet": {
    "canonical": "[Unit]\nDescription=%p on %H\n\n[Service]\nEnvironment=A=1\nExecStart=-/bin/a caf\\xe9 %i\nfoo=bar\n\n[X-Fleet]\nMachineMetadata=a=b\n",
    "constraints": {
      "conflicts": [],
      "global": false,
      "machine_id": null,
      "metadata": {
        "a": [
          "b"
        ]
      },
      "peers": [],
      "replaces": [],
      "unknown": []
    },
    "constraints_as_written": true,
    "gained": [],
    "hash": "bbf9896c3112700442891612a8eb05455c17646a",
    "lost": [],
    "name_error": null,
    "options": [
      [
        "Unit",
        "Description",
        "%p on %H"
      ],
      [
        "Service",
        "Environment",
        "A=1"
      ],
      [
        "Service",
        "ExecStart",
        "-/bin/a caf\\xe9 %i"
      ],
      [
        "Service",
        "foo",
        "bar"
      ],
      [
        "X-Fleet",
        "MachineMetadata",
        "a=b"
      ]
    ],
    "reads_the_same": true,
    "refusal": null,
    "stored_as_given": false
  },
  "format_version": 1,
  "load": "loaded",
  "name": "pod@i.service",
  "open_specifiers": [
    "%H"
  ],
  "rejection": null,
  "settings": {
    "Unit": {
      "Description": "pod on %H"
    }
  },
  "warnings": [
    [
      6,
      "Unknown key 'foo' in section [Service], ignoring."
    ]
  ]
}
"#;

#[test]
fn programs_get_one_json_value_for_each_file() {
    let shown = |file: &str| POD_SHOWN.replace("pod@.service", file);
    Test::new()
        .file("pod@.service", POD)
        .args("show --format json pod@.service")
        .stdout(POD_SHOWN)
        .run();
    Test::new()
        .file("one/pod@.service", POD)
        .file("two/pod@.service", POD)
        .args("show --format json one/pod@.service two/pod@.service")
        .stdout(shown("one/pod@.service") + &shown("two/pod@.service"))
        .run();
}

/// Runs the program over a unit, which is an instance's template where it is an instance.
fn shown(unit: &str, bytes: &[u8]) -> Value {
    let (file, option) = match unit.split_once('@') {
        None => (unit.to_owned(), String::new()),
        Some((prefix, rest)) => {
            let (instance, suffix) = rest.rsplit_once('.').unwrap();
            let option = format!("--instance {instance}");
            (format!("{prefix}@.{suffix}"), option)
        }
    };
    let test = Test::new()
        .file(&file, bytes)
        .args(&format!("show --format json {option} {file}"));
    let output = test.output();
    assert!(output.stderr.is_empty() && output.status.success());
    assert!(output.stdout.ends_with(b"}\n"));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Puts a mark for what only the machine knows.
fn mark(value: &mut Value, specifiers: &[String]) {
    match value {
        Value::String(text) => {
            for specifier in specifiers {
                *text = text.replace(specifier, ANY);
            }
        }
        Value::Array(members) => members.iter_mut().for_each(|one| mark(one, specifiers)),
        Value::Object(members) => members.values_mut().for_each(|one| mark(one, specifiers)),
        _ => {}
    }
}

fn hash(text: &str) -> String {
    let digest = Sha1::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn compare_systemd(tally: &mut Tally, case: &str, expected: &Value, found: &Value) {
    let lines = |value: &Value| {
        let warnings = value["warnings"].as_array().unwrap();
        let lines = warnings.iter().map(|warning| warning[0].clone());
        lines.collect::<Value>()
    };
    tally.compare("load", case, &expected["load"], &found["load"]);
    tally.compare("warning lines", case, &lines(expected), &lines(found));
    let open = found["open_specifiers"].as_array().unwrap().iter();
    let open: Vec<String> = open
        .map(|letter| letter.as_str().unwrap().to_owned())
        .collect();
    for field in ["argv", "environment", "environment_files"] {
        if !expected[field].is_array() && !expected[field].is_object() {
            continue;
        }
        let mut value = found[field].clone();
        mark(&mut value, &open);
        settle(&expected[field], &mut value);
        tally.compare(field, case, &expected[field], &value);
    }
}

fn compare_fleet(tally: &mut Tally, case: &str, expected: &Value, found: &Value) {
    let error = "parse_error";
    tally.compare("fleet parse_error", case, &expected[error], &found[error]);
    for (field, key, found_key) in [
        ("fleet options", "options", "options"),
        ("fleet canonical", "canonical", "canonical"),
        ("fleet reads_the_same", "reads_the_same", "reads_the_same"),
        ("fleet view", "xfleet_view_same", "constraints_as_written"),
    ] {
        if !expected[key].is_null() {
            tally.compare(field, case, &expected[key], &found[found_key]);
        }
    }
    if let Some(canonical) = found["canonical"].as_str() {
        let hash = Value::from(hash(canonical));
        tally.compare("fleet hash", case, &hash, &found["hash"]);
    }
    if expected["Conflicts"].is_array() {
        let refusal = &expected["OptionsError"];
        tally.compare("fleet refusal", case, refusal, &found["refusal"]);
    }
}

#[test]
fn every_observation_is_shown() {
    let mut tally = Tally::default();
    for vector in list(&vectors(), "unit_files") {
        let case = vector["id"].as_str().unwrap();
        let unit = vector["unit"].as_str().unwrap();
        let found = shown(unit, &input(&vector));
        tally.compare("name", case, &vector["unit"], &found["name"]);
        if !vector["entries"].is_string() {
            tally.compare("entries", case, &vector["entries"], &found["entries"]);
        }
        compare_systemd(&mut tally, case, &vector["systemd"], &found);
        compare_fleet(&mut tally, case, &vector["fleet"], &found["fleet"]);
    }
    tally.finish();
}
