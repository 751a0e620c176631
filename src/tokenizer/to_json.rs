//! Converts a tokenizer to a `tokenizer.json`, and opens such a file on its own to verify it.

use std::collections::HashSet;
use std::sync::Arc;

use super::definition::TOKENIZER_JSON;
use super::engines;
use super::hf_engine::JsonStyle;
use super::hf_guard::guarded;
use super::open;
use super::options::EngineChoice;
use super::tokenizer::Tokenizer;
use crate::error::{Error, Result};
use crate::formats::tokenizer_json::TokenizerJson;
use crate::source::MemoryFile;

/// Which `tokenizer.json` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fidelity {
    /// The one of the reference.
    Reference,
    /// One that the crate reads as the tokenizer that it is made from.
    Exact,
}

impl Tokenizer {
    /// Returns the `tokenizer.json` of this tokenizer, as serialized by the `tokenizers` crate. It includes the added
    /// tokens of all the model's files.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] if the model already has a `tokenizer.json`, or with the error of building the
    /// crate's engine.
    pub fn to_tokenizer_json(&self, fidelity: Fidelity) -> Result<Vec<u8>> {
        if self.definition.is_tokenizer_json() {
            return Err(Error::usage_hint(
                "the model already has a tokenizer.json, so there is nothing to convert",
                "use `tokscope pull` to fetch it",
            ));
        }
        let name = self.definition.file().name();
        let merges = || match &self.definition.conversion {
            Some(conversion) => Ok(conversion.convert()?.model.merges),
            None => Ok(None),
        };
        let matched = self.definition.added_vocabulary.matched();
        let style = match fidelity {
            Fidelity::Reference => JsonStyle::Reference,
            Fidelity::Exact => JsonStyle::Exact(&matched),
        };
        guarded(name, || {
            engines::hf(&self.definition)?.to_json(style, merges)
        })
    }

    /// Returns the reason why a `tokenizer.json` cannot have the tokens of this tokenizer, if it is known.
    pub fn not_in_json(&self) -> Option<String> {
        let matched = self.definition.added_vocabulary.matched();
        let mut texts = HashSet::new();
        let (twice, _) = matched
            .iter()
            .find(|(token, _)| !texts.insert(&token.content))?;
        Some(format!(
            "the added token {:?} is matched both in the text and in the normalized text, and a tokenizer.json matches \
             it in one of them",
            twice.content
        ))
    }

    /// Opens a tokenizer from a `tokenizer.json` alone, with the engine of the `tokenizers` crate.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if the bytes are not a valid `tokenizer.json`.
    pub fn from_tokenizer_json_alone(bytes: Vec<u8>) -> Result<Self> {
        let json = TokenizerJson::parse(TOKENIZER_JSON, &bytes)?;
        let file = Arc::new(MemoryFile::new(TOKENIZER_JSON, bytes));
        let definition = open::alone(json, file);
        Ok(Self::new(definition).with_engine(EngineChoice::Reference))
    }

    /// Encodes and decodes as another tokenizer does where a `tokenizer.json` does not say how: it has neither a class
    /// nor `clean_up_tokenization_spaces` and `split_special_tokens`.
    #[must_use]
    pub fn with_settings_of(mut self, other: &Self) -> Self {
        let (config, of_other) = (&mut self.definition.config, &other.definition.config);
        config.clean_up_tokenization_spaces = of_other.clean_up_tokenization_spaces;
        config.class.split_special_tokens = of_other.class.split_special_tokens.clone();
        self.definition.class = other.definition.class.without_changes();
        self
    }
}
