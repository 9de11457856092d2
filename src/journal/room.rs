//! Which releases are dropped, lest a journal grow for ever: as many are kept as of a configuration's changes.

use crate::configuration::history::first_kept;
use crate::error::{CommandError, Status};
use crate::journal::{Outcome, get, key};
use crate::store::Store;
use crate::store::transaction::Operation;

/// Returns what drops the releases that there is no room for beside a new one of so many bytes.
pub(super) fn dropped(
    store: &Store,
    app: &str,
    numbers: &[u64],
    length: usize,
) -> Result<Vec<Operation>, CommandError> {
    let (Some(oldest), Some(last)) = (numbers.first(), numbers.last()) else {
        return Ok(Vec::new());
    };
    let first = first_kept(last + 1, length);
    if *oldest >= first {
        return Ok(Vec::new());
    }
    let mut ranges = vec![(0, first)];
    for number in numbers.iter().rev() {
        match get(store, app, *number) {
            Ok(Some(release)) if release.outcome == Outcome::Complete => {
                if *number < first {
                    ranges = vec![(0, *number), (number + 1, first)];
                }
                break;
            }
            Err(error) if error.status != Status::Trouble => return Err(error),
            _ => {}
        }
    }
    let range = |(from, to): (u64, u64)| Operation::DeleteRange {
        from: key(app, from),
        to: key(app, to),
    };
    let ranges = ranges.into_iter().filter(|(from, to)| from < to);
    Ok(ranges.map(range).collect())
}
