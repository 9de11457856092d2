//! `unitgen diff`, end to end: what no format shows, what no unit can make of a comment or an annotation,
//! and how long a comment gets.

use proptest::prelude::*;
use serde_json::Value;
use unitgen::diff::directives::{Row, RowChange, Section};
use unitgen::diff::instances::{Condition, Effect, InstanceDiff};
use unitgen::diff::{Change, Diff, Foreign, UnitDiff, Unplaced};
use unitgen::span::{Sources, Span};
use unitgen::state::{Coverage, MachineId, Mark, RegistryName, SeenState, UnitHash, UnitState};
use unitgen::tell::{github, json, markdown};

use crate::diff_formats::{FORMATS, snapshot, test, written};
use crate::test::Test;

/// Reads Markdown as far as a site does: fences, and what stands outside of them.
fn outside(markdown: &str) -> String {
    let mut outside = String::new();
    let mut fence: Option<&str> = None;
    for line in markdown.lines() {
        let ticks = line.trim_start().chars().take_while(|c| *c == '`').count();
        match fence {
            Some(open) if line == open => fence = None,
            Some(open) => assert!(ticks < open.len(), "{markdown}"),
            None if ticks >= 3 => fence = Some(line.strip_suffix("diff").unwrap()),
            None => outside.push_str(&format!("{line}\n")),
        }
    }
    assert_eq!(fence, None, "{markdown}");
    outside
}

/// Asserts that Markdown is whole, and that nothing in it is more than text.
#[track_caller]
fn assert_tame(markdown: &str) {
    let is_odd = |c: char| c.is_control() && c != '\n';
    assert!(!markdown.contains(is_odd), "{markdown}");
    let mut text = String::new();
    for line in outside(markdown).lines() {
        // Every other part is code.
        let parts: Vec<&str> = line.split('`').collect();
        assert_eq!(parts.len() % 2, 1, "{line}");
        assert!(
            !parts
                .iter()
                .skip(1)
                .step_by(2)
                .any(|code| code.contains('|'))
        );
        text.extend(parts.into_iter().step_by(2));
        text.push('\n');
    }
    text = text
        .replace("|---|---|---|---|", "")
        .replace("<!-- -->", "");
    assert_eq!(
        text.matches("<details>").count(),
        text.matches("</details>").count()
    );
    for tag in ["details", "summary", "code", "b"] {
        text = text
            .replace(&format!("<{tag}>"), "")
            .replace(&format!("</{tag}>"), "");
    }
    assert!(!text.contains(['<', '>', '@', '[', '*', '\\']), "{text}");
    let rows = text.lines().filter(|line| line.starts_with('|'));
    rows.for_each(|row| assert_eq!(row.matches('|').count(), 5, "{row}"));
}

#[test]
fn no_format_shows_a_secret() {
    let mut texts = Vec::new();
    for format in FORMATS {
        texts.push(test(&format!("--format {format}")));
    }
    texts.extend(["--stat", "--name-only", "-U9"].map(test));
    for test in texts {
        let output = test.output();
        for text in [output.stdout, output.stderr] {
            let text = String::from_utf8(text).unwrap();
            assert!(!text.contains("hunter2-"), "{text}");
        }
    }
    let manifest = |secret: &str, word: &str| {
        format!("apps: {{one: {{exec: [/bin/echo, --password, {secret}, {word}]}}}}")
    };
    let folder = Test::new()
        .manifest(&manifest("hunter2-old", "a"))
        .args("render");
    let output = folder.output();
    assert!(output.status.success());
    for format in FORMATS {
        let one = Test::new()
            .manifest(&manifest("hunter2-new", "b"))
            .file(
                "units/one-worker@.service",
                folder
                    .folder()
                    .read("units/one-worker@.service")
                    .replace("--password hunter2-old", "--password \\\n  hunter2-old"),
            )
            .args(&format!("diff --against dir:units --format {format}"));
        let text = written(&one);
        assert!(!text.is_empty() && !text.contains("hunter2-"), "{text}");
    }
}

/// What a unit may hold to be taken for more than text.
const HOSTILE: &str = "\
[Service]
Environment=APPLICATION=@team
ExecStart=/bin/echo ```` </details> <b> @team #1 \u{1b}[31m\u{85}::error::x \u{202e} | ##[error]x
::error::x=::error file=a::x
</code>=`

[```]
@team=</summary>

[X-Unitgen]
App=</code>@team|`#1`
Process=<!--
";

