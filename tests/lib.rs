//! The one binary of integration tests.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests make files and processes of their own, and a failure of theirs is a failed test"
)]

mod architecture;
mod check;
mod cluster;
mod cluster_faults;
mod cluster_lists;
mod config;
mod connection;
mod corpus;
mod delivery;
mod diff;
mod diff_colors;
mod diff_fleet;
mod diff_formats;
mod diff_git;
mod diff_hostile;
mod diff_leftovers;
mod diff_properties;
mod diff_reach;
mod faults;
mod files;
mod findings;
mod fleet_behaviour;
mod fleet_facts;
mod fleet_server;
mod fleet_site;
mod fleetctl;
mod fleetctl_door;
mod fleetctl_ends;
mod fleetctl_facts;
mod fleetctl_lists;
mod fleetctl_reading;
mod git;
mod git_faults;
mod git_load;
mod git_repository;
mod golden;
mod help;
mod hostile;
mod init;
mod lint;
mod lint_traps;
mod mending;
mod plan_script;
mod plan_script_seen;
mod properties;
mod reading;
mod readme;
mod render;
mod results;
mod schema;
mod show;
mod show_json;
mod show_names;
mod snapshot;
mod status;
mod submit;
mod submit_faults;
mod submit_faults_changes;
mod submit_faults_fleetctl;
mod submit_faults_scene;
mod submit_faults_truth;
mod submit_feedback;
mod submit_guards;
mod submit_print;
mod submit_properties;
mod submit_running;
mod test;
mod traps;
mod tunnel;
mod vectors;
mod verify;
