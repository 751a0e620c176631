//! The pieces of a vocabulary → places in a word where it can be cut without changing its tokens.
//!
//! At a place that no piece goes across every path through a word ends a piece, so the best path is the best one up to
//! there and the best one from there on. Two things could still join the two sides: unknown characters, which fuse with
//! their neighbours, so that the character behind the place has to be a piece; and the rounding of sums, so that no sum
//! of scores may be rounded at all.

/// Bytes of the longest word that is cut.
pub const LONGEST: usize = 64;

/// For each ASCII character, the bytes that stand before it in some piece, as bits; all where it is no seam.
pub type Joined = [[u64; 4]; 128];

/// The seams before ASCII characters.
#[derive(Debug, Clone, Copy)]
pub struct Seams<'a> {
    joined: &'a [[u64; 4]],
}

/// Finds the seams of some pieces, given with their ids and scores; `margin` is how far below the lowest score that of
/// an unknown character is.
pub fn find(keys: &[(&[u8], u32, f64)], unknown_id: u32, margin: f64) -> Joined {
    let mut joined = [[u64::MAX; 4]; 128];
    let scores = keys.iter().map(|key| key.2);
    if !sums_are_exact(scores.chain([margin])) {
        return joined;
    }
    for (piece, id, _) in keys {
        if let &[byte @ ..128] = *piece
            && *id != unknown_id
        {
            joined[usize::from(byte)] = [0; 4];
        }
    }
    for (piece, ..) in keys {
        for pair in piece.windows(2) {
            if let Some(before) = joined.get_mut(usize::from(pair[1])) {
                before[usize::from(pair[0] >> 6)] |= 1 << (pair[0] & 63);
            }
        }
    }
    joined
}

/// Whether all sums of scores along a word, each of them less one of the others or not, have no more bits than a
/// float64 holds.
fn sums_are_exact(scores: impl Iterator<Item = f64>) -> bool {
    let mut unit = i64::MAX;
    let mut largest = 0.0_f64;
    for score in scores.filter(|score| *score != 0.0) {
        if !score.is_normal() {
            return false;
        }
        let fraction = score.to_bits() & ((1 << 52) - 1) | 1 << 52;
        let exponent = (score.to_bits() >> 52 & 0x7ff) as i64 - 1075;
        unit = unit.min(exponent + i64::from(fraction.trailing_zeros()));
        largest = largest.max(score.abs());
    }
    // A sum has at most a score for each byte, and each may be twice the largest.
    let bound = largest * 2.0 * LONGEST as f64;
    unit == i64::MAX || bound.log2() - unit as f64 <= 52.0
}

impl<'a> Seams<'a> {
    /// No seams are known where there is no entry.
    pub fn new(joined: &'a [[u64; 4]]) -> Self {
        Self { joined }
    }

    /// Whether a word that ends in these two bytes can be cut between them; the last is a piece then.
    #[inline]
    pub fn is_between(self, before: u8, last: u8) -> bool {
        self.joined
            .get(usize::from(last))
            .is_some_and(|joined| joined[usize::from(before >> 6)] >> (before & 63) & 1 == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seams(pieces: &[(&str, f64)]) -> Joined {
        let keys: Vec<(&[u8], u32, f64)> = (0..)
            .zip(pieces)
            .map(|(id, (piece, score))| (piece.as_bytes(), id, *score))
            .collect();
        find(&keys, 0, 10.0)
    }

    #[test]
    fn a_seam_is_where_no_piece_goes_across_and_a_piece_begins() {
        let joined = seams(&[
            ("?", 0.0),
            (",", -1.5),
            ("a.b", -2.0),
            (".", -3.0),
            ("é!", -1.0),
        ]);
        let is_seam = |before: u8, last: u8| Seams::new(&joined).is_between(before, last);
        assert!(is_seam(b'a', b',') && is_seam(0xff, b','));
        assert!(!is_seam(b'a', b'.') && is_seam(b'b', b'.'));
        assert!(!is_seam(b'a', b'!'), "no piece");
        assert!(!is_seam(b'a', b'?'), "unknown");
        assert!(!is_seam(b'a', 0xa9), "not ASCII");
        assert!(!Seams::new(&[]).is_between(b'a', b','));
    }

    #[test]
    fn scores_whose_sums_are_rounded_have_no_seams() {
        let none = [[u64::MAX; 4]; 128];
        // 2^-36 with a sum of up to 2^15 takes 51 bits, 2^-39 three more.
        for (score, exact) in [
            (-1.0, true),
            (2.0_f64.powi(-36), true),
            (2.0_f64.powi(-39), false),
        ] {
            let joined = seams(&[("?", 0.0), (",", score), ("a", -100.0)]);
            assert_eq!(joined != none, exact, "{score}");
        }
        for score in [f64::NAN, f64::NEG_INFINITY, f64::MIN_POSITIVE / 2.0, -0.1] {
            assert_eq!(seams(&[("?", 0.0), (",", score), ("a", -100.0)]), none);
        }
    }
}
