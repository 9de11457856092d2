//! A line of systemd's `EnvironmentFile=`: `NAME="value"`.
//!
//! As systemd 252 reads it (`src/basic/env-file.c`): within double quotes a backslash takes the meaning
//! from `"`, `\`, `` ` `` and `$`, and everything else is itself, line feeds too; nothing is expanded.
//! Older versions take any byte behind a backslash for itself, and so read the same. A file that is not
//! UTF-8 is refused as a whole. Then (`env_value_is_valid` in `src/basic/env-util.c`) a variable is
//! dropped that has a control character other than tab and line feed; what systemd takes for UTF-8 has
//! no noncharacters.

use crate::config::export::{NOT_UTF8, escaped};
use crate::config::variable::{Name, Value};

/// Tells whether a character is one of those that Unicode never assigns.
fn is_noncharacter(c: char) -> bool {
    let code = u32::from(c);
    code & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&code)
}

/// Writes a line.
pub(super) fn line(name: &Name, value: &Value) -> Result<Vec<u8>, &'static str> {
    let text = value.as_text().ok_or(NOT_UTF8)?;
    if text.contains(|c: char| c.is_ascii_control() && c != '\t' && c != '\n') {
        return Err("the value has a control character other than tab and line feed");
    }
    if text.contains(is_noncharacter) {
        return Err("the value has a noncharacter of Unicode, which systemd takes for no UTF-8");
    }
    let mut line = format!("{name}=\"").into_bytes();
    line.extend(escaped(text.as_bytes(), b"\"\\`$"));
    line.extend(b"\"\n");
    Ok(line)
}
