//! Plans by value: what there is, what is to be, and the steps in between.

use crate::manifest::port::Protocol;
use crate::model::{Deploy, MachinePort};
use crate::rollout::case::Case;

const RUNNING: &str = "\
1 old launched 1 active/running
2 old launched 2 active/running
3 old launched 3 active/running";

const VERSION: &str = "\
v41-1 new launched 1 active/running
v41-2 new launched 2 active/running
v41-3 new launched 3 active/running";

fn growth(max_growth: u32) -> Deploy {
    Deploy {
        max_growth: Some(max_growth),
        ..Deploy::default()
    }
}

fn alive(min_alive: u32) -> Deploy {
    Deploy {
        min_alive: Some(min_alive),
        ..Deploy::default()
    }
}

#[test]
fn nothing_is_done_where_all_is_as_it_should_be() {
    let case = Case {
        wanted: "v41-1 v41-2 v41-3",
        there: VERSION,
        ..Case::default()
    };
    case.gives("");
}

#[test]
fn what_is_missing_starts() {
    let case = Case {
        wanted: "1 2",
        ..Case::default()
    };
    case.gives("start 1 missing\nstart 2 missing\n0 to 2");
}

#[test]
fn what_is_stale_is_replaced_one_by_one() {
    let case = Case {
        wanted: "1 2 3",
        there: RUNNING,
        ..Case::default()
    };
    case.gives("replace 1 stale\nreplace 2 stale\nreplace 3 stale\n2 to 3");
}

#[test]
fn all_can_not_be_alive_where_each_is_replaced_in_place() {
    let case = Case {
        wanted: "1 2 3",
        there: RUNNING,
        deploy: alive(3),
        ..Case::default()
    };
    case.gives(
        "hub/http: 3 instances, 3 alive, each replaced where it is: one must stop before it can start; \
         --min-alive 3 is impossible; allow less: `--min-alive 2`, or `min_alive: 2` under `deploy`",
    );
}

#[test]
fn a_version_is_cut_over_with_the_new_one_up_first() {
    let case = Case {
        machines: 4,
        conflicts: true,
        wanted: "v42-1 v42-2 v42-3",
        there: VERSION,
        deploy: alive(3),
        ..Case::default()
    };
    case.gives(
        "start v42-1 missing
         stop v41-2 surplus for hub-http@v42-2.service
         destroy v41-2 surplus
         start v42-2 missing
         stop v41-3 surplus for hub-http@v42-3.service
         destroy v41-3 surplus
         start v42-3 missing
         stop v41-1 surplus
         destroy v41-1 surplus
         3 to 4",
    );
}

#[test]
fn more_growth_takes_fewer_turns() {
    let case = Case {
        machines: 6,
        conflicts: true,
        wanted: "v42-1 v42-2 v42-3",
        there: VERSION,
        deploy: growth(3),
        ..Case::default()
    };
    case.gives(
        "start v42-1 missing
         start v42-2 missing
         start v42-3 missing
         stop v41-1 surplus
         destroy v41-1 surplus
         stop v41-2 surplus
         destroy v41-2 surplus
         stop v41-3 surplus
         destroy v41-3 surplus
         3 to 6",
    );
}

#[test]
fn where_every_machine_is_taken_one_stops_before_one_starts() {
    let case = Case {
        conflicts: true,
        wanted: "v42-1 v42-2 v42-3",
        there: VERSION,
        ..Case::default()
    };
    case.gives(
        "stop v41-1 surplus for hub-http@v42-1.service
         destroy v41-1 surplus
         start v42-1 missing
         stop v41-2 surplus for hub-http@v42-2.service
         destroy v41-2 surplus
         start v42-2 missing
         stop v41-3 surplus for hub-http@v42-3.service
         destroy v41-3 surplus
         start v42-3 missing
         2 to 3",
    );
    let strict = Case {
        deploy: alive(3),
        ..case
    };
    strict.gives(
        "hub/http: 3 instances, 3 machines, Conflicts=hub-http@*.service: one must stop before one can \
         start; --min-alive 3 is impossible; allow less: `--min-alive 2`, or `min_alive: 2` under `deploy`",
    );
}

#[test]
fn without_growth_one_stops_before_one_starts() {
    let case = Case {
        machines: 9,
        wanted: "v42-1 v41-2",
        there: "v41-1 new launched 1 active/running\nv41-2 new launched 2 active/running",
        deploy: growth(0),
        ..Case::default()
    };
    case.gives(
        "wait v41-2 unproven
         stop v41-1 surplus for hub-http@v42-1.service
         destroy v41-1 surplus
         start v42-1 missing
         1 to 2",
    );
}

