//! `unitgen env file`.

use std::path::{Path, PathBuf};

use clap::Parser;

use crate::commands::Invocation;
use crate::commands::env::asked::Asked;
use crate::commands::env::{check_steering, formatted};
use crate::config::export::Format;
use crate::error::{CommandError, Status};
use crate::files::owned::{self, Owner};

/// Writes an app's variables to a file.
///
/// The file is there whole or not at all. It has its owner and its mode before it has its name, and nobody
/// else can read it at any moment. It is read back.
#[derive(Debug, Parser)]
pub struct Args {
    /// Where the file is to be
    #[arg(short, long, value_name = "PATH")]
    output: PathBuf,
    /// Who is to read it: `docker` (`--env-file`), `systemd` (`EnvironmentFile=`), `dotenv`, `shell` or `json`
    #[arg(long, value_name = "FORMAT", default_value = "docker")]
    format: Format,
    /// Whose it is to be: names of /etc/passwd and /etc/group, or numbers
    #[arg(long, value_name = "USER[:GROUP]")]
    owner: Option<String>,
    /// Who may do what with it, as an octal number
    #[arg(long, value_name = "MODE", default_value = "0600")]
    mode: String,
    // Behind the others, which would stand below its heading.
    #[command(flatten)]
    asked: Asked,
}

/// Runs the command.
///
/// # Errors
/// Says what is missing in etcd, that it is out of reach, which values the format can't hold, or why the
/// file can't be written.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let mode = mode(&args.mode)?;
    let owner = args.owner.as_deref().map(Owner::parse).transpose()?;
    let question = args.asked.question(invocation)?;
    let answered = args.asked.answered(&question, invocation)?;
    if matches!(args.format, Format::Shell | Format::Systemd) {
        check_steering(&question.request, &answered.given)?;
    }
    let text = formatted(args.format, &answered.given.all())?;
    if args.output == Path::new("-") {
        invocation.output.bytes(text.as_bytes());
    } else {
        let owner = owner.unwrap_or_default();
        owned::write(&args.output, text.as_bytes(), owner, mode)?;
    }
    args.asked
        .keep(&question, answered.fresh.as_ref(), invocation);
    Ok(Status::Done)
}

/// Reads a mode: an octal number that lets the owner read.
fn mode(text: &str) -> Result<u32, CommandError> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    let is_octal = !digits.is_empty() && digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let mode = u32::from_str_radix(digits, 8).ok();
    let mode = mode.filter(|mode| is_octal && *mode <= 0o777 && mode & 0o400 != 0);
    mode.ok_or_else(|| {
        CommandError::trouble(format!(
            "`{text}` is no mode of a file that its owner can read"
        ))
        .help("write one such as `0600` or `0640`")
    })
}
