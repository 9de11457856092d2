//! The client by way of ssh: a real sshd on a port of its own, with keys of its own.
//!
//! `./tests/run` puts `ssh` and `sshd` on the path.

use std::fs::Permissions;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use unitgen::cluster::fleet::Fleet;
use unitgen::cluster::fleetctl::words::Remark;
use unitgen::cluster::fleetctl::{End, Fleetctl, GlobalFlags};
use unitgen::error::CommandError;
use unitgen::http::address::{Address, Tunnel};
use unitgen::http::{Client, Limits};
use unitgen::plan::script::Existing;
use unitgen::state::{RegistryName, State};
use unitgen::store::endpoint::Endpoint;
use unitgen::store::{self, Access, Store, Tls};
use unitgen::unit::fleet::FleetUnit;

use crate::etcd::Etcd;
use crate::fleet_server::{Fault, FleetServer};
use crate::test::Folder;

/// As root sshd wants a user and a folder of the system's; as nobody it wants neither.
const NOBODY: u32 = 65_534;

/// An sshd that ends with the test, and an ssh that knows it as `far`.
struct Ssh {
    process: Child,
    folder: Folder,
}

impl Drop for Ssh {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns where a program is: sshd wants to be called by its whole path.
fn program(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(name));
    let mut found = found.filter(|path| path.is_file());
    found
        .next()
        .unwrap_or_else(|| panic!("there is no `{name}`: run `./tests/run`"))
}

