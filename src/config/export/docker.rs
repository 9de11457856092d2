//! A line of docker's env-file: `NAME=value`, without quotes and escapes.
//!
//! As `pkg/kvfile` of docker's CLI 28 reads it: by Go's `bufio.Scanner`, which drops a carriage return at
//! a line's end and reads no line of 64 KiB or more, and refuses a file that is not UTF-8.

use crate::config::export::NOT_UTF8;
use crate::config::variable::{Name, Value};

/// The greatest length of a line in bytes: Go's `bufio.MaxScanTokenSize`, without the line feed.
const LINE_LENGTH_MAXIMUM: usize = 64 * 1024 - 1;

/// Writes a line.
pub(super) fn line(name: &Name, value: &Value) -> Result<Vec<u8>, &'static str> {
    let text = value.as_text().ok_or(NOT_UTF8)?;
    if text.contains('\n') {
        return Err("the value has a line feed, which a line can't hold");
    }
    if text.ends_with('\r') {
        return Err("the value ends with a carriage return, which docker drops");
    }
    let line = format!("{name}={text}\n");
    if line.len() > LINE_LENGTH_MAXIMUM + 1 {
        return Err("the line would have 64 KiB or more, which docker does not read");
    }
    Ok(line.into_bytes())
}
