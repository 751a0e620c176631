//! Converts `spm.model` of DeBERTa-v2 and v3 as transformers 4.48.3 does (`DebertaV2Converter`).
//!
//! The reference differs from SentencePiece in several ways. Every piece is a candidate, including control and byte
//! pieces. There is no byte fallback. Both ends of the text are stripped before the character map runs. The file's
//! `add_dummy_prefix`, `remove_extra_whitespaces` and `escape_whitespaces` are ignored.

use serde_json::Value;
use tokenizers::SplitDelimiterBehavior;
use tokenizers::models::unigram::Unigram;
use tokenizers::normalizers::replace::{Replace, ReplacePattern};
use tokenizers::normalizers::{
    Lowercase, NormalizerWrapper, Precompiled, Sequence as NormalizerSequence, Strip,
};
use tokenizers::pre_tokenizers::metaspace::{Metaspace, PrependScheme};
use tokenizers::pre_tokenizers::punctuation::Punctuation;
use tokenizers::pre_tokenizers::sequence::Sequence as PreTokenizerSequence;
use tokenizers::processors::PostProcessorWrapper;
use tokenizers::processors::template::TemplateProcessing;

use super::native::compiled::CompiledVocabulary;
use crate::error::{Error, Result};
use crate::formats::algorithm::Algorithm;
use crate::formats::config::{
    AddedTokenConfig, AddedTokenFields, Slot, SpecialTokenConfig, SpecialTokensMap, TokenizerConfig,
};
use crate::formats::sentencepiece::{PieceKind, SentencePieceModel};

/// The class name that the reference gives this tokenizer.
pub const CLASS: &str = "DebertaV2TokenizerFast";

/// Returns true if a model's SentencePiece file must be read as DeBERTa's.
///
/// The class in `tokenizer_config.json` decides, or else `model_type`. Without either, the file is assumed to be
/// DeBERTa's, since hardly any other family uses the name `spm.model`; [`missing_piece`] may contradict this.
pub fn claims(tokenizer_class: Option<&str>, model_type: Option<&str>) -> bool {
    match (tokenizer_class, model_type) {
        (Some(class), _) => class.trim_end_matches("Fast") == "DebertaV2Tokenizer",
        (None, Some(model_type)) => model_type == "deberta-v2",
        (None, None) => true,
    }
}

/// Returns a piece that every SentencePiece file of DeBERTa has and this one does not.
pub fn missing_piece(compiled: &CompiledVocabulary) -> Option<&'static str> {
    let pieces = ["[CLS]", "[SEP]", "[PAD]", "[UNK]"];
    pieces
        .into_iter()
        .find(|piece| compiled.find(piece).is_none())
}

/// Fills in the default special tokens of the class.
///
/// The unknown token is matched after normalization, the others in the raw text.
pub fn default_special_tokens(map: &mut SpecialTokensMap) {
    let defaults = [
        "[CLS]", "[SEP]", "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]",
    ];
    for ((_, slot), default) in map.named_mut().into_iter().zip(defaults) {
        if matches!(slot, Slot::Absent) {
            *slot = Slot::Given(SpecialTokenConfig::Text(default.to_owned()));
        }
    }
    if let Slot::Given(SpecialTokenConfig::Text(text)) = &map.unk_token {
        map.unk_token = Slot::Given(SpecialTokenConfig::Full(AddedTokenFields {
            normalized: Some(true),
            ..AddedTokenFields::new(text.clone(), true)
        }));
    }
}

/// Converts a parsed file called `name`. The caller must add the tokens of the model's other files.
///
/// # Errors
/// Fails with [`Error::Unsupported`] if the model is not Unigram, or with [`Error::Damaged`] if it cannot be used.
pub fn convert(
    name: &str,
    model: &SentencePieceModel,
    config: &TokenizerConfig,
) -> Result<tokenizers::Tokenizer> {
    if model.algorithm != Algorithm::Unigram {
        return Err(Error::unsupported(
            name,
            format!(
                "its algorithm is {}, but DeBERTa tokenizers are Unigram",
                model.algorithm.name()
            ),
        ));
    }
    let damaged = |problem: tokenizers::Error| Error::damaged(name, problem);
    let scores = model
        .pieces
        .iter()
        .map(|piece| (piece.text.clone(), f64::from(piece.score)))
        .collect();
    let unigram = Unigram::from(scores, Some(model.unknown_id as usize), false).map_err(damaged)?;

    let mut tokenizer = tokenizers::Tokenizer::new(unigram);
    tokenizer.with_normalizer(Some(normalizer(name, &model.precompiled_charsmap, config)?));
    tokenizer.with_pre_tokenizer(Some(pre_tokenizer(config)));
    tokenizer.with_decoder(Some(metaspace()));
    Ok(tokenizer)
}