impl Ssh {
    fn start() -> Self {
        let folder = Folder::new();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let path = |name: &str| folder.path(name).display().to_string();
        for name in ["host", "key"] {
            let mut command = Command::new("ssh-keygen");
            let arguments = ["-q", "-t", "ed25519", "-N", "", "-f", &path(name)];
            assert!(command.args(arguments).status().unwrap().success());
        }
        let is_root = fs::metadata(folder.path("host")).unwrap().uid() == 0;
        if is_root {
            fs::set_permissions(folder.path(""), Permissions::from_mode(0o755)).unwrap();
            chown(folder.path("host"), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
             StrictModes no\nUsePAM yes\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\n",
            path("host"),
            path("key.pub")
        );
        folder.write("sshd_config", config);
        let sshd = program("sshd");
        let mut command = if is_root {
            let mut command = Command::new("setpriv");
            let id = NOBODY.to_string();
            command
                .args(["--reuid", &id, "--regid", &id, "--clear-groups"])
                .arg(sshd);
            command
        } else {
            Command::new(sshd)
        };
        let process = command
            .args(["-D", "-e", "-f", &path("sshd_config")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.path("log")).unwrap())
            .spawn()
            .unwrap();
        let user = if is_root {
            "nobody".to_owned()
        } else {
            let output = Command::new("id").arg("-un").output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let key = fs::read_to_string(folder.path("host.pub")).unwrap();
        folder.write("known_hosts", format!("[127.0.0.1]:{port} {key}"));
        folder.write(
            "config",
            format!(
                "Host far\nHostName 127.0.0.1\nPort {port}\nUser {user}\nIdentityFile {}\n\
                 IdentitiesOnly yes\nUserKnownHostsFile {}\nControlMaster auto\nControlPath {}\n",
                path("key"),
                path("known_hosts"),
                path("shared")
            ),
        );
        let ssh = program("ssh").display().to_string();
        folder.write(
            "ssh",
            format!("#!/bin/sh\nexec {ssh} -F {} \"$@\"\n", path("config")),
        );
        fs::set_permissions(folder.path("ssh"), Permissions::from_mode(0o755)).unwrap();
        let ssh = Self { process, folder };
        let patience = Instant::now() + Duration::from_secs(30);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let log = ssh.folder.read("log");
            assert!(Instant::now() < patience, "sshd does not start: {log}");
            thread::sleep(Duration::from_millis(20));
        }
        ssh
    }

    fn tunnel(&self, to: &str) -> Tunnel {
        Tunnel {
            program: self.folder.path("ssh"),
            ..Tunnel::parse(to).unwrap()
        }
    }

    fn fleet(&self, endpoint: &str) -> Fleet {
        fleet(endpoint, self.tunnel("far"))
    }
}

fn fleet(endpoint: &str, tunnel: Tunnel) -> Fleet {
    let address = Address::parse(endpoint).unwrap();
    Fleet::new(Client::new(address, Some(tunnel), Limits::default()))
}

#[test]
fn a_port_and_a_socket_are_reached() {
    let ssh = Ssh::start();
    let on_socket = FleetServer::start_on_socket();
    // sshd has another user's rights, where the tests run as root.
    let folder = on_socket.socket().parent().unwrap();
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(on_socket.socket(), Permissions::from_mode(0o777)).unwrap();
    for server in [FleetServer::start(), on_socket] {
        let mut fleet = ssh.fleet(server.endpoint());
        let name = RegistryName::seen("a.service");
        let unit = FleetUnit::parse("[Service]\nExecStart=/bin/true\n").unwrap();
        fleet.put(&name, &unit, State::Launched).unwrap();
        assert_eq!(fleet.observe().unwrap().states[&name].len(), 1);
        assert_eq!(server.connections(), 1);
        // A connection that was closed is made anew through the same tunnel, or another.
        server.fault(1, Fault::CloseAfter);
        fleet.units().unwrap();
        fleet.units().unwrap();
        assert_eq!(server.connections(), 2);
    }
    assert!(
        !ssh.folder.path("shared").exists(),
        "a connection was shared"
    );
}

#[test]
fn etcd_is_reached() {
    let ssh = Ssh::start();
    let etcd = Etcd::start();
    etcd.set("/far", "1");
    let store = |endpoint: &str, to: &str| {
        let endpoints = vec![Endpoint::parse(endpoint, false).unwrap()];
        Store::new(Access {
            endpoints,
            tls: Tls::default(),
            login: None,
            tunnel: Some(ssh.tunnel(to)),
            limits: store::Limits::default(),
        })
        .unwrap()
    };
    let far = store(&etcd.endpoint, "far");
    assert_eq!(far.get("/far").unwrap().unwrap().value, b"1");
    let shown = format!("can't reach etcd at `{}` by way of `far`", etcd.endpoint);
    drop(etcd);
    let error = far.get("/far").unwrap_err();
    assert_eq!(error.message, shown);
    let error = store("http://127.0.0.1:1", "nowhere")
        .get("/far")
        .unwrap_err();
    assert_eq!(
        error.causes(),
        ["ssh: ssh: Could not resolve hostname nowhere: Name or service not known"]
    );
}

#[test]
fn fleetctl_is_called_at_the_far_end() {
    let ssh = Ssh::start();
    let name = RegistryName::seen(r"a\x2d@.service");
    let units = [(&name, "[Service]\n")];
    let call = |host: &str, program: &str| {
        let ssh = ssh.folder.path("ssh").display().to_string();
        let fleetctl = Fleetctl {
            // Of what is on every host, this tells best what it was called with.
            command: vec![ssh, host.to_owned(), program.to_owned()],
            flags: GlobalFlags {
                endpoint: Some("http://it's:1".to_owned()),
                ..GlobalFlags::default()
            },
            time_limit: Duration::from_secs(60),
            interactive: false,
        };
        fleetctl.submit(&units, Existing::Replace).unwrap()
    };
    let outcome = call("nowhere.invalid", "echo");
    assert_eq!(outcome.end, End::Exit(255));
    let [Remark::Ssh(reason)] = &outcome.remarks()[..] else {
        panic!("{outcome:?}");
    };
    assert!(reason.contains("Could not resolve hostname"), "{reason}");
    let outcome = call("far", "echo");
    if outcome
        .stdout
        .contains("This account is currently not available")
    {
        // Nobody, as whom root runs sshd, has no shell.
        return;
    }
    assert_eq!(outcome.end, End::Exit(0), "{outcome:?}");
    let start = "--endpoint=http://it's:1 submit --replace /";
    assert!(outcome.stdout.starts_with(start), "{}", outcome.stdout);
    let file = outcome.stdout.trim_end().rsplit(' ').next().unwrap();
    assert!(file.ends_with(r"/a\x2d@.service"), "{file}");
    assert!(!PathBuf::from(file).parent().unwrap().exists());
    let outcome = call("far", "no-such-program");
    let error = "error: there is no `no-such-program` here\n";
    assert_eq!(outcome.end, End::Exit(127));
    assert!(outcome.stderr.ends_with(error), "{}", outcome.stderr);
}

#[track_caller]
fn says<T>(result: Result<T, CommandError>, reason: &str) {
    let error = result.err().expect("an error");
    assert_eq!(error.status.code(), 3);
    let text = error.text();
    assert!(text.contains(reason), "{text}");
}

#[test]
fn what_ssh_says_is_said() {
    let ssh = Ssh::start();
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let endpoint = format!("http://{closed}");
    says(
        ssh.fleet(&endpoint).units(),
        "ssh: channel 0: open failed: connect failed: Connection refused",
    );
    says(
        ssh.fleet("unix:///nonexistent/fleet.sock").units(),
        "open failed: connect failed: open failed",
    );
    says(
        fleet(&endpoint, ssh.tunnel("stranger@far")).units(),
        "Permission denied (publickey",
    );
    let server = FleetServer::start();
    for endpoint in [server.endpoint(), "unix:///nonexistent/fleet.sock"] {
        // The name is of nobody, the port of nobody's, and the program is none.
        says(
            fleet(endpoint, ssh.tunnel("nowhere.invalid")).units(),
            "Could not resolve hostname",
        );
        let port = closed.port();
        let refused = ssh.tunnel(&format!("127.0.0.1:{port}"));
        says(fleet(endpoint, refused).units(), "Connection refused");
        let known = Tunnel {
            known_hosts: Some("/dev/null".to_owned()),
            ..ssh.tunnel("far")
        };
        says(
            fleet(endpoint, known).units(),
            "Host key verification failed",
        );
    }
    let none = Tunnel {
        program: ssh.folder.path("no-such-ssh"),
        ..ssh.tunnel("far")
    };
    says(
        fleet(server.endpoint(), none).units(),
        "can't start `ssh`: No such file or directory",
    );
    assert!(server.requests().is_empty());
    let lax = Tunnel {
        known_hosts: Some("/dev/null".to_owned()),
        strict_host_keys: Some(false),
        ..ssh.tunnel("far")
    };
    assert!(fleet(server.endpoint(), lax).units().unwrap().is_empty());
}
