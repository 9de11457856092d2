//! The `%` specifiers of systemd 252.
//!
//! In: a text with specifiers, the unit's name, what is known of the host.
//! Out: the text as systemd makes it, or why systemd refuses it. Specifiers
//! that only a host can answer stay as they are where the host is unknown. And
//! the version of systemd that brought each of them.
//!
//! It must not know which setting the text belongs to, nor look anything up.

use std::collections::BTreeMap;
use std::fmt;

use crate::directive::OLDEST_VERSION;
use crate::unit::escape::{unescape, unescape_path};
use crate::unit::name::UnitName;

/// Tells which specifiers a setting understands and how long its text may
/// grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// All of them: Exec arguments, descriptions and most other settings.
    Full,
    /// All of them, in a file's path.
    Path,
    /// All of them, in an environment assignment.
    Environment,
    /// Those that cannot bring in a slash: lists of unit names.
    UnitName,
}

impl Context {
    fn limit(self) -> usize {
        match self {
            Self::Full => 1024 * 1024,
            Self::Path => 4095,
            Self::Environment => 2 * 1024 * 1024,
            Self::UnitName => 256,
        }
    }
}

/// Holds the answers only the machine that loads a unit can give.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    answers: BTreeMap<char, String>,
}

impl Host {
    /// Returns the host nothing is known of: its specifiers stay in the text.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// Adds the answer to one specifier, as in `with('H', "core-1")`.
    #[must_use]
    pub fn with(mut self, specifier: char, answer: &str) -> Self {
        self.answers.insert(specifier, answer.to_owned());
        self
    }
}

/// Tells why systemd cannot expand a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecifierError {
    /// A letter or digit that stands for nothing here.
    Unknown(char),
    /// A part of the unit's name that cannot be unescaped.
    NotEscaped(char),
    /// More text than the setting takes.
    TooLong,
}

impl fmt::Display for SpecifierError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(letter) => write!(formatter, "unknown specifier `%{letter}`"),
            Self::NotEscaped(letter) => {
                write!(
                    formatter,
                    "`%{letter}` cannot be unescaped for this unit's name"
                )
            }
            Self::TooLong => formatter.write_str("the text becomes too long"),
        }
    }
}

impl std::error::Error for SpecifierError {}

impl SpecifierError {
    /// Returns what systemd says of it: the text of an error number.
    #[must_use]
    pub fn errno_text(self) -> &'static str {
        match self {
            Self::Unknown(_) => "Invalid slot",
            Self::NotEscaped(_) => "Invalid argument",
            Self::TooLong => "File name too long",
        }
    }
}

/// Writes text so that no specifier is seen in it: `%` doubled.
#[must_use]
pub fn escape_specifiers(text: &str) -> String {
    text.replace('%', "%%")
}

/// Tells whether the text has a specifier that stays in it, because only the
/// host could answer it.
#[must_use]
pub fn is_open(text: &[u8], context: Context, host: &Host) -> bool {
    open_specifiers(text, context, host).next().is_some()
}

/// Returns the letters of the specifiers that stay in the text, because only
/// the host could answer them, in their order and as often as they are there.
pub fn open_specifiers<'a>(
    text: &'a [u8],
    context: Context,
    host: &'a Host,
) -> impl Iterator<Item = char> + 'a {
    let mut rest = text.iter();
    let letters = std::iter::from_fn(move || {
        rest.find(|&&byte| byte == b'%')?;
        Some(rest.next().map_or('%', |&byte| char::from(byte)))
    });
    letters.filter(move |&letter| {
        let known = is_host_specifier(letter, context) && fixed_answer(letter).is_none();
        known && !"IJPfd".contains(letter) && !host.answers.contains_key(&letter)
    })
}

/// Expands the specifiers of one text. For a template the instance is empty,
/// as it is for a plain name.
///
/// # Errors
///
/// Returns why systemd drops or refuses what holds the text.
pub fn expand(
    text: &[u8],
    context: Context,
    unit: &UnitName,
    host: &Host,
) -> Result<Vec<u8>, SpecifierError> {
    let mut expanded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(length) = rest.iter().position(|&byte| byte == b'%') {
        expanded.extend_from_slice(&rest[..length]);
        rest = &rest[length + 1..];
        let Some((&letter, after)) = rest.split_first() else {
            expanded.push(b'%');
            break;
        };
        rest = after;
        match letter {
            b'%' => expanded.push(b'%'),
            _ if letter.is_ascii_alphanumeric() => {
                let answer = answer(char::from(letter), context, unit, host)?;
                expanded.extend_from_slice(&answer);
            }
            _ => expanded.extend_from_slice(&[b'%', letter]),
        }
        if expanded.len() > context.limit() {
            return Err(SpecifierError::TooLong);
        }
    }
    expanded.extend_from_slice(rest);
    if expanded.len() > context.limit() {
        return Err(SpecifierError::TooLong);
    }
    Ok(expanded)
}

