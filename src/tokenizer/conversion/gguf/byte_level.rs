//! Vocabularies of the kind `gpt2`: BPE over bytes.

use serde_json::Value;

use super::parts::{Parts, Source, with_ids};
use super::pre_tokenizers;
use crate::error::{Error, Result};
use crate::formats::model_settings::ModelSettings;
use crate::formats::tokenizer_json::ModelJson;
use crate::tokenizer::conversion::steps;

/// Converts a vocabulary.
///
/// # Errors
/// Fails with [`Error::Unsupported`] if the pre-tokenizer is not supported, or with [`Error::Damaged`] if there are no
/// merges.
pub fn convert(source: &Source<'_>) -> Result<Parts> {
    let vocabulary = source.vocabulary;
    let pre = pre_tokenizers::find(source.name, &vocabulary.settings)?;
    let merges = vocabulary.merges.clone();
    let merges = merges.ok_or_else(|| {
        let problem = "its metadata has no array `tokenizer.ggml.merges`";
        Error::damaged(source.name, problem)
    })?;
    let model = ModelJson {
        kind: Some("BPE".to_owned()),
        vocab: with_ids(vocabulary),
        merges: Some(merges),
        settings: ModelSettings {
            ignore_merges: Some(pre.ignores_merges),
            ..ModelSettings::default()
        },
        ..ModelJson::default()
    };
    Ok(Parts {
        model,
        normalizer: match pre.composes {
            true => steps::plain("NFC"),
            false => Value::Null,
        },
        pre_tokenizer: pre.words.steps(),
        decoder: steps::byte_level(true, true, true),
    })
}
