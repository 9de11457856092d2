//! What holds of every diff and every plan, by chance.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use unitgen::diagnostic::Report;
use unitgen::diff::directives::{RowChange, compare, is_same_but_for_order};
use unitgen::diff::{Change, Comparison, diff};
use unitgen::manifest;
use unitgen::model::Model;
use unitgen::plan::{Action, plan};
use unitgen::render::desired::Desired;
use unitgen::render::{Renderer, templates};
use unitgen::resolve::resolve;
use unitgen::span::Sources;
use unitgen::state::{
    Coverage, MachineId, Observed, ObservedUnit, RegistryName, SeenState, SeenUnit, State, States,
    UnitHash, UnitState,
};
use unitgen::template::Templates;
use unitgen::unit::fleet::{FleetOption, FleetUnit, hash};
use unitgen::yaml;

/// Returns what a manifest wants.
fn wanted(text: &str) -> (Model, Desired) {
    let mut sources = Sources::default();
    let mut report = Report::default();
    let source = sources.add("services.yaml", text);
    let tree = yaml::parse(&sources, source, &mut report).unwrap();
    let manifest = manifest::from_trees(&[tree], &mut report);
    let model = resolve(&manifest, &mut report);
    let templates = Templates::new(&[], &templates(&model), &mut sources, &mut report).unwrap();
    let renderer = Renderer {
        templates: &templates,
        sources: &sources,
    };
    let (desired, found) = renderer.render(&model);
    report.extend(found);
    assert!(!report.has_errors(), "{text}\n{report:?}");
    (model, desired)
}

/// What an app wants, and what became of it in the registry.
#[derive(Debug, Clone)]
struct App {
    instances: usize,
    plain: bool,
    task: bool,
    /// What the registry has of each: 0 nothing, 1 the text, 2 an older one, 3 the directives in
    /// another order.
    file: u8,
    /// Of each instance the same, and its state.
    kept: Vec<(u8, usize)>,
    wanted: bool,
}

fn apps() -> impl Strategy<Value = Vec<App>> {
    let app = (
        0..4_usize,
        any::<bool>(),
        any::<bool>(),
        0..4_u8,
        vec((0..4_u8, 0..3_usize), 5),
        prop::bool::weighted(0.8),
    );
    let app = app.prop_map(|(instances, plain, task, file, kept, wanted)| App {
        instances,
        plain,
        task: task && !plain,
        file,
        kept,
        wanted,
    });
    vec(app, 0..6)
}

fn manifest_of(apps: &[App], is_in: impl Fn(&App) -> bool) -> String {
    let lines = apps.iter().enumerate().filter(|(_, app)| is_in(app));
    let lines: String = lines
        .map(|(at, app)| {
            let extra = if app.plain {
                format!("unit: plain{at}")
            } else {
                format!("instances: {}", app.instances)
            };
            let schedule = if app.task { ", schedule: daily" } else { "" };
            format!("  a{at}: {{exec: [/bin/a], {extra}{schedule}}}\n")
        })
        .collect();
    if lines.is_empty() {
        return "apps: {}\n".to_owned();
    }
    format!("apps:\n{lines}")
}

fn text(kind: u8, wanted: &str) -> Option<FleetUnit> {
    let mut unit = FleetUnit::parse(wanted).unwrap();
    match kind {
        0 => return None,
        1 => {}
        2 => unit.options.push(FleetOption {
            section: "X-Unitgen".into(),
            name: "Old".to_owned(),
            value: "1".to_owned(),
        }),
        _ => {
            let options = unit.options.len();
            unit.options.swap(options - 2, options - 1);
        }
    }
    Some(unit)
}

/// Returns a registry with all that became of the apps.
fn registry(apps: &[App], desired: &Desired) -> Observed {
    let mut observed = Observed {
        coverage: Coverage::Cluster,
        units: BTreeMap::new(),
        states: States::new(),
        machines: BTreeMap::new(),
        release: None,
        owners: BTreeMap::new(),
    };
    for unit in &desired.units {
        let app = &apps[unit.app.as_str()[1..].parse::<usize>().unwrap()];
        let mut put = |name: &str, kind: u8, state: State| {
            let Some(text) = text(kind, &unit.text) else {
                return;
            };
            let name = RegistryName::seen(name);
            let hash = UnitHash::seen(text.hash());
            if state != State::Inactive {
                let running = UnitState {
                    hash: hash.clone(),
                    load: "loaded".to_owned(),
                    active: "active".to_owned(),
                    sub: "running".to_owned(),
                };
                observed
                    .states
                    .insert(name.clone(), [(MachineId::seen("m"), running)].into());
            }
            let unit = ObservedUnit {
                name: name.clone(),
                unit: text.into(),
                hash,
                desired: SeenState::Known(state),
                current: Some(SeenState::Known(state)),
                machine: (state != State::Inactive).then(|| MachineId::seen("m")),
            };
            observed.units.insert(name, unit);
        };
        let states = [State::Inactive, State::Loaded, State::Launched];
        if unit.name.is_template() {
            put(unit.name.as_str(), app.file, State::Inactive);
            for (at, (kind, state)) in app.kept.iter().enumerate() {
                let name = unit.name.instantiate(&(at + 1).to_string()).unwrap();
                put(name.as_str(), *kind, states[*state]);
            }
        } else {
            put(unit.name.as_str(), app.file, states[app.kept[0].1]);
        }
    }
    observed
}