fn answer(
    letter: char,
    context: Context,
    unit: &UnitName,
    host: &Host,
) -> Result<Vec<u8>, SpecifierError> {
    let unescaped =
        |text: &str| unescape(text.as_bytes()).ok_or(SpecifierError::NotEscaped(letter));
    let fixed = |text: &str| Ok(text.as_bytes().to_vec());
    match letter {
        'i' => return fixed(unit.instance().unwrap_or_default()),
        'j' => return fixed(last_component(unit)),
        'n' => return fixed(unit.as_str()),
        'N' => return fixed(unit.without_suffix()),
        'p' => return fixed(unit.prefix()),
        _ => {}
    }
    if !is_host_specifier(letter, context) {
        return Err(SpecifierError::Unknown(letter));
    }
    if let Some(answer) = host.answers.get(&letter) {
        return fixed(answer);
    }
    match letter {
        'I' => unescaped(unit.instance().unwrap_or_default()),
        'J' => unescaped(last_component(unit)),
        'P' => unescaped(unit.prefix()),
        'f' => {
            let part = unit.instance().unwrap_or(unit.prefix());
            unescape_path(part.as_bytes()).ok_or(SpecifierError::NotEscaped(letter))
        }
        'd' => fixed(&format!("/run/credentials/{unit}")),
        _ => match fixed_answer(letter) {
            Some(answer) => fixed(answer),
            None => fixed(&format!("%{letter}")),
        },
    }
}

/// Returns what the system's manager answers on every host; it runs as root.
fn fixed_answer(letter: char) -> Option<&'static str> {
    Some(match letter {
        't' => "/run",
        'S' => "/var/lib",
        'C' => "/var/cache",
        'L' => "/var/log",
        'E' => "/etc",
        'T' => "/tmp",
        'V' => "/var/tmp",
        'u' | 'g' => "root",
        'U' | 'G' => "0",
        _ => return None,
    })
}

/// Tells whether systemd 252 knows the letter in this place, those aside that
/// only take the unit's name as it is.
fn is_host_specifier(letter: char, context: Context) -> bool {
    match letter {
        'a' | 'A' | 'b' | 'B' | 'H' | 'l' | 'q' | 'm' | 'M' | 'o' | 'v' | 'w' | 'W' | 'g' | 'G'
        | 'u' | 'U' => true,
        'I' | 'J' | 'P' | 'f' | 'y' | 'Y' | 'c' | 'r' | 'R' | 'C' | 'd' | 'E' | 'L' | 'S' | 't'
        | 'h' | 's' | 'T' | 'V' => context != Context::UnitName,
        _ => false,
    }
}

/// Returns the first version of systemd in which such a text may have the
/// specifier, be it newer than 252. An older one leaves it as it stands or, from
/// 236 on, refuses the text.
#[must_use]
pub fn specifier_since(letter: char, context: Context) -> Option<u16> {
    let version = match context {
        Context::UnitName => match letter {
            '%' | 'i' | 'n' | 'N' | 'p' => OLDEST_VERSION,
            'b' | 'H' | 'm' | 'u' | 'U' => 233,
            'g' | 'G' => 240,
            'j' => 241,
            'a' | 'B' | 'o' | 'v' | 'w' | 'W' => 246,
            'l' => 247,
            'A' | 'M' => 249,
            'q' => 251,
            _ => return None,
        },
        Context::Full | Context::Path | Context::Environment => match letter {
            '%' | 'b' | 'c' | 'f' | 'h' | 'H' | 'i' | 'I' | 'm' | 'n' | 'N' | 'p' | 'P' | 'r'
            | 'R' | 's' | 't' | 'u' | 'U' | 'v' => OLDEST_VERSION,
            'C' | 'L' | 'S' => 236,
            'E' | 'j' | 'J' | 'T' | 'V' => 239,
            'g' | 'G' => 240,
            'l' => 246,
            // Announced with 246, whose unit names alone can have them.
            'a' | 'B' | 'o' | 'w' | 'W' => 247,
            'A' | 'M' => 249,
            'd' | 'q' | 'y' | 'Y' => 251,
            'D' => 256,
            _ => return None,
        },
    };
    Some(version)
}

