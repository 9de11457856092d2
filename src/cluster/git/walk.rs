//! The way through a commit's folders to one path, by the links that the commit itself has.
//!
//! In: a path within the repository as bytes, and a reader of git's objects. Out: what is there, or
//! what is in the way. No path ever goes to git, so that no name needs quotes. Knows no file system.

use crate::error::CommandError;

/// How many links are followed, as by Linux.
const LINKS_MAXIMUM: usize = 40;

/// What stands under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File,
    Link,
    Submodule,
}

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) kind: Kind,
    id: String,
}

/// What is at a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A folder with these names.
    Folder(Vec<Entry>),
    /// A file, which is that object.
    File(String),
    /// Neither.
    Nothing,
}

/// What is in the way.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// A link leads there, outside of the repository.
    Outside(String),
    /// A link leads there, where nothing is.
    Dangling(String),
    /// Links lead to links.
    Endless,
    /// A folder of that name is a repository of its own.
    Submodule(String),
    /// A folder is not in git's form.
    Garbled,
}

/// Reads an object by what git calls it.
pub(super) type Reader<'a> = &'a mut dyn FnMut(&str) -> Result<Vec<u8>, CommandError>;

/// One name on the way.
struct Step {
    name: Vec<u8>,
    /// The link that the name is from, where it is not from the user.
    link: Option<String>,
}

/// Goes from a commit's topmost folder along a path without `..`.
///
/// # Errors
/// Says which object can't be read.
pub(super) fn find(
    commit: &str,
    path: &[u8],
    read: Reader<'_>,
) -> Result<Result<Found, Obstacle>, CommandError> {
    // An id is twice as long in hexadecimal digits as it is in bytes.
    let id_length = commit.len() / 2;
    let folder = |id: &str, read: Reader<'_>| Ok(entries(&read(id)?, id_length));
    let Some(top) = folder(&format!("{commit}^{{tree}}"), read)? else {
        return Ok(Err(Obstacle::Garbled));
    };
    let mut folders = vec![top];
    let mut links = 0;
    let mut ahead = steps(path, None);
    while let Some(Step { name, link }) = ahead.pop() {
        if name == b".." {
            folders.pop();
        }
        let Some(here) = folders.last() else {
            return Ok(Err(Obstacle::Outside(link.unwrap_or_default())));
        };
        if name == b".." {
            continue;
        }
        let entry = here.iter().find(|entry| entry.name == name).cloned();
        match entry.map(|entry| (entry.kind, entry.id)) {
            Some((Kind::Folder, id)) => match folder(&id, read)? {
                Some(entries) => folders.push(entries),
                None => return Ok(Err(Obstacle::Garbled)),
            },
            Some((Kind::File, id)) => match ahead.pop() {
                None => return Ok(Ok(Found::File(id))),
                Some(below) => return Ok(absent(below.link)),
            },
            None => return Ok(absent(link)),
            Some((Kind::Submodule, _)) => return Ok(Err(Obstacle::Submodule(shown(&name)))),
            Some((Kind::Link, id)) => {
                let target = read(&id)?;
                links += 1;
                if target.starts_with(b"/") {
                    return Ok(Err(Obstacle::Outside(shown(&target))));
                }
                if links > LINKS_MAXIMUM {
                    return Ok(Err(Obstacle::Endless));
                }
                ahead.extend(steps(&target, Some(&shown(&target))));
            }
        }
    }
    Ok(Ok(Found::Folder(folders.pop().unwrap_or_default())))
}

/// What the user names may be absent; what the commit itself names, by a link, should not.
fn absent(link: Option<String>) -> Result<Found, Obstacle> {
    match link {
        Some(link) => Err(Obstacle::Dangling(link)),
        None => Ok(Found::Nothing),
    }
}

/// Returns the steps along a path, the first one last.
fn steps(path: &[u8], link: Option<&str>) -> Vec<Step> {
    path.rsplit(|byte| *byte == b'/')
        .filter(|name| !name.is_empty() && *name != b".")
        .map(|name| Step {
            name: name.to_vec(),
            link: link.map(str::to_owned),
        })
        .collect()
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Reads git's form of a folder: for each name the mode in octal, a blank, the name, a zero byte and
/// the bytes of the id.
fn entries(mut bytes: &[u8], id_length: usize) -> Option<Vec<Entry>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let blank = bytes.iter().position(|byte| *byte == b' ')?;
        let zero = bytes.iter().position(|byte| *byte == 0)?;
        let name = bytes.get(blank + 1..zero)?.to_vec();
        let id = bytes.get(zero + 1..zero + 1 + id_length)?;
        let mode = u32::from_str_radix(str::from_utf8(&bytes[..blank]).ok()?, 8).ok()?;
        found.push(Entry {
            name,
            kind: kind(mode)?,
            id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
        });
        bytes = &bytes[zero + 1 + id_length..];
    }
    Some(found)
}

