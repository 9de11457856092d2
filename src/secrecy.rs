//! Keeps what looks like a secret out of what is shown.
//!
//! In: a text that is about to be shown. Out: the same, as long, with stars in place of the values that
//! stand behind a secret's name. It knows no grammar: a value that is hidden needlessly costs less than
//! one that is shown.

use std::borrow::Cow;

/// Parts of names whose values nobody should see, in lower case.
const NAMES: [&str; 23] = [
    "password",
    "passwd",
    "passphrase",
    "requirepass",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "private_key",
    "credential",
    "_pass",
    "_pwd",
    "_pw",
    "_key",
    "_pat",
    "_dsn",
    "_auth",
    "authorization",
    "salt",
    "webhook",
    "bearer",
];

/// How values begin that are secrets whatever they are called: tokens of well-known services.
const TOKENS: [&str; 16] = [
    "AKIA",
    "ASIA",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "sk_live_",
    "rk_live_",
    "SG.",
    "eyJ",
    "hooks.slack.com/",
    "-----BEGIN ",
];

/// Returns the text with stars in place of values that look like secrets: those behind the name of one
/// (`NAME=value`, `NAME: value`, `--name value`), the passwords of addresses and accounts
/// (`://user:password@`, `-u user:password`), and tokens of well-known services.
#[must_use]
pub fn masked(text: &str) -> Cow<'_, str> {
    let mut hidden = named(text);
    hidden.extend(of_addresses(text));
    hidden.extend(of_accounts(text));
    hidden.extend(tokens(text));
    if hidden.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut shown = text.as_bytes().to_vec();
    for (start, end) in hidden {
        shown[start..end].fill(b'*');
    }
    Cow::Owned(String::from_utf8_lossy(&shown).into_owned())
}

/// Returns the values behind the names of secrets.
fn named(text: &str) -> Vec<(usize, usize)> {
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    let mut done = 0;
    while let Some((at, name)) = next_name(&lower, done) {
        found.extend(value(text, at, at + name));
        done = at + name;
    }
    found
}

/// Returns the passwords of addresses; all of an account where it is one word, which may be a token.
fn of_addresses(text: &str) -> Vec<(usize, usize)> {
    let accounts = text.match_indices("://").filter_map(|(at, mark)| {
        let start = at + mark.len();
        let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '`');
        let end = text[start..]
            .find(ends)
            .map_or(text.len(), |end| start + end);
        let account = &text[start..start + text[start..end].rfind('@')?];
        let password = account.find(':').map_or(0, |colon| colon + 1);
        Some((start + password, start + account.len()))
    });
    accounts
        .filter(|(start, end)| is_value(&text[*start..*end]))
        .collect()
}

/// Returns the passwords of `-u user:password`. A pair of numbers is a user and a group.
fn of_accounts(text: &str) -> Vec<(usize, usize)> {
    let options = [" -u ", " --user ", " --user="];
    let options = options.iter().flat_map(|option| text.match_indices(option));
    let accounts = options.filter_map(|(at, option)| {
        let start = at + option.len();
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'');
        let end = text[start..]
            .find(ends)
            .map_or(text.len(), |end| start + end);
        let colon = start + text[start..end].find(':')? + 1;
        let is_number = text[colon..end].bytes().all(|byte| byte.is_ascii_digit());
        (!is_number && is_value(&text[colon..end])).then_some((colon, end))
    });
    accounts.collect()
}

/// Returns the tokens of well-known services.
fn tokens(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for token in TOKENS {
        for (at, _) in text.match_indices(token) {
            let is_inside = text[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
            let start = at + token.len();
            let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | '}');
            let end = if token.starts_with('-') {
                // A key in its armour has blanks.
                text[start..]
                    .find(['\n', '"', '\''])
                    .map_or(text.len(), |end| start + end)
            } else {
                text[start..]
                    .find(ends)
                    .map_or(text.len(), |end| start + end)
            };
            if !is_inside && end - start >= TOKEN_LENGTH {
                found.push((start, end));
            }
        }
    }
    found
}

/// What stands behind the beginning of a token is at least so long.
const TOKEN_LENGTH: usize = 12;

/// Tells whether there is a value that could be a secret: what only refers to one shows none.
fn is_value(text: &str) -> bool {
    !text.is_empty() && !text.starts_with(['$', '{', '<', '%', '*'])
}

/// Returns the next name at or behind a place, and its length.
fn next_name(lower: &str, from: usize) -> Option<(usize, usize)> {
    let bytes = lower.as_bytes();
    (from..bytes.len()).find_map(|at| {
        if !matches!(
            bytes[at],
            b'p' | b'r' | b's' | b't' | b'a' | b'b' | b'c' | b'w' | b'_'
        ) {
            return None;
        }
        let name = NAMES
            .iter()
            .find(|name| bytes[at..].starts_with(name.as_bytes()))?;
        Some((at, name.len()))
    })
}

