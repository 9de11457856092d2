//! Keeps what looks like a secret out of what is shown.
//!
//! In: a text that is about to be shown. Out: the same, as long, with stars in place of the values that
//! stand behind a secret's name, of passwords in addresses, and of known tokens. Of a unit's grammar it
//! knows how far a value goes, and no more: one that is hidden needlessly costs less than one that is
//! shown.

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
    starred(text, Grammar::Any)
}

/// Does the same with a unit's directive, in one line: what a comma or a brace ends elsewhere it does
/// not end there, and in `Environment=` nothing behind a secret's name refers to anything.
#[must_use]
pub fn masked_directive(line: &str) -> Cow<'_, str> {
    let grammar = if line.starts_with("Environment=") {
        Grammar::Environment
    } else {
        Grammar::Directive
    };
    starred(line, grammar)
}

/// Tells whether a name is one of those whose values nobody should see.
#[must_use]
pub fn names_secret(name: &str) -> bool {
    let example = format!("{name}=x");
    matches!(masked(&example), Cow::Owned(_))
}

/// By which rules a value ends, and what refers to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grammar {
    /// Any text.
    Any,
    /// A unit's directive.
    Directive,
    /// Assignments of variables. What stands behind a secret's is hidden to the line's end.
    Environment,
}

fn starred(text: &str, grammar: Grammar) -> Cow<'_, str> {
    let mut hidden = named(text, grammar);
    hidden.extend(of_addresses(text, grammar));
    hidden.extend(of_accounts(text, grammar));
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
fn named(text: &str, grammar: Grammar) -> Vec<(usize, usize)> {
    let lower = text.to_ascii_lowercase();
    let bytes = text.as_bytes();
    let has_quotes = text.contains(['"', '\'']);
    let mut found: Vec<(usize, usize)> = Vec::new();
    let mut done = 0;
    while let Some((at, name)) = next_name(&lower, done) {
        // The name ends where its word does; another one within it says nothing more.
        let rest = bytes[at + name..].iter();
        let end = at + name + rest.take_while(|byte| is_name(**byte)).count();
        done = end;
        // What is hidden already hides all names in it.
        if found.last().is_some_and(|(_, hidden)| at < *hidden) || is_path(&lower[at..end]) {
            continue;
        }
        if grammar == Grammar::Environment && bytes.get(end) == Some(&b'=') {
            let start = end + 1;
            let rest = &text[start..];
            // Where there are quotes it is not worth knowing in which of them a blank stands.
            let length = if has_quotes { None } else { rest.find(' ') };
            let end = start + length.unwrap_or(rest.len());
            found.extend(Some((start, end)).filter(|_| is_value(&text[start..end], grammar)));
            continue;
        }
        found.extend(value(text, at, end, grammar));
    }
    found
}

/// Tells whether a name is that of a file which holds a secret.
fn is_path(name: &str) -> bool {
    ["file", "path", "dir", "folder"]
        .iter()
        .any(|end| name.ends_with(end))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// Returns the passwords of addresses; all of an account where it is one word, which may be a token.
fn of_addresses(text: &str, grammar: Grammar) -> Vec<(usize, usize)> {
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
        .filter(|(start, end)| is_value(&text[*start..*end], grammar))
        .collect()
}

/// Returns the passwords of `-u user:password`. A pair of numbers is a user and a group.
fn of_accounts(text: &str, grammar: Grammar) -> Vec<(usize, usize)> {
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
        (!is_number && is_value(&text[colon..end], grammar)).then_some((colon, end))
    });
    accounts.collect()
}

/// Returns the tokens of well-known services.
fn tokens(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for token in TOKENS {
        let mut done = 0;
        for (at, _) in text.match_indices(token) {
            if at < done {
                continue;
            }
            if text[..at].ends_with(|c: char| c.is_ascii_alphanumeric()) {
                continue;
            }
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
            done = end;
            if end - start >= TOKEN_LENGTH {
                found.push((start, end));
            }
        }
    }
    found
}

/// What stands behind the beginning of a token is at least so long.
const TOKEN_LENGTH: usize = 12;

