//! A command of a POSIX shell: `export NAME='value'`.
//!
//! Within single quotes everything is itself but a single quote, which is written `'\''`. So any bytes
//! can be written. What can't be are the names that a shell keeps for itself.

use crate::config::variable::{Name, Value};

/// Names whose values a shell (dash, bash) sets itself, or that end a script which sets them.
const OWN_NAMES: [&str; 27] = [
    "BASHOPTS",
    "BASHPID",
    "BASH_ALIASES",
    "BASH_ARGC",
    "BASH_ARGV",
    "BASH_CMDS",
    "BASH_COMMAND",
    "BASH_LINENO",
    "BASH_SOURCE",
    "BASH_SUBSHELL",
    "BASH_VERSINFO",
    "DIRSTACK",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "EUID",
    "FUNCNAME",
    "GROUPS",
    "HISTCMD",
    "LINENO",
    "OPTIND",
    "PPID",
    "RANDOM",
    "SECONDS",
    "SHELLOPTS",
    "SRANDOM",
    "UID",
    "_",
];

/// Writes a command.
pub(super) fn line(name: &Name, value: &Value) -> Result<Vec<u8>, &'static str> {
    if OWN_NAMES.contains(&name.as_str()) {
        return Err("a shell sets a variable of this name itself");
    }
    let mut line = format!("export {name}='").into_bytes();
    for byte in value.as_bytes() {
        match byte {
            b'\'' => line.extend(b"'\\''"),
            _ => line.push(*byte),
        }
    }
    line.extend(b"'\n");
    Ok(line)
}
