//! Single values: booleans, numbers, sizes, spans of time, signals.
//!
//! In: text. Out: what it means to systemd, or `None`.
//!
//! It must not know which setting the value is for.

/// The span that never ends, in microseconds.
pub(crate) const INFINITY: u64 = u64::MAX;

/// A second, in microseconds.
const SECOND: u64 = 1_000_000;

/// Reads a boolean.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    let is = |words: [&str; 6]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["1", "yes", "y", "true", "t", "on"]) {
        Some(true)
    } else if is(["0", "no", "n", "false", "f", "off"]) {
        Some(false)
    } else {
        None
    }
}

/// Reads an integer as C does: with a sign, in decimal, octal after `0`,
/// hexadecimal after `0x`, and as systemd adds, after `0b` and `0o`.
pub(super) fn integer(text: &str) -> Option<i128> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r']);
    let prefixed =
        |prefixes: [&str; 2]| prefixes.iter().find_map(|prefix| text.strip_prefix(prefix));
    if let Some(rest) = prefixed(["0b", "0B"]) {
        return digits(rest, 2);
    }
    if let Some(rest) = prefixed(["0o", "0O"]) {
        return digits(rest, 8);
    }
    digits(text, 0)
}

/// Reads signed digits; radix 0 means that their start decides.
pub(super) fn digits(text: &str, radix: u32) -> Option<i128> {
    let (sign, text) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (text, radix) = match (radix, hexadecimal) {
        (0, Some(rest)) => (rest, 16),
        (0, None) if text.starts_with('0') => (text, 8),
        (0, None) => (text, 10),
        _ => (text, radix),
    };
    if !text.starts_with(|first: char| first.is_digit(radix)) {
        return None;
    }
    Some(sign * i128::from_str_radix(text, radix).ok()?)
}

/// Reads an integer of 32 bits without sign.
pub(crate) fn unsigned(text: &str) -> Option<u32> {
    let number = integer(text)?;
    // A sign before zero does no harm.
    u32::try_from(number).ok()
}

/// Reads a file mode.
pub(super) fn mode(text: &str) -> Option<u32> {
    let first = text.chars().next()?;
    let number = digits(text, 8).filter(|_| first.is_ascii_digit())?;
    u32::try_from(number).ok().filter(|&mode| mode <= 0o7777)
}

/// Reads a span of time in microseconds; a bare number is in seconds.
pub(crate) fn span(text: &str) -> Option<u64> {
    span_with(text, SECOND)
}

/// Reads a span of time in microseconds; a bare number counts in `unit`.
pub(super) fn span_with(text: &str, unit: u64) -> Option<u64> {
    const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];
    let mut rest = text.trim_start_matches(BLANKS);
    if let Some(after) = rest.strip_prefix("infinity") {
        return after
            .trim_start_matches(BLANKS)
            .is_empty()
            .then_some(INFINITY);
    }
    let mut total: u64 = 0;
    let mut something = false;
    loop {
        rest = rest.trim_start_matches(BLANKS);
        if rest.is_empty() {
            return something.then_some(total);
        }
        let (whole, after) = leading_digits(without_plus(rest));
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => leading_digits(after),
            None if whole.is_empty() => return None,
            None => ("0", after),
        };
        let (unit, after) = multiplier(after, unit)?;
        let whole = if whole.is_empty() {
            0
        } else {
            i64::try_from(whole.parse::<u64>().ok()?).ok()?
        };
        let whole = whole.cast_unsigned();
        if whole >= INFINITY / unit || fraction.is_empty() {
            return None;
        }
        let mut share = unit / 10;
        let mut parts = whole * unit;
        for digit in fraction.chars() {
            parts = parts.checked_add(u64::from(digit.to_digit(10)?) * share)?;
            share /= 10;
        }
        total = total.checked_add(parts).filter(|&total| total < INFINITY)?;
        something = true;
        rest = after;
    }
}

/// Drops a plus sign before a digit.
fn without_plus(text: &str) -> &str {
    match text.strip_prefix('+') {
        Some(rest) if rest.starts_with(|first: char| first.is_ascii_digit()) => rest,
        _ => text,
    }
}

