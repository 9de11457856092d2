//! The nearest right word for a wrong one.
//!
//! In: a word and the words that would have been right. Out: the one the user most likely meant.
//! Knows nothing of what the words stand for.

/// Returns the candidate nearest to `word`, if one is near enough to be meant.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, candidate)| {
            let length = word.chars().count().max(candidate.chars().count());
            // A third of the letters may be wrong; one always may, unless it is the only one.
            *distance <= (length / 3).max(1) && *distance < length
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Returns the help line that names the nearest candidate.
#[must_use]
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    nearest(word, candidates).map(|found| format!("did you mean `{found}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(word: &str, expected: Option<&str>) {
        let known = ["image", "instances", "conflicts", "port", "ports"];
        assert_eq!(nearest(word, known), expected);
    }

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        case("imgae", Some("image"));
        case("Image", Some("image"));
        case("conflict", Some("conflicts"));
        case("prot", Some("port"));
        case("replicas", None);
        case("x", None);
        case("", None);
    }
}
