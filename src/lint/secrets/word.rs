//! What looks like a secret within a word.
//!
//! In: one word, unquoted. Out: the name of what it is the value of, and the value. Knows no rule.

use std::borrow::Cow;

/// What a secret is the value of, and the value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Secret<'a> {
    /// How it is called, as a message shows it.
    pub(super) name: Cow<'a, str>,
    /// The value.
    pub(super) value: &'a str,
}

/// Returns the secret within a word: `NAME=secret`, also behind an option's name, an address with a
/// password, or a header.
pub(super) fn within(word: &str, is_script: bool) -> Option<Secret<'_>> {
    let mut rest = word;
    while let Some((name, value)) = rest.split_once('=') {
        if !is_name(name) {
            break;
        }
        if is_secret(name) && name != "--secret" {
            let name = name
                .strip_prefix("-e")
                .filter(|_| !name.starts_with("--"))
                .unwrap_or(name);
            return is_plain(value, is_script).then(|| Secret {
                name: Cow::Owned(format!("`{name}`")),
                value,
            });
        }
        rest = value;
    }
    if let Some(value) = password_of_address(word) {
        return is_plain(value, is_script).then_some(Secret {
            name: Cow::Borrowed("an address with its password"),
            value,
        });
    }
    let (header, value) = word.split_once(':')?;
    let value = value.trim().rsplit(' ').next()?;
    (header.eq_ignore_ascii_case("authorization") && is_plain(value, is_script)).then_some(Secret {
        name: Cow::Borrowed("an `Authorization` header"),
        value,
    })
}

/// Returns the secret that is an option's value in the next word.
pub(super) fn behind<'a>(option: &'a str, word: &'a str, is_script: bool) -> Option<Secret<'a>> {
    let is_option = option.starts_with("--") && option != "--secret" && is_name(option);
    (is_option && is_secret(option) && !word.starts_with('-') && is_plain(word, is_script)).then(
        || Secret {
            name: Cow::Owned(format!("`{option}`")),
            value: word,
        },
    )
}

/// Returns the password in an address of the form `scheme://user:password@host`.
fn password_of_address(word: &str) -> Option<&str> {
    let (_, rest) = word.split_once("://")?;
    let end = rest.find(['/', '?', '#', ' ', '"', '\'', ',']);
    let (account, _) = rest[..end.unwrap_or(rest.len())].rsplit_once('@')?;
    account.split_once(':').map(|(_, password)| password)
}

fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    !name.is_empty() && name.chars().all(is_part)
}

/// Tells whether a variable's or an option's name is that of a secret: what it ends in decides.
fn is_secret(name: &str) -> bool {
    const ENDS: [&str; 10] = [
        "password",
        "passwd",
        "passphrase",
        "requirepass",
        "secret",
        "token",
        "apikey",
        "credential",
        "credentials",
        "secretkey",
    ];
    const WORDS: [&str; 3] = ["pass", "pwd", "pw"];
    const KEYS: [&str; 11] = [
        "api",
        "access",
        "auth",
        "cookie",
        "encryption",
        "master",
        "private",
        "secret",
        "session",
        "signing",
        "ssh",
    ];
    let is = |word: &str, list: &[&str]| list.iter().any(|one| word.eq_ignore_ascii_case(one));
    let mut words = name.rsplit(['_', '-', '.']).filter(|word| {
        // A number only tells several apart.
        !word.bytes().all(|byte| byte.is_ascii_digit())
    });
    let Some(last) = words.next() else {
        return false;
    };
    let before = words.next().unwrap_or_default();
    if is(last, &["public"])
        || name
            .split(['_', '-', '.'])
            .any(|word| is(word, &["public"]))
    {
        return false;
    }
    let ends = |end: &&str| {
        let start = last.len().checked_sub(end.len());
        start.is_some_and(|start| {
            last.is_char_boundary(start) && last[start..].eq_ignore_ascii_case(end)
        })
    };
    ENDS.iter().any(ends)
        || (is(last, &WORDS) && !before.is_empty())
        || (is(last, &["key"]) && is(before, &KEYS))
        || (is(last, &["base"])
            && is(before, &["key"])
            && words.next().is_some_and(|word| is(word, &["secret"])))
}

/// Tells whether a value is the secret itself.
pub(super) fn is_plain(value: &str, is_script: bool) -> bool {
    const WORDS: [&str; 18] = [
        "yes",
        "no",
        "true",
        "false",
        "on",
        "off",
        "0",
        "1",
        "none",
        "null",
        "nil",
        "changeme",
        "change_me",
        "change-me",
        "replaceme",
        "replace_me",
        "placeholder",
        "unset",
    ];
    let is_reference = if is_script {
        value.contains(['$', '`'])
    } else {
        // Doubled they are plain characters.
        value.replace("$$", "").contains('$')
    };
    let has_specifier = value.contains('%') && value.replace("%%", "").contains('%');
    let is_path =
        value.starts_with(['/', '@']) || value.starts_with("./") || value.starts_with("file:");
    let is_pattern = (value.starts_with('<') && value.ends_with('>'))
        || value.contains("{{")
        || value
            .bytes()
            .all(|byte| matches!(byte, b'x' | b'X' | b'*' | b'.' | b'-' | b'_' | b'?'));
    let is_word = WORDS.iter().any(|word| value.eq_ignore_ascii_case(word))
        || value.to_ascii_lowercase().starts_with("your");
    // `MAX_TOKEN=512` is a count.
    let is_count = value.len() < 4 && value.bytes().all(|byte| byte.is_ascii_digit());
    !(value.is_empty()
        || is_count
        || is_reference
        || has_specifier
        || is_path
        || is_pattern
        || is_word)
}

