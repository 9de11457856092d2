//! Files that are written for somebody else: with an owner and a mode, and readable by nobody else at any
//! moment.
#![expect(
    clippy::disallowed_methods,
    reason = "this is a part of the door to the file system"
)]

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use crate::error::CommandError;
use crate::files::place::{cant_write, check_place};

/// Whose a file is to be, by numbers; what is not said stays as with any new file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user: Option<u32>,
    /// The group.
    pub group: Option<u32>,
}

impl Owner {
    /// Reads `USER`, `USER:GROUP` or `:GROUP`: names of `/etc/passwd` and `/etc/group`, or numbers. Other
    /// sources of names are not asked.
    ///
    /// # Errors
    /// Says which name is not known.
    pub fn parse(text: &str) -> Result<Self, CommandError> {
        let (user, group) = text.split_once(':').unwrap_or((text, ""));
        if user.is_empty() && group.is_empty() {
            let error = CommandError::trouble(format!("`{text}` names no owner"));
            return Err(error.help("write `USER`, `USER:GROUP` or `:GROUP`"));
        }
        Ok(Self {
            user: number(user, "user", Path::new("/etc/passwd"))?,
            group: number(group, "group", Path::new("/etc/group"))?,
        })
    }
}

/// Returns the number that a name has in a file, `None` for no name.
fn number(name: &str, noun: &str, path: &Path) -> Result<Option<u32>, CommandError> {
    if name.is_empty() {
        return Ok(None);
    }
    // The greatest number stands for none.
    if let Ok(number) = name.parse::<u32>()
        && number < u32::MAX
    {
        return Ok(Some(number));
    }
    let shown = path.display();
    let text = fs::read(path).map_err(|error| {
        CommandError::trouble(format!("can't read `{shown}`, which knows `{name}`")).because(error)
    })?;
    let text = String::from_utf8_lossy(&text);
    let entries = text.lines().map(|line| line.split(':'));
    let found = entries
        .filter_map(|mut fields| Some((fields.next()?, fields.nth(1)?)))
        .find(|(entry, _)| *entry == name)
        .and_then(|(_, number)| number.parse().ok());
    match found {
        Some(number) => Ok(Some(number)),
        None => Err(
            CommandError::trouble(format!("there is no {noun} `{name}` in `{shown}`"))
                .help("names of other sources are not known here: give the number"),
        ),
    }
}

/// Writes a file whole or not at all, and reads back what became of it. It has its owner and its mode
/// before it has its name, and until then nobody but its owner can read it.
///
/// # Errors
/// Says why it can't be written, or what differs from what was wanted.
pub fn write(path: &Path, bytes: &[u8], owner: Owner, mode: u32) -> Result<(), CommandError> {
    let shown = path.display();
    let fail = |error: io::Error| cant_write(path, error);
    check_place(path)?;
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .prefix(".unitgen-")
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .map_err(fail)?;
    file.write_all(bytes).map_err(fail)?;
    if owner != Owner::default() {
        fchown(file.as_file(), owner.user, owner.group).map_err(|error| {
            let message = format!("can't give `{shown}` to its owner");
            CommandError::trouble(message).because(error)
        })?;
    }
    // Behind the change of owner, which takes bits of the mode away.
    let permissions = Permissions::from_mode(mode);
    file.as_file().set_permissions(permissions).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    let kept = file.persist(path).map_err(|error| fail(error.error))?;
    let wrong = |what: &str| Err(CommandError::trouble(format!("`{shown}` {what}")));
    let metadata = kept.metadata().map_err(fail)?;
    if metadata.mode() & 0o7777 != mode {
        return wrong("did not get its mode");
    }
    let is = |wanted: Option<u32>, found: u32| wanted.is_none_or(|wanted| wanted == found);
    if !is(owner.user, metadata.uid()) || !is(owner.group, metadata.gid()) {
        return wrong("did not get its owner");
    }
    drop(kept);
    let mut found = Vec::new();
    File::open(path)
        .and_then(|mut file| file.read_to_end(&mut found))
        .map_err(fail)?;
    if found != bytes {
        return wrong("does not hold what was written");
    }
    Ok(())
}
