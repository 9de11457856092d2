//! How much a run may destroy.
//!
//! In: a limit as the user wrote it, how many of unitgen's units the registry has, and how many are to
//! go. Out: whether that is too much. A manifest that lost its units by mistake must not take a cluster
//! down with it.

use std::fmt;
use std::str::FromStr;

/// The greatest number of units that may be destroyed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PruneLimit {
    /// A fifth of all, or five, whichever is more.
    #[default]
    Usual,
    /// So many.
    Units(usize),
    /// So many of a hundred.
    Percent(usize),
}

/// The usual part of all.
const USUAL_PERCENT: usize = 20;

/// What is usual where there are few.
const USUAL_UNITS: usize = 5;

impl PruneLimit {
    /// Returns how many of all may go.
    #[must_use]
    pub fn of(self, all: usize) -> usize {
        match self {
            Self::Usual => (all * USUAL_PERCENT / 100).max(USUAL_UNITS),
            Self::Units(units) => units,
            Self::Percent(percent) => all * percent / 100,
        }
    }
}

impl fmt::Display for PruneLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usual => write!(
                formatter,
                "{USUAL_PERCENT}% or {USUAL_UNITS}, whichever is more"
            ),
            Self::Units(units) => write!(formatter, "{units}"),
            Self::Percent(percent) => write!(formatter, "{percent}%"),
        }
    }
}

impl FromStr for PruneLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "write a number of units such as `12`, or a part such as `30%`".to_owned();
        let (digits, is_percent) = match text.strip_suffix('%') {
            Some(digits) => (digits, true),
            None => (text, false),
        };
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number: usize = digits.parse().map_err(|_| wrong())?;
        match (is_number, is_percent) {
            (true, true) if number <= 100 => Ok(Self::Percent(number)),
            (true, false) => Ok(Self::Units(number)),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read() {
        assert_eq!("12".parse(), Ok(PruneLimit::Units(12)));
        assert_eq!("30%".parse(), Ok(PruneLimit::Percent(30)));
        for text in [
            "",
            "%",
            "101%",
            "-1",
            "+1",
            "1.5",
            "a",
            "99999999999999999999",
        ] {
            assert!(text.parse::<PruneLimit>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_usual_limit_is_the_larger_of_two() {
        #[track_caller]
        fn case(all: usize, expected: usize) {
            assert_eq!(PruneLimit::Usual.of(all), expected);
        }
        case(0, 5);
        case(25, 5);
        case(29, 5);
        case(30, 6);
        case(1000, 200);
        assert_eq!(PruneLimit::Percent(50).of(3), 1);
        assert_eq!(PruneLimit::Units(0).of(100), 0);
    }
}
