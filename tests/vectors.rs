//! Observations of the real systemd 252 and fleet 1.0, if there is a file of
//! them: everything this project claims about the two is held against it.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use unitgen::unit::UnitFile;
use unitgen::unit::dollar::substitute;
use unitgen::unit::escape::{
    escape, escape_path, fleet_escape, fleet_escape_path, fleet_unescape, unescape,
};
use unitgen::unit::fleet::FleetUnit;
use unitgen::unit::fleet::constraints::Constraints;
use unitgen::unit::name::{NameKind, UnitName, check_fleet_name, fleet_parts};
use unitgen::unit::specifier::Host;
use unitgen::unit::systemd::{self, Reading, Verdict};

/// Counts agreements by field and remembers the others.
#[derive(Default)]
pub(crate) struct Tally {
    counts: BTreeMap<&'static str, (usize, usize)>,
    faults: Vec<String>,
}

impl Tally {
    pub(crate) fn compare(
        &mut self,
        field: &'static str,
        case: &str,
        expected: &Value,
        found: &Value,
    ) {
        let (agreeing, total) = self.counts.entry(field).or_default();
        *total += 1;
        if expected == found {
            *agreeing += 1;
        } else {
            let fault = format!("{case}, {field}:\n  expected {expected}\n  found    {found}");
            self.faults.push(fault);
        }
    }

    /// Prints the counts, and fails where there is a fault.
    #[expect(clippy::print_stdout, reason = "the counts are what one wants to see")]
    pub(crate) fn finish(self) {
        for (field, (agreeing, total)) in &self.counts {
            println!("{field:20} {agreeing:4} of {total:4}");
        }
        assert!(self.faults.is_empty(), "{}", self.faults.join("\n"));
    }
}

/// Returns the observations; none where there is no file of them.
#[expect(clippy::print_stdout, reason = "a test that does nothing says so")]
pub(crate) fn vectors() -> Value {
    let Some(path) = std::env::var_os("UNITGEN_VECTORS") else {
        println!("left out: UNITGEN_VECTORS names no file of observations");
        return Value::Null;
    };
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Returns the observations of one kind.
pub(crate) fn list(vectors: &Value, kind: &str) -> Vec<Value> {
    vectors[kind].as_array().cloned().unwrap_or_default()
}

/// Stands for the answer of a host nobody knows.
pub(crate) const ANY: &str = "\u{1}any\u{1}";

/// A host of which every answer is marked as unknown.
fn host() -> Host {
    let letters = "aAbBHlqmMovwWyYcrRhs";
    letters
        .chars()
        .fold(Host::unknown(), |host, letter| host.with(letter, ANY))
}

/// Compares texts of which the found one may hold unknown answers.
fn matches(expected: &str, found: &str) -> bool {
    let Some((first, others)) = found.split_once(ANY) else {
        return expected == found;
    };
    let Some(mut rest) = expected.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<_> = others.split(ANY).collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(place) = rest.find(part) else {
            return false;
        };
        rest = &rest[place + part.len()..];
    }
    rest.ends_with(last)
}

/// Puts the expected text in the place of a found one that matches it.
pub(crate) fn settle(expected: &Value, found: &mut Value) {
    match (expected, found) {
        (Value::String(expected), Value::String(found)) if matches(expected, found) => {
            found.clone_from(expected);
        }
        (Value::Array(expected), Value::Array(found)) => {
            expected
                .iter()
                .zip(found)
                .for_each(|(expected, found)| settle(expected, found));
        }
        (Value::Object(expected), Value::Object(found)) => {
            for (key, found) in found {
                if let Some(expected) = expected.get(key) {
                    settle(expected, found);
                }
            }
        }
        _ => {}
    }
}

fn text(bytes: &[u8]) -> Value {
    Value::from(String::from_utf8_lossy(bytes))
}

/// Returns the text of a unit file.
pub(crate) fn input(vector: &Value) -> Vec<u8> {
    if let Some(text) = vector["input"].as_str() {
        return text.as_bytes().to_vec();
    }
    if let Some(encoded) = vector["input_b64"].as_str() {
        return decode(encoded);
    }
    let mut bytes = Vec::new();
    for piece in vector["input_gen"]["pieces"].as_array().unwrap() {
        let count = usize::try_from(piece[1].as_u64().unwrap()).unwrap();
        bytes.extend(piece[0].as_str().unwrap().repeat(count).into_bytes());
    }
    bytes
}

