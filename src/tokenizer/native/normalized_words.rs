//! Tokenizes text whose words are scanned in its normalized form.

use super::aligned_text::AlignedText;
use super::normalized_steps::NormalizedSteps;
use super::run::Run;
use super::scanned_steps::first_block;
use super::token_sink::{TokenSink, ranges};
use super::word_cache::CachedTokens;

/// The minimum length, in bytes, of the parts in which a text is normalized. In a long part, there is nearly always a
/// character that makes normalization slow.
const NORMALIZED: usize = 256;

impl<const RANGES: bool> Run<'_, RANGES> {
    /// Emits the tokens of a byte range between raw added tokens. Returns `None` if those of the normalized text cannot be
    /// told apart.
    pub fn normalized(
        &mut self,
        steps: &NormalizedSteps,
        start: usize,
        end: usize,
        sink: &mut impl TokenSink,
    ) -> Option<()> {
        let (mut aligned, mut scratch) = self.scratch.search.take_for_steps();
        let parse_special = self.parse_special;
        let cuts = |before, after| steps.cuts(parse_special, before, after);
        let (mut at, mut done) = (start, Some(()));
        while at < end && done.is_some() {
            let block = at + first_block(&self.text[at..end], NORMALIZED, cuts);
            let part = &self.text[at..block];
            steps.normalize::<RANGES>(part, at, &mut aligned, &mut scratch);
            let mut run = Run::<RANGES> {
                segmenter: self.segmenter,
                model: self.model,
                text: &aligned.text,
                parse_special,
                scratch: &mut *self.scratch,
                word: self.word,
            };
            let aligned = &aligned;
            let mut sink = AlignedSink::<_, RANGES> { aligned, sink };
            done = run.composed(&steps.scanned, 0, aligned.text.len(), &mut sink);
            self.word = run.word;
            at = block;
        }
        self.scratch.search.put_back_for_steps(aligned, scratch);
        done
    }
}

/// Passes the tokens of a normalized text on with their ranges in the original text.
struct AlignedSink<'a, S, const RANGES: bool> {
    aligned: &'a AlignedText,
    sink: &'a mut S,
}

impl<S, const RANGES: bool> AlignedSink<'_, S, RANGES> {
    fn original(&self, (start, end): (usize, usize)) -> (usize, usize) {
        let (start, end) = self.aligned.original::<RANGES>(start, end);
        (start as usize, end as usize)
    }
}

impl<S: TokenSink, const RANGES: bool> TokenSink for AlignedSink<'_, S, RANGES> {
    const NEEDS_PIECES: bool = S::NEEDS_PIECES;

    fn token(&mut self, id: u32, word: u32, range: (usize, usize)) {
        self.sink.token(id, word, self.original(range));
    }

    fn added(&mut self, id: u32, word: u32, range: (usize, usize), surface: &str) {
        self.sink.added(id, word, self.original(range), surface);
    }

    #[inline]
    fn cached_word(&mut self, word: u32, start: usize, tokens: CachedTokens<'_>) {
        if !RANGES {
            return self.sink.cached_word(word, start, tokens);
        }
        let ranges = ranges(&self.aligned.text, start, tokens);
        for (id, range) in tokens.ids.iter().zip(ranges) {
            self.token(*id, word, range);
        }
    }
}
