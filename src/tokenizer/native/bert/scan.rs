//! Splits a text into words as the steps of BERT do, but without changing it.

use super::chars::{AsciiTable, CharClass, CharTable, NO_TOKEN};
use super::steps::BertSteps;
use super::word_bits::WordEnds;
use crate::tokenizer::native::space_scan::PaddedText;
use crate::tokenizer::native::word_cache::PendingLookup;

/// A word, which may be empty, and the character after it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WordAndMark {
    pub start: usize,
    pub end: usize,
    /// The token of the character after the word if that is a word of its own, or else [`NO_TOKEN`].
    pub mark: u32,
    /// The end of that character.
    pub mark_end: usize,
    /// True if the form of the word depends on the order of its accents.
    pub mixed: bool,
}

/// A word whose look-up is pending.
#[derive(Debug, Clone, Copy, Default)]
pub struct PendingWord {
    pub word: WordAndMark,
    pub lookup: PendingLookup,
}

/// The words of a text, in order.
#[derive(Debug)]
pub struct WordScan<'a, F> {
    text: &'a str,
    pub padded: &'a PaddedText<'a>,
    steps: &'a BertSteps,
    /// Returns the token of a word, or `None` if it has more than one.
    word_id: F,
    ends: WordEnds<'a>,
    at: usize,
}

impl<'a, F: Fn(&str) -> Option<u32>> WordScan<'a, F> {
    /// Starts at byte `at` of a text. `padded` has the bytes of the text up to where the words end.
    pub fn new(
        text: &'a str,
        padded: &'a PaddedText<'a>,
        steps: &'a BertSteps,
        word_id: F,
        at: usize,
    ) -> Self {
        Self {
            text,
            padded,
            steps,
            word_id,
            ends: WordEnds::new(padded, at),
            at,
        }
    }

    /// Returns the next word or mark. `ascii` comes from `characters`.
    #[inline]
    pub fn next(&mut self, characters: &mut CharTable, ascii: &AsciiTable) -> Option<WordAndMark> {
        let bytes = self.padded.bytes();
        loop {
            let start = self.at;
            let first = *bytes.get(start)?;
            if !first.is_ascii() {
                return self.other(start, characters);
            }
            let end = self.ends.advance();
            let mark = bytes.get(end).map_or(NO_TOKEN, |byte| ascii.get(*byte));
            if mark == AsciiTable::OTHER {
                return self.other(end, characters);
            }
            self.at = end + 1;
            if start < end || mark != NO_TOKEN {
                return Some(WordAndMark {
                    start,
                    end,
                    mark,
                    mark_end: end + 1,
                    mixed: false,
                });
            }
        }
    }

    /// Returns the next word or mark, given that the characters up to `end` are part of it.
    fn other(&mut self, mut end: usize, characters: &mut CharTable) -> Option<WordAndMark> {
        let bytes = self.padded.bytes();
        let mut start = self.at;
        let mut mixed = false;
        let mut mark = NO_TOKEN;
        let mut mark_end = bytes.len();
        while end < bytes.len() {
            let character = self.text[end..].chars().next()?;
            let after = end + character.len_utf8();
            match characters.class(character, self.steps, &self.word_id) {
                CharClass::Part => end = after,
                CharClass::Mixed => {
                    mixed = true;
                    end = after;
                }
                CharClass::Space if start == end => {
                    start = after;
                    end = after;
                }
                CharClass::Space => {
                    mark_end = after;
                    break;
                }
                CharClass::Word(id) => {
                    mark = id;
                    mark_end = after;
                    break;
                }
            }
        }
        self.at = mark_end;
        if bytes.get(mark_end).is_some_and(u8::is_ascii) {
            self.ends.skip_to(mark_end);
        }
        (start < end || mark != NO_TOKEN).then_some(WordAndMark {
            start,
            end,
            mark,
            mark_end,
            mixed,
        })
    }
}