#[test]
fn hostile_units_stay_text() {
    let run = |format: &str| {
        let test = Test::new()
            .manifest("apps: {one: {exec: [/bin/echo, 1]}}")
            .file("units/one-worker@.service", HOSTILE)
            .file("units/two-worker@.service", HOSTILE)
            .args(&format!("diff --against dir:units --format {format}"));
        written(&test)
    };
    let text = run("markdown");
    assert_tame(&text);
    snapshot("diff-hostile.md.txt", &text);
    snapshot("diff-hostile.github.txt", &run("github"));
    let text = run("json");
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["units"][1]["app"], "</code>@team|`#1`");
}

#[test]
fn a_comment_is_no_longer_than_asked() {
    let apps: Vec<String> = (0..300)
        .map(|number| format!("  app{number}: {{exec: [/bin/echo, {number}]}}\n"))
        .collect();
    let manifest = format!("apps:\n{}", apps.concat());
    let run = |option: &str| {
        let test = Test::new()
            .manifest(&manifest)
            .file("units/README", "")
            .args(&format!(
                "diff --against dir:units --format markdown {option}"
            ));
        written(&test)
    };
    for (option, maximum) in [
        ("", 60_000),
        ("--max-bytes 1000", 1_000),
        ("--max-bytes 5000", 5_000),
        ("--max-bytes 4000000", 4_000_000),
    ] {
        let text = run(option);
        assert!(text.len() <= maximum, "{}", text.len());
        assert_tame(&text);
        let shown = text.matches("<details>").count() + usize::from(text.contains("| unit |"));
        let last = text.lines().last().unwrap();
        if maximum > 1_000_000 {
            assert_eq!((shown, last), (301, "</details>"));
            continue;
        }
        let left_out = 301 - shown;
        assert_eq!(
            last,
            format!(
                "{left_out} of 301 parts left out, as more than {maximum} bytes would be too long: `unitgen diff` shows all."
            )
        );
    }
}

/// Any text, most of it what could be taken for more.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[`~<>&|@#*_!:;=\\[\\]\\\\ \n\r\t\u{1b}\u{85}\u{202e}a-c]{0,30}",
        "\\PC{0,30}",
        Just("</details>".to_owned()),
        Just("\n```\n@team".to_owned()),
    ]
}

prop_compose! {
    fn any_row()(name in any_text(), one in any_text(), two in any_text(), kind in 0..4) -> Row {
        let change = match kind {
            0 => RowChange::Moved(one),
            1 => RowChange::Removed(one),
            2 => RowChange::Added(one),
            _ => RowChange::Changed { before: one, after: two },
        };
        Row { name, change, cause: None }
    }
}

prop_compose! {
    fn any_unit()(
        texts in prop::array::uniform6(any_text()),
        rows in prop::collection::vec(any_row(), 0..5),
        change in prop::sample::select(vec![
            Change::New, Change::Changed, Change::Reordered, Change::Equal, Change::Unwanted,
        ]),
        machine in any_text(),
    ) -> UnitDiff {
        let [name, app, section, instance, found, state] = texts;
        let failed = Condition::Failed {
            machine: MachineId::seen(machine),
            state: UnitState {
                hash: UnitHash::seen(""),
                load: state.clone(),
                active: state.clone(),
                sub: found.clone(),
            },
        };
        UnitDiff {
            has_app: true,
            name: RegistryName::seen(name),
            owner: Mark { app, process: String::new() },
            span: None,
            change,
            before: None,
            after: None,
            sections: vec![Section { name: section, rows }],
            instances: vec![InstanceDiff {
                name: RegistryName::seen(instance),
                span: None,
                hash: None,
                machines: Vec::new(),
                conditions: vec![failed, Condition::Surplus { found: SeenState::Unknown(found) }],
                effect: Effect { starts: 1, restarts: 2, stops: 3 },
            }],
            told: None,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_units_hold_stays_text(
        mut units in prop::collection::vec(any_unit(), 0..8),
        file in any_text(),
        against in any_text(),
        app in any_text(),
        maximum in 1_000_usize..12_000,
    ) {
        let mut sources = Sources::default();
        let source = sources.add(file, "a\nb");
        let span = Span { source, start: 2, end: 3 };
        units.iter_mut().step_by(2).for_each(|unit| unit.span = Some(span));
        let diff = Diff {
            coverage: Coverage::Cluster,
            units,
            equal: 0,
            equal_instances: 0,
            foreign: vec![Foreign { name: RegistryName::seen(app.clone()), app: app.clone() }],
            unplaced: vec![Unplaced { name: RegistryName::seen(app.clone()), span, reason: app }],
        };
        let text = markdown::diff(&diff, &sources, &against, maximum);
        prop_assert!(text.len() <= maximum);
        assert_tame(&text);
        let text = github::diff(&diff, &sources);
        prop_assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
        for line in text.lines() {
            prop_assert!(line.starts_with("::notice ") || line.starts_with("::warning "));
        }
        let text = json::diff(&diff, &sources, &against);
        prop_assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
        let value: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&value["against"], &against);
    }
}
