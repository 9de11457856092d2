//! Words for an app's configuration: names, what differs, what was. Values only where they are asked for.

use serde_json::{Value as Json, json};

use crate::config::variable::{Name, Value, Variables};
use crate::configuration::change::Change;
use crate::configuration::history::Past;
use crate::moment::moment;
use crate::tell::count;
use crate::visible::line;

/// How two sets of variables differ.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Comparison<'a> {
    /// Each name that differs, sorted, with its values before and after.
    pub differing: Vec<(&'a Name, Option<&'a Value>, Option<&'a Value>)>,
    /// How many are equal.
    pub equal: usize,
}

impl<'a> Comparison<'a> {
    /// Compares two sets.
    #[must_use]
    pub fn of(before: &'a Variables, after: &'a Variables) -> Self {
        let mut names: Vec<&Name> = before
            .iter()
            .chain(after.iter())
            .map(|(name, _)| name)
            .collect();
        names.sort();
        names.dedup();
        let mut comparison = Self::default();
        for name in names {
            match (before.get(name), after.get(name)) {
                (before, after) if before == after => comparison.equal += 1,
                (before, after) => comparison.differing.push((name, before, after)),
            }
        }
        comparison
    }

    /// Returns a line for each name that differs: `+` is new, `-` is gone, `~` has another value. With
    /// values, one that differs has two lines.
    #[must_use]
    pub fn lines(&self, with_values: bool) -> String {
        let mut text = String::new();
        for (name, before, after) in &self.differing {
            let mut push = |mark: char, value: Option<&Value>| match value {
                Some(value) if with_values => {
                    text.push_str(&format!("{mark} {name}={}\n", shown(value)));
                }
                _ => text.push_str(&format!("{mark} {name}\n")),
            };
            match (before, after) {
                (Some(before), Some(after)) if with_values => {
                    push('-', Some(before));
                    push('+', Some(after));
                }
                (Some(_), Some(_)) => push('~', None),
                (Some(before), None) => push('-', Some(before)),
                (None, after) => push('+', *after),
            }
        }
        text
    }

    fn number(&self, is: fn(bool, bool) -> bool) -> usize {
        let differing = self.differing.iter();
        differing
            .filter(|(_, before, after)| is(before.is_some(), after.is_some()))
            .count()
    }

    /// Returns the numbers: of those that are new, changed, gone and equal.
    #[must_use]
    pub fn numbers(&self) -> [usize; 4] {
        [
            self.number(|before, after| !before && after),
            self.number(|before, after| before && after),
            self.number(|before, after| before && !after),
            self.equal,
        ]
    }

    /// Returns the numbers in words, those that are not 0.
    #[must_use]
    pub fn summary(&self, words: [&str; 4]) -> String {
        let parts = self.numbers().into_iter().zip(words);
        let parts = parts.filter(|(number, _)| *number > 0);
        let parts: Vec<String> = parts
            .map(|(number, word)| format!("{number} {word}"))
            .collect();
        parts.join(", ")
    }

    /// Returns it for programs.
    #[must_use]
    pub fn json(&self, words: [&str; 4], with_values: bool) -> Json {
        let mut lists: [Vec<Json>; 3] = Default::default();
        for (name, before, after) in &self.differing {
            let at = match (before, after) {
                (None, _) => 0,
                (Some(_), Some(_)) => 1,
                (Some(_), None) => 2,
            };
            let name = name.as_str();
            lists[at].push(if with_values {
                json!({"name": name, "before": before.map(value), "after": after.map(value)})
            } else {
                Json::from(name)
            });
        }
        let [new, changed, gone] = lists;
        let mut object = json!({});
        for (word, list) in words.into_iter().zip([new, changed, gone]) {
            object[word] = Json::from(list);
        }
        object[words[3]] = Json::from(self.equal);
        object
    }
}

/// Returns a value for programs: text, or a list of bytes where it is no UTF-8.
#[must_use]
pub fn value(value: &Value) -> Json {
    match value.as_text() {
        Some(text) => Json::from(text),
        None => Json::from(value.as_bytes()),
    }
}

/// Returns a value as one line for people.
#[must_use]
pub fn shown(value: &Value) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    line(
        &text
            .replace('\\', "\\\\")
            .replace('\n', "\\n")
            .replace('\t', "\\t"),
    )
}

/// Returns all variables, each in a line.
#[must_use]
pub fn list(variables: &Variables, with_values: bool) -> String {
    let lines = variables.iter().map(|(name, value)| {
        if with_values {
            format!("{name}={}\n", shown(value))
        } else {
            format!("{name}\n")
        }
    });
    lines.collect()
}

/// Returns changes that were made, each in a line.
#[must_use]
pub fn history(list: &[Past]) -> String {
    let digits = list.first().map_or(0, |past| past.number.to_string().len());
    let width = |of: fn(&Past) -> &str| {
        let widths = list.iter().map(|past| line(of(past)).chars().count());
        widths.max().unwrap_or(0)
    };
    let author = width(|past| &past.author);
    let action = width(|past| &past.action);
    let mut text = String::new();
    for past in list {
        let written = format!(
            "{:digits$}  {}  {:author$}  {:action$}  {}",
            past.number,
            moment(past.time),
            line(&past.author),
            line(&past.action),
            names(past)
        );
        text.push_str(written.trim_end());
        text.push('\n');
    }
    text
}

fn names(past: &Past) -> String {
    let set = past.set.iter().map(|name| format!("+{name}"));
    let unset = past.unset.iter().map(|name| format!("-{name}"));
    let all: Vec<String> = set.chain(unset).collect();
    line(&all.join(" "))
}

/// Returns changes that were made for programs.
#[must_use]
pub fn history_json(list: &[Past]) -> Json {
    let one = |past: &Past| {
        let Past {
            number,
            time,
            author,
            action,
            set,
            unset,
        } = past;
        json!({
            "number": number, "time": time, "author": author, "action": action,
            "set": set, "unset": unset,
        })
    };
    list.iter().map(one).collect()
}

/// Returns how many variables a change is about.
#[must_use]
pub fn size(change: &Change) -> String {
    count(change.set.len() + change.unset.len(), "variable")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        let one =
            |(name, value): &(&str, &str)| (Name::new(*name).unwrap(), Value::new(*value).unwrap());
        pairs.iter().map(one).collect()
    }

    #[test]
    fn what_differs_is_named_and_shown_only_where_it_is_asked_for() {
        let before = variables(&[("A", "1"), ("B", "1"), ("D", "1")]);
        let after = variables(&[("A", "1"), ("B", "2\n"), ("C", "")]);
        let comparison = Comparison::of(&before, &after);
        assert_eq!(comparison.lines(false), "~ B\n+ C\n- D\n");
        assert_eq!(comparison.lines(true), "- B=1\n+ B=2\\n\n+ C=\n- D=1\n");
        let words = ["added", "changed", "removed", "equal"];
        assert_eq!(
            comparison.summary(words),
            "1 added, 1 changed, 1 removed, 1 equal"
        );
        assert_eq!(
            comparison.json(words, false),
            json!({"added": ["C"], "changed": ["B"], "removed": ["D"], "equal": 1})
        );
    }

    #[test]
    fn a_value_steers_no_terminal() {
        let value = Value::new("a\u{1b}[31m\\n\tb").unwrap();
        assert_eq!(shown(&value), "a\u{fffd}[31m\\\\n\\tb");
    }
}
