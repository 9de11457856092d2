//! The user's `git`, started to answer one question or to hand out objects.
//!
//! In: a folder, and arguments of our own making: no path of the user's is among them but that folder.
//! Out: what git answers, or its last words. Knows nothing of what is asked.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the door to git, whose environment it has to know"
)]

use std::env;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::error::CommandError;
use crate::files::SIZE_MAXIMUM;

/// How many lines git's last words have at most.
const LAST_LINES: usize = 4;

/// The user's git, as of a folder.
pub(super) struct Git {
    folder: PathBuf,
}

/// What git answered.
pub(super) struct Answer {
    /// Whether it says that all is well.
    pub(super) is_success: bool,
    /// The answer itself.
    pub(super) bytes: Vec<u8>,
    /// What it said besides.
    pub(super) words: String,
}

/// A git that hands out objects one after the other, and ends when this is dropped.
pub(super) struct Objects {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    messages: File,
}

impl Git {
    /// Returns the git of a folder; an empty one is the working folder.
    pub(super) fn at(folder: &Path) -> Self {
        // With GIT_DIR, git takes the folder that it is started in for the top of the checkout, and
        // a relative GIT_DIR, as hooks have it, for one from there.
        let is_told = env::var_os("GIT_DIR").is_some();
        Self {
            folder: Some(folder.to_owned())
                .filter(|_| !is_told)
                .unwrap_or_default(),
        }
    }

    /// Asks one question.
    pub(super) fn ask(&self, arguments: &[&str]) -> Result<Answer, CommandError> {
        let output = self.command(arguments).output().map_err(no_git)?;
        let words = last_words(&output.stderr);
        Ok(Answer {
            is_success: output.status.success(),
            bytes: output.stdout,
            words: words.unwrap_or_else(|| format!("git: {}", output.status)),
        })
    }

    /// Starts to hand out objects.
    pub(super) fn objects(&self) -> Result<Objects, CommandError> {
        // A file takes all that is said, without anybody who reads along.
        let messages = tempfile::tempfile().map_err(no_git)?;
        let mut process = self
            .command(&["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(messages.try_clone().map_err(no_git)?)
            .spawn()
            .map_err(no_git)?;
        match (process.stdin.take(), process.stdout.take()) {
            (Some(input), Some(output)) => Ok(Objects {
                process,
                input,
                output: BufReader::new(output),
                messages,
            }),
            _ => Err(no_git(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(&self.folder)
            .args(arguments)
            // Nobody is there to answer, and nothing is to be written.
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            // What it says is looked at.
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        command
    }
}

impl Answer {
    /// Returns the id of an object where the answer is that and nothing else.
    pub(super) fn id(&self) -> Option<String> {
        let id = str::from_utf8(&self.bytes).ok()?.strip_suffix('\n')?;
        let is_id = id.len() >= 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        (self.is_success && is_id).then(|| id.to_owned())
    }
}

impl Objects {
    /// Reads an object, `None` where it is larger than any that is meant: then the rest of it is still
    /// to come, and this is of no more use. A failure is told in git's last words.
    pub(super) fn read(&mut self, id: &str) -> Result<Option<Vec<u8>>, String> {
        self.try_read(id).map_err(|error| {
            let mut bytes = Vec::new();
            // What can't be read was not said.
            let _ = self.messages.rewind();
            let _ = self.messages.read_to_end(&mut bytes);
            last_words(&bytes).unwrap_or_else(|| format!("git: {error}"))
        })
    }

    fn try_read(&mut self, id: &str) -> io::Result<Option<Vec<u8>>> {
        writeln!(self.input, "{id}")?;
        let mut header = Vec::new();
        self.output.read_until(b'\n', &mut header)?;
        let header = String::from_utf8_lossy(&header);
        let size = header.trim_end().split(' ').nth(2);
        let Some(size) = size.and_then(|size| size.parse::<u64>().ok()) else {
            let header = header.trim_end();
            let said = Some(header).filter(|header| !header.is_empty());
            return Err(io::Error::other(said.unwrap_or("no answer").to_owned()));
        };
        if size > SIZE_MAXIMUM {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        // A line break follows.
        (&mut self.output).take(size + 1).read_to_end(&mut bytes)?;
        if bytes.pop() != Some(b'\n') || bytes.len() as u64 != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Some(bytes))
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // What has ended already needs no end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns what git said at last, where it said anything.
fn last_words(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().map(str::trim);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    (!last.is_empty()).then(|| format!("git: {}", last.join("; ")))
}

fn no_git(error: io::Error) -> CommandError {
    let is_missing = error.kind() == io::ErrorKind::NotFound;
    let failure = CommandError::trouble("can't start `git`").because(error);
    if is_missing {
        failure.help("install git, or add its folder to `PATH`")
    } else {
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_are_the_last_lines() {
        assert_eq!(last_words(b" \n\n"), None);
        let said = b"trace\nerror: a\n\nhint:  b\n\tc\nfatal: d\xff\n";
        let words = "git: error: a; hint:  b; c; fatal: d\u{fffd}";
        assert_eq!(last_words(said).as_deref(), Some(words));
    }

    #[test]
    fn an_id_is_one_whole_id() {
        #[track_caller]
        fn case(is_success: bool, bytes: &str, is_id: bool) {
            let answer = Answer {
                is_success,
                bytes: bytes.as_bytes().to_vec(),
                words: String::new(),
            };
            assert_eq!(answer.id().is_some(), is_id, "{bytes:?}");
        }
        let id = "0123456789abcdef0123456789abcdef01234567";
        case(true, &format!("{id}\n"), true);
        case(false, &format!("{id}\n"), false);
        case(true, id, false);
        case(true, &format!("^{id}\n"), false);
        case(true, &format!("{id}\n{id}\n"), false);
        case(true, "main\n", false);
        case(true, "", false);
    }
}
