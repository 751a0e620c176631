//! The first tokens of a byte-level word: one for each byte.

use super::alphabet;

/// The number of entries of [`byte_ids`].
pub const BYTE_IDS: usize = 512;

/// Returns the id of each byte, and after them the id of each byte at the end of a word, with the `suffix` of such
/// pieces. Returns `None` if a byte that occurs in UTF-8 lacks one of the two.
pub fn byte_ids(suffix: &str, find: impl Fn(&str) -> Option<u32>) -> Option<Vec<u32>> {
    let mut ids = Vec::with_capacity(BYTE_IDS);
    for suffix in ["", suffix] {
        for byte in 0..=u8::MAX {
            let id = find(&format!("{}{suffix}", alphabet::character(byte)));
            let occurs = !matches!(byte, 0xc0 | 0xc1 | 0xf5..);
            if id.is_none() && occurs {
                return None;
            }
            ids.push(id.unwrap_or(u32::MAX));
        }
    }
    Some(ids)
}
