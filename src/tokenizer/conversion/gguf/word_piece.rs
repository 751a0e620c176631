//! Vocabularies of the kind `bert`: WordPiece.

use std::borrow::Cow;

use serde_json::json;

use super::parts::{Parts, Source};
use crate::formats::gguf::TokenKind;
use crate::formats::model_settings::ModelSettings;
use crate::formats::piece_list::{Numbers, PieceList};
use crate::formats::tokenizer_json::ModelJson;
use crate::record::PackedStrings;
use crate::tokenizer::conversion::steps::{self, SPACE_MARK};

/// The prefix of pieces that continue a word.
const CONTINUING: &str = "##";
/// The longest word, in characters. llama.cpp has no limit.
const MAX_WORD: usize = 100;

/// Converts a vocabulary.
pub fn convert(source: &Source<'_>) -> Parts {
    let vocabulary = source.vocabulary;
    let roles = source.roles.ids();
    let tokens = vocabulary.tokens.iter().zip(0..);
    let texts: PackedStrings = tokens
        .map(|(token, id): (&str, u32)| {
            let is_named = roles.binary_search(&id).is_ok();
            spelling(token, vocabulary.kind(id as usize), is_named)
        })
        .collect();
    let unknown = source.roles.unknown.and_then(|id| texts.get(id as usize));
    let unknown = unknown.unwrap_or("[UNK]").to_owned();
    let numbers = Numbers::Ids((0..).take(texts.len()).collect());
    let settings = &vocabulary.settings;
    let lowercase = settings.lowercase.unwrap_or(true);
    let strip = settings.strip_accents.unwrap_or(lowercase);
    Parts {
        model: ModelJson {
            kind: Some("WordPiece".to_owned()),
            vocab: PieceList { texts, numbers },
            settings: ModelSettings {
                unk_token: Some(unknown),
                continuing_subword_prefix: Some(CONTINUING.to_owned()),
                max_input_chars_per_word: Some(MAX_WORD),
                ..ModelSettings::default()
            },
            ..ModelJson::default()
        },
        normalizer: steps::bert_normalizer(true, Some(strip), lowercase),
        pre_tokenizer: steps::plain("BertPreTokenizer"),
        decoder: json!({"type": "WordPiece", "prefix": CONTINUING, "cleanup": true}),
    }
}

/// Returns the piece of a token, as a `vocab.txt` spells it: a file marks the start of a word rather than its
/// continuation.
pub fn spelling(token: &str, kind: TokenKind, is_named: bool) -> Cow<'_, str> {
    let is_bracketed = token.starts_with('[') && token.ends_with(']');
    match token.strip_prefix(SPACE_MARK) {
        Some(word) if !word.is_empty() => Cow::Borrowed(word),
        _ if is_named || is_bracketed || kind == TokenKind::Control => Cow::Borrowed(token),
        _ => Cow::Owned(format!("{CONTINUING}{token}")),
    }
}
