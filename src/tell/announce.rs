//! Words for what happens to an announcement: a line for each.

use std::time::Duration;

use crate::announce::{Announcement, Fate, Note, Reason};
use crate::error::CommandError;
use crate::moment::span;
use crate::visible::line;

/// The greatest number of characters of another's value that are shown.
const SHOWN: usize = 100;

/// Writes a note.
#[must_use]
pub fn text(note: &Note, announcement: &Announcement) -> String {
    let key = line(announcement.key());
    let text = match note {
        Note::Announced(reason) => announced(reason, announcement),
        Note::GaveWay(value) if value == announcement.value().as_bytes() => {
            format!("warning: `{key}` is kept by another with the same value, and left to it")
        }
        Note::GaveWay(value) => {
            let value = shown(value);
            format!("warning: `{key}` holds `{value}`, which another wrote, and is left to it")
        }
        Note::Trouble { error, fate } => trouble(error, *fate, &key),
        Note::Lapsed => format!("warning: `{key}` may have lapsed"),
        Note::Recovered(true) => format!("etcd answers again, and `{key}` is still announced"),
        Note::Recovered(false) => "etcd answers again".to_owned(),
        Note::TakenBack => format!("took back `{key}`"),
        Note::Ended => format!("ended; `{key}` was not announced from here"),
        Note::Abandoned(error, left) => {
            let reason = match error {
                Some(error) => chain(error),
                None => "etcd did not answer in time".to_owned(),
            };
            let end = lapse(&key, *left);
            format!("warning: `{key}` was not taken back: {reason}; {end}")
        }
    };
    format!("{text}\n")
}

fn announced(reason: &Reason, announcement: &Announcement) -> String {
    let [key, value] = [announcement.key(), announcement.value()].map(line);
    let ttl = announcement.ttl();
    let (again, why) = match reason {
        Reason::First => ("", String::new()),
        Reason::InPlaceOf(other) => ("", format!(", in the place of `{}`", shown(other))),
        Reason::InPlaceOfItself => ("", ", as it was already".to_owned()),
        Reason::Deleted => (" again", ": somebody had deleted it".to_owned()),
        Reason::Lapsed => (" again", ": it had lapsed".to_owned()),
        Reason::Overwritten => (" again", ": somebody had changed it".to_owned()),
        Reason::Free => (" again", ": the other one is gone".to_owned()),
    };
    format!("announced `{key}`{again} as `{value}`, for {ttl} s at a time{why}")
}

fn trouble(error: &CommandError, fate: Fate, key: &str) -> String {
    let chain = chain(error);
    let kind = if error.may_pass { "warning" } else { "error" };
    let fate = match fate {
        Fate::NotYet => format!("; `{key}` is not announced yet"),
        Fate::Kept => format!("; `{key}` is kept as it is"),
        Fate::Left(left) => format!("; {}", lapse(key, left)),
        Fate::Elsewhere => String::new(),
    };
    let help = if chain.contains("permission denied") {
        format!("; help: `etcdctl role grant-permission ROLE readwrite {key}`")
    } else {
        String::new()
    };
    format!("{kind}: {chain}{fate}{help}")
}

/// Writes an error with its causes in one line.
fn chain(error: &CommandError) -> String {
    let mut parts = vec![error.message.clone()];
    parts.extend(error.causes());
    line(&parts.join(": "))
}

fn lapse(key: &str, left: Duration) -> String {
    if left.is_zero() {
        return format!("`{key}` may have lapsed");
    }
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    format!("`{key}` lapses in {}", span(seconds))
}

/// Writes another's value.
fn shown(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    line(&shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(note: &Note, expected: &str) {
        let announcement = Announcement::new("/announce/a/b/1", "core-1:5000", 60).unwrap();
        assert_eq!(text(note, &announcement), format!("{expected}\n"));
    }

    #[test]
    fn each_note_is_one_line() {
        case(
            &Note::Announced(Reason::InPlaceOf(b"a\n\x1b\xff".to_vec())),
            "announced `/announce/a/b/1` as `core-1:5000`, for 60 s at a time, in the place of \
             `a\u{fffd}\u{fffd}\u{fffd}`",
        );
        case(
            &Note::Announced(Reason::InPlaceOfItself),
            "announced `/announce/a/b/1` as `core-1:5000`, for 60 s at a time, as it was already",
        );
        case(
            &Note::Announced(Reason::Overwritten),
            "announced `/announce/a/b/1` again as `core-1:5000`, for 60 s at a time: somebody had \
             changed it",
        );
        case(
            &Note::GaveWay(b"core-1:5000".to_vec()),
            "warning: `/announce/a/b/1` is kept by another with the same value, and left to it",
        );
        let long = "x".repeat(SHOWN);
        case(
            &Note::GaveWay(format!("{long}y").into_bytes()),
            &format!(
                "warning: `/announce/a/b/1` holds `{long}…`, which another wrote, and is left to it"
            ),
        );
        case(&Note::Recovered(false), "etcd answers again");
        case(
            &Note::Abandoned(None, Duration::from_millis(39_001)),
            "warning: `/announce/a/b/1` was not taken back: etcd did not answer in time; \
             `/announce/a/b/1` lapses in 40 s",
        );
    }

    #[test]
    fn troubles_say_what_becomes_of_it() {
        let error = || CommandError::remote("can't read `/a`").because("etcd: permission denied");
        let fate = Fate::Kept;
        case(
            &Note::Trouble {
                error: error(),
                fate,
            },
            "error: can't read `/a`: etcd: permission denied; `/announce/a/b/1` is kept as it is; \
             help: `etcdctl role grant-permission ROLE readwrite /announce/a/b/1`",
        );
        let mut error = CommandError::remote("can't reach etcd").because("a\nb");
        error.may_pass = true;
        let fate = Fate::Left(Duration::ZERO);
        case(
            &Note::Trouble { error, fate },
            "warning: can't reach etcd: a\u{fffd}b; `/announce/a/b/1` may have lapsed",
        );
    }
}
