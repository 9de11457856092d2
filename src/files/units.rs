//! A folder of unit files, as it is.
#![expect(
    clippy::disallowed_methods,
    reason = "this is a part of the door to the file system"
)]

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::error::CommandError;
use crate::files::{SIZE_MAXIMUM, names};
use crate::name::UnitType;
use crate::parallel::in_parts;

/// Reads all unit files of a folder and makes something of each, sorted by name. Whatever is no
/// regular file, or has no unit's name, is left out.
///
/// # Errors
/// Says which file, or that the folder, can't be read.
pub fn read_units<T: Send>(
    folder: &Path,
    take: &(dyn Fn(&str, Vec<u8>) -> T + Sync),
) -> Result<Vec<T>, CommandError> {
    let fail = |path: &Path, error: io::Error| {
        CommandError::trouble(format!("can't read `{}`", path.display())).because(error)
    };
    // A folder that is not there would pass for one without units.
    fs::read_dir(folder).map_err(|error| fail(folder, error))?;
    let mut found = names(folder, "")?;
    found.retain(|name| {
        let suffix = name.rsplit_once('.').map_or("", |(_, suffix)| suffix);
        UnitType::ALL
            .iter()
            .any(|unit_type| unit_type.suffix() == suffix)
    });
    let parts = in_parts(&found, |names| {
        let mut taken = Vec::with_capacity(names.len());
        for name in names {
            let path = folder.join(name);
            let bytes = read(&path).map_err(|error| fail(&path, error))?;
            taken.extend(bytes.map(|bytes| take(name, bytes)));
        }
        Ok(taken)
    });
    let mut all = Vec::with_capacity(found.len());
    for part in parts {
        all.extend(part?);
    }
    Ok(all)
}

/// Reads a regular file; a pipe or a device would never end.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1);
    fs::File::open(path)?
        .take(SIZE_MAXIMUM)
        .read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}
