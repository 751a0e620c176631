//! A part of a text → chunks that are tokenized each by itself: a word and the white space before it.
//!
//! The tokens of a chunk alone are its tokens in the text if no step looks across white space, and tokenizers with steps
//! that do never come here. What is left are chunks whose normalized form has white space of its own, which may melt with
//! a neighbour's, or which end in a character that draws the next space into its grapheme. Such a chunk is not clean, and
//! is tokenized together with those behind it up to the next that is.

use super::memo::Memo;
#[cfg(doc)]
use super::memo::ShortWords;
use super::normalize::METASPACE;
use super::{Run, Scratch, Take};

/// Bytes of the mark of a space.
const MARK: usize = METASPACE.len_utf8();

/// What becomes of the white space between words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spaces {
    /// Each one is a space, and runs of spaces become one at their last.
    Melted,
    /// It parts words, and is dropped.
    Dropped,
    /// Each one stays.
    Kept,
}

/// The bytes of a text that part it into chunks: some of those up to the space.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpaceBytes(u64);

/// Spaces and the word behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Chunk {
    /// The first byte of all.
    first: usize,
    /// The last space, or the word if there is none.
    start: usize,
    end: usize,
}

impl SpaceBytes {
    pub fn insert(&mut self, byte: u8) {
        self.0 |= 1 << byte;
    }

    #[inline]
    pub fn contains(self, byte: u8) -> bool {
        byte <= b' ' && self.0 >> byte & 1 == 1
    }

    #[inline]
    fn chunk(self, bytes: &[u8], first: usize) -> Chunk {
        let spaces = bytes[first..]
            .iter()
            .take_while(|byte| self.contains(**byte));
        let word = first + spaces.count();
        let mut end = control_or_space(bytes, word);
        while bytes.get(end).is_some_and(|byte| !self.contains(*byte)) {
            end = control_or_space(bytes, end + 1);
        }
        Chunk {
            first,
            start: word.saturating_sub(1).max(first),
            end,
        }
    }
}

/// The first bytes of a chunk, and what is behind it.
#[derive(Debug)]
struct Head<'a> {
    bytes: &'a [u8],
    /// The last bytes of the text and zeros, from `tail_start` on.
    tail: [u8; 2 * HEAD],
    tail_start: usize,
}

/// Bytes of a head: those that [`ShortWords::get`] takes.
const HEAD: usize = 24;

impl<'a> Head<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let tail_start = bytes.len().saturating_sub(HEAD);
        let mut tail = [0; 2 * HEAD];
        tail[..bytes.len() - tail_start].copy_from_slice(&bytes[tail_start..]);
        Self {
            bytes,
            tail,
            tail_start,
        }
    }

    /// The head of the chunk at a byte, as little-endian words with zeros behind the end of the text.
    #[inline]
    fn at(&self, at: usize) -> [u64; HEAD / 8] {
        let block = match self.bytes.get(at..at + HEAD) {
            Some(block) => Some(block),
            None => self
                .tail
                .get(at - self.tail_start..at - self.tail_start + HEAD),
        };
        let mut words = [0; HEAD / 8];
        if let Some(block) = block {
            for (word, bytes) in words.iter_mut().zip(block.as_chunks().0) {
                *word = u64::from_le_bytes(*bytes);
            }
        }
        words
    }
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);

/// The high bit of each byte up to the space. False ones are possible, but only behind a true one.
#[inline]
fn low_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES * (b' ' as u64 + 1)) & !word & (ONES << 7)
}

/// The place of the first byte up to the space, the very first left out if `spaced`, or the length of a head.
#[inline]
fn head_length(words: [u64; HEAD / 8], spaced: bool) -> usize {
    // Hardly a branch, which would be a guess at the length of a word: most have less than 16 bytes.
    let first = high_bits(words[0]) | high_bits(words[1]) << 8;
    let first = first & !u64::from(spaced);
    if first != 0 {
        return first.trailing_zeros() as usize;
    }
    (high_bits(words[2]) << 16 | 1 << HEAD).trailing_zeros() as usize
}

/// The high bit of each of [`low_bytes`], side by side.
#[inline]
fn high_bits(word: u64) -> u64 {
    low_bytes(word).wrapping_mul(0x0002_0408_1020_4081) >> 56
}

/// The place of the first byte up to the space, from `at` on, or the end.
#[inline]
fn control_or_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let low = low_bytes(u64::from_le_bytes(*block));
        if low != 0 {
            return at + low.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = bytes[at..].iter().position(|byte| *byte <= b' ');
    rest.map_or(bytes.len(), |length| at + length)
}