/// Decodes base 64.
fn decode(encoded: &str) -> Vec<u8> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for digit in encoded.chars().filter_map(|digit| DIGITS.find(digit)) {
        bits = bits << 6 | u32::try_from(digit).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}

fn entries(file: &UnitFile<'_>) -> Value {
    match systemd::entries(file) {
        Err(_) => Value::Null,
        Ok(entries) => entries
            .iter()
            .map(|entry| {
                let section = entry.section.unwrap();
                Value::from(vec![text(section), text(entry.name), text(entry.value)])
            })
            .collect(),
    }
}

fn commands(reading: &Reading) -> Value {
    let commands = reading.commands.iter().map(|(name, commands)| {
        let argv = commands.iter().map(|command| {
            command
                .argv
                .iter()
                .map(|word| text(word))
                .collect::<Value>()
        });
        ((*name).to_owned(), argv.collect())
    });
    Value::Object(commands.collect())
}

fn compare_systemd(tally: &mut Tally, vector: &Value, bytes: &[u8]) {
    let case = vector["id"].as_str().unwrap();
    let expected = &vector["systemd"];
    let file = UnitFile::parse(bytes);
    let unit = UnitName::new(vector["unit"].as_str().unwrap()).unwrap();
    let reading = systemd::read(&file, &unit, &host());
    if !vector["entries"].is_string() {
        tally.compare("entries", case, &vector["entries"], &entries(&file));
    }
    let verdict = match reading.verdict {
        Verdict::Loaded => "loaded",
        Verdict::BadSetting => "bad-setting",
        Verdict::Error => "error",
        Verdict::Masked => "masked",
    };
    tally.compare("load", case, &expected["load"], &Value::from(verdict));
    if expected["warnings"].is_array() {
        let warnings = reading.warnings.iter();
        let mut found: Value = warnings
            .map(|warning| Value::from(vec![warning.line.into(), Value::from(&*warning.text)]))
            .collect();
        settle(&expected["warnings"], &mut found);
        tally.compare("warnings", case, &expected["warnings"], &found);
    }
    if expected["argv"].is_object() {
        let mut found = commands(&reading);
        settle(&expected["argv"], &mut found);
        tally.compare("argv", case, &expected["argv"], &found);
    }
    for (field, found) in [
        ("environment", &reading.environment),
        ("environment_files", &reading.environment_files),
    ] {
        if expected[field].is_array() {
            let mut found = Value::from(found.clone());
            settle(&expected[field], &mut found);
            tally.compare(field, case, &expected[field], &found);
        }
    }
    if let Some(received) = vector["executed"]["argv"].as_array()
        && vector["note"].is_null()
    {
        let argv = &reading.commands["ExecStart"][0].argv;
        let mut found = substitute(argv, &reading.environment);
        // The path search of a bare name and its first argument are the shell's.
        let skipped = found.len() - received.len();
        let found: Value = found
            .drain(..)
            .skip(skipped)
            .map(|word| text(&word))
            .collect();
        tally.compare("executed", case, &vector["executed"]["argv"], &found);
    }
}

fn compare_fleet(tally: &mut Tally, vector: &Value, bytes: &[u8]) {
    let case = vector["id"].as_str().unwrap();
    let expected = &vector["fleet"];
    let result = FleetUnit::parse(bytes);
    let error = match &result {
        Ok(_) => Value::Null,
        Err(error) => Value::from(error.to_string()),
    };
    tally.compare("fleet parse_error", case, &expected["parse_error"], &error);
    if let (true, Ok(unit)) = (expected["options"].is_array(), &result) {
        let options = unit
            .options
            .iter()
            .map(|option| Value::from(vec![option.section.as_ref(), &option.name, &option.value]));
        tally.compare(
            "fleet options",
            case,
            &expected["options"],
            &options.collect(),
        );
    }
    if let (true, Ok(unit)) = (expected["Conflicts"].is_array(), &result) {
        compare_constraints(tally, vector, unit);
    }
}

