//! A plan as a file: what `diff --out` saves, to be carried out later.
//!
//! In: a plan, what it was made against, and where the manifest asks for its units. Out: a JSON text,
//! and all three again. What is read is held to what a plan can be: each text has the hash that is
//! written with it, and each step names what it counts on. Knows nothing of files on a disk, nor of how
//! a step is done.
//!
//! One value, its keys sorted:
//!
//! - `format_version`: 1.
//! - `against`: the cluster that it is for: where it is and by which way, or `snapshot:FILE`.
//! - `steps`: in the order in which they are to be done; of each
//!   - `action`: `create`, `replace` or `destroy`,
//!   - `unit`: the name of the unit's file; no two steps are of one unit,
//!   - `reason`: `new` of a `create`, `changed` or `reordered` of a `replace`, `unwanted` of a `destroy`,
//!   - `before`: the hash that the unit must have; null of a `create`, before which there must be none,
//!   - `after` and `text`: the hash and the text that it gets; null of a `destroy`,
//!   - `place`: `file`, `line` and `column` where the manifest asks for it; null where it does not.
//! - `held`: the names of plain units that are to change, but run.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::name::UnitName;
use crate::plan::{Action, Plan, Reason, Step, Text};
use crate::state::{RegistryName, UnitHash};
use crate::unit::fleet::{hash, keeps};

/// The format that is written, and the only one that is read.
const FORMAT: u32 = 1;

/// A plan, and what a reader of it wants to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanFile {
    /// What was compared with, as the user wrote it.
    pub against: String,
    /// The plan.
    pub plan: Plan,
    /// Where the manifest asks for the units of the steps.
    pub places: BTreeMap<RegistryName, FilePlace>,
}

/// A place, which does not need the text that it is a place of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilePlace {
    /// The file's name, as the user gave it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format_version: u32,
    against: String,
    steps: Vec<StepEntry>,
    held: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepEntry {
    action: String,
    unit: String,
    reason: String,
    before: Option<String>,
    after: Option<String>,
    text: Option<String>,
    place: Option<FilePlace>,
}

/// Only this is read of a file of another format.
#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

impl PlanFile {
    /// Writes a plan. The same one gives the same text.
    #[must_use]
    pub fn text(&self) -> String {
        let Self {
            against,
            plan: Plan { steps, held },
            places,
        } = self;
        let entry = |step: &Step| {
            let Step {
                unit,
                action,
                reason,
            } = step;
            StepEntry {
                action: action.word().to_owned(),
                unit: unit.to_string(),
                reason: reason.word().to_owned(),
                before: action.before().map(ToString::to_string),
                after: action.text().map(|text| text.hash.to_string()),
                text: action.text().map(|text| text.text.clone()),
                place: places.get(unit).cloned(),
            }
        };
        let file = File {
            format_version: FORMAT,
            against: against.clone(),
            steps: steps.iter().map(entry).collect(),
            held: held.iter().map(ToString::to_string).collect(),
        };
        format!("{:#}\n", serde_json::json!(file))
    }

    /// Reads a plan.
    ///
    /// # Errors
    /// Says what is wrong with the file.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let version: Version =
            serde_json::from_slice(bytes).map_err(|error| format!("it is no plan: {error}"))?;
        if version.format_version != FORMAT {
            let found = version.format_version;
            return Err(format!(
                "it has format {found}, and this unitgen reads format {FORMAT}"
            ));
        }
        let file: File = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let mut plan = Plan::default();
        let mut places = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for mut entry in file.steps {
            let place = entry.place.take();
            let step = step(entry)?;
            once(&mut seen, &step.unit)?;
            places.extend(place.map(|place| (step.unit.clone(), place)));
            plan.steps.push(step);
        }
        for name in file.held {
            let name = RegistryName::seen(name);
            once(&mut seen, &name)?;
            plan.held.push(name);
        }
        Ok(Self {
            against: file.against,
            plan,
            places,
        })
    }
}