fn last_component(unit: &UnitName) -> &str {
    let prefix = unit.prefix();
    prefix.rsplit_once('-').map_or(prefix, |(_, last)| last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str, context: Context, unit: &str) -> String {
        let unit = UnitName::new(unit).unwrap();
        let host = Host::unknown().with('H', "core-1");
        match expand(text.as_bytes(), context, &unit, &host) {
            Ok(text) => String::from_utf8(text).unwrap(),
            Err(error) => format!("error: {error}"),
        }
    }

    #[track_caller]
    fn case(text: &str, unit: &str, expected: &str) {
        assert_eq!(expanded(text, Context::Full, unit), expected);
    }

    #[test]
    fn names_are_taken_apart() {
        let unit = "web-shop\\x2dnew@a-b\\x2dc.service";
        case("%n", unit, unit);
        case(
            "%N %p %i",
            unit,
            "web-shop\\x2dnew@a-b\\x2dc web-shop\\x2dnew a-b\\x2dc",
        );
        case("%P %I", unit, "web/shop-new a/b-c");
        case("%j %J %f", unit, "shop\\x2dnew shop-new /a/b-c");
        case("[%i][%I] %f", "web-shop.service", "[][] /web/shop");
    }

    #[test]
    fn percent_signs_double() {
        case("%%i %%%i", "a@7.service", "%i %7");
        case("50% 5%, %- %{ %", "a.service", "50% 5%, %- %{ %");
        assert_eq!(escape_specifiers("5%i"), "5%%i");
    }

    #[test]
    fn unknown_letters_are_refused() {
        for letter in ["F", "Q", "1", "z", "D", "e", "O"] {
            let unknown = format!("error: unknown specifier `%{letter}`");
            case(&format!("+%{letter}"), "a.service", &unknown);
        }
        case(
            "%I",
            "a@\\q.service",
            "error: `%I` cannot be unescaped for this unit's name",
        );
    }

    #[test]
    fn the_host_answers_or_is_left_open() {
        case("%H %m", "a.service", "core-1 %m");
        case(
            "%t %S %u %d",
            "a.service",
            "/run /var/lib root /run/credentials/a.service",
        );
    }

    #[test]
    fn what_is_open_is_listed() {
        let host = Host::unknown().with('H', "core-1");
        let open = |context| -> String {
            open_specifiers(b"%m %%v %H %t %i %v%m %Z %h %", context, &host).collect()
        };
        assert_eq!(open(Context::Full), "mvmh");
        assert_eq!(open(Context::UnitName), "mvm");
    }

    #[test]
    fn unit_names_take_fewer() {
        let unit = "a-b@7.service";
        assert_eq!(
            expanded("%p@%i %j %H", Context::UnitName, unit),
            "a-b@7 b core-1"
        );
        for letter in ["I", "P", "J", "f", "t", "h", "T", "d"] {
            let error = expanded(&format!("%{letter}"), Context::UnitName, unit);
            assert_eq!(error, format!("error: unknown specifier `%{letter}`"));
        }
    }

    #[test]
    fn what_systemd_252_expands_came_by_then() {
        for context in [Context::Full, Context::UnitName] {
            for letter in ('0'..='z').filter(char::is_ascii_alphanumeric) {
                let expanded = expanded(&format!("%{letter}"), context, "a@b.service");
                let came = specifier_since(letter, context).is_some_and(|version| version <= 252);
                assert_eq!(
                    came,
                    !expanded.starts_with("error"),
                    "%{letter} {context:?}"
                );
            }
        }
    }

    #[test]
    fn specifiers_came_when_they_did() {
        let since = |letter| specifier_since(letter, Context::Full);
        assert_eq!(since('i'), Some(OLDEST_VERSION));
        assert_eq!(since('S'), Some(236));
        assert_eq!(since('j'), Some(239));
        assert_eq!(since('D'), Some(256));
        assert_eq!(since('z'), None);
        assert_eq!(specifier_since('H', Context::UnitName), Some(233));
        assert_eq!(specifier_since('S', Context::UnitName), None);
    }

    #[test]
    fn growth_is_limited() {
        let text = "%n".repeat(1000);
        assert_eq!(
            expanded(&text, Context::Path, "a.service"),
            "error: the text becomes too long"
        );
        let name = format!("{}.service", "x".repeat(240));
        let many = "%n".repeat(5000);
        case(&many, &name, "error: the text becomes too long");
    }
}
