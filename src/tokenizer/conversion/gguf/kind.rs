//! The kinds of vocabularies.

use crate::error::{Error, Result};
use crate::formats::gguf::VocabularySettings;

/// The hint for a vocabulary that cannot be converted.
const HINT: &str =
    "name a directory with the model's tokenizer.json; `embed --id N` needs no tokenizer";

/// The kinds of vocabularies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// BPE over bytes.
    Gpt2,
    /// BPE by scores, of SentencePiece.
    Llama,
    /// WordPiece.
    Bert,
    /// Unigram, of SentencePiece.
    T5,
}

impl Kind {
    /// Returns the kind that a file names.
    ///
    /// # Errors
    /// Fails with [`Error::Unsupported`] if it is another one.
    pub fn of(file: &str, settings: &VocabularySettings) -> Result<Self> {
        match &*settings.model {
            "gpt2" => Ok(Self::Gpt2),
            "llama" => Ok(Self::Llama),
            "bert" => Ok(Self::Bert),
            "t5" => Ok(Self::T5),
            other => Err(unsupported(
                file,
                &format!(
                    "its vocabulary is of the kind `{other}`, but only `gpt2`, `llama`, `bert` and `t5` are supported"
                ),
            )),
        }
    }
}

/// Returns the error for a vocabulary that cannot be converted.
pub fn unsupported(file: &str, problem: &str) -> Error {
    Error::unsupported(file, problem).with_hint(HINT)
}
