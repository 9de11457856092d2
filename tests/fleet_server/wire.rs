//! The sockets: HTTP/1.1 over TCP and unix sockets, a thread for each connection, with the faults that
//! were ordered.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::fleet_server::answers::{Answer, Asked, error, respond};
use crate::fleet_server::registry::Kind;
use crate::fleet_server::{Fault, Pace, Shared};

/// Ends the thread that accepts connections.
pub(super) type Closing = Box<dyn Fn() + Send>;

pub(super) fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    // A test that failed meanwhile has said so already.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the endpoint and what ends it.
pub(super) fn listen_on_port(shared: &Arc<Mutex<Shared>>) -> (String, Closing) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let accept = move || {
        let (stream, _) = listener.accept().unwrap();
        // Answers go out at once, as Go's do.
        stream.set_nodelay(true).unwrap();
        (stream.try_clone().unwrap(), stream)
    };
    let closing = serve(shared, accept, move || drop(TcpStream::connect(address)));
    (format!("http://{address}"), closing)
}

/// Returns what ends it.
pub(super) fn listen_on_socket(shared: &Arc<Mutex<Shared>>, path: &Path) -> Closing {
    let listener = UnixListener::bind(path).unwrap();
    let path = path.to_owned();
    let accept = move || {
        let (stream, _) = listener.accept().unwrap();
        (stream.try_clone().unwrap(), stream)
    };
    serve(shared, accept, move || drop(UnixStream::connect(&path)))
}

fn serve<S: Read + Write + Send + 'static>(
    shared: &Arc<Mutex<Shared>>,
    accept: impl Fn() -> (S, S) + Send + 'static,
    wake: impl Fn() + Send + 'static,
) -> Closing {
    let ended = Arc::new(AtomicBool::new(false));
    let (shared, seen) = (Arc::clone(shared), Arc::clone(&ended));
    thread::spawn(move || {
        loop {
            let (reader, writer) = accept();
            if seen.load(Ordering::SeqCst) {
                return;
            }
            let shared = Arc::clone(&shared);
            thread::spawn(move || converse(&shared, BufReader::new(reader), writer));
        }
    });
    Box::new(move || {
        ended.store(true, Ordering::SeqCst);
        wake();
    })
}

/// Answers one request after the other until either side closes.
fn converse(shared: &Mutex<Shared>, mut reader: impl BufRead, mut writer: impl Write) {
    lock(shared).connections += 1;
    while let Some(asked) = read(&mut reader) {
        let (answer, fault, kind) = decide(shared, &asked);
        let text = match (&fault, answer) {
            (Some(Fault::Silent), _) => {
                // Until the other side gives up.
                let _ = reader.read(&mut [0]);
                return;
            }
            (Some(Fault::Bytes(bytes)), _) => {
                let _ = writer.write_all(bytes);
                return;
            }
            (Some(Fault::HangUp), _) | (_, Answer::HangUp) => return,
            (_, answer) => print(&answer, kind, &asked.method),
        };
        if let Some(Fault::Slow(time)) = &fault {
            spend(shared, *time);
        }
        let delay = lock(shared).delay;
        spend(shared, delay(&asked.method));
        let end = match &fault {
            Some(Fault::CutOff(bytes)) => text.len().min(*bytes),
            _ => text.len(),
        };
        let sent = writer.write_all(&text[..end]);
        if sent.is_err()
            || asked.closes
            || matches!(fault, Some(Fault::CutOff(_) | Fault::CloseAfter))
        {
            return;
        }
    }
}

/// Lets time pass, of the kind that the server works in.
fn spend(shared: &Mutex<Shared>, time: Duration) {
    let mut shared = lock(shared);
    if matches!(shared.pace, Pace::Virtual { .. }) {
        shared.world.pass(time);
    } else {
        drop(shared);
        thread::sleep(time);
    }
}

/// Returns the answer, and the fault that is to befall it.
fn decide(shared: &Mutex<Shared>, asked: &Asked) -> (Answer, Option<Fault>, Kind) {
    let mut shared = lock(shared);
    shared
        .requests
        .push(format!("{} {}", asked.method, asked.target));
    let number = shared.requests.len();
    if shared.death.is_some_and(|death| death <= number) {
        return (Answer::HangUp, None, shared.world.kind);
    }
    let due = shared.faults.iter().position(|(at, _)| *at == number);
    let mut fault = due.map(|index| shared.faults.remove(index).1);
    let pace = shared.pace;
    shared.world.advance(pace);
    if let Some(Fault::Change(change)) = fault {
        change(&mut shared.world);
        fault = None;
    }
    let answer = match &fault {
        Some(Fault::Status(status)) => error(*status, ""),
        Some(Fault::Body(text)) => Answer::Status(200, Some(("application/json", text.clone()))),
        Some(Fault::HangUp | Fault::Silent | Fault::Bytes(_)) => Answer::HangUp,
        _ => respond(&mut shared.world, asked),
    };
    shared.world.advance(pace);
    (answer, fault, shared.world.kind)
}

fn print(answer: &Answer, kind: Kind, method: &str) -> Vec<u8> {
    let Answer::Status(status, body) = answer else {
        return Vec::new();
    };
    let reason = match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        415 => "Unsupported Media Type",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Other",
    };
    let server = match kind {
        Kind::Current => "fleetd/v1.0.0-15-g45224983",
        Kind::Old => "fleetd/0.11.8",
    };
    let mut text = format!("HTTP/1.1 {status} {reason}\r\nServer: {server}\r\n");
    match body {
        Some((content_type, body)) => {
            let length = body.len();
            text.push_str(&format!(
                "Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
            ));
            if method != "HEAD" {
                text.push_str(body);
            }
        }
        None if *status == 204 => text.push_str("\r\n"),
        None => text.push_str("Content-Length: 0\r\n\r\n"),
    }
    text.into_bytes()
}

/// Reads a request; none where the other side closed.
fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = || {
        let mut line = String::new();
        let length = reader.read_line(&mut line).ok()?;
        (length > 0).then(|| line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, target) = (words.next()?, words.next()?);
    let mut content_types = Vec::new();
    let mut length = 0;
    let mut closes = false;
    loop {
        let header = line()?;
        let Some((name, value)) = header.split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-type" => content_types.push(value.trim().to_owned()),
            "connection" => closes = value.trim() == "close",
            "content-length" => length = value.trim().parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        method,
        target,
        content_types,
        closes,
        body,
    })
}
