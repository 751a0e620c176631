//! The classes of 64 bytes at a time, as bit masks.

/// The number of bytes in a block.
pub const BLOCK: usize = 64;

/// A block of text as little-endian machine words.
pub type Block = [u64; BLOCK / 8];

/// A bit for each byte of a block in each class of ASCII.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AsciiMasks {
    pub letters: u64,
    /// The letters in upper case.
    pub upper: u64,
    pub digits: u64,
    pub spaces: u64,
    /// Tab, line feed, vertical tab, form feed, and carriage return.
    pub controls: u64,
    /// Line feed and carriage return.
    pub breaks: u64,
    pub apostrophes: u64,
    pub slashes: u64,
    /// Bytes that are not in ASCII.
    pub beyond: u64,
}

impl AsciiMasks {
    #[cfg(target_arch = "x86_64")]
    #[inline]
    pub fn of(block: &Block) -> Self {
        #[allow(
            unsafe_code,
            reason = "a call of a function with target features is unsafe"
        )]
        // SAFETY: the processor has AVX2, and every x86-64 processor has SSE2.
        unsafe {
            if is_x86_feature_detected!("avx2") {
                avx2::masks(block)
            } else {
                sse2::masks(block)
            }
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    #[inline]
    pub fn of(block: &Block) -> Self {
        portable::masks(block)
    }
}

/// Defines `masks` for vectors of one size.
#[cfg(target_arch = "x86_64")]
macro_rules! masks {
    (
        $feature:literal, $vector:ident of $words:literal, $load:expr, $and:ident, $or:ident,
        $equal:ident, $min:ident, $sub:ident, $all:ident, $bits:ident
    ) => {
        #[target_feature(enable = $feature)]
        pub fn masks(block: &Block) -> AsciiMasks {
            let mut masks = AsciiMasks::default();
            let vectors: &[[u64; $words]] = block.as_chunks().0;
            for (index, words) in vectors.iter().enumerate() {
                let bytes = $load(words.map(u64::cast_signed));
                let at =
                    |mask: $vector| u64::from($bits(mask).cast_unsigned()) << (8 * $words * index);
                let letters = range($or(bytes, all(0x20)), b'a', b'z');
                masks.letters |= at(letters);
                masks.upper |= at($and(letters, range(bytes, b'A', b'Z')));
                masks.digits |= at(range(bytes, b'0', b'9'));
                masks.spaces |= at($equal(bytes, all(b' ')));
                masks.controls |= at(range(bytes, b'\t', b'\r'));
                let feed = $equal(bytes, all(b'\n'));
                masks.breaks |= at($or(feed, $equal(bytes, all(b'\r'))));
                masks.apostrophes |= at($equal(bytes, all(b'\'')));
                masks.slashes |= at($equal(bytes, all(b'/')));
                masks.beyond |= at(bytes);
            }
            masks
        }

        #[inline]
        #[target_feature(enable = $feature)]
        fn all(byte: u8) -> $vector {
            $all(byte.cast_signed())
        }

        /// Sets the bytes from `first` to `last`.
        #[inline]
        #[target_feature(enable = $feature)]
        fn range(bytes: $vector, first: u8, last: u8) -> $vector {
            let above = $sub(bytes, all(first));
            $equal($min(above, all(last - first)), above)
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::*;

    use super::{AsciiMasks, Block};

    masks!(
        "sse2", __m128i of 2, |[low, high]: [i64; 2]| _mm_set_epi64x(high, low),
        _mm_and_si128, _mm_or_si128, _mm_cmpeq_epi8, _mm_min_epu8, _mm_sub_epi8, _mm_set1_epi8,
        _mm_movemask_epi8
    );
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{AsciiMasks, Block};

    masks!(
        "avx2", __m256i of 4, |[a, b, c, d]: [i64; 4]| _mm256_set_epi64x(d, c, b, a),
        _mm256_and_si256, _mm256_or_si256, _mm256_cmpeq_epi8, _mm256_min_epu8, _mm256_sub_epi8,
        _mm256_set1_epi8, _mm256_movemask_epi8
    );
}

#[cfg(any(test, not(target_arch = "x86_64")))]
mod portable {
    use super::{AsciiMasks, Block};

    pub fn masks(block: &Block) -> AsciiMasks {
        let mut masks = AsciiMasks::default();
        let bytes = block.iter().flat_map(|word| word.to_le_bytes());
        for (index, byte) in bytes.enumerate() {
            let at = |is_in: bool| u64::from(is_in) << index;
            masks.letters |= at(byte.is_ascii_alphabetic());
            masks.upper |= at(byte.is_ascii_uppercase());
            masks.digits |= at(byte.is_ascii_digit());
            masks.spaces |= at(byte == b' ');
            masks.controls |= at(matches!(byte, b'\t'..=b'\r'));
            masks.breaks |= at(matches!(byte, b'\n' | b'\r'));
            masks.apostrophes |= at(byte == b'\'');
            masks.slashes |= at(byte == b'/');
            masks.beyond |= at(!byte.is_ascii());
        }
        masks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simd_and_the_portable_masks_agree() {
        for byte in 0..=255_u8 {
            let mut bytes = [byte; BLOCK];
            bytes[usize::from(byte) % BLOCK] = byte.wrapping_mul(77);
            let block = bytemuck::cast::<_, Block>(bytes).map(u64::from_le);
            let expected = portable::masks(&block);
            assert_eq!(AsciiMasks::of(&block), expected, "{byte}");
            #[cfg(target_arch = "x86_64")]
            {
                #[allow(
                    unsafe_code,
                    reason = "a call of a function with target features is unsafe"
                )]
                // SAFETY: every x86-64 processor has SSE2.
                let masks = unsafe { sse2::masks(&block) };
                assert_eq!(masks, expected, "{byte}");
            }
        }
    }
}
