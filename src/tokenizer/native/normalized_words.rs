//! Tokenizes text whose words are scanned in its normalized form.

use serde_json::Value;

use super::added_tokens::AddedTokens;
use super::aligned_text::AlignedText;
use super::compiled::CompiledVocabulary;
use super::run::Run;
use super::scanned_steps::{ScannedSteps, first_block};
use super::steps::{Step, StepScratch, normalizers};
use super::token_sink::{TokenSink, ranges};
use super::word_cache::CachedTokens;
use crate::formats::config::AddedTokenConfig;

/// The minimum length, in bytes, of the parts in which a text is normalized. In a long part, there is nearly always a
/// character that makes normalization slow.
const NORMALIZED: usize = 256;

/// The steps of a tokenizer that scans the normalized text.
#[derive(Debug)]
pub struct NormalizedSteps {
    /// Steps that do not look beyond white space.
    normalizers: Vec<Step>,
    /// The steps after normalization.
    scanned: ScannedSteps,
}

impl NormalizedSteps {
    /// Reads the steps of a `tokenizer.json`. Returns `None` if one of them is unknown, if a text cannot be normalized in
    /// parts, or if the model cannot spell every word.
    pub fn new(
        normalizer: &Value,
        pre_tokenizer: &Value,
        added: &[(AddedTokenConfig, u32)],
        compiled: &CompiledVocabulary,
    ) -> Option<Self> {
        let normalizers = normalizers(normalizer)?;
        if !normalizers.iter().all(Step::is_local) {
            return None;
        }
        let mut added = added.to_vec();
        let (aligned, scratch) = (&mut AlignedText::default(), &mut StepScratch::default());
        for (token, _) in added.iter_mut().filter(|(token, _)| token.normalized) {
            normalize::<false>(&normalizers, &token.content, 0, aligned, scratch);
            token.content = aligned.text.as_str().into();
        }
        let scanned = ScannedSteps::new(&Value::Null, pre_tokenizer, &added, compiled)?;
        (scanned.spells_all() && !scanned.adds_space).then_some(Self {
            normalizers,
            scanned,
        })
    }

    /// Returns true if a text can be cut between two bytes of ASCII, the second of them white space, as far as these
    /// steps and `tokens` are concerned.
    pub fn cuts(&self, tokens: &AddedTokens, before: u8, after: u8) -> bool {
        self.scanned.cuts(tokens, before, after)
            && self.scanned.cuts(tokens, before.to_ascii_lowercase(), b' ')
    }

    /// Returns true if a text can be cut between two such bytes that may also be part of added tokens.
    pub fn cuts_normalized(&self, parse_special: bool, before: u8, after: u8) -> bool {
        let tokens = self.scanned.normalized.matched(parse_special);
        self.cuts(tokens, before, after)
    }
}

/// Writes the normalized form of a part of a text that begins at byte `start` to `aligned`.
fn normalize<const RANGES: bool>(
    normalizers: &[Step],
    part: &str,
    start: usize,
    aligned: &mut AlignedText,
    scratch: &mut StepScratch,
) {
    aligned.set::<RANGES>(part, start);
    for step in normalizers {
        step.apply::<RANGES>(aligned, scratch);
    }
}

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
        let cuts = |before, after| steps.cuts_normalized(parse_special, before, after);
        let (mut at, mut done) = (start, Some(()));
        while at < end && done.is_some() {
            let block = at + first_block(&self.text[at..end], NORMALIZED, cuts);
            let part = &self.text[at..block];
            normalize::<RANGES>(&steps.normalizers, part, at, &mut aligned, &mut scratch);
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
