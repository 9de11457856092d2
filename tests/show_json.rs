//! `unitgen show --format json`, end to end.

use crate::test::Test;

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
