//! The door to the user's editor: a text goes in, and comes out as the user left it.
//!
//! The text stands in a file that only its owner can read, in memory where the system has such a place,
//! and is gone afterwards unless it is to be kept. Knows nothing of what the text means.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the door to the user's editor, which is a process"
)]

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::{Builder, TempDir};

use crate::error::CommandError;

/// What is started where nothing else is named.
const DEFAULT: &str = "vi";

/// Where files are in memory.
const MEMORY: &str = "/dev/shm";

/// A text as the user left it.
pub struct Edited {
    /// The text.
    pub bytes: Vec<u8>,
    path: PathBuf,
    /// Holds the text, and what an editor leaves beside it.
    folder: TempDir,
}

impl Edited {
    /// Keeps the file, and returns where it is.
    #[must_use]
    pub fn keep(self) -> PathBuf {
        // Its path was found when it was made.
        let _ = self.folder.keep();
        self.path
    }
}

/// Lets the user change a text.
///
/// # Errors
/// Says why the editor can't be started, or how it ended.
pub fn edit(editor: Option<&str>, text: &[u8]) -> Result<Edited, CommandError> {
    let fail = |error: io::Error| CommandError::trouble("can't write the text").because(error);
    let mut builder = Builder::new();
    let own = fs::Permissions::from_mode(0o700);
    let builder = builder.prefix("unitgen-").permissions(own);
    let folder = builder
        .tempdir_in(Path::new(MEMORY))
        .or_else(|_| builder.tempdir())
        .map_err(fail)?;
    let path = folder.path().join("config.env");
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(&path);
    file.and_then(|mut file| file.write_all(text))
        .map_err(fail)?;
    let editor = editor.unwrap_or(DEFAULT);
    // As git does it: the variable may hold arguments, too.
    let status = Command::new("sh")
        .args(["-c", &format!("{editor} \"$@\""), "sh"])
        .arg(&path)
        .status();
    let status = status.map_err(|error| {
        CommandError::trouble(format!("can't start the editor `{editor}`")).because(error)
    })?;
    if !status.success() {
        let message = format!("the editor `{editor}` failed, and nothing was changed");
        return Err(CommandError::trouble(message)
            .because(status.to_string())
            .help("EDITOR names another one"));
    }
    let bytes = fs::read(&path).map_err(|error| {
        CommandError::trouble("can't read what the editor wrote").because(error)
    })?;
    Ok(Edited {
        bytes,
        path,
        folder,
    })
}
