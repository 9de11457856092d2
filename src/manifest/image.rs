//! Names of images, as docker reads them.
//!
//! In: text. Out: the name with what it pins (a tag, a digest), or why docker would refuse it. Knows
//! nothing of registries.

use std::fmt;

use crate::manifest::forms::from_text;

/// A name that docker accepts: `[registry/]path[:tag][@digest]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageName {
    text: String,
    has_tag: bool,
    has_digest: bool,
    is_latest: bool,
}

impl ImageName {
    /// Checks a name.
    ///
    /// # Errors
    /// Says which part docker would refuse.
    pub fn parse(text: &str) -> Result<Self, String> {
        let error = |reason: &str| {
            let shown = text.escape_debug();
            Err(format!("docker takes no image named `{shown}`: {reason}"))
        };
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let last = name.rfind('/').map_or(0, |at| at + 1);
        let (name, tag) = match name[last..].split_once(':') {
            Some((path, tag)) => (&name[..last + path.len()], Some(tag)),
            None => (name, None),
        };
        if name.is_empty() {
            return error("the name is empty");
        }
        let mut parts = name.split('/').peekable();
        let first = parts.peek().copied().unwrap_or_default();
        let is_registry = name.contains('/')
            && (first.contains(['.', ':'])
                || first == "localhost"
                || first != first.to_lowercase());
        if is_registry {
            parts.next();
            let (host, port) = first.split_once(':').unwrap_or((first, "1"));
            if !host.split('.').all(is_host_label) || port.parse::<u16>().is_err() {
                return error("the registry is `host` or `host:port`");
            }
        }
        for part in parts {
            if !is_path_component(part) {
                return error(
                    "between slashes stand a-z and 0-9, with single `.`, `_` and `-` inside",
                );
            }
        }
        if name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return error("64 hexadecimal digits are an image's id");
        }
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if let Some(tag) = tag
            && (!tag.starts_with(word)
                || tag.len() > 128
                || !tag.chars().all(|c| word(c) || matches!(c, '.' | '-')))
        {
            return error("a tag has A-Z, a-z, 0-9, `_`, `.` and `-`, at most 128");
        }
        if let Some(digest) = digest
            && !is_digest(digest)
        {
            return error("a digest is `sha256:` and 64 hexadecimal digits");
        }
        Ok(Self {
            text: text.to_owned(),
            has_tag: tag.is_some(),
            has_digest: digest.is_some(),
            is_latest: digest.is_none() && matches!(tag, None | Some("latest")),
        })
    }

    /// Returns the name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Tells whether the name says which version it means.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.has_tag || self.has_digest
    }

    /// Tells whether the name stands for whatever is newest.
    #[must_use]
    pub fn is_latest(&self) -> bool {
        self.is_latest
    }
}

fn is_host_label(label: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    label.starts_with(alphanumeric)
        && label.ends_with(alphanumeric)
        && label.chars().all(|c| alphanumeric(c) || c == '-')
}

fn is_path_component(part: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = part.split(alphanumeric).filter(|run| !run.is_empty());
    part.starts_with(alphanumeric)
        && part.ends_with(alphanumeric)
        && separators
            .into_iter()
            .all(|run| matches!(run, "." | "_" | "__") || run.bytes().all(|byte| byte == b'-'))
}

fn is_digest(digest: &str) -> bool {
    digest.split_once(':').is_some_and(|(algorithm, hex)| {
        let letters = |c: char| c.is_ascii_alphanumeric() || "+.-_".contains(c);
        !algorithm.is_empty()
            && algorithm.chars().all(letters)
            && hex.len() >= 32
            && (algorithm != "sha256" || hex.len() == 64)
            && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

impl fmt::Display for ImageName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

from_text!(ImageName, "an image's name as docker takes it", "type": "string", "pattern": "^[^ ]+$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_docker_takes() {
        for (text, pinned, latest) in [
            ("redis", false, true),
            ("redis:7", true, false),
            ("redis:latest", true, true),
            ("registry.internal:5000/watchlisthub", false, true),
            ("localhost/a/b-c_d.e:v1.10", true, false),
            ("a--b/c__d", false, true),
        ] {
            let image = ImageName::parse(text).unwrap();
            assert_eq!(
                (image.is_pinned(), image.is_latest()),
                (pinned, latest),
                "{text}"
            );
        }
        let digest = format!("redis@sha256:{}", "0".repeat(64));
        assert!(ImageName::parse(&digest).unwrap().is_pinned());
    }

    #[test]
    fn names_that_docker_refuses() {
        #[track_caller]
        fn case(text: &str, reason: &str) {
            let expected = format!("docker takes no image named `{text}`: {reason}");
            assert_eq!(ImageName::parse(text).unwrap_err(), expected);
        }
        let path = "between slashes stand a-z and 0-9, with single `.`, `_` and `-` inside";
        case("", "the name is empty");
        case("Redis", path);
        case("a b", path);
        case("a//b", path);
        case("a/b..c", path);
        case("-a", path);
        case(
            "a:b:c",
            "a tag has A-Z, a-z, 0-9, `_`, `.` and `-`, at most 128",
        );
        case(
            "a:",
            "a tag has A-Z, a-z, 0-9, `_`, `.` and `-`, at most 128",
        );
        case("r.io:99999/a", "the registry is `host` or `host:port`");
        case(
            "a@sha256:12",
            "a digest is `sha256:` and 64 hexadecimal digits",
        );
    }
}
