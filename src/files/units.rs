//! A folder of unit files, as it is.
#![expect(
    clippy::disallowed_methods,
    reason = "this is a part of the door to the file system"
)]

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::error::CommandError;
use crate::files::{SIZE_MAXIMUM, counts};
use crate::name::UnitType;
use crate::parallel::in_parts;

/// Reads all unit files of a folder and makes something of each, sorted by name. Whatever is no
/// regular file, or has no unit's name, is left out.
///
/// # Errors
/// Says which file, or that the folder, can't be read.
pub fn read_units<T: Send>(
    folder: &Path,
    take: &(dyn Fn(&str, &[u8]) -> T + Sync),
) -> Result<Vec<T>, CommandError> {
    let fail = |path: &Path, error: io::Error| {
        CommandError::trouble(format!("can't read `{}`", path.display())).because(error)
    };
    let found = unit_files(folder).map_err(|error| fail(folder, error))?;
    let parts = in_parts(&found, |files| {
        let mut taken = Vec::with_capacity(files.len());
        // One room for all of them, larger than any unit is.
        let mut bytes = Vec::with_capacity(ROOM);
        for file in files {
            let path = folder.join(&file.name);
            let is_read = file.read(&path, &mut bytes);
            if is_read.map_err(|error| fail(&path, error))? {
                taken.push(take(&file.name, &bytes));
            }
        }
        Ok(taken)
    });
    let mut all = Vec::with_capacity(found.len());
    for part in parts {
        all.extend(part?);
    }
    Ok(all)
}

/// The bytes that there is room for from the start.
const ROOM: usize = 1 << 16;

/// A file that has a unit's name.
struct UnitFile {
    name: String,
    is_link: bool,
}

impl UnitFile {
    /// Reads it in place of what was there, and tells whether it is a regular file: a pipe or a device
    /// would never end.
    fn read(&self, path: &Path, bytes: &mut Vec<u8>) -> io::Result<bool> {
        // The folder has told of all others.
        if self.is_link && !fs::metadata(path)?.is_file() {
            return Ok(false);
        }
        bytes.clear();
        fs::File::open(path)?
            .take(SIZE_MAXIMUM)
            .read_to_end(bytes)?;
        Ok(true)
    }
}

/// Returns the files of a folder, sorted by name, that are units' by their names.
fn unit_files(folder: &Path) -> io::Result<Vec<UnitFile>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        // A name that is no UTF-8 is no unit's.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let suffix = name.rsplit_once('.').map_or("", |(_, suffix)| suffix);
        let mut types = UnitType::ALL.iter();
        if (kind.is_file() || kind.is_symlink())
            && counts(&name, "")
            && types.any(|unit_type| unit_type.suffix() == suffix)
        {
            let is_link = kind.is_symlink();
            found.push(UnitFile { name, is_link });
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(found)
}
