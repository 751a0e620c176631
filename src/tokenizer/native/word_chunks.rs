//! A part of a text → chunks that are tokenized each by itself: a word and the white space before it.
//!
//! The tokens of a chunk alone are its tokens in the text if no step looks across white space, and tokenizers with steps
//! that do never come here. What is left are chunks whose normalized form has white space of its own, which may melt with
//! a neighbour's, or which end in a character that draws the next space into its grapheme. Such a chunk is not clean, and
//! is tokenized together with those behind it up to the next that is.

use super::normalize::METASPACE;
use super::space_scan::{PaddedText, Separators};
use super::trailing_marks;
use super::word_cache::{PendingLookup, ShortWords, Start, WordCache};
use super::{Run, RunScratch, TokenSink};

/// Bytes of the mark of a space.
const MARK: usize = METASPACE.len_utf8();

/// Words that are asked for before the first answer is used.
pub const LOOKUP_BATCH: usize = 16;

/// What becomes of the white space between words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpaceHandling {
    /// Each one is a space, and runs of spaces become one at their last.
    Merged,
    /// It parts words, and is dropped.
    Dropped,
    /// Each one stays.
    Kept,
}

/// The bytes of a text that part it into chunks: some of those up to the space.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpaceBytes(u64);

/// A chunk of at most one space and a word that can be looked up among the short ones.
#[derive(Debug, Clone, Copy, Default)]
pub struct ShortChunk {
    /// What was asked for the stem, if it is of the shortest.
    asked: PendingLookup,
    /// Its first byte.
    start: u32,
    /// Bytes of it but for [marks](super::trailing_marks) behind the word.
    stem: u8,
    /// Number of those: one or none.
    marks: u8,
}

impl ShortChunk {
    #[inline]
    fn start(&self) -> usize {
        self.start as usize
    }

    /// Where the stem ends.
    #[inline]
    fn stem(&self) -> usize {
        self.start() + usize::from(self.stem)
    }

    #[inline]
    fn stop(&self) -> usize {
        self.stem() + usize::from(self.marks)
    }
}

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

    fn chunk(self, text: &PaddedText<'_>, first: usize) -> Chunk {
        let bytes = text.bytes();
        let spaces = bytes[first..]
            .iter()
            .take_while(|byte| self.contains(**byte));
        let word = first + spaces.count();
        let mut end = word;
        if word < bytes.len() {
            let mut separators = text.separators_after(word);
            end = separators.advance();
            while bytes.get(end).is_some_and(|byte| !self.contains(*byte)) {
                end = separators.advance();
            }
        }
        Chunk {
            first,
            start: word.saturating_sub(1).max(first),
            end,
        }
    }
}

