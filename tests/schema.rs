//! The JSON Schema: it takes every good manifest and refuses what the program refuses.

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use unitgen::diagnostic::Report;
use unitgen::span::Sources;
use unitgen::yaml::{self, Node};

use crate::golden;
use crate::test::Test;

fn validator() -> Validator {
    jsonschema::draft202012::new(&unitgen::schema::value()).unwrap()
}

/// Reads a manifest as an editor does: plain scalars by YAML 1.2's core schema, aliases followed.
fn read(text: &str) -> Value {
    let mut sources = Sources::default();
    let source = sources.add("services.yaml", text);
    let mut report = Report::default();
    let tree = yaml::parse(&sources, source, &mut report);
    assert!(report.is_empty(), "{report:?}");
    convert(&tree.unwrap())
}

fn convert(node: &Node) -> Value {
    match &node.value {
        yaml::Value::Null | yaml::Value::Removed => Value::Null,
        yaml::Value::Scalar { text, plain: true } => match text.as_str() {
            "true" => json!(true),
            "false" => json!(false),
            _ => number(text).unwrap_or_else(|| json!(text)),
        },
        yaml::Value::Scalar { text, plain: false } => json!(text),
        yaml::Value::Sequence(items) => items.iter().map(|item| convert(item)).collect(),
        yaml::Value::Mapping(entries) => {
            let pair = |entry: &yaml::Entry| (entry.name().to_owned(), convert(&entry.node));
            Value::Object(entries.iter().map(pair).collect::<Map<_, _>>())
        }
    }
}

fn number(text: &str) -> Option<Value> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(json!(number));
    }
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.');
    let float = text.parse::<f64>().ok().filter(|_| is_number);
    float.map(|number| json!(number))
}

/// Returns what the schema has against a manifest.
fn errors(validator: &Validator, name: &str, text: &str) -> Vec<String> {
    let value = read(text);
    let errors = validator.iter_errors(&value);
    let errors = errors.map(|error| format!("{name}: {}: {error}", error.instance_path()));
    errors.collect()
}

#[test]
fn the_command_prints_a_valid_schema() {
    Test::new()
        .args("schema")
        .stdout(unitgen::schema::text())
        .run();
    let value: Value = serde_json::from_str(&unitgen::schema::text()).unwrap();
    assert_eq!(value, unitgen::schema::value());
    assert!(jsonschema::meta::is_valid(&value));
}

#[test]
fn good_manifests_are_taken() {
    let validator = validator();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = vec![root.join("src/commands/init/services.yaml")];
    let samples = root.join("services/services.yaml");
    paths.extend(samples.exists().then_some(samples));
    for case in golden::cases() {
        if case.join("expect").exists() {
            let manifests = golden::manifests(&case);
            paths.extend(manifests.iter().map(|name| case.join(name)));
        }
    }
    let read = |path: &PathBuf| fs::read_to_string(path).unwrap();
    let found = paths
        .iter()
        .map(|path| (path.display().to_string(), read(path)));
    let found: Vec<String> = found
        .flat_map(|(name, text)| errors(&validator, &name, &text))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn what_the_program_refuses_is_refused() {
    let validator = validator();
    let apps = [
        "imgae: x",
        "image: [x]",
        "image: {name: x}",
        "image: x, port: eighty",
        "image: x, port: 0",
        "image: x, port: 65536",
        "image: x, ports: 80",
        "image: x, ports: [{published: 80}]",
        "image: x, ports: [{target: 80, publish: 80}]",
        "image: x, ports: [99999]",
        "image: x, expose: [0]",
        "image: x, instances: many",
        "image: x, instances: -1",
        "image: x, instances: 1.5",
        "image: x, instances: 10001",
        "image: x, instances: [a-b]",
        "image: x, versions: [\".1\"]",
        "image: x, versions: {v1: many}",
        "image: x, privileged: yes",
        "image: x, privileged: 1",
        "image: x, read_only: \"true\"",
        "image: x, environment: [[A]]",
        "image: x, environment: {A: [b]}",
        "image: x, environment: {A: {vault: /a}}",
        "image: x, environment: {A: {etcd: a}}",
        "image: x, volumes: /data",
        "image: x, volumes: [{type: bind}]",
        "image: x, env_file: app.env",
        "image: x, devices: [fuse]",
        "image: x, ulimits: {nofile: many}",
        "image: x, ulimits: {nofile: {soft: 1}}",
        "image: x, logging: syslog",
        "image: x, logging: {drivr: syslog}",
        "image: x, mem_limit: lots",
        "image: x, cpus: two",
        "image: x, cpus: 0",
        "image: x, stop_grace_period: 90",
        "image: x, stop_grace_period: soon",
        "image: x, pull_policy: sometimes",
        "image: x, config: environment/x",
        "image: x, config: true",
        "image: x, required: [1A]",
        "image: x, config_keys: [1A]",
        "image: x, announce: soon",
        "image: x, announce: {prot: 80}",
        "image: x, announce: {port: 99999}",
        "image: x, deploy: {min_alife: 1}",
        "image: x, deploy: {min_alive: -1}",
        "image: x, template: a/b",
        "image: x, unit: a b",
        "image: x, Service: [a]",
        "image: x, Service: {Restart: {a: b}}",
        "image: x, Service: {\"Exec Start\": a}",
        "image: x, service: {Restart: always}",
        "image: x, restart: always",
        "image: x, process: Web",
        "image: x, processes: [http]",
        "image: x, processes: {http: 80}",
        "image: x, processes: {Web: {}}",
        "image: x, processes: {http: {process: web}}",
        "image: x, processes: {http: {processes: {}}}",
    ];
    let roots = [
        "apps: [hub]",
        "apps: {Hub: {image: x}}",
        "apps: {hub: nginx}",
        "version: one\napps: {}",
        "verison: 1\napps: {}",
        "defaults: {imgae: x}\napps: {}",
        "defaults: []\napps: {}",
        "- apps",
    ];
    let apps = apps.map(|app| format!("apps:\n  hub: {{{app}}}\n"));
    let mut taken = Vec::new();
    for text in roots.map(str::to_owned).iter().chain(&apps) {
        let output = Test::new().manifest(text).args("check").output();
        if output.status.code() != Some(1) {
            taken.push(format!("by the program: {text}"));
        }
        if validator.is_valid(&read(text)) {
            taken.push(format!("by the schema: {text}"));
        }
    }
    assert!(taken.is_empty(), "taken {taken:#?}");
}
