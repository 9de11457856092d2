//! Files that unitgen writes for itself to read again: snapshots, plans and what etcd said. They hold
//! units' texts or secrets, so that only their owner can read them.
#![expect(
    clippy::disallowed_methods,
    reason = "this is a part of the door to the file system"
)]

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::process::geteuid;

use crate::error::CommandError;
use crate::files::place::{cant_write, check_place};

/// The greatest size of such a file in bytes: fleet can't count the units that would fill it.
const SIZE_MAXIMUM: u64 = 512 << 20;

/// Writes a file whole or not at all, and reads back what it wrote. `-` is not a file here.
///
/// # Errors
/// Says why it can't be written.
pub fn write(path: &Path, text: &str) -> Result<(), CommandError> {
    check_place(path)?;
    let fail = |error: io::Error| cant_write(path, error);
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix(".unitgen-");
    let mut file = builder
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(fail)?;
    file.write_all(text.as_bytes()).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map_err(|error| fail(error.error))?;
    if fs::read(path).map_err(fail)? == text.as_bytes() {
        return Ok(());
    }
    let message = format!("`{}` does not hold what was written", path.display());
    Err(CommandError::trouble(message))
}

/// Reads such a file; `-` is the standard input.
///
/// # Errors
/// Says why it can't be read.
pub fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    let result = if path == Path::new("-") {
        io::stdin()
            .lock()
            .take(SIZE_MAXIMUM + 1)
            .read_to_end(&mut bytes)
    } else {
        let file = fs::File::open(path);
        file.and_then(|file| file.take(SIZE_MAXIMUM + 1).read_to_end(&mut bytes))
    };
    let shown = path.display();
    match result {
        Ok(length) if length as u64 <= SIZE_MAXIMUM => Ok(bytes),
        Ok(_) => {
            let mebibytes = SIZE_MAXIMUM >> 20;
            Err(CommandError::trouble(format!(
                "`{shown}` is larger than {mebibytes} MiB"
            )))
        }
        Err(error) => Err(CommandError::trouble(format!("can't read `{shown}`")).because(error)),
    }
}

/// Reads such a file if nobody else can have written or read it: it is root's or this process's, and
/// others may do nothing with it.
///
/// # Errors
/// Says why it can't be read, or why it is not to be trusted.
pub fn read_own(path: &Path) -> Result<Vec<u8>, String> {
    let fail = |error: io::Error| format!("it can't be read: {error}");
    // A pipe without a writer would never open.
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let mut options = fs::OpenOptions::new();
    let file = options.read(true).custom_flags(flags).open(path);
    let file = match file {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err("there is none yet".to_owned());
        }
        other => other.map_err(fail)?,
    };
    let metadata = file.metadata().map_err(fail)?;
    if !metadata.is_file() {
        return Err("it is no regular file".to_owned());
    }
    if metadata.uid() != 0 && metadata.uid() != geteuid().as_raw() {
        return Err("it belongs to another user".to_owned());
    }
    if metadata.mode() & 0o077 != 0 {
        let mode = metadata.mode() & 0o7777;
        return Err(format!(
            "others than its owner can use it (mode {mode:04o})"
        ));
    }
    let mut bytes = Vec::new();
    let read = file.take(SIZE_MAXIMUM + 1).read_to_end(&mut bytes);
    match read {
        Ok(length) if length as u64 <= SIZE_MAXIMUM => Ok(bytes),
        Ok(_) => Err("it is too large".to_owned()),
        Err(error) => Err(fail(error)),
    }
}
