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

/// A word whose look-up is pending.
#[derive(Debug, Clone, Copy, Default)]
struct PendingWord {
    start: usize,
    end: usize,
    /// `None` for a word that is too long, or while nothing is cached.
    lookup: Option<PendingLookup>,
}

impl<const RANGES: bool> Run<'_, RANGES> {
    /// Emits the tokens of words. `padded` is the text up to the end of the last word.
    pub fn raw_words(
        &mut self,
        words: &mut impl RawWords,
        padded: &PaddedText<'_>,
        sink: &mut impl TokenSink,
    ) {
        let mut batch = [PendingWord::default(); LOOKUP_BATCH];
        loop {
            let mut count = 0;
            let cached = self.scratch.cache.short_words();
            while count < LOOKUP_BATCH
                && let Some((start, end)) = words.next()
            {
                let length = end - start;
                let lookup = cached
                    .filter(|_| length <= ShortWords::SHORT)
                    .map(|cached| cached.look_up(padded.words(start), length));
                batch[count] = PendingWord { start, end, lookup };
                count += 1;
            }
            for word in &batch[..count] {
                self.raw_word(words, word, sink);
                self.word += u32::from(words.ends_word(word.end));
            }
            if count < LOOKUP_BATCH {
                return;
            }
        }
    }

    #[inline]
    fn raw_word(&mut self, words: &impl RawWords, word: &PendingWord, sink: &mut impl TokenSink) {
        let cache = &self.scratch.cache;
        let known = match &word.lookup {
            Some(lookup) => cache.short_words().and_then(|words| words.short(lookup)),
            None => cache.get(self.text.as_bytes(), word.start, word.end),
        };
        match known {
            Some(known) => sink.cached_word(self.word, word.start, known),
            None => self.new_word(words, word.start, word.end, sink),
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
