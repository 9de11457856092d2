//! Times of the calendar, as timers have them.
//!
//! In: text. Out: whether systemd understands it. Names of time zones cannot
//! be looked up here; what looks like one passes.
//!
//! It must not know when such a time comes.

/// The most values one part of a time may list.
const LIST_LIMIT: usize = 240;

/// One value, range or repetition of a part; a repetition may be without end.
struct Component {
    start: i64,
    stop: Option<i64>,
    repeat: i64,
}

/// A part of a time; `None` is `*`.
type Part = Option<Vec<Component>>;

/// Tells whether the text is a time of the calendar.
pub(super) fn is_calendar(text: &str) -> bool {
    const SHORT: [&str; 13] = [
        "minutely",
        "hourly",
        "daily",
        "monthly",
        "annually",
        "yearly",
        "anually",
        "weekly",
        "quarterly",
        "biannually",
        "bi-annually",
        "semiannually",
        "semi-annually",
    ];
    let text = without_zone(text);
    if SHORT.iter().any(|short| short.eq_ignore_ascii_case(text)) {
        return true;
    }
    !text.is_empty() && parse(text).is_some()
}

fn without_zone(text: &str) -> &str {
    let Some((before, last)) = text.rsplit_once(' ') else {
        return text;
    };
    let letters = last
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_+-/".contains(&byte));
    let starts = last.starts_with(|first: char| first.is_ascii_uppercase());
    let zone = last.contains('/')
        || last.len() > 2 && !last.contains(|letter: char| letter.is_ascii_lowercase());
    let universal = last.eq_ignore_ascii_case("UTC");
    if universal || (letters && starts && zone) {
        before
    } else {
        text
    }
}

fn parse(text: &str) -> Option<()> {
    let rest = weekdays(text)?;
    if let Some(seconds) = rest.strip_prefix('@') {
        let (digits, rest) = seconds.split_at(
            seconds
                .find(|digit: char| !digit.is_ascii_digit())
                .unwrap_or(seconds.len()),
        );
        return (rest.is_empty() && digits.parse::<i64>().is_ok()).then_some(());
    }
    time(date(rest)?)
}

/// Skips the days of the week, if there are any.
fn weekdays(text: &str) -> Option<&str> {
    const NAMES: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let mut rest = text;
    let mut range_from = None;
    let mut first = true;
    loop {
        let word = &rest[..rest
            .find(|letter: char| !letter.is_ascii_alphabetic())
            .unwrap_or(rest.len())];
        let lower = word.to_ascii_lowercase();
        let day = NAMES
            .iter()
            .position(|name| lower == *name || lower == name[..3]);
        let Some(day) = day else {
            return first.then_some(rest);
        };
        if range_from.is_some_and(|from| from > day) {
            return None;
        }
        rest = &rest[word.len()..];
        let ranged = range_from.is_some();
        range_from = None;
        if rest.is_empty() {
            return Some(rest);
        } else if rest.starts_with(' ') {
            return Some(rest.trim_start_matches(' '));
        } else if let Some(after) = rest.strip_prefix("..").or_else(|| rest.strip_prefix('-')) {
            if ranged {
                return None;
            }
            range_from = Some(day);
            rest = after;
        } else {
            rest = rest.strip_prefix(',')?;
        }
        if rest.is_empty() || rest.starts_with(' ') {
            return range_from.is_none().then_some(rest.trim_start_matches(' '));
        }
        first = false;
    }
}

/// Skips the date, if there is one before the time.
fn date(text: &str) -> Option<&str> {
    if text.is_empty() {
        return Some(text);
    }
    let (first, rest) = part(text, false)?;
    if rest.is_empty() || rest.starts_with(':') {
        return Some(text);
    }
    let (backwards, rest) = separator(rest)?;
    let (second, rest) = part(rest, false)?;
    if rest.is_empty() || rest.starts_with(' ') {
        let good = fits(&first, 1, 12, false) && fits(&second, 1, 31, backwards);
        return good.then_some(rest.trim_start_matches(' '));
    }
    let (from_end, rest) = separator(rest).filter(|_| !backwards)?;
    let (third, rest) = part(rest, false)?;
    let year = first.map(|components| components.iter().map(with_century).collect());
    let good = fits(&year, 1970, 2199, false)
        && fits(&second, 1, 12, false)
        && fits(&third, 1, 31, from_end);
    let ended = rest.is_empty() || rest.starts_with(' ');
    (good && ended).then_some(rest.trim_start_matches(' '))
}

/// Reads the separator in a date; `~` counts days from the end of the month.
fn separator(text: &str) -> Option<(bool, &str)> {
    match text.strip_prefix('~') {
        Some(rest) => Some((true, rest)),
        None => text.strip_prefix('-').map(|rest| (false, rest)),
    }
}

