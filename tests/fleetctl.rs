//! A stand-in for fleetctl: a program of its own that does what was recorded from 1.0 and 0.11.8, its
//! lies included, and faults to order.
//!
//! It is a small shell script that runs this very binary for the one test below: the arguments are names
//! of no tests, and what the test harness says goes to a file. Where `UNITGEN_TEST_FLEET` names a live
//! cluster and there is a real fleetctl on the path, that one takes its place.

mod commands;
mod flags;
mod listing;
mod server;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, thread};

use crate::test::Folder;

/// Which fleetctl this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Release {
    /// 1.0.
    Current,
    /// 0.11.8, which replaces nothing.
    Old,
}

/// What is to go wrong in each call from now on that is to change something, or that reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does nothing and never ends, nor does a process that it started.
    Hang,
    /// As before, and neither heeds SIGTERM.
    HangDeaf,
    /// It is killed before it comes to this unit, counted from 1.
    Die(usize),
    /// It does all that it should, and ends with status 1.
    Fail,
    /// It says that it did all, and did nothing. One that reads says nothing.
    Lie,
    /// It says 2 MiB of something on each of its streams beforehand.
    Rubbish,
    /// It does all that it should, and leaves a process that keeps its streams.
    Leave,
}

/// A program on a path of its own.
pub(crate) struct Fleetctl {
    folder: Folder,
    real: Option<PathBuf>,
}

/// How many bytes of rubbish there are.
pub(crate) const RUBBISH: usize = 2 << 20;

impl Fleetctl {
    /// Makes the program.
    pub(crate) fn new(release: Release) -> Self {
        let folder = Folder::new();
        let home = folder.path("").display().to_string();
        let home = home.trim_end_matches('/');
        let program = env::current_exe().unwrap();
        let old = match release {
            Release::Current => "",
            Release::Old => "yes",
        };
        let script = format!(
            "#!/bin/sh\nexport STANDIN_FOLDER='{home}' STANDIN_OLD='{old}'\n\
             [ ! -e '{home}/deaf' ] || trap '' TERM\nexec 3>&1 4>&2 >>'{home}/log' 2>&1\n\
             exec '{}' --exact --ignored fleetctl::program -- \"$@\"\n",
            program.display()
        );
        folder.write("bin/fleetctl", script);
        let path = folder.path("bin/fleetctl");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder, real: None }
    }

    /// Returns the real one where the tests run against a live cluster, and else makes one.
    pub(crate) fn of_site() -> Self {
        let is_live = env::var_os("UNITGEN_TEST_FLEET").is_some_and(|value| !value.is_empty());
        let path = env::var_os("PATH").unwrap_or_default();
        let found = env::split_paths(&path).map(|folder| folder.join("fleetctl"));
        let real = found.filter(|_| is_live).find(|program| program.is_file());
        let mut own = Self::new(Release::Current);
        own.real = real;
        own
    }

    /// Returns where the program is.
    pub(crate) fn program(&self) -> PathBuf {
        let own = || self.folder.path("bin/fleetctl");
        self.real.clone().unwrap_or_else(own)
    }

    /// Returns a `PATH` on which it comes first.
    pub(crate) fn path(&self) -> String {
        let folder = self.program().parent().unwrap().display().to_string();
        format!("{folder}:{}", env::var("PATH").unwrap())
    }

    /// Orders a fault of what changes something.
    pub(crate) fn order(&self, fault: Fault) {
        self.order_in("fault", fault);
    }

    /// Orders a fault of what reads.
    pub(crate) fn order_reading(&self, fault: Fault) {
        self.order_in("fault-reading", fault);
    }

    fn order_in(&self, file: &str, fault: Fault) {
        let (word, number) = match fault {
            Fault::Hang | Fault::HangDeaf => ("hang", 0),
            Fault::Die(number) => ("die", number),
            Fault::Fail => ("fail", 0),
            Fault::Lie => ("lie", 0),
            Fault::Rubbish => ("rubbish", 0),
            Fault::Leave => ("leave", 0),
        };
        self.folder.write(file, format!("{word} {number}"));
        if fault == Fault::HangDeaf {
            self.folder.write("deaf", "");
        }
    }

    /// Returns the arguments of each call since this was asked last, separated by blanks.
    pub(crate) fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path("calls")).unwrap_or_default();
        self.folder.write("calls", "");
        text.lines().map(str::to_owned).collect()
    }

    /// Returns the ids of the processes that hang or were left.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let text = fs::read_to_string(self.folder.path("processes")).unwrap_or_default();
        text.lines().map(|line| line.parse().unwrap()).collect()
    }
}

