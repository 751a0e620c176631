//! How files are converted: as those of a slow class, as the vocabulary of a GGUF file, or from tokens with ranks.

use sha2::{Digest as _, Sha256};

use super::bpe_files;
use super::gguf;
use super::ranks::{self, RanksRecipe};
use super::sentencepiece;
use super::slow_class::{Converter, SlowClass};
use super::vocab_txt;
use crate::error::{Error, Result};
use crate::formats::class_settings::ClassSettings;
use crate::formats::gguf::Gguf;
use crate::formats::sentencepiece::SentencePieceModel;
use crate::formats::tokenizer_json::TokenizerJson;
use crate::source::ByteSource;
use crate::tokenizer::rebuild::RebuildRecipe;
use crate::tokenizer::special_tokens::SpecialTokens;

/// Changes with every change to the conversion, so that no result of an earlier one is taken from the cache.
const VERSION: u32 = 2;

/// How the files of a model are converted, with all that determines the result besides the files.
#[derive(Debug)]
pub enum Recipe {
    /// As the reference does for a slow class.
    SlowClass(Box<SlowClassRecipe>),
    /// As llama.cpp reads the vocabulary of a GGUF file.
    Gguf,
    /// From tokens with ranks.
    Ranks(RanksRecipe),
    /// As a class of transformers 5 builds it.
    Rebuilt(Box<RebuildRecipe>),
}

/// The conversion of a slow class.
#[derive(Debug)]
pub struct SlowClassRecipe {
    pub class: &'static SlowClass,
    pub settings: ClassSettings,
    /// The special tokens of the slow tokenizer.
    pub tokens: SpecialTokens,
}

impl Recipe {
    /// Returns a digest of the recipe.
    pub fn digest(&self) -> [u8; 32] {
        let text = match self {
            Self::SlowClass(recipe) => {
                let (settings, tokens) = (&recipe.settings, &recipe.tokens);
                format!("{VERSION} {:?} {settings:?} {tokens:?}", recipe.class.names)
            }
            Self::Gguf => format!("{VERSION} GGUF {}", gguf::VERSION),
            Self::Ranks(recipe) => format!("{VERSION} {} {recipe:?}", ranks::VERSION),
            Self::Rebuilt(recipe) => format!("{VERSION} rebuilt {}", recipe.description()),
        };
        Sha256::digest(text).into()
    }

    /// Converts files.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if a file cannot be used, with [`Error::Unsupported`] for settings or special
    /// tokens that the reference refuses, or with the error of reading a file.
    pub fn convert(
        &self,
        file: &dyn ByteSource,
        second: Option<&dyn ByteSource>,
    ) -> Result<TokenizerJson> {
        let json = match self {
            Self::SlowClass(recipe) => recipe.convert(file, second),
            Self::Gguf => convert_gguf(file),
            Self::Ranks(recipe) => recipe.convert(file),
            Self::Rebuilt(recipe) => recipe.convert(file, second),
        }?;
        json.rest.check(file.name())?;
        Ok(json)
    }

    /// Returns true if a SentencePiece file asks for byte fallback, and the class ignores it. A file that cannot be read
    /// asks for nothing.
    pub fn ignores_byte_fallback(&self, file: &dyn ByteSource) -> bool {
        let Self::SlowClass(recipe) = self else {
            return false;
        };
        let Converter::SentencePiece { family, .. } = &recipe.class.converter else {
            return false;
        };
        let model = || {
            let bytes = file.read_all().ok()?;
            SentencePieceModel::parse(file.name(), &bytes).ok()
        };
        !family.byte_fallback && model().is_some_and(|model| model.byte_fallback)
    }
}

fn convert_gguf(file: &dyn ByteSource) -> Result<TokenizerJson> {
    let vocabulary = Gguf::read(file)?.vocabulary(file)?;
    let no_vocabulary = || Error::damaged(file.name(), "its metadata has no vocabulary");
    gguf::convert(file.name(), &vocabulary.ok_or_else(no_vocabulary)?)
}

impl SlowClassRecipe {
    fn convert(
        &self,
        file: &dyn ByteSource,
        second: Option<&dyn ByteSource>,
    ) -> Result<TokenizerJson> {
        let (name, bytes) = (file.name(), file.read_all()?);
        let (settings, tokens) = (&self.settings, &self.tokens);
        match (&self.class.converter, second) {
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
}
