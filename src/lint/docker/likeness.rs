//! Whether two names of containers are the same, as far as their texts tell.
//!
//! Names are compared as they are written. Two that differ in what stands for a variable or a
//! specifier may be the same or not. Knows no rule.

use std::borrow::Cow;

/// What can be said of two names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    Same,
    Different,
    Unknown,
}

/// Tells whether a name is only known to the shell.
pub(super) fn is_unknown(name: &str) -> bool {
    name.contains('`') || name.contains("$(")
}

/// Compares two names.
pub(super) fn compare(one: &str, other: &str) -> Likeness {
    if is_unknown(one) || is_unknown(other) {
        return Likeness::Unknown;
    }
    if one == other {
        return Likeness::Same;
    }
    let (one, other) = (pieces(one), pieces(other));
    let same = |(one, other): &(&Piece<'_>, &Piece<'_>)| one == other;
    // What both begin or end with does not tell them apart.
    let start = one.iter().zip(&other).take_while(same).count();
    let (one, other) = (&one[start..], &other[start..]);
    let end = one
        .iter()
        .rev()
        .zip(other.iter().rev())
        .take_while(same)
        .count();
    let (one, other) = (&one[..one.len() - end], &other[..other.len() - end]);
    let is_plain = |rest: &[Piece<'_>]| rest.iter().all(|piece| matches!(piece, Piece::Plain(_)));
    let has_plain = |rest: &[Piece<'_>]| rest.iter().any(|piece| matches!(piece, Piece::Plain(_)));
    match (one.is_empty(), other.is_empty()) {
        (true, true) => Likeness::Same,
        (true, false) if has_plain(other) => Likeness::Different,
        (false, true) if has_plain(one) => Likeness::Different,
        (false, false) if is_plain(one) && is_plain(other) => Likeness::Different,
        _ => Likeness::Unknown,
    }
}

/// A part of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    /// A character that stands for itself.
    Plain(char),
    /// A specifier.
    Specifier(Option<char>),
    /// A variable.
    Variable(&'a str),
}

fn pieces(name: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::with_capacity(name.len());
    let mut rest = name.chars();
    while let Some(first) = rest.next() {
        pieces.push(match first {
            '%' => match rest.next() {
                Some('%') => Piece::Plain('%'),
                letter => Piece::Specifier(letter),
            },
            '$' => {
                let (name, after) = variable(rest.as_str());
                rest = after.chars();
                Piece::Variable(name)
            }
            plain => Piece::Plain(plain),
        });
    }
    pieces
}

/// Splits what follows a `$` into the variable's name and what comes behind it.
fn variable(text: &str) -> (&str, &str) {
    let name = text.strip_prefix('{').unwrap_or(text);
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let (name, after) = name.split_at(end.unwrap_or(name.len()));
    (name, after.strip_prefix('}').unwrap_or(after))
}

/// Returns a name as an `Exec…=` line has it: each variable in braces.
pub(super) fn written(name: &str) -> Cow<'_, str> {
    if !name.contains('$') {
        return Cow::Borrowed(name);
    }
    let mut text = String::new();
    let mut rest = name;
    while let Some(at) = rest.find('$') {
        text.push_str(&rest[..at]);
        let (name, after) = variable(&rest[at + 1..]);
        text.extend(["${", name, "}"]);
        rest = after;
    }
    text.push_str(rest);
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_as_far_as_they_can_be() {
        #[track_caller]
        fn case(one: &str, other: &str, expected: Likeness) {
            assert_eq!(compare(one, other), expected, "{one} {other}");
            assert_eq!(compare(other, one), expected, "{other} {one}");
        }
        case("app", "app", Likeness::Same);
        case("$NAME", "${NAME}", Likeness::Same);
        case("app-$NAME-1", "app-${NAME}-1", Likeness::Same);
        case("app", "web", Likeness::Different);
        case("app", "app-data", Likeness::Different);
        case("%p-%i", "%p", Likeness::Different);
        case("%p-%i", "%p-%i-data", Likeness::Different);
        case("kafka-%i", "kafka.volumes-%i", Likeness::Different);
        case("app-1", "app-%i", Likeness::Unknown);
        case("app", "%p", Likeness::Unknown);
        case("app", "$NAME", Likeness::Unknown);
        case("%p%i", "%p", Likeness::Unknown);
        case("%i-%p", "%p-%i", Likeness::Unknown);
        case("app", "$(id)", Likeness::Unknown);
        case("`id`", "`id`", Likeness::Unknown);
    }

    #[test]
    fn a_name_is_written_for_systemd() {
        assert_eq!(written("%p-%i"), "%p-%i");
        assert_eq!(written("app-$NAME.${OTHER}"), "app-${NAME}.${OTHER}");
    }
}
