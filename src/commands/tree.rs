//! Where manifests and templates are read: the checkout as it is, or a commit.
//!
//! In: the user's own paths. Out: texts, and what they are called in messages. Knows nothing of what
//! the texts mean.

use std::path::Path;

use crate::cluster::git::GitTree;
use crate::error::CommandError;
use crate::files::{self, Texts};

/// The files that a run is about.
pub(super) enum Tree<'a> {
    /// Those of the disk.
    Disk,
    /// Those of a commit.
    Commit(&'a mut GitTree),
}

impl Tree<'_> {
    /// Returns what a file is called in messages.
    pub(super) fn shown(&self, path: &Path) -> String {
        match self {
            Self::Disk => path.display().to_string(),
            Self::Commit(commit) => commit.shown(path),
        }
    }

    /// Reads a manifest, `None` where the commit has none there.
    pub(super) fn read_manifest(&mut self, path: &Path) -> Result<Option<String>, CommandError> {
        match self {
            Self::Disk => files::read_text(path)
                .map(Some)
                .map_err(|error| match error.help {
                    Some(_) => error,
                    None => error.help(
                        "name the manifest with `-f FILE`; `unitgen init` writes a first one",
                    ),
                }),
            Self::Commit(commit) if path == Path::new("-") => {
                let message = format!("`{}` has no standard input", commit.revision());
                Err(CommandError::trouble(message)
                    .help("name a file of the repository with `-f FILE`"))
            }
            Self::Commit(commit) => commit.read_text(path),
        }
    }

    /// Reads all files of a folder whose names have an ending, sorted by name; `None` where there is
    /// no such folder.
    pub(super) fn read_folder(
        &mut self,
        folder: &Path,
        ending: &str,
    ) -> Result<Option<Texts>, CommandError> {
        match self {
            Self::Disk => {
                let found = files::read_folder(folder, ending)?;
                Ok(files::is_folder(folder).then_some(found))
            }
            Self::Commit(commit) => commit.read_folder(folder, ending),
        }
    }
}
