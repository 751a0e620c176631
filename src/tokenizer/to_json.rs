//! A tokenizer → the `tokenizer.json` that says the same, and back, to prove it.

use std::sync::Arc;

use super::open::TOKENIZER_JSON;
use super::vocabulary::Vocabulary;
use super::{EngineChoice, Origin, Tokenizer, hf_engine};
use crate::error::{Error, Result};
use crate::formats::config::{SpecialTokensMap, TokenizerConfig};
use crate::formats::tokenizer_json::TokenizerJson;
use crate::source::MemoryFile;

impl Tokenizer {
    /// A `tokenizer.json` of this tokenizer, made by the `tokenizers` crate, with the added tokens of every file of the
    /// model in it.
    ///
    /// # Errors
    /// [`Error::Usage`] if the model has a `tokenizer.json` of its own; whatever building the reference engine fails
    /// with.
    pub fn to_tokenizer_json(&self) -> Result<Vec<u8>> {
        if self.file() == TOKENIZER_JSON {
            return Err(Error::usage_hint(
                "the model has a tokenizer.json of its own, so there is nothing to convert",
                "`tokscope pull` fetches it",
            ));
        }
        let name = self.origin.file().name();
        hf_engine::guarded(name, || self.build_reference()?.to_json())
    }

    /// The tokenizer of a `tokenizer.json` and nothing else, with the reference engine.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is not such a file.
    pub fn from_tokenizer_json_alone(bytes: Vec<u8>) -> Result<Self> {
        let json = TokenizerJson::parse(TOKENIZER_JSON, &bytes)?;
        let origin = Origin::Json {
            file: Arc::new(MemoryFile::new(TOKENIZER_JSON, bytes)),
            algorithm: json.model.algorithm().to_owned(),
            unknown_id: json.model.unk_id,
        };
        let tokenizer = Self::new(
            origin,
            TokenizerConfig::default(),
            SpecialTokensMap::default(),
            Vec::new(),
        );
        Ok(Self {
            vocabulary: Vocabulary::from_json(json, &[]).into(),
            choice: EngineChoice::Reference,
            ..tokenizer
        })
    }
}