/// Notes a unit; two steps of one would undo each other.
fn once(seen: &mut BTreeSet<RegistryName>, name: &RegistryName) -> Result<(), String> {
    if seen.insert(name.clone()) {
        return Ok(());
    }
    Err(format!("it names `{name}` twice"))
}

fn step(entry: StepEntry) -> Result<Step, String> {
    let StepEntry {
        action: word,
        unit,
        reason,
        before,
        after,
        text,
        place: _,
    } = entry;
    let fail = |fault: String| Err(format!("the step of `{unit}` {fault}"));
    let (has_before, has_text) = match word.as_str() {
        "create" => (false, true),
        "replace" => (true, true),
        "destroy" => (true, false),
        _ => return fail(format!("has an unknown action, `{word}`")),
    };
    for (key, has, should) in [
        ("before", before.is_some(), has_before),
        ("after", after.is_some(), has_text),
        ("text", text.is_some(), has_text),
    ] {
        match (has, should) {
            (false, true) => return fail(format!("lacks `{key}`, which a `{word}` needs")),
            (true, false) => return fail(format!("has `{key}`, which a `{word}` can't have")),
            _ => {}
        }
    }
    for hash in [&before, &after].into_iter().flatten() {
        if !is_hash(hash) {
            return fail(format!("has `{hash}` in place of a hash"));
        }
    }
    if let (Some(after), Some(text)) = (&after, &text) {
        if hash(text) != *after {
            return fail("has a text that does not have the hash `after`".to_owned());
        }
        if !keeps(text) {
            return fail("has a text that fleet would not store as it is".to_owned());
        }
        if let Err(error) = UnitName::new(&unit) {
            return fail(format!("is of no unit's name: {error}"));
        }
    }
    let before = before.map(UnitHash::seen);
    let text = after.zip(text).map(|(hash, text)| Text {
        hash: UnitHash::seen(hash),
        text,
    });
    // What each action has was seen to above.
    let (action, reasons): (_, &[Reason]) = match (before, text) {
        (None, Some(text)) => (Action::Create(text), &[Reason::New]),
        (Some(before), Some(text)) => (
            Action::Replace { before, text },
            &[Reason::Changed, Reason::Reordered],
        ),
        (Some(before), None) => (Action::Destroy { before }, &[Reason::Unwanted]),
        (None, None) => return fail("does nothing".to_owned()),
    };
    let Some(reason) = reasons.iter().find(|known| known.word() == reason) else {
        return fail(format!("has `{reason}` for a reason to {word}"));
    };
    Ok(Step {
        unit: RegistryName::seen(unit),
        action,
        reason: *reason,
    })
}