fn compare_constraints(tally: &mut Tally, vector: &Value, unit: &FleetUnit) {
    let case = vector["id"].as_str().unwrap();
    let expected = &vector["fleet"];
    let constraints = Constraints::read(unit, vector["unit"].as_str().unwrap());
    let Constraints {
        conflicts,
        replaces,
        peers,
        metadata,
        machine_id,
        global,
        unknown,
    } = &constraints;
    let mut fields = vec![
        ("fleet Conflicts", "Conflicts", serde_json::json!(conflicts)),
        ("fleet Replaces", "Replaces", serde_json::json!(replaces)),
        ("fleet Peers", "Peers", serde_json::json!(peers)),
        ("fleet Metadata", "Metadata", serde_json::json!(metadata)),
        ("fleet Global", "Global", serde_json::json!(global)),
    ];
    let refusal = Constraints::read(unit, "").refusal();
    // Of several keys fleet names any one.
    let complaint = unknown.iter().map(|key| {
        Value::from(format!(
            "unrecognized requirement in [X-Fleet] section: {key:?}"
        ))
    });
    let mut complaint: Vec<_> = complaint.collect();
    complaint.sort_by_key(|one| *one != expected["RequirementsErr"]);
    fields.push((
        "fleet MachineID",
        "MachineID",
        Value::from(machine_id.clone()),
    ));
    fields.push(("fleet OptionsError", "OptionsError", Value::from(refusal)));
    let complaint = complaint.into_iter().next().unwrap_or_default();
    fields.push(("fleet RequirementsErr", "RequirementsErr", complaint));
    for (field, key, found) in fields {
        tally.compare(field, case, &expected[key], &found);
    }
}

fn compare_name(tally: &mut Tally, vector: &Value) {
    let case = vector["name"].as_str().unwrap();
    let name = UnitName::new(case).ok();
    let kind = name.as_ref().map(|name| match name.kind() {
        NameKind::Plain => "plain",
        NameKind::Template => "template",
        NameKind::Instance => "instance",
    });
    let name = name.as_ref();
    for (field, key, found) in [
        ("name kind", "systemd_kind", kind),
        ("name prefix", "prefix", name.map(UnitName::prefix)),
        (
            "name instance",
            "instance",
            name.and_then(UnitName::instance),
        ),
        (
            "name stem",
            "id_without_suffix",
            name.map(UnitName::without_suffix),
        ),
    ] {
        tally.compare(field, case, &vector[key], &Value::from(found));
    }
    let error = check_fleet_name(case).err().map(|error| error.to_string());
    tally.compare(
        "name fleet_error",
        case,
        &vector["fleet_error"],
        &Value::from(error),
    );
    let parts = fleet_parts(case).map(|parts| {
        serde_json::json!({
            "FullName": case,
            "Name": parts.name,
            "Prefix": parts.prefix,
            "Template": parts.template,
            "Instance": parts.instance,
        })
    });
    tally.compare(
        "name fleet_info",
        case,
        &vector["fleet_info"],
        &Value::from(parts),
    );
}

fn compare_escapes(tally: &mut Tally, vector: &Value) {
    let case = vector["input"].as_str().unwrap();
    let bytes = case.as_bytes();
    let lossy = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    for (key, found) in [
        ("systemd_escape", Some(escape(bytes))),
        ("systemd_escape_path", escape_path(bytes)),
        ("systemd_unescape", unescape(bytes).map(lossy)),
        ("go_escape", Some(fleet_escape(bytes))),
        ("go_path", Some(fleet_escape_path(bytes))),
        ("go_unescape", Some(lossy(fleet_unescape(bytes)))),
    ] {
        tally.compare(key, case, &vector[key], &Value::from(found));
    }
}

#[test]
fn every_observation_is_agreed_with() {
    let vectors = vectors();
    let mut tally = Tally::default();
    for vector in list(&vectors, "unit_files") {
        let bytes = input(&vector);
        assert_eq!(UnitFile::parse(&bytes).print(), bytes, "{}", vector["id"]);
        compare_systemd(&mut tally, &vector, &bytes);
        compare_fleet(&mut tally, &vector, &bytes);
    }
    for vector in list(&vectors, "unit_names") {
        compare_name(&mut tally, &vector);
    }
    for vector in list(&vectors, "escape") {
        compare_escapes(&mut tally, &vector);
    }
    tally.finish();
}
