//! The door to a repository's past: the files of one commit, read through the user's own git.
//!
//! In: a revision, and paths as the user writes them. Out: texts. Nothing is ever written, neither to
//! the repository nor to the index or the checkout, and what is changed but not committed does not
//! count. Knows nothing of manifests.

mod process;
mod walk;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::cluster::git::process::{Answer, Git, Objects};
use crate::cluster::git::walk::{Entry, Found, Kind, Obstacle};
use crate::error::CommandError;
use crate::files::{self, Texts};

/// What follows a revision to mean the commit at which `HEAD` left it.
const SINCE: &str = "...";

/// What to do where the history was cut off.
const DEEPEN: &str = "the clone is shallow: `git fetch --unshallow` brings the commits before";

/// The files of a repository as of one commit.
pub struct GitTree {
    revision: String,
    commit: String,
    top: PathBuf,
    git: Git,
    /// Started by the first reading, and anew after one that failed.
    objects: Option<Objects>,
}

impl GitTree {
    /// Finds the repository of a folder, an empty one being the working folder, and the commit that a
    /// revision stands for there. `main...` stands for the merge base of `main` and `HEAD`.
    ///
    /// # Errors
    /// Says why there is no such repository or commit, in git's own words.
    pub fn open(revision: &str, folder: &Path) -> Result<Self, CommandError> {
        let (name, is_base) = match revision.strip_suffix(SINCE) {
            Some(name) => (name, true),
            None => (revision, false),
        };
        if name.is_empty() || name.starts_with('-') {
            return Err(
                CommandError::trouble(format!("`{revision}` is no revision"))
                    .help("name a commit, a branch or a tag, as in `git:main`"),
            );
        }
        // The folder may be one that is no longer there.
        let mut ancestors = folder.ancestors();
        let is_there = |folder: &&Path| folder.as_os_str().is_empty() || files::is_folder(folder);
        let folder = ancestors.find(is_there).unwrap_or(Path::new(""));
        let git = Git::at(folder);
        let top = top(&git, folder)?;
        let mut commit = commit(&git, name, &top)?;
        if is_base {
            let head = self::commit(&git, "HEAD", &top)?;
            commit = base(&git, name, &commit, &head)?;
        }
        Ok(Self {
            revision: revision.to_owned(),
            commit,
            top,
            git,
            objects: None,
        })
    }

    /// Returns the revision as the user wrote it.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// Returns the full id of the commit that the revision stands for.
    #[must_use]
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// Returns what a file of the commit is called in messages.
    #[must_use]
    pub fn shown(&self, path: &Path) -> String {
        format!("{}:{}", self.revision, path.display())
    }

    /// Reads a manifest or a template as of the commit, `None` where it was not there.
    ///
    /// # Errors
    /// Says why the text can't be read, and at which line where it is no UTF-8.
    pub fn read_text(&mut self, path: &Path) -> Result<Option<String>, CommandError> {
        let within = self.within(path)?;
        self.read_within(&within, &self.shown(path))
    }

    /// Reads all files of a folder whose names have an ending, sorted by name; `None` where there was
    /// no such folder. The paths are those that the files would have in the checkout.
    ///
    /// # Errors
    /// Says why the folder or a file can't be read.
    pub fn read_folder(
        &mut self,
        folder: &Path,
        ending: &str,
    ) -> Result<Option<Texts>, CommandError> {
        let within = self.within(folder)?;
        let shown = self.shown(folder);
        let entries = match self.find(&within, &shown)? {
            Found::Folder(entries) => entries,
            Found::Nothing => return Ok(None),
            Found::File(_) => {
                return Err(CommandError::trouble(format!("`{shown}` is no folder")));
            }
        };
        let mut found = Vec::new();
        for name in names(entries, ending) {
            let path = folder.join(&name);
            let text = self.read_within(&within.join(&name), &self.shown(&path))?;
            found.extend(text.map(|text| (name, path, text)));
        }
        Ok(Some(found))
    }

    fn read_within(&mut self, within: &Path, shown: &str) -> Result<Option<String>, CommandError> {
        match self.find(within, shown)? {
            Found::Nothing => Ok(None),
            Found::Folder(_) => Err(files::folder_given(shown)),
            Found::File(id) => files::text(shown, self.object(&id)?).map(Some),
        }
    }

    /// Finds what was at a path within the repository.
    fn find(&mut self, within: &Path, shown: &str) -> Result<Found, CommandError> {
        let commit = self.commit.clone();
        let mut read = |id: &str| self.object(id)?.ok_or_else(|| files::too_large(shown));
        let found = walk::find(&commit, within.as_os_str().as_bytes(), &mut read)?;
        found.map_err(|obstacle| blocked(&obstacle, shown))
    }

