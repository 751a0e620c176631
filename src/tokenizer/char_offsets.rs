//! Converts the offsets of one text between bytes and characters.
//!
//! Post-processors of the `tokenizers` crate trim offsets by characters of a token, whatever their unit. The reference
//! counts in characters, so the offsets must be in characters while a post-processor runs.

/// The characters of a text by byte offset, and the reverse.
#[derive(Debug)]
pub struct CharOffsets {
    /// `None` for ASCII text, where the two units agree.
    index: Option<Index>,
}

#[derive(Debug)]
struct Index {
    /// The character that each byte belongs to.
    char_of_byte: Vec<usize>,
    /// The offset of each character in bytes, and the length of the text.
    byte_of_char: Vec<usize>,
}

impl CharOffsets {
    pub fn new(text: &str) -> Self {
        if text.is_ascii() {
            return Self { index: None };
        }
        let mut char_of_byte = vec![0; text.len()];
        let mut byte_of_char = Vec::new();
        for (byte, character) in text.char_indices() {
            char_of_byte[byte..byte + character.len_utf8()].fill(byte_of_char.len());
            byte_of_char.push(byte);
        }
        byte_of_char.push(text.len());
        Self {
            index: Some(Index {
                char_of_byte,
                byte_of_char,
            }),
        }
    }

    /// Converts offsets in bytes as the crate does: an offset inside a character becomes that of the character, and
    /// offsets that begin at or after the end of the text stay as they are.
    pub fn to_chars(&self, (start, end): (usize, usize)) -> (usize, usize) {
        let Some(Index { char_of_byte, .. }) = &self.index else {
            return (start, end);
        };
        let Some(&first) = char_of_byte.get(start) else {
            return (start, end);
        };
        let after = char_of_byte.get(end).copied().unwrap_or_else(|| {
            let last = end.checked_sub(1).and_then(|last| char_of_byte.get(last));
            last.map_or(first + 2, |last| last + 1)
        });
        (first, after)
    }

    /// Converts offsets in characters. Offsets after the end of the text become its length.
    pub fn to_bytes(&self, (start, end): (usize, usize)) -> (usize, usize) {
        let Some(Index { byte_of_char, .. }) = &self.index else {
            return (start, end);
        };
        let byte = |offset: usize| byte_of_char[offset.min(byte_of_char.len() - 1)];
        (byte(start), byte(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_on_characters_are_converted_back_and_forth() {
        for text in ["", "abc", "aé漢😀b"] {
            let offsets = CharOffsets::new(text);
            let mut ends: Vec<_> = text.char_indices().map(|(byte, _)| byte).collect();
            ends.push(text.len());
            for (first, &start) in ends.iter().enumerate() {
                for (last, &end) in ends.iter().enumerate().skip(first) {
                    if start < text.len() {
                        assert_eq!(offsets.to_chars((start, end)), (first, last), "{text:?}");
                    }
                    assert_eq!(offsets.to_bytes((first, last)), (start, end), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn offsets_off_the_characters_are_converted_as_by_the_crate() {
        let offsets = CharOffsets::new("é漢");
        assert_eq!(offsets.to_chars((1, 3)), (0, 1));
        assert_eq!(offsets.to_chars((3, 9)), (1, 3));
        assert_eq!(offsets.to_chars((5, 5)), (5, 5));
        assert_eq!(offsets.to_bytes((1, 9)), (2, 5));
    }
}
