//! The immutable parts of the native engine.

use std::sync::Arc;

use super::added_tokens::AddedTokens;
use super::compiled::CompiledVocabulary;
use super::pipeline::{Pipeline, PipelineConfig};
use super::trailing_marks::TrailingMarks;
use super::unigram::{self, Unigram};
use crate::formats::config::AddedTokenConfig;
use crate::formats::sentencepiece::Algorithm;

/// A vocabulary, its added tokens, and the steps before the model.
pub struct Segmenter {
    pub compiled: Arc<CompiledVocabulary>,
    /// The score of an unknown character.
    unknown_score: f64,
    /// Added tokens that are matched in the raw text.
    pub raw: AddedTokens,
    pub pipeline: Pipeline,
    /// The trailing marks if added tokens are taken as text, and if they are parsed.
    marks: [TrailingMarks; 2],
}

impl Segmenter {
    /// Creates a segmenter for a vocabulary and its distinct added tokens with their ids.
    ///
    /// Returns `None` if the tokenizer has a part that cannot be reproduced exactly.
    pub fn new(
        compiled: Arc<CompiledVocabulary>,
        added: &[(AddedTokenConfig, u32)],
        config: &PipelineConfig<'_>,
    ) -> Option<Self> {
        if compiled.algorithm() != Algorithm::Unigram || compiled.double_array().is_none() {
            return None;
        }
        let raw = added.iter().filter(|(token, _)| !token.normalized);
        let pipeline = Pipeline::new(config, added)?;
        let marks: Vec<_> = compiled.trailing_marks().collect();
        Some(Self {
            raw: AddedTokens::new(raw.cloned().collect())?,
            marks: [false, true]
                .map(|parse_special| pipeline.trailing_marks(&marks, parse_special)),
            pipeline,
            unknown_score: unigram::unknown_score(compiled.min_score()),
            compiled,
        })
    }

    /// Returns the Unigram model of the vocabulary.
    pub fn model(&self) -> Option<Unigram<'_>> {
        let compiled = &self.compiled;
        let unknown_id = compiled.unknown_id();
        Some(Unigram::new(
            compiled.double_array()?,
            unknown_id,
            self.unknown_score,
        ))
    }

    #[inline]
    pub fn marks(&self, parse_special: bool) -> &TrailingMarks {
        &self.marks[usize::from(parse_special)]
    }
}
