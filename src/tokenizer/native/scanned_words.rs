//! Tokenizes text word by word, as a pre-tokenizer scans it.

use super::added_tokens::TextPart;
use super::model::Model;
use super::raw_words::{RawWords, SpacedPart};
use super::run::Run;
use super::scan::Words;
use super::scanned_steps::{ScannedSteps, first_block};
use super::space_scan::PaddedText;
use super::token::{Token, for_each_range};
use super::token_sink::TokenSink;
use super::word_search::SearchScratch;

/// The minimum length, in bytes, of the parts in which a text is composed.
const COMPOSED: usize = 4 << 10;

/// The words of a byte range of a text.
struct ScannedWords<'a> {
    steps: &'a ScannedSteps,
    words: Words<'a>,
}

impl RawWords for ScannedWords<'_> {
    #[inline]
    fn next(&mut self) -> Option<(usize, usize)> {
        self.words.next()
    }

    fn search<'s>(
        &self,
        model: &Model<'_>,
        scratch: &'s mut SearchScratch,
        word: &[u8],
    ) -> &'s [Token] {
        self.steps.search(model, scratch, word)
    }

    #[inline]
    fn ends_word(&self, _: usize) -> bool {
        true
    }
}

impl<const RANGES: bool> Run<'_, RANGES> {
    /// Emits the tokens of a byte range between raw added tokens. Returns `None` if a step fails.
    pub fn scanned(
        &mut self,
        steps: &ScannedSteps,
        start: usize,
        end: usize,
        sink: &mut impl TokenSink,
    ) -> Option<()> {
        if steps.can_scan(&self.text[start..end]) {
            return self.composed(steps, start, end, sink);
        }
        let parse_special = self.parse_special;
        let cuts = |before, after| steps.cuts_normalized(parse_special, before, after);
        let mut at = start;
        while at < end {
            let block = at + first_block(&self.text[at..end], COMPOSED, cuts);
            if steps.can_scan(&self.text[at..block]) {
                self.composed(steps, at, block, sink)?;
            } else {
                self.tokenize_range(at, block, true)?;
                self.emit_found(sink);
            }
            at = block;
        }
        Some(())
    }

    /// Emits the tokens of a byte range that can be scanned as it is. Returns `None` if the added tokens in it cannot be
    /// told apart.
    pub fn composed(
        &mut self,
        steps: &ScannedSteps,
        start: usize,
        end: usize,
        sink: &mut impl TokenSink,
    ) -> Option<()> {
        let (range, added) = (&self.text[start..end], &steps.normalized);
        added.split(range, self.parse_special, |part, first, last| {
            let (first, last) = (start + first, start + last);
            if let TextPart::Added(id) = part {
                sink.added(id, self.word, (first, last), &self.text[first..last]);
                self.word += 1;
            } else if steps.adds_space && !self.text[first..].starts_with(' ') {
                self.spaced_words(steps, first, last, sink);
            } else {
                let padded = PaddedText::new(&self.text.as_bytes()[..last]);
                let words = Words::new(&steps.scanner, &padded, first);
                let mut words = ScannedWords { steps, words };
                self.raw_words(&mut words, &padded, sink);
            }
        })
    }

    /// Emits the tokens of a byte range as if it began with a space.
    fn spaced_words(
        &mut self,
        steps: &ScannedSteps,
        start: usize,
        end: usize,
        sink: &mut impl TokenSink,
    ) {
        let part = SpacedPart::new(self.text, start, end);
        let padded = PaddedText::new(part.text.as_bytes());
        for (first, last) in Words::new(&steps.scanner, &padded, 0) {
            let word = &part.text.as_bytes()[first..last];
            let tokens = steps.search(&self.model, &mut self.scratch.search, word);
            for_each_range(tokens, |id, begin, end| {
                sink.token(id, self.word, part.original(first + begin, first + end));
            });
            self.word += 1;
        }
    }
}
