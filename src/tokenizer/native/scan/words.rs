//! The words of a part of a text, one after the other.

use super::scanner::Scanner;
use crate::tokenizer::native::space_scan::PaddedText;

/// The high bit of each byte.
const HIGH_BITS: u64 = u64::from_ne_bytes([0x80; 8]);

/// Iterates over the byte ranges of words in a text.
#[derive(Debug)]
pub struct Words<'a> {
    scanner: &'a Scanner,
    text: &'a PaddedText<'a>,
    /// The start of the part. A scanner may look back, but not beyond it.
    start: usize,
    /// The end of the last word.
    at: usize,
    /// The start of a block of the text.
    block: usize,
    /// A bit for each end of a word in the block that has not been returned yet.
    ends: u64,
}

impl<'a> Words<'a> {
    /// Finds the words of a text from byte `start` on.
    pub fn new(scanner: &'a Scanner, text: &'a PaddedText<'a>, start: usize) -> Self {
        Self {
            scanner,
            text,
            start,
            at: start,
            block: start,
            ends: 0,
        }
    }

    /// Finds the next word, and the ends of those after it, once no more ends are known.
    #[inline]
    fn search(&mut self) -> Option<(usize, usize)> {
        match search(self.scanner, self.text, self.start, self.at)? {
            Found::Word(first, last) => {
                self.at = last;
                Some((first, last))
            }
            Found::Ends(ends) => {
                self.block = self.at;
                self.ends = ends;
                Some(self.known())
            }
        }
    }

    /// Returns the word that ends at the first known end.
    #[inline]
    fn known(&mut self) -> (usize, usize) {
        let start = self.at;
        self.at = self.block + self.ends.trailing_zeros() as usize;
        self.ends &= self.ends - 1;
        (start, self.at)
    }
}

/// What is found at the end of a word.
enum Found {
    /// The byte range of the next word.
    Word(usize, usize),
    /// A bit for each end of a word in the block from there on.
    Ends(u64),
}

/// Finds what is after byte `at` of a text whose part begins at `start`. Returns `None` if there is no other word.
///
/// It knows no [`Words`], whose fields can therefore stay in registers.
#[inline(never)]
fn search(scanner: &Scanner, text: &PaddedText<'_>, start: usize, at: usize) -> Option<Found> {
    let bytes = text.bytes();
    let left = bytes.len().checked_sub(at).filter(|left| *left > 0)?;
    if let Some(word_ends) = &scanner.word_ends {
        let block = text.words(at);
        if (block[0] | block[1]) & HIGH_BITS == 0 {
            let ends = word_ends.of(&block, left);
            if ends != 0 {
                return Some(Found::Ends(ends));
            }
        }
    }
    let (first, last) = scanner.next(&bytes[start..], at - start)?;
    Some(Found::Word(start + first, start + last))
}

impl Iterator for Words<'_> {
    type Item = (usize, usize);

    #[inline]
    fn next(&mut self) -> Option<(usize, usize)> {
        match self.ends {
            0 => self.search(),
            _ => Some(self.known()),
        }
    }
}
