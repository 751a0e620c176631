//! Tokenizes words of the raw text, or parts of a word, that no step before the model changes.

use super::model::Model;
use super::run::{LOOKUP_BATCH, Run, RunScratch};
use super::space_scan::PaddedText;
use super::token::{Token, for_each_range};
use super::token_sink::TokenSink;
use super::word_cache::{PendingLookup, ShortWords, TokenStart};
use super::word_search::SearchScratch;

/// Finds words of the raw text one after the other.
pub trait RawWords {
    /// Returns the byte range of the next word in the text. A word may begin and end within a character.
    fn next(&mut self) -> Option<(usize, usize)>;

    /// Finds the tokens of a word, with their ends in bytes of the text.
    fn search<'s>(
        &self,
        model: &Model<'_>,
        scratch: &'s mut SearchScratch,
        word: &[u8],
    ) -> &'s [Token];

    /// Returns true if what ends at byte `end` is the last part of a word.
    fn ends_word(&self, end: usize) -> bool;
}

/// A word whose look-up is pending, and its byte range.
#[derive(Debug, Clone, Copy)]
struct PendingWord {
    lookup: PendingLookup,
    start: u32,
    end: u32,
}

impl PendingWord {
    fn range(&self) -> (usize, usize) {
        (self.start as usize, self.end as usize)
    }
}

impl<const RANGES: bool> Run<'_, RANGES> {
    /// Emits the tokens of words. `padded` is the text up to the end of the last word.
    pub fn raw_words(
        &mut self,
        words: &mut impl RawWords,
        padded: &PaddedText<'_>,
        sink: &mut impl TokenSink,
    ) {
        let mut batch = [PendingWord {
            lookup: PendingLookup::NONE,
            start: 0,
            end: 0,
        }; LOOKUP_BATCH];
        loop {
            let mut count = 0;
            let cached = self.scratch.cache.short_words();
            while count < LOOKUP_BATCH
                && let Some((start, end)) = words.next()
            {
                let length = end - start;
                let lookup = match cached {
                    Some(cached) if length <= ShortWords::SHORT => {
                        cached.look_up(padded.words(start), length)
                    }
                    _ => PendingLookup::NONE,
                };
                // Texts are shorter than 4 GiB.
                let (start, end) = (start as u32, end as u32);
                batch[count] = PendingWord { lookup, start, end };
                count += 1;
            }
            self.pending_words(words, &batch[..count], sink);
            if count < LOOKUP_BATCH {
                return;
            }
        }
    }

    #[inline]
    fn pending_words(
        &mut self,
        words: &impl RawWords,
        mut pending: &[PendingWord],
        sink: &mut impl TokenSink,
    ) {
        loop {
            // As long as no word is new, the tables stay where they are.
            if let Some(cached) = self.scratch.cache.short_words() {
                while let Some((word, rest)) = pending.split_first()
                    && let Some(known) = cached.short(&word.lookup)
                {
                    let (start, end) = word.range();
                    sink.cached_word(self.word, start, known);
                    self.word += u32::from(words.ends_word(end));
                    pending = rest;
                }
            }
            let Some((word, rest)) = pending.split_first() else {
                return;
            };
            let (start, end) = word.range();
            match self.scratch.cache.get(self.text.as_bytes(), start, end) {
                Some(known) => sink.cached_word(self.word, start, known),
                None => self.new_word(words, start, end, sink),
            }
            self.word += u32::from(words.ends_word(end));
            pending = rest;
        }
    }

    /// Emits and caches the tokens of a word.
    #[cold]
    fn new_word(
        &mut self,
        words: &impl RawWords,
        start: usize,
        end: usize,
        sink: &mut impl TokenSink,
    ) {
        let text = self.text;
        let word = &text.as_bytes()[start..end];
        let RunScratch { cache, search, .. } = &mut *self.scratch;
        let tokens = words.search(&self.model, search, word);
        let are_whole = |token: &Token| text.is_char_boundary(start + token.end as usize);
        let first = if text.is_char_boundary(start) && tokens.iter().all(are_whole) {
            TokenStart::At(0)
        } else {
            TokenStart::InCharacters
        };
        let ends = tokens.iter().map(|token| (token.id, token.end as usize));
        cache.set(word, first, ends);
        for_each_range(tokens, |id, begin, end| {
            let range = (
                text.floor_char_boundary(start + begin),
                text.ceil_char_boundary(start + end),
            );
            sink.token(id, self.word, range);
        });
    }
}

/// A part of a text that is taken as if it began with a space. Offsets take the space for a part of the first character.
pub struct SpacedPart {
    pub text: String,
    /// The start of the part in the text.
    start: usize,
    /// The length of its first character.
    first: usize,
}

impl SpacedPart {
    pub fn new(text: &str, start: usize, end: usize) -> Self {
        let part = &text[start..end];
        Self {
            text: format!(" {part}"),
            start,
            first: part.chars().next().map_or(0, char::len_utf8),
        }
    }

    /// Returns the range in the text of the characters at bytes `begin` to `end` of the part with its space.
    pub fn original(&self, begin: usize, end: usize) -> (usize, usize) {
        let begin = self.text.floor_char_boundary(begin).max(1);
        let end = self.text.ceil_char_boundary(end).max(1 + self.first);
        (self.start + begin - 1, self.start + end - 1)
    }
}