/// Splits a text behind its leading digits.
pub(super) fn leading_digits(text: &str) -> (&str, &str) {
    let end = text.find(|character: char| !character.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

/// Reads the unit behind a number; without one a blank or the end must follow.
fn multiplier(text: &str, default: u64) -> Option<(u64, &str)> {
    const MINUTE: u64 = 60 * SECOND;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    // The order matters: the first that fits is taken.
    const UNITS: [(&str, u64); 29] = [
        ("seconds", SECOND),
        ("second", SECOND),
        ("sec", SECOND),
        ("s", SECOND),
        ("minutes", MINUTE),
        ("minute", MINUTE),
        ("min", MINUTE),
        ("months", 2_629_800 * SECOND),
        ("month", 2_629_800 * SECOND),
        ("M", 2_629_800 * SECOND),
        ("msec", 1000),
        ("ms", 1000),
        ("m", MINUTE),
        ("hours", HOUR),
        ("hour", HOUR),
        ("hr", HOUR),
        ("h", HOUR),
        ("days", DAY),
        ("day", DAY),
        ("d", DAY),
        ("weeks", 7 * DAY),
        ("week", 7 * DAY),
        ("w", 7 * DAY),
        ("years", 31_557_600 * SECOND),
        ("year", 31_557_600 * SECOND),
        ("y", 31_557_600 * SECOND),
        ("usec", 1),
        ("us", 1),
        ("µs", 1),
    ];
    let rest = text.trim_start_matches([' ', '\t', '\n', '\r']);
    for (name, unit) in UNITS {
        if let Some(after) = rest.strip_prefix(name) {
            return Some((unit, after));
        }
    }
    (rest.len() < text.len() || rest.is_empty()).then_some((default, rest))
}

/// Reads an amount in bytes, with units to the base 1024, largest first.
pub(super) fn size(text: &str) -> Option<u64> {
    const UNITS: [(&str, u32); 8] = [
        ("E", 60),
        ("P", 50),
        ("T", 40),
        ("G", 30),
        ("M", 20),
        ("K", 10),
        ("B", 0),
        ("", 0),
    ];
    let mut rest = text;
    let mut total: u64 = 0;
    let mut first_unit = 0;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let (whole, after) = leading_digits(without_plus(rest));
        let whole: u64 = whole.parse().ok()?;
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => leading_digits(after),
            None => ("", after),
        };
        let after = after.trim_start_matches([' ', '\t', '\n', '\r']);
        let fits = |&(_, (name, _)): &(usize, &(&str, u32))| after.starts_with(name);
        let (index, (name, shift)) = UNITS.iter().enumerate().skip(first_unit).find(fits)?;
        let mut part = u128::from(whole) << shift;
        // More digits than these cannot make a byte's difference.
        let fraction = &fraction[..fraction.len().min(18)];
        if !fraction.is_empty() {
            let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
            part += (fraction.parse::<u128>().ok()? << shift) / scale;
        }
        total = total.checked_add(u64::try_from(part).ok()?)?;
        first_unit = index + 1;
        rest = &after[name.len()..];
        if rest.is_empty() {
            return Some(total);
        }
    }
}

/// Tells whether the text names a signal or is the number of one.
pub(super) fn is_signal(text: &str) -> bool {
    const NAMES: [&str; 31] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
        "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
        "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];
    const REAL_TIME_SIGNALS: i128 = 30;
    if let Some(number) = integer(text) {
        return (1..=64).contains(&number);
    }
    let name = text.strip_prefix("SIG").unwrap_or(text);
    if NAMES.contains(&name) {
        return true;
    }
    let offset = |start: &str, sign: char| {
        let rest = name.strip_prefix(start)?;
        if rest.is_empty() {
            return Some(0);
        }
        integer(rest)
            .filter(|_| rest.starts_with(sign))
            .map(i128::abs)
    };
    let offset = offset("RTMIN", '+').or_else(|| offset("RTMAX", '-'));
    offset.is_some_and(|offset| offset <= REAL_TIME_SIGNALS)
}

