//! A JSON object with a member for each variable.
//!
//! As `heroku config --json` and `dokku config:export --format json` write it: all values are strings.
//! A number, `true` or `false` is taken as it is spelled, with a warning; `null`, an array and an object
//! say nothing that an environment can hold.

use crate::config::import::draft::Draft;
use crate::config::import::tree::{self, Kind};

/// Reads a text.
pub(super) fn read(text: &[u8], draft: &mut Draft) {
    let Some(root) = tree::read(text, draft) else {
        return;
    };
    let Kind::Object(members) = root.kind else {
        draft.error(root.at, "this is not an object".to_owned());
        return;
    };
    for member in members {
        let Some(name) = draft.name(member.at + 1, member.name.as_bytes()) else {
            continue;
        };
        let value = match member.node.kind {
            Kind::Text(text) => text.into_bytes(),
            Kind::Bare(b"null") => {
                draft.error(member.node.at, format!("`{name}` is null, not a string"));
                continue;
            }
            Kind::Bare(word) => {
                let reason = format!("`{name}` is not a string; it is taken as it is spelled");
                draft.warning(member.node.at, reason);
                word.to_vec()
            }
            Kind::List(_) | Kind::Object(_) => {
                let reason = format!("`{name}` is an array or an object, not a string");
                draft.error(member.node.at, reason);
                continue;
            }
        };
        draft.set(member.at, name, value);
    }
}
