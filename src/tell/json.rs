//! A diff as one JSON value, for programs.
//!
//! In: a diff, the manifest's texts, and what was compared with. Out: text. Knows nothing of where it is
//! written.
//!
//! The keys of an object are sorted, and all of them are always there. A *place* is an object of
//! `file`, `line` and `column`, both numbers from 1. A *hash* is fleet's: SHA-1 in hexadecimal.
//!
//! - `format_version`: 1.
//! - `against`: the text of `--against`.
//! - `coverage`: how much the other side shows: `files` (unit files only), `wanted` (and the instances
//!   that should run), `cluster` (and what machines say).
//! - `units`: those of which there is anything to say, by name; of each
//!   - `name`: the name of its file; `app` and `process`: whose it is; `has_app`: whether the manifest has
//!     that app,
//!   - `change`: `new`, `changed`, `reordered` (the same directives in another order), `equal` (only its
//!     instances differ) or `unwanted` (the manifest does not give it),
//!   - `place`: where the manifest asks for it; null where it does not,
//!   - `causes`: the places that cause the change of its text, each once; its own `place` where none is
//!     known,
//!   - `before`: the hash that the other side has; null where it has no such file,
//!   - `after`: the hash that it should have; null where there should be none,
//!   - `sections`: those in which directives differ; of each its `name` and the `rows` that differ:
//!     - `name`: the directive's,
//!     - `change`: `added`, `removed`, `changed`, or `moved` (it stands at another place),
//!     - `before` and `after`: its values in one line; null where there is none. What looks like a
//!       secret is `***` in them,
//!     - `hidden`: true where the two look alike and differ in what is hidden. Where it is false and a
//!       changed row's values look alike, the lines are wrapped in another way,
//!     - `cause`: the place that gives the new value; null where none is known,
//!   - `instances`: those that are not as they should be; of each its `name`, its `place` (null where
//!     nobody wants it), its `hash` (null where it is not there), the ids of its `machines`, and its
//!     `conditions`, each with a `word` and what it says:
//!     - `missing` (`wanted`: the state it should have), `surplus` (`found`: the state it has), `stale`
//!       (its text is not its unit's), `state` (`wanted`, `found`: what fleet was told), `behind` (its
//!       `machine` has another text), `silent` (its `machine` says nothing of it), `unplaced`,
//!     - `failed`, and `down` where it should run and does not (`machine`, and systemd's words `load`,
//!       `active` and `sub`),
//!   - `effect`: how many instances putting it right `starts`, `restarts` and `stops`; null where the
//!     other side shows no instances.
//! - `equal`: how many wanted units are as they should be, instances included.
//! - `equal_instances`: how many wanted instances are; null where the other side shows none.
//! - `unplaced`: the wanted instances that no machine can take: `name`, `place` and `reason`.
//! - `foreign`: units of an app, as they say or by their template, that unitgen has not made: `name` and
//!   `app`.
//! - `summary`: numbers: the `units` of each `change`, the `instances` by the word of each condition (one
//!   may count for several), and the `effect` of all.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::diff::directives::{Row, RowChange, Section};
use crate::diff::instances::{Condition, Effect, InstanceDiff};
use crate::diff::{Change, Diff, Foreign, UnitDiff, Unplaced};
use crate::span::{Sources, Span};
use crate::state::Coverage;
use crate::tell::pieces::{Line, lines, unwrapped};
use crate::visible::{is_unseen, line};

/// The words of all conditions.
const CONDITIONS: [&str; 9] = [
    "missing", "surplus", "stale", "state", "behind", "failed", "down", "silent", "unplaced",
];

/// Writes a whole diff.
#[must_use]
pub fn diff(diff: &Diff, sources: &Sources, against: &str) -> String {
    let Diff {
        coverage,
        units,
        equal,
        equal_instances,
        foreign,
        unplaced,
    } = diff;
    let teller = Teller {
        coverage: *coverage,
        sources,
    };
    let foreign = foreign
        .iter()
        .map(|Foreign { name, app }| json!({"name": name.as_str(), "app": app}));
    let unplaced = unplaced.iter().map(|unplaced| {
        let Unplaced { name, span, reason } = unplaced;
        json!({"name": name.as_str(), "place": teller.place(*span), "reason": reason})
    });
    let value = json!({
        "format_version": 1,
        "against": against,
        "coverage": match coverage {
            Coverage::Files => "files",
            Coverage::Wanted => "wanted",
            Coverage::Cluster => "cluster",
        },
        "units": units.iter().map(|unit| teller.unit(unit)).collect::<Vec<_>>(),
        "equal": equal,
        "equal_instances": (*coverage != Coverage::Files).then_some(equal_instances),
        "unplaced": unplaced.collect::<Vec<_>>(),
        "foreign": foreign.collect::<Vec<_>>(),
        "summary": teller.summary(diff),
    });
    escaped(&format!("{value:#}\n"))
}

/// Escapes what JSON does not ask to be escaped and that would steer a terminal. It stands in strings
/// only: elsewhere JSON has no such characters.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unseen(c) && c != '\n' {
            escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

