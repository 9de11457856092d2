//! `unitgen lock`.

use clap::Parser;
use serde_json::json;

use crate::commands::etcd::EtcdConnection;
use crate::commands::{Format, Invocation};
use crate::error::{CommandError, Status};
use crate::lock::{Holder, holders, list, take_away};
use crate::name::AppName;
use crate::store::Store;
use crate::tell::json::escaped;
use crate::tell::lock;

/// Shows who has the lock of which app, or takes locks away.
///
/// Whoever rolls out an app has its lock in etcd, and nobody else rolls it out meanwhile. The lock of
/// somebody who is gone without a word ends by itself within a minute. Where one is taken away, what goes
/// on under it stops at its next step. Ends with 1 where nobody has a lock that is to be taken away.
#[derive(Debug, Parser)]
pub struct Args {
    /// The apps [default: all]
    #[arg(value_name = "APP")]
    apps: Vec<String>,
    /// Take the locks of these apps away from whoever has them
    #[arg(long, requires = "apps")]
    release: bool,
    /// How the result is written
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    etcd: EtcdConnection,
}

/// Runs the command.
///
/// # Errors
/// Says what is wrong with the arguments, that nobody has a lock that is to be taken away, what etcd
/// answered, or that it did not.
pub fn run(args: &Args, invocation: &mut Invocation) -> Result<Status, CommandError> {
    let mut apps = args.apps.clone();
    apps.sort_unstable();
    apps.dedup();
    for app in &apps {
        AppName::new(app).map_err(|error| CommandError::trouble(error.to_string()))?;
    }
    let store = args.etcd.store(&invocation.settings)?;
    if args.release {
        return release(&store, &apps, args.format, invocation);
    }
    let found = if apps.is_empty() {
        list(&store)?
    } else {
        holders(&store, &apps)?
    };
    let now = invocation.settings.now;
    match args.format {
        Format::Json => {
            let value = json!({"format_version": 1, "locks": lock::json(&found, now)});
            invocation.output.result(&escaped(&format!("{value:#}\n")));
        }
        Format::Text if found.is_empty() => {
            let message = match apps.as_slice() {
                [] => "no app is locked\n".to_owned(),
                apps => format!("nobody has the lock of {}\n", quoted(apps)),
            };
            invocation.output.message(&message);
        }
        Format::Text => invocation.output.result(&lock::lines(&found, now)),
    }
    Ok(Status::Done)
}

/// Takes locks away.
fn release(
    store: &Store,
    apps: &[String],
    format: Format,
    invocation: &mut Invocation,
) -> Result<Status, CommandError> {
    let found = holders(store, apps)?;
    let mut released: Vec<&Holder> = Vec::new();
    let mut failed = None;
    for holder in &found {
        match take_away(store, holder) {
            Ok(true) => released.push(holder),
            Ok(false) => {
                failed.get_or_insert(changed(&holder.app));
            }
            // The others would fare no better.
            Err(error) => {
                let message = format!("can't take the lock of `{}` away", holder.app);
                failed = Some(error.under(message));
                break;
            }
        }
    }
    let now = invocation.settings.now;
    let is_held = |app: &String| found.iter().any(|holder| holder.app == *app);
    let free: Vec<String> = apps.iter().filter(|app| !is_held(app)).cloned().collect();
    let text = match format {
        Format::Text => {
            let taken = released.iter().map(|holder| lock::taken(holder, now));
            taken.collect()
        }
        Format::Json => {
            let locks = lock::json(released.iter().copied(), now);
            let value = json!({"format_version": 1, "released": locks, "free": free});
            escaped(&format!("{value:#}\n"))
        }
    };
    invocation.output.result(&text);
    if let Some(mut error) = failed {
        if !released.is_empty() {
            error.status = Status::Partial;
        }
        return Err(error);
    }
    if free.is_empty() {
        return Ok(Status::Done);
    }
    let message = format!("nobody has the lock of {}", quoted(&free));
    let mut error = CommandError::trouble(message);
    error.status = Status::Found;
    Err(error)
}

/// Returns the error of a lock that is not the one any more that was seen.
fn changed(app: &str) -> CommandError {
    let message = format!("the lock of `{app}` changed meanwhile, and is left as it is");
    CommandError::refused(message).help(format!("`unitgen lock {app}` shows who has it"))
}

fn quoted(apps: &[String]) -> String {
    let names: Vec<String> = apps.iter().map(|app| format!("`{app}`")).collect();
    names.join(", ")
}
