//! `unitgen diff`, end to end: its results for programs, comments and workflows, and the plan that it
//! saves. The whole of each is a snapshot under `tests/snapshots/`, which `UPDATE=1` rewrites.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use unitgen::cluster::snapshot::Snapshot;
use unitgen::plan::file::PlanFile;
use unitgen::state::{
    Coverage, Machine, MachineId, Observed, ObservedUnit, RegistryName, SeenState, State, States,
    UnitHash, UnitState,
};
use unitgen::unit::fleet::FleetUnit;

use crate::render;
use crate::test::{Test, updates};

const MANIFEST: &str = "\
apps:
  calm: {exec: [/bin/echo, calm], instances: [a]}
  four: {exec: [/bin/echo, 2], instances: [a]}
  fresh: {exec: [/bin/echo, 2], instances: [a, b]}
  hub:
    exec: [/bin/echo, hub]
    instances: [a, b, c]
    environment: {DB_PASSWORD: hunter2-new, LEVEL: debug}
  shop: {exec: [/bin/echo, 2], unit: shop}
  three: {exec: [/bin/echo, 2], instances: [a]}
";

/// What unitgen says of the manifest, whatever it does.
pub(crate) const WARNING: &str = "1 warning: see `unitgen check`\n";

pub(crate) const FORMATS: [&str; 4] = ["text", "json", "markdown", "github"];

/// A cluster that is made up.
pub(crate) struct Cluster(Observed);

impl Cluster {
    pub(crate) fn new() -> Self {
        Self(Observed {
            coverage: Coverage::Cluster,
            units: BTreeMap::new(),
            states: States::new(),
            machines: [(
                MachineId::seen("aaaa0001000000000000000000000001"),
                Machine {
                    id: MachineId::seen("aaaa0001000000000000000000000001"),
                    primary_ip: "127.0.0.1".to_owned(),
                    metadata: BTreeMap::new(),
                },
            )]
            .into(),
            release: None,
            owners: BTreeMap::new(),
        })
    }

    /// Adds a unit that nobody runs.
    pub(crate) fn stores(mut self, name: &str, text: &str) -> Self {
        let unit = FleetUnit::parse(text).unwrap();
        let unit = ObservedUnit {
            name: RegistryName::seen(name),
            hash: UnitHash::seen(unit.hash()),
            unit: unit.into(),
            desired: SeenState::Known(State::Inactive),
            current: Some(SeenState::Known(State::Inactive)),
            machine: None,
        };
        self.0.units.insert(unit.name.clone(), unit);
        self
    }

    /// Adds one that is to run, and what its machine says of it, if any has it.
    pub(crate) fn runs(mut self, name: &str, text: &str, state: Option<(&str, &str)>) -> Self {
        self = self.stores(name, text);
        let name = RegistryName::seen(name);
        let unit = self.0.units.get_mut(&name).unwrap();
        unit.desired = SeenState::Known(State::Launched);
        unit.current = Some(SeenState::Known(State::Launched));
        if let Some((active, sub)) = state {
            let state = UnitState {
                hash: unit.hash.clone(),
                load: "loaded".to_owned(),
                active: active.to_owned(),
                sub: sub.to_owned(),
            };
            let machine = MachineId::seen("aaaa0001000000000000000000000001");
            self.0.states.insert(name, [(machine, state)].into());
        }
        self
    }

    pub(crate) fn text(self) -> String {
        let snapshot = Snapshot {
            // Long after any test: a snapshot that is old is told to be.
            taken: 9_000_000_000,
            server: "`http://one`".to_owned(),
            observed: self.0,
        };
        snapshot.text()
    }
}

