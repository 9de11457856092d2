//! Unit names: what systemd and fleet accept, their parts, their escapes.
//!
//! In: text. Out: a `UnitName`, or what is wrong with the text, by the rules of
//! the program asked for. Where the two differ they have functions of their own.
//!
//! It must not know files, units that exist, or which names unitgen allows.

use std::fmt;

/// The longest name systemd loads, suffix included.
pub const LENGTH_LIMIT: usize = 255;

/// The longest name fleet's registry takes.
pub const FLEET_LENGTH_LIMIT: usize = 256;

const TYPES: [&str; 11] = [
    "service",
    "mount",
    "swap",
    "socket",
    "target",
    "device",
    "automount",
    "timer",
    "path",
    "slice",
    "scope",
];

/// Types fleet knows beside systemd's own.
const FLEET_TYPES: [&str; 2] = ["snapshot", "busname"];

/// Types fleet takes for a name with an `@` in it.
const FLEET_TEMPLATE_TYPES: [&str; 5] = ["path", "service", "socket", "target", "timer"];

/// Holds a name that systemd accepts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnitName {
    name: String,
    at: Option<usize>,
    dot: usize,
}

/// Tells which of the three kinds of names a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// A name without `@`.
    Plain,
    /// A name with nothing between `@` and the suffix.
    Template,
    /// A name with an instance.
    Instance,
}

/// Tells what is wrong with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameError {
    /// There is no text at all.
    Empty,
    /// It has more bytes than this.
    TooLong(usize),
    /// It has no dot.
    NoDot,
    /// It ends in a dot.
    EndsInDot,
    /// There is nothing before the suffix.
    NoPrefix,
    /// The text after the last dot is no type of unit.
    UnknownType(String),
    /// A template cannot have this type.
    TemplateType(String),
    /// A character no name may have.
    Character(char),
    /// It starts with `@`.
    StartsWithAt,
}

impl fmt::Display for NameError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("unit name cannot be empty"),
            Self::TooLong(limit) => {
                write!(formatter, "unit name exceeds maximum length ({limit})")
            }
            Self::NoDot => formatter.write_str("unit name must contain \".\""),
            Self::EndsInDot => formatter.write_str("unit name cannot end in \".\""),
            Self::NoPrefix => formatter.write_str("unit name has nothing before its type"),
            Self::UnknownType(suffix) => write!(formatter, "invalid unit type: {suffix:?}"),
            Self::TemplateType(suffix) => {
                write!(formatter, "invalid unit type for template: {suffix:?}")
            }
            Self::Character(character) => {
                write!(formatter, "invalid character {character:?} in unit name")
            }
            Self::StartsWithAt => formatter.write_str("unit name cannot start in \"@\""),
        }
    }
}

impl std::error::Error for NameError {}

impl UnitName {
    /// Checks a name by systemd's rules.
    ///
    /// # Errors
    ///
    /// Returns the first rule the name breaks.
    pub fn new(name: &str) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > LENGTH_LIMIT {
            return Err(NameError::TooLong(LENGTH_LIMIT));
        }
        let dot = name.rfind('.').ok_or(NameError::NoDot)?;
        if dot == 0 {
            return Err(NameError::NoPrefix);
        }
        check_type(&name[dot + 1..], &[])?;
        check_characters(&name[..dot])?;
        let at = name[..dot].find('@');
        if at == Some(0) {
            return Err(NameError::StartsWithAt);
        }
        Ok(Self {
            name: name.to_owned(),
            at,
            dot,
        })
    }

    /// Returns the whole name (`%n`).
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Returns the name without its suffix (`%N`).
    #[must_use]
    pub fn without_suffix(&self) -> &str {
        &self.name[..self.dot]
    }

    /// Returns the part before the first `@`, or before the suffix (`%p`).
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.name[..self.at.unwrap_or(self.dot)]
    }

    /// Returns what stands between the first `@` and the suffix: nothing for
    /// a template, `None` for a plain name.
    #[must_use]
    pub fn instance(&self) -> Option<&str> {
        self.at.map(|at| &self.name[at + 1..self.dot])
    }

    /// Returns the type, which is the suffix without its dot.
    #[must_use]
    pub fn kind_of_unit(&self) -> &str {
        &self.name[self.dot + 1..]
    }

    /// Tells plain names, templates and instances apart.
    #[must_use]
    pub fn kind(&self) -> NameKind {
        match self.instance() {
            None => NameKind::Plain,
            Some("") => NameKind::Template,
            Some(_) => NameKind::Instance,
        }
    }

    /// Returns the name of the template this is, or is an instance of.
    #[must_use]
    pub fn template(&self) -> Option<String> {
        let at = self.at?;
        Some(format!("{}{}", &self.name[..=at], &self.name[self.dot..]))
    }

    /// Returns the name of an instance of this template.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with the resulting name; a plain name has no
    /// instances and is returned as it is.
    pub fn with_instance(&self, instance: &str) -> Result<Self, NameError> {
        match self.at {
            None => Ok(self.clone()),
            Some(at) => {
                let suffix = &self.name[self.dot..];
                Self::new(&format!("{}{instance}{suffix}", &self.name[..=at]))
            }
        }
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

/// Checks a name by the rules of fleet's API, in fleet's order and words.
///
/// # Errors
///
/// Returns the first rule the name breaks.
pub fn check_fleet_name(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > FLEET_LENGTH_LIMIT {
        return Err(NameError::TooLong(FLEET_LENGTH_LIMIT));
    }
    let dot = name.rfind('.').ok_or(NameError::NoDot)?;
    if dot == name.len() - 1 {
        return Err(NameError::EndsInDot);
    }
    let suffix = &name[dot + 1..];
    check_type(suffix, &FLEET_TYPES)?;
    if name.contains('@') && !FLEET_TEMPLATE_TYPES.contains(&suffix) {
        return Err(NameError::TemplateType(suffix.to_owned()));
    }
    check_characters(&name[..dot])?;
    if name.starts_with('@') {
        return Err(NameError::StartsWithAt);
    }
    Ok(())
}

fn check_type(suffix: &str, more: &[&str]) -> Result<(), NameError> {
    if TYPES.contains(&suffix) || more.contains(&suffix) {
        Ok(())
    } else {
        Err(NameError::UnknownType(suffix.to_owned()))
    }
}

fn check_characters(stem: &str) -> Result<(), NameError> {
    let allowed = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, ':' | '-' | '_' | '.' | '\\' | '@')
    };
    match stem.chars().find(|&character| !allowed(character)) {
        Some(character) => Err(NameError::Character(character)),
        None => Ok(()),
    }
}

