//! A hash table that finds pieces by their text while a model is compiled.

use std::hash::{BuildHasher, RandomState};

/// The positions of pieces in a list, by hash.
#[derive(Debug)]
pub struct PieceTable {
    /// The high half of the hash of a piece, and one more than its position. 0 marks a free slot. The number of slots is
    /// a power of two, and at least half of them are free.
    slots: Vec<(u32, u32)>,
    /// Keeps others from choosing pieces with the same hash.
    seed: u64,
}

impl PieceTable {
    /// Lists pieces. Returns `None` if two are equal.
    pub fn new<'p>(pieces: impl ExactSizeIterator<Item = &'p str> + Clone) -> Option<Self> {
        let mut table = Self {
            slots: vec![(0, 0); (2 * pieces.len()).next_power_of_two()],
            seed: RandomState::new().hash_one(0),
        };
        let mut texts: Vec<&str> = Vec::with_capacity(pieces.len());
        for (position, piece) in (1..).zip(pieces) {
            let (slot, tag) = table.search(piece, |position| texts[position]).err()?;
            table.slots[slot] = (tag, position);
            texts.push(piece);
        }
        Some(table)
    }

    /// Returns the position of a piece. `piece_at` returns the piece at a position.
    pub fn find<'p>(&self, piece: &str, piece_at: impl Fn(usize) -> &'p str) -> Option<usize> {
        self.search(piece, piece_at).ok()
    }

    /// Returns the position of a piece, or else a free slot and what to write there.
    #[inline]
    fn search<'p>(
        &self,
        piece: &str,
        piece_at: impl Fn(usize) -> &'p str,
    ) -> Result<usize, (usize, u32)> {
        let hash = hash(piece, self.seed);
        let tag = (hash >> 32) as u32;
        let mut slot = hash as usize & (self.slots.len() - 1);
        loop {
            let (found, position) = self.slots[slot];
            let Some(position) = (position as usize).checked_sub(1) else {
                return Err((slot, tag));
            };
            if found == tag && piece_at(position) == piece {
                return Ok(position);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
    }
}

/// Returns a hash that is much faster than the one of the standard library.
#[inline]
fn hash(text: &str, seed: u64) -> u64 {
    let mix = |hash: u64, word: u64| {
        let product = u128::from(hash ^ word) * u128::from(0xe703_7ed1_a0b4_28db_u64 ^ seed | 1);
        (product >> 64) as u64 ^ product as u64
    };
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let hash = words.fold(seed.rotate_left(32) ^ text.len() as u64, mix);
    let rest = (rest.iter()).fold(0, |word, &byte| word << 8 | u64::from(byte));
    mix(hash, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_found_by_their_text() {
        let pieces: Vec<String> = (0..20_000)
            .map(|number| format!("{}{number}", "\0".repeat(number % 20)))
            .collect();
        let texts = pieces.iter().map(String::as_str);
        let table = PieceTable::new(texts.clone()).unwrap();
        let piece_at = |position: usize| pieces[position].as_str();
        for (position, piece) in pieces.iter().enumerate() {
            assert_eq!(table.find(piece, piece_at), Some(position));
            assert_eq!(table.find(&format!("{piece}."), piece_at), None);
        }
        assert_eq!(table.find("", piece_at), None);
        let none = PieceTable::new([].into_iter()).unwrap();
        assert_eq!(none.find("a", piece_at), None);
        let zeros = ["", "\0", "\0\0"].into_iter();
        assert!(PieceTable::new(zeros).is_some());
    }

    #[test]
    fn equal_pieces_are_noticed() {
        assert!(PieceTable::new(["a", "b", "a"].into_iter()).is_none());
    }
}