/// A test with a cluster in which nearly everything that can differ does.
pub(crate) fn test(arguments: &str) -> Test {
    const RUNS: Option<(&str, &str)> = Some(("active", "running"));
    let [calm, four, three] = [("calm", "calm"), ("four", "1"), ("three", "1")]
        .map(|(app, word)| render::unit(app, word));
    let hub = render::unit("hub", "hub").replace(
        "APPLICATION=hub\n",
        "APPLICATION=hub\nEnvironment=DB_PASSWORD=hunter2-old\nEnvironment=LEVEL=info\n",
    );
    let shop = render::unit("shop", "1");
    let strange = "[Service]\nEnvironment=APPLICATION=hub\nExecStart=/bin/echo hunter2-strange\n";
    let cluster = Cluster::new()
        .stores("calm-worker@.service", &calm)
        .runs("calm-worker@a.service", &calm, Some(("failed", "failed")))
        .stores("four-worker@.service", &four)
        .runs("four-worker@a.service", &four, RUNS)
        .stores("gone-worker@.service", &render::unit("gone", "1"))
        .runs("gone-worker@a.service", &render::unit("gone", "1"), RUNS)
        .stores("hub-worker@.service", &hub)
        .runs("hub-worker@a.service", &hub, RUNS)
        .runs("hub-worker@c.service", &hub, None)
        .runs("hub-worker@z.service", &hub, RUNS)
        .runs("shop.service", &shop, RUNS)
        .stores("strange.service", strange)
        .stores("three-worker@.service", &three)
        .runs("three-worker@a.service", &three, RUNS);
    Test::new()
        .manifest(MANIFEST)
        .file("cluster.json", cluster.text())
        .args(&format!("diff --against snapshot:cluster.json {arguments}"))
        .stderr(WARNING)
        .status(1)
}

/// Returns what a test's command wrote on stdout.
pub(crate) fn written(test: &Test) -> String {
    String::from_utf8(test.output().stdout).unwrap()
}

/// Holds a text against its snapshot, or rewrites that.
#[track_caller]
pub(crate) fn snapshot(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/snapshots")
        .join(name);
    if updates() {
        fs::write(&path, text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&path).unwrap(), "`{name}`");
}

#[test]
fn every_format_tells_all_of_a_diff() {
    for (format, name) in [
        ("json", "diff.json.txt"),
        ("markdown", "diff.md.txt"),
        ("github", "diff.github.txt"),
    ] {
        let diff = test(&format!("--format {format}"));
        let text = written(&diff);
        snapshot(name, &text);
        diff.stdout(text).run();
    }
}

#[test]
fn one_place_that_changes_many_units_is_annotated_once() {
    let unit = |app: &str| {
        let name = format!("APPLICATION={app}\n");
        render::unit(app, "1").replace(&name, &format!("{name}Environment=LEVEL=info\n"))
    };
    Test::new()
        .manifest(
            "\
defaults:
  environment: {LEVEL: debug}
apps:
  one: {exec: [/bin/echo, 1]}
  two: {exec: [/bin/echo, 1]}
",
        )
        .file("units/one-worker@.service", unit("one"))
        .file("units/two-worker@.service", unit("two"))
        .args("diff --against dir:units --format github")
        .stdout("::notice file=services.yaml,line=2,col=17,title=2 units changed::changes Environment%0Ain one-worker@.service, two-worker@.service\n")
        .status(1)
        .run();
}

#[test]
fn the_plan_is_saved_for_its_owner() {
    for format in FORMATS {
        let diff = test(&format!("--format {format} --out plan.json"));
        let text = written(&diff);
        let told = "saved the plan `plan.json`: 5 steps, 1 of which destroy; held back, as fleet was told to load or run: 1 unit\n";
        let folder = diff.stdout(text).stderr(format!("{WARNING}{told}")).run();
        let plan = folder.read("plan.json");
        snapshot("diff.plan.txt", &plan);
        assert_eq!(PlanFile::parse(plan.as_bytes()).unwrap().text(), plan);
        let mode = fs::metadata(folder.path("plan.json"))
            .unwrap()
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }
}

const NOTHING: &str = r#"{
  "against": "snapshot:cluster.json",
  "coverage": "cluster",
  "equal": 1,
  "equal_instances": 1,
  "foreign": [],
  "format_version": 1,
  "summary": {
    "effect": {
      "restarts": 0,
      "starts": 0,
      "stops": 0
    },
    "instances": {
      "behind": 0,
      "down": 0,
      "failed": 0,
      "missing": 0,
      "silent": 0,
      "stale": 0,
      "state": 0,
      "surplus": 0,
      "unplaced": 0
    },
    "units": {
      "changed": 0,
      "equal": 1,
      "new": 0,
      "reordered": 0,
      "unwanted": 0
    }
  },
  "units": [],
  "unplaced": []
}
"#;

