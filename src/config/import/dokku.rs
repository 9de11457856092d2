//! `dokku config:export`: assignments for a shell.
//!
//! As dokku 0.11 and later write it (`plugins/config/environment.go`): with `--format exports`, which is
//! the default, a line `export NAME='value'` for each variable, sorted; with `--format shell`, all
//! of them in one line as `NAME='value'` with blanks between. A single quote within a value is `'\''`,
//! and a line feed is itself, so that a value may go over several lines. dokku 0.4 to 0.10 wrote the
//! same lines (`dokku config --export`), but left single quotes as they are: such a value is a mistake
//! here, or one that a shell reads just so.
//!
//! `--format json` is the format `json`, and `--format envfile` is `dotenv`.

use crate::config::import::draft::{Draft, beginning};
use crate::config::import::shell::{Dialect, assignments};

/// Reads a text.
pub(super) fn read(text: &[u8], draft: &mut Draft) {
    let dialect = Dialect {
        several_in_a_line: true,
        line_feeds: false,
    };
    assignments(text, beginning(text), dialect, draft);
}