/// Tells whether there is a value that could be a secret: what only refers to one shows none.
fn is_value(text: &str, grammar: Grammar) -> bool {
    let mut bytes = text.bytes();
    let (first, second) = (bytes.next(), bytes.next());
    match first {
        None | Some(b'\n') => false,
        // A variable, of systemd's or of a shell's. `Environment=` has none.
        Some(b'$') => match grammar {
            Grammar::Any => false,
            Grammar::Directive => {
                second == Some(b'$') && !matches!(bytes.next(), Some(b'(' | b'{'))
            }
            Grammar::Environment => true,
        },
        // `%i` is systemd's, and `%%` is itself.
        Some(b'%') => second == Some(b'%') || text.len() > 2 && grammar == Grammar::Environment,
        Some(b'=' | b'*' | b'{' | b'[' | b'<') => grammar != Grammar::Any,
        _ => true,
    }
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

/// Returns where the value behind a name begins and ends, if there is one. The name begins at `start`,
/// within a word perhaps, and its word ends at `end`.
fn value(text: &str, start: usize, end: usize, grammar: Grammar) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let before = bytes[..start].iter().rposition(|byte| !is_name(*byte));
    let is_option = bytes[before.map_or(0, |at| at + 1)..start].starts_with(b"--");
    let is_kind = text[start..end].eq_ignore_ascii_case("bearer");
    let is_header = text[start..end].eq_ignore_ascii_case("authorization");
    let is_quote = |byte: &u8| matches!(byte, b'"' | b'\'' | b'\\' | b'`');
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    // A name in backticks is one in a message.
    if bytes.get(end) == Some(&b'`') {
        return None;
    }
    let mut at = end;
    at += bytes[at..].iter().take_while(|byte| is_quote(byte)).count();
    let blanks = bytes[at..].iter().take_while(is_blank).count();
    at += blanks;
    match bytes.get(at) {
        Some(b'=') => at += 1,
        Some(b':') if bytes.get(at + 1) != Some(&b'/') => at += 1,
        // An option, or a kind of authorization, whose value is the next word.
        Some(byte) if blanks > 0 && (is_option || is_kind) && *byte != b'-' => {}
        _ => return None,
    }
    at += bytes[at..].iter().take_while(is_blank).count();
    let opening = bytes[at..].iter().take_while(|byte| is_quote(byte)).count();
    at += opening;
    if !is_value(&text[at..], grammar) {
        return None;
    }
    let is_quoted = opening > 0 || before.is_some_and(|at| is_quote(&bytes[at]));
    let ends = |at: usize| {
        let is_escaped = at > 0 && bytes[at - 1] == b'\\';
        match bytes[at] {
            b'\n' => true,
            b'"' | b'\'' | b'`' => !is_escaped,
            b' ' | b'\t' | b'\r' => !is_quoted && !is_header,
            b',' | b'}' => !is_quoted && grammar == Grammar::Any,
            _ => false,
        }
    };
    let end = (at..bytes.len()).find(|at| ends(*at)).unwrap_or(text.len());
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
    fn a_units_values_end_where_their_words_do() {
        #[track_caller]
        fn case(line: &str, expected: &str) {
            assert_eq!(masked_directive(line), expected);
        }
        case(
            "Environment=DB_PASSWORD=$a,b}c",
            "Environment=DB_PASSWORD=******",
        );
        case(
            "Environment=A=1 DB_PASSWORD=a B=2",
            "Environment=A=1 DB_PASSWORD=* B=2",
        );
        case(
            "Environment=\"DB_PASSWORD=a \\\"b\" C=1",
            "Environment=\"DB_PASSWORD=**********",
        );
        case(
            "Environment=TOKEN_FILE=/run/token",
            "Environment=TOKEN_FILE=/run/token",
        );
        case(
            "ExecStart=/a -e PASSWORD=a,b}c d",
            "ExecStart=/a -e PASSWORD=***** d",
        );
        case(
            "ExecStart=/a --password\thunter2 d",
            "ExecStart=/a --password\t******* d",
        );
        case(
            "ExecStart=/a \"PASSWORD=a\\\"b c\" d",
            "ExecStart=/a \"PASSWORD=******\" d",
        );
        case(
            "ExecStart=/a -e PASSWORD=${PASSWORD}",
            "ExecStart=/a -e PASSWORD=${PASSWORD}",
        );
        case(
            "ExecStart=/a -e PASSWORD=%%b",
            "ExecStart=/a -e PASSWORD=***",
        );
    }

    #[test]
    fn long_texts_take_no_time() {
        for part in [
            "token",
            "password=",
            "SG.",
            "://a:",
            "a_key ",
            "bearer:x,",
            "token=a ",
        ] {
            assert!(masked(&part.repeat(40_000)).len() > 40_000);
        }
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
            "`--password` stands on a command line",
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
