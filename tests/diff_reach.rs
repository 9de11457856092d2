//! `unitgen diff` by other ways to a cluster, and where there is none.

use crate::delivery::deliver;
use crate::diff_fleet::{HUB, OWN, against, running_hub};
use crate::fleet_server::{Fault, FleetServer};
use crate::test::Test;

#[test]
fn over_a_unix_socket() {
    let server = FleetServer::start_on_socket();
    let folder = Test::new()
        .manifest(HUB)
        .file("templates/own.service.tera", OWN)
        .into_folder();
    let folder = deliver(server.endpoint(), folder);
    Test::within(folder)
        .args("diff")
        .environment("FLEETCTL_ENDPOINT", server.endpoint())
        .stdout("nothing differs: 1 unit, 2 instances\n")
        .run();
}

#[test]
fn a_cluster_out_of_reach_ends_with_three() {
    let (server, folder) = running_hub();
    server.fault(1, Fault::Status(500));
    let endpoint = server.endpoint().to_owned();
    let folder = against(&server, folder, "")
        .status(3)
        .stderr(format!(
            "error: can't list the units\n  caused by: `GET /fleet/v1/units` at `{endpoint}`: fleet \
             answered 500 without a word\n\nhelp: fleet says why only in the journal of fleetd; mostly \
             etcd is slow or away, or the unit's target-state in etcd is none of fleet's words\n"
        ))
        .run();
    server.fault(1, Fault::Silent);
    let folder = against(&server, folder, "--request-timeout 0.3")
        .status(3)
        .stderr(format!(
            "error: can't list the units\n  caused by: `GET /fleet/v1/units` at `{endpoint}`: connected, but no \
             answer within 0.3 s\n\nhelp: fleetd may hang, or the cluster may be large: `--request-timeout` \
             gives it more seconds\n"
        ))
        .run();
    server.fault(1, Fault::CutOff(200));
    let folder = against(&server, folder, "")
        .status(3)
        .stderr(format!(
            "error: can't list the units\n  caused by: `GET /fleet/v1/units` at `{endpoint}`: the answer was cut off after 91 bytes\n"
        ))
        .run();
    drop(server);
    Test::within(folder)
        .args("diff")
        .status(3)
        .stderr(
            "error: can't list the units\n  caused by: `GET /fleet/v1/units` at \
             `unix:///var/run/fleet.sock`: there is no such socket file\n\nhelp: name fleet's endpoint \
             with `--endpoint` or FLEETCTL_ENDPOINT, a host to go through with `--tunnel` or \
             FLEETCTL_TUNNEL; to compare without a cluster say `--against dir:units`, `--against \
             git:main` or `--against snapshot:FILE`\n",
        )
        .run();
}
