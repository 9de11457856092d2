//! What goes wrong on the way to a cluster, and what is said of it. On a server of the test's own.

use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use unitgen::cluster::fleet::{Deletion, Fleet, Put};
use unitgen::error::CommandError;
use unitgen::http::address::Address;
use unitgen::http::{Client, Limits, Method, Request};
use unitgen::state::{RegistryName, State};
use unitgen::unit::fleet::FleetUnit;

use crate::fleet_server::{Fault, FleetServer, Kind};
use crate::fleet_site::{client, fleet};
use crate::test::Folder;

/// Returns a client that gives up soon.
fn hasty(endpoint: &str) -> Fleet {
    let limits = Limits {
        connecting: Duration::from_millis(300),
        total: Duration::from_millis(300),
        body: 1 << 20,
    };
    Fleet::new(Client::new(Address::parse(endpoint).unwrap(), None, limits))
}

fn unit() -> FleetUnit {
    FleetUnit::parse("[Service]\nExecStart=/bin/true\n").unwrap()
}

fn name() -> RegistryName {
    RegistryName::seen("a.service")
}

#[track_caller]
fn says<T>(result: Result<T, CommandError>, endpoint: &str, text: &str) {
    let error = result.err().expect("an error");
    assert_eq!(error.status.code(), 3);
    assert_eq!(error.text().replace(endpoint, "ENDPOINT"), text);
}

const NAME_IT: &str = "name fleet's endpoint with `--endpoint` or FLEETCTL_ENDPOINT, a host to go \
                       through with `--tunnel` or FLEETCTL_TUNNEL";

fn listing(reason: &str, help: &str) -> String {
    format!(
        "error: can't list the units\n  caused by: `GET /fleet/v1/units` at `ENDPOINT`: {reason}\n\n\
         help: {help}\n"
    )
}

#[test]
fn nobody_is_there() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    says(
        fleet(&endpoint).units(),
        &endpoint,
        &listing("connection refused", NAME_IT),
    );
    let folder = Folder::new();
    let endpoint = format!("unix://{}", folder.path("no.sock").display());
    let reason = "there is no such socket file";
    says(
        fleet(&endpoint).units(),
        &endpoint,
        &listing(reason, NAME_IT),
    );
    let path = folder.path("left.sock");
    drop(UnixListener::bind(&path).unwrap());
    let endpoint = format!("unix://{}", path.display());
    says(
        fleet(&endpoint).units(),
        &endpoint,
        &listing("connection refused", NAME_IT),
    );
    let endpoint = "http://nowhere.invalid:1";
    says(
        fleet(endpoint).units(),
        endpoint,
        &listing("host not found", NAME_IT),
    );
}

#[test]
fn nobody_answers() {
    let hang = "fleetd may hang, or the cluster may be large: `--request-timeout` gives it more \
                seconds";
    for server in [FleetServer::start(), FleetServer::start_on_socket()] {
        server.fault(1, Fault::Silent);
        let start = Instant::now();
        let reason = "connected, but no answer within 0.3 s";
        says(
            hasty(server.endpoint()).units(),
            server.endpoint(),
            &listing(reason, hang),
        );
        assert!(start.elapsed() < Duration::from_secs(5));
        server.fault(1, Fault::Slow(Duration::from_millis(50)));
        assert!(fleet(server.endpoint()).units().unwrap().is_empty());
        // A change may have been made, silent or not.
        server.fault(1, Fault::Silent);
        let put = hasty(server.endpoint()).put(&name(), &unit(), State::Inactive);
        says(
            put,
            server.endpoint(),
            "error: can't submit `a.service`\n  caused by: `PUT /fleet/v1/units/a.service` at \
             `ENDPOINT`: connected, but no answer within 0.3 s\n\nhelp: fleet may have done it all \
             the same: look at the unit before you try again\n",
        );
    }
}

