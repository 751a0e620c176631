//! The entries of the metadata that describe the vocabulary.

use super::header::Gguf;
use super::value::Value;
use crate::error::{Error, Result};
use crate::source::ByteSource;

pub const TOKENS: &str = "tokenizer.ggml.tokens";
/// The kinds of files without a vocabulary.
const NO_VOCABULARY: [&str; 2] = ["no_vocab", "none"];

/// The settings of a vocabulary.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VocabularySettings {
    /// The kind of tokenizer, such as `gpt2` or `llama`.
    pub model: String,
    /// The name of the pre-tokenizer.
    pub pre: Option<String>,
    /// The name of the model, for which llama.cpp has rules of its own.
    pub name: Option<String>,
    pub architecture: Option<String>,
    pub ids: SpecialIds,
    pub add_bos: Option<bool>,
    pub add_eos: Option<bool>,
    pub add_sep: Option<bool>,
    pub add_space_prefix: Option<bool>,
    pub remove_extra_whitespaces: Option<bool>,
    pub lowercase: Option<bool>,
    pub strip_accents: Option<bool>,
}

/// The ids of the named special tokens that the metadata states and the vocabulary has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpecialIds {
    pub bos: Option<u32>,
    pub eos: Option<u32>,
    pub eot: Option<u32>,
    pub unknown: Option<u32>,
    pub separator: Option<u32>,
    pub padding: Option<u32>,
    pub cls: Option<u32>,
    pub mask: Option<u32>,
}

impl Gguf {
    /// Reads the settings of the vocabulary of `file`, the file with this header; `None` if it has no vocabulary.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if a setting has another type, or with the error of reading the file.
    pub fn vocabulary_settings(&self, file: &dyn ByteSource) -> Result<Option<VocabularySettings>> {
        let text = |name: &str| match self.value(name) {
            None => Ok(None),
            Some(Value::Text(_)) => self.text(file, name),
            Some(_) => Err(wrong_type(file, name)),
        };
        let flag = |name: &str| match self.value(&format!("tokenizer.ggml.{name}")) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(wrong_type(file, &format!("tokenizer.ggml.{name}"))),
        };
        let Some(model) = text("tokenizer.ggml.model")? else {
            return Ok(None);
        };
        if NO_VOCABULARY.contains(&&*model) {
            return Ok(None);
        }
        Ok(Some(VocabularySettings {
            model,
            pre: text("tokenizer.ggml.pre")?,
            name: text("general.name")?,
            architecture: text("general.architecture")?,
            ids: self.special_ids(file)?,
            add_bos: flag("add_bos_token")?,
            add_eos: flag("add_eos_token")?,
            add_sep: flag("add_sep_token")?,
            add_space_prefix: flag("add_space_prefix")?,
            remove_extra_whitespaces: flag("remove_extra_whitespaces")?,
            lowercase: flag("normalizer.lowercase")?,
            strip_accents: flag("normalizer.strip_accents")?,
        }))
    }

    fn special_ids(&self, file: &dyn ByteSource) -> Result<SpecialIds> {
        let size = self.array_length(TOKENS).unwrap_or(0);
        let id = |name: &str| {
            let name = format!("tokenizer.ggml.{name}_token_id");
            match (self.value(&name), self.size(&name)) {
                (None, _) => Ok(None),
                // An id that the vocabulary does not have is ignored, as in llama.cpp.
                (_, Some(id)) => Ok(u32::try_from(id).ok().filter(|id| u64::from(*id) < size)),
                (Some(Value::Signed(_)), None) => Ok(None),
                (Some(_), None) => Err(wrong_type(file, &name)),
            }
        };
        Ok(SpecialIds {
            bos: id("bos")?,
            eos: id("eos")?,
            eot: id("eot")?,
            unknown: id("unknown")?,
            separator: id("seperator")?.or(id("separator")?),
            padding: id("padding")?,
            cls: id("cls")?,
            mask: id("mask")?,
        })
    }

    /// Returns true if the metadata has a chat template.
    pub fn has_chat_template(&self) -> bool {
        matches!(self.value("tokenizer.chat_template"), Some(Value::Text(_)))
    }
}

/// Returns the error for an entry of the metadata of another type.
pub fn wrong_type(file: &dyn ByteSource, name: &str) -> Error {
    let problem = format!("`{name}` in its metadata has the wrong type");
    Error::damaged(file.name(), problem)
}
