//! Words for who has the locks of apps.
//!
//! In: holders, and the time. Out: lines for people, and JSON.

use serde_json::{Value as Json, json};

use crate::lock::Holder;
use crate::moment::moment;
use crate::visible::{line, line_start};

/// Writes a line for each lock.
#[must_use]
pub fn lines(holders: &[Holder], now: u64) -> String {
    let width = |of: fn(&Holder) -> &str| {
        let widths = holders
            .iter()
            .map(|holder| line(of(holder)).chars().count());
        widths.max().unwrap_or(0)
    };
    let app = width(|holder| &holder.app);
    let author = width(|holder| &holder.author);
    let action = width(|holder| &holder.action);
    let mut text = String::new();
    for holder in holders {
        let written = format!(
            "{:app$}  {:author$}  {:action$}  {}",
            line_start(&holder.app),
            line(&holder.author),
            line(&holder.action),
            since(holder, now)
        );
        text.push_str(written.trim_end());
        text.push('\n');
    }
    text
}

/// Writes for whom somebody waits.
#[must_use]
pub fn waiting(holder: &Holder, now: u64) -> String {
    format!("waiting: {}\n", holder.told(now))
}

/// Writes that a lock was taken away, and from whom.
#[must_use]
pub fn taken(holder: &Holder, now: u64) -> String {
    let since = match since(holder, now) {
        since if since.is_empty() => since,
        since => format!(" {since}"),
    };
    format!(
        "{}: taken away from {}, who had it{since}: {}\n",
        line_start(&holder.app),
        line(&holder.author),
        line(&holder.action)
    )
}

fn since(holder: &Holder, now: u64) -> String {
    match holder.since {
        0 => String::new(),
        time => format!("since {} ({})", moment(time), holder.age(now)),
    }
}

/// Returns locks for programs.
pub fn json<'a>(holders: impl IntoIterator<Item = &'a Holder>, now: u64) -> Json {
    let one = |holder: &Holder| {
        let Holder {
            app,
            author,
            since,
            action,
            revision: _,
            lease: _,
        } = holder;
        json!({
            "app": app, "author": author, "action": action, "since": since,
            "seconds": now.saturating_sub(*since),
        })
    };
    holders.into_iter().map(one).collect()
}
