//! Whether a file may be put where a path leads, and why it could not be.

use std::path::Path;
use std::{fs, io};

use crate::error::CommandError;

/// Refuses to put a file in the place of what is no file: a device, a pipe, a link to one.
pub(super) fn check_place(path: &Path) -> Result<(), CommandError> {
    // A link is replaced; where it leads to something that must stay, it is meant.
    let Ok(metadata) = fs::metadata(path) else {
        return Ok(());
    };
    let shown = path.display();
    if metadata.is_dir() {
        return Err(CommandError::trouble(format!("`{shown}` is a folder")));
    }
    if metadata.is_file() {
        return Ok(());
    }
    let error = CommandError::trouble(format!("`{shown}` is no regular file"));
    Err(error.help("name a file of its own, which is written whole and then put there"))
}

pub(super) fn cant_write(path: &Path, error: io::Error) -> CommandError {
    // A temporary file's error names that file, which says nothing to the user.
    let error = match error.to_string().split_once(" at path ") {
        Some((reason, _)) => io::Error::new(error.kind(), reason),
        None => error,
    };
    CommandError::trouble(format!("can't write `{}`", path.display())).because(error)
}
