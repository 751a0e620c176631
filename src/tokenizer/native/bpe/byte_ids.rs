//! The first tokens of a byte-level word: one for each byte.

use super::alphabet;

/// The number of entries of [`byte_ids`].
pub const BYTE_IDS: usize = 512;

/// The id of a byte without a piece.
pub const NO_PIECE: u32 = u32::MAX;

/// Returns the id of each byte, and after them the id of each byte at the end of a word, with the `suffix` of such
/// pieces.
pub fn byte_ids(suffix: &str, find: impl Fn(&str) -> Option<u32>) -> Vec<u32> {
    let id = |byte: u8, suffix: &str| find(&format!("{}{suffix}", alphabet::character(byte)));
    let bytes = || 0..=u8::MAX;
    let ids = bytes().map(|byte| id(byte, ""));
    let last = bytes().map(|byte| id(byte, suffix));
    ids.chain(last).map(|id| id.unwrap_or(NO_PIECE)).collect()
}

/// A set of bytes.
#[derive(Debug)]
pub struct ByteSet {
    bytes: [bool; 256],
    is_empty: bool,
}

impl ByteSet {
    pub const EMPTY: Self = Self {
        bytes: [false; 256],
        is_empty: true,
    };

    /// Returns the bytes of UTF-8 that have no piece, or none at the end of a word.
    pub fn without_piece(ids: &[u32; BYTE_IDS]) -> Self {
        let mut set = Self::EMPTY;
        for byte in 0..=u8::MAX {
            let occurs = !matches!(byte, 0xc0 | 0xc1 | 0xf5..);
            let at = usize::from(byte);
            if occurs && [ids[at], ids[BYTE_IDS / 2 + at]].contains(&NO_PIECE) {
                set.bytes[at] = true;
                set.is_empty = false;
            }
        }
        set
    }

    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    pub fn contains(&self, byte: u8) -> bool {
        self.bytes[usize::from(byte)]
    }

    /// Returns true if a text contains one of the bytes.
    pub fn are_in(&self, text: &str) -> bool {
        !self.is_empty && text.bytes().any(|byte| self.contains(byte))
    }
}
