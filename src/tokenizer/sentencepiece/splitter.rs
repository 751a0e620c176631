//! Splits a normalized text into pieces, part by part, in memory that does not grow with the text.

use super::bpe::Merger;
use super::normalizer::{BLOCK, Normalized, Part};
use super::sink::{Emitter, Sink};
use super::unigram::{LARGEST_SUM, Search};
use super::vocabulary::{Segment, UserDefined, Vocabulary};
use crate::formats::algorithm::Algorithm;
use crate::tokenizer::native::{MARK, TokenStart, WordCache, WordMarks};

/// The distance between float32 numbers below 2^17, which is more than any sum.
const STEP: f64 = 1.0 / (1 << 7) as f64;

/// The memory of a thread, which is used again by its next text.
#[derive(Debug, Default)]
pub struct Scratch {
    search: Search,
    merger: Merger,
    segments: Vec<Segment>,
    /// The pieces of words; for the Unigram algorithm, of those that do not depend on the sum so far.
    words: WordCache,
}

/// What the pieces of a vocabulary say about splitting texts.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub algorithm: Algorithm,
    pub marks: WordMarks,
    /// True if a piece may be unused. Byte-pair encoding then depends on the whole text.
    pub has_unused: bool,
    /// The greatest size of a score.
    pub max_score: f32,
    /// The length of the longest user-defined piece in bytes.
    pub longest_user_defined: usize,
}

/// The state of the splitting of a text.
pub struct Splitter<'a, S> {
    pub rules: Rules,
    pub vocabulary: &'a Vocabulary<'a>,
    pub user_defined: UserDefined<'a>,
    pub scratch: &'a mut Scratch,
    /// The sum of the scores so far.
    pub sum: f32,
    pub emitter: Emitter<'a, S>,
}