#[test]
fn somebody_else_answers() {
    let endpoint_only = "is this fleet's endpoint?";
    for (bytes, reason) in [
        ("SSH-2.0-OpenSSH_9.2\r\n", "the answer is no HTTP"),
        (
            "HTTP/1.1 404 Not Found\r\nServer: nginx\r\nContent-Length: 2\r\n\r\nno",
            "`nginx` answered 404, and is no fleet",
        ),
        (
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            "the server answered 403, not as fleet does",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
            "the answer is none of fleet's: expected value at line 1 column 1",
        ),
    ] {
        let server = FleetServer::start();
        server.fault(1, Fault::Bytes(bytes.as_bytes().to_vec()));
        says(
            fleet(server.endpoint()).units(),
            server.endpoint(),
            &listing(reason, endpoint_only),
        );
    }
    // Such a 404 says nothing of a unit.
    let server = FleetServer::start();
    let other = "HTTP/1.1 404 Not Found\r\nServer: nginx\r\nContent-Length: 2\r\n\r\nno";
    for number in 1..=2 {
        server.fault(number, Fault::Bytes(other.as_bytes().to_vec()));
    }
    assert!(fleet(server.endpoint()).unit(&name()).is_err());
    assert!(fleet(server.endpoint()).delete(&name()).is_err());
}

#[test]
fn an_answer_may_be_cut_off_or_too_large() {
    let server = FleetServer::start();
    let text = |result: Result<_, CommandError>| result.map(drop).unwrap_err().text();
    server.fault(1, Fault::HangUp);
    let error = text(fleet(server.endpoint()).units());
    assert!(
        error.contains("the connection was closed without an answer"),
        "{error}"
    );
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"units\"".to_vec();
    server.fault(1, Fault::Bytes(cut));
    let error = text(fleet(server.endpoint()).units());
    assert!(
        error.contains("the answer was cut off after 8 bytes"),
        "{error}"
    );
    let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n".to_vec();
    server.fault(1, Fault::Bytes(chunks));
    let error = text(fleet(server.endpoint()).units());
    assert!(
        error.contains("the answer was cut off after 2 bytes"),
        "{error}"
    );
    server.fault(1, Fault::Body(" ".repeat((1 << 20) + 1)));
    let mut greedy = hasty(server.endpoint());
    let error = text(greedy.units());
    assert!(error.contains("the answer is larger than 1 MiB"), "{error}");
    assert!(
        greedy.units().unwrap().is_empty(),
        "the next request has a connection of its own"
    );
}

#[test]
fn a_connection_that_was_closed_meanwhile_is_made_anew() {
    let server = FleetServer::start();
    let mut fleet = fleet(server.endpoint());
    server.fault(1, Fault::CloseAfter);
    server.fault(2, Fault::CloseAfter);
    server.fault(3, Fault::CloseAfter);
    fleet.units().unwrap();
    // What is known to be closed gets no request, so that even a change can be sent again.
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(
        fleet.put(&name(), &unit(), State::Inactive).unwrap(),
        Put::Stored
    );
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(fleet.delete(&name()).unwrap(), Deletion::Deleted);
    std::thread::sleep(Duration::from_millis(100));
    fleet.units().unwrap();
    assert_eq!((server.requests().len(), server.connections()), (4, 4));
    // What only reads is sent once more, what changes is not.
    server.fault(1, Fault::HangUp);
    fleet.units().unwrap();
    assert_eq!(server.requests().len(), 2);
    server.fault(1, Fault::HangUp);
    let error = fleet.delete(&name()).unwrap_err().text();
    assert!(error.contains("closed without an answer"), "{error}");
    assert_eq!(server.requests(), ["DELETE /fleet/v1/units/a.service"]);
    server.fault(1, Fault::HangUp);
    let error = fleet.units().unwrap_err().text();
    assert!(
        error.contains("closed without an answer"),
        "a new one is not made twice: {error}"
    );
}

