//! Real etcds for tests: on free ports of their own, in memory, gone with the tests.
//!
//! `./tests/run` puts `etcd`, `etcdctl` and `openssl` on the path.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Ends etcd and removes its files when the process that started it is gone, however that ended.
const LEASH: &str = "exec 3<&0 0</dev/null; \
    (read -r _ <&3 || { kill -9 $$; rm -rf \"$0\"; }) & exec 3<&- etcd \"$@\"";

/// An etcd that ends with the test.
pub(crate) struct Etcd {
    process: Child,
    arguments: Vec<String>,
    /// Where it answers clients.
    pub(crate) endpoint: String,
    /// What etcdctl needs besides.
    options: Vec<String>,
    folder: TempDir,
}

/// Certificates: of an authority, and of a server and a client that it vouches for.
pub(crate) struct Certificates {
    folder: TempDir,
}

impl Drop for Etcd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Returns a command of a program that `./tests/run` provides.
fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    let path = std::env::var_os("PATH").unwrap_or_default();
    command
        .env_clear()
        .env("PATH", path)
        .env("ETCDCTL_API", "3")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Returns a port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Makes a folder in memory, where there is such a place.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = TempDir::with_prefix_in("unitgen-etcd-", memory);
    folder.unwrap_or_else(|_| TempDir::with_prefix("unitgen-etcd-").unwrap())
}

/// Returns an etcd that many tests share, each with apps of its own.
pub(crate) fn shared() -> &'static Etcd {
    static SHARED: OnceLock<Etcd> = OnceLock::new();
    SHARED.get_or_init(Etcd::start)
}

/// Starts members of one cluster.
pub(crate) fn cluster<const COUNT: usize>() -> [Etcd; COUNT] {
    let peers: [String; COUNT] =
        std::array::from_fn(|_| format!("http://127.0.0.1:{}", free_port()));
    let named = peers.iter().enumerate();
    let all: Vec<String> = named.map(|(at, peer)| format!("m{at}={peer}")).collect();
    let members = peers.clone().map(|peer| {
        let name = all.iter().find(|one| one.ends_with(&peer)).unwrap();
        let name = name.split('=').next().unwrap();
        let flags = ["--heartbeat-interval", "50", "--election-timeout", "500"];
        Etcd::launch("http", name, &peer, &all.join(","), &flags, Vec::new())
    });
    members.iter().for_each(Etcd::wait);
    members
}

impl Etcd {
    /// Starts one that speaks plainly.
    pub(crate) fn start() -> Self {
        Self::with("http", &[], Vec::new())
    }

    /// Starts one that serves the API of version 2, too.
    pub(crate) fn with_version_2() -> Self {
        Self::with("http", &["--enable-v2"], Vec::new())
    }

    /// Starts one that speaks TLS only, with clients that have a certificate.
    pub(crate) fn with_tls(certificates: &Certificates) -> Self {
        let path = |name: &str| certificates.path(name);
        let (authority, server, key) = (
            path("authority.pem"),
            path("server.pem"),
            path("server.key"),
        );
        let flags = [
            ["--trusted-ca-file", &authority],
            ["--cert-file", &server],
            ["--key-file", &key],
        ]
        .concat();
        let options = [
            ["--cacert".to_owned(), path("authority.pem")],
            ["--cert".to_owned(), path("client.pem")],
            ["--key".to_owned(), path("client.key")],
        ]
        .concat();
        let flags = [flags, vec!["--client-cert-auth"]].concat();
        Self::with("https", &flags, options)
    }

    /// Starts one with flags of its own.
    pub(crate) fn with(scheme: &str, flags: &[&str], options: Vec<String>) -> Self {
        let peer = format!("http://127.0.0.1:{}", free_port());
        let etcd = Self::launch(scheme, "m0", &peer, &format!("m0={peer}"), flags, options);
        etcd.wait();
        etcd
    }

    fn launch(
        scheme: &str,
        name: &str,
        peer: &str,
        all: &str,
        flags: &[&str],
        options: Vec<String>,
    ) -> Self {
        let folder = folder();
        let data = folder.path().join("data").display().to_string();
        let endpoint = format!("{scheme}://127.0.0.1:{}", free_port());
        let mut arguments = [
            ["--name", name],
            ["--data-dir", &data],
            ["--listen-client-urls", &endpoint],
            ["--advertise-client-urls", &endpoint],
            ["--listen-peer-urls", peer],
            ["--initial-advertise-peer-urls", peer],
            ["--initial-cluster", all],
        ]
        .concat();
        arguments.extend(flags);
        let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        Self {
            process: leashed(folder.path(), &arguments),
            arguments,
            endpoint,
            options,
            folder,
        }
    }

