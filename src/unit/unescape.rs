//! The backslash escapes of systemd's values.
//!
//! In: the text behind a backslash. Out: the byte or character it stands for.
//!
//! It must not know words or quotes.

/// What an escape stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::unit) enum Unescaped {
    /// One byte, whatever it means.
    Byte(u8),
    /// A code point; surrogates pass, as they do in systemd.
    CodePoint(u32),
}

impl Unescaped {
    /// Appends it to a text, a code point in UTF-8.
    pub(in crate::unit) fn push_to(self, text: &mut Vec<u8>) {
        match self {
            Self::Byte(byte) => text.push(byte),
            Self::CodePoint(code) => match char::from_u32(code) {
                Some(character) => {
                    let mut buffer = [0; 4];
                    text.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
                }
                // A surrogate: three bytes that are not UTF-8.
                None => text.extend([12, 6, 0].map(|shift| {
                    let lead: u8 = if shift == 12 { 0xe0 } else { 0x80 };
                    lead | u8::try_from(code >> shift & 0x3f).unwrap_or_default()
                })),
            },
        }
    }
}

/// Reads the escape behind a backslash; returns what it stands for and its
/// length, or `None` if systemd knows no such escape. NUL cannot be written.
pub(in crate::unit) fn unescape_one(text: &[u8]) -> Option<(Unescaped, usize)> {
    let byte = match text.first()? {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b's' => b' ',
        same @ (b'\\' | b'"' | b'\'') => *same,
        b'x' => {
            let byte = u8::try_from(number(text.get(1..3)?, 16)?).ok()?;
            return Some((Unescaped::Byte(byte), 3));
        }
        b'u' => return Some((Unescaped::CodePoint(number(text.get(1..5)?, 16)?), 5)),
        b'U' => {
            let code = number(text.get(1..9)?, 16)?;
            let valid = char::from_u32(code).is_some_and(|character| !is_noncharacter(character));
            return valid.then_some((Unescaped::CodePoint(code), 9));
        }
        b'0'..=b'7' => {
            let byte = u8::try_from(number(text.get(..3)?, 8)?).ok()?;
            return Some((Unescaped::Byte(byte), 3));
        }
        _ => return None,
    };
    Some((Unescaped::Byte(byte), 1))
}

/// Reads digits as a number other than zero.
fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let mut number: u32 = 0;
    for &digit in digits {
        number = number.checked_mul(radix)? + char::from(digit).to_digit(radix)?;
    }
    (number != 0).then_some(number)
}

/// Tells whether the character is one Unicode keeps free for internal use;
/// systemd counts text with one as invalid UTF-8.
pub(in crate::unit) fn is_noncharacter(character: char) -> bool {
    let code = u32::from(character);
    code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str, expected: Option<&[u8]>) {
        let unescaped = unescape_one(text.as_bytes()).map(|(unescaped, length)| {
            assert_eq!(length, text.len(), "{text}");
            let mut bytes = Vec::new();
            unescaped.push_to(&mut bytes);
            bytes
        });
        assert_eq!(unescaped.as_deref(), expected, "{text}");
    }

    #[test]
    fn known_escapes() {
        case("a", Some(b"\x07"));
        case("b", Some(b"\x08"));
        case("f", Some(b"\x0c"));
        case("n", Some(b"\n"));
        case("r", Some(b"\r"));
        case("t", Some(b"\t"));
        case("v", Some(b"\x0b"));
        case("s", Some(b" "));
        case("\\", Some(b"\\"));
        case("\"", Some(b"\""));
        case("'", Some(b"'"));
        case("x41", Some(b"A"));
        case("xfF", Some(b"\xff"));
        case("101", Some(b"A"));
        case("377", Some(b"\xff"));
        case("u00e9", Some("é".as_bytes()));
        case("ud800", Some(b"\xed\xa0\x80"));
        case("ufdd0", Some("\u{fdd0}".as_bytes()));
        case("U0001F600", Some("😀".as_bytes()));
    }

    #[test]
    fn unknown_escapes() {
        for text in [
            "",
            "d",
            "/",
            " ",
            "x",
            "x4",
            "xg1",
            "x00",
            "u123",
            "u0000",
            "U0000d800",
            "U0000fdd0",
            "U00110000",
            "Uffffffff",
            "000",
            "400",
            "08",
            "8",
        ] {
            case(text, None);
        }
    }
}