fn is_hash(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == 40 && text.bytes().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: &str = "[Service]\nExecStart=/bin/true\n";
    const OLD: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn example() -> PlanFile {
        let text = || Text {
            text: UNIT.to_owned(),
            hash: UnitHash::seen(hash(UNIT)),
        };
        let before = || UnitHash::seen(OLD);
        let step = |name: &str, action, reason| Step {
            unit: RegistryName::seen(name),
            action,
            reason,
        };
        let replace = || Action::Replace {
            before: before(),
            text: text(),
        };
        let destroy = Action::Destroy { before: before() };
        let place = FilePlace {
            file: "a.yaml".to_owned(),
            line: 2,
            column: 3,
        };
        PlanFile {
            against: "fleet".to_owned(),
            plan: Plan {
                steps: vec![
                    step("a@.service", Action::Create(text()), Reason::New),
                    step("b@.service", replace(), Reason::Changed),
                    step("c.service", replace(), Reason::Reordered),
                    // fleet's registry takes names that unitgen would not write.
                    step("d é@.service", destroy, Reason::Unwanted),
                ],
                held: vec![RegistryName::seen("e.service")],
            },
            places: [(RegistryName::seen("b@.service"), place)].into(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let empty = PlanFile {
            against: "snapshot:a \"b\"".to_owned(),
            plan: Plan::default(),
            places: BTreeMap::new(),
        };
        for plan in [example(), empty] {
            let text = plan.text();
            let read = PlanFile::parse(text.as_bytes()).unwrap();
            assert_eq!(read, plan);
            assert_eq!(read.text(), text);
        }
    }

    #[test]
    fn what_is_no_plan_is_refused() {
        #[track_caller]
        fn case(text: &str, expected: &str) {
            assert_eq!(PlanFile::parse(text.as_bytes()).unwrap_err(), expected);
        }
        case(
            "",
            "it is no plan: EOF while parsing a value at line 1 column 0",
        );
        case(
            "{\"format_version\": 2}",
            "it has format 2, and this unitgen reads format 1",
        );
        case(
            "{\"format_version\": 1}",
            "missing field `against` at line 1 column 21",
        );
        case(
            "{\"format_version\": 1, \"force\": true}",
            "unknown field `force`, expected one of `format_version`, `against`, `steps`, `held` at line 1 column 29",
        );
    }

    #[test]
    fn faulty_steps_are_refused() {
        /// Puts a value into the first step of a kind, or takes it away.
        #[track_caller]
        fn case(step: usize, key: &str, value: serde_json::Value, expected: &str) {
            let mut file: serde_json::Value = serde_json::from_str(&example().text()).unwrap();
            file["steps"][step][key] = value;
            let error = PlanFile::parse(file.to_string().as_bytes()).unwrap_err();
            assert_eq!(error, expected);
        }
        let null = || serde_json::Value::Null;
        case(
            0,
            "action",
            "start".into(),
            "the step of `a@.service` has an unknown action, `start`",
        );
        case(
            0,
            "before",
            OLD.into(),
            "the step of `a@.service` has `before`, which a `create` can't have",
        );
        case(
            0,
            "after",
            null(),
            "the step of `a@.service` lacks `after`, which a `create` needs",
        );
        case(
            1,
            "before",
            null(),
            "the step of `b@.service` lacks `before`, which a `replace` needs",
        );
        case(
            1,
            "text",
            null(),
            "the step of `b@.service` lacks `text`, which a `replace` needs",
        );
        case(
            1,
            "before",
            "A".into(),
            "the step of `b@.service` has `A` in place of a hash",
        );
        case(
            1,
            "text",
            "[Service]\nExecStart=/bin/false\n".into(),
            "the step of `b@.service` has a text that does not have the hash `after`",
        );
        case(
            1,
            "reason",
            "unwanted".into(),
            "the step of `b@.service` has `unwanted` for a reason to replace",
        );
        case(
            1,
            "unit",
            "../b".into(),
            &format!(
                "the step of `../b` is of no unit's name: {}",
                UnitName::new("../b").unwrap_err()
            ),
        );
        case(
            3,
            "before",
            null(),
            "the step of `d é@.service` lacks `before`, which a `destroy` needs",
        );
        case(
            3,
            "text",
            UNIT.into(),
            "the step of `d é@.service` has `text`, which a `destroy` can't have",
        );
        case(
            1,
            "unit",
            "a@.service".into(),
            "it names `a@.service` twice",
        );
        case(1, "unit", "e.service".into(), "it names `e.service` twice");
    }

    #[test]
    fn unknown_keys_of_steps_and_odd_texts_are_refused() {
        let text = example()
            .text()
            .replacen("\"action\"", "\"run\": 1,\n\"action\"", 1);
        let error = PlanFile::parse(text.as_bytes()).unwrap_err();
        assert!(error.starts_with("unknown field `run`"), "{error}");
        let odd = "[Service]\nExecStart=/bin/true";
        let mut plan = example();
        plan.plan.steps[0].action = Action::Create(Text {
            text: odd.to_owned(),
            hash: UnitHash::seen(hash(odd)),
        });
        assert_eq!(
            PlanFile::parse(plan.text().as_bytes()).unwrap_err(),
            "the step of `a@.service` has a text that fleet would not store as it is"
        );
    }
}
