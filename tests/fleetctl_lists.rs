//! The stand-in for fleetctl, held against what the real ones said of the registry as a whole, and of
//! endpoints that lead nowhere.

use unitgen::unit::fleet::hash;

use crate::delivery::put_unit;
use crate::fleet_server::{FleetServer, Kind};
use crate::fleetctl::{Fleetctl, Release};
use crate::fleetctl_facts::{Desk, text};

#[test]
fn the_registry_is_listed() {
    let server = FleetServer::start();
    let desk = Desk::of(&server);
    server.world(|world| world.page = 2);
    let template = "app-http@.service";
    put_unit(server.endpoint(), template, &text(1000), "inactive");
    put_unit(
        server.endpoint(),
        "app-http@1.service",
        &text(1000),
        "launched",
    );
    let global = "[X-Fleet]\nGlobal=true\n";
    put_unit(server.endpoint(), "glob.service", global, "launched");
    desk.case(
        "list-unit-files",
        "UNIT\t\t\tHASH\tDSTATE\t\tSTATE\t\tTARGET\n\
         app-http@.service\t2c578c9\tinactive\tinactive\t-\n\
         app-http@1.service\t2c578c9\tlaunched\tlaunched\taaaa0001.../127.0.0.11\n\
         glob.service\t\t50d9ffd\tlaunched\t-\t\tglobal\n"
            .replace("50d9ffd", &hash(global)[..7])
            .as_str(),
        "",
        0,
    );
    desk.case(
        "--endpoint NONE/ list-unit-files --full --fields=unit,hash --no-legend"
            .replace("NONE", server.endpoint())
            .as_str(),
        &format!(
            "app-http@.service\t2c578c96af526baa33e7181f32f3d1e416822d38\n\
             app-http@1.service\t2c578c96af526baa33e7181f32f3d1e416822d38\n\
             glob.service\t\t{}\n",
            hash(global)
        ),
        "",
        0,
    );
    desk.case(
        "list-unit-files --fields=unit,bogus",
        "",
        "Invalid key in output format: \"bogus\"\n",
        1,
    );
    server.world(|world| world.destroy("app-http@1.service"));
    desk.case(
        "list-unit-files --fields=unit,global,desc,dstate,state,target,tmachine",
        "UNIT\t\t\tGLOBAL\tDESC\t\t\tDSTATE\t\tSTATE\t\tTARGET\tTMACHINE\n\
         app-http@.service\tfalse\tApp HTTP instance %i\tinactive\tinactive\t-\t-\n\
         glob.service\t\ttrue\t-\t\t\tlaunched\t-\t\tglobal\tglobal\n",
        "WARNING: The \"tmachine\" field is deprecated. Use \"target\" instead\n",
        0,
    );
}

/// The list that is asked for, held against the whole ones that were recorded.
#[test]
fn hashes_and_ids_are_whole_where_that_is_asked_for() {
    let recorded = "UNIT\t\t\tHASH\t\t\t\t\t\tDSTATE\t\tSTATE\t\tTARGET\n\
        app-http@.service\t5afd08b97864a83ea6ef0166f55410124d214bd2\tinactive\tinactive\t-\n\
        app-http@1.service\t2c578c96af526baa33e7181f32f3d1e416822d38\tlaunched\tlaunched\t\
        aaaa0001000000000000000000000001/127.0.0.11\n";
    let server = FleetServer::start();
    let desk = Desk::of(&server);
    let asked = "list-unit-files --full --fields=unit,hash,dstate";
    desk.case(
        "list-unit-files --full",
        "UNIT\tHASH\tDSTATE\tSTATE\tTARGET\n",
        "",
        0,
    );
    desk.case(asked, "UNIT\tHASH\tDSTATE\n", "", 0);
    desk.case(&format!("{asked} --no-legend"), "", "", 0);
    let (template, instance) = ("app-http@.service", "app-http@1.service");
    put_unit(server.endpoint(), template, &text(2000), "inactive");
    put_unit(server.endpoint(), instance, &text(1000), "launched");
    desk.case("list-unit-files --full", recorded, "", 0);
    desk.case(
        asked,
        "UNIT\t\t\tHASH\t\t\t\t\t\tDSTATE\n\
         app-http@.service\t5afd08b97864a83ea6ef0166f55410124d214bd2\tinactive\n\
         app-http@1.service\t2c578c96af526baa33e7181f32f3d1e416822d38\tlaunched\n",
        "",
        0,
    );
}

#[test]
fn the_old_one_lists_alike() {
    let server = FleetServer::start_kind(Kind::Old);
    let desk = Desk::new(Fleetctl::new(Release::Old), server.endpoint());
    put_unit(
        server.endpoint(),
        "app-http@.service",
        &text(1000),
        "inactive",
    );
    put_unit(
        server.endpoint(),
        "app-http@1.service",
        &text(1000),
        "launched",
    );
    desk.case(
        "list-unit-files --fields=unit,hash,dstate",
        "UNIT\t\t\tHASH\tDSTATE\n\
         app-http@.service\t2c578c9\tinactive\n\
         app-http@1.service\t2c578c9\tlaunched\n",
        "",
        0,
    );
    desk.case("cat nosuch", "", "Unit nosuch.service not found\n", 1);
    desk.case("cat app-http@1", &text(1000), "", 0);
}

#[test]
fn endpoints_that_lead_nowhere() {
    let server = FleetServer::start_on_socket();
    let desk = Desk::of(&server);
    let list = "list-unit-files --fields=unit";
    desk.case(list, "UNIT\n", "", 0);
    let failed = |endpoint: &str, arguments: &str, error: &str| {
        let variable = [("FLEETCTL_ENDPOINT", endpoint)];
        desk.case_with(&variable, &format!("{arguments} {list}"), "", error, 1);
    };
    failed(
        "http://127.0.0.1:1",
        "",
        "Error retrieving list of units from repository: Get \
         \"http://127.0.0.1:1/fleet/v1/units?alt=json\": dial tcp 127.0.0.1:1: connect: connection \
         refused\n",
    );
    failed(
        "",
        "--endpoint=unix:///nonexistent/fleet.sock",
        "Error retrieving list of units from repository: Get \
         \"http://domain-sock/fleet/v1/units?alt=json\": dial unix /nonexistent/fleet.sock: connect: no \
         such file or directory\n",
    );
    failed(
        "127.0.0.1:49153",
        "",
        "Unable to initialize client: parse \"127.0.0.1:49153\": first path segment in URL cannot \
         contain colon\n",
    );
    failed(
        "",
        "--driver=foo",
        "Unable to initialize client: unrecognized driver \"foo\"\n",
    );
    failed(
        "",
        "--tunnel 127.0.0.1:1 --strict-host-key-checking=false --ssh-timeout=1",
        "Unable to initialize client: failed initializing SSH client: SSH_AUTH_SOCK environment \
         variable is not set. Verify ssh-agent is running. See \
         https://github.com/coreos/fleet/blob/master/Documentation/using-the-client.md for help.\n",
    );
    let two = format!("{},http://127.0.0.1:1", server.endpoint());
    desk.case_with(
        &[("FLEETCTL_ENDPOINT", &two)],
        list,
        "UNIT\n",
        &format!(
            "2026/11/22 09:28:08 WARN fleetctl.go:332: multiple endpoints provided but only the first \
             ({}) is used\n",
            server.endpoint()
        ),
        0,
    );
}
