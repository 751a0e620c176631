//! A part of a text → chunks that are tokenized each by itself: a word and the white space before it.
//!
//! The tokens of a chunk alone are its tokens in the text if no step looks across white space, and tokenizers with steps
//! that do never come here. What is left are chunks whose normalized form has white space of its own, which may melt with
//! a neighbour's, or which end in a character that draws the next space into its grapheme. Such a chunk is not clean, and
//! is tokenized together with those behind it up to the next that is.

use super::memo::{Asked, Memo, ShortWords};
use super::normalize::METASPACE;
use super::separators::Padded;
use super::unigram::Token;
use super::{Run, Scratch, Take};

/// Bytes of the mark of a space.
const MARK: usize = METASPACE.len_utf8();

/// Words that are asked for before the first answer is used.
const ASKED: usize = 16;

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

    fn chunk(self, text: &Padded<'_>, first: usize) -> Chunk {
        let bytes = text.bytes();
        let spaces = bytes[first..]
            .iter()
            .take_while(|byte| self.contains(**byte));
        let word = first + spaces.count();
        let mut end = word;
        if word < bytes.len() {
            let mut separators = text.separators_behind(word);
            end = separators.take();
            while bytes.get(end).is_some_and(|byte| !self.contains(*byte)) {
                end = separators.take();
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
        let padded = Padded::new(bytes);
        let melts = spaces != Spaces::Kept;
        let mut at = start;
        loop {
            at = self.short_chunks(&padded, space, melts, at, take);
            if at == end {
                return Some(());
            }
            let chunk = space.chunk(&padded, at);
            let first = begin(chunk);
            // A chunk with more than one space is one of its own.
            if first == chunk.start {
                let known = self.scratch.memo.get(bytes, first, chunk.end);
                if let Some(known) = known
                    && (!RANGES || known.start.is_some())
                {
                    take.remembered(self.word, first, known);
                    self.word += 1;
                    at = chunk.end;
                    continue;
                }
                if self.plain_word(first, chunk.end, take) {
                    at = chunk.end;
                    continue;
                }
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
                    let next = space.chunk(&padded, at);
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

    /// Gives the tokens of the chunks from `at` on, as far as they are short, with one space at most, and remembered or
    /// plain: most are. Returns where that ends.
    fn short_chunks(
        &mut self,
        text: &Padded<'_>,
        space: SpaceBytes,
        melts: bool,
        mut at: usize,
        take: &mut impl Take,
    ) -> usize {
        let (bytes, end) = (text.bytes(), text.bytes().len());
        let mut separators = text.separators_behind(at);
        let mut asked = [(0, 0, Asked::default()); ASKED];
        // What the last of those asked for ends with, and whether the next is short too.
        let (mut last, mut goes_on) = (at, true);
        while goes_on && last < end {
            let Some(words) = self.scratch.memo.short_words() else {
                break;
            };
            let mut count = 0;
            while count < ASKED && last < end {
                let stop = separators.take();
                let length = stop - last;
                goes_on = length <= ShortWords::SHORT
                    && !bytes.get(stop).is_some_and(|byte| !space.contains(*byte));
                if length == 1 && space.contains(bytes[last]) {
                    if melts && stop < end {
                        last = stop;
                        continue;
                    }
                    goes_on = false;
                }
                if !goes_on {
                    break;
                }
                asked[count] = (last, stop, words.ask(text.words(last), length));
                count += 1;
                last = stop;
            }
            for (start, stop, asked) in &asked[..count] {
                let (start, stop) = (*start, *stop);
                let words = self.scratch.memo.short_words();
                let known = words.and_then(|words| words.short(asked));
                if let Some(known) = known
                    && (!RANGES || known.start.is_some())
                {
                    take.remembered(self.word, start, known);
                    self.word += 1;
                } else if !self.plain_word(start, stop, take) {
                    return start;
                }
            }
            at = last;
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
        // The mark of a space stands for one byte of the text.
        let in_text = |end: u32| end as usize + 1 - MARK;
        let in_word = |end: usize| (end + MARK - 1) as u32;
        let bytes = chunk.as_bytes();
        let (word, stem) = (&bytes[1..], &bytes[..bytes.len() - 1]);
        let last = self.model.last_apart(word);
        let known = last.and_then(|last| Some((memo.get(stem, 0, stem.len())?, last)));
        let (tokens, is_new) = match known {
            Some((known, last)) if known.start == Some(0) => {
                let ends = known.ends.iter().map(|end| usize::from(*end));
                let tokens = known.ids.iter().copied().zip(ends);
                let tokens = tokens.chain([(last, bytes.len())]);
                let tokens = tokens.map(|(id, end)| Token {
                    id,
                    end: in_word(end),
                });
                (steps.take_word(tokens), false)
            }
            _ => (steps.search_word(&self.model, &chunk[1..]), true),
        };
        let ends = tokens.iter().map(|token| (token.id, in_text(token.end)));
        if is_new && last.is_some() {
            // What it ends with may be another mark the next time.
            memo.set(stem, Some(0), ends.clone().take(tokens.len() - 1));
        }
        memo.set(bytes, Some(0), ends);
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
            let chunk = space.chunk(&Padded::new(text), at);
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