impl<const RANGES: bool> Run<'_, RANGES> {
    /// Gives the tokens of a part of the text, chunk by chunk.
    pub(super) fn chunks(
        &mut self,
        spaces: Spaces,
        start: usize,
        end: usize,
        take: &mut impl Take,
    ) -> Option<()> {
        let bytes = &self.text.as_bytes()[..end];
        let space = self.engine.steps.space_bytes();
        let begin = |chunk: Chunk| match spaces {
            Spaces::Melted | Spaces::Dropped => chunk.start,
            Spaces::Kept => chunk.first,
        };
        let head = Head::new(bytes);
        let melts = spaces != Spaces::Kept;
        let mut at = start;
        loop {
            at = self.known_chunks(&head, space, melts, at, take);
            if at == end {
                return Some(());
            }
            let chunk = space.chunk(bytes, at);
            let first = begin(chunk);
            // A chunk with more than one space is one of its own.
            let known = (first == chunk.start)
                .then(|| self.scratch.memo.get(bytes, first, chunk.end))
                .flatten();
            if let Some(known) = known
                && (!RANGES || known.start.is_some())
            {
                take.remembered(self.word, first, known);
                self.word += 1;
                at = chunk.end;
                continue;
            }
            if first == chunk.start && self.plain_word(first, chunk.end, take) {
                at = chunk.end;
                continue;
            }
            let region = self.region(first, chunk.end)?;
            if RANGES && at == start && !region.plain && !space.contains(bytes[at]) {
                // A character that is dropped at the very beginning shifts the ranges of all that follow, in the
                // reference.
                self.region(start, end)?;
                self.give_found(take);
                return Some(());
            }
            at = chunk.end;
            if region.clean {
                if first == chunk.start {
                    self.remember(first, chunk.end);
                }
            } else {
                while at < end {
                    let next = space.chunk(bytes, at);
                    at = next.end;
                    if self.region(begin(next), next.end)?.clean {
                        break;
                    }
                }
                self.region(first, at)?;
            }
            self.give_found(take);
        }
    }

    /// Gives the tokens of the chunks from `at` on, as far as they are short, with one space at most, and remembered:
    /// most are. Returns where that ends.
    #[inline]
    fn known_chunks(
        &mut self,
        head: &Head<'_>,
        space: SpaceBytes,
        melts: bool,
        mut at: usize,
        take: &mut impl Take,
    ) -> usize {
        let (bytes, end) = (head.bytes, head.bytes.len());
        let words = self.scratch.memo.short_words();
        while at < end {
            let start = head.at(at);
            let spaced = space.contains(start[0] as u8);
            let length = head_length(start, spaced);
            let stop = at + length;
            if stop != end && !bytes.get(stop).is_some_and(|byte| space.contains(*byte)) {
                break;
            }
            if length == 1 && spaced && melts && stop < end {
                at = stop;
                continue;
            }
            if length == HEAD {
                break;
            }
            match words.get(start, length) {
                Some(known) if !RANGES || known.start.is_some() => {
                    take.remembered(self.word, at, known);
                    self.word += 1;
                    at = stop;
                }
                _ => break,
            }
        }
        at
    }

    /// Gives, and remembers, the tokens of a chunk that is a space and a word which no step changes; false if it is not.
    fn plain_word(&mut self, start: usize, end: usize, take: &mut impl Take) -> bool {
        let chunk = &self.text[start..end];
        if !self.engine.steps.is_plain_word(chunk, self.parse_special) {
            return false;
        }
        let Scratch { memo, steps, .. } = &mut *self.scratch;
        let tokens = steps.search_word(&self.model, &chunk[1..]);
        // The mark of a space stands for one byte of the text.
        let in_text = |end: u32| end as usize + 1 - MARK;
        let ends = tokens.iter().map(|token| (token.id, in_text(token.end)));
        memo.set(chunk.as_bytes(), Some(0), ends);
        let mut begin = start;
        for token in tokens {
            let end = start + in_text(token.end);
            take.token(token.id, self.word, (begin, end));
            begin = end;
        }
        self.word += 1;
        true
    }

    /// Remembers what [`Run::region`] found in a chunk.
    fn remember(&mut self, start: usize, end: usize) {
        if end - start > Memo::LONGEST {
            return;
        }
        let found = &self.scratch.found;
        let side_by_side = found
            .windows(2)
            .all(|pair| pair[0].range.1 == pair[1].range.0);
        let plain = found
            .iter()
            .all(|token| token.word == 0 && token.surface.is_none());
        let begin = found
            .first()
            .filter(|_| RANGES && side_by_side && plain)
            .and_then(|first| (first.range.0 as usize).checked_sub(start));
        // Ends that are not to be used need not fit.
        let tokens = found
            .iter()
            .map(|token| (token.id, (token.range.1 as usize).saturating_sub(start)));
        let word = &self.text.as_bytes()[start..end];
        self.scratch.memo.set(word, begin, tokens);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_is_spaces_and_what_follows_up_to_the_next() {
        let mut space = SpaceBytes::default();
        space.insert(b' ');
        space.insert(b'\n');
        let text = "one  two\n\u{1}é\u{1}漢字, and a word of many letters ".as_bytes();
        let mut chunks = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let chunk = space.chunk(text, at);
            chunks.push((
                str::from_utf8(&text[chunk.first..chunk.end]).unwrap(),
                chunk.start - chunk.first,
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

    #[test]
    fn the_length_of_a_head_is_that_of_its_word() {
        for length in 0..=HEAD {
            for rest in [b' ', 0, b'\n', b'a', 0xe2] {
                let mut bytes = [rest; HEAD];
                bytes[..length].fill(b'x');
                if let Some(end) = bytes.get_mut(length) {
                    *end = b' ';
                }
                let words = Head::new(&bytes).at(0);
                assert_eq!(head_length(words, false), length);
                bytes[0] = b' ';
                let words = Head::new(&bytes).at(0);
                assert_eq!(head_length(words, false), 0);
                let expected = if length == 0 {
                    bytes[1..]
                        .iter()
                        .position(|byte| *byte <= b' ')
                        .map_or(HEAD, |at| at + 1)
                } else {
                    length
                };
                assert_eq!(head_length(words, true), expected, "{length} {rest}");
            }
        }
    }

    #[test]
    fn every_byte_up_to_the_space_is_found_at_every_place() {
        for length in 0..40 {
            for place in 0..length {
                for byte in [0, 9, 10, 31, 32] {
                    let mut bytes = [0x21, 0x7f, 0x80, 0xff, 0xa0].repeat(8);
                    bytes.truncate(length);
                    assert_eq!(control_or_space(&bytes, 0), length);
                    bytes[place] = byte;
                    assert_eq!(control_or_space(&bytes, 0), place);
                }
            }
        }
    }
}
