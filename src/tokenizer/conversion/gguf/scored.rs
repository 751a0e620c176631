//! Vocabularies of SentencePiece, whose pieces have scores: `llama` and `t5`.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::parts::{Parts, Source, with_ids};
use crate::error::{Error, Result};
use crate::formats::gguf::TokenKind;
use crate::formats::model_settings::ModelSettings;
use crate::formats::piece_list::{Numbers, PieceList};
use crate::formats::tokenizer_json::ModelJson;
use crate::tokenizer::conversion::score_merges;
use crate::tokenizer::conversion::steps::{self, SPACE_MARK};

/// The most that the squares of the lengths of all tokens may add up to. Gemma's 262,144 tokens reach 1 % of it.
const MAX_SQUARES: u64 = 1 << 31;

/// Converts a BPE vocabulary, whose merges follow from the scores.
///
/// # Errors
/// Fails with [`Error::Damaged`] if the vocabulary has no scores.
pub fn llama(source: &Source<'_>) -> Result<Parts> {
    let vocabulary = source.vocabulary;
    let scores = scores(source)?;
    check_lengths(source)?;
    let scored: Vec<(&str, f64)> = vocabulary
        .tokens
        .iter()
        .zip(scores.iter().copied())
        .collect();
    let ids: HashMap<&str, u32> = vocabulary.tokens.iter().zip(0..).collect();
    let merges = score_merges::derive(&ids, &scored);
    let unknown = source.roles.unknown;
    let unknown = unknown.and_then(|id| vocabulary.tokens.get(id as usize));
    let prefixed = vocabulary.settings.add_space_prefix.unwrap_or(true);
    let mut normalizers = Vec::new();
    if prefixed {
        normalizers.push(json!({"type": "Prepend", "prepend": SPACE_MARK}));
    }
    normalizers.push(steps::replace(" ", SPACE_MARK));
    Ok(Parts {
        model: ModelJson {
            kind: Some("BPE".to_owned()),
            vocab: with_ids(vocabulary),
            merges: Some(merges),
            settings: ModelSettings {
                unk_token: unknown.map(str::to_owned),
                fuse_unk: Some(true),
                byte_fallback: Some(true),
                ..ModelSettings::default()
            },
            ..ModelJson::default()
        },
        normalizer: steps::normalizers(normalizers),
        pre_tokenizer: Value::Null,
        decoder: steps::byte_fallback_decoder(prefixed),
    })
}

/// Converts a Unigram vocabulary.
///
/// # Errors
/// Fails with [`Error::Damaged`] if the vocabulary has no scores or no unknown token.
pub fn t5(source: &Source<'_>) -> Result<Parts> {
    let vocabulary = source.vocabulary;
    let settings = &vocabulary.settings;
    let unknown = source.roles.unknown.ok_or_else(|| {
        let problem = "its vocabulary has no unknown token";
        Error::damaged(source.name, problem)
    })?;
    let mut normalizers = Vec::new();
    if !vocabulary.charsmap.is_empty() {
        normalizers.push(steps::precompiled(&vocabulary.charsmap));
    }
    let merges_spaces = settings.remove_extra_whitespaces.unwrap_or(false);
    if merges_spaces {
        normalizers.push(json!({"type": "Strip", "strip_left": false, "strip_right": true}));
        normalizers.push(steps::replace_all(" {2,}", SPACE_MARK));
    }
    // A space that is merged is put before the first word, too.
    let prefixed = merges_spaces || settings.add_space_prefix.unwrap_or(false);
    let scheme = if prefixed { "always" } else { "never" };
    Ok(Parts {
        model: ModelJson {
            kind: Some("Unigram".to_owned()),
            vocab: PieceList {
                texts: vocabulary.tokens.clone(),
                numbers: Numbers::Scores(unigram_scores(source)?),
            },
            unk_id: Some(unknown),
            settings: ModelSettings {
                byte_fallback: Some(false),
                ..ModelSettings::default()
            },
            ..ModelJson::default()
        },
        normalizer: match normalizers.is_empty() {
            true => Value::Null,
            false => steps::normalizers(normalizers),
        },
        pre_tokenizer: steps::metaspace(scheme, true),
        decoder: steps::metaspace(scheme, true),
    })
}

/// Refuses tokens whose splits would take long to look up: each of them costs as much as the token is long.
fn check_lengths(source: &Source<'_>) -> Result<()> {
    let squares = source
        .vocabulary
        .tokens
        .iter()
        .map(|token| (token.len() as u64).pow(2));
    if squares.sum::<u64>() > MAX_SQUARES {
        let problem = "its tokens are too long for a SentencePiece vocabulary";
        return Err(Error::damaged(source.name, problem));
    }
    Ok(())
}

fn scores<'a>(source: &'a Source<'_>) -> Result<&'a [f64]> {
    source.vocabulary.scores.as_deref().ok_or_else(|| {
        let problem = "its metadata has no array `tokenizer.ggml.scores`";
        Error::damaged(source.name, problem)
    })
}

/// Returns the scores of a Unigram model. The score of an unknown character follows from the smallest one, which in
/// llama.cpp is that of a normal token, and tokens that users defined score 0.
fn unigram_scores(source: &Source<'_>) -> Result<Vec<f64>> {
    let vocabulary = source.vocabulary;
    let scores = scores(source)?;
    let kinds = || (0..scores.len()).map(|id| vocabulary.kind(id));
    let normal = scores.iter().zip(kinds());
    let normal = normal.filter(|(_, kind)| *kind == TokenKind::Normal);
    let smallest = normal
        .map(|(score, _)| *score)
        .fold(f64::INFINITY, f64::min);
    let scores = scores.iter().zip(kinds());
    let scores = scores.map(|(score, kind)| match kind {
        TokenKind::UserDefined => 0.0,
        TokenKind::Normal => *score,
        _ => score.max(smallest),
    });
    Ok(scores
        .map(|score| if score.is_finite() { score } else { 0.0 })
        .collect())
}
