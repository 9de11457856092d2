//! The bounds of a rollout, as a command line says them.

use clap::Args;

use crate::commands::etcd::time;
use crate::error::CommandError;
use crate::manifest::forms::Span;
use crate::model::Deploy;

/// Bounds that go before those of the manifest.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Bounds, in place of what the manifest's `deploy` says")]
pub struct BoundsFlags {
    /// How many instances of a process serve at any time [default: all but one]
    #[arg(long, value_name = "N")]
    min_alive: Option<u32>,
    /// How many instances more than wanted may run for a while [default: 1]
    #[arg(long, value_name = "N")]
    max_growth: Option<u32>,
    /// For how long an instance must be up before the next one's turn [default: 10]
    #[arg(long, value_name = "SECONDS")]
    ready_secs: Option<u32>,
    /// How long one instance may take, such as `90s` or `5m` [default: 25m]
    #[arg(long, value_name = "TIME")]
    timeout: Option<String>,
    /// How many instances of a process may fail before the rest is left as it is [default: 0]
    #[arg(long, value_name = "N")]
    max_failures: Option<u32>,
}

impl BoundsFlags {
    /// Returns what was said.
    ///
    /// # Errors
    /// Says what is no time.
    pub fn given(&self) -> Result<Deploy, CommandError> {
        let timeout = self.timeout.as_deref();
        let timeout = timeout.map(|text| time("--timeout", text)).transpose()?;
        Ok(Deploy {
            min_alive: self.min_alive,
            max_growth: self.max_growth,
            ready_secs: self.ready_secs,
            timeout: timeout.map(Span),
            max_failures: self.max_failures,
            health: None,
        })
    }
}
