//! Zeroed memory for hash tables, on huge pages if the system has them.
//!
//! A random access that misses the TLB costs more than one that misses the cache. With 2 MiB pages, the tables need so
//! few TLB entries that they all fit.

use std::fmt;
use std::ops::{Deref, DerefMut};

use memmap2::MmapMut;

/// The size and alignment of a huge page, in bytes.
const HUGE_PAGE: usize = 2 << 20;

/// A slice of 8-byte words, initially zero.
pub struct HugePages(Memory);

enum Memory {
    /// A memory map, and the start and length of the words within it, in bytes.
    Mapped(MmapMut, usize, usize),
    Owned(Vec<u64>),
}

impl Default for HugePages {
    fn default() -> Self {
        Self(Memory::Owned(Vec::new()))
    }
}

impl HugePages {
    /// Allocates `words` words, all zero.
    pub fn zeroed(words: usize) -> Self {
        match map_huge_pages(8 * words) {
            Some((map, start)) => Self(Memory::Mapped(map, start, 8 * words)),
            None => Self(Memory::Owned(vec![0; words])),
        }
    }
}

/// Maps memory. Returns the map and the offset of the first huge page within it, from which the map has at least
/// `length` bytes.
#[cfg(target_os = "linux")]
fn map_huge_pages(length: usize) -> Option<(MmapMut, usize)> {
    let map = MmapMut::map_anon(length.checked_add(HUGE_PAGE)?).ok()?;
    // If the advice fails or there are no huge pages, the memory is on small pages.
    let _ = map.advise(memmap2::Advice::HugePage);
    let start = map.as_ptr().addr().wrapping_neg() % HUGE_PAGE;
    Some((map, start))
}

#[cfg(not(target_os = "linux"))]
fn map_huge_pages(_: usize) -> Option<(MmapMut, usize)> {
    None
}

impl Deref for HugePages {
    type Target = [u64];

    #[inline]
    fn deref(&self) -> &[u64] {
        match &self.0 {
            Memory::Mapped(map, start, length) => {
                bytemuck::cast_slice(&map[*start..start + length])
            }
            Memory::Owned(words) => words,
        }
    }
}

impl DerefMut for HugePages {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u64] {
        match &mut self.0 {
            Memory::Mapped(map, start, length) => {
                bytemuck::cast_slice_mut(&mut map[*start..*start + *length])
            }
            Memory::Owned(words) => words,
        }
    }
}

impl fmt::Debug for HugePages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HugePages")
            .field("words", &self.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_words_are_zero_and_can_be_written() {
        for words in [0, 1, 1000, HUGE_PAGE / 8, 3 * HUGE_PAGE / 8 + 1] {
            let mut memory = HugePages::zeroed(words);
            assert_eq!(memory.len(), words);
            assert!(memory.iter().all(|word| *word == 0));
            memory.fill(7);
            assert!(memory.iter().all(|word| *word == 7));
        }
        assert!(HugePages::default().is_empty());
    }
}
