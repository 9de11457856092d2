//! How much `unitgen env` asks of etcd, by etcd's own count.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use crate::etcd::Etcd;
use crate::test::PROGRAM;

/// Returns how many requests of the protocol an etcd was sent: those that read, and all.
fn requests(etcd: &Etcd) -> [u64; 2] {
    let address = etcd.endpoint.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let counts = |mark: &str| -> u64 {
        let lines = text
            .lines()
            .filter(|line| line.starts_with("grpc_server_started_total{") && line.contains(mark));
        lines
            .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
            .sum()
    };
    [counts("grpc_method=\"Range\""), counts("")]
}

#[test]
fn all_variables_of_an_app_are_one_request() {
    let etcd = Etcd::start();
    for number in 0..50 {
        etcd.put(&format!("/environment/hub/VARIABLE_{number}"));
    }
    let before = requests(&etcd);
    assert!(before[1] >= 50, "{before:?}");
    let output = Command::new(PROGRAM)
        .args(["env", "exec", "-a", "hub", "--endpoints", &etcd.endpoint])
        .args(["--", "/usr/bin/env"])
        .env_clear()
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 50, "{text}");
    assert_eq!(requests(&etcd), before.map(|count| count + 1));
}
