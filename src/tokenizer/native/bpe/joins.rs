//! The pairs of characters that a merge may join. A text can be split between all others.
//!
//! Every merge makes a piece. So two characters that stand side by side in no merged piece are never in one token, and
//! the tokens on both sides of such a place do not depend on each other.

/// The number of bits. More bits make fewer of the other pairs look like joined ones.
const BITS: usize = 1 << 20;
/// The number of machine words.
pub const JOIN_WORDS: usize = BITS / 64;

/// The set of joined pairs, as bits by hash.
#[derive(Debug, Clone, Copy)]
pub struct Joins<'a>(&'a [u64; JOIN_WORDS]);

/// Builds the set from the merged pieces. `▁` counts as a space.
pub fn build<'p>(pieces: impl Iterator<Item = &'p str>) -> Vec<u64> {
    let mut bits = vec![0; JOIN_WORDS];
    for piece in pieces {
        let characters = piece.chars().map(|character| match character {
            '▁' => ' ',
            other => other,
        });
        for (left, right) in characters.clone().zip(characters.skip(1)) {
            let bit = bit(left, right);
            bits[bit / 64] |= 1 << (bit % 64);
        }
    }
    bits
}

impl<'a> Joins<'a> {
    /// Creates the set from machine words. Returns `None` for another number of words.
    pub fn new(words: &'a [u64]) -> Option<Self> {
        words.try_into().ok().map(Self)
    }

    /// Returns false if no merge joins two neighboring characters.
    #[inline]
    pub fn may_join(self, left: char, right: char) -> bool {
        let bit = bit(left, right);
        self.0[bit / 64] >> (bit % 64) & 1 == 1
    }
}

#[inline]
fn bit(left: char, right: char) -> usize {
    let pair = u64::from(left as u32) << 32 | u64::from(right as u32);
    (pair.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - BITS.trailing_zeros())) as usize % BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_of_a_piece_are_joined_and_few_others() {
        let words = build(["▁ab", "漢字", "é"].into_iter());
        let joins = Joins::new(&words).unwrap();
        for (left, right) in [(' ', 'a'), ('a', 'b'), ('漢', '字')] {
            assert!(joins.may_join(left, right));
        }
        let others = ('a'..='z').flat_map(|left| ('c'..='z').map(move |right| (left, right)));
        let joined = others.filter(|(left, right)| joins.may_join(*left, *right));
        assert!(joined.count() < 3);
        assert!(!joins.may_join('b', ' '));
        assert!(Joins::new(&words[1..]).is_none());
    }
}
