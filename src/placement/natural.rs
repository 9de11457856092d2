//! The order of names in which people count: `web@2` before `web@10`.
//!
//! In: two names. Out: which comes first. Knows nothing of units.

use std::cmp::Ordering;

/// Compares runs of digits as numbers and all else by characters.
pub(super) fn compare(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one.as_bytes(), other.as_bytes());
    loop {
        let (Some(first), Some(second)) = (left.first(), right.first()) else {
            // Where only leading zeros differ, the texts still tell the names apart.
            return left.len().cmp(&right.len()).then_with(|| one.cmp(other));
        };
        if first.is_ascii_digit() && second.is_ascii_digit() {
            let (number, rest) = number(left);
            let (other_number, other_rest) = self::number(right);
            let by_value = number.len().cmp(&other_number.len());
            let order = by_value.then_with(|| number.cmp(other_number));
            if order.is_ne() {
                return order;
            }
            (left, right) = (rest, other_rest);
        } else if first == second {
            (left, right) = (&left[1..], &right[1..]);
        } else {
            return first.cmp(second);
        }
    }
}

/// Splits off the leading digits, without zeros before the number.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    let zeros = digits.iter().take_while(|byte| **byte == b'0').count();
    (&digits[zeros..], rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_counted() {
        let names = [
            "a-web@1.service",
            "a-web@01.service",
            "a-web@2.service",
            "a-web@10.service",
            "a-web@v1.9-1.service",
            "a-web@v1.10-1.service",
            "a2.service",
            "a10.service",
            "b",
            "b1",
        ];
        let mut sorted = names;
        sorted.reverse();
        sorted.sort_by(|one, other| compare(one, other));
        let expected = [
            "a-web@01.service",
            "a-web@1.service",
            "a-web@2.service",
            "a-web@10.service",
            "a-web@v1.9-1.service",
            "a-web@v1.10-1.service",
            "a2.service",
            "a10.service",
            "b",
            "b1",
        ];
        assert_eq!(sorted, expected);
    }
}