/// Tells whether the text is an exit status or names one.
pub(super) fn is_exit_status(text: &str) -> bool {
    const NAMES: &str = "SUCCESS FAILURE CHDIR NICE FDS EXEC MEMORY LIMITS OOM_ADJUST SIGNAL_MASK \
        STDIN STDOUT CHROOT IOPRIO TIMERSLACK SECUREBITS SETSCHEDULER CPUAFFINITY GROUP USER \
        CAPABILITIES CGROUP SETSID CONFIRM STDERR PAM NETWORK NAMESPACE NO_NEW_PRIVILEGES SECCOMP \
        SELINUX_CONTEXT PERSONALITY APPARMOR ADDRESS_FAMILIES RUNTIME_DIRECTORY CHOWN \
        SMACK_PROCESS_LABEL KEYRING STATE_DIRECTORY CACHE_DIRECTORY LOGS_DIRECTORY \
        CONFIGURATION_DIRECTORY NUMA_POLICY CREDENTIALS BPF EXCEPTION INVALIDARGUMENT \
        NOTIMPLEMENTED NOPERMISSION NOTINSTALLED NOTCONFIGURED NOTRUNNING USAGE DATAERR NOINPUT \
        NOUSER NOHOST UNAVAILABLE SOFTWARE OSERR OSFILE CANTCREAT IOERR TEMPFAIL PROTOCOL NOPERM \
        CONFIG";
    NAMES.split_whitespace().any(|name| name == text)
        || unsigned(text).is_some_and(|number| number <= 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans() {
        for text in ["1", "yes", "Y", "TRUE", "t", "On"] {
            assert_eq!(boolean(text), Some(true), "{text}");
        }
        for text in ["0", "no", "N", "False", "f", "oFF"] {
            assert_eq!(boolean(text), Some(false), "{text}");
        }
        for text in ["", "maybe", "2", "yes "] {
            assert_eq!(boolean(text), None, "{text}");
        }
    }

    #[test]
    fn numbers() {
        for (text, number) in [
            ("12", 12),
            ("-3", -3),
            ("0x1F", 31),
            ("010", 8),
            ("0b11", 3),
            ("0o17", 15),
            ("0", 0),
        ] {
            assert_eq!(integer(text), Some(number), "{text}");
        }
        for text in ["", "a", "08", "0x", "1 ", "--1", "0b2"] {
            assert_eq!(integer(text), None, "{text}");
        }
        assert_eq!(unsigned("4294967295"), Some(u32::MAX));
        assert_eq!(unsigned("-0"), Some(0));
        assert_eq!(unsigned("-1"), None);
        assert_eq!(unsigned("4294967296"), None);
        assert_eq!(mode("0755"), Some(0o755));
        for text in ["", "8", "+7", "10000"] {
            assert_eq!(mode(text), None, "{text}");
        }
    }

    #[test]
    fn spans() {
        for (text, span_in_milliseconds) in [
            ("10", 10_000),
            ("0", 0),
            ("1min 30s", 90_000),
            ("2h", 7_200_000),
            ("100ms", 100),
            ("1.5s", 1500),
            (".5", 500),
            ("1 2", 3000),
            ("5m30", 330_000),
            ("1w", 604_800_000),
        ] {
            assert_eq!(span(text), Some(span_in_milliseconds * 1000), "{text}");
        }
        assert_eq!(span("infinity"), Some(INFINITY));
        for text in [
            "",
            "s",
            "1x",
            "-1",
            "1.",
            "+.5",
            "12.34.56",
            "infinity 1",
            "99999999999999999999",
        ] {
            assert_eq!(span(text), None, "{text}");
        }
    }

    #[test]
    fn sizes() {
        assert_eq!(size("512M"), Some(512 << 20));
        assert_eq!(size("1G 1K"), Some((1 << 30) + 1024));
        assert_eq!(size("1.5K"), Some(1536));
        for text in ["", "1X", "M", "-1", "1K 1G", "1 2"] {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn signals_and_statuses() {
        for text in ["TERM", "SIGTERM", "15", "RTMIN", "RTMIN+3", "SIGRTMAX-1"] {
            assert!(is_signal(text), "{text}");
        }
        for text in ["", "term", "0", "65", "RTMIN+31", "RTMIN3", "FOO"] {
            assert!(!is_signal(text), "{text}");
        }
        for text in ["0", "143", "255", "SUCCESS", "TEMPFAIL"] {
            assert!(is_exit_status(text), "{text}");
        }
        for text in ["256", "-1", "TERM", ""] {
            assert!(!is_exit_status(text), "{text}");
        }
    }
}
