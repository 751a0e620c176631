//! ASCII characters that always form a separate token at the end of a word, such as `,`.
//!
//! If no piece other than the character itself ends with the character, every path through a word that ends with it
//! splits before it. So the best path is the best path through the rest of the word, followed by the character. Two
//! things could still make the sides depend on each other. Unknown characters fuse with their neighbors, so the
//! character must be a piece. And rounding depends on the order of additions, so every sum of scores must be exact.

use super::normalize::METASPACE;
use super::unigram::UNKNOWN_PENALTY;

/// A bit for each ASCII character.
pub type MarkSet = u128;

/// The length of the longest word for which this holds, in bytes after normalization.
pub const LONGEST: usize = 64;

/// The ids of the trailing marks, by byte.
#[derive(Debug)]
pub struct TrailingMarks([u32; 256]);

/// No piece has this id.
const NO_PIECE: u32 = u32::MAX;

impl TrailingMarks {
    /// Creates the table from characters and their ids.
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

    /// Returns the id of a byte that the table [contains](Self::contains).
    #[inline]
    pub fn id(&self, byte: u8) -> u32 {
        self.0[usize::from(byte)]
    }
}

/// Finds the trailing marks of a vocabulary, given its pieces with their ids and scores.
///
/// A piece made of `▁` and the character does not disqualify the character. It can only match a word that consists of
/// the character alone, and such a word is never looked up without its mark.
pub fn find(keys: &[(&[u8], u32, f64)], unknown_id: u32) -> MarkSet {
    let mut space = [0; 4];
    let space = METASPACE.encode_utf8(&mut space).as_bytes();
    let scores = keys.iter().map(|key| key.2);
    if !sums_are_exact(scores.chain([UNKNOWN_PENALTY])) {
        return 0;
    }
    let mut marks = 0;
    for (piece, id, _) in keys {
        if let &[byte @ ..128] = *piece
            && *id != unknown_id
        {
            marks |= 1 << byte;
        }
    }
    for (piece, ..) in keys {
        if let Some((&byte @ ..128, before)) = piece.split_last()
            && !before.is_empty()
            && before != space
        {
            marks &= !(1 << byte);
        }
    }
    marks
}

/// Returns true if all sums of scores along a word, unknown characters included, are exact in float64.
fn sums_are_exact(scores: impl Iterator<Item = f64>) -> bool {
    // The lowest bit set in any score, as a power of two.
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
    // A word has at most one score per byte, and the score of an unknown character is itself a sum of two.
    let bound = largest * 2.0 * LONGEST as f64;
    bound.log2() <= 52.0 + last as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(pieces: &[(&str, f64)]) -> Vec<char> {
        let keys: Vec<(&[u8], u32, f64)> = (0..)
            .zip(pieces)
            .map(|(id, (piece, score))| (piece.as_bytes(), id, *score))
            .collect();
        let marks = find(&keys, 0);
        let bytes = (0..128_u8).filter(|byte| marks >> byte & 1 == 1);
        bytes.map(char::from).collect()
    }

    #[test]
    fn a_mark_is_a_piece_and_no_other_piece_ends_with_it() {
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
        // `!` ends `é!`, `;` ends `a▁;`, `?` is the unknown piece, and `:` and `a` are not pieces.
        assert_eq!(marks(&pieces), ['(', ',']);
    }

    #[test]
    fn scores_whose_sums_are_rounded_allow_no_marks() {
        let characters = |score: f64| marks(&[("?", 0.0), (",", score), ("a", -100.0)]).len();
        // 2^-36 with a sum of up to 2^14 takes 50 bits, 2^-39 three more.
        for score in [-1.0, 0.0, 2.0_f64.powi(-36)] {
            assert_eq!(characters(score), 2, "{score}");
        }
        let not_finite = [f64::NAN, f64::NEG_INFINITY];
        for score in [2.0_f64.powi(-39), f64::MIN_POSITIVE / 2.0, -0.1]
            .into_iter()
            .chain(not_finite)
        {
            assert_eq!(characters(score), 0, "{score}");
        }
    }
}