/// Holds the parts fleet sees in a name, valid or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FleetNameParts<'a> {
    /// The name without its suffix.
    pub name: &'a str,
    /// The part before the first `@`, or the name.
    pub prefix: &'a str,
    /// The template's name; empty for a plain name.
    pub template: String,
    /// The instance; empty for a template and for a plain name.
    pub instance: &'a str,
}

/// Splits a name as fleet does; `None` for a name without a dot.
#[must_use]
pub fn fleet_parts(full_name: &str) -> Option<FleetNameParts<'_>> {
    let (name, suffix) = full_name.split_at(full_name.rfind('.')?);
    let (prefix, template, instance) = match name.split_once('@') {
        None => (name, String::new(), ""),
        Some((prefix, instance)) => (prefix, format!("{prefix}@{suffix}"), instance),
    };
    Some(FleetNameParts {
        name,
        prefix,
        template,
        instance,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_and_fleet_judge_names_apart() {
        #[track_caller]
        fn case(name: &str, systemd: Option<NameKind>, fleet: &str) {
            let kind = UnitName::new(name).ok().map(|name| name.kind());
            assert_eq!(kind, systemd, "{name}");
            let verdict = check_fleet_name(name)
                .map_or_else(|error| error.to_string(), |()| "fine".to_owned());
            assert_eq!(verdict, fleet, "{name}");
        }
        let plain = Some(NameKind::Plain);
        case("", None, "unit name cannot be empty");
        case("shop", None, "unit name must contain \".\"");
        case("shop.", None, "unit name cannot end in \".\"");
        case("shop.service", plain, "fine");
        case("a:b_c.d-e\\x2d.timer", plain, "fine");
        case("shop@.service", Some(NameKind::Template), "fine");
        case("shop@a@b.c.service", Some(NameKind::Instance), "fine");
        case("-.mount", plain, "fine");
        case(".service", None, "fine");
        case("shop.snapshot", None, "fine");
        case("shop.busname", None, "fine");
        case(
            "shop@.mount",
            Some(NameKind::Template),
            "invalid unit type for template: \"mount\"",
        );
        case("shop.container", None, "invalid unit type: \"container\"");
        case("shop.SERVICE", None, "invalid unit type: \"SERVICE\"");
        case("@a.service", None, "unit name cannot start in \"@\"");
        case("a+b.service", None, "invalid character '+' in unit name");
        case("a'b.service", None, "invalid character '\\'' in unit name");
        case("a\"b.service", None, "invalid character '\"' in unit name");
        let longest = format!("{}.service", "x".repeat(247));
        case(&longest, plain, "fine");
        case(&format!("x{longest}"), None, "fine");
        case(
            &format!("xx{longest}"),
            None,
            "unit name exceeds maximum length (256)",
        );
    }

    #[test]
    fn the_first_at_and_the_last_dot_split() {
        let name = UnitName::new("a.b@c@d.e.service").unwrap();
        assert_eq!(name.prefix(), "a.b");
        assert_eq!(name.instance(), Some("c@d.e"));
        assert_eq!(name.without_suffix(), "a.b@c@d.e");
        assert_eq!(name.kind_of_unit(), "service");
        assert_eq!(name.template().unwrap(), "a.b@.service");
        assert_eq!(name.with_instance("7").unwrap().as_str(), "a.b@7.service");
        let plain = UnitName::new("a.b.service").unwrap();
        assert_eq!((plain.prefix(), plain.instance()), ("a.b", None));
    }

    #[test]
    fn fleet_splits_anything_with_a_dot() {
        let parts = fleet_parts("@x.service").unwrap();
        assert_eq!(parts.prefix, "");
        assert_eq!(parts.template, "@.service");
        assert_eq!(parts.instance, "x");
        assert_eq!(fleet_parts(".service").unwrap().name, "");
        assert_eq!(fleet_parts("shop"), None);
    }
}
