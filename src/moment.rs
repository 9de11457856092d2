//! Points in time and how long ago they were, for people to read.
//!
//! In: seconds. Out: text. Knows nothing of clocks.

/// A day, in seconds.
const DAY: u64 = 86_400;

/// Writes a time in seconds since 1970 as RFC 3339 has it, in UTC.
#[must_use]
pub fn moment(seconds: u64) -> String {
    let (year, month, day) = date(seconds / DAY);
    let rest = seconds % DAY;
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Returns the date of a day since 1970-01-01, of the Gregorian calendar.
fn date(days: u64) -> (u64, u64, u64) {
    // In years that begin in March, a leap day is the last of its year.
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

/// Writes a span of seconds in its two greatest units: `2 h 5 min`.
#[must_use]
pub fn span(seconds: u64) -> String {
    let units = [
        (seconds / DAY, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = units.iter().position(|(number, _)| *number > 0);
    let Some(first) = first else {
        return "0 s".to_owned();
    };
    let end = (first + 2).min(units.len());
    let parts = units[first..end].iter().filter(|(number, _)| *number > 0);
    let parts: Vec<String> = parts
        .map(|(number, unit)| format!("{number} {unit}"))
        .collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(moment(seconds), text);
        }
    }

    #[test]
    fn spans_have_their_greatest_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (61, "1 min 1 s"),
            (3_600 + 59, "1 h"),
            (7_500, "2 h 5 min"),
            (86_400 * 400 + 3_600, "400 d 1 h"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }
}