impl<S: Sink> Splitter<'_, S> {
    /// Splits a part of a text. Returns the number of bytes that are done with.
    pub fn take(&mut self, part: &Part<'_>) -> usize {
        let text = part.text();
        if text.is_empty() {
            return 0;
        }
        match self.rules.algorithm {
            Algorithm::Char => return self.characters(part),
            Algorithm::Word => return self.whole_words(part),
            _ => {}
        }
        let is_bpe = self.rules.algorithm == Algorithm::Bpe;
        let mut start = 0;
        if !(is_bpe && self.rules.has_unused) {
            while let Some(end) = self.rules.marks.end_of_word(text, start) {
                self.word(part.normalized, start, end);
                start = end;
            }
        }
        if part.is_last {
            if is_bpe && self.rules.has_unused {
                self.merge(part.normalized, start, text.len());
            } else {
                self.word(part.normalized, start, text.len());
            }
            return text.len();
        }
        match start {
            0 if text.len() >= BLOCK => self.long(part.normalized, (0, text.len()), false),
            _ => start,
        }
    }

    /// Splits a word.
    fn word(&mut self, part: &Normalized, start: usize, end: usize) {
        let is_bpe = self.rules.algorithm == Algorithm::Bpe;
        // Within other words, sums may be counted from 0 again.
        let most = self.rules.max_score * WordCache::LONGEST as f32;
        let has_cache = is_bpe || self.sum.abs() + most < LARGEST_SUM;
        if end - start > WordCache::LONGEST || !has_cache {
            self.long(part, (start, end), true);
            return;
        }
        let words = &self.scratch.words;
        if let Some(known) = words.get(part.text.as_bytes(), start, end) {
            let mut at = start;
            for (id, end) in known.ids.iter().zip(known.ends) {
                let end = start + usize::from(*end);
                if !is_bpe {
                    self.sum += self.vocabulary.path_score(*id);
                }
                self.emitter.piece(*id, part, at, end);
                at = end;
            }
            return;
        }
        self.long(part, (start, end), true);
        if is_bpe || self.is_cacheable(&part.text[start..end]) {
            let segments = self.scratch.segments.iter();
            let tokens = segments.map(|segment| (segment.id, segment.end));
            let word = &part.text.as_bytes()[start..end];
            self.scratch.words.set(word, TokenStart::At(0), tokens);
        }
    }

    /// Returns true if the pieces of a word, which was the last to be split by the Unigram algorithm, are the same for every
    /// sum so far.
    ///
    /// Rounding changes the sum of a path by at most half of the largest distance between numbers for each piece, so that
    /// pieces that lead by more are the best for every sum.
    fn is_cacheable(&mut self, word: &str) -> bool {
        let Scratch {
            search, segments, ..
        } = &mut *self.scratch;
        let least = (word.chars().count() + 1) as f64 * STEP;
        search.lead(self.vocabulary, word, segments) > least
    }

    /// Splits a range of a part without a cache. Returns the number of bytes that are done with, which are all if nothing
    /// follows that a piece may reach into.
    fn long(&mut self, part: &Normalized, (start, end): (usize, usize), is_whole: bool) -> usize {
        if self.rules.algorithm == Algorithm::Bpe {
            return self.islands(part, (start, end), is_whole);
        }
        let Scratch {
            search, segments, ..
        } = &mut *self.scratch;
        let text = (&part.text[start..end], is_whole);
        let (length, sum) = search.run(self.vocabulary, text, self.sum, segments);
        self.sum = sum;
        for segment in segments.iter() {
            let (from, to) = (start + segment.start, start + segment.end);
            self.emitter.piece(segment.id, part, from, to);
        }
        length
    }

    /// Merges a range by byte-pair encoding, up to the last place that no piece reaches across.
    fn islands(
        &mut self,
        part: &Normalized,
        (start, end): (usize, usize),
        is_whole: bool,
    ) -> usize {
        if self.rules.has_unused && !is_whole {
            return 0;
        }
        let text = &part.text[start..end];
        if is_whole && text.len() <= WordCache::LONGEST {
            self.merge(part, start, end);
            return text.len();
        }
        let bytes = text.as_bytes();
        let (mut done, mut reach) = (0, 0);
        for (at, _) in text.char_indices() {
            if reach <= at && done < at {
                self.merge(part, start + done, start + at);
                done = at;
            }
            let mut walk = self.vocabulary.trie.walk();
            let mut end = at;
            loop {
                match bytes.get(end).map(|byte| walk.step(*byte)) {
                    Some(Some(node)) => {
                        end += 1;
                        if node.value > 0 {
                            reach = reach.max(end);
                        }
                    }
                    Some(None) => break,
                    // A piece may go on after the text.
                    None => {
                        reach = usize::MAX;
                        break;
                    }
                }
            }
        }
        if is_whole {
            self.merge(part, start + done, end);
            done = text.len();
        }
        done
    }

    /// Merges the characters of a range by byte-pair encoding.
    fn merge(&mut self, part: &Normalized, start: usize, end: usize) {
        let Scratch {
            merger, segments, ..
        } = &mut *self.scratch;
        segments.clear();
        let text = &part.text[start..end];
        merger.run(self.vocabulary, self.user_defined, text, segments);
        for segment in segments.iter() {
            let (from, to) = (start + segment.start, start + segment.end);
            self.emitter.piece(segment.id, part, from, to);
        }
    }

    /// Splits a part into characters and user-defined pieces.
    fn characters(&mut self, part: &Part<'_>) -> usize {
        let text = part.text();
        let end = match part.is_last {
            true => text.len(),
            false => text
                .len()
                .saturating_sub(self.rules.longest_user_defined + 4),
        };
        let mut start = 0;
        while let Some(character) = text[start..].chars().next().filter(|_| start < end) {
            let length = self.user_defined.longest(&text[start..]);
            let end = start + length.unwrap_or(character.len_utf8());
            let id = self.vocabulary.id(&text[start..end]);
            self.emitter.piece(id, part.normalized, start, end);
            start = end;
        }
        start
    }

    /// Splits a part before each mark.
    fn whole_words(&mut self, part: &Part<'_>) -> usize {
        let text = part.text();
        let mut start = 0;
        let mut piece = |start: usize, end: usize| {
            let id = self.vocabulary.id(&text[start..end]);
            self.emitter.piece(id, part.normalized, start, end);
        };
        for mark in memchr::memmem::find_iter(text.as_bytes(), MARK) {
            if mark > start {
                piece(start, mark);
                start = mark;
            }
        }
        if part.is_last {
            piece(start, text.len());
            start = text.len();
        }
        start
    }
}
