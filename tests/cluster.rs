//! The client, as commands use it. Against a live cluster as well.

use unitgen::cluster::fleet::{Deletion, Put};
use unitgen::state::{SeenState, State};
use unitgen::unit::fleet::FleetUnit;

use crate::fleet_site::Site;

fn unit(text: &str) -> FleetUnit {
    FleetUnit::parse(text).unwrap()
}

#[test]
fn a_unit_is_stored_read_and_deleted() {
    let site = Site::new("client");
    let mut fleet = site.fleet();
    let name = site.registry_name("a\\x2db@1:2.service");
    let text = "[Service]\nExecStart=\nExecStart=/bin/sh -c \"a && b > c\" \\\n  é\n\n[X-Unitgen]\nApp=a\n";
    let first = unit(text);
    assert_eq!(fleet.unit(&name).unwrap(), None);
    assert_eq!(fleet.delete(&name).unwrap(), Deletion::Absent);
    assert_eq!(
        fleet.put(&name, &first, State::Inactive).unwrap(),
        Put::Stored
    );
    assert_eq!(
        fleet.put(&name, &first, State::Inactive).unwrap(),
        Put::Kept
    );
    let seen = fleet.unit(&name).unwrap().unwrap();
    assert_eq!(seen.unit.canonical(), text);
    assert_eq!(seen.hash.as_str(), first.hash());
    assert_eq!(seen.desired, SeenState::Known(State::Inactive));
    assert_eq!(seen.current, Some(SeenState::Known(State::Inactive)));
    assert_eq!((&seen.name, &seen.machine), (&name, &None));
    assert_eq!(fleet.units().unwrap()[&name], seen);
    let second = unit("[Service]\nExecStart=/bin/true\n");
    assert_eq!(
        fleet.put(&name, &second, State::Inactive).unwrap(),
        Put::Stored
    );
    assert_eq!(fleet.unit(&name).unwrap().unwrap().unit, second);
    assert_eq!(fleet.delete(&name).unwrap(), Deletion::Deleted);
    assert_eq!(fleet.unit(&name).unwrap(), None);
    assert!(fleet.states_of(&name).unwrap().is_empty());
    assert!(fleet.release().unwrap().replaces_content().unwrap());
}

#[test]
fn what_is_there_is_observed() {
    let site = Site::new("observe");
    let mut fleet = site.fleet();
    let text = unit("[Service]\nExecStart=/bin/true\n");
    let names = ["a@.service", "b.service", "c.timer"].map(|name| site.registry_name(name));
    for name in &names {
        fleet.put(name, &text, State::Inactive).unwrap();
    }
    let observed = fleet.observe().unwrap();
    for name in &names {
        assert_eq!(observed.units[name].unit, text);
        assert!(!observed.states.contains_key(name));
    }
    assert!(!observed.machines.is_empty());
    assert!(
        observed
            .machines
            .iter()
            .all(|(id, machine)| *id == machine.id)
    );
    assert_eq!(observed.release.as_ref(), fleet.release());
}

#[test]
fn what_harms_a_fleet_is_not_sent() {
    let site = Site::new("harm");
    let mut fleet = site.fleet();
    let template = site.registry_name("a@.service");
    let text = unit("[Service]\nExecStart=/bin/true\n");
    for state in [State::Loaded, State::Launched] {
        let message = format!("the template `{template}` can't be {state}, only inactive");
        let put = fleet.put(&template, &text, state).unwrap_err();
        let set = fleet.set_state(&template, state).unwrap_err();
        for error in [put, set] {
            assert_eq!(
                (error.message.as_str(), error.status.code()),
                (message.as_str(), 2)
            );
        }
    }
    let plain = site.registry_name("a.service");
    let mut odd = text.clone();
    odd.options[0].value = "/bin/true\nExecStop=/bin/false".to_owned();
    for unit in [odd, FleetUnit::default()] {
        let error = fleet.put(&plain, &unit, State::Inactive).unwrap_err();
        let message = format!("fleet would not keep the text of `{plain}` as it is");
        assert_eq!((error.message, error.status.code()), (message, 2));
    }
    assert_eq!(fleet.unit(&plain).unwrap(), None);
}

#[test]
fn refusals_have_fleets_words() {
    let site = Site::new("refuse");
    let mut fleet = site.fleet();
    let absent = site.registry_name("absent.service");
    let error = fleet.set_state(&absent, State::Launched).unwrap_err();
    assert_eq!(error.status.code(), 3);
    assert_eq!(
        error.text(),
        format!(
            "error: can't make `{absent}` launched\n  caused by: `PUT /fleet/v1/units/{absent}` at \
             `{}`: fleet answered 409: unit does not exist and options field empty\n",
            site.endpoint()
        )
    );
    let text = unit("[Service]\nExecStart=/bin/true\n\n[X-Fleet]\nGlobal=true\nMachineID=x\n");
    let error = fleet.put(&absent, &text, State::Inactive).unwrap_err();
    let cause = error.source.unwrap().to_string();
    assert!(
        cause.ends_with(": fleet answered 400: MachineID cannot be used with Global"),
        "{cause}"
    );
}
