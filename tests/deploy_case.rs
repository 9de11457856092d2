//! What chance makes of a rollout's world: machines, what runs on them already, what is to run, and what goes
//! wrong.

use std::fmt::Write;

use proptest::collection::vec;
use proptest::prelude::*;
use unitgen::diagnostic;
use unitgen::manifest;
use unitgen::model::Model;
use unitgen::render::desired::Desired;
use unitgen::render::{Renderer, templates};
use unitgen::resolve::resolve;
use unitgen::span::Sources;
use unitgen::template::Templates;
use unitgen::yaml;

use crate::deploy_scene::{Scene, Trouble};
use crate::fleet_server::{Fate, FleetServer, Host, Pace};

/// Returns what a manifest wants.
pub(crate) fn wanted(text: &str) -> (Model, Desired) {
    let mut sources = Sources::default();
    let mut report = diagnostic::Report::default();
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

/// Returns all instances that a manifest wants of an app, with their texts and what fleet is to do.
pub(crate) fn instances(desired: &Desired, app: &str) -> Vec<(String, String, String)> {
    let units = desired.units.iter().filter(|unit| unit.app.as_str() == app);
    let instances = units.flat_map(|unit| {
        unit.instances.iter().map(|instance| {
            let name = instance.unit.as_str().to_owned();
            (name, unit.text.clone(), unit.state.to_string())
        })
    });
    instances.collect()
}

/// Which ports of the machine an instance takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Port {
    None,
    /// All the same one.
    Fixed,
    /// Each its slot's.
    Slot,
}

/// What there is of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum There {
    Missing,
    /// It runs, with the old text or the new one.
    Old,
    New,
    /// It is loaded only, with the old text.
    Loaded,
    /// It has the new text, and fleet was told to do nothing.
    Inactive,
    /// It failed, with the old text.
    Failed,
}

/// What becomes of instances that are started with the new text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Luck {
    Good,
    /// They take so many seconds to start, and so many to stop.
    Slow(u64, u64),
    /// Each crashes once.
    Shaky,
    Fails,
    Crashes,
    Hangs,
    NotLoaded,
}

impl Luck {
    fn stops_in(self) -> u64 {
        match self {
            Self::Slow(_, stop) => stop,
            _ => 0,
        }
    }

    fn fate(self) -> Fate {
        match self {
            Self::Good => Fate::runs(),
            Self::Slow(start, stop) => Fate::runs_after(start).stops_in(stop),
            Self::Shaky => Fate::runs_after_crashes(1, 2, 5),
            Self::Fails => Fate::fails(),
            Self::Crashes => Fate::crashes(1, 10),
            Self::Hangs => Fate::hangs(),
            Self::NotLoaded => Fate::is_not_loaded("bad-setting"),
        }
    }
}

/// What is to run: versions, each with so many instances; and the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Release {
    pub(crate) versions: Vec<u8>,
    pub(crate) instances: usize,
    pub(crate) text: &'static str,
}

/// A cluster on which something runs, and what is to run there.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) seed: u64,
    pub(crate) machines: u32,
    pub(crate) conflicts: bool,
    pub(crate) port: Port,
    pub(crate) versioned: bool,
    pub(crate) announce: bool,
    pub(crate) old: Release,
    pub(crate) new: Release,
    /// What there is of each instance that the old or the new release has, by their names' order.
    pub(crate) there: Vec<There>,
    pub(crate) min_alive: Option<usize>,
    pub(crate) max_growth: Option<usize>,
    pub(crate) ready: u64,
    pub(crate) luck: Luck,
}

/// Returns cases of all sorts; what becomes of instances is up to `luck`.
pub(crate) fn cases(luck: impl Strategy<Value = Luck>) -> impl Strategy<Value = Case> {
    let release = || {
        let versions = prop::sample::subsequence(vec![1_u8, 2, 3], 1..=2);
        (
            versions,
            1..=6_usize,
            prop::sample::select(vec!["old", "new"]),
        )
    };
    let there = prop_oneof![
        2 => Just(There::Missing),
        12 => Just(There::Old),
        2 => Just(There::New),
        1 => Just(There::Loaded),
        1 => Just(There::Inactive),
        1 => Just(There::Failed),
    ];
    let port = prop_oneof![
        2 => Just(Port::None),
        2 => Just(Port::Fixed),
        1 => Just(Port::Slot),
    ];
    let shape = (
        1..u64::MAX,
        1..=6_u32,
        any::<bool>(),
        port,
        any::<bool>(),
        prop::bool::weighted(0.2),
    );
    let bounds = (
        prop::option::weighted(0.4, 0..4_usize),
        prop::option::weighted(0.4, 0..3_usize),
        5..20_u64,
    );
    let parts = (shape, release(), release(), vec(there, 12), bounds, luck);
    parts.prop_map(|(shape, old, new, there, bounds, luck)| {
        let (seed, machines, conflicts, port, versioned, announce) = shape;
        let release = |(versions, instances, text): (Vec<u8>, usize, &'static str)| Release {
            // Six in all at most.
            instances: if versioned && versions.len() > 1 {
                instances.div_ceil(2)
            } else {
                instances
            },
            versions,
            text,
        };
        let (min_alive, max_growth, ready) = bounds;
        let mut new = release(new);
        new.text = "new";
        Case {
            seed,
            machines,
            conflicts,
            port,
            versioned,
            announce,
            old: release(old),
            new,
            there,
            min_alive,
            max_growth,
            ready,
            luck,
        }
    })
}

