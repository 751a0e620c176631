//! Tokenizes a text that is a single word part by part: no merge joins two parts.

use memchr::memmem;

use super::bpe::joins::Joins;
use super::run::{LOOKUP_BATCH, Run, RunScratch};
use super::sentencepiece::SentencePieceSteps;
use super::space_scan::{PaddedText, Separators};
use super::token::Token;
use super::token_sink::TokenSink;
use super::word_cache::{PendingLookup, ShortWords, TokenStart};

/// A part of the text whose look-up is pending.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    start: usize,
    end: usize,
    /// `None` for a word that is too long, or while nothing is cached.
    lookup: Option<PendingLookup>,
}

/// The parts of a byte range.
struct Parts<'a> {
    text: &'a str,
    joins: Joins<'a>,
    /// True if each space begins a word.
    splits: bool,
    separators: Separators<'a>,
    at: usize,
    /// The end of the words before the next space.
    stop: usize,
}

impl<'a> Parts<'a> {
    /// Starts at byte `at`. The range ends where the text ends.
    fn new(
        text: &'a str,
        padded: &'a PaddedText<'a>,
        joins: Joins<'a>,
        splits: bool,
        at: usize,
    ) -> Self {
        Self {
            text,
            joins,
            splits,
            separators: padded.separators_after(at),
            at,
            stop: at,
        }
    }

    /// Returns the next part: spaces and the word after them. If they are long, returns only as much of them as merges
    /// may join.
    #[inline]
    fn next(&mut self) -> Option<(usize, usize)> {
        let start = self.at;
        if start == self.stop && !self.find_stop() {
            return None;
        }
        self.at = if self.stop - start <= ShortWords::SHORT {
            self.stop
        } else {
            self.first_break(start)
        };
        Some((start, self.at))
    }

    /// Moves `stop` to the first space at which the text can be split. Returns false at the end of the text.
    #[inline]
    fn find_stop(&mut self) -> bool {
        let bytes = self.text.as_bytes();
        if self.stop == bytes.len() {
            return false;
        }
        loop {
            let before = self.separators.advance();
            self.stop = before;
            if before == bytes.len() {
                return true;
            }
            if bytes[before] == b' ' && (self.splits || !self.joins_space(before)) {
                return true;
            }
        }
    }

    #[inline]
    fn joins_space(&self, at: usize) -> bool {
        match self.text.as_bytes()[at - 1] {
            b' ' => true,
            before @ ..128 => self.joins.may_join(before.into(), ' '),
            _ => {
                let before = self.text[..at].chars().next_back();
                before.is_none_or(|before| self.joins.may_join(before, ' '))
            }
        }
    }

    /// Returns the first offset after `start`, up to `stop`, at which no merge joins two characters.
    fn first_break(&self, start: usize) -> usize {
        let word = &self.text[start..self.stop];
        let characters = word.char_indices();
        let mut pairs = characters.clone().zip(characters.skip(1));
        let split = pairs.find(|((_, left), (_, right))| !self.joins.may_join(*left, *right));
        split.map_or(self.stop, |(_, (at, _))| start + at)
    }
}

impl<const RANGES: bool> Run<'_, RANGES> {
    /// Emits the tokens of a byte range between added tokens. Returns `None` if a step fails.
    pub fn sentencepiece(
        &mut self,
        steps: &SentencePieceSteps,
        start: usize,
        end: usize,
        sink: &mut impl TokenSink,
    ) -> Option<()> {
        let text = &self.text[..end];
        let joins = self.segmenter.compiled.joins()?;
        if memmem::find(&text.as_bytes()[start..], "▁".as_bytes()).is_some() {
            self.tokenize_range(start, end, true)?;
            self.emit_found(sink);
            return Some(());
        }
        let padded = PaddedText::new(text.as_bytes());
        let mut parts = Parts::new(text, &padded, joins, steps.splits, start);
        if steps.prefixes(&text[start..], start == 0)
            && let Some((first, mut last)) = parts.next()
        {
            if steps.splits && text[first..].starts_with(' ') {
                // The prefix is a word of its own.
                parts = Parts::new(text, &padded, joins, true, start);
                last = start;
            }
            self.prefixed_part(first, last, sink);
            let next = padded.bytes().get(last);
            self.word += u32::from(steps.splits && next.is_none_or(|next| *next == b' '));
        }
        self.parts(parts, steps.splits, &padded, sink);
        self.word += u32::from(!steps.splits);
        Some(())
    }

    fn parts(
        &mut self,
        mut parts: Parts<'_>,
        splits: bool,
        padded: &PaddedText<'_>,
        sink: &mut impl TokenSink,
    ) {
        let mut batch = [Part::default(); LOOKUP_BATCH];
        loop {
            let mut count = 0;
            let words = self.scratch.cache.short_words();
            while count < LOOKUP_BATCH
                && let Some((start, end)) = parts.next()
            {
                let length = end - start;
                let lookup = words
                    .filter(|_| length <= ShortWords::SHORT)
                    .map(|words| words.look_up(padded.words(start), length));
                batch[count] = Part { start, end, lookup };
                count += 1;
            }
            for part in &batch[..count] {
                self.part(part, sink);
                // Only a space begins a word, and it is the first byte of its part.
                let next = padded.bytes().get(part.end);
                self.word += u32::from(splits && next.is_none_or(|next| *next == b' '));
            }
            if count < LOOKUP_BATCH {
                return;
            }
        }
    }

    #[inline]
    fn part(&mut self, part: &Part, sink: &mut impl TokenSink) {
        let cache = &self.scratch.cache;
        let known = match &part.lookup {
            Some(lookup) => cache.short_words().and_then(|words| words.short(lookup)),
            None => cache.get(self.text.as_bytes(), part.start, part.end),
        };
        match known {
            Some(known) => sink.cached_word(self.word, part.start, known),
            None => self.new_part(part.start, part.end, sink),
        }
    }

    /// Emits and caches the tokens of a part.
    #[cold]
    fn new_part(&mut self, start: usize, end: usize, sink: &mut impl TokenSink) {
        let part = &self.text[start..end];
        let RunScratch { cache, search, .. } = &mut *self.scratch;
        let tokens = search.search_spaced(&self.model, part);
        let are_whole = |token: &Token| part.is_char_boundary(token.end as usize);
        let first = if tokens.iter().all(are_whole) {
            TokenStart::At(0)
        } else {
            TokenStart::InCharacters
        };
        let ends = tokens.iter().map(|token| (token.id, token.end as usize));
        cache.set(part.as_bytes(), first, ends);
        let mut begin = 0;
        for token in tokens {
            let token_end = token.end as usize;
            let range = (
                start + part.floor_char_boundary(begin),
                start + part.ceil_char_boundary(token_end),
            );
            sink.token(token.id, self.word, range);
            begin = token_end;
        }
    }

    /// Emits the tokens of a part with a `▁` before it. Offsets take the `▁` for a part of the first character.
    fn prefixed_part(&mut self, start: usize, end: usize, sink: &mut impl TokenSink) {
        let part = format!(" {}", &self.text[start..end]);
        let first = self.text[start..].chars().next().map_or(0, char::len_utf8);
        let original = |at: usize| start + at - 1;
        let tokens = self.scratch.search.search_spaced(&self.model, &part);
        let mut begin = 0;
        for token in tokens {
            let token_end = token.end as usize;
            let range = (
                original(part.floor_char_boundary(begin).max(1)),
                original(part.ceil_char_boundary(token_end).max(1 + first)),
            );
            sink.token(token.id, self.word, range);
            begin = token_end;
        }
    }
}