struct Teller<'a> {
    coverage: Coverage,
    sources: &'a Sources,
}

impl Teller<'_> {
    fn place(&self, span: Span) -> Value {
        let place = self.sources.place(span);
        json!({"file": place.file, "line": place.line, "column": place.column})
    }

    fn unit(&self, unit: &UnitDiff) -> Value {
        let causes = unit.causes();
        let UnitDiff {
            name,
            owner,
            has_app,
            span,
            change,
            before,
            after,
            sections,
            instances,
            told: _,
        } = unit;
        let sections = sections
            .iter()
            .filter(|section| section.rows.iter().any(Row::differs));
        json!({
            "name": name.as_str(),
            "app": owner.app,
            "process": owner.process,
            "has_app": has_app,
            "change": change.word(),
            "place": span.map(|span| self.place(span)),
            "causes": causes.into_iter().map(|span| self.place(span)).collect::<Vec<_>>(),
            "before": before.as_ref().map(ToString::to_string),
            "after": after.as_ref().map(ToString::to_string),
            "sections": sections.map(|section| self.section(section)).collect::<Vec<_>>(),
            "instances": instances.iter().map(|one| self.instance(one)).collect::<Vec<_>>(),
            "effect": self.effect(unit.effect()),
        })
    }

    fn section(&self, section: &Section) -> Value {
        let Section { name, rows } = section;
        let rows = rows.iter().filter(|row| row.differs());
        json!({"name": name, "rows": rows.map(|row| self.row(row)).collect::<Vec<_>>()})
    }

    fn row(&self, row: &Row) -> Value {
        let word = match row.change {
            RowChange::Same(_) => "same",
            RowChange::Moved(_) => "moved",
            RowChange::Removed(_) => "removed",
            RowChange::Added(_) => "added",
            RowChange::Changed { .. } => "changed",
        };
        let before = row.before().map(|value| shown(&row.name, value));
        let after = row.after().map(|value| shown(&row.name, value));
        let differ = row.before().map(unwrapped) != row.after().map(unwrapped);
        json!({
            "name": row.name,
            "change": word,
            "hidden": before == after && differ,
            "before": before,
            "after": after,
            "cause": row.cause.map(|span| self.place(span)),
        })
    }

    fn instance(&self, instance: &InstanceDiff) -> Value {
        let InstanceDiff {
            name,
            span,
            hash,
            machines,
            conditions,
            effect: _,
        } = instance;
        json!({
            "name": name.as_str(),
            "place": span.map(|span| self.place(span)),
            "hash": hash.as_ref().map(ToString::to_string),
            "machines": machines.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "conditions": conditions.iter().map(condition).collect::<Vec<_>>(),
        })
    }

    fn effect(&self, effect: Effect) -> Value {
        let Effect {
            starts,
            restarts,
            stops,
        } = effect;
        if self.coverage == Coverage::Files {
            return Value::Null;
        }
        json!({"starts": starts, "restarts": restarts, "stops": stops})
    }

    fn summary(&self, diff: &Diff) -> Value {
        let mut conditions: BTreeMap<&str, usize> =
            CONDITIONS.iter().map(|word| (*word, 0)).collect();
        let instances = diff.units.iter().flat_map(|unit| &unit.instances);
        for instance in instances {
            let mut words: Vec<&str> = instance.conditions.iter().map(Condition::word).collect();
            // Several machines may say the same of one instance.
            words.sort_unstable();
            words.dedup();
            for word in words {
                *conditions.entry(word).or_default() += 1;
            }
        }
        json!({
            "units": {
                "new": diff.count(Change::New),
                "changed": diff.count(Change::Changed),
                "reordered": diff.count(Change::Reordered),
                "unwanted": diff.count(Change::Unwanted),
                "equal": diff.equal + diff.count(Change::Equal),
            },
            "instances": conditions,
            "effect": self.effect(diff.effect()),
        })
    }
}

/// Returns a directive's value as it may be shown.
fn shown(name: &str, value: &str) -> String {
    let row = Row {
        name: name.to_owned(),
        change: RowChange::Same(value.to_owned()),
        cause: None,
    };
    let text: String = lines(&row).iter().map(Line::text).collect();
    match text.strip_prefix(&format!("{}=", line(name))) {
        Some(value) => value.to_owned(),
        None => text,
    }
}

fn condition(condition: &Condition) -> Value {
    let word = condition.word();
    match condition {
        Condition::Missing { wanted } => json!({"word": word, "wanted": wanted.as_str()}),
        Condition::Surplus { found } => json!({"word": word, "found": found.to_string()}),
        Condition::Stale | Condition::Unplaced => json!({"word": word}),
        Condition::State { wanted, found } => {
            json!({"word": word, "wanted": wanted.as_str(), "found": found.to_string()})
        }
        Condition::Behind { machine } | Condition::Silent { machine } => {
            json!({"word": word, "machine": machine.as_str()})
        }
        Condition::Failed { machine, state } | Condition::Down { machine, state } => json!({
            "word": word,
            "machine": machine.as_str(),
            "load": state.load,
            "active": state.active,
            "sub": state.sub,
        }),
    }
}