impl Case {
    /// Returns the manifest of a release.
    pub(crate) fn manifest(&self, release: &Release) -> String {
        let mut text = "apps:\n  app:\n    image: registry/app\n".to_owned();
        if self.versioned {
            let versions = release.versions.iter().map(|version| format!("v{version}"));
            let versions: Vec<String> = versions.collect();
            let _ = writeln!(text, "    versions: [{}]", versions.join(", "));
        }
        let _ = writeln!(text, "    environment: {{RELEASE: {}}}", release.text);
        let mut deploy = format!("ready_secs: {}, timeout: 3m", self.ready);
        if let Some(number) = self.min_alive {
            let _ = write!(deploy, ", min_alive: {number}");
        }
        if let Some(number) = self.max_growth {
            let _ = write!(deploy, ", max_growth: {number}");
        }
        let _ = writeln!(text, "    deploy: {{{deploy}}}");
        let slots: Vec<String> = (8001..)
            .take(release.instances)
            .map(|slot| slot.to_string())
            .collect();
        let mut process = format!("instances: [{}]", slots.join(", "));
        match self.port {
            Port::None => {}
            Port::Fixed => process.push_str(", port: 5000"),
            Port::Slot => process.push_str(", port: slot"),
        }
        if self.conflicts {
            process.push_str(", conflicts: self");
        }
        if self.announce && self.port != Port::None {
            process.push_str(", announce: true");
        }
        let _ = writeln!(text, "    processes: {{http: {{{process}}}}}");
        text.push_str("  other: {exec: [/bin/other], instances: 2}\n");
        text
    }

    /// Returns the manifest that is to be deployed.
    pub(crate) fn wanted(&self) -> String {
        self.manifest(&self.new)
    }

    /// Makes a fleet on which all is as the case says, in a time that passes from now on.
    pub(crate) fn scene(&self) -> Scene {
        let server = FleetServer::start();
        let metadata = [("region", "eu-west")];
        let release = |release: &Release, text| Release {
            text,
            ..release.clone()
        };
        let texts = |text| {
            let mut all = Vec::new();
            for one in [&self.old, &self.new] {
                let (_, desired) = wanted(&self.manifest(&release(one, text)));
                all.extend(instances(&desired, "app"));
            }
            all.sort();
            all.dedup();
            all
        };
        let (_, desired) = wanted(&self.wanted());
        let files: Vec<_> = desired
            .units
            .iter()
            .filter(|unit| unit.name.is_template())
            .collect();
        server.world(|world| {
            world.hosts = (1..=self.machines)
                .map(|number| Host::new(number, &metadata))
                .collect();
            for file in files {
                world.create(file.name.as_str(), file.text.clone(), "inactive");
            }
            for (name, text, state) in instances(&desired, "other") {
                world.create(&name, text, &state);
            }
            let (old, new) = (texts(self.old.text), texts("new"));
            let usual = || Fate::runs().stops_in(self.luck.stops_in());
            world.fate("app-http@*.service", "", usual());
            for (name, there) in keys(&new).into_iter().zip(&self.there) {
                let of_key = |(unit, _, _): &&(String, String, String)| key(unit) == name;
                let (all, target) = match there {
                    There::Missing => continue,
                    There::Old | There::Failed => (&old, "launched"),
                    There::New => (&new, "launched"),
                    There::Loaded => (&old, "loaded"),
                    There::Inactive => (&new, "inactive"),
                };
                if *there == There::Failed {
                    world.fate(&format!("app-http@{name}.service"), "", Fate::fails());
                }
                for (unit, text, _) in all.iter().filter(of_key) {
                    world.create(unit, text.clone(), target);
                }
            }
            world.advance(Pace::AtOnce);
            world.fate("app-http@*.service", "", usual());
            world.fate("app-http@*.service", "RELEASE=new", self.luck.fate());
        });
        server.pace(Pace::virtually(self.seed));
        Scene { server }
    }
}

/// Returns what stands between `@` and the suffix.
fn key(unit: &str) -> &str {
    let tail = unit.split_once('@').map_or(unit, |(_, tail)| tail);
    tail.rsplit_once('.').map_or(tail, |(key, _)| key)
}

fn keys(units: &[(String, String, String)]) -> Vec<String> {
    let mut keys: Vec<String> = units
        .iter()
        .map(|(unit, _, _)| key(unit).to_owned())
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

/// Returns troubles of all sorts.
pub(crate) fn troubles() -> impl Strategy<Value = Vec<(usize, Trouble)>> {
    let trouble = prop_oneof![
        Just(Trouble::Dropped),
        Just(Trouble::Status(500)),
        Just(Trouble::Status(503)),
        (1..20_u64).prop_map(Trouble::Slow),
        Just(Trouble::Lost),
    ];
    let troubles = prop::collection::btree_map(1..80_usize, trouble, 1..5);
    troubles.prop_map(|troubles| troubles.into_iter().collect())
}
