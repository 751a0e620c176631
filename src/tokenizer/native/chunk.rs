//! A chunk of a text: white space and the word after it.

use super::space_bytes::SpaceBytes;
use super::space_scan::PaddedText;
use super::word_cache::PendingLookup;

/// White space and the word after it, as byte offsets in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    pub start: usize,
    /// The last space, or the start of the word if there is no space.
    pub last_space: usize,
    pub end: usize,
}

impl Chunk {
    /// Returns the chunk that begins at byte `start`.
    pub fn at(text: &PaddedText<'_>, space: SpaceBytes, start: usize) -> Self {
        let bytes = text.bytes();
        let spaces = bytes[start..]
            .iter()
            .take_while(|byte| space.contains(**byte));
        let word = start + spaces.count();
        let mut end = word;
        if word < bytes.len() {
            let mut separators = text.separators_after(word);
            end = separators.advance();
            while bytes.get(end).is_some_and(|byte| !space.contains(*byte)) {
                end = separators.advance();
            }
        }
        Self {
            start,
            last_space: word.saturating_sub(1).max(start),
            end,
        }
    }
}

/// A chunk of at most one space and a word short enough to be looked up in a batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct ShortChunk {
    /// The pending look-up of the stem, if it fits the table of the shortest words.
    pub lookup: PendingLookup,
    pub start: u32,
    /// The bytes of the chunk without its [trailing mark](super::trailing_marks).
    pub stem_length: u8,
    /// The number of trailing marks: 0 or 1.
    pub mark_count: u8,
}

impl ShortChunk {
    #[inline]
    pub fn start(&self) -> usize {
        self.start as usize
    }

    #[inline]
    pub fn stem_end(&self) -> usize {
        self.start() + usize::from(self.stem_length)
    }

    #[inline]
    pub fn end(&self) -> usize {
        self.stem_end() + usize::from(self.mark_count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_white_space_and_the_word_up_to_the_next() {
        let mut space = SpaceBytes::default();
        space.insert(b' ');
        space.insert(b'\n');
        let text = "one  two\n\u{1}é\u{1}漢字, and a word of many letters ".as_bytes();
        let mut chunks = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let chunk = Chunk::at(&PaddedText::new(text), space, at);
            chunks.push((
                str::from_utf8(&text[chunk.start..chunk.end]).unwrap(),
                chunk.last_space - chunk.start,
            ));
            at = chunk.end;
        }
        assert_eq!(
            chunks,
            [
                ("one", 0),
                ("  two", 1),
                ("\n\u{1}é\u{1}漢字,", 0),
                (" and", 0),
                (" a", 0),
                (" word", 0),
                (" of", 0),
                (" many", 0),
                (" letters", 0),
                (" ", 0)
            ]
        );
    }
}
