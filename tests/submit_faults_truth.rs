//! Holds what `unitgen submit` says it did against what became of the registry.

use std::process::Output;

use serde_json::Value;

use crate::submit_faults_scene::Seen;

/// What a run said, and what it asked of the server.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) code: i32,
    pub(crate) begin: Option<Value>,
    pub(crate) steps: Vec<Value>,
    pub(crate) end: Option<Value>,
    pub(crate) stderr: String,
    pub(crate) requests: Vec<String>,
}

/// What somebody else changed meanwhile.
#[derive(Debug)]
pub(crate) struct Change {
    /// The unit.
    pub(crate) unit: String,
    /// The number of the request before which it was, from 1.
    pub(crate) number: usize,
    /// What there was right before it.
    pub(crate) before: Seen,
    /// What there was right after it.
    pub(crate) seen: Seen,
    /// Whether only unitgen reads.
    pub(crate) is_api: bool,
}

/// Where units are asked for.
const UNITS: &str = "/fleet/v1/units/";

impl Report {
    pub(crate) fn read(output: &Output, requests: Vec<String>) -> Result<Self, String> {
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let mut report = Self {
            code: output.status.code().unwrap_or(-1),
            begin: None,
            steps: Vec::new(),
            end: None,
            stderr,
            requests,
        };
        for line in stdout.lines() {
            let event: Value = serde_json::from_str(line)
                .map_err(|error| format!("{error}: {line}\n{}", report.stderr))?;
            if report.end.is_some() {
                return Err(format!("after the end: {line}"));
            }
            match event["event"].as_str() {
                Some("begin") => report.begin = Some(event),
                Some("step") => report.steps.push(event),
                Some("end") => report.end = Some(event),
                _ => {}
            }
        }
        Ok(report)
    }

    /// Returns the units that were to change and were left as they are because they run.
    pub(crate) fn held(&self) -> Vec<String> {
        self.begun("held")
    }

    /// Returns all that was left as it is because it runs.
    pub(crate) fn running(&self) -> Vec<String> {
        let mut names = [self.held(), self.begun("surplus")].concat();
        names.sort();
        names
    }

    fn begun(&self, key: &str) -> Vec<String> {
        let names = self.begin.as_ref().and_then(|begin| begin[key].as_array());
        let names = names.into_iter().flatten();
        names
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    }

    /// Returns the requests that ask for a change, each with its number.
    pub(crate) fn writes(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(&self.requests).filter_map(|(number, request)| {
            let (method, path) = request.split_once(' ')?;
            (method != "GET").then(|| (number, path.strip_prefix(UNITS).unwrap_or(path)))
        })
    }

    /// Returns the number of the first request from one on that reads a unit.
    pub(crate) fn reading(&self, unit: &str, from: usize) -> Option<usize> {
        let wanted = format!("GET {UNITS}{unit}");
        let mut requests = (1..).zip(&self.requests).skip(from - 1);
        requests
            .find(|(_, request)| **request == wanted)
            .map(|(number, _)| number)
    }

    /// Says where what it tells is not what there was before and is now.
    pub(crate) fn hold(
        &self,
        before: &Seen,
        after: &Seen,
        change: Option<&Change>,
    ) -> Result<(), String> {
        let mut complaints = Complaints(Vec::new());
        let mut base = before.clone();
        if let Some(Change { unit, seen, .. }) = change {
            match seen.units.get(unit) {
                Some(other) => drop(base.units.insert(unit.clone(), other.clone())),
                None => drop(base.units.remove(unit)),
            }
        }
        for step in &self.steps {
            self.hold_step(step, before, &base, after, change, &mut complaints);
        }
        self.hold_others(&base, after, change, &mut complaints);
        self.hold_counts(&mut complaints);
        self.hold_code(&base, after, &mut complaints);
        if complaints.0.is_empty() {
            return Ok(());
        }
        let steps = self.steps.iter().map(|step| {
            let word = |key: &str| step[key].as_str().unwrap_or_default();
            let (unit, action, outcome) = (word("unit"), word("action"), word("outcome"));
            format!(
                "{action} {unit}: {outcome} {} {}",
                step["left"], step["error"]
            )
        });
        let requests = (1..).zip(&self.requests);
        let requests = requests.map(|(number, request): (usize, _)| format!("{number} {request}"));
        let told = [
            complaints.0.join("\n"),
            format!("code {}", self.code),
            self.stderr.clone(),
            steps.collect::<Vec<_>>().join("\n"),
            requests.collect::<Vec<_>>().join("\n"),
        ];
        Err(told.join("\n"))
    }