fn with_century(component: &Component) -> Component {
    let year = |year: i64| match year {
        0..70 => year + 2000,
        70..100 => year + 1900,
        _ => year,
    };
    Component {
        start: year(component.start),
        stop: component.stop.map(year),
        repeat: component.repeat,
    }
}

fn time(text: &str) -> Option<()> {
    if text.is_empty() {
        return Some(());
    }
    let (hour, rest) = part(text, false)?;
    let (minute, rest) = part(rest.strip_prefix(':')?, false)?;
    let good = fits(&hour, 0, 23, false) && fits(&minute, 0, 59, false);
    if rest.is_empty() {
        return good.then_some(());
    }
    let (second, rest) = part(rest.strip_prefix(':')?, true)?;
    let good = good && fits(&second, 0, 60 * MICROSECONDS - 1, false);
    (good && rest.is_empty()).then_some(())
}

const MICROSECONDS: i64 = 1_000_000;

fn part(text: &str, seconds: bool) -> Option<(Part, &str)> {
    if let Some(rest) = text.strip_prefix('*') {
        return Some((None, rest));
    }
    let mut components = Vec::new();
    let mut rest = text;
    loop {
        let (start, after) = number(rest, seconds)?;
        let mut component = Component {
            start,
            stop: None,
            repeat: 0,
        };
        rest = after;
        if let Some(after) = rest.strip_prefix("..") {
            let (stop, after) = number(after, seconds)?;
            component.stop = Some(stop);
            component.repeat = if seconds { MICROSECONDS } else { 1 };
            rest = after;
        }
        if let Some(after) = rest.strip_prefix('/') {
            let (repeat, after) = number(after, seconds).filter(|&(repeat, _)| repeat > 0)?;
            component.repeat = repeat;
            rest = after;
        }
        components.push(component);
        match rest.chars().next() {
            Some(',') if components.len() <= LIST_LIMIT => rest = &rest[1..],
            None | Some(' ' | '-' | '~' | ':') => return Some((Some(components), rest)),
            Some(_) => return None,
        }
    }
}

/// Reads a number; seconds may have a fraction and become microseconds.
fn number(text: &str, seconds: bool) -> Option<(i64, &str)> {
    let digits = |text: &str| {
        text.find(|digit: char| !digit.is_ascii_digit())
            .unwrap_or(text.len())
    };
    let (whole, mut rest) = text.split_at(digits(text));
    let mut value: i64 = whole.parse().ok()?;
    if seconds {
        value = value.checked_mul(MICROSECONDS)?;
        if let Some(after) = rest
            .strip_prefix('.')
            .filter(|after| !after.starts_with('.'))
        {
            let (fraction, after) = after.split_at(digits(after));
            let micros: String = fraction.chars().chain("000000".chars()).take(6).collect();
            value += micros
                .parse::<i64>()
                .ok()
                .filter(|_| !fraction.is_empty())?;
            rest = after;
        }
    }
    (value <= i64::from(i32::MAX)).then_some((value, rest))
}

/// Tells whether every value lies within the limits, with room to repeat.
fn fits(part: &Part, from: i64, to: i64, from_end: bool) -> bool {
    let fits = |one: &Component| {
        let within = (from..=to).contains(&one.start) && one.repeat <= to - from;
        within
            && match one.stop {
                Some(stop) => (from..=to).contains(&stop) && one.start + one.repeat <= stop,
                None if from_end => one.start - one.repeat >= from,
                None => one.start + one.repeat <= to,
            }
    };
    part.iter().flatten().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_understood() {
        for text in [
            "daily",
            "Weekly",
            "semi-annually",
            "hourly UTC",
            "Mon",
            "Mon..Fri 10:00",
            "Mon-Fri",
            "mon,tue *-*-1/2",
            "Sat,Sun",
            "*-*-* 03:00:00",
            "2024-02-30",
            "03-05",
            "*-*~3",
            "*-1..3-1",
            "10:00 Europe/Berlin",
            "10:00 CET",
            "*:0/15",
            "0/5:0",
            "8..18:0/10",
            "*:*:*",
            "10:00:00.5",
            "99-1-1",
            "@0",
            "Fri *-*-13",
            "Mon,",
        ] {
            assert!(is_calendar(text), "{text}");
        }
    }

    #[test]
    fn other_text_is_not() {
        for text in [
            "",
            "now",
            "Foo",
            "12",
            "1.5",
            "25:00",
            "Tue 24:00",
            "-1:00",
            "*",
            "Monday 5",
            "Mon.. 5:00",
            "Fri..Mon",
            "yearly foo",
            "1-2-3-4",
            "13-1",
            "*-*-32",
            "10:60",
            "1/0:0",
            "20..10:00",
            "@x",
            "10:00:00.",
            "3000-1-1",
            "Mon-Tue-Wed",
        ] {
            assert!(!is_calendar(text), "{text}");
        }
    }
}