impl<const RANGES: bool> Run<'_, RANGES> {
    /// Gives the tokens of a part of the text, chunk by chunk.
    pub(super) fn chunks(
        &mut self,
        spaces: SpaceHandling,
        start: usize,
        end: usize,
        sink: &mut impl TokenSink,
    ) -> Option<()> {
        let bytes = &self.text.as_bytes()[..end];
        let space = self.engine.steps.space_bytes();
        let begin = |chunk: Chunk| match spaces {
            SpaceHandling::Merged | SpaceHandling::Dropped => chunk.start,
            SpaceHandling::Kept => chunk.first,
        };
        let padded = PaddedText::new(bytes);
        let merges = spaces != SpaceHandling::Kept;
        let mut at = start;
        loop {
            at = self.short_chunks(&padded, space, merges, at, sink);
            if at == end {
                return Some(());
            }
            let chunk = space.chunk(&padded, at);
            let first = begin(chunk);
            // A chunk with more than one space is one of its own.
            if first == chunk.start {
                let known = self.scratch.cache.get(bytes, first, chunk.end);
                if let Some(known) = known
                    && known.has_ranges(RANGES)
                {
                    sink.cached_word(self.word, first, known);
                    self.word += 1;
                    at = chunk.end;
                    continue;
                }
                if self.plain_word(first, chunk.end, sink) {
                    self.word += 1;
                    at = chunk.end;
                    continue;
                }
            }
            let region = self.region(first, chunk.end)?;
            if RANGES && at == start && !region.plain && !space.contains(bytes[at]) {
                // A character that is dropped at the very beginning shifts the ranges of all that follow, in the
                // reference.
                self.region(start, end)?;
                self.emit_found(sink);
                return Some(());
            }
            at = chunk.end;
            if region.clean {
                if first == chunk.start {
                    self.remember(first, chunk.end);
                }
            } else {
                while at < end {
                    let next = space.chunk(&padded, at);
                    at = next.end;
                    if self.region(begin(next), next.end)?.clean {
                        break;
                    }
                }
                self.region(first, at)?;
            }
            self.emit_found(sink);
        }
    }

    /// Gives the tokens of the chunks from `at` on, as far as they are short words, with one space at most, that are
    /// remembered or plain: most are. Returns where that ends.
    fn short_chunks(
        &mut self,
        text: &PaddedText<'_>,
        space: SpaceBytes,
        merges: bool,
        mut at: usize,
        sink: &mut impl TokenSink,
    ) -> usize {
        let (bytes, end) = (text.bytes(), text.bytes().len());
        if at == end || !self.scratch.cache.is_used() {
            return at;
        }
        let mut separators = text.separators_after(at);
        let mut spaced = space.contains(bytes[at]);
        while at < end {
            let (count, next, goes_on) = self.ask(text, space, merges, &mut separators, at, spaced);
            spaced = true;
            let mut done = 0;
            while let Some(new) = self.known_chunks(text, &mut done, count, sink) {
                if !self.new_word(&new, sink) {
                    return new.start();
                }
            }
            at = next;
            if !goes_on {
                break;
            }
        }
        at
    }

    /// Asks for the words of the next chunks from `at` on, of which the first may have no space before it, as far as they
    /// are short and there is room. Returns their number, where the last of them ends, and whether there may be more such
    /// chunks behind it.
    #[inline]
    fn ask(
        &mut self,
        text: &PaddedText<'_>,
        space: SpaceBytes,
        merges: bool,
        separators: &mut Separators<'_>,
        mut at: usize,
        mut spaced: bool,
    ) -> (usize, usize, bool) {
        let (bytes, end) = (text.bytes(), text.bytes().len());
        let marks = &self.engine.marks[usize::from(self.parse_special)];
        let RunScratch { cache, asked, .. } = &mut *self.scratch;
        let Some(words) = cache.short_words() else {
            return (0, at, false);
        };
        let mut count = 0;
        for asked in asked {
            let stop = loop {
                if at == end {
                    return (count, at, false);
                }
                let stop = separators.advance();
                let is_end = stop == end;
                if !is_end && !space.contains(bytes[stop]) {
                    return (count, at, false);
                }
                if stop - at > 1 || !spaced {
                    break stop;
                }
                if is_end || !merges {
                    return (count, at, false);
                }
                at = stop;
            };
            let length = stop - at;
            // A mark behind a word, not right behind the space before it.
            let marked = marks.contains(bytes[stop - 1]) & (length > 2) & spaced;
            let stem = length - usize::from(marked);
            // With the mark of a space and the one behind it.
            const { assert!(ShortWords::LONGEST + MARK < trailing_marks::LONGEST) };
            if stem > ShortWords::LONGEST {
                return (count, at, false);
            }
            *asked = ShortChunk {
                asked: words.ask(text.words(at), stem),
                start: at as u32,
                stem: stem as u8,
                marks: u8::from(marked),
            };
            count += 1;
            spaced = true;
            at = stop;
        }
        (count, at, true)
    }

    /// Gives the tokens of the first `count` chunks that were asked for, without those that are `done`, up to the first
    /// that is not remembered, which is returned.
    #[inline]
    fn known_chunks(
        &mut self,
        text: &PaddedText<'_>,
        done: &mut usize,
        count: usize,
        sink: &mut impl TokenSink,
    ) -> Option<ShortChunk> {
        let marks = &self.engine.marks[usize::from(self.parse_special)];
        let RunScratch { cache, asked, .. } = &*self.scratch;
        let words = cache.short_words()?;
        let mut word = self.word;
        let mut chunks = asked.get(..count)?.get(*done..)?.iter();
        let new = chunks.find(|chunk| {
            let (start, stem) = (chunk.start(), chunk.stem());
            let known = match usize::from(chunk.stem) {
                ..=ShortWords::SHORT => words.short(&chunk.asked),
                length => words.medium(text.words(start), length),
            };
            match known {
                Some(known) if known.has_ranges(RANGES) & known.stands_before(chunk.marks) => {
                    sink.cached_word(word, start, known);
                    sink.trailing_mark(chunk.marks > 0, word, || {
                        (marks.id(text.bytes()[stem]), stem)
                    });
                    word += 1;
                    false
                }
                _ => true,
            }
        });
        *done = count - chunks.len();
        self.word = word;
        new.copied()
    }

    /// Gives the tokens of a short chunk whose stem is not remembered as a plain word. False if the chunk has to go through
    /// all steps.
    #[cold]
    fn new_word(&mut self, chunk: &ShortChunk, sink: &mut impl TokenSink) -> bool {
        let (start, stem, stop) = (chunk.start(), chunk.stem(), chunk.stop());
        let (text, cache) = (self.text.as_bytes(), &self.scratch.cache);
        // A chunk that is not plain is remembered with its mark.
        if stem < stop
            && let Some(known) = cache.get(text, start, stop)
            && known.has_ranges(RANGES)
        {
            sink.cached_word(self.word, start, known);
        } else if self.plain_word(start, stem, sink) {
            let marks = &self.engine.marks[usize::from(self.parse_special)];
            sink.trailing_mark(stem < stop, self.word, || (marks.id(text[stem]), stem));
        } else {
            return false;
        }
        self.word += 1;
        true
    }

    /// Gives, and remembers, the tokens of a chunk that is a space and a word which no step changes; false if it is not.
    fn plain_word(&mut self, start: usize, end: usize, sink: &mut impl TokenSink) -> bool {
        let chunk = &self.text[start..end];
        if !self.engine.steps.is_plain_word(chunk, self.parse_special) {
            return false;
        }
        let RunScratch { cache, steps, .. } = &mut *self.scratch;
        let tokens = steps.search_word(&self.model, &chunk[1..]);
        // The mark of a space stands for one byte of the text.
        let in_text = |end: u32| end as usize + 1 - MARK;
        let ends = tokens.iter().map(|token| (token.id, in_text(token.end)));
        cache.set(chunk.as_bytes(), Start::Plain, ends);
        let mut begin = start;
        for token in tokens {
            let end = start + in_text(token.end);
            sink.token(token.id, self.word, (begin, end));
            begin = end;
        }
        true
    }

    /// Remembers what [`Run::region`] found in a chunk.
    fn remember(&mut self, start: usize, end: usize) {
        if end - start > WordCache::LONGEST {
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
            .and_then(|first| (first.range.0 as usize).checked_sub(start))
            .map_or(Start::Unknown, Start::At);
        // Ends that are not to be used need not fit.
        let tokens = found
            .iter()
            .map(|token| (token.id, (token.range.1 as usize).saturating_sub(start)));
        let word = &self.text.as_bytes()[start..end];
        self.scratch.cache.set(word, begin, tokens);
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
            let chunk = space.chunk(&PaddedText::new(text), at);
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
}
