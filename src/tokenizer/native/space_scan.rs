//! Fast access to the bytes of a text: a SIMD scan for bytes up to the space, and word loads that may extend past the
//! end.

/// The number of bytes scanned at once.
const SCAN_BYTES: usize = 64;

/// The bytes of a text, followed by zeros that can be read past its end.
#[derive(Debug)]
pub struct PaddedText<'a> {
    bytes: &'a [u8],
    /// The last bytes of the text, from `tail_start` on, followed by zeros.
    tail: [u8; 2 * SCAN_BYTES],
    tail_start: usize,
}

impl<'a> PaddedText<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        let tail_start = bytes.len().saturating_sub(SCAN_BYTES);
        let mut tail = [0; 2 * SCAN_BYTES];
        tail[..bytes.len() - tail_start].copy_from_slice(&bytes[tail_start..]);
        Self {
            bytes,
            tail,
            tail_start,
        }
    }

    /// Returns the bytes of the text.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Loads up to a block of bytes from `at` on, as little-endian words.
    #[inline]
    pub fn words<const WORDS: usize>(&self, at: usize) -> [u64; WORDS] {
        const { assert!(8 * WORDS <= SCAN_BYTES) };
        match self.bytes.get(at..at + 8 * WORDS) {
            Some(bytes) => from_bytes(bytes),
            None => self.last_words(at),
        }
    }

    #[inline]
    fn last_words<const WORDS: usize>(&self, at: usize) -> [u64; WORDS] {
        let tail = at.checked_sub(self.tail_start);
        // A constant length needs no call of `memcpy`.
        let bytes = tail.and_then(|at| self.tail.get(at..at + 8 * WORDS));
        from_bytes(bytes.unwrap_or_default())
    }

    /// Returns an iterator over the separators after byte `at`.
    #[inline]
    pub fn separators_after(&self, at: usize) -> Separators<'_> {
        Separators {
            text: self,
            start: at,
            bits: separators(self.words(at)) & !1,
        }
    }
}

/// The offsets of the bytes up to the space (0 to 32), in order, followed by the end of the text.
#[derive(Debug)]
pub struct Separators<'a> {
    text: &'a PaddedText<'a>,
    /// The offset of the current block.
    start: usize,
    /// A bit for each separator of the block that has not been returned yet.
    bits: u64,
}

impl Separators<'_> {
    /// Returns the next offset. Must not be called again once it has returned the end of the text.
    #[inline]
    pub fn advance(&mut self) -> usize {
        if self.bits == 0 {
            self.next_block();
        }
        let position = self.start + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits.wrapping_sub(1);
        position
    }

    /// Advances to the next block that has a separator.
    #[inline(never)]
    fn next_block(&mut self) {
        while self.bits == 0 {
            self.start += SCAN_BYTES;
            self.bits = separators(self.text.words(self.start));
        }
    }
}

#[inline]
fn from_bytes<const WORDS: usize>(bytes: &[u8]) -> [u64; WORDS] {
    let mut words = [0; WORDS];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    words
}

/// Returns a bit for each byte of a block, set if the byte is not greater than a space.
#[cfg(target_arch = "x86_64")]
#[inline]
fn separators(block: [u64; SCAN_BYTES / 8]) -> u64 {
    #[allow(
        unsafe_code,
        reason = "a call of a function with target features is unsafe"
    )]
    // SAFETY: every x86-64 processor has SSE2.
    unsafe {
        sse2::separators(block)
    }
}

#[cfg(not(target_arch = "x86_64"))]
use portable::separators;

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8,
    };

    #[inline]
    #[target_feature(enable = "sse2")]
    pub fn separators(block: [u64; super::SCAN_BYTES / 8]) -> u64 {
        let space = _mm_set1_epi8(b' '.cast_signed());
        let mut bits = 0;
        for (index, [low, high]) in block.as_chunks().0.iter().enumerate() {
            let bytes = _mm_set_epi64x(high.cast_signed(), low.cast_signed());
            let up_to = _mm_cmpeq_epi8(_mm_min_epu8(bytes, space), bytes);
            bits |= (_mm_movemask_epi8(up_to) as u64) << (16 * index);
        }
        bits
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);

    pub fn separators(block: [u64; super::SCAN_BYTES / 8]) -> u64 {
        let mut bits = 0;
        for (index, word) in block.into_iter().enumerate() {
            // Sets the high bit of each byte that is greater than a space. No sum carries into the next byte.
            let above = ((word & !(ONES << 7)) + ONES * u64::from(0x7f - b' ')) | word;
            let up_to = !above & ONES << 7;
            // Gathers the high bits into one byte.
            bits |= (up_to.wrapping_mul(0x0002_0408_1020_4081) >> 56) << (8 * index);
        }
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_up_to_the_space_is_found_at_every_position() {
        let others = [0x21, 0x7f, 0x80, 0xff, 0xa0];
        for length in [0, 1, 7, 8, 63, 64, 65, 127, 128, 129, 200] {
            for (position, low) in (0..length).zip([0, 9, 10, 31, 32].into_iter().cycle()) {
                let mut bytes = others.repeat(40);
                bytes.truncate(length);
                bytes[position] = low;
                if let Some(byte) = bytes.get_mut(position + 70) {
                    *byte = low;
                }
                for at in 0..length {
                    let expected: Vec<usize> = (at + 1..length)
                        .filter(|position| bytes[*position] <= b' ')
                        .chain([length])
                        .collect();
                    let text = PaddedText::new(&bytes);
                    let mut separators = text.separators_after(at);
                    let found: Vec<usize> = expected.iter().map(|_| separators.advance()).collect();
                    assert_eq!(found, expected, "{length} {position} {at}");
                }
            }
        }
    }

    #[test]
    fn the_simd_and_the_portable_scan_agree() {
        for byte in 0..=255_u8 {
            let mut bytes = [byte; SCAN_BYTES];
            bytes[usize::from(byte) % SCAN_BYTES] = byte.wrapping_mul(77);
            let block = bytemuck::cast(bytes);
            assert_eq!(separators(block), portable::separators(block), "{byte}");
        }
    }

    #[test]
    fn words_are_loaded_from_the_text_and_zeros_after_it() {
        for length in 0..150 {
            let bytes: Vec<u8> = (1..=length).collect();
            let text = PaddedText::new(&bytes);
            let length = usize::from(length);
            for at in 0..=length {
                let words: [u64; 3] = text.words(at);
                let mut expected = [0; 24];
                let inside = (length - at).min(24);
                expected[..inside].copy_from_slice(&bytes[at..at + inside]);
                assert_eq!(
                    bytemuck::cast::<_, [u8; 24]>(words.map(u64::to_le)),
                    expected
                );
            }
        }
    }
}
