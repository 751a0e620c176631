//! A set of characters, each decided when it first occurs.

use std::sync::OnceLock;

/// The characters that no step changes, alone or next to each other.
///
/// Those of the basic multilingual plane are decided in blocks of 256. Those of other planes are never in the set.
#[derive(Debug)]
pub struct PlainChars(Box<[Block; 256]>);

/// A bit for each of 256 characters.
type Block = OnceLock<[u64; 4]>;

impl PlainChars {
    pub fn new() -> Self {
        Self(Box::new([const { Block::new() }; 256]))
    }

    /// Returns true if a character is in the set. `decide` must always be the same function.
    #[inline]
    pub fn contains(&self, character: char, decide: impl Fn(char) -> bool) -> bool {
        let code = character as usize;
        self.0.get(code >> 8).is_some_and(|block| {
            let bits = block.get_or_init(|| decided(code >> 8, decide));
            bits[code >> 6 & 3] >> (code & 63) & 1 == 1
        })
    }
}

fn decided(block: usize, decide: impl Fn(char) -> bool) -> [u64; 4] {
    let mut bits = [0; 4];
    for low in 0..256 {
        let character = char::from_u32((block << 8 | low) as u32);
        if character.is_some_and(&decide) {
            bits[low >> 6] |= 1 << (low & 63);
        }
    }
    bits
}
