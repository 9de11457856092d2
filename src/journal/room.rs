//! Which releases are dropped, lest a journal grow for ever.

use crate::error::{CommandError, Status};
use crate::journal::{Outcome, get, key};
use crate::store::Store;
use crate::store::transaction::Operation;

/// How many releases are kept at most, beside the last one that was complete.
pub const RELEASES_MAXIMUM: u64 = 100;

/// How many releases are kept at least, however long they are.
pub const RELEASES_MINIMUM: u64 = 10;

/// How many bytes they may have together before the oldest go.
pub const LENGTH_MAXIMUM: usize = 8 << 20;

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

/// Returns the number of the first release that is kept beside a new one of so many bytes.
fn first_kept(number: u64, length: usize) -> u64 {
    let fitting = (LENGTH_MAXIMUM / length.max(1)) as u64;
    let kept = fitting.clamp(RELEASES_MINIMUM, RELEASES_MAXIMUM);
    (number + 1).saturating_sub(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_the_fewer_are_kept() {
        assert_eq!(first_kept(1, 100), 0);
        assert_eq!(first_kept(100, 100), 1);
        assert_eq!(first_kept(101, 100), 2);
        assert_eq!(first_kept(1_000, 400_000), 981);
        assert_eq!(first_kept(1_000, 1_400_000), 991);
    }
}
