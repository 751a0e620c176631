//! The pieces of a vocabulary → the ASCII characters that are tokens of their own at the end of any word.
//!
//! Where no piece ends in a character but that character alone, every path through a word that ends in it ends a piece
//! before it, so that the best path is the best one up to there, and the character. Two things could still join the two
//! sides: unknown characters, which fuse with their neighbours, so that the character has to be a piece; and the
//! rounding of sums, so that no sum of scores may be rounded at all.

use super::normalize::METASPACE;
use super::unigram::UNKNOWN_PENALTY;

/// A bit for each ASCII character.
pub type MarkSet = u128;

/// Bytes of the longest word that this is to hold for.
pub const LONGEST: usize = 64;

/// The ids of characters that stand apart.
#[derive(Debug)]
pub struct TrailingMarks([u32; 256]);

/// No piece has this id.
const NO_PIECE: u32 = u32::MAX;

impl TrailingMarks {
    /// Characters with their ids.
    pub fn new(characters: impl Iterator<Item = (u8, u32)>) -> Self {
        let mut ids = [NO_PIECE; 256];
        for (character, id) in characters {
            ids[usize::from(character)] = id;
        }
        Self(ids)
    }

    #[inline]
    pub fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte)] != NO_PIECE
    }

    /// The id of one that is among them.
    #[inline]
    pub fn id(&self, byte: u8) -> u32 {
        self.0[usize::from(byte)]
    }
}

/// The characters that stand apart at the end of any word, but for one that is the mark of a space and the character.
///
/// Pieces are given with their ids and scores.
pub fn find(keys: &[(&[u8], u32, f64)], unknown_id: u32) -> MarkSet {
    let mut space = [0; 4];
    let space = METASPACE.encode_utf8(&mut space).as_bytes();
    let scores = keys.iter().map(|key| key.2);
    if !sums_are_exact(scores.chain([UNKNOWN_PENALTY])) {
        return 0;
    }
    let mut apart = 0;
    for (piece, id, _) in keys {
        if let &[byte @ ..128] = *piece
            && *id != unknown_id
        {
            apart |= 1 << byte;
        }
    }
    for (piece, ..) in keys {
        if let Some((&byte @ ..128, before)) = piece.split_last()
            && !before.is_empty()
            && before != space
        {
            apart &= !(1 << byte);
        }
    }
    apart
}

/// Whether all sums of scores along a word, an unknown character's among them, are exact in float64.
fn sums_are_exact(scores: impl Iterator<Item = f64>) -> bool {
    // The place of the last bit of all scores, as a power of two.
    let mut last = i64::MAX;
    let mut largest = 0.0_f64;
    for score in scores.filter(|score| *score != 0.0) {
        if !score.is_normal() {
            return false;
        }
        let fraction = score.to_bits() & ((1 << 52) - 1) | 1 << 52;
        let exponent = (score.to_bits() >> 52 & 0x7ff) as i64 - 1075;
        last = last.min(exponent + i64::from(fraction.trailing_zeros()));
        largest = largest.max(score.abs());
    }
    // There are at most as many scores as bytes, and that of an unknown character is the sum of two others.
    let bound = largest * 2.0 * LONGEST as f64;
    bound.log2() <= 52.0 + last as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(pieces: &[(&str, f64)]) -> Vec<char> {
        let keys: Vec<(&[u8], u32, f64)> = (0..)
            .zip(pieces)
            .map(|(id, (piece, score))| (piece.as_bytes(), id, *score))
            .collect();
        let apart = find(&keys, 0);
        let bytes = (0..128_u8).filter(|byte| apart >> byte & 1 == 1);
        bytes.map(char::from).collect()
    }

    #[test]
    fn a_character_is_apart_if_it_is_a_piece_and_no_other_ends_in_it() {
        let pieces = [
            ("?", 0.0),
            (",", -1.5),
            ("▁,", -2.5),
            (";,x", -1.5),
            ("!", -1.0),
            ("é!", -1.0),
            ("(", -1.0),
            ("(a", -1.0),
            ("É:", -1.0),
            ("a▁;", -1.0),
            (";", -1.0),
        ];
        // `!` ends `é!`, and `;` `a▁;`; `?` is unknown, `:` and `a` are no pieces.
        assert_eq!(apart(&pieces), ['(', ',']);
    }

    #[test]
    fn scores_whose_sums_are_rounded_keep_nothing_apart() {
        let characters = |score: f64| apart(&[("?", 0.0), (",", score), ("a", -100.0)]).len();
        // 2^-36 with a sum of up to 2^14 takes 50 bits, 2^-39 three more.
        for score in [-1.0, 0.0, 2.0_f64.powi(-36)] {
            assert_eq!(characters(score), 2, "{score}");
        }
        let unknown = [f64::NAN, f64::NEG_INFINITY];
        for score in [2.0_f64.powi(-39), f64::MIN_POSITIVE / 2.0, -0.1]
            .into_iter()
            .chain(unknown)
        {
            assert_eq!(characters(score), 0, "{score}");
        }
    }
}
