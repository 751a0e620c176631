//! Tokenizes byte-level text word by word, as a pre-tokenizer scans it.

use super::added_tokens::TextPart;
use super::byte_level::ByteLevelSteps;
use super::run::{LOOKUP_BATCH, Run, RunScratch};
use super::space_scan::PaddedText;
use super::token::Token;
use super::token_sink::TokenSink;
use super::word_cache::{PendingLookup, ShortWords, TokenStart};

/// A word of the text whose look-up is pending.
#[derive(Debug, Clone, Copy, Default)]
struct ScannedWord {
    start: usize,
    end: usize,
    /// `None` for a word that is too long, or while nothing is cached.
    lookup: Option<PendingLookup>,
}

impl<const RANGES: bool> Run<'_, RANGES> {
    /// Emits the tokens of a byte range between raw added tokens. Returns `None` if a step fails.
    pub fn byte_level(
        &mut self,
        steps: &ByteLevelSteps,
        start: usize,
        end: usize,
        sink: &mut impl TokenSink,
    ) -> Option<()> {
        if steps.leaves(&self.text[start..end]) {
            self.composed(steps, start, end, sink);
            return Some(());
        }
        let mut at = start;
        while at < end {
            let block = at + steps.first_block(&self.text[at..end], self.parse_special);
            if steps.leaves(&self.text[at..block]) {
                self.composed(steps, at, block, sink);
            } else {
                self.tokenize_range(at, block, true)?;
                self.emit_found(sink);
            }
            at = block;
        }
        Some(())
    }

    /// Emits the tokens of a byte range that normalization leaves unchanged.
    fn composed(
        &mut self,
        steps: &ByteLevelSteps,
        start: usize,
        end: usize,
        sink: &mut impl TokenSink,
    ) {
        let added = steps.normalized(self.parse_special);
        added.split(&self.text[start..end], |part, first, last| {
            let (first, last) = (start + first, start + last);
            if let TextPart::Added(id) = part {
                sink.added(id, self.word, (first, last), &self.text[first..last]);
                self.word += 1;
            } else if steps.adds_space && !self.text[first..].starts_with(' ') {
                self.spaced_words(steps, first, last, sink);
            } else {
                self.scanned_words(steps, first, last, sink);
            }
        });
    }

    /// Emits the tokens of the words of a byte range.
    fn scanned_words(
        &mut self,
        steps: &ByteLevelSteps,
        start: usize,
        end: usize,
        sink: &mut impl TokenSink,
    ) {
        // A scanner may look back, but not beyond the range.
        let range = &self.text[start..end];
        let padded = PaddedText::new(range.as_bytes());
        let mut batch = [ScannedWord::default(); LOOKUP_BATCH];
        let mut at = 0;
        loop {
            let mut count = 0;
            let words = self.scratch.cache.short_words();
            while count < LOOKUP_BATCH
                && let Some((first, last)) = steps.scanner.next(range, at)
            {
                let length = last - first;
                let lookup = words
                    .filter(|_| length <= ShortWords::SHORT)
                    .map(|words| words.look_up(padded.words(first), length));
                batch[count] = ScannedWord {
                    start: start + first,
                    end: start + last,
                    lookup,
                };
                count += 1;
                at = last;
            }
            for word in &batch[..count] {
                self.scanned_word(word, sink);
            }
            if count < LOOKUP_BATCH {
                return;
            }
        }
    }

    #[inline]
    fn scanned_word(&mut self, word: &ScannedWord, sink: &mut impl TokenSink) {
        let cache = &self.scratch.cache;
        let known = match &word.lookup {
            Some(lookup) => cache.short_words().and_then(|words| words.short(lookup)),
            None => cache.get(self.text.as_bytes(), word.start, word.end),
        };
        if let Some(known) = known {
            sink.cached_word(self.word, word.start, known);
        } else {
            self.new_word(word.start, word.end, sink);
        }
        self.word += 1;
    }

    /// Emits and caches the tokens of a word, which may begin and end within a character.
    #[cold]
    fn new_word(&mut self, start: usize, end: usize, sink: &mut impl TokenSink) {
        let text = self.text;
        let word = &text.as_bytes()[start..end];
        let RunScratch { cache, search, .. } = &mut *self.scratch;
        let tokens = search.search_bytes(&self.model, word);
        let are_whole = |token: &Token| text.is_char_boundary(start + token.end as usize);
        let first = if text.is_char_boundary(start) && tokens.iter().all(are_whole) {
            TokenStart::At(0)
        } else {
            TokenStart::InCharacters
        };
        let ends = tokens.iter().map(|token| (token.id, token.end as usize));
        cache.set(word, first, ends);
        let mut begin = start;
        for token in tokens {
            let token_end = start + token.end as usize;
            let range = (
                text.floor_char_boundary(begin),
                text.ceil_char_boundary(token_end),
            );
            sink.token(token.id, self.word, range);
            begin = token_end;
        }
    }

    /// Emits the tokens of a byte range as if it began with a space. Offsets take the space for a part of the first
    /// character.
    fn spaced_words(
        &mut self,
        steps: &ByteLevelSteps,
        start: usize,
        end: usize,
        sink: &mut impl TokenSink,
    ) {
        let text = format!(" {}", &self.text[start..end]);
        let first = self.text[start..].chars().next().map_or(0, char::len_utf8);
        let original = |at: usize| start + at - 1;
        let mut at = 0;
        while let Some((word_start, word_end)) = steps.scanner.next(&text, at) {
            let word = &text.as_bytes()[word_start..word_end];
            let tokens = self.scratch.search.search_bytes(&self.model, word);
            let mut begin = word_start;
            for token in tokens {
                let token_end = word_start + token.end as usize;
                let range = (
                    original(text.floor_char_boundary(begin).max(1)),
                    original(text.ceil_char_boundary(token_end).max(1 + first)),
                );
                sink.token(token.id, self.word, range);
                begin = token_end;
            }
            self.word += 1;
            at = word_end;
        }
    }
}
