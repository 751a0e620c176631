//! A hash table that finds the ids of pieces, used in place.
//!
//! Byte-level pieces are hashed by the bytes that they stand for, so that words of a text are looked up as they are.

use super::bpe::alphabet;

/// The ids of pieces plus 1, by hash. 0 marks a free slot.
///
/// The number of slots is a power of two, and some are free. The pieces themselves are elsewhere: each look-up compares
/// them.
#[derive(Debug, Clone, Copy)]
pub struct PieceIndex<'a> {
    slots: &'a [u32],
}

/// Builds the slots for distinct pieces with their ids.
pub fn build<'p>(pieces: impl ExactSizeIterator<Item = (&'p str, u32)>) -> Vec<u32> {
    let length = (pieces.len() * 3 / 2 + 1).next_power_of_two();
    let mut slots = vec![0; length];
    for (piece, id) in pieces {
        let mut at = slot_of(piece, length);
        while slots[at] != 0 {
            at = (at + 1) % length;
        }
        slots[at] = id + 1;
    }
    slots
}

impl<'a> PieceIndex<'a> {
    /// Creates an index from slots. Returns `None` unless their number is a power of two.
    pub fn new(slots: &'a [u32]) -> Option<Self> {
        slots.len().is_power_of_two().then_some(Self { slots })
    }

    /// Returns the id of a piece. `piece_of` returns the piece of an id, in bytes.
    #[inline]
    pub fn find<'p>(self, piece: &str, piece_of: impl Fn(u32) -> Option<&'p [u8]>) -> Option<u32> {
        let first = slot_of(piece, self.slots.len());
        self.search(first, |id| piece_of(id) == Some(piece.as_bytes()))
    }

    /// Returns the id of the byte-level piece that stands for `bytes`.
    pub fn find_bytes<'p>(
        self,
        bytes: &[u8],
        piece_of: impl Fn(u32) -> Option<&'p str>,
    ) -> Option<u32> {
        let first = first_slot(bytes.iter().copied(), self.slots.len());
        self.search(first, |id| {
            piece_of(id).is_some_and(|piece| alphabet::spells(piece, bytes))
        })
    }

    fn search(self, first: usize, is_same: impl Fn(u32) -> bool) -> Option<u32> {
        let mut at = first;
        for _ in 0..self.slots.len() {
            let id = self.slots[at].checked_sub(1)?;
            if is_same(id) {
                return Some(id);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        None
    }
}

/// Returns the slot at which the search for a piece begins.
fn slot_of(piece: &str, length: usize) -> usize {
    let mut bytes = piece.chars().map(alphabet::byte);
    let hash = bytes.try_fold(FIRST_HASH, |hash, byte| Some(mix(hash, byte?)));
    hash.map_or_else(
        || first_slot(piece.bytes(), length),
        |hash| hash as usize & (length - 1),
    )
}

fn first_slot(bytes: impl Iterator<Item = u8>, length: usize) -> usize {
    bytes.fold(FIRST_HASH, mix) as usize & (length - 1)
}

/// The hash of no bytes.
const FIRST_HASH: u64 = 0x9e37_79b9_7f4a_7c15;

/// Returns the hash of bytes and one more byte.
#[inline]
fn mix(hash: u64, byte: u8) -> u64 {
    let product = u128::from(hash ^ u64::from(byte)) * 0xe703_7ed1_a0b4_28db;
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_found_by_spelling_and_by_bytes() {
        let pieces = ["a", "Ġ", " ", "Ġa", "é", "b", "a much longer piece", ""];
        let pieces: Vec<(&str, u32)> = pieces.into_iter().zip(0..).collect();
        let slots = build(pieces.iter().copied());
        let index = PieceIndex::new(&slots).unwrap();
        let piece_of = |id: u32| pieces.get(id as usize).map(|piece| piece.0);
        for (piece, id) in &pieces {
            let bytes_of = |id| piece_of(id).map(str::as_bytes);
            assert_eq!(index.find(piece, bytes_of), Some(*id), "{piece}");
        }
        assert_eq!(index.find("c", |id| piece_of(id).map(str::as_bytes)), None);
        assert_eq!(index.find_bytes(b" ", piece_of), Some(1));
        assert_eq!(index.find_bytes(b" a", piece_of), Some(3));
        assert_eq!(index.find_bytes(b"\xe9", piece_of), Some(4));
        assert_eq!(index.find_bytes("é".as_bytes(), piece_of), None);
        assert!(PieceIndex::new(&[]).is_none());
    }
}
