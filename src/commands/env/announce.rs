//! `unitgen env announce`.

use clap::Parser;

use crate::announce::{Announcement, keep};
use crate::commands::Invocation;
use crate::commands::etcd::EtcdConnection;
use crate::error::{CommandError, Status};
use crate::interruption::Interruption;
use crate::tell::announce::text;

/// Keeps a key in etcd while it runs, by a lease of its own.
///
/// It is what the unit beside an announced one runs. Three times in the life of a lease the key is looked
/// at and the lease renewed. SIGTERM takes the key back; a machine that is gone loses it when the lease
/// ends. While etcd is away it goes on trying, and says how long the key still lives.
///
/// Of several that announce one key, the one that started last has it. The others see that, write nothing
/// as long as it is there, and announce again when it is gone.
#[derive(Debug, Parser)]
pub struct Args {
    /// The key, an absolute path
    #[arg(long, value_name = "/KEY")]
    key: String,
    /// What it is to hold: where others reach what is announced
    #[arg(long, value_name = "HOST:PORT")]
    value: String,
    /// How long the key lives without being renewed, from 5 to 86400
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    ttl: u64,
    #[command(flatten)]
    etcd: EtcdConnection,
}

/// Runs the command. It returns when it is told to end.
///
/// # Errors
/// Says what is wrong with an option or a file that one names.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let announcement = Announcement::new(&args.key, &args.value, args.ttl)?;
    let mut access = args.etcd.access(&invocation.settings)?;
    access.limits = announcement.limits(access.limits);
    let interruption = Interruption::listen()
        .map_err(|error| CommandError::trouble("can't listen to signals").because(error))?;
    let output = &mut invocation.output;
    let shown = announcement.clone();
    keep(access, announcement, &interruption, |note| {
        output.message(&text(note, &shown));
    })?;
    Ok(Status::Done)
}
