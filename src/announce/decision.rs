//! What is to be done with what stands at the key.
//!
//! In: what was read, and what the announcement has been so far. Out: one of three things to do. Knows
//! nothing of etcd, nor of time.

use crate::announce::Reason;
use crate::store::Entry;

/// What an announcement has been so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It was never there.
    Starting,
    /// It was there.
    Announced,
    /// Another one was there in its place.
    Aside,
}

/// Who announces, as far as it can be seen at a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Announcer<'a> {
    /// The value.
    pub(super) value: &'a [u8],
    /// The lease; 0 where there is none.
    pub(super) lease: i64,
    /// What the announcement has been so far.
    pub(super) standing: Standing,
    /// Whether a lease has ended since it was last there.
    pub(super) has_lapsed: bool,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision<'a> {
    /// Nothing: it is there.
    Rest,
    /// It is to be written if the key was last written at this revision; 0 for none.
    Write(i64, Reason),
    /// Nothing: another one is there.
    GiveWay(&'a Entry),
}

impl Announcer<'_> {
    /// Decides what is to be done.
    pub(super) fn decide<'a>(&self, found: Option<&'a Entry>) -> Decision<'a> {
        let Some(entry) = found else {
            let reason = match self.standing {
                Standing::Starting => Reason::First,
                Standing::Announced if self.has_lapsed => Reason::Lapsed,
                Standing::Announced => Reason::Deleted,
                Standing::Aside => Reason::Free,
            };
            return Decision::Write(0, reason);
        };
        let is_same = entry.value == self.value;
        if self.lease != 0 && entry.lease == self.lease {
            // What hangs on this lease is kept by nobody else.
            return if is_same {
                Decision::Rest
            } else {
                Decision::Write(entry.revision, Reason::Overwritten)
            };
        }
        match self.standing {
            Standing::Starting if is_same => {
                Decision::Write(entry.revision, Reason::InPlaceOfItself)
            }
            Standing::Starting => {
                let reason = Reason::InPlaceOf(entry.value.clone());
                Decision::Write(entry.revision, reason)
            }
            // One with the same value is another one all the same: it started later.
            Standing::Announced | Standing::Aside => Decision::GiveWay(entry),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINE: &[u8] = b"a:1";
    const OTHER: &[u8] = b"b:1";

    fn entry(value: &[u8], lease: i64) -> Entry {
        Entry {
            key: "/a".to_owned(),
            value: value.to_vec(),
            revision: 7,
            lease,
        }
    }

    fn announcer(standing: Standing, lease: i64) -> Announcer<'static> {
        Announcer {
            value: MINE,
            lease,
            standing,
            has_lapsed: false,
        }
    }

    #[test]
    fn where_nobody_is_it_is_written() {
        #[track_caller]
        fn case(standing: Standing, has_lapsed: bool, reason: Reason) {
            let announcer = Announcer {
                has_lapsed,
                ..announcer(standing, 3)
            };
            assert_eq!(announcer.decide(None), Decision::Write(0, reason));
        }
        case(Standing::Starting, false, Reason::First);
        case(Standing::Starting, true, Reason::First);
        case(Standing::Announced, false, Reason::Deleted);
        case(Standing::Announced, true, Reason::Lapsed);
        case(Standing::Aside, false, Reason::Free);
    }

    #[test]
    fn the_newest_start_wins_and_gives_way_from_then_on() {
        let (other, same) = (entry(OTHER, 4), entry(MINE, 4));
        let starting = announcer(Standing::Starting, 0);
        let reason = Reason::InPlaceOf(OTHER.to_vec());
        assert_eq!(starting.decide(Some(&other)), Decision::Write(7, reason));
        let reason = Reason::InPlaceOfItself;
        assert_eq!(starting.decide(Some(&same)), Decision::Write(7, reason));
        for standing in [Standing::Announced, Standing::Aside] {
            for lease in [0, 3] {
                for found in [&other, &same, &entry(OTHER, 0), &entry(MINE, 0)] {
                    let decision = announcer(standing, lease).decide(Some(found));
                    assert_eq!(decision, Decision::GiveWay(found));
                }
            }
        }
    }

    #[test]
    fn what_hangs_on_its_lease_is_its_own() {
        for standing in [Standing::Starting, Standing::Announced, Standing::Aside] {
            let announcer = announcer(standing, 3);
            assert_eq!(announcer.decide(Some(&entry(MINE, 3))), Decision::Rest);
            assert_eq!(
                announcer.decide(Some(&entry(OTHER, 3))),
                Decision::Write(7, Reason::Overwritten)
            );
        }
    }
}
