//! Where a rollout is locked and recorded: in etcd, or nowhere.
//!
//! In: flags and `Settings`. Out: locks and releases. Where nobody said where etcd is and none is there, all
//! goes on with neither, which is said once.

use std::time::Duration;

use clap::Args;

use crate::commands::Invocation;
use crate::commands::connection::Connection;
use crate::commands::etcd::{EtcdFlags, time};
use crate::error::CommandError;
use crate::interruption::Interruption;
use crate::journal::{self, Release};
use crate::lock::{self, Deed, Lock};
use crate::settings::{Settings, now};
use crate::store::{Access, Store};

/// Where locks and releases are.
#[derive(Debug, Clone, Default, Args)]
pub struct RegisterFlags {
    /// How long to wait where somebody else holds the lock, such as `90s` or `5m` [default: not at all]
    #[arg(long, value_name = "TIME")]
    lock_wait: Option<String>,
    /// Take no lock and record no release
    #[arg(long)]
    without_etcd: bool,
    #[command(flatten)]
    etcd: EtcdFlags,
}

/// The etcd that has locks and releases.
pub struct Register {
    access: Access,
    pub(in crate::commands) store: Store,
    wait: Duration,
}

impl RegisterFlags {
    /// Opens the register. Nothing where there is to be none, or where there is none and nobody said that
    /// there is; `needs_it` tells that nothing can be done without.
    ///
    /// # Errors
    /// Says what is wrong with a flag, or why etcd does not answer.
    pub fn open(
        &self,
        connection: &Connection,
        needs_it: bool,
        invocation: &mut Invocation,
    ) -> Result<Option<Register>, CommandError> {
        if self.without_etcd && needs_it {
            return Err(CommandError::trouble(
                "releases are in etcd: `--without-etcd` leaves none to go back to",
            ));
        }
        if self.without_etcd {
            return Ok(None);
        }
        let settings = &invocation.settings;
        let way = (connection.tunnel.as_ref(), connection.ssh_username.as_ref());
        let access = self.etcd.access(way, settings)?;
        let store = Store::new(access.clone())?;
        let wait = self.lock_wait.as_deref();
        let wait = wait.map(|text| time("--lock-wait", text)).transpose()?;
        match store.check_version() {
            Ok(()) => Ok(Some(Register {
                access,
                store,
                wait: wait.unwrap_or_default(),
            })),
            Err(error) if !needs_it && !self.is_said(settings) && error.is_nobody => {
                invocation.output.message(&format!(
                    "there is no etcd at {}: nothing is locked, and no release is recorded\n",
                    store.server()
                ));
                Ok(None)
            }
            Err(error) if needs_it => Err(error),
            Err(error) => {
                let help =
                    "without it nothing is locked, and no release is recorded: `--without-etcd`";
                Err(error.help(help))
            }
        }
    }

    /// Tells whether somebody said where etcd is.
    fn is_said(&self, settings: &Settings) -> bool {
        self.etcd.endpoints.is_some() || settings.etcd.endpoints.is_some()
    }
}

impl Register {
    /// Takes the locks of apps.
    ///
    /// # Errors
    /// Says who holds one, or what etcd answered.
    pub fn lock(
        &self,
        apps: &[String],
        action: &str,
        interruption: &Interruption,
        invocation: &mut Invocation,
    ) -> Result<Lock, CommandError> {
        let author = invocation.settings.author.clone();
        let deed = Deed {
            author: &author,
            action,
            time: now(),
        };
        let output = &mut invocation.output;
        let waits = |holder: &lock::Holder| {
            output.message(&format!("waiting: {}\n", holder.told(now())));
        };
        lock::acquire(
            self.access.clone(),
            apps,
            deed,
            self.wait,
            interruption,
            waits,
        )
    }

    /// Returns the last release of an app.
    ///
    /// # Errors
    /// Says what etcd answered, or that the record can't be read.
    pub fn last(&self, app: &str) -> Result<Option<Release>, CommandError> {
        journal::last(&self.store, app)
    }
}
