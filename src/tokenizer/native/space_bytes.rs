//! The white space at which a text is split into chunks.

/// What the steps of a tokenizer do with the white space between words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpaceHandling {
    /// Every white space becomes a space, and a run of spaces becomes one, at its last.
    Merged,
    /// White space separates words, and is dropped.
    Dropped,
    /// Every white space stays.
    Kept,
}

/// A set of the bytes 0 to 32 that separate chunks.
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
