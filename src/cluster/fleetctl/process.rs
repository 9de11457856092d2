//! A process that ends in time, with what it started, and leaves no files behind.
//!
//! In: a command that is ready to run, its input, a limit. Out: how it ended and what it said. A small
//! shell beside it watches a pipe from here: when that closes, be it that time is up or that this very
//! process was killed, the shell ends the other one and removes its folder. Knows nothing of what is
//! run.
#![expect(
    clippy::disallowed_methods,
    reason = "this is a part of the door to fleetctl, which is a process and needs a clock"
)]

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::cluster::fleetctl::End;
use crate::error::CommandError;

/// How often it is looked whether a process has ended.
const LOOK: Duration = Duration::from_millis(5);

/// How long after a process its outputs may stay open: one that it left behind may hold them.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How long it may take to see the end of what was killed.
const BURIAL: Duration = Duration::from_secs(1);

/// Ends what the first line of its input names, after a grace of two seconds by force, and removes a
/// folder, as soon as the input ends. Before that it can be told that all is over, or to end the rest
/// of a group and leave the folder to others. A group's number has a minus before it, and not every
/// shell's `kill` takes `--`.
const WATCH: &str = r#"
trap '' HUP INT QUIT TERM
read -r target || target=
read -r word || word=
[ "$word" != over ] || exit
if [ -n "$target" ]; then
    kill -TERM "$target"
    left=20
    while [ "$left" -gt 0 ] && kill -0 "$target"; do
        sleep 0.1 || sleep 1
        left=$((left - 1))
    done
    kill -KILL "$target"
fi
[ "$word" = rest ] || [ -z "$1" ] || rm -rf "$1"
"#;

/// Where a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// In a group of its own, which ends with it, but can't read from the terminal.
    OwnGroup,
    /// In this process's own group, so that it can ask on the terminal.
    Foreground,
}

/// A running process and the shell that watches over it. It ends when this is dropped.
pub(super) struct Group {
    process: Child,
    kind: Kind,
    watcher: Child,
    /// Closing it ends the process.
    line: Option<ChildStdin>,
    input: Option<ChildStdin>,
    stdout: Output,
    stderr: Output,
}

/// What came of a process.
pub(super) struct Ended {
    pub(super) end: End,
    pub(super) stdout: Kept,
    pub(super) stderr: Kept,
}

/// Why there is no process.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is no shell to watch over it.
    NoShell(io::Error),
    /// It can't be started.
    NotStarted(io::Error),
}

/// An output, as it is read by a thread of its own.
struct Output {
    kept: Arc<Mutex<Kept>>,
    reader: JoinHandle<()>,
}

/// What is kept of an output: where it is too much, half of that from its beginning, half from its end.
pub(super) struct Kept {
    maximum: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out: usize,
}

impl Failure {
    /// Returns it in terms of the program.
    pub(super) fn explained(self, program: &str) -> CommandError {
        match self {
            Self::NoShell(error) => CommandError::trouble("can't start `sh`").because(error),
            Self::NotStarted(error) => {
                let help = match error.kind() {
                    io::ErrorKind::NotFound => Some(
                        "install it or add its folder to `PATH`; where only another host has \
                         fleetctl, call it there: `ssh core@host fleetctl`",
                    ),
                    io::ErrorKind::PermissionDenied => Some("make it executable"),
                    _ => None,
                };
                let failure =
                    CommandError::trouble(format!("can't start `{program}`")).because(error);
                match help {
                    Some(help) => failure.help(help),
                    None => failure,
                }
            }
        }
    }
}

