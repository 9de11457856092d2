//! The shape of the tables of directives, and how one is found in them.
//!
//! In: sections with groups of rows, each of some names. Out: a map by section and name that answers
//! in a few nanoseconds, as each line of ten thousand units asks it.
//!
//! It must not know what the rows say.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Something that is true of some directives, and their names in one text.
pub(super) type Row<T> = (T, &'static str);

/// Sections, each with the groups of rows that hold in it.
pub(super) type Sections<T> = [(&'static str, &'static [&'static [Row<T>]])];

/// What is known of the directives, by section and name.
pub(super) type Index<T> = HashMap<(&'static str, &'static str), T, BuildHasherDefault<EndsHasher>>;

/// Returns each section, each name that stands in one of its rows, and what the row says.
pub(super) fn entries<T: Copy>(
    sections: &'static Sections<T>,
) -> impl Iterator<Item = (&'static str, &'static str, T)> {
    sections.iter().flat_map(|&(section, groups)| {
        let rows = groups.iter().copied().flatten();
        rows.flat_map(move |&(value, names)| {
            let names = names.split_whitespace();
            names.map(move |name| (section, name, value))
        })
    })
}

/// Returns the map of what the rows say.
pub(super) fn index<T: Copy>(sections: &'static Sections<T>) -> Index<T> {
    entries(sections)
        .map(|(section, name, value)| ((section, name), value))
        .collect()
}

/// Hashes words by their lengths and their first and last four letters, which tell systemd's names
/// apart. The maps hold nothing that a user wrote, so nobody can fill them with words that collide.
#[derive(Default)]
pub(super) struct EndsHasher(u64);

impl Hasher for EndsHasher {
    fn write(&mut self, bytes: &[u8]) {
        let letters = |chunk: Option<&[u8; 4]>| {
            chunk.map_or(0, |letters| u64::from(u32::from_le_bytes(*letters)))
        };
        let ends = letters(bytes.first_chunk()) | (letters(bytes.last_chunk()) << 32);
        let mixed = self.0.rotate_left(5) ^ ends ^ bytes.len() as u64;
        // The golden ratio's bits: each letter has a part in the whole upper half.
        self.0 = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_u8(&mut self, _: u8) {
        // Marks the end of a word, whose length is in already.
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::hash::BuildHasher;

    use super::*;
    use crate::directive::version;

    #[test]
    fn names_are_told_apart() {
        let builder = BuildHasherDefault::<EndsHasher>::default();
        let places: BTreeSet<_> = entries(version::SECTIONS)
            .map(|(section, name, _)| (section, name))
            .collect();
        let hashes: BTreeSet<_> = places.iter().map(|place| builder.hash_one(place)).collect();
        assert!(
            places.len() - hashes.len() < 5,
            "{} names share {} hashes",
            places.len(),
            hashes.len()
        );
    }
}
