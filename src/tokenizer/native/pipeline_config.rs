//! Recognizes the steps of a tokenizer file, and prepares them.

use serde_json::Value;

use super::added_tokens::AddedTokens;
use super::aligned_text::AlignedText;
use super::bert::BertSteps;
use super::charsmap::Charsmap;
use super::compiled::CompiledVocabulary;
use super::hf_steps::{HfSteps, normalized_text};
use super::known_steps;
use super::normalize::normalize;
use super::normalized_steps::NormalizedSteps;
use super::pipeline::{Pipeline, PipelineKind};
use super::scanned_steps::ScannedSteps;
use super::sentencepiece::SentencePieceSteps;
use super::space_bytes::{SpaceBytes, SpaceHandling};
use super::steps::OwnSteps;
use crate::formats::algorithm::Algorithm;
use crate::formats::config::AddedTokenConfig;

/// The steps before the model, as a tokenizer file defines them.
#[derive(Debug, Clone, Copy)]
pub enum PipelineConfig<'a> {
    /// Strip, apply the character map of a SentencePiece file, collapse runs of spaces, and write `▁` for each space
    /// and before the first word.
    Deberta { charsmap: &'a [u8] },
    /// The `normalizer` and `pre_tokenizer` of a `tokenizer.json`.
    Json {
        normalizer: &'a Value,
        pre_tokenizer: &'a Value,
    },
}

impl Pipeline {
    /// Creates the steps of a tokenizer. Returns `None` if one of them cannot be reproduced exactly.
    pub fn new(
        config: &PipelineConfig<'_>,
        added: &[(AddedTokenConfig, u32)],
        compiled: &CompiledVocabulary,
    ) -> Option<Self> {
        let (normalizer, pre_tokenizer) = match config {
            PipelineConfig::Deberta { charsmap } => return Self::deberta(charsmap, added),
            PipelineConfig::Json {
                normalizer,
                pre_tokenizer,
            } => (*normalizer, *pre_tokenizer),
        };
        if let Some(steps) = SentencePieceSteps::new(normalizer, pre_tokenizer, added, compiled) {
            return Some(Self::whole(PipelineKind::SentencePiece(Box::new(steps))));
        }
        if let Some(steps) = Self::of_words(normalizer, pre_tokenizer, added, compiled) {
            return Some(Self::with_bert(steps));
        }
        if let Some(charsmap) = known_steps::deberta_charsmap(normalizer, pre_tokenizer) {
            return Self::deberta(&charsmap, added);
        }
        if let Some(steps) = OwnSteps::new(normalizer, pre_tokenizer, added) {
            return Some(Self::own(steps));
        }
        // Without an unknown token, a Unigram model may fail on a word.
        if compiled.algorithm() != Algorithm::Unigram
            && let Some(steps) = ScannedSteps::new(normalizer, pre_tokenizer, added, compiled)
        {
            return Some(Self::whole(PipelineKind::Scanned(Box::new(steps))));
        }
        if compiled.algorithm() != Algorithm::Unigram
            && let Some(steps) = NormalizedSteps::new(normalizer, pre_tokenizer, added, compiled)
        {
            return Some(Self::whole(PipelineKind::Normalized(Box::new(steps))));
        }
        Self::with_hf(HfSteps::new(normalizer, pre_tokenizer, added)?, added)
    }

    /// Returns steps that do not split texts at white space.
    fn whole(kind: PipelineKind) -> Self {
        Self {
            kind,
            space_handling: None,
            space_bytes: SpaceBytes::default(),
        }
    }

    fn deberta(charsmap: &[u8], added: &[(AddedTokenConfig, u32)]) -> Option<Self> {
        let charsmap = Charsmap::parse(charsmap)?;
        let normalized = added.iter().filter(|(token, _)| token.normalized);
        let normalized = normalized.map(|(token, id)| {
            let mut aligned = AlignedText::default();
            normalize::<false>(&charsmap, token.content.trim(), 0, &mut aligned);
            let content = aligned.text.into();
            let token = AddedTokenConfig {
                content,
                ..token.clone()
            };
            (token, *id)
        });
        let normalized = AddedTokens::new(normalized.collect())?;
        let mut space_bytes = SpaceBytes::default();
        for byte in [b' ', b'\n', b'\t'] {
            let mut text = AlignedText::default();
            normalize::<false>(&charsmap, &format!("a{}b", char::from(byte)), 0, &mut text);
            if text.text == "a b" {
                space_bytes.insert(byte);
            }
        }
        Some(Self {
            space_handling: (normalized.are_local() && space_bytes.contains(b' '))
                .then_some(SpaceHandling::Merged),
            kind: PipelineKind::Deberta {
                charsmap,
                normalized,
            },
            space_bytes,
        })
    }

    fn own(steps: OwnSteps) -> Self {
        Self {
            space_handling: steps.space_handling(),
            space_bytes: steps.space_bytes(),
            kind: PipelineKind::Own(Box::new(steps)),
        }
    }

    /// Returns the steps around a model of words. Returns `None` if they are not those of BERT, or if added tokens are
    /// matched in normalized text.
    fn of_words(
        normalizer: &Value,
        pre_tokenizer: &Value,
        added: &[(AddedTokenConfig, u32)],
        compiled: &CompiledVocabulary,
    ) -> Option<BertSteps> {
        let has_words = matches!(
            compiled.algorithm(),
            Algorithm::WordPiece | Algorithm::WordLevel
        );
        let in_normalized = added.iter().any(|(token, _)| token.normalized);
        (has_words && !in_normalized).then(|| BertSteps::new(normalizer, pre_tokenizer))?
    }

    fn with_bert(steps: BertSteps) -> Self {
        let mut space_bytes = SpaceBytes::default();
        for byte in (0..=b' ').filter(|byte| steps.is_space(*byte)) {
            space_bytes.insert(byte);
        }
        Self {
            kind: PipelineKind::Bert(steps),
            space_handling: Some(SpaceHandling::Dropped),
            space_bytes,
        }
    }

    fn with_hf(steps: HfSteps, added: &[(AddedTokenConfig, u32)]) -> Option<Self> {
        // Added tokens as normalized text has them: `▁x` may have become a space and a letter.
        let normalized = added.iter().filter(|(token, _)| token.normalized);
        let normalized: Option<Vec<_>> = normalized
            .map(|(token, id)| {
                let content = steps.normalized_content(&token.content)?.into();
                let token = AddedTokenConfig {
                    content,
                    ..token.clone()
                };
                Some((token, *id))
            })
            .collect();
        let local = AddedTokens::new(normalized?)?.are_local();
        let handling = steps.space_handling().filter(|_| local);
        let dropped = handling == Some(SpaceHandling::Dropped);
        let mut space_bytes = SpaceBytes::default();
        for byte in [b' ', b'\n', b'\t'] {
            let text = format!("a{}b", char::from(byte));
            let normalized = normalized_text(&steps.normalize(&text, false, false)?);
            if normalized == "a b" || (normalized == text && dropped) {
                space_bytes.insert(byte);
            }
        }
        Some(Self {
            kind: PipelineKind::Hf(steps),
            space_handling: handling.filter(|_| space_bytes.contains(b' ')),
            space_bytes,
        })
    }
}