impl Group {
    /// Starts a process, whose folder goes with it. It has an input only where it is to get one, and this
    /// much is kept of each of its outputs.
    pub(super) fn start(
        mut command: Command,
        kind: Kind,
        folder: Option<&Path>,
        has_input: bool,
        kept: usize,
    ) -> Result<Self, Failure> {
        let mut watcher = Command::new("sh")
            .args(["-c", WATCH, "sh"])
            .arg(folder.unwrap_or(Path::new("")))
            // What the terminal sends to this process's group is not for it.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(Failure::NoShell)?;
        let mut line = watcher.stdin.take();
        match kind {
            Kind::OwnGroup => {
                command.process_group(0);
            }
            Kind::Foreground => command = deaf(&command),
        }
        let started = command
            .stdin(if has_input {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut process = match started {
            Ok(process) => process,
            Err(error) => {
                drop(line);
                // It has nothing to end.
                let _ = watcher.wait();
                return Err(Failure::NotStarted(error));
            }
        };
        let sign = match kind {
            Kind::OwnGroup => "-",
            Kind::Foreground => "",
        };
        let target = format!("{sign}{}\n", process.id());
        if let Some(line) = &mut line {
            // A shell that is gone can't be told anything; the limit holds without it.
            let _ = line.write_all(target.as_bytes());
        }
        Ok(Self {
            input: process.stdin.take(),
            stdout: Output::read(process.stdout.take(), kept),
            stderr: Output::read(process.stderr.take(), kept),
            process,
            kind,
            watcher,
            line,
        })
    }

    /// Gives the process its input, and waits until it has ended or has to be ended.
    pub(super) fn finish(mut self, input: &str, limit: Duration) -> io::Result<Ended> {
        if let Some(mut stream) = self.input.take() {
            let input = input.to_owned();
            // One that does not read its input must not hold this one up, and may have its reasons.
            thread::spawn(move || stream.write_all(input.as_bytes()));
        }
        let status = self.wait(limit)?;
        let end = if let Some(status) = status {
            end_of(status)
        } else {
            self.kill()?;
            End::TimedOut(limit)
        };
        // What has been buried may have lent its number to another one, but for a group that is left.
        let is_over = self.stdout.ends() & self.stderr.ends() || self.kind == Kind::Foreground;
        if let Some(mut line) = self.line.take() {
            let word: &[u8] = if is_over { b"over\n" } else { b"rest\n" };
            // A shell that is gone can't be told anything.
            let _ = line.write_all(word);
        }
        self.watcher.wait()?;
        Ok(Ended {
            end,
            stdout: self.stdout.kept(),
            stderr: self.stderr.kept(),
        })
    }

    /// Returns the status, or nothing where the time is up before.
    fn wait(&mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait()? {
                return Ok(Some(status));
            }
            if start.elapsed() >= limit {
                return Ok(None);
            }
            thread::sleep(LOOK);
        }
    }

    fn kill(&mut self) -> io::Result<()> {
        self.line = None;
        // The process is looked after meanwhile: one that nobody has seen end counts as running.
        while self.watcher.try_wait()?.is_none() {
            self.process.try_wait()?;
            thread::sleep(LOOK);
        }
        // In case that there was no shell any more. What has ended already needs no end.
        let _ = self.process.kill();
        self.wait(BURIAL)?;
        Ok(())
    }
}

/// Returns the same command, which does not heed the terminal's Ctrl-C: what it is at is brought to its
/// end, and whoever started it heeds the wish for one.
fn deaf(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' INT; exec \"$@\"", "sh"]);
    shell.arg(command.get_program()).args(command.get_args());
    shell
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.line.is_some() {
            // What has ended already needs no end.
            let _ = self.kill();
        }
    }
}

impl Output {
    fn read(stream: Option<impl Read + Send + 'static>, maximum: usize) -> Self {
        let kept = Arc::new(Mutex::new(Kept::new(maximum)));
        let shared = Arc::clone(&kept);
        let reader = thread::spawn(move || {
            let Some(mut stream) = stream else { return };
            let mut buffer = vec![0; 1 << 16];
            loop {
                match stream.read(&mut buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    // What can't be read was not said.
                    Ok(0) | Err(_) => return,
                    Ok(length) => lock(&shared).add(&buffer[..length]),
                }
            }
        });
        Self { kept, reader }
    }

    /// Tells whether it comes to its end soon.
    fn ends(&self) -> bool {
        let start = Instant::now();
        while !self.reader.is_finished() {
            if start.elapsed() >= LAST_WORDS {
                return false;
            }
            thread::sleep(LOOK);
        }
        true
    }

    fn kept(&self) -> Kept {
        let mut kept = lock(&self.kept);
        // What was left behind may still speak, to nobody.
        let nothing = Kept::new(kept.maximum);
        std::mem::replace(&mut kept, nothing)
    }
}

fn lock(kept: &Mutex<Kept>) -> std::sync::MutexGuard<'_, Kept> {
    // Bytes are never half added.
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Kept {
    fn new(maximum: usize) -> Self {
        Self {
            maximum,
            head: Vec::new(),
            tail: VecDeque::new(),
            left_out: 0,
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        let half = self.maximum / 2;
        let room = half - self.head.len();
        let (head, tail) = bytes.split_at(room.min(bytes.len()));
        self.head.extend_from_slice(head);
        self.tail.extend(tail);
        let excess = self.tail.len().saturating_sub(half);
        self.tail.drain(..excess);
        self.left_out += excess;
    }

    /// Returns all of it, where nothing is left out.
    pub(super) fn whole(&self) -> Option<Vec<u8>> {
        let bytes = self.head.iter().chain(&self.tail).copied();
        (self.left_out == 0).then(|| bytes.collect())
    }

    /// Returns it for people.
    pub(super) fn text(&self) -> String {
        let mut bytes = self.head.clone();
        if self.left_out > 0 {
            let left_out = self.left_out;
            bytes.extend(format!("\n… {left_out} bytes are left out here …\n").bytes());
        }
        bytes.extend(&self.tail);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn end_of(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exit(code),
        (None, Some(signal)) => End::Signal(signal),
        // Neither stopped nor continued processes have ended.
        (None, None) => End::Exit(status.into_raw()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_and_the_end_of_an_output_are_kept() {
        let half = 1000;
        let mut kept = Kept::new(2 * half);
        kept.add(b"ab");
        assert_eq!(kept.text(), "ab");
        kept.add(&vec![b'c'; half]);
        kept.add(&vec![b'd'; half - 2]);
        assert_eq!(kept.text().len(), 2 * half);
        assert_eq!(kept.whole().unwrap(), kept.text().into_bytes());
        kept.add(b"xyz");
        let text = kept.text();
        let note = "\n… 3 bytes are left out here …\n";
        assert!(text.starts_with("abcc") && text.ends_with("ddxyz"));
        assert_eq!(text.find(note), Some(half));
        assert_eq!(text.len(), 2 * half + note.len());
        assert_eq!(kept.whole(), None);
    }
}
