//! What the kinds of vocabularies have in common.

use serde_json::Value;

use super::kind::Kind;
use super::roles::Roles;
use crate::formats::gguf::GgufVocabulary;
use crate::formats::piece_list::{Numbers, PieceList};
use crate::formats::tokenizer_json::ModelJson;

/// A vocabulary, and what was found out about it.
pub struct Source<'a> {
    /// The name of the file.
    pub name: &'a str,
    pub vocabulary: &'a GgufVocabulary,
    pub kind: Kind,
    pub roles: &'a Roles,
}

/// The parts of a `tokenizer.json` that each kind has of its own.
pub struct Parts {
    pub model: ModelJson,
    pub normalizer: Value,
    pub pre_tokenizer: Value,
    pub decoder: Value,
}

/// Returns the tokens as pieces with their ids.
pub fn with_ids(vocabulary: &GgufVocabulary) -> PieceList {
    let texts = vocabulary.tokens.clone();
    let numbers = Numbers::Ids((0..).take(texts.len()).collect());
    PieceList { texts, numbers }
}
