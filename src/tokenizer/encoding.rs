//! The result of encoding a text, and the units of its offsets.

use std::ops::Range;

use crate::record::PackedStrings;

/// The tokens of one window of a text or a pair. All fields have the same length.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Encoding {
    pub ids: Vec<u32>,
    /// The piece of each id. An unknown token has the unknown piece; its text is at `offsets`.
    pub tokens: PackedStrings,
    /// Half-open byte ranges in the text that the token comes from, the first or the second of a pair. `(0, 0)` for
    /// special tokens of the template.
    pub offsets: Vec<(usize, usize)>,
    /// 0, or 1 for the second text of a pair if the model distinguishes the two.
    pub type_ids: Vec<u32>,
    /// 1 for the special tokens that the template added.
    pub special_tokens_mask: Vec<u32>,
    /// The number of the pre-tokenized word within its text. `None` for special tokens of the template.
    pub word_ids: Vec<Option<u32>>,
    /// The text of the pair that the token comes from, 0 or 1. `None` for special tokens of the template.
    pub sequence_ids: Vec<Option<usize>>,
}

impl Encoding {
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Reserves memory for the usual number of tokens of a text of this many bytes.
    pub(super) fn reserve_for(&mut self, bytes: usize) {
        let tokens = bytes / 3 + 8;
        self.ids.reserve(tokens);
        self.tokens.reserve(tokens, bytes + tokens * 3);
        self.offsets.reserve(tokens);
        self.type_ids.reserve(tokens);
        self.special_tokens_mask.reserve(tokens);
        self.word_ids.reserve(tokens);
        self.sequence_ids.reserve(tokens);
    }

    /// Appends a token of a text.
    pub(super) fn push_text(
        &mut self,
        id: u32,
        token: &str,
        offsets: (usize, usize),
        type_id: u32,
        word: u32,
    ) {
        self.ids.push(id);
        self.tokens.push(token);
        self.offsets.push(offsets);
        self.type_ids.push(type_id);
        self.special_tokens_mask.push(0);
        self.word_ids.push(Some(word));
        self.sequence_ids.push(Some(type_id as usize));
    }

    /// Appends a special token of the template.
    pub(super) fn push_special(&mut self, id: u32, token: &str, type_id: u32) {
        self.ids.push(id);
        self.tokens.push(token);
        self.offsets.push((0, 0));
        self.type_ids.push(type_id);
        self.special_tokens_mask.push(1);
        self.word_ids.push(None);
        self.sequence_ids.push(None);
    }

    /// Returns the offsets in `unit`. `text` and `pair` must be the texts that were encoded.
    pub fn offsets_in(
        &self,
        unit: OffsetUnit,
        text: &str,
        pair: Option<&str>,
    ) -> Vec<(usize, usize)> {
        if unit == OffsetUnit::Byte {
            return self.offsets.clone();
        }
        let first = UnitIndex::new(unit, text);
        let second = UnitIndex::new(unit, pair.unwrap_or_default());
        self.offsets
            .iter()
            .zip(&self.sequence_ids)
            .map(|(&(start, end), sequence)| {
                let index = if *sequence == Some(1) {
                    &second
                } else {
                    &first
                };
                (index.at(start), index.at(end))
            })
            .collect()
    }
}

/// The encoding of a text or a pair, as one or more windows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Encoded {
    /// The first window, followed by the windows that hold the tokens cut off from it. Never empty.
    pub windows: Vec<Encoding>,
    /// The number of text tokens that were cut off from the first window.
    pub truncated_tokens: usize,
}

impl Encoded {
    /// Returns the first window, which holds the whole text unless it was truncated.
    pub fn into_first(self) -> Encoding {
        self.windows.into_iter().next().unwrap_or_default()
    }
}

/// The unit of an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OffsetUnit {
    /// Bytes of UTF-8, as Rust's tokenizers and most C programs count.
    #[default]
    Byte,
    /// Unicode scalar values, as Python counts.
    Char,
    /// UTF-16 code units, as JavaScript, Java and the Language Server Protocol count.
    Utf16,
}

impl OffsetUnit {
    /// Returns the name in records and flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Byte => "byte",
            Self::Char => "char",
            Self::Utf16 => "utf16",
        }
    }

    fn width(self, character: char) -> usize {
        match self {
            Self::Byte => character.len_utf8(),
            Self::Char => 1,
            Self::Utf16 => character.len_utf16(),
        }
    }
}

/// Returns the part of a text that a token covers. Offsets inside a character, or beyond the text, are moved to whole
/// characters, so that no offset can make a slice fail.
pub fn covered(text: &str, (start, end): (usize, usize)) -> Range<usize> {
    let start = text.floor_char_boundary(start);
    start..text.ceil_char_boundary(end).max(start)
}

/// Converts the byte offsets of a text to another unit.
struct UnitIndex {
    /// The offset in the unit for every byte offset. `None` if the two are equal.
    by_byte: Option<Vec<usize>>,
}

impl UnitIndex {
    fn new(unit: OffsetUnit, text: &str) -> Self {
        // In ASCII text, all units agree.
        if text.is_ascii() {
            return Self { by_byte: None };
        }
        let mut by_byte = vec![0; text.len() + 1];
        let mut count = 0;
        for (byte, character) in text.char_indices() {
            by_byte[byte..byte + character.len_utf8()].fill(count);
            count += unit.width(character);
        }
        by_byte[text.len()] = count;
        Self {
            by_byte: Some(by_byte),
        }
    }

    fn at(&self, byte: usize) -> usize {
        match &self.by_byte {
            None => byte,
            Some(by_byte) => by_byte[byte.min(by_byte.len() - 1)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covered_text_has_whole_characters_at_every_offset() {
        let text = "a\u{a0}😀";
        assert_eq!(covered(text, (2, 5)), 1..7);
        assert_eq!(covered(text, (2, 2)), 1..3);
        assert_eq!(covered(text, (1, 1)), 1..1);
        for start in 0..=text.len() + 2 {
            for end in 0..=text.len() + 2 {
                assert!(text.get(covered(text, (start, end))).is_some());
            }
        }
    }

    #[test]
    fn offsets_convert_to_characters_and_utf16_units() {
        let encoding = Encoding {
            offsets: vec![(0, 2), (2, 6), (6, 7), (0, 3)],
            sequence_ids: vec![Some(0), Some(0), Some(0), Some(1)],
            ..Encoding::default()
        };
        let (text, pair) = ("é😀a", Some("漢b"));
        assert_eq!(
            encoding.offsets_in(OffsetUnit::Char, text, pair),
            [(0, 1), (1, 2), (2, 3), (0, 1)]
        );
        assert_eq!(
            encoding.offsets_in(OffsetUnit::Utf16, text, pair),
            [(0, 1), (1, 3), (3, 4), (0, 1)]
        );
    }
}