#[test]
fn where_nothing_differs_the_plan_is_empty() {
    let unit = render::unit("one", "1");
    let cluster = || {
        let cluster = Cluster::new().stores("one-worker@.service", &unit);
        cluster.runs("one-worker@1.service", &unit, Some(("active", "running")))
    };
    let markdown = "\
### unitgen diff: nothing differs: 1 unit, 1 instance

Compared with `snapshot:cluster.json`.
";
    for (format, stdout) in [
        ("text", "nothing differs: 1 unit, 1 instance\n"),
        ("json", NOTHING),
        ("markdown", markdown),
        ("github", ""),
    ] {
        Test::new()
            .manifest("apps: {one: {exec: [/bin/echo, 1], instances: [1]}}")
            .file("cluster.json", cluster().text())
            .args(&format!(
                "diff --against snapshot:cluster.json --format {format} --out plan.json"
            ))
            .stdout(stdout)
            .stderr("saved the plan `plan.json`: 0 steps\n")
            .expect_file(
                "plan.json",
                "{\n  \"against\": \"snapshot:cluster.json\",\n  \"format_version\": 1,\n  \"held\": [],\n  \"steps\": []\n}\n",
            )
            .run();
    }
}

#[test]
fn what_does_not_go_together_is_refused_before_anything_is_read() {
    #[track_caller]
    fn case(arguments: &str, stderr: &str) {
        let test = Test::new().args(&format!("diff {arguments}"));
        test.stderr(stderr)
            .status(2)
            .expect_no_file("plan.json")
            .run();
    }
    for format in &FORMATS[1..] {
        for option in ["--stat", "--name-only", "--unified"] {
            let value = if option == "--unified" { "=3" } else { "" };
            case(
                &format!("{option}{value} --format {format}"),
                &format!("error: `{option}` is for `--format text` only\n"),
            );
        }
    }
    for format in ["text", "json", "github"] {
        case(
            &format!("--max-bytes 5000 --format {format}"),
            "error: `--max-bytes` is for `--format markdown` only\n",
        );
    }
    case(
        "--max-bytes 999 --format markdown",
        "error: invalid value '999' for '--max-bytes <N>': 999 is not in 1000..=4294967295\n\nFor more information, try '--help'.\n",
    );
    for source in ["dir:units", "git:main"] {
        case(
            &format!("--against {source} --out plan.json"),
            &format!(
                "error: `--out` saves a plan for a cluster, and `{source}` is none\n\nhelp: compare with `fleet` or with a `snapshot:FILE` of one\n"
            ),
        );
    }
    case(
        "--out -",
        "error: `--out` wants a file: the diff goes to stdout\n",
    );
}

/// Gathers the keys of every object, by the key that holds it.
fn keys<'a>(value: &'a Value, holder: &'a str, found: &mut BTreeMap<&'a str, BTreeSet<&'a str>>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| keys(item, holder, found)),
        Value::Object(entries) => {
            for (key, value) in entries {
                found.entry(holder).or_default().insert(key);
                keys(value, key, found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_key_is_there_and_documented() {
    let text = written(&test("--format json"));
    let value: Value = serde_json::from_str(&text).unwrap();
    let mut found = BTreeMap::new();
    keys(&value, "", &mut found);
    for (holder, expected) in [
        (
            "",
            "against coverage equal equal_instances foreign format_version summary units unplaced",
        ),
        ("causes", "column file line"),
        ("conditions", "active found load machine sub wanted word"),
        ("effect", "restarts starts stops"),
        ("foreign", "app name"),
        ("place", "column file line"),
        ("rows", "after before cause change hidden name"),
        ("sections", "name rows"),
        ("summary", "effect instances units"),
    ] {
        let found: Vec<&str> = found[holder].iter().copied().collect();
        assert_eq!(found.join(" "), expected, "{holder}");
    }
    // Of units and instances there are numbers as well, in the summary.
    let every = |expected: &str, value: &Value| {
        let found: Vec<&str> = value
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(found.join(" "), expected);
    };
    for unit in value["units"].as_array().unwrap() {
        every(
            "after app before causes change effect has_app instances name place process sections",
            unit,
        );
        for instance in unit["instances"].as_array().unwrap() {
            every("conditions hash machines name place", instance);
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tell/json.rs");
    let source = fs::read_to_string(path).unwrap();
    let documented = source.split("\nuse ").next().unwrap();
    for key in found.values().flatten() {
        assert!(documented.contains(&format!("`{key}`")), "`{key}`");
    }
}
