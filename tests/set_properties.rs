//! What holds for every `--set`.

use std::sync::Arc;

use proptest::prelude::*;

use unitgen::diagnostic::Report;
use unitgen::manifest;
use unitgen::overrides::{self, Applied, Override};
use unitgen::span::Sources;
use unitgen::yaml;

use crate::reading::render_with;
use crate::traps::{hostile, quoted};

/// Where a text can stand, in a manifest that has one there and in one that has none.
const PLACES: [(&str, &str); 8] = [
    ("hub.hostname", "hostname: @"),
    ("hub.environment.A", "environment: {A: @}"),
    ("hub.labels.\"a.b\"", "labels: {a.b: @}"),
    ("hub.processes.web.user", "processes: {web: {user: @}}"),
    ("apps.hub.command", "command: @"),
    (
        "hub.Service.SyslogIdentifier",
        "Service: {SyslogIdentifier: @}",
    ),
    ("hub.instances", "instances: @"),
    ("hub.versions", "versions: @"),
];

/// A scalar as YAML's flow form has it.
fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        hostile().prop_map(|text| quoted(&text)),
        "[a-z0-9~][a-z0-9.~]{0,7}",
        Just("1.10".to_owned()),
        Just("0755".to_owned()),
        Just("no".to_owned()),
        Just("3".to_owned()),
    ]
}

fn manifest_with(place: &str, value: &str) -> String {
    let line = place.replace('@', value);
    format!("apps:\n  hub:\n    image: hub\n    {line}\n")
}

/// Lays values over a manifest and tells what was laid.
fn applied(manifest: &str, sets: &[Override]) -> Option<Vec<Applied>> {
    let mut sources = Sources::default();
    let mut report = Report::default();
    let source = sources.add("services.yaml", manifest);
    let mut root = yaml::parse(&sources, source, &mut report)?;
    let kept = Arc::clone(&root);
    let overlays = overrides::read(sets, &mut sources, &mut report);
    let applied = overrides::lay(&mut root, &overlays, &mut report);
    manifest::from_tree(&root, &mut report);
    // The files' own tree is as it was.
    manifest::from_tree(&kept, &mut report);
    Some(applied)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_scalar_is_what_it_is_in_the_file(
        (path, place) in proptest::sample::select(PLACES.to_vec()),
        old in scalar(),
        new in scalar(),
    ) {
        let written = render_with(&manifest_with(place, &new), &[]);
        let over = Override::new(format!("{path}={new}"));
        let set = render_with(&manifest_with(place, &old), std::slice::from_ref(&over));
        prop_assert_eq!(&set, &written, "{}", over);
        if path != "hub.processes.web.user" {
            let set = render_with(&manifest_with("process: web", ""), std::slice::from_ref(&over));
            let file = render_with(&manifest_with(&format!("process: web\n    {place}"), &new), &[]);
            prop_assert_eq!(set, file, "{}", over);
        }
    }

    #[test]
    fn any_text_is_taken_or_refused(path in hostile(), value in hostile(), more in any::<String>()) {
        let manifest = manifest_with("processes: {web: }", "");
        let texts = [
            format!("hub.{path}={value}"),
            format!("{path}={value}"),
            format!("hub.environment.A={value}"),
            more.clone(),
            format!("hub={more}"),
        ];
        for text in texts {
            render_with(&manifest, &[Override::new(text)]);
        }
    }

    #[test]
    fn what_was_laid_can_be_laid_again(keys in proptest::collection::vec(hostile(), 1..4), value in scalar()) {
        let keys = keys.iter().filter(|key| !key.is_empty());
        let keys = keys.map(|key| format!(".\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\"")));
        let text = format!("apps.hub.labels{}={value}", keys.collect::<String>());
        let manifest = manifest_with("process: web", "");
        let first = applied(&manifest, &[Override::new(text)]).unwrap();
        prop_assert_eq!(first.len(), 1);
        let again = applied(&manifest, &[first[0].again()]).unwrap();
        prop_assert_eq!(again, first);
    }
}

#[test]
fn what_was_laid_is_told() {
    let sets = [
        "hub.versions=v42",
        "defaults.port=1",
        "apps.hub.labels.\"a.b\"=1",
        "hub.labels.a=1",
        "apps.hub.versions.v43={}",
        "hub.versions= [v43] ",
        "apps.new={image: new}",
        "new.image=x",
        "templates=mine",
        "hub.port=null",
        "wrong.a=1",
    ];
    let sets = sets.map(Override::new);
    let manifest = manifest_with("process: web", "");
    let told = applied(&manifest, &sets).unwrap();
    let lines = told.iter().map(|applied| {
        let app = applied.app.as_deref().unwrap_or("-");
        format!("{app}: {}", applied.again())
    });
    let expected = "\
-: defaults.port=1
hub: hub.labels.\"a.b\"=1
hub: hub.labels.a=1
hub: hub.versions= [v43] 
new: apps.new={image: new}
new: new.image=x
-: templates=mine
hub: hub.port=null";
    assert_eq!(lines.collect::<Vec<_>>().join("\n"), expected);
}