#[test]
fn etcd_is_away() {
    let server = FleetServer::start();
    server.world(|world| world.etcd = crate::fleet_server::Etcd::Lost);
    says(
        fleet(server.endpoint()).units(),
        server.endpoint(),
        &listing(
            "fleet answered 503: fleet server unable to communicate with etcd",
            "fleetd goes on by itself as soon as etcd answers it",
        ),
    );
    server.world(|world| world.etcd = crate::fleet_server::Etcd::Silent);
    let why = "fleet says why only in the journal of fleetd; mostly etcd is slow or away, or the \
               unit's target-state in etcd is none of fleet's words";
    let reason = "fleet answered 500 without a word";
    says(
        fleet(server.endpoint()).units(),
        server.endpoint(),
        &listing(reason, why),
    );
}

#[test]
fn an_old_fleet_is_known_by_its_answers() {
    let server = FleetServer::start_kind(Kind::Old);
    let mut fleet = fleet(server.endpoint());
    assert_eq!(
        fleet.put(&name(), &unit(), State::Inactive).unwrap(),
        Put::Stored
    );
    let other = FleetUnit::parse("[Service]\nExecStart=/bin/false\n").unwrap();
    assert_eq!(
        fleet.put(&name(), &other, State::Inactive).unwrap(),
        Put::Kept
    );
    assert_eq!(fleet.unit(&name()).unwrap().unwrap().unit, unit());
    let release = fleet.release().unwrap();
    assert_eq!(
        (release.to_string().as_str(), release.replaces_content()),
        ("0.11.8", Some(false))
    );
}

#[test]
fn a_unix_socket_is_as_good() {
    let server = FleetServer::start_on_socket();
    assert!(server.socket().exists());
    let mut fleet = fleet(server.endpoint());
    assert_eq!(
        fleet.put(&name(), &unit(), State::Launched).unwrap(),
        Put::Stored
    );
    fleet.set_state(&name(), State::Inactive).unwrap();
    assert_eq!(fleet.observe().unwrap().units.len(), 1);
    assert_eq!(fleet.delete(&name()).unwrap(), Deletion::Deleted);
    assert_eq!(server.connections(), 1);
}

#[test]
fn an_endpoint_may_have_a_path() {
    let server = FleetServer::start();
    let request = Request {
        method: Method::Get,
        path: "/units",
        body: None,
    };
    let response = client(&format!("{}/fleet/v1/", server.endpoint()))
        .send(request)
        .unwrap();
    assert_eq!(
        (response.status, response.body.as_slice()),
        (200, &b"{}"[..])
    );
    assert_eq!(response.header("content-type"), Some("application/json"));
}

/// Prints how long a list of 1,000 units takes: `cargo test -- --ignored --nocapture listing_time`.
#[test]
#[ignore = "a measurement"]
fn listing_time() {
    let server = FleetServer::start();
    server.world(|world| {
        for number in 0..1_000 {
            let filler = "Environment=A=0123456789012345678901234567890123456789\n".repeat(11);
            let raw = format!("[Service]\nExecStart=/bin/true\n{filler}");
            world.create(&format!("u{number:05}.service"), raw, "inactive");
        }
    });
    let mut pages = vec![format!("{}/fleet/v1/units", server.endpoint())];
    for page in 2_u8..=11 {
        let letter = char::from(b'A' + page);
        pages.push(format!("{}?nextPageToken=ZAA{letter}AA==", pages[0]));
    }
    let time = |work: &dyn Fn()| {
        let mut times: Vec<_> = (0..9)
            .map(|_| {
                let start = Instant::now();
                work();
                start.elapsed()
            })
            .collect();
        times.sort();
        times[4]
    };
    let own = time(&|| assert_eq!(fleet(server.endpoint()).units().unwrap().len(), 1_000));
    let curl = time(&|| {
        let output = std::process::Command::new("curl")
            .arg("-s")
            .args(&pages)
            .output()
            .unwrap();
        assert!(output.stdout.len() > 500_000, "{}", output.stdout.len());
    });
    let line = format!("unitgen {own:?}, curl {curl:?}\n");
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
}
