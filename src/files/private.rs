//! Files that unitgen writes for itself to read again: snapshots and plans. They hold units' texts,
//! so that only their owner can read them.
#![expect(
    clippy::disallowed_methods,
    reason = "this is a part of the door to the file system"
)]

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::error::CommandError;
use crate::files::cant_write;

/// The greatest size of such a file in bytes: fleet can't count the units that would fill it.
const SIZE_MAXIMUM: u64 = 512 << 20;

/// Writes a file whole or not at all, and reads back what it wrote. `-` is not a file here.
///
/// # Errors
/// Says why it can't be written.
pub fn write(path: &Path, text: &str) -> Result<(), CommandError> {
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