/// Returns where the value behind a name begins and ends, if there is one.
fn value(text: &str, start: usize, end: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let mut at = end;
    at += bytes[at..].iter().take_while(|byte| is_name(byte)).count();
    let before = bytes[..start].iter().rposition(|byte| !is_name(byte));
    let is_option = bytes[before.map_or(0, |at| at + 1)..start].starts_with(b"--");
    let is_kind = text[start..end].eq_ignore_ascii_case("bearer") && at == end;
    let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'' | b'\\' | b'`');
    at += bytes[at..].iter().take_while(|byte| is_quote(byte)).count();
    let blanks = bytes[at..].iter().take_while(|byte| **byte == b' ').count();
    at += blanks;
    match bytes.get(at) {
        Some(b'=' | b':') if bytes.get(at + 1) != Some(&b'/') => at += 1,
        // An option, or a kind of authorization, whose value is the next word.
        Some(byte) if blanks > 0 && (is_option || is_kind) && *byte != b'-' => {}
        _ => return None,
    }
    at += bytes[at..].iter().take_while(|byte| **byte == b' ').count();
    let opening = bytes[at..].iter().take_while(|byte| is_quote(byte)).count();
    at += opening;
    // What only refers to a value shows none.
    if matches!(
        bytes.get(at),
        None | Some(b'$' | b'{' | b'[' | b'%' | b'\n' | b'=' | b'*')
    ) {
        return None;
    }
    let is_quoted = opening > 0 || before.is_some_and(|at| is_quote(&bytes[at]));
    let ends = |byte: &u8| {
        matches!(byte, b'"' | b'\'' | b'\n' | b'`')
            || (!is_quoted && matches!(byte, b' ' | b'\t' | b'\r' | b',' | b'}'))
    };
    let length = bytes[at..].iter().position(ends);
    let end = length.map_or(text.len(), |length| at + length);
    (end > at).then_some((at, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str, expected: &str) {
        assert_eq!(masked(text), expected);
        assert_eq!(masked(text).len(), text.len());
    }

    #[test]
    fn values_behind_the_names_of_secrets_are_hidden() {
        case(
            "Environment=DB_PASSWORD=hunter2 B",
            "Environment=DB_PASSWORD=******* B",
        );
        case("\"API_TOKEN=two words\" C=1", "\"API_TOKEN=*********\" C=1");
        case(
            "# mysql_password = hunter2\nnext",
            "# mysql_password = *******\nnext",
        );
        case(
            "{DB_PASSWORD: hunter2, B: 1}",
            "{DB_PASSWORD: *******, B: 1}",
        );
        case("run --password hunter2 -x", "run --password ******* -x");
        case("Secret=ä b", "Secret=** b");
        case("A_TOKEN=a B_TOKEN=b", "A_TOKEN=* B_TOKEN=*");
        case(
            "MYSQL_PWD=ab --requirepass cd",
            "MYSQL_PWD=** --requirepass **",
        );
        case("SSH_KEY_FILE=/a SALT=b", "SSH_KEY_FILE=/a SALT=*");
        case(
            "-H \"Authorization: Bearer abc\"",
            "-H \"Authorization: **********\"",
        );
        case("Bearer abc", "Bearer ***");
    }

    #[test]
    fn passwords_of_addresses_and_accounts_are_hidden() {
        case(
            "A=postgres://shop:pw@db/shop B",
            "A=postgres://shop:**@db/shop B",
        );
        case("redis://:p@w@h:1/0", "redis://:***@h:1/0");
        case("https://abc@sentry.io/1", "https://***@sentry.io/1");
        case(
            "http://h:80/a@b http://$U:$P@h",
            "http://h:80/a@b http://$U:$P@h",
        );
        case("curl -u me:pw x", "curl -u me:** x");
        case("docker run -u 1000:1000 x", "docker run -u 1000:1000 x");
    }

    #[test]
    fn tokens_of_services_are_hidden() {
        case("X=AKIAIOSFODNN7EXAMPLE y", "X=AKIA**************** y");
        case("ghp_0123456789abcdef", "ghp_****************");
        case(
            "eyJ eyJx MAKIA0123456789abcdef",
            "eyJ eyJx MAKIA0123456789abcdef",
        );
        case(
            "A=\"-----BEGIN PRIVATE KEY-----\\nabc\"",
            "A=\"-----BEGIN *********************\"",
        );
    }

    #[test]
    fn any_text_can_be_looked_at() {
        case("ä\u{a0}token=ß\u{a0}c", "ä\u{a0}token=*****");
        case("token=", "token=");
        case("\u{a0}secret", "\u{a0}secret");
    }

    #[test]
    fn what_is_no_value_stays() {
        for text in [
            "",
            "`DB_PASSWORD` stands in the unit",
            "-e API_TOKEN image",
            "PASSWORD=${FROM_ELSEWHERE}",
            "TOKEN=%i",
            "required: [DB_PASSWORD]",
            "token",
        ] {
            case(text, text);
        }
    }
}
