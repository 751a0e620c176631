//! The immutable parts of the native engine.

use std::sync::Arc;

use super::added_tokens::AddedTokens;
use super::bpe::model::{Bpe, BpeSettings};
use super::compiled::CompiledVocabulary;
use super::model::Model;
use super::pipeline::Pipeline;
use super::pipeline_config::PipelineConfig;
use super::trailing_marks::TrailingMarks;
use super::unigram::{self, NO_ID, Unigram, UnigramSettings};
use super::wordlevel::WordLevel;
use super::wordpiece::WordPiece;
use crate::formats::algorithm::Algorithm;
use crate::formats::config::AddedTokenConfig;

/// The parts of a tokenizer besides its vocabulary.
enum ModelParts {
    Unigram(UnigramSettings),
    Bpe(BpeSettings),
    WordPiece {
        unknown_id: Option<u32>,
        prefix: String,
        /// The number of characters of the longest word that has pieces.
        longest_word: usize,
    },
    WordLevel {
        unknown_id: Option<u32>,
    },
}

impl ModelParts {
    /// Returns `None` if the model cannot be reproduced exactly.
    fn new(compiled: &CompiledVocabulary) -> Option<Self> {
        match compiled.algorithm() {
            Algorithm::Unigram => {
                compiled.double_array()?;
                let byte = |byte: u8| compiled.find(&format!("<{byte:#04X}>")).unwrap_or(NO_ID);
                // The reference ignores the byte fallback of a SentencePiece file.
                let falls_back = compiled.byte_fallback() && !compiled.rest().is_empty();
                Some(Self::Unigram(UnigramSettings {
                    unknown_id: compiled.unknown_id().unwrap_or(NO_ID),
                    unknown_score: unigram::unknown_score(compiled.min_score()),
                    fallback: if falls_back {
                        (0..=u8::MAX).map(byte).collect()
                    } else {
                        Vec::new()
                    },
                }))
            }
            Algorithm::Bpe => {
                let settings = compiled.settings()?;
                Some(Self::Bpe(BpeSettings::new(&settings, compiled)))
            }
            Algorithm::WordPiece => {
                compiled.double_array()?;
                let settings = compiled.settings()?;
                Some(Self::WordPiece {
                    unknown_id: compiled.unknown_id(),
                    prefix: settings.continuing_subword_prefix?,
                    longest_word: settings.max_input_chars_per_word?,
                })
            }
            Algorithm::WordLevel => Some(Self::WordLevel {
                unknown_id: compiled.unknown_id(),
            }),
            _ => None,
        }
    }
}

/// A vocabulary, its added tokens, and the steps before the model.
pub struct Segmenter {
    pub compiled: Arc<CompiledVocabulary>,
    settings: ModelParts,
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
        let settings = ModelParts::new(&compiled)?;
        let raw = added.iter().filter(|(token, _)| !token.normalized);
        let pipeline = Pipeline::new(config, added, &compiled)?;
        let marks: Vec<_> = compiled.trailing_marks().collect();
        Some(Self {
            raw: AddedTokens::new(raw.cloned().collect())?,
            marks: [false, true]
                .map(|parse_special| pipeline.trailing_marks(&marks, parse_special)),
            pipeline,
            settings,
            compiled,
        })
    }

    /// Returns the model of the vocabulary.
    pub fn model(&self) -> Option<Model<'_>> {
        let compiled = &self.compiled;
        Some(match &self.settings {
            ModelParts::Unigram(settings) => {
                Model::Unigram(Unigram::new(compiled.double_array()?, settings))
            }
            ModelParts::Bpe(settings) => Model::Bpe(Bpe::new(compiled, settings)?),
            ModelParts::WordPiece {
                unknown_id,
                prefix,
                longest_word,
            } => {
                let pieces = compiled.double_array()?;
                Model::WordPiece(WordPiece::new(pieces, prefix, *unknown_id, *longest_word))
            }
            ModelParts::WordLevel { unknown_id } => {
                Model::WordLevel(WordLevel::new(compiled, *unknown_id))
            }
        })
    }

    #[inline]
    pub fn marks(&self, parse_special: bool) -> &TrailingMarks {
        &self.marks[usize::from(parse_special)]
    }
}
