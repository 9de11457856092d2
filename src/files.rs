//! The file system's door: reads manifests and templates, keeps a folder of units.
//!
//! In: paths. Out: texts, or what changed. Writes are atomic: a file is there whole or not at all,
//! and one that is equal already is not touched. Knows nothing of what the texts mean, but that a
//! unit with unitgen's mark is one of its own.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the door to the file system"
)]

pub mod edit;
mod place;
pub mod owned;
pub mod private;
pub mod units;

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::CommandError;
use crate::files::place::cant_write;
use crate::name::UnitType;
use crate::parallel::in_parts;

/// The greatest size of a manifest or a template in bytes. One of 10,000 apps has a tenth of it.
pub const SIZE_MAXIMUM: u64 = 16 << 20;

/// Files of a folder: their names, paths and texts.
pub type Texts = Vec<(String, PathBuf, String)>;

/// Reads a manifest or a template; `-` is the standard input.
///
/// # Errors
/// Says why the text can't be read, and at which line where it is no UTF-8.
pub fn read_text(path: &Path) -> Result<String, CommandError> {
    let shown = path.display().to_string();
    if is_folder(path) {
        return Err(folder_given(&shown));
    }
    text(&shown, read(path)?)
}

/// Makes a text of the bytes of a manifest or a template, `None` where they are too many.
///
/// # Errors
/// Says at which line they are no UTF-8.
pub fn text(shown: &str, bytes: Option<Vec<u8>>) -> Result<String, CommandError> {
    let Some(bytes) = bytes else {
        return Err(too_large(shown).help("several files can be given with several `-f`"));
    };
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..at];
        let line = before.split(|byte| *byte == b'\n').count();
        let line_start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&before[line_start..])
            .chars()
            .count()
            + 1;
        CommandError::trouble(format!(
            "`{shown}` is no UTF-8 at line {line}, column {column}"
        ))
        .help("save it as UTF-8")
    })
}

/// Returns the error of a folder in place of a manifest or a template.
#[must_use]
pub fn folder_given(shown: &str) -> CommandError {
    CommandError::trouble(format!("`{shown}` is a folder"))
        .help("name the manifest in it, such as `services.yaml`")
}

/// Reads a file as it is, whatever its bytes; `-` is the standard input.
///
/// # Errors
/// Says why the file can't be read.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>, CommandError> {
    read(path)?.ok_or_else(|| too_large(&path.display().to_string()))
}

/// Reads a file, or nothing where it is larger than any that is meant. A pipe is a fair file, as in
/// `-f <(generate)`.
fn read(path: &Path) -> Result<Option<Vec<u8>>, CommandError> {
    let mut bytes = Vec::new();
    let result = if path == Path::new("-") {
        let mut stream = io::stdin().lock().take(SIZE_MAXIMUM + 1);
        stream.read_to_end(&mut bytes)
    } else {
        let file = fs::File::open(path);
        file.and_then(|file| {
            // Room for all of it and its end spares most of the reads.
            let length = file.metadata()?.len().min(SIZE_MAXIMUM);
            bytes.reserve(usize::try_from(length).unwrap_or_default() + 1);
            file.take(SIZE_MAXIMUM + 1).read_to_end(&mut bytes)
        })
    };
    match result {
        Ok(length) => Ok((length as u64 <= SIZE_MAXIMUM).then_some(bytes)),
        Err(error) => {
            Err(CommandError::trouble(format!("can't read `{}`", path.display())).because(error))
        }
    }
}

/// Returns the error of a file that is larger than any that is meant.
#[must_use]
pub fn too_large(shown: &str) -> CommandError {
    let mebibytes = SIZE_MAXIMUM >> 20;
    CommandError::trouble(format!("`{shown}` is larger than {mebibytes} MiB"))
}

