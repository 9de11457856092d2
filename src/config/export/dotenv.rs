//! An entry of a `.env` file: `NAME="value"`.
//!
//! The readers that are in use (bkeepers/dotenv for Ruby, motdotla/dotenv for Node.js, python-dotenv,
//! joho/godotenv, compose-go) agree on no escape: Node.js knows `\n` and `\r` alone, Ruby neither, and
//! Python has no `\$`. So a value stands in double quotes that needs no escape, with its line feeds as
//! they are, and in single quotes if that spares it one. Where a value has what neither holds, it stands
//! in double quotes with escapes, which Ruby, godotenv and compose-go undo. Python has no way to say
//! `${`, nor Ruby a carriage return.
//!
//! Ruby, Node.js and Python take a backslash before a closing quote for the escape of that quote, even
//! where it is escaped itself, and then go on into the next entry. A value that ends with one has no
//! quotes, which Ruby alone reads otherwise if it has more of them, or is refused.

use crate::config::export::{NOT_UTF8, escaped};
use crate::config::variable::{Name, Value};

/// Writes an entry.
pub(super) fn line(name: &Name, value: &Value) -> Result<Vec<u8>, &'static str> {
    let text = value.as_text().ok_or(NOT_UTF8)?;
    if !text.contains(['"', '\\', '$', '\r']) {
        return Ok(format!("{name}=\"{text}\"\n").into_bytes());
    }
    if text.ends_with('\\') {
        let is_bare = !text.contains(['#', '$', '\n', '\r'])
            && !text.starts_with(['"', '\'', '`'])
            && text.trim() == text;
        if !is_bare {
            return Err(
                "the value needs quotes and ends with a backslash, which would take the meaning from \
                 the closing one",
            );
        }
        return Ok(format!("{name}={text}\n").into_bytes());
    }
    // Python takes a backslash from `\\`.
    if !text.contains(['\'', '\r']) && !text.contains(r"\\") {
        return Ok(format!("{name}='{text}'\n").into_bytes());
    }
    let mut line = format!("{name}=\"").into_bytes();
    for byte in escaped(text.as_bytes(), b"\"\\$") {
        match byte {
            b'\r' => line.extend(b"\\r"),
            _ => line.push(byte),
        }
    }
    line.extend(b"\"\n");
    Ok(line)
}