/// Tells whether a text may hold a secret at all, be it only by an option's name. Nearly no text
/// does, so this looks at little: at names before `=`, and for what only a few commands have.
pub(super) fn has_hint(text: &str) -> bool {
    const WORDS: [&str; 6] = ["://", "login", "mysql", "mariadb", "curl", "uthorization:"];
    let bytes = text.as_bytes();
    let mut names = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'=');
    names.any(|(end, _)| ends_like_secret(&bytes[..end]))
        || WORDS.iter().any(|word| text.contains(word))
}

/// Tells whether a command's word may be the option of a secret, or a script that has one.
pub(super) fn has_option(word: &[u8]) -> bool {
    let option = |start: usize| {
        let is_name =
            |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let name = word[start..].iter().take_while(is_name);
        ends_like_secret(&word[start..start + name.count()])
    };
    if word.starts_with(b"--") {
        return option(0);
    }
    word.contains(&b' ')
        && (0..word.len().saturating_sub(1)).any(|at| &word[at..at + 2] == b"--" && option(at))
}

/// Tells whether a name may end as that of a secret does: by its last letters.
fn ends_like_secret(name: &[u8]) -> bool {
    let Some(end) = name.last_chunk::<3>() else {
        return name.eq_ignore_ascii_case(b"pw");
    };
    // The last of password, passwd, passphrase, pass, secret, token, key, credential(s), pwd, pw.
    matches!(
        &end.map(|byte| byte.to_ascii_lowercase()),
        b"ord" | b"swd" | b"ase" | b"ass" | b"ret" | b"ken" | b"key" | b"ial" | b"als" | b"pwd"
    ) || end[1..].eq_ignore_ascii_case(b"pw")
        || end[2].is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_name_decides() {
        for name in [
            "PASSWORD",
            "MYSQL_ROOT_PASSWORD",
            "PGPASSWORD",
            "DB_PASS",
            "DB_PWD",
            "API_KEY",
            "apiKey2_API_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "SECRET_KEY_BASE",
            "GITHUB_TOKEN",
            "dbPassword",
            "PASSWORD_2",
            "--requirepass",
            "spring.datasource.password",
            "CLIENT_SECRET",
            "GOOGLE_CREDENTIALS",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "PASSWORD_FILE",
            "TOKEN_URL",
            "AWS_ACCESS_KEY_ID",
            "PUBLIC_KEY",
            "PWD",
            "OLDPWD",
            "KEY",
            "--key",
            "BYPASS",
            "PASSWORD_MIN_LENGTH",
            "TOKENS",
            "SECRET_NAME",
            "COMPASS",
            "PUBLIC_API_KEY",
            "",
            "--service_account_private_key_file",
            "password-stdin",
            "MONKEY",
            "SSH_AUTH_SOCK",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn only_plain_values_are_secrets() {
        for value in [
            "hunter2", "a b", "100%%", "p$$w", "secret", "password", "0123",
        ] {
            assert!(is_plain(value, false), "{value}");
        }
        for value in [
            "",
            "$A",
            "${A}",
            "x${A}",
            "%i",
            "/run/secrets/a",
            "file:/a",
            "<password>",
            "{{ a }}",
            "x-x",
            "****",
            "changeme",
            "CHANGE_ME",
            "your-password",
            "true",
            "None",
        ] {
            assert!(!is_plain(value, false), "{value}");
        }
        assert!(!is_plain("p$$w", true));
    }

    #[test]
    fn a_hint_is_part_of_each_name() {
        for text in [
            "DB_PASSWORD=a",
            "a.secret=b",
            "API_KEY=a",
            "PASSWORD_2=a",
            "DB_PW=a",
            "SECRET_KEY_BASE=a",
            "a://b:c@d/",
            "curl",
            "mysql -p",
            "Authorization: a",
        ] {
            assert!(has_hint(text), "{text}");
        }
        for text in [
            "[Service]\nExecStart=/usr/bin/docker run --rm --name app app:1\n",
            "PASSWORD_FILE=/a --name b",
        ] {
            assert!(!has_hint(text), "{text}");
        }
        assert!(has_option(b"--x-token") && has_option(b"exec a --password b"));
        assert!(!has_option(b"--name") && !has_option(b"exec a --name b") && !has_option(b"-"));
    }
}