    /// Reads an object, `None` where it is larger than any that is meant.
    fn object(&mut self, id: &str) -> Result<Option<Vec<u8>>, CommandError> {
        let mut objects = match self.objects.take() {
            Some(objects) => objects,
            None => self.git.objects()?,
        };
        let bytes = objects.read(id).map_err(|words| {
            let top = self.top.display();
            let revision = &self.revision;
            CommandError::trouble(format!(
                "can't read all of `{revision}` in the repository `{top}`"
            ))
            .because(words)
            .help("`git fsck` tells what the repository lacks")
        })?;
        // The rest of a large one is not worth reading: git starts anew where there is a next one.
        if bytes.is_some() {
            self.objects = Some(objects);
        }
        Ok(bytes)
    }

    /// Returns where one of the user's paths leads within the repository.
    fn within(&self, path: &Path) -> Result<PathBuf, CommandError> {
        let given = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let absolute = std::path::absolute(given).map_err(|error| {
            CommandError::trouble(format!("can't tell where `{}` is", path.display()))
                .because(error)
        })?;
        within(&self.top, &absolute).ok_or_else(|| {
            let (path, top) = (path.display(), self.top.display());
            CommandError::trouble(format!("`{path}` is outside of the repository `{top}`"))
                .help("a commit has only what is in its repository")
        })
    }
}

/// Returns the folder of the checkout.
fn top(git: &Git, folder: &Path) -> Result<PathBuf, CommandError> {
    let answer = git.ask(&["rev-parse", "--show-toplevel"])?;
    // A path may have line breaks of its own.
    match answer.bytes.strip_suffix(b"\n") {
        Some(top) if answer.is_success => {
            let top = Path::new(OsStr::from_bytes(top));
            Ok(fs::canonicalize(top).unwrap_or_else(|_| top.to_owned()))
        }
        _ => Err(no_checkout(&answer, folder)),
    }
}

fn no_checkout(answer: &Answer, folder: &Path) -> CommandError {
    let place = if folder.as_os_str().is_empty() {
        "the working folder".to_owned()
    } else {
        format!("`{}`", folder.display())
    };
    let words = &answer.words;
    let (message, help) = if words.contains("must be run in a work tree") {
        (
            format!("{place} is in a repository without a checkout"),
            "work in a checkout, which `git worktree add FOLDER` makes".to_owned(),
        )
    } else if words.contains("not a git repository") {
        (
            format!("{place} is in no git repository"),
            "`git:REV` reads the manifest of a commit: work in a checkout".to_owned(),
        )
    } else if let Some((_, command)) = words.split_once("git config --global") {
        (
            format!("{place} is in a repository that git does not trust"),
            format!("if you trust it: `git config --global{command}`"),
        )
    } else {
        (
            format!("git does not tell which repository {place} is in"),
            "see what `git status` says there".to_owned(),
        )
    };
    // The command is in the help.
    let words = words.split("; To add an exception").next();
    CommandError::trouble(message)
        .because(words.unwrap_or_default())
        .help(help)
}

/// Returns the full id of a commit.
fn commit(git: &Git, name: &str, top: &Path) -> Result<String, CommandError> {
    // It does not begin with `-`, so that git can't take it for an option; older ones don't know
    // `--end-of-options` here.
    let answer = git.ask(&["rev-parse", "--verify", &format!("{name}^{{commit}}")])?;
    if let Some(id) = answer.id() {
        return Ok(id);
    }
    let of_remote = format!("refs/remotes/origin/{name}^{{commit}}");
    let of_remote = git.ask(&["rev-parse", "--verify", &of_remote])?;
    let help = help_to_find(name, of_remote.id().is_some(), is_shallow(git)?);
    let top = top.display();
    Err(
        CommandError::trouble(format!("`{name}` is no commit of the repository `{top}`"))
            .because(answer.words)
            .help(help),
    )
}

/// Says how to come by a commit that is not there.
fn help_to_find(name: &str, is_on_remote: bool, is_shallow: bool) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let is_id = name.len() >= 7 && name.chars().all(|c| c.is_ascii_hexdigit());
    if name == "HEAD" {
        "the branch that is checked out has no commit yet".to_owned()
    } else if is_on_remote {
        format!("there is a branch of that name on the remote: `git:origin/{name}`")
    } else if name.chars().all(is_plain) && !name.contains("..") && !is_id {
        let branch = name.strip_prefix("origin/").unwrap_or(name);
        format!(
            "CI often clones one branch only: `git fetch origin {branch}` brings another, which is \
             `git:FETCH_HEAD` then"
        )
    } else if is_shallow {
        DEEPEN.to_owned()
    } else {
        "name one commit; `git log` and `git branch --all` tell what there is".to_owned()
    }
}

