//! fleet's patterns of unit names: Go's `path.Match`.
//!
//! In: a pattern and a name. Out: whether the whole name matches; a malformed pattern matches
//! nothing, as in fleet. Knows nothing of units.

/// Tells whether a text is a pattern rather than a name.
#[must_use]
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '\\'])
}

/// Tells whether a pattern matches a whole name.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    // `name@*.service` is what nearly all patterns are.
    if let Some((before, after)) = pattern.split_once('*')
        && !is_pattern(before)
        && !is_pattern(after)
        && !name.contains('/')
    {
        let rest = name.strip_prefix(before);
        return rest.is_some_and(|rest| rest.ends_with(after));
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    is_well_formed(&pattern) && walk(&pattern, &name)
}

/// Tells whether a pattern is well formed; any other matches nothing.
#[must_use]
pub fn is_valid(pattern: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    is_well_formed(&pattern)
}

/// Matches with one point to come back to, the latest `*`: linear in all but contrived cases, and
/// never worse than the product of the lengths.
fn walk(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p + 1, n));
            p += 1;
            continue;
        }
        if let Some(next) = step(pattern, p, name[n]) {
            p = next;
            n += 1;
            continue;
        }
        // A `*` does not cross a `/`, which no unit's name has.
        let Some((after, from)) = star.filter(|(_, from)| name[*from] != '/') else {
            return false;
        };
        star = Some((after, from + 1));
        p = after;
        n = from + 1;
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Matches one character; returns where the pattern goes on.
fn step(pattern: &[char], at: usize, c: char) -> Option<usize> {
    match *pattern.get(at)? {
        '?' => (c != '/').then_some(at + 1),
        '[' => {
            let (class, end) = class(pattern, at)?;
            class.holds(c).then_some(end)
        }
        '\\' => (pattern.get(at + 1) == Some(&c)).then_some(at + 2),
        literal => (literal == c).then_some(at + 1),
    }
}

struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Class {
    fn holds(&self, c: char) -> bool {
        let inside = self
            .ranges
            .iter()
            .any(|(low, high)| (*low..=*high).contains(&c));
        inside != self.negated
    }
}

/// Reads `[a-z]` at a place; returns it and where it ends, or `None` where it is malformed.
fn class(pattern: &[char], at: usize) -> Option<(Class, usize)> {
    let mut at = at + 1;
    let negated = pattern.get(at) == Some(&'^');
    at += usize::from(negated);
    let mut ranges = Vec::new();
    while ranges.is_empty() || pattern.get(at) != Some(&']') {
        let (low, next) = member(pattern, at)?;
        at = next;
        let mut high = low;
        if pattern.get(at) == Some(&'-') {
            (high, at) = member(pattern, at + 1)?;
        }
        ranges.push((low, high));
    }
    Some((Class { negated, ranges }, at + 1))
}

fn member(pattern: &[char], at: usize) -> Option<(char, usize)> {
    match *pattern.get(at)? {
        '-' | ']' => None,
        '\\' => pattern.get(at + 1).map(|c| (*c, at + 2)),
        c => Some((c, at + 1)),
    }
}

fn is_well_formed(pattern: &[char]) -> bool {
    let mut at = 0;
    while let Some(c) = pattern.get(at) {
        at = match c {
            '[' => match class(pattern, at) {
                Some((_, end)) => end,
                None => return false,
            },
            '\\' if at + 1 == pattern.len() => return false,
            '\\' => at + 2,
            _ => at + 1,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_fleet() {
        #[track_caller]
        fn case(pattern: &str, name: &str, expected: bool) {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
        case("app@*.service", "app@1.service", true);
        case("app*", "app@1.service", true);
        case("*", "x.service", true);
        case("app@[0-9].service", "app@1.service", true);
        case("app@[^0-9].service", "app@1.service", false);
        case("app@?.service", "app@12.service", false);
        case("a\\x2db.service", "a\\x2db.service", false);
        case("a\\\\x2db.service", "a\\x2db.service", true);
        case("app@{1,2}.service", "app@1.service", false);
        case("APP*", "app.service", false);
        case("app", "app.service", false);
        case("a[", "a", false);
        case("a[", "b", false);
        case("a\\", "a", false);
        case("*a*b", "xaxbxb", true);
        case("*a*b", "xaxbx", false);
        case("", "", true);
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = "*a".repeat(200);
        assert!(!matches(&format!("{pattern}b"), &"a".repeat(5_000)));
    }
}
