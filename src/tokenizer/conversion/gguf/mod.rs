//! Converts the vocabulary of a GGUF file.
//!
//! llama.cpp defines what such a file means (`src/llama-vocab.cpp`). The name of a pre-tokenizer stands for that of the
//! model that it was made for, so the ids are those of the model's own `tokenizer.json`, also where llama.cpp only
//! approximates its pattern.

mod added;
mod byte_level;
mod kind;
mod parts;
mod pre_tokenizers;
mod roles;
mod scored;
mod word_piece;

use crate::error::Result;
use crate::formats::gguf::GgufVocabulary;
use crate::formats::tokenizer_json::{RestJson, TokenizerJson};
use parts::Source;

pub use kind::Kind;
pub use roles::Roles;
pub use word_piece::spelling;

/// Changes with every change to the conversion, so that no result of an earlier one is taken from the cache.
pub const VERSION: u32 = 2;

/// Converts the vocabulary of the file called `name`.
///
/// # Errors
/// Fails with [`Error::Unsupported`](crate::error::Error::Unsupported) if the kind of vocabulary or the pre-tokenizer is not supported, or with
/// [`Error::Damaged`](crate::error::Error::Damaged) if the file lacks what it needs.
pub fn convert(name: &str, vocabulary: &GgufVocabulary) -> Result<TokenizerJson> {
    let kind = Kind::of(name, &vocabulary.settings)?;
    let roles = Roles::of(kind, &vocabulary.settings, vocabulary.tokens.len());
    let source = Source {
        name,
        vocabulary,
        kind,
        roles: &roles,
    };
    let parts = match kind {
        Kind::Gpt2 => byte_level::convert(&source)?,
        Kind::Llama => scored::llama(&source)?,
        Kind::T5 => scored::t5(&source)?,
        Kind::Bert => word_piece::convert(&source),
    };
    let pieces = &parts.model.vocab;
    let rest = RestJson {
        added_tokens: added::tokens(&source, pieces),
        post_processor: roles.template(pieces),
        normalizer: parts.normalizer,
        pre_tokenizer: parts.pre_tokenizer,
        decoder: parts.decoder,
        ..RestJson::default()
    };
    Ok(TokenizerJson {
        model: parts.model,
        rest,
    })
}
