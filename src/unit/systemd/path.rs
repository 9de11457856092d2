//! Paths as systemd checks and tidies them.
//!
//! In: bytes. Out: whether they are a path of the wanted kind, or the path
//! without its superfluous slashes and dots.
//!
//! It must not know what exists.

/// The longest name of a file.
const FILE_NAME_LIMIT: usize = 255;

/// The length a path has to stay below.
const PATH_LIMIT: usize = 4096;

/// Tells whether the text has no quotes, backslashes or control characters.
pub(super) fn is_safe(text: &[u8]) -> bool {
    !text
        .iter()
        .any(|byte| byte.is_ascii_control() || b"\"'\\".contains(byte))
}

/// Tells whether the path starts at the root.
pub(super) fn is_absolute(path: &[u8]) -> bool {
    path.starts_with(b"/")
}

/// Tells whether the path and its parts are short enough.
pub(super) fn is_valid(path: &[u8]) -> bool {
    let fits = |part: &[u8]| part.len() <= FILE_NAME_LIMIT;
    !path.is_empty() && path.len() < PATH_LIMIT && path.split(|&byte| byte == b'/').all(fits)
}

/// Tells whether the text can be the name of a file in some folder.
pub(super) fn is_file_name(text: &[u8]) -> bool {
    !matches!(text, b"" | b"." | b"..") && !text.contains(&b'/') && text.len() <= FILE_NAME_LIMIT
}

/// Tells whether no part of the path leads upwards.
pub(super) fn is_normalized(path: &[u8]) -> bool {
    !path.split(|&byte| byte == b'/').any(|part| part == b"..")
}

/// Returns the path without repeated and trailing slashes and lone dots.
pub(super) fn simplify(path: &[u8]) -> Vec<u8> {
    if path.is_empty() {
        return Vec::new();
    }
    let parts: Vec<_> = path
        .split(|&byte| byte == b'/')
        .filter(|part| !matches!(*part, b"" | b"."))
        .collect();
    let joined = parts.join(&b'/');
    match (is_absolute(path), joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_tidied() {
        #[track_caller]
        fn case(path: &str, expected: &str) {
            assert_eq!(simplify(path.as_bytes()), expected.as_bytes());
        }
        case("/a//b/./c/", "/a/b/c");
        case("//", "/");
        case("/../a", "/../a");
        case("./a", "a");
        case("./", ".");
        case("", "");
    }

    #[test]
    fn paths_are_judged() {
        assert!(is_safe("/opt/é a".as_bytes()));
        for text in ["'", "\"", "\\", "\t", "\u{7f}"] {
            assert!(!is_safe(text.as_bytes()));
        }
        assert!(is_file_name(b"a") && !is_file_name(b".") && !is_file_name(b"a/b"));
        assert!(is_valid(b"/a") && !is_valid(b""));
        assert!(!is_valid("/a".repeat(2048).as_bytes()));
        assert!(!is_valid("a".repeat(256).as_bytes()));
        assert!(is_normalized(b"/a..b") && !is_normalized(b"/a/.."));
    }
}
