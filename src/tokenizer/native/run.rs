//! A run: the state of tokenizing one text, and the slow path that takes a range through all steps.

use super::bert::BertScratch;
use super::chunk::ShortChunk;
use super::model::Model;
use super::pipeline::RangeClass;
use super::segmenter::Segmenter;
use super::token_sink::TokenSink;
use super::word_cache::WordCache;
use super::word_search::{FoundToken, SearchScratch, WordSearch};

/// The number of words that are looked up before the first result is used.
pub const LOOKUP_BATCH: usize = 16;

/// Memory that is reused from text to text.
#[derive(Debug, Default)]
pub struct RunScratch {
    /// The word cache. Its keys are raw words if texts are split into chunks, otherwise normalized words.
    pub cache: WordCache,
    pub batch: [ShortChunk; LOOKUP_BATCH],
    pub search: SearchScratch,
    pub bert: BertScratch,
    pub found: Vec<FoundToken>,
    /// Words in lower case.
    pub lowered: String,
}

impl RunScratch {
    /// Returns true if a word had no tokens because it, or a character of it, is unknown. The memory must not be used
    /// again.
    pub fn has_failed(&self) -> bool {
        self.search.has_failed() || self.bert.model.has_failed()
    }
}

/// The state of tokenizing one text. Without `RANGES`, the ranges of tokens are meaningless.
pub struct Run<'a, const RANGES: bool> {
    pub segmenter: &'a Segmenter,
    pub model: Model<'a>,
    pub text: &'a str,
    /// True to recognize added tokens in the text.
    pub parse_special: bool,
    pub scratch: &'a mut RunScratch,
    /// The number of words so far.
    pub word: u32,
}

impl<const RANGES: bool> Run<'_, RANGES> {
    /// Takes a byte range through all steps, and leaves its tokens in `scratch.found`. `at_end` is true if the range ends
    /// where the text between added tokens does. Returns `None` if a step fails.
    pub fn tokenize_range(&mut self, start: usize, end: usize, at_end: bool) -> Option<RangeClass> {
        self.scratch.found.clear();
        // If texts are split into chunks or raw words, these are cached instead.
        let caches_words = self.segmenter.pipeline.caches_normalized_words();
        let search = WordSearch {
            model: self.model,
            compiled: &self.segmenter.compiled,
            cache: caches_words.then_some(&mut self.scratch.cache),
            scratch: &mut self.scratch.search,
            found: &mut self.scratch.found,
        };
        let pipeline = &self.segmenter.pipeline;
        pipeline.tokenize_range::<RANGES>(self.text, start, end, at_end, self.parse_special, search)
    }

    /// Passes the tokens that [`Run::tokenize_range`] found to `sink`.
    pub fn emit_found(&mut self, sink: &mut impl TokenSink) {
        for found in &self.scratch.found {
            let word = self.word + found.word;
            let range = (found.range.0 as usize, found.range.1 as usize);
            match &found.surface {
                Some(surface) => sink.added(found.id, word, range, surface),
                None => sink.token(found.id, word, range),
            }
        }
        self.word += self.scratch.search.words_found;
    }
}
