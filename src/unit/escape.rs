//! The escapes that turn any text into a part of a unit name, and back.
//!
//! In: text. Out: text, by systemd's rules (`systemd-escape`) or by those of
//! go-systemd, which fleet uses and which differ in small things.
//!
//! It must not know what a whole name looks like.

/// The length a path, its leading slash included, has to stay below.
const PATH_LIMIT: usize = 4096;

/// The longest name of a file.
const FILE_NAME_LIMIT: usize = 255;

/// Escapes text for a unit name, as `systemd-escape` does.
#[must_use]
pub fn escape(text: &[u8]) -> String {
    escape_with(text, |byte| format!("\\x{byte:02x}"))
}

/// Escapes text as go-systemd does: a byte below 16 gets one digit.
#[must_use]
pub fn fleet_escape(text: &[u8]) -> String {
    escape_with(text, |byte| format!("\\x{byte:x}"))
}

fn escape_with(text: &[u8], hexadecimal: impl Fn(u8) -> String) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (index, &byte) in text.iter().enumerate() {
        match byte {
            b'/' => escaped.push('-'),
            b'.' if index == 0 => escaped.push_str(&hexadecimal(byte)),
            b':' | b'_' | b'.' => escaped.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => escaped.push(char::from(byte)),
            _ => escaped.push_str(&hexadecimal(byte)),
        }
    }
    escaped
}

/// Undoes `escape`; `None` for a backslash that starts no `\xHH`.
#[must_use]
pub fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'-' => plain.push(b'/'),
            b'\\' => {
                let (value, after) = hexadecimal(after)?;
                plain.push(value);
                rest = after;
            }
            _ => plain.push(byte),
        }
    }
    Some(plain)
}

/// Undoes `fleet_escape` as far as go-systemd can: what it does not
/// understand it keeps, and it takes no value above 127.
#[must_use]
pub fn fleet_unescape(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, go_hexadecimal(after)) {
            (b'-', _) => plain.push(b'/'),
            (b'\\', Some((value, after))) => {
                plain.push(value);
                rest = after;
            }
            _ => plain.push(byte),
        }
    }
    plain
}

fn hexadecimal(text: &[u8]) -> Option<(u8, &[u8])> {
    let [b'x', high, low, rest @ ..] = text else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?;
    Some((value, rest))
}

/// Reads two characters as Go's `ParseInt(…, 16, 8)`: a sign is a digit to it,
/// and a signed byte ends at 127.
fn go_hexadecimal(text: &[u8]) -> Option<(u8, &[u8])> {
    let [b'x', high, low, rest @ ..] = text else {
        return None;
    };
    let low_digit = char::from(*low).to_digit(16)?;
    let value = match high {
        b'+' => i32::try_from(low_digit).ok()?,
        b'-' => -i32::try_from(low_digit).ok()?,
        _ => i32::try_from(char::from(*high).to_digit(16)? * 16 + low_digit).ok()?,
    };
    let value = i8::try_from(value).ok()?;
    Some((value.cast_unsigned(), rest))
}

/// Escapes a path for a unit name, as `systemd-escape --path` does; `None`
/// for a path with `..` in it or one that is only dots.
#[must_use]
pub fn escape_path(path: &[u8]) -> Option<String> {
    if path.is_empty() {
        return Some("-".to_owned());
    }
    let mut parts = Vec::new();
    for part in path.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return None,
            _ if part.len() > FILE_NAME_LIMIT => return None,
            _ => parts.push(part),
        }
    }
    if parts.is_empty() {
        // The root is a path; a lone dot is none.
        return (path[0] == b'/').then(|| "-".to_owned());
    }
    let path = parts.join(&b'/');
    (path.len() + 1 < PATH_LIMIT).then(|| escape(&path))
}

/// Escapes a path as go-systemd does: dots in it stay.
#[must_use]
pub fn fleet_escape_path(path: &[u8]) -> String {
    let parts: Vec<_> = path
        .split(|&byte| byte == b'/')
        .filter(|part| !part.is_empty())
        .collect();
    if parts.is_empty() {
        "-".to_owned()
    } else {
        fleet_escape(&parts.join(&b'/'))
    }
}

/// Undoes `escape_path`; `None` for what cannot be a path.
#[must_use]
pub fn unescape_path(text: &[u8]) -> Option<Vec<u8>> {
    match text {
        b"" => None,
        b"-" => Some(b"/".to_vec()),
        _ => {
            let plain = unescape(text)?;
            let normal = plain
                .split(|&byte| byte == b'/')
                .all(|part| !matches!(part, b"" | b"." | b"..") && part.len() <= FILE_NAME_LIMIT);
            let normal = normal && plain.len() + 1 < PATH_LIMIT;
            normal.then(|| [b"/", plain.as_slice()].concat())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_a_part_of_a_name() {
        #[track_caller]
        fn case(text: &str, systemd: &str, go: &str) {
            assert_eq!(escape(text.as_bytes()), systemd);
            assert_eq!(fleet_escape(text.as_bytes()), go);
            assert_eq!(unescape(systemd.as_bytes()).unwrap(), text.as_bytes());
        }
        case("shop", "shop", "shop");
        case("/data//old/", "-data--old-", "-data--old-");
        case(".hidden.d", "\\x2ehidden.d", "\\x2ehidden.d");
        case("a-b\\c", "a\\x2db\\x5cc", "a\\x2db\\x5cc");
        case("é@", "\\xc3\\xa9\\x40", "\\xc3\\xa9\\x40");
        case("\t", "\\x09", "\\x9");
    }

    #[test]
    fn back_again_may_fail() {
        assert_eq!(unescape(b"a-b\\x2dc").unwrap(), b"a/b-c");
        assert_eq!(unescape(b"\\x2"), None);
        assert_eq!(unescape(b"\\y2d"), None);
        assert_eq!(fleet_unescape(b"a-b\\x2dc"), b"a/b-c");
        assert_eq!(fleet_unescape(b"\\x2"), b"\\x2");
        assert_eq!(fleet_unescape(b"\\xff"), b"\\xff");
    }

    #[test]
    fn paths_are_tidied() {
        #[track_caller]
        fn case(path: &str, systemd: Option<&str>, go: &str) {
            assert_eq!(escape_path(path.as_bytes()).as_deref(), systemd, "{path}");
            assert_eq!(fleet_escape_path(path.as_bytes()), go, "{path}");
        }
        case("/srv//shop/", Some("srv-shop"), "srv-shop");
        case("/", Some("-"), "-");
        case("", Some("-"), "-");
        case("/./a", Some("a"), "\\x2e-a");
        case("/.a", Some("\\x2ea"), "\\x2ea");
        case("/a/../b", None, "a-..-b");
        case(".", None, "\\x2e");
    }

    #[test]
    fn paths_come_back() {
        assert_eq!(unescape_path(b"srv-shop").unwrap(), b"/srv/shop");
        assert_eq!(unescape_path(b"-").unwrap(), b"/");
        for bad in ["", "-a", "a-", "a--b", "a-..-b", "\\x2e"] {
            assert_eq!(unescape_path(bad.as_bytes()), None, "{bad}");
        }
    }
}
