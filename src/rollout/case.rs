//! A case for the tests of plans: what there is, a line a unit, and what is to be.

use std::collections::BTreeMap;

use crate::diff::{Comparison, diff};
use crate::goal::{Goal, InstanceGoal, ProcessGoal, UnitGoal};
use crate::model::{Deploy, MachinePort, Model};
use crate::name::AppName;
use crate::rollout::plan;
use crate::rollout::process::of_goals;
use crate::state::{
    Coverage, Machine, MachineId, Observed, ObservedUnit, RegistryName, SeenState, SeenUnit, State,
    States, UnitHash, UnitState,
};
use crate::unit::fleet::hash;

/// A process `hub/http` that is to run, on machines that have something of it.
pub(super) struct Case {
    pub(super) machines: usize,
    pub(super) conflicts: bool,
    pub(super) port: Option<MachinePort>,
    pub(super) wanted: &'static str,
    pub(super) there: &'static str,
    pub(super) deploy: Deploy,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            machines: 3,
            conflicts: false,
            port: None,
            wanted: "",
            there: "",
            deploy: Deploy::default(),
        }
    }
}

/// A text of the unit: `new`, `old` or any other word.
fn text(word: &str, conflicts: bool) -> String {
    let fleet = if conflicts {
        "[X-Fleet]\nConflicts=%p@*.service\n\n"
    } else {
        ""
    };
    format!("[Service]\nExecStart=/bin/{word}\n\n{fleet}[X-Unitgen]\nApp=hub\nProcess=http\n")
}

fn name(key: &str) -> RegistryName {
    RegistryName::seen(format!("hub-http@{key}.service"))
}

impl Case {
    fn goal(&self) -> Goal {
        let instance = |key: &str| {
            let (version, slot) = match key.split_once('-') {
                Some((version, slot)) => (Some(version.to_owned()), slot),
                None => (None, key),
            };
            InstanceGoal {
                name: name(key),
                version,
                slot: Some(slot.to_owned()),
            }
        };
        let instances: Vec<InstanceGoal> = self.wanted.split_whitespace().map(instance).collect();
        let unit = UnitGoal {
            name: name(""),
            text: text("new", self.conflicts),
            state: State::Launched,
            instances,
        };
        Goal {
            app: "hub".to_owned(),
            folder: None,
            processes: vec![ProcessGoal {
                process: "http".to_owned(),
                units: vec![unit],
                versioned: self.wanted.contains('-'),
                global: false,
                ports: self.port.into_iter().collect(),
                deploy: self.deploy.clone(),
            }],
        }
    }

    /// Reads lines such as `v41-1 old launched 1 active/running`; `-` is no machine.
    fn observed(&self) -> Observed {
        let machine = |number: usize| MachineId::seen(format!("machine{number}"));
        let machines = (1..=self.machines).map(|number| {
            let id = machine(number);
            let seen = Machine {
                id: id.clone(),
                primary_ip: String::new(),
                metadata: BTreeMap::new(),
            };
            (id, seen)
        });
        let mut observed = Observed {
            coverage: Coverage::Cluster,
            units: BTreeMap::new(),
            states: States::new(),
            machines: machines.collect(),
            release: None,
            owners: BTreeMap::new(),
        };
        let file = text("new", self.conflicts);
        let template = |text: String| ObservedUnit {
            name: name(""),
            hash: UnitHash::seen(hash(&text)),
            unit: SeenUnit::stored(text),
            desired: SeenState::Known(State::Inactive),
            current: None,
            machine: None,
        };
        observed.units.insert(name(""), template(file));
        for line in self
            .there
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let words: Vec<&str> = line.split(' ').collect();
            let [key, word, told, place, state] = words.as_slice() else {
                panic!("{line}");
            };
            let text = text(word, self.conflicts);
            let unit_hash = UnitHash::seen(hash(&text));
            let place = place.parse().ok().map(machine);
            let unit = ObservedUnit {
                name: name(key),
                desired: SeenState::seen(told),
                machine: place.clone(),
                ..template(text)
            };
            observed.units.insert(name(key), unit);
            if let (Some(place), Some((active, sub))) = (place, state.split_once('/')) {
                let state = UnitState {
                    hash: unit_hash,
                    load: "loaded".to_owned(),
                    active: active.to_owned(),
                    sub: sub.to_owned(),
                };
                let states = observed.states.entry(name(key)).or_default();
                states.insert(place, state);
            }
        }
        observed
    }

    /// Returns the steps, a line each, or why there can be none; and how many are alive at least and there at
    /// most.
    fn plan(&self) -> String {
        let goal = self.goal();
        let observed = self.observed();
        let desired = goal.desired().unwrap();
        let app = [AppName::new("hub").unwrap()];
        let diff = diff(&Comparison {
            desired: &desired,
            others: &[],
            model: &Model::default(),
            observed: &observed,
            apps: Some(&app),
        });
        let given = Deploy::default();
        let processes = of_goals(&[goal], &diff, &observed, &given, |_, _| false);
        match plan(&processes, &observed) {
            Err(found) => found
                .iter()
                .map(|one| format!("{one}; {}\n", one.help))
                .collect(),
            Ok(plan) => {
                let mut shown = String::new();
                for process in &plan.processes {
                    for step in &process.steps {
                        let key = step.instance.as_str().trim_start_matches("hub-http@");
                        let key = key.trim_end_matches(".service");
                        let room = step.makes_room_for.as_ref();
                        let room = room.map(|room| format!(" for {room}")).unwrap_or_default();
                        let (action, reason) = (step.action.word(), step.reason.word());
                        shown.push_str(&format!("{action} {key} {reason}{room}\n"));
                    }
                    let (least, most) = process.range;
                    shown.push_str(&format!("{least} to {most}\n"));
                }
                shown
            }
        }
    }

    #[track_caller]
    pub(super) fn gives(&self, expected: &str) {
        let expected: Vec<&str> = expected
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        let plan = self.plan();
        assert_eq!(plan.lines().collect::<Vec<_>>(), expected, "{plan}");
    }
}
