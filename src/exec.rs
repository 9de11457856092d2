//! The door through which another program takes this one's place, and the files in memory that it
//! inherits.
//!
//! In: words and an environment. Out: an error, or nothing ever again: the process is the other program's.
//! Knows nothing of what the words mean.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the one place from which another program takes over"
)]

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{Access, MemfdFlags, SealFlags, access, fcntl_add_seals, memfd_create};
use rustix::process::{Resource, getrlimit};

use crate::error::{CommandError, Status};

/// Where programs are looked up where there is no PATH, as with `execvp`.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// A file that has no name and only this process and the program that takes its place can open.
#[derive(Debug)]
pub struct MemoryFile(File);

impl MemoryFile {
    /// Makes a file that nobody can change any more.
    ///
    /// # Errors
    /// Says why the kernel has none.
    pub fn new(bytes: &[u8]) -> Result<Self, CommandError> {
        let fail =
            |error: io::Error| CommandError::trouble("can't make a file in memory").because(error);
        // It is to be inherited: it does not close when the program takes over.
        // A hardened kernel makes none that could be executed, and an old one knows of no such thing.
        let flags = MemfdFlags::ALLOW_SEALING;
        let file = memfd_create("unitgen", flags | MemfdFlags::NOEXEC_SEAL)
            .or_else(|_| memfd_create("unitgen", flags));
        let mut file = File::from(file.map_err(|error| fail(error.into()))?);
        file.write_all(bytes).map_err(fail)?;
        let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
        fcntl_add_seals(&file, seals).map_err(|error| fail(error.into()))?;
        Ok(Self(file))
    }

    /// Returns the path at which the program finds it.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/proc/self/fd/{}", self.0.as_raw_fd())
    }
}

fn shell_error(status: Status, message: String) -> CommandError {
    CommandError {
        status,
        ..CommandError::trouble(message)
    }
}

/// Finds a program as a shell does: by a search path, unless its name has a `/`.
///
/// # Errors
/// Says that there is none, or none that can be executed.
pub fn find(program: &OsStr, search_path: Option<&OsStr>) -> Result<PathBuf, CommandError> {
    let shown = Path::new(program).display();
    if program.as_bytes().contains(&b'/') {
        let path = PathBuf::from(program);
        return match path.try_exists() {
            Ok(true) => executable(path),
            _ => Err(shell_error(
                Status::NotFound,
                format!("there is no `{shown}`"),
            )),
        };
    }
    let search_path = search_path.unwrap_or(OsStr::new(DEFAULT_PATH));
    let mut refused = None;
    for folder in std::env::split_paths(search_path) {
        // An empty part is the folder at hand. Without the `/` it would be looked up again.
        let folder = if folder.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            folder
        };
        let path = folder.join(program);
        if !path.is_file() {
            continue;
        }
        match executable(path) {
            Ok(path) => return Ok(path),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    let absent = || {
        let message = format!("there is no program `{shown}` on the PATH");
        shell_error(Status::NotFound, message).help("name it with its whole path")
    };
    Err(refused.unwrap_or_else(absent))
}

/// Refuses a file that can't be executed.
fn executable(path: PathBuf) -> Result<PathBuf, CommandError> {
    let shown = path.display();
    if path.is_dir() {
        let message = format!("`{shown}` is a folder");
        return Err(shell_error(Status::NotExecutable, message));
    }
    match access(&path, Access::EXEC_OK) {
        Ok(()) => Ok(path),
        Err(error) => {
            let message = format!("can't execute `{shown}`");
            let error = io::Error::from(error);
            Err(shell_error(Status::NotExecutable, message).because(error))
        }
    }
}

/// Returns how many bytes words and environment may take together (`bprm_stack_limits`): a quarter of the
/// stack's limit, at most 6 MiB.
#[must_use]
pub fn room() -> usize {
    let stack = getrlimit(Resource::Stack).current;
    let quarter = stack.map_or(u64::MAX, |stack| stack / 4);
    let room = quarter.clamp(128 << 10, 6 << 20);
    usize::try_from(room).unwrap_or(usize::MAX)
}

/// Lets a program take this one's place, with the same process id. Returns only where it can't.
///
/// No signal is blocked, and SIGPIPE has its default action: how it was before is not known any more when
/// a program in Rust begins.
#[must_use]
pub fn exec(
    program: &Path,
    words: &[OsString],
    environment: &[(OsString, OsString)],
) -> CommandError {
    let mut command = Command::new(program);
    let (own, arguments) = words
        .split_first()
        .map_or((program.as_os_str(), &[][..]), |(own, rest)| {
            (own.as_os_str(), rest)
        });
    let variables = environment.iter().map(|(name, value)| (name, value));
    command
        .arg0(own)
        .args(arguments)
        .env_clear()
        .envs(variables);
    let error = command.exec();
    let message = format!("can't execute `{}`", program.display());
    let is_absent = error.kind() == io::ErrorKind::NotFound;
    let result = shell_error(Status::NotExecutable, message).because(error);
    if is_absent {
        return result.help("it is there: the interpreter or loader that it names is not");
    }
    result
}
