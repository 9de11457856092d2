//! What the environment says: read once, here only.
//!
//! In: environment variables and what the streams are. Out: `Settings`. Knows nothing of commands.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]

use std::env;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

/// What the environment says.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The manifests where no `-f` is given: `UNITGEN_FILE`, several separated by `:`.
    pub files: Vec<PathBuf>,
    /// Colours on stdout.
    pub colored_results: bool,
    /// Colours on stderr.
    pub colored_messages: bool,
    /// The terminal's width in columns.
    pub width: usize,
    /// etcd's endpoints: `ETCDCTL_ENDPOINTS`.
    pub etcd_endpoints: Option<String>,
}

/// The width of a page where there is no terminal.
const PAGE_WIDTH: usize = 140;

impl Settings {
    /// Reads the environment.
    #[must_use]
    pub fn from_environment() -> Self {
        let text = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let colors = text("NO_COLOR").is_none() && text("TERM").as_deref() != Some("dumb");
        let files = env::var_os("UNITGEN_FILE").filter(|value| !value.is_empty());
        let columns = text("COLUMNS").and_then(|columns| columns.parse().ok());
        Self {
            files: files
                .map(|files| env::split_paths(&files).collect())
                .unwrap_or_default(),
            colored_results: colors && io::stdout().is_terminal(),
            colored_messages: colors && io::stderr().is_terminal(),
            width: columns.unwrap_or(PAGE_WIDTH),
            etcd_endpoints: text("ETCDCTL_ENDPOINTS"),
        }
    }
}
