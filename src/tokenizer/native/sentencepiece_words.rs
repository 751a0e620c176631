//! Tokenizes a text that is a single word part by part: no merge joins two parts.

use memchr::memmem;

use super::bpe::joins::Joins;
use super::model::Model;
use super::raw_words::{RawWords, SpacedPart};
use super::run::Run;
use super::sentencepiece::SentencePieceSteps;
use super::space_scan::{PaddedText, Separators};
use super::token::{Token, for_each_range};
use super::token_sink::TokenSink;
use super::word_cache::ShortWords;
use super::word_search::SearchScratch;

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

impl RawWords for Parts<'_> {
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

    fn search<'s>(
        &self,
        model: &Model<'_>,
        scratch: &'s mut SearchScratch,
        word: &[u8],
    ) -> &'s [Token] {
        scratch.search_spaced(model, str::from_utf8(word).unwrap_or_default())
    }

    /// Only a space begins a word, and it is the first byte of its part.
    #[inline]
    fn ends_word(&self, end: usize) -> bool {
        let next = self.text.as_bytes().get(end);
        self.splits && next.is_none_or(|next| *next == b' ')
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
            let part = SpacedPart::new(text, first, last);
            let tokens = self.scratch.search.search_spaced(&self.model, &part.text);
            for_each_range(tokens, |id, begin, end| {
                sink.token(id, self.word, part.original(begin, end));
            });
            self.word += u32::from(parts.ends_word(last));
        }
        self.raw_words(&mut parts, &padded, sink);
        self.word += u32::from(!steps.splits);
        Some(())
    }
}
