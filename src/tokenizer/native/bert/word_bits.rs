//! Finds the bytes that end a run of ASCII letters and digits, 64 bytes at a time.

use crate::tokenizer::native::space_scan::PaddedText;

/// The number of bytes scanned at once.
const BLOCK: usize = 64;
const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGH: u64 = ONES << 7;

/// The offsets of the bytes other than ASCII letters and digits, in order, followed by the end of the text.
#[derive(Debug)]
pub struct WordEnds<'a> {
    text: &'a PaddedText<'a>,
    /// The offset of the current block.
    start: usize,
    /// A bit for each byte of the block that ends a run and has not been returned yet.
    bits: u64,
}

impl<'a> WordEnds<'a> {
    /// Starts at byte `at`.
    pub fn new(text: &'a PaddedText<'a>, at: usize) -> Self {
        Self {
            text,
            start: at,
            bits: word_ends(text.words(at)),
        }
    }

    /// Returns the next offset. Must not be called again once it has returned the end of the text.
    #[inline]
    pub fn advance(&mut self) -> usize {
        while self.bits == 0 {
            self.start += BLOCK;
            self.bits = word_ends(self.text.words(self.start));
        }
        let position = self.start + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits.wrapping_sub(1);
        position
    }

    /// Skips the offsets before `at`, which must not be less than those returned.
    #[inline]
    pub fn skip_to(&mut self, at: usize) {
        match at - self.start {
            ahead @ ..BLOCK => self.bits &= u64::MAX << ahead,
            _ => *self = Self::new(self.text, at),
        }
    }
}

/// Returns a bit for each byte of a block, set unless the byte is an ASCII letter or digit.
#[inline]
fn word_ends(block: [u64; BLOCK / 8]) -> u64 {
    let mut bits = 0;
    for (index, word) in block.into_iter().enumerate() {
        let low = word & !HIGH;
        let lower = low | ONES << 5;
        // Each sum sets the high bit of a byte that is at least the limit. No sum carries into the next byte.
        let at_least = |bytes: u64, limit: u8| bytes + ONES * u64::from(0x80 - limit);
        let letter = at_least(lower, b'a') & !at_least(lower, b'z' + 1);
        let digit = at_least(low, b'0') & !at_least(low, b'9' + 1);
        let ends = (!(letter | digit) | word) & HIGH;
        // Gathers the high bits into one byte.
        bits |= (ends.wrapping_mul(0x0002_0408_1020_4081) >> 56) << (8 * index);
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_ends_a_run_unless_it_is_a_letter_or_a_digit() {
        for length in [0, 1, 7, 8, 63, 64, 65, 129] {
            for position in 0..length {
                for byte in 0..=255_u8 {
                    let mut bytes = vec![b'x'; length];
                    bytes[position] = byte;
                    let text = PaddedText::new(&bytes);
                    let mut ends = WordEnds::new(&text, 0);
                    if !byte.is_ascii_alphanumeric() {
                        assert_eq!(ends.advance(), position, "{byte} {length}");
                    }
                    assert_eq!(ends.advance(), length, "{byte} {position}");
                }
            }
        }
    }

    #[test]
    fn bytes_that_are_skipped_are_not_returned() {
        let bytes = b"a,b,c d".repeat(40);
        let all: Vec<usize> = (0..bytes.len())
            .filter(|at| !bytes[*at].is_ascii_alphanumeric())
            .collect();
        let text = PaddedText::new(&bytes);
        for first in 0..3 {
            for to in all[first]..bytes.len() {
                let mut ends = WordEnds::new(&text, 0);
                assert_eq!(ends.advance(), all[0]);
                ends.skip_to(to);
                let next = all.iter().find(|at| **at >= to.max(all[0] + 1));
                assert_eq!(ends.advance(), next.copied().unwrap_or(bytes.len()));
            }
        }
    }
}
