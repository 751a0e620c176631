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

    /// Returns the next word after the last one with a known end.
    #[inline(never)]
    fn search(&mut self) -> Option<(usize, usize)> {
        if let Some(word_ends) = &self.scanner.word_ends {
            let block = self.text.words(self.at);
            if (block[0] | block[1]) & HIGH_BITS == 0 {
                self.block = self.at;
                self.ends = word_ends.of(&block, self.text.bytes().len() - self.at);
                if self.ends != 0 {
                    return Some(self.known());
                }
            }
        }
        let part = &self.text.bytes()[self.start..];
        let (first, last) = self.scanner.next(part, self.at - self.start)?;
        self.at = self.start + last;
        Some((self.start + first, self.at))
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
