//! fleet's pages: offsets into a list that is made anew for each request, in sixteen bits.

/// Which page of a list is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token {
    limit: u16,
    page: u16,
}

/// A page, or a server that stumbled over its own arithmetic.
pub(super) enum Page<T> {
    /// The entries, and the next page's token.
    Entries(Vec<T>, Option<String>),
    /// A slice that ends before it begins: the handler panics.
    Panic,
}

impl Token {
    /// Reads the query's tokens, or says what fleet says.
    pub(super) fn read(tokens: &[&str], limit: u16) -> Result<Self, String> {
        let token = match tokens {
            [] => return Ok(Self { limit, page: 1 }),
            [token] => token,
            _ => return Err("too many values for page token".to_owned()),
        };
        let bytes = decode(token)?;
        let [a, b, c, d] = match bytes.get(..4) {
            Some(bytes) => <[u8; 4]>::try_from(bytes).unwrap(),
            None if bytes.is_empty() => return Err("EOF".to_owned()),
            None => return Err("unexpected EOF".to_owned()),
        };
        let token = Self {
            limit: u16::from_le_bytes([a, b]),
            page: u16::from_le_bytes([c, d]),
        };
        if token.limit != limit {
            return Err(format!("token limit must be {limit}"));
        }
        if token.page == 0 {
            return Err("token page must be greater than zero".to_owned());
        }
        Ok(token)
    }

    /// Takes the page out of a list.
    pub(super) fn take<T: Clone>(self, all: &[T]) -> Page<T> {
        let start = usize::from((self.page - 1).wrapping_mul(self.limit));
        let stop = usize::from(self.page.wrapping_mul(self.limit));
        if start >= all.len() {
            return Page::Entries(Vec::new(), None);
        }
        if stop > all.len() {
            return Page::Entries(all[start..].to_vec(), None);
        }
        let next = Self {
            limit: self.limit,
            page: self.page.wrapping_add(1),
        };
        match all.get(start..stop) {
            Some(entries) => Page::Entries(entries.to_vec(), Some(next.encode())),
            None => Page::Panic,
        }
    }

    fn encode(self) -> String {
        let [a, b] = self.limit.to_le_bytes();
        let [c, d] = self.page.to_le_bytes();
        let character = |bits: u32| char::from(ALPHABET[(bits & 63) as usize]);
        let first = u32::from_be_bytes([0, a, b, c]);
        let second = u32::from_be_bytes([0, d, 0, 0]);
        let text = [18, 12, 6, 0].map(|shift| character(first >> shift));
        let rest = [18, 12].map(|shift| character(second >> shift));
        text.iter().chain(&rest).chain(&['=', '=']).collect()
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Decodes base64 as Go does, with its message.
fn decode(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for (index, quantum) in text.as_bytes().chunks(4).enumerate() {
        let illegal = |at: usize| format!("illegal base64 data at input byte {}", index * 4 + at);
        let padding = quantum
            .iter()
            .rev()
            .take_while(|byte| **byte == b'=')
            .count();
        let mut bits = 0_u32;
        for (at, byte) in quantum[..quantum.len() - padding].iter().enumerate() {
            let value = ALPHABET.iter().position(|letter| letter == byte);
            let value = value.ok_or_else(|| illegal(at))?;
            bits = bits << 6 | u32::try_from(value).unwrap();
        }
        if quantum.len() < 4 || padding > 2 {
            return Err(illegal(0));
        }
        bits <<= 6 * padding;
        bytes.extend_from_slice(&bits.to_be_bytes()[1..4 - padding]);
    }
    Ok(bytes)
}
