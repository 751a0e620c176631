//! A conversion that can be made at any time: its files are open, and its settings are read.

use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::bpe_files;
use super::sentencepiece;
use super::slow_class::{Converter, SlowClass};
use super::vocab_txt;
use crate::error::{Error, Result};
use crate::formats::class_settings::ClassSettings;
use crate::formats::sentencepiece::SentencePieceModel;
use crate::formats::tokenizer_json::TokenizerJson;
use crate::source::ByteSource;
use crate::tokenizer::special_tokens::SpecialTokens;

/// Changes with every change to the conversion, so that no result of an earlier one is taken from the cache.
const VERSION: u32 = 1;

/// The conversion of a model's files to the `tokenizer.json` that the reference makes of them.
#[derive(Debug)]
pub struct Conversion {
    pub class: &'static SlowClass,
    /// The first file.
    pub file: Arc<dyn ByteSource>,
    /// The second file, if the class reads two.
    pub second: Option<Arc<dyn ByteSource>>,
    pub settings: ClassSettings,
    /// The special tokens of the slow tokenizer.
    pub tokens: SpecialTokens,
}

impl Conversion {
    /// Returns a digest of all that determines the result, besides the files.
    pub fn settings_digest(&self) -> [u8; 32] {
        let names = self.class.names;
        let settings = format!("{VERSION} {names:?} {:?} {:?}", self.settings, self.tokens);
        Sha256::digest(settings).into()
    }

    /// Returns the name of the first file within the model.
    pub fn file_name(&self) -> &'static str {
        self.class
            .converter
            .files()
            .first()
            .copied()
            .unwrap_or_default()
    }

    /// Converts the files.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if a file cannot be used, with [`Error::Unsupported`] for settings or special
    /// tokens that the reference refuses, or with the error of reading a file.
    pub fn convert(&self) -> Result<TokenizerJson> {
        let (name, bytes) = (self.file.name(), self.file.read_all()?);
        let (settings, tokens) = (&self.settings, &self.tokens);
        match (&self.class.converter, &self.second) {
            (Converter::SentencePiece { family, .. }, _) => {
                sentencepiece::convert(name, &bytes, family, settings, tokens)
            }
            (Converter::Bpe(kind), Some(merges)) => {
                let merges = (merges.name(), &*merges.read_all()?);
                bpe_files::convert((name, &bytes), merges, kind, settings, tokens)
            }
            (Converter::WordPiece(template), _) => {
                vocab_txt::convert(name, &bytes, template, settings, tokens)
            }
            (Converter::Bpe(_), None) => {
                Err(Error::damaged(name, "it has no merges.txt beside it"))
            }
        }
    }

    /// Returns true if a SentencePiece file asks for byte fallback, and the class ignores it. A file that cannot be read
    /// asks for nothing.
    pub fn ignores_byte_fallback(&self) -> bool {
        let Converter::SentencePiece { family, .. } = &self.class.converter else {
            return false;
        };
        let model = || {
            let bytes = self.file.read_all().ok()?;
            SentencePieceModel::parse(self.file.name(), &bytes).ok()
        };
        !family.byte_fallback && model().is_some_and(|model| model.byte_fallback)
    }
}
