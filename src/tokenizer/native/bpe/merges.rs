//! The merges of a byte-pair encoding: a hash table of pairs of ids, used in place.

/// A slot of the table: a pair of ids, and the rank of its merge with the merged id.
pub type MergeSlot = [u64; 2];

/// The key of a free slot. No pair has it, since no id is `u32::MAX`.
const FREE: u64 = u64::MAX;

/// The merge of a pair of tokens: the rank in the high half, the merged id in the low half. Lower ranks go first.
pub type Merged = u64;

/// Stands for a pair that is not merged. Higher than any merge.
pub const NOT_MERGED: Merged = u64::MAX;

/// The merges of a model, by open addressing. The number of slots is a power of two, and some are free.
#[derive(Debug, Clone, Copy)]
pub struct MergeTable<'a> {
    slots: &'a [MergeSlot],
}

/// Returns the number of slots for a number of merges.
pub fn slot_count(merges: usize) -> usize {
    (merges * 3 / 2 + 1).next_power_of_two()
}

/// Fills the slots for merges in order of rank: two ids, and the merged one. If a pair occurs twice, the last rank counts,
/// as in the `tokenizers` crate.
pub fn fill(slots: &mut [MergeSlot], merges: &[[u32; 3]]) {
    let length = slots.len();
    slots.fill([FREE, NOT_MERGED]);
    for (rank, &[left, right, merged]) in (0_u64..).zip(merges) {
        let key = key(left, right);
        let mut at = first_slot(key, length);
        while slots[at][0] != FREE && slots[at][0] != key {
            at = (at + 1) % length;
        }
        slots[at] = [key, rank << 32 | u64::from(merged)];
    }
}

/// Builds the slots for merges in order of rank, like [`fill`].
#[cfg(test)]
pub fn build(merges: &[[u32; 3]]) -> Vec<MergeSlot> {
    let mut slots = vec![[0; 2]; slot_count(merges.len())];
    fill(&mut slots, merges);
    slots
}

impl<'a> MergeTable<'a> {
    /// Creates a table from slots. Returns `None` unless their number is a power of two.
    pub fn new(slots: &'a [MergeSlot]) -> Option<Self> {
        slots.len().is_power_of_two().then_some(Self { slots })
    }

    /// Returns the merge of a pair, or [`NOT_MERGED`].
    #[inline]
    pub fn get(self, left: u32, right: u32) -> Merged {
        let key = key(left, right);
        let mut at = first_slot(key, self.slots.len());
        loop {
            let [found, merged] = self.slots[at];
            if found == key {
                return merged;
            }
            if found == FREE {
                return NOT_MERGED;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }
}

#[inline]
fn key(left: u32, right: u32) -> u64 {
    u64::from(left) << 32 | u64::from(right)
}

/// Returns the slot at which the search for a pair begins.
#[inline]
fn first_slot(key: u64, length: usize) -> usize {
    let product = u128::from(key ^ 0x9e37_79b9_7f4a_7c15) * 0xe703_7ed1_a0b4_28db;
    ((product >> 64) as u64 ^ product as u64) as usize & (length - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_has_its_last_rank() {
        let slots = build(&[[1, 2, 5], [2, 1, 6], [1, 2, 7]]);
        let table = MergeTable::new(&slots).unwrap();
        assert_eq!(table.get(1, 2), 2 << 32 | 7);
        assert_eq!(table.get(2, 1), 1 << 32 | 6);
        assert_eq!(table.get(2, 2), NOT_MERGED);
        let none = build(&[]);
        assert_eq!(MergeTable::new(&none).unwrap().get(0, 0), NOT_MERGED);
        assert!(MergeTable::new(&[]).is_none());
    }

    #[test]
    fn many_pairs_are_told_apart() {
        let merges: Vec<[u32; 3]> = (0..5000).map(|n| [n % 71, n / 71, n]).collect();
        let slots = build(&merges);
        let table = MergeTable::new(&slots).unwrap();
        for [left, right, merged] in merges {
            assert_eq!(table.get(left, right) as u32, merged);
            assert_eq!(table.get(left + 71, right), NOT_MERGED);
        }
    }
}