/// Reads all files of a folder whose names have an ending, sorted by name. A folder that is not
/// there has none.
///
/// # Errors
/// Says why the folder or a file can't be read.
pub fn read_folder(folder: &Path, ending: &str) -> Result<Texts, CommandError> {
    let mut found = Vec::new();
    for name in names(folder, ending)? {
        let path = folder.join(&name);
        let text = read_text(&path)?;
        found.push((name, path, text));
    }
    Ok(found)
}

/// Tells whether a path leads to anything.
#[must_use]
pub fn is_there(path: &Path) -> bool {
    path.exists()
}

/// Tells whether a path leads to a folder.
#[must_use]
pub fn is_folder(path: &Path) -> bool {
    path.is_dir()
}

/// Creates a file that is not there yet.
///
/// # Errors
/// Says why it can't be written, for one because it is there.
pub fn create(path: &Path, text: &str) -> Result<(), CommandError> {
    let shown = path.display();
    let fail = |error: io::Error| cant_write(path, error);
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let mut file = builder()
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(fail)?;
    file.write_all(text.as_bytes()).map_err(fail)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(CommandError::trouble(format!("`{shown}` is there already"))
                .help("take it away first, or work in another folder"))
        }
        Err(error) => Err(fail(error.error)),
    }
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It is new.
    Created,
    /// Its text is another one.
    Changed,
    /// It is gone.
    Removed,
    /// It was equal already.
    Unchanged,
}

/// One file of a folder of units, as it is and as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The file's name.
    pub name: String,
    /// What has to become of it.
    pub change: Change,
    /// The text that it has.
    pub before: Option<String>,
}

/// A folder of units and what should be in it.
pub struct UnitFolder<'a> {
    /// The folder.
    pub path: &'a Path,
    /// The wanted files' names and texts, sorted by name.
    pub wanted: Vec<(&'a str, &'a str)>,
    /// Tells whether a file that is not wanted is to be removed, by its text.
    pub is_stale: &'a (dyn Fn(&str) -> bool + Sync),
}

