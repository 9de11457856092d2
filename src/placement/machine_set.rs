//! A set of machines, by their position in the order of ids.
//!
//! In: positions. Out: what sets have in common and where they differ. Knows nothing of what a
//! machine is.

const BITS: usize = u64::BITS as usize;

/// Holds positions below a number that is fixed when it is made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MachineSet(Vec<u64>);

impl MachineSet {
    pub(super) fn empty(machines: usize) -> Self {
        Self(vec![0; machines.div_ceil(BITS)])
    }

    pub(super) fn of(machines: usize, mut holds: impl FnMut(usize) -> bool) -> Self {
        let mut set = Self::empty(machines);
        for machine in (0..machines).filter(|machine| holds(*machine)) {
            set.insert(machine);
        }
        set
    }

    pub(super) fn insert(&mut self, machine: usize) {
        self.0[machine / BITS] |= 1 << (machine % BITS);
    }

    pub(super) fn remove(&mut self, machine: usize) {
        self.0[machine / BITS] &= !(1 << (machine % BITS));
    }

    pub(super) fn contains(&self, machine: usize) -> bool {
        self.0[machine / BITS] & (1 << (machine % BITS)) != 0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn count(&self) -> usize {
        let ones = self.0.iter().map(|word| word.count_ones() as usize);
        ones.sum()
    }

    pub(super) fn is_disjoint(&self, other: &Self) -> bool {
        self.0
            .iter()
            .zip(&other.0)
            .all(|(one, other)| one & other == 0)
    }

    pub(super) fn keep(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= other;
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }

    pub(super) fn subtract(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word &= !other;
        }
    }

    /// Returns the machines in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some(index * BITS + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_beyond_one_word() {
        let even = MachineSet::of(130, |machine| machine % 2 == 0);
        let high = MachineSet::of(130, |machine| machine > 126);
        let both = |change: fn(&mut MachineSet, &MachineSet)| {
            let mut set = even.clone();
            change(&mut set, &high);
            (set.count(), set.iter().last())
        };
        assert_eq!(both(MachineSet::keep), (1, Some(128)));
        assert_eq!(both(MachineSet::add), (67, Some(129)));
        assert_eq!(both(MachineSet::subtract), (64, Some(126)));
        assert!(!even.is_disjoint(&high));
        assert!(even.contains(128) && !even.contains(127));
        assert!(MachineSet::empty(0).is_empty());
    }
}