fn lowercases(config: &TokenizerConfig) -> bool {
    config.class.do_lower_case.truth_or(false)
}

/// Returns true if the configuration enables none of the family's optional steps.
pub fn is_plain(config: &TokenizerConfig) -> bool {
    !(lowercases(config) || config.split_by_punct)
}

/// Returns the `normalizer` and `pre_tokenizer` that a `tokenizer.json` of the same tokenizer would have.
///
/// # Errors
/// Fails with [`Error::Damaged`] if the character map cannot be used.
pub fn steps_as_json(name: &str, charsmap: &[u8], config: &TokenizerConfig) -> Result<[Value; 2]> {
    let damaged = |problem: serde_json::Error| Error::damaged(name, problem);
    Ok([
        serde_json::to_value(normalizer(name, charsmap, config)?).map_err(damaged)?,
        serde_json::to_value(pre_tokenizer(config)).map_err(damaged)?,
    ])
}

/// Decodes pieces to text as the reference's Metaspace decoder does: each `▁` becomes a space, but is dropped from the
/// first piece.
pub fn decode(pieces: &[String]) -> String {
    let mut text = String::new();
    for (index, piece) in pieces.iter().enumerate() {
        let characters = piece.chars().filter(|c| index > 0 || *c != '▁');
        text.extend(characters.map(|c| if c == '▁' { ' ' } else { c }));
    }
    text
}

/// Returns the template `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, given a look-up of ids.
///
/// # Errors
/// Fails with [`Error::Damaged`] if the crate rejects the template, which no file can cause.
pub fn template(
    name: &str,
    id_of: impl Fn(&str) -> Option<u32>,
    unknown_id: u32,
) -> Result<PostProcessorWrapper> {
    // As in the reference, a template token that is not in the vocabulary has the unknown id.
    let id = |token: &str| (token.to_owned(), id_of(token).unwrap_or(unknown_id));
    let damaged = |problem: String| Error::damaged(name, problem);
    let processor = TemplateProcessing::builder()
        .try_single("[CLS]:0 $A:0 [SEP]:0".to_owned())
        .map_err(damaged)?
        .try_pair("[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1".to_owned())
        .map_err(damaged)?
        .special_tokens(vec![id("[CLS]"), id("[SEP]")])
        .build()
        .map_err(|problem| Error::damaged(name, problem))?;
    Ok(processor.into())
}

fn metaspace() -> Metaspace {
    Metaspace::new('▁', PrependScheme::Always, true)
}

fn pre_tokenizer(config: &TokenizerConfig) -> PreTokenizerSequence {
    let mut steps = Vec::new();
    if config.split_by_punct {
        steps.push(Punctuation::new(SplitDelimiterBehavior::Isolated).into());
    }
    steps.push(metaspace().into());
    PreTokenizerSequence::new(steps)
}

fn normalizer(name: &str, charsmap: &[u8], config: &TokenizerConfig) -> Result<NormalizerSequence> {
    let mut steps: Vec<NormalizerWrapper> = Vec::new();
    if lowercases(config) {
        steps.push(Lowercase.into());
    }
    steps.push(Strip::new(true, true).into());
    if !charsmap.is_empty() {
        let map = Precompiled::from(charsmap)
            .map_err(|problem| Error::damaged(name, format!("its character map: {problem}")))?;
        steps.push(map.into());
    }
    let spaces = Replace::new(ReplacePattern::Regex(" {2,}".to_owned()), " ")
        .map_err(|problem| Error::damaged(name, problem))?;
    steps.push(spaces.into());
    Ok(NormalizerSequence::new(steps))
}

/// Returns the pieces that are matched in the raw text: control pieces, which are special, and user-defined pieces,
/// which are not.
pub fn added_pieces(compiled: &CompiledVocabulary) -> Vec<AddedTokenConfig> {
    compiled
        .ids_of_kinds([PieceKind::Control, PieceKind::UserDefined])
        .map(|(id, kind)| AddedTokenConfig {
            content: compiled.piece(id).unwrap_or_default().into(),
            lstrip: false,
            rstrip: false,
            single_word: false,
            normalized: false,
            special: kind == PieceKind::Control,
        })
        .collect()
}