/// Carries a plan out, as fleet would.
fn carry_out(observed: &mut Observed, action: &Action, name: &RegistryName) {
    let before = observed.units.get(name).map(|unit| unit.hash.clone());
    assert_eq!(before.as_ref(), action.before(), "{name}");
    let Some(text) = action.text() else {
        observed.units.remove(name);
        return;
    };
    assert_eq!(hash(&text.text), text.hash.as_str());
    let unit = ObservedUnit {
        name: name.clone(),
        unit: SeenUnit::stored(&text.text),
        hash: text.hash.clone(),
        desired: SeenState::Known(State::Inactive),
        current: Some(SeenState::Known(State::Inactive)),
        machine: None,
    };
    observed.units.insert(name.clone(), unit);
}

fn plans_make_files_equal(apps: &[App]) -> TestCaseResult {
    let (_, all) = wanted(&manifest_of(apps, |_| true));
    let (model, desired) = wanted(&manifest_of(apps, |app| app.wanted));
    let mut observed = registry(apps, &all);
    let compared = |observed: &Observed| {
        diff(&Comparison {
            desired: &desired,
            others: &[],
            model: &model,
            observed,
            apps: None,
        })
    };
    let first = compared(&observed);
    // Counts add up to what is wanted.
    let told = first
        .units
        .iter()
        .filter(|unit| unit.span.is_some())
        .count();
    prop_assert_eq!(told + first.equal, desired.units.len());
    let odd = first.units.iter().flat_map(|unit| &unit.instances);
    let odd = odd.filter(|instance| instance.span.is_some()).count();
    let all: usize = desired.units.iter().map(|unit| unit.instances.len()).sum();
    prop_assert_eq!(odd + first.equal_instances, all);
    let running: Vec<RegistryName> = observed.states.keys().cloned().collect();
    let plan = plan(&first, &desired);
    for step in &plan.steps {
        // Nothing that runs is touched.
        prop_assert!(!running.contains(&step.unit), "{}", step.unit);
        carry_out(&mut observed, &step.action, &step.unit);
    }
    let second = compared(&observed);
    for unit in &second.units {
        let is_right = match unit.change {
            Change::Equal => true,
            // Only what runs is left, and of what nobody wants any more the instances.
            Change::Unwanted => unit.before.is_none() || running.contains(&unit.name),
            Change::New => false,
            Change::Changed | Change::Reordered => plan.held.contains(&unit.name),
        };
        prop_assert!(is_right, "{unit:?}");
    }
    Ok(())
}

fn options() -> impl Strategy<Value = FleetUnit> {
    let option = (
        prop::sample::select(vec!["Unit", "Service", "X-Fleet"]),
        prop::sample::select(vec!["Environment", "ExecStart", "Restart"]),
        prop::sample::select(vec!["A=1", "A=2", "B=1", "/bin/a b c", "/bin/a b d", ""]),
    );
    let option = option.prop_map(|(section, name, value)| FleetOption {
        section: section.into(),
        name: name.to_owned(),
        value: value.to_owned(),
    });
    vec(option, 0..9).prop_map(|options| FleetUnit { options })
}

fn rows_hold_both_sides(before: &FleetUnit, after: &FleetUnit) -> TestCaseResult {
    let sections = compare(before, after);
    let of = |unit: &FleetUnit, section: &str| {
        let options = unit
            .options
            .iter()
            .filter(|option| &*option.section == section);
        let pairs = options.map(|option| (option.name.clone(), option.value.clone()));
        pairs.collect::<Vec<_>>()
    };
    for section in &sections {
        let new = section
            .rows
            .iter()
            .filter_map(|row| Some((row.name.clone(), row.after()?.to_owned())));
        prop_assert_eq!(new.collect::<Vec<_>>(), of(after, &section.name));
        let old = section
            .rows
            .iter()
            .filter_map(|row| Some((row.name.clone(), row.before()?.to_owned())));
        let mut old: Vec<_> = old.collect();
        let mut expected = of(before, &section.name);
        old.sort();
        expected.sort();
        prop_assert_eq!(old, expected);
        for row in &section.rows {
            if let RowChange::Changed { before, after } = &row.change {
                prop_assert_ne!(before, after);
            }
        }
    }
    for option in before.options.iter().chain(&after.options) {
        prop_assert!(
            sections
                .iter()
                .any(|section| section.name == *option.section)
        );
    }
    let rows = sections.iter().flat_map(|section| &section.rows);
    let moves = rows
        .clone()
        .all(|row| matches!(row.change, RowChange::Same(_) | RowChange::Moved(_)));
    prop_assert_eq!(moves, is_same_but_for_order(before, after));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_makes_all_files_equal_and_touches_nothing_that_runs(apps in apps()) {
        plans_make_files_equal(&apps)?;
    }

    #[test]
    fn rows_hold_all_of_both_sides(before in options(), after in options()) {
        rows_hold_both_sides(&before, &after)?;
    }
}
