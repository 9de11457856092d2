//! Go's buffered reader, as far as its habits show in what fleet reads.
//!
//! In: bytes, all there from the start. Out: characters and lines as Go
//! delivers them, and whether a long line happens to lie in the buffer.
//!
//! It must not know what a unit file is.

/// The bytes fleet's reader holds at a time.
const BUFFER_SIZE: usize = 4096;

/// The length from which a physical line is too long, if so much of it
/// happens to be in the buffer.
const LINE_LIMIT: usize = 2048;

/// Go's buffered reader over a text that is all there.
pub(super) struct Reader<'a> {
    source: &'a [u8],
    position: usize,
    /// How far the source has been taken into the buffer.
    buffered: usize,
    /// The first line end at or after the position, once looked for.
    line_end: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a [u8]) -> Self {
        Self {
            source,
            position: 0,
            buffered: 0,
            line_end: 0,
        }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// Puts the character just read back.
    pub(super) fn go_back(&mut self, position: usize) {
        self.position = position;
    }

    /// Tells whether 2048 bytes happen to be in the buffer and none of them
    /// ends a line.
    pub(super) fn shows_long_line(&mut self) -> bool {
        if self.buffered - self.position < LINE_LIMIT {
            return false;
        }
        if self.line_end < self.position {
            let rest = &self.source[self.position..];
            let length = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            self.line_end = self.position + length.unwrap_or(rest.len());
        }
        self.line_end - self.position >= LINE_LIMIT
    }

    /// Reads to the end of the line or of the file, and tells which it was.
    pub(super) fn line(&mut self) -> (&'a [u8], bool) {
        let (line, found) = self.until(b'\n');
        if found {
            (line, false)
        } else {
            (line.strip_suffix(b"\r").unwrap_or(line), true)
        }
    }

    /// Reads up to and over a byte; returns what stands before it.
    pub(super) fn until(&mut self, delimiter: u8) -> (&'a [u8], bool) {
        let start = self.position;
        let mut searched = start;
        loop {
            let window = &self.source[searched..self.buffered];
            if let Some(length) = window.iter().position(|&byte| byte == delimiter) {
                self.position = searched + length + 1;
                return (&self.source[start..searched + length], true);
            }
            searched = self.buffered;
            if self.buffered == self.source.len() {
                self.position = self.buffered;
                return (&self.source[start..], false);
            }
            if self.buffered - self.position >= BUFFER_SIZE {
                // A full buffer is handed on whole, which is why a long line
                // can slip past the check of its length.
                self.position = self.buffered;
            }
            self.fill();
        }
    }

    fn fill(&mut self) {
        self.buffered = (self.position + BUFFER_SIZE).min(self.source.len());
    }

    /// Reads one character; a byte that starts none becomes U+FFFD.
    pub(super) fn character(&mut self) -> Option<char> {
        loop {
            let ahead = &self.source[self.position..self.buffered];
            let complete = !ahead.is_empty() && !is_cut_off(ahead);
            if complete || self.buffered == self.source.len() {
                break;
            }
            self.fill();
        }
        let (character, length) = first_character(&self.source[self.position..])?;
        self.position += length;
        Some(character)
    }
}

/// Tells whether the bytes are the beginning of a character and stop in it.
fn is_cut_off(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(4)];
    match std::str::from_utf8(start) {
        Ok(_) => false,
        Err(error) => error.valid_up_to() == 0 && error.error_len().is_none(),
    }
}

/// Returns the first character and its length, as Go decodes it.
fn first_character(bytes: &[u8]) -> Option<(char, usize)> {
    let first = *bytes.first()?;
    if first.is_ascii() {
        return Some((char::from(first), 1));
    }
    let start = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default(),
    };
    let character = valid.chars().next();
    Some(
        character.map_or((char::REPLACEMENT_CHARACTER, 1), |character| {
            (character, character.len_utf8())
        }),
    )
}

/// Strips Unicode blanks at both ends, as Go does.
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let Some((character, length)) = first_character(bytes)
        && character.is_whitespace()
    {
        bytes = &bytes[length..];
    }
    loop {
        // A character is looked for from its last possible first byte.
        let tail = &bytes[bytes.len().saturating_sub(4)..];
        let Some(start) = tail.iter().rposition(|byte| byte & 0xc0 != 0x80) else {
            return bytes;
        };
        let last = &tail[start..];
        match first_character(last) {
            Some((character, length)) if length == last.len() && character.is_whitespace() => {
                bytes = &bytes[..bytes.len() - length];
            }
            _ => return bytes,
        }
    }
}

/// Returns the text as Go's JSON carries it: each bad byte one U+FFFD.
pub(super) fn wire_text(mut bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    loop {
        match std::str::from_utf8(bytes) {
            Ok(rest) => {
                text.push_str(rest);
                return text;
            }
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                text.push_str(std::str::from_utf8(valid).unwrap_or_default());
                text.push(char::REPLACEMENT_CHARACTER);
                bytes = rest.get(1..).unwrap_or_default();
            }
        }
    }
}
