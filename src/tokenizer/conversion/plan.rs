//! A conversion that can be made at any time: its files are open, and its settings are read.

use std::sync::Arc;

use super::recipe::Recipe;
use crate::error::Result;
use crate::formats::tokenizer_json::TokenizerJson;
use crate::source::ByteSource;

/// The conversion of a model's files to a `tokenizer.json`.
#[derive(Debug)]
pub struct Conversion {
    pub recipe: Recipe,
    /// The name of the first file within the model.
    pub file_name: String,
    /// The first file.
    pub file: Arc<dyn ByteSource>,
    /// The second file, if the recipe reads two.
    pub second: Option<Arc<dyn ByteSource>>,
}

impl Conversion {
    /// Returns a digest of all that determines the result, besides the files.
    pub fn settings_digest(&self) -> [u8; 32] {
        self.recipe.digest()
    }

    /// Converts the files.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if a file cannot be used, with [`Error::Unsupported`] for settings or special
    /// tokens that the reference refuses, or with the error of reading a file.
    ///
    /// [`Error::Damaged`]: crate::error::Error::Damaged
    /// [`Error::Unsupported`]: crate::error::Error::Unsupported
    pub fn convert(&self) -> Result<TokenizerJson> {
        self.recipe.convert(&*self.file, self.second.as_deref())
    }

    /// Returns true if a SentencePiece file asks for byte fallback, and the class ignores it. A file that cannot be read
    /// asks for nothing.
    pub fn ignores_byte_fallback(&self) -> bool {
        self.recipe.ignores_byte_fallback(&*self.file)
    }
}
