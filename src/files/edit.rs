//! Unit files that others wrote: finds them and writes them back.
#![expect(
    clippy::disallowed_methods,
    reason = "this is a part of the door to the file system"
)]

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use crate::error::CommandError;
use crate::files::{builder, cant_write, read_bytes};

/// Returns the files that a path stands for: itself, or where it is a folder all unit files below it,
/// sorted. Hidden files and folders are left out, and links to folders are not followed.
///
/// # Errors
/// Says which folder can't be read.
pub fn unit_files(
    path: &Path,
    is_unit: &dyn Fn(&str) -> bool,
) -> Result<Vec<PathBuf>, CommandError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let fail = |error: io::Error| {
            let message = format!("can't read the folder `{}`", folder.display());
            CommandError::trouble(message).because(error)
        };
        for entry in fs::read_dir(&folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let kind = entry.file_type().map_err(fail)?;
            if name.starts_with('.') {
                continue;
            }
            if kind.is_dir() {
                folders.push(entry.path());
            } else if is_unit(&name) && (kind.is_file() || entry.path().is_file()) {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Puts a text in the place of the one that was read, if the file still holds that one. Its
/// permissions stay; a link stays a link.
///
/// # Errors
/// Says why the file can't be written, or that somebody else changed it.
pub fn rewrite(path: &Path, before: &str, after: &str) -> Result<(), CommandError> {
    let fail = |error: io::Error| cant_write(path, error);
    let real = fs::canonicalize(path).map_err(fail)?;
    if read_bytes(&real)? != before.as_bytes() {
        let message = format!(
            "`{}` was changed by another program meanwhile",
            path.display()
        );
        return Err(CommandError::trouble(message).help("run the command again"));
    }
    let metadata = fs::metadata(&real).map_err(fail)?;
    if metadata.nlink() > 1 {
        let message = format!(
            "`{}` has other names, which would keep the old text",
            path.display()
        );
        return Err(CommandError::trouble(message).help("mend it by hand, or undo the hard links"));
    }
    let folder = real.parent().unwrap_or(Path::new("."));
    let mut file = builder().tempfile_in(folder).map_err(fail)?;
    file.write_all(after.as_bytes()).map_err(fail)?;
    let (user, group) = (metadata.uid(), metadata.gid());
    let own = file.as_file().metadata().map_err(fail)?;
    if (own.uid(), own.gid()) != (user, group) {
        fchown(file.as_file(), Some(user), Some(group)).map_err(fail)?;
    }
    let permissions = metadata.permissions();
    file.as_file().set_permissions(permissions).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(&real).map_err(|error| fail(error.error))?;
    if read_bytes(&real)? == after.as_bytes() {
        Ok(())
    } else {
        let message = format!("`{}` does not hold what was written", path.display());
        Err(CommandError::trouble(message))
    }
}