impl UnitFolder<'_> {
    /// Compares the folder with what should be in it, changing nothing.
    ///
    /// # Errors
    /// Says what can't be read.
    pub fn compare(&self) -> Result<Vec<Entry>, CommandError> {
        self.check_place()?;
        let mut entries = Vec::with_capacity(self.wanted.len());
        for part in in_parts(&self.wanted, |part| self.compare_part(part)) {
            entries.extend(part?);
        }
        for name in names(self.path, "")? {
            let is_unit = UnitType::ALL.iter().any(|unit_type| {
                name.rsplit_once('.')
                    .is_some_and(|(_, s)| s == unit_type.suffix())
            });
            let place = self
                .wanted
                .binary_search_by(|(wanted, _)| (*wanted).cmp(&name));
            if !is_unit || place.is_ok() {
                continue;
            }
            // What can't be read, or is no text, is none of ours.
            let before = self.read(&name).ok().flatten();
            let before = before.and_then(|bytes| String::from_utf8(bytes).ok());
            if let Some(before) = before.filter(|text| (self.is_stale)(text)) {
                entries.push(Entry {
                    name,
                    change: Change::Removed,
                    before: Some(before),
                });
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Refuses a place at which, or above which, there is a file.
    fn check_place(&self) -> Result<(), CommandError> {
        match self.path.ancestors().find(|path| path.is_file()) {
            Some(file) => Err(CommandError::trouble(format!(
                "`{}` is no folder",
                file.display()
            ))),
            None => Ok(()),
        }
    }

    fn compare_part(&self, wanted: &[(&str, &str)]) -> Result<Vec<Entry>, CommandError> {
        let entry = |(name, text): &(&str, &str)| {
            let before = self.read(name)?;
            let change = match &before {
                None => Change::Created,
                Some(before) if before == text.as_bytes() => Change::Unchanged,
                Some(_) => Change::Changed,
            };
            let before = before.filter(|_| change == Change::Changed);
            Ok(Entry {
                name: (*name).to_owned(),
                change,
                before: before.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            })
        };
        wanted.iter().map(entry).collect()
    }

    /// Reads a file of the folder, `None` where there is none. Only a regular file is read, and no
    /// more of it than a unit can have: a pipe or a device would never end.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, CommandError> {
        let path = self.path.join(name);
        let fail = |error: io::Error| {
            CommandError::trouble(format!("can't read `{}`", path.display())).because(error)
        };
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => {
                let message = format!("`{}` is no regular file", path.display());
                return Err(CommandError::trouble(message).help("take it away"));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fail(error)),
        }
        let mut bytes = Vec::new();
        let file = fs::File::open(&path).map_err(fail)?;
        file.take(SIZE_MAXIMUM)
            .read_to_end(&mut bytes)
            .map_err(fail)?;
        Ok(Some(bytes))
    }

    /// Makes the folder hold what it should, and returns what changed.
    ///
    /// # Errors
    /// Says what can't be written. What was written before stays: every file is whole.
    pub fn write(&self) -> Result<Vec<Entry>, CommandError> {
        if !self.path.try_exists().unwrap_or(true) {
            self.check_place()?;
            return self.write_new();
        }
        let entries = self.compare()?;
        for entry in &entries {
            let path = self.path.join(&entry.name);
            let result = match entry.change {
                Change::Unchanged => Ok(()),
                Change::Removed => fs::remove_file(&path),
                Change::Created | Change::Changed => self.replace(&entry.name, &path),
            };
            result.map_err(|error| cant_write(&path, error))?;
        }
        Ok(entries)
    }

    fn replace(&self, name: &str, path: &Path) -> io::Result<()> {
        let wanted = self
            .wanted
            .binary_search_by(|(wanted, _)| (*wanted).cmp(name));
        let text = wanted.map_or("", |at| self.wanted[at].1);
        let mut file = builder().tempfile_in(self.path)?;
        file.write_all(text.as_bytes())?;
        file.persist(path).map(drop).map_err(|error| error.error)
    }

    /// Fills a new folder beside the place and moves it there: cheaper than a rename for each file.
    fn write_new(&self) -> Result<Vec<Entry>, CommandError> {
        let parent = self
            .path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        fs::create_dir_all(parent).map_err(|error| cant_write(parent, error))?;
        let folder = tempfile::Builder::new()
            .prefix(".units-")
            .permissions(fs::Permissions::from_mode(0o777))
            .tempdir_in(parent)
            .map_err(|error| cant_write(parent, error))?;
        for part in in_parts(&self.wanted, |part| {
            part.iter().try_for_each(|(name, text)| {
                let path = folder.path().join(name);
                fs::write(&path, text).map_err(|error| cant_write(&path, error))
            })
        }) {
            part?;
        }
        fs::rename(folder.path(), self.path).map_err(|error| cant_write(self.path, error))?;
        // The folder has its name now; there is nothing left to clean up.
        let _ = folder.keep();
        let entry = |(name, _): &(&str, &str)| Entry {
            name: (*name).to_owned(),
            change: Change::Created,
            before: None,
        };
        Ok(self.wanted.iter().map(entry).collect())
    }
}

/// Returns a builder of files with the permissions that any new file gets.
fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder
        .prefix(".unitgen-")
        .permissions(fs::Permissions::from_mode(0o666));
    builder
}

/// Tells whether a file of that name is one of those with an ending.
#[must_use]
pub fn counts(name: &str, ending: &str) -> bool {
    name.ends_with(ending) && !name.starts_with('.')
}

fn names(folder: &Path, ending: &str) -> Result<Vec<String>, CommandError> {
    let fail = |error: io::Error| {
        CommandError::trouble(format!("can't read the folder `{}`", folder.display()))
            .because(error)
    };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(fail)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(fail)?;
        // A name that is no UTF-8 is none of ours.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if counts(&name, ending)
            && entry
                .file_type()
                .is_ok_and(|kind| kind.is_file() || kind.is_symlink())
        {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}
