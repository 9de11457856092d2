//! What an instance itself answers counts where the manifest says where it is asked.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::deploy_run::{Scene, Told, at_once};

/// An instance's server on a machine of the test's fleet.
struct Server {
    port: u16,
    /// The status that it answers; it hangs up where that is 0.
    status: Arc<AtomicU16>,
    asked: Arc<AtomicUsize>,
}

impl Server {
    fn start(machine: &str, status: u16) -> Self {
        let listener = TcpListener::bind((machine, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let status = Arc::new(AtomicU16::new(status));
        let asked = Arc::new(AtomicUsize::new(0));
        let (its, count) = (Arc::clone(&status), Arc::clone(&asked));
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                count.fetch_add(1, Ordering::SeqCst);
                answer(stream, its.load(Ordering::SeqCst));
            }
        });
        Self {
            port,
            status,
            asked,
        }
    }
}

fn answer(mut stream: TcpStream, status: u16) {
    let mut request = [0; 1024];
    let length = stream.read(&mut request).unwrap_or_default();
    let request = String::from_utf8_lossy(&request[..length]).into_owned();
    if status == 0 {
        return;
    }
    let status = if request.starts_with("GET /health ") {
        status
    } else {
        404
    };
    let text = format!("HTTP/1.1 {status} Some\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(text.as_bytes());
}

/// Returns a manifest of an app that is asked on the port that its slot says.
fn manifest(port: u16) -> String {
    format!(
        "apps:\n  hub: {{exec: [/bin/hub], port: slot, instances: [{port}], deploy: {{ready_secs: 0, health: \"http://{{machine}}:{{port}}/health\"}}}}\n"
    )
}

/// Puts a word in the place of a port.
fn run(scene: &Scene, port: u16, arguments: &str) -> Told {
    let mut told = scene.run(arguments);
    for text in [&mut told.stdout, &mut told.stderr] {
        *text = text.replace(&port.to_string(), "PORT");
    }
    told
}

#[test]
fn an_instance_is_up_when_it_answers_well() {
    let server = Server::start("127.0.0.11", 503);
    let scene = Scene::new(&manifest(server.port));
    run(&scene, server.port, "deploy --timeout 1s").is(
        4,
        "\
created    hub-http@.service  services.yaml:2:3
hub/http  1 instance, 0 alive at least, 1 at most; each up for 0 s within 1 s
failed     hub-http@PORT.service  to start
  hub-http@PORT.service: after T it is not up: http://127.0.0.11:PORT/health answers 503
  fleet: told launched, is launched
  systemd: active/running on aaaa0001
  `fleetctl journal hub-http@PORT.service` shows what it said
hub/http: 1 failed
deploy: not done, after T; another run goes on from here
",
        "stopped: the rest is left as it is\n",
    );
    // It is up, and answers badly: what another run waits for.
    let status = Arc::clone(&server.status);
    let asked = Arc::clone(&server.asked);
    let before = asked.load(Ordering::SeqCst);
    let mend = thread::spawn(move || {
        while asked.load(Ordering::SeqCst) < before + 2 {
            thread::sleep(Duration::from_millis(10));
        }
        status.store(204, Ordering::SeqCst);
    });
    scene.manifest(&manifest(server.port).replace("/bin/hub", "/bin/hub, again"));
    run(&scene, server.port, "deploy").is(
        0,
        "\
replaced   hub-http@.service  services.yaml:2:3
hub/http  1 instance, 0 alive at least, 1 at most; each up for 0 s within 25 min
replaced   hub-http@PORT.service  on aaaa0001  T
hub/http: 1 replaced
deploy: done in T
",
        "",
    );
    mend.join().unwrap();
}

#[test]
fn an_instance_that_does_not_answer_is_not_up() {
    at_once(&[hangs_up, is_not_there]);
}

fn hangs_up() {
    let server = Server::start("127.0.0.11", 0);
    let scene = Scene::new(&manifest(server.port));
    run(&scene, server.port, "deploy --timeout 1s").is(4, "\
created    hub-http@.service  services.yaml:2:3
hub/http  1 instance, 0 alive at least, 1 at most; each up for 0 s within 1 s
failed     hub-http@PORT.service  to start
  hub-http@PORT.service: after T it is not up: http://127.0.0.11:PORT/health: `GET /health` at `http://127.0.0.11:PORT`: the connection was closed without an answer
  fleet: told launched, is launched
  systemd: active/running on aaaa0001
  `fleetctl journal hub-http@PORT.service` shows what it said
hub/http: 1 failed
deploy: not done, after T; another run goes on from here
", "stopped: the rest is left as it is\n");
}

fn is_not_there() {
    let listener = TcpListener::bind("127.0.0.11:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let scene = Scene::new(&manifest(port));
    run(&scene, port, "deploy --timeout 1s").is(4, "\
created    hub-http@.service  services.yaml:2:3
hub/http  1 instance, 0 alive at least, 1 at most; each up for 0 s within 1 s
failed     hub-http@PORT.service  to start
  hub-http@PORT.service: after T it is not up: http://127.0.0.11:PORT/health: `GET /health` at `http://127.0.0.11:PORT`: connection refused
  fleet: told launched, is launched
  systemd: active/running on aaaa0001
  `fleetctl journal hub-http@PORT.service` shows what it said
hub/http: 1 failed
deploy: not done, after T; another run goes on from here
", "stopped: the rest is left as it is\n");
}
