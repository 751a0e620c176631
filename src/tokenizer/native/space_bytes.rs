//! The white space at which texts are split into chunks.

/// How the steps of a tokenizer handle the white space between words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpaceHandling {
    /// White space becomes spaces, and each run collapses into its last space.
    Merged,
    /// White space separates words and is dropped.
    Dropped,
    /// White space is kept unchanged.
    Kept,
    /// White space becomes spaces, and each space but the last of a run is a word.
    Apart,
    /// White space separates words and is dropped. A word has the same tokens with and without white space before it.
    Skipped,
}

/// The set of bytes that separate chunks, each from 0 to 32.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpaceBytes(u64);

impl SpaceBytes {
    /// Adds a byte, which must not exceed 32.
    pub fn insert(&mut self, byte: u8) {
        self.0 |= 1 << byte;
    }

    #[inline]
    pub fn contains(self, byte: u8) -> bool {
        byte <= b' ' && self.0 >> byte & 1 == 1
    }
}