    /// Waits until it answers.
    pub(crate) fn wait(&self) {
        let patience = Instant::now() + Duration::from_secs(60);
        while !self.control(&["endpoint", "health"], "") {
            assert!(Instant::now() < patience, "etcd does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends it at once, as a power cut would.
    pub(crate) fn stop(&mut self) {
        // Whoever says a word to its holder ends it himself, and keeps the files.
        let _ = self
            .process
            .stdin
            .take()
            .map(|mut holder| holder.write_all(b"\n"));
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts it again, with all that it had.
    pub(crate) fn start_again(&mut self) {
        self.process = leashed(self.folder.path(), &self.arguments);
        self.wait();
    }

    /// Keeps it from doing anything, with all its connections open.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(status.unwrap().success());
    }

    /// Returns an etcdctl for it.
    pub(crate) fn etcdctl(&self, arguments: &[&str]) -> Command {
        let mut command = program("etcdctl");
        command
            .args(["--endpoints", &self.endpoint])
            .args(&self.options)
            .args(arguments);
        command
    }

    /// Runs etcdctl and tells whether it succeeded.
    pub(crate) fn control(&self, arguments: &[&str], stdin: impl AsRef<[u8]>) -> bool {
        let output = self.output(arguments, stdin.as_ref());
        output.status.success()
    }

    fn output(&self, arguments: &[&str], stdin: &[u8]) -> Output {
        let mut child = self
            .etcdctl(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("etcdctl: {error}: run `./tests/run`"));
        // One that fails at once does not read.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        child.wait_with_output().unwrap()
    }

    /// Writes a key, whatever its value.
    pub(crate) fn put(&self, key: &str) {
        self.set(key, "secret");
    }

    /// Writes a key.
    pub(crate) fn set(&self, key: &str, value: impl AsRef<[u8]>) {
        // Of an empty standard input etcdctl makes no value.
        let words = ["put", key, ""];
        let is_empty = value.as_ref().is_empty();
        let words = if is_empty { &words[..] } else { &words[..2] };
        assert!(self.control(words, value), "{key}");
    }

    /// Returns a key's value.
    pub(crate) fn get(&self, key: &str) -> Option<Vec<u8>> {
        let output = self.output(&["get", "--print-value-only", key], b"");
        assert!(output.status.success(), "{key}");
        output.stdout.strip_suffix(b"\n").map(<[u8]>::to_vec)
    }

    /// Returns all keys that begin with a prefix.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        let output = self.output(&["get", "--prefix", "--keys-only", prefix], b"");
        assert!(output.status.success(), "{prefix}");
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect()
    }
}

fn leashed(folder: &Path, arguments: &[String]) -> Child {
    program("sh")
        .args(["-c", LEASH])
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("etcd: {error}: run `./tests/run`"))
}

impl Certificates {
    /// Makes them.
    pub(crate) fn new() -> Self {
        let certificates = Self { folder: folder() };
        let request = |name: &str, issued: &[&str]| {
            let (key, certificate) = (format!("{name}.key"), format!("{name}.pem"));
            let mut arguments = vec!["req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"];
            arguments.extend(["-pkeyopt", "ec_paramgen_curve:prime256v1"]);
            arguments.extend([
                "-subj",
                "/CN=unitgen",
                "-keyout",
                &key,
                "-out",
                &certificate,
            ]);
            arguments.extend(issued);
            let status = program("openssl")
                .args(arguments)
                .current_dir(certificates.folder.path())
                .status();
            let status = status.unwrap_or_else(|error| panic!("openssl: {error}"));
            assert!(status.success(), "{name}");
        };
        request("authority", &[]);
        let by = ["-CA", "authority.pem", "-CAkey", "authority.key"];
        let leaf = ["-addext", "basicConstraints=critical,CA:FALSE", "-addext"];
        let server = ["subjectAltName=IP:127.0.0.1,DNS:localhost"];
        request("server", &[&by[..], &leaf, &server].concat());
        let client = ["extendedKeyUsage=clientAuth"];
        request("client", &[&by[..], &leaf, &client].concat());
        request("stranger", &[]);
        certificates
    }

    /// Returns the path of a certificate or a key.
    pub(crate) fn path(&self, name: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        assert!(fs::exists(&path).unwrap(), "{name}");
        path.display().to_string()
    }
}
