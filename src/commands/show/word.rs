//! Text from a unit file as a terminal can show it.
//!
//! In: words and messages, which may hold anything. Out: text in which each character is seen, and
//! in a word also where it begins and ends. Knows nothing of what the words are.

/// Writes a word as systemd would take it, but for `%` and `$`: as it is, or in double quotes.
pub(super) fn shown_word(word: &[u8]) -> String {
    let mut text = String::new();
    for chunk in word.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => text.extend(['\\', c]),
                _ => push_shown(&mut text, c),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    let is_plain = text.as_bytes() == word && !text.contains(['\'', ' ']);
    if is_plain && !text.is_empty() && text != ";" {
        text
    } else {
        format!("\"{text}\"")
    }
}

/// Writes a message, which is no word and stays as it is wherever it can.
pub(super) fn shown_text(message: &str) -> String {
    let mut text = String::new();
    for c in message.chars() {
        push_shown(&mut text, c);
    }
    text
}

/// Adds a character, or systemd's escape of one that is not seen.
fn push_shown(text: &mut String, c: char) {
    let code = u32::from(c);
    match c {
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        _ if is_seen(c) => text.push(c),
        _ if c.is_ascii() => text.push_str(&format!("\\x{code:02x}")),
        _ if code < 0x10000 => text.push_str(&format!("\\u{code:04x}")),
        _ => text.push_str(&format!("\\U{code:08x}")),
    }
}

/// Tells whether a character, standing behind another one, is seen as itself.
fn is_seen(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    // What Rust itself takes for unprintable; a mark that joins another character is not.
    !c.is_whitespace() && format!("a{c}").escape_debug().count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_show_where_they_begin_and_end() {
        #[track_caller]
        fn case(word: &[u8], expected: &str) {
            assert_eq!(shown_word(word), expected);
        }
        for plain in [
            "-e",
            "${A}",
            "$A",
            "%",
            "a;b",
            "#",
            "caf\u{e9}",
            "e\u{301}",
            "\u{2615}\u{fe0f}",
        ] {
            case(plain.as_bytes(), plain);
        }
        case(b"", "\"\"");
        case(b";", "\";\"");
        case(b"two words", "\"two words\"");
        case(b"it's", "\"it's\"");
        case(b"a\"b\\c", "\"a\\\"b\\\\c\"");
        case(b"a\nb\tc\x1b[0m\r", "\"a\\nb\\tc\\x1b[0m\\r\"");
        case(b"a\xffb", "\"a\\xffb\"");
        case(
            "a\u{a0}\u{85}\u{200b}\u{202e}\u{feff}".as_bytes(),
            "\"a\\u00a0\\u0085\\u200b\\u202e\\ufeff\"",
        );
        case("\u{e0001}".as_bytes(), "\"\\U000e0001\"");
    }

    #[test]
    fn messages_do_nothing_to_a_terminal() {
        assert_eq!(
            shown_text("a \"b\" \\ \u{1b}[31m\n"),
            "a \"b\" \\ \\x1b[31m\\n"
        );
    }
}