/// Returns the commit at which `HEAD` left a revision.
fn base(git: &Git, name: &str, commit: &str, head: &str) -> Result<String, CommandError> {
    let answer = git.ask(&["merge-base", commit, head])?;
    if let Some(id) = answer.id() {
        return Ok(id);
    }
    let help = if is_shallow(git)? {
        DEEPEN.to_owned()
    } else {
        format!("without the dots `git:{name}` is the commit itself")
    };
    let message = format!("`{name}` and `HEAD` have no commit in common");
    Err(CommandError::trouble(message)
        .because(answer.words)
        .help(help))
}

fn is_shallow(git: &Git) -> Result<bool, CommandError> {
    let answer = git.ask(&["rev-parse", "--is-shallow-repository"])?;
    Ok(answer.bytes == b"true\n")
}

/// Returns where an absolute path leads within a repository, nothing where it leads elsewhere. What
/// leads to the repository is followed as it is now; links within it are for the commit to say.
fn within(top: &Path, path: &Path) -> Option<PathBuf> {
    let components: Vec<Component> = path.components().collect();
    let up = components
        .iter()
        .rposition(|component| *component == Component::ParentDir);
    let (above, below) = components.split_at(up.map_or(0, |at| at + 1));
    let above: PathBuf = above.iter().collect();
    let above = fs::canonicalize(&above).unwrap_or_else(|_| without_parents(&above));
    let path = above.join(below.iter().collect::<PathBuf>());
    let mut prefixes: Vec<&Path> = path.ancestors().collect();
    prefixes.reverse();
    prefixes.into_iter().find_map(|prefix| {
        let real = fs::canonicalize(prefix).ok()?;
        let inside = real.strip_prefix(top).ok()?;
        Some(inside.join(path.strip_prefix(prefix).ok()?))
    })
}

/// Resolves each `..` by the path alone.
fn without_parents(path: &Path) -> PathBuf {
    let mut found = PathBuf::new();
    for component in path.components() {
        if component == Component::ParentDir {
            found.pop();
        } else {
            found.push(component);
        }
    }
    found
}

/// Returns the names of the files that count, sorted: those that `files::read_folder` takes.
fn names(entries: Vec<Entry>, ending: &str) -> Vec<String> {
    let files = entries
        .into_iter()
        .filter(|entry| matches!(entry.kind, Kind::File | Kind::Link));
    // A name that is no UTF-8 is none of ours.
    let names = files.filter_map(|entry| String::from_utf8(entry.name).ok());
    let mut names: Vec<String> = names.filter(|name| files::counts(name, ending)).collect();
    names.sort();
    names
}

fn blocked(obstacle: &Obstacle, shown: &str) -> CommandError {
    match obstacle {
        Obstacle::Outside(target) => CommandError::trouble(format!(
            "`{shown}` leads by a link to `{target}`, out of the repository"
        ))
        .help("a commit has only what is in its repository"),
        Obstacle::Dangling(target) => CommandError::trouble(format!(
            "`{shown}` leads by a link to `{target}`, which is not there in that commit"
        ))
        .help("a commit has only what was added to it"),
        Obstacle::Endless => {
            CommandError::trouble(format!("`{shown}` leads from link to link without end"))
        }
        Obstacle::Submodule(name) => CommandError::trouble(format!(
            "`{shown}` leads into the submodule `{name}`, a repository of its own"
        ))
        .help("a commit has only what is in its repository"),
        Obstacle::Garbled => CommandError::trouble(format!(
            "`{shown}` is below a folder that git can't have written"
        ))
        .help("`git fsck` tells what the repository lacks"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_that_is_not_there_can_be_had() {
        #[track_caller]
        fn case(name: &str, is_on_remote: bool, is_shallow: bool, help: &str) {
            assert_eq!(help_to_find(name, is_on_remote, is_shallow), help);
        }
        let fetch = |name: &str| {
            format!(
                "CI often clones one branch only: `git fetch origin {name}` brings another, which \
                 is `git:FETCH_HEAD` then"
            )
        };
        let look = "name one commit; `git log` and `git branch --all` tell what there is";
        case(
            "main",
            true,
            true,
            "there is a branch of that name on the remote: `git:origin/main`",
        );
        case("main", false, true, &fetch("main"));
        case("origin/main", false, false, &fetch("main"));
        case("feature/a-b_2.0", false, false, &fetch("feature/a-b_2.0"));
        case(
            "HEAD",
            false,
            false,
            "the branch that is checked out has no commit yet",
        );
        case("0123abc", false, true, DEEPEN);
        case("0123abc", false, false, look);
        case("HEAD~3", false, true, DEEPEN);
        case("HEAD~3", false, false, look);
        case("main..HEAD", false, false, look);
        case("$(rm)`", false, false, look);
    }

    #[test]
    fn parents_are_resolved_where_nothing_is_there() {
        let path = Path::new("/a/b/../../../c/./d/..");
        assert_eq!(without_parents(path), Path::new("/c"));
    }
}