impl Drop for Fleetctl {
    /// Ends what hangs, and what nobody could reach: a number may be another process's by now.
    fn drop(&mut self) {
        for id in self.processes() {
            let command = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            if command == b"sleep\x001000\0" {
                // One that has ended meanwhile needs no end.
                let _ = Command::new("kill")
                    .args(["-KILL", &id.to_string()])
                    .status();
            }
        }
    }
}

/// What a call writes to, and how it goes wrong.
struct Call {
    folder: PathBuf,
    is_old: bool,
    stdout: File,
    stderr: File,
    fault: String,
    number: usize,
    /// How many units it has come to.
    count: usize,
}

impl Call {
    fn say(&mut self, line: &str) {
        // Nobody need listen.
        let _ = self.stdout.write_all(format!("{line}\n").as_bytes());
    }

    fn complain(&mut self, line: &str) {
        let _ = self.stderr.write_all(format!("{line}\n").as_bytes());
    }

    fn lies(&self) -> bool {
        self.fault == "lie"
    }

    /// Comes to the next unit, if that is to be.
    fn next_unit(&mut self) {
        self.count += 1;
        if self.fault == "die" && self.count == self.number {
            let _ = Command::new("sh").args(["-c", "kill -KILL $PPID"]).status();
            thread::sleep(Duration::from_secs(60));
        }
    }

    fn note(&self, file: &str, line: &str) {
        let mut file = append(&self.folder.join(file));
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Starts a process that goes on, and has the streams of this one.
    #[expect(
        clippy::zombie_processes,
        reason = "this one may well end before that one"
    )]
    fn leave(&self) {
        let mut command = Command::new("sleep");
        let command = command.arg("1000");
        let command = command.stdout(self.stdout.try_clone().unwrap());
        let process = command.spawn().unwrap();
        self.note("processes", &process.id().to_string());
    }

    /// Does what is to go wrong before anything else.
    fn stumble(&mut self) {
        match self.fault.as_str() {
            "hang" => {
                self.leave();
                self.note("processes", &std::process::id().to_string());
                loop {
                    thread::sleep(Duration::from_secs(60));
                }
            }
            "leave" => self.leave(),
            "rubbish" => {
                let rubbish = "rubbish\n".repeat(RUBBISH / 8);
                // One after the other: a reader of one stream only would never see the end.
                self.stdout.write_all(rubbish.as_bytes()).unwrap();
                self.stderr.write_all(rubbish.as_bytes()).unwrap();
            }
            _ => {}
        }
    }
}

fn append(path: &Path) -> File {
    let mut options = OpenOptions::new();
    options.append(true).create(true).open(path).unwrap()
}

#[test]
#[ignore = "this is a program that other tests run"]
fn program() {
    let Some(folder) = env::var_os("STANDIN_FOLDER").map(PathBuf::from) else {
        return;
    };
    let arguments: Vec<String> = env::args()
        .skip_while(|word| word != "--")
        .skip(1)
        .collect();
    let command = arguments.iter().find_map(|word| match word.as_str() {
        "submit" | "destroy" => Some("fault"),
        "cat" | "list-unit-files" => Some("fault-reading"),
        _ => None,
    });
    let fault = command.and_then(|file| fs::read_to_string(folder.join(file)).ok());
    let fault = fault.unwrap_or_default();
    let (fault, number) = fault.split_once(' ').unwrap_or(("", "0"));
    let mut call = Call {
        is_old: env::var("STANDIN_OLD").is_ok_and(|value| !value.is_empty()),
        stdout: append(Path::new("/dev/fd/3")),
        stderr: append(Path::new("/dev/fd/4")),
        fault: fault.to_owned(),
        number: number.parse().unwrap(),
        count: 0,
        folder,
    };
    call.note("calls", &arguments.join(" "));
    call.stumble();
    let status = commands::run(&mut call, &arguments);
    let status = if call.fault == "fail" { 1 } else { status };
    std::process::exit(status);
}