    fn hold_step(
        &self,
        step: &Value,
        before: &Seen,
        base: &Seen,
        after: &Seen,
        change: Option<&Change>,
        complaints: &mut Complaints,
    ) {
        let unit = step["unit"].as_str().unwrap();
        let change = change.filter(|change| change.unit == unit);
        // What nobody looked at any more may have become anything.
        let is_unseen = change.is_some_and(|change| self.reading(unit, change.number).is_none());
        let (was, is) = (base.units.get(unit), after.units.get(unit));
        let hash = is.map(|(hash, _)| hash.as_str());
        let target = is.map(|(_, target)| target.as_str());
        let outcome = step["outcome"].as_str().unwrap();
        let left = step["left"]["kind"].as_str();
        let (first, wanted) = (step["before"].as_str(), step["after"].as_str());
        let is_right = match (outcome, left) {
            ("done", None) => {
                // Somebody else may have started it since.
                let is_idle = change.is_some() || wanted.is_none() || target == Some("inactive");
                is_unseen || hash == wanted && is_idle
            }
            ("already", None) => is_unseen || hash == wanted,
            ("refused" | "not_tried", None) => was == is,
            ("failed", Some("untouched")) => is_unseen || was == is || hash == first,
            ("failed", Some("absent")) => is_unseen || is.is_none(),
            ("failed", Some("another")) => is_unseen || hash == step["left"]["hash"].as_str(),
            ("failed", Some("unknown")) => true,
            _ => false,
        };
        complaints.unless(is_right, || {
            format!("{unit} is {outcome} {left:?}, and {is:?} after {was:?}")
        });
        let is_planned = before.units.get(unit).map(|(hash, _)| hash.as_str()) == first
            || change.is_some_and(|change| change.number == 1);
        complaints.unless(is_planned, || format!("{unit} is planned after {first:?}"));
        // Before the first request it is what the plan begins with, and after its step what comes of it.
        let is_untouched =
            |change: &&Change| change.before.units.get(unit) == before.units.get(unit);
        let change = change.filter(|change| change.number > 1 && was != before.units.get(unit));
        if let Some(change) = change.filter(is_untouched) {
            self.hold_guard(unit, change, complaints);
        }
    }

    /// What somebody else made of a unit is not overwritten once it was seen.
    fn hold_guard(&self, unit: &str, change: &Change, complaints: &mut Complaints) {
        // Later on it can't be told whether unitgen reads, or a fleetctl.
        let from = if change.is_api { change.number } else { 1 };
        let seen = self.reading(unit, from);
        let Some(seen) = seen.filter(|seen| *seen >= change.number) else {
            return;
        };
        let mut writes = self.writes().filter(|(_, written)| *written == unit);
        let first = writes.find(|(number, _)| *number >= change.number);
        // What was overwritten before anybody could see it can't be helped.
        complaints.unless(first.is_none_or(|(number, _)| number < seen), || {
            format!("{unit} is overwritten after what request {seen} said of it: {first:?}")
        });
    }

    /// What is not of the plan is not touched, and nobody tries to.
    fn hold_others(
        &self,
        base: &Seen,
        after: &Seen,
        change: Option<&Change>,
        complaints: &mut Complaints,
    ) {
        let is_planned = |name: &str| self.steps.iter().any(|step| step["unit"] == name);
        let is_changed = |name: &str| change.is_some_and(|change| change.unit == name);
        for name in base.units.keys().chain(after.units.keys()) {
            let (was, is) = (base.units.get(name), after.units.get(name));
            complaints.unless(is_planned(name) || was == is, || {
                format!("{name} is no part of the plan, and is {is:?} after {was:?}")
            });
        }
        for key in base.running.keys().chain(after.running.keys()) {
            let (was, is) = (base.running.get(key), after.running.get(key));
            complaints.unless(is_changed(&key.0) || was == is, || {
                format!("{key:?} runs {is:?} after {was:?}")
            });
        }
        for (number, name) in self.writes() {
            complaints.unless(is_planned(name), || {
                format!("request {number} changes {name}, which is no part of the plan")
            });
        }
    }

    fn hold_counts(&self, complaints: &mut Complaints) {
        let (Some(begin), Some(end)) = (&self.begin, &self.end) else {
            let is_nothing = self.steps.is_empty() && self.begin.is_none() && self.end.is_none();
            complaints.unless(is_nothing, || {
                "the events have no end or beginning".to_owned()
            });
            return;
        };
        for outcome in ["done", "already", "refused", "failed", "not_tried"] {
            let steps = self.steps.iter();
            let count = steps.filter(|step| step["outcome"] == outcome).count();
            let said = end[outcome].as_u64().unwrap();
            complaints.unless(said == count as u64, || {
                format!("{said} steps are {outcome}, not {count}")
            });
        }
        let mut names: Vec<&str> = self
            .steps
            .iter()
            .filter_map(|step| step["unit"].as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        let steps = begin["steps"].as_u64().unwrap();
        complaints.unless(
            steps == names.len() as u64 && names.len() == self.steps.len(),
            || format!("{} events of {steps} steps", self.steps.len()),
        );
        complaints.unless(end["code"] == self.code, || {
            format!("the end says {}, and it is {}", end["code"], self.code)
        });
    }

    fn hold_code(&self, base: &Seen, after: &Seen, complaints: &mut Complaints) {
        let any = |outcome: &str| self.steps.iter().any(|step| step["outcome"] == outcome);
        let is_good =
            self.begin.is_some() && !any("refused") && !any("failed") && !any("not_tried");
        let is_told = any("done")
            || self
                .steps
                .iter()
                .any(|step| step["outcome"] == "failed" && step["left"]["kind"] != "untouched");
        let is_changed = base.units != after.units;
        let is_right = match self.code {
            0 => is_good,
            4 => !is_good && is_told,
            // Where nothing may be done, or nothing can be read, there is no beginning.
            5 => (any("refused") || self.begin.is_none()) && !is_told && !is_changed,
            2 | 3 => (any("failed") || self.begin.is_none()) && !is_told && !is_changed,
            _ => false,
        };
        complaints.unless(is_right, || format!("the code is {}", self.code));
        let is_plain = !self.stderr.contains("panicked") && !self.stderr.contains("RUST_BACKTRACE");
        complaints.unless(is_plain, || "it panicked".to_owned());
    }
}

/// What is not as it should be.
struct Complaints(Vec<String>);

impl Complaints {
    fn unless(&mut self, is_right: bool, complaint: impl FnOnce() -> String) {
        if !is_right {
            self.0.push(complaint());
        }
    }
}
