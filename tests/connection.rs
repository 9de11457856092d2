//! Where the cluster is, by flags and fleetctl's variables.

use unitgen::commands::connection::Connection;
use unitgen::settings::{EtcdSettings, FleetSettings, Settings};

use crate::fleet_server::FleetServer;

fn settings(fleet: FleetSettings) -> Settings {
    Settings {
        files: Vec::new(),
        colored_results: false,
        colored_messages: false,
        width: 100,
        application: None,
        search_path: None,
        etcd: EtcdSettings::default(),
        author: String::new(),
        editor: None,
        fleet,
        interactive: false,
        has_terminal: false,
        now: 0,
    }
}

#[test]
fn the_first_endpoint_counts_and_a_flag_goes_first() {
    let case = |flag: Option<&str>, variable: Option<&str>, expected: &str| {
        let connection = Connection {
            endpoint: flag.map(str::to_owned),
            ..Connection::default()
        };
        let given = settings(FleetSettings {
            endpoint: variable.map(str::to_owned),
            ..FleetSettings::default()
        });
        assert_eq!(connection.fleet(&given).unwrap().server(), expected);
    };
    case(None, None, "`unix:///var/run/fleet.sock`");
    case(None, Some("http://a:1,http://b:2"), "`http://a:1`");
    case(Some("http://c:3"), Some("http://a:1"), "`http://c:3`");
    let server = FleetServer::start();
    let given = settings(FleetSettings {
        endpoint: Some(server.endpoint().to_owned()),
        ..FleetSettings::default()
    });
    let mut fleet = Connection::default().fleet(&given).unwrap();
    assert!(fleet.units().unwrap().is_empty());
}

#[test]
fn a_tunnel_has_its_user_by_its_own_word_or_by_another() {
    let case = |tunnel: &str, user: Option<&str>, expected: &str| {
        let given = settings(FleetSettings {
            endpoint: Some("http://a:1".to_owned()),
            tunnel: Some(tunnel.to_owned()),
            ssh_username: user.map(str::to_owned),
            strict_host_key_checking: Some("false".to_owned()),
            ssh_timeout: Some("2.5".to_owned()),
            ..FleetSettings::default()
        });
        let fleet = Connection::default().fleet(&given).unwrap();
        assert_eq!(fleet.server(), expected);
    };
    case("host", None, "`http://a:1` by way of `host`");
    case(
        "host:2222",
        Some("core"),
        "`http://a:1` by way of `core@host:2222`",
    );
    case("me@host", Some("core"), "`http://a:1` by way of `me@host`");
}

#[test]
fn what_is_wrong_or_not_supported_is_said() {
    #[track_caller]
    fn case(fleet: FleetSettings, message: &str) {
        let error = Connection::default().fleet(&settings(fleet)).err().unwrap();
        assert_eq!((error.message.as_str(), error.status.code()), (message, 2));
    }
    let none = FleetSettings::default;
    case(
        FleetSettings {
            driver: Some("etcd".to_owned()),
            ..none()
        },
        "FLEETCTL_DRIVER is `etcd`, and unitgen speaks with fleet's API only",
    );
    case(
        FleetSettings {
            endpoint: Some("https://a".to_owned()),
            ..none()
        },
        "the endpoint `https://a` asks for TLS, which unitgen doesn't speak",
    );
    case(
        FleetSettings {
            endpoint: Some("127.0.0.1:49153".to_owned()),
            ..none()
        },
        "the endpoint `127.0.0.1:49153` has no scheme",
    );
    case(
        FleetSettings {
            tunnel: Some("-oProxyCommand=x".to_owned()),
            ..none()
        },
        "`-oProxyCommand=x` is no host for a tunnel",
    );
    for odd in ["0", "-1", "x", "NaN", "1e9"] {
        case(
            FleetSettings {
                request_timeout: Some(odd.to_owned()),
                ..none()
            },
            &format!("--request-timeout is `{odd}`, which is no time in seconds"),
        );
    }
    case(
        FleetSettings {
            tunnel: Some("a".to_owned()),
            strict_host_key_checking: Some("maybe".to_owned()),
            ..none()
        },
        "FLEETCTL_STRICT_HOST_KEY_CHECKING is `maybe`, which is neither true nor false",
    );
}
