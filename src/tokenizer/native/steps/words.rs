//! The words of a normalized text: the pre-tokenizers of the Unigram families.

use crate::tokenizer::native::aligned_text::AlignedText;
use crate::tokenizer::native::normalize::{for_each_word, into_words};

/// How a normalized text is split into words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// True if white space separates words and is dropped, before `▁` is written.
    pub splits_at_spaces: bool,
    /// `None` if no `▁` is written.
    pub metaspace: Option<Metaspace>,
}

/// Writes `▁` for each space, and before a text that does not begin with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metaspace {
    pub prepends: Prepends,
    /// True if a word begins at each `▁`.
    pub splits: bool,
}

/// The texts before which `▁` is inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepends {
    Always,
    /// Only those that begin at the very start of the original text.
    First,
    Never,
}

impl Words {
    /// A word begins at each space, and at the beginning of the text.
    pub const AT_SPACES: Self = Self {
        splits_at_spaces: false,
        metaspace: Some(Metaspace {
            prepends: Prepends::Always,
            splits: true,
        }),
    };

    /// Calls `each` with every word of bytes `start` to `end` of a normalized text: the text that has the word, and its
    /// byte range there. Uses `buffer` for texts with `▁`.
    pub fn for_each<const RANGES: bool>(
        self,
        aligned: &AlignedText,
        start: usize,
        end: usize,
        buffer: &mut AlignedText,
        mut each: impl FnMut(&AlignedText, usize, usize),
    ) {
        if !self.splits_at_spaces {
            return self.split_marked::<RANGES>(aligned, start, end, buffer, &mut each);
        }
        let mut at = start;
        for word in aligned.text[start..end].split(char::is_whitespace) {
            let last = at + word.len();
            if at < last {
                self.split_marked::<RANGES>(aligned, at, last, buffer, &mut each);
            }
            let space = aligned.text[last..].chars().next();
            at = last + space.map_or(0, char::len_utf8);
        }
    }

    fn split_marked<const RANGES: bool>(
        self,
        aligned: &AlignedText,
        start: usize,
        end: usize,
        buffer: &mut AlignedText,
        each: &mut impl FnMut(&AlignedText, usize, usize),
    ) {
        let Some(metaspace) = self.metaspace else {
            return each(aligned, start, end);
        };
        let prepends = match metaspace.prepends {
            Prepends::Always => true,
            Prepends::First => aligned.ranges.get(start).is_some_and(|range| range.0 == 0),
            Prepends::Never => false,
        };
        into_words::<RANGES>(aligned, start, end, prepends, buffer);
        if metaspace.splits {
            for_each_word(&buffer.text, |first, last| each(buffer, first, last));
        } else {
            each(buffer, 0, buffer.text.len());
        }
    }
}