fn kind(mode: u32) -> Option<Kind> {
    match mode & 0o170_000 {
        0o040_000 => Some(Kind::Folder),
        0o100_000 => Some(Kind::File),
        0o120_000 => Some(Kind::Link),
        0o160_000 => Some(Kind::Submodule),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const COMMIT: &str = "ffff";

    /// Objects by their ids, which are those of a hash of two bytes.
    #[derive(Default)]
    struct Store(BTreeMap<String, Vec<u8>>);

    impl Store {
        fn folder(&mut self, id: &str, entries: &[(&str, &str, u16)]) {
            let mut bytes = Vec::new();
            for (mode, name, id) in entries {
                bytes.extend(format!("{mode} {name}\0").into_bytes());
                bytes.extend(id.to_be_bytes());
            }
            self.0.insert(id.to_owned(), bytes);
        }

        fn find(&self, path: &str) -> Result<Found, Obstacle> {
            let mut read = |id: &str| Ok(self.0[id].clone());
            super::find(COMMIT, path.as_bytes(), &mut read).unwrap()
        }
    }

    fn store() -> Store {
        let mut store = Store::default();
        store.folder(
            "ffff^{tree}",
            &[
                ("100644", "a", 1),
                ("40000", "b", 2),
                ("120000", "to-b", 3),
                ("120000", "to-c", 4),
                ("120000", "out", 5),
                ("120000", "far", 6),
                ("120000", "loop", 7),
                ("120000", "gone", 8),
                ("160000", "module", 9),
                ("120000", "to-file-below", 10),
            ],
        );
        store.folder("0002", &[("100755", "c d\n\"", 11), ("120000", "up", 12)]);
        for (id, target) in [
            ("0003", "./b/"),
            ("0004", "to-b/../to-b//c d\n\""),
            ("0005", "b/../../x"),
            ("0006", "/etc"),
            ("0007", "b/../loop"),
            ("0008", "b/none"),
            ("000a", "a/x"),
            ("000c", "../a"),
        ] {
            store.0.insert(id.to_owned(), target.into());
        }
        store
    }

    #[test]
    fn paths_lead_along_folders_and_links() {
        #[track_caller]
        fn case(path: &str, id: &str) {
            assert_eq!(store().find(path), Ok(Found::File(id.to_owned())), "{path}");
        }
        case("a", "0001");
        case("./a", "0001");
        case("b//c d\n\"", "000b");
        case("to-b/c d\n\"", "000b");
        case("to-c", "000b");
        case("to-b/up", "0001");
    }

    #[test]
    fn folders_have_their_names() {
        let names = |path: &str| match store().find(path) {
            Ok(Found::Folder(entries)) => {
                let name = |entry: Entry| (String::from_utf8(entry.name).unwrap(), entry.kind);
                entries.into_iter().map(name).collect::<Vec<_>>()
            }
            other => panic!("{path}: {other:?}"),
        };
        let inner = [
            ("c d\n\"".to_owned(), Kind::File),
            ("up".to_owned(), Kind::Link),
        ];
        assert_eq!(names("b"), inner);
        assert_eq!(names("to-b/"), inner);
        assert_eq!(names("").len(), 10);
    }

    #[test]
    fn what_the_user_names_may_be_absent() {
        for path in ["x", "x/y", "a/x", "b/x", "to-b/x", "to-c/x"] {
            assert_eq!(store().find(path), Ok(Found::Nothing), "{path}");
        }
    }

    #[test]
    fn what_is_in_the_way_is_told() {
        #[track_caller]
        fn case(path: &str, obstacle: Obstacle) {
            assert_eq!(store().find(path), Err(obstacle), "{path}");
        }
        case("out", Obstacle::Outside("b/../../x".to_owned()));
        case("far/passwd", Obstacle::Outside("/etc".to_owned()));
        case("loop", Obstacle::Endless);
        case("gone", Obstacle::Dangling("b/none".to_owned()));
        case("to-file-below", Obstacle::Dangling("a/x".to_owned()));
        case("module", Obstacle::Submodule("module".to_owned()));
        case("module/a", Obstacle::Submodule("module".to_owned()));
    }

    #[test]
    fn another_form_is_no_empty_folder() {
        for bytes in [
            &b"100644 a"[..],
            b"100644 a\0",
            b"100644 a\0\x01",
            b"1006x4 a\0\x01\x02",
            b"110644 a\0\x01\x02",
            b"a\0 \x01\x02",
        ] {
            assert_eq!(entries(bytes, 2), None, "{bytes:?}");
        }
        let store = Store([("ffff^{tree}".to_owned(), b"x".to_vec())].into());
        assert_eq!(store.find("a"), Err(Obstacle::Garbled));
    }
}
