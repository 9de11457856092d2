//! Resource limits.
//!
//! In: the directive's name and its value. Out: whether systemd takes it.
//!
//! It must not know what the limits are for.

use crate::unit::systemd::scalar::{integer, size, span, span_with};

/// Tells whether the value is a limit, or a soft and a hard one.
pub(super) fn is_limit(name: &str, text: &str) -> bool {
    match text.split_once(':') {
        None => amount(name, text).is_some(),
        Some((soft, hard)) => match (amount(name, soft), amount(name, hard)) {
            (Some(soft), Some(hard)) => soft <= hard,
            _ => false,
        },
    }
}

fn amount(name: &str, text: &str) -> Option<u64> {
    const SECOND: u64 = 1_000_000;
    if text == "infinity" && name != "LimitNICE" {
        return Some(u64::MAX);
    }
    let amount = match name {
        "LimitCPU" => return span(text).map(|span| span.div_ceil(SECOND)),
        "LimitRTTIME" => return span_with(text, 1),
        "LimitNICE" => return niceness(text),
        "LimitNOFILE" | "LimitNPROC" | "LimitLOCKS" | "LimitSIGPENDING" | "LimitRTPRIO" => {
            u64::try_from(integer(text)?).ok()?
        }
        _ => size(text)?,
    };
    (amount < u64::MAX).then_some(amount)
}

/// Reads a level with its sign, or the kernel's number for it.
fn niceness(text: &str) -> Option<u64> {
    let number = |text: &str| u64::try_from(integer(text)?).ok();
    if let Some(level) = text.strip_prefix('+') {
        return number(level)
            .filter(|&level| level < 20)
            .map(|level| 20 - level);
    }
    if let Some(level) = text.strip_prefix('-') {
        return number(level)
            .filter(|&level| level <= 20)
            .map(|level| 20 + level);
    }
    number(text).filter(|&number| number <= 40)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_single_or_a_pair() {
        for (name, text) in [
            ("LimitNOFILE", "65536"),
            ("LimitNOFILE", "1024:infinity"),
            ("LimitCORE", "64M:1G"),
            ("LimitCPU", "5min"),
            ("LimitRTTIME", "500ms"),
            ("LimitNICE", "-5"),
            ("LimitNICE", "+19"),
        ] {
            assert!(is_limit(name, text), "{name}={text}");
        }
        for (name, text) in [
            ("LimitNOFILE", ""),
            ("LimitNOFILE", "64K"),
            ("LimitNOFILE", "2048:1024"),
            ("LimitNOFILE", "1:2:3"),
            ("LimitNOFILE", "unlimited"),
            ("LimitNICE", "-21"),
            ("LimitNICE", "infinity"),
        ] {
            assert!(!is_limit(name, text), "{name}={text}");
        }
    }
}
