//! The flag that lays values over the manifest, which commands share.
//!
//! In: what was typed. Out: a loaded manifest with it. Knows nothing of what it means.

use clap::Args;

use crate::commands::{Invocation, Loaded};
use crate::error::CommandError;
use crate::overrides::Override;

/// What is laid over the manifest.
#[derive(Debug, Clone, Default, Args)]
pub struct Overrides {
    /// Put a value in the place of the manifest's, above all files: `APP.KEY=VALUE`, keys joined by
    /// dots, as in `hub.versions=v42`; `null` takes a key away. Several times, the later over the
    /// earlier
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = parse)]
    pub given: Vec<Override>,
}

/// Whatever is wrong with it is said with the other mistakes of a manifest.
#[expect(clippy::unnecessary_wraps, reason = "clap wants a result")]
fn parse(text: &str) -> Result<Override, String> {
    Ok(Override::new(text))
}

impl Invocation {
    /// Reads the manifests with values laid over them, which stay for whatever is loaded after it. A
    /// secret among them is warned of.
    ///
    /// # Errors
    /// Says which file can't be read.
    pub fn load_over(&mut self, overrides: &Overrides) -> Result<Loaded, CommandError> {
        self.overrides.clone_from(&overrides.given);
        for path in overrides.given.iter().filter_map(Override::secret) {
            let message = format!(
                "`--set {path}` looks like a secret, and others see a command line: `unitgen config` is for it"
            );
            self.output.warning(&message);
        }
        self.load()
    }
}