#[test]
fn a_port_that_fleet_would_choose_twice_is_made_free_first() {
    let port = MachinePort {
        number: Some(80),
        protocol: Protocol::Tcp,
    };
    let case = Case {
        machines: 1,
        port: Some(port),
        wanted: "v42-1",
        there: "v41-1 new launched 1 active/running",
        ..Case::default()
    };
    case.gives(
        "stop v41-1 surplus for hub-http@v42-1.service
         destroy v41-1 surplus
         start v42-1 missing
         0 to 1",
    );
    // On the machine with less on it the port is free.
    let roomy = Case {
        machines: 2,
        ..case
    };
    roomy.gives(
        "start v42-1 missing
         stop v41-1 surplus
         destroy v41-1 surplus
         1 to 2",
    );
}

#[test]
fn what_does_not_serve_is_mended_first_and_stopped_first() {
    let case = Case {
        machines: 9,
        wanted: "1 2 3",
        there: "1 old launched 1 active/running
                2 old launched 2 failed/failed
                3 new launched 3 activating/start-pre
                4 old launched 4 active/running
                5 old launched 5 failed/failed",
        ..Case::default()
    };
    case.gives(
        "wait 3 down
         replace 2 stale
         replace 1 stale
         stop 5 surplus
         destroy 5 surplus
         stop 4 surplus
         destroy 4 surplus
         2 to 5",
    );
}

#[test]
fn what_failed_or_was_told_otherwise_is_started_anew() {
    let case = Case {
        wanted: "1 2 3 4",
        there: "1 new launched 1 failed/failed
                2 new loaded 2 inactive/dead
                3 old inactive - -
                4 new launched 3 activating/auto-restart",
        ..Case::default()
    };
    case.gives(
        "restart 1 failed
         start 2 state
         restart 4 down
         start 3 state
         0 to 4",
    );
}

#[test]
fn what_found_no_machine_gets_room() {
    let case = Case {
        machines: 2,
        conflicts: true,
        wanted: "v42-1 v42-2",
        there: "v41-1 new launched 1 active/running
                v42-1 new launched - -
                v41-2 new launched 2 active/running",
        ..Case::default()
    };
    case.gives(
        "stop v41-1 surplus for hub-http@v42-1.service
         destroy v41-1 surplus
         wait v42-1 unplaced
         stop v41-2 surplus for hub-http@v42-2.service
         destroy v41-2 surplus
         start v42-2 missing
         1 to 3",
    );
}

#[test]
fn copies_that_nobody_wants_are_destroyed() {
    let case = Case {
        wanted: "1",
        there: "1 new launched 1 active/running\n2 old inactive - -",
        ..Case::default()
    };
    case.gives("destroy 2 surplus\n1 to 1");
}

#[test]
fn a_time_that_is_too_short_is_refused() {
    let case = Case {
        wanted: "1",
        deploy: Deploy {
            ready_secs: Some(1_500),
            ..Deploy::default()
        },
        ..Case::default()
    };
    case.gives(
        "hub/http: an instance must be up for 1500 s, and may take 1500 s in all; allow more time: \
         `--timeout`, or less of it up: `--ready-secs`",
    );
}

#[test]
fn what_is_not_wanted_is_not_stopped_for_nothing() {
    let case = Case {
        conflicts: true,
        wanted: "v42-1 v42-2 v42-3 v42-4",
        there: VERSION,
        ..Case::default()
    };
    case.gives(
        "hub/http: `hub-http@v42-4.service` has no place: all 3 eligible machines are taken by units that it \
         conflicts with: `hub-http@v42-1.service` on machine1, `hub-http@v42-2.service` on machine2, \
         `hub-http@v42-3.service` on machine3; make room for it, or want less of it",
    );
}

#[test]
fn of_several_that_found_no_machine_the_first_gets_room_first() {
    let case = Case {
        machines: 2,
        conflicts: true,
        wanted: "v42-1 v42-2",
        there: "v41-1 new launched 1 active/running
                v41-2 new launched 2 active/running
                v42-1 new launched - -
                v42-2 new launched - -",
        ..Case::default()
    };
    case.gives(
        "stop v42-2 unplaced
         stop v41-1 surplus for hub-http@v42-1.service
         destroy v41-1 surplus
         wait v42-1 unplaced
         stop v41-2 surplus for hub-http@v42-2.service
         destroy v41-2 surplus
         start v42-2 unplaced
         1 to 4",
    );
}

#[test]
fn what_a_machine_is_silent_about_may_serve() {
    let case = Case {
        wanted: "1 2",
        there: "1 old launched 1 -\n2 old launched 2 active/running",
        deploy: alive(1),
        ..Case::default()
    };
    case.gives("replace 1 stale\nreplace 2 stale\n1 to 2");
    let strict = Case {
        deploy: alive(2),
        ..case
    };
    strict.gives(
        "hub/http: 2 instances, 1 alive, each replaced where it is: one must stop before it can start; \
         --min-alive 2 is impossible; allow less: `--min-alive 1`, or `min_alive: 1` under `deploy`",
    );
}
